/*
 * test_header.c - header fields are found and counted, and lists are split.
 */
#include "base/buf.h"
#include "http/header.h"
#include "http/request_of.h"

static const struct {
	const char *variables[3];
	unsigned count;
	const char *value;
} headers[] = {
	{{NULL, NULL, NULL}, 0, NULL},
	{{"HTTP_X_A=v", NULL, NULL}, 1, "v"},
	{{"HTTP_X_A=", NULL, NULL}, 1, ""},
	{{"HTTP_X_A= \t ", NULL, NULL}, 1, ""},
	{{"HTTP_X_A= \tv w\t ", NULL, NULL}, 1, "v w"},
	{{"HTTP_X_A=a=b", NULL, NULL}, 1, "a=b"},
	{{"HTTP_X_A=one", "HTTP_X_A=two", NULL}, 2, "one"},
	{{"HTTP_X_A=one", "B=c", "HTTP_X_A=one"}, 2, "one"},
	{{"HTTP_X_A=one", "HTTP_X_A=two", "HTTP_X_A="}, 3, "one"},
	{{"HTTP_X_AB=v", "HTTP_X_=v", "HTTP_X_A"}, 0, NULL},
	{{"http_x_a=v", " HTTP_X_A=v", "XHTTP_X_A=v"}, 0, NULL},
};

START_TEST(headers_are_found_and_counted)
{
	struct http_request request = request_of(headers[_i].variables[0], headers[_i].variables[1],
						 headers[_i].variables[2]);
	struct slice value = SLICE("unset");

	ck_assert_uint_eq(http_header(&request, "HTTP_X_A", &value), headers[_i].count);
	ck_assert(is(value, headers[_i].value));
}
END_TEST

/* ---- lists ---- */

static const struct {
	const char *list;
	const char *elements; /* each in brackets */
} lists[] = {
	{"", "()"},
	{"a", "(a)"},
	{"a,b", "(a)(b)"},
	{" a b ,\tc ", "(a b)(c)"},
	{"a,,b", "(a)()(b)"},
	{"a,", "(a)()"},
	{",", "()()"},
	{"\"a,b\";c", "(\"a)(b\";c)"}, /* commas in quotes separate all the same */
};

START_TEST(lists_are_split)
{
	struct slice rest = slice_of(lists[_i].list);
	struct buf seen = buf_make(1000);

	do {
		struct slice element = slice_take(&rest, ',');
		buf_add_char(&seen, '(');
		buf_add_slice(&seen, element);
		buf_add_char(&seen, ')');
	} while (rest.p != NULL);
	buf_add_char(&seen, '\0');
	ck_assert_str_eq(seen.p, lists[_i].elements);
	buf_free(&seen);
}
END_TEST

static const struct {
	const char *text;
	bool good;
	const char *value, *rest; /* NULL: absent */
} values[] = {
	{"a; b", true, "a", " b"},
	{" a ", true, "a", NULL},
	{"", true, "", NULL},
	{"\"a\"; b", true, "a", " b"},
	{"\"a;b\"", true, "a;b", NULL},
	{"\"\"", true, "", NULL},
	{"\"\\\"\\\\\";c", true, "\"\\", "c"},
	{"\"a\" junk ;c", true, "a", "c"},
	{"\"12345678\"", true, "12345678", NULL},
	{"\"123456789\";c", true, "12345678", "c"}, /* as much as fits */
	{"123456789;c", true, "123456789", "c"},    /* not unquoted: a part of the text */
	{"\"a", false, NULL, NULL},
	{"\"", false, NULL, NULL},
	{"\"a\\\"", false, NULL, NULL},
	{"\"a\\", false, NULL, NULL},
};

START_TEST(values_are_unquoted)
{
	char room[8];
	struct slice text = slice_of(values[_i].text), value;
	bool good = http_header_take_value(&text, ';', room, sizeof(room), &value);

	ck_assert_int_eq(good, values[_i].good);
	if (good) {
		ck_assert(slice_equal(value, slice_of(values[_i].value)));
		ck_assert(is(text, values[_i].rest));
	}
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("header");
	TCase *tests = tcase_create("header");

	tcase_add_loop_test(tests, headers_are_found_and_counted, 0, LENGTH(headers));
	tcase_add_loop_test(tests, lists_are_split, 0, LENGTH(lists));
	tcase_add_loop_test(tests, values_are_unquoted, 0, LENGTH(values));
	suite_add_tcase(suite, tests);
	return suite;
}
