/*
 * test_header.c - header fields are found and counted, and lists are split.
 */
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

Suite *unit_suite(void)
{
	Suite *suite = suite_create("header");
	TCase *tests = tcase_create("header");

	tcase_add_loop_test(tests, headers_are_found_and_counted, 0, LENGTH(headers));
	suite_add_tcase(suite, tests);
	return suite;
}
