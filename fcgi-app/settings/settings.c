/*
 * settings/settings.c - a request's way through the settings service. See settings/settings.h.
 *
 * Whoever is refused is refused before the body is read: first for the path, then for who he is,
 * then for where the request comes from.
 */
#include "settings/settings.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "http/problem.h"
#include "json/text.h"
#include "json/walk.h"
#include "json/write.h"
#include "server/response.h"

enum { BODY_BYTES_KEPT = 64 << 10, ANSWER_BYTES_KEPT = 64 << 10 };

/* The page comes from the web server; nothing that is answered here is to be shown, framed or kept.
 */
static const char headers[] =
	"X-Content-Type-Options: nosniff\r\n"
	"Referrer-Policy: no-referrer\r\n"
	"X-Frame-Options: DENY\r\n"
	"Content-Security-Policy: default-src 'none'; frame-ancestors 'none'\r\n";

/* ---- answers ---- */

enum status settings_fail_with(struct settings *settings, enum status status, const char *detail,
			       struct slice errors)
{
	settings->status = status;
	if (status == STATUS_METHOD_NOT_ALLOWED)
		settings->response.allow = settings->match.allow;
	http_problem_with(&settings->response, &settings->http, status, detail, errors);
	return status;
}

enum status settings_fail(struct settings *settings, enum status status, const char *detail)
{
	return settings_fail_with(settings, status, detail, (struct slice){NULL, 0});
}

enum status settings_refuse(struct settings *settings, const char *place, struct slice detail)
{
	return settings_refuse_as(settings, STATUS_INVALID_REQUEST, place, detail);
}

enum status settings_refuse_as(struct settings *settings, enum status status, const char *place,
			       struct slice detail)
{
	struct buf errors = buf_make(16 << 10);

	buf_add_text(&errors, "[{");
	json_write_member(&errors, "place", slice_of(place));
	json_write_member(&errors, "detail", detail);
	buf_add_text(&errors, "}]");
	if (errors.status == STATUS_OK)
		(void)settings_fail_with(settings, status, NULL, buf_slice(&errors));
	else
		(void)settings_fail(settings, status, NULL);
	buf_free(&errors);
	return status;
}

static enum status fail_membership(struct settings *settings)
{
	struct buf text = buf_make(4096);
	struct slice user = settings->store.actor;

	buf_add_text(&text, "\"");
	buf_add_slice(&text, user);
	buf_add_text(&text, settings->organization.p == NULL
				    ? "\" is a member of no organization."
				    : "\" is no member of this organization.");
	buf_add_text(&text, " Whoever operates Sluice adds members: sluicectl member add "
			    "--organization NAME --user USER --role viewer");
	buf_add_char(&text, '\0');
	(void)settings_fail(settings, STATUS_NOT_A_MEMBER,
			    text.status == STATUS_OK ? text.p : NULL);
	buf_free(&text);
	return STATUS_NOT_A_MEMBER;
}

enum status settings_fail_store(struct settings *settings, enum status status)
{
	const char *column = pg_column(settings->db);

	if (status == STATUS_NOT_A_MEMBER)
		return fail_membership(settings);
	if (status == STATUS_ROLE_TOO_LOW)
		return settings_fail(settings, status,
				     "This takes the role editor, admin or owner.");
	if (status == STATUS_ORGANIZATION_MISSING)
		return settings_fail(settings, status, NULL);
	/* Our own functions say which parameter they refuse, in words that are fit to show. */
	if (status == STATUS_INVALID_VALUE && *column != '\0')
		return settings_refuse(settings, column, slice_of(pg_message(settings->db)));
	if (status == STATUS_INVALID_VALUE)
		return settings_fail(settings, STATUS_INVALID_REQUEST, NULL);
	/* Nothing was to be stored. */
	if (status == STATUS_OUTCOME_UNKNOWN && slice_equal(settings->http.method, SLICE("GET")))
		status = STATUS_UNAVAILABLE;
	return settings_fail(settings, problem_of(status)->http < 500 ? STATUS_INTERNAL : status,
			     NULL);
}

struct buf *settings_answer(struct settings *settings, enum status status)
{
	settings->status = status;
	settings->response.status = problem_of(status)->http;
	settings->response.content_type = "application/json";
	return &settings->response.body;
}

/* ---- what is asked ---- */

static bool read_number(struct slice text, int64_t *number)
{
	*number = 0;
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] < '0' || text.p[i] > '9' || i >= 18)
			return false;
		*number = *number * 10 + (text.p[i] - '0');
	}
	return text.n > 0;
}

enum status settings_id(struct settings *settings, int64_t *id)
{
	if (read_number(settings->match.id, id))
		return STATUS_OK;
	return settings_fail(settings, STATUS_NOT_FOUND, "An id is a number.");
}

enum status settings_text(struct settings *settings, const char *name, struct slice *text)
{
	enum status status = http_query(&settings->http, &settings->arena, name, text);

	if (status == STATUS_INVALID_REQUEST)
		return settings_refuse(settings, name, SLICE("is no text, or given twice"));
	return status == STATUS_OK ? status : settings_fail(settings, status, NULL);
}

enum status settings_number(struct settings *settings, const char *name, int64_t least,
			    int64_t most, int64_t *number)
{
	struct slice text;
	enum status status = settings_text(settings, name, &text);

	if (status != STATUS_OK || text.p == NULL)
		return status;
	if (!read_number(text, number) || *number < least || *number > most)
		return settings_refuse(settings, name, SLICE("is no number in the range"));
	return STATUS_OK;
}

/* The organization, as the digits that the database is given. */
static enum status read_organization(struct settings *settings)
{
	char digits[STORE_ID_CHARS];
	int64_t id = -1;
	enum status status = settings_number(settings, "organization", 0, INT64_MAX, &id);

	if (status != STATUS_OK || id < 0)
		return status;
	struct slice text = store_id_text(id, digits);
	settings->organization = (struct slice){arena_copy(&settings->arena, text), text.n};
	return settings->organization.p == NULL ? settings_fail(settings, STATUS_NO_MEMORY, NULL)
						: STATUS_OK;
}

/* ---- the body ---- */

static enum status check_body(struct settings *settings, struct slice body)
{
	const struct config *config = settings->config;
	const struct json_limits limits = {
		.depth = (unsigned)config->json_depth + 2,
		.number_digits = (unsigned)config->json_number_digits,
		.number_exponent = (unsigned)config->json_number_exponent,
	};
	uint64_t offset = 0;
	const char *reason = "";
	char detail[256];
	enum status status = json_text_check(body, &limits, &offset, &reason, NULL);

	if (status == STATUS_NO_MEMORY)
		return settings_fail(settings, status, NULL);
	if (status == STATUS_OK)
		return *slice_trim(body).p == '{' ? STATUS_OK
						  : settings_fail(settings, STATUS_INVALID_REQUEST,
								  "The body is not a JSON object.");
	(void)snprintf(detail, sizeof(detail), "%s at byte %llu", reason,
		       (unsigned long long)offset);
	return settings_fail(settings, status, *reason == '\0' ? NULL : detail);
}

/* Takes one member of the body; a problem when nobody wants it. */
static enum status take_member(struct settings *settings, const struct json_walk *walk,
			       const char *const *names, struct slice *found)
{
	for (size_t i = 0; names[i] != NULL; i++) {
		if (!json_text_is_name(walk->name, slice_of(names[i])))
			continue;
		if (found[i].p != NULL)
			return settings_refuse(settings, names[i], SLICE("is given twice"));
		found[i] = walk->value;
		return STATUS_OK;
	}
	struct slice name;
	if (json_text_string(&settings->arena, walk->name, &name) != STATUS_OK)
		return settings_fail(settings, STATUS_NO_MEMORY, NULL);
	char *place = arena_copy(&settings->arena, name);
	if (place == NULL)
		return settings_fail(settings, STATUS_NO_MEMORY, NULL);
	return settings_refuse(settings, place, SLICE("is not known here"));
}

enum status settings_members(struct settings *settings, const char *const *names,
			     struct slice *found)
{
	struct slice body = buf_slice(&settings->body);
	struct json_walk walk;

	for (size_t i = 0; names[i] != NULL; i++)
		found[i] = (struct slice){NULL, 0};
	/* Who has nothing to say may say nothing. */
	if (slice_trim(body).n == 0 && names[0] == NULL)
		return STATUS_OK;
	enum status status = check_body(settings, body);
	if (status != STATUS_OK)
		return status;
	json_walk_open(&walk, slice_trim(body));
	while (status == STATUS_OK && json_walk_next(&walk))
		status = take_member(settings, &walk, names, found);
	json_walk_close(&walk);
	return status;
}

/* ---- the way ---- */

/* What concerns neither the user nor the database. */
static enum status read_head(struct settings *settings, char *const *variables)
{
	struct http_request *http = &settings->http;
	enum http_coding coding;
	enum status status = http_request_read(http, variables);

	if (status == STATUS_OK)
		status = route_find(&settings->arena, ROUTE_SETTINGS, http->method, http->target,
				    &settings->match);
	if (status != STATUS_OK)
		return settings_fail(settings, status,
				     status == STATUS_NOT_FOUND ? "Check the path." : NULL);
	status = settings_user(settings);
	if (status != STATUS_OK || settings->match.route->body_bytes == 0)
		return status;
	status = http_coding(http, &coding);
	if (status == STATUS_OK && coding != HTTP_CODING_IDENTITY)
		status = STATUS_UNSUPPORTED_CODING;
	if (status != STATUS_OK)
		return settings_fail(settings, status, "Send the body as it is.");
	if (!http_type_is(http, "application/json"))
		return settings_fail(settings, STATUS_UNSUPPORTED_MEDIA_TYPE,
				     "Send application/json, in UTF-8.");
	if (http->content_length > (int64_t)settings->match.route->body_bytes)
		return settings_fail(settings, STATUS_TOO_LARGE, NULL);
	return STATUS_OK;
}

/* Connects when there is no connection. One that is there may have ended while nobody looked, which
 * only using it tells for sure. */
static enum status connect_database(struct settings *settings)
{
	static const struct pg_statement probe = {
		.name = "settings_probe", .sql = "SELECT 1", .columns = 1, .rows = 1};
	struct pg_connection *db = settings->db;
	enum status status = STATUS_UNAVAILABLE;

	settings->store.deadline_ms =
		clock_deadline_ms(settings->config->database_timeout_ms, settings->deadline_ms);
	if (pg_state(db) == PG_READY)
		status = pg_run(db, &probe, NULL, NULL, settings->store.deadline_ms);
	if (status != STATUS_OK)
		status = pg_connect(db, settings->store.deadline_ms);
	return status == STATUS_OK ? STATUS_OK : settings_fail(settings, status, NULL);
}

static enum status read_body(struct settings *settings, struct blocking *blocking)
{
	if (settings->match.route->body_bytes == 0)
		return STATUS_OK;
	settings->body.cap = settings->match.route->body_bytes + 1;
	enum status status = blocking_read_all(blocking, &settings->body);
	return status == STATUS_OK ? STATUS_OK : settings_fail(settings, status, NULL);
}

static enum status handle(struct settings *settings)
{
	static settings_handler *const handlers[ROUTE_SETTING_COUNT] = {
		[ROUTE_ME] = settings_me,
		[ROUTE_KEYS] = settings_keys,
		[ROUTE_KEY_CREATE] = settings_key_create,
		[ROUTE_KEY_SHOW] = settings_key_show,
		[ROUTE_KEY_DEACTIVATE] = settings_key_deactivate,
		[ROUTE_TEMPLATE_TRY] = settings_template_try,
		[ROUTE_STATISTICS] = settings_statistics,
		[ROUTE_LATEST_SIGNALS] = settings_signals,
		[ROUTE_LATEST_PRODUCT_ORGS] = settings_product_orgs,
		[ROUTE_REJECTS] = settings_rejects,
		[ROUTE_USAGE] = settings_usage,
		[ROUTE_AUDIT] = settings_audit,
	};
	struct buf *out = &settings->response.body;
	enum status status = handlers[settings->match.route->setting](settings);

	if (problem_of(status)->http >= 300)
		return status;
	buf_add_char(out, '\n');
	/* Half an answer is not JSON. */
	if (out->status != STATUS_OK)
		return settings_fail(settings, STATUS_NO_MEMORY, NULL);
	return status;
}

static void answer(struct settings *settings, struct blocking *blocking, char *const *variables)
{
	enum status status = read_head(settings, variables);

	blocking->length = settings->http.content_length;
	if (status == STATUS_OK)
		status = read_organization(settings);
	if (status == STATUS_OK)
		status = connect_database(settings);
	if (status == STATUS_OK && slice_equal(settings->http.method, SLICE("POST")))
		status = settings_token(settings);
	if (status == STATUS_OK)
		status = read_body(settings, blocking);
	if (status == STATUS_OK)
		(void)handle(settings);
}

static void write_log(const struct settings *settings)
{
	const struct route *route = settings->match.route;

	log_event(LOG_LEVEL_INFO, "request", LOG_TEXT("request_id", settings->http.request_id),
		  LOG_TEXT("route", route == NULL ? "none" : route->path),
		  LOG_TEXT("method", route == NULL ? NULL : route->method),
		  LOG_INT("status", settings->response.status),
		  LOG_TEXT("code", problem_of(settings->status)->code),
		  LOG_SLICE("user", settings->store.actor),
		  LOG_SLICE("organization", settings->organization),
		  LOG_INT("ms", clock_now_ms() - settings->started_ms));
}

/* Makes ready for the next request. An answer or a body may have held a key. */
static void forget(struct settings *settings)
{
	struct buf answer_body = settings->response.body;

	if (answer_body.p != NULL)
		credential_forget(answer_body.p, answer_body.size);
	buf_reset(&answer_body, ANSWER_BYTES_KEPT);
	buf_reset(&settings->body, BODY_BYTES_KEPT);
	arena_reset(&settings->arena);
	settings->response = http_response_make();
	settings->response.body = answer_body;
	settings->response.headers = headers;
	settings->store = (struct store){.db = settings->db, .arena = &settings->arena};
	settings->organization = (struct slice){NULL, 0};
	settings->match = (struct route_match){0};
}

void settings_serve(struct settings *settings, struct fcgi *fcgi)
{
	struct blocking blocking = {.fcgi = fcgi, .length = -1};

	settings->started_ms = clock_now_ms();
	settings->deadline_ms = settings->started_ms + settings->config->request_timeout_ms;
	blocking.deadline_ms = settings->deadline_ms;
	answer(settings, &blocking, fcgi_variables(fcgi));
	blocking_drain(&blocking);
	blocking_finish(&blocking, response_send(fcgi, &settings->http, &settings->response));
	write_log(settings);
	forget(settings);
}

enum status settings_open(struct settings *settings, const struct config *config)
{
	struct pg_options options = {.conninfo = config->database,
				     .application_name = "sluice-settings"};

	*settings = (struct settings){.config = config,
				      .response = http_response_make(),
				      .body = buf_make(BODY_BYTES_KEPT)};
	enum status status = pg_open(&settings->db, &options);
	forget(settings);
	return status;
}

void settings_close(struct settings *settings)
{
	pg_close(settings->db);
	http_response_free(&settings->response);
	buf_free(&settings->body);
	arena_free(&settings->arena);
}
