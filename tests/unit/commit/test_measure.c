/*
 * test_measure.c - what is counted of groups, and for how long a failure is held against the
 * database.
 */
#include "base/clock.h"
#include "base/stats.h"
#include "check_main.h"
#include "commit/measure.h"

enum { NOW_MS = 5000, LATER_MS = NOW_MS + 10000 };

START_TEST(a_group_is_counted_with_its_size_and_time)
{
	struct commit_measure measure = {0};
	const struct stats *stats = stats_mine();

	commit_measure_sent(&measure);
	ck_assert_int_le(measure.sent_us, clock_now_us());
	measure.sent_us -= 1000001;
	commit_measure_ended(&measure, 3);
	ck_assert_uint_eq(stats_get(&stats->group_requests.sum), 3);
	ck_assert_uint_eq(stats_get(&stats->group_requests.buckets[2]), 1);
	ck_assert_uint_gt(stats_get(&stats->statement_us.sum), 1000000);
}
END_TEST

START_TEST(trouble_lasts_ten_seconds)
{
	struct commit_measure measure = {0};

	ck_assert_int_eq(commit_measure_trouble(&measure, NOW_MS), STATUS_OK);
	commit_measure_outcome(&measure, STATUS_STORAGE_FULL, NOW_MS);
	ck_assert_int_eq(commit_measure_trouble(&measure, LATER_MS - 1), STATUS_STORAGE_FULL);
	ck_assert_int_eq(commit_measure_trouble(&measure, LATER_MS), STATUS_OK);
}
END_TEST

START_TEST(a_commit_ends_it)
{
	struct commit_measure measure = {0};

	commit_measure_outcome(&measure, STATUS_DEADLINE, NOW_MS);
	commit_measure_outcome(&measure, STATUS_INVALID_VALUE, NOW_MS);
	ck_assert_int_eq(commit_measure_trouble(&measure, NOW_MS), STATUS_DEADLINE);
	commit_measure_outcome(&measure, STATUS_OK, NOW_MS);
	ck_assert_int_eq(commit_measure_trouble(&measure, NOW_MS), STATUS_OK);
}
END_TEST

START_TEST(an_unknown_outcome_is_counted)
{
	struct commit_measure measure = {0};

	commit_measure_outcome(&measure, STATUS_OUTCOME_UNKNOWN, NOW_MS);
	ck_assert_uint_eq(stats_get(&stats_mine()->unknown_commits), 1);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("measure");
	TCase *tcase = tcase_create("measure");

	tcase_add_test(tcase, a_group_is_counted_with_its_size_and_time);
	tcase_add_test(tcase, trouble_lasts_ten_seconds);
	tcase_add_test(tcase, a_commit_ends_it);
	tcase_add_test(tcase, an_unknown_outcome_is_counted);
	suite_add_tcase(suite, tcase);
	return suite;
}
