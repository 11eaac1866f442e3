/*
 * test_http_query.c - parameters of a query, and the address a request says that it went to.
 */
#include <string.h>

#include "check_main.h"
#include "http/query.h"

static struct http_request request_of(char *const *variables)
{
	struct http_request request;

	ck_assert_int_eq(http_request_read(&request, variables), STATUS_OK);
	return request;
}

/* ---- parameters ---- */

static const struct {
	const char *query; /* of the parameter "a" */
	enum status status;
	const char *value; /* NULL: absent */
} queries[] = {
	{"", STATUS_OK, NULL},
	{"?", STATUS_OK, NULL},
	{"?a", STATUS_OK, ""},
	{"?a=", STATUS_OK, ""},
	{"?a=1", STATUS_OK, "1"},
	{"?b=2&a=1", STATUS_OK, "1"},
	{"?a=1&b=2", STATUS_OK, "1"},
	{"?&&a=1&", STATUS_OK, "1"},
	{"?ab=1&A=2&=3", STATUS_OK, NULL},
	{"?a=1=2", STATUS_OK, "1=2"},
	{"?a=x+y%20z", STATUS_OK, "x y z"},
	{"?a=%2526", STATUS_OK, "%26"},
	{"?a=%26%3D", STATUS_OK, "&="},
	{"?a=%c3%A4", STATUS_OK, "\xc3\xa4"},
	{"?%61=1", STATUS_OK, NULL}, /* names of ours need no escapes */
	{"?a=1&a=1", STATUS_INVALID_REQUEST, NULL},
	{"?a=%", STATUS_INVALID_REQUEST, NULL},
	{"?a=%4", STATUS_INVALID_REQUEST, NULL},
	{"?a=%4g", STATUS_INVALID_REQUEST, NULL},
	{"?a=%00", STATUS_INVALID_REQUEST, NULL},
	{"?a=%c3", STATUS_INVALID_REQUEST, NULL},
	{"?a=%ed%a0%80", STATUS_INVALID_REQUEST, NULL},
	{"?a=\xff", STATUS_INVALID_REQUEST, NULL},
};

START_TEST(a_parameter_is_read)
{
	char target[128] = "REQUEST_URI=/x";
	char *variables[] = {target, NULL};
	struct arena arena = {0};
	struct slice value;

	memcpy(target + strlen(target), queries[_i].query, strlen(queries[_i].query) + 1);
	struct http_request request = request_of(variables);
	ck_assert_msg(http_query(&request, &arena, "a", &value) == queries[_i].status, "%s",
		      target);
	if (queries[_i].status == STATUS_OK) {
		ck_assert_msg(slice_equal(value, slice_of(queries[_i].value)), "%s", target);
		ck_assert_int_eq(value.p == NULL, queries[_i].value == NULL);
		ck_assert(value.p == NULL || value.p[value.n] == '\0');
	}
	arena_free(&arena);
}
END_TEST

static enum status query_with_own_arena(void)
{
	static char target[] = "REQUEST_URI=/x?a=1";
	static char id[] = "HTTP_X_REQUEST_ID=r";
	char *const variables[] = {target, id, NULL};
	struct arena arena = {0};
	struct http_request request;
	struct slice value;
	enum status status = http_request_read(&request, variables);

	if (status == STATUS_OK)
		status = http_query(&request, &arena, "a", &value);
	arena_free(&arena);
	return status;
}

START_TEST(a_lack_of_memory_is_told)
{
	ck_assert_int_eq(unit_torture(query_with_own_arena), 1);
}
END_TEST

/* ---- the own address ---- */

static const struct {
	const char *host, *more;
	const char *origin; /* NULL: none */
} hosts[] = {
	{"HTTP_HOST=a.example", "REQUEST_SCHEME=https", "https://a.example"},
	{"HTTP_HOST=a.example", "REQUEST_SCHEME=http", "http://a.example"},
	{"HTTP_HOST=a.example", "REQUEST_SCHEME=HTTPS", "http://a.example"},
	{"HTTP_HOST=a.example", "HTTPS=on", "https://a.example"},
	{"HTTP_HOST=a.example", "HTTPS=off", "http://a.example"},
	{"HTTP_HOST=a.example", "HTTPS=", "http://a.example"},
	{"HTTP_HOST=a.example", "X=1", "http://a.example"},
	{"HTTP_HOST=a.example:8443", "X=1", "http://a.example:8443"},
	{"HTTP_HOST=127.0.0.1:80", "X=1", "http://127.0.0.1:80"},
	{"HTTP_HOST=[::1]", "X=1", "http://[::1]"},
	{"HTTP_HOST=[::1]:80", "X=1", "http://[::1]:80"},
	{"HTTP_HOST=a_b-c.d", "X=1", "http://a_b-c.d"},
	{"HTTP_HOST=", "X=1", NULL},
	{"HTTP_HOST=:80", "X=1", NULL},
	{"HTTP_HOST=a:", "X=1", NULL},
	{"HTTP_HOST=a:b", "X=1", NULL},
	{"HTTP_HOST=a:123456", "X=1", NULL},
	{"HTTP_HOST=a:1:2", "X=1", NULL},
	{"HTTP_HOST=[::1", "X=1", NULL},
	{"HTTP_HOST=[]", "X=1", NULL},
	{"HTTP_HOST=[::1]x", "X=1", NULL},
	{"HTTP_HOST=a/b", "X=1", NULL},
	{"HTTP_HOST=a b", "X=1", NULL},
	{"HTTP_HOST=a'$(reboot)", "X=1", NULL},
	{"HTTP_HOST=a@b", "X=1", NULL},
	{"HTTP_HOST=a\"b", "X=1", NULL},
	{"HTTP_HOST=\xc3\xa4", "X=1", NULL},
	{"HTTP_HOST=a", "HTTP_HOST=b", NULL},
	{"X=1", "HTTPS=on", NULL},
};

START_TEST(an_own_address_is_one_host)
{
	char host[64], more[64];
	char *variables[] = {host, more, NULL};
	struct buf out = buf_make(1024);

	memcpy(host, hosts[_i].host, strlen(hosts[_i].host) + 1);
	memcpy(more, hosts[_i].more, strlen(hosts[_i].more) + 1);
	struct http_request request = request_of(variables);
	ck_assert_msg(http_own_origin(&request, &out) == (hosts[_i].origin != NULL), "%s", host);
	ck_assert_msg(slice_equal(buf_slice(&out), slice_of(hosts[_i].origin)), "%s", host);
	buf_free(&out);
}
END_TEST

START_TEST(a_hosts_length_is_limited)
{
	char host[512] = "HTTP_HOST=";
	char *variables[] = {host, NULL};
	struct buf out = buf_make(1024);

	memset(host + strlen(host), 'a', (size_t)(255 + _i));
	struct http_request request = request_of(variables);
	ck_assert_int_eq(http_own_origin(&request, &out), _i <= 0);
	buf_free(&out);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("http_query");
	TCase *tests = tcase_create("http_query");

	tcase_add_loop_test(tests, a_parameter_is_read, 0, LENGTH(queries));
	tcase_add_test(tests, a_lack_of_memory_is_told);
	tcase_add_loop_test(tests, an_own_address_is_one_host, 0, LENGTH(hosts));
	tcase_add_loop_test(tests, a_hosts_length_is_limited, -1, 2);
	suite_add_tcase(suite, tests);
	return suite;
}
