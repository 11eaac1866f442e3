/*
 * config/setting.h - the settings, and one table that says everything about them.
 *
 * To add one: a member of struct config here and a row of the table in config/setting.c.
 */
#ifndef CONFIG_SETTING_H
#define CONFIG_SETTING_H

#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/network.h"

/* Their defaults beside them; config/setting.c explains each. */
struct config {
	const char *database;	      /* libpq connection string; may hold a password: secret */
	int log_target;		      /* enum log_target: stderr, syslog */
	int log_level;		      /* enum log_level: debug, info, warning, error */
	int64_t request_timeout_ms;   /* whole request, 10 s */
	int64_t bulk_timeout_ms;      /* whole bulk request, 300 s */
	int64_t connect_timeout_ms;   /* connecting to a host, 2 s */
	int64_t database_timeout_ms;  /* one statement, 5 s */
	int64_t single_body_bytes;    /* 1 MiB */
	int64_t batch_body_bytes;     /* 8 MiB */
	int64_t bulk_body_bytes;      /* 256 MiB */
	int64_t batch_items;	      /* 5,000 */
	int64_t bulk_items;	      /* 1,000,000 */
	int64_t item_bytes;	      /* 512 KiB */
	int64_t json_depth;	      /* 64 */
	int64_t json_number_digits;   /* 400 */
	int64_t json_number_exponent; /* 400 */
	int64_t requests_in_flight;   /* per worker, 512 */
	int64_t group_requests;	      /* most requests in one transaction, 512 */
	int64_t group_bytes;	      /* most payload bytes in one transaction, 4 MiB */
	int64_t large_body_bytes;     /* a larger body is served by a child process, 256 KiB */
	int64_t large_requests;	      /* most children at a time per worker, 4 */
	int64_t body_rate_bytes;      /* least a second of a body that is waited for, 500 */
	int64_t buffered_bytes;	      /* most body bytes waiting in one worker, 32 MiB */
	int64_t kept_connections;     /* most per worker between requests, 256 */
	int64_t kept_idle_ms;	      /* one is closed after so long without a request, 2 s */
	const char *metrics_file;     /* shared by the workers of a service */
	int64_t log_health_checks;    /* once in so many, 100 */
	bool log_client_address;      /* off */
	struct network_list trusted_proxies; /* none */
	bool prepared_statements;	     /* on; off for a pooler that loses them */
	bool settings_trust_remote_user;     /* REMOTE_USER names the user of the settings: off */
	const char *public_url; /* of this host, for the settings page; "": the request's */
};

enum config_type {
	CONFIG_TEXT,
	CONFIG_BOOL,
	CONFIG_COUNT,
	CONFIG_BYTES,
	CONFIG_DURATION_MS,
	CONFIG_CHOICE,
	CONFIG_NETWORKS
};

struct config_setting {
	const char *key; /* as in the file */
	enum config_type type;
	size_t offset;		    /* of the member in struct config */
	int64_t min, max;	    /* of a number, in the member's unit; of a text's bytes */
	const char *default_text;   /* as in the file */
	const char *const *choices; /* of CONFIG_CHOICE, ends with NULL; the value is the index */
	bool secret;		    /* passwords in it are not shown */
	bool url;		    /* a text: empty, or http:// or https:// and a host */
	const char *help;	    /* one or two sentences for file and man page */
};

enum { CONFIG_SETTINGS_MAX = 64 };

/* The table, of *count settings. */
const struct config_setting *config_settings(size_t *count);

/*
 * Reads a value, without quotes, into its member of *config. Texts are copied to the arena.
 * Durations and sizes have a unit (10s, 500ms, 5min, 512KiB), or are in that of the member.
 * STATUS_OK, STATUS_INVALID_VALUE (the member stays unchanged) or STATUS_NO_MEMORY.
 */
enum status config_setting_read(const struct config_setting *setting, struct slice value,
				struct arena *arena, struct config *config) MUST_CHECK;

/* Appends the values that are allowed: "a size from 1KiB to 64MiB". */
void config_setting_range(const struct config_setting *setting, struct buf *out);

/* Appends a value as in the file, with passwords hidden. */
void config_format(const struct config *config, const struct config_setting *setting,
		   struct buf *out);

#endif
