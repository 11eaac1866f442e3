/*
 * server/route.c - the route table and its dispatcher. See server/route.h.
 */
#include "server/route.h"

#include <string.h>

#include "base/hex.h"

/* A settings body holds a template; a dry run's a payload, too. */
enum { SETTINGS_BODY_BYTES = 256 << 10, TRY_BODY_BYTES = (1 << 20) + (128 << 10) };

#define SIGNALS(pattern, its_kind)                                                                 \
	{                                                                                          \
		.path = pattern, .method = "POST", .program = ROUTE_INTAKE,                        \
		.authentication = ROUTE_KEY, .action = ROUTE_SIGNALS, .kind = its_kind             \
	}
#define PUBLIC(pattern, its_action)                                                                \
	{                                                                                          \
		.path = pattern, .method = "GET", .program = ROUTE_INTAKE,                         \
		.authentication = ROUTE_PUBLIC, .action = its_action                               \
	}
#define LOOK(pattern, role, its_question)                                                          \
	{                                                                                          \
		.path = "/api/settings/" pattern, .method = "GET", .program = ROUTE_SETTINGS,      \
		.authentication = role, .question = its_question                                   \
	}
#define CHANGE(pattern, role, its_question, bytes)                                                 \
	{                                                                                          \
		.path = "/api/settings/" pattern, .method = "POST", .program = ROUTE_SETTINGS,     \
		.authentication = role, .question = its_question, .body_bytes = bytes              \
	}

static const struct route routes[] = {
	SIGNALS("/api/signal-staging/webhook/{key}", INTAKE_SINGLE),
	SIGNALS("/api/signal-staging/webhook/{key}/batch", INTAKE_BATCH),
	SIGNALS("/api/signal-staging/webhook/{source}/{key}", INTAKE_SINGLE),
	SIGNALS("/api/signal-staging/bulk/{key}", INTAKE_BULK),
	SIGNALS("/api/product-orgs/webhook/{key}", INTAKE_PRODUCT_ORGS),
	PUBLIC("/health", ROUTE_HEALTH),
	/* Web servers pass it on from their own host only. */
	PUBLIC("/metrics", ROUTE_METRICS),
	LOOK("me", ROUTE_VIEWER, ROUTE_ME),
	LOOK("keys", ROUTE_EDITOR, ROUTE_KEYS),
	CHANGE("keys", ROUTE_EDITOR, ROUTE_KEY_CREATE, SETTINGS_BODY_BYTES),
	LOOK("keys/{id}", ROUTE_EDITOR, ROUTE_KEY_SHOW),
	CHANGE("keys/{id}/deactivate", ROUTE_EDITOR, ROUTE_KEY_DEACTIVATE, SETTINGS_BODY_BYTES),
	CHANGE("templates/try", ROUTE_EDITOR, ROUTE_TEMPLATE_TRY, TRY_BODY_BYTES),
	LOOK("statistics", ROUTE_VIEWER, ROUTE_STATISTICS),
	LOOK("signals", ROUTE_VIEWER, ROUTE_LATEST_SIGNALS),
	LOOK("product-orgs", ROUTE_VIEWER, ROUTE_LATEST_PRODUCT_ORGS),
	LOOK("rejects", ROUTE_VIEWER, ROUTE_REJECTS),
	LOOK("usage", ROUTE_EDITOR, ROUTE_USAGE),
	LOOK("audit", ROUTE_EDITOR, ROUTE_AUDIT),
};

enum { SEGMENTS_MAX = 8, TARGET_BYTES_MAX = 2048 };

/* Decodes one segment; false for a bad escape and for bytes that no path of ours holds. */
static bool decode_segment(struct slice raw, char *out, struct slice *segment)
{
	size_t n = 0;

	for (size_t i = 0; i < raw.n; i++) {
		char c = raw.p[i];
		if (c == '%') {
			int escaped = hex_escaped(raw, i);
			if (escaped < 0)
				return false;
			c = (char)escaped;
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

	match->key = match->source = match->id = (struct slice){NULL, 0};
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
		} else if (slice_equal(part, SLICE("{id}"))) {
			match->id = segments[i];
		} else if (!slice_equal(part, segments[i])) {
			return false;
		}
	}
	match->route = route;
	return *pattern == '\0';
}

/* The same path with both methods is the only case of two rows for one path. */
static const char *allow_of(const struct route *route)
{
	for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
		if (&routes[i] != route && routes[i].program == route->program &&
		    strcmp(routes[i].path, route->path) == 0)
			return "GET, POST";
	}
	return route->method;
}

/* The row of the path and method; else one of the path, and false. */
static bool search(const struct slice *segments, int count, bool sure_key,
		   enum route_program program, struct slice method, struct route_match *match)
{
	struct route_match other = {0};

	for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
		if (routes[i].program != program ||
		    !matches(&routes[i], segments, count, sure_key, match))
			continue;
		if (slice_equal(method, slice_of(routes[i].method)))
			return true;
		other = *match;
	}
	*match = other;
	return false;
}

enum status route_find(struct arena *arena, enum route_program program, struct slice method,
		       struct slice target, struct route_match *match)
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
	for (int sure_key = 1; sure_key >= 0; sure_key--) {
		if (search(segments, count, sure_key != 0, program, method, match))
			return STATUS_OK;
		if (match->route != NULL) {
			match->allow = allow_of(match->route);
			return STATUS_METHOD_NOT_ALLOWED;
		}
	}
	return STATUS_NOT_FOUND;
}
