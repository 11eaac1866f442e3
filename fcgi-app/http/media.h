/*
 * http/media.h - the media type of a body.
 */
#ifndef HTTP_MEDIA_H
#define HTTP_MEDIA_H

#include "http/request.h"

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

#endif
