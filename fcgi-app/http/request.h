/*
 * http/request.h - what can be known of a request without its route.
 *
 * The request is seen through its CGI variables (RFC 3875), which FastCGI and plain CGI share.
 * Reads no socket.
 */
#ifndef HTTP_REQUEST_H
#define HTTP_REQUEST_H

#include <stdint.h>

#include "base/slice.h"
#include "base/status.h"

enum { HTTP_REQUEST_ID_CHARS = 128 };

struct http_request {
	char *const *variables; /* "NAME=value", ends with NULL; owned by the transport */
	struct slice method;	/* REQUEST_METHOD */
	struct slice target;	/* REQUEST_URI: raw, with the query */
	int64_t content_length; /* bytes; -1 when absent, empty or not a number */
	char request_id[HTTP_REQUEST_ID_CHARS + 1]; /* terminated; echoed when sane, else made */
};

/*
 * Reads the CGI variables. The slices point into them and live no longer than they do.
 * A sane X-Request-Id is 1..128 characters of [A-Za-z0-9._:=+/@-]; any other is replaced by 24 hex
 * digits from random_unique(). A method or target that is not there is absent, which no route
 * matches. STATUS_OK or STATUS_INTERNAL.
 */
enum status http_request_read(struct http_request *request, char *const *variables) MUST_CHECK;

#endif
