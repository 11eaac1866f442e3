/*
 * test_json_path.c - paths: their syntax, and which value of a text they lead to.
 */
#include <string.h>

#include "base/buf.h"
#include "check_main.h"
#include "json/path.h"

#define T(literal)   SLICE(literal)
#define MANY(string) string string string string string string string string
#define S256	     MANY(MANY("abcd"))

/* ---- syntax ---- */

static const struct {
	struct slice path;
	const char *reason; /* NULL: it is good */
} paths[] = {
	{T("a"), NULL},
	{T("a.b.c"), NULL},
	{T("0"), NULL},
	{T("a.0.1"), NULL},
	{T("a b.c-d._"), NULL},
	{T("\xc3\xa9.\xf0\x9f\x98\x80"), NULL},
	{T("a\\.b"), NULL},
	{T("\\."), NULL},
	{T("\\\\"), NULL},
	{T("a\\\\.b"), NULL},
	{T("a[0]"), NULL},
	{T("$.a"), NULL},
	{T(S256), NULL},
	{T("b" S256), "is longer than 256 bytes"},
	{T(""), "is empty"},
	{T("."), "has an empty step"},
	{T(".a"), "has an empty step"},
	{T("a."), "has an empty step"},
	{T("a..b"), "has an empty step"},
	{T("a\\..b."), "has an empty step"},
	{T("\\"), "ends with a backslash"},
	{T("a.b\\"), "ends with a backslash"},
	{T("a\\\\\\"), "ends with a backslash"},
	{T("a\\n"), "has a backslash that is before neither a dot nor a backslash"},
	{T("a\\ .b"), "has a backslash that is before neither a dot nor a backslash"},
	{T("a.\\[0]"), "has a backslash that is before neither a dot nor a backslash"},
};

START_TEST(the_syntax_is_checked)
{
	struct arena arena = {0};
	struct json_paths *set = json_paths_make(&arena);
	const char *reason = "";
	size_t slot = 7;
	enum status status = json_paths_add(set, paths[_i].path, &slot, &reason);

	ck_assert_msg((status == STATUS_OK) == (paths[_i].reason == NULL), "%s", paths[_i].path.p);
	if (status == STATUS_OK) {
		ck_assert_uint_eq(slot, 0);
		ck_assert_uint_eq(json_paths_slots(set), 1);
	} else {
		ck_assert_int_eq(status, STATUS_INVALID_VALUE);
		ck_assert_str_eq(reason, paths[_i].reason);
		ck_assert_uint_eq(json_paths_slots(set), 0);
	}
	arena_free(&arena);
}
END_TEST

START_TEST(the_same_path_has_the_same_slot)
{
	static const struct {
		struct slice path;
		size_t slot;
	} added[] = {{T("a.b"), 0}, {T("a"), 1}, {T("a.b"), 0},	 {T("a.b.c"), 2},
		     {T("b"), 3},   {T("a"), 1}, {T("a\\.b"), 4}};
	struct arena arena = {0};
	struct json_paths *set = json_paths_make(&arena);

	for (int i = 0; i < LENGTH(added); i++) {
		const char *reason;
		size_t slot;
		ck_assert_int_eq(json_paths_add(set, added[i].path, &slot, &reason), STATUS_OK);
		ck_assert_uint_eq(slot, added[i].slot);
	}
	ck_assert_uint_eq(json_paths_slots(set), 5);
	arena_free(&arena);
}
END_TEST

/* ---- values ---- */

static const struct {
	struct slice json;
	struct slice path;
	const char *value; /* NULL: none */
} cases[] = {
	/* members */
	{T("{\"a\":1}"), T("a"), "1"},
	{T("{\"a\":1}"), T("b"), NULL},
	{T("{\"a\":1}"), T("A"), NULL},
	{T("{\"a\":1}"), T("a.b"), NULL},
	{T("{\"a\":\"b\"}"), T("a.b"), NULL},
	{T("{}"), T("a"), NULL},
	{T(" { \"a\" : { \"b\" : [ 1 ] } } "), T("a.b"), "[ 1 ]"},
	{T("{\"x\":{\"a\":1},\"a\":2}"), T("a"), "2"},
	{T("{\"a\":2,\"x\":{\"a\":1}}"), T("a"), "2"},
	{T("{\"x\":[{\"a\":1}],\"a\":{\"b\":{\"c\":3}}}"), T("a.b.c"), "3"},
	{T("{\"a\":null}"), T("a"), "null"},
	{T("{\"a b\":1}"), T("a b"), "1"},
	{T("{\"a\":{\"b\":1}}"), T("a"), "{\"b\":1}"},
	{T("{\"\":1}"), T("a"), NULL},
	{T("{\"$\":{\"a\":1}}"), T("$.a"), "1"},
	/* values to the byte */
	{T("{\"a\":12345678901234567890123.50}"), T("a"), "12345678901234567890123.50"},
	{T("{\"a\":-0.0E+1 }"), T("a"), "-0.0E+1"},
	{T("{\"a\":\"x\\u00e9\\\"}\"}"), T("a"), "\"x\\u00e9\\\"}\""},
	{T("{\"a\":true}"), T("a"), "true"},
	/* dots and backslashes */
	{T("{\"a.b\":1,\"a\":{\"b\":2}}"), T("a.b"), "2"},
	{T("{\"a.b\":1,\"a\":{\"b\":2}}"), T("a\\.b"), "1"},
	{T("{\"a\\\\\":{\"b\":3}}"), T("a\\\\.b"), "3"},
	{T("{\"a\\\\b\":4}"), T("a\\\\b"), "4"},
	{T("{\".\":{\".\":5}}"), T("\\..\\."), "5"},
	/* names however they are escaped */
	{T("{\"\\u0061\":1}"), T("a"), "1"},
	{T("{\"\\u00e9\":1}"), T("\xc3\xa9"), "1"},
	{T("{\"\xc3\xa9\":1}"), T("\xc3\xa9"), "1"},
	{T("{\"\\ud83d\\ude00\":{\"\\n\":1}}"), T("\xf0\x9f\x98\x80.\n"), "1"},
	{T("{\"\\\\u0061\":1}"), T("a"), NULL},
	/* arrays */
	{T("{\"a\":[7,8,9]}"), T("a.0"), "7"},
	{T("{\"a\":[7,8,9]}"), T("a.2"), "9"},
	{T("{\"a\":[7,8,9]}"), T("a.3"), NULL},
	{T("{\"a\":[7,8,9]}"), T("a.-1"), NULL},
	{T("{\"a\":[7,8,9]}"), T("a.01"), NULL},
	{T("{\"a\":[7,8,9]}"), T("a.00"), NULL},
	{T("{\"a\":[7,8,9]}"), T("a.1e0"), NULL},
	{T("{\"a\":[7,8,9]}"), T("a.4294967296"), NULL},
	{T("{\"a\":[7,8,9]}"), T("a.999999999"), NULL},
	{T("{\"a\":[7,8,9]}"), T("a.length"), NULL},
	{T("{\"a\":[]}"), T("a.0"), NULL},
	{T("{\"a\":[[1,2],[3,{\"b\":4}]]}"), T("a.1.1.b"), "4"},
	{T("{\"a\":[{\"b\":1},{\"b\":2}]}"), T("a.1.b"), "2"},
	{T("{\"a\":[{\"b\":1},{\"b\":2}]}"), T("a.b"), NULL},
	{T("{\"a\":[ [ ] , \"x\" ]}"), T("a.1"), "\"x\""},
	{T("[{\"a\":1},{\"a\":2}]"), T("1.a"), "2"},
	/* a whole number names a member of an object, too */
	{T("{\"a\":{\"0\":1}}"), T("a.0"), "1"},
	{T("{\"0\":1}"), T("0"), "1"},
	{T("{\"a\":{\"01\":1}}"), T("a.01"), "1"},
	{T("{\"a\":{\"4294967296\":1}}"), T("a.4294967296"), "1"},
	/* of members with the same name the last one counts, as a whole */
	{T("{\"a\":1,\"a\":2}"), T("a"), "2"},
	{T("{\"a\":{\"b\":1},\"a\":{\"b\":2}}"), T("a.b"), "2"},
	{T("{\"a\":{\"b\":1},\"a\":{}}"), T("a.b"), NULL},
	{T("{\"a\":{\"b\":1},\"a\":3}"), T("a.b"), NULL},
	{T("{\"a\":{\"b\":{\"c\":1}},\"a\":{\"b\":2}}"), T("a.b.c"), NULL},
	{T("{\"a\":{\"b\":1},\"x\":{\"a\":{}}}"), T("a.b"), "1"},
	{T("{\"a\":[1,2],\"a\":[3]}"), T("a.1"), NULL},
	{T("{\"a\":1,\"\\u0061\":2}"), T("a"), "2"},
	/* no object, no array */
	{T("1"), T("a"), NULL},
	{T("\"a\""), T("a"), NULL},
	{T("null"), T("0"), NULL},
};

/* From memory of exactly its size. */
static enum status find(struct slice json, struct json_paths *set, struct arena *arena,
			struct slice *found)
{
	char *exact = arena_alloc(arena, json.n);

	ck_assert_ptr_nonnull(exact);
	memcpy(exact, json.p, json.n);
	return json_paths_find(set, arena, (struct slice){exact, json.n}, found);
}

START_TEST(values_are_found)
{
	struct arena arena = {0};
	struct json_paths *set = json_paths_make(&arena);
	struct slice found, want = slice_of(cases[_i].value);
	const char *reason;
	size_t slot;

	ck_assert_int_eq(json_paths_add(set, cases[_i].path, &slot, &reason), STATUS_OK);
	ck_assert_int_eq(find(cases[_i].json, set, &arena, &found), STATUS_OK);
	ck_assert_msg((found.p == NULL) == (want.p == NULL) && slice_equal(found, want),
		      "%s, %s: \"%.*s\"", cases[_i].json.p, cases[_i].path.p, (int)found.n,
		      found.p == NULL ? "" : found.p);
	arena_free(&arena);
}
END_TEST

START_TEST(many_are_found_at_once)
{
	static const struct {
		struct slice path;
		const char *value;
	} wanted[] = {
		{T("a"), "{\"b\":[1,{\"c\":2}],\"d\":3}"},
		{T("a.b"), "[1,{\"c\":2}]"},
		{T("a.b.1.c"), "2"},
		{T("a.b.0"), "1"},
		{T("a.d"), "3"},
		{T("a.x"), NULL},
		{T("e"), "4"},
		{T("a.b.1"), "{\"c\":2}"},
	};
	struct arena arena = {0};
	struct json_paths *set = json_paths_make(&arena);
	struct slice found[LENGTH(wanted)];

	for (int i = 0; i < LENGTH(wanted); i++) {
		const char *reason;
		size_t slot;
		ck_assert_int_eq(json_paths_add(set, wanted[i].path, &slot, &reason), STATUS_OK);
		ck_assert_uint_eq(slot, (size_t)i);
	}
	ck_assert_int_eq(find(T("{\"z\":[[[]]],\"a\":{\"b\":[1,{\"c\":2}],\"d\":3},\"e\":4}"), set,
			      &arena, found),
			 STATUS_OK);
	for (int i = 0; i < LENGTH(wanted); i++)
		ck_assert_msg(slice_equal(found[i], slice_of(wanted[i].value)), "%s",
			      wanted[i].path.p);
	arena_free(&arena);
}
END_TEST

/* The deepest path there is, into texts of just that depth and one more or less. */
START_TEST(the_deepest_path_is_followed)
{
	enum { STEPS = JSON_PATH_BYTES / 2 };
	struct arena arena = {0};
	struct json_paths *set = json_paths_make(&arena);
	struct buf path = buf_make(1024), json = buf_make(4096);
	struct slice found;
	const char *reason;
	size_t slot;
	int depth = STEPS + _i;

	for (int i = 0; i < STEPS; i++)
		buf_add_text(&path, i == 0 ? "0" : ".0");
	for (int i = 0; i < depth; i++)
		buf_add_text(&json, i % 2 == 0 ? "[" : "{\"0\":");
	buf_add_text(&json, "7");
	for (int i = depth - 1; i >= 0; i--)
		buf_add_text(&json, i % 2 == 0 ? "]" : "}");
	ck_assert_int_eq(json_paths_add(set, buf_slice(&path), &slot, &reason), STATUS_OK);
	ck_assert_int_eq(find(buf_slice(&json), set, &arena, &found), STATUS_OK);
	ck_assert(slice_equal(found, _i < 0 ? SLICE_ABSENT : _i == 0 ? T("7") : T("[7]")));
	buf_free(&path);
	buf_free(&json);
	arena_free(&arena);
}
END_TEST

START_TEST(what_is_no_json_is_refused)
{
	static const struct slice texts[] = {T("{"),	      T("{\"a\":"),   T("{\"a\":[1,"),
					     T("{\"a\":1}x"), T("{\"a\":]}"), T("[}"),
					     T("{\"a")};
	struct arena arena = {0};
	struct json_paths *set = json_paths_make(&arena);
	struct slice found;
	const char *reason;
	size_t slot;

	ck_assert_int_eq(json_paths_add(set, T("a.0"), &slot, &reason), STATUS_OK);
	for (int i = 0; i < LENGTH(texts); i++)
		ck_assert_int_eq(find(texts[i], set, &arena, &found), STATUS_MALFORMED_JSON);
	arena_free(&arena);
}
END_TEST

/* Hundreds of levels, so that the scan needs memory of its own; escaped names, long enough for
 * blocks of their own. */
static enum status find_hostile(void)
{
	struct arena arena = {0}, other = {0};
	struct json_paths *set = json_paths_make(&arena);
	struct buf json = buf_make(1 << 20);
	struct slice found;
	const char *reason;
	size_t slot;
	enum status status = set == NULL ? STATUS_NO_MEMORY : STATUS_OK;

	buf_add_text(&json, "{\"\\u0061");
	for (int i = 0; i < 20000; i++)
		buf_add_char(&json, 'a');
	buf_add_text(&json, "\":1,\"a\":");
	for (int i = 0; i < 600; i++)
		buf_add_char(&json, '[');
	for (int i = 0; i < 600; i++)
		buf_add_char(&json, ']');
	buf_add_char(&json, '}');
	if (status == STATUS_OK)
		status = json.status;
	if (status == STATUS_OK)
		status = json_paths_add(set, T("a.0.0"), &slot, &reason);
	if (status == STATUS_OK)
		status = json_paths_find(set, &other, buf_slice(&json), &found);
	buf_free(&json);
	arena_free(&arena);
	arena_free(&other);
	return status;
}

START_TEST(failing_allocations_are_told)
{
	ck_assert_int_ge(unit_torture(find_hostile), 5);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("json_path");
	TCase *all = tcase_create("all");

	tcase_set_timeout(all, 60);
	tcase_add_loop_test(all, the_syntax_is_checked, 0, LENGTH(paths));
	tcase_add_test(all, the_same_path_has_the_same_slot);
	tcase_add_loop_test(all, values_are_found, 0, LENGTH(cases));
	tcase_add_test(all, many_are_found_at_once);
	tcase_add_loop_test(all, the_deepest_path_is_followed, -1, 2);
	tcase_add_test(all, what_is_no_json_is_refused);
	tcase_add_test(all, failing_allocations_are_told);
	suite_add_tcase(suite, all);
	return suite;
}
