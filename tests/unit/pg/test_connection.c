/*
 * test_connection.c - the connection's states and failures, over a libpq that plays scripts.
 *
 * What only a real server can show (that SQL runs, that a commit is durable) is in tests/e2e and
 * tests/fault.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "captured_log.h"
#include "check_main.h"
#include "pg/connection.h"
#include "scripted_libpq.h"

static const struct pg_statement two_texts = {
	.name = "two_texts", .sql = "SELECT $1, $2", .param_count = 2, .columns = 1, .rows = 1};
static const struct pg_statement one_number = {
	.name = "one_number", .sql = "SELECT 7", .columns = 1, .rows = 1};
static const struct pg_statement any_rows = {
	.name = "any_rows", .sql = "SELECT a, b", .columns = 2, .rows = PG_ROWS_ANY};
static const struct pg_statement binary = {
	.name = "binary", .sql = "SELECT $1", .param_count = 1, .binary = true, .rows = 1};

static const struct libpq_value numbers[] = {{"7", 1}, {"-12", 3}, {NULL, 0}, {"t", 1}, {"f", 1}};
static const struct libpq_result seven = {
	.status = PGRES_TUPLES_OK, .rows = 1, .columns = 1, .values = numbers};
static const struct libpq_result done = {.status = PGRES_COMMAND_OK, .command = "SET"};

static struct pg_connection *db;

static int64_t soon(void)
{
	return clock_now_ms() + 60000;
}

static int64_t past(void)
{
	return clock_now_ms() - 1;
}

static void open_with(const struct pg_options *options)
{
	ck_assert_int_eq(pg_open(&db, options), STATUS_OK);
}

static void open_plain(void)
{
	open_with(&(struct pg_options){.conninfo = "", .application_name = "unit"});
}

/* Connects by a script that begins with LIBPQ_CONNECT, and is at what comes after that. */
static void connect_by(const struct libpq_call *script)
{
	libpq_play(script);
	open_plain();
	ck_assert_int_eq(pg_connect(db, soon()), STATUS_OK);
	ck_assert_int_eq(pg_state(db), PG_READY);
}

static void close_and_check(void)
{
	pg_close(db);
	libpq_check_end();
}

static enum status run(const struct pg_statement *statement)
{
	return pg_run(db, statement, NULL, NULL, soon());
}

static void check_failure(const char *sqlstate, const char *message)
{
	ck_assert_str_eq(pg_sqlstate(db), sqlstate);
	ck_assert_str_eq(pg_message(db), message);
}

/* ---- connecting ---- */

#define DEFAULTS                                                                                   \
	"fallback_application_name=unit client_encoding=UTF8 keepalives_idle=10 "                  \
	"keepalives_interval=5 keepalives_count=2 tcp_user_timeout=20000"

static const struct {
	const char *conninfo, *with;
} conninfos[] = {
	{NULL, DEFAULTS},
	{"", DEFAULTS},
	{"postgresql://h/d", DEFAULTS " dbname=postgresql://h/d"},
};

START_TEST(the_connection_string_comes_after_the_defaults)
{
	const struct libpq_call script[] = {
		{"PQconnectStartParams", .returns = 1, .with = conninfos[_i].with},
		LIBPQ_POLL(PGRES_POLLING_OK),
		LIBPQ_NONBLOCKING,
		LIBPQ_FINISH,
		{0},
	};

	libpq_play(script);
	open_with(&(struct pg_options){.conninfo = conninfos[_i].conninfo,
				       .application_name = "unit"});
	ck_assert_int_eq(pg_connect(db, soon()), STATUS_OK);
	close_and_check();
}
END_TEST

START_TEST(connecting_polls_for_what_libpq_waits_for)
{
	static const struct libpq_call script[] = {LIBPQ_START,
						   LIBPQ_POLL(PGRES_POLLING_READING),
						   LIBPQ_POLL(PGRES_POLLING_WRITING),
						   LIBPQ_POLL(PGRES_POLLING_OK),
						   LIBPQ_NONBLOCKING,
						   LIBPQ_FINISH,
						   {0}};
	static const short events[] = {POLLOUT, POLLIN, POLLOUT};

	libpq_play(script);
	open_plain();
	ck_assert_int_eq(pg_state(db), PG_CLOSED);
	ck_assert_int_eq(pg_fd(db), -1);
	ck_assert_int_eq(pg_events(db), 0);
	ck_assert_int_eq(pg_start_connect(db), STATUS_OK);
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(pg_state(db), PG_CONNECTING);
		ck_assert_int_eq(pg_events(db), events[i]);
		ck_assert_int_ge(pg_fd(db), 0);
		ck_assert_int_eq(pg_step(db, NULL), i < 2 ? STATUS_AGAIN : STATUS_OK);
	}
	ck_assert_int_eq(pg_state(db), PG_READY);
	ck_assert_int_eq(pg_events(db), POLLIN);
	ck_assert_int_eq(pg_connect(db, soon()), STATUS_OK); /* nothing to do */
	close_and_check();
}
END_TEST

START_TEST(a_new_connection_drops_the_old_one)
{
	static const struct libpq_call script[] = {
		LIBPQ_CONNECT, LIBPQ_FINISH, LIBPQ_START, LIBPQ_FINISH, {0}};

	connect_by(script);
	ck_assert_int_eq(pg_start_connect(db), STATUS_OK);
	ck_assert_int_eq(pg_state(db), PG_CONNECTING);
	close_and_check();
}
END_TEST

static const struct {
	const char *message;
	enum status status;
} connect_failures[] = {
	{"server says: FATAL:  password authentication failed for user \"x\"\n",
	 STATUS_MISCONFIGURED},
	{"FATAL:  no pg_hba.conf entry for host \"::1\"", STATUS_MISCONFIGURED},
	{"FATAL:  database \"x\" does not exist", STATUS_MISCONFIGURED},
	{"FATAL:  role \"x\" is not permitted to log in", STATUS_MISCONFIGURED},
	{"FATAL:  the database system is starting up", STATUS_UNAVAILABLE},
	{"could not translate host name \"x\": name does not exist", STATUS_UNAVAILABLE},
	{"connection refused", STATUS_UNAVAILABLE},
};

START_TEST(a_refused_connection_is_told_from_a_missing_server)
{
	const struct libpq_call script[] = {LIBPQ_START,
					    {"PQconnectPoll", .returns = PGRES_POLLING_FAILED,
					     .message = connect_failures[_i].message},
					    LIBPQ_FINISH,
					    {0}};

	libpq_play(script);
	open_plain();
	ck_assert_int_eq(pg_connect(db, soon()), connect_failures[_i].status);
	ck_assert_int_eq(pg_state(db), PG_CLOSED);
	ck_assert_int_eq(pg_fd(db), -1);
	ck_assert_ptr_nonnull(strstr(connect_failures[_i].message, pg_message(db)));
	ck_assert_ptr_null(strchr(pg_message(db), '\n'));
	ck_assert_int_eq(captured_log_count(captured_log(), "could not connect"), 1);
	close_and_check();
}
END_TEST

START_TEST(libpq_without_memory)
{
	static const struct libpq_call script[] = {{"PQconnectStartParams"}, {0}};

	libpq_play(script);
	open_plain();
	ck_assert_int_eq(pg_connect(db, soon()), STATUS_NO_MEMORY);
	ck_assert_int_eq(pg_state(db), PG_CLOSED);
	close_and_check();
}
END_TEST

START_TEST(a_bad_connection_string)
{
	static const struct libpq_call script[] = {{"PQconnectStartParams", .returns = 1,
						    .lost = true,
						    .message = "missing \"=\"\nsecond line"},
						   LIBPQ_FINISH,
						   {0}};

	libpq_play(script);
	open_plain();
	ck_assert_int_eq(pg_start_connect(db), STATUS_UNAVAILABLE);
	check_failure("", "missing \"=\"");
	ck_assert_int_eq(pg_state(db), PG_CLOSED);
	close_and_check();
}
END_TEST

START_TEST(a_connection_that_would_block_is_not_used)
{
	static const struct libpq_call script[] = {LIBPQ_START,
						   LIBPQ_POLL(PGRES_POLLING_OK),
						   {"PQsetnonblocking", .returns = -1},
						   LIBPQ_FINISH,
						   {0}};

	libpq_play(script);
	open_plain();
	ck_assert_int_eq(pg_connect(db, soon()), STATUS_UNAVAILABLE);
	close_and_check();
}
END_TEST

START_TEST(connecting_ends_at_its_deadline)
{
	static const struct libpq_call script[] = {
		{"PQconnectStartParams", .returns = 1, .silent = true},
		LIBPQ_POLL(PGRES_POLLING_READING),
		LIBPQ_FINISH,
		{0}};

	libpq_play(script);
	open_plain();
	ck_assert_int_eq(pg_connect(db, clock_now_ms() + 20), STATUS_DEADLINE);
	ck_assert_int_eq(pg_state(db), PG_CLOSED);
	ck_assert_int_eq(captured_log_count(captured_log(), "did not answer in time"), 1);
	close_and_check();
}
END_TEST

#define AT(host, port)                                                                             \
	{                                                                                          \
		"PQconnectStartParams",                                                            \
			.returns = 1, .silent = true,                                              \
			.with = DEFAULTS " dbname=d host=" host " hostaddr= port=" port            \
	}
#define ANYWHERE                                                                                   \
	{                                                                                          \
		"PQconnectStartParams", .returns = 1, .with = DEFAULTS " dbname=d"                 \
	}
#define REFUSED                                                                                    \
	{                                                                                          \
		"PQconnectPoll", .returns = PGRES_POLLING_FAILED, .message = "refused"             \
	}

static void open_hosts(const struct libpq_call *script)
{
	libpq_play(script);
	libpq_be_hosts("/b", "2", "/a,/b,/c", "1,2,3");
	open_with(&(struct pg_options){
		.conninfo = "d", .application_name = "unit", .host_timeout_ms = 20});
}

/* libpq has stopped at /b. From then on one is tried after the other; the one that works is tried
 * first the next time. */
START_TEST(a_silent_host_is_given_up)
{
	static const struct libpq_call script[] = {ANYWHERE,
						   LIBPQ_POLL(PGRES_POLLING_READING),
						   LIBPQ_FINISH,
						   AT("/c", "3"),
						   REFUSED,
						   LIBPQ_FINISH,
						   AT("/a", "1"),
						   LIBPQ_POLL(PGRES_POLLING_OK),
						   LIBPQ_NONBLOCKING,
						   LIBPQ_FINISH,
						   AT("/a", "1"),
						   LIBPQ_POLL(PGRES_POLLING_OK),
						   LIBPQ_NONBLOCKING,
						   LIBPQ_FINISH,
						   AT("/b", "2"),
						   LIBPQ_FINISH,
						   {0}};

	open_hosts(script);
	ck_assert_int_eq(pg_start_connect(db), STATUS_OK);
	ck_assert_int_eq(pg_step(db, NULL), STATUS_AGAIN);
	ck_assert_int_le(pg_host_deadline_ms(db), clock_now_ms() + 20);
	ck_assert_int_eq(pg_give_up_host(db), STATUS_OK);
	ck_assert_int_eq(pg_step(db, NULL), STATUS_AGAIN);
	ck_assert_int_eq(pg_step(db, NULL), STATUS_OK);
	ck_assert_int_eq(pg_start_connect(db), STATUS_OK);
	ck_assert_int_eq(pg_step(db, NULL), STATUS_OK);
	pg_avoid_host(db); /* it is read-only, say */
	ck_assert_int_eq(pg_start_connect(db), STATUS_OK);
	close_and_check();
}
END_TEST

/* After the last one the connection string is used as it is. */
START_TEST(all_hosts_are_silent)
{
	static const struct libpq_call script[] = {
		{"PQconnectStartParams", .returns = 1, .silent = true},
		LIBPQ_POLL(PGRES_POLLING_READING),
		LIBPQ_FINISH,
		AT("/c", "3"),
		LIBPQ_POLL(PGRES_POLLING_READING),
		LIBPQ_FINISH,
		AT("/a", "1"),
		LIBPQ_POLL(PGRES_POLLING_READING),
		LIBPQ_FINISH,
		ANYWHERE,
		LIBPQ_FINISH,
		{0}};

	open_hosts(script);
	ck_assert_int_eq(pg_connect(db, soon()), STATUS_DEADLINE);
	ck_assert_int_eq(pg_state(db), PG_CLOSED);
	ck_assert_int_eq(pg_start_connect(db), STATUS_OK);
	close_and_check();
}
END_TEST

/* Another one may be silent for libpq alone. */
START_TEST(a_host_that_cannot_be_tried)
{
	static const struct libpq_call script[] = {
		ANYWHERE,
		LIBPQ_FINISH,
		{"PQconnectStartParams", .returns = 1, .lost = true, .message = "no such host"},
		LIBPQ_FINISH,
		AT("/a", "1"),
		LIBPQ_FINISH,
		{0}};

	open_hosts(script);
	ck_assert_int_eq(pg_start_connect(db), STATUS_OK);
	ck_assert_int_eq(pg_give_up_host(db), STATUS_OK);
	ck_assert_int_eq(pg_state(db), PG_CONNECTING);
	close_and_check();
}
END_TEST

/* The addresses are given, so no name is looked up. */
START_TEST(a_silent_address_is_given_up)
{
	static const struct libpq_call script[] = {
		ANYWHERE,
		LIBPQ_FINISH,
		{"PQconnectStartParams", .returns = 1,
		 .with = DEFAULTS " dbname=d host=a hostaddr=10.0.0.1 port=1"},
		LIBPQ_FINISH,
		{0}};

	open_hosts(script);
	libpq_be_hosts("b", "2", "a,b", "1,2");
	libpq_be_addresses("10.0.0.2", "10.0.0.1,10.0.0.2");
	ck_assert_int_eq(pg_start_connect(db), STATUS_OK);
	ck_assert_int_eq(pg_give_up_host(db), STATUS_OK);
	close_and_check();
	libpq_be_addresses("", NULL);
}
END_TEST

/* A socket's directory by another name, say: then the first one counts as tried. */
START_TEST(a_silent_host_that_is_not_listed)
{
	static const struct libpq_call script[] = {
		ANYWHERE, LIBPQ_FINISH, AT("/b", "2"), LIBPQ_FINISH, {0}};

	open_hosts(script);
	libpq_be_hosts("/elsewhere", "1", "/a,/b", "1,2");
	ck_assert_int_eq(pg_start_connect(db), STATUS_OK);
	ck_assert_int_eq(pg_give_up_host(db), STATUS_OK);
	close_and_check();
}
END_TEST

/* ---- names ---- */

static void open_name(const struct libpq_call *script, const char *names)
{
	libpq_play(script);
	libpq_be_hosts("host", "5432", names, "5432");
	open_with(&(struct pg_options){.conninfo = "d", .application_name = "unit"});
	ck_assert_int_eq(pg_start_connect(db), STATUS_OK);
	ck_assert_int_eq(pg_state(db), PG_CONNECTING);
	ck_assert_int_ge(pg_fd(db), 0);
	ck_assert_int_eq(pg_events(db), POLLIN);
}

static void close_name(void)
{
	close_and_check();
	libpq_be_hosts("host", "5432", NULL, NULL);
}

/* Steps as soon as there is something to do. */
static enum status step_when_told(void)
{
	struct pollfd fd = {.fd = pg_fd(db), .events = POLLIN};

	ck_assert_int_eq(poll(&fd, 1, 30000), 1);
	return pg_step(db, NULL);
}

/* By others: libpq is started when the addresses are there. */
START_TEST(a_name_is_looked_up_first)
{
	static const struct libpq_call script[] = {LIBPQ_CONNECT, LIBPQ_FINISH, {0}};

	open_name(script, "localhost,/run");
	ck_assert_int_eq(libpq_calls(), 0);
	while (pg_state(db) == PG_CONNECTING) {
		enum status status = step_when_told();
		ck_assert(status == STATUS_AGAIN || status == STATUS_OK);
	}
	ck_assert_int_eq(pg_state(db), PG_READY);
	close_name();
}
END_TEST

START_TEST(a_name_without_an_address)
{
	static const struct libpq_call script[] = {{0}};
	enum status status = STATUS_AGAIN;

	open_name(script, "no such name");
	while (status == STATUS_AGAIN)
		status = step_when_told();
	ck_assert_int_eq(status, STATUS_UNAVAILABLE);
	ck_assert_int_eq(pg_state(db), PG_CLOSED);
	ck_assert_int_eq(pg_fd(db), -1);
	check_says(pg_message(db), "host \"no such name\": ");
	close_name();
}
END_TEST

/* Another string is given meanwhile: what was looked up is of no use. */
START_TEST(a_lookup_ends_with_its_connection_string)
{
	static const struct libpq_call script[] = {LIBPQ_START, LIBPQ_FINISH, {0}};

	open_name(script, "localhost");
	ck_assert(!pg_is_for(db, "e"));
	ck_assert_int_eq(pg_redirect(db, "e"), STATUS_OK);
	ck_assert(pg_is_for(db, "e"));
	ck_assert_int_eq(pg_fd(db), -1);
	libpq_be_hosts("host", "5432", NULL, NULL);
	ck_assert_int_eq(pg_start_connect(db), STATUS_OK);
	ck_assert_int_eq(libpq_calls(), 1);
	close_name();
}
END_TEST

static const struct pg_statement greeting = {
	.name = "greeting", .sql = "SELECT 7", .binary = true, .columns = 1, .rows = 1};
static const struct libpq_value value_7 = {"7", 1}, value_8 = {"8", 1};
static const struct libpq_result is_seven = {
	.status = PGRES_TUPLES_OK, .rows = 1, .columns = 1, .values = &value_7};
static const struct libpq_result is_eight = {
	.status = PGRES_TUPLES_OK, .rows = 1, .columns = 1, .values = &value_8};
static const struct libpq_result no_function = LIBPQ_ERROR("42883", "no such function");

#define GREET(r) LIBPQ_CONNECT, LIBPQ_SEND("SELECT 7()"), LIBPQ_ANSWER(r)

static void check_greeting(const char *value)
{
	ck_assert(slice_equal(pg_result_value(pg_greeting(db), 0, 0), slice_of(value)));
}

/* Its result stays until the next connection is ready. */
START_TEST(a_greeting_is_kept)
{
	static const struct libpq_call script[] = {
		GREET(&is_seven), LIBPQ_FINISH, GREET(&is_eight), LIBPQ_FINISH, {0}};

	libpq_play(script);
	open_with(&(struct pg_options){
		.conninfo = "d", .application_name = "unit", .greeting = &greeting});
	ck_assert_ptr_null(pg_greeting(db)->pg);
	ck_assert_int_eq(pg_connect(db, soon()), STATUS_OK);
	check_greeting("7");
	pg_drop(db);
	check_greeting("7");
	ck_assert_int_eq(pg_connect(db, soon()), STATUS_OK);
	check_greeting("8");
	close_and_check();
}
END_TEST

START_TEST(a_greeting_that_fails)
{
	static const struct libpq_call scripts[][12] = {
		{GREET(&no_function), LIBPQ_FINISH, {0}},
		{LIBPQ_CONNECT, {"PQsendQueryParams"}, LIBPQ_FINISH, {0}},
	};

	libpq_play(scripts[_i]);
	open_with(&(struct pg_options){
		.conninfo = "d", .application_name = "unit", .greeting = &greeting});
	ck_assert_int_eq(pg_connect(db, soon()),
			 _i == 0 ? STATUS_MISCONFIGURED : STATUS_UNAVAILABLE);
	ck_assert_int_eq(pg_state(db), PG_CLOSED);
	close_and_check();
}
END_TEST

/* Between the result and the end of the commit, which is told by libpq in one of two ways; only a
 * result of the expected shape is handed over. */
START_TEST(a_result_outlives_the_connection)
{
	static const struct libpq_result broken = LIBPQ_BROKEN("server closed the connection");
	static const struct libpq_call scripts[][16] = {
		{LIBPQ_CONNECT,
		 LIBPQ_SEND("SELECT 7()"),
		 LIBPQ_CONSUME,
		 LIBPQ_GET(&is_seven),
		 LIBPQ_BUSY,
		 {"PQconsumeInput"},
		 LIBPQ_FINISH,
		 {0}},
		{LIBPQ_CONNECT,
		 LIBPQ_SEND("SELECT 7()"),
		 LIBPQ_CONSUME,
		 LIBPQ_GET(&is_seven),
		 {"PQisBusy"},
		 {"PQgetResult", .result = &broken, .lost = true},
		 LIBPQ_FINISH,
		 {0}},
		{LIBPQ_CONNECT,
		 LIBPQ_SEND("SELECT 7()"),
		 LIBPQ_CONSUME,
		 {"PQisBusy"},
		 {"PQgetResult", .result = &broken, .lost = true},
		 LIBPQ_FINISH,
		 {0}},
	};
	struct pg_query_result result = {0};

	libpq_play(scripts[_i]);
	open_with(&(struct pg_options){
		.conninfo = "d", .application_name = "unit", .early_results = true});
	ck_assert_int_eq(pg_connect(db, soon()), STATUS_OK);
	ck_assert_int_eq(pg_run(db, &greeting, NULL, &result, soon()), STATUS_OUTCOME_UNKNOWN);
	ck_assert_int_eq(pg_state(db), PG_CLOSED);
	ck_assert_int_eq(result.pg != NULL, _i < 2);
	pg_result_free(&result);
	close_and_check();
}
END_TEST

START_TEST(a_lone_host_has_no_next)
{
	static const struct libpq_call script[] = {ANYWHERE, LIBPQ_FINISH, {0}};

	open_hosts(script);
	libpq_be_hosts("/a", "1", "/a", "1");
	ck_assert_int_eq(pg_start_connect(db), STATUS_OK);
	ck_assert_int_eq(pg_give_up_host(db), STATUS_DEADLINE);
	ck_assert_int_eq(pg_state(db), PG_CLOSED);
	close_and_check();
}
END_TEST

START_TEST(no_state_steps_without_a_connection)
{
	libpq_play((const struct libpq_call[]){{0}});
	open_plain();
	ck_assert_int_eq(pg_step(db, NULL), STATUS_UNAVAILABLE);
	pg_drop(db);
	ck_assert_int_eq(run(&one_number), STATUS_INTERNAL);
	ck_assert_int_eq(pg_run_script(db, "SELECT 1", soon()), STATUS_INTERNAL);
	close_and_check();
	pg_close(NULL);
}
END_TEST

/* ---- preparing ---- */

static const struct pg_statement *const to_prepare[] = {&two_texts, &one_number};

static void open_preparing(const struct libpq_call *script)
{
	libpq_play(script);
	open_with(&(struct pg_options){
		.application_name = "unit", .prepare = to_prepare, .prepare_count = 2});
}

#define PREPARE_FIRST  LIBPQ_PREPARE("two_texts: SELECT $1, $2 (2)")
#define PREPARE_SECOND LIBPQ_PREPARE("one_number: SELECT 7 (0)")

START_TEST(each_connection_prepares_and_uses_what_it_has_prepared)
{
	static const struct libpq_call script[] = {LIBPQ_CONNECT,
						   PREPARE_FIRST,
						   LIBPQ_ANSWER(&done),
						   PREPARE_SECOND,
						   LIBPQ_ANSWER(&done),
						   LIBPQ_SEND_PREPARED("one_number()"),
						   LIBPQ_ANSWER(&seven),
						   LIBPQ_SEND("SELECT a, b()"),
						   LIBPQ_CONSUME,
						   LIBPQ_BUSY,
						   LIBPQ_CANCEL,
						   LIBPQ_FINISH,
						   LIBPQ_CONNECT,
						   PREPARE_FIRST,
						   LIBPQ_ANSWER(&done),
						   PREPARE_SECOND,
						   LIBPQ_ANSWER(&done),
						   LIBPQ_FINISH,
						   {0}};

	open_preparing(script);
	ck_assert_int_eq(pg_connect(db, soon()), STATUS_OK);
	ck_assert_int_eq(run(&one_number), STATUS_OK);
	ck_assert_int_eq(pg_send(db, &any_rows, NULL), STATUS_OK);
	ck_assert_int_eq(pg_step(db, NULL), STATUS_AGAIN);
	pg_drop(db);
	ck_assert_int_eq(pg_connect(db, soon()), STATUS_OK);
	close_and_check();
}
END_TEST

/* What failed on the old connection says nothing of the new one. */
START_TEST(a_failed_statement_and_a_new_connection)
{
	static const struct libpq_result error = LIBPQ_ERROR("53100", "full");
	static const struct libpq_call script[] = {
		LIBPQ_CONNECT,	      PREPARE_FIRST,	   LIBPQ_ANSWER(&done),
		PREPARE_SECOND,	      LIBPQ_ANSWER(&done), LIBPQ_SEND_PREPARED("one_number()"),
		LIBPQ_ANSWER(&error), LIBPQ_FINISH,	   LIBPQ_CONNECT,
		PREPARE_FIRST,	      LIBPQ_ANSWER(&done), PREPARE_SECOND,
		LIBPQ_ANSWER(&done),  LIBPQ_FINISH,	   {0}};

	open_preparing(script);
	ck_assert_int_eq(pg_connect(db, soon()), STATUS_OK);
	ck_assert_int_eq(run(&one_number), STATUS_STORAGE_FULL);
	pg_drop(db);
	ck_assert_int_eq(pg_connect(db, soon()), STATUS_OK);
	close_and_check();
}
END_TEST

START_TEST(preparing_flushes_when_the_socket_is_full)
{
	static const struct libpq_call script[] = {LIBPQ_CONNECT,
						   {"PQsendPrepare", .returns = 1},
						   {"PQflush", .returns = 1},
						   LIBPQ_FLUSH,
						   LIBPQ_CONSUME,
						   LIBPQ_BUSY,
						   LIBPQ_ANSWER(&done),
						   PREPARE_SECOND,
						   LIBPQ_ANSWER(&done),
						   LIBPQ_FINISH,
						   {0}};

	open_preparing(script);
	ck_assert_int_eq(pg_start_connect(db), STATUS_OK);
	ck_assert_int_eq(pg_step(db, NULL), STATUS_AGAIN);
	ck_assert_int_eq(pg_state(db), PG_CONNECTING);
	ck_assert_int_eq(pg_events(db), POLLIN | POLLOUT);
	ck_assert_int_eq(pg_step(db, NULL), STATUS_AGAIN);
	ck_assert_int_eq(pg_events(db), POLLIN);
	ck_assert_int_eq(pg_step(db, NULL), STATUS_AGAIN);
	ck_assert_int_eq(pg_step(db, NULL), STATUS_OK);
	ck_assert_int_eq(pg_state(db), PG_READY);
	close_and_check();
}
END_TEST

static const struct {
	struct libpq_result error;
	enum status status;
} prepare_errors[] = {
	{LIBPQ_ERROR("42883", "function does not exist"), STATUS_MISCONFIGURED},
	{LIBPQ_ERROR("57P03", "not now"), STATUS_UNAVAILABLE},
	{LIBPQ_BROKEN("server closed the connection"), STATUS_UNAVAILABLE},
};

/* It could not run either. */
START_TEST(what_cannot_be_prepared_ends_the_connection)
{
	const struct libpq_call script[] = {LIBPQ_CONNECT,
					    PREPARE_FIRST,
					    LIBPQ_ANSWER(&prepare_errors[_i].error),
					    LIBPQ_FINISH,
					    {0}};

	open_preparing(script);
	ck_assert_int_eq(pg_connect(db, soon()), prepare_errors[_i].status);
	ck_assert_int_eq(pg_state(db), PG_CLOSED);
	close_and_check();
}
END_TEST

static const struct libpq_call prepare_breaks[][8] = {
	{LIBPQ_CONNECT, {"PQsendPrepare"}, LIBPQ_FINISH, {0}},
	{LIBPQ_CONNECT, {"PQsendPrepare", .returns = 1}, {"PQflush", .returns = -1}, LIBPQ_FINISH},
	{LIBPQ_CONNECT, PREPARE_FIRST, {"PQconsumeInput", .lost = true}, LIBPQ_FINISH},
};

START_TEST(a_connection_lost_while_preparing_is_unavailable)
{
	open_preparing(prepare_breaks[_i]);
	ck_assert_int_eq(pg_connect(db, soon()), STATUS_UNAVAILABLE);
	ck_assert_int_eq(pg_state(db), PG_CLOSED);
	close_and_check();
}
END_TEST

/* A pooler in transaction mode: the name is another client's. From then on nothing is prepared, on
 * later connections either. */
START_TEST(a_pooler_that_has_the_name_is_used_unprepared)
{
	static const struct libpq_result error = LIBPQ_ERROR("42P05", "already exists");
	static const struct libpq_call script[] = {LIBPQ_CONNECT,
						   PREPARE_FIRST,
						   LIBPQ_ANSWER(&error),
						   LIBPQ_SEND("SELECT 7()"),
						   LIBPQ_ANSWER(&seven),
						   LIBPQ_FINISH,
						   LIBPQ_CONNECT,
						   LIBPQ_FINISH,
						   {0}};

	open_preparing(script);
	ck_assert_int_eq(pg_connect(db, soon()), STATUS_OK);
	ck_assert_int_eq(run(&one_number), STATUS_OK);
	pg_drop(db);
	ck_assert_int_eq(pg_connect(db, soon()), STATUS_OK);
	close_and_check();
}
END_TEST

START_TEST(a_pooler_that_lost_a_statement_gets_it_unprepared)
{
	static const struct libpq_result error = LIBPQ_ERROR("26000", "does not exist");
	static const struct libpq_call script[] = {LIBPQ_CONNECT,
						   PREPARE_FIRST,
						   LIBPQ_ANSWER(&done),
						   PREPARE_SECOND,
						   LIBPQ_ANSWER(&done),
						   LIBPQ_SEND_PREPARED("one_number()"),
						   LIBPQ_ANSWER(&error),
						   LIBPQ_SEND("SELECT 7()"),
						   LIBPQ_ANSWER(&seven),
						   LIBPQ_FINISH,
						   {0}};

	open_preparing(script);
	ck_assert_int_eq(pg_connect(db, soon()), STATUS_OK);
	ck_assert_int_eq(run(&one_number), STATUS_CONFLICT);
	ck_assert_int_eq(pg_state(db), PG_READY);
	ck_assert_int_eq(run(&one_number), STATUS_OK);
	close_and_check();
}
END_TEST

static const char *const type_errors[] = {"0A000", "42704", "42804", "42846", "XX000"};

/* A prepared statement knows types by their OIDs: those made anew have others. */
START_TEST(types_that_were_made_anew)
{
	const struct libpq_result error = LIBPQ_ERROR(type_errors[_i], "types");
	const struct libpq_call script[] = {LIBPQ_CONNECT,
					    PREPARE_FIRST,
					    LIBPQ_ANSWER(&done),
					    PREPARE_SECOND,
					    LIBPQ_ANSWER(&done),
					    LIBPQ_SEND_PREPARED("one_number()"),
					    LIBPQ_ANSWER(&error),
					    LIBPQ_FINISH,
					    LIBPQ_CONNECT,
					    PREPARE_FIRST,
					    LIBPQ_ANSWER(&done),
					    PREPARE_SECOND,
					    LIBPQ_ANSWER(&done),
					    LIBPQ_SEND_PREPARED("one_number()"),
					    LIBPQ_ANSWER(&seven),
					    LIBPQ_FINISH,
					    {0}};

	open_preparing(script);
	ck_assert_int_eq(pg_connect(db, soon()), STATUS_OK);
	ck_assert_int_eq(run(&one_number), STATUS_CONFLICT);
	check_failure(type_errors[_i], "types");
	ck_assert_int_eq(pg_state(db), PG_CLOSED);
	ck_assert_int_eq(pg_connect(db, soon()), STATUS_OK);
	ck_assert_int_eq(run(&one_number), STATUS_OK);
	close_and_check();
}
END_TEST

/* Of what is not prepared, and of what ends the connection anyway, it is no sign of that. */
START_TEST(types_that_were_not)
{
	static const struct libpq_result error = LIBPQ_ERROR("XX000", "internal");
	static const struct libpq_result fatal = LIBPQ_FATAL("XX000", "internal");
	const struct libpq_call script[] = {LIBPQ_CONNECT,
					    PREPARE_FIRST,
					    LIBPQ_ANSWER(&done),
					    PREPARE_SECOND,
					    LIBPQ_ANSWER(&done),
					    LIBPQ_SEND("SELECT a, b()"),
					    LIBPQ_ANSWER(&error),
					    LIBPQ_SEND_PREPARED("one_number()"),
					    LIBPQ_ANSWER(&fatal),
					    LIBPQ_FINISH,
					    {0}};

	open_preparing(script);
	ck_assert_int_eq(pg_connect(db, soon()), STATUS_OK);
	ck_assert_int_eq(run(&any_rows), STATUS_INTERNAL);
	ck_assert_int_eq(run(&one_number), STATUS_INTERNAL);
	close_and_check();
}
END_TEST

/* ---- sending ---- */

START_TEST(text_parameters)
{
	static const struct libpq_call script[] = {LIBPQ_CONNECT,
						   LIBPQ_SEND("SELECT $1, $2(a b|null)"),
						   LIBPQ_ANSWER(&seven),
						   LIBPQ_FINISH,
						   {0}};
	const pg_param params[] = {SLICE("a b"), {NULL, 0}};

	connect_by(script);
	ck_assert_int_eq(pg_run(db, &two_texts, params, NULL, soon()), STATUS_OK);
	close_and_check();
}
END_TEST

static const struct {
	struct slice param;
	enum status status;
} bad_texts[] = {
	{{"a\0b", 3}, STATUS_INVALID_VALUE},
	{{"\0", 1}, STATUS_INVALID_VALUE},
	{{"abc", 2}, STATUS_INTERNAL},
};

/* libpq would cut them off. Nothing is sent, and the connection goes on. */
START_TEST(text_parameters_that_libpq_cannot_send)
{
	static const struct libpq_call script[] = {
		LIBPQ_CONNECT, LIBPQ_SEND("SELECT 7()"), LIBPQ_ANSWER(&seven), LIBPQ_FINISH, {0}};
	const pg_param params[] = {SLICE("fine"), bad_texts[_i].param};

	connect_by(script);
	ck_assert_int_eq(pg_run(db, &two_texts, params, NULL, soon()), bad_texts[_i].status);
	ck_assert_int_eq(pg_state(db), PG_READY);
	ck_assert_int_eq(run(&one_number), STATUS_OK);
	close_and_check();
}
END_TEST

START_TEST(binary_parameters_may_hold_anything)
{
	static const struct libpq_result row = {.status = PGRES_TUPLES_OK, .rows = 1};
	static const struct libpq_call script[] = {LIBPQ_CONNECT,
						   LIBPQ_SEND("SELECT $1(ab) binary"),
						   LIBPQ_ANSWER(&row),
						   LIBPQ_SEND("SELECT $1() binary"),
						   LIBPQ_ANSWER(&row),
						   LIBPQ_FINISH,
						   {0}};

	connect_by(script);
	ck_assert_int_eq(pg_run(db, &binary, &(pg_param){"abc", 2}, NULL, soon()), STATUS_OK);
	ck_assert_int_eq(pg_run(db, &binary, &(pg_param){"\0x", 2}, NULL, soon()), STATUS_OK);
	close_and_check();
}
END_TEST

START_TEST(one_statement_at_a_time)
{
	static const struct libpq_call script[] = {
		LIBPQ_CONNECT, LIBPQ_SEND("SELECT 7()"), LIBPQ_ANSWER(&seven), LIBPQ_FINISH, {0}};

	connect_by(script);
	ck_assert_int_eq(pg_send(db, &one_number, NULL), STATUS_OK);
	ck_assert_int_eq(pg_state(db), PG_BUSY);
	ck_assert_int_eq(pg_events(db), POLLIN);
	ck_assert_int_eq(pg_send(db, &one_number, NULL), STATUS_INTERNAL);
	ck_assert_int_eq(pg_run_script(db, "SELECT 1", soon()), STATUS_INTERNAL);
	ck_assert_int_eq(pg_state(db), PG_BUSY);
	ck_assert_int_eq(pg_await(db, NULL, soon()), STATUS_OK);
	close_and_check();
}
END_TEST

START_TEST(no_more_parameters_than_there_is_room_for)
{
	static pg_param params[PG_PARAMS_MAX + 1];
	static const struct pg_statement most = {
		.sql = "most", .param_count = PG_PARAMS_MAX, .binary = true};
	static const struct pg_statement over = {
		.sql = "over", .param_count = PG_PARAMS_MAX + 1, .binary = true};
	static const struct libpq_result row = {.status = PGRES_TUPLES_OK};
	static const struct libpq_call script[] = {
		LIBPQ_CONNECT, LIBPQ_SEND(NULL), LIBPQ_ANSWER(&row), LIBPQ_FINISH, {0}};

	connect_by(script);
	ck_assert_int_eq(pg_run(db, &over, params, NULL, soon()), STATUS_INTERNAL);
	ck_assert_int_eq(pg_run(db, &most, params, NULL, soon()), STATUS_OK);
	close_and_check();
}
END_TEST

static const struct {
	struct libpq_call script[8];
	enum status status;
} send_breaks[] = {
	/* Nothing has left. */
	{{LIBPQ_CONNECT, {"PQsendQueryParams", .message = "gone"}, LIBPQ_FINISH},
	 STATUS_UNAVAILABLE},
	{{LIBPQ_CONNECT,
	  {"PQsendQueryParams", .returns = 1},
	  {"PQflush", .returns = -1, .message = "gone"},
	  LIBPQ_FINISH},
	 STATUS_OUTCOME_UNKNOWN},
};

START_TEST(a_connection_lost_while_sending)
{
	connect_by(send_breaks[_i].script);
	ck_assert_int_eq(run(&one_number), send_breaks[_i].status);
	check_failure("", "gone");
	ck_assert_int_eq(pg_state(db), PG_CLOSED);
	close_and_check();
}
END_TEST

START_TEST(a_large_statement_is_flushed_step_by_step)
{
	static const struct libpq_call script[] = {LIBPQ_CONNECT,
						   {"PQsendQueryParams", .returns = 1},
						   {"PQflush", .returns = 1},
						   {"PQflush", .returns = 1},
						   LIBPQ_CONSUME,
						   LIBPQ_BUSY,
						   LIBPQ_FLUSH,
						   LIBPQ_CONSUME,
						   LIBPQ_BUSY,
						   LIBPQ_ANSWER(&seven),
						   LIBPQ_FINISH,
						   {0}};

	connect_by(script);
	ck_assert_int_eq(pg_send(db, &one_number, NULL), STATUS_OK);
	ck_assert_int_eq(pg_events(db), POLLIN | POLLOUT);
	ck_assert_int_eq(pg_step(db, NULL), STATUS_AGAIN);
	ck_assert_int_eq(pg_events(db), POLLIN | POLLOUT);
	ck_assert_int_eq(pg_step(db, NULL), STATUS_AGAIN);
	ck_assert_int_eq(pg_events(db), POLLIN);
	ck_assert_int_eq(pg_step(db, NULL), STATUS_OK);
	close_and_check();
}
END_TEST

START_TEST(flushing_waits_until_all_is_sent)
{
	static const struct libpq_call script[] = {LIBPQ_CONNECT,
						   {"PQsendQueryParams", .returns = 1},
						   {"PQflush", .returns = 1},
						   {"PQflush", .returns = 1},
						   LIBPQ_FLUSH,
						   LIBPQ_ANSWER(&seven),
						   LIBPQ_FINISH,
						   {0}};

	connect_by(script);
	ck_assert_int_eq(pg_send(db, &one_number, NULL), STATUS_OK);
	ck_assert_int_eq(pg_flush(db, soon()), STATUS_OK);
	ck_assert_int_eq(pg_events(db), POLLIN);
	ck_assert_int_eq(pg_flush(db, soon()), STATUS_OK); /* nothing to do */
	ck_assert_int_eq(pg_await(db, NULL, soon()), STATUS_OK);
	close_and_check();
}
END_TEST

static const struct libpq_call flush_breaks[][8] = {
	{LIBPQ_CONNECT,
	 {"PQsendQueryParams", .returns = 1},
	 {"PQflush", .returns = 1},
	 {"PQflush", .returns = -1},
	 LIBPQ_FINISH},
	/* The server takes no more, and says nothing. */
	{LIBPQ_CONNECT,
	 {"PQsendQueryParams", .returns = 1, .silent = true},
	 {"PQflush", .returns = 1},
	 LIBPQ_CANCEL,
	 LIBPQ_FINISH},
};

START_TEST(a_connection_lost_while_flushing)
{
	connect_by(flush_breaks[_i]);
	ck_assert_int_eq(pg_send(db, &one_number, NULL), STATUS_OK);
	ck_assert_int_eq(pg_flush(db, _i == 0 ? soon() : past()), STATUS_OUTCOME_UNKNOWN);
	ck_assert_int_eq(pg_state(db), PG_CLOSED);
	ck_assert_int_eq(pg_flush(db, soon()), STATUS_OK); /* nothing is left to flush */
	close_and_check();
}
END_TEST

/* ---- results ---- */

START_TEST(values_of_a_result)
{
	static const struct libpq_result rows = {
		.status = PGRES_TUPLES_OK, .rows = 2, .columns = 2, .values = numbers};
	static const struct libpq_call script[] = {
		LIBPQ_CONNECT, LIBPQ_SEND("SELECT a, b()"), LIBPQ_ANSWER(&rows), LIBPQ_FINISH, {0}};
	struct pg_query_result result = {0};

	connect_by(script);
	ck_assert_int_eq(pg_run(db, &any_rows, NULL, &result, soon()), STATUS_OK);
	ck_assert_int_eq(pg_result_rows(&result), 2);
	ck_assert_int_eq(pg_result_int(&result, 0, 0), 7);
	ck_assert_int_eq(pg_result_int(&result, 0, 1), -12);
	ck_assert_int_eq(pg_result_int(&result, 1, 0), 0);
	ck_assert_int_eq(pg_result_int(&result, 1, 1), 1);
	ck_assert(slice_equal(pg_result_value(&result, 0, 1), SLICE("-12")));
	ck_assert_ptr_null(pg_result_value(&result, 1, 0).p);
	ck_assert_uint_eq(pg_result_value(&result, 1, 0).n, 0);
	pg_result_free(&result);
	pg_result_free(&result); /* a second time is harmless */
	close_and_check();
}
END_TEST

static const struct {
	const struct pg_statement *statement;
	int rows, columns;
	enum status status;
} shapes[] = {
	{&one_number, 1, 1, STATUS_OK},	      {&one_number, 0, 1, STATUS_INTERNAL},
	{&one_number, 2, 1, STATUS_INTERNAL}, {&one_number, 1, 0, STATUS_INTERNAL},
	{&one_number, 1, 2, STATUS_INTERNAL}, {&any_rows, 0, 2, STATUS_OK},
	{&any_rows, 9, 2, STATUS_OK},	      {&any_rows, 9, 1, STATUS_INTERNAL},
};

START_TEST(a_result_of_another_shape)
{
	const struct libpq_result rows = {
		.status = PGRES_TUPLES_OK, .rows = shapes[_i].rows, .columns = shapes[_i].columns};
	const struct libpq_call script[] = {
		LIBPQ_CONNECT, LIBPQ_SEND(NULL), LIBPQ_ANSWER(&rows), LIBPQ_FINISH, {0}};
	struct pg_query_result result = {0};

	connect_by(script);
	ck_assert_int_eq(pg_run(db, shapes[_i].statement, NULL, &result, soon()),
			 shapes[_i].status);
	ck_assert_int_eq(pg_state(db), PG_READY);
	ck_assert_int_eq(result.pg != NULL, shapes[_i].status == STATUS_OK);
	pg_result_free(&result);
	close_and_check();
}
END_TEST

START_TEST(an_answer_in_pieces)
{
	static const struct libpq_call script[] = {LIBPQ_CONNECT,
						   LIBPQ_SEND("SELECT 7()"),
						   LIBPQ_CONSUME,
						   LIBPQ_BUSY,
						   LIBPQ_CONSUME,
						   LIBPQ_GET(&seven),
						   LIBPQ_BUSY,
						   LIBPQ_CONSUME,
						   LIBPQ_END,
						   LIBPQ_FINISH,
						   {0}};
	struct pg_query_result result = {0};

	connect_by(script);
	ck_assert_int_eq(pg_send(db, &one_number, NULL), STATUS_OK);
	ck_assert_int_eq(pg_step(db, &result), STATUS_AGAIN);
	ck_assert_int_eq(pg_step(db, &result), STATUS_AGAIN);
	ck_assert_int_eq(pg_state(db), PG_BUSY);
	ck_assert_ptr_null(result.pg);
	ck_assert_int_eq(pg_step(db, &result), STATUS_OK);
	ck_assert_int_eq(pg_state(db), PG_READY);
	ck_assert_int_eq(pg_result_int(&result, 0, 0), 7);
	pg_result_free(&result);
	close_and_check();
}
END_TEST

static const struct {
	const char *sqlstate;
	enum status status;
} sqlstates[] = {
	{"08006", STATUS_UNAVAILABLE},	 {"57014", STATUS_DEADLINE},
	{"57P01", STATUS_UNAVAILABLE},	 {"57P03", STATUS_UNAVAILABLE},
	{"55P03", STATUS_DEADLINE},	 {"55000", STATUS_INTERNAL},
	{"25006", STATUS_READ_ONLY},	 {"25P03", STATUS_UNAVAILABLE},
	{"25P02", STATUS_INTERNAL},	 {"53300", STATUS_UNAVAILABLE},
	{"53100", STATUS_STORAGE_FULL},	 {"53200", STATUS_STORAGE_FULL},
	{"58030", STATUS_UNAVAILABLE},	 {"22P02", STATUS_INVALID_VALUE},
	{"22003", STATUS_INVALID_VALUE}, {"23502", STATUS_CONSTRAINT},
	{"23505", STATUS_NOT_UNIQUE},	 {"23514", STATUS_CONSTRAINT},
	{"23503", STATUS_CONSTRAINT},	 {"54001", STATUS_CONSTRAINT},
	{"40001", STATUS_CONFLICT},	 {"40P01", STATUS_CONFLICT},
	{"26000", STATUS_CONFLICT},	 {"42P05", STATUS_CONFLICT},
	{"42501", STATUS_MISCONFIGURED}, {"42883", STATUS_MISCONFIGURED},
	{"28000", STATUS_MISCONFIGURED}, {"3D000", STATUS_MISCONFIGURED},
	{"3F000", STATUS_MISCONFIGURED}, {"0A000", STATUS_MISCONFIGURED},
	{"P0001", STATUS_CONSTRAINT},	 {"P0002", STATUS_NO_SUCH_ROW},
	{"P0003", STATUS_INTERNAL},	 {"SL001", STATUS_NOT_A_MEMBER},
	{"SL002", STATUS_ROLE_TOO_LOW},	 {"SL003", STATUS_ORGANIZATION_MISSING},
	{"SL004", STATUS_WRONG_STATE},	 {"SL007", STATUS_INSUFFICIENT_SCOPE},
	{"SL008", STATUS_INTERNAL},	 {"XX000", STATUS_INTERNAL},
	{"22P05", STATUS_INVALID_VALUE}, {"22021", STATUS_INVALID_VALUE},
	{"22007", STATUS_INVALID_VALUE}, {"22008", STATUS_INVALID_VALUE},
	{"22009", STATUS_INVALID_VALUE}, {"22023", STATUS_INVALID_VALUE},
	{"22012", STATUS_CONSTRAINT},	 {"2200H", STATUS_STORAGE_FULL},
	{"SL005", STATUS_NAME_TAKEN},	 {"SL006", STATUS_LIMIT_REACHED},
};

/* What users are told is no failure, and is not logged. */
static bool is_logged(enum status status)
{
	return status != STATUS_NO_SUCH_ROW && status != STATUS_NOT_A_MEMBER &&
	       status != STATUS_ROLE_TOO_LOW && status != STATUS_ORGANIZATION_MISSING &&
	       status != STATUS_WRONG_STATE && status != STATUS_NAME_TAKEN &&
	       status != STATUS_INSUFFICIENT_SCOPE;
}

/* A trigger's RAISE may choose any SQLSTATE. */
START_TEST(an_error_that_was_raised)
{
	static const struct libpq_result error = {.status = PGRES_FATAL_ERROR,
						  .sqlstate = "22P02",
						  .severity = "ERROR",
						  .message = "no",
						  .function = "exec_stmt_raise"};
	const struct libpq_call script[] = {
		LIBPQ_CONNECT, LIBPQ_SEND("SELECT 7()"), LIBPQ_ANSWER(&error), LIBPQ_FINISH, {0}};

	connect_by(script);
	ck_assert_int_eq(run(&one_number), STATUS_CONSTRAINT);
	close_and_check();
}
END_TEST

START_TEST(an_error_by_its_sqlstate)
{
	const struct libpq_result error = LIBPQ_ERROR(sqlstates[_i].sqlstate, "no\nsecond line");
	const struct libpq_call script[] = {LIBPQ_CONNECT,
					    LIBPQ_SEND("SELECT 7()"),
					    LIBPQ_ANSWER(&error),
					    LIBPQ_SEND("SELECT 7()"),
					    LIBPQ_ANSWER(&seven),
					    LIBPQ_FINISH,
					    {0}};
	struct pg_query_result result = {0};

	connect_by(script);
	ck_assert_int_eq(pg_run(db, &one_number, NULL, &result, soon()), sqlstates[_i].status);
	check_failure(sqlstates[_i].sqlstate, "no");
	ck_assert_ptr_null(result.pg);
	ck_assert_int_eq(pg_state(db), PG_READY);
	const char *lines = captured_log();
	int logged = is_logged(sqlstates[_i].status) ? 1 : 0;
	ck_assert_int_eq(captured_log_count(lines, "event="), logged);
	ck_assert_int_eq(captured_log_count(lines, sqlstates[_i].sqlstate), logged);
	ck_assert_int_eq(run(&one_number), STATUS_OK);
	close_and_check();
}
END_TEST

/* A function of ours names the parameter that it does not take. */
START_TEST(the_column_of_an_error)
{
	static const struct libpq_result error = {.status = PGRES_FATAL_ERROR,
						  .sqlstate = "22023",
						  .severity = "ERROR",
						  .message = "is empty",
						  .column = "name"};
	static const struct libpq_call script[] = {LIBPQ_CONNECT,
						   LIBPQ_SEND("SELECT 7()"),
						   LIBPQ_ANSWER(&error),
						   LIBPQ_SEND("SELECT 7()"),
						   LIBPQ_ANSWER(&seven),
						   LIBPQ_FINISH,
						   {0}};

	connect_by(script);
	ck_assert_int_eq(run(&one_number), STATUS_INVALID_VALUE);
	ck_assert_str_eq(pg_column(db), "name");
	ck_assert_str_eq(captured_log(), "");
	ck_assert_int_eq(run(&one_number), STATUS_OK);
	ck_assert_str_eq(pg_column(db), "");
	close_and_check();
}
END_TEST

/* Of the last error alone. */
START_TEST(what_an_error_says_to_an_operator)
{
	static const struct libpq_result error = {.status = PGRES_FATAL_ERROR,
						  .sqlstate = "53100",
						  .severity = "ERROR",
						  .message = "full",
						  .detail = "the detail",
						  .hint = "the hint"};
	static const struct libpq_call script[] = {LIBPQ_CONNECT,
						   LIBPQ_SEND("SELECT 7()"),
						   LIBPQ_ANSWER(&error),
						   LIBPQ_SEND("SELECT 7()"),
						   LIBPQ_ANSWER(&seven),
						   LIBPQ_FINISH,
						   {0}};

	connect_by(script);
	ck_assert_str_eq(pg_host(db), "host");
	ck_assert_str_eq(pg_port(db), "5432");
	ck_assert_int_eq(run(&one_number), STATUS_STORAGE_FULL);
	ck_assert_str_eq(pg_detail(db), "the detail");
	ck_assert_str_eq(pg_hint(db), "the hint");
	ck_assert_int_eq(run(&one_number), STATUS_OK);
	ck_assert_str_eq(pg_detail(db), "");
	ck_assert_str_eq(pg_hint(db), "");
	close_and_check();
}
END_TEST

/* What the caller asked for with it. */
START_TEST(a_failure_that_is_an_answer)
{
	static const struct libpq_result repeated = LIBPQ_ERROR("23505", "duplicate key");
	static const struct libpq_result full = LIBPQ_ERROR("53100", "disk full");
	static const struct pg_statement statement = {
		.name = "insert", .sql = "INSERT", .answer = STATUS_NOT_UNIQUE};
	static const struct libpq_call script[] = {LIBPQ_CONNECT,
						   LIBPQ_SEND("INSERT()"),
						   LIBPQ_ANSWER(&repeated),
						   LIBPQ_SEND("INSERT()"),
						   LIBPQ_ANSWER(&full),
						   LIBPQ_FINISH,
						   {0}};

	connect_by(script);
	(void)captured_log();
	ck_assert_int_eq(run(&statement), STATUS_NOT_UNIQUE);
	ck_assert_str_eq(captured_log(), "");
	ck_assert_int_eq(run(&statement), STATUS_STORAGE_FULL);
	ck_assert_int_eq(captured_log_count(captured_log(), "sqlstate=53100"), 1);
	close_and_check();
}
END_TEST

START_TEST(a_quiet_connection_logs_nothing)
{
	static const struct libpq_result error = LIBPQ_ERROR("XX000", "broken");
	static const struct libpq_result warning = LIBPQ_WARNING("01000", "careful");
	static const struct libpq_call script[] = {
		LIBPQ_CONNECT,
		LIBPQ_SEND("SELECT 7()"),
		{"PQconsumeInput", .returns = 1, .notice = &warning},
		LIBPQ_GET(&error),
		LIBPQ_END,
		LIBPQ_FINISH,
		{0}};

	libpq_play(script);
	open_with(&(struct pg_options){.application_name = "unit", .quiet = true});
	ck_assert_int_eq(pg_connect(db, soon()), STATUS_OK);
	ck_assert_int_eq(run(&one_number), STATUS_INTERNAL);
	check_failure("XX000", "broken");
	ck_assert_str_eq(captured_log(), "");
	close_and_check();
}
END_TEST

START_TEST(the_first_failure_is_the_cause)
{
	static const struct libpq_result first = LIBPQ_ERROR("23505", "first");
	static const struct libpq_result second = LIBPQ_ERROR("XX000", "second");
	static const struct libpq_call script[] = {
		LIBPQ_CONNECT,	    {"PQsendQuery", .returns = 1, .with = "A; B"},
		LIBPQ_FLUSH,	    LIBPQ_CONSUME,
		LIBPQ_GET(&done),   LIBPQ_GET(&first),
		LIBPQ_GET(&second), LIBPQ_END,
		LIBPQ_FINISH,	    {0}};

	connect_by(script);
	ck_assert_int_eq(pg_run_script(db, "A; B", soon()), STATUS_NOT_UNIQUE);
	check_failure("23505", "first");
	close_and_check();
}
END_TEST

START_TEST(a_script_of_several_statements)
{
	static const struct libpq_call script[] = {LIBPQ_CONNECT,
						   {"PQsendQuery", .returns = 1, .with = "A; B"},
						   LIBPQ_FLUSH,
						   LIBPQ_CONSUME,
						   LIBPQ_GET(&done),
						   LIBPQ_GET(&seven),
						   LIBPQ_END,
						   LIBPQ_FINISH,
						   {0}};

	connect_by(script);
	ck_assert_int_eq(pg_run_script(db, "A; B", soon()), STATUS_OK);
	close_and_check();
}
END_TEST

/* ---- the end of a transaction ---- */

static const struct {
	const char *answer;
	enum status status;
} commits[] = {{"COMMIT", STATUS_OK}, {"ROLLBACK", STATUS_CONFLICT}};

START_TEST(a_commit_answered_with_rollback)
{
	const struct libpq_result answer = {.status = PGRES_COMMAND_OK,
					    .command = commits[_i].answer};
	const struct libpq_call script[] = {
		LIBPQ_CONNECT, LIBPQ_SEND("COMMIT()"), LIBPQ_ANSWER(&answer), LIBPQ_FINISH, {0}};

	connect_by(script);
	ck_assert_int_eq(run(&PG_COMMAND("COMMIT")), commits[_i].status);
	ck_assert_int_eq(pg_state(db), PG_READY);
	close_and_check();
}
END_TEST

static const struct {
	struct libpq_result notice;
	enum status status;
	int logged;
} notices[] = {
	{LIBPQ_UNCONFIRMED, STATUS_OUTCOME_UNKNOWN, 1},
	{LIBPQ_WARNING("01000", "must be vacuumed"), STATUS_OK, 1},
	{{.status = PGRES_NONFATAL_ERROR, .severity = "NOTICE", .message = "hm"}, STATUS_OK, 0},
	{{.status = PGRES_NONFATAL_ERROR, .message = "no severity"}, STATUS_OK, 0},
};

START_TEST(a_warning_beside_a_result)
{
	const struct libpq_call script[] = {
		LIBPQ_CONNECT,
		LIBPQ_SEND("SELECT 7()"),
		{"PQconsumeInput", .returns = 1, .notice = &notices[_i].notice},
		LIBPQ_GET(&seven),
		LIBPQ_END,
		LIBPQ_SEND("SELECT 7()"),
		LIBPQ_ANSWER(&seven),
		LIBPQ_FINISH,
		{0}};

	connect_by(script);
	ck_assert_int_eq(run(&one_number), notices[_i].status);
	ck_assert_int_eq(captured_log_count(captured_log(), "warning from the database"),
			 notices[_i].logged);
	ck_assert_int_eq(run(&one_number), STATUS_OK); /* it was the other statement's */
	close_and_check();
}
END_TEST

static const struct libpq_result broken = LIBPQ_BROKEN("server closed the connection\n");
static const struct libpq_result killed = LIBPQ_FATAL("57P01", "terminating connection");

static const struct {
	struct libpq_call script[16];
	enum status status;
	const char *sqlstate, *message;
} losses[] = {
	/* Nothing was answered: it may have been committed. */
	{{LIBPQ_CONNECT,
	  LIBPQ_SEND(NULL),
	  {"PQconsumeInput", .lost = true, .message = "reset"},
	  LIBPQ_FINISH},
	 STATUS_OUTCOME_UNKNOWN,
	 "",
	 "reset"},
	{{LIBPQ_CONNECT,
	  LIBPQ_SEND(NULL),
	  LIBPQ_CONSUME,
	  {"PQisBusy"},
	  {"PQgetResult", .result = &broken, .lost = true},
	  LIBPQ_FINISH},
	 STATUS_OUTCOME_UNKNOWN,
	 "",
	 "server closed the connection"},
	/* The server ended the session before the statement. */
	{{LIBPQ_CONNECT,
	  LIBPQ_SEND(NULL),
	  LIBPQ_CONSUME,
	  {"PQisBusy"},
	  {"PQgetResult", .result = &killed, .lost = true},
	  LIBPQ_FINISH},
	 STATUS_UNAVAILABLE,
	 "57P01",
	 "terminating connection"},
	/* … and while it committed. */
	{{LIBPQ_CONNECT,
	  LIBPQ_SEND(NULL),
	  LIBPQ_CONSUME,
	  LIBPQ_GET(&seven),
	  {"PQisBusy"},
	  {"PQgetResult", .result = &killed, .lost = true},
	  LIBPQ_FINISH},
	 STATUS_OUTCOME_UNKNOWN,
	 "57P01",
	 "terminating connection"},
	/* A result, but not the end of the transaction. */
	{{LIBPQ_CONNECT,
	  LIBPQ_SEND(NULL),
	  LIBPQ_CONSUME,
	  {"PQisBusy"},
	  {"PQgetResult", .result = &seven, .lost = true},
	  LIBPQ_FINISH},
	 STATUS_OUTCOME_UNKNOWN,
	 "",
	 ""},
	{{LIBPQ_CONNECT,
	  {"PQsendQueryParams", .returns = 1},
	  {"PQflush", .returns = 1},
	  {"PQflush", .returns = -1, .message = "reset"},
	  LIBPQ_FINISH},
	 STATUS_OUTCOME_UNKNOWN,
	 "",
	 "reset"},
};

START_TEST(a_connection_lost_while_the_server_works)
{
	struct pg_query_result result = {0};

	connect_by(losses[_i].script);
	ck_assert_int_eq(pg_run(db, &one_number, NULL, &result, soon()), losses[_i].status);
	check_failure(losses[_i].sqlstate, losses[_i].message);
	ck_assert_int_eq(pg_state(db), PG_CLOSED);
	ck_assert_ptr_null(result.pg);
	close_and_check();
}
END_TEST

START_TEST(an_idle_connection)
{
	static const struct libpq_result notice = LIBPQ_WARNING("01000", "hello");
	static const struct libpq_call script[] = {
		LIBPQ_CONNECT,
		{"PQconsumeInput", .returns = 1, .notice = &notice},
		{"PQisBusy"},
		LIBPQ_SEND("SELECT 7()"),
		LIBPQ_ANSWER(&seven),
		{"PQconsumeInput", .returns = 0, .lost = true, .message = "gone"},
		LIBPQ_FINISH,
		{0}};

	connect_by(script);
	ck_assert_int_eq(pg_step(db, NULL), STATUS_AGAIN);
	ck_assert_int_eq(pg_state(db), PG_READY);
	ck_assert_int_eq(run(&one_number), STATUS_OK);
	ck_assert_int_eq(pg_step(db, NULL), STATUS_UNAVAILABLE);
	check_failure("", "gone");
	ck_assert_int_eq(pg_state(db), PG_CLOSED);
	close_and_check();
}
END_TEST

static const struct libpq_call idle_breaks[][8] = {
	{LIBPQ_CONNECT, LIBPQ_CONSUME, LIBPQ_BUSY, LIBPQ_FINISH},
	{LIBPQ_CONNECT, LIBPQ_CONSUME, {"PQisBusy", .lost = true}, LIBPQ_FINISH},
};

START_TEST(an_idle_connection_that_is_broken)
{
	connect_by(idle_breaks[_i]);
	ck_assert_int_eq(pg_step(db, NULL), STATUS_UNAVAILABLE);
	ck_assert_int_eq(pg_state(db), PG_CLOSED);
	close_and_check();
}
END_TEST

/* ---- waiting ---- */

START_TEST(a_statement_ends_at_its_deadline)
{
	static const struct libpq_call script[] = {
		LIBPQ_CONNECT, {"PQsendQueryParams", .returns = 1, .silent = true},
		LIBPQ_FLUSH,   LIBPQ_CANCEL,
		LIBPQ_FINISH,  {0}};

	connect_by(script);
	ck_assert_int_eq(pg_run(db, &one_number, NULL, NULL, clock_now_ms() + 20),
			 STATUS_OUTCOME_UNKNOWN);
	ck_assert_int_eq(pg_state(db), PG_CLOSED);
	check_failure("", "no answer within the time allowed");
	close_and_check();
}
END_TEST

/* Once, and whatever becomes of it: the answer is awaited as before. */
START_TEST(a_statement_is_cancelled)
{
	static const struct libpq_result error = LIBPQ_ERROR("57014", "canceling statement");
	static const struct libpq_call script[] = {LIBPQ_CONNECT,
						   LIBPQ_SEND("SELECT 7()"),
						   LIBPQ_CANCEL,
						   LIBPQ_ANSWER(&error),
						   LIBPQ_SEND("SELECT 7()"),
						   {"PQgetCancel", .returns = 0},
						   LIBPQ_FINISH,
						   {0}};

	connect_by(script);
	pg_cancel(db); /* nothing is running */
	ck_assert_int_eq(pg_send(db, &one_number, NULL), STATUS_OK);
	pg_cancel(db);
	pg_cancel(db);
	libpq_await_cancels(1);
	ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1); /* there is nothing to be reaped */
	ck_assert_int_eq(pg_await(db, NULL, soon()), STATUS_DEADLINE);
	ck_assert_int_eq(pg_send(db, &one_number, NULL), STATUS_OK);
	pg_drop(db);
	ck_assert_int_eq(libpq_cancels(), 1);
	close_and_check();
}
END_TEST

START_TEST(what_the_server_has_not_read)
{
	static const struct libpq_call script[] = {LIBPQ_CONNECT,
						   {"PQsendQueryParams", .returns = 1},
						   {"PQflush", .returns = 1},
						   LIBPQ_FLUSH,
						   LIBPQ_CONSUME,
						   LIBPQ_BUSY,
						   LIBPQ_CANCEL,
						   LIBPQ_FINISH,
						   {0}};

	connect_by(script);
	ck_assert(pg_has_been_read(db));
	ck_assert_int_eq(pg_send(db, &one_number, NULL), STATUS_OK);
	ck_assert(!pg_has_been_read(db)); /* libpq has some of it */
	ck_assert_int_eq(pg_step(db, NULL), STATUS_AGAIN);
	ck_assert(pg_has_been_read(db));
	ck_assert_int_eq(send(pg_fd(db), "x", 1, 0), 1);
	ck_assert(!pg_has_been_read(db));
	close_and_check();
}
END_TEST

/* The process may have slept (SIGSTOP) while the server answered. */
START_TEST(an_answer_that_has_arrived_counts_after_the_deadline)
{
	static const struct libpq_call script[] = {
		LIBPQ_CONNECT, LIBPQ_SEND("SELECT 7()"), LIBPQ_ANSWER(&seven), LIBPQ_FINISH, {0}};

	connect_by(script);
	ck_assert_int_eq(pg_run(db, &one_number, NULL, NULL, past()), STATUS_OK);
	close_and_check();
}
END_TEST

static void on_alarm(int number)
{
	(void)number;
	libpq_hear();
}

START_TEST(a_signal_while_waiting)
{
	static const struct libpq_call script[] = {
		LIBPQ_CONNECT, {"PQsendQueryParams", .returns = 1, .silent = true},
		LIBPQ_FLUSH,   LIBPQ_ANSWER(&seven),
		LIBPQ_FINISH,  {0}};
	const struct sigaction action = {.sa_handler = on_alarm};
	const struct itimerval timer = {.it_value = {.tv_usec = 10000}};

	connect_by(script);
	ck_assert_int_eq(pg_send(db, &one_number, NULL), STATUS_OK);
	ck_assert_int_eq(sigaction(SIGALRM, &action, NULL), 0);
	ck_assert_int_eq(setitimer(ITIMER_REAL, &timer, NULL), 0);
	ck_assert_int_eq(pg_await(db, NULL, soon()), STATUS_OK);
	close_and_check();
}
END_TEST

/* ---- forks and memory ---- */

/* The child closes its copy of the socket and says nothing to the server. */
START_TEST(an_abandoned_connection)
{
	static const struct libpq_call script[] = {LIBPQ_CONNECT, LIBPQ_SEND("SELECT 7()"), {0}};

	connect_by(script);
	ck_assert_int_eq(pg_send(db, &one_number, NULL), STATUS_OK);
	int fd = pg_fd(db);
	pg_abandon(db);
	ck_assert_int_eq(fcntl(fd, F_GETFD), -1);
	ck_assert_int_eq(errno, EBADF);
	ck_assert_int_eq(pg_state(db), PG_CLOSED);
	ck_assert_int_eq(pg_fd(db), -1);
	pg_abandon(db); /* a second time is harmless */
	pg_close(db);
	libpq_forget();
}
END_TEST

static enum status open_and_close(void)
{
	const struct pg_options options = {.application_name = "unit"};
	enum status status = pg_open(&db, &options);

	pg_close(db);
	return status;
}

START_TEST(opening_without_memory)
{
	ck_assert_int_eq(unit_torture(open_and_close), 2);
}
END_TEST

static void add_connecting(Suite *suite)
{
	TCase *tests = tcase_create("connecting");

	tcase_add_checked_fixture(tests, captured_log_start, captured_log_stop);
	tcase_add_loop_test(tests, the_connection_string_comes_after_the_defaults, 0,
			    LENGTH(conninfos));
	tcase_add_test(tests, connecting_polls_for_what_libpq_waits_for);
	tcase_add_test(tests, a_new_connection_drops_the_old_one);
	tcase_add_loop_test(tests, a_refused_connection_is_told_from_a_missing_server, 0,
			    LENGTH(connect_failures));
	tcase_add_test(tests, libpq_without_memory);
	tcase_add_test(tests, a_bad_connection_string);
	tcase_add_test(tests, a_connection_that_would_block_is_not_used);
	tcase_add_test(tests, connecting_ends_at_its_deadline);
	tcase_add_test(tests, a_silent_host_is_given_up);
	tcase_add_test(tests, all_hosts_are_silent);
	tcase_add_test(tests, a_host_that_cannot_be_tried);
	tcase_add_test(tests, a_silent_address_is_given_up);
	tcase_add_test(tests, a_silent_host_that_is_not_listed);
	tcase_add_test(tests, a_name_is_looked_up_first);
	tcase_add_test(tests, a_name_without_an_address);
	tcase_add_test(tests, a_lookup_ends_with_its_connection_string);
	tcase_add_test(tests, a_greeting_is_kept);
	tcase_add_loop_test(tests, a_greeting_that_fails, 0, 2);
	tcase_add_loop_test(tests, a_result_outlives_the_connection, 0, 3);
	tcase_add_test(tests, a_lone_host_has_no_next);
	tcase_add_test(tests, no_state_steps_without_a_connection);
	tcase_add_test(tests, each_connection_prepares_and_uses_what_it_has_prepared);
	tcase_add_test(tests, a_failed_statement_and_a_new_connection);
	tcase_add_test(tests, preparing_flushes_when_the_socket_is_full);
	tcase_add_loop_test(tests, what_cannot_be_prepared_ends_the_connection, 0,
			    LENGTH(prepare_errors));
	tcase_add_loop_test(tests, a_connection_lost_while_preparing_is_unavailable, 0,
			    LENGTH(prepare_breaks));
	tcase_add_test(tests, a_pooler_that_has_the_name_is_used_unprepared);
	tcase_add_test(tests, a_pooler_that_lost_a_statement_gets_it_unprepared);
	tcase_add_loop_test(tests, types_that_were_made_anew, 0, LENGTH(type_errors));
	tcase_add_test(tests, types_that_were_not);
	suite_add_tcase(suite, tests);
}

static void add_sending(Suite *suite)
{
	TCase *tests = tcase_create("sending");

	tcase_add_checked_fixture(tests, captured_log_start, captured_log_stop);
	tcase_add_test(tests, text_parameters);
	tcase_add_loop_test(tests, text_parameters_that_libpq_cannot_send, 0, LENGTH(bad_texts));
	tcase_add_test(tests, binary_parameters_may_hold_anything);
	tcase_add_test(tests, one_statement_at_a_time);
	tcase_add_test(tests, no_more_parameters_than_there_is_room_for);
	tcase_add_loop_test(tests, a_connection_lost_while_sending, 0, LENGTH(send_breaks));
	tcase_add_test(tests, a_large_statement_is_flushed_step_by_step);
	tcase_add_test(tests, flushing_waits_until_all_is_sent);
	tcase_add_loop_test(tests, a_connection_lost_while_flushing, 0, LENGTH(flush_breaks));
	suite_add_tcase(suite, tests);
}

static void add_results(Suite *suite)
{
	TCase *tests = tcase_create("results");

	tcase_add_checked_fixture(tests, captured_log_start, captured_log_stop);
	tcase_add_test(tests, values_of_a_result);
	tcase_add_loop_test(tests, a_result_of_another_shape, 0, LENGTH(shapes));
	tcase_add_test(tests, an_answer_in_pieces);
	tcase_add_test(tests, an_error_that_was_raised);
	tcase_add_loop_test(tests, an_error_by_its_sqlstate, 0, LENGTH(sqlstates));
	tcase_add_test(tests, the_column_of_an_error);
	tcase_add_test(tests, what_an_error_says_to_an_operator);
	tcase_add_test(tests, a_failure_that_is_an_answer);
	tcase_add_test(tests, a_quiet_connection_logs_nothing);
	tcase_add_test(tests, the_first_failure_is_the_cause);
	tcase_add_test(tests, a_script_of_several_statements);
	tcase_add_loop_test(tests, a_commit_answered_with_rollback, 0, LENGTH(commits));
	tcase_add_loop_test(tests, a_warning_beside_a_result, 0, LENGTH(notices));
	tcase_add_loop_test(tests, a_connection_lost_while_the_server_works, 0, LENGTH(losses));
	tcase_add_test(tests, an_idle_connection);
	tcase_add_loop_test(tests, an_idle_connection_that_is_broken, 0, LENGTH(idle_breaks));
	suite_add_tcase(suite, tests);
}

static void add_waiting(Suite *suite)
{
	TCase *tests = tcase_create("waiting");

	tcase_add_checked_fixture(tests, captured_log_start, captured_log_stop);
	tcase_add_test(tests, a_statement_ends_at_its_deadline);
	tcase_add_test(tests, a_statement_is_cancelled);
	tcase_add_test(tests, what_the_server_has_not_read);
	tcase_add_test(tests, an_answer_that_has_arrived_counts_after_the_deadline);
	tcase_add_test(tests, a_signal_while_waiting);
	tcase_add_test(tests, an_abandoned_connection);
	tcase_add_test(tests, opening_without_memory);
	suite_add_tcase(suite, tests);
}

Suite *unit_suite(void)
{
	Suite *suite = suite_create("connection");

	add_connecting(suite);
	add_sending(suite);
	add_results(suite);
	add_waiting(suite);
	return suite;
}
