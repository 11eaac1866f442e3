/*
 * test_bearer.c - tokens of the settings API: which headers have one, which are refused, and what
 * the database is asked for one.
 */
#include "key_row.h"
#include "settings/cgi_service.h"

#define TOKEN	 "slt_Sluice0Test1Token2That3Nobody4Us2jvX4y"
#define BEARER	 "HTTP_AUTHORIZATION=Bearer " TOKEN
#define PASSWORD "HTTP_AUTHORIZATION=Basic eDp5"
#define USER	 "REMOTE_USER=vera"

static void set_up(void)
{
	service_set_up();
	libpq_show_by(key_show_call);
}

static const char *request(const struct libpq_call *script, const char *method, const char *target,
			   const char *header, const char *second)
{
	static char uri[128], name[64];
	const char *variables[] = {name,
				   uri,
				   "CONTENT_TYPE=application/json",
				   "CONTENT_LENGTH=2",
				   header ? header : second,
				   header ? second : NULL,
				   NULL};

	(void)snprintf(name, sizeof(name), "REQUEST_METHOD=%s", method);
	(void)snprintf(uri, sizeof(uri), "REQUEST_URI=/api/settings/%s", target);
	open_service(script);
	cgi_write_body("{}");
	fcgi_use_cgi(fcgi, (char *const *)(const void *)variables);
	settings_serve(settings, fcgi);
	const char *response = cgi_response();
	close_service();
	return response;
}

/* ---- headers ---- */

static const struct {
	const char *header, *second, *status, *says;
} refused[] = {
	{"HTTP_AUTHORIZATION=Bearer", NULL, "400", "is not the word Bearer and one token"},
	{"HTTP_AUTHORIZATION=bearer  ", NULL, "400", "is not the word Bearer and one token"},
	{"HTTP_AUTHORIZATION=Bearer a b", NULL, "400", "is not the word Bearer and one token"},
	{BEARER "," TOKEN, NULL, "400", "is not the word Bearer and one token"},
	{"HTTP_AUTHORIZATION=Bearer,", NULL, "400", "is not the word Bearer and one token"},
	{BEARER, PASSWORD, "400", "is there more than once"},
	{BEARER, BEARER, "400", "is there more than once"},
	{BEARER "x", NULL, "401", "invalid_token"},
	{"HTTP_AUTHORIZATION=Bearer x", NULL, "401", "invalid_token"},
	{"HTTP_AUTHORIZATION=BEARER\tx", NULL, "401", "invalid_token"},
	/* Without a token it is the web server's user, and there is none. */
	{"HTTP_AUTHORIZATION=Bearerx " TOKEN, NULL, "403", "AUTH_TYPE is not set"},
	{"HTTP_AUTHORIZATION=" TOKEN, NULL, "403", "AUTH_TYPE is not set"},
	{PASSWORD, NULL, "403", "AUTH_TYPE is not set"},
	/* Nobody's, whether the web server took the password or not. */
	{PASSWORD, BEARER, "400", "is there more than once"},
	{PASSWORD, PASSWORD, "400", "is there more than once"},
	{PASSWORD ", Bearer " TOKEN, NULL, "400", "is not the word Basic and one password"},
	{PASSWORD ",Bearer " TOKEN, USER, "400", "is not the word Basic and one password"},
	{PASSWORD " Bearer", USER, "400", "is not the word Basic and one password"},
};

START_TEST(what_is_no_token_is_refused_without_the_database)
{
	const struct libpq_call script[] = {{0}};
	const char *response =
		request(script, "GET", "keys", refused[_i].header, refused[_i].second);
	char status[32];

	(void)snprintf(status, sizeof(status), "Status: %s ", refused[_i].status);
	check_says(response, status);
	check_says(response, refused[_i].says);
	ck_assert((strstr(response, "WWW-Authenticate: Bearer realm=\"Sluice\", error=") != NULL) ==
		  (refused[_i].status[2] != '3'));
}
END_TEST

/* ---- the database ---- */

static const struct libpq_value nobody = {NULL, 0}, user = {"token:7:alice", 13};
static const struct libpq_result unknown = {
	.status = PGRES_TUPLES_OK, .rows = 1, .columns = 1, .values = &nobody};
static const struct libpq_result known = {
	.status = PGRES_TUPLES_OK, .rows = 1, .columns = 1, .values = &user};
static const struct libpq_result no_scope = LIBPQ_ERROR("SL007", "no such scope");

START_TEST(an_unknown_token_is_invalid)
{
	const struct libpq_call script[] = {LIBPQ_CONNECT,
					    LIBPQ_SEND("settings_token_use|read"),
					    LIBPQ_ANSWER(&unknown),
					    LIBPQ_FINISH,
					    {0}};
	const char *response = request(script, "GET", "keys", BEARER, NULL);

	check_says(response, "Status: 401 ");
	check_says(response,
		   "WWW-Authenticate: Bearer realm=\"Sluice\", error=\"invalid_token\"\r\n");
}
END_TEST

static const struct {
	const char *method, *target, *challenge, *says;
} scopes[] = {
	{"GET", "keys", "error=\"insufficient_scope\", scope=\"read\"\r\n",
	 "This requires a token with the scope \\\"read\\\"."},
	{"POST", "keys", "error=\"insufficient_scope\", scope=\"keys\"\r\n", "\\\"keys\\\""},
	{"POST", "limit", "error=\"insufficient_scope\", scope=\"organization\"\r\n",
	 "\\\"organization\\\""},
	{"POST", "tokens", "error=\"insufficient_scope\"\r\n",
	 "No token may do this: sign in to the settings page."},
};

START_TEST(a_token_needs_the_scope_of_the_route)
{
	const struct libpq_call script[] = {
		LIBPQ_CONNECT, LIBPQ_SEND(NULL), LIBPQ_ANSWER(&no_scope), LIBPQ_FINISH, {0}};
	const char *response = request(script, scopes[_i].method, scopes[_i].target, BEARER, NULL);

	check_says(response, "Status: 403 ");
	check_says(response, scopes[_i].challenge);
	check_says(response, scopes[_i].says);
}
END_TEST

START_TEST(another_organization_is_not_the_token_s)
{
	static const struct libpq_result stranger = LIBPQ_ERROR("SL001", "not a member");
	const struct libpq_call script[] = {LIBPQ_CONNECT,
					    LIBPQ_SEND(NULL),
					    LIBPQ_ANSWER(&known),
					    LIBPQ_SEND("settings_keys|3|null|51|null|null|null"),
					    LIBPQ_ANSWER(&stranger),
					    LIBPQ_FINISH,
					    {0}};
	const char *response = request(script, "GET", "keys?organization=3", BEARER, NULL);

	check_says(response, "not_a_member");
	check_says(response, "The token is for another organization.");
}
END_TEST

/* Each route is in the table of scopes, or one of these two. */
START_TEST(a_token_makes_no_token)
{
	int people = 0;

	for (int i = 0; i < ROUTE_SETTING_COUNT; i++)
		people += settings_scopes[i] == NULL;
	ck_assert_int_eq(people, 2);
	ck_assert(settings_scopes[ROUTE_TOKEN_CREATE] == NULL);
	ck_assert(settings_scopes[ROUTE_TOKEN_REVOKE] == NULL);
	ck_assert_str_eq(settings_scopes[ROUTE_ME], "");
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("bearer");
	TCase *tests = tcase_create("bearer");

	tcase_add_checked_fixture(tests, set_up, service_tear_down);
	tcase_add_loop_test(tests, what_is_no_token_is_refused_without_the_database, 0,
			    LENGTH(refused));
	tcase_add_test(tests, an_unknown_token_is_invalid);
	tcase_add_loop_test(tests, a_token_needs_the_scope_of_the_route, 0, LENGTH(scopes));
	tcase_add_test(tests, another_organization_is_not_the_token_s);
	tcase_add_test(tests, a_token_makes_no_token);
	suite_add_tcase(suite, tests);
	return suite;
}
