/*
 * server/request.c - one request and its answer. See server/request.h.
 */
#include "server/request.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "http/problem.h"
#include "server/blocking.h"
#include "key/credential.h"

enum { BODY_BYTES_KEPT = 4096 };

void request_init(struct request *request, const struct config *config)
{
	*request = (struct request){.config = config, .response = http_response_make()};
}

void request_fail(struct request *request, enum status status, const char *detail)
{
	request->decided = true;
	request->status = status;
	if (status == STATUS_METHOD_NOT_ALLOWED)
		request->response.allow = request->match.allow;
	http_problem(&request->response, &request->http, status, detail);
}

void request_begin(struct request *request, char *const *variables, int64_t now_ms)
{
	struct intake *intake = &request->intake;

	request->started_ms = now_ms;
	request->deadline_ms = now_ms + request->config->request_timeout_ms;
	enum status status = http_request_read(&request->http, variables);
	if (status == STATUS_OK)
		status = route_find(&request->arena, ROUTE_INTAKE, request->http.method,
				    request->http.target, &request->match);
	if (status != STATUS_OK) {
		request_fail(request, status, NULL);
		return;
	}
	if (request->match.route->action != ROUTE_SIGNALS)
		return;
	intake_init(intake, request->config, &request->arena, &request->http,
		    request->match.route->kind);
	intake->key = request->match.key;
	intake->path_source = request->match.source;
	request->deadline_ms = now_ms + intake_timeout_ms(intake);
	intake->commit.deadline_ms = request->deadline_ms;
	status = intake_head(intake);
	request->key_is_sound = status != STATUS_UNAUTHENTICATED;
	if (status != STATUS_OK)
		request_fail(request, status, intake->detail);
}

void request_conclude(struct request *request)
{
	struct intake *intake = &request->intake;

	request->decided = true;
	request->status = intake->commit.status;
	if (request->status == STATUS_ACCEPTED && intake->body_status != STATUS_OK)
		request->status = intake->body_status;
	intake_settle(intake);
	intake_answer(intake, &request->response);
}

void request_health(struct request *request, bool connected)
{
	if (!connected) {
		request_fail(request, STATUS_UNAVAILABLE, NULL);
		return;
	}
	request->decided = true;
	request->status = STATUS_OK;
	request->response.status = problem_of(STATUS_OK)->http;
	request->response.content_type = "application/json";
	buf_add_text(&request->response.body, "{\"status\":\"ok\"}\n");
}

void request_metrics(struct request *request, enum status status)
{
	if (status != STATUS_OK) {
		request_fail(request, status, NULL);
		return;
	}
	request->decided = true;
	request->status = STATUS_OK;
	request->response.status = problem_of(STATUS_OK)->http;
	request->response.content_type = "text/plain; version=0.0.4; charset=utf-8";
}

/* One line per request. The path is the route's, so no key stands in it. */
static void write_log(const struct request *request)
{
	const struct route *route = request->match.route;
	const struct intake *intake = &request->intake;
	char display[CREDENTIAL_DISPLAY_BYTES + 1] = "";

	if (request->key_is_sound)
		credential_display(intake->key, display);
	log_event(LOG_LEVEL_INFO, "request", LOG_TEXT("request_id", request->http.request_id),
		  LOG_TEXT("route", route == NULL ? "none" : route->path),
		  LOG_INT("status", request->response.status),
		  LOG_TEXT("code", problem_of(request->status)->code), LOG_TEXT("key", display),
		  LOG_INT("accepted", request->status == STATUS_ACCEPTED
					      ? intake->accepted - intake->duplicates
					      : 0),
		  LOG_INT("duplicates", intake->duplicates), LOG_INT("rejected", intake->rejected),
		  LOG_INT("ms", clock_now_ms() - request->started_ms));
}

enum status request_send(struct request *request, struct fcgi *fcgi)
{
	enum status status = blocking_answer(fcgi, &request->http, &request->response);

	write_log(request);
	request_reset(request);
	return status;
}

void request_reset(struct request *request)
{
	struct buf body = request->response.body;

	intake_free(&request->intake);
	arena_reset(&request->arena);
	buf_reset(&body, BODY_BYTES_KEPT);
	struct request next = {.config = request->config, .arena = request->arena};
	next.response = http_response_make();
	next.response.body = body;
	*request = next;
}

void request_free(struct request *request)
{
	intake_free(&request->intake);
	http_response_free(&request->response);
	arena_free(&request->arena);
}
