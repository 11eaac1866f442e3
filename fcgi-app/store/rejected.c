/*
 * store/rejected.c - see store/rejected.h.
 */
#include "store/rejected.h"

#include "store/store_internal.h"

static const struct store_column columns[] = {
	STORE_SAME(struct store_rejected, id),
	STORE_TIME(struct store_rejected, received_at),
	STORE_SAME(struct store_rejected, organization),
	STORE_SAME(struct store_rejected, key_id),
	STORE_SAME(struct store_rejected, key_display),
	STORE_SAME(struct store_rejected, request_id),
	STORE_JSON_COLUMN(struct store_rejected, position, .member = "position", .sql = "position"),
	STORE_SAME(struct store_rejected, kind),
	STORE_SAME(struct store_rejected, code),
	STORE_SAME(struct store_rejected, detail),
	STORE_SAME(struct store_rejected, source),
	STORE_SAME(struct store_rejected, kept_bytes),
	STORE_JSON_COLUMN(struct store_rejected, payload_bytes, .member = "payload_bytes",
			  .sql = "payload_bytes"),
	STORE_SAME(struct store_rejected, truncated),
	STORE_JSON_COLUMN(struct store_rejected, envelope, .member = "envelope", .sql = "envelope"),
	STORE_JSON_COLUMN(struct store_rejected, bad_byte, .member = "bad_byte", .sql = "bad_byte"),
	STORE_TIME(struct store_rejected, replayed_at),
	STORE_SAME(struct store_rejected, replayed_by),
	STORE_JSON_COLUMN(struct store_rejected, replayed_ids, .member = "replayed_ids",
			  .sql = "to_json(replayed_ids)"),
	STORE_TIME(struct store_rejected, discarded_at),
	STORE_SAME(struct store_rejected, discarded_by),
	STORE_SAME(struct store_rejected, state),
};

const char store_rejected_states[] = "open replayed discarded ";

const char store_rejected_codes[] =
	"malformed_json not_an_object item_too_large nesting_too_deep number_too_large "
	"invalid_value not_a_batch too_many_items body_too_large malformed_coding "
	"unsupported_coding unsupported_media_type missing_product_org_id ";

const struct store_entity store_rejected_entity = STORE_ENTITY(struct store_rejected, columns);

enum status store_rejected_list(const struct store *store,
				const struct store_rejected_filter *filter,
				struct store_list *rejected)
{
	static const struct store_query query = {
		.name = "store_rejected_list",
		.entity = &store_rejected_entity,
		.from = "sluice.rejected_list($1::text, $2::timestamptz, $3::bigint, $4::text,"
			" $5::text)",
		.param_count = 5,
	};
	const pg_param params[] = {filter->organization, filter->since, filter->key_id,
				   filter->code, filter->state};

	return store_query_list(store, &query, params, rejected);
}

enum { TOOL, USER, CALLERS };

/* The first parameters of each call: the id; or the user, the organization and the id. Returns how
 * many they are. */
static int add_ref(const struct store *store, const struct store_rejected_ref *ref,
		   char id[SLICE_INT_CHARS], pg_param *params)
{
	int n = 0;

	if (ref->of_user) {
		params[n++] = store->actor;
		params[n++] = ref->organization;
	}
	params[n++] = slice_of_int(ref->id, id);
	return n;
}

static int caller_of(const struct store_rejected_ref *ref)
{
	return ref->of_user ? USER : TOOL;
}

enum status store_rejected_show(const struct store *store, const struct store_rejected_ref *ref,
				struct store_rejected *rejected)
{
	static const struct store_query queries[CALLERS] = {
		{.name = "store_rejected_show",
		 .entity = &store_rejected_entity,
		 .from = "sluice.rejected_show($1::bigint)",
		 .param_count = 1},
		{.name = "store_settings_rejected_show",
		 .entity = &store_rejected_entity,
		 .from = "sluice.settings_rejected_show($1::text, $2::bigint, $3::bigint)",
		 .param_count = 3},
	};
	char id[SLICE_INT_CHARS];
	pg_param params[3];

	(void)add_ref(store, ref, id, params);
	return store_query_one(store, &queries[caller_of(ref)], params, rejected);
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

enum status store_rejected_of_kind(const struct store *store, struct slice organization,
				   const struct store_rejected_kind *kind,
				   struct store_list *rejected)
{
	static const struct store_query query = {
		.name = "store_rejected_of_kind",
		.entity = &store_rejected_entity,
		.from = "sluice.settings_rejected_kind($1::text, $2::bigint, $3::text, $4::bigint,"
			" $5::bigint, $6::bigint, $7::integer)",
		.param_count = 7,
	};
	const pg_param params[] = {store->actor, organization, kind->code, kind->key_id,
				   kind->after,	 kind->until,  kind->limit};

	return store_query_list(store, &query, params, rejected);
}

enum status store_rejected_json(const struct store *store, const struct store_rejected_ref *ref,
				struct slice *json)
{
	static const struct pg_statement statement =
		STORE_CALL("store_settings_reject",
			   "sluice.settings_reject($1::text, $2::bigint, $3::bigint)", 3);
	char id[SLICE_INT_CHARS];
	pg_param params[3];

	(void)add_ref(store, ref, id, params);
	return store_ask_text(store, &statement, params, json);
}

enum status store_rejected_discard(const struct store *store, const struct store_rejected_ref *ref)
{
	static const struct pg_statement statements[CALLERS] = {
		STORE_CALL("store_rejected_discard",
			   "sluice.rejected_discard($2::text, $1::bigint)", 2),
		STORE_CALL("store_settings_rejected_discard",
			   "sluice.settings_rejected_discard($1::text, $2::bigint, $3::bigint)", 3),
	};
	char id[SLICE_INT_CHARS];
	pg_param params[3];

	if (add_ref(store, ref, id, params) == 1)
		params[1] = store->actor;
	return store_run(store, &statements[caller_of(ref)], params, NULL);
}

static struct slice boolean(bool value)
{
	return value ? SLICE("true") : SLICE("false");
}

enum status store_rejected_try(const struct store *store, const struct store_rejected_ref *ref,
			       bool again, int64_t ahead)
{
	static const struct pg_statement statements[CALLERS] = {
		STORE_CALL("store_rejected_try",
			   "sluice.rejected_try($1::bigint, $2::boolean, $3::bigint)", 3),
		STORE_CALL("store_settings_rejected_try",
			   "sluice.settings_rejected_try($1::text, $2::bigint, $3::bigint)", 3),
	};
	char id[SLICE_INT_CHARS], digits[SLICE_INT_CHARS];
	pg_param params[3];

	if (add_ref(store, ref, id, params) == 1) {
		params[1] = boolean(again);
		params[2] = slice_of_int(ahead, digits);
	}
	return store_run(store, &statements[caller_of(ref)], params, NULL);
}

/* ---- bytes ---- */

/* The statements below are binary: bytes pass as they are, and a text is its bytes. */
#define BINARY(its_name, call, params)                                                             \
	{                                                                                          \
		.name = (its_name), .sql = "SELECT " call, .param_count = (params),                \
		.binary = true, .columns = 1, .rows = 1                                            \
	}

enum status store_rejected_bytes(const struct store *store, const struct store_rejected_ref *ref,
				 struct slice *bytes)
{
	static const struct pg_statement statements[CALLERS] = {
		BINARY("store_rejected_bytes", "sluice.rejected_bytes($1::text::bigint)", 1),
		BINARY("store_settings_rejected_bytes",
		       "sluice.settings_rejected_bytes($1::text, $2::text::bigint,"
		       " $3::text::bigint)",
		       3),
	};
	char id[SLICE_INT_CHARS];
	pg_param params[3];

	(void)add_ref(store, ref, id, params);
	return store_ask_text(store, &statements[caller_of(ref)], params, bytes);
}

/* What place_in has written. */
static enum status read_place(const struct store *store, struct slice json,
			      struct store_rejected_reason *reason)
{
	static const struct store_query query = {
		.name = "store_rejected_read_place",
		.entity = &reason_entity,
		.from = "(SELECT NULL::text AS why, p::text AS place, p->>'before' AS before,"
			" p->>'after' AS after, p->>'bad' AS bad, (p->>'line')::bigint AS line,"
			" (p->>'column')::bigint AS \"column\" FROM (SELECT $1::json) AS q (p)) AS r",
		.param_count = 1,
	};

	return store_query_one(store, &query, &json, reason);
}

enum status store_rejected_place(const struct store *store, const struct store_rejected_ref *ref,
				 struct slice bytes, int64_t bad_byte,
				 struct store_rejected_reason *reason)
{
	static const struct pg_statement statements[CALLERS] = {
		BINARY("store_rejected_place",
		       "sluice.rejected_place($1::bytea, $2::text::bigint)::text", 2),
		BINARY("store_settings_rejected_place",
		       "sluice.settings_rejected_place($3::text, $4::text::bigint, $1::bytea,"
		       " $2::text::bigint)::text",
		       4),
	};
	char digits[SLICE_INT_CHARS];
	const pg_param params[] = {bytes, slice_of_int(bad_byte, digits), store->actor,
				   ref->organization};
	struct slice json = SLICE_ABSENT;

	*reason = (struct store_rejected_reason){0};
	enum status status = store_ask_text(store, &statements[caller_of(ref)], params, &json);
	return status == STATUS_OK && json.p != NULL ? read_place(store, json, reason) : status;
}

enum status store_rejected_replay(const struct store *store, const struct store_rejected_ref *ref,
				  const struct store_replay *replay, struct slice *ids)
{
	enum { AFTER_ITEMS = 5, PARAMS = COMMIT_STATEMENT_ITEM_ARRAYS + AFTER_ITEMS };
#define ITEMS  "$1::sluice.intake_signal[], $2::sluice.intake_product_org[], $3::jsonb[]"
#define AGAIN  "$4::text::boolean, "
#define EDITED ", $5::text::boolean"
	static const struct pg_statement statements[CALLERS] = {
		BINARY("store_rejected_replay",
		       "to_json(sluice.rejected_replay($7::text, $6::text::bigint, " AGAIN ITEMS
			       EDITED "))::text",
		       7),
		BINARY("store_settings_rejected_replay",
		       "to_json(sluice.settings_rejected_replay($6::text, $7::text::bigint,"
		       " $8::text::bigint, " AGAIN ITEMS EDITED "))::text",
		       8),
	};
	char id[SLICE_INT_CHARS];
	pg_param params[PARAMS] = {[COMMIT_STATEMENT_ITEM_ARRAYS] = boolean(replay->again),
				   boolean(replay->edited)};
	pg_param *rest = params + COMMIT_STATEMENT_ITEM_ARRAYS + 2;
	struct commit_statement *encoder = NULL;
	enum status status = commit_statement_open(&encoder);

	if (add_ref(store, ref, id, rest) == 1)
		rest[1] = store->actor;
	if (status == STATUS_OK)
		status = commit_statement_items(encoder, replay->commit, params);
	if (status == STATUS_OK)
		status = store_ask_text(store, &statements[caller_of(ref)], params, ids);
	commit_statement_close(encoder);
	return status;
}
