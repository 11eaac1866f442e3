/*
 * test_request.c - requests as CGI variables.
 */
#include "http/request_of.h"

START_TEST(a_request_is_read)
{
	struct http_request request =
		request_of("REQUEST_METHOD=POST", "REQUEST_URI=/a%2Fb?c=d", "CONTENT_LENGTH=12");

	ck_assert(is(request.method, "POST"));
	ck_assert(is(request.target, "/a%2Fb?c=d"));
	ck_assert_int_eq(request.content_length, 12);
}
END_TEST

START_TEST(an_empty_request_is_read)
{
	struct http_request request = request_of(NULL, NULL, NULL);

	ck_assert(is(request.method, NULL));
	ck_assert(is(request.target, NULL));
	ck_assert_int_eq(request.content_length, -1);
	ck_assert_uint_eq(strlen(request.request_id), 24);
}
END_TEST

static const struct {
	const char *text;
	int64_t length;
} content_lengths[] = {
	{"0", 0},
	{"1", 1},
	{" 7 ", 7},
	{"007", 7},
	{"9223372036854775806", INT64_MAX - 1},
	{"9223372036854775807", INT64_MAX},
	{"9223372036854775808", -1},
	{"9223372036854775810", -1},
	{"18446744073709551616", -1},
	{"99999999999999999999999999999", -1},
	{"", -1},
	{"-1", -1},
	{"+1", -1},
	{"12x", -1},
	{"x12", -1},
	{"1 2", -1},
	{"1,1", -1},
	{"1.0", -1},
	{"0x10", -1},
};

START_TEST(content_lengths_are_read)
{
	char variable[64];

	(void)snprintf(variable, sizeof(variable), "CONTENT_LENGTH=%s", content_lengths[_i].text);
	ck_assert_int_eq(request_of(variable, NULL, NULL).content_length,
			 content_lengths[_i].length);
	/* Given twice it says nothing. */
	ck_assert_int_eq(request_of(variable, variable, NULL).content_length, -1);
}
END_TEST

/* ---- request ids ---- */

static const struct {
	const char *id;
	bool sane;
} request_ids[] = {
	{"a", true},
	{"0", true},
	{"AZaz09._:=+/@-", true},
	{"7f3c2a1e-0b1d-4a5e-9c55-0d6a1e2b3c4d", true},
	{"1-67891233-abcdef012345678912345678", true},
	{"", false},
	{"a b", false},
	{"a\nb", false},
	{"a\r\nSet-Cookie: x", false},
	{"a\"b", false},
	{"a\\b", false},
	{"a;b", false},
	{"a,b", false},
	{"a<b", false},
	{"a%20b", false},
	{"\xc3\xa4", false},
	{"a\x7f", false},
	{"a_b", true},
	{"{}", false},
};

static bool is_made(const char *id)
{
	return strlen(id) == 24 && strspn(id, "0123456789abcdef") == 24;
}

START_TEST(sane_request_ids_are_echoed)
{
	char variable[256];

	(void)snprintf(variable, sizeof(variable), "HTTP_X_REQUEST_ID=%s", request_ids[_i].id);
	struct http_request request = request_of(variable, NULL, NULL);
	if (request_ids[_i].sane)
		ck_assert_str_eq(request.request_id, request_ids[_i].id);
	else
		ck_assert_msg(is_made(request.request_id), "%s", request.request_id);
}
END_TEST

static const size_t id_lengths[] = {127, 128, 129, 1000};

START_TEST(request_ids_have_a_length)
{
	char variable[1100] = "HTTP_X_REQUEST_ID=";
	size_t n = id_lengths[_i];

	memset(variable + 18, 'i', n);
	struct http_request request = request_of(variable, NULL, NULL);
	if (n <= 128)
		ck_assert_str_eq(request.request_id, variable + 18);
	else
		ck_assert(is_made(request.request_id));
}
END_TEST

START_TEST(repeated_request_ids_are_replaced)
{
	struct http_request request =
		request_of("HTTP_X_REQUEST_ID=a", "HTTP_X_REQUEST_ID=a", NULL);

	ck_assert(is_made(request.request_id));
}
END_TEST

START_TEST(made_request_ids_differ)
{
	struct http_request first = request_of(NULL, NULL, NULL);
	struct http_request second = request_of(NULL, NULL, NULL);

	ck_assert_str_ne(first.request_id, second.request_id);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("request");
	TCase *tests = tcase_create("request");

	tcase_add_test(tests, a_request_is_read);
	tcase_add_test(tests, an_empty_request_is_read);
	tcase_add_loop_test(tests, content_lengths_are_read, 0, LENGTH(content_lengths));
	tcase_add_loop_test(tests, sane_request_ids_are_echoed, 0, LENGTH(request_ids));
	tcase_add_loop_test(tests, request_ids_have_a_length, 0, LENGTH(id_lengths));
	tcase_add_test(tests, repeated_request_ids_are_replaced);
	tcase_add_test(tests, made_request_ids_differ);
	suite_add_tcase(suite, tests);
	return suite;
}
