/*
 * test_request.c - one request of the intake workers without a database: what its head decides, the
 * bytes of the response as plain CGI writes them, and the log line.
 */
#include <fastcgi.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/stats.h"
#include "captured_log.h"
#include "check_main.h"
#include "server/cgi_pipes.h"
#include "server/request.h"

enum { NOW_MS = 1000000, NOW_US = NOW_MS * 1000, REQUEST_MS = 10000, BULK_MS = 300000 };

static struct config config = {.request_timeout_ms = REQUEST_MS,
			       .bulk_timeout_ms = BULK_MS,
			       .single_body_bytes = 1000,
			       .batch_body_bytes = 2000,
			       .bulk_body_bytes = 3000};
static struct server_request request;
static struct fcgi *fcgi;
static char key[CREDENTIAL_KEY_CHARS + 1];
static char uri[256];
static const char *variables[5];

static void set_up(void)
{
	captured_log_start();
	cgi_open_pipes();
	config.log_health_checks = 1;
	config.log_client_address = false;
	config.trusted_proxies.count = 0;
	must(credential_make_key(NULL, key) == STATUS_OK && fcgi_open(&fcgi) == STATUS_OK);
	server_request_init(&request, &config);
}

static void tear_down(void)
{
	server_request_free(&request);
	fcgi_close(fcgi);
	captured_log_stop();
}

/* Begins a request. "KEY" in the target stands for a sound key; header may be NULL. */
static void begin(const char *method, const char *target, const char *header)
{
	static char method_variable[32];
	const char *at = strstr(target, "KEY");

	(void)snprintf(method_variable, sizeof(method_variable), "REQUEST_METHOD=%s", method);
	if (at == NULL)
		(void)snprintf(uri, sizeof(uri), "REQUEST_URI=%s", target);
	else
		(void)snprintf(uri, sizeof(uri), "REQUEST_URI=%.*s%s%s", (int)(at - target), target,
			       key, at + 3);
	variables[0] = method_variable;
	variables[1] = uri;
	variables[2] = "HTTP_X_REQUEST_ID=r1";
	variables[3] = header;
	fcgi_use_cgi(fcgi, (char *const *)(const void *)variables);
	server_request_begin(&request, fcgi_variables(fcgi), NOW_US);
}

/* Sends the response; what was written, terminated. */
static const char *send_response(void)
{
	ck_assert_int_eq(server_request_send(&request, fcgi), STATUS_END);
	return cgi_response();
}

/* ---- the head ---- */

#define WEBHOOK "/api/signal-staging/webhook/"
#define BULK	"/api/signal-staging/bulk/"
#define ORGS	"/api/product-orgs/webhook/"

static const struct {
	const char *target;
	enum intake_kind kind;
	const char *source;
	int64_t time_ms;
} kinds[] = {
	{WEBHOOK "KEY", INTAKE_SINGLE, NULL, REQUEST_MS},
	{WEBHOOK "shop/KEY", INTAKE_SINGLE, "shop", REQUEST_MS},
	{WEBHOOK "KEY/batch?x=1", INTAKE_BATCH, NULL, REQUEST_MS},
	{BULK "KEY", INTAKE_BULK, NULL, BULK_MS},
	{ORGS "KEY", INTAKE_PRODUCT_ORGS, NULL, REQUEST_MS},
};

START_TEST(a_webhook_needs_its_body)
{
	begin("POST", kinds[_i].target, NULL);
	ck_assert(!request.is_answered);
	ck_assert(request.key_is_well_formed);
	ck_assert_int_eq(request.intake.kind, kinds[_i].kind);
	ck_assert(slice_equal(request.intake.key, slice_of(key)));
	ck_assert(slice_equal(request.intake.given_source, slice_of(kinds[_i].source)));
	ck_assert_int_eq(request.started_us, NOW_US);
	ck_assert_int_eq(request.deadline_ms, NOW_MS + kinds[_i].time_ms);
	/* A little earlier, so that the answer is on time. */
	ck_assert_int_lt(request.intake.commit.deadline_ms, request.deadline_ms);
	ck_assert_int_gt(request.intake.commit.deadline_ms, NOW_MS);
}
END_TEST

static const struct {
	const char *method, *target, *header;
	enum status status;
	const char *head, *logged;
} refused[] = {
	{"POST", "/", NULL, STATUS_NOT_FOUND, "Status: 404 Not Found\r\n", "route=none"},
	{"POST", WEBHOOK "x/y/z", NULL, STATUS_NOT_FOUND, "Status: 404 Not Found\r\n",
	 "route=none"},
	{"GET", WEBHOOK "KEY", NULL, STATUS_METHOD_NOT_ALLOWED, "\r\nAllow: POST\r\n",
	 "route=" WEBHOOK "{key} "},
	{"POST", "/health", NULL, STATUS_METHOD_NOT_ALLOWED, "\r\nAllow: GET, HEAD\r\n",
	 "route=/health "},
	{"POST", WEBHOOK "sk_unsound", NULL, STATUS_UNAUTHENTICATED, "Status: 401 Unauthorized\r\n",
	 " status=401 code=unauthenticated accepted=0 "},
	{"POST", WEBHOOK "KEY", "CONTENT_LENGTH=2001", STATUS_TOO_LARGE,
	 "Status: 413 Content Too Large\r\n", " status=413 code=body_too_large key=\"sk_"},
};

/* Neither the response nor the log has more of the key than its display. */
START_TEST(a_request_is_refused_by_its_head)
{
	begin(refused[_i].method, refused[_i].target, refused[_i].header);
	ck_assert(request.is_answered);
	ck_assert_int_eq(request.status, refused[_i].status);
	const char *response = send_response();
	check_says(response, refused[_i].head);
	check_says(response, "Content-Type: application/problem+json\r\n");
	check_says(response, "\r\nX-Request-Id: r1\r\n");
	check_says(response, "\"request_id\":\"r1\"}\n");
	ck_assert_ptr_null(strstr(response, key));
	const char *line = captured_log();
	ck_assert_int_eq(captured_log_count(line, "event=request "), 1);
	check_says(line, refused[_i].logged);
	check_says(line, " request_id=r1 ");
	ck_assert_ptr_null(strstr(line, key));
	ck_assert_ptr_null(strstr(line, "sk_unsound"));
}
END_TEST

/* ---- responses ---- */

START_TEST(a_problem_takes_the_place_of_the_response)
{
	begin("POST", WEBHOOK "KEY", NULL);
	server_request_problem(&request, STATUS_READ_ONLY, NULL);
	const char *response = send_response();
	check_says(response, "Status: 503 Service Unavailable\r\n");
	check_says(response, "\r\nRetry-After: 30\r\n");
	check_says(response, "\"code\":\"database_read_only\"");
	check_says(captured_log(), " status=503 code=database_read_only ");
}
END_TEST

/* One item was stored, another had been before. */
START_TEST(stored_items_are_counted_in_the_log)
{
	static struct signal signals[2];
	static struct commit_result results[2] = {{.id = 41}, {.id = 7, .repeated = true}};
	char display[CREDENTIAL_DISPLAY_BYTES + 1];

	begin("POST", WEBHOOK "KEY/batch", NULL);
	struct intake *intake = &request.intake;
	intake->item_count = intake->commit.item_count = intake->accepted = 2;
	intake->commit.signals = signals;
	intake->commit.results = results;
	signals[0].source = signals[1].source = SLICE("web");
	intake->items = arena_array(&request.arena, 2, sizeof(*intake->items));
	ck_assert_ptr_nonnull(intake->items);
	intake->items[0] = (struct intake_item){0};
	intake->items[1] = (struct intake_item){.index = 1};
	intake->signals = signals;
	intake->commit.out.status = STATUS_ACCEPTED;
	server_request_answer_intake(&request);
	ck_assert(request.is_answered);
	const char *response = send_response();
	check_says(response, "Status: 202 Accepted\r\n");
	check_says(response, "\"accepted\":1,\"duplicates\":1,\"rejected\":0");
	credential_display(slice_of(key), display);
	const char *line = captured_log();
	check_says(line, " status=202 code=accepted ");
	check_says(line, " accepted=1 duplicates=1 rejected=0 ");
	check_says(line, display);
}
END_TEST

/* The key was known, but nothing of the body was stored. */
START_TEST(a_bad_body_of_an_accepted_sender_is_a_problem)
{
	begin("POST", WEBHOOK "KEY", NULL);
	request.intake.commit.out.status = STATUS_ACCEPTED;
	request.intake.body_status = STATUS_MALFORMED_JSON;
	request.intake.detail = "at byte offset 7";
	server_request_answer_intake(&request);
	ck_assert_int_eq(request.status, STATUS_MALFORMED_JSON);
	const char *response = send_response();
	check_says(response, "Status: 400 Bad Request\r\n");
	check_says(response, "\"detail\":\"at byte offset 7\"");
	check_says(captured_log(), " accepted=0 ");
}
END_TEST

/* What was stored must not be told to be refused, nor what was refused to be perhaps stored. */
static const struct {
	enum status status;
	const char *code;
} lacks[] = {
	{STATUS_ACCEPTED, "\"code\":\"outcome_unknown\""},
	{STATUS_INVALID_VALUE, "\"code\":\"out_of_memory\""},
};

START_TEST(a_response_without_memory_is_a_problem)
{
	static char heard[65536];
	int ends[2];

	begin("POST", WEBHOOK "KEY", NULL);
	fcgi_close(fcgi);
	must(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
	must(fcgi_open(&fcgi) == STATUS_OK && fcgi_prepare(fcgi) == STATUS_OK);
	fcgi_resume(fcgi, ends[0]);
	request.is_answered = true;
	request.status = lacks[_i].status;
	for (int i = 0; i < 20000; i++)
		buf_add_char(&request.response.body, 'x');
	unit_fail_allocation(1);
	enum status status = server_request_send(&request, fcgi);
	unit_fail_allocation(0);
	ck_assert_int_eq(status, STATUS_END);
	ck_assert_int_gt(recv(ends[1], heard, sizeof(heard) - 1, MSG_DONTWAIT), FCGI_HEADER_LEN);
	check_says(heard + FCGI_HEADER_LEN, "Status: 503 Service Unavailable\r\n");
	check_says(heard + FCGI_HEADER_LEN, lacks[_i].code);
	check_says(captured_log(), " status=503 ");
	(void)close(ends[1]);
}
END_TEST

static const struct {
	enum status status;
	const char *head, *body;
} healths[] = {
	{STATUS_OK, "Status: 200 OK\r\nContent-Type: application/json\r\n",
	 "\r\n\r\n{\"status\":\"ok\"}\n"},
	{STATUS_UNAVAILABLE, "Status: 503 Service Unavailable\r\n",
	 "\"code\":\"database_unavailable\""},
	{STATUS_READ_ONLY, "Status: 503 Service Unavailable\r\n",
	 "\"title\":\"The database is read-only\""},
};

START_TEST(the_health_says_what_is_wrong)
{
	begin("GET", "/health", NULL);
	ck_assert(!request.is_answered);
	ck_assert_int_eq(request.match.route->action, ROUTE_READY);
	server_request_answer_health(&request, healths[_i].status);
	ck_assert(request.is_answered);
	const char *response = send_response();
	check_says(response, healths[_i].head);
	check_says(response, healths[_i].body);
}
END_TEST

START_TEST(the_databases_metrics_come_last)
{
	begin("GET", "/metrics", NULL);
	ck_assert(!request.is_answered);
	server_request_answer_metrics(&request, SLICE("sluice_signals_total 1\n"));
	ck_assert(request.is_answered);
	const char *response = send_response();
	check_says(response,
		   "Status: 200 OK\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n");
	check_says(response, "\nsluice_database_up 1\n");
	ck_assert_str_eq(strstr(response, "sluice_signals_total"), "sluice_signals_total 1\n");
}
END_TEST

/* ---- counts ---- */

START_TEST(a_request_is_counted_by_route_and_status)
{
	const struct stats *stats = stats_mine();

	begin("GET", WEBHOOK "KEY", NULL);
	unsigned route = route_number(request.match.route);
	(void)send_response();
	ck_assert_uint_eq(stats_get(&stats->requests[route][STATUS_METHOD_NOT_ALLOWED]), 1);
	ck_assert_uint_eq(stats_get(&stats->request_us[route].buckets[STATS_BUCKETS]), 1);
	cgi_open_pipes();
	begin("POST", "/nothing", NULL);
	(void)send_response();
	ck_assert_uint_eq(stats_get(&stats->requests[0][STATUS_NOT_FOUND]), 1);
}
END_TEST

/* ---- what is logged ---- */

static void check_health(void)
{
	cgi_open_pipes();
	begin("GET", "/health", NULL);
	server_request_answer_health(&request, STATUS_OK);
	(void)send_response();
}

static const struct {
	int64_t every;
	int lines;
} samples[] = {{0, 0}, {1, 7}, {3, 3}, {100, 1}};

START_TEST(health_checks_that_go_well_are_sampled)
{
	config.log_health_checks = samples[_i].every;
	for (int i = 0; i < 7; i++)
		check_health();
	ck_assert_int_eq(captured_log_count(captured_log(), "route=/health "), samples[_i].lines);
	/* Not one that goes wrong. */
	cgi_open_pipes();
	begin("GET", "/health", NULL);
	server_request_answer_health(&request, STATUS_UNAVAILABLE);
	(void)send_response();
	check_says(captured_log(), " status=503 code=database_unavailable ");
}
END_TEST

#define TRACE "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

static const struct {
	const char *header, *logged;
} traces[] = {
	{"HTTP_TRACEPARENT=" TRACE, " traceparent=" TRACE "\n"},
	{"HTTP_TRACEPARENT=00-0AF7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", NULL},
	{"HTTP_TRACEPARENT=" TRACE "-x", NULL},
	{"HTTP_TRACEPARENT=00-sk_0123456789abcdef0123456789abcd-b7ad6b7169203331-01", NULL},
	{"HTTP_TRACEPARENT=", NULL},
};

START_TEST(a_trace_is_logged_if_it_is_one)
{
	begin("GET", WEBHOOK "KEY", traces[_i].header);
	(void)send_response();
	const char *line = captured_log();
	if (traces[_i].logged == NULL)
		ck_assert_ptr_null(strstr(line, "traceparent"));
	else
		check_says(line, traces[_i].logged);
}
END_TEST

START_TEST(the_clients_address_is_logged_on_demand)
{
	begin("GET", WEBHOOK "KEY", "REMOTE_ADDR=192.0.2.7");
	(void)send_response();
	ck_assert_ptr_null(strstr(captured_log(), "192.0.2.7"));
	config.log_client_address = true;
	cgi_open_pipes();
	begin("GET", WEBHOOK "KEY", "REMOTE_ADDR=192.0.2.7");
	(void)send_response();
	check_says(captured_log(), " client=192.0.2.7\n");
}
END_TEST

/* A request of the proxy 192.0.2.7, answered. */
static void proxied(const char *header)
{
	begin("GET", WEBHOOK "KEY", header);
	variables[2] = "REMOTE_ADDR=192.0.2.7";
	server_request_reset(&request);
	server_request_begin(&request, fcgi_variables(fcgi), NOW_US);
	(void)send_response();
}

START_TEST(the_client_behind_a_proxy_is_logged)
{
	ck_assert(network_list_read(SLICE("192.0.2.0/24"), &config.trusted_proxies));
	config.log_client_address = true;
	proxied("HTTP_X_FORWARDED_FOR=1.1.1.1, 198.51.100.1");
	check_says(captured_log(), " client=198.51.100.1\n");
	cgi_open_pipes();
	proxied("HTTP_X_FORWARDED_FOR=1.1.1.1 client=8.8.8.8");
	ck_assert_ptr_null(strstr(captured_log(), "client="));
}
END_TEST

/* ---- one after the other ---- */

START_TEST(a_request_leaves_nothing_to_the_next)
{
	begin("GET", WEBHOOK "KEY", NULL);
	check_says(send_response(), "\r\nAllow: POST\r\n");
	ck_assert(!request.is_answered);
	ck_assert(!request.key_is_well_formed);
	ck_assert_ptr_null(request.match.route);
	ck_assert_uint_eq(request.response.body.n, 0);
	begin("GET", "/health", NULL);
	server_request_answer_health(&request, STATUS_OK);
	ck_assert_ptr_null(strstr(send_response(), "Allow"));
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("request");
	TCase *tcase = tcase_create("request");

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_loop_test(tcase, a_webhook_needs_its_body, 0, LENGTH(kinds));
	tcase_add_loop_test(tcase, a_request_is_refused_by_its_head, 0, LENGTH(refused));
	tcase_add_test(tcase, a_problem_takes_the_place_of_the_response);
	tcase_add_test(tcase, stored_items_are_counted_in_the_log);
	tcase_add_test(tcase, a_bad_body_of_an_accepted_sender_is_a_problem);
	tcase_add_loop_test(tcase, a_response_without_memory_is_a_problem, 0, LENGTH(lacks));
	tcase_add_loop_test(tcase, the_health_says_what_is_wrong, 0, LENGTH(healths));
	tcase_add_test(tcase, the_databases_metrics_come_last);
	tcase_add_test(tcase, a_request_is_counted_by_route_and_status);
	tcase_add_loop_test(tcase, health_checks_that_go_well_are_sampled, 0, LENGTH(samples));
	tcase_add_loop_test(tcase, a_trace_is_logged_if_it_is_one, 0, LENGTH(traces));
	tcase_add_test(tcase, the_clients_address_is_logged_on_demand);
	tcase_add_test(tcase, the_client_behind_a_proxy_is_logged);
	tcase_add_test(tcase, a_request_leaves_nothing_to_the_next);
	suite_add_tcase(suite, tcase);
	return suite;
}
