/*
 * commit/bulk.c - see commit/bulk.h.
 */
#include "commit/bulk.h"

enum status commit_bulk_finish(struct pg_connection *db, uint64_t *repeated, int64_t deadline_ms)
{
	static const struct pg_statement statement = {
		.name = "bulk_finish",
		.sql = "SELECT sluice.bulk_finish()",
		.columns = 1,
		.rows = 1,
	};
	/* The role's is for one chunk. */
	static const struct pg_statement unlimited = PG_COMMAND("SET LOCAL statement_timeout = 0");
	struct pg_query_result result = {0};
	enum status status = pg_run(db, &unlimited, NULL, NULL, deadline_ms);

	if (status == STATUS_OK)
		status = pg_run(db, &statement, NULL, &result, deadline_ms);

	if (status == STATUS_OK)
		*repeated = (uint64_t)pg_result_int(&result, 0, 0);
	pg_result_free(&result);
	return status;
}
