/*
 * http/http.h - a request and its answer, whatever transport they travel by.
 *
 * The request is seen through its CGI variables (RFC 3875), which FastCGI and plain CGI share.
 * Also here: header look-up, request ids, media types, content codings (the only module that
 * includes zlib) and problem answers (RFC 9457). Knows nothing of routes, keys or PostgreSQL.
 */
#ifndef HTTP_HTTP_H
#define HTTP_HTTP_H

#include <stdint.h>

#include "base/mem.h"

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
 * digits from credential_unique(). A method or target that is not there is absent, which no route
 * matches. STATUS_OK or STATUS_INTERNAL.
 */
enum status http_request_read(struct http_request *request, char *const *variables) MUST_CHECK;

/*
 * The value of a CGI variable such as "HTTP_X_API_SECRET"; leading and trailing blanks trimmed.
 * Returns how many times it occurs, 0 when absent; *value is the first one. Several front ends
 * pass repeated headers as repeated variables.
 */
unsigned http_header(const struct http_request *request, const char *variable, struct slice *value);

/* ---- what the body is ---- */

enum http_media { HTTP_MEDIA_JSON, HTTP_MEDIA_NDJSON };

/*
 * The media type of the body by Content-Type (contract section 2): JSON with or without
 * parameters, application/<x>+json, text/plain, application/x-www-form-urlencoded or none: JSON;
 * application/x-ndjson, application/jsonl, application/ndjson: NDJSON. A charset other than utf-8
 * (also written utf8) or us-ascii, and everything else: STATUS_UNSUPPORTED_MEDIA_TYPE.
 */
enum status http_media(const struct http_request *request, enum http_media *media) MUST_CHECK;

/* True when Content-Type is given once and names this type, in UTF-8 if it names a charset. */
bool http_type_is(const struct http_request *request, const char *type);

enum http_coding { HTTP_CODING_IDENTITY, HTTP_CODING_GZIP };

/* Content-Encoding: absent or identity; gzip or x-gzip; else STATUS_UNSUPPORTED_CODING. */
enum status http_coding(const struct http_request *request, enum http_coding *coding) MUST_CHECK;

/*
 * A decoder turns the body's bytes into plain ones, as they arrive. A body that starts with
 * gzip's magic bytes 1f 8b is decompressed whether a header said so or not; a body announced as
 * gzip that does not start so is STATUS_MALFORMED_CODING.
 */
struct http_decoder;

/* STATUS_OK or STATUS_NO_MEMORY. plain_max: more decoded bytes are STATUS_TOO_LARGE. */
enum status http_decoder_open(struct http_decoder **decoder, enum http_coding coding,
			      uint64_t plain_max) MUST_CHECK;

/* Takes decoded bytes. Anything but STATUS_OK ends the decoding and is passed on. */
typedef enum status http_sink(void *context, const char *bytes, size_t n);

/*
 * Feeds n bytes (any n, also 0); calls sink with what comes out, in pieces of at most 64 KiB.
 * Several gzip members in a row are one body (RFC 1952); garbage after the last is
 * STATUS_MALFORMED_CODING. Returns STATUS_OK, STATUS_MALFORMED_CODING, STATUS_TOO_LARGE,
 * STATUS_NO_MEMORY, or what sink returned.
 */
enum status http_decoder_feed(struct http_decoder *decoder, const char *bytes, size_t n,
			      http_sink *sink, void *context) MUST_CHECK;

/* The body has ended: STATUS_OK, or STATUS_MALFORMED_CODING when it ended too early. Passes on
 * the bytes that were held back to look for the magic bytes. */
enum status http_decoder_end(struct http_decoder *decoder, http_sink *sink,
			     void *context) MUST_CHECK;

void http_decoder_close(struct http_decoder *decoder); /* NULL is allowed */

/* ---- the answer ---- */

struct http_response {
	int status;		  /* HTTP status code */
	const char *content_type; /* NULL: no body */
	const char *allow;	  /* for 405 */
	int retry_after_s;	  /* 0: none */
	const char *headers;	  /* further header lines, each with its CRLF; NULL: none */
	struct buf body;	  /* released by http_response_free */
};

enum { HTTP_RESPONSE_BYTES_MAX = 64 << 20 };

struct http_response http_response_make(void);
void http_response_free(struct http_response *response);

/*
 * Makes the answer a problem (RFC 9457): type, title, status, detail, code, request_id. Any body
 * written so far is dropped; allow stays. detail may be NULL; it must not hold SQL, paths, hosts or
 * texts of libraries. type is "urn:sluice:problem:<code>".
 */
void http_problem(struct http_response *response, const struct http_request *request,
		  enum status status, const char *detail);

/* The same with a further member "errors": the text is a JSON array. */
void http_problem_with(struct http_response *response, const struct http_request *request,
		       enum status status, const char *detail, struct slice errors);

/*
 * Appends the CGI header block (RFC 3875 section 6.3): Status with a phrase, Content-Type,
 * Allow, Retry-After, X-Request-Id, Cache-Control: no-store, the further lines, and the empty
 * line. No Content-Length: the web server counts.
 */
void http_response_head(const struct http_response *response, const struct http_request *request,
			struct buf *out);

#endif
