/*
 * test_settings.c - a request's way through the settings service, as plain CGI: what is refused
 * before the database is asked, what it is asked, and what is sent and logged.
 *
 * libpq plays scripts: a connection that is made too early fails the test.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "settings/cgi_service.h"

enum { VARIABLES_MAX = 10 };

#define ALICE "REMOTE_USER=alice", "AUTH_TYPE=Basic"

/* Serves a request of alice; what was written, terminated. header may be NULL, and so may body. */
static const char *serve(const char *method, const char *target, const char *header,
			 const char *body)
{
	static char method_variable[32], uri[256], length[64];
	const char *variables[VARIABLES_MAX] = {method_variable, uri, "HTTP_X_REQUEST_ID=r1",
						ALICE};
	size_t n = 5;

	(void)snprintf(method_variable, sizeof(method_variable), "REQUEST_METHOD=%s", method);
	(void)snprintf(uri, sizeof(uri), "REQUEST_URI=/api/settings/%s", target);
	if (slice_equal(slice_of(method), SLICE("POST")) &&
	    (header == NULL || !slice_starts(slice_of(header), SLICE("CONTENT_TYPE="))))
		variables[n++] = "CONTENT_TYPE=application/json";
	if (body != NULL) {
		(void)snprintf(length, sizeof(length), "CONTENT_LENGTH=%zu", strlen(body));
		cgi_write_body(body);
		variables[n++] = length;
	}
	variables[n] = header;
	fcgi_use_cgi(fcgi, (char *const *)(const void *)variables);
	settings_serve(settings, fcgi);
	return cgi_response();
}

/* ---- refused by the head alone: the database is not connected ---- */

static const struct {
	const char *method, *target, *header, *head, *body;
} refused[] = {
	{"GET", "nothing", NULL, "Status: 404 Not Found\r\n", "\"detail\":\"Check the path.\""},
	{"DELETE", "keys", NULL, "\r\nAllow: GET, POST\r\n", "\"code\":\"method_not_allowed\""},
	{"POST", "me", NULL, "\r\nAllow: GET\r\n", "\"code\":\"method_not_allowed\""},
	{"GET", "keys", "REMOTE_USER=bob", "Status: 403 Forbidden\r\n",
	 "\"code\":\"not_signed_in\""},
	{"POST", "keys", "CONTENT_LENGTH=262145", "Status: 413 Content Too Large\r\n",
	 "\"code\":\"body_too_large\""},
	{"POST", "keys", "CONTENT_TYPE=text/plain", "Status: 415 Unsupported Media Type\r\n",
	 "\"detail\":\"Send application/json in UTF-8.\""},
	{"POST", "keys", "HTTP_CONTENT_ENCODING=gzip", "Status: 415 ",
	 "\"detail\":\"Send the body uncompressed.\""},
	{"GET", "keys?organization=x", NULL, "Status: 400 Bad Request\r\n",
	 "\"place\":\"organization\""},
	{"GET", "keys?organization=1&organization=2", NULL, "Status: 400 ",
	 "\"place\":\"organization\""},
	{"GET", "signals?mail=x&limit=101&&before=y&status=lost&source=%ff", NULL, "Status: 400 ",
	 "\"errors\":[{\"place\":\"mail\",\"code\":\"unknown\",\"detail\":\"is not known here\"},"
	 "{\"place\":\"limit\",\"code\":\"out_of_range\",\"detail\":\"is not a whole number from 1 to 100\"},"
	 "{\"place\":\"before\",\"code\":\"wrong_type\",\"detail\":\"is not the \\\"next\\\" of an answer\"},"
	 "{\"place\":\"source\",\"code\":\"repeated\",\"detail\":\"is not valid text, or is given twice\"},"
	 "{\"place\":\"status\",\"code\":\"not_a_choice\",\"detail\":\"is none of: pending processing completed failed "
	 "skipped permanently_failed cold_storage\"}]"},
	{"GET", "statistics?window=1y&limit=5", NULL, "Status: 400 ",
	 "\"errors\":[{\"place\":\"limit\",\"code\":\"unknown\",\"detail\":\"is not known here\"},"
	 "{\"place\":\"window\",\"code\":\"not_a_choice\",\"detail\":\"is none of: 24h 7d 30d\"}]"},
	{"GET", "signals?before=1-&from=soon&until=2031-01-01T00:00:00&key=x&format=", NULL,
	 "Status: 400 ",
	 "\"errors\":[{\"place\":\"before\",\"code\":\"wrong_type\",\"detail\":\"is not the \\\"next\\\" of an answer\"},"
	 "{\"place\":\"key\",\"code\":\"wrong_type\",\"detail\":\"is not an id\"},{\"place\":\"from\",\"code\":\"wrong_type\",\"detail\":\"is not a "
	 "timestamp: write 2031-05-01T12:00:00Z, or 2031-05-01\"},{\"place\":\"until\""},
	{"POST", "keys?x", NULL, "Status: 400 ", "\"place\":\"x\""},
	{"POST", "keys?limit=5", NULL, "Status: 400 ", "\"place\":\"limit\""},
	{"GET", "keys?limit=0&before=x&endpoint_type=signals&status=gone", NULL, "Status: 400 ",
	 "\"errors\":[{\"place\":\"limit\",\"code\":\"out_of_range\",\"detail\":\"is not a whole number from 1 to 100\"},"
	 "{\"place\":\"before\",\"code\":\"wrong_type\",\"detail\":\"is not an id\"},"
	 "{\"place\":\"endpoint_type\",\"code\":\"not_a_choice\",\"detail\":\"is none of: signal_staging product_orgs\"},"
	 "{\"place\":\"status\",\"code\":\"not_a_choice\",\"detail\":\"is none of: active expired deactivated\"}]"},
	{"GET", "usage?before=2031-13", NULL, "Status: 400 ", "is not a month: write 2031-05"},
	{"GET", "usage?before=2031-5", NULL, "Status: 400 ", "is not a month: write 2031-05"},
	{"GET", "usage?before=0000-05", NULL, "Status: 400 ", "is not a month: write 2031-05"},
};

START_TEST(a_request_is_refused_before_the_database_is_connected)
{
	static const struct libpq_call script[] = {{0}};

	open_service(script);
	(void)close(cgi_input); /* no body follows */
	const char *response =
		serve(refused[_i].method, refused[_i].target, refused[_i].header, NULL);
	check_says(response, refused[_i].head);
	check_says(response, refused[_i].body);
	check_says(response, "Content-Type: application/problem+json\r\n");
	close_service();
}
END_TEST

/* ---- parameters that could not be read ---- */

static const struct {
	enum status status;
	const char *method, *head, *body;
} unread[] = {
	{STATUS_NO_MEMORY, "REQUEST_METHOD=POST", "Status: 503 Service Unavailable\r\n",
	 "Nothing was changed. Try again later."},
	{STATUS_NO_MEMORY, NULL, "\r\nRetry-After: ", "\"code\":\"out_of_memory\""},
	{STATUS_HEADERS_TOO_LARGE, "REQUEST_METHOD=GET", "Status: 431 ",
	 "\"code\":\"headers_too_large\""},
};

START_TEST(a_request_that_cannot_be_read_is_answered)
{
	static const struct libpq_call script[] = {{0}};
	const char *variables[] = {unread[_i].method, "REQUEST_URI=/api/settings/me", NULL};

	open_service(script);
	ck_assert_int_eq(settings_prepare(settings), STATUS_OK);
	(void)close(cgi_input);
	fcgi_use_cgi(fcgi, (char *const *)(const void *)variables);
	settings_refuse(settings, fcgi, unread[_i].status);
	const char *response = cgi_response();
	check_says(response, unread[_i].head);
	check_says(response, unread[_i].body);
	check_says(captured_log(), " route=none status=");
	close_service();
}
END_TEST

static enum status prepare(void)
{
	struct settings made = {.response = http_response_make()};
	enum status status = settings_prepare(&made);

	http_response_free(&made.response);
	return status;
}

START_TEST(without_memory_for_a_problem_nothing_is_prepared)
{
	ck_assert_int_eq(unit_torture(prepare), 1);
}
END_TEST

/* ---- what the database is asked ---- */

static const struct libpq_value document[] = {{"{\"n\": 1.50}", 11}};
static const struct libpq_result one_document = {
	.status = PGRES_TUPLES_OK, .rows = 1, .columns = 1, .values = document};

#define USAGE                                                                                      \
	"SELECT sluice.settings_usage($1::text, $2::bigint, ($3::text || '-01')::date, "           \
	"$4::integer)"

/* On behalf of the user, of the organization that is named. */
START_TEST(a_document_is_passed_on)
{
	static const struct libpq_call script[] = {LIBPQ_CONNECT,
						   LIBPQ_SEND(USAGE "(alice|42|null|12)"),
						   LIBPQ_ANSWER(&one_document),
						   LIBPQ_FINISH,
						   {0}};

	open_service(script);
	const char *response = serve("GET", "usage?organization=042", NULL, NULL);
	check_says(response, "Status: 200 OK\r\nContent-Type: application/json\r\n");
	check_says(response, "\r\n\r\n{\"n\": 1.50}\n");
	/* Not to be guessed, framed, rendered or kept. */
	check_says(response, "\r\nX-Content-Type-Options: nosniff\r\n");
	check_says(response, "\r\nX-Frame-Options: DENY\r\n");
	check_says(response,
		   "\r\nContent-Security-Policy: default-src 'none'; frame-ancestors 'none'\r\n");
	check_says(response, "\r\nReferrer-Policy: no-referrer\r\n");
	check_says(response, "\r\nCache-Control: no-store\r\n");
	const char *line = captured_log();
	ck_assert_int_eq(captured_log_count(line, "event=request "), 1);
	check_says(line, " request_id=r1 route=/api/settings/usage method=GET status=200 code=ok "
			 "user=alice organization=42 ");
	close_service();
}
END_TEST

START_TEST(the_clients_address_is_logged_on_demand)
{
	static const struct libpq_call script[] = {{0}};

	open_service(script);
	(void)serve("GET", "me?x=1", "REMOTE_ADDR=192.0.2.7", NULL);
	check_says(captured_log(), " code=invalid_request user=alice ms=");
	ck_assert_ptr_null(strstr(captured_log(), "192.0.2.7"));
	config.log_client_address = true;
	cgi_open_pipes();
	(void)serve("GET", "me?x=1", "REMOTE_ADDR=192.0.2.7", NULL);
	check_says(captured_log(), " client=192.0.2.7\n");
	config.log_client_address = false;
	close_service();
}
END_TEST

#define SIGNALS                                                                                    \
	"SELECT sluice.settings_signals($1::text, $2::bigint, $3::jsonb, $4::text, $5::integer, "  \
	"$6::boolean)"

static const struct libpq_value found[] = {
	{"{\"signals\" : [{\"id\" : 7, \"email\" : \"=x\"}], \"next\" : \"1-7\", "
	 "\"searched_until\" : null, \"live\" : \"2-3:3:\"}",
	 102}};
static const struct libpq_result one_found = {
	.status = PGRES_TUPLES_OK, .rows = 1, .columns = 1, .values = found};

/* target behind "signals?", the parameters behind the organization, what the response says */
static const struct {
	const char *query, *asked, *head, *body;
} searches[] = {
	{"", SIGNALS "(alice|null|{}|null|50|false)", "Content-Type: application/json\r\n",
	 "\r\n\r\n{\"signals\" : [{"},
	{"email=a%40b.c&source=&from=2031-01-01&until=2031-01-01T01:00:00%2B01:00&limit=5&before=9-8",
	 SIGNALS "(alice|null|{\"email\":\"a@b.c\",\"from\":\"2031-01-01T00:00:00Z\","
		 "\"until\":\"2031-01-01T00:00:00Z\"}|9-8|5|false)",
	 "Content-Type: application/json\r\n", "\"live\" : "},
	{"format=csv", SIGNALS "(alice|null|{}|null|50|true)",
	 "Content-Type: text/csv; charset=utf-8\r\n",
	 "signals.csv\"\r\nSluice-Next: 1-7\r\n\r\nid,received_at,"},
	{"format=csv&before=1-8", SIGNALS "(alice|null|{}|1-8|50|true)", "Sluice-Next: 1-7\r\n",
	 "\r\n\r\n7,,,,,,'=x,,,,,,,,,\r\n"},
	{"format=ndjson", SIGNALS "(alice|null|{}|null|50|true)",
	 "Content-Type: application/x-ndjson\r\n", "\r\n\r\n{\"id\" : 7, \"email\" : \"=x\"}\n"},
};

START_TEST(signals_are_searched)
{
	struct libpq_call script[] = {LIBPQ_CONNECT,
				      LIBPQ_SEND(searches[_i].asked),
				      LIBPQ_ANSWER(&one_found),
				      LIBPQ_FINISH,
				      {0}};
	char target[256];

	(void)snprintf(target, sizeof(target), "signals?%s", searches[_i].query);
	open_service(script);
	const char *response = serve("GET", target, NULL, NULL);
	check_says(response, "Status: 200 OK\r\n");
	check_says(response, searches[_i].head);
	check_says(response, searches[_i].body);
	close_service();
}
END_TEST

#define KINDS "SELECT sluice.settings_reject_kinds($1::text, $2::bigint, $3::text, $4::integer)"
#define VOLUMES                                                                                    \
	"SELECT sluice.settings_key_volumes($1::text, $2::bigint, $3::bigint, $4::integer, "       \
	"$5::bigint, $6::text, $7::text, $8::text)"

static const struct {
	const char *target, *asked;
} parts[] = {
	{"reject-kinds", KINDS "(alice|null|null|50)"},
	{"reject-kinds?limit=5&before=9-3-7&organization=4", KINDS "(alice|4|9-3-7|5)"},
	{"key-volumes", VOLUMES "(alice|null|null|50|null|null|null|null)"},
	{"key-volumes?key=7&match=&status=", VOLUMES "(alice|null|7|50|null|null|null|null)"},
	{"key-volumes?limit=5&before=9&match=crm&endpoint_type=product_orgs&status=active",
	 VOLUMES "(alice|null|null|5|9|crm|product_orgs|active)"},
};

START_TEST(a_part_is_asked_for)
{
	struct libpq_call script[] = {LIBPQ_CONNECT,
				      LIBPQ_SEND(parts[_i].asked),
				      LIBPQ_ANSWER(&one_document),
				      LIBPQ_FINISH,
				      {0}};

	open_service(script);
	check_says(serve("GET", parts[_i].target, NULL, NULL), "Status: 200 OK\r\n");
	close_service();
}
END_TEST

#define PROBE LIBPQ_SEND("SELECT 1()")

static const struct libpq_value one[] = {{"1", 1}};
static const struct libpq_result probed = {
	.status = PGRES_TUPLES_OK, .rows = 1, .columns = 1, .values = one};
static const struct libpq_result gone = LIBPQ_BROKEN("server closed the connection");

/* The first request's user and organization are forgotten. */
START_TEST(a_connection_is_kept_and_probed)
{
	static const struct libpq_call script[] = {LIBPQ_CONNECT,
						   LIBPQ_SEND(USAGE "(alice|1|null|12)"),
						   LIBPQ_ANSWER(&one_document),
						   PROBE,
						   LIBPQ_ANSWER(&probed),
						   LIBPQ_SEND(USAGE "(alice|null|null|12)"),
						   LIBPQ_ANSWER(&one_document),
						   LIBPQ_FINISH,
						   {0}};

	open_service(script);
	check_says(serve("GET", "usage?organization=1", NULL, NULL), "Status: 200 OK\r\n");
	check_says(serve("GET", "usage", NULL, NULL), "Status: 200 OK\r\n");
	close_service();
}
END_TEST

/* The server went while the service was idle: the user does not notice. */
START_TEST(a_lost_connection_is_made_again)
{
	static const struct libpq_call script[] = {LIBPQ_CONNECT,
						   LIBPQ_SEND(USAGE "(alice|null|null|12)"),
						   LIBPQ_ANSWER(&one_document),
						   PROBE,
						   LIBPQ_CONSUME,
						   {"PQisBusy"},
						   {"PQgetResult", .result = &gone, .lost = true},
						   LIBPQ_FINISH,
						   LIBPQ_CONNECT,
						   LIBPQ_SEND(USAGE "(alice|null|null|12)"),
						   LIBPQ_ANSWER(&one_document),
						   LIBPQ_FINISH,
						   {0}};

	open_service(script);
	check_says(serve("GET", "usage", NULL, NULL), "Status: 200 OK\r\n");
	check_says(serve("GET", "usage", NULL, NULL), "Status: 200 OK\r\n");
	close_service();
}
END_TEST

/* The configuration names another one by now. */
START_TEST(another_database_is_connected_to)
{
	static const struct libpq_call script[] = {LIBPQ_CONNECT,
						   LIBPQ_SEND(USAGE "(alice|null|null|12)"),
						   LIBPQ_ANSWER(&one_document),
						   LIBPQ_FINISH,
						   LIBPQ_CONNECT,
						   LIBPQ_SEND(USAGE "(alice|null|null|12)"),
						   LIBPQ_ANSWER(&one_document),
						   LIBPQ_FINISH,
						   {0}};

	open_service(script);
	check_says(serve("GET", "usage", NULL, NULL), "Status: 200 OK\r\n");
	config.database = "dbname=other";
	check_says(serve("GET", "usage", NULL, NULL), "Status: 200 OK\r\n");
	close_service();
}
END_TEST

static const struct libpq_result not_there = LIBPQ_ERROR("42883", "function does not exist");

/* Connected to, and asked whether it is migrated. */
START_TEST(another_database_is_tried)
{
	static const struct libpq_call script[] = {
		LIBPQ_CONNECT,
		LIBPQ_SEND("SELECT 'sluice.settings_members'::regproc()"),
		LIBPQ_ANSWER(&not_there),
		LIBPQ_FINISH,
		{0}};
	struct buf cause = buf_make(100);

	libpq_play(script);
	ck_assert_int_eq(settings_try_database(&config, &cause), STATUS_MISCONFIGURED);
	ck_assert(slice_equal(buf_slice(&cause), SLICE("function does not exist")));
	libpq_check_end();
	buf_free(&cause);
}
END_TEST

START_TEST(without_a_server_the_user_is_told)
{
	static const struct libpq_call script[] = {
		LIBPQ_START,
		{"PQconnectPoll", .returns = PGRES_POLLING_FAILED, .message = "refused"},
		LIBPQ_FINISH,
		{0}};

	open_service(script);
	const char *response = serve("GET", "usage", NULL, NULL);
	check_says(response, "Status: 503 Service Unavailable\r\n");
	check_says(response, "\r\nRetry-After: 5\r\n");
	check_says(response, "\"code\":\"database_unavailable\"");
	ck_assert_ptr_null(strstr(response, "refused"));
	close_service();
}
END_TEST

/* ---- changes ---- */

#define DEACTIVATE "keys/7/deactivate"
#define CSRF_KEY   LIBPQ_SEND("SELECT sluice.settings_csrf_key()()")

/* Its body is not read, so it is not even looked at. */
START_TEST(a_change_with_anothers_token_is_refused)
{
	static const struct libpq_call script[] = {
		LIBPQ_CONNECT, CSRF_KEY, LIBPQ_ANSWER(&csrf_key), LIBPQ_FINISH, {0}};
	const char *header = csrf_header("bob");

	open_service(script);
	const char *response = serve("POST", DEACTIVATE, header, "{");
	check_says(response, "Status: 403 Forbidden\r\n");
	check_says(response, "\"code\":\"csrf_refused\"");
	check_says(captured_log(), " status=403 code=csrf_refused user=alice ");
	close_service();
}
END_TEST

/* Nothing of these is asked of the database. */
static const struct {
	const char *target, *body, *head, *says;
} bodies[] = {
	{DEACTIVATE, "[]", "Status: 400 Bad Request\r\n", "The body is not a JSON object."},
	{DEACTIVATE, "{\"x\":1}", "Status: 400 ", "\"place\":\"x\""},
	{"keys/x/deactivate", "{}", "Status: 404 ", "The id in the path is not a number."},
	{"keys", "{\"secret\":1}", "Status: 400 ", "\"place\":\"secret\""},
	{"keys", "{\"expires_at\":\"tomorrow\"}", "Status: 400 ", "\"place\":\"expires_at\""},
	{"keys", "{\"payload_template\":{\"custom\":{\"a\":1}}}", "Status: 400 ",
	 "\"place\":\"payload_template.custom.a\""},
};

START_TEST(a_wrong_body_is_refused)
{
	static const struct libpq_call script[] = {
		LIBPQ_CONNECT, CSRF_KEY, LIBPQ_ANSWER(&csrf_key), LIBPQ_FINISH, {0}};

	open_service(script);
	const char *response =
		serve("POST", bodies[_i].target, csrf_header("alice"), bodies[_i].body);
	check_says(response, bodies[_i].head);
	check_says(response, bodies[_i].says);
	close_service();
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("settings");
	TCase *tcase = tcase_create("settings");

	tcase_add_checked_fixture(tcase, service_set_up, service_tear_down);
	tcase_add_loop_test(tcase, a_request_is_refused_before_the_database_is_connected, 0,
			    LENGTH(refused));
	tcase_add_loop_test(tcase, a_request_that_cannot_be_read_is_answered, 0, LENGTH(unread));
	tcase_add_test(tcase, without_memory_for_a_problem_nothing_is_prepared);
	tcase_add_test(tcase, a_document_is_passed_on);
	tcase_add_test(tcase, the_clients_address_is_logged_on_demand);
	tcase_add_loop_test(tcase, signals_are_searched, 0, LENGTH(searches));
	tcase_add_loop_test(tcase, a_part_is_asked_for, 0, LENGTH(parts));
	tcase_add_test(tcase, a_connection_is_kept_and_probed);
	tcase_add_test(tcase, a_lost_connection_is_made_again);
	tcase_add_test(tcase, another_database_is_connected_to);
	tcase_add_test(tcase, another_database_is_tried);
	tcase_add_test(tcase, without_a_server_the_user_is_told);
	tcase_add_test(tcase, a_change_with_anothers_token_is_refused);
	tcase_add_loop_test(tcase, a_wrong_body_is_refused, 0, LENGTH(bodies));
	suite_add_tcase(suite, tcase);
	return suite;
}
