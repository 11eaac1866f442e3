/*
 * config/config.h - reads the settings, and writes the documents made of their table.
 *
 * A setting is its default, overridden by the configuration file, overridden by the environment
 * variable SLUICE_<KEY IN CAPITALS>. The table (config/setting.h) also makes `sluicectl config`,
 * sluice.conf.example and the man page sluice.conf(5).
 */
#ifndef CONFIG_CONFIG_H
#define CONFIG_CONFIG_H

#include "config/setting.h"

enum config_origin { CONFIG_FROM_DEFAULT, CONFIG_FROM_FILE, CONFIG_FROM_ENVIRONMENT };

/* Where the values came from. */
struct config_source {
	const char *path; /* the file that was read; NULL if there was none */
	enum config_origin origin[CONFIG_SETTINGS_MAX]; /* by the setting's index in the table */
};

/*
 * Reads the configuration. Its texts are in the arena, which must outlive it. With path NULL the
 * file is $SLUICE_CONFIG or, if that is unset, /etc/sluice/sluice.conf, which need not exist; a
 * file that is named must be readable. source may be NULL.
 * Returns STATUS_OK, or STATUS_MISCONFIGURED or STATUS_NO_MEMORY with *message, ready to print:
 * what is wrong and where ("file:line: …"), without passwords. *message is NULL on success.
 */
enum status config_read(struct arena *arena, const char *path, struct config *config,
			struct config_source *source, const char **message) MUST_CHECK;

/* Appends the example of a configuration file: all settings with their defaults, as comments. */
void config_example(struct buf *out);

/* Appends the list of settings for sluice.conf(5), in mdoc(7). */
void config_manual(struct buf *out);

#endif
