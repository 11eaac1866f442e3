/*
 * http/media.c - see http/media.h.
 */
#include "http/media.h"

#include <string.h>

#include "http/header.h"

static bool charset_is_read(struct slice charset)
{
	return slice_equal_nocase(charset, SLICE("utf-8")) ||
	       slice_equal_nocase(charset, SLICE("utf8")) ||
	       slice_equal_nocase(charset, SLICE("us-ascii"));
}

/* False if a parameter is malformed, or a charset that is not supported. */
static bool parameters_are_read(struct slice text)
{
	while (text.n > 0) {
		char unquoted[16];
		struct slice value;
		const char *equals = memchr(text.p, '=', text.n);
		const char *semicolon = memchr(text.p, ';', text.n);
		if (equals == NULL || (semicolon != NULL && semicolon < equals)) {
			(void)slice_take(&text, ';');
			continue;
		}
		struct slice name = slice_take(&text, '=');
		if (!http_header_take_value(&text, ';', unquoted, sizeof(unquoted), &value))
			return false;
		if (slice_equal_nocase(name, SLICE("charset")) && !charset_is_read(value))
			return false;
	}
	return true;
}

static bool has_json_suffix(struct slice type)
{
	static const struct slice suffix = {"+json", 5};

	return type.n > suffix.n &&
	       slice_equal_nocase((struct slice){type.p + type.n - suffix.n, suffix.n}, suffix);
}

enum http_media http_media(const struct http_request *request)
{
	static const struct {
		const char *type;
		enum http_media media;
	} types[] = {
		{"application/json", HTTP_MEDIA_JSON},
		{"text/json", HTTP_MEDIA_JSON},
		{"application/x-ndjson", HTTP_MEDIA_NDJSON},
		{"application/ndjson", HTTP_MEDIA_NDJSON},
		{"application/jsonl", HTTP_MEDIA_NDJSON},
		{"application/x-jsonlines", HTTP_MEDIA_NDJSON},
		{"application/x-www-form-urlencoded", HTTP_MEDIA_FORM},
		{"multipart/form-data", HTTP_MEDIA_MULTIPART},
	};
	struct slice text;

	(void)http_header(request, "CONTENT_TYPE", &text);
	struct slice type = slice_take(&text, ';');
	type = slice_take(&type, ',');
	if (type.n == 0)
		return HTTP_MEDIA_NONE;
	for (size_t i = 0; i < ARRAY_LENGTH(types); i++) {
		if (slice_equal_nocase(type, slice_of(types[i].type)))
			return types[i].media;
	}
	return has_json_suffix(type) ? HTTP_MEDIA_SUFFIX : HTTP_MEDIA_OTHER;
}

struct slice http_boundary(const struct http_request *request, char out[HTTP_BOUNDARY_MAX])
{
	struct slice text, value;

	(void)http_header(request, "CONTENT_TYPE", &text);
	(void)slice_take(&text, ';');
	while (text.n > 0) {
		struct slice name = slice_take(&text, '=');
		if (!http_header_take_value(&text, ';', out, HTTP_BOUNDARY_MAX, &value))
			break;
		if (slice_equal_nocase(name, SLICE("boundary")) && value.n > 0 &&
		    value.n <= HTTP_BOUNDARY_MAX)
			return value;
	}
	return SLICE_ABSENT;
}

bool http_type_is(const struct http_request *request, const char *type)
{
	struct slice text;

	if (http_header(request, "CONTENT_TYPE", &text) != 1)
		return false;
	struct slice given = slice_take(&text, ';');
	return slice_equal_nocase(given, slice_of(type)) && parameters_are_read(text);
}
