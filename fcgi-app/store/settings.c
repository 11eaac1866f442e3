/*
 * store/settings.c - see store/settings.h.
 */
#include "store/settings.h"

#include <string.h>

#include "store/key_internal.h"

/* ---- the user ---- */

enum status store_settings_token_key(const struct store *store, struct token_key *key)
{
	static const struct pg_statement statement = {
		.name = "store_settings_token_key",
		.sql = "SELECT sluice.settings_csrf_key()",
		.binary = true,
		.columns = 1,
		.rows = 1,
	};
	struct pg_query_result result = {0};
	enum status status = store_run(store, &statement, NULL, &result);

	if (status == STATUS_OK) {
		/* Straight from the result, so that no copy of it is left in the arena. */
		struct slice bytes = pg_result_value(&result, 0, 0);
		if (bytes.n == sizeof(key->bytes))
			memcpy(key->bytes, bytes.p, bytes.n);
		else
			status = STATUS_INTERNAL;
	}
	pg_result_free(&result);
	return status;
}

static const struct store_column membership_columns[] = {
	STORE_SAME(struct store_membership, id),
	STORE_SAME(struct store_membership, name),
	STORE_SAME(struct store_membership, role),
	STORE_SAME(struct store_membership, may_manage_keys),
};

static const struct store_entity membership_entity =
	STORE_ENTITY(struct store_membership, membership_columns);

enum status store_settings_me(const struct store *store, struct store_list *memberships)
{
	static const struct store_query query = {
		.name = "store_settings_me",
		.entity = &membership_entity,
		.from = "sluice.settings_me($1::text)",
		.param_count = 1,
	};
	enum status status = store_query_list(store, &query, &store->actor, memberships);

	return status == STATUS_OK && memberships->count == 0 ? STATUS_NOT_A_MEMBER : status;
}

/* ---- keys ---- */

enum status store_settings_may_manage_keys(const struct store *store, struct slice organization)
{
	static const struct pg_statement statement =
		STORE_CALL("store_settings_may_manage_keys",
			   "sluice.settings_may_manage_keys($1::text, $2::bigint)", 2);
	const pg_param params[] = {store->actor, organization};

	return store_run(store, &statement, params, NULL);
}

enum status store_settings_keys(const struct store *store, struct slice organization,
				const struct store_selection *selection, struct store_list *keys)
{
	static const struct store_query query = {
		.name = "store_settings_keys",
		.entity = &store_key_entity,
		.from = "sluice.settings_keys($1::text, $2::bigint, $3::bigint, $4::integer, "
			"$5::text, $6::text, $7::text)",
		.param_count = 7,
	};
	const pg_param params[] = {store->actor,     organization,     selection->before,
				   selection->limit, selection->match, selection->endpoint_type,
				   selection->status};

	return store_query_list(store, &query, params, keys);
}

enum status store_settings_key_find(const struct store *store, struct slice organization,
				    struct slice key_hash, struct store_key *key)
{
	static const struct store_query query = {
		.name = "store_settings_key_find",
		.entity = &store_key_entity,
		.from = "sluice.settings_key_find($1::text, $2::bigint, decode($3::text, 'hex'))",
		.param_count = 3,
	};
	const pg_param params[] = {store->actor, organization, key_hash};

	return store_query_one(store, &query, params, key);
}

static enum status one_key(const struct store *store, const struct store_query *query,
			   struct slice organization, int64_t id, struct store_key *key)
{
	char text[SLICE_INT_CHARS];
	const pg_param params[] = {store->actor, organization, slice_of_int(id, text)};

	return store_query_one(store, query, params, key);
}

enum status store_settings_key(const struct store *store, struct slice organization, int64_t id,
			       struct store_key *key)
{
	static const struct store_query query = {
		.name = "store_settings_key",
		.entity = &store_key_entity,
		.from = "sluice.settings_key($1::text, $2::bigint, $3::bigint)",
		.param_count = 3,
	};

	return one_key(store, &query, organization, id, key);
}

enum status store_settings_key_deactivate(const struct store *store, struct slice organization,
					  int64_t id, struct store_key *key)
{
	static const struct store_query query = {
		.name = "store_settings_key_deactivate",
		.entity = &store_key_entity,
		.from = "sluice.settings_key_deactivate($1::text, $2::bigint, $3::bigint)",
		.param_count = 3,
	};

	return one_key(store, &query, organization, id, key);
}

enum status store_settings_key_create(const struct store *store,
				      const struct store_new_key *new_key, struct store_key *key)
{
	static const struct store_query query = {
		.name = "store_settings_key_create",
		.entity = &store_key_entity,
		.from = "sluice.settings_key_create($1::text, $2::bigint, " STORE_NEW_KEY_PARAMS
			")",
		.param_count = STORE_NEW_KEY_PARAM_COUNT,
	};

	return store_new_key(store, &query, new_key, key);
}
