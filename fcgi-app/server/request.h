/*
 * server/request.h - one request of the intake workers and its response: from the CGI variables to
 * the sent bytes and the log line.
 *
 * Shared by the event loop (server/loop.h) and by processes that serve one request with blocking
 * I/O (server/oneshot.h). Neither reads bodies nor talks to the database.
 */
#ifndef SERVER_REQUEST_H
#define SERVER_REQUEST_H

#include "config/config.h"
#include "http/response.h"
#include "intake/intake.h"
#include "server/fcgi.h"
#include "server/route.h"

/* A request as the server sees it: http is its head, intake.commit what it wants committed. */
struct server_request {
	const struct config *config;
	struct arena arena;
	struct http_request http;
	struct route_match match;
	struct intake intake;	 /* for ROUTE_SIGNALS */
	bool key_is_well_formed; /* so its display may be logged */
	struct http_response response;
	bool is_answered;   /* the response is made and can be sent once the input is drained */
	enum status status; /* of the response, for the log */
	int64_t started_us; /* on the clock of clock_now_us() */
	int64_t deadline_ms;
};

/* Prepares for the first request; server_request_send() and _reset() prepare for the next one. */
void server_request_init(struct server_request *request, const struct config *config);

/* Takes the memory for a response without which nothing could be answered, unless it has it.
 * STATUS_OK or STATUS_NO_MEMORY. */
enum status server_request_prepare(struct server_request *request) MUST_CHECK;

/*
 * Reads the CGI variables, finds the route and checks what can be checked without the body.
 * Afterwards the request is answered, with a problem; or it needs its body read (ROUTE_SIGNALS), or
 * server_request_answer_health() or _metrics().
 */
void server_request_begin(struct server_request *request, char *const *variables, int64_t now_us);

/* Reads as much of the CGI variables as a problem needs, and makes it the response. */
void server_request_refuse(struct server_request *request, char *const *variables, int64_t now_us,
			   enum status status);

/* Makes the response a problem. detail may be NULL. */
void server_request_problem(struct server_request *request, enum status status, const char *detail);

/* Makes the response from the outcome of the intake, when request->intake.commit has its status. */
void server_request_answer_intake(struct server_request *request);

/* Makes the response to a health check: STATUS_OK, or why commits would fail. */
void server_request_answer_health(struct server_request *request, enum status status);

/* Makes the response of the metrics. database is the database's part of them, absent when it did
 * not answer. */
void server_request_answer_metrics(struct server_request *request, struct slice database);

/* Sends the response (as fcgi_answer), writes the log line and resets the request. Without memory
 * for it a problem is sent instead. */
enum status server_request_send(struct server_request *request, struct fcgi *fcgi) MUST_CHECK;

/* Drops the request without a response. */
void server_request_reset(struct server_request *request);

/* Releases all memory. */
void server_request_free(struct server_request *request);

#endif
