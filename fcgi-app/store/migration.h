/*
 * store/migration.h - migrations in the database: which are applied, the lock, applying them; for
 * the tool.
 *
 * Which files are due is decided by store/migration_file. A run is one transaction, from
 * store_migration_begin() to store_migration_commit() or store_migration_rollback().
 */
#ifndef STORE_MIGRATION_H
#define STORE_MIGRATION_H

#include "store/entity.h"
#include "store/store.h"

/* A numbered migration, or with version 0 a file that is applied again whenever it differs. */
struct store_migration {
	int64_t version;
	struct slice name;	 /* of the file: "0001_schema.sql", "views/keys.sql" */
	struct slice checksum;	 /* SHA-256 of the file in hexadecimal */
	struct slice applied_at; /* absent before it is applied */
};

/* Its version and its name. */
extern const struct store_entity store_migration_entity;

/* Lists the applied migrations (struct store_migration) by version, and the files that are applied
 * again when they differ; none without the schema, or when *exists and its data are not there. */
enum status store_migration_list(const struct store *store, bool *exists,
				 struct store_list *migrations,
				 struct store_list *files) MUST_CHECK;

/* Where a run works. */
struct store_target {
	struct slice host; /* or the directory of the socket */
	struct slice port, database, user;
	struct slice encoding; /* not shown */
};

extern const struct store_entity store_target_entity;

enum status store_migration_target(const struct store *store,
				   struct store_target *target) MUST_CHECK;

/*
 * Begins a run and waits until no other one is in progress in this database; without wait *locked
 * is false when there is one, and nothing has begun. Needs the rights of the database's owner:
 * nobody else can hold up a run. From then on no lock is waited for longer than 200 ms, because
 * the intake would wait behind it.
 */
enum status store_migration_begin(const struct store *store, bool wait, bool *locked) MUST_CHECK;

/* Begins a run that is to be rolled back. It waits for no other and for no lock. */
enum status store_migration_rehearse(const struct store *store) MUST_CHECK;

/* Runs a file. STATUS_END: it ends the transaction itself, so that it cannot be rolled back. */
enum status store_migration_apply(const struct store *store, struct slice sql) MUST_CHECK;

/* Records what was applied: one migration, or all files that are applied again. */
enum status store_migration_record(const struct store *store,
				   const struct store_migration *migration) MUST_CHECK;
enum status store_migration_forget_files(const struct store *store) MUST_CHECK;

/* Mends what the files do not: sequences, and what depends on the cluster. */
enum status store_migration_repair(const struct store *store) MUST_CHECK;

enum status store_migration_commit(const struct store *store) MUST_CHECK;

/* Without a connection the server does so by itself. Spoils pg_message(). */
void store_migration_rollback(const struct store *store);

/* A function or view of the schema as SQL. */
struct store_definition {
	struct slice name, text;
};

/* Lists them (struct store_definition) by name. */
enum status store_migration_definitions(const struct store *store,
					struct store_list *definitions) MUST_CHECK;

#endif
