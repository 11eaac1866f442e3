/*
 * http/media.h - the media type of a body: what its label says. What the bytes say comes first
 * (intake/form).
 */
#ifndef HTTP_MEDIA_H
#define HTTP_MEDIA_H

#include "http/request.h"

enum http_media {
	HTTP_MEDIA_NONE,      /* there is no label */
	HTTP_MEDIA_JSON,      /* application/json, text/json */
	HTTP_MEDIA_SUFFIX,    /* anything+json */
	HTTP_MEDIA_NDJSON,    /* application/x-ndjson, application/ndjson, application/jsonl, … */
	HTTP_MEDIA_FORM,      /* application/x-www-form-urlencoded */
	HTTP_MEDIA_MULTIPART, /* multipart/form-data */
	HTTP_MEDIA_OTHER
};

/* The type that Content-Type names; the first one of a list, and of repeated headers. */
enum http_media http_media(const struct http_request *request);

/* The boundary of a multipart body (RFC 2046 section 5.1.1), of which as much as fits is written to
 * out; absent if Content-Type names none. */
enum { HTTP_BOUNDARY_MAX = 70 };
struct slice http_boundary(const struct http_request *request, char out[HTTP_BOUNDARY_MAX]);

/* True if Content-Type is given once, is this type, and names no charset but utf-8, utf8 or
 * us-ascii. */
bool http_type_is(const struct http_request *request, const char *type);

#endif
