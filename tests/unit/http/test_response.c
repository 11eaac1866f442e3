/*
 * test_response.c - heads of answers, and problems.
 */
#include "http/problem.h"
#include "http/request_of.h"
#include "http/response.h"

static void expect_head(const struct http_response *response, const struct http_request *request,
			const char *text)
{
	struct buf head = buf_make(4096);

	http_response_head(response, request, &head);
	buf_add_char(&head, '\0');
	ck_assert_int_eq(head.status, STATUS_OK);
	ck_assert_str_eq(head.p, text);
	buf_free(&head);
}

START_TEST(heads_have_what_is_set)
{
	struct http_request request = request_of("HTTP_X_REQUEST_ID=id-1", NULL, NULL);
	struct http_response response = http_response_make();

	expect_head(&response, &request,
		    "Status: 200 OK\r\nX-Request-Id: id-1\r\nCache-Control: no-store\r\n\r\n");
	response.status = 202;
	response.content_type = "application/json";
	expect_head(&response, &request,
		    "Status: 202 Accepted\r\nContent-Type: application/json\r\n"
		    "X-Request-Id: id-1\r\nCache-Control: no-store\r\n\r\n");
	response.coding = "gzip";
	expect_head(&response, &request,
		    "Status: 202 Accepted\r\nContent-Type: application/json\r\n"
		    "Content-Encoding: gzip\r\nVary: Accept-Encoding\r\n"
		    "X-Request-Id: id-1\r\nCache-Control: no-store\r\n\r\n");
	response.coding = NULL;
	response.status = 405;
	response.allow = "POST";
	response.retry_after_s = 7;
	expect_head(&response, &request,
		    "Status: 405 Method Not Allowed\r\nContent-Type: application/json\r\n"
		    "Allow: POST\r\nRetry-After: 7\r\n"
		    "X-Request-Id: id-1\r\nCache-Control: no-store\r\n\r\n");
	http_response_free(&response);
}
END_TEST

/* Each status makes a problem whose members are in their order. */
START_TEST(problems_say_their_status)
{
	enum status status = (enum status)_i;
	const struct problem *problem = problem_of(status);
	struct http_request request = request_of("HTTP_X_REQUEST_ID=id-1", NULL, NULL);
	struct http_response response = http_response_make();
	struct buf text = buf_make(2000);

	buf_add_text(&response.body, "{\"half\":");
	response.allow = "POST";
	http_problem(&response, &request, status, NULL);
	buf_add_format(&text,
		       "{\"type\":\"urn:sluice:problem:%s\",\"title\":\"%s\",\"status\":%d,"
		       "\"detail\":",
		       problem->code, problem->title, problem->http);
	buf_add_json(&text, slice_of(problem->detail));
	buf_add_format(&text, ",\"code\":\"%s\",\"request_id\":\"id-1\"}\n", problem->code);
	ck_assert(slice_equal(buf_slice(&response.body), buf_slice(&text)));
	buf_free(&text);
	ck_assert_int_eq(response.status, problem->http);
	ck_assert_int_eq(response.retry_after_s, problem->retry_after_s);
	ck_assert_str_eq(response.content_type, "application/problem+json");
	ck_assert_str_eq(response.allow, "POST");
	http_response_free(&response);
}
END_TEST

static const struct {
	const char *detail, *json;
} details[] = {
	{"", "\"detail\":\"\","},
	{"byte 17: unexpected character", "\"detail\":\"byte 17: unexpected character\","},
	{"member \"a\\b\"", "\"detail\":\"member \\\"a\\\\b\\\"\","},
	{"two\nlines\x01", "\"detail\":\"two\\nlines\\u0001\","},
};

START_TEST(problem_details_are_json)
{
	struct http_request request = request_of(NULL, NULL, NULL);
	struct http_response response = http_response_make();

	http_problem(&response, &request, STATUS_MALFORMED_JSON, details[_i].detail);
	buf_add_char(&response.body, '\0');
	const char *place = strstr(response.body.p, "\"detail\"");
	ck_assert_ptr_nonnull(place);
	ck_assert_int_eq(strncmp(place, details[_i].json, strlen(details[_i].json)), 0);
	http_response_free(&response);
}
END_TEST

/* A problem that has no memory is a status line; the answer's own failure is forgotten. */
START_TEST(problems_survive_failure)
{
	struct http_request request = request_of(NULL, NULL, NULL);
	struct http_response response = http_response_make();

	unit_fail_allocation(1);
	http_problem(&response, &request, STATUS_UNAVAILABLE, "detail");
	unit_fail_allocation(0);
	ck_assert_int_eq(response.status, 503);
	ck_assert_int_eq(response.retry_after_s, 5);
	ck_assert_ptr_null(response.content_type);
	ck_assert_int_eq(response.body.status, STATUS_OK);
	ck_assert_uint_eq(response.body.n, 0);
	response.body.status = STATUS_NO_MEMORY;
	http_problem(&response, &request, STATUS_NO_MEMORY, NULL);
	ck_assert_str_eq(response.content_type, "application/problem+json");
	ck_assert_uint_gt(response.body.n, 0);
	http_response_free(&response);
	ck_assert_ptr_null(response.body.p);
}
END_TEST

START_TEST(a_problem_may_list_errors_and_further_headers)
{
	struct http_request request = request_of("HTTP_X_REQUEST_ID=r", NULL, NULL);
	struct http_response response = http_response_make();
	struct buf head = buf_make(4096);

	response.headers = "X-Frame-Options: DENY\r\n";
	http_problem_with(&response, &request, STATUS_INVALID_REQUEST, "d",
			  SLICE("[{\"place\":\"name\"}]"));
	buf_add_char(&response.body, '\0');
	ck_assert_ptr_nonnull(strstr(response.body.p, ",\"errors\":[{\"place\":\"name\"}]}\n"));
	http_response_head(&response, &request, &head);
	buf_add_char(&head, '\0');
	ck_assert_ptr_nonnull(strstr(head.p, "\r\nX-Frame-Options: DENY\r\n\r\n"));
	buf_free(&head);
	http_response_free(&response);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("response");
	TCase *tests = tcase_create("response");

	tcase_add_test(tests, heads_have_what_is_set);
	tcase_add_loop_test(tests, problems_say_their_status, 0, STATUS_COUNT);
	tcase_add_loop_test(tests, problem_details_are_json, 0, LENGTH(details));
	tcase_add_test(tests, problems_survive_failure);
	tcase_add_test(tests, a_problem_may_list_errors_and_further_headers);
	suite_add_tcase(suite, tests);
	return suite;
}
