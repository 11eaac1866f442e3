/*
 * store/migration.c - see store/migration.h.
 */
#include "store/migration.h"

#include "store/store_internal.h"

static const struct store_column columns[] = {
	STORE_SAME(struct store_migration, version),
	STORE_SAME(struct store_migration, name),
	STORE_COLUMN(struct store_migration, checksum, .sql = "encode(checksum, 'hex')"),
	STORE_COLUMN(struct store_migration, applied_at, .sql = STORE_TIMESTAMP("applied_at")),
};

const struct store_entity store_migration_entity = STORE_ENTITY(struct store_migration, columns);

enum status store_migration_list(const struct store *store, struct store_list *migrations)
{
	static const struct pg_statement exists = STORE_CALL(
		"store_migration_exists", "to_regclass('sluice.schema_migration') IS NOT NULL", 0);
	static const struct store_query query = {
		.name = "store_migration_list",
		.entity = &store_migration_entity,
		.from = "sluice.schema_migration ORDER BY version",
	};
	int64_t there = 0;
	enum status status = store_ask_int(store, &exists, NULL, &there);

	*migrations = (struct store_list){.entity = &store_migration_entity};
	if (status != STATUS_OK || there == 0)
		return status;
	return store_query_list(store, &query, NULL, migrations);
}

enum status store_migration_lock(const struct store *store, bool wait, bool *locked)
{
	static const struct pg_statement try = STORE_CALL(
		"store_migration_try_lock", "pg_try_advisory_lock(" STORE_MIGRATION_LOCK ")", 0);
	static const struct pg_statement lock =
		STORE_CALL("store_migration_lock",
			   "pg_advisory_lock(" STORE_MIGRATION_LOCK ") IS NOT NULL", 0);
	int64_t got = 0;
	enum status status = store_ask_int(store, wait ? &lock : &try, NULL, &got);

	*locked = got != 0;
	return status;
}

/* ---- applying one ---- */

/* The migration's transaction, to notice a script that ends it. */
static const struct pg_statement transaction_id =
	STORE_CALL("store_transaction_id", "pg_current_xact_id()::text::bigint", 0);

/* By pg_run: within a transaction nothing can be tried again. */
static enum status record(const struct store *store, const struct store_migration *migration)
{
	static const struct pg_statement statement = {
		.name = "store_migration_record",
		.sql = "INSERT INTO sluice.schema_migration (version, name, checksum) "
		       "VALUES ($1::integer, $2::text, decode($3::text, 'hex'))",
		.param_count = 3,
		.rows = PG_ROWS_ANY,
	};
	char version[SLICE_INT_CHARS];
	const pg_param params[] = {slice_of_int(migration->version, version), migration->name,
				   migration->checksum};

	return pg_run(store->db, &statement, params, NULL, store->deadline_ms);
}

static enum status run_in_transaction(const struct store *store,
				      const struct store_migration *migration, struct slice sql)
{
	int64_t before = 0, after = 0;
	enum status status = store_ask_int(store, &transaction_id, NULL, &before);

	if (status == STATUS_OK)
		status = pg_run_script(store->db, sql.p, store->deadline_ms);
	if (status == STATUS_OK)
		status = store_ask_int(store, &transaction_id, NULL, &after);
	if (status == STATUS_OK && before != after)
		return STATUS_END;
	if (status == STATUS_OK)
		status = record(store, migration);
	return status;
}

/* To be called before anything else is sent over the connection. */
static enum status keep_failure(const struct store *store, enum status status,
				struct store_failure *failure)
{
	if (status == STATUS_END) {
		failure->message = SLICE("the script ends its own transaction");
		return STATUS_OK;
	}
	enum status kept = store_keep(store, slice_of(pg_sqlstate(store->db)), &failure->sqlstate);
	if (kept == STATUS_OK)
		kept = store_keep(store, slice_of(pg_message(store->db)), &failure->message);
	return kept;
}

enum status store_migration_apply(const struct store *store,
				  const struct store_migration *migration, struct slice sql,
				  struct store_failure *failure)
{
	static const struct pg_statement begin = PG_COMMAND("BEGIN");
	static const struct pg_statement commit = PG_COMMAND("COMMIT");
	static const struct pg_statement rollback = PG_COMMAND("ROLLBACK");

	*failure = (struct store_failure){SLICE_ABSENT, SLICE_ABSENT};
	enum status status = pg_run(store->db, &begin, NULL, NULL, store->deadline_ms);
	if (status == STATUS_OK)
		status = run_in_transaction(store, migration, sql);
	if (status == STATUS_OK)
		status = pg_run(store->db, &commit, NULL, NULL, store->deadline_ms);
	if (status == STATUS_OK)
		return STATUS_OK;
	enum status kept = keep_failure(store, status, failure);
	/* Without a connection the server rolls back by itself. */
	if (pg_state(store->db) == PG_READY)
		(void)!pg_run(store->db, &rollback, NULL, NULL, store->deadline_ms);
	return kept != STATUS_OK ? kept : status;
}
