/*
 * store/migrate.h - which migrations there are, and which of them are due.
 *
 * For the tool, on no request's way. Reads the directory and compares it with what the database
 * says was applied; store_schema applies. The plan is pure: it touches neither.
 */
#ifndef STORE_MIGRATE_H
#define STORE_MIGRATE_H

#include "store/migration.h"

/* One file NNNN_what.sql. */
struct migrate_file {
	struct store_migration migration;
	struct slice sql;
};

struct migrate_files {
	struct migrate_file *items; /* by version */
	size_t count;
};

/*
 * Reads all files of the directory whose names end in .sql; the others are none of ours. On
 * failure *message says why, ready to print: no such directory, a name that is not
 * NNNN_what.sql, a file that cannot be read.
 * STATUS_OK, STATUS_MISCONFIGURED, STATUS_NO_MEMORY or STATUS_INTERNAL.
 */
enum status migrate_read(struct arena *arena, const char *directory, struct migrate_files *files,
			 const char **message) MUST_CHECK;

/* True for NNNN_what.sql, where what is [A-Za-z0-9_-]+ and NNNN is not 0000. */
bool migrate_name_is_valid(struct slice name, int64_t *version);

/*
 * Compares files and applied, both by version. On STATUS_OK the files from index *first on are
 * due, in this order. STATUS_MISCONFIGURED: *message says what does not fit, *hint what to do about
 * it (or NULL); nothing may be applied then.
 */
enum status migrate_plan(struct arena *arena, const struct migrate_files *files,
			 const struct store_migrations *applied, size_t *first,
			 const char **message, const char **hint) MUST_CHECK;

#endif
