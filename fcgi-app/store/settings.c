/*
 * store/settings.c - see store/settings.h.
 */
#include "store/settings.h"

#include <string.h>

/* ---- who is asking ---- */

static enum status read_token_key(const struct store *store, const struct pg_result *result,
				  int row, void *item)
{
	struct token_key *key = item;
	struct slice bytes = pg_result_value(result, row, 0);

	(void)store;
	if (bytes.n != sizeof(key->bytes))
		return STATUS_INTERNAL;
	memcpy(key->bytes, bytes.p, bytes.n);
	return STATUS_OK;
}

enum status store_settings_token_key(const struct store *store, struct token_key *key)
{
	static const struct pg_statement statement = {
		.name = "store_settings_token_key",
		.sql = "SELECT sluice.settings_csrf_key()",
		.binary = true,
		.columns = 1,
		.rows = 1,
	};

	return store_one(store, &statement, NULL, read_token_key, key);
}

static enum status read_membership(const struct store *store, const struct pg_result *result,
				   int row, void *item)
{
	struct store_membership *membership = item;
	struct slice *const texts[] = {&membership->name, &membership->role};

	membership->id = pg_result_int(result, row, 0);
	membership->may_manage_keys = pg_result_int(result, row, 1) != 0;
	return store_keep_all(store, result, row, 2, texts, 2);
}

enum status store_settings_me(const struct store *store, struct store_memberships *list)
{
	static const struct pg_statement statement = {
		.name = "store_settings_me",
		.sql = "SELECT id, may_manage_keys, name, role FROM sluice.settings_me($1::text)",
		.param_count = 1,
		.columns = 4,
		.rows = PG_ROWS_ANY,
	};
	const pg_param params[] = {store->actor};
	void *items;
	enum status status = store_list(store, &statement, params, read_membership,
					sizeof(*list->items), &items, &list->count);

	list->items = items;
	return status == STATUS_OK && list->count == 0 ? STATUS_NOT_A_MEMBER : status;
}

/* ---- keys ---- */

enum status store_settings_may_manage_keys(const struct store *store, struct slice organization)
{
	static const struct pg_statement statement = {
		.name = "store_settings_may_manage_keys",
		.sql = "SELECT sluice.settings_may_manage_keys($1::text, $2::bigint)",
		.param_count = 2,
		.columns = 1,
		.rows = 1,
	};
	const pg_param params[] = {store->actor, organization};

	return store_run(store, &statement, params, NULL);
}

enum status store_settings_keys(const struct store *store, struct slice organization,
				struct store_keys *list)
{
	static const struct pg_statement statement = {
		.name = "store_settings_keys",
		.sql = "SELECT " STORE_KEY_COLUMNS " FROM sluice.settings_keys($1::text, "
		       "$2::bigint)",
		.param_count = 2,
		.columns = STORE_KEY_COLUMN_COUNT,
		.rows = PG_ROWS_ANY,
	};
	const pg_param params[] = {store->actor, organization};
	void *items;
	enum status status = store_list(store, &statement, params, store_read_key,
					sizeof(*list->items), &items, &list->count);

	list->items = items;
	return status;
}

static enum status one_key(const struct store *store, const struct pg_statement *statement,
			   struct slice organization, int64_t id, struct store_key *key)
{
	char text[SLICE_INT_CHARS];
	const pg_param params[] = {store->actor, organization, slice_of_int(id, text)};

	return store_one(store, statement, params, store_read_key, key);
}

enum status store_settings_key(const struct store *store, struct slice organization, int64_t id,
			       struct store_key *key)
{
	static const struct pg_statement statement = {
		.name = "store_settings_key",
		.sql = "SELECT " STORE_KEY_COLUMNS " FROM sluice.settings_key($1::text, "
		       "$2::bigint, $3::bigint)",
		.param_count = 3,
		.columns = STORE_KEY_COLUMN_COUNT,
		.rows = 1,
	};

	return one_key(store, &statement, organization, id, key);
}

enum status store_settings_key_deactivate(const struct store *store, struct slice organization,
					  int64_t id, struct store_key *key)
{
	static const struct pg_statement statement = {
		.name = "store_settings_key_deactivate",
		.sql = "SELECT " STORE_KEY_COLUMNS " FROM sluice.settings_key_deactivate($1::text, "
		       "$2::bigint, $3::bigint)",
		.param_count = 3,
		.columns = STORE_KEY_COLUMN_COUNT,
		.rows = 1,
	};

	return one_key(store, &statement, organization, id, key);
}

enum status store_settings_key_create(const struct store *store,
				      const struct store_new_key *new_key, struct store_key *key)
{
	static const struct pg_statement statement = {
		.name = "store_settings_key_create",
		.sql = "SELECT " STORE_KEY_COLUMNS " FROM sluice.settings_key_create($1::text, "
		       "$2::bigint, " STORE_NEW_KEY_PARAMETERS ")",
		.param_count = STORE_NEW_KEY_PARAMETER_COUNT,
		.columns = STORE_KEY_COLUMN_COUNT,
		.rows = 1,
	};

	return store_new_key(store, &statement, new_key, key);
}
