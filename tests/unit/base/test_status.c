/*
 * test_status.c - each status has a name of its own.
 */
#include <string.h>

#include "check_main.h"

START_TEST(each_has_a_name)
{
	const char *name = status_name((enum status)_i);

	ck_assert_ptr_nonnull(name);
	ck_assert_uint_eq(strspn(name, "abcdefghijklmnopqrstuvwxyz_"), strlen(name));
	ck_assert_uint_gt(strlen(name), 0);
	for (int other = 0; other < _i; other++)
		ck_assert_str_ne(name, status_name((enum status)other));
}
END_TEST

START_TEST(names_are_those_of_the_enum)
{
	ck_assert_str_eq(status_name(STATUS_OK), "ok");
	ck_assert_str_eq(status_name(STATUS_AGAIN), "again");
	ck_assert_str_eq(status_name(STATUS_MISSING_PRODUCT_ORG_ID), "missing_product_org_id");
	ck_assert_str_eq(status_name(STATUS_INTERNAL), "internal");
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("status");
	TCase *tests = tcase_create("status");

	tcase_add_loop_test(tests, each_has_a_name, 0, STATUS_COUNT);
	tcase_add_test(tests, names_are_those_of_the_enum);
	suite_add_tcase(suite, tests);
	return suite;
}
