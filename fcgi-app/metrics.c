/*
 * metrics.c - the question and its answer. See metrics.h.
 */
#include "metrics.h"

enum status metrics_read(struct db *db, struct buf *out, int64_t deadline_ms)
{
	static const struct db_statement statement = {
		.name = "metrics",
		.sql = "SELECT sluice.metrics()",
		.columns = 1,
		.rows = 1,
	};
	struct db_result result = {0};
	enum status status = db_connect(db, deadline_ms);

	if (status == STATUS_OK)
		status = db_run(db, &statement, NULL, &result, deadline_ms);
	/* Nothing was to be stored. */
	if (status == STATUS_OUTCOME_UNKNOWN)
		status = STATUS_UNAVAILABLE;
	if (status == STATUS_OK) {
		buf_add_slice(out, db_result_value(&result, 0, 0));
		status = out->status;
	}
	db_result_free(&result);
	return status;
}
