/*
 * store/maintenance.c - the calls of sluice.maintenance_…(). See store/maintenance.h.
 */
#include "store/maintenance.h"

#include <string.h>

enum status store_maintenance_lock(const struct store *store, bool *locked)
{
	static const struct pg_statement statement = {
		.name = "store_maintenance_lock",
		.sql = "SELECT pg_try_advisory_lock(" STORE_MAINTENANCE_LOCK ")",
		.columns = 1,
		.rows = 1,
	};
	int64_t got = 0;
	enum status status = store_one(store, &statement, NULL, store_read_int, &got);

	*locked = got != 0;
	return status;
}

static enum status read_step(const struct store *store, const struct pg_result *result, int row,
			     void *item)
{
	struct store_step *step = item;
	struct slice *const texts[] = {&step->name, &step->unit};

	return store_keep_all(store, result, row, 0, texts, 2);
}

enum status store_maintenance_steps(const struct store *store, struct store_steps *steps)
{
	static const struct pg_statement statement = {
		.name = "store_maintenance_steps",
		.sql = "SELECT name, unit FROM sluice.maintenance_step ORDER BY position",
		.columns = 2,
		.rows = PG_ROWS_ANY,
	};
	void *items;
	enum status status = store_list(store, &statement, NULL, read_step, sizeof(*steps->items),
					&items, &steps->count);

	steps->items = items;
	return status;
}

enum status store_maintenance_do(const struct store *store, struct slice step, int64_t max_rows,
				 int64_t *worked)
{
	static const struct pg_statement statement = {
		.name = "store_maintenance_do",
		.sql = "SELECT sluice.maintenance_do($1::text, $2::integer)",
		.param_count = 2,
		.columns = 1,
		.rows = 1,
	};
	char text[SLICE_INT_CHARS];
	const pg_param params[] = {step, slice_of_int(max_rows, text)};

	*worked = 0;
	return store_one(store, &statement, params, store_read_int, worked);
}

bool store_maintenance_is_busy(const struct store *store)
{
	return strcmp(pg_sqlstate(store->db), "55P03") == 0;
}

enum status store_maintenance_record(const struct store *store, struct slice step,
				     struct slice result, int64_t worked, struct slice message)
{
	static const struct pg_statement statement = {
		.name = "store_maintenance_record",
		.sql = "SELECT sluice.maintenance_record($1::text, $2::text, $3::text, $4::bigint, "
		       "$5::text) IS NULL",
		.param_count = 5,
		.columns = 1,
		.rows = 1,
	};
	char text[SLICE_INT_CHARS];
	const pg_param params[] = {store->actor, step, result, slice_of_int(worked, text), message};
	int64_t none;

	return store_one(store, &statement, params, store_read_int, &none);
}
