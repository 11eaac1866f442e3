/*
 * exchange.c - one request and its answer. See exchange.h.
 */
#include "exchange.h"

#include <stdlib.h>

#include "credential.h"
#include "log.h"
#include "visit.h"

enum { BODY_BYTES_KEPT = 4096 };

void exchange_init(struct exchange *exchange, const struct config *config)
{
	*exchange = (struct exchange){.config = config, .response = http_response_make()};
}

void exchange_fail(struct exchange *exchange, enum status status, const char *detail)
{
	exchange->decided = true;
	exchange->status = status;
	if (status == STATUS_METHOD_NOT_ALLOWED)
		exchange->response.allow = exchange->match.allow;
	http_problem(&exchange->response, &exchange->http, status, detail);
}

void exchange_begin(struct exchange *exchange, char *const *variables, int64_t now_ms)
{
	struct intake *intake = &exchange->intake;

	exchange->started_ms = now_ms;
	exchange->deadline_ms = now_ms + exchange->config->request_timeout_ms;
	enum status status = http_request_read(&exchange->http, variables);
	if (status == STATUS_OK)
		status = route_find(&exchange->arena, ROUTE_INTAKE, exchange->http.method,
				    exchange->http.target, &exchange->match);
	if (status != STATUS_OK) {
		exchange_fail(exchange, status, NULL);
		return;
	}
	if (exchange->match.route->action != ROUTE_SIGNALS)
		return;
	intake_init(intake, exchange->config, &exchange->arena, &exchange->http,
		    exchange->match.route->kind);
	intake->key = exchange->match.key;
	intake->path_source = exchange->match.source;
	exchange->deadline_ms = now_ms + intake_timeout_ms(intake);
	intake->member.deadline_ms = exchange->deadline_ms;
	status = intake_head(intake);
	exchange->key_is_sound = status != STATUS_UNAUTHENTICATED;
	if (status != STATUS_OK)
		exchange_fail(exchange, status, intake->detail);
}

void exchange_conclude(struct exchange *exchange)
{
	struct intake *intake = &exchange->intake;

	exchange->decided = true;
	exchange->status = intake->member.status;
	if (exchange->status == STATUS_ACCEPTED && intake->body_status != STATUS_OK)
		exchange->status = intake->body_status;
	intake_settle(intake);
	intake_answer(intake, &exchange->response);
}

void exchange_health(struct exchange *exchange, bool connected)
{
	if (!connected) {
		exchange_fail(exchange, STATUS_UNAVAILABLE, NULL);
		return;
	}
	exchange->decided = true;
	exchange->status = STATUS_OK;
	exchange->response.status = status_http(STATUS_OK);
	exchange->response.content_type = "application/json";
	buf_add_text(&exchange->response.body, "{\"status\":\"ok\"}\n");
}

void exchange_metrics(struct exchange *exchange, enum status status)
{
	if (status != STATUS_OK) {
		exchange_fail(exchange, status, NULL);
		return;
	}
	exchange->decided = true;
	exchange->status = STATUS_OK;
	exchange->response.status = status_http(STATUS_OK);
	exchange->response.content_type = "text/plain; version=0.0.4; charset=utf-8";
}

/* One line per request. The path is the route's, so no key stands in it. */
static void write_log(const struct exchange *exchange)
{
	const struct route *route = exchange->match.route;
	const struct intake *intake = &exchange->intake;
	char display[CREDENTIAL_DISPLAY_BYTES + 1] = "";

	if (exchange->key_is_sound)
		credential_display(intake->key, display);
	log_event(LOG_LEVEL_INFO, "request", LOG_TEXT("request_id", exchange->http.request_id),
		  LOG_TEXT("route", route == NULL ? "none" : route->path),
		  LOG_INT("status", exchange->response.status),
		  LOG_TEXT("code", status_code(exchange->status)), LOG_TEXT("key", display),
		  LOG_INT("accepted", exchange->status == STATUS_ACCEPTED
					      ? intake->accepted - intake->duplicates
					      : 0),
		  LOG_INT("duplicates", intake->duplicates), LOG_INT("rejected", intake->rejected),
		  LOG_INT("ms", db_now_ms() - exchange->started_ms));
}

enum status exchange_send(struct exchange *exchange, struct fcgi *fcgi)
{
	enum status status = visit_answer(fcgi, &exchange->http, &exchange->response);

	write_log(exchange);
	exchange_reset(exchange);
	return status;
}

void exchange_reset(struct exchange *exchange)
{
	struct buf body = exchange->response.body;

	intake_free(&exchange->intake);
	arena_reset(&exchange->arena);
	buf_reset(&body, BODY_BYTES_KEPT);
	struct exchange next = {.config = exchange->config, .arena = exchange->arena};
	next.response = http_response_make();
	next.response.body = body;
	*exchange = next;
}

void exchange_free(struct exchange *exchange)
{
	intake_free(&exchange->intake);
	http_response_free(&exchange->response);
	arena_free(&exchange->arena);
}
