/*
 * test_trace.c - which traceparent headers are one of W3C Trace Context, version 00.
 */
#include "http/request_of.h"
#include "http/trace.h"

#define TRACE "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

static const struct {
	const char *first, *second, *found;
} traces[] = {
	{NULL, NULL, NULL},
	{"HTTP_TRACEPARENT=", NULL, NULL},
	{"HTTP_TRACEPARENT=" TRACE, NULL, TRACE},
	{"HTTP_TRACEPARENT= " TRACE " ", NULL, TRACE},
	{"HTTP_TRACEPARENT=" TRACE, "HTTP_TRACEPARENT=" TRACE, NULL},
	{"HTTP_TRACEPARENT=" TRACE "-x", NULL, NULL},
	{"HTTP_TRACEPARENT=01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", NULL, NULL},
	{"HTTP_TRACEPARENT=00-0AF7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", NULL, NULL},
	{"HTTP_TRACEPARENT=00-sk_0123456789abcdef0123456789abcd-b7ad6b7169203331-01", NULL, NULL},
	{"HTTP_TRACEPARENT=00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0", NULL, NULL},
};

START_TEST(a_trace_is_found_by_its_form)
{
	struct http_request request = request_of(traces[_i].first, traces[_i].second, NULL);

	ck_assert(is(http_trace_parent(&request), traces[_i].found));
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("trace");
	TCase *all = tcase_create("all");

	tcase_add_loop_test(all, a_trace_is_found_by_its_form, 0, LENGTH(traces));
	suite_add_tcase(suite, all);
	return suite;
}
