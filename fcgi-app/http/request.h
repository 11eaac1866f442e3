/*
 * http/request.h - a request as its CGI variables (RFC 3875), which FastCGI and plain CGI share.
 *
 * Reads no socket, and knows nothing of routes or keys.
 */
#ifndef HTTP_REQUEST_H
#define HTTP_REQUEST_H

#include <stdint.h>

#include "base/network.h"
#include "base/slice.h"
#include "base/status.h"

enum { HTTP_REQUEST_ID_CHARS = 128 };

struct http_request {
	char *const *variables;	  /* "NAME=value", ends with NULL; owned by the transport */
	struct slice method;	  /* REQUEST_METHOD */
	struct slice target;	  /* REQUEST_URI: raw, with the query */
	int64_t content_length;	  /* bytes; -1 if absent, repeated or not a number */
	struct address client;	  /* for http/client: unknown at first */
	struct slice traceparent; /* for http/trace: absent at first */
	char request_id[HTTP_REQUEST_ID_CHARS + 1]; /* terminated */
};

/*
 * Reads the CGI variables, which must outlive the request. An X-Request-Id of 1 to 128 characters
 * of [A-Za-z0-9._:=+/@-] without anything that looks like a key or secret is kept, any other
 * replaced by 24 hex digits. A missing method or target
 * is absent, which no route matches. STATUS_OK or STATUS_INTERNAL (no random bytes; logged).
 */
enum status http_request_read(struct http_request *request, char *const *variables) MUST_CHECK;

#endif
