/*
 * store/migration.c - migrations: what is applied, the lock, applying one. See store/migration.h.
 */
#include "store/migration.h"

/* Runs a statement that returns one value. */
static enum status ask(const struct store *store, const struct pg_statement *statement,
		       int64_t *number)
{
	struct pg_result result = {0};
	enum status status = pg_run(store->db, statement, NULL, &result, store->deadline_ms);

	if (status == STATUS_OK)
		*number = pg_result_int(&result, 0, 0);
	pg_result_free(&result);
	return status;
}

static enum status read_migration(const struct store *store, const struct pg_result *result,
				  int row, struct store_migration *migration)
{
	struct slice *const texts[] = {&migration->name, &migration->checksum,
				       &migration->applied_at};
	enum status status = STATUS_OK;

	migration->version = pg_result_int(result, row, 0);
	for (int i = 0; i < 3 && status == STATUS_OK; i++)
		status = store_keep(store, pg_result_value(result, row, 1 + i), texts[i]);
	return status;
}

enum status store_migration_list(const struct store *store, struct store_migrations *list)
{
	static const struct pg_statement exists = {
		.name = "store_migration_exists",
		.sql = "SELECT to_regclass('sluice.schema_migration') IS NOT NULL",
		.columns = 1,
		.rows = 1,
	};
	static const struct pg_statement statement = {
		.name = "store_migration_list",
		.sql = "SELECT version, name, encode(checksum, 'hex'), "
		       "to_json(applied_at AT TIME ZONE 'UTC') #>> '{}' || 'Z' "
		       "FROM sluice.schema_migration ORDER BY version",
		.columns = 4,
		.rows = PG_ROWS_ANY,
	};
	struct pg_result result = {0};
	int64_t there = 0;
	enum status status = ask(store, &exists, &there);

	*list = (struct store_migrations){NULL, 0};
	if (status != STATUS_OK || there == 0)
		return status;
	status = pg_run(store->db, &statement, NULL, &result, store->deadline_ms);
	if (status != STATUS_OK)
		goto out;
	list->count = (size_t)pg_result_rows(&result);
	list->items = arena_array(store->arena, list->count, sizeof(*list->items));
	if (list->items == NULL && list->count > 0)
		status = STATUS_NO_MEMORY;
	for (size_t i = 0; i < list->count && status == STATUS_OK; i++)
		status = read_migration(store, &result, (int)i, &list->items[i]);
out:
	pg_result_free(&result);
	return status;
}

enum status store_migration_lock(const struct store *store, bool wait, bool *locked)
{
	static const struct pg_statement try = {
		.name = "store_migration_try_lock",
		.sql = "SELECT pg_try_advisory_lock(" STORE_MIGRATION_LOCK ")",
		.columns = 1,
		.rows = 1,
	};
	static const struct pg_statement lock = {
		.name = "store_migration_lock",
		.sql = "SELECT pg_advisory_lock(" STORE_MIGRATION_LOCK ") IS NOT NULL",
		.columns = 1,
		.rows = 1,
	};
	int64_t got = 0;
	enum status status = ask(store, wait ? &lock : &try, &got);

	*locked = got != 0;
	return status;
}

/* ---- applying one ---- */

/* The migration's transaction, to notice a script that ends it. */
static const struct pg_statement transaction_id = {
	.name = "store_transaction_id",
	.sql = "SELECT pg_current_xact_id()::text::bigint",
	.columns = 1,
	.rows = 1,
};

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
	enum status status = ask(store, &transaction_id, &before);

	if (status == STATUS_OK)
		status = pg_run_script(store->db, sql.p, store->deadline_ms);
	if (status == STATUS_OK)
		status = ask(store, &transaction_id, &after);
	if (status == STATUS_OK && before != after)
		return STATUS_END;
	if (status == STATUS_OK)
		status = record(store, migration);
	return status;
}

/* Must be called before anything else is asked of the connection. */
static enum status keep_failure(const struct store *store, enum status status,
				struct store_failure *failure)
{
	if (status == STATUS_END) {
		*failure = (struct store_failure){{NULL, 0},
						  SLICE("the script ends its transaction itself")};
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

	*failure = (struct store_failure){{NULL, 0}, {NULL, 0}};
	enum status status = pg_run(store->db, &begin, NULL, NULL, store->deadline_ms);
	if (status == STATUS_OK)
		status = run_in_transaction(store, migration, sql);
	if (status == STATUS_OK)
		status = pg_run(store->db, &commit, NULL, NULL, store->deadline_ms);
	if (status == STATUS_OK)
		return STATUS_OK;
	enum status kept = keep_failure(store, status, failure);
	/* Without a connection there is nothing left to roll back: the server has done it. */
	if (pg_state(store->db) == PG_READY)
		(void)!pg_run(store->db, &rollback, NULL, NULL, store->deadline_ms);
	return kept != STATUS_OK ? kept : status;
}
