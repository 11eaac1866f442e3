/*
 * test_route.c - every route, and every way not to be one.
 */
#include <string.h>

#include "check_main.h"
#include "server/route.h"

enum { PATH_MAX_BYTES = 2048, SEGMENTS_MAX = 8 };

#define WEBHOOK "/api/signal-staging/webhook/"
#define BULK	"/api/signal-staging/bulk/"
#define ORGS	"/api/product-orgs/webhook/"

struct row {
	const char *target;
	enum status status;
	const char *path; /* of the route; NULL: none */
	const char *key, *source;
};

static void check(const struct row *row, const char *method)
{
	struct arena arena = {0};
	struct route_match match;
	enum status status =
		route_find(&arena, ROUTE_INTAKE, slice_of(method), slice_of(row->target), &match);

	ck_assert_msg(status == row->status, "%s %s: %s, not %s", method, row->target,
		      status_name(status), status_name(row->status));
	if (row->path == NULL) {
		ck_assert_ptr_null(match.route);
	} else {
		ck_assert_ptr_nonnull(match.route);
		ck_assert_str_eq(match.route->path, row->path);
		ck_assert_msg(slice_equal(match.key, slice_of(row->key)), "key of %s", row->target);
		ck_assert_msg(slice_equal(match.source, slice_of(row->source)), "source of %s",
			      row->target);
		ck_assert_ptr_eq(match.source.p == NULL ? NULL : row->source, row->source);
	}
	arena_free(&arena);
}

/* ---- paths with a route ---- */

#define ONE	  WEBHOOK "{key}"
#define BATCH	  WEBHOOK "{key}/batch"
#define SOURCE	  WEBHOOK "{source}/{key}"
#define BULK_PATH BULK "{key}"

static const struct row good[] = {
	{WEBHOOK "sk_a", STATUS_OK, ONE, "sk_a", NULL},
	{WEBHOOK "sk_a/", STATUS_OK, ONE, "sk_a", NULL},
	{WEBHOOK "sk_a?", STATUS_OK, ONE, "sk_a", NULL},
	{WEBHOOK "sk_a/?", STATUS_OK, ONE, "sk_a", NULL},
	{WEBHOOK "sk_a?x=1&y=/%00%zz/../", STATUS_OK, ONE, "sk_a", NULL},
	{WEBHOOK "sk_a?batch", STATUS_OK, ONE, "sk_a", NULL},
	{WEBHOOK "sk_a??", STATUS_OK, ONE, "sk_a", NULL},
	{WEBHOOK "sk_a/batch", STATUS_OK, BATCH, "sk_a", NULL},
	{WEBHOOK "sk_a/batch/", STATUS_OK, BATCH, "sk_a", NULL},
	{WEBHOOK "web/sk_a", STATUS_OK, SOURCE, "sk_a", "web"},
	{WEBHOOK "web/sk_a/", STATUS_OK, SOURCE, "sk_a", "web"},
	{WEBHOOK "web/sk_a/?q", STATUS_OK, SOURCE, "sk_a", "web"},
	{BULK "sk_a", STATUS_OK, BULK_PATH, "sk_a", NULL},
	{BULK "sk_a/", STATUS_OK, BULK_PATH, "sk_a", NULL},
	{ORGS "sk_a", STATUS_OK, ORGS "{key}", "sk_a", NULL},
	{ORGS "sk_a/?x", STATUS_OK, ORGS "{key}", "sk_a", NULL},
	{ORGS "sk_a/batch", STATUS_NOT_FOUND, NULL, NULL, NULL},
	{ORGS "web/sk_a", STATUS_NOT_FOUND, NULL, NULL, NULL},
	{"/api/product-orgs/bulk/sk_a", STATUS_NOT_FOUND, NULL, NULL, NULL},
	/* In absolute form (RFC 9112 section 3.2.2), whatever the host. */
	{"http://example.com" WEBHOOK "sk_a", STATUS_OK, ONE, "sk_a", NULL},
	{"HTTPS://user@[::1]:8443" WEBHOOK "web/sk_a/?http://", STATUS_OK, SOURCE, "sk_a", "web"},
	{"http://" WEBHOOK "sk_a/batch", STATUS_OK, BATCH, "sk_a", NULL},
	/* Whether a segment is a valid key or source is checked later. */
	{WEBHOOK "no-key", STATUS_OK, ONE, "no-key", NULL},
	{WEBHOOK "sk_", STATUS_OK, ONE, "sk_", NULL},
	{WEBHOOK "SK_a", STATUS_OK, ONE, "SK_a", NULL},
	{WEBHOOK "no-key/batch", STATUS_OK, BATCH, "no-key", NULL},
	{WEBHOOK "web/no-key", STATUS_OK, SOURCE, "no-key", "web"},
	{WEBHOOK "a..b/sk_a", STATUS_OK, SOURCE, "sk_a", "a..b"},
	{WEBHOOK ".../sk_a", STATUS_OK, SOURCE, "sk_a", "..."},
	{WEBHOOK "\xc3\xa4/sk_a", STATUS_NOT_FOUND, NULL, NULL, NULL},
	{BULK "no-key", STATUS_OK, BULK_PATH, "no-key", NULL},
	/* A key is recognised by its prefix, in either place. */
	{WEBHOOK "batch/sk_a", STATUS_OK, SOURCE, "sk_a", "batch"},
	{WEBHOOK "sk_/batch", STATUS_OK, BATCH, "sk_", NULL},
	{WEBHOOK "batch/batch", STATUS_OK, BATCH, "batch", NULL},
	{WEBHOOK "batch", STATUS_OK, ONE, "batch", NULL},
	/* Decoded once. */
	{WEBHOOK "%73k_a", STATUS_OK, ONE, "sk_a", NULL},
	{WEBHOOK "%73%6B%5f%61", STATUS_OK, ONE, "sk_a", NULL},
	{WEBHOOK "sk_a/%62atch", STATUS_OK, BATCH, "sk_a", NULL},
	{"/%61pi/signal%2dstaging/webhook/sk_a", STATUS_OK, ONE, "sk_a", NULL},
	{WEBHOOK "w%65b/sk_a", STATUS_OK, SOURCE, "sk_a", "web"},
	{WEBHOOK "%2541/sk_a", STATUS_OK, SOURCE, "sk_a", "%41"},
	{WEBHOOK "%3F/sk_a", STATUS_OK, SOURCE, "sk_a", "?"},
};

START_TEST(a_path_has_one_route)
{
	check(&good[_i], "POST");
}
END_TEST

START_TEST(health_is_a_route)
{
	static const struct row rows[] = {
		{"/health", STATUS_OK, "/health", NULL, NULL},
		{"/health/", STATUS_OK, "/health", NULL, NULL},
		{"/health?deep", STATUS_OK, "/health", NULL, NULL},
		{"/health/live", STATUS_OK, "/health/live", NULL, NULL},
		{"/health/ready/", STATUS_OK, "/health/ready", NULL, NULL},
	};

	for (int i = 0; i < LENGTH(rows); i++)
		check(&rows[i], "GET");
}
END_TEST

START_TEST(metrics_are_a_route)
{
	static const struct row rows[] = {
		{"/metrics", STATUS_OK, "/metrics", NULL, NULL},
		{"/metrics/", STATUS_OK, "/metrics", NULL, NULL},
		{"/metrics?name[]=up", STATUS_OK, "/metrics", NULL, NULL},
		{"/%6detrics", STATUS_OK, "/metrics", NULL, NULL},
	};

	for (int i = 0; i < LENGTH(rows); i++)
		check(&rows[i], "GET");
}
END_TEST

START_TEST(a_route_knows_its_handler)
{
	static const struct {
		const char *target;
		const char *method;
		enum route_authentication authentication;
		enum route_action action;
		enum intake_kind kind;
	} rows[] = {
		{WEBHOOK "sk_a", "POST", ROUTE_KEY, ROUTE_SIGNALS, INTAKE_SINGLE},
		{WEBHOOK "s/sk_a", "POST", ROUTE_KEY, ROUTE_SIGNALS, INTAKE_SINGLE},
		{WEBHOOK "sk_a/batch", "POST", ROUTE_KEY, ROUTE_SIGNALS, INTAKE_BATCH},
		{BULK "sk_a", "POST", ROUTE_KEY, ROUTE_SIGNALS, INTAKE_BULK},
		{"/health", "GET", ROUTE_PUBLIC, ROUTE_READY, INTAKE_SINGLE},
		{"/health/live", "GET", ROUTE_PUBLIC, ROUTE_LIVE, INTAKE_SINGLE},
		{"/health/ready", "GET", ROUTE_PUBLIC, ROUTE_READY, INTAKE_SINGLE},
		{"/metrics", "GET", ROUTE_PUBLIC, ROUTE_METRICS, INTAKE_SINGLE},
	};
	struct arena arena = {0};
	struct route_match match;

	for (int i = 0; i < LENGTH(rows); i++) {
		enum status status = route_find(&arena, ROUTE_INTAKE, slice_of(rows[i].method),
						slice_of(rows[i].target), &match);
		ck_assert_int_eq(status, STATUS_OK);
		ck_assert_int_eq(match.route->authentication, rows[i].authentication);
		ck_assert_int_eq(match.route->action, rows[i].action);
		ck_assert_int_eq(match.route->kind, rows[i].kind);
	}
	arena_free(&arena);
}
END_TEST

/* ---- the settings' routes ---- */

#define SETTINGS "/api/settings/"

static const struct {
	const char *method, *target;
	enum status status;
	enum route_setting setting;
	enum route_authentication role;
	const char *id, *allow;
} settings[] = {
	{"GET", SETTINGS "me", STATUS_OK, ROUTE_ME, ROUTE_VIEWER, NULL, NULL},
	{"GET", SETTINGS "me/?organization=1", STATUS_OK, ROUTE_ME, ROUTE_VIEWER, NULL, NULL},
	{"POST", SETTINGS "me", STATUS_METHOD_NOT_ALLOWED, ROUTE_ME, ROUTE_VIEWER, NULL, "GET"},
	{"GET", SETTINGS "keys", STATUS_OK, ROUTE_KEYS, ROUTE_EDITOR, NULL, NULL},
	{"POST", SETTINGS "keys", STATUS_OK, ROUTE_KEY_CREATE, ROUTE_EDITOR, NULL, NULL},
	{"DELETE", SETTINGS "keys", STATUS_METHOD_NOT_ALLOWED, ROUTE_KEYS, ROUTE_EDITOR, NULL,
	 "GET, POST"},
	{"HEAD", SETTINGS "keys", STATUS_METHOD_NOT_ALLOWED, ROUTE_KEYS, ROUTE_EDITOR, NULL,
	 "GET, POST"},
	{"GET", SETTINGS "keys/12", STATUS_OK, ROUTE_KEY_SHOW, ROUTE_EDITOR, "12", NULL},
	{"GET", SETTINGS "keys/sk_a", STATUS_OK, ROUTE_KEY_SHOW, ROUTE_EDITOR, "sk_a", NULL},
	{"POST", SETTINGS "keys/12", STATUS_METHOD_NOT_ALLOWED, ROUTE_KEY_SHOW, ROUTE_EDITOR, "12",
	 "GET"},
	{"POST", SETTINGS "keys/1/deactivate", STATUS_OK, ROUTE_KEY_DEACTIVATE, ROUTE_EDITOR, "1",
	 NULL},
	{"GET", SETTINGS "keys/1/deactivate", STATUS_METHOD_NOT_ALLOWED, ROUTE_KEY_DEACTIVATE,
	 ROUTE_EDITOR, "1", "POST"},
	{"POST", SETTINGS "keys/1/edit", STATUS_OK, ROUTE_KEY_EDIT, ROUTE_EDITOR, "1", NULL},
	{"POST", SETTINGS "keys/1/rotate", STATUS_OK, ROUTE_KEY_ROTATE, ROUTE_EDITOR, "1", NULL},
	{"POST", SETTINGS "keys/1/secret", STATUS_OK, ROUTE_KEY_SECRET, ROUTE_EDITOR, "1", NULL},
	{"GET", SETTINGS "keys/1/history", STATUS_OK, ROUTE_KEY_HISTORY, ROUTE_EDITOR, "1", NULL},
	{"POST", SETTINGS "members", STATUS_OK, ROUTE_MEMBER_ADD, ROUTE_ADMIN, NULL, NULL},
	{"PUT", SETTINGS "members", STATUS_METHOD_NOT_ALLOWED, ROUTE_MEMBERS, ROUTE_EDITOR, NULL,
	 "GET, POST"},
	{"POST", SETTINGS "members/role", STATUS_OK, ROUTE_MEMBER_ROLE, ROUTE_ADMIN, NULL, NULL},
	{"POST", SETTINGS "members/remove", STATUS_OK, ROUTE_MEMBER_REMOVE, ROUTE_VIEWER, NULL,
	 NULL},
	{"POST", SETTINGS "limit", STATUS_OK, ROUTE_LIMIT, ROUTE_OWNER, NULL, NULL},
	{"POST", SETTINGS "find-key", STATUS_OK, ROUTE_KEY_FIND, ROUTE_EDITOR, NULL, NULL},
	{"GET", SETTINGS "keys/1/refusals", STATUS_OK, ROUTE_KEY_REFUSALS, ROUTE_EDITOR, "1", NULL},
	{"GET", SETTINGS "keys/1/payload", STATUS_OK, ROUTE_KEY_PAYLOAD, ROUTE_EDITOR, "1", NULL},
	{"POST", SETTINGS "templates/try", STATUS_OK, ROUTE_TEMPLATE_TRY, ROUTE_EDITOR, NULL, NULL},
	{"GET", SETTINGS "statistics", STATUS_OK, ROUTE_STATISTICS, ROUTE_VIEWER, NULL, NULL},
	{"GET", SETTINGS "signals", STATUS_OK, ROUTE_LATEST_SIGNALS, ROUTE_VIEWER, NULL, NULL},
	{"GET", SETTINGS "product-orgs", STATUS_OK, ROUTE_LATEST_PRODUCT_ORGS, ROUTE_VIEWER, NULL,
	 NULL},
	{"GET", SETTINGS "product-org-states", STATUS_OK, ROUTE_PRODUCT_ORG_STATES, ROUTE_VIEWER,
	 NULL, NULL},
	{"GET", SETTINGS "rejects", STATUS_OK, ROUTE_REJECTS, ROUTE_VIEWER, NULL, NULL},
	{"GET", SETTINGS "rejects/1", STATUS_OK, ROUTE_REJECT, ROUTE_EDITOR, "1", NULL},
	{"POST", SETTINGS "rejects/1/try", STATUS_OK, ROUTE_REJECT_TRY, ROUTE_EDITOR, "1", NULL},
	{"POST", SETTINGS "rejects/1/replay", STATUS_OK, ROUTE_REJECT_REPLAY, ROUTE_EDITOR, "1",
	 NULL},
	{"POST", SETTINGS "rejects/1/discard", STATUS_OK, ROUTE_REJECT_DISCARD, ROUTE_EDITOR, "1",
	 NULL},
	{"GET", SETTINGS "reject-kinds", STATUS_OK, ROUTE_REJECT_KINDS, ROUTE_VIEWER, NULL, NULL},
	{"POST", SETTINGS "replay-rejects", STATUS_OK, ROUTE_REJECTS_REPLAY, ROUTE_EDITOR, NULL,
	 NULL},
	{"GET", SETTINGS "usage", STATUS_OK, ROUTE_USAGE, ROUTE_EDITOR, NULL, NULL},
	{"GET", SETTINGS "audit", STATUS_OK, ROUTE_AUDIT, ROUTE_EDITOR, NULL, NULL},
	{"GET", SETTINGS "tokens", STATUS_OK, ROUTE_TOKENS, ROUTE_EDITOR, NULL, NULL},
	{"POST", SETTINGS "tokens", STATUS_OK, ROUTE_TOKEN_CREATE, ROUTE_EDITOR, NULL, NULL},
	{"POST", SETTINGS "tokens/1/revoke", STATUS_OK, ROUTE_TOKEN_REVOKE, ROUTE_EDITOR, "1",
	 NULL},
};

START_TEST(a_settings_path_has_one_route)
{
	struct arena arena = {0};
	struct route_match match;
	enum status status = route_find(&arena, ROUTE_SETTINGS, slice_of(settings[_i].method),
					slice_of(settings[_i].target), &match);

	ck_assert_int_eq(status, settings[_i].status);
	ck_assert_int_eq(match.route->setting, settings[_i].setting);
	ck_assert_int_eq(match.route->authentication, settings[_i].role);
	ck_assert(slice_equal(match.id, slice_of(settings[_i].id)));
	if (settings[_i].allow != NULL)
		ck_assert_str_eq(match.allow, settings[_i].allow);
	/* Only POST has a body. */
	ck_assert_int_eq(match.route->body_bytes > 0, strcmp(match.route->method, "POST") == 0);
	arena_free(&arena);
}
END_TEST

START_TEST(programs_do_not_share_routes)
{
	static const char *const targets[] = {
		SETTINGS "",	    SETTINGS "keys/1/2", SETTINGS "keys/1/deactivate/x",
		"/api/settings",    "/health",		 "/metrics",
		WEBHOOK "sk_a",	    SETTINGS "Me",	 SETTINGS "%2e%2e/settings/me",
		"//api/settings/me"};
	struct arena arena = {0};
	struct route_match match;

	for (int i = 0; i < LENGTH(targets); i++)
		ck_assert_int_eq(route_find(&arena, ROUTE_SETTINGS, SLICE("GET"),
					    slice_of(targets[i]), &match),
				 STATUS_NOT_FOUND);
	for (int i = 0; i < LENGTH(settings); i++)
		ck_assert_int_eq(route_find(&arena, ROUTE_INTAKE, slice_of(settings[i].method),
					    slice_of(settings[i].target), &match),
				 STATUS_NOT_FOUND);
	arena_free(&arena);
}
END_TEST

/* ---- paths without a route ---- */

static const char *const unknown[] = {
	"",
	"/",
	"//",
	"?",
	"*",
	"api",
	"/api",
	"/api/",
	"/api/signal-staging",
	WEBHOOK,
	BULK,
	"/API/signal-staging/webhook/sk_a",
	"/api/signal-staging/webhooks/sk_a",
	"/api/signal-staging/webhoo/sk_a",
	"api/signal-staging/webhook/sk_a",
	"./api/signal-staging/webhook/sk_a",
	WEBHOOK "web/sk_a/batch",
	WEBHOOK "sk_a/batch/more",
	WEBHOOK "a/b/sk_a",
	/* A key is never a source. */
	WEBHOOK "sk_a/sk_b",
	WEBHOOK "sk_a/no-key",
	WEBHOOK "%73k_a/sk_b",
	BULK "web/sk_a",
	BULK "sk_a/batch",
	"/health/more",
	"/healthy",
	"/Health",
	"/metrics/more",
	"/metric",
	"/Metrics",
	"/x/../metrics",
	"/metrics%2f",
	/* Empty segments. */
	"//api/signal-staging/webhook/sk_a",
	"/api//signal-staging/webhook/sk_a",
	WEBHOOK "/sk_a",
	WEBHOOK "sk_a//",
	WEBHOOK "sk_a//batch",
	"/health//",
	/* Dot segments, plain and escaped. */
	WEBHOOK "./sk_a",
	WEBHOOK "../sk_a",
	WEBHOOK "x/../sk_a",
	WEBHOOK "x/./sk_a",
	WEBHOOK "%2e/sk_a",
	WEBHOOK "%2e%2E/sk_a",
	WEBHOOK ".%2e/sk_a",
	WEBHOOK "sk_a/..",
	WEBHOOK "sk_a/.",
	"/health/.",
	"/x/../health",
	/* Escapes of bytes that no route has. */
	WEBHOOK "web%2Fsk_a",
	WEBHOOK "web%2fsk_a",
	WEBHOOK "web%5Csk_a",
	WEBHOOK "web\\sk_a",
	WEBHOOK "sk_a%00",
	WEBHOOK "%00/sk_a",
	WEBHOOK "sk_a%00/batch",
	WEBHOOK "a%20b/sk_a",
	WEBHOOK "a b/sk_a",
	WEBHOOK "a%0d%0ab/sk_a",
	WEBHOOK "a\tb/sk_a",
	WEBHOOK "a%7Fb/sk_a",
	WEBHOOK "a\x7f/sk_a",
	WEBHOOK "%c3%a4/sk_a",
	WEBHOOK "%ff/sk_a",
	/* Invalid escapes. */
	WEBHOOK "%/sk_a",
	WEBHOOK "%4/sk_a",
	WEBHOOK "%4g/sk_a",
	WEBHOOK "%g4/sk_a",
	WEBHOOK "%%34/sk_a",
	WEBHOOK "% 4/sk_a",
	WEBHOOK "%+4/sk_a",
	WEBHOOK "sk_a%",
	WEBHOOK "sk_a%7",
	WEBHOOK "sk_a%/",
	/* In neither origin nor absolute form (RFC 9112 section 3.2). */
	"http://",
	"http://example.com",
	"http://example.com?" WEBHOOK "sk_a",
	"http:" WEBHOOK "sk_a",
	"http:/example.com" WEBHOOK "sk_a",
	"ftp://example.com" WEBHOOK "sk_a",
	"xhttp://example.com" WEBHOOK "sk_a",
	"http://example.com/x" WEBHOOK "sk_a",
	"example.com:443",
	"/http://example.com" WEBHOOK "sk_a",
	"//example.com" WEBHOOK "sk_a",
	/* The query begins at the first question mark, so no path follows it. */
	"?" WEBHOOK "sk_a",
	"/health%3F",
	"/health#top",
	"/health;x",
};

START_TEST(anything_else_is_not_found)
{
	const struct row row = {unknown[_i], STATUS_NOT_FOUND, NULL, NULL, NULL};

	check(&row, "POST");
	check(&row, "GET");
}
END_TEST

START_TEST(an_absent_target_is_not_found)
{
	struct arena arena = {0};
	struct route_match match;

	ck_assert_int_eq(route_find(&arena, ROUTE_INTAKE, SLICE("POST"), slice_of(NULL), &match),
			 STATUS_NOT_FOUND);
	ck_assert_ptr_null(match.route);
	arena_free(&arena);
}
END_TEST

START_TEST(a_nul_byte_ends_no_target)
{
	struct slice target = SLICE(WEBHOOK "sk_a\0/batch");
	struct arena arena = {0};
	struct route_match match;

	ck_assert_int_eq(route_find(&arena, ROUTE_INTAKE, SLICE("POST"), target, &match),
			 STATUS_NOT_FOUND);
	arena_free(&arena);
}
END_TEST

/* ---- methods ---- */

static const char *const methods[] = {"GET",   "HEAD",	  "PUT",   "PATCH",   "DELETE", "OPTIONS",
				      "TRACE", "CONNECT", "post",  "POST ",   " POST",	"POS",
				      "POSTS", "",	  "MERGE", "PROPFIND"};

START_TEST(another_method_is_not_allowed)
{
	static const struct row rows[] = {
		{WEBHOOK "sk_a", STATUS_METHOD_NOT_ALLOWED, ONE, "sk_a", NULL},
		{WEBHOOK "sk_a/batch/", STATUS_METHOD_NOT_ALLOWED, BATCH, "sk_a", NULL},
		{WEBHOOK "web/sk_a", STATUS_METHOD_NOT_ALLOWED, SOURCE, "sk_a", "web"},
		{BULK "sk_a?x", STATUS_METHOD_NOT_ALLOWED, BULK_PATH, "sk_a", NULL},
		/* Without the prefix two rows match: the one that POST finds. */
		{WEBHOOK "no-key/batch", STATUS_METHOD_NOT_ALLOWED, BATCH, "no-key", NULL},
		{WEBHOOK "web/no-key", STATUS_METHOD_NOT_ALLOWED, SOURCE, "no-key", "web"},
	};

	for (int i = 0; i < LENGTH(rows); i++)
		check(&rows[i], methods[_i]);
}
END_TEST

START_TEST(health_and_metrics_are_only_read)
{
	static const struct row rows[] = {
		{"/health", STATUS_METHOD_NOT_ALLOWED, "/health", NULL, NULL},
		{"/metrics", STATUS_METHOD_NOT_ALLOWED, "/metrics", NULL, NULL},
	};

	for (int i = 0; i < LENGTH(rows); i++) {
		check(&rows[i], "POST");
		check(&rows[i], "OPTIONS");
		check(&rows[i], "get");
	}
}
END_TEST

/* As other monitors ask for them. */
START_TEST(health_and_metrics_answer_head)
{
	static const struct row rows[] = {
		{"/health", STATUS_OK, "/health", NULL, NULL},
		{"/metrics", STATUS_OK, "/metrics", NULL, NULL},
	};
	struct arena arena = {0};
	struct route_match match;

	for (int i = 0; i < LENGTH(rows); i++) {
		check(&rows[i], "HEAD");
		ck_assert_int_eq(route_find(&arena, ROUTE_INTAKE, SLICE("POST"),
					    slice_of(rows[i].target), &match),
				 STATUS_METHOD_NOT_ALLOWED);
		ck_assert_str_eq(match.allow, "GET, HEAD");
	}
	arena_free(&arena);
}
END_TEST

START_TEST(an_absent_method_is_not_allowed)
{
	struct arena arena = {0};
	struct route_match match;

	ck_assert_int_eq(
		route_find(&arena, ROUTE_INTAKE, slice_of(NULL), SLICE(WEBHOOK "sk_a"), &match),
		STATUS_METHOD_NOT_ALLOWED);
	ck_assert_str_eq(match.route->method, "POST");
	arena_free(&arena);
}
END_TEST

/* ---- limits ---- */

START_TEST(long_paths_are_not_found)
{
	static const char prefix[] = WEBHOOK "sk_";
	struct arena arena = {0};
	struct route_match match;
	char target[PATH_MAX_BYTES + 1];

	/* A query does not count. */
	memset(target, 'a', sizeof(target));
	memcpy(target, prefix, sizeof(prefix) - 1);
	if (_i == 1)
		target[sizeof(prefix)] = '?';
	for (size_t n = PATH_MAX_BYTES - 1; n <= PATH_MAX_BYTES + 1; n++) {
		enum status status = route_find(&arena, ROUTE_INTAKE, SLICE("POST"),
						(struct slice){target, n}, &match);
		ck_assert_int_eq(status,
				 n <= PATH_MAX_BYTES || _i == 1 ? STATUS_OK : STATUS_NOT_FOUND);
		if (status == STATUS_OK)
			ck_assert_uint_eq(match.key.n, _i == 1 ? 4 : n - (sizeof(prefix) - 1) + 3);
	}
	arena_free(&arena);
}
END_TEST

/* No route has so many segments, and no more than fit must be written. */
START_TEST(many_segments_are_not_found)
{
	struct arena arena = {0};
	struct route_match match;
	char target[PATH_MAX_BYTES];

	for (size_t count = SEGMENTS_MAX - 1; count <= PATH_MAX_BYTES / 2; count++) {
		for (size_t i = 0; i < count; i++)
			memcpy(target + 2 * i, "/a", 2);
		ck_assert_int_eq(route_find(&arena, ROUTE_INTAKE, SLICE("POST"),
					    (struct slice){target, 2 * count}, &match),
				 STATUS_NOT_FOUND);
		arena_reset(&arena);
	}
	arena_free(&arena);
}
END_TEST

/* They are in the arena, not a part of the target. */
START_TEST(key_and_source_outlive_the_target)
{
	char target[] = WEBHOOK "web/sk_a";
	struct arena arena = {0};
	struct route_match match;

	ck_assert_int_eq(route_find(&arena, ROUTE_INTAKE, SLICE("POST"), slice_of(target), &match),
			 STATUS_OK);
	memset(target, 'x', sizeof(target) - 1);
	ck_assert(slice_equal(match.key, SLICE("sk_a")));
	ck_assert(slice_equal(match.source, SLICE("web")));
	arena_free(&arena);
}
END_TEST

/* ---- below a path of public_url ---- */

static const struct {
	const char *public_url, *target, *path;
} below[] = {
	{"", "/api/x", "/api/x"},
	{NULL, "/api/x?y", "/api/x"},
	{"https://h", "/api/x", "/api/x"},
	{"https://h/", "/api/x", "/api/x"},
	{"https://h/hooks", "/hooks/api/x?hooks", "/api/x"},
	{"https://h/hooks//", "/hooks/api/x", "/api/x"},
	{"https://h/a/b", "/a/b/api/x", "/api/x"},
	{"HTTP://h:81/a", "http://other/a/api/x", "/api/x"},
	/* A proxy has removed it. */
	{"https://h/hooks", "/api/x", "/api/x"},
	{"https://h/hooks", "/hooks/", "/"},
	{"https://h/hooks", "/hooks", "/hooks"},
	{"https://h/hooks", "/hooksapi/x", "/hooksapi/x"},
	{"https://h/hooks", "/x/hooks/api/x", "/x/hooks/api/x"},
	{"https://h/hooks", "/hooks/hooks/api/x", "/hooks/api/x"},
	{"h/hooks", "/hooks/api/x", "/hooks/api/x"},
	{"/hooks", "/hooks/api/x", "/hooks/api/x"},
	{"https://h/hooks", "", ""},
};

START_TEST(the_path_of_public_url_is_left_out)
{
	struct slice path = route_target(slice_of(below[_i].target), below[_i].public_url);

	ck_assert_msg(slice_equal(path, slice_of(below[_i].path)), "%s at %s: \"%.*s\"",
		      below[_i].target, below[_i].public_url, (int)path.n, path.p);
}
END_TEST

/* ---- below /sluice ---- */

START_TEST(only_what_is_public_is_below_sluice)
{
	static const struct {
		const char *target;
		enum status status;
	} rows[] = {{"/sluice/health", STATUS_OK},
		    {"/sluice/metrics/?x", STATUS_OK},
		    {"/sluice/sluice/health", STATUS_NOT_FOUND},
		    {"/Sluice/health", STATUS_NOT_FOUND},
		    {"/sluice", STATUS_NOT_FOUND},
		    {"/sluice/", STATUS_NOT_FOUND},
		    {"/sluice" WEBHOOK "sk_a", STATUS_NOT_FOUND}};
	struct arena arena = {0};
	struct route_match match;

	for (int i = 0; i < LENGTH(rows); i++)
		ck_assert_int_eq(route_find(&arena, ROUTE_INTAKE, SLICE("GET"),
					    slice_of(rows[i].target), &match),
				 rows[i].status);
	ck_assert_int_eq(route_find(&arena, ROUTE_SETTINGS, SLICE("GET"),
				    SLICE("/sluice" SETTINGS "me"), &match),
			 STATUS_NOT_FOUND);
	arena_free(&arena);
}
END_TEST

static enum status find_with_own_arena(void)
{
	struct arena arena = {0};
	struct route_match match;
	enum status status =
		route_find(&arena, ROUTE_INTAKE, SLICE("POST"), SLICE(WEBHOOK "sk_a"), &match);

	arena_free(&arena);
	return status;
}

START_TEST(a_lack_of_memory_is_reported)
{
	ck_assert_int_eq(unit_torture(find_with_own_arena), 1);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("route");
	TCase *tests = tcase_create("route");

	tcase_add_loop_test(tests, a_path_has_one_route, 0, LENGTH(good));
	tcase_add_test(tests, health_is_a_route);
	tcase_add_test(tests, metrics_are_a_route);
	tcase_add_test(tests, a_route_knows_its_handler);
	tcase_add_loop_test(tests, a_settings_path_has_one_route, 0, LENGTH(settings));
	tcase_add_test(tests, programs_do_not_share_routes);
	tcase_add_loop_test(tests, anything_else_is_not_found, 0, LENGTH(unknown));
	tcase_add_test(tests, an_absent_target_is_not_found);
	tcase_add_test(tests, a_nul_byte_ends_no_target);
	tcase_add_loop_test(tests, another_method_is_not_allowed, 0, LENGTH(methods));
	tcase_add_test(tests, health_and_metrics_are_only_read);
	tcase_add_test(tests, health_and_metrics_answer_head);
	tcase_add_test(tests, an_absent_method_is_not_allowed);
	tcase_add_loop_test(tests, long_paths_are_not_found, 0, 2);
	tcase_add_test(tests, many_segments_are_not_found);
	tcase_add_test(tests, key_and_source_outlive_the_target);
	tcase_add_loop_test(tests, the_path_of_public_url_is_left_out, 0, LENGTH(below));
	tcase_add_test(tests, only_what_is_public_is_below_sluice);
	tcase_add_test(tests, a_lack_of_memory_is_reported);
	suite_add_tcase(suite, tests);
	return suite;
}
