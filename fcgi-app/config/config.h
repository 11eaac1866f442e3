/*
 * config/config.h - reading the settings, and the documents made of their table.
 *
 * A setting comes from, in rising order: its default, the configuration file, the environment
 * variable SLUICE_<KEY IN CAPITALS>. The table (config/setting.h) also makes `sluicectl config`,
 * deploy/sluice.conf.example and the man page sluice.conf(5).
 */
#ifndef CONFIG_CONFIG_H
#define CONFIG_CONFIG_H

#include "config/setting.h"

/* Where each setting's value came from, by its index in the table. */
enum config_origin { CONFIG_FROM_DEFAULT, CONFIG_FROM_FILE, CONFIG_FROM_ENVIRONMENT };

struct config_source {
	const char *path; /* the file that was read; NULL when there was none */
	enum config_origin origin[CONFIG_SETTINGS_MAX];
};

/*
 * Reads the configuration into *config; texts live in *arena for as long as the program runs.
 * path NULL means $SLUICE_CONFIG, else /etc/sluice/sluice.conf when that is there, else none; a
 * path that is named but cannot be read is an error. source may be NULL.
 * On failure *message says what is wrong and where ("file:line: …"), ready to print, and never
 * holds a password; it is NULL on success.
 * Returns STATUS_OK, STATUS_MISCONFIGURED or STATUS_NO_MEMORY.
 */
enum status config_read(struct arena *arena, const char *path, struct config *config,
			struct config_source *source, const char **message) MUST_CHECK;

/* Appends the example configuration file / the settings section of sluice.conf(5) in mdoc(7). */
void config_example(struct buf *out);
void config_manual(struct buf *out);

#endif
