/*
 * store/member.c - see store/member.h.
 */
#include "store/member.h"

#include "store/store_internal.h"

static const struct store_column columns[] = {
	STORE_COLUMN(struct store_member, user, .member = "user", .sql = "user_name",
		     .heading = "USER"),
	STORE_SAME(struct store_member, role, .heading = "ROLE"),
	STORE_TIME(struct store_member, added_at, .heading = "ADDED"),
	STORE_SAME(struct store_member, added_by, .heading = "BY"),
};

const struct store_entity store_member_entity = STORE_ENTITY(struct store_member, columns);

enum status store_member_add(const struct store *store, struct slice organization,
			     struct slice user, struct slice role)
{
	static const struct pg_statement statement = STORE_CALL(
		"store_member_add", "sluice.member_add($1::text, $2::text, $3::text, $4::text)", 4);
	const pg_param params[] = {store->actor, organization, user, role};

	return store_run(store, &statement, params, NULL);
}

enum status store_member_role(const struct store *store, struct slice organization,
			      struct slice user, struct slice role)
{
	static const struct pg_statement statement =
		STORE_CALL("store_member_role",
			   "sluice.member_role_set($1::text, $2::text, $3::text, $4::text)", 4);
	const pg_param params[] = {store->actor, organization, user, role};

	return store_run(store, &statement, params, NULL);
}

enum status store_member_remove(const struct store *store, struct slice organization,
				struct slice user)
{
	static const struct pg_statement statement = STORE_CALL(
		"store_member_remove", "sluice.member_remove($1::text, $2::text, $3::text)", 3);
	const pg_param params[] = {store->actor, organization, user};

	return store_run(store, &statement, params, NULL);
}

enum status store_member_list(const struct store *store, struct slice organization,
			      const struct store_selection *selection, struct store_list *members)
{
	static const struct store_query query = {
		.name = "store_member_list",
		.entity = &store_member_entity,
		.from = "sluice.member_list($1::text, $2::text, $3::integer, $4::text, $5::text)",
		.param_count = 5,
	};
	const pg_param params[] = {organization, selection->before, selection->limit,
				   selection->match, selection->role};

	return store_query_list(store, &query, params, members);
}

enum status store_member_show(const struct store *store, struct slice organization,
			      struct slice user, struct store_member *member)
{
	static const struct store_query query = {
		.name = "store_member_show",
		.entity = &store_member_entity,
		.from = "sluice.member_list($1::text) WHERE user_name = $2::text",
		.param_count = 2,
	};
	const pg_param params[] = {organization, user};

	return store_query_one(store, &query, params, member);
}

/* ---- on behalf of a user ---- */

/* What is behind the organization may be absent. */
static enum status ask(const struct store *store, const struct pg_statement *statement,
		       struct slice organization, struct slice third, struct slice fourth,
		       struct slice *json)
{
	const pg_param params[] = {store->actor, organization, third, fourth};

	return store_ask_text(store, statement, params, json);
}

enum status store_settings_members(const struct store *store, struct slice organization,
				   const struct store_selection *selection, struct slice *json)
{
	static const struct pg_statement statement =
		STORE_CALL("store_settings_members",
			   "sluice.settings_members($1::text, $2::bigint, $3::text, $4::integer, "
			   "$5::text)",
			   5);
	const pg_param params[] = {store->actor, organization, selection->before, selection->limit,
				   selection->match};

	return store_ask_text(store, &statement, params, json);
}

enum status store_settings_member_add(const struct store *store, struct slice organization,
				      struct slice user, struct slice role, struct slice *json)
{
	static const struct pg_statement statement = STORE_CALL(
		"store_settings_member_add",
		"sluice.settings_member_add($1::text, $2::bigint, $3::text, $4::text)", 4);

	return ask(store, &statement, organization, user, role, json);
}

enum status store_settings_member_role(const struct store *store, struct slice organization,
				       struct slice user, struct slice role, struct slice *json)
{
	static const struct pg_statement statement = STORE_CALL(
		"store_settings_member_role",
		"sluice.settings_member_role($1::text, $2::bigint, $3::text, $4::text)", 4);

	return ask(store, &statement, organization, user, role, json);
}

enum status store_settings_member_remove(const struct store *store, struct slice organization,
					 struct slice user, struct slice *json)
{
	static const struct pg_statement statement =
		STORE_CALL("store_settings_member_remove",
			   "sluice.settings_member_remove($1::text, $2::bigint, $3::text)", 3);

	return ask(store, &statement, organization, user, SLICE_ABSENT, json);
}

enum status store_settings_limit(const struct store *store, struct slice organization,
				 struct slice signal_limit, struct slice overages,
				 struct slice *json)
{
	static const struct pg_statement statement = STORE_CALL(
		"store_settings_limit",
		"sluice.settings_limit($1::text, $2::bigint, $3::bigint, $4::boolean)", 4);

	return ask(store, &statement, organization, signal_limit, overages, json);
}

enum status store_settings_currency(const struct store *store, struct slice organization,
				    struct slice currency, struct slice *json)
{
	static const struct pg_statement statement =
		STORE_CALL("store_settings_currency",
			   "sluice.settings_currency($1::text, $2::bigint, $3::text)", 3);

	return ask(store, &statement, organization, currency, SLICE_ABSENT, json);
}
