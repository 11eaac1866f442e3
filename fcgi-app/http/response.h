/*
 * http/response.h - an answer, with its head and problems (RFC 9457). Writes to no socket.
 */
#ifndef HTTP_RESPONSE_H
#define HTTP_RESPONSE_H

#include "base/buf.h"
#include "http/request.h"

struct http_response {
	int status;		  /* HTTP status code */
	const char *content_type; /* NULL: no body */
	const char *coding;	  /* how the body is encoded; NULL: not at all */
	const char *allow;	  /* for 405 */
	const char *authenticate; /* WWW-Authenticate; NULL: none */
	int retry_after_s;	  /* 0: none */
	const char *headers;	  /* further header lines, each with its CRLF; NULL: none */
	struct buf body;	  /* released by http_response_free */
};

enum { HTTP_RESPONSE_BYTES_MAX = 64 << 20 };

/* An empty answer with status 200 and room for a body of HTTP_RESPONSE_BYTES_MAX. */
struct http_response http_response_make(void);

/* Frees the body. */
void http_response_free(struct http_response *response);

/*
 * Makes the answer the problem of a status: type ("urn:sluice:problem:<code>"), title, status,
 * detail, code, request_id. Drops what the body held; allow stays. detail may be NULL, for the
 * problem's own; it must not hold SQL, paths, hosts or texts of libraries. Without memory the
 * answer has no body. Logs an error for a status that is only between caller and callee.
 */
void http_problem(struct http_response *response, const struct http_request *request,
		  enum status status, const char *detail);

/* The same with a member "errors", a JSON array; none if it is absent. */
void http_problem_with(struct http_response *response, const struct http_request *request,
		       enum status status, const char *detail, struct slice errors);

/*
 * Appends the CGI header block (RFC 3875 section 6.3): Status with a phrase, Content-Type,
 * Content-Encoding and Vary, Allow, WWW-Authenticate, Retry-After, X-Request-Id, Cache-Control:
 * no-store, the further headers, and the empty line. No Content-Length: the web server counts.
 */
void http_response_head(const struct http_response *response, const struct http_request *request,
			struct buf *out);

#endif
