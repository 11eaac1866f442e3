/*
 * server/reload.h - SIGHUP: reads the configuration again while requests are being served.
 */
#ifndef SERVER_RELOAD_H
#define SERVER_RELOAD_H

#include "config/config.h"
#include "server/trial.h"

/* Says what to read when a signal comes: the file at path, as for config_read(), into config, of
 * which all others have pointers; and how to try another database. program is the name in the log.
 * config NULL: no more. */
void reload_prepare(const char *program, const char *path, struct config *config,
		    trial_function *try_database);

/*
 * Reads it if a signal has come since the last call. What was taken and what needs a restart is
 * logged; a configuration with a fault changes nothing.
 *
 * Another database is tried by a child first, which is counted in *children. Once it has been found
 * good, in a later call, config has it; else the old one stays, and the log says why.
 */
void reload_if_asked(int *children);

#endif
