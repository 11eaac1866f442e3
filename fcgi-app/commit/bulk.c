/*
 * commit/bulk.c - see commit/bulk.h.
 */
#include "commit/bulk.h"

enum status commit_bulk_finish(struct pg_connection *db, const struct commit_request *request,
			       struct commit_bulk *bulk, int64_t deadline_ms)
{
	static const struct pg_statement statement = {
		.name = "bulk_finish",
		.sql = "SELECT sluice.bulk_finish($1::bigint, $2, $3::bigint, $4::bigint,"
		       " $5::bigint, $6::bigint, $7::boolean)",
		.param_count = 7,
		.columns = 1,
		.rows = 1,
	};
	char key_id[SLICE_INT_CHARS], first_id[SLICE_INT_CHARS], last_id[SLICE_INT_CHARS];
	char stored[SLICE_INT_CHARS], duplicates[SLICE_INT_CHARS];
	const pg_param params[] = {
		slice_of_int(request->out.key_id, key_id),
		request->request_id,
		slice_of_int(bulk->first_id, first_id),
		slice_of_int(bulk->last_id, last_id),
		slice_of_int((int64_t)bulk->stored, stored),
		slice_of_int((int64_t)bulk->duplicates, duplicates),
		bulk->with_ids ? SLICE("true") : SLICE("false"),
	};
	struct pg_query_result result = {0};
	enum status status = pg_run(db, &statement, params, &result, deadline_ms);

	if (status == STATUS_OK) {
		uint64_t more = (uint64_t)pg_result_int(&result, 0, 0);
		bulk->duplicates += more;
		bulk->stored -= more;
	}
	pg_result_free(&result);
	return status;
}
