/*
 * test_oneshot.c - a plain CGI request from its variables to its response, with blocking I/O and a
 * connection of its own, over a libpq that plays scripts.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "captured_log.h"
#include "check_main.h"
#include "commit/scripted_database.h"
#include "key/credential.h"
#include "server/cgi_pipes.h"
#include "server/oneshot.h"

enum { VARIABLES_MAX = 6, BODY_BYTES = 100 };

static const struct config config = {.metrics_file = "",
				     .request_timeout_ms = 60000,
				     .bulk_timeout_ms = 60000,
				     .database_timeout_ms = 60000,
				     .single_body_bytes = BODY_BYTES,
				     .batch_body_bytes = BODY_BYTES,
				     .bulk_body_bytes = BODY_BYTES,
				     .batch_items = 10,
				     .bulk_items = 10,
				     .item_bytes = BODY_BYTES,
				     .json_depth = 8,
				     .json_number_digits = 20,
				     .json_number_exponent = 20};
static struct fcgi *fcgi;
static char key[CREDENTIAL_KEY_CHARS + 1];

static void set_up(void)
{
	captured_log_start();
	libpq_show_by(database_question);
	cgi_open_pipes();
	must(fcgi_open(&fcgi) == STATUS_OK && credential_make_key(NULL, key) == STATUS_OK);
}

static void tear_down(void)
{
	fcgi_close(fcgi);
	captured_log_stop();
}

/* Serves a request by a script; what was written, terminated. The key is put behind the path. */
static const char *serve(const struct libpq_call *script, const char *method, const char *path,
			 const char *body)
{
	static char method_variable[32], uri[256], length[64];
	const char *variables[VARIABLES_MAX] = {method_variable, uri, "HTTP_X_REQUEST_ID=a",
						length};

	(void)snprintf(method_variable, sizeof(method_variable), "REQUEST_METHOD=%s", method);
	(void)snprintf(uri, sizeof(uri), "REQUEST_URI=%s%s", path,
		       path[strlen(path) - 1] == '/' ? key : "");
	(void)snprintf(length, sizeof(length), "CONTENT_LENGTH=%zu", strlen(body));
	cgi_write_body(body);
	libpq_play(script);
	fcgi_use_cgi(fcgi, (char *const *)(const void *)variables);
	oneshot_serve_cgi(&config, fcgi);
	libpq_check_end();
	return cgi_response();
}

#define WEBHOOK	 "/api/signal-staging/webhook/"
#define SIGNAL	 "{\"email\":\"a@b.c\"}"
#define ACCEPTED DATABASE_ANSWER(.senders = 1)

static const struct libpq_result conflict = LIBPQ_ERROR("40001", "could not serialize");
static const struct libpq_result constraint = LIBPQ_ERROR("23514", "no partition");
static const struct libpq_result read_only = LIBPQ_ERROR("25006", "read-only");

/* ---- webhooks ---- */

START_TEST(a_key_is_authenticated_before_the_body_is_read)
{
	const struct libpq_call script[] = {
		LIBPQ_CONNECT,
		LIBPQ_SEND("key"),
		LIBPQ_ANSWER(ACCEPTED),
		LIBPQ_SEND("key signals 1"),
		LIBPQ_ANSWER(DATABASE_ANSWER(.senders = 1, .items = 1, .ids = {41})),
		LIBPQ_FINISH,
		{0}};

	const char *response = serve(script, "POST", WEBHOOK, SIGNAL);
	check_says(response, "Status: 202 Accepted\r\n");
	check_says(response, "\r\n\r\n{\"id\":41,");
	check_says(captured_log(), " status=202 code=accepted ");
}
END_TEST

/* Its body is drained all the same, or the web server would mishandle the response. */
START_TEST(an_unknown_keys_body_is_discarded)
{
	const struct libpq_call script[] = {
		LIBPQ_CONNECT,
		LIBPQ_SEND("key"),
		LIBPQ_ANSWER(DATABASE_ANSWER(.senders = 1, .outcomes = {OUTCOME_UNKNOWN_KEY})),
		LIBPQ_FINISH,
		{0}};
	char rest;

	check_says(serve(script, "POST", WEBHOOK, "{"), "Status: 401 Unauthorized\r\n");
	(void)close(cgi_input);
	ck_assert_int_eq(read(STDIN_FILENO, &rest, 1), 0);
}
END_TEST

/* It is kept as a reject of the sender, which is known. */
START_TEST(a_malformed_body_is_kept)
{
	const struct libpq_call script[] = {LIBPQ_CONNECT,
					    LIBPQ_SEND("key"),
					    LIBPQ_ANSWER(ACCEPTED),
					    LIBPQ_SEND("key rejects 1 kind single"),
					    LIBPQ_ANSWER(ACCEPTED),
					    LIBPQ_FINISH,
					    {0}};

	const char *response = serve(script, "POST", WEBHOOK, "{\"a\":}");
	check_says(response, "Status: 400 Bad Request\r\n");
	check_says(response, "\"code\":\"malformed_json\"");
}
END_TEST

/* ---- retries ---- */

static const struct libpq_result *const passing[] = {&conflict, &constraint};

START_TEST(what_may_pass_is_tried_three_times)
{
	const struct libpq_call script[] = {
		LIBPQ_CONNECT,
		LIBPQ_SEND("key"),
		LIBPQ_ANSWER(passing[_i]),
		LIBPQ_SEND("key"),
		LIBPQ_ANSWER(passing[_i]),
		LIBPQ_SEND("key"),
		LIBPQ_ANSWER(DATABASE_ANSWER(.senders = 1, .outcomes = {OUTCOME_UNKNOWN_KEY})),
		LIBPQ_FINISH,
		{0}};

	check_says(serve(script, "POST", WEBHOOK, SIGNAL), "Status: 401 ");
}
END_TEST

static const struct {
	const struct libpq_result *result;
	const char *code;
} lasting[] = {{&conflict, "\"code\":\"database_conflict\""},
	       {&constraint, "\"code\":\"internal_error\""}};

START_TEST(what_does_not_pass_is_our_trouble)
{
	const struct libpq_call script[] = {LIBPQ_CONNECT,
					    LIBPQ_SEND("key"),
					    LIBPQ_ANSWER(lasting[_i].result),
					    LIBPQ_SEND("key"),
					    LIBPQ_ANSWER(lasting[_i].result),
					    LIBPQ_SEND("key"),
					    LIBPQ_ANSWER(lasting[_i].result),
					    LIBPQ_FINISH,
					    {0}};

	const char *response = serve(script, "POST", WEBHOOK, SIGNAL);
	check_says(response, "Status: 503 Service Unavailable\r\n");
	check_says(response, lasting[_i].code);
}
END_TEST

START_TEST(a_read_only_server_is_not_tried_again)
{
	const struct libpq_call script[] = {
		LIBPQ_CONNECT, LIBPQ_SEND("key"), LIBPQ_ANSWER(&read_only), LIBPQ_FINISH, {0}};

	check_says(serve(script, "POST", WEBHOOK, SIGNAL), "\"code\":\"database_read_only\"");
}
END_TEST

/* ---- without the database ---- */

static const struct {
	const char *method, *path, *head;
} refused[] = {
	{"POST", "/nothing", "Status: 404 Not Found\r\n"},
	{"GET", WEBHOOK, "Status: 405 Method Not Allowed\r\n"},
	{"POST", WEBHOOK "sk_x", "Status: 401 Unauthorized\r\n"},
};

START_TEST(a_request_is_refused_by_its_head)
{
	static const struct libpq_call script[] = {{0}};

	check_says(serve(script, refused[_i].method, refused[_i].path, ""), refused[_i].head);
}
END_TEST

/* ---- health ---- */

static const struct {
	struct libpq_call script[6];
	const char *head;
	bool standby;
	const char *body;
} healths[] = {
	{{LIBPQ_CONNECT, LIBPQ_FINISH}, "Status: 200 OK\r\n", false, "{\"status\":\"ok\"}"},
	{{LIBPQ_START,
	  {"PQconnectPoll", .returns = PGRES_POLLING_FAILED, .message = "refused"},
	  LIBPQ_FINISH},
	 "Status: 503 Service Unavailable\r\n",
	 false,
	 "\"code\":\"database_unavailable\""},
	{{LIBPQ_CONNECT, LIBPQ_FINISH},
	 "Status: 503 Service Unavailable\r\n",
	 true,
	 "\"code\":\"database_read_only\""},
};

START_TEST(ready_is_what_can_write_to_the_database)
{
	libpq_be_standby(healths[_i].standby);
	const char *response = serve(healths[_i].script, "GET", "/health/ready", "");
	libpq_be_standby(false);
	check_says(response, healths[_i].head);
	check_says(response, healths[_i].body);
}
END_TEST

START_TEST(a_process_that_turns_is_live)
{
	const struct libpq_call script[] = {{0}};

	check_says(serve(script, "GET", "/health/live", ""), "Status: 200 OK\r\n");
}
END_TEST

/* ---- metrics ---- */

static const struct libpq_value database_metrics = {"sluice_signals_total 7\n", 23};
static const struct libpq_result metrics_result = {
	.status = PGRES_TUPLES_OK, .rows = 1, .columns = 1, .values = &database_metrics};

START_TEST(the_databases_metrics_follow_the_workers)
{
	const struct libpq_call script[] = {LIBPQ_CONNECT,
					    LIBPQ_SEND("SELECT sluice.metrics()()"),
					    LIBPQ_ANSWER(&metrics_result),
					    LIBPQ_FINISH,
					    {0}};

	const char *response = serve(script, "GET", "/metrics", "");
	check_says(response, "\nsluice_database_up 1\n");
	check_says(response, "\nsluice_signals_total 7\n");
}
END_TEST

START_TEST(the_workers_metrics_are_there_without_the_database)
{
	const struct libpq_call script[] = {
		LIBPQ_START,
		{"PQconnectPoll", .returns = PGRES_POLLING_FAILED, .message = "refused"},
		LIBPQ_FINISH,
		{0}};

	const char *response = serve(script, "GET", "/metrics", "");
	check_says(response, "Status: 200 OK\r\n");
	check_says(response, "\nsluice_database_up 0\n");
	ck_assert_ptr_null(strstr(response, "sluice_signals_total"));
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("oneshot");
	TCase *tcase = tcase_create("oneshot");

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, a_key_is_authenticated_before_the_body_is_read);
	tcase_add_test(tcase, an_unknown_keys_body_is_discarded);
	tcase_add_test(tcase, a_malformed_body_is_kept);
	tcase_add_loop_test(tcase, what_may_pass_is_tried_three_times, 0, LENGTH(passing));
	tcase_add_loop_test(tcase, what_does_not_pass_is_our_trouble, 0, LENGTH(lasting));
	tcase_add_test(tcase, a_read_only_server_is_not_tried_again);
	tcase_add_loop_test(tcase, a_request_is_refused_by_its_head, 0, LENGTH(refused));
	tcase_add_loop_test(tcase, ready_is_what_can_write_to_the_database, 0, LENGTH(healths));
	tcase_add_test(tcase, a_process_that_turns_is_live);
	tcase_add_test(tcase, the_databases_metrics_follow_the_workers);
	tcase_add_test(tcase, the_workers_metrics_are_there_without_the_database);
	suite_add_tcase(suite, tcase);
	return suite;
}
