/*
 * store/key_change.c - see store/key_change.h.
 *
 * Each change is a function for the tool and one for users, which takes the organization as its
 * last parameter here.
 */
#include "store/key_change.h"

#include "store/key_internal.h"
#include "store/store_internal.h"

enum { TOOL, USER, CALLERS };
enum { PARAMS_MAX = 8 };

/* Runs one of two queries; the first two parameters and the organization are set here. */
static enum status change(const struct store *store, const struct store_query queries[CALLERS],
			  const struct store_key_ref *ref, pg_param params[PARAMS_MAX],
			  struct store_key *key)
{
	const struct store_query *query = &queries[ref->of_user ? USER : TOOL];
	char id[SLICE_INT_CHARS];

	params[0] = store->actor;
	params[1] = slice_of_int(ref->id, id);
	if (ref->of_user)
		params[query->param_count - 1] = ref->organization;
	return store_query_one(store, query, params, key);
}

#define CHANGE(its_name, call, params)                                                             \
	{                                                                                          \
		.name = (its_name), .entity = &store_key_entity, .from = "sluice." call,           \
		.param_count = (params)                                                            \
	}

enum status store_key_edit(const struct store *store, const struct store_key_ref *ref,
			   const struct store_key_edit *edit, struct store_key *key)
{
#define EDIT "$2::bigint, $3::text, $4::timestamptz, $5::jsonb, " STORE_NETWORKS("$6") ")"
	static const struct store_query queries[CALLERS] = {
		CHANGE("store_key_edit", "key_edit($1::text, " EDIT, 6),
		CHANGE("store_settings_key_edit", "settings_key_edit($1::text, $7::bigint, " EDIT,
		       7),
	};
	pg_param params[PARAMS_MAX] = {
		[2] = edit->name,
		[3] = edit->expires_at,
		[4] = edit->payload_template,
		[5] = edit->networks,
	};

	return change(store, queries, ref, params, key);
}

enum status store_key_rotate(const struct store *store, const struct store_key_ref *ref,
			     const struct store_key_rotation *rotation, struct store_key *key)
{
#define ROTATE                                                                                     \
	"$2::bigint, decode($3::text, 'hex'), $4::text, decode($5::text, 'hex'), $6::interval, "   \
	"$7::timestamptz)"
	static const struct store_query queries[CALLERS] = {
		CHANGE("store_key_rotate", "key_rotate($1::text, " ROTATE, 7),
		CHANGE("store_settings_key_rotate",
		       "settings_key_rotate($1::text, $8::bigint, " ROTATE, 8),
	};
	char key_hex[STORE_HEX_CHARS + 1], secret_hex[STORE_HEX_CHARS + 1];
	pg_param params[PARAMS_MAX] = {
		[2] = store_hash_hex(&rotation->key_hash, key_hex),
		[3] = rotation->display,
		[4] = store_hash_hex(&rotation->secret_hash, secret_hex),
		[5] = rotation->overlap,
		[6] = rotation->expires_at,
	};

	return change(store, queries, ref, params, key);
}

enum status store_key_secret(const struct store *store, const struct store_key_ref *ref,
			     const struct store_secret_change *secret, struct store_key *key)
{
#define SECRET "$2::bigint, $3::text, decode($4::text, 'hex'), $5::interval)"
	static const struct store_query queries[CALLERS] = {
		CHANGE("store_key_secret", "key_secret($1::text, " SECRET, 5),
		CHANGE("store_settings_key_secret",
		       "settings_key_secret($1::text, $6::bigint, " SECRET, 6),
	};
	char hex[STORE_HEX_CHARS + 1];
	pg_param params[PARAMS_MAX] = {
		[2] = secret->action,
		[3] = secret->secret_hash == NULL ? SLICE_ABSENT
						  : store_hash_hex(secret->secret_hash, hex),
		[4] = secret->overlap,
	};

	return change(store, queries, ref, params, key);
}

/* ---- documents ---- */

static enum status ask(const struct store *store, const struct pg_statement statements[CALLERS],
		       const struct store_key_ref *ref, struct slice *json)
{
	char id[SLICE_INT_CHARS];
	const pg_param of_tool[] = {slice_of_int(ref->id, id)};
	const pg_param of_user[] = {of_tool[0], store->actor, ref->organization};

	return store_ask_text(store, &statements[ref->of_user ? USER : TOOL],
			      ref->of_user ? of_user : of_tool, json);
}

enum status store_key_history(const struct store *store, const struct store_key_ref *ref,
			      struct slice before, struct slice limit, struct slice *json)
{
	static const struct pg_statement statements[CALLERS] = {
		STORE_CALL("store_key_history",
			   "sluice.key_history($1::bigint, $2::bigint, $3::integer)", 3),
		STORE_CALL("store_settings_key_history",
			   "sluice.settings_key_history($4::text, $5::bigint, $1::bigint, "
			   "$2::bigint, $3::integer)",
			   5),
	};
	char id[SLICE_INT_CHARS];
	const pg_param params[] = {slice_of_int(ref->id, id), before, limit, store->actor,
				   ref->organization};

	return store_ask_text(store, &statements[ref->of_user ? USER : TOOL], params, json);
}

enum status store_key_refusals(const struct store *store, const struct store_key_ref *ref,
			       struct slice *json)
{
	static const struct pg_statement statements[CALLERS] = {
		STORE_CALL("store_key_refusals", "sluice.key_refusals($1::bigint)", 1),
		STORE_CALL("store_settings_key_refusals",
			   "sluice.settings_key_refusals($2::text, $3::bigint, $1::bigint)", 3),
	};

	return ask(store, statements, ref, json);
}

enum status store_key_payload(const struct store *store, const struct store_key_ref *ref,
			      struct slice *json)
{
	static const struct pg_statement statements[CALLERS] = {
		STORE_CALL("store_key_payload", "sluice.key_payload($1::bigint)", 1),
		STORE_CALL("store_settings_key_payload",
			   "sluice.settings_key_payload($2::text, $3::bigint, $1::bigint)", 3),
	};

	return ask(store, statements, ref, json);
}

/* ---- for the tool ---- */

enum status store_key_test(const struct store *store, int64_t id, struct slice *json)
{
	static const struct pg_statement statement =
		STORE_CALL("store_key_test", "sluice.key_test($1::text, $2::bigint)", 2);
	char text[SLICE_INT_CHARS];
	const pg_param params[] = {store->actor, slice_of_int(id, text)};

	return store_ask_text(store, &statement, params, json);
}
