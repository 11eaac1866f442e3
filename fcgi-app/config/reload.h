/*
 * config/reload.h - what a running program can take of a configuration that was read anew.
 */
#ifndef CONFIG_RELOAD_H
#define CONFIG_RELOAD_H

#include "config/setting.h"

/* Whether the database is another one. config_reload() leaves it to the caller, who can try it. */
bool config_database_differs(const struct config *config, const struct config *fresh);

/* Gives config the values of fresh that can change while requests are being served. Appends the
 * names of those to taken, and of settings that differ but need a restart to kept, with blanks
 * between them. */
void config_reload(struct config *config, const struct config *fresh, struct buf *taken,
		   struct buf *kept);

#endif
