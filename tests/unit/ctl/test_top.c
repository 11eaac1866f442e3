/*
 * test_top.c - sluicectl top, over counters that a worker has left behind and a libpq that plays
 * scripts.
 */
#include <stdio.h>
#include <unistd.h>

#include "base/stats.h"
#include "scripted_tool.h"
#include "server/metrics.h"
#include "server/route.h"

static char path[] = "/tmp/sluice-top-XXXXXX";

static const struct libpq_value metrics_text =
	TOOL_VALUE("# TYPE sluice_oldest_pending_age_seconds gauge\n"
		   "sluice_oldest_pending_age_seconds{table=\"product_org_staging\"} 0.000\n"
		   "sluice_oldest_pending_age_seconds{table=\"signal_staging\"} 12.345\n"
		   "sluice_maintenance_age_seconds 77.5\n");
static const struct libpq_result metrics_result = TOOL_ONE(&metrics_text);

static const struct libpq_value key[] = {
	TOOL_VALUE("7"), TOOL_VALUE("form"),	TOOL_VALUE("Example Ltd"), TOOL_VALUE("expired"),
	TOOL_VALUE("3"), TOOL_VALUE("expired"), TOOL_VALUE("2031-05-01Z"),
};
static const struct libpq_result one_key = {
	.status = PGRES_TUPLES_OK, .rows = 1, .columns = 7, .values = key};
static const struct libpq_result no_key = {.status = PGRES_TUPLES_OK, .rows = 0, .columns = 7};
static const struct libpq_result refused = LIBPQ_ERROR("42501", "permission denied");

#define ASK(keys)                                                                                  \
	TOOL_CONNECT, LIBPQ_SEND("SELECT sluice.metrics()()"), LIBPQ_ANSWER(&metrics_result),      \
		LIBPQ_SEND(NULL), LIBPQ_ANSWER(keys), LIBPQ_FINISH

/* A worker has served requests, and ended. */
static void set_up(void)
{
	struct stats *stats;

	(void)setenv("SLUICE_CONFIG", "/dev/null", 1);
	must(close(mkstemp(path)) == 0);
	(void)setenv("SLUICE_METRICS_FILE", path, 1);
	stats_open(path, metrics_layout(), STATS_WORKER);
	stats = stats_mine();
	stats_add(&stats->requests[1][STATUS_UNAUTHENTICATED], 5);
	stats_observe(&stats->request_us[1], stats_durations_us, 3000);
	stats_observe(&stats->request_us[1], stats_durations_us, 20000000);
	stats_observe(&stats->statement_us, stats_durations_us, 1200000);
	stats_observe(&stats->group_requests, stats_sizes, 12);
	stats_add(&stats->connections, 2);
	stats_add(&stats->lost_log_lines, 3);
	stats_close();
}

static void tear_down(void)
{
	(void)unlink(path);
}

START_TEST(one_screen_says_it_all)
{
	static const struct libpq_call script[] = {ASK(&one_key), {0}};
	const struct tool_run *run = RUN_SCRIPTED(script, "top", "--once", "--interval", "1");

	ck_assert_str_eq(run->err, "");
	ck_assert_int_eq(run->exit, CTL_FINE);
	check_says(run->out, "sluice " SLUICE_VERSION "  20");
	check_says(run->out, "\nup        0 workers, 0 connected to the database; 0 of 0 slots");
	check_says(run->out, "\nrequests  0.0/s accepted, 0.0/s refused, 0.0/s failed; 0.0/s items "
			     "stored; half within 5 ms, 99 % within over 10 s\n");
	check_says(run->out,
		   "\ngroups    half within 2.5 s, 99 % within 2.5 s in the database; 12.0 "
		   "requests in a group\n");
	check_says(run->out,
		   "\ntrouble   2 connections made, 0 unknown commits, 0 shed, 0 expired, "
		   "0 children failed, 3 log lines lost\n");
	check_says(run->out, "\ndatabase  oldest pending signal 12.345 s, product-org update 0.000 "
			     "s; maintained 77.5 s ago\n");
	check_says(run->out, "\nPROBLEM          NOW    IN ALL\nunauthenticated  0.0/s  5\n");
	check_says(run->out, "\n7    form  Example Ltd   expired  3 ");
	libpq_check_end();
}
END_TEST

START_TEST(json_is_an_object)
{
	static const struct libpq_call script[] = {ASK(&no_key), {0}};
	const struct tool_run *run = RUN_SCRIPTED(script, "top", "--json", "--interval", "1");

	check_says(run->out, "{\"service\":{\"workers\":0,\"connected\":0,\"slots\":0,");
	check_says(run->out, "\"group_requests\":12.000,\"problems\":[{\"code\":"
			     "\"unauthenticated\",\"per_second\":0.000,\"total\":5}]}");
	check_says(run->out, ",\"database\":true,\"keys\":[]}\n");
	libpq_check_end();
}
END_TEST

START_TEST(what_cannot_be_had_is_said)
{
	static const struct libpq_call script[] = {TOOL_CONNECT,
						   LIBPQ_SEND("SELECT sluice.metrics()()"),
						   LIBPQ_ANSWER(&refused),
						   LIBPQ_FINISH,
						   {0}};
	const struct tool_run *run;

	(void)setenv("SLUICE_METRICS_FILE", "/nowhere", 1);
	run = RUN_SCRIPTED(script, "top", "--once", "--interval", "1");
	check_says(run->out, "\nup        ? (the workers' counters cannot be read: run it on their "
			     "host, as root or their user)\ndatabase  permission denied\n");
	ck_assert_int_eq(run->exit, CTL_FINE);
	libpq_check_end();
}
END_TEST

START_TEST(the_database_may_be_away)
{
	static const struct libpq_call script[] = {
		LIBPQ_START,
		{"PQconnectPoll", .returns = PGRES_POLLING_FAILED, .message = "refused"},
		LIBPQ_FINISH,
		{0}};
	const struct tool_run *run = RUN_SCRIPTED(script, "top", "--once", "--interval", "1");

	check_says(run->out, "\ndatabase  it cannot be reached\n");
	check_says(run->out, "\nunauthenticated  0.0/s  5\n");
	ck_assert_int_eq(run->exit, CTL_FINE);
	libpq_check_end();
}
END_TEST

static const char *const intervals[] = {"0", "-1", "x", "3601"};

START_TEST(a_wrong_interval_is_refused)
{
	const struct tool_run *run = RUN_TOOL("top", "--interval", intervals[_i]);

	ck_assert_int_eq(run->exit, CTL_USAGE);
	check_says(run->err, "--interval takes 1 to 3600, not ");
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("top");
	TCase *tcase = tcase_create("top");

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, one_screen_says_it_all);
	tcase_add_test(tcase, json_is_an_object);
	tcase_add_test(tcase, what_cannot_be_had_is_said);
	tcase_add_test(tcase, the_database_may_be_away);
	tcase_add_loop_test(tcase, a_wrong_interval_is_refused, 0, LENGTH(intervals));
	suite_add_tcase(suite, tcase);
	return suite;
}
