/*
 * route.c - the route table and its dispatcher. See route.h.
 */
#include "route.h"

#include <string.h>

static const struct route routes[] = {
	{"/api/signal-staging/webhook/{key}", "POST", ROUTE_KEY, ROUTE_SIGNALS, INTAKE_SINGLE},
	{"/api/signal-staging/webhook/{key}/batch", "POST", ROUTE_KEY, ROUTE_SIGNALS, INTAKE_BATCH},
	{"/api/signal-staging/webhook/{source}/{key}", "POST", ROUTE_KEY, ROUTE_SIGNALS,
	 INTAKE_SINGLE},
	{"/api/signal-staging/bulk/{key}", "POST", ROUTE_KEY, ROUTE_SIGNALS, INTAKE_BULK},
	{"/api/product-orgs/webhook/{key}", "POST", ROUTE_KEY, ROUTE_SIGNALS, INTAKE_PRODUCT_ORGS},
	{"/health", "GET", ROUTE_PUBLIC, ROUTE_HEALTH, INTAKE_SINGLE},
	/* Web servers pass it on from their own host only. */
	{"/metrics", "GET", ROUTE_PUBLIC, ROUTE_METRICS, INTAKE_SINGLE},
};

enum { SEGMENTS_MAX = 8, TARGET_BYTES_MAX = 2048 };

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* Decodes one segment; false for a bad escape and for bytes that no path of ours holds. */
static bool decode_segment(struct slice raw, char *out, struct slice *segment)
{
	size_t n = 0;

	for (size_t i = 0; i < raw.n; i++) {
		char c = raw.p[i];
		if (c == '%') {
			int high = raw.n - i > 2 ? hex_digit(raw.p[i + 1]) : -1;
			int low = raw.n - i > 2 ? hex_digit(raw.p[i + 2]) : -1;
			if (high < 0 || low < 0)
				return false;
			c = (char)(high << 4 | low);
			i += 2;
		}
		/* Beyond ASCII, too: whether char is signed is the machine's affair. */
		if ((unsigned char)c <= ' ' || (unsigned char)c >= 0x7f || c == '/' || c == '\\')
			return false;
		out[n++] = c;
	}
	*segment = (struct slice){out, n};
	return n > 0 && !slice_equal(*segment, SLICE(".")) && !slice_equal(*segment, SLICE(".."));
}

/* Splits the target's path into decoded segments; -1 when it is not a plain path. */
static int split(struct slice target, char *room, struct slice segments[SEGMENTS_MAX])
{
	const char *query = target.n == 0 ? NULL : memchr(target.p, '?', target.n);
	size_t left = query == NULL ? target.n : (size_t)(query - target.p);
	const char *p = target.p;
	int count = 0;

	while (left > 0) {
		if (*p != '/')
			return -1;
		p++, left--;
		if (left == 0) /* the trailing slash */
			return count;
		const char *end = memchr(p, '/', left);
		size_t n = end == NULL ? left : (size_t)(end - p);
		if (count == SEGMENTS_MAX ||
		    !decode_segment((struct slice){p, n}, room, &segments[count]))
			return -1;
		room += n;
		count++;
		p += n, left -= n;
	}
	return count;
}

/* With sure_key a key must look like one: then no two routes match the same path. */
static bool matches(const struct route *route, const struct slice *segments, int count,
		    bool sure_key, struct route_match *match)
{
	const char *pattern = route->path;

	match->key = match->source = (struct slice){NULL, 0};
	for (int i = 0; i < count; i++) {
		if (*pattern != '/')
			return false;
		const char *name = ++pattern;
		pattern += strcspn(pattern, "/");
		struct slice part = {name, (size_t)(pattern - name)};
		if (slice_equal(part, SLICE("{key}"))) {
			if (sure_key && !slice_starts(segments[i], SLICE("sk_")))
				return false;
			match->key = segments[i];
		} else if (slice_equal(part, SLICE("{source}"))) {
			/* A key in a source's place must not be stored as one. */
			if (slice_starts(segments[i], SLICE("sk_")))
				return false;
			match->source = segments[i];
		} else if (!slice_equal(part, segments[i])) {
			return false;
		}
	}
	match->route = route;
	return *pattern == '\0';
}

static bool search(const struct slice *segments, int count, bool sure_key,
		   struct route_match *match)
{
	for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
		if (matches(&routes[i], segments, count, sure_key, match))
			return true;
	}
	match->route = NULL;
	return false;
}

enum status route_find(struct arena *arena, struct slice method, struct slice target,
		       struct route_match *match)
{
	struct slice segments[SEGMENTS_MAX];

	*match = (struct route_match){0};
	if (target.n > TARGET_BYTES_MAX)
		return STATUS_NOT_FOUND;
	char *room = arena_alloc(arena, target.n + 1);
	if (room == NULL)
		return STATUS_NO_MEMORY;
	int count = split(target, room, segments);
	if (count <= 0)
		return STATUS_NOT_FOUND;
	if (!search(segments, count, true, match) && !search(segments, count, false, match))
		return STATUS_NOT_FOUND;
	if (!slice_equal(method, slice_of(match->route->method)))
		return STATUS_METHOD_NOT_ALLOWED;
	return STATUS_OK;
}
