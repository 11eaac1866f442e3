/*
 * config/check.h - what is wrong with settings that are each allowed by itself.
 */
#ifndef CONFIG_CHECK_H
#define CONFIG_CHECK_H

#include "config/setting.h"

/* Appends a line for each limit that another one makes pointless, and for proxies that anybody can
 * be; nothing if all agree. Such a configuration works, though not as it reads. */
void config_check(const struct config *config, struct buf *out);

#endif
