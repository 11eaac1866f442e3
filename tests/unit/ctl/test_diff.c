/*
 * test_diff.c - the lines in which two texts differ.
 */
#include "check_main.h"
#include "ctl/ctl_internal.h"

static const struct {
	const char *before, *after, *shown;
} cases[] = {
	{"", "", ""},
	{"a\nb\n", "a\nb\n", ""},
	{"", "a\nb", "+a\n+b\n"},
	{"a\nb\n", "", "-a\n-b\n"},
	{"a\nb\nc\n", "a\nx\nc\n", " a\n-b\n+x\n c\n"},
	{"a\nb\nc\n", "a\nc\n", " a\n-b\n c\n"},
	{"a\nc\n", "a\nb\nc\n", " a\n+b\n c\n"},
	{"a", "a\n", ""},
	{"1\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\n2\n3\n4\nx\n6\n7\n8\n9\n",
	 " ...\n 2\n 3\n 4\n-5\n+x\n 6\n 7\n 8\n"},
	{"x\n2\n3\n4\n5\n6\n7\n8\n9\nx\n", "y\n2\n3\n4\n5\n6\n7\n8\n9\ny\n",
	 "-x\n+y\n 2\n 3\n 4\n ...\n 7\n 8\n 9\n-x\n+y\n"},
	{"a\033[m\n", "", "-a\\u001b[m\n"},
};

START_TEST(test_lines)
{
	struct ctl ctl = {.out = buf_make(4096)};

	ck_assert_int_eq(ctl_add_diff(&ctl, slice_of(cases[_i].before), slice_of(cases[_i].after)),
			 CTL_FINE);
	buf_add_char(&ctl.out, '\0');
	ck_assert_str_eq(ctl.out.p, cases[_i].shown);
	buf_free(&ctl.out);
	arena_free(&ctl.arena);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("diff");
	TCase *lines = tcase_create("lines");

	tcase_add_loop_test(lines, test_lines, 0, LENGTH(cases));
	suite_add_tcase(suite, lines);
	return suite;
}
