/*
 * test_scrape.c - the database's part of the metrics: one look-up for all who ask, given up at its
 * limit, over a libpq that plays scripts. The clock is the test's, but for that of the hosts.
 */
#include "base/clock.h"
#include "captured_log.h"
#include "check_main.h"
#include "pg/scripted_libpq.h"
#include "server/scrape.h"

#define SELECT "SELECT sluice.metrics()()"
#define TEXT   "sluice_signals_total 7\n"
#define SEND_SILENT                                                                                \
	{"PQsendQueryParams", .returns = 1, .with = SELECT, .silent = true},                       \
	{                                                                                          \
		"PQflush"                                                                          \
	}

#define SILENT_HOST                                                                                \
	{"PQconnectStartParams", .returns = 1, .silent = true}, LIBPQ_POLL(PGRES_POLLING_READING)

static const struct config config = {.database = ""};
static const struct libpq_value value[] = {{TEXT, sizeof(TEXT) - 1}};
static const struct libpq_result text = {
	.status = PGRES_TUPLES_OK, .rows = 1, .columns = 1, .values = value};
static const struct libpq_result cancelled = LIBPQ_ERROR("57014", "canceling statement");

static struct scrape *scrape;
static int64_t now_ms;

static void set_up(void)
{
	captured_log_start();
	libpq_show_by(libpq_show_text);
	must(scrape_open(&scrape, &config) == STATUS_OK);
	now_ms = clock_now_ms();
}

static void tear_down(void)
{
	captured_log_stop();
}

static void close_and_check(void)
{
	scrape_close(scrape);
	libpq_check_end();
}

static void ask_by(const struct libpq_call *script)
{
	libpq_play(script);
	ck_assert_int_eq(scrape_fd(scrape), -1);
	ck_assert_int_eq(scrape_events(scrape), 0);
	ck_assert_int_eq(scrape_wake_ms(scrape), INT64_MAX);
	ck_assert(scrape_ask(scrape, now_ms));
	ck_assert_int_ge(scrape_fd(scrape), 0);
	ck_assert_int_ne(scrape_events(scrape), 0);
	ck_assert_int_le(scrape_wake_ms(scrape), now_ms + SCRAPE_MS);
}

/* Until it is connected and the statement is sent. */
static void send_by(const struct libpq_call *script)
{
	ask_by(script);
	ck_assert(!scrape_step(scrape, now_ms));
	ck_assert_int_eq(scrape_wake_ms(scrape), now_ms + SCRAPE_MS);
}

static void check_text(const char *expected)
{
	struct slice is = scrape_text(scrape);

	ck_assert(slice_equal(is, slice_of(expected)));
}

START_TEST(all_who_ask_get_one_answer)
{
	const struct libpq_call script[] = {
		LIBPQ_CONNECT, LIBPQ_SEND(SELECT), LIBPQ_ANSWER(&text), LIBPQ_FINISH, {0}};

	ck_assert(!scrape_step(scrape, now_ms));
	send_by(script);
	ck_assert(scrape_ask(scrape, now_ms + 1));
	ck_assert(scrape_step(scrape, now_ms + 2));
	check_text(TEXT);
	ck_assert(!scrape_step(scrape, now_ms + 3)); /* once */
	ck_assert_int_eq(scrape_fd(scrape), -1);     /* no connection stays */
	close_and_check();
}
END_TEST

/* What the last one said is not told again. */
START_TEST(each_look_up_connects)
{
	const struct libpq_call script[] = {
		LIBPQ_CONNECT, LIBPQ_SEND(SELECT), LIBPQ_ANSWER(&text), LIBPQ_FINISH,
		LIBPQ_CONNECT, LIBPQ_SEND(SELECT), LIBPQ_FINISH,	{0}};

	send_by(script);
	ck_assert(scrape_step(scrape, now_ms));
	ck_assert(scrape_ask(scrape, now_ms));
	ck_assert_ptr_null(scrape_text(scrape).p);
	libpq_forget();
	scrape_abandon(scrape);
}
END_TEST

START_TEST(a_refused_connection)
{
	const struct libpq_call script[] = {LIBPQ_START,
					    {"PQconnectPoll", .returns = PGRES_POLLING_FAILED,
					     .lost = true, .message = "refused"},
					    LIBPQ_FINISH,
					    {0}};

	ask_by(script);
	ck_assert(scrape_step(scrape, now_ms));
	ck_assert_ptr_null(scrape_text(scrape).p);
	close_and_check();
}
END_TEST

START_TEST(no_attempt_at_all)
{
	const struct libpq_call script[] = {
		{"PQconnectStartParams", .returns = 1, .lost = true, .message = "bad"},
		LIBPQ_FINISH,
		{0}};

	libpq_play(script);
	ck_assert(!scrape_ask(scrape, now_ms));
	ck_assert(!scrape_step(scrape, now_ms));
	close_and_check();
}
END_TEST

/* It is not migrated, say. */
START_TEST(a_refused_statement)
{
	static const struct libpq_result error = LIBPQ_ERROR("42883", "no such function");
	const struct libpq_call script[] = {
		LIBPQ_CONNECT, LIBPQ_SEND(SELECT), LIBPQ_ANSWER(&error), LIBPQ_FINISH, {0}};

	send_by(script);
	ck_assert(scrape_step(scrape, now_ms));
	ck_assert_ptr_null(scrape_text(scrape).p);
	close_and_check();
}
END_TEST

START_TEST(a_silent_host_is_not_waited_for)
{
	const struct libpq_call script[] = {SILENT_HOST, LIBPQ_FINISH, {0}};

	ask_by(script);
	ck_assert(!scrape_step(scrape, now_ms));
	ck_assert(scrape_step(scrape, clock_now_ms() + SCRAPE_MS - 1));
	ck_assert_ptr_null(scrape_text(scrape).p);
	close_and_check();
}
END_TEST

/* The one that is tried after it has the rest of the time. */
START_TEST(the_next_host_is_tried)
{
	const struct libpq_call script[] = {
		SILENT_HOST, LIBPQ_FINISH, SILENT_HOST, LIBPQ_FINISH, {0}};

	libpq_be_hosts("/a", "1", "/a,/b", "1,1");
	ask_by(script);
	ck_assert(!scrape_step(scrape, now_ms));
	ck_assert(!scrape_step(scrape, clock_now_ms() + SCRAPE_MS / 2));
	ck_assert_int_ge(scrape_fd(scrape), 0);
	ck_assert(!scrape_step(scrape, now_ms));
	ck_assert(scrape_step(scrape, now_ms + 2 * SCRAPE_MS));
	close_and_check();
	libpq_be_hosts("host", "5432", "host", "5432");
}
END_TEST

/* Until it has ended, nobody waits again, and nothing else is sent. */
START_TEST(a_silent_server_is_cancelled)
{
	const struct libpq_call script[] = {
		LIBPQ_CONNECT, SEND_SILENT, LIBPQ_CANCEL, LIBPQ_ANSWER(&cancelled),
		LIBPQ_FINISH,  LIBPQ_START, LIBPQ_FINISH, {0}};

	send_by(script);
	ck_assert(!scrape_step(scrape, now_ms + SCRAPE_MS - 1));
	ck_assert(scrape_step(scrape, now_ms + SCRAPE_MS));
	ck_assert_ptr_null(scrape_text(scrape).p);
	check_says(captured_log(), "during=metrics");
	libpq_await_cancels(1);
	ck_assert(!scrape_ask(scrape, now_ms + SCRAPE_MS));
	ck_assert_int_gt(scrape_wake_ms(scrape), now_ms + SCRAPE_MS);
	libpq_hear();
	ck_assert(!scrape_step(scrape, now_ms + SCRAPE_MS + 1));
	ck_assert_int_eq(scrape_fd(scrape), -1);
	ck_assert(scrape_ask(scrape, now_ms + SCRAPE_MS + 2));
	close_and_check();
}
END_TEST

/* The statement has been taken: it is waited for, but not for ever. */
START_TEST(a_stuck_server_gets_no_second_connection)
{
	const struct libpq_call script[] = {
		LIBPQ_CONNECT, SEND_SILENT, LIBPQ_CANCEL, LIBPQ_FINISH, {0}};
	int looks = 0;

	send_by(script);
	ck_assert(scrape_step(scrape, now_ms + SCRAPE_MS));
	while (scrape_fd(scrape) >= 0) {
		int64_t look_ms = scrape_wake_ms(scrape);
		ck_assert(!scrape_ask(scrape, look_ms));
		ck_assert(!scrape_step(scrape, look_ms));
		looks++;
	}
	ck_assert_int_eq(looks, 30);
	libpq_await_cancels(1);
	close_and_check();
}
END_TEST

/* It may have the last word all the same. */
START_TEST(an_answer_at_the_limit_counts)
{
	const struct libpq_call script[] = {
		LIBPQ_CONNECT, LIBPQ_SEND(SELECT), LIBPQ_ANSWER(&text), LIBPQ_FINISH, {0}};

	send_by(script);
	ck_assert(scrape_step(scrape, now_ms + 5 * SCRAPE_MS));
	check_text(TEXT);
	close_and_check();
}
END_TEST

START_TEST(closing_cancels)
{
	const struct libpq_call script[] = {
		LIBPQ_CONNECT, LIBPQ_SEND(SELECT), LIBPQ_CANCEL, LIBPQ_FINISH, {0}};

	send_by(script);
	close_and_check();
	libpq_await_cancels(1);
	scrape_close(NULL);
}
END_TEST

static enum status open_and_close(void)
{
	struct scrape *made;
	enum status status = scrape_open(&made, &config);

	if (status == STATUS_OK)
		scrape_close(made);
	return status;
}

START_TEST(without_memory)
{
	unit_torture(open_and_close);
	unit_fail_allocation(1);
	bool waits = scrape_ask(scrape, now_ms);
	unit_fail_allocation(0);
	ck_assert(!waits);
	ck_assert_int_eq(scrape_fd(scrape), -1);
	scrape_close(scrape);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("scrape");
	TCase *tests = tcase_create("scrape");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, all_who_ask_get_one_answer);
	tcase_add_test(tests, each_look_up_connects);
	tcase_add_test(tests, a_refused_connection);
	tcase_add_test(tests, no_attempt_at_all);
	tcase_add_test(tests, a_refused_statement);
	tcase_add_test(tests, a_silent_host_is_not_waited_for);
	tcase_add_test(tests, the_next_host_is_tried);
	tcase_add_test(tests, a_silent_server_is_cancelled);
	tcase_add_test(tests, a_stuck_server_gets_no_second_connection);
	tcase_add_test(tests, an_answer_at_the_limit_counts);
	tcase_add_test(tests, closing_cancels);
	tcase_add_test(tests, without_memory);
	suite_add_tcase(suite, tests);
	return suite;
}
