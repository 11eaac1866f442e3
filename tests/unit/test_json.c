/*
 * test_json.c - reading members and values by json-c, and what json-c would get wrong.
 */
#include "json.h"

#include <locale.h>
#include <stdlib.h>
#include <string.h>

#include "check_main.h"

#define T(literal) SLICE(literal)

/* Parses text from memory of exactly its size. */
static struct json_object *parsed(struct slice text)
{
	char *exact = malloc(text.n);
	struct json_object *value;

	ck_assert_ptr_nonnull(exact);
	memcpy(exact, text.p, text.n);
	enum status status = json_parse((struct slice){exact, text.n}, &value);
	ck_assert_msg(status == STATUS_OK, "%s: %s", text.p, status_code(status));
	free(exact);
	return value;
}

/* ---- parsing ---- */

static const struct slice readable[] = {
	T("{}"),     T("[]"),	   T("0"),     T("-1"),	   T("12"),   T("1.5"),
	T("1e5"),    T("\"\""),	   T("true"),  T("false"), T(" {} "), T("\n[1]\r\n"),
	T(" 12 "),   T("\t\"a\""), T("1E+2"),  T("-0"),	   T("-0.0"), T("1e400"),
	T("1e-400"), T("[1e400]"), T("null "), T(" null"), T("null"),
};

START_TEST(any_value_is_parsed)
{
	for (int i = 0; i < LENGTH(readable); i++) {
		struct json_object *value = parsed(readable[i]);
		bool is_null = strstr(readable[i].p, "null") != NULL;
		ck_assert_int_eq(value == NULL, is_null);
		json_release(value);
	}
	json_release(NULL);
}
END_TEST

START_TEST(what_is_not_json_is_refused)
{
	static const struct slice texts[] = {T("{"), T("[1,"), T("\"a"), T("x"), T("{\"a\" 1}")};
	struct json_object *value = NULL;

	for (int i = 0; i < LENGTH(texts); i++) {
		ck_assert_int_eq(json_parse(texts[i], &value), STATUS_MALFORMED_JSON);
		ck_assert_ptr_null(value);
	}
}
END_TEST

static const size_t depths[] = {1, 30, 31, 32, 33, 64, 127, 128, 129, 1000};

START_TEST(depth_is_not_limited_here)
{
	size_t depth = depths[_i];
	struct buf text = buf_make(SIZE_MAX / 2);

	for (size_t i = 0; i < depth; i++)
		buf_add_text(&text, "{\"a\":");
	buf_add_text(&text, "7");
	for (size_t i = 0; i < depth; i++)
		buf_add_char(&text, '}');
	struct json_object *root = parsed(buf_slice(&text));
	const struct json_object *value = root;
	for (size_t i = 0; i < depth; i++)
		value = json_member(value, "a");
	ck_assert(slice_equal(json_scalar_text(value), T("7")));
	json_release(root);
	buf_free(&text);
}
END_TEST

/* ---- members ---- */

START_TEST(members_are_found)
{
	struct json_object *root = parsed(T("{\"a\":{\"b\":\"c\"},\"n\":null,\"\":1,\"a b\":2,"
					    "\"d\":1,\"d\":2,\"\\u0065\":3,\"l\":[{\"a\":1}]}"));

	ck_assert(json_is_object(root));
	ck_assert(json_is_object(json_member(root, "a")));
	ck_assert(slice_equal(json_string(json_member(json_member(root, "a"), "b")), T("c")));
	ck_assert_ptr_null(json_member(root, "n"));
	ck_assert_ptr_null(json_member(root, "b"));
	ck_assert_ptr_null(json_member(root, "A"));
	ck_assert_ptr_null(json_member(json_member(root, "l"), "a"));
	ck_assert_ptr_null(json_member(json_member(root, "d"), "a"));
	ck_assert_ptr_null(json_member(NULL, "a"));
	ck_assert(slice_equal(json_scalar_text(json_member(root, "")), T("1")));
	ck_assert(slice_equal(json_scalar_text(json_member(root, "a b")), T("2")));
	ck_assert(slice_equal(json_scalar_text(json_member(root, "d")), T("2")));
	ck_assert(slice_equal(json_scalar_text(json_member(root, "e")), T("3")));
	ck_assert(!json_is_object(json_member(root, "l")));
	ck_assert(!json_is_object(json_member(root, "d")));
	ck_assert(!json_is_object(NULL));
	json_release(root);
}
END_TEST

/* ---- values ---- */

static const struct {
	struct slice json;
	struct slice text;   /* json_scalar_text; absent where NULL */
	struct slice string; /* json_string */
	bool is_int;
	int64_t value;
} values[] = {
	/* strings: escapes are decoded, every length counts */
	{T("\"\""), T(""), T("")},
	{T("\"abc\""), T("abc"), T("abc")},
	{T("\"12\""), T("12"), T("12")},
	{T("\"a\\n\\\"\\\\\\/\\t\""), T("a\n\"\\/\t"), T("a\n\"\\/\t")},
	{T("\"\\u00e9\\u20ac\\ud83d\\ude00\""), T("\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"),
	 T("\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80")},
	{T("\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\""), T("\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"),
	 T("\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80")},
	/* integers: exact within 64 bits, absent beyond */
	{T("0"), T("0"), {NULL}, true, 0},
	{T("7"), T("7"), {NULL}, true, 7},
	{T("-7"), T("-7"), {NULL}, true, -7},
	{T("9007199254740993"), T("9007199254740993"), {NULL}, true, 9007199254740993},
	{T("9223372036854775806"), T("9223372036854775806"), {NULL}, true, INT64_MAX - 1},
	{T("9223372036854775807"), T("9223372036854775807"), {NULL}, true, INT64_MAX},
	{T("9223372036854775808"), T("9223372036854775808"), {NULL}, false, 0},
	{T("18446744073709551614"), T("18446744073709551614"), {NULL}, false, 0},
	{T("18446744073709551615"), {NULL}, {NULL}, false, 0},
	{T("18446744073709551616"), {NULL}, {NULL}, false, 0},
	{T("100000000000000000000000000"), {NULL}, {NULL}, false, 0},
	{T("-9223372036854775806"), T("-9223372036854775806"), {NULL}, true, -INT64_MAX + 1},
	{T("-9223372036854775807"), T("-9223372036854775807"), {NULL}, true, -INT64_MAX},
	{T("-9223372036854775808"), {NULL}, {NULL}, false, 0},
	{T("-9223372036854775809"), {NULL}, {NULL}, false, 0},
	{T("-100000000000000000000000000"), {NULL}, {NULL}, false, 0},
	/* what has a fraction or an exponent: as it was written */
	{T("1.5"), T("1.5"), {NULL}, false, 0},
	{T("1.50"), T("1.50"), {NULL}, false, 0},
	{T("-0.0"), T("-0.0"), {NULL}, false, 0},
	{T("1e5"), T("1e5"), {NULL}, false, 0},
	{T("1E+5"), T("1E+5"), {NULL}, false, 0},
	{T("1e400"), T("1e400"), {NULL}, false, 0},
	{T("0.1000000000000000055511151231257827"),
	 T("0.1000000000000000055511151231257827"),
	 {NULL},
	 false,
	 0},
	{T("100000000000000000000000000.5"), T("100000000000000000000000000.5"), {NULL}, false, 0},
	/* the rest */
	{T("true"), T("true"), {NULL}, false, 0},
	{T("false"), T("false"), {NULL}, false, 0},
	{T("null"), {NULL}, {NULL}, false, 0},
	{T("{}"), {NULL}, {NULL}, false, 0},
	{T("[]"), {NULL}, {NULL}, false, 0},
	{T("[1]"), {NULL}, {NULL}, false, 0},
};

static void assert_slice(struct slice got, struct slice want, struct slice json)
{
	ck_assert_msg((got.p == NULL) == (want.p == NULL) && slice_equal(got, want), "%s: \"%.*s\"",
		      json.p, (int)got.n, got.p);
}

START_TEST(values_are_read)
{
	struct json_object *value = parsed(values[_i].json);
	int64_t number = 0;

	assert_slice(json_scalar_text(value), values[_i].text, values[_i].json);
	assert_slice(json_string(value), values[_i].string, values[_i].json);
	ck_assert_int_eq(json_int(value, &number), values[_i].is_int);
	ck_assert_int_eq(number, values[_i].value);
	json_release(value);
}
END_TEST

/* ---- only some places ---- */

static struct json_object *at_path(struct json_object *value, const char *const *path)
{
	for (; *path != NULL; path++)
		value = json_member(value, *path);
	return value;
}

static const struct {
	struct slice json;
	const char *path[4];
	const char *text; /* NULL: a container that is left out; "": there is nothing */
} places[] = {
	{T("{\"a\":[{\"x\":[]}],\"b\":\"c\"}"), {"b"}, "c"},
	{T("{\"b\":\"c\",\"a\":[{\"x\":[]}]}"), {"b"}, "c"},
	{T("{\"b\":\"c\",\"a\":[{\"x\":[]}] }\n"), {"a"}, NULL},
	{T(" { \"a\" : {} , \"b\" : {\"c\":{\"d\":1}} , \"e\" : 2 } "), {"e"}, "2"},
	{T("{\"in\":{\"a\":[1,2],\"b\":{\"c\":1},\"d\":3},\"e\":4}"), {"in", "d"}, "3"},
	{T("{\"in\":{\"a\":[1,2],\"b\":{\"c\":1},\"d\":3},\"e\":4}"), {"in", "b"}, NULL},
	{T("{\"in\":{\"a\":[1,2],\"b\":{\"c\":1},\"d\":3},\"e\":4}"), {"in", "b", "c"}, ""},
	{T("{\"in\":{\"a\":[1,2],\"b\":{\"c\":1},\"d\":3},\"e\":4}"), {"e"}, "4"},
	{T("{\"in\":{\"too\":{\"a\":5}}}"), {"in", "too", "a"}, "5"},
	{T("{\"x\":{\"in\":{\"a\":5}}}"), {"x", "in"}, ""},
	{T("{\"in\":[{\"a\":5}],\"b\":6}"), {"in"}, NULL},
	{T("{\"in\":1,\"in\":{\"a\":[]},\"in\":{\"a\":7}}"), {"in", "a"}, "7"},
	{T("{\"\\u0069n\":{\"a\":8}}"), {"in", "a"}, "8"},
	{T("{\"a\":\"[{\",\"b\":\"\\\"}\"}"), {"b"}, "\"}"},
	{T("{\"a\":null,\"b\":9}"), {"b"}, "9"},
	{T("[{\"a\":1}]"), {NULL}, NULL},
	{T("10"), {NULL}, "10"},
};

START_TEST(other_places_are_left_out)
{
	static const char *const names[] = {"in", "too", NULL};
	struct json_object *root = NULL;

	ck_assert_int_eq(json_parse_places(places[_i].json, names, &root), STATUS_OK);
	struct json_object *value = at_path(root, places[_i].path);
	if (places[_i].text == NULL) {
		ck_assert_ptr_nonnull(value);
		ck_assert(!json_is_object(value));
		ck_assert_ptr_null(json_scalar_text(value).p);
	} else if (*places[_i].text == '\0') {
		ck_assert_ptr_null(value);
	} else {
		assert_slice(json_scalar_text(value), slice_of(places[_i].text), places[_i].json);
	}
	json_release(root);
}
END_TEST

/* A program may have set the user's locale; numbers are read and written with a point all the
 * same. */
START_TEST(the_locale_does_not_matter)
{
	(void)setlocale(LC_ALL, "de_DE.UTF-8");
	struct json_object *value = parsed(T("[1.5]"));
	json_release(value);
	value = parsed(T("1.5"));
	ck_assert(slice_equal(json_scalar_text(value), T("1.5")));
	json_release(value);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("json");
	TCase *all = tcase_create("all");

	tcase_add_test(all, any_value_is_parsed);
	tcase_add_test(all, what_is_not_json_is_refused);
	tcase_add_loop_test(all, depth_is_not_limited_here, 0, LENGTH(depths));
	tcase_add_test(all, members_are_found);
	tcase_add_loop_test(all, values_are_read, 0, LENGTH(values));
	tcase_add_loop_test(all, other_places_are_left_out, 0, LENGTH(places));
	tcase_add_test(all, the_locale_does_not_matter);
	suite_add_tcase(suite, all);
	return suite;
}
