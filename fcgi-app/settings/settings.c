/*
 * settings/settings.c - a request's way through the settings service. See settings/settings.h.
 *
 * What can be refused is refused before the body is read: by the path, then by the user, then by
 * where the request comes from.
 */
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "http/client.h"
#include "http/problem.h"
#include "server/blocking.h"
#include "server/response.h"
#include "settings/settings_internal.h"

enum {
	BODY_BYTES_KEPT = 64 << 10,
	RESPONSE_BYTES_KEPT = 64 << 10,
	PROBLEM_BYTES = 8 << 10, /* the longest, without places */
	PLAIN_BYTES_MAX = 1400	 /* one packet: not worth compressing */
};

/* The page itself comes from the web server. Nothing answered here is to be framed, rendered or
 * kept. */
static const char headers[] =
	"X-Content-Type-Options: nosniff\r\n"
	"Referrer-Policy: no-referrer\r\n"
	"X-Frame-Options: DENY\r\n"
	"Content-Security-Policy: default-src 'none'; frame-ancestors 'none'\r\n";

/* ---- the steps: each returns STATUS_OK, or has made the response a problem ---- */

static enum status find_route(struct settings *settings, char *const *variables)
{
	struct http_request *http = &settings->http;
	enum status status = http_request_read(http, variables);

	if (status == STATUS_OK)
		status = route_find(&settings->arena, ROUTE_SETTINGS, http->method,
				    route_target(http->target, settings->config->public_url),
				    &settings->match);
	if (status == STATUS_OK)
		return status;
	return settings_problem(settings, status,
				status == STATUS_NOT_FOUND ? "Check the path." : NULL);
}

/* What the head says of the body. */
static enum status check_body_headers(struct settings *settings)
{
	const struct http_request *http = &settings->http;

	if (settings->match.route->body_bytes == 0)
		return STATUS_OK;
	if (http_coding(http) != HTTP_CODING_IDENTITY)
		return settings_problem(settings, STATUS_UNSUPPORTED_CODING,
					"Send the body uncompressed.");
	if (!http_type_is(http, "application/json"))
		return settings_problem(settings, STATUS_UNSUPPORTED_MEDIA_TYPE,
					"Send application/json in UTF-8.");
	if (http->content_length > (int64_t)settings->match.route->body_bytes)
		return settings_problem(settings, STATUS_TOO_LARGE, NULL);
	return STATUS_OK;
}

/* To the database that the configuration names by now. An idle connection may have been closed
 * unnoticed, so it is probed before use. */
static enum status connect_database(struct settings *settings)
{
	static const struct pg_statement probe = {
		.name = "settings_probe", .sql = "SELECT 1", .columns = 1, .rows = 1};
	struct pg_connection *db = settings->db;
	int64_t deadline_ms =
		clock_deadline_ms(settings->config->database_timeout_ms, settings->deadline_ms);
	enum status status = STATUS_UNAVAILABLE;

	settings->store.deadline_ms = deadline_ms;
	if (!pg_is_for(db, settings->config->database) &&
	    pg_redirect(db, settings->config->database) != STATUS_OK)
		return settings_problem(settings, STATUS_NO_MEMORY, NULL);
	if (pg_state(db) == PG_READY)
		status = pg_run(db, &probe, NULL, NULL, deadline_ms);
	if (status != STATUS_OK)
		status = pg_connect(db, deadline_ms);
	return status == STATUS_OK ? status : settings_problem(settings, status, NULL);
}

static enum status read_body(struct settings *settings, struct blocking *blocking)
{
	if (settings->match.route->body_bytes == 0)
		return STATUS_OK;
	settings->body.cap = settings->match.route->body_bytes + 1;
	enum status status = blocking_read_all(blocking, &settings->body);
	return status == STATUS_OK ? status : settings_problem(settings, status, NULL);
}

static void handle(struct settings *settings)
{
	static settings_handler *const handlers[ROUTE_SETTING_COUNT] = {
		[ROUTE_ME] = settings_me,
		[ROUTE_KEYS] = settings_keys,
		[ROUTE_KEY_CREATE] = settings_key_create,
		[ROUTE_KEY_SHOW] = settings_key_show,
		[ROUTE_KEY_EDIT] = settings_key_edit,
		[ROUTE_KEY_ROTATE] = settings_key_rotate,
		[ROUTE_KEY_SECRET] = settings_key_secret,
		[ROUTE_KEY_HISTORY] = settings_key_history,
		[ROUTE_MEMBERS] = settings_members,
		[ROUTE_MEMBER_ADD] = settings_member_add,
		[ROUTE_MEMBER_ROLE] = settings_member_role,
		[ROUTE_MEMBER_REMOVE] = settings_member_remove,
		[ROUTE_LIMIT] = settings_limit,
		[ROUTE_CURRENCY] = settings_currency,
		[ROUTE_KEY_FIND] = settings_key_find,
		[ROUTE_KEY_REFUSALS] = settings_key_refusals,
		[ROUTE_KEY_PAYLOAD] = settings_key_payload,
		[ROUTE_KEY_DEACTIVATE] = settings_key_deactivate,
		[ROUTE_TEMPLATE_TRY] = settings_template_try,
		[ROUTE_STATISTICS] = settings_statistics,
		[ROUTE_LATEST_SIGNALS] = settings_signals,
		[ROUTE_LATEST_PRODUCT_ORGS] = settings_product_orgs,
		[ROUTE_PRODUCT_ORG_STATES] = settings_product_org_states,
		[ROUTE_REJECTS] = settings_rejects,
		[ROUTE_REJECT] = settings_reject,
		[ROUTE_REJECT_TRY] = settings_reject_try,
		[ROUTE_REJECT_REPLAY] = settings_reject_replay,
		[ROUTE_REJECT_DISCARD] = settings_reject_discard,
		[ROUTE_REJECT_KINDS] = settings_reject_kinds,
		[ROUTE_REJECTS_REPLAY] = settings_rejects_replay,
		[ROUTE_USAGE] = settings_usage,
		[ROUTE_AUDIT] = settings_audit,
		[ROUTE_KEY_VOLUMES] = settings_key_volumes,
		[ROUTE_TOKENS] = settings_tokens,
		[ROUTE_TOKEN_CREATE] = settings_token_create,
		[ROUTE_TOKEN_REVOKE] = settings_token_revoke,
	};

	(void)handlers[settings->match.route->setting](settings);
}

static void make_response(struct settings *settings, struct blocking *blocking,
			  char *const *variables)
{
	enum status status = find_route(settings, variables);

	blocking->length = settings->http.content_length;
	if (status == STATUS_OK)
		status = settings_authenticate(settings);
	if (status == STATUS_OK)
		status = check_body_headers(settings);
	if (status == STATUS_OK)
		status = settings_check_query(settings);
	if (status == STATUS_OK)
		status = settings_read_organization(settings);
	if (status == STATUS_OK)
		status = connect_database(settings);
	/* No browser adds a token to a request by itself. */
	if (status == STATUS_OK && settings->by_token)
		status = settings_use_token(settings);
	else if (status == STATUS_OK && slice_equal(settings->http.method, SLICE("POST")))
		status = settings_check_csrf(settings);
	if (status == STATUS_OK)
		status = read_body(settings, blocking);
	if (status == STATUS_OK)
		handle(settings);
}

/* ---- serving ---- */

/* Not an answer with a secret, whose length would tell of it: keys are made by POST, and the CSRF
 * token is the user's (BREACH, CVE-2013-3587). */
static bool is_worth_compressing(const struct settings *settings)
{
	const struct http_response *response = &settings->response;

	return response->status == 200 && response->body.n > PLAIN_BYTES_MAX &&
	       slice_equal(settings->http.method, SLICE("GET")) &&
	       settings->match.route->setting != ROUTE_ME && http_accepts_gzip(&settings->http);
}

static void compress(struct settings *settings)
{
	struct buf *body = &settings->response.body, packed = buf_make(HTTP_RESPONSE_BYTES_MAX);

	if (!is_worth_compressing(settings) || http_gzip(buf_slice(body), &packed) != STATUS_OK) {
		buf_free(&packed);
		return;
	}
	buf_free(body);
	*body = packed;
	settings->response.coding = "gzip";
}

/* Writes the client's address into text, if it is to be logged and known. */
static struct slice client(const struct settings *settings, struct buf *text)
{
	if (settings->config->log_client_address) {
		struct address address =
			http_client_address(&settings->http, &settings->config->trusted_proxies);
		address_add(text, &address);
	}
	return buf_slice(text);
}

static void write_log(const struct settings *settings)
{
	const struct route *route = settings->match.route;
	struct buf address = buf_make(ADDRESS_CHARS);

	log_event(LOG_LEVEL_INFO, "request", LOG_TEXT("request_id", settings->http.request_id),
		  LOG_TEXT("route", route == NULL ? "none" : route->path),
		  LOG_TEXT("method", route == NULL ? NULL : route->method),
		  LOG_INT("status", settings->response.status),
		  LOG_TEXT("code", problem_of(settings->status)->code),
		  LOG_SLICE("user", settings->store.actor),
		  LOG_SLICE("organization", settings->organization),
		  LOG_INT("ms", clock_now_ms() - settings->started_ms),
		  LOG_SLICE("client", client(settings, &address)));
	buf_free(&address);
}

/* Prepares for the next request. The response may have held a key: its memory is wiped. */
static void reset(struct settings *settings)
{
	struct buf response_body = settings->response.body;

	if (response_body.p != NULL)
		credential_forget(response_body.p, response_body.size);
	buf_reset(&response_body, RESPONSE_BYTES_KEPT);
	buf_reset(&settings->body, BODY_BYTES_KEPT);
	arena_reset(&settings->arena);
	json_tree_free(&settings->errors);
	settings->response = http_response_make();
	settings->response.body = response_body;
	settings->response.headers = headers;
	settings->store = (struct store){.db = settings->db, .arena = &settings->arena};
	settings->organization = SLICE_ABSENT;
	settings->by_token = false;
	settings->match = (struct route_match){0};
}

/* A response that is too long for what is left of the memory gives way to a problem. */
static enum status send_response(struct settings *settings, struct fcgi *fcgi)
{
	enum status status = response_send(fcgi, &settings->http, &settings->response);

	if (status != STATUS_NO_MEMORY)
		return status;
	(void)settings_without_memory(settings);
	settings->response.coding = NULL;
	return response_send(fcgi, &settings->http, &settings->response);
}

static void respond(struct settings *settings, const struct blocking *blocking)
{
	blocking_drain(blocking);
	blocking_finish(blocking, send_response(settings, blocking->fcgi));
	write_log(settings);
	reset(settings);
}

void settings_serve(struct settings *settings, struct fcgi *fcgi)
{
	struct blocking blocking = {.fcgi = fcgi, .length = -1};

	settings->started_ms = clock_now_ms();
	settings->deadline_ms = settings->started_ms + settings->config->request_timeout_ms;
	blocking.deadline_ms = settings->deadline_ms;
	make_response(settings, &blocking, fcgi_variables(fcgi));
	compress(settings);
	respond(settings, &blocking);
}

enum status settings_prepare(struct settings *settings)
{
	return buf_reserve(&settings->response.body, PROBLEM_BYTES) != NULL ? STATUS_OK
									    : STATUS_NO_MEMORY;
}

void settings_refuse(struct settings *settings, struct fcgi *fcgi, enum status status)
{
	int64_t now_ms = clock_now_ms();
	const struct blocking blocking = {
		.fcgi = fcgi, .length = -1, .deadline_ms = now_ms + FCGI_PARAMS_MS};
	enum status read = http_request_read(&settings->http, fcgi_variables(fcgi));
	bool is_ours = read == STATUS_OK || status == STATUS_NO_MEMORY;

	settings->started_ms = now_ms;
	(void)settings_problem(settings, is_ours ? status : read, NULL);
	respond(settings, &blocking);
}

/* ---- the service ---- */

static struct pg_options database_options(const struct config *config)
{
	return (struct pg_options){.conninfo = config->database,
				   .host_timeout_ms = config->connect_timeout_ms,
				   .application_name = "sluice-settings"};
}

enum status settings_try_database(const struct config *config, struct buf *cause)
{
	/* It fails where the database is not migrated, or the role may not enter the schema. */
	static const struct pg_statement is_migrated = {
		.name = "settings_try",
		.sql = "SELECT 'sluice.settings_members'::regproc",
		.columns = 1,
		.rows = 1};
	struct pg_options options = database_options(config);

	options.greeting = &is_migrated;
	options.quiet = true;
	return pg_try(&options, clock_deadline_ms(config->request_timeout_ms, INT64_MAX), cause);
}

enum status settings_open(struct settings **settings, const struct config *config)
{
	struct pg_options options = database_options(config);
	struct settings *made = calloc(1, sizeof(*made));

	*settings = made;
	if (made == NULL)
		return STATUS_NO_MEMORY;
	made->config = config;
	made->response = http_response_make();
	made->body = buf_make(BODY_BYTES_KEPT);
	enum status status = pg_open(&made->db, &options);
	reset(made);
	return status;
}

void settings_abandon(struct settings *settings)
{
	pg_abandon(settings->db);
}

void settings_close(struct settings *settings)
{
	if (settings == NULL)
		return;
	pg_close(settings->db);
	http_response_free(&settings->response);
	buf_free(&settings->body);
	arena_free(&settings->arena);
	json_tree_free(&settings->errors);
	free(settings);
}
