/*
 * store/store.c - running statements and reading their results. See store/store.h and
 * store/store_internal.h.
 */
#include "store/store_internal.h"

#include "base/buf.h"
#include "base/hex.h"

/* ---- one value ---- */

enum status store_run(const struct store *store, const struct pg_statement *statement,
		      const pg_param *params, struct pg_query_result *result)
{
	enum { ATTEMPTS = 3 };
	enum status status = STATUS_CONFLICT;

	for (int attempt = 0; attempt < ATTEMPTS && status == STATUS_CONFLICT; attempt++)
		status = pg_run(store->db, statement, params, result, store->deadline_ms);
	return status;
}

enum status store_keep(const struct store *store, struct slice value, struct slice *text)
{
	*text = SLICE_ABSENT;
	if (value.p == NULL)
		return STATUS_OK;
	*text = (struct slice){arena_copy(store->arena, value), value.n};
	return text->p == NULL ? STATUS_NO_MEMORY : STATUS_OK;
}

enum status store_ask_text(const struct store *store, const struct pg_statement *statement,
			   const pg_param *params, struct slice *text)
{
	struct pg_query_result result = {0};
	enum status status = store_run(store, statement, params, &result);

	if (status == STATUS_OK)
		status = store_keep(store, pg_result_value(&result, 0, 0), text);
	pg_result_free(&result);
	return status;
}

enum status store_ask_int(const struct store *store, const struct pg_statement *statement,
			  const pg_param *params, int64_t *number)
{
	struct pg_query_result result = {0};
	enum status status = store_run(store, statement, params, &result);

	if (status == STATUS_OK)
		*number = pg_result_int(&result, 0, 0);
	pg_result_free(&result);
	return status;
}

/* ---- entities ---- */

/* Makes the statement of a query; its text is in the arena. Every part of it is a constant. */
static enum status make_statement(const struct store *store, const struct store_query *query,
				  int rows, struct pg_statement *statement)
{
	enum { SQL_BYTES_MAX = 4096 };
	struct buf sql = buf_make(SQL_BYTES_MAX);
	const struct store_entity *entity = query->entity;

	*statement = (struct pg_statement){
		.name = query->name, .param_count = query->param_count, .rows = rows};
	for (size_t i = 0; i < entity->count; i++) {
		if (entity->columns[i].sql == NULL)
			continue;
		buf_add_text(&sql, statement->columns++ == 0 ? "SELECT " : ", ");
		buf_add_text(&sql, entity->columns[i].sql);
	}
	buf_add_text(&sql, " FROM ");
	buf_add_text(&sql, query->from);
	enum status status = sql.status;
	statement->sql = arena_copy(store->arena, buf_slice(&sql));
	if (status == STATUS_OK && statement->sql == NULL)
		status = STATUS_NO_MEMORY;
	buf_free(&sql);
	return status;
}

static enum status read_field(const struct store *store, const struct store_column *column,
			      const struct pg_query_result *result, int row, int place, void *field)
{
	switch (column->type) {
	case STORE_TEXT:
	case STORE_JSON:
		return store_keep(store, pg_result_value(result, row, place), field);
	case STORE_INT:
		*(int64_t *)field = pg_result_int(result, row, place);
		return STATUS_OK;
	case STORE_BOOL:
		*(bool *)field = pg_result_int(result, row, place) != 0;
		return STATUS_OK;
	}
	return STATUS_INTERNAL;
}

static enum status read_item(const struct store *store, const struct store_entity *entity,
			     const struct pg_query_result *result, int row, char *item)
{
	enum status status = STATUS_OK;
	int place = 0;

	for (size_t i = 0; i < entity->count && status == STATUS_OK; i++) {
		const struct store_column *column = &entity->columns[i];
		if (column->sql != NULL)
			status = read_field(store, column, result, row, place++,
					    item + column->offset);
	}
	return status;
}

enum status store_query_one(const struct store *store, const struct store_query *query,
			    const pg_param *params, void *item)
{
	struct pg_statement statement;
	struct pg_query_result result = {0};
	enum status status = make_statement(store, query, 1, &statement);

	if (status == STATUS_OK)
		status = store_run(store, &statement, params, &result);
	if (status == STATUS_OK)
		status = read_item(store, query->entity, &result, 0, item);
	pg_result_free(&result);
	return status;
}

enum status store_query_list(const struct store *store, const struct store_query *query,
			     const pg_param *params, struct store_list *list)
{
	const size_t bytes = query->entity->item_bytes;
	struct pg_statement statement;
	struct pg_query_result result = {0};
	enum status status = make_statement(store, query, PG_ROWS_ANY, &statement);

	*list = (struct store_list){.entity = query->entity};
	if (status == STATUS_OK)
		status = store_run(store, &statement, params, &result);
	if (status == STATUS_OK) {
		list->count = (size_t)pg_result_rows(&result);
		list->items = arena_array(store->arena, list->count, bytes);
		if (list->items == NULL && list->count > 0)
			status = STATUS_NO_MEMORY;
	}
	for (size_t i = 0; i < list->count && status == STATUS_OK; i++)
		status = read_item(store, query->entity, &result, (int)i,
				   (char *)list->items + i * bytes);
	pg_result_free(&result);
	return status;
}

/* ---- texts of parameters ---- */

struct slice store_hash_hex(const struct credential_hash *hash, char hex[STORE_HEX_CHARS + 1])
{
	hex_write(hash->bytes, CREDENTIAL_HASH_BYTES, hex);
	hex[STORE_HEX_CHARS] = '\0';
	return (struct slice){hex, STORE_HEX_CHARS};
}

/* ---- the server's clock, calendar and user ---- */

static const struct store_column timestamp_columns[] = {
	STORE_COLUMN(struct store_timestamp, past, .sql = "t <= now()"),
	STORE_COLUMN(struct store_timestamp, text, .sql = STORE_TIMESTAMP("t")),
};
static const struct store_entity timestamp_entity =
	STORE_ENTITY(struct store_timestamp, timestamp_columns);

enum status store_timestamp_read(const struct store *store, struct slice text, bool relative,
				 struct store_timestamp *timestamp)
{
	static const struct store_query absolute_query = {
		.name = "store_timestamp_absolute",
		.entity = &timestamp_entity,
		.from = "(SELECT $1::timestamptz AS t) asked",
		.param_count = 1,
	};
	/* Added in UTC, so that no change to summer time makes a day of 23 hours. */
	static const struct store_query relative_query = {
		.name = "store_timestamp_relative",
		.entity = &timestamp_entity,
		.from = "(SELECT (now() AT TIME ZONE 'UTC' + $1::interval) AT TIME ZONE 'UTC' AS t) asked",
		.param_count = 1,
	};

	return store_query_one(store, relative ? &relative_query : &absolute_query, &text,
			       timestamp);
}

enum status store_session_user(const struct store *store, struct slice *user)
{
	static const struct pg_statement statement =
		STORE_CALL("store_session_user", "session_user", 0);

	return store_ask_text(store, &statement, NULL, user);
}
