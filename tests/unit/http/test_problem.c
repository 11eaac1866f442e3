/*
 * test_problem.c - each status has its problem, and the numbers and texts of a problem hold.
 */
#include <stdbool.h>
#include <string.h>

#include "check_main.h"
#include "http/problem.h"

static bool is_code(const char *text)
{
	size_t n = strlen(text);

	return n > 0 && strspn(text, "abcdefghijklmnopqrstuvwxyz_") == n;
}

/* Senders give up on some codes and retry on others: only these are ever sent. */
START_TEST(http_codes_are_those_of_the_contract)
{
	static const int sent[] = {200, 201, 202, 400, 401, 403, 404, 405,
				   408, 409, 413, 415, 429, 431, 503};
	const struct problem *problem = problem_of((enum status)_i);
	bool known = false;

	ck_assert_msg(problem != NULL, "%s has no problem", status_name((enum status)_i));
	for (int i = 0; i < LENGTH(sent); i++)
		known |= problem->http == sent[i];
	ck_assert_msg(known, "%s has %d", problem->code, problem->http);
	ck_assert_str_ne(problem_phrase(problem->http), "Unknown");
}
END_TEST

START_TEST(texts_are_fit_for_senders)
{
	const struct problem *problem = problem_of((enum status)_i);
	const char *title = problem->title;

	ck_assert(is_code(problem->code));
	ck_assert_uint_gt(strlen(title), 0);
	ck_assert_msg(title[0] >= 'A' && title[0] <= 'Z', "%s", title);
	ck_assert_msg(title[strlen(title) - 1] != '.', "%s", title);
	ck_assert_ptr_null(strpbrk(title, "\"\\/%{}"));
	ck_assert_uint_gt(strlen(problem->detail), 0);
}
END_TEST

START_TEST(retrying_is_advised_where_it_helps)
{
	const struct problem *problem = problem_of((enum status)_i);

	if (problem->http == 503 || problem->http == 429)
		ck_assert_int_gt(problem->retry_after_s, 0);
	else
		ck_assert_int_eq(problem->retry_after_s, 0);
}
END_TEST

/* Statuses between caller and callee; one that leaks is our failure. */
static const enum status inner[] = {STATUS_AGAIN,	STATUS_END,	   STATUS_LARGE,
				    STATUS_NO_SUCH_ROW, STATUS_NOT_UNIQUE, STATUS_CONSTRAINT};

START_TEST(inner_statuses_are_internal_errors)
{
	ck_assert_ptr_eq(problem_of(inner[_i]), problem_of(STATUS_INTERNAL));
}
END_TEST

static bool is_inner(enum status status)
{
	for (int i = 0; i < LENGTH(inner); i++) {
		if (inner[i] == status)
			return true;
	}
	return false;
}

START_TEST(codes_are_unique)
{
	if (is_inner((enum status)_i))
		return;
	for (int other = 0; other < _i; other++) {
		if (!is_inner((enum status)other))
			ck_assert_str_ne(problem_of((enum status)_i)->code,
					 problem_of((enum status)other)->code);
	}
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
	{STATUS_WRONG_NETWORK, 403, "wrong_network", "Forbidden"},
	{STATUS_NOT_SIGNED_IN, 403, "not_signed_in", "Forbidden"},
	{STATUS_NOT_A_MEMBER, 403, "not_a_member", "Forbidden"},
	{STATUS_ROLE_TOO_LOW, 403, "role_too_low", "Forbidden"},
	{STATUS_INVALID_TOKEN, 401, "invalid_token", "Unauthorized"},
	{STATUS_INSUFFICIENT_SCOPE, 403, "insufficient_scope", "Forbidden"},
	{STATUS_CSRF_REFUSED, 403, "csrf_refused", "Forbidden"},
	{STATUS_NOT_FOUND, 404, "not_found", "Not Found"},
	{STATUS_METHOD_NOT_ALLOWED, 405, "method_not_allowed", "Method Not Allowed"},
	{STATUS_REQUEST_TIMEOUT, 408, "request_timeout", "Request Timeout"},
	{STATUS_WRONG_STATE, 409, "wrong_state", "Conflict"},
	{STATUS_NAME_TAKEN, 409, "name_taken", "Conflict"},
	{STATUS_TOO_LARGE, 413, "body_too_large", "Content Too Large"},
	{STATUS_UNSUPPORTED_CODING, 415, "unsupported_coding", "Unsupported Media Type"},
	{STATUS_LIMIT_REACHED, 429, "limit_reached", "Too Many Requests"},
	{STATUS_UNAVAILABLE, 503, "database_unavailable", "Service Unavailable"},
	{STATUS_DEADLINE, 503, "database_timeout", "Service Unavailable"},
	{STATUS_READ_ONLY, 503, "database_read_only", "Service Unavailable"},
	{STATUS_STORAGE_FULL, 503, "database_full", "Service Unavailable"},
	{STATUS_CONFLICT, 503, "database_conflict", "Service Unavailable"},
	{STATUS_INTERNAL, 503, "internal_error", "Service Unavailable"},
	{STATUS_NO_MEMORY, 503, "out_of_memory", "Service Unavailable"},
	{STATUS_OUTCOME_UNKNOWN, 503, "outcome_unknown", "Service Unavailable"},
};

START_TEST(interface_stays)
{
	ck_assert_int_eq(problem_of(fixed[_i].status)->http, fixed[_i].http);
	ck_assert_str_eq(problem_of(fixed[_i].status)->code, fixed[_i].code);
	ck_assert_str_eq(problem_phrase(fixed[_i].http), fixed[_i].phrase);
}
END_TEST

START_TEST(codes_never_sent_have_no_phrase)
{
	static const int never[] = {-1, 0, 100, 199, 203, 204, 301, 302, 410, 500, 501, 504, 999};

	ck_assert_str_eq(problem_phrase(never[_i]), "Unknown");
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("problem");
	TCase *tests = tcase_create("problem");

	tcase_add_loop_test(tests, http_codes_are_those_of_the_contract, 0, STATUS_COUNT);
	tcase_add_loop_test(tests, texts_are_fit_for_senders, 0, STATUS_COUNT);
	tcase_add_loop_test(tests, retrying_is_advised_where_it_helps, 0, STATUS_COUNT);
	tcase_add_loop_test(tests, inner_statuses_are_internal_errors, 0, LENGTH(inner));
	tcase_add_loop_test(tests, codes_are_unique, 0, STATUS_COUNT);
	tcase_add_loop_test(tests, interface_stays, 0, LENGTH(fixed));
	tcase_add_loop_test(tests, codes_never_sent_have_no_phrase, 0, 13);
	suite_add_tcase(suite, tests);
	return suite;
}
