/*
 * store/rejected.c - the calls of sluice.rejected_…(). See store/rejected.h.
 */
#include "store/rejected.h"

#define RECEIVED_AT STORE_TIMESTAMP("received_at")
#define REPLAYED_AT STORE_TIMESTAMP("replayed_at")

#define COLUMNS                                                                                    \
	"id, key_id, kept_bytes, truncated, organization, key_display, " RECEIVED_AT               \
	", request_id, position, kind, code, detail, source, payload_bytes, " REPLAYED_AT          \
	", replayed_by, to_json(replayed_ids)"

enum { COLUMN_COUNT = 17, FIRST_TEXT = 4 };

static enum status read_rejected(const struct store *store, const struct pg_result *result, int row,
				 void *item)
{
	struct store_rejected *entry = item;
	struct slice *const texts[] = {
		&entry->organization,  &entry->key_display, &entry->received_at,
		&entry->request_id,    &entry->position,    &entry->kind,
		&entry->code,	       &entry->detail,	    &entry->source,
		&entry->payload_bytes, &entry->replayed_at, &entry->replayed_by,
		&entry->replayed_ids,
	};

	entry->id = pg_result_int(result, row, 0);
	entry->key_id = pg_result_int(result, row, 1);
	entry->kept_bytes = pg_result_int(result, row, 2);
	entry->truncated = pg_result_int(result, row, 3) != 0;
	return store_keep_all(store, result, row, FIRST_TEXT, texts, COLUMN_COUNT - FIRST_TEXT);
}

enum status store_rejected_list(const struct store *store, struct slice organization,
				struct slice since, struct store_rejected_list *list)
{
	static const struct pg_statement statement = {
		.name = "store_rejected_list",
		.sql = "SELECT " COLUMNS " FROM sluice.rejected_list($1::text, $2::timestamptz)",
		.param_count = 2,
		.columns = COLUMN_COUNT,
		.rows = PG_ROWS_ANY,
	};
	const pg_param params[] = {organization, since};
	void *items;
	enum status status = store_list(store, &statement, params, read_rejected,
					sizeof(*list->items), &items, &list->count);

	list->items = items;
	return status;
}

enum status store_rejected_show(const struct store *store, int64_t id, struct store_rejected *entry)
{
	static const struct pg_statement statement = {
		.name = "store_rejected_show",
		.sql = "SELECT " COLUMNS " FROM sluice.rejected_show($1::bigint)",
		.param_count = 1,
		.columns = COLUMN_COUNT,
		.rows = 1,
	};
	char text[SLICE_INT_CHARS];
	const pg_param params[] = {slice_of_int(id, text)};

	return store_one(store, &statement, params, read_rejected, entry);
}

/* Both statements from here on are binary: bytes pass as they are, and so do texts. */

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

	return store_one(store, &statement, params, store_read_text, bytes);
}

enum status store_rejected_replay(const struct store *store, int64_t id, bool again,
				  const struct commit_request *commit, struct slice *ids)
{
	enum { BEFORE_ITEMS = 3, PARAMS = BEFORE_ITEMS + COMMIT_STATEMENT_ITEM_ARRAYS };
	static const struct pg_statement statement = {
		.name = "store_rejected_replay",
		.sql = "SELECT to_json(sluice.rejected_replay($1::text, $2::text::bigint, "
		       "$3::text::boolean, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, "
		       "$14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25))::text",
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
		status = store_one(store, &statement, params, store_read_text, ids);
	commit_statement_close(encoder);
	return status;
}
