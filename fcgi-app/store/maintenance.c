/*
 * store/maintenance.c - see store/maintenance.h.
 */
#include "store/maintenance.h"

#include <string.h>

#include "store/store_internal.h"

static const struct store_column step_columns[] = {
	STORE_SAME(struct store_step, name),
	STORE_SAME(struct store_step, unit),
};
static const struct store_entity step_entity = STORE_ENTITY(struct store_step, step_columns);

enum status store_maintenance_steps(const struct store *store, struct store_list *steps)
{
	static const struct store_query query = {
		.name = "store_maintenance_steps",
		.entity = &step_entity,
		.from = "sluice.maintenance_steps()",
	};

	return store_query_list(store, &query, NULL, steps);
}

enum status store_maintenance_do(const struct store *store, struct slice step, int64_t max_rows,
				 int64_t *worked)
{
	static const struct pg_statement statement = STORE_CALL(
		"store_maintenance_do", "sluice.maintenance_do($1::text, $2::integer)", 2);
	char text[SLICE_INT_CHARS];
	const pg_param params[] = {step, slice_of_int(max_rows, text)};

	*worked = 0;
	return store_ask_int(store, &statement, params, worked);
}

bool store_maintenance_is_busy(const struct store *store)
{
	return strcmp(pg_sqlstate(store->db), "55P03") == 0;
}

enum status store_maintenance_record(const struct store *store, struct slice step,
				     struct slice result, int64_t worked, struct slice message)
{
	static const struct pg_statement statement = STORE_CALL(
		"store_maintenance_record",
		"sluice.maintenance_record($1::text, $2::text, $3::text, $4::bigint, $5::text)", 5);
	char text[SLICE_INT_CHARS];
	const pg_param params[] = {store->actor, step, result, slice_of_int(worked, text), message};

	return store_run(store, &statement, params, NULL);
}

/* ---- partitions that were detached ---- */

static const struct store_column detached_columns[] = {
	STORE_COLUMN(struct store_detached, partition, .sql = "partition_name"),
	STORE_COLUMN(struct store_detached, table, .sql = "table_name"),
	STORE_COLUMN(struct store_detached, from, .sql = STORE_TIMESTAMP("lower_bound")),
	STORE_COLUMN(struct store_detached, until, .sql = STORE_TIMESTAMP("upper_bound")),
};
static const struct store_entity detached_entity =
	STORE_ENTITY(struct store_detached, detached_columns);

enum status store_maintenance_detached(const struct store *store, struct store_list *detached)
{
	static const struct store_query query = {
		.name = "store_maintenance_detached",
		.entity = &detached_entity,
		.from = "sluice.maintenance_detached()",
	};

	return store_query_list(store, &query, NULL, detached);
}

enum status store_maintenance_archived(const struct store *store, struct slice partition)
{
	static const struct pg_statement statement = STORE_CALL(
		"store_maintenance_archived", "sluice.maintenance_archived($1::text, $2::text)", 2);
	const pg_param params[] = {store->actor, partition};

	return store_run(store, &statement, params, NULL);
}
