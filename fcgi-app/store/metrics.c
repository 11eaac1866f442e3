/*
 * store/metrics.c - see store/metrics.h.
 */
#include "store/metrics.h"

const struct pg_statement metrics_statement = {
	.name = "metrics",
	.sql = "SELECT sluice.metrics()",
	.columns = 1,
	.rows = 1,
};

enum status metrics_read(struct pg_connection *db, struct buf *out, int64_t deadline_ms)
{
	struct pg_query_result result = {0};
	enum status status = pg_connect(db, deadline_ms);

	if (status == STATUS_OK)
		status = pg_run(db, &metrics_statement, NULL, &result, deadline_ms);
	/* Nothing was to be stored. */
	if (status == STATUS_OUTCOME_UNKNOWN)
		status = STATUS_UNAVAILABLE;
	if (status == STATUS_OK) {
		buf_add_slice(out, pg_result_value(&result, 0, 0));
		status = out->status;
	}
	pg_result_free(&result);
	return status;
}
