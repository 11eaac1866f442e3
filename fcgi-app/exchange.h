/*
 * exchange.h - one request and its answer, from the variables to the sent bytes and the log line:
 * what the loop and the one-by-one way (direct.h) have in common.
 */
#ifndef EXCHANGE_H
#define EXCHANGE_H

#include "config.h"
#include "fcgi.h"
#include "http.h"
#include "intake.h"
#include "route.h"

struct exchange {
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

/* Prepares a zeroed exchange for its first request. */
void exchange_init(struct exchange *exchange, const struct config *config);

/*
 * Reads variables, route and head. Afterwards the exchange is decided (a problem), or waits for
 * its body (ROUTE_SIGNALS), for exchange_health (ROUTE_HEALTH) or exchange_metrics (ROUTE_METRICS).
 */
void exchange_begin(struct exchange *exchange, char *const *variables, int64_t now_ms);

/* Decides the exchange: with a problem / with the outcome of its intake / with the health / with
 * the metrics that are in the response's body, unless status says that they could not be read. */
void exchange_fail(struct exchange *exchange, enum status status, const char *detail);
void exchange_conclude(struct exchange *exchange);
void exchange_health(struct exchange *exchange, bool connected);
void exchange_metrics(struct exchange *exchange, enum status status);

/* Sends the decided answer (as fcgi_answer), writes the log line, and makes ready for the next
 * request. */
enum status exchange_send(struct exchange *exchange, struct fcgi *fcgi) MUST_CHECK;

/* Drops the request without an answer. */
void exchange_reset(struct exchange *exchange);

/* Releases everything. */
void exchange_free(struct exchange *exchange);

#endif
