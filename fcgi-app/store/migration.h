/*
 * store/migration.h - migrations: which are applied, the lock, applying one.
 *
 * Beside store/store.h, on no request's way. Owns transactions; prints and logs nothing. Which
 * migration is due is store/migrate.h's knowledge.
 */
#ifndef STORE_MIGRATION_H
#define STORE_MIGRATION_H

#include "store/store.h"

/*
 * The session lock that `sluicectl migrate` holds while it works: the ASCII codes of "Sluice" as
 * one number. Other programs that change the schema may take it too.
 */
#define STORE_MIGRATION_LOCK "91725291414373"

/* One applied migration. */
struct store_migration {
	int64_t version;
	struct slice name;	 /* of the file: "0001_roles_and_schema.sql" */
	struct slice checksum;	 /* SHA-256 of the file in hexadecimal */
	struct slice applied_at; /* absent before it is applied */
};

struct store_migrations {
	struct store_migration *items; /* by version */
	size_t count;
};

/* Those applied; none when the table is not there. */
enum status store_migration_list(const struct store *store,
				 struct store_migrations *list) MUST_CHECK;

/* Takes the lock for the rest of the session. With wait it is there on STATUS_OK, else *locked
 * says so. */
enum status store_migration_lock(const struct store *store, bool wait, bool *locked) MUST_CHECK;

/* Why a migration failed; pg_message() tells of the rollback then. */
struct store_failure {
	struct slice sqlstate, message;
};

/*
 * Applies one migration in a transaction of its own and records it. On failure it is rolled back
 * and *failure says why. STATUS_END: the script ended the transaction itself, so that nothing can
 * be rolled back any more.
 */
enum status store_migration_apply(const struct store *store,
				  const struct store_migration *migration, struct slice sql,
				  struct store_failure *failure) MUST_CHECK;

#endif
