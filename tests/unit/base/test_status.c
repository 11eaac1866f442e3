/*
 * test_status.c - every status may be sent to somebody: its numbers and texts must hold.
 */
#include <stdbool.h>
#include <string.h>

#include "check_main.h"

static bool is_code(const char *text)
{
	size_t n = strlen(text);

	return n > 0 && strspn(text, "abcdefghijklmnopqrstuvwxyz_") == n;
}

/* Senders give up on some codes and retry on others: only these are ever sent. */
START_TEST(http_codes_are_those_of_the_contract)
{
	static const int sent[] = {200, 201, 202, 400, 401, 403, 404, 405, 408, 413, 415, 429, 503};
	int http = status_http((enum status)_i);
	bool known = false;

	for (int i = 0; i < LENGTH(sent); i++)
		known |= http == sent[i];
	ck_assert_msg(known, "%s has %d", status_code((enum status)_i), http);
	ck_assert_str_ne(status_phrase(http), "Unknown");
}
END_TEST

START_TEST(texts_are_fit_for_senders)
{
	enum status status = (enum status)_i;
	const char *title = status_title(status);

	ck_assert(is_code(status_code(status)));
	ck_assert_uint_gt(strlen(title), 0);
	ck_assert_msg(title[0] >= 'A' && title[0] <= 'Z', "%s", title);
	ck_assert_msg(title[strlen(title) - 1] != '.', "%s", title);
	ck_assert_ptr_null(strpbrk(title, "\"\\/%{}"));
}
END_TEST

START_TEST(retrying_is_advised_where_it_helps)
{
	enum status status = (enum status)_i;
	int http = status_http(status);

	if (http == 503 || http == 429)
		ck_assert_int_gt(status_retry_after_s(status), 0);
	else
		ck_assert_int_eq(status_retry_after_s(status), 0);
}
END_TEST

START_TEST(codes_are_unique)
{
	for (int other = 0; other < _i; other++)
		ck_assert_str_ne(status_code((enum status)_i), status_code((enum status)other));
}
END_TEST

/* Codes and numbers that senders compare. */
static const struct {
	enum status status;
	int http;
	const char *code;
	const char *phrase;
} fixed[] = {
	{STATUS_OK, 200, "ok", "OK"},
	{STATUS_CREATED, 201, "created", "Created"},
	{STATUS_ACCEPTED, 202, "accepted", "Accepted"},
	{STATUS_MALFORMED_JSON, 400, "malformed_json", "Bad Request"},
	{STATUS_MISSING_PRODUCT_ORG_ID, 400, "missing_product_org_id", "Bad Request"},
	{STATUS_INVALID_TEMPLATE, 400, "invalid_template", "Bad Request"},
	{STATUS_REPEATED_HEADER, 400, "repeated_header", "Bad Request"},
	{STATUS_UNAUTHENTICATED, 401, "unauthenticated", "Unauthorized"},
	{STATUS_WRONG_ENDPOINT, 403, "wrong_endpoint", "Forbidden"},
	{STATUS_NOT_SIGNED_IN, 403, "not_signed_in", "Forbidden"},
	{STATUS_NOT_A_MEMBER, 403, "not_a_member", "Forbidden"},
	{STATUS_ROLE_TOO_LOW, 403, "role_too_low", "Forbidden"},
	{STATUS_CSRF_REFUSED, 403, "csrf_refused", "Forbidden"},
	{STATUS_NOT_FOUND, 404, "not_found", "Not Found"},
	{STATUS_METHOD_NOT_ALLOWED, 405, "method_not_allowed", "Method Not Allowed"},
	{STATUS_REQUEST_TIMEOUT, 408, "request_timeout", "Request Timeout"},
	{STATUS_BODY_TOO_LARGE, 413, "body_too_large", "Content Too Large"},
	{STATUS_UNSUPPORTED_CODING, 415, "unsupported_coding", "Unsupported Media Type"},
	{STATUS_LIMIT_REACHED, 429, "limit_reached", "Too Many Requests"},
	{STATUS_NO_MEMORY, 503, "out_of_memory", "Service Unavailable"},
	{STATUS_OUTCOME_UNKNOWN, 503, "outcome_unknown", "Service Unavailable"},
};

START_TEST(interface_stays)
{
	ck_assert_int_eq(status_http(fixed[_i].status), fixed[_i].http);
	ck_assert_str_eq(status_code(fixed[_i].status), fixed[_i].code);
	ck_assert_str_eq(status_phrase(fixed[_i].http), fixed[_i].phrase);
}
END_TEST

START_TEST(codes_never_sent_have_no_phrase)
{
	static const int never[] = {-1, 0, 100, 199, 203, 204, 301, 302, 410, 500, 501, 504, 999};

	ck_assert_str_eq(status_phrase(never[_i]), "Unknown");
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("status");
	TCase *tests = tcase_create("status");

	tcase_add_loop_test(tests, http_codes_are_those_of_the_contract, 0, STATUS_COUNT);
	tcase_add_loop_test(tests, texts_are_fit_for_senders, 0, STATUS_COUNT);
	tcase_add_loop_test(tests, retrying_is_advised_where_it_helps, 0, STATUS_COUNT);
	tcase_add_loop_test(tests, codes_are_unique, 0, STATUS_COUNT);
	tcase_add_loop_test(tests, interface_stays, 0, LENGTH(fixed));
	tcase_add_loop_test(tests, codes_never_sent_have_no_phrase, 0, 13);
	suite_add_tcase(suite, tests);
	return suite;
}
