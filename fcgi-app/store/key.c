/*
 * store/key.c - the calls of the tool's key functions. See store/key.h.
 */
#include "store/key.h"

#include "json/write.h"

enum status store_read_key(const struct store *store, const struct pg_result *result, int row,
			   void *item)
{
	struct store_key *key = item;
	struct slice *const texts[] = {
		&key->organization,   &key->name,
		&key->display,	      &key->endpoint_type,
		&key->status,	      &key->expires_at,
		&key->created_at,     &key->created_by,
		&key->last_used_at,   &key->deactivated_at,
		&key->deactivated_by, &key->last_refused_at,
		&key->last_refusal,   &key->payload_template,
	};

	key->id = pg_result_int(result, row, 0);
	key->has_secret = pg_result_int(result, row, 1) != 0;
	return store_keep_all(store, result, row, 2, texts, STORE_KEY_COLUMN_COUNT - 2);
}

enum status store_new_key(const struct store *store, const struct pg_statement *statement,
			  const struct store_new_key *new_key, struct store_key *key)
{
	char key_hex[STORE_HEX_CHARS + 1], secret_hex[STORE_HEX_CHARS + 1];
	const pg_param params[STORE_NEW_KEY_PARAMETER_COUNT] = {
		store->actor,
		new_key->organization,
		new_key->name,
		new_key->endpoint_type,
		store_hash_hex(&new_key->key_hash, key_hex),
		new_key->display,
		new_key->secret_hash == NULL ? SLICE_ABSENT
					     : store_hash_hex(new_key->secret_hash, secret_hex),
		new_key->expires_at,
		new_key->payload_template,
	};

	return store_one(store, statement, params, store_read_key, key);
}

enum status store_key_create(const struct store *store, const struct store_new_key *new_key,
			     struct store_key *key)
{
	static const struct pg_statement statement = {
		.name = "store_key_create",
		.sql = "SELECT " STORE_KEY_COLUMNS
		       " FROM sluice.key_create($1::text, $2::text, " STORE_NEW_KEY_PARAMETERS ")",
		.param_count = STORE_NEW_KEY_PARAMETER_COUNT,
		.columns = STORE_KEY_COLUMN_COUNT,
		.rows = 1,
	};

	return store_new_key(store, &statement, new_key, key);
}

enum status store_key_list(const struct store *store, struct slice organization,
			   struct store_keys *list)
{
	static const struct pg_statement statement = {
		.name = "store_key_list",
		.sql = "SELECT " STORE_KEY_COLUMNS " FROM sluice.key_list($1::text)",
		.param_count = 1,
		.columns = STORE_KEY_COLUMN_COUNT,
		.rows = PG_ROWS_ANY,
	};
	void *items;
	enum status status = store_list(store, &statement, &organization, store_read_key,
					sizeof(*list->items), &items, &list->count);

	list->items = items;
	return status;
}

enum status store_key_show(const struct store *store, int64_t id, struct store_key *key)
{
	static const struct pg_statement statement = {
		.name = "store_key_show",
		.sql = "SELECT " STORE_KEY_COLUMNS " FROM sluice.key_show($1::bigint)",
		.param_count = 1,
		.columns = STORE_KEY_COLUMN_COUNT,
		.rows = 1,
	};
	char text[SLICE_INT_CHARS];
	const pg_param params[] = {slice_of_int(id, text)};

	return store_one(store, &statement, params, store_read_key, key);
}

enum status store_key_deactivate(const struct store *store, int64_t id, struct store_key *key)
{
	static const struct pg_statement statement = {
		.name = "store_key_deactivate",
		.sql = "SELECT " STORE_KEY_COLUMNS
		       " FROM sluice.key_deactivate($1::text, $2::bigint)",
		.param_count = 2,
		.columns = STORE_KEY_COLUMN_COUNT,
		.rows = 1,
	};
	char text[SLICE_INT_CHARS];
	const pg_param params[] = {store->actor, slice_of_int(id, text)};

	return store_one(store, &statement, params, store_read_key, key);
}

void store_key_members(const struct store_key *key, struct buf *out)
{
	json_write_member_int(out, "id", key->id);
	json_write_member(out, "organization", key->organization);
	json_write_member(out, "name", key->name);
	json_write_member(out, "display", key->display);
	json_write_member(out, "endpoint_type", key->endpoint_type);
	json_write_member_bool(out, "has_secret", key->has_secret);
	json_write_member(out, "status", key->status);
	json_write_member(out, "expires_at", key->expires_at);
	json_write_member(out, "created_at", key->created_at);
	json_write_member(out, "created_by", key->created_by);
	json_write_member(out, "last_used_at", key->last_used_at);
	json_write_member(out, "deactivated_at", key->deactivated_at);
	json_write_member(out, "deactivated_by", key->deactivated_by);
	json_write_member(out, "last_refused_at", key->last_refused_at);
	json_write_member(out, "last_refused_reason", key->last_refusal);
	json_write_member_json(out, "payload_template", key->payload_template);
}
