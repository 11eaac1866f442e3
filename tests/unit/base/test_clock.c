/*
 * test_clock.c - the clock is the monotonic one, in milliseconds.
 */
#include <time.h>

#include "base/clock.h"
#include "check_main.h"

static int64_t monotonic_ms(void)
{
	struct timespec now;

	ck_assert_int_eq(clock_gettime(CLOCK_MONOTONIC, &now), 0);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

START_TEST(it_is_the_monotonic_clock_in_milliseconds)
{
	for (int i = 0; i < 1000; i++) {
		int64_t before = monotonic_ms();
		int64_t now = clock_now_ms();
		int64_t after = monotonic_ms();
		ck_assert_int_ge(now, before);
		ck_assert_int_le(now, after);
	}
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("clock");
	TCase *tests = tcase_create("clock");

	tcase_add_test(tests, it_is_the_monotonic_clock_in_milliseconds);
	suite_add_tcase(suite, tests);
	return suite;
}
