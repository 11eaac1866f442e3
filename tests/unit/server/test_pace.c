/*
 * test_pace.c - how long a body is waited for, by how fast it comes.
 */
#include "check_main.h"
#include "server/pace.h"

enum { SECOND = 1000000, NOW_US = 50 * SECOND, RATE = 500, TIMEOUT_MS = 10000 };

static const struct {
	int64_t timeout_ms, grace_us;
} graces[] = {{10000, 5 * SECOND}, {60000, 30 * SECOND}, {300000, 30 * SECOND}, {100, 50000}};

START_TEST(silence_is_waited_for_by_half_of_the_time)
{
	struct pace pace;

	pace_start(&pace, RATE, graces[_i].timeout_ms, NOW_US);
	ck_assert_int_eq(pace.until_us, NOW_US + graces[_i].grace_us);
}
END_TEST

START_TEST(each_byte_is_worth_its_time)
{
	struct pace pace;

	pace_start(&pace, RATE, TIMEOUT_MS, NOW_US);
	pace_receive(&pace, RATE - 1, NOW_US + SECOND);
	ck_assert_int_eq(pace.until_us, NOW_US + 6 * SECOND - SECOND / RATE);
}
END_TEST

/* At the rate a body is waited for without end, below it not. */
START_TEST(the_rate_decides)
{
	struct pace pace, slower;
	int64_t now_us = NOW_US;

	pace_start(&pace, RATE, TIMEOUT_MS, now_us);
	slower = pace;
	for (int i = 0; i < 5000; i++) {
		now_us += SECOND;
		pace_receive(&pace, RATE, now_us);
		pace_receive(&slower, RATE - 1, now_us);
	}
	ck_assert_int_eq(pace.until_us, now_us + 5 * SECOND);
	ck_assert_int_lt(slower.until_us, now_us);
}
END_TEST

/* However much has come before. */
START_TEST(patience_never_exceeds_that_of_the_beginning)
{
	struct pace pace;

	pace_start(&pace, RATE, TIMEOUT_MS, NOW_US);
	pace_receive(&pace, SIZE_MAX / 2, NOW_US + SECOND);
	ck_assert_int_eq(pace.until_us, NOW_US + 6 * SECOND);
	pace_start(&pace, INT64_C(1) << 30, TIMEOUT_MS, NOW_US);
	pace_receive(&pace, SIZE_MAX / 2, NOW_US + SECOND);
	ck_assert_int_eq(pace.until_us, NOW_US + 6 * SECOND);
}
END_TEST

START_TEST(only_waiting_counts)
{
	struct pace pace;

	pace_start(&pace, RATE, TIMEOUT_MS, NOW_US);
	pace_pause(&pace, 7 * SECOND);
	ck_assert_int_eq(pace.until_us, NOW_US + 12 * SECOND);
}
END_TEST

START_TEST(without_a_rate_there_is_no_end)
{
	struct pace pace;

	pace_start(&pace, 0, TIMEOUT_MS, NOW_US);
	pace_pause(&pace, SECOND);
	pace_receive(&pace, 1, NOW_US + SECOND);
	ck_assert_int_eq(pace.until_us, INT64_MAX);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("pace");
	TCase *cases = tcase_create("pace");

	tcase_add_loop_test(cases, silence_is_waited_for_by_half_of_the_time, 0, LENGTH(graces));
	tcase_add_test(cases, each_byte_is_worth_its_time);
	tcase_add_test(cases, the_rate_decides);
	tcase_add_test(cases, patience_never_exceeds_that_of_the_beginning);
	tcase_add_test(cases, only_waiting_counts);
	tcase_add_test(cases, without_a_rate_there_is_no_end);
	suite_add_tcase(suite, cases);
	return suite;
}
