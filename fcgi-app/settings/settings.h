/*
 * settings/settings.h - one request of the settings service, from its variables to the sent bytes
 * and the log line.
 *
 *   settings/settings.c             the request's way: route, user, token, body, handler, answer,
 * log line settings/access.c      who is asking, and whether a change comes from the page
 *   settings/member.c      me
 *   settings/key.c         keys
 *   settings/template.c    payload templates
 *   settings/document.c    statistics, signals, rejects, usage, audit log
 *
 * Requests are few and each is served by itself, waiting where it must. What a user may do is the
 * database's decision: every call says for whom it is made.
 */
#ifndef SETTINGS_SETTINGS_H
#define SETTINGS_SETTINGS_H

#include "http/query.h"
#include "server/blocking.h"
#include "config/config.h"
#include "server/route.h"
#include "store/settings.h"

struct settings {
	const struct config *config;
	struct pg_connection *db; /* kept from one request to the next */
	struct arena arena;
	struct http_request http;
	struct http_response response;
	struct route_match match;
	struct store store;	   /* its actor is the user */
	struct slice organization; /* an id as text; absent: the member's only one */
	struct buf body;
	enum status status; /* of the answer, for the log */
	int64_t started_ms, deadline_ms;
};

/* Prepares for the first request; the connection is made when it is needed. STATUS_OK or
 * STATUS_NO_MEMORY. */
enum status settings_open(struct settings *settings, const struct config *config) MUST_CHECK;
void settings_close(struct settings *settings);

/* Serves the request that fcgi has begun, to its end. Bounded by the request's deadline; a peer
 * that is slow to take its answer has a few seconds more. */
void settings_serve(struct settings *settings, struct fcgi *fcgi);

/* ---- for the other files ---- */

/* Makes the answer a problem; returns status. detail may be NULL, errors absent. */
enum status settings_fail(struct settings *settings, enum status status, const char *detail);
enum status settings_fail_with(struct settings *settings, enum status status, const char *detail,
			       struct slice errors);

/* settings_fail() as STATUS_INVALID_REQUEST, with this one place and what is wrong there. */
enum status settings_refuse(struct settings *settings, const char *place, struct slice detail);

/* The same as another status. */
enum status settings_refuse_as(struct settings *settings, enum status status, const char *place,
			       struct slice detail);

/* settings_fail() for a failed call of the database. */
enum status settings_fail_store(struct settings *settings, enum status status);

/* Begins an answer of JSON and returns its body, to which the handler appends an object. */
struct buf *settings_answer(struct settings *settings, enum status status);

/* The id in the path; a problem when it is none. */
enum status settings_id(struct settings *settings, int64_t *id) MUST_CHECK;

/* Reads a query parameter; absent when there is none. A problem is made for one that is no text. */
enum status settings_text(struct settings *settings, const char *name,
			  struct slice *text) MUST_CHECK;

/* Reads a query parameter as a whole number; *number stays when there is none. A problem is made
 * for what is no number of the range. */
enum status settings_number(struct settings *settings, const char *name, int64_t least,
			    int64_t most, int64_t *number) MUST_CHECK;

/*
 * Checks the body and gives its members' values, as their text: found[i] is the member names[i],
 * which ends with NULL; absent when there is none. A member of another name is a problem. The text
 * of the values is valid JSON.
 */
enum status settings_members(struct settings *settings, const char *const *names,
			     struct slice *found) MUST_CHECK;

/*
 * Who is asking, into settings->store.actor; for a change also that it comes from the page.
 * STATUS_OK or a problem is made. settings_connect must have succeeded before the second.
 */
enum status settings_user(struct settings *settings) MUST_CHECK;
enum status settings_token(struct settings *settings) MUST_CHECK;

/* Appends what this host is called: public_url, or the request's own scheme and host. False when
 * neither is known. */
bool settings_own_url(const struct settings *settings, struct buf *out);

struct template;

/* Compiles a template. STATUS_OK, or a problem is made that names the place in it, behind the
 * member of the body that it is ("payload_template.custom.projects"); with NULL the template's
 * alone. */
enum status settings_template_compile(struct settings *settings, const char *member,
				      struct slice text, struct template **compiled) MUST_CHECK;

/* A handler makes the answer, or a problem, and returns its status. */
typedef enum status settings_handler(struct settings *settings);
settings_handler settings_me, settings_keys, settings_key_create, settings_key_show,
	settings_key_deactivate, settings_template_try, settings_statistics, settings_signals,
	settings_product_orgs, settings_rejects, settings_usage, settings_audit;

#endif
