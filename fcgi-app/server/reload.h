/*
 * server/reload.h - SIGHUP: reads the configuration again while requests are being served.
 */
#ifndef SERVER_RELOAD_H
#define SERVER_RELOAD_H

#include "config/config.h"

/* Says what to read when a signal comes: the file at path, as for config_read(), into config, of
 * which all others have pointers. program is the name in the log. */
void reload_prepare(const char *program, const char *path, struct config *config);

/* Reads it if a signal has come since the last call. What was taken and what needs a restart is
 * logged; a configuration with a fault changes nothing. */
void reload_if_asked(void);

#endif
