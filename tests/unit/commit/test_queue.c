/*
 * test_queue.c - the life of a group: who is sent with whom, when, how often, and who is told what.
 *
 * The real queue, statement and connection over a libpq that plays scripts; the times are the
 * test's own. That PostgreSQL does with the statement what it should is in tests/sql and tests/e2e.
 */
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/time.h>

#include "base/clock.h"
#include "captured_log.h"
#include "base/stats.h"
#include "check_main.h"
#include "commit/last_used.h"
#include "commit/queue.h"
#include "scripted_database.h"

enum {
	NOW_MS = 1000000,
	CONNECT_MS = 3000,
	DATABASE_MS = 5000,
	REQUEST_MS = 10000,
	GRACE = 500, /* as in commit/queue.c */
	LIMIT = NOW_MS + DATABASE_MS - GRACE,
	REQUESTS = 12,
	ROWS = 2500,
	REFUSALS_MS = 10000 /* as in commit/queue.c */
};

static struct config config;
static struct commit_queue *queue;
static struct commit_request requests[REQUESTS];
static struct signal signals[ROWS];
static struct commit_result results[ROWS];
static const char *const ids[REQUESTS] = {"a", "b", "c", "d", "e", "f",
					  "g", "h", "i", "j", "k", "l"};

/* Requests of different senders, without items. */
static void set_up(void)
{
	captured_log_start();
	libpq_show_by(database_question);
	config = (struct config){.database = "",
				 .connect_timeout_ms = CONNECT_MS,
				 .database_timeout_ms = DATABASE_MS,
				 .request_timeout_ms = REQUEST_MS,
				 .group_requests = 8,
				 .group_bytes = 1000};
	for (int i = 0; i < ROWS; i++)
		signals[i] = (struct signal){.source = SLICE("generic"), .payload = SLICE("{}")};
	for (int i = 0; i < REQUESTS; i++) {
		requests[i] = (struct commit_request){.deadline_ms = NOW_MS + REQUEST_MS,
						      .request_id = slice_of(ids[i]),
						      .out.status = STATUS_COUNT};
		memset(requests[i].key_hash.bytes, i + 1, sizeof(requests[i].key_hash.bytes));
	}
}

static void give_items(struct commit_request *request, size_t count)
{
	request->signals = signals;
	request->results = results;
	request->item_count = count;
}

static void open_queue(const struct libpq_call *script)
{
	libpq_play(script);
	ck_assert_int_eq(commit_queue_open(&queue, &config), STATUS_OK);
}

static void close_queue(void)
{
	commit_queue_close(queue);
	libpq_check_end();
}

/* Adds the requests that the letters name. */
static void add(const char *names)
{
	for (; *names != '\0'; names++)
		commit_queue_add(queue, &requests[*names - 'a']);
}

/* One step, in which the requests that the letters name come back, in this order. */
static void step(bool ready, int64_t now_ms, const char *names)
{
	char back[REQUESTS + 1] = "";
	int n = 0;

	for (struct commit_request *m = commit_queue_step(queue, ready, now_ms); m != NULL;
	     m = m->queue.next)
		back[n++] = m->request_id.p[0];
	ck_assert_str_eq(back, names);
}

static void check_status(const char *names, enum status status)
{
	for (; *names != '\0'; names++)
		ck_assert_msg(requests[*names - 'a'].out.status == status, "%c: %s, not %s", *names,
			      status_name(requests[*names - 'a'].out.status), status_name(status));
}

/* Connects in three steps, the last of which sends what waits. */
static void connect_queue(void)
{
	step(false, NOW_MS, "");
	ck_assert(!commit_queue_is_connected(queue));
	step(true, NOW_MS, "");
	ck_assert(!commit_queue_is_connected(queue));
	step(true, NOW_MS, "");
	ck_assert(commit_queue_is_connected(queue));
}

#define ACCEPTED(count) DATABASE_ANSWER(.senders = (count))

static const struct libpq_result invalid = LIBPQ_ERROR("22P02", "invalid input");
static const struct libpq_result conflict = LIBPQ_ERROR("40001", "could not serialize");
static const struct libpq_result constraint = LIBPQ_ERROR("23514", "no partition");
static const struct libpq_result not_unique = LIBPQ_ERROR("23505", "duplicate key");
static const struct libpq_result read_only = LIBPQ_ERROR("25006", "read-only");
static const struct libpq_result full = LIBPQ_ERROR("53100", "disk full");
static const struct libpq_result no_name = LIBPQ_ERROR("26000", "no such statement");
static const struct libpq_result locked = LIBPQ_ERROR("55P03", "lock timeout");
static const struct libpq_result canceled = LIBPQ_ERROR("57014", "statement timeout");
static const struct libpq_result no_type = LIBPQ_ERROR("XX000", "cache lookup failed for type 7");
static const struct libpq_result other_name = LIBPQ_ERROR("42P05", "already prepared");

/* What is sent and not answered. */
#define SILENT_START                                                                               \
	{                                                                                          \
		"PQconnectStartParams", .returns = 1, .silent = true                               \
	}
#define SILENT_SEND(what)                                                                          \
	{"PQsendQueryParams", .returns = 1, .with = (what)},                                       \
	{                                                                                          \
		"PQflush", .silent = true                                                          \
	}
#define PROBE "SELECT sluice.intake_probe()()"

#define GREETING "SELECT server, started, status FROM sluice.intake_commit_status()()"

static const struct libpq_value greeted[] = {{"7/00000001", 10}, {DATABASE_STARTED, 8}, {NULL, 0}};
static const struct libpq_result greeting = {
	.status = PGRES_TUPLES_OK, .rows = 1, .columns = 3, .values = greeted};

#define GREET	LIBPQ_SEND(GREETING), LIBPQ_ANSWER(&greeting)
#define CONNECT LIBPQ_CONNECT, GREET

static const struct libpq_value nothing = {"", 0};
static const struct libpq_result probed = {
	.status = PGRES_TUPLES_OK, .rows = 1, .columns = 1, .values = &nothing};

/* ---- groups ---- */

START_TEST(a_lone_request_is_sent_at_once)
{
	const struct libpq_call script[] = {
		CONNECT, LIBPQ_SEND("a"), LIBPQ_ANSWER(ACCEPTED(1)), LIBPQ_FINISH, {0}};

	open_queue(script);
	ck_assert_int_eq(commit_queue_fd(queue), -1);
	ck_assert_int_eq(commit_queue_events(queue), 0);
	add("a");
	ck_assert_uint_eq(commit_queue_pending(queue), 1);
	step(false, NOW_MS, "");
	ck_assert_int_ge(commit_queue_fd(queue), 0);
	ck_assert_int_eq(commit_queue_events(queue), POLLOUT);
	ck_assert(!commit_queue_is_in_flight(queue));
	step(true, NOW_MS, "");
	ck_assert(!commit_queue_is_in_flight(queue));
	step(true, NOW_MS, "");
	ck_assert(commit_queue_is_in_flight(queue));
	ck_assert_int_eq(commit_queue_events(queue), POLLIN);
	ck_assert_uint_eq(commit_queue_pending(queue), 1);
	step(false, NOW_MS, "");
	step(true, NOW_MS, "a");
	check_status("a", STATUS_ACCEPTED);
	ck_assert(!commit_queue_is_in_flight(queue));
	ck_assert(commit_queue_is_connected(queue));
	ck_assert_uint_eq(commit_queue_pending(queue), 0);
	close_queue();
}
END_TEST

/* What has come meanwhile goes together, before the answer is handed back. */
START_TEST(requests_that_come_meanwhile_form_a_group)
{
	const struct libpq_call script[] = {CONNECT,
					    LIBPQ_SEND("a"),
					    LIBPQ_ANSWER(ACCEPTED(1)),
					    LIBPQ_SEND("b,c,d"),
					    LIBPQ_ANSWER(ACCEPTED(3)),
					    LIBPQ_FINISH,
					    {0}};

	open_queue(script);
	add("a");
	connect_queue();
	add("b");
	step(false, NOW_MS, "");
	add("cd");
	step(false, NOW_MS, "");
	ck_assert_uint_eq(commit_queue_pending(queue), 4);
	step(true, NOW_MS, "a");
	ck_assert(commit_queue_is_in_flight(queue));
	step(true, NOW_MS, "bcd");
	check_status("abcd", STATUS_ACCEPTED);
	close_queue();
}
END_TEST

START_TEST(a_group_has_at_most_so_many_requests)
{
	const struct libpq_call script[] = {CONNECT,
					    LIBPQ_SEND("a,b,c,d,e,f,g,h"),
					    LIBPQ_ANSWER(ACCEPTED(8)),
					    LIBPQ_SEND("i,j"),
					    LIBPQ_ANSWER(ACCEPTED(2)),
					    LIBPQ_FINISH,
					    {0}};

	open_queue(script);
	add("abcdefghij");
	connect_queue();
	step(true, NOW_MS, "abcdefgh");
	step(true, NOW_MS, "ij");
	close_queue();
}
END_TEST

/* 1,000 bytes are allowed; a larger request goes by itself. */
START_TEST(a_group_has_at_most_so_many_bytes)
{
	const struct libpq_call script[] = {CONNECT,
					    LIBPQ_SEND("a,b rejects 1,2"),
					    LIBPQ_ANSWER(ACCEPTED(2)),
					    LIBPQ_SEND("c rejects 1"),
					    LIBPQ_ANSWER(ACCEPTED(1)),
					    LIBPQ_SEND("d rejects 1"),
					    LIBPQ_ANSWER(ACCEPTED(1)),
					    LIBPQ_FINISH,
					    {0}};
	static const char bytes[2000] = "";
	const struct commit_reject sizes[] = {
		{.kind = "item", .payload = {bytes, 500}},
		{.kind = "item", .payload = {bytes, 500}},
		{.kind = "item", .payload = {bytes, 1}},
		{.kind = "item", .payload = {bytes, 2000}},
	};

	open_queue(script);
	for (int i = 0; i < 4; i++) {
		requests[i].rejects = &sizes[i];
		requests[i].reject_count = 1;
	}
	add("abcd");
	connect_queue();
	step(true, NOW_MS, "ab");
	step(true, NOW_MS, "c");
	step(true, NOW_MS, "d");
	close_queue();
}
END_TEST

/* 5,000 rows, items and rejects together. */
START_TEST(a_group_has_at_most_so_many_rows)
{
	const struct libpq_call script[] = {CONNECT,
					    LIBPQ_SEND("a,b signals #2500 rejects #2500"),
					    LIBPQ_ANSWER(&full),
					    LIBPQ_SEND("c signals 1"),
					    LIBPQ_ANSWER(&full),
					    LIBPQ_SEND("d,e rejects 2"),
					    LIBPQ_ANSWER(ACCEPTED(2)),
					    LIBPQ_FINISH,
					    {0}};
	static struct commit_reject rejects[ROWS];

	for (int i = 0; i < ROWS; i++)
		rejects[i] = (struct commit_reject){.kind = "item"};
	config.group_bytes = INT64_MAX;
	open_queue(script);
	give_items(&requests[0], ROWS);
	requests[1].rejects = requests[4].rejects = rejects;
	requests[1].reject_count = ROWS;
	give_items(&requests[2], 1);
	requests[4].reject_count = 1;
	add("abc");
	connect_queue();
	step(true, NOW_MS, "ab");
	add("de");
	step(true, NOW_MS, "c");
	step(true, NOW_MS, "de");
	close_queue();
}
END_TEST

/* So little time is left to it that its deadline could end the others' statement. */
START_TEST(a_late_request_goes_alone)
{
	const struct libpq_call script[] = {CONNECT,
					    LIBPQ_SEND("a"),
					    LIBPQ_ANSWER(ACCEPTED(1)),
					    LIBPQ_SEND("b"),
					    LIBPQ_ANSWER(ACCEPTED(1)),
					    LIBPQ_SEND("c,d"),
					    LIBPQ_ANSWER(ACCEPTED(2)),
					    LIBPQ_FINISH,
					    {0}};

	open_queue(script);
	/* The statement's time is the least of 5 s and half of the request's. */
	requests[1].deadline_ms = NOW_MS + DATABASE_MS - 1;
	requests[2].deadline_ms = NOW_MS + DATABASE_MS;
	add("abcd");
	connect_queue();
	step(true, NOW_MS, "a");
	step(true, NOW_MS, "b");
	step(true, NOW_MS, "cd");
	close_queue();
}
END_TEST

START_TEST(half_of_a_short_request_is_enough)
{
	const struct libpq_call script[] = {CONNECT,
					    LIBPQ_SEND("a,b"),
					    LIBPQ_ANSWER(ACCEPTED(2)),
					    LIBPQ_SEND("c"),
					    LIBPQ_ANSWER(ACCEPTED(1)),
					    LIBPQ_FINISH,
					    {0}};

	config.request_timeout_ms = 2000;
	open_queue(script);
	requests[0].deadline_ms = requests[1].deadline_ms = NOW_MS + 1000;
	requests[2].deadline_ms = NOW_MS + 999;
	add("abc");
	connect_queue();
	step(true, NOW_MS, "ab");
	step(true, NOW_MS, "c");
	close_queue();
}
END_TEST

START_TEST(requests_of_one_sender_share_its_answer)
{
	const struct libpq_call script[] = {
		CONNECT,
		LIBPQ_SEND("a,b"),
		LIBPQ_ANSWER(DATABASE_ANSWER(.senders = 2, .outcomes = {OUTCOME_UNKNOWN_KEY})),
		LIBPQ_FINISH,
		{0}};

	open_queue(script);
	requests[2].key_hash = requests[0].key_hash;
	add("abc");
	connect_queue();
	step(true, NOW_MS, "abc");
	check_status("ac", STATUS_UNAUTHENTICATED);
	check_status("b", STATUS_ACCEPTED);
	close_queue();
}
END_TEST

START_TEST(an_answer_of_another_shape)
{
	const struct libpq_call script[] = {
		CONNECT, LIBPQ_SEND("a,b"), LIBPQ_ANSWER(ACCEPTED(3)), LIBPQ_FINISH, {0}};

	open_queue(script);
	add("ab");
	connect_queue();
	step(true, NOW_MS, "ab");
	check_status("ab", STATUS_INTERNAL);
	ck_assert(commit_queue_is_connected(queue));
	close_queue();
}
END_TEST

/* ---- connecting ---- */

static const struct {
	struct libpq_call script[4];
	enum status status;
} refused_connects[] = {
	{{{"PQconnectStartParams"}}, STATUS_NO_MEMORY},
	{{LIBPQ_START,
	  {"PQconnectPoll", .returns = PGRES_POLLING_FAILED, .message = "refused"},
	  LIBPQ_FINISH},
	 STATUS_UNAVAILABLE},
	{{LIBPQ_START,
	  {"PQconnectPoll", .returns = PGRES_POLLING_FAILED,
	   .message = "FATAL: database \"x\" does not exist"},
	  LIBPQ_FINISH},
	 STATUS_MISCONFIGURED},
};

START_TEST(without_a_server_requests_do_not_wait)
{
	open_queue(refused_connects[_i].script);
	add("ab");
	step(false, NOW_MS, _i == 0 ? "ab" : "");
	step(true, NOW_MS, _i == 0 ? "" : "ab");
	check_status("ab", refused_connects[_i].status);
	/* Until the next attempt they are turned away at once, for the same reason. */
	int64_t next_ms = commit_queue_wake_ms(queue);
	ck_assert_int_ge(next_ms, NOW_MS + 50);
	ck_assert_int_le(next_ms, NOW_MS + 150);
	add("c");
	step(false, next_ms - 1, "c");
	check_status("c", refused_connects[_i].status);
	close_queue();
}
END_TEST

#define REFUSED                                                                                    \
	LIBPQ_START, {"PQconnectPoll", .returns = PGRES_POLLING_FAILED, .message = "refused"},     \
		LIBPQ_FINISH

/* 100 ms, doubling to 600, each times 0.5 to 1.5; from the beginning after a success. */
START_TEST(attempts_to_connect_back_off)
{
	static const struct libpq_call script[] = {
		REFUSED,      REFUSED, REFUSED, REFUSED, REFUSED,
		REFUSED,      REFUSED, REFUSED, CONNECT, {"PQconsumeInput"},
		LIBPQ_FINISH, REFUSED, {0}};
	static const int64_t waits_ms[] = {100, 200, 400, 600, 600, 600, 600, 600};
	int64_t now_ms = NOW_MS;

	open_queue(script);
	ck_assert_int_le(commit_queue_wake_ms(queue), now_ms);
	for (int i = 0; i < LENGTH(waits_ms); i++) {
		step(false, now_ms, "");
		step(true, now_ms, "");
		int64_t wait_ms = commit_queue_wake_ms(queue) - now_ms;
		ck_assert_int_ge(wait_ms, waits_ms[i] / 2);
		ck_assert_int_le(wait_ms, waits_ms[i] / 2 + waits_ms[i]);
		int calls = libpq_calls();
		step(false, now_ms + wait_ms - 1, "");
		ck_assert_int_eq(libpq_calls(), calls);
		now_ms += wait_ms;
	}
	step(false, now_ms, "");
	step(true, now_ms, "");
	step(true, now_ms, "");
	ck_assert_int_eq(commit_queue_wake_ms(queue), INT64_MAX);
	step(true, now_ms, ""); /* lost, and at once tried again */
	step(true, now_ms, "");
	int64_t wait_ms = commit_queue_wake_ms(queue) - now_ms;
	ck_assert_int_ge(wait_ms, 50);
	ck_assert_int_le(wait_ms, 150);
	close_queue();
}
END_TEST

/* Workers that lost the same server do not come back all at once. */
START_TEST(attempts_to_connect_are_spread)
{
	int64_t least_ms = INT64_MAX;
	int64_t most_ms = 0;

	for (int i = 0; i < 200; i++) {
		static const struct libpq_call script[] = {REFUSED, {0}};
		open_queue(script);
		step(false, NOW_MS, "");
		step(true, NOW_MS, "");
		int64_t wait_ms = commit_queue_wake_ms(queue) - NOW_MS;
		least_ms = wait_ms < least_ms ? wait_ms : least_ms;
		most_ms = wait_ms > most_ms ? wait_ms : most_ms;
		close_queue();
	}
	ck_assert_int_lt(least_ms, 75);
	ck_assert_int_gt(most_ms, 125);
}
END_TEST

START_TEST(connecting_has_a_deadline)
{
	static const struct libpq_call script[] = {SILENT_START, LIBPQ_POLL(PGRES_POLLING_READING),
						   LIBPQ_FINISH, LIBPQ_START,
						   LIBPQ_FINISH, {0}};

	open_queue(script);
	add("a");
	step(false, NOW_MS, "");
	step(true, NOW_MS, "");
	ck_assert_int_eq(commit_queue_wake_ms(queue), NOW_MS + CONNECT_MS);
	step(false, NOW_MS + CONNECT_MS - 1, "");
	step(false, NOW_MS + CONNECT_MS, "a");
	check_status("a", STATUS_DEADLINE);
	ck_assert(!commit_queue_is_connected(queue));
	ck_assert_int_eq(commit_queue_fd(queue), -1);
	/* During the next attempt they do not wait either. */
	int64_t next_ms = commit_queue_wake_ms(queue);
	add("b");
	step(false, next_ms, "b");
	ck_assert_int_ge(commit_queue_fd(queue), 0);
	add("c");
	ck_assert_int_eq(commit_queue_wake_ms(queue), 0);
	step(false, next_ms, "c");
	check_status("bc", STATUS_DEADLINE);
	ck_assert_uint_eq(stats_get(&stats_mine()->refused_at_once), 3);
	close_queue();
}
END_TEST

/* ---- readiness ---- */

static void check_ready(enum status status, int64_t now_ms)
{
	ck_assert_str_eq(status_name(commit_queue_readiness(queue, now_ms)), status_name(status));
}

START_TEST(it_is_ready_once_it_is_connected)
{
	const struct libpq_call script[] = {CONNECT, LIBPQ_FINISH, {0}};

	open_queue(script);
	check_ready(STATUS_UNAVAILABLE, NOW_MS);
	connect_queue();
	check_ready(STATUS_OK, NOW_MS);
	ck_assert_uint_eq(stats_get(&stats_mine()->connections), 1);
	libpq_be_standby(true);
	check_ready(STATUS_READ_ONLY, NOW_MS);
	libpq_be_standby(false);
	close_queue();
}
END_TEST

START_TEST(it_says_why_it_is_not_connected)
{
	const struct libpq_call script[] = {
		SILENT_START, LIBPQ_POLL(PGRES_POLLING_READING), LIBPQ_FINISH, {0}};

	open_queue(script);
	step(false, NOW_MS, "");
	step(true, NOW_MS, "");
	step(false, NOW_MS + CONNECT_MS, "");
	check_ready(STATUS_DEADLINE, NOW_MS + CONNECT_MS);
	ck_assert_uint_eq(stats_get(&stats_mine()->connection_failures), 1);
	close_queue();
}
END_TEST

/* The connection is good, and the next group might fare better. */
START_TEST(a_failed_group_is_remembered_until_one_succeeds)
{
	const struct libpq_call script[] = {CONNECT,
					    LIBPQ_SEND("a"),
					    LIBPQ_ANSWER(&full),
					    LIBPQ_SEND("b"),
					    LIBPQ_ANSWER(ACCEPTED(1)),
					    LIBPQ_FINISH,
					    {0}};

	open_queue(script);
	add("a");
	connect_queue();
	step(true, NOW_MS, "a");
	check_ready(STATUS_STORAGE_FULL, NOW_MS);
	add("b");
	step(false, NOW_MS, "");
	step(true, NOW_MS, "b");
	check_ready(STATUS_OK, NOW_MS);
	ck_assert_uint_eq(stats_get(&stats_mine()->group_requests.buckets[0]), 2);
	close_queue();
}
END_TEST

START_TEST(a_request_does_not_wait_beyond_its_deadline)
{
	const struct libpq_call script[] = {
		CONNECT, LIBPQ_SEND("a,c"), LIBPQ_ANSWER(ACCEPTED(2)), LIBPQ_FINISH, {0}};

	open_queue(script);
	requests[1].deadline_ms = NOW_MS + 100;
	add("abc");
	step(false, NOW_MS, "");
	ck_assert_int_eq(commit_queue_wake_ms(queue), NOW_MS + 100);
	step(false, NOW_MS + 99, "");
	step(false, NOW_MS + 100, "b");
	check_status("b", STATUS_DEADLINE);
	ck_assert_uint_eq(commit_queue_pending(queue), 2);
	step(true, NOW_MS + 100, "");
	step(true, NOW_MS + 100, "");
	step(true, NOW_MS + 100, "ac");
	check_status("ac", STATUS_ACCEPTED);
	close_queue();
}
END_TEST

START_TEST(an_idle_connection_that_is_lost_is_made_anew)
{
	const struct libpq_call script[] = {
		CONNECT,	 {"PQconsumeInput"},	    LIBPQ_FINISH, CONNECT,
		LIBPQ_SEND("a"), LIBPQ_ANSWER(ACCEPTED(1)), LIBPQ_FINISH, {0}};

	open_queue(script);
	connect_queue();
	ck_assert_int_eq(commit_queue_wake_ms(queue), INT64_MAX);
	add("a");
	ck_assert_int_eq(commit_queue_wake_ms(queue), 0);
	for (int i = 0; i < 3; i++)
		step(true, NOW_MS, "");
	step(true, NOW_MS, "a");
	check_status("a", STATUS_ACCEPTED);
	close_queue();
}
END_TEST

static const struct libpq_result *const lost_names[] = {&no_name, &other_name};

/* Unless a statement is lost, also the greeting. */
#define PREPARE LIBPQ_CONNECT, PREPARES, GREET
#define PREPARES                                                                                   \
	{"PQsendPrepare", .returns = 1}, LIBPQ_FLUSH, LIBPQ_ANSWER(&prepared),                     \
		{"PQsendPrepare", .returns = 1}, LIBPQ_FLUSH, LIBPQ_ANSWER(&prepared)

static const struct libpq_result prepared = {.status = PGRES_COMMAND_OK};

/* Both statements and the greeting; the last step sends what waits. */
static void connect_preparing(void)
{
	for (int i = 0; i < 5; i++)
		step(i > 0, NOW_MS, "");
}

START_TEST(a_pooler_that_loses_the_statement)
{
	const struct libpq_call script[] = {PREPARE,
					    LIBPQ_SEND_PREPARED("a"),
					    LIBPQ_ANSWER(lost_names[_i]),
					    LIBPQ_SEND("a"),
					    LIBPQ_ANSWER(ACCEPTED(1)),
					    LIBPQ_FINISH,
					    {0}};

	config.prepared_statements = true;
	open_queue(script);
	add("a");
	connect_preparing();
	step(true, NOW_MS, "");
	step(true, NOW_MS, "a");
	check_status("a", STATUS_ACCEPTED);
	close_queue();
}
END_TEST

/* ---- failures of a statement ---- */

/* It is cancelled a little earlier, so that its outcome may still be heard. */
START_TEST(a_statement_has_a_deadline)
{
	static const struct libpq_call script[] = {
		CONNECT,	   SILENT_SEND("a,b"),	  LIBPQ_CANCEL, LIBPQ_FINISH, CONNECT,
		LIBPQ_SEND(PROBE), LIBPQ_ANSWER(&probed), LIBPQ_FINISH, {0}};

	open_queue(script);
	add("ab");
	connect_queue();
	ck_assert_int_eq(commit_queue_wake_ms(queue), LIMIT);
	add("c");
	step(false, LIMIT - 1, "");
	(void)captured_log();
	step(false, LIMIT, "c");
	check_status("c", STATUS_DEADLINE);
	libpq_await_cancels(1);
	const char *lines = captured_log();
	ck_assert_int_eq(captured_log_count(lines, "during=statement requests=2"), 1);
	ck_assert_int_eq(captured_log_count(lines, "the database hangs"), 1);
	ck_assert_int_eq(commit_queue_wake_ms(queue), NOW_MS + DATABASE_MS);
	/* What comes now is refused at once. */
	add("d");
	ck_assert_int_eq(commit_queue_wake_ms(queue), 0);
	step(false, NOW_MS + DATABASE_MS - 1, "d");
	check_status("d", STATUS_DEADLINE);
	step(false, NOW_MS + DATABASE_MS, "ab");
	check_status("ab", STATUS_OUTCOME_UNKNOWN);
	ck_assert_int_eq(commit_queue_readiness(queue, NOW_MS + DATABASE_MS), STATUS_UNAVAILABLE);
	step(true, NOW_MS + DATABASE_MS, "");
	step(true, NOW_MS + DATABASE_MS, "");
	ck_assert_int_eq(commit_queue_readiness(queue, NOW_MS + DATABASE_MS), STATUS_DEADLINE);
	step(true, NOW_MS + DATABASE_MS, "");
	ck_assert_int_eq(captured_log_count(captured_log(), "the database answers again"), 1);
	ck_assert_uint_eq(stats_get(&stats_mine()->hangs), 1);
	ck_assert_uint_eq(stats_get(&stats_mine()->cancelled_statements), 1);
	close_queue();
}
END_TEST

static const struct libpq_result unconfirmed = LIBPQ_UNCONFIRMED;

static const struct {
	const struct libpq_result *answer, *notice;
	enum status status;
} cancelled[] = {
	{&canceled, NULL, STATUS_DEADLINE},
	{&conflict, NULL, STATUS_DEADLINE}, /* it is not sent again */
	{NULL, NULL, STATUS_ACCEPTED},	    /* just before */
	{NULL, &unconfirmed, STATUS_OUTCOME_UNKNOWN},
};

/* The connection is not used again: the request to cancel may come later than the answer. */
START_TEST(a_cancelled_statement_tells_its_outcome)
{
	const struct libpq_result *answer =
		cancelled[_i].answer == NULL ? ACCEPTED(1) : cancelled[_i].answer;
	const struct libpq_call script[] = {
		CONNECT,	   SILENT_SEND("a"),
		LIBPQ_CANCEL,	   {"PQconsumeInput", .returns = 1, .notice = cancelled[_i].notice},
		LIBPQ_GET(answer), LIBPQ_END,
		LIBPQ_FINISH,	   LIBPQ_START,
		LIBPQ_FINISH,	   {0}};

	open_queue(script);
	add("a");
	connect_queue();
	step(false, LIMIT, "");
	step(true, LIMIT + 1, "a");
	check_status("a", cancelled[_i].status);
	close_queue();
}
END_TEST

START_TEST(a_statement_ends_at_the_earliest_deadline)
{
	static const struct libpq_call script[] = {CONNECT,	 SILENT_SEND("a"), LIBPQ_CANCEL,
						   LIBPQ_FINISH, LIBPQ_START,	   LIBPQ_FINISH,
						   {0}};

	open_queue(script);
	requests[0].deadline_ms = NOW_MS + 40;
	add("a");
	connect_queue();
	ck_assert_int_eq(commit_queue_wake_ms(queue), NOW_MS + 30);
	step(false, NOW_MS + 30, "");
	step(false, NOW_MS + 40, "a");
	check_status("a", STATUS_OUTCOME_UNKNOWN);
	close_queue();
}
END_TEST

/* The server works on it, so another one would only take another backend. */
START_TEST(a_probe_is_waited_for)
{
	static const struct libpq_call script[] = {CONNECT,
						   LIBPQ_SEND("a"),
						   LIBPQ_ANSWER(&canceled),
						   SILENT_SEND(PROBE),
						   LIBPQ_CANCEL,
						   LIBPQ_ANSWER(&canceled),
						   LIBPQ_FINISH,
						   CONNECT,
						   SILENT_SEND(PROBE),
						   LIBPQ_CANCEL,
						   LIBPQ_FINISH,
						   LIBPQ_START,
						   LIBPQ_FINISH,
						   {0}};
	int64_t now_ms = NOW_MS;

	open_queue(script);
	add("a");
	connect_queue();
	step(true, now_ms, "a");
	step(false, now_ms += 750, "");
	libpq_await_cancels(1);
	for (int i = 0; i < 10; i++)
		step(false, now_ms += 1000, "");
	step(true, now_ms, "");
	/* After a pause, on a new connection; in the end that is given up, too. */
	step(true, now_ms, "");
	step(true, now_ms, "");
	ck_assert_int_eq(commit_queue_wake_ms(queue), now_ms + 100);
	step(false, now_ms += 100, "");
	step(false, now_ms + 29999, "");
	step(false, now_ms + 30999, "");
	ck_assert(!commit_queue_is_connected(queue));
	close_queue();
}
END_TEST

static const struct libpq_result sound_enough[] = {
	LIBPQ_ERROR("42883", "no such function"),
	LIBPQ_ERROR("53100", "disk full"),
	LIBPQ_ERROR("P0001", "a trigger"),
};

START_TEST(a_probe_that_fails_is_an_answer)
{
	const struct libpq_call script[] = {CONNECT,
					    LIBPQ_SEND("a"),
					    LIBPQ_ANSWER(&canceled),
					    LIBPQ_SEND(PROBE),
					    LIBPQ_ANSWER(&sound_enough[_i]),
					    LIBPQ_SEND("b"),
					    LIBPQ_ANSWER(ACCEPTED(1)),
					    LIBPQ_FINISH,
					    {0}};

	open_queue(script);
	add("a");
	connect_queue();
	step(true, NOW_MS, "a");
	step(true, NOW_MS, "");
	add("b");
	step(false, NOW_MS, "");
	step(true, NOW_MS, "b");
	check_status("b", STATUS_ACCEPTED);
	close_queue();
}
END_TEST

/* An answer that is there is taken, however late it is looked for. */
START_TEST(an_answer_after_the_deadline_counts)
{
	const struct libpq_call script[] = {
		CONNECT, LIBPQ_SEND("a"), LIBPQ_ANSWER(ACCEPTED(1)), LIBPQ_FINISH, {0}};

	open_queue(script);
	add("a");
	connect_queue();
	step(true, NOW_MS + DATABASE_MS, "a");
	check_status("a", STATUS_ACCEPTED);
	close_queue();
}
END_TEST

START_TEST(a_lost_connection_leaves_the_outcome_unknown)
{
	static const struct libpq_call script[] = {
		CONNECT,      LIBPQ_SEND("a,b"), {"PQconsumeInput", .message = "reset"},
		LIBPQ_FINISH, LIBPQ_START,	 LIBPQ_FINISH,
		{0}};

	open_queue(script);
	add("ab");
	connect_queue();
	step(true, NOW_MS, "ab");
	check_status("ab", STATUS_OUTCOME_UNKNOWN);
	close_queue();
}
END_TEST

START_TEST(a_statement_that_cannot_be_sent)
{
	static const struct libpq_call script[] = {
		CONNECT, {"PQsendQueryParams"}, LIBPQ_FINISH, {0}};

	open_queue(script);
	add("ab");
	step(false, NOW_MS, "");
	step(true, NOW_MS, "");
	step(true, NOW_MS, "ab");
	check_status("ab", STATUS_UNAVAILABLE);
	close_queue();
}
END_TEST

START_TEST(a_conflict_is_retried)
{
	const struct libpq_call script[] = {CONNECT,
					    LIBPQ_SEND("a,b"),
					    LIBPQ_ANSWER(&conflict),
					    LIBPQ_SEND("a,b"),
					    LIBPQ_ANSWER(&conflict),
					    LIBPQ_SEND("a,b"),
					    LIBPQ_ANSWER(ACCEPTED(2)),
					    LIBPQ_FINISH,
					    {0}};

	open_queue(script);
	add("ab");
	connect_queue();
	step(true, NOW_MS, "");
	step(true, NOW_MS + 1, "");
	ck_assert_int_eq(commit_queue_wake_ms(queue), LIMIT + 1);
	step(true, NOW_MS + 2, "ab");
	check_status("ab", STATUS_ACCEPTED);
	close_queue();
}
END_TEST

/* The next group has its own retries. */
START_TEST(a_conflict_is_retried_twice)
{
	const struct libpq_call script[] = {CONNECT,
					    LIBPQ_SEND("a"),
					    LIBPQ_ANSWER(&conflict),
					    LIBPQ_SEND("a"),
					    LIBPQ_ANSWER(&conflict),
					    LIBPQ_SEND("a"),
					    LIBPQ_ANSWER(&conflict),
					    LIBPQ_SEND("b"),
					    LIBPQ_ANSWER(&conflict),
					    LIBPQ_SEND("b"),
					    LIBPQ_ANSWER(ACCEPTED(1)),
					    LIBPQ_FINISH,
					    {0}};

	open_queue(script);
	add("a");
	connect_queue();
	add("b");
	step(true, NOW_MS, "");
	step(true, NOW_MS, "");
	step(true, NOW_MS, "a");
	check_status("a", STATUS_CONFLICT);
	step(true, NOW_MS, "");
	step(true, NOW_MS, "b");
	check_status("b", STATUS_ACCEPTED);
	close_queue();
}
END_TEST

/* A row on its way to the default partition while its day's was attached. */
START_TEST(a_constraint_that_a_lone_request_breaks_is_retried)
{
	const struct libpq_call script[] = {CONNECT,
					    LIBPQ_SEND("a"),
					    LIBPQ_ANSWER(&constraint),
					    LIBPQ_SEND("a"),
					    LIBPQ_ANSWER(&constraint),
					    LIBPQ_SEND("a"),
					    LIBPQ_ANSWER(&constraint),
					    LIBPQ_FINISH,
					    {0}};

	open_queue(script);
	add("a");
	connect_queue();
	step(true, NOW_MS, "");
	step(true, NOW_MS, "");
	step(true, NOW_MS, "a");
	check_status("a", STATUS_CONSTRAINT);
	close_queue();
}
END_TEST

static const struct libpq_result *const data_errors[] = {&invalid, &constraint, &not_unique};

/* One request's data fails the group: each goes by itself, before those that have come since. */
START_TEST(requests_do_not_share_a_fate)
{
	const struct libpq_call script[] = {CONNECT,
					    LIBPQ_SEND("a,b,c"),
					    LIBPQ_ANSWER(data_errors[_i]),
					    LIBPQ_SEND("a"),
					    LIBPQ_ANSWER(ACCEPTED(1)),
					    LIBPQ_SEND("b"),
					    LIBPQ_ANSWER(&invalid),
					    LIBPQ_SEND("c"),
					    LIBPQ_ANSWER(ACCEPTED(1)),
					    LIBPQ_SEND("d,e"),
					    LIBPQ_ANSWER(ACCEPTED(2)),
					    LIBPQ_FINISH,
					    {0}};

	open_queue(script);
	add("abc");
	connect_queue();
	add("de");
	step(true, NOW_MS, "");
	ck_assert_uint_eq(commit_queue_pending(queue), 5);
	step(true, NOW_MS, "a");
	step(true, NOW_MS, "b");
	step(true, NOW_MS, "c");
	step(true, NOW_MS, "de");
	check_status("acde", STATUS_ACCEPTED);
	check_status("b", STATUS_INVALID_VALUE);
	close_queue();
}
END_TEST

START_TEST(a_request_that_waits_for_its_own_turn_expires)
{
	const struct libpq_call script[] = {CONNECT,
					    LIBPQ_SEND("a,b"),
					    LIBPQ_ANSWER(&invalid),
					    LIBPQ_SEND("a"),
					    LIBPQ_ANSWER(ACCEPTED(1)),
					    LIBPQ_FINISH,
					    {0}};

	open_queue(script);
	requests[1].deadline_ms = NOW_MS + DATABASE_MS;
	add("ab");
	connect_queue();
	step(true, NOW_MS + 1000, "");
	ck_assert_int_eq(commit_queue_wake_ms(queue), NOW_MS + DATABASE_MS);
	step(false, NOW_MS + DATABASE_MS, "b");
	step(true, NOW_MS + DATABASE_MS, "a");
	check_status("b", STATUS_DEADLINE);
	close_queue();
}
END_TEST

/* Items that the database cannot hold are kept as rejects, where that is wanted. */
START_TEST(items_that_cannot_be_stored_are_kept_as_rejects)
{
	const struct libpq_call script[] = {CONNECT,
					    LIBPQ_SEND("a signals 1,1"),
					    LIBPQ_ANSWER(&invalid),
					    LIBPQ_SEND("a rejects 1,1"),
					    LIBPQ_ANSWER(ACCEPTED(1)),
					    LIBPQ_FINISH,
					    {0}};

	open_queue(script);
	give_items(&requests[0], 2);
	requests[0].reject_unstorable = true;
	add("a");
	connect_queue();
	step(true, NOW_MS, "");
	step(true, NOW_MS, "a");
	check_status("a", STATUS_INVALID_VALUE);
	close_queue();
}
END_TEST

START_TEST(rejects_that_cannot_be_stored_either)
{
	const struct libpq_call script[] = {CONNECT,
					    LIBPQ_SEND("a signals 1"),
					    LIBPQ_ANSWER(&invalid),
					    LIBPQ_SEND("a rejects 1"),
					    LIBPQ_ANSWER(&invalid),
					    LIBPQ_FINISH,
					    {0}};

	open_queue(script);
	give_items(&requests[0], 1);
	requests[0].reject_unstorable = true;
	add("a");
	connect_queue();
	step(true, NOW_MS, "");
	step(true, NOW_MS, "a");
	check_status("a", STATUS_INVALID_VALUE);
	close_queue();
}
END_TEST

/* One request's rows wait for another transaction: the others need not, if a probe need not. */
START_TEST(a_request_that_waits_for_a_lock)
{
	const struct libpq_call script[] = {CONNECT,
					    LIBPQ_SEND("a,b"),
					    LIBPQ_ANSWER(&locked),
					    LIBPQ_SEND(PROBE),
					    LIBPQ_ANSWER(&probed),
					    LIBPQ_SEND("a"),
					    LIBPQ_ANSWER(&locked),
					    LIBPQ_SEND(PROBE),
					    LIBPQ_ANSWER(&probed),
					    LIBPQ_SEND("b"),
					    LIBPQ_ANSWER(ACCEPTED(1)),
					    LIBPQ_FINISH,
					    {0}};

	open_queue(script);
	add("ab");
	connect_queue();
	step(true, NOW_MS, "");
	step(true, NOW_MS, "");
	step(true, NOW_MS, "a");
	step(true, NOW_MS, "");
	step(true, NOW_MS, "b");
	check_status("a", STATUS_DEADLINE);
	check_status("b", STATUS_ACCEPTED);
	ck_assert_uint_eq(stats_get(&stats_mine()->hangs), 0);
	close_queue();
}
END_TEST

/* Everybody waits for it: not one after the other. */
START_TEST(a_locked_table)
{
	const struct libpq_call script[] = {CONNECT,
					    LIBPQ_SEND("a,b"),
					    LIBPQ_ANSWER(&locked),
					    LIBPQ_SEND(PROBE),
					    LIBPQ_ANSWER(&locked),
					    LIBPQ_SEND(PROBE),
					    LIBPQ_ANSWER(&probed),
					    LIBPQ_SEND("d"),
					    LIBPQ_ANSWER(ACCEPTED(1)),
					    LIBPQ_FINISH,
					    {0}};

	open_queue(script);
	add("ab");
	connect_queue();
	step(true, NOW_MS, "");
	add("c");
	step(true, NOW_MS, "abc");
	check_status("abc", STATUS_DEADLINE);
	ck_assert_int_eq(commit_queue_wake_ms(queue), NOW_MS + 100);
	step(false, NOW_MS + 100, "");
	step(true, NOW_MS + 100, "");
	add("d");
	step(false, NOW_MS + 100, "");
	step(true, NOW_MS + 100, "d");
	check_status("d", STATUS_ACCEPTED);
	close_queue();
}
END_TEST

/* The server as a whole is slow. */
START_TEST(a_statement_that_takes_too_long)
{
	const struct libpq_call script[] = {CONNECT,
					    LIBPQ_SEND("a,b"),
					    LIBPQ_ANSWER(&canceled),
					    LIBPQ_SEND(PROBE),
					    LIBPQ_ANSWER(&probed),
					    LIBPQ_FINISH,
					    {0}};

	open_queue(script);
	add("ab");
	connect_queue();
	add("c");
	step(true, NOW_MS, "abc");
	check_status("abc", STATUS_DEADLINE);
	step(true, NOW_MS, "");
	close_queue();
}
END_TEST

/* After a restore into the same database, say: nothing was stored. */
START_TEST(types_that_were_made_anew)
{
	const struct libpq_call script[] = {PREPARE,
					    LIBPQ_SEND_PREPARED("a,b"),
					    LIBPQ_ANSWER(&no_type),
					    LIBPQ_FINISH,
					    PREPARE,
					    LIBPQ_SEND_PREPARED("a"),
					    LIBPQ_ANSWER(ACCEPTED(1)),
					    LIBPQ_SEND_PREPARED("b"),
					    LIBPQ_ANSWER(ACCEPTED(1)),
					    LIBPQ_FINISH,
					    {0}};

	config.prepared_statements = true;
	open_queue(script);
	add("ab");
	connect_preparing();
	step(true, NOW_MS, "");
	ck_assert_uint_eq(commit_queue_pending(queue), 2);
	for (int i = 0; i < 4; i++)
		step(true, NOW_MS, "");
	step(true, NOW_MS, "a");
	step(true, NOW_MS, "b");
	check_status("ab", STATUS_ACCEPTED);
	close_queue();
}
END_TEST

/* Once: then the requests fail, and the next attempt waits. */
START_TEST(types_that_stay_missing)
{
	const struct libpq_call script[] = {
		PREPARE, LIBPQ_SEND_PREPARED("a,b"), LIBPQ_ANSWER(&no_type), LIBPQ_FINISH,
		PREPARE, LIBPQ_SEND_PREPARED("a"),   LIBPQ_ANSWER(&no_type), LIBPQ_FINISH,
		{0}};

	config.prepared_statements = true;
	open_queue(script);
	add("ab");
	connect_preparing();
	step(true, NOW_MS, "");
	for (int i = 0; i < 4; i++)
		step(true, NOW_MS, "");
	step(true, NOW_MS, "ab");
	check_status("a", STATUS_CONFLICT);
	check_status("b", STATUS_UNAVAILABLE);
	ck_assert_int_gt(commit_queue_wake_ms(queue), NOW_MS);
	close_queue();
}
END_TEST

/* A standby, or no longer the primary: the next connection may find the new one. What comes until
 * then is told the same as what was sent; what comes after it fails to connect, that. */
START_TEST(a_read_only_server_is_left)
{
	static const struct libpq_call script[] = {
		CONNECT,
		LIBPQ_SEND("a"),
		LIBPQ_ANSWER(&read_only),
		LIBPQ_FINISH,
		LIBPQ_START,
		{"PQconnectPoll", .returns = PGRES_POLLING_FAILED, .message = "refused"},
		LIBPQ_FINISH,
		{0}};

	open_queue(script);
	add("a");
	connect_queue();
	add("b");
	step(true, NOW_MS, "ab");
	check_status("ab", STATUS_READ_ONLY);
	ck_assert(!commit_queue_is_connected(queue));
	int64_t next_ms = commit_queue_wake_ms(queue);
	ck_assert_int_gt(next_ms, NOW_MS);
	add("c");
	step(false, next_ms - 1, "c");
	check_status("c", STATUS_READ_ONLY);
	add("d");
	step(false, next_ms, "d");
	check_status("d", STATUS_READ_ONLY);
	step(true, next_ms, "");
	add("e");
	step(false, next_ms, "e");
	check_status("e", STATUS_UNAVAILABLE);
	close_queue();
}
END_TEST

START_TEST(our_own_trouble_is_not_retried)
{
	const struct libpq_call script[] = {CONNECT,
					    LIBPQ_SEND("a,b"),
					    LIBPQ_ANSWER(&full),
					    LIBPQ_SEND("c"),
					    LIBPQ_ANSWER(ACCEPTED(1)),
					    LIBPQ_FINISH,
					    {0}};

	open_queue(script);
	add("ab");
	connect_queue();
	add("c");
	step(true, NOW_MS, "ab");
	check_status("ab", STATUS_STORAGE_FULL);
	step(true, NOW_MS, "c");
	close_queue();
}
END_TEST

/* ---- refusals and last uses ---- */

#define REFUSES(outcome) DATABASE_ANSWER(.senders = 1, .outcomes = {(outcome)})

/* Connects, and has a request refused. */
static void refuse_one(void)
{
	add("a");
	connect_queue();
	step(true, NOW_MS, "a");
	ck_assert_int_eq(commit_queue_wake_ms(queue), NOW_MS + REFUSALS_MS);
}

START_TEST(refusals_are_written_down_after_a_while)
{
	const struct libpq_call script[] = {CONNECT,
					    LIBPQ_SEND("a"),
					    LIBPQ_ANSWER(REFUSES(OUTCOME_EXPIRED)),
					    LIBPQ_SEND("a"),
					    LIBPQ_ANSWER(REFUSES(OUTCOME_EXPIRED)),
					    LIBPQ_SEND(" refused a:expired*2 recently"),
					    LIBPQ_ANSWER(ACCEPTED(0)),
					    LIBPQ_FINISH,
					    {0}};

	open_queue(script);
	requests[1].key_hash = requests[0].key_hash;
	refuse_one();
	add("b");
	step(false, NOW_MS + 5000, "");
	step(true, NOW_MS + 5000, "b");
	check_status("ab", STATUS_UNAUTHENTICATED);
	step(false, NOW_MS + REFUSALS_MS - 1, "");
	step(false, NOW_MS + REFUSALS_MS, "");
	ck_assert_uint_eq(commit_queue_pending(queue), 0);
	ck_assert(commit_queue_is_in_flight(queue));
	step(true, NOW_MS + REFUSALS_MS, "");
	ck_assert_int_eq(commit_queue_wake_ms(queue), INT64_MAX);
	close_queue();
}
END_TEST

START_TEST(refusals_go_with_a_group_when_they_are_due)
{
	const struct libpq_call script[] = {CONNECT,
					    LIBPQ_SEND("a"),
					    LIBPQ_ANSWER(REFUSES(OUTCOME_LIMIT_REACHED)),
					    LIBPQ_SEND("b refused a:limit_reached*1"),
					    LIBPQ_ANSWER(ACCEPTED(1)),
					    LIBPQ_SEND("c"),
					    LIBPQ_ANSWER(ACCEPTED(1)),
					    LIBPQ_FINISH,
					    {0}};

	open_queue(script);
	requests[1].deadline_ms = requests[2].deadline_ms = NOW_MS + REFUSALS_MS + REQUEST_MS;
	refuse_one();
	check_status("a", STATUS_LIMIT_REACHED);
	add("b");
	step(false, NOW_MS + REFUSALS_MS, "");
	step(true, NOW_MS + REFUSALS_MS, "b");
	add("c");
	step(false, NOW_MS + REFUSALS_MS, "");
	step(true, NOW_MS + REFUSALS_MS, "c");
	close_queue();
}
END_TEST

START_TEST(refusals_of_several_keys)
{
	const struct libpq_call script[] = {
		CONNECT,
		LIBPQ_SEND("a,b"),
		LIBPQ_ANSWER(DATABASE_ANSWER(.senders = 2,
					     .outcomes = {OUTCOME_EXPIRED, OUTCOME_LIMIT_REACHED})),
		LIBPQ_SEND(" refused a:expired*1 refused b:limit_reached*1 recently"),
		LIBPQ_ANSWER(ACCEPTED(0)),
		LIBPQ_FINISH,
		{0}};

	open_queue(script);
	add("ab");
	connect_queue();
	step(true, NOW_MS, "ab");
	step(false, NOW_MS + REFUSALS_MS, "");
	step(true, NOW_MS + REFUSALS_MS, "");
	close_queue();
}
END_TEST

/* Sent again until it is known what became of them; rather lost than counted twice. */
START_TEST(refusals_that_were_not_written_down)
{
	const struct libpq_call script[] = {CONNECT,
					    LIBPQ_SEND("a"),
					    LIBPQ_ANSWER(REFUSES(OUTCOME_DEACTIVATED)),
					    LIBPQ_SEND("b refused a:deactivated*1"),
					    LIBPQ_ANSWER(&full),
					    LIBPQ_SEND("c refused a:deactivated*1"),
					    {"PQconsumeInput"},
					    LIBPQ_FINISH,
					    CONNECT,
					    LIBPQ_SEND("d"),
					    LIBPQ_ANSWER(ACCEPTED(1)),
					    LIBPQ_FINISH,
					    {0}};
	const int64_t due_ms = NOW_MS + REFUSALS_MS;

	open_queue(script);
	for (int i = 0; i < 4; i++)
		requests[i].deadline_ms = due_ms + REQUEST_MS;
	refuse_one();
	add("b");
	step(false, due_ms, "");
	step(true, due_ms, "b");
	add("c");
	step(false, due_ms, "");
	add("d");
	step(true, due_ms, "c");
	check_status("c", STATUS_OUTCOME_UNKNOWN);
	step(true, due_ms, "");
	step(true, due_ms, "");
	step(true, due_ms, "d");
	check_status("d", STATUS_ACCEPTED);
	close_queue();
}
END_TEST

START_TEST(a_conflict_keeps_refusals_beside_new_ones)
{
	const struct libpq_call script[] = {CONNECT,
					    LIBPQ_SEND("a"),
					    LIBPQ_ANSWER(REFUSES(OUTCOME_DEACTIVATED)),
					    LIBPQ_SEND("b refused a:deactivated*1"),
					    LIBPQ_ANSWER(&conflict),
					    LIBPQ_SEND("b refused a:deactivated*1"),
					    LIBPQ_ANSWER(REFUSES(OUTCOME_EXPIRED)),
					    LIBPQ_SEND(" refused b:expired*1 recently"),
					    LIBPQ_ANSWER(ACCEPTED(0)),
					    LIBPQ_FINISH,
					    {0}};
	const int64_t due_ms = NOW_MS + REFUSALS_MS;

	open_queue(script);
	refuse_one();
	requests[1].deadline_ms = due_ms + REQUEST_MS;
	add("b");
	step(false, due_ms, "");
	step(true, due_ms, "");
	step(true, due_ms, "b");
	ck_assert_int_eq(commit_queue_wake_ms(queue), due_ms + REFUSALS_MS);
	step(false, due_ms + REFUSALS_MS, "");
	step(true, due_ms + REFUSALS_MS, "");
	close_queue();
}
END_TEST

START_TEST(refusals_are_written_down_at_the_end)
{
	const struct libpq_call script[] = {CONNECT,
					    LIBPQ_SEND("a"),
					    LIBPQ_ANSWER(REFUSES(OUTCOME_SECRET_WRONG)),
					    LIBPQ_SEND(" refused a:secret_wrong*1"),
					    LIBPQ_ANSWER(_i == 0 ? ACCEPTED(0) : &full),
					    LIBPQ_FINISH,
					    {0}};

	open_queue(script);
	refuse_one();
	(void)captured_log();
	commit_queue_flush_counts(queue);
	ck_assert_int_eq(captured_log_count(captured_log(), "could not store counts"), _i);
	close_queue();
}
END_TEST

static void on_alarm(int number)
{
	(void)number;
	libpq_hear();
}

START_TEST(the_end_waits_for_the_server)
{
	const struct libpq_call script[] = {CONNECT,
					    LIBPQ_SEND("a"),
					    LIBPQ_ANSWER(REFUSES(OUTCOME_SECRET_WRONG)),
					    {"PQsendQueryParams", .returns = 1, .silent = true},
					    LIBPQ_FLUSH,
					    LIBPQ_ANSWER(ACCEPTED(0)),
					    LIBPQ_FINISH,
					    {0}};
	const struct sigaction action = {.sa_handler = on_alarm};
	const struct itimerval timer = {.it_value = {.tv_usec = 10000}};

	open_queue(script);
	refuse_one();
	ck_assert_int_eq(sigaction(SIGALRM, &action, NULL), 0);
	ck_assert_int_eq(setitimer(ITIMER_REAL, &timer, NULL), 0);
	commit_queue_flush_counts(queue);
	close_queue();
}
END_TEST

/* Those of a statement that failed, too. */
START_TEST(all_refusals_are_written_down_at_the_end)
{
	const struct libpq_call script[] = {CONNECT,
					    LIBPQ_SEND("a"),
					    LIBPQ_ANSWER(REFUSES(OUTCOME_SECRET_WRONG)),
					    LIBPQ_SEND(" refused a:secret_wrong*1 recently"),
					    LIBPQ_ANSWER(&invalid),
					    LIBPQ_SEND(" refused a:secret_wrong*1"),
					    LIBPQ_ANSWER(ACCEPTED(0)),
					    LIBPQ_FINISH,
					    {0}};
	const int64_t due_ms = NOW_MS + REFUSALS_MS;

	open_queue(script);
	refuse_one();
	step(false, due_ms, "");
	step(true, due_ms, "");
	commit_queue_flush_counts(queue);
	close_queue();
}
END_TEST

/* Without refusals there is nothing to write, and without a connection no way to. */
START_TEST(nothing_is_written_down_at_the_end)
{
	static const struct libpq_call script[] = {CONNECT, LIBPQ_FINISH, {0}};

	open_queue(script);
	commit_queue_flush_counts(queue);
	connect_queue();
	commit_queue_flush_counts(queue);
	close_queue();
}
END_TEST

/* A group says when the last use of all its keys was noted lately. */
START_TEST(last_uses_are_remembered)
{
	const struct libpq_call script[] = {CONNECT,
					    LIBPQ_SEND("a"),
					    LIBPQ_ANSWER(ACCEPTED(1)),
					    LIBPQ_SEND("a recently"),
					    LIBPQ_ANSWER(ACCEPTED(1)),
					    LIBPQ_SEND("a,b"),
					    LIBPQ_ANSWER(ACCEPTED(2)),
					    LIBPQ_SEND("b,a recently"),
					    LIBPQ_ANSWER(ACCEPTED(2)),
					    LIBPQ_SEND("a"),
					    LIBPQ_ANSWER(ACCEPTED(1)),
					    LIBPQ_FINISH,
					    {0}};

	open_queue(script);
	add("a");
	connect_queue();
	step(true, NOW_MS, "a");
	add("a");
	step(false, NOW_MS + 1, "");
	step(true, NOW_MS + 1, "a");
	add("ab");
	step(false, NOW_MS + 2, "");
	step(true, NOW_MS + 2, "ab");
	requests[0].deadline_ms = requests[1].deadline_ms = NOW_MS + 10 * LAST_USED_MS;
	add("ba");
	step(false, NOW_MS + 1 + LAST_USED_MS, "");
	step(true, NOW_MS + 1 + LAST_USED_MS, "ba");
	add("a");
	step(false, NOW_MS + 2 + LAST_USED_MS, "");
	step(true, NOW_MS + 2 + LAST_USED_MS, "a");
	close_queue();
}
END_TEST

START_TEST(a_refused_use_is_none)
{
	const struct libpq_call script[] = {CONNECT,
					    LIBPQ_SEND("a"),
					    LIBPQ_ANSWER(REFUSES(OUTCOME_UNKNOWN_KEY)),
					    LIBPQ_SEND("a"),
					    LIBPQ_ANSWER(ACCEPTED(1)),
					    LIBPQ_FINISH,
					    {0}};

	open_queue(script);
	add("a");
	connect_queue();
	step(true, NOW_MS, "a");
	add("a");
	step(false, NOW_MS, "");
	step(true, NOW_MS, "a");
	close_queue();
}
END_TEST

/* ---- ordinary groups ---- */

#define STORED(count, first) DATABASE_ANSWER(.senders = 1, .items = (count), .first_id = (first))

/* Connects, and has a request with an item stored, after which the last use of its key is noted. */
static void store_one(char name)
{
	give_items(&requests[name - 'a'], 1);
	add((char[]){name, '\0'});
	connect_queue();
	step(true, NOW_MS, (char[]){name, '\0'});
}

#define STORE_A CONNECT, LIBPQ_SEND("a signals 1"), LIBPQ_ANSWER(STORED(1, 1))

static void send_again(const char *names)
{
	add(names);
	step(false, NOW_MS, "");
}

START_TEST(an_ordinary_group)
{
	const struct libpq_call script[] = {
		CONNECT,
		LIBPQ_SEND("a,b"),
		LIBPQ_ANSWER(ACCEPTED(2)),
		LIBPQ_SEND("ordinary a,b signals 1,1,2"),
		LIBPQ_ANSWER(database_first_id(INT64_C(0x0102030405060708))),
		LIBPQ_FINISH,
		{0}};
	static struct commit_result of_b;

	open_queue(script);
	add("ab");
	connect_queue();
	step(true, NOW_MS, "ab");
	give_items(&requests[0], 2);
	give_items(&requests[1], 1);
	requests[1].results = &of_b;
	of_b.repeated = of_b.cold = true;
	requests[2].key_hash = requests[1].key_hash; /* without items */
	send_again("abc");
	step(true, NOW_MS, "abc");
	check_status("abc", STATUS_ACCEPTED);
	ck_assert_int_eq(results[0].id, INT64_C(0x0102030405060708));
	ck_assert_int_eq(results[1].id, INT64_C(0x0102030405060709));
	ck_assert_int_eq(of_b.id, INT64_C(0x010203040506070a));
	ck_assert(!of_b.repeated && !of_b.cold);
	close_queue();
}
END_TEST

/* By what is in it. */
START_TEST(an_ordinary_group_says_what_is_in_it)
{
	const struct libpq_call script[] = {STORE_A,
					    LIBPQ_SEND("ordinary a signals 1 ids"),
					    LIBPQ_ANSWER(database_first_id(2)),
					    LIBPQ_SEND("ordinary a signals 1 visitors"),
					    LIBPQ_ANSWER(database_first_id(3)),
					    LIBPQ_SEND("ordinary a signals 1 visitors"),
					    LIBPQ_ANSWER(database_first_id(4)),
					    LIBPQ_SEND("ordinary a signals 1"),
					    LIBPQ_ANSWER(database_first_id(5)),
					    LIBPQ_FINISH,
					    {0}};

	open_queue(script);
	store_one('a');
	signals[0].message_id = SLICE("id");
	send_again("a");
	step(true, NOW_MS, "a");
	signals[0].message_id = SLICE_ABSENT;
	signals[0].anonymous_id = SLICE("visitor");
	signals[0].email = SLICE("a@b");
	send_again("a");
	step(true, NOW_MS, "a");
	signals[0].email = SLICE_ABSENT;
	signals[0].user_id = SLICE("user");
	send_again("a");
	step(true, NOW_MS, "a");
	signals[0].user_id = SLICE_ABSENT;
	send_again("a");
	step(true, NOW_MS, "a");
	close_queue();
}
END_TEST

/* Its organization has a limit: for a while the key's groups are not tried as ordinary ones. */
START_TEST(a_key_whose_groups_are_not_ordinary)
{
	const struct libpq_call script[] = {STORE_A,
					    LIBPQ_SEND("ordinary a signals 1"),
					    LIBPQ_ANSWER(database_first_id(0)),
					    LIBPQ_SEND("a signals 1 recently"),
					    LIBPQ_ANSWER(STORED(1, 2)),
					    LIBPQ_SEND("a signals 1 recently"),
					    LIBPQ_ANSWER(STORED(1, 3)),
					    LIBPQ_SEND("a signals 1"),
					    LIBPQ_ANSWER(STORED(1, 4)),
					    LIBPQ_SEND("ordinary a signals 1"),
					    LIBPQ_ANSWER(database_first_id(5)),
					    LIBPQ_FINISH,
					    {0}};

	open_queue(script);
	store_one('a');
	send_again("a");
	step(true, NOW_MS, "");
	ck_assert(commit_queue_is_in_flight(queue));
	step(true, NOW_MS, "a");
	check_status("a", STATUS_ACCEPTED);
	ck_assert_int_eq(results[0].id, 2);
	send_again("a");
	step(true, NOW_MS, "a");
	requests[0].deadline_ms = NOW_MS + 10 * LAST_USED_MS;
	add("a");
	step(false, NOW_MS + LAST_USED_MS, "");
	step(true, NOW_MS + LAST_USED_MS, "a");
	add("a");
	step(false, NOW_MS + LAST_USED_MS, "");
	step(true, NOW_MS + LAST_USED_MS, "a");
	close_queue();
}
END_TEST

#define FROM " from 192.0.2.1"

/* Without addresses the database does not take them; for a while they are sent at once. */
START_TEST(a_key_with_networks)
{
	const struct libpq_call script[] = {CONNECT,
					    LIBPQ_SEND("a signals 1"),
					    LIBPQ_ANSWER(database_first_id(0)),
					    LIBPQ_SEND("a signals 1" FROM),
					    LIBPQ_ANSWER(STORED(1, 1)),
					    LIBPQ_SEND("ordinary a signals 1"),
					    LIBPQ_ANSWER(database_first_id(0)),
					    LIBPQ_SEND("a signals 1" FROM " recently"),
					    LIBPQ_ANSWER(REFUSES(OUTCOME_WRONG_NETWORK)),
					    LIBPQ_SEND("a signals 1" FROM " recently"),
					    LIBPQ_ANSWER(STORED(1, 2)),
					    LIBPQ_FINISH,
					    {0}};

	ck_assert(address_read(SLICE("192.0.2.1"), &requests[0].client));
	give_items(&requests[0], 1);
	open_queue(script);
	add("a");
	connect_queue();
	step(true, NOW_MS, "");
	ck_assert(commit_queue_is_in_flight(queue));
	step(true, NOW_MS, "a");
	check_status("a", STATUS_ACCEPTED);
	send_again("a");
	step(true, NOW_MS, "");
	step(true, NOW_MS, "a");
	check_status("a", STATUS_WRONG_NETWORK);
	send_again("a");
	step(true, NOW_MS, "a");
	check_status("a", STATUS_ACCEPTED);
	ck_assert_int_eq(results[0].id, 2);
	close_queue();
}
END_TEST

/* Nothing of the first call was stored, refusals neither. */
START_TEST(refusals_go_with_a_group_that_is_sent_again)
{
	const struct libpq_call script[] = {CONNECT,
					    LIBPQ_SEND("b"),
					    LIBPQ_ANSWER(REFUSES(OUTCOME_EXPIRED)),
					    LIBPQ_SEND("a signals 1 refused b:expired*1"),
					    LIBPQ_ANSWER(database_first_id(0)),
					    LIBPQ_SEND("a signals 1 refused b:expired*1" FROM),
					    LIBPQ_ANSWER(STORED(1, 1)),
					    LIBPQ_FINISH,
					    {0}};
	const int64_t due_ms = NOW_MS + REFUSALS_MS;

	ck_assert(address_read(SLICE("192.0.2.1"), &requests[0].client));
	give_items(&requests[0], 1);
	requests[0].deadline_ms = due_ms + REQUEST_MS;
	open_queue(script);
	add("b");
	connect_queue();
	step(true, NOW_MS, "b");
	add("a");
	step(false, due_ms, "");
	step(true, due_ms, "");
	step(true, due_ms, "a");
	check_status("a", STATUS_ACCEPTED);
	close_queue();
}
END_TEST

/* That would be a defect, but not one to try for ever. */
START_TEST(a_group_that_is_not_taken_with_addresses_either)
{
	const struct libpq_call script[] = {CONNECT,
					    LIBPQ_SEND("a signals 1"),
					    LIBPQ_ANSWER(database_first_id(0)),
					    LIBPQ_SEND("a signals 1"),
					    LIBPQ_ANSWER(database_first_id(0)),
					    LIBPQ_FINISH,
					    {0}};

	give_items(&requests[0], 1);
	open_queue(script);
	add("a");
	connect_queue();
	step(true, NOW_MS, "");
	step(true, NOW_MS, "a");
	check_status("a", STATUS_AGAIN);
	close_queue();
}
END_TEST

/* A visitor who was new, or a repeat: the next group may be ordinary again. */
START_TEST(a_group_that_is_not_ordinary)
{
	const struct libpq_call script[] = {
		STORE_A,
		LIBPQ_SEND("ordinary a signals 1 visitors"),
		LIBPQ_ANSWER(_i == 0 ? database_first_id(0) : &not_unique),
		LIBPQ_SEND("a signals 1 recently"),
		LIBPQ_ANSWER(STORED(1, 2)),
		LIBPQ_SEND("ordinary a signals 1 visitors"),
		LIBPQ_ANSWER(database_first_id(3)),
		LIBPQ_FINISH,
		{0}};

	open_queue(script);
	store_one('a');
	signals[0].anonymous_id = SLICE("visitor");
	signals[0].user_id = SLICE("user");
	(void)captured_log();
	send_again("a");
	step(true, NOW_MS, "");
	step(true, NOW_MS, "a");
	send_again("a");
	step(true, NOW_MS, "a");
	check_status("a", STATUS_ACCEPTED);
	ck_assert_int_eq(results[0].id, 3);
	ck_assert_str_eq(captured_log(), "");
	close_queue();
}
END_TEST

/* Which of several keys it was is not known. */
START_TEST(keys_whose_group_is_not_ordinary)
{
	const struct libpq_call script[] = {
		CONNECT,
		LIBPQ_SEND("a,b"),
		LIBPQ_ANSWER(ACCEPTED(2)),
		LIBPQ_SEND("ordinary a,b signals 1,2"),
		LIBPQ_ANSWER(database_first_id(0)),
		LIBPQ_SEND("a,b signals 1,2 recently"),
		LIBPQ_ANSWER(DATABASE_ANSWER(.senders = 2, .items = 2, .first_id = 2)),
		LIBPQ_SEND("ordinary a signals 1"),
		LIBPQ_ANSWER(database_first_id(4)),
		LIBPQ_FINISH,
		{0}};

	open_queue(script);
	add("ab");
	connect_queue();
	step(true, NOW_MS, "ab");
	give_items(&requests[0], 1);
	give_items(&requests[1], 1);
	send_again("ab");
	step(true, NOW_MS, "");
	step(true, NOW_MS, "ab");
	send_again("a");
	step(true, NOW_MS, "a");
	close_queue();
}
END_TEST

/* What sluice.intake_ordinary() does not take is not given to it. */
START_TEST(what_is_never_ordinary)
{
	static const char *const questions[] = {
		"a signals 1 recently", "a+orgs orgs 1 recently",   "a+orgs+template recently",
		"a rejects 1 recently", "a signals #1025 recently",
	};
	static const struct product_org row = {.payload = {"{}", 2}};
	static const struct commit_reject reject = {.kind = "item"};
	struct arena arena = {0};
	const struct libpq_call script[] = {
		STORE_A,
		LIBPQ_SEND(questions[_i]),
		LIBPQ_ANSWER(_i == 2   ? DATABASE_ANSWER(.senders = 1,
							 .outcomes = {OUTCOME_OTHER_TEMPLATE},
							 .templates = {"{}"})
			     : _i == 3 ? ACCEPTED(1)
				       : STORED(_i == 4 ? 1025 : 1, 2)),
		LIBPQ_FINISH,
		{0}};
	struct commit_request *request = &requests[0];

	open_queue(script);
	store_one('a');
	if (_i == 0) {
		signals[0].cold = true;
	} else if (_i == 1) {
		request->for_product_orgs = true;
		request->product_orgs = &row;
	} else if (_i == 4) {
		request->item_count = 1025;
	} else {
		request->item_count = 0;
		request->for_product_orgs = request->needs_template = _i == 2;
		request->arena = &arena;
		request->rejects = &reject;
		request->reject_count = _i == 3 ? 1 : 0;
	}
	send_again("a");
	step(true, NOW_MS, "a");
	check_status("a", STATUS_ACCEPTED);
	close_queue();
	arena_free(&arena);
}
END_TEST

/* It stored nothing, so the request that comes again is the first use of the key. */
START_TEST(another_template_is_no_use)
{
	struct arena arena = {0};
	const struct libpq_call script[] = {
		CONNECT,
		LIBPQ_SEND("a+orgs+template"),
		LIBPQ_ANSWER(DATABASE_ANSWER(.senders = 1, .outcomes = {OUTCOME_OTHER_TEMPLATE},
					     .templates = {"{}"})),
		LIBPQ_SEND("a+orgs+template"),
		LIBPQ_ANSWER(ACCEPTED(1)),
		LIBPQ_FINISH,
		{0}};

	open_queue(script);
	add("a");
	requests[0].for_product_orgs = requests[0].needs_template = true;
	requests[0].arena = &arena;
	connect_queue();
	step(true, NOW_MS, "a");
	send_again("a");
	step(true, NOW_MS, "a");
	close_queue();
	arena_free(&arena);
}
END_TEST

START_TEST(the_largest_ordinary_group)
{
	const struct libpq_call script[] = {STORE_A,
					    LIBPQ_SEND("ordinary a signals #1024"),
					    LIBPQ_ANSWER(database_first_id(2)),
					    LIBPQ_FINISH,
					    {0}};

	open_queue(script);
	store_one('a');
	requests[0].item_count = 1024;
	send_again("a");
	step(true, NOW_MS, "a");
	ck_assert_int_eq(results[1023].id, 1025);
	close_queue();
}
END_TEST

START_TEST(an_ordinary_answer_of_another_shape)
{
	static const struct libpq_value text[COMMIT_COLUMNS] = {{"7", 1}};
	static const struct libpq_result answer = {
		.status = PGRES_TUPLES_OK, .rows = 1, .columns = COMMIT_COLUMNS, .values = text};
	const struct libpq_call script[] = {STORE_A,
					    LIBPQ_SEND("ordinary a signals 1"),
					    LIBPQ_ANSWER(&answer),
					    LIBPQ_FINISH,
					    {0}};

	open_queue(script);
	store_one('a');
	send_again("a");
	step(true, NOW_MS, "a");
	check_status("a", STATUS_INTERNAL);
	close_queue();
}
END_TEST

START_TEST(an_ordinary_group_carries_no_refusals)
{
	const struct libpq_call script[] = {STORE_A,
					    LIBPQ_SEND("b"),
					    LIBPQ_ANSWER(REFUSES(OUTCOME_EXPIRED)),
					    LIBPQ_SEND("ordinary a signals 1"),
					    LIBPQ_ANSWER(database_first_id(2)),
					    LIBPQ_SEND("a signals 1 refused b:expired*1 recently"),
					    LIBPQ_ANSWER(STORED(1, 3)),
					    LIBPQ_FINISH,
					    {0}};
	const int64_t due_ms = NOW_MS + REFUSALS_MS;

	open_queue(script);
	store_one('a');
	requests[0].deadline_ms = due_ms + REQUEST_MS;
	send_again("b");
	step(true, NOW_MS, "b");
	add("a");
	step(false, due_ms - 1, "");
	step(true, due_ms - 1, "a");
	add("a");
	step(false, due_ms, "");
	step(true, due_ms, "a");
	ck_assert_int_eq(commit_queue_wake_ms(queue), INT64_MAX);
	close_queue();
}
END_TEST

/* ---- commits whose connection was lost ---- */

/* The parameter, a number in binary, cannot be shown. */
#define ASK LIBPQ_SEND(NULL)

#define OTHER_START "\0\2\0\1\0\0\0\4"
#define SAYS(of_server, of_start, of_xact)                                                         \
	{                                                                                          \
		.status = PGRES_TUPLES_OK, .rows = 1, .columns = 3,                                \
		.values = (const struct libpq_value[])                                             \
		{                                                                                  \
			{(of_server), 10}, {(of_start), 8}, of_xact                                \
		}                                                                                  \
	}
#define COMMITTED                                                                                  \
	{                                                                                          \
		"committed", 9                                                                     \
	}
#define ABORTED                                                                                    \
	{                                                                                          \
		"aborted", 7                                                                       \
	}
#define IN_PROGRESS                                                                                \
	{                                                                                          \
		"in progress", 11                                                                  \
	}
#define NO_STATUS                                                                                  \
	{                                                                                          \
		NULL, 0                                                                            \
	}

/* The row came; its commit's end did not. */
#define LOSE(r) LIBPQ_CONSUME, LIBPQ_GET(r), LIBPQ_BUSY, {"PQconsumeInput"}, LIBPQ_FINISH

static const struct libpq_result committed = SAYS("7/00000001", DATABASE_STARTED, COMMITTED);
static const struct libpq_result aborted = SAYS("7/00000001", DATABASE_STARTED, ABORTED);
static const struct libpq_result in_progress = SAYS("7/00000001", DATABASE_STARTED, IN_PROGRESS);

/* Steps until the lost connection is replaced, and the question sent. */
static void lose_and_connect(const char *while_lost)
{
	step(true, NOW_MS, "");
	step(true, NOW_MS, while_lost);
	ck_assert(!commit_queue_is_connected(queue));
	ck_assert_uint_ge(commit_queue_pending(queue), 1);
	step(true, NOW_MS, "");
	step(true, NOW_MS, "");
	ck_assert(commit_queue_is_in_flight(queue));
}

static const struct {
	struct libpq_result greeting, answer; /* the greeting of the next connection */
	enum status status;
} resolved[] = {
	{SAYS("7/00000001", DATABASE_STARTED, NO_STATUS),
	 SAYS("7/00000001", DATABASE_STARTED, COMMITTED), STATUS_ACCEPTED},
	/* Started again, but the same. */
	{SAYS("7/00000001", OTHER_START, NO_STATUS), SAYS("7/00000001", OTHER_START, COMMITTED),
	 STATUS_ACCEPTED},
	/* The same start is enough. */
	{SAYS(NULL, DATABASE_STARTED, NO_STATUS), SAYS(NULL, DATABASE_STARTED, COMMITTED),
	 STATUS_ACCEPTED},
	/* A standby that has taken over has the rows; or not, which may be its fault. */
	{SAYS("7/00000002", OTHER_START, NO_STATUS), SAYS("7/00000002", OTHER_START, COMMITTED),
	 STATUS_ACCEPTED},
	{SAYS("7/00000002", OTHER_START, NO_STATUS), SAYS("7/00000002", OTHER_START, ABORTED),
	 STATUS_OUTCOME_UNKNOWN},
	/* Another cluster; one that does not tell; a transaction that is forgotten. */
	{SAYS("8/00000001", OTHER_START, NO_STATUS), SAYS("8/00000001", OTHER_START, ABORTED),
	 STATUS_OUTCOME_UNKNOWN},
	{SAYS(NULL, OTHER_START, NO_STATUS), SAYS(NULL, OTHER_START, ABORTED),
	 STATUS_OUTCOME_UNKNOWN},
	{SAYS("7/00000001", DATABASE_STARTED, NO_STATUS),
	 SAYS("7/00000001", DATABASE_STARTED, NO_STATUS), STATUS_OUTCOME_UNKNOWN},
};

START_TEST(a_lost_commit_is_asked_for)
{
	const struct libpq_call script[] = {CONNECT,
					    LIBPQ_SEND("a"),
					    LOSE(ACCEPTED(1)),
					    LIBPQ_CONNECT,
					    LIBPQ_SEND(GREETING),
					    LIBPQ_ANSWER(&resolved[_i].greeting),
					    ASK,
					    LIBPQ_ANSWER(&resolved[_i].answer),
					    LIBPQ_SEND("b"),
					    LIBPQ_ANSWER(ACCEPTED(1)),
					    LIBPQ_FINISH,
					    {0}};
	bool known = resolved[_i].status == STATUS_ACCEPTED;

	open_queue(script);
	add("a");
	connect_queue();
	lose_and_connect("");
	add("b");
	step(true, NOW_MS, "a");
	check_status("a", resolved[_i].status);
	step(true, NOW_MS, "b");
	ck_assert_uint_eq(stats_get(&stats_mine()->resolved_commits), known ? 1 : 0);
	ck_assert_uint_eq(stats_get(&stats_mine()->unknown_commits), known ? 0 : 1);
	close_queue();
}
END_TEST

START_TEST(a_group_that_was_not_committed_is_sent_again)
{
	const struct libpq_call script[] = {CONNECT,
					    LIBPQ_SEND("a,b"),
					    LOSE(ACCEPTED(2)),
					    CONNECT,
					    ASK,
					    LIBPQ_ANSWER(&aborted),
					    LIBPQ_SEND("a,b"),
					    LIBPQ_ANSWER(ACCEPTED(2)),
					    LIBPQ_FINISH,
					    {0}};

	open_queue(script);
	add("ab");
	connect_queue();
	lose_and_connect("");
	step(true, NOW_MS, "");
	step(true, NOW_MS, "ab");
	check_status("ab", STATUS_ACCEPTED);
	close_queue();
}
END_TEST

#define NOT_COMMITTED LIBPQ_SEND("a"), LOSE(ACCEPTED(1)), CONNECT, ASK, LIBPQ_ANSWER(&aborted)

START_TEST(a_group_that_is_never_committed)
{
	const struct libpq_call script[] = {CONNECT,	   NOT_COMMITTED, NOT_COMMITTED,
					    NOT_COMMITTED, LIBPQ_FINISH,  {0}};

	open_queue(script);
	add("a");
	connect_queue();
	for (int i = 0; i < 3; i++) {
		lose_and_connect("");
		step(true, NOW_MS, i == 2 ? "a" : "");
	}
	check_status("a", STATUS_UNAVAILABLE);
	close_queue();
}
END_TEST

START_TEST(a_commit_that_goes_on_is_waited_for)
{
	const struct libpq_call script[] = {CONNECT,
					    LIBPQ_SEND("a"),
					    LOSE(ACCEPTED(1)),
					    CONNECT,
					    ASK,
					    LIBPQ_ANSWER(&in_progress),
					    ASK,
					    LIBPQ_ANSWER(&committed),
					    LIBPQ_FINISH,
					    {0}};

	open_queue(script);
	add("a");
	connect_queue();
	lose_and_connect("");
	step(true, NOW_MS, "");
	ck_assert_int_eq(commit_queue_wake_ms(queue), NOW_MS + 20);
	step(false, NOW_MS + 19, "");
	step(false, NOW_MS + 20, "");
	step(true, NOW_MS + 20, "a");
	check_status("a", STATUS_ACCEPTED);
	close_queue();
}
END_TEST

START_TEST(a_commit_that_goes_on_for_ever)
{
	const struct libpq_call script[] = {CONNECT,
					    LIBPQ_SEND("a"),
					    LOSE(ACCEPTED(1)),
					    CONNECT,
					    ASK,
					    LIBPQ_ANSWER(&in_progress),
					    LIBPQ_FINISH,
					    {0}};

	open_queue(script);
	requests[0].deadline_ms = NOW_MS + 15;
	add("a");
	connect_queue();
	lose_and_connect("");
	step(true, NOW_MS, "");
	ck_assert_int_eq(commit_queue_wake_ms(queue), NOW_MS + 15);
	step(false, NOW_MS + 15, "a");
	check_status("a", STATUS_OUTCOME_UNKNOWN);
	close_queue();
}
END_TEST

/* What comes meanwhile is refused once the first attempt to connect has failed. */
START_TEST(a_server_that_does_not_come_back)
{
	const struct libpq_call script[] = {
		CONNECT, LIBPQ_SEND("a"), LOSE(ACCEPTED(1)), REFUSED, {0}};

	open_queue(script);
	requests[0].deadline_ms = NOW_MS + 40;
	add("a");
	connect_queue();
	step(true, NOW_MS, "");
	step(true, NOW_MS, "");
	add("b");
	step(true, NOW_MS, "b");
	check_status("b", STATUS_UNAVAILABLE);
	ck_assert_int_eq(commit_queue_wake_ms(queue), NOW_MS + 40);
	step(false, NOW_MS + 40, "a");
	check_status("a", STATUS_OUTCOME_UNKNOWN);
	close_queue();
}
END_TEST

/* The question is lost, too, and asked again; with an error it is not. */
START_TEST(a_question_that_fails)
{
	static const struct libpq_result no_function = LIBPQ_ERROR("42883", "no such function");
	const struct libpq_call script[] = {CONNECT,
					    LIBPQ_SEND("a"),
					    LOSE(ACCEPTED(1)),
					    CONNECT,
					    ASK,
					    {"PQconsumeInput"},
					    LIBPQ_FINISH,
					    CONNECT,
					    {"PQsendQueryParams"},
					    LIBPQ_FINISH,
					    CONNECT,
					    ASK,
					    LIBPQ_ANSWER(&no_function),
					    LIBPQ_FINISH,
					    {0}};

	open_queue(script);
	add("a");
	connect_queue();
	lose_and_connect("");
	for (int i = 0; i < 3; i++)
		step(true, NOW_MS, ""); /* lost; greeted; it cannot be sent */
	for (int i = 0; i < 3; i++)
		step(true, NOW_MS, "");
	step(true, NOW_MS, "a");
	check_status("a", STATUS_OUTCOME_UNKNOWN);
	close_queue();
}
END_TEST

/* As while a commit waits for a standby that is away. */
START_TEST(a_question_has_a_deadline)
{
	const struct libpq_call script[] = {
		CONNECT,      LIBPQ_SEND("a"), LOSE(ACCEPTED(1)), CONNECT,	SILENT_SEND(NULL),
		LIBPQ_CANCEL, LIBPQ_FINISH,    LIBPQ_START,	  LIBPQ_FINISH, {0}};

	const int64_t limit_ms = NOW_MS + REQUEST_MS - GRACE;

	open_queue(script);
	add("a");
	connect_queue();
	lose_and_connect("");
	ck_assert_int_eq(commit_queue_wake_ms(queue), limit_ms);
	step(false, limit_ms, "");
	libpq_await_cancels(1);
	step(false, NOW_MS + REQUEST_MS, "a");
	check_status("a", STATUS_OUTCOME_UNKNOWN);
	ck_assert(!commit_queue_is_connected(queue));
	close_queue();
}
END_TEST

/* All senders were refused, so there is no transaction to ask for. */
START_TEST(a_lost_group_that_wrote_nothing)
{
	database_write_nothing();
	const struct libpq_call script[] = {
		CONNECT, LIBPQ_SEND("a"), LOSE(REFUSES(OUTCOME_UNKNOWN_KEY)),
		CONNECT, LIBPQ_FINISH,	  {0}};

	open_queue(script);
	add("a");
	connect_queue();
	step(true, NOW_MS, "");
	step(true, NOW_MS, "");
	step(true, NOW_MS, "");
	step(true, NOW_MS, "a");
	check_status("a", STATUS_UNAUTHENTICATED);
	close_queue();
}
END_TEST

START_TEST(the_queue_ends_with_an_open_question)
{
	const struct libpq_call script[] = {CONNECT,	 LIBPQ_SEND("a"), LOSE(ACCEPTED(1)),
					    LIBPQ_START, LIBPQ_FINISH,	  {0}};

	open_queue(script);
	add("a");
	connect_queue();
	step(true, NOW_MS, "");
	step(true, NOW_MS, "");
	close_queue();
}
END_TEST

/* ---- forks and memory ---- */

START_TEST(an_abandoned_queue)
{
	static const struct libpq_call script[] = {CONNECT, LIBPQ_SEND("a"), {0}};

	open_queue(script);
	add("a");
	connect_queue();
	add("b");
	commit_queue_abandon(queue);
	ck_assert_uint_eq(commit_queue_pending(queue), 0);
	ck_assert_int_eq(commit_queue_fd(queue), -1);
	commit_queue_close(queue);
	libpq_forget();
}
END_TEST

static enum status open_and_close(void)
{
	enum status status = commit_queue_open(&queue, &config);

	commit_queue_close(queue);
	return status;
}

START_TEST(opening_without_memory)
{
	ck_assert_int_eq(unit_torture(open_and_close), 4);
}
END_TEST

/* One attempt to send a request, with the nth allocation failing; returns how many were made. */
static long send_one(const struct libpq_call *script, long nth, enum status status)
{
	open_queue(script);
	connect_queue();
	add("a");
	long before = unit_allocations();
	unit_fail_allocation(nth);
	struct commit_request *back = commit_queue_step(queue, false, NOW_MS);
	unit_fail_allocation(0);
	long made = unit_allocations() - before;
	ck_assert_int_eq(back != NULL, status != STATUS_OK);
	if (back != NULL)
		ck_assert_int_eq(back->out.status, status);
	close_queue();
	return made;
}

START_TEST(sending_without_memory)
{
	static const struct libpq_call sends[] = {
		CONNECT, LIBPQ_SEND("a signals 1"), LIBPQ_CANCEL, LIBPQ_FINISH, {0}};
	static const struct libpq_call does_not[] = {CONNECT, LIBPQ_FINISH, {0}};

	give_items(&requests[0], 1);
	long count = send_one(sends, 0, STATUS_OK);
	ck_assert_int_ge(count, 5); /* the arrays */
	for (long nth = 1; nth <= count; nth++)
		(void)send_one(does_not, nth, STATUS_NO_MEMORY);
}
END_TEST

/* ---- one request by itself ---- */

static struct pg_connection *db;

static enum status run_alone(const struct libpq_call *script)
{
	const struct pg_options options = {.application_name = "unit"};

	libpq_play(script);
	ck_assert_int_eq(pg_open(&db, &options), STATUS_OK);
	ck_assert_int_eq(pg_connect(db, clock_now_ms() + 60000), STATUS_OK);
	enum status status = commit_run(db, &requests[0], clock_now_ms() + 60000);
	pg_close(db);
	libpq_check_end();
	return status;
}

START_TEST(a_request_by_itself)
{
	const struct libpq_call script[] = {
		LIBPQ_CONNECT,
		LIBPQ_SEND("a signals 1,1"),
		LIBPQ_ANSWER(DATABASE_ANSWER(.senders = 1, .items = 2, .ids = {5, 6})),
		LIBPQ_FINISH,
		{0}};

	give_items(&requests[0], 2);
	ck_assert_int_eq(run_alone(script), STATUS_OK);
	check_status("a", STATUS_ACCEPTED);
	ck_assert_int_eq(results[0].id, 5);
	ck_assert_int_eq(results[1].id, 6);
}
END_TEST

/* That it could not be written down is no failure of the request's. */
START_TEST(a_refusal_by_itself)
{
	const struct libpq_call script[] = {LIBPQ_CONNECT,
					    LIBPQ_SEND("a"),
					    LIBPQ_ANSWER(REFUSES(OUTCOME_WRONG_ENDPOINT)),
					    LIBPQ_SEND(" refused a:wrong_endpoint*1"),
					    LIBPQ_ANSWER(_i == 0 ? ACCEPTED(0) : &full),
					    LIBPQ_FINISH,
					    {0}};

	ck_assert_int_eq(run_alone(script), STATUS_OK);
	check_status("a", STATUS_WRONG_ENDPOINT);
}
END_TEST

START_TEST(items_by_themselves_that_cannot_be_stored)
{
	const struct libpq_call script[] = {LIBPQ_CONNECT,
					    LIBPQ_SEND("a signals 1"),
					    LIBPQ_ANSWER(&invalid),
					    LIBPQ_SEND("a rejects 1"),
					    LIBPQ_ANSWER(ACCEPTED(1)),
					    LIBPQ_FINISH,
					    {0}};

	give_items(&requests[0], 1);
	requests[0].reject_unstorable = true;
	ck_assert_int_eq(run_alone(script), STATUS_OK);
	check_status("a", STATUS_INVALID_VALUE);
}
END_TEST

START_TEST(a_failure_by_itself)
{
	const struct libpq_call script[] = {LIBPQ_CONNECT,
					    LIBPQ_SEND("a signals 1"),
					    LIBPQ_ANSWER(_i == 0 ? &invalid : &conflict),
					    LIBPQ_FINISH,
					    {0}};

	give_items(&requests[0], 1);
	requests[0].reject_unstorable = _i == 1;
	ck_assert_int_eq(run_alone(script), _i == 0 ? STATUS_INVALID_VALUE : STATUS_CONFLICT);
}
END_TEST

/* ---- another database ---- */

/* What is in flight ends where it was sent, and what has come meanwhile goes to the other one. */
START_TEST(another_database_takes_the_next_group)
{
	const struct libpq_call script[] = {
		CONNECT, LIBPQ_SEND("a"),   LIBPQ_ANSWER(ACCEPTED(1)), LIBPQ_FINISH,
		CONNECT, LIBPQ_SEND("b,c"), LIBPQ_ANSWER(ACCEPTED(2)), LIBPQ_FINISH,
		{0}};

	open_queue(script);
	add("a");
	connect_queue();
	config.database = "dbname=other";
	add("b");
	step(false, NOW_MS, "");
	ck_assert(commit_queue_is_in_flight(queue));
	step(true, NOW_MS, "a");
	ck_assert_int_eq(commit_queue_readiness(queue, NOW_MS), STATUS_OK);
	add("c");
	step(true, NOW_MS, "");
	step(true, NOW_MS, "");
	ck_assert(commit_queue_is_in_flight(queue));
	step(true, NOW_MS, "bc");
	check_status("abc", STATUS_ACCEPTED);
	close_queue();
}
END_TEST

/* Without a connection nobody waits until the next attempt at the old one. */
START_TEST(another_database_is_connected_to_at_once)
{
	const struct libpq_call script[] = {
		LIBPQ_START,	 LIBPQ_POLL(PGRES_POLLING_FAILED), LIBPQ_FINISH, CONNECT,
		LIBPQ_SEND("a"), LIBPQ_ANSWER(ACCEPTED(1)),	   LIBPQ_FINISH, {0}};

	open_queue(script);
	step(false, NOW_MS, "");
	step(true, NOW_MS, "");
	ck_assert_int_gt(commit_queue_wake_ms(queue), NOW_MS);
	ck_assert_int_eq(commit_queue_readiness(queue, NOW_MS), STATUS_UNAVAILABLE);
	config.database = "dbname=other";
	add("a");
	connect_queue();
	step(true, NOW_MS, "a");
	close_queue();
}
END_TEST

/* Before it is taken: by a connection as the queue's. */
START_TEST(another_database_is_tried)
{
	const struct libpq_call good[] = {CONNECT, LIBPQ_FINISH, {0}};
	const struct libpq_call bad[] = {
		LIBPQ_START,
		{"PQconnectPoll", .returns = PGRES_POLLING_FAILED, .message = "refused"},
		LIBPQ_FINISH,
		{0}};
	struct buf cause = buf_make(100);

	libpq_play(good);
	ck_assert_int_eq(commit_try_database(&config, &cause), STATUS_OK);
	ck_assert_uint_eq(cause.n, 0);
	libpq_check_end();
	libpq_play(good);
	libpq_be_standby(true);
	ck_assert_int_eq(commit_try_database(&config, &cause), STATUS_READ_ONLY);
	ck_assert(slice_equal(buf_slice(&cause), SLICE("it takes no writes")));
	libpq_be_standby(false);
	libpq_check_end();
	buf_reset(&cause, 0);
	libpq_play(bad);
	ck_assert_int_eq(commit_try_database(&config, &cause), STATUS_UNAVAILABLE);
	ck_assert(slice_equal(buf_slice(&cause), SLICE("refused")));
	libpq_check_end();
	ck_assert_str_eq(captured_log(), "");
	buf_free(&cause);
}
END_TEST

static void add_groups(Suite *suite)
{
	TCase *tests = tcase_create("groups");

	tcase_add_checked_fixture(tests, set_up, captured_log_stop);
	tcase_add_test(tests, a_lone_request_is_sent_at_once);
	tcase_add_test(tests, requests_that_come_meanwhile_form_a_group);
	tcase_add_test(tests, a_group_has_at_most_so_many_requests);
	tcase_add_test(tests, a_group_has_at_most_so_many_bytes);
	tcase_add_test(tests, a_group_has_at_most_so_many_rows);
	tcase_add_test(tests, a_late_request_goes_alone);
	tcase_add_test(tests, half_of_a_short_request_is_enough);
	tcase_add_test(tests, requests_of_one_sender_share_its_answer);
	tcase_add_test(tests, an_answer_of_another_shape);
	suite_add_tcase(suite, tests);
}

static void add_connecting(Suite *suite)
{
	TCase *tests = tcase_create("connecting");

	tcase_add_checked_fixture(tests, set_up, captured_log_stop);
	tcase_add_loop_test(tests, without_a_server_requests_do_not_wait, 0,
			    LENGTH(refused_connects));
	tcase_add_test(tests, attempts_to_connect_back_off);
	tcase_add_test(tests, attempts_to_connect_are_spread);
	tcase_add_test(tests, connecting_has_a_deadline);
	tcase_add_test(tests, it_is_ready_once_it_is_connected);
	tcase_add_test(tests, it_says_why_it_is_not_connected);
	tcase_add_test(tests, a_failed_group_is_remembered_until_one_succeeds);
	tcase_add_test(tests, a_request_does_not_wait_beyond_its_deadline);
	tcase_add_test(tests, an_idle_connection_that_is_lost_is_made_anew);
	tcase_add_loop_test(tests, a_pooler_that_loses_the_statement, 0, LENGTH(lost_names));
	tcase_add_test(tests, another_database_is_tried);
	tcase_add_test(tests, another_database_takes_the_next_group);
	tcase_add_test(tests, another_database_is_connected_to_at_once);
	suite_add_tcase(suite, tests);
}

static void add_failures(Suite *suite)
{
	TCase *tests = tcase_create("failures");

	tcase_add_checked_fixture(tests, set_up, captured_log_stop);
	tcase_add_test(tests, a_statement_has_a_deadline);
	tcase_add_loop_test(tests, a_cancelled_statement_tells_its_outcome, 0, LENGTH(cancelled));
	tcase_add_test(tests, a_statement_ends_at_the_earliest_deadline);
	tcase_add_test(tests, a_probe_is_waited_for);
	tcase_add_loop_test(tests, a_probe_that_fails_is_an_answer, 0, LENGTH(sound_enough));
	tcase_add_test(tests, an_answer_after_the_deadline_counts);
	tcase_add_test(tests, a_lost_connection_leaves_the_outcome_unknown);
	tcase_add_test(tests, a_statement_that_cannot_be_sent);
	tcase_add_test(tests, a_conflict_is_retried);
	tcase_add_test(tests, a_conflict_is_retried_twice);
	tcase_add_test(tests, a_constraint_that_a_lone_request_breaks_is_retried);
	tcase_add_loop_test(tests, requests_do_not_share_a_fate, 0, LENGTH(data_errors));
	tcase_add_test(tests, a_request_that_waits_for_its_own_turn_expires);
	tcase_add_test(tests, items_that_cannot_be_stored_are_kept_as_rejects);
	tcase_add_test(tests, rejects_that_cannot_be_stored_either);
	tcase_add_test(tests, a_request_that_waits_for_a_lock);
	tcase_add_test(tests, a_locked_table);
	tcase_add_test(tests, a_statement_that_takes_too_long);
	tcase_add_test(tests, types_that_were_made_anew);
	tcase_add_test(tests, types_that_stay_missing);
	tcase_add_test(tests, a_read_only_server_is_left);
	tcase_add_test(tests, our_own_trouble_is_not_retried);
	suite_add_tcase(suite, tests);
}

static void add_counts(Suite *suite)
{
	TCase *tests = tcase_create("counts");

	tcase_add_checked_fixture(tests, set_up, captured_log_stop);
	tcase_add_test(tests, refusals_are_written_down_after_a_while);
	tcase_add_test(tests, refusals_go_with_a_group_when_they_are_due);
	tcase_add_test(tests, refusals_of_several_keys);
	tcase_add_test(tests, refusals_that_were_not_written_down);
	tcase_add_test(tests, a_conflict_keeps_refusals_beside_new_ones);
	tcase_add_loop_test(tests, refusals_are_written_down_at_the_end, 0, 2);
	tcase_add_test(tests, the_end_waits_for_the_server);
	tcase_add_test(tests, all_refusals_are_written_down_at_the_end);
	tcase_add_test(tests, nothing_is_written_down_at_the_end);
	tcase_add_test(tests, last_uses_are_remembered);
	tcase_add_test(tests, a_refused_use_is_none);
	suite_add_tcase(suite, tests);
}

static void add_lost_commits(Suite *suite)
{
	TCase *tests = tcase_create("lost commits");

	tcase_add_checked_fixture(tests, set_up, captured_log_stop);
	tcase_add_loop_test(tests, a_lost_commit_is_asked_for, 0, LENGTH(resolved));
	tcase_add_test(tests, a_group_that_was_not_committed_is_sent_again);
	tcase_add_test(tests, a_group_that_is_never_committed);
	tcase_add_test(tests, a_commit_that_goes_on_is_waited_for);
	tcase_add_test(tests, a_commit_that_goes_on_for_ever);
	tcase_add_test(tests, a_server_that_does_not_come_back);
	tcase_add_test(tests, a_question_that_fails);
	tcase_add_test(tests, a_question_has_a_deadline);
	tcase_add_test(tests, a_lost_group_that_wrote_nothing);
	tcase_add_test(tests, the_queue_ends_with_an_open_question);
	suite_add_tcase(suite, tests);
}

static void add_ordinary(Suite *suite)
{
	TCase *tests = tcase_create("ordinary");

	tcase_add_checked_fixture(tests, set_up, captured_log_stop);
	tcase_add_test(tests, an_ordinary_group);
	tcase_add_test(tests, an_ordinary_group_says_what_is_in_it);
	tcase_add_test(tests, a_key_whose_groups_are_not_ordinary);
	tcase_add_test(tests, a_key_with_networks);
	tcase_add_test(tests, refusals_go_with_a_group_that_is_sent_again);
	tcase_add_test(tests, a_group_that_is_not_taken_with_addresses_either);
	tcase_add_loop_test(tests, a_group_that_is_not_ordinary, 0, 2);
	tcase_add_test(tests, keys_whose_group_is_not_ordinary);
	tcase_add_test(tests, another_template_is_no_use);
	tcase_add_loop_test(tests, what_is_never_ordinary, 0, 5);
	tcase_add_test(tests, the_largest_ordinary_group);
	tcase_add_test(tests, an_ordinary_answer_of_another_shape);
	tcase_add_test(tests, an_ordinary_group_carries_no_refusals);
	suite_add_tcase(suite, tests);
}

static void add_others(Suite *suite)
{
	TCase *tests = tcase_create("others");

	tcase_add_checked_fixture(tests, set_up, captured_log_stop);
	tcase_add_test(tests, an_abandoned_queue);
	tcase_add_test(tests, opening_without_memory);
	tcase_add_test(tests, sending_without_memory);
	tcase_add_test(tests, a_request_by_itself);
	tcase_add_loop_test(tests, a_refusal_by_itself, 0, 2);
	tcase_add_test(tests, items_by_themselves_that_cannot_be_stored);
	tcase_add_loop_test(tests, a_failure_by_itself, 0, 2);
	suite_add_tcase(suite, tests);
}

Suite *unit_suite(void)
{
	Suite *suite = suite_create("queue");

	add_groups(suite);
	add_connecting(suite);
	add_failures(suite);
	add_counts(suite);
	add_ordinary(suite);
	add_lost_commits(suite);
	add_others(suite);
	return suite;
}
