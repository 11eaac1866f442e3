/*
 * server/request.h - one request and its answer, from the variables to the sent bytes and the log
 * line: what the loop and the one-by-one way (server/oneshot.h) have in common.
 */
#ifndef SERVER_REQUEST_H
#define SERVER_REQUEST_H

#include "config/config.h"
#include "http/response.h"
#include "intake/intake.h"
#include "server/fcgi.h"
#include "server/route.h"

struct request {
	const struct config *config;
	struct arena arena;
	struct http_request http;
	struct route_match match;
	struct intake intake; /* for ROUTE_SIGNALS */
	bool key_is_sound;    /* may be shown shortened */
	struct http_response response;
	enum status status; /* of the answer, for the log */
	bool decided;	    /* the response is made: drain and send */
	int64_t started_ms, deadline_ms;
};

/* Prepares a zeroed request for its first request. */
void request_init(struct request *request, const struct config *config);

/*
 * Reads variables, route and head. Afterwards the request is decided (a problem), or waits for
 * its body (ROUTE_SIGNALS), for request_health (ROUTE_HEALTH) or request_metrics (ROUTE_METRICS).
 */
void request_begin(struct request *request, char *const *variables, int64_t now_ms);

/* Decides the request: with a problem / with the outcome of its intake / with the health / with
 * the metrics that are in the response's body, unless status says that they could not be read. */
void request_fail(struct request *request, enum status status, const char *detail);
void request_conclude(struct request *request);
void request_health(struct request *request, bool connected);
void request_metrics(struct request *request, enum status status);

/* Sends the decided answer (as fcgi_answer), writes the log line, and makes ready for the next
 * request. */
enum status request_send(struct request *request, struct fcgi *fcgi) MUST_CHECK;

/* Drops the request without an answer. */
void request_reset(struct request *request);

/* Releases everything. */
void request_free(struct request *request);

#endif
