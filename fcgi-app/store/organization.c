/*
 * store/organization.c - see store/organization.h.
 */
#include "store/organization.h"

#include "store/store_internal.h"

static const struct store_column columns[] = {
	STORE_SAME(struct store_organization, id, .heading = "ID"),
	STORE_SAME(struct store_organization, name, .heading = "NAME"),
	STORE_SAME(struct store_organization, members, .heading = "MEMBERS"),
	STORE_SAME(struct store_organization, keys, .heading = "KEYS"),
	STORE_SAME(struct store_organization, currency, .heading = "CURRENCY"),
	STORE_TIME(struct store_organization, created_at, .heading = "CREATED"),
	STORE_SAME(struct store_organization, created_by),
};

const struct store_entity store_organization_entity =
	STORE_ENTITY(struct store_organization, columns);

enum status store_organization_create(const struct store *store, struct slice name, int64_t *id)
{
	static const struct pg_statement statement = STORE_CALL(
		"store_organization_create", "sluice.organization_create($1::text, $2::text)", 2);
	const pg_param params[] = {store->actor, name};

	return store_ask_int(store, &statement, params, id);
}

enum status store_organization_rename(const struct store *store, struct slice organization,
				      struct slice name, int64_t *id)
{
	static const struct pg_statement statement =
		STORE_CALL("store_organization_rename",
			   "sluice.organization_rename($1::text, $2::text, $3::text)", 3);
	const pg_param params[] = {store->actor, organization, name};

	return store_ask_int(store, &statement, params, id);
}

enum status store_organization_list(const struct store *store,
				    const struct store_selection *selection,
				    struct store_list *organizations)
{
	static const struct store_query query = {
		.name = "store_organization_list",
		.entity = &store_organization_entity,
		.from = "sluice.organization_list() WHERE " STORE_MATCH("name", "$1")
			STORE_LIMIT("$2"),
		.param_count = 2,
	};
	const pg_param params[] = {selection->match, selection->limit};

	return store_query_list(store, &query, params, organizations);
}

enum status store_organization_show(const struct store *store, int64_t id,
				    struct store_organization *organization)
{
	static const struct store_query query = {
		.name = "store_organization_show",
		.entity = &store_organization_entity,
		.from = "sluice.organization_list() WHERE id = $1::bigint",
		.param_count = 1,
	};
	char text[SLICE_INT_CHARS];
	const pg_param params[] = {slice_of_int(id, text)};

	return store_query_one(store, &query, params, organization);
}

enum status store_organization_currency(const struct store *store, struct slice organization,
					struct slice currency, int64_t *id)
{
	static const struct pg_statement statement =
		STORE_CALL("store_organization_currency",
			   "sluice.organization_currency($1::text, $2::text, $3::text)", 3);
	const pg_param params[] = {store->actor, organization, currency};

	return store_ask_int(store, &statement, params, id);
}

enum status store_organization_limit(const struct store *store, struct slice organization,
				     struct slice signal_limit, struct slice overages)
{
	static const struct pg_statement statement = STORE_CALL(
		"store_organization_limit",
		"sluice.organization_limit($1::text, $2::text, $3::bigint, $4::boolean)", 4);
	const pg_param params[] = {store->actor, organization, signal_limit, overages};

	return store_run(store, &statement, params, NULL);
}
