/*
 * test_top_sample.c - what two readings of the workers' counters say.
 */
#include "base/clock.h"
#include "check_main.h"
#include "ctl/top_internal.h"
#include "server/metrics.h"
#include "server/route.h"

static struct top_reading before, after;
static struct top_sample sample;
static unsigned single, bulk;

static void set_up(void)
{
	stats_open("", metrics_layout(), STATS_WORKER);
	for (unsigned i = 1; route_counted(i) != NULL; i++) {
		if (route_is_bulk(i))
			bulk = i;
		else if (single == 0 && route_is_webhook(i))
			single = i;
	}
}

static void tear_down(void)
{
	stats_close();
}

/* As if two seconds had passed. */
static void measure(void)
{
	top_read(&after);
	before.at_us = after.at_us - 2000000;
	top_measure(&before, &after, &sample);
}

START_TEST(rates_are_of_what_came_between)
{
	struct stats *stats = stats_mine();

	stats_add(&stats->requests[single][STATUS_ACCEPTED], 1000);
	stats_add(&stats->requests[single][STATUS_UNAUTHENTICATED], 9);
	top_read(&before);
	stats_add(&stats->requests[single][STATUS_ACCEPTED], 20);
	stats_add(&stats->requests[bulk][STATUS_ACCEPTED], 2);
	stats_add(&stats->requests[single][STATUS_UNAUTHENTICATED], 1);
	stats_add(&stats->requests[0][STATUS_NOT_FOUND], 3);
	stats_add(&stats->requests[single][STATUS_UNAVAILABLE], 5);
	stats_add(&stats->stored, 44);
	measure();
	ck_assert_double_eq(sample.accepted, 11);
	ck_assert_double_eq(sample.refused, 2);
	ck_assert_double_eq(sample.failed, 2.5);
	ck_assert_double_eq(sample.stored, 22);
	/* The most frequent now is the first. */
	ck_assert_uint_eq(sample.problem_count, 3);
	ck_assert_str_eq(sample.problems[0].code, "database_unavailable");
	ck_assert_str_eq(sample.problems[1].code, "not_found");
	ck_assert_str_eq(sample.problems[2].code, "unauthenticated");
	ck_assert_double_eq(sample.problems[2].rate, 0.5);
	ck_assert_uint_eq(sample.problems[2].total, 10);
}
END_TEST

START_TEST(health_checks_are_no_requests)
{
	top_read(&before);
	for (unsigned i = 0; route_counted(i) != NULL; i++) {
		if (i > 0 && !route_is_webhook(i))
			stats_add(&stats_mine()->requests[i][STATUS_OK], 100);
	}
	measure();
	ck_assert_double_eq(sample.accepted, 0);
}
END_TEST

START_TEST(times_are_bounds)
{
	struct stats *stats = stats_mine();

	top_read(&before);
	for (int i = 0; i < 99; i++)
		stats_observe(&stats->request_us[single], stats_durations_us, 2000);
	stats_observe(&stats->request_us[single], stats_durations_us, 900000);
	stats_observe(&stats->request_us[bulk], stats_durations_us, 60000000);
	stats_observe(&stats->statement_us, stats_durations_us, 20000000);
	stats_observe(&stats->group_requests, stats_sizes, 60);
	stats_observe(&stats->group_requests, stats_sizes, 40);
	measure();
	ck_assert_uint_eq(sample.request_half_us, 2500);
	ck_assert_uint_eq(sample.request_most_us, 2500);
	ck_assert_uint_eq(sample.statement_half_us, UINT64_MAX);
	ck_assert_double_eq(sample.group, 50);
	/* While nothing comes, they are of all that ever came. */
	stats_observe(&stats->request_us[single], stats_durations_us, 900000);
	before = after;
	measure();
	ck_assert_uint_eq(sample.request_most_us, 1000000);
	ck_assert_double_eq(sample.group, 50);
	ck_assert_double_eq(sample.accepted, 0);
}
END_TEST

START_TEST(nothing_is_measured_of_nothing)
{
	top_read(&before);
	measure();
	ck_assert_uint_eq(sample.request_half_us, 0);
	ck_assert_double_eq(sample.group, 0);
	ck_assert_uint_eq(sample.problem_count, 0);
	ck_assert_uint_eq(sample.workers, 1);
}
END_TEST

/* The file was replaced. */
START_TEST(a_counter_that_began_anew_is_counted_from_zero)
{
	stats_add(&stats_mine()->stored, 100);
	top_read(&before);
	stats_set(&stats_mine()->stored, 10);
	measure();
	ck_assert_double_eq(sample.stored, 5);
}
END_TEST

START_TEST(only_the_most_frequent_problems_are_shown)
{
	unsigned count = 0;

	top_read(&before);
	for (int i = STATUS_REPEATED_HEADER; i < STATUS_NOT_SIGNED_IN; i++)
		stats_add(&stats_mine()->requests[0][i], 2 * ++count);
	measure();
	ck_assert_uint_eq(sample.problem_count, TOP_PROBLEMS);
	for (unsigned i = 0; i < TOP_PROBLEMS; i++)
		ck_assert_double_eq(sample.problems[i].rate, count - i);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("top_sample");
	TCase *tcase = tcase_create("top_sample");

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, rates_are_of_what_came_between);
	tcase_add_test(tcase, health_checks_are_no_requests);
	tcase_add_test(tcase, times_are_bounds);
	tcase_add_test(tcase, nothing_is_measured_of_nothing);
	tcase_add_test(tcase, a_counter_that_began_anew_is_counted_from_zero);
	tcase_add_test(tcase, only_the_most_frequent_problems_are_shown);
	suite_add_tcase(suite, tcase);
	return suite;
}
