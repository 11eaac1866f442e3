/*
 * server/request.c - see server/request.h.
 */
#include "server/request.h"

#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/stats.h"
#include "http/client.h"
#include "http/header.h"
#include "http/problem.h"
#include "http/trace.h"
#include "key/credential.h"
#include "server/metrics.h"
#include "server/response.h"

/* This part of a request's time is left for its answer to be on time. */
enum { BODY_BYTES_KEPT = 4096, ANSWER_PART = 50 };

void server_request_init(struct server_request *request, const struct config *config)
{
	*request = (struct server_request){.config = config, .response = http_response_make()};
}

enum status server_request_prepare(struct server_request *request)
{
	return buf_reserve(&request->response.body, BODY_BYTES_KEPT) != NULL ? STATUS_OK
									     : STATUS_NO_MEMORY;
}

void server_request_problem(struct server_request *request, enum status status, const char *detail)
{
	request->is_answered = true;
	request->status = status;
	if (status == STATUS_METHOD_NOT_ALLOWED)
		request->response.allow = request->match.allow;
	http_problem(&request->response, &request->http, status, detail);
}

static enum status read_head(struct server_request *request, char *const *variables)
{
	enum status status = http_request_read(&request->http, variables);

	if (status != STATUS_OK)
		return status;
	request->http.client =
		http_client_address(&request->http, &request->config->trusted_proxies);
	request->http.traceparent = http_trace_parent(&request->http);
	return STATUS_OK;
}

void server_request_refuse(struct server_request *request, char *const *variables, int64_t now_us,
			   enum status status)
{
	enum status read = read_head(request, variables);

	request->started_us = now_us;
	request->deadline_ms = now_us / 1000 + request->config->request_timeout_ms;
	bool is_ours = read == STATUS_OK || status == STATUS_NO_MEMORY;
	server_request_problem(request, is_ours ? status : read, NULL);
}

void server_request_begin(struct server_request *request, char *const *variables, int64_t now_us)
{
	struct intake *intake = &request->intake;

	request->started_us = now_us;
	request->deadline_ms = now_us / 1000 + request->config->request_timeout_ms;
	enum status status = read_head(request, variables);
	if (status == STATUS_OK)
		status = route_find(&request->arena, ROUTE_INTAKE, request->http.method,
				    route_target(request->http.target, request->config->public_url),
				    &request->match);
	if (status != STATUS_OK) {
		server_request_problem(request, status, NULL);
		return;
	}
	if (request->match.route->action != ROUTE_SIGNALS)
		return;
	intake_init(intake, request->config, &request->arena, &request->http,
		    request->match.route->kind);
	intake->key = request->match.key;
	intake->path_source = request->match.source;
	request->deadline_ms = now_us / 1000 + intake_timeout_ms(intake);
	intake->commit.deadline_ms = request->deadline_ms - intake_timeout_ms(intake) / ANSWER_PART;
	status = intake_head(intake);
	request->key_is_well_formed = status != STATUS_UNAUTHENTICATED;
	if (status != STATUS_OK)
		server_request_problem(request, status, intake->detail);
}

void server_request_answer_intake(struct server_request *request)
{
	struct intake *intake = &request->intake;

	request->is_answered = true;
	request->status = intake->commit.out.status;
	if (request->status == STATUS_ACCEPTED && intake->body_status != STATUS_OK)
		request->status = intake->body_status;
	intake_settle(intake);
	intake_answer(intake, &request->response);
}

/* The title of the problem says what keeps it from committing. */
void server_request_answer_health(struct server_request *request, enum status status)
{
	if (status != STATUS_OK) {
		server_request_problem(request, status, "This worker cannot commit.");
		return;
	}
	request->is_answered = true;
	request->status = STATUS_OK;
	request->response.status = problem_of(STATUS_OK)->http;
	request->response.content_type = "application/json";
	buf_add_text(&request->response.body, "{\"status\":\"ok\"}\n");
}

void server_request_answer_metrics(struct server_request *request, struct slice database)
{
	struct http_response *response = &request->response;

	request->is_answered = true;
	request->status = STATUS_OK;
	metrics_add(&response->body, database.p != NULL);
	buf_add_slice(&response->body, database);
	if (response->body.status != STATUS_OK) {
		server_request_problem(request, response->body.status, NULL);
		return;
	}
	response->status = problem_of(STATUS_OK)->http;
	response->content_type = "text/plain; version=0.0.4; charset=utf-8";
}

/* ---- counting and logging ---- */

static uint64_t stored(const struct server_request *request)
{
	const struct intake *intake = &request->intake;

	return request->status == STATUS_ACCEPTED ? intake->accepted - intake->duplicates : 0;
}

static void count(const struct server_request *request, int64_t us)
{
	struct stats *stats = stats_mine();
	unsigned route = route_number(request->match.route);

	stats_add(&stats->requests[route][request->status], 1);
	if (!route_is_webhook(route))
		return;
	stats_observe(&stats->request_us[route], stats_durations_us, (uint64_t)us);
	if (request->status != STATUS_ACCEPTED)
		return;
	stats_add(&stats->stored, stored(request));
	stats_add(&stats->repeated, request->intake.duplicates);
	stats_add(&stats->rejected, request->intake.rejected);
}

/* Probes and scrapes that went well are logged once in log_health_checks times. */
static bool is_logged(const struct server_request *request)
{
	unsigned route = route_number(request->match.route);
	int64_t every = request->config->log_health_checks;

	if (request->status != STATUS_OK || route_is_webhook(route))
		return true;
	uint64_t before = stats_get(&stats_mine()->requests[route][STATUS_OK]) - 1;
	return every > 0 && before % (uint64_t)every == 0;
}

/* Writes the client's address into text, if it is to be logged and known. */
static struct slice client(const struct server_request *request, struct buf *text)
{
	if (request->config->log_client_address)
		address_add(text, &request->http.client);
	return buf_slice(text);
}

/* Logs the route, not the path: that holds the key. */
static void write_log(const struct server_request *request, int64_t us)
{
	const struct route *route = request->match.route;
	const struct intake *intake = &request->intake;
	char display[CREDENTIAL_DISPLAY_BYTES + 1] = "";
	struct buf address = buf_make(ADDRESS_CHARS);

	if (request->key_is_well_formed)
		credential_display(intake->key, display);
	log_event(LOG_LEVEL_INFO, "request", LOG_TEXT("request_id", request->http.request_id),
		  LOG_TEXT("route", route == NULL ? "none" : route->path),
		  LOG_INT("status", request->response.status),
		  LOG_TEXT("code", problem_of(request->status)->code), LOG_TEXT("key", display),
		  LOG_INT("accepted", stored(request)), LOG_INT("duplicates", intake->duplicates),
		  LOG_INT("rejected", intake->rejected), LOG_INT("ms", us / 1000),
		  LOG_SLICE("client", client(request, &address)),
		  LOG_SLICE("traceparent", request->http.traceparent));
	buf_free(&address);
}

/* What was stored cannot be told, so that its sender has to ask again. */
static enum status send_without_memory(struct server_request *request, struct fcgi *fcgi)
{
	bool may_be_stored = request->status == STATUS_ACCEPTED;

	server_request_problem(request, may_be_stored ? STATUS_OUTCOME_UNKNOWN : STATUS_NO_MEMORY,
			       NULL);
	enum status status = response_send(fcgi, &request->http, &request->response);
	if (status == STATUS_NO_MEMORY) {
		fcgi_close_fd(fcgi);
		status = STATUS_END;
	}
	return status;
}

enum status server_request_send(struct server_request *request, struct fcgi *fcgi)
{
	enum status status = response_send(fcgi, &request->http, &request->response);
	if (status == STATUS_NO_MEMORY)
		status = send_without_memory(request, fcgi);
	int64_t us = clock_now_us() - request->started_us;

	count(request, us);
	if (is_logged(request))
		write_log(request, us);
	server_request_reset(request);
	return status;
}

void server_request_reset(struct server_request *request)
{
	struct buf body = request->response.body;

	intake_free(&request->intake);
	arena_reset(&request->arena);
	buf_reset(&body, BODY_BYTES_KEPT);
	struct server_request next = {.config = request->config, .arena = request->arena};
	next.response = http_response_make();
	next.response.body = body;
	*request = next;
}

void server_request_free(struct server_request *request)
{
	intake_free(&request->intake);
	http_response_free(&request->response);
	arena_free(&request->arena);
}
