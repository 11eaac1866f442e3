/*
 * store/migration.h - migrations in the database: which are applied, the lock, applying one; for
 * the tool.
 *
 * Which migrations are due is decided by store/migration_file.
 */
#ifndef STORE_MIGRATION_H
#define STORE_MIGRATION_H

#include "store/entity.h"
#include "store/store.h"

/* The session lock of `sluicectl migrate`: the ASCII codes of "Sluice" as one number. Other
 * programs that change the schema may take it too. */
#define STORE_MIGRATION_LOCK "91725291414373"

struct store_migration {
	int64_t version;
	struct slice name;	 /* of the file: "0001_roles_and_schema.sql" */
	struct slice checksum;	 /* SHA-256 of the file in hexadecimal */
	struct slice applied_at; /* absent before it is applied */
};

/* Its version and its name. */
extern const struct store_entity store_migration_entity;

/* Lists the applied migrations (struct store_migration) by version; none without the schema. */
enum status store_migration_list(const struct store *store,
				 struct store_list *migrations) MUST_CHECK;

/* Takes the lock for the rest of the session. With wait it is taken on STATUS_OK; without, *locked
 * is false when another session has it. */
enum status store_migration_lock(const struct store *store, bool wait, bool *locked) MUST_CHECK;

/* Why a migration failed. pg_message() is that of the rollback by then. */
struct store_failure {
	struct slice sqlstate, message;
};

/*
 * Applies one migration in a transaction of its own and records it. On failure it is rolled back
 * and *failure says why. STATUS_END: the script ended the transaction itself, so that it cannot be
 * rolled back.
 */
enum status store_migration_apply(const struct store *store,
				  const struct store_migration *migration, struct slice sql,
				  struct store_failure *failure) MUST_CHECK;

#endif
