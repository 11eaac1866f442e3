/*
 * http/query.h - the parameters of a request's query, and its own origin. For the settings service:
 * webhook paths take no parameters.
 */
#ifndef HTTP_QUERY_H
#define HTTP_QUERY_H

#include "base/arena.h"
#include "base/buf.h"
#include "http/request.h"

/*
 * The value of a query parameter, decoded and terminated, in the arena; absent if the parameter is
 * not there. STATUS_OK, STATUS_NO_MEMORY, or STATUS_INVALID_REQUEST for one that is repeated, has a
 * bad escape, holds a NUL byte or is not UTF-8.
 */
enum status http_query(const struct http_request *request, struct arena *arena, const char *name,
		       struct slice *value) MUST_CHECK;

/* The query, without the question mark; "" without one. */
struct slice http_query_text(const struct http_request *request);

/* Takes the next parameter off a query; *name is as it was sent. False after the last one. */
bool http_query_next(struct slice *rest, struct slice *name);

/*
 * Appends the request's own origin, "https://hooks.example.com:8443": the scheme by REQUEST_SCHEME
 * or HTTPS, the host by the Host header. False, with nothing appended, if that is not one host with
 * or without a port.
 */
bool http_own_origin(const struct http_request *request, struct buf *out);

#endif
