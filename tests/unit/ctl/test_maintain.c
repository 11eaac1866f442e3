/*
 * test_maintain.c - sluicectl maintain, over a libpq that plays scripts. What its steps do is in
 * tests/sql and tests/e2e.
 */
#include "scripted_tool.h"

/* A timer may run on primary and standby alike. */
START_TEST(a_standby_is_left_alone)
{
	static const struct libpq_call script[] = {TOOL_CONNECT, LIBPQ_FINISH, {0}};

	libpq_be_standby(true);
	const struct tool_run *run = RUN_SCRIPTED(script, "maintain", "--archive", "/bin/false");

	ck_assert_str_eq(run->err,
			 "sluicectl: warning: the server is a standby: nothing is done\n");
	ck_assert_int_eq(run->exit, CTL_FINE);
	libpq_check_end();
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("maintain");
	TCase *tests = tcase_create("maintain");

	tcase_add_test(tests, a_standby_is_left_alone);
	suite_add_tcase(suite, tests);
	return suite;
}
