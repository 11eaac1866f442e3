/*
 * store/key.c - see store/key.h and store/key_internal.h.
 */
#include "store/key_internal.h"

enum { CELL_BYTES_MAX = 200 };

/* The first of them, and how many more there are. */
static enum status show_networks(const void *item, struct arena *arena, struct slice *cell)
{
	struct slice json = ((const struct store_key *)item)->networks;
	struct buf text = buf_make(CELL_BYTES_MAX);
	int more = 0;

	if (json.p == NULL)
		return STATUS_OK;
	for (size_t i = 1; i + 1 < json.n; i++) {
		more += json.p[i] == ',';
		if (more == 0 && json.p[i] != '"')
			buf_add_char(&text, json.p[i]);
	}
	if (more > 0)
		buf_add_format(&text, " +%d", more);
	*cell = (struct slice){arena_copy(arena, buf_slice(&text)), text.n};
	buf_free(&text);
	return cell->p == NULL ? STATUS_NO_MEMORY : STATUS_OK;
}

static const struct store_column columns[] = {
	STORE_SAME(struct store_key, id, .heading = "ID"),
	STORE_SAME(struct store_key, organization, .heading = "ORGANIZATION"),
	STORE_SAME(struct store_key, name, .heading = "NAME"),
	STORE_SAME(struct store_key, display, .heading = "KEY"),
	STORE_SAME(struct store_key, endpoint_type, .heading = "TYPE"),
	STORE_SAME(struct store_key, has_secret, .heading = "SECRET"),
	STORE_SAME(struct store_key, status, .heading = "STATUS"),
	STORE_TIME(struct store_key, expires_at, .heading = "EXPIRES"),
	STORE_TIME(struct store_key, created_at),
	STORE_SAME(struct store_key, created_by),
	STORE_TIME(struct store_key, last_used_at, .heading = "LAST USED"),
	STORE_TIME(struct store_key, deactivated_at),
	STORE_SAME(struct store_key, deactivated_by),
	STORE_TIME(struct store_key, last_refused_at),
	STORE_COLUMN(struct store_key, last_refused_reason, .member = "last_refused_reason",
		     .sql = "last_refusal"),
	STORE_JSON_COLUMN(struct store_key, payload_template, .member = "payload_template",
			  .sql = "payload_template"),
	STORE_SAME(struct store_key, delivery_id_member),
	STORE_JSON_COLUMN(struct store_key, networks, .member = "networks",
			  .sql = "to_json(networks)", .heading = "NETWORKS", .show = show_networks),
	STORE_JSON_COLUMN(struct store_key, successor_of, .member = "successor_of",
			  .sql = "successor_of"),
	STORE_JSON_COLUMN(struct store_key, successor, .member = "successor", .sql = "successor"),
	STORE_TIME(struct store_key, secret_made_at),
	STORE_TIME(struct store_key, old_secret_until),
	STORE_TIME(struct store_key, secret_needed_from),
};

const struct store_entity store_key_entity = STORE_ENTITY(struct store_key, columns);

enum status store_new_key(const struct store *store, const struct store_query *query,
			  const struct store_new_key *new_key, struct store_key *key)
{
	char key_hex[STORE_HEX_CHARS + 1], secret_hex[STORE_HEX_CHARS + 1];
	const pg_param params[STORE_NEW_KEY_PARAM_COUNT] = {
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
		new_key->delivery_id_member,
		new_key->networks,
	};

	return store_query_one(store, query, params, key);
}

enum status store_key_create(const struct store *store, const struct store_new_key *new_key,
			     struct store_key *key)
{
	static const struct store_query query = {
		.name = "store_key_create",
		.entity = &store_key_entity,
		.from = "sluice.key_create($1::text, $2::text, " STORE_NEW_KEY_PARAMS ")",
		.param_count = STORE_NEW_KEY_PARAM_COUNT,
	};

	return store_new_key(store, &query, new_key, key);
}

enum status store_key_list(const struct store *store, struct slice organization,
			   const struct store_selection *selection, struct store_list *keys)
{
	static const struct store_query query = {
		.name = "store_key_list",
		.entity = &store_key_entity,
		.from = "sluice.key_list($1::text, $2::bigint, $3::integer, $4::text, $5::text, "
			"$6::text)",
		.param_count = 6,
	};
	const pg_param params[] = {organization,     selection->before,	       selection->limit,
				   selection->match, selection->endpoint_type, selection->status};

	return store_query_list(store, &query, params, keys);
}

enum status store_key_show(const struct store *store, int64_t id, struct store_key *key)
{
	static const struct store_query query = {
		.name = "store_key_show",
		.entity = &store_key_entity,
		.from = "sluice.key_show($1::bigint)",
		.param_count = 1,
	};
	char text[SLICE_INT_CHARS];
	const pg_param params[] = {slice_of_int(id, text)};

	return store_query_one(store, &query, params, key);
}

enum status store_key_find(const struct store *store, const struct credential_hash *key_hash,
			   struct store_key *key)
{
	static const struct store_query query = {
		.name = "store_key_find",
		.entity = &store_key_entity,
		.from = "sluice.key_find(decode($1::text, 'hex'))",
		.param_count = 1,
	};
	char hex[STORE_HEX_CHARS + 1];
	const pg_param params[] = {store_hash_hex(key_hash, hex)};

	return store_query_one(store, &query, params, key);
}

enum status store_key_deactivate(const struct store *store, int64_t id, struct store_key *key)
{
	static const struct store_query query = {
		.name = "store_key_deactivate",
		.entity = &store_key_entity,
		.from = "sluice.key_deactivate($1::text, $2::bigint)",
		.param_count = 2,
	};
	char text[SLICE_INT_CHARS];
	const pg_param params[] = {store->actor, slice_of_int(id, text)};

	return store_query_one(store, &query, params, key);
}

enum status store_key_networks(const struct store *store, int64_t id, struct slice networks,
			       struct store_key *key)
{
	static const struct store_query query = {
		.name = "store_key_networks",
		.entity = &store_key_entity,
		.from = "sluice.key_networks($1::text, $2::bigint, " STORE_NETWORKS("$3") ")",
		.param_count = 3,
	};
	char text[SLICE_INT_CHARS];
	const pg_param params[] = {store->actor, slice_of_int(id, text), networks};

	return store_query_one(store, &query, params, key);
}
