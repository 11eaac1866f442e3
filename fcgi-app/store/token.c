/*
 * store/token.c - see store/token.h.
 */
#include "store/token.h"

#include "store/store_internal.h"

enum { CELL_BYTES_MAX = 200 };

/* Without brackets and quotation marks. */
static enum status show_scopes(const void *item, struct arena *arena, struct slice *cell)
{
	struct slice json = ((const struct store_token *)item)->scopes;
	struct buf text = buf_make(CELL_BYTES_MAX);

	for (size_t i = 0; i < json.n; i++) {
		if (json.p[i] == ',')
			buf_add_text(&text, ", ");
		else if (json.p[i] != '"' && json.p[i] != '[' && json.p[i] != ']')
			buf_add_char(&text, json.p[i]);
	}
	*cell = (struct slice){arena_copy(arena, buf_slice(&text)), text.n};
	buf_free(&text);
	return cell->p == NULL ? STATUS_NO_MEMORY : STATUS_OK;
}

static const struct store_column columns[] = {
	STORE_SAME(struct store_token, id, .heading = "ID"),
	STORE_SAME(struct store_token, organization, .heading = "ORGANIZATION"),
	STORE_SAME(struct store_token, name, .heading = "NAME"),
	STORE_SAME(struct store_token, display, .heading = "TOKEN"),
	STORE_COLUMN(struct store_token, user, .member = "user", .sql = "user_name",
		     .heading = "USER"),
	STORE_JSON_COLUMN(struct store_token, scopes, .member = "scopes", .sql = "to_json(scopes)",
			  .heading = "SCOPES", .show = show_scopes),
	STORE_SAME(struct store_token, status, .heading = "STATUS"),
	STORE_TIME(struct store_token, expires_at, .heading = "EXPIRES"),
	STORE_TIME(struct store_token, last_used_at, .heading = "LAST USED"),
	STORE_TIME(struct store_token, created_at),
	STORE_SAME(struct store_token, created_by),
	STORE_TIME(struct store_token, revoked_at),
	STORE_SAME(struct store_token, revoked_by),
};

const struct store_entity store_token_entity = STORE_ENTITY(struct store_token, columns);

/* What is behind the organization and, for the tool, the user. */
#define NEW_TOKEN(name, hash, display, scopes, expires_at)                                         \
	name "::text, decode(" hash "::text, 'hex'), " display                                     \
	     "::text, ARRAY(SELECT jsonb_array_elements_text(" scopes "::jsonb)), " expires_at     \
	     "::timestamptz"

enum status store_token_create(const struct store *store, const struct store_new_token *new_token,
			       struct store_token *token)
{
	static const struct store_query query = {
		.name = "store_token_create",
		.entity = &store_token_entity,
		.from = "sluice.token_create($1::text, $2::text, $3::text, " NEW_TOKEN(
			"$4", "$5", "$6", "$7", "$8") ")",
		.param_count = 8,
	};
	char hex[STORE_HEX_CHARS + 1];
	const pg_param params[] = {store->actor,
				   new_token->organization,
				   new_token->user,
				   new_token->name,
				   store_hash_hex(&new_token->token_hash, hex),
				   new_token->display,
				   new_token->scopes,
				   new_token->expires_at};

	return store_query_one(store, &query, params, token);
}

enum status store_token_list(const struct store *store, struct slice organization,
			     const struct store_selection *selection, struct store_list *tokens)
{
	static const struct store_query query = {
		.name = "store_token_list",
		.entity = &store_token_entity,
		.from = "sluice.token_list($1::text) WHERE " STORE_MATCH(
			"name", "$2") " AND " STORE_EQUAL("status", "$3") STORE_LIMIT("$4"),
		.param_count = 4,
	};
	const pg_param params[] = {organization, selection->match, selection->status,
				   selection->limit};

	return store_query_list(store, &query, params, tokens);
}

enum status store_token_revoke(const struct store *store, int64_t id, struct store_token *token)
{
	static const struct store_query query = {
		.name = "store_token_revoke",
		.entity = &store_token_entity,
		.from = "sluice.token_revoke($1::text, $2::bigint)",
		.param_count = 2,
	};
	char text[SLICE_INT_CHARS];
	const pg_param params[] = {store->actor, slice_of_int(id, text)};

	return store_query_one(store, &query, params, token);
}

/* ---- on behalf of a user ---- */

enum status store_settings_token_use(const struct store *store,
				     const struct credential_hash *token_hash, struct slice scope,
				     struct slice *user)
{
	static const struct pg_statement statement =
		STORE_CALL("store_settings_token_use",
			   "sluice.settings_token_use(decode($1::text, 'hex'), $2::text)", 2);
	char hex[STORE_HEX_CHARS + 1];
	const pg_param params[] = {store_hash_hex(token_hash, hex), scope};

	return store_ask_text(store, &statement, params, user);
}

enum status store_settings_tokens(const struct store *store, struct slice organization,
				  const struct store_selection *selection,
				  struct store_list *tokens)
{
	static const struct store_query query = {
		.name = "store_settings_tokens",
		.entity = &store_token_entity,
		.from = "sluice.settings_tokens($1::text, $2::bigint, $3::bigint, $4::integer)",
		.param_count = 4,
	};
	const pg_param params[] = {store->actor, organization, selection->before, selection->limit};

	return store_query_list(store, &query, params, tokens);
}

enum status store_settings_token_create(const struct store *store,
					const struct store_new_token *new_token,
					struct store_token *token)
{
	static const struct store_query query = {
		.name = "store_settings_token_create",
		.entity = &store_token_entity,
		.from = "sluice.settings_token_create($1::text, $2::bigint, " NEW_TOKEN(
			"$3", "$4", "$5", "$6", "$7") ")",
		.param_count = 7,
	};
	char hex[STORE_HEX_CHARS + 1];
	const pg_param params[] = {
		store->actor,	      new_token->organization,
		new_token->name,      store_hash_hex(&new_token->token_hash, hex),
		new_token->display,   new_token->scopes,
		new_token->expires_at};

	return store_query_one(store, &query, params, token);
}

enum status store_settings_token_revoke(const struct store *store, struct slice organization,
					int64_t id, struct store_token *token)
{
	static const struct store_query query = {
		.name = "store_settings_token_revoke",
		.entity = &store_token_entity,
		.from = "sluice.settings_token_revoke($1::text, $2::bigint, $3::bigint)",
		.param_count = 3,
	};
	char text[SLICE_INT_CHARS];
	const pg_param params[] = {store->actor, organization, slice_of_int(id, text)};

	return store_query_one(store, &query, params, token);
}
