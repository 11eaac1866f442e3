/*
 * store/migration.c - see store/migration.h.
 */
#include "store/migration.h"

#include <string.h>

#include "store/store_internal.h"

/* ---- what is applied ---- */

static const struct store_column columns[] = {
	STORE_SAME(struct store_migration, version),
	STORE_SAME(struct store_migration, name),
	STORE_COLUMN(struct store_migration, checksum, .sql = "encode(checksum, 'hex')"),
	STORE_COLUMN(struct store_migration, applied_at, .sql = STORE_TIMESTAMP("applied_at")),
};

const struct store_entity store_migration_entity = STORE_ENTITY(struct store_migration, columns);

enum status store_migration_list(const struct store *store, bool *exists,
				 struct store_list *migrations, struct store_list *files)
{
	static const struct pg_statement look = STORE_CALL(
		"store_migration_exists", "to_regclass('sluice.schema_migration') IS NOT NULL", 0);
	static const struct store_query numbered = {
		.name = "store_migration_list",
		.entity = &store_migration_entity,
		.from = "sluice.schema_migration ORDER BY version",
	};
	static const struct store_query others = {
		.name = "store_migration_files",
		.entity = &store_migration_entity,
		.from = "(SELECT 0 AS version, f.* FROM sluice.schema_file AS f) AS f ORDER BY name",
	};
	int64_t there = 0;
	enum status status = store_ask_int(store, &look, NULL, &there);

	*exists = there != 0;
	*migrations = *files = (struct store_list){.entity = &store_migration_entity};
	if (status != STATUS_OK || there == 0)
		return status;
	status = store_query_list(store, &numbered, NULL, migrations);
	return status == STATUS_OK ? store_query_list(store, &others, NULL, files) : status;
}

/* ---- the target ---- */

static const struct store_column target_columns[] = {
	STORE_COLUMN(struct store_target, host, .member = "host"),
	STORE_COLUMN(struct store_target, port, .member = "port"),
	STORE_COLUMN(struct store_target, database, .member = "database",
		     .sql = "current_database()"),
	STORE_COLUMN(struct store_target, user, .member = "user", .sql = "session_user"),
	STORE_COLUMN(struct store_target, encoding, .sql = "current_setting('server_encoding')"),
};

const struct store_entity store_target_entity = STORE_ENTITY(struct store_target, target_columns);

enum status store_migration_target(const struct store *store, struct store_target *target)
{
	static const struct store_query query = {
		.name = "store_migration_target",
		.entity = &store_target_entity,
		.from = "(SELECT) AS nothing",
	};
	enum status status = store_query_one(store, &query, NULL, target);

	if (status == STATUS_OK)
		status = store_keep(store, slice_of(pg_host(store->db)), &target->host);
	if (status == STATUS_OK)
		status = store_keep(store, slice_of(pg_port(store->db)), &target->port);
	return status;
}

/* ---- a run ---- */

/*
 * COMMENT ON DATABASE locks the database against itself alone, until the transaction ends, and only
 * for the owner. No table could be locked before there is one, and an advisory lock could be held
 * by every login.
 */
#define LOCK                                                                                       \
	"DO $do$ BEGIN EXECUTE pg_catalog.format('COMMENT ON DATABASE %I IS %s', "                 \
	"pg_catalog.current_database(), pg_catalog.quote_nullable((SELECT "                        \
	"pg_catalog.shobj_description(d.oid, 'pg_database') FROM pg_catalog.pg_database AS d "     \
	"WHERE d.datname = pg_catalog.current_database()))); END $do$"

static const struct pg_statement begin = PG_COMMAND("BEGIN");
static const struct pg_statement commit = PG_COMMAND("COMMIT");
static const struct pg_statement rollback = PG_COMMAND("ROLLBACK");

/* By pg_run, here and below: within a transaction nothing can be tried again. */
static enum status run(const struct store *store, const struct pg_statement *statement)
{
	return pg_run(store->db, statement, NULL, NULL, store->deadline_ms);
}

enum status store_migration_begin(const struct store *store, bool wait, bool *locked)
{
	static const struct pg_statement lock = PG_COMMAND(LOCK);
	static const struct pg_statement hasty = PG_COMMAND("SET LOCAL lock_timeout = '200ms'");
	static const struct pg_statement patient = PG_COMMAND("SET LOCAL lock_timeout = 0");
	enum status status = run(store, &begin);

	*locked = false;
	if (status == STATUS_OK)
		status = run(store, wait ? &patient : &hasty);
	if (status == STATUS_OK)
		status = run(store, &lock);
	if (status != STATUS_OK && !wait && strcmp(pg_sqlstate(store->db), "55P03") == 0)
		return run(store, &rollback);
	if (status == STATUS_OK)
		status = run(store, &hasty);
	*locked = status == STATUS_OK;
	return status;
}

enum status store_migration_rehearse(const struct store *store)
{
	static const struct pg_statement hasty = PG_COMMAND("SET LOCAL lock_timeout = '1s'");
	enum status status = run(store, &begin);

	return status == STATUS_OK ? run(store, &hasty) : status;
}

enum status store_migration_apply(const struct store *store, struct slice sql)
{
	static const struct pg_statement transaction_id =
		STORE_CALL("store_transaction_id", "pg_current_xact_id()::text::bigint", 0);
	int64_t before = 0, after = 0;
	enum status status = store_ask_int(store, &transaction_id, NULL, &before);

	if (status == STATUS_OK)
		status = pg_run_script(store->db, sql.p, store->deadline_ms);
	if (status == STATUS_OK)
		status = store_ask_int(store, &transaction_id, NULL, &after);
	return status == STATUS_OK && before != after ? STATUS_END : status;
}

enum status store_migration_record(const struct store *store,
				   const struct store_migration *migration)
{
	static const struct pg_statement numbered = {
		.name = "store_migration_record",
		.sql = "INSERT INTO sluice.schema_migration (version, name, checksum) "
		       "VALUES ($1::integer, $2::text, decode($3::text, 'hex'))",
		.param_count = 3,
		.rows = PG_ROWS_ANY,
	};
	static const struct pg_statement other = {
		.name = "store_migration_record_file",
		.sql = "INSERT INTO sluice.schema_file (name, checksum) "
		       "VALUES ($1::text, decode($2::text, 'hex'))",
		.param_count = 2,
		.rows = PG_ROWS_ANY,
	};
	char version[SLICE_INT_CHARS];
	const pg_param params[] = {slice_of_int(migration->version, version), migration->name,
				   migration->checksum};

	if (migration->version == 0)
		return pg_run(store->db, &other, params + 1, NULL, store->deadline_ms);
	return pg_run(store->db, &numbered, params, NULL, store->deadline_ms);
}

enum status store_migration_forget_files(const struct store *store)
{
	static const struct pg_statement statement = PG_COMMAND("DELETE FROM sluice.schema_file");

	return run(store, &statement);
}

enum status store_migration_repair(const struct store *store)
{
	static const struct pg_statement statement =
		STORE_CALL("store_migration_repair", "sluice.repair()", 0);

	return run(store, &statement);
}

enum status store_migration_commit(const struct store *store)
{
	return run(store, &commit);
}

void store_migration_rollback(const struct store *store)
{
	if (pg_state(store->db) == PG_READY)
		(void)!run(store, &rollback);
}

/* ---- definitions ---- */

static const struct store_column definition_columns[] = {
	STORE_SAME(struct store_definition, name),
	STORE_SAME(struct store_definition, text),
};

static const struct store_entity definition_entity =
	STORE_ENTITY(struct store_definition, definition_columns);

enum status store_migration_definitions(const struct store *store, struct store_list *definitions)
{
	static const struct store_query query = {
		.name = "store_migration_definitions",
		.entity = &definition_entity,
		.from = "(SELECT 'function ' || p.oid::regprocedure AS name, "
			"pg_get_functiondef(p.oid) AS text FROM pg_proc AS p "
			"WHERE p.pronamespace = to_regnamespace('sluice') AND p.prokind IN ('f', 'p') "
			"UNION ALL SELECT 'view ' || c.oid::regclass, pg_get_viewdef(c.oid) "
			"FROM pg_class AS c WHERE c.relnamespace = to_regnamespace('sluice') "
			"AND c.relkind = 'v') AS d ORDER BY name COLLATE \"C\"",
	};

	return store_query_list(store, &query, NULL, definitions);
}
