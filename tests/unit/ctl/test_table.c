/*
 * test_table.c - tables of the tool: aligned, and at a terminal as wide as that.
 */
#include <string.h>

#include "check_main.h"
#include "ctl/ctl_internal.h"

static const struct ctl_screen no_terminal = {0};

START_TEST(columns_are_aligned)
{
	static const char *const headings[] = {"A", "LONG", "C"};
	const struct slice cells[] = {SLICE("\xc3\xa4\xc3\xa4\xc3\xa4"),
				      SLICE("b"),
				      SLICE("c"),
				      {NULL, 0},
				      SLICE(""),
				      {NULL, 0},
				      SLICE("1"),
				      SLICE("longer"),
				      SLICE(" ")};
	struct buf out = buf_make(4096);

	ctl_add_table(&out, &no_terminal, &(struct ctl_table){headings, 3, cells, 3, false});
	buf_add_char(&out, '\0');
	ck_assert_str_eq(out.p, "A    LONG    C\n"
				"\xc3\xa4\xc3\xa4\xc3\xa4  b       c\n"
				"-    -       -\n"
				"1    longer\n");
	buf_free(&out);
}
END_TEST

static enum status add_escaped_cells(void)
{
	static const char *const headings[] = {"A", "B"};
	const struct slice cells[] = {SLICE("\n\n"), SLICE("b")};
	struct buf out = buf_make(4096);

	ctl_add_table(&out, &no_terminal, &(struct ctl_table){headings, 2, cells, 1, false});
	enum status status = out.status;
	buf_free(&out);
	return status;
}

/* The buffer alone does: a width that was measured without memory would be too small. */
START_TEST(widths_take_no_memory)
{
	ck_assert_int_eq(unit_torture(add_escaped_cells), 1);
}
END_TEST

/* A table of two columns and one row, as a screen shows it. */
static const char *shown(struct buf *out, size_t columns, bool colours, bool wraps,
			 const char *first, const char *second)
{
	static const char *const headings[] = {"STATUS", "DETAIL"};
	const struct slice cells[] = {slice_of(first), slice_of(second)};
	const struct ctl_screen screen = {columns, colours};

	buf_reset(out, out->size);
	ctl_add_table(out, &screen, &(struct ctl_table){headings, 2, cells, 1, wraps});
	buf_add_char(out, '\0');
	ck_assert_int_eq(out->status, STATUS_OK);
	return out->p;
}

#define SIX_DAYS "\xe6\x97\xa5\xe6\x97\xa5\xe6\x97\xa5\xe6\x97\xa5\xe6\x97\xa5\xe6\x97\xa5"

static const struct {
	size_t columns;
	const char *detail, *table;
} fits[] = {
	{0, "a detail that is long", "STATUS  DETAIL\nnew     a detail that is long\n"},
	{29, "a detail that is long", "STATUS  DETAIL\nnew     a detail that is long\n"},
	{28, "a detail that is long", "STATUS  DETAIL\nnew     a detail that is lo…\n"},
	{14, "a detail that is long", "STATUS  DETAIL\nnew     a det…\n"},
	{10, "a detail that is long", "STA…  DET…\nnew   a d…\n"},
	{1, "long", "…  …\n…  …\n"}, /* nothing is narrower than an ellipsis */
	{20, SIX_DAYS, "STATUS  DETAIL\nnew     " SIX_DAYS "\n"},
	{19, SIX_DAYS,
	 "STATUS  DETAIL\nnew     \xe6\x97\xa5\xe6\x97\xa5\xe6\x97\xa5\xe6\x97\xa5\xe6\x97\xa5…\n"},
	{18, SIX_DAYS,
	 "STATUS  DETAIL\nnew     \xe6\x97\xa5\xe6\x97\xa5\xe6\x97\xa5\xe6\x97\xa5…\n"},
};

START_TEST(a_table_is_as_wide_as_the_terminal)
{
	struct buf out = buf_make(4096);

	ck_assert_str_eq(shown(&out, fits[_i].columns, false, false, "new", fits[_i].detail),
			 fits[_i].table);
	buf_free(&out);
}
END_TEST

static const struct {
	size_t columns;
	const char *detail, *table;
} wraps[] = {
	{0, "one two three four five six", "STATUS  DETAIL\nnew     one two three four five six\n"},
	{28, "one two three four five six",
	 "STATUS  DETAIL\nnew     one two three four\n        five six\n"},
	{28, "onetwothreefourfivesixseven",
	 "STATUS  DETAIL\nnew     onetwothreefourfives\n        ixseven\n"},
	{20, "one two three four five six", "…  DETAIL\n…  one two three\n   four five six\n"},
};

START_TEST(a_last_column_that_is_never_cut_takes_more_lines)
{
	struct buf out = buf_make(4096);

	ck_assert_str_eq(shown(&out, wraps[_i].columns, false, true, "new", wraps[_i].detail),
			 wraps[_i].table);
	buf_free(&out);
}
END_TEST

START_TEST(states_and_headings_have_colours)
{
	static const struct {
		const char *status, *shown;
	} states[] = {{"ok", "\033[32mok\033[0m"},
		      {"failed", "\033[31mfailed\033[0m"},
		      {"expired", "\033[33mexpired\033[0m"},
		      {"pending", "pending"}};
	struct buf out = buf_make(4096);

	for (int i = 0; i < LENGTH(states); i++) {
		const char *table = shown(&out, 0, true, false, states[i].status, "failed");
		ck_assert_ptr_nonnull(strstr(table, "\033[1mSTATUS"));
		ck_assert_ptr_nonnull(strstr(table, states[i].shown));
		ck_assert_ptr_nonnull(strstr(table, "  failed\n")); /* a text is no state */
	}
	buf_free(&out);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("table");
	TCase *tests = tcase_create("table");

	tcase_add_test(tests, columns_are_aligned);
	tcase_add_test(tests, widths_take_no_memory);
	tcase_add_loop_test(tests, a_table_is_as_wide_as_the_terminal, 0, LENGTH(fits));
	tcase_add_loop_test(tests, a_last_column_that_is_never_cut_takes_more_lines, 0,
			    LENGTH(wraps));
	tcase_add_test(tests, states_and_headings_have_colours);
	suite_add_tcase(suite, tests);
	return suite;
}
