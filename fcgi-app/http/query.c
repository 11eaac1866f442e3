/*
 * http/query.c - see http/query.h.
 */
#include "http/query.h"

#include <string.h>

#include "base/ascii.h"
#include "base/hex.h"
#include "base/utf8.h"
#include "http/header.h"

/* Decodes into out, which has room for the text; false for a bad escape. */
static bool decode(struct slice text, char *out, size_t *n)
{
	*n = 0;
	for (size_t i = 0; i < text.n;) {
		bool blank = text.p[i] == '+';
		int c = hex_unescape(text, &i);
		if (c < 0)
			return false;
		out[(*n)++] = blank ? ' ' : (char)c;
	}
	return true;
}

static bool is_text(struct slice text)
{
	for (size_t bytes; text.n > 0; text = (struct slice){text.p + bytes, text.n - bytes}) {
		uint32_t point = 0;
		bytes = utf8_decode(text, &point);
		if (bytes == 0 || point == 0)
			return false;
	}
	return true;
}

/* Takes the text before the separator, and the separator, off a text. */
static struct slice take(struct slice *text, char separator)
{
	const char *end = text->n == 0 ? NULL : memchr(text->p, separator, text->n);
	struct slice part = {text->p, end == NULL ? text->n : (size_t)(end - text->p)};
	size_t used = end == NULL ? text->n : part.n + 1;

	*text = (struct slice){text->p + used, text->n - used};
	return part;
}

struct slice http_query_text(const struct http_request *request)
{
	struct slice rest = request->target;

	(void)take(&rest, '?');
	return rest;
}

bool http_query_next(struct slice *rest, struct slice *name)
{
	*name = SLICE("");
	while (rest->n > 0 && name->n == 0) {
		struct slice pair = take(rest, '&');
		*name = take(&pair, '=');
	}
	return name->n > 0;
}

enum status http_query(const struct http_request *request, struct arena *arena, const char *name,
		       struct slice *value)
{
	struct slice rest = http_query_text(request);

	*value = SLICE_ABSENT;
	while (rest.n > 0) {
		struct slice pair = take(&rest, '&');
		if (!slice_equal(take(&pair, '='), slice_of(name)))
			continue;
		char *text = arena_alloc(arena, pair.n + 1);
		if (text == NULL)
			return STATUS_NO_MEMORY;
		if (value->p != NULL || !decode(pair, text, &value->n) ||
		    !is_text((struct slice){text, value->n}))
			return STATUS_INVALID_REQUEST;
		value->p = text;
	}
	return STATUS_OK;
}

/* ---- the own origin ---- */

static bool is_one_of(char c, const char *more)
{
	return ascii_is_alnum(c) || (c != '\0' && strchr(more, c) != NULL);
}

/* A host name, an IPv4 address, or an IPv6 address in brackets, with or without a port. */
static bool is_host(struct slice host)
{
	size_t i = 0;

	if (host.n == 0 || host.n > 255)
		return false;
	if (host.p[0] == '[') {
		for (i = 1; i < host.n && is_one_of(host.p[i], ":."); i++)
			;
		if (i == 1 || i == host.n || host.p[i] != ']')
			return false;
		i++;
	} else {
		while (i < host.n && is_one_of(host.p[i], "-._"))
			i++;
	}
	if (i == host.n)
		return true;
	size_t digits = host.n - i - 1;
	if (i == 0 || host.p[i] != ':' || digits == 0 || digits > 5)
		return false;
	for (i++; i < host.n; i++) {
		if (!ascii_is_digit(host.p[i]))
			return false;
	}
	return true;
}

static bool is_secure(const struct http_request *request)
{
	struct slice text;

	if (http_header(request, "REQUEST_SCHEME", &text) == 1)
		return slice_equal(text, SLICE("https"));
	return http_header(request, "HTTPS", &text) == 1 && slice_equal_nocase(text, SLICE("on"));
}

bool http_own_origin(const struct http_request *request, struct buf *out)
{
	struct slice host;

	if (http_header(request, "HTTP_HOST", &host) != 1 || !is_host(host))
		return false;
	buf_add_text(out, is_secure(request) ? "https://" : "http://");
	buf_add_slice(out, host);
	return true;
}
