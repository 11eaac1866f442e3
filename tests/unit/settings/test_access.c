/*
 * test_access.c - which users the settings service takes for authenticated, and which requests it
 * takes for its own page's.
 */
#include <stdlib.h>
#include <string.h>

#include "check_main.h"
#include "settings/settings_internal.h"

enum { HEADERS_MAX = 4 };

static struct config config;
static struct settings settings;

static void begin(bool trusts_web_server, const char *public_url, const char *const *headers)
{
	static const char *variables[HEADERS_MAX + 4];
	size_t n = 0;

	variables[n++] = "REQUEST_METHOD=POST";
	variables[n++] = "REQUEST_URI=/api/settings/keys";
	for (size_t i = 0; i < HEADERS_MAX && headers[i] != NULL; i++)
		variables[n++] = headers[i];
	variables[n] = NULL;
	config = (struct config){.settings_trust_remote_user = trusts_web_server,
				 .public_url = public_url};
	settings = (struct settings){.config = &config, .response = http_response_make()};
	if (http_request_read(&settings.http, (char *const *)(const void *)variables) != STATUS_OK)
		abort();
}

static void tear_down(void)
{
	http_response_free(&settings.response);
	arena_free(&settings.arena);
}

/* ---- the user ---- */

static const struct {
	bool trusts_web_server;
	const char *headers[HEADERS_MAX];
	const char *user, *detail; /* one of them */
} users[] = {
	{true, {"AUTH_TYPE=Basic", "REMOTE_USER=alice"}, "alice", NULL},
	{true, {"REMOTE_USER=alice@EXAMPLE.COM", "AUTH_TYPE=Negotiate"}, "alice@EXAMPLE.COM", NULL},
	{true, {"AUTH_TYPE=Basic", "REMOTE_USER=\xc3\xa9ve"}, "\xc3\xa9ve", NULL},
	{false,
	 {"AUTH_TYPE=Basic", "REMOTE_USER=alice"},
	 NULL,
	 "settings_trust_remote_user is off"},
	{true, {"REMOTE_USER=alice"}, NULL, "AUTH_TYPE is not set"},
	{true, {"AUTH_TYPE=", "REMOTE_USER=alice"}, NULL, "AUTH_TYPE is not set"},
	{true, {"AUTH_TYPE=Basic", "AUTH_TYPE=Basic", "REMOTE_USER=alice"}, NULL, "AUTH_TYPE"},
	{true, {"HTTP_AUTH_TYPE=Basic", "REMOTE_USER=alice"}, NULL, "AUTH_TYPE is not set"},
	{true, {"AUTH_TYPE=Basic"}, NULL, "REMOTE_USER is not set"},
	{true, {"AUTH_TYPE=Basic", "REMOTE_USER="}, NULL, "REMOTE_USER is not set"},
	{true, {"AUTH_TYPE=Basic", "HTTP_REMOTE_USER=alice"}, NULL, "REMOTE_USER is not set"},
	{true, {"AUTH_TYPE=Basic", "REMOTE_USER=alice", "REMOTE_USER=bob"}, NULL, "REMOTE_USER"},
	{true, {"AUTH_TYPE=Basic", "REMOTE_USER=a\tb"}, NULL, "REMOTE_USER"},
	{true, {"AUTH_TYPE=Basic", "REMOTE_USER=\xff"}, NULL, "REMOTE_USER"},
	{true, {"AUTH_TYPE=Basic", "REMOTE_USER=token:7:alice"}, NULL, "REMOTE_USER"},
};

static bool response_says(const char *text)
{
	struct buf *body = &settings.response.body;

	buf_add_char(body, '\0');
	return strstr(body->p, text) != NULL;
}

START_TEST(a_user_is_whom_the_web_server_has_authenticated)
{
	begin(users[_i].trusts_web_server, "", users[_i].headers);
	enum status status = settings_authenticate(&settings);

	if (users[_i].user != NULL) {
		ck_assert_int_eq(status, STATUS_OK);
		ck_assert(slice_equal(settings.store.actor, slice_of(users[_i].user)));
		return;
	}
	ck_assert_int_eq(status, STATUS_NOT_SIGNED_IN);
	ck_assert_int_eq(settings.response.status, 403);
	ck_assert(settings.store.actor.p == NULL);
	ck_assert(response_says(users[_i].detail));
}
END_TEST

/* As many characters as a name may have, and one more. */
START_TEST(a_user_name_has_at_most_200_characters)
{
	char user[256] = "REMOTE_USER=";
	const char *const headers[HEADERS_MAX] = {"AUTH_TYPE=Basic", user};

	memset(user + strlen(user), 'a', 200 + (size_t)_i);
	begin(true, "", headers);
	ck_assert_int_eq(settings_authenticate(&settings),
			 _i == 0 ? STATUS_OK : STATUS_NOT_SIGNED_IN);
}
END_TEST

static enum status authenticate(void)
{
	static const char *const headers[HEADERS_MAX] = {"AUTH_TYPE=Basic", "REMOTE_USER=alice"};

	begin(true, "", headers);
	enum status status = settings_authenticate(&settings);
	tear_down();
	return status;
}

START_TEST(a_user_without_memory_is_refused)
{
	ck_assert_int_gt(unit_torture(authenticate), 0);
}
END_TEST

/* ---- the origin ---- */

#define HERE "HTTP_HOST=sluice.example.com", "REQUEST_SCHEME=https"

static const struct {
	const char *public_url;
	const char *headers[HEADERS_MAX];
	bool same_origin;
} origins[] = {
	/* Clients other than browsers send neither header. */
	{"", {HERE}, true},
	{"", {HERE, "HTTP_SEC_FETCH_SITE=same-origin"}, true},
	{"", {HERE, "HTTP_SEC_FETCH_SITE=none"}, true},
	{"", {HERE, "HTTP_SEC_FETCH_SITE=same-site"}, false},
	{"", {HERE, "HTTP_SEC_FETCH_SITE=cross-site"}, false},
	{"", {HERE, "HTTP_SEC_FETCH_SITE="}, false},
	{"", {HERE, "HTTP_SEC_FETCH_SITE=none", "HTTP_SEC_FETCH_SITE=none"}, false},
	{"", {HERE, "HTTP_ORIGIN=https://sluice.example.com"}, true},
	{"", {HERE, "HTTP_ORIGIN=HTTPS://Sluice.Example.COM"}, true},
	{"", {HERE, "HTTP_ORIGIN=http://sluice.example.com"}, false},
	{"", {HERE, "HTTP_ORIGIN=https://sluice.example.com:8443"}, false},
	{"", {HERE, "HTTP_ORIGIN=https://sluice.example.com.evil.net"}, false},
	{"", {HERE, "HTTP_ORIGIN=https://sluice.example.co"}, false},
	{"", {HERE, "HTTP_ORIGIN=null"}, false},
	{"", {HERE, "HTTP_ORIGIN="}, false},
	{"", {"REQUEST_SCHEME=https", "HTTP_ORIGIN=https://sluice.example.com"}, false},
	{"",
	 {HERE, "HTTP_SEC_FETCH_SITE=cross-site", "HTTP_ORIGIN=https://sluice.example.com"},
	 false},
	{"", {HERE, "HTTP_SEC_FETCH_SITE=same-origin", "HTTP_ORIGIN=https://evil.net"}, false},
	/* Behind another proxy. */
	{"https://hooks.example.net", {HERE, "HTTP_ORIGIN=https://hooks.example.net"}, true},
	{"https://hooks.example.net/", {HERE, "HTTP_ORIGIN=https://hooks.example.net"}, true},
	{"https://hooks.example.net/in/", {HERE, "HTTP_ORIGIN=https://hooks.example.net"}, true},
	{"https://hooks.example.net", {HERE, "HTTP_ORIGIN=https://sluice.example.com"}, false},
	{"https://hooks.example.net", {HERE, "HTTP_ORIGIN=https://hooks.example.net/in"}, false},
};

START_TEST(a_change_comes_from_the_page_itself)
{
	begin(true, origins[_i].public_url, origins[_i].headers);
	ck_assert_int_eq(settings_is_same_origin(&settings), origins[_i].same_origin);
}
END_TEST

static const struct {
	const char *headers[HEADERS_MAX];
	const char *detail;
} forgeries[] = {
	{{HERE, "HTTP_ORIGIN=https://evil.net", "HTTP_X_CSRF_TOKEN=x"}, "from another site"},
	{{HERE}, "csrf"},
	{{HERE, "HTTP_X_CSRF_TOKEN=x", "HTTP_X_CSRF_TOKEN=x"}, "csrf"},
};

START_TEST(a_forged_request_is_refused_before_the_database_is_asked)
{
	begin(true, "", forgeries[_i].headers);
	ck_assert_int_eq(settings_check_csrf(&settings), STATUS_CSRF_REFUSED);
	ck_assert_int_eq(settings.response.status, 403);
	ck_assert(response_says(forgeries[_i].detail));
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("access");
	TCase *tcase = tcase_create("access");

	tcase_add_checked_fixture(tcase, NULL, tear_down);
	tcase_add_loop_test(tcase, a_user_is_whom_the_web_server_has_authenticated, 0,
			    LENGTH(users));
	tcase_add_loop_test(tcase, a_user_name_has_at_most_200_characters, 0, 2);
	tcase_add_test(tcase, a_user_without_memory_is_refused);
	tcase_add_loop_test(tcase, a_change_comes_from_the_page_itself, 0, LENGTH(origins));
	tcase_add_loop_test(tcase, a_forged_request_is_refused_before_the_database_is_asked, 0,
			    LENGTH(forgeries));
	suite_add_tcase(suite, tcase);
	return suite;
}
