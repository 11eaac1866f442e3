/*
 * http/media.h - the media type of a body.
 */
#ifndef HTTP_MEDIA_H
#define HTTP_MEDIA_H

#include "http/request.h"

enum http_media { HTTP_MEDIA_JSON, HTTP_MEDIA_NDJSON };

/*
 * Reads Content-Type (CONTRACT.md, section 2). JSON: application/json, application/<x>+json,
 * text/plain, application/x-www-form-urlencoded or none; NDJSON: application/x-ndjson,
 * application/jsonl, application/ndjson; all with any parameters but a charset other than utf-8,
 * utf8 or us-ascii. STATUS_OK, or STATUS_UNSUPPORTED_MEDIA_TYPE for everything else.
 */
enum status http_media(const struct http_request *request, enum http_media *media) MUST_CHECK;

/* True if Content-Type is given once, is this type, and has no charset but those above. */
bool http_type_is(const struct http_request *request, const char *type);

#endif
