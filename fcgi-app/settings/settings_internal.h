/*
 * settings/settings_internal.h - what the modules of the room share: the request that is being
 * served, and below it what each module does with it. They have no headers of their own, because
 * all work on that one struct for the handlers.
 */
#ifndef SETTINGS_SETTINGS_INTERNAL_H
#define SETTINGS_SETTINGS_INTERNAL_H

#include "http/request.h"
#include "http/response.h"
#include "json/members.h"
#include "json/tree.h"
#include "model/template.h"
#include "server/route.h"
#include "settings/settings.h"
#include "store/settings.h"

struct settings {
	const struct config *config;
	struct pg_connection *db; /* kept from one request to the next */
	struct arena arena;
	struct http_request http;
	struct http_response response;
	struct route_match match;
	struct store store;		   /* its actor is the user, or a token: "token:ID:USER" */
	bool by_token;			   /* and not by the web server … */
	struct credential_hash token_hash; /* … the user is authenticated */
	struct slice organization;	   /* an id as text; absent: the user's only one */
	struct buf body;
	struct json_tree errors; /* what is wrong in the request, as far as it was read */
	enum status status;	 /* of the response, for the log */
	int64_t started_ms, deadline_ms;
};

/* ---- answer.c: the response. Each function returns the status of the response, which is never
 * STATUS_OK for a problem. ---- */

/* Makes the response a JSON document, and frees the tree. */
enum status settings_answer(struct settings *settings, enum status status, struct json_tree *tree);

/* The same for a document that PostgreSQL wrote: sent as it is, digit for digit. */
enum status settings_answer_json(struct settings *settings, enum status status, struct slice json);

/* What a problem says in place of its own detail, which is for senders of webhooks; NULL where that
 * fits. */
const char *settings_detail(enum status status);

/* Makes the response a problem. detail may be NULL, for the status's usual one, which is in words
 * for the user of the page. */
enum status settings_problem(struct settings *settings, enum status status, const char *detail);

/* The response cannot be told for want of memory: makes it a problem, which after a change says
 * that it may have been made. */
enum status settings_without_memory(struct settings *settings);

/* settings_problem() with a member "errors" that holds one more place, such as the name of a
 * parameter, and what is wrong there: reading may go on, so that all that is wrong is told at once.
 */
enum status settings_problem_at(struct settings *settings, enum status status, const char *place,
				struct slice detail);

/* The same with all of an array of places, which the caller frees. */
enum status settings_problem_list(struct settings *settings, enum status status,
				  struct json_tree *errors);

/* What is wrong at a place, as the "code" of an entry of "errors": stable words for programs. */
#define SETTINGS_FAULTS(X)                                                                         \
	X(unknown) /* a parameter or member that the route does not have */                        \
	X(missing)                                                                                 \
	X(repeated)	 /* given twice */                                                         \
	X(wrong_type)	 /* not the kind of value that belongs there */                            \
	X(out_of_range)	 /* a number */                                                            \
	X(not_a_choice)	 /* none of the words that are taken */                                    \
	X(invalid_value) /* else */                                                                \
	X(name_taken)

#define SETTINGS_FAULT(word) SETTINGS_FAULT_##word,
enum settings_fault { SETTINGS_FAULTS(SETTINGS_FAULT) SETTINGS_FAULT_COUNT };
#undef SETTINGS_FAULT

/* The code as it is sent. */
const char *settings_fault_code(enum settings_fault fault);

/* Makes the response up to limit items of a list that settings_read_part() has selected, as an
 * array of this name, with "next". The struct of the items begins with their id, an int64_t. */
struct store_list;
enum status settings_answer_part(struct settings *settings, const char *name,
				 struct store_list *list, int64_t limit);

/* settings_problem_at() with this code; that of the others is invalid_value. */
enum status settings_fault(struct settings *settings, enum status status, enum settings_fault fault,
			   const char *place, struct slice detail);

/* settings_problem_at() as STATUS_INVALID_REQUEST. */
enum status settings_invalid(struct settings *settings, const char *place, struct slice detail);

/* The first of two steps that both were taken that did not succeed. */
static inline enum status settings_both(enum status first, enum status next)
{
	return first != STATUS_OK ? first : next;
}

/* settings_problem() for a call of store/settings.h or store/document.h that did not return
 * STATUS_OK. */
enum status settings_problem_store(struct settings *settings, enum status status);

/* A member that is null or an array of strings, as such an array in the arena, of what the strings
 * mean; absent without it. STATUS_OK, or the response is a problem. In body.c. */
enum status settings_texts(struct settings *settings, const struct json_member *member,
			   struct slice *texts) MUST_CHECK;

/* ---- query.c ---- */

/* How many entries a part of a list has at most. */
enum { SETTINGS_LIMIT_MAX = 100, SETTINGS_LIMIT = 50 /* without "limit" */ };

/* Refuses parameters of the query that the route does not take, and values that they do not take.
 * STATUS_OK, or the response is a problem that names all of them. */
enum status settings_check_query(struct settings *settings) MUST_CHECK;

/* ---- parameter.c: the path and the query. STATUS_OK, or the response is a problem. ---- */

/* The id in the path. */
enum status settings_id(struct settings *settings, int64_t *id) MUST_CHECK;

/* A query parameter, in the arena; absent if it is not there. */
enum status settings_text(struct settings *settings, const char *name,
			  struct slice *text) MUST_CHECK;

/* A query parameter that is a whole number from least to most; *number is unchanged if it is not
 * there. */
enum status settings_number(struct settings *settings, const char *name, int64_t least,
			    int64_t most, int64_t *number) MUST_CHECK;

/* Digits for a parameter of the database, in the arena. */
enum status settings_digits(struct settings *settings, int64_t number,
			    struct slice *digits) MUST_CHECK;

/* "limit", or else the number of entries that parts of a list have without it, as digits. */
enum status settings_read_limit(struct settings *settings, int64_t otherwise,
				struct slice *digits) MUST_CHECK;

/* "before", an id, as digits; absent if it is not there. */
enum status settings_read_before(struct settings *settings, struct slice *digits) MUST_CHECK;

/* "before" and "limit" of a list whose rows have ids: asks for one row more than is answered, to
 * tell whether there are more. */
enum status settings_read_part(struct settings *settings, struct store_selection *selection,
			       int64_t *limit) MUST_CHECK;

/* A parameter that filters; absent also if it is empty. */
enum status settings_choice(struct settings *settings, const char *name,
			    struct slice *text) MUST_CHECK;

/* Several of them. */
struct settings_choice {
	const char *name;
	struct slice *text;
};
enum status settings_choices(struct settings *settings, const struct settings_choice *choices,
			     size_t count) MUST_CHECK;

/* Sets settings->organization from the query. */
enum status settings_read_organization(struct settings *settings) MUST_CHECK;

/* ---- body.c ---- */

/* Checks the body and reads its members, as json_members_read() does. Without members to be read it
 * may be empty. STATUS_OK, or the response is a problem. */
enum status settings_body(struct settings *settings, struct json_member *members,
			  size_t count) MUST_CHECK;

/* ---- access.c: authentication, and the defence against forged requests ---- */

/* Sets settings->store.actor to the user whom the web server has authenticated, or, if there is a
 * token, reads that. STATUS_OK, or the response is a problem. */
enum status settings_authenticate(struct settings *settings) MUST_CHECK;

/* What browsers say of a request's origin (Sec-Fetch-Site, Origin): false if it is another one than
 * ours. Other clients say nothing. */
bool settings_is_same_origin(const struct settings *settings);

/* Checks that a change comes from the page: the origin, and the user's CSRF token. The database
 * must be connected. STATUS_OK, or the response is a problem. */
enum status settings_check_csrf(struct settings *settings) MUST_CHECK;

/* Appends the service's public address: public_url without trailing slashes, or the request's own
 * scheme and host. False if neither is known. */
bool settings_own_url(const struct settings *settings, struct buf *out);

/* ---- bearer.c: authentication by a token ---- */

/* Refuses a second credential in the Authorization header, of which the web server might have
 * checked the other one. STATUS_OK, or the response is a problem. */
enum status settings_check_authorization(struct settings *settings) MUST_CHECK;

/* Whether the request has a token, so that nobody else is its user. */
bool settings_has_bearer(const struct settings *settings);

/* Reads the token. STATUS_OK, or the response is a problem. */
enum status settings_read_bearer(struct settings *settings) MUST_CHECK;

/* Sets settings->store.actor to the token if it is valid, and for this route. The database must be
 * connected. STATUS_OK, or the response is a problem. */
enum status settings_use_token(struct settings *settings) MUST_CHECK;

/* ---- scope.c ---- */

/* The scope that a token needs for a route: "": any will do; NULL: no token may. */
extern const char *const settings_scopes[ROUTE_SETTING_COUNT];

/* ---- template.c ---- */

/* Compiles a payload template. STATUS_OK, or the response is a problem that names the place in the
 * template, after the member of the body that holds it ("payload_template.custom.projects"); member
 * NULL: alone. */
enum status settings_template_compile(struct settings *settings, const char *member,
				      struct slice text, struct template **compiled) MUST_CHECK;

/* ---- key.c: for the changes of keys as well. STATUS_OK, or the response is a problem. ---- */

struct new_key;
struct store_key;

/* Reads an expiration (a JSON_MEMBER_JSON): a text of ISO 8601, or null, which is "infinity".
 * Absent if it was not given. */
enum status settings_read_expires_at(struct settings *settings, const struct json_member *field,
				     struct slice *text) MUST_CHECK;

/* Compiles a template and copies it; absent if it was not given or is null. */
enum status settings_read_template(struct settings *settings, const struct json_member *field,
				   struct slice *text) MUST_CHECK;

/* Makes the response a key that was just made, in clear. */
enum status settings_answer_created(struct settings *settings, const struct store_key *key,
				    const struct new_key *made);

/* Makes the response a key; or, if the call that it comes from has not returned STATUS_OK, a
 * problem. */
enum status settings_answer_key(struct settings *settings, enum status status,
				const struct store_key *key);

/* ---- retry.c ---- */

/*
 * Make a key, with a secret or without, or a secret alone. What is shown once must not be lost with
 * the answer: with an Idempotency-Key it follows from that and from the request, so that the same
 * request makes the same key again. STATUS_OK, or the response is a problem; call new_key_forget()
 * in either case.
 */
struct new_key;
enum status settings_make_key(struct settings *settings, struct new_key *made,
			      bool secret) MUST_CHECK;
enum status settings_make_secret(struct settings *settings, struct new_key *made) MUST_CHECK;

/* The same for a token; call credential_forget() in either case. */
enum status settings_make_token(struct settings *settings,
				char token[CREDENTIAL_TOKEN_CHARS + 1]) MUST_CHECK;

/* ---- the handlers, one for each route: member.c, member_change.c, key.c, key_change.c,
 * template.c, document.c, reject.c, reject_kind.c, token.c ---- */

/* Makes the response and returns its status. */
typedef enum status settings_handler(struct settings *settings);
settings_handler settings_me, settings_keys, settings_key_create, settings_key_show,
	settings_key_edit, settings_key_rotate, settings_key_secret, settings_key_history,
	settings_members, settings_member_add, settings_member_role, settings_member_remove,
	settings_limit, settings_currency, settings_key_find, settings_key_refusals,
	settings_key_payload, settings_key_deactivate, settings_template_try, settings_statistics,
	settings_signals, settings_product_orgs, settings_product_org_states, settings_rejects,
	settings_reject, settings_reject_try, settings_reject_replay, settings_reject_discard,
	settings_reject_kinds, settings_rejects_replay, settings_usage, settings_audit,
	settings_key_volumes, settings_tokens, settings_token_create, settings_token_revoke;

#endif
