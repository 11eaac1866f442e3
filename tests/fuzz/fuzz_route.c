/*
 * fuzz_route.c - request targets: "METHOD target". What is found is a plain path, and the same
 * route is found by every other way to write it.
 */
#include <string.h>
#include <strings.h>

#include "fuzz.h"
#include "server/route.h"

enum { PATH_MOST = 2048 }; /* longer ones have no route */

static void check_segment(struct slice segment)
{
	CHECK(segment.n > 0);
	for (size_t i = 0; i < segment.n; i++)
		CHECK(segment.p[i] > ' ' && segment.p[i] < 0x7f &&
		      strchr("/\\", segment.p[i]) == NULL);
}

/* Appends the route's path with its segments percent-encoded throughout. */
static void add_path(struct buf *out, const struct route_match *match)
{
	struct slice rest = slice_of(match->route->path + 1);

	while (rest.n > 0) {
		struct slice part = fuzz_take(&rest, '/');
		struct slice value = slice_equal(part, SLICE("{key}"))	    ? match->key
				     : slice_equal(part, SLICE("{source}")) ? match->source
				     : slice_equal(part, SLICE("{id}"))	    ? match->id
									    : part;
		buf_add_char(out, '/');
		for (size_t i = 0; i < value.n; i++)
			buf_add_format(out, "%%%02X", (unsigned)(unsigned char)value.p[i]);
	}
}

static void check_same(struct arena *arena, const struct route_match *match, struct slice target)
{
	struct route_match again;

	struct slice path = target;

	path = fuzz_take(&path, '?');
	if (path.n > PATH_MOST)
		return;
	CHECK(route_find(arena, match->route->program, slice_of(match->route->method), target,
			 &again) == STATUS_OK);
	CHECK(again.route == match->route);
	CHECK(slice_equal(again.key, match->key) && slice_equal(again.source, match->source) &&
	      slice_equal(again.id, match->id));
}

static void check_match(struct arena *arena, const struct route_match *match, struct slice target)
{
	struct slice path = fuzz_take(&target, '?');
	struct buf other = buf_make(SIZE_MAX / 2);

	CHECK(path.n > 0 && (path.p[0] == '/' || strncasecmp(path.p, "http", 4) == 0));
	if (path.p[0] == '/') {
		for (size_t i = 0; i < path.n; i++)
			CHECK(path.p[i] > ' ' && path.p[i] < 0x7f);
	}
	if (match->key.p != NULL)
		check_segment(match->key);
	if (match->source.p != NULL) {
		check_segment(match->source);
		CHECK(!slice_starts(match->source, SLICE("sk_")));
	}
	check_same(arena, match, path);
	add_path(&other, match);
	check_same(arena, match, buf_slice(&other));
	buf_reset(&other, 0);
	buf_add_text(&other, "https://example.com");
	add_path(&other, match);
	check_same(arena, match, buf_slice(&other));
	buf_add_text(&other, "/?a=/../sk_x");
	check_same(arena, match, buf_slice(&other));
	buf_free(&other);
}

static void check_program(struct arena *arena, enum route_program program, struct slice method,
			  struct slice target)
{
	struct route_match match;
	enum status status = route_find(arena, program, method, target, &match);

	CHECK(status == STATUS_OK || status == STATUS_NOT_FOUND ||
	      status == STATUS_METHOD_NOT_ALLOWED);
	if (status == STATUS_NOT_FOUND)
		return;
	CHECK(match.route != NULL && match.route->program == program);
	bool head =
		match.route->authentication == ROUTE_PUBLIC && slice_equal(method, SLICE("HEAD"));
	CHECK(status == STATUS_METHOD_NOT_ALLOWED || head ||
	      slice_equal(method, slice_of(match.route->method)));
	CHECK((match.allow != NULL) == (status == STATUS_METHOD_NOT_ALLOWED));
	check_match(arena, &match, target);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct slice target = {(const char *)data, n};
	struct slice method = fuzz_take(&target, ' ');
	struct arena arena = {0};

	check_program(&arena, ROUTE_INTAKE, method, target);
	check_program(&arena, ROUTE_SETTINGS, method, target);
	arena_free(&arena);
	return 0;
}
