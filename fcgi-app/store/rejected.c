/*
 * store/rejected.c - see store/rejected.h.
 */
#include "store/rejected.h"

#include "store/store_internal.h"

static const struct store_column columns[] = {
	STORE_SAME(struct store_rejected, id, .heading = "ID"),
	STORE_TIME(struct store_rejected, received_at, .heading = "RECEIVED"),
	STORE_SAME(struct store_rejected, organization, .heading = "ORGANIZATION"),
	STORE_SAME(struct store_rejected, key_id),
	STORE_SAME(struct store_rejected, key_display, .heading = "KEY"),
	STORE_SAME(struct store_rejected, request_id),
	STORE_JSON_COLUMN(struct store_rejected, position, .member = "position", .sql = "position",
			  .heading = "ITEM"),
	STORE_SAME(struct store_rejected, kind),
	STORE_SAME(struct store_rejected, code, .heading = "CODE"),
	STORE_SAME(struct store_rejected, detail),
	STORE_SAME(struct store_rejected, source),
	STORE_SAME(struct store_rejected, kept_bytes, .heading = "BYTES"),
	STORE_JSON_COLUMN(struct store_rejected, payload_bytes, .member = "payload_bytes",
			  .sql = "payload_bytes"),
	STORE_SAME(struct store_rejected, truncated),
	STORE_JSON_COLUMN(struct store_rejected, envelope, .member = "envelope", .sql = "envelope"),
	STORE_JSON_COLUMN(struct store_rejected, bad_byte, .member = "bad_byte", .sql = "bad_byte"),
	STORE_TIME(struct store_rejected, replayed_at, .heading = "REPLAYED"),
	STORE_SAME(struct store_rejected, replayed_by),
	STORE_JSON_COLUMN(struct store_rejected, replayed_ids, .member = "replayed_ids",
			  .sql = "to_json(replayed_ids)"),
	STORE_TIME(struct store_rejected, discarded_at),
	STORE_SAME(struct store_rejected, discarded_by),
	STORE_SAME(struct store_rejected, state, .heading = "STATE"),
};

const char store_rejected_states[] = "open replayed discarded ";

const struct store_entity store_rejected_entity = STORE_ENTITY(struct store_rejected, columns);

enum status store_rejected_list(const struct store *store,
				const struct store_rejected_filter *filter,
				struct store_list *rejected)
{
	static const struct store_query query = {
		.name = "store_rejected_list",
		.entity = &store_rejected_entity,
		.from = "sluice.rejected_list($1::text, $2::timestamptz, $3::bigint, $4::text,"
			" $5::text)" STORE_LIMIT("$6"),
		.param_count = 6,
	};
	const pg_param params[] = {filter->organization, filter->since, filter->key_id,
				   filter->code,	 filter->state, filter->limit};

	return store_query_list(store, &query, params, rejected);
}

enum status store_rejected_show(const struct store *store, int64_t id,
				struct store_rejected *rejected)
{
	static const struct store_query query = {
		.name = "store_rejected_show",
		.entity = &store_rejected_entity,
		.from = "sluice.rejected_show($1::bigint)",
		.param_count = 1,
	};
	char text[SLICE_INT_CHARS];
	const pg_param params[] = {slice_of_int(id, text)};

	return store_query_one(store, &query, params, rejected);
}

static const struct store_column reason_columns[] = {
	STORE_SAME(struct store_rejected_reason, why),
	STORE_SAME(struct store_rejected_reason, place),
	STORE_SAME(struct store_rejected_reason, line),
	STORE_COLUMN(struct store_rejected_reason, column, .sql = "\"column\""),
	STORE_SAME(struct store_rejected_reason, before),
	STORE_SAME(struct store_rejected_reason, after),
	STORE_SAME(struct store_rejected_reason, bad),
};

static const struct store_entity reason_entity =
	STORE_ENTITY(struct store_rejected_reason, reason_columns);

enum status store_rejected_reason(const struct store *store, int64_t id,
				  struct store_rejected_reason *reason)
{
	static const struct store_query query = {
		.name = "store_rejected_reason",
		.entity = &reason_entity,
		.from = "(SELECT r->>'why' AS why, r->>'place' AS place, p->>'before' AS before,"
			" p->>'after' AS after, p->>'bad' AS bad,"
			" coalesce((p->>'line')::bigint, 0) AS line,"
			" coalesce((p->>'column')::bigint, 0) AS \"column\""
			" FROM sluice.rejected_reason($1::bigint) AS r,"
			" LATERAL (SELECT r->'place' AS p) AS it) AS q",
		.param_count = 1,
	};
	char text[SLICE_INT_CHARS];
	const pg_param params[] = {slice_of_int(id, text)};

	return store_query_one(store, &query, params, reason);
}

/* The statements below are binary: bytes pass as they are, and a text is its bytes. */

enum status store_rejected_bytes(const struct store *store, int64_t id, struct slice *bytes)
{
	static const struct pg_statement statement = {
		.name = "store_rejected_bytes",
		.sql = "SELECT sluice.rejected_bytes($1::text::bigint)",
		.param_count = 1,
		.binary = true,
		.columns = 1,
		.rows = 1,
	};
	char text[SLICE_INT_CHARS];
	const pg_param params[] = {slice_of_int(id, text)};

	return store_ask_text(store, &statement, params, bytes);
}

enum status store_rejected_replay(const struct store *store, int64_t id, bool again,
				  const struct commit_request *commit, struct slice *ids)
{
	enum { BEFORE_ITEMS = 3, PARAMS = BEFORE_ITEMS + COMMIT_STATEMENT_ITEM_ARRAYS };
	static const struct pg_statement statement = {
		.name = "store_rejected_replay",
		.sql = "SELECT to_json(sluice.rejected_replay($1::text, $2::text::bigint,"
		       " $3::text::boolean, $4::sluice.intake_signal[],"
		       " $5::sluice.intake_product_org[], $6::jsonb[]))::text",
		.param_count = PARAMS,
		.binary = true,
		.columns = 1,
		.rows = 1,
	};
	char text[SLICE_INT_CHARS];
	pg_param params[PARAMS] = {store->actor, slice_of_int(id, text),
				   again ? SLICE("true") : SLICE("false")};
	struct commit_statement *encoder = NULL;
	enum status status = commit_statement_open(&encoder);

	if (status == STATUS_OK)
		status = commit_statement_items(encoder, commit, params + BEFORE_ITEMS);
	if (status == STATUS_OK)
		status = store_ask_text(store, &statement, params, ids);
	commit_statement_close(encoder);
	return status;
}

enum status store_rejected_discard(const struct store *store, int64_t id)
{
	static const struct pg_statement statement = STORE_CALL(
		"store_rejected_discard", "sluice.rejected_discard($1::text, $2::bigint)", 2);
	char text[SLICE_INT_CHARS];
	const pg_param params[] = {store->actor, slice_of_int(id, text)};

	return store_run(store, &statement, params, NULL);
}
