/*
 * server/route.c - see server/route.h.
 */
#include "server/route.h"

#include <string.h>

#include "base/hex.h"
#include "base/stats.h"

/* A settings body may hold a template; a dry run's a payload as well; a replay's one of a single
 * request as a JSON string, within what the web servers let through. */
enum {
	SETTINGS_BODY_BYTES = 256 << 10,
	TRY_BODY_BYTES = (1 << 20) + (128 << 10),
	REPLAY_BODY_BYTES = (2 << 20) - (64 << 10)
};

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
#define READ(pattern, role, its_setting)                                                           \
	{                                                                                          \
		.path = "/api/settings/" pattern, .method = "GET", .program = ROUTE_SETTINGS,      \
		.authentication = role, .setting = its_setting                                     \
	}
#define CHANGE(pattern, role, its_setting, bytes)                                                  \
	{                                                                                          \
		.path = "/api/settings/" pattern, .method = "POST", .program = ROUTE_SETTINGS,     \
		.authentication = role, .setting = its_setting, .body_bytes = bytes                \
	}

/* Those of sluice-intake come first. */
static const struct route routes[] = {
	SIGNALS("/api/signal-staging/webhook/{key}", INTAKE_SINGLE),
	SIGNALS("/api/signal-staging/webhook/{key}/batch", INTAKE_BATCH),
	SIGNALS("/api/signal-staging/webhook/{source}/{key}", INTAKE_SINGLE),
	SIGNALS("/api/signal-staging/bulk/{key}", INTAKE_BULK),
	SIGNALS("/api/product-orgs/webhook/{key}", INTAKE_PRODUCT_ORGS),
	PUBLIC("/health", ROUTE_READY),
	PUBLIC("/health/live", ROUTE_LIVE),
	PUBLIC("/health/ready", ROUTE_READY),
	/* The web server must restrict it; the files in deploy/ allow its own host only. */
	PUBLIC("/metrics", ROUTE_METRICS),
	READ("me", ROUTE_VIEWER, ROUTE_ME),
	READ("keys", ROUTE_EDITOR, ROUTE_KEYS),
	CHANGE("keys", ROUTE_EDITOR, ROUTE_KEY_CREATE, SETTINGS_BODY_BYTES),
	CHANGE("find-key", ROUTE_EDITOR, ROUTE_KEY_FIND, SETTINGS_BODY_BYTES),
	READ("keys/{id}", ROUTE_EDITOR, ROUTE_KEY_SHOW),
	CHANGE("keys/{id}/edit", ROUTE_EDITOR, ROUTE_KEY_EDIT, SETTINGS_BODY_BYTES),
	CHANGE("keys/{id}/rotate", ROUTE_EDITOR, ROUTE_KEY_ROTATE, SETTINGS_BODY_BYTES),
	CHANGE("keys/{id}/secret", ROUTE_EDITOR, ROUTE_KEY_SECRET, SETTINGS_BODY_BYTES),
	READ("keys/{id}/history", ROUTE_EDITOR, ROUTE_KEY_HISTORY),
	READ("keys/{id}/refusals", ROUTE_EDITOR, ROUTE_KEY_REFUSALS),
	READ("keys/{id}/payload", ROUTE_EDITOR, ROUTE_KEY_PAYLOAD),
	CHANGE("keys/{id}/deactivate", ROUTE_EDITOR, ROUTE_KEY_DEACTIVATE, SETTINGS_BODY_BYTES),
	CHANGE("templates/try", ROUTE_EDITOR, ROUTE_TEMPLATE_TRY, TRY_BODY_BYTES),
	READ("members", ROUTE_EDITOR, ROUTE_MEMBERS),
	CHANGE("members", ROUTE_ADMIN, ROUTE_MEMBER_ADD, SETTINGS_BODY_BYTES),
	CHANGE("members/role", ROUTE_ADMIN, ROUTE_MEMBER_ROLE, SETTINGS_BODY_BYTES),
	/* Every member but the owner may leave. */
	CHANGE("members/remove", ROUTE_VIEWER, ROUTE_MEMBER_REMOVE, SETTINGS_BODY_BYTES),
	CHANGE("limit", ROUTE_OWNER, ROUTE_LIMIT, SETTINGS_BODY_BYTES),
	CHANGE("currency", ROUTE_OWNER, ROUTE_CURRENCY, SETTINGS_BODY_BYTES),
	READ("statistics", ROUTE_VIEWER, ROUTE_STATISTICS),
	READ("signals", ROUTE_VIEWER, ROUTE_LATEST_SIGNALS),
	READ("product-orgs", ROUTE_VIEWER, ROUTE_LATEST_PRODUCT_ORGS),
	READ("product-org-states", ROUTE_VIEWER, ROUTE_PRODUCT_ORG_STATES),
	READ("rejects", ROUTE_VIEWER, ROUTE_REJECTS),
	READ("rejects/{id}", ROUTE_EDITOR, ROUTE_REJECT),
	CHANGE("rejects/{id}/try", ROUTE_EDITOR, ROUTE_REJECT_TRY, REPLAY_BODY_BYTES),
	CHANGE("rejects/{id}/replay", ROUTE_EDITOR, ROUTE_REJECT_REPLAY, REPLAY_BODY_BYTES),
	CHANGE("rejects/{id}/discard", ROUTE_EDITOR, ROUTE_REJECT_DISCARD, SETTINGS_BODY_BYTES),
	READ("reject-kinds", ROUTE_VIEWER, ROUTE_REJECT_KINDS),
	CHANGE("replay-rejects", ROUTE_EDITOR, ROUTE_REJECTS_REPLAY, SETTINGS_BODY_BYTES),
	READ("usage", ROUTE_EDITOR, ROUTE_USAGE),
	READ("audit", ROUTE_EDITOR, ROUTE_AUDIT),
	READ("key-volumes", ROUTE_EDITOR, ROUTE_KEY_VOLUMES),
	READ("tokens", ROUTE_EDITOR, ROUTE_TOKENS),
	CHANGE("tokens", ROUTE_EDITOR, ROUTE_TOKEN_CREATE, SETTINGS_BODY_BYTES),
	CHANGE("tokens/{id}/revoke", ROUTE_EDITOR, ROUTE_TOKEN_REVOKE, SETTINGS_BODY_BYTES),
};

/* ---- counting ---- */

enum { INTAKE_ROUTES = 9 };
_Static_assert((int)INTAKE_ROUTES < (int)STATS_ROUTES, "each route has a number");

unsigned route_number(const struct route *route)
{
	return route == NULL ? 0 : 1 + (unsigned)(route - routes);
}

const char *route_counted(unsigned number)
{
	if (number == 0)
		return "none";
	return number <= INTAKE_ROUTES ? routes[number - 1].path : NULL;
}

bool route_is_webhook(unsigned number)
{
	return number > 0 && number <= INTAKE_ROUTES && routes[number - 1].action == ROUTE_SIGNALS;
}

bool route_is_bulk(unsigned number)
{
	return route_is_webhook(number) && routes[number - 1].kind == INTAKE_BULK;
}

/* ---- finding ---- */

enum { SEGMENTS_MAX = 8, PATH_BYTES_MAX = 2048 };

/* Decodes one segment; false for a bad escape and for bytes that no route has. */
static bool decode_segment(struct slice raw, char *out, struct slice *segment)
{
	size_t n = 0;

	for (size_t i = 0; i < raw.n;) {
		int c = hex_unescape(raw, &i);
		if (c <= ' ' || c >= 0x7f || c == '/' || c == '\\')
			return false;
		out[n++] = (char)c;
	}
	*segment = (struct slice){out, n};
	return n > 0 && !slice_equal(*segment, SLICE(".")) && !slice_equal(*segment, SLICE(".."));
}

static bool take_prefix(struct slice *text, struct slice prefix)
{
	struct slice head = {text->p, text->n < prefix.n ? text->n : prefix.n};

	if (!slice_equal_nocase(head, prefix))
		return false;
	*text = (struct slice){text->p + prefix.n, text->n - prefix.n};
	return true;
}

/* The path of a target in origin or absolute form (RFC 9112 section 3.2). Of the latter the host is
 * ignored, as it is in the Host header. */
static struct slice path_of(struct slice target)
{
	const char *query = target.n == 0 ? NULL : memchr(target.p, '?', target.n);

	if (query != NULL)
		target.n = (size_t)(query - target.p);
	if (target.n == 0 || *target.p == '/')
		return target;
	if (take_prefix(&target, SLICE("http://")) || take_prefix(&target, SLICE("https://"))) {
		while (target.n > 0 && *target.p != '/')
			target = (struct slice){target.p + 1, target.n - 1};
	}
	return target;
}

/* The path of public_url, without slashes at its end. */
static struct slice base_path(struct slice url)
{
	struct slice path = path_of(url);

	/* Without a scheme there is no telling the host from the path. */
	if (path.p == url.p)
		return SLICE_ABSENT;
	while (path.n > 0 && path.p[path.n - 1] == '/')
		path.n--;
	return path;
}

struct slice route_target(struct slice target, const char *public_url)
{
	struct slice path = path_of(target), base = base_path(slice_of(public_url));

	if (base.n > 0 && slice_starts(path, base) && path.n > base.n && path.p[base.n] == '/')
		return (struct slice){path.p + base.n, path.n - base.n};
	return path;
}

/* Splits a path into decoded segments; -1 if it is not a plain path. */
static int split(struct slice path, char *room, struct slice segments[SEGMENTS_MAX])
{
	size_t left = path.n;
	const char *p = path.p;
	int count = 0;

	while (left > 0) {
		if (*p != '/')
			return -1;
		p++, left--;
		if (left == 0) /* a trailing slash */
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

/* With key_prefixed a key must begin with sk_; then no two routes match the same path. */
static bool matches(const struct route *route, const struct slice *segments, int count,
		    bool key_prefixed, struct route_match *match)
{
	const char *pattern = route->path;

	/* The web server passes these on under a name of ours, not one that a site may have. */
	if (route->authentication == ROUTE_PUBLIC && count > 1 &&
	    slice_equal(segments[0], SLICE("sluice")))
		segments++, count--;
	match->key = match->source = match->id = SLICE_ABSENT;
	for (int i = 0; i < count; i++) {
		if (*pattern != '/')
			return false;
		const char *name = ++pattern;
		pattern += strcspn(pattern, "/");
		struct slice part = {name, (size_t)(pattern - name)};
		if (slice_equal(part, SLICE("{key}"))) {
			if (key_prefixed && !slice_starts(segments[i], SLICE("sk_")))
				return false;
			match->key = segments[i];
		} else if (slice_equal(part, SLICE("{source}"))) {
			/* A key in the place of a source must not be stored as one. */
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

/* Monitors ask with HEAD, too. The web server leaves the body out. */
static bool answers_head(const struct route *route)
{
	return route->authentication == ROUTE_PUBLIC;
}

/* A path has two rows only if both methods are allowed. */
static const char *allow_of(const struct route *route)
{
	if (answers_head(route))
		return "GET, HEAD";
	for (size_t i = 0; i < ARRAY_LENGTH(routes); i++) {
		if (&routes[i] != route && routes[i].program == route->program &&
		    strcmp(routes[i].path, route->path) == 0)
			return "GET, POST";
	}
	return route->method;
}

static bool allows(const struct route *route, struct slice method)
{
	return slice_equal(method, slice_of(route->method)) ||
	       (answers_head(route) && slice_equal(method, SLICE("HEAD")));
}

/* Finds the row for path and method. False if there is none; match is then the first row for the
 * path alone, as it would be with the right method, or empty. */
static bool search(const struct slice *segments, int count, bool key_prefixed,
		   enum route_program program, struct slice method, struct route_match *match)
{
	struct route_match other = {0};

	for (size_t i = 0; i < ARRAY_LENGTH(routes); i++) {
		if (routes[i].program != program ||
		    !matches(&routes[i], segments, count, key_prefixed, match))
			continue;
		if (allows(&routes[i], method))
			return true;
		if (other.route == NULL)
			other = *match;
	}
	*match = other;
	return false;
}

enum status route_find(struct arena *arena, enum route_program program, struct slice method,
		       struct slice target, struct route_match *match)
{
	struct slice segments[SEGMENTS_MAX];
	struct slice path = path_of(target);

	*match = (struct route_match){0};
	if (path.n > PATH_BYTES_MAX)
		return STATUS_NOT_FOUND;
	char *room = arena_alloc(arena, path.n + 1);
	if (room == NULL)
		return STATUS_NO_MEMORY;
	int count = split(path, room, segments);
	if (count <= 0)
		return STATUS_NOT_FOUND;
	for (int key_prefixed = 1; key_prefixed >= 0; key_prefixed--) {
		if (search(segments, count, key_prefixed != 0, program, method, match))
			return STATUS_OK;
		if (match->route != NULL) {
			match->allow = allow_of(match->route);
			return STATUS_METHOD_NOT_ALLOWED;
		}
	}
	return STATUS_NOT_FOUND;
}
