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
			(void)http_header_take(&text, ';');
			continue;
		}
		struct slice name = http_header_take(&text, '=');
		if (!http_header_take_value(&text, ';', unquoted, sizeof(unquoted), &value))
			return false;
		if (slice_equal_nocase(name, SLICE("charset")) && !charset_is_read(value))
			return false;
	}
	return true;
}

/* application/<x>+json */
static bool has_json_suffix(struct slice type)
{
	static const struct slice prefix = {"application/", 12};
	static const struct slice suffix = {"+json", 5};

	return type.n > prefix.n + suffix.n &&
	       slice_equal_nocase((struct slice){type.p, prefix.n}, prefix) &&
	       slice_equal_nocase((struct slice){type.p + type.n - suffix.n, suffix.n}, suffix);
}

static bool type_media(struct slice type, enum http_media *media)
{
	static const struct {
		const char *type;
		enum http_media media;
	} types[] = {
		{"", HTTP_MEDIA_JSON},
		{"application/json", HTTP_MEDIA_JSON},
		{"text/plain", HTTP_MEDIA_JSON},
		{"application/x-www-form-urlencoded", HTTP_MEDIA_JSON},
		{"application/x-ndjson", HTTP_MEDIA_NDJSON},
		{"application/ndjson", HTTP_MEDIA_NDJSON},
		{"application/jsonl", HTTP_MEDIA_NDJSON},
	};

	for (size_t i = 0; i < ARRAY_LENGTH(types); i++) {
		if (slice_equal_nocase(type, slice_of(types[i].type))) {
			*media = types[i].media;
			return true;
		}
	}
	*media = HTTP_MEDIA_JSON;
	return has_json_suffix(type);
}

enum status http_media(const struct http_request *request, enum http_media *media)
{
	struct slice text;

	(void)http_header(request, "CONTENT_TYPE", &text);
	struct slice type = http_header_take(&text, ';');
	if (!type_media(type, media) || !parameters_are_read(text))
		return STATUS_UNSUPPORTED_MEDIA_TYPE;
	return STATUS_OK;
}

bool http_type_is(const struct http_request *request, const char *type)
{
	struct slice text;

	if (http_header(request, "CONTENT_TYPE", &text) != 1)
		return false;
	struct slice given = http_header_take(&text, ';');
	return slice_equal_nocase(given, slice_of(type)) && parameters_are_read(text);
}
