/*
 * test_ascii.c - every byte, and numbers that are none, against lists of characters.
 */
#include <limits.h>
#include <string.h>

#include "base/ascii.h"
#include "check_main.h"

static const char lower[] = "abcdefghijklmnopqrstuvwxyz";
static const char upper[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
static const char digits[] = "0123456789";

static bool is_of(const char *list, int c)
{
	return c > 0 && c < 0x80 && strchr(list, c) != NULL;
}

START_TEST(characters_are_told_apart)
{
	for (int c = -200; c < 1000; c++) {
		bool digit = is_of(digits, c);
		ck_assert_msg(ascii_is_digit(c) == digit, "%d", c);
		ck_assert_msg(ascii_is_alnum(c) == (digit || is_of(lower, c) || is_of(upper, c)),
			      "%d", c);
	}
	ck_assert(!ascii_is_alnum(INT_MAX) && !ascii_is_alnum(INT_MIN));
}
END_TEST

START_TEST(only_capitals_are_lowered)
{
	for (int c = CHAR_MIN; c <= CHAR_MAX; c++) {
		char want = is_of(upper, c) ? lower[strchr(upper, c) - upper] : (char)c;
		ck_assert_int_eq(ascii_lower((char)c), want);
	}
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("ascii");
	TCase *tests = tcase_create("ascii");

	tcase_add_test(tests, characters_are_told_apart);
	tcase_add_test(tests, only_capitals_are_lowered);
	suite_add_tcase(suite, tests);
	return suite;
}
