/*
 * store/store.c - the calls of the settings functions. See store/store.h.
 *
 * Each function is one statement, so each is one transaction. The columns are named in the
 * statement, so a function that returns more of them later still fits.
 */
#include "store/store.h"

#include "base/hex.h"

enum { STORE_ATTEMPTS = 3 };

enum status store_run(const struct store *store, const struct pg_statement *statement,
		      const pg_param *params, struct pg_result *result)
{
	enum status status = STATUS_CONFLICT;

	for (int attempt = 0; attempt < STORE_ATTEMPTS && status == STATUS_CONFLICT; attempt++)
		status = pg_run(store->db, statement, params, result, store->deadline_ms);
	return status;
}

enum status store_keep(const struct store *store, struct slice value, struct slice *text)
{
	*text = SLICE_ABSENT;
	if (value.p == NULL)
		return STATUS_OK;
	text->p = arena_copy(store->arena, value);
	text->n = value.n;
	return text->p == NULL ? STATUS_NO_MEMORY : STATUS_OK;
}

enum status store_keep_all(const struct store *store, const struct pg_result *result, int row,
			   int first, struct slice *const texts[], int count)
{
	enum status status = STATUS_OK;

	for (int i = 0; i < count && status == STATUS_OK; i++)
		status = store_keep(store, pg_result_value(result, row, first + i), texts[i]);
	return status;
}

enum status store_list(const struct store *store, const struct pg_statement *statement,
		       const pg_param *params, store_row *read, size_t item_bytes, void **items,
		       size_t *count)
{
	struct pg_result result = {0};
	enum status status = store_run(store, statement, params, &result);
	char *item;

	*items = NULL;
	*count = 0;
	if (status != STATUS_OK)
		goto out;
	*count = (size_t)pg_result_rows(&result);
	item = arena_array(store->arena, *count, item_bytes);
	if (item == NULL && *count > 0)
		status = STATUS_NO_MEMORY;
	*items = item;
	for (size_t i = 0; i < *count && status == STATUS_OK; i++)
		status = read(store, &result, (int)i, item + i * item_bytes);
out:
	pg_result_free(&result);
	return status;
}

enum status store_one(const struct store *store, const struct pg_statement *statement,
		      const pg_param *params, store_row *read, void *item)
{
	struct pg_result result = {0};
	enum status status = store_run(store, statement, params, &result);

	if (status == STATUS_OK)
		status = read(store, &result, 0, item);
	pg_result_free(&result);
	return status;
}

enum status store_read_int(const struct store *store, const struct pg_result *result, int row,
			   void *item)
{
	int64_t *number = item;

	(void)store;
	*number = pg_result_int(result, row, 0);
	return STATUS_OK;
}

/* ---- organizations ---- */

enum status store_organization_create(const struct store *store, struct slice name, int64_t *id)
{
	static const struct pg_statement statement = {
		.name = "store_organization_create",
		.sql = "SELECT sluice.organization_create($1::text, $2::text)",
		.param_count = 2,
		.columns = 1,
		.rows = 1,
	};
	const pg_param params[] = {store->actor, name};

	return store_one(store, &statement, params, store_read_int, id);
}

static enum status read_organization(const struct store *store, const struct pg_result *result,
				     int row, void *item)
{
	struct store_organization *organization = item;
	struct slice *const texts[] = {&organization->name, &organization->created_at,
				       &organization->created_by};

	organization->id = pg_result_int(result, row, 0);
	organization->members = pg_result_int(result, row, 1);
	organization->keys = pg_result_int(result, row, 2);
	return store_keep_all(store, result, row, 3, texts, 3);
}

enum status store_organization_list(const struct store *store, struct store_organizations *list)
{
	static const struct pg_statement statement = {
		.name = "store_organization_list",
		.sql = "SELECT id, members, keys, name, " STORE_TIMESTAMP(
			"created_at") ", created_by "
				      "FROM sluice.organization_list()",
		.columns = 6,
		.rows = PG_ROWS_ANY,
	};
	void *items;
	enum status status = store_list(store, &statement, NULL, read_organization,
					sizeof(*list->items), &items, &list->count);

	list->items = items;
	return status;
}

/* ---- usage and limits ---- */

enum status store_organization_limit(const struct store *store, struct slice organization,
				     struct slice signal_limit, struct slice overages)
{
	static const struct pg_statement statement = {
		.name = "store_organization_limit",
		.sql = "SELECT sluice.organization_limit($1::text, $2::text, $3::bigint,"
		       " $4::boolean)",
		.param_count = 4,
		.columns = 1,
		.rows = 1,
	};
	const pg_param params[] = {store->actor, organization, signal_limit, overages};

	return store_run(store, &statement, params, NULL);
}

static enum status read_usage(const struct store *store, const struct pg_result *result, int row,
			      void *item)
{
	struct store_usage *usage = item;
	struct slice *const texts[] = {&usage->organization, &usage->month};

	usage->signals = pg_result_int(result, row, 0);
	usage->duplicates = pg_result_int(result, row, 1);
	usage->signal_limit = pg_result_int(result, row, 2);
	usage->overages = pg_result_int(result, row, 3) != 0;
	return store_keep_all(store, result, row, 4, texts, 2);
}

enum status store_usage_list(const struct store *store, struct slice organization,
			     struct slice month, struct store_usages *list)
{
	static const struct pg_statement statement = {
		.name = "store_usage_list",
		.sql = "SELECT signals, duplicates, signal_limit, overages, organization, "
		       "to_char(month, 'YYYY-MM') FROM sluice.usage_list($1::text, $2::date)",
		.param_count = 2,
		.columns = 6,
		.rows = PG_ROWS_ANY,
	};
	const pg_param params[] = {organization, month};
	void *items;
	enum status status = store_list(store, &statement, params, read_usage, sizeof(*list->items),
					&items, &list->count);

	list->items = items;
	return status;
}

/* ---- members ---- */

enum status store_member_add(const struct store *store, struct slice organization,
			     struct slice user, struct slice role)
{
	static const struct pg_statement statement = {
		.name = "store_member_add",
		.sql = "SELECT sluice.member_add($1::text, $2::text, $3::text, $4::text)",
		.param_count = 4,
		.columns = 1,
		.rows = 1,
	};
	const pg_param params[] = {store->actor, organization, user, role};

	return store_run(store, &statement, params, NULL);
}

static enum status read_member(const struct store *store, const struct pg_result *result, int row,
			       void *item)
{
	struct store_member *member = item;
	struct slice *const texts[] = {&member->user, &member->role, &member->added_at,
				       &member->added_by};

	return store_keep_all(store, result, row, 0, texts, 4);
}

enum status store_member_list(const struct store *store, struct slice organization,
			      struct store_members *list)
{
	static const struct pg_statement statement = {
		.name = "store_member_list",
		.sql = "SELECT user_name, role, " STORE_TIMESTAMP(
			"added_at") ", added_by "
				    "FROM sluice.member_list($1::text)",
		.param_count = 1,
		.columns = 4,
		.rows = PG_ROWS_ANY,
	};
	void *items;
	enum status status = store_list(store, &statement, &organization, read_member,
					sizeof(*list->items), &items, &list->count);

	list->items = items;
	return status;
}

enum status store_member_remove(const struct store *store, struct slice organization,
				struct slice user)
{
	static const struct pg_statement statement = {
		.name = "store_member_remove",
		.sql = "SELECT sluice.member_remove($1::text, $2::text, $3::text)",
		.param_count = 3,
		.columns = 1,
		.rows = 1,
	};
	const pg_param params[] = {store->actor, organization, user};

	return store_run(store, &statement, params, NULL);
}

/* ---- texts of parameters ---- */

struct slice store_hash_hex(const struct credential_hash *hash, char hex[STORE_HEX_CHARS + 1])
{
	hex_write(hash->bytes, CREDENTIAL_HASH_BYTES, hex);
	hex[STORE_HEX_CHARS] = '\0';
	return (struct slice){hex, STORE_HEX_CHARS};
}

/* ---- what needs the server's clock and calendar ---- */

static enum status read_timestamp(const struct store *store, const struct pg_result *result,
				  int row, void *item)
{
	struct store_timestamp *timestamp = item;

	timestamp->past = pg_result_int(result, row, 0) != 0;
	return store_keep(store, pg_result_value(result, row, 1), &timestamp->text);
}

enum status store_timestamp_read(const struct store *store, struct slice text, bool relative,
				 struct store_timestamp *timestamp)
{
	static const struct pg_statement absolute_statement = {
		.name = "store_timestamp_absolute",
		.sql = "SELECT i <= now(), " STORE_TIMESTAMP(
			"i") " FROM (SELECT $1::timestamptz AS i) t",
		.param_count = 1,
		.columns = 2,
		.rows = 1,
	};
	/* Added in UTC, so that no change to summer time makes a day of 23 hours. */
	static const struct pg_statement relative_statement = {
		.name = "store_timestamp_relative",
		.sql = "SELECT i <= now(), " STORE_TIMESTAMP(
			"i") " FROM (SELECT "
			     "(now() AT TIME ZONE 'UTC' + $1::interval) AT TIME ZONE 'UTC' AS i) t",
		.param_count = 1,
		.columns = 2,
		.rows = 1,
	};

	return store_one(store, relative ? &relative_statement : &absolute_statement, &text,
			 read_timestamp, timestamp);
}

enum status store_read_text(const struct store *store, const struct pg_result *result, int row,
			    void *item)
{
	return store_keep(store, pg_result_value(result, row, 0), item);
}

enum status store_session_user(const struct store *store, struct slice *user)
{
	static const struct pg_statement statement = {
		.name = "store_session_user",
		.sql = "SELECT session_user",
		.columns = 1,
		.rows = 1,
	};

	return store_one(store, &statement, NULL, store_read_text, user);
}
