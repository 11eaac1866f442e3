/*
 * store/migration_file.h - migrations in their directory: which there are, and which of them are
 * due in a database. For the tool.
 *
 * The plan is pure; store/migration applies it.
 */
#ifndef STORE_MIGRATION_FILE_H
#define STORE_MIGRATION_FILE_H

#include "store/migration.h"

/* One file NNNN_what.sql, or one that is applied again whenever it differs. */
struct migration_file {
	struct store_migration migration;
	struct slice sql;
};

struct migration_files {
	struct migration_file *items; /* the numbered ones, by version */
	size_t count;
	/* The others, in the order in which they are applied: roles.sql, which comes before the
	 * numbered ones, views/, functions/, access.sql. */
	struct migration_file *others;
	size_t other_count;
};

/*
 * Reads all files of the directory whose names end in .sql, and those of its folders views and
 * functions, which need not be there. STATUS_OK, STATUS_NO_MEMORY, or STATUS_MISCONFIGURED with a
 * *message ready to print: no such directory, no numbered file, a name that is neither
 * NNNN_what.sql nor one of the others', a file that cannot be read.
 */
enum status migration_file_read_all(struct arena *arena, const char *directory,
				    struct migration_files *files, const char **message) MUST_CHECK;

/* True for roles.sql, which is applied before the numbered files. */
bool migration_file_comes_first(const struct migration_file *file);

/* Whether the other files differ from those that were applied (struct store_migration). */
bool migration_file_others_differ(const struct migration_files *files,
				  const struct store_list *applied);

/* True for NNNN_what.sql, where what is [A-Za-z0-9_-]+ and NNNN is not 0000. */
bool migration_file_name_is_valid(struct slice name, int64_t *version);

/*
 * Compares the files with the applied migrations (struct store_migration), both by version. On
 * STATUS_OK the files from index *first on are due, in this order. STATUS_MISCONFIGURED: *message
 * says what does not fit, *hint what to do about it (or NULL); nothing may be applied then.
 */
enum status migration_file_plan(struct arena *arena, const struct migration_files *files,
				const struct store_list *applied, size_t *first,
				const char **message, const char **hint) MUST_CHECK;

#endif
