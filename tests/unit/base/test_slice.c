/*
 * test_slice.c - slices are compared, trimmed, and read and written as numbers.
 */
#include "base/slice.h"
#include "check_main.h"

static const struct {
	const char *a, *b;
	bool equal, equal_nocase, starts;
} pairs[] = {
	{"", "", true, true, true},
	{NULL, "", true, true, true},
	{NULL, NULL, true, true, true},
	{"a", "", false, false, true},
	{"", "a", false, false, false},
	{"key", "key", true, true, true},
	{"key", "KEY", false, true, false},
	{"key", "ke", false, false, true},
	{"ke", "key", false, false, false},
	{"@[`{", "`{@[", false, false, false},
	{"@", "`", false, false, false},
	{"[", "{", false, false, false},
	{"\xc4", "\xe4", false, false, false},
	{"AZaz", "azAZ", false, true, false},
};

START_TEST(slices_compare)
{
	struct slice a = slice_of(pairs[_i].a);
	struct slice b = slice_of(pairs[_i].b);

	ck_assert_int_eq(slice_equal(a, b), pairs[_i].equal);
	ck_assert_int_eq(slice_equal(b, a), pairs[_i].equal);
	ck_assert_int_eq(slice_equal_nocase(a, b), pairs[_i].equal_nocase);
	ck_assert_int_eq(slice_starts(a, b), pairs[_i].starts);
}
END_TEST

static const struct {
	const char *text, *trimmed;
} blanks[] = {{"", ""},
	      {" ", ""},
	      {" \t\r\n ", ""},
	      {"a", "a"},
	      {" a", "a"},
	      {"a\n", "a"},
	      {"\ta b\r\n", "a b"},
	      {"\va", "\va"},
	      {"\xa0"
	       "a",
	       "\xa0"
	       "a"}};

START_TEST(slices_are_trimmed)
{
	ck_assert(slice_equal(slice_trim(slice_of(blanks[_i].text)), slice_of(blanks[_i].trimmed)));
}
END_TEST

START_TEST(slices_hold_any_byte)
{
	struct slice text = SLICE("a\0b");

	ck_assert_uint_eq(text.n, 3);
	ck_assert(!slice_equal(text, SLICE("a\0c")));
	ck_assert(slice_equal(text, SLICE("a\0b")));
	ck_assert_ptr_null(slice_of(NULL).p);
	ck_assert_uint_eq(slice_of("").n, 0);
	ck_assert_ptr_nonnull(slice_of("").p);
}
END_TEST

/* ---- numbers ---- */

static const struct {
	const char *text;
	int64_t value; /* -1: not a number */
} numbers[] = {
	{"0", 0},
	{"7", 7},
	{"007", 7},
	{"10", 10},
	{"9223372036854775799", INT64_MAX - 8},
	{"9223372036854775806", INT64_MAX - 1},
	{"9223372036854775807", INT64_MAX},
	{"0009223372036854775807", INT64_MAX},
	{"9223372036854775808", -1},
	{"9223372036854775810", -1},
	{"18446744073709551616", -1},
	{"99999999999999999999999999999", -1},
	{"", -1},
	{NULL, -1},
	{"-1", -1},
	{"+1", -1},
	{" 1", -1},
	{"1 ", -1},
	{"1.0", -1},
	{"0x10", -1},
	{"1/", -1},
	{":1", -1},
	{"\xb2", -1},
};

START_TEST(digits_are_read)
{
	int64_t value;
	bool is_number = numbers[_i].value >= 0;

	ck_assert_int_eq(slice_to_int(slice_of(numbers[_i].text), &value), is_number);
	if (is_number)
		ck_assert_int_eq(value, numbers[_i].value);
}
END_TEST

static const struct {
	int64_t value;
	const char *text;
} written[] = {
	{0, "0"},
	{-1, "-1"},
	{10, "10"},
	{-9876543210, "-9876543210"},
	{INT64_MAX, "9223372036854775807"},
	{INT64_MIN, "-9223372036854775808"},
};

START_TEST(numbers_are_written_and_terminated)
{
	char digits[SLICE_INT_CHARS];
	struct slice text = slice_of_int(written[_i].value, digits);

	ck_assert_str_eq(text.p, written[_i].text);
	ck_assert_uint_eq(text.n, strlen(written[_i].text));
	ck_assert(text.p >= digits && text.p + text.n < digits + sizeof(digits));
}
END_TEST

static const struct {
	struct slice text;
	const char *words;
	bool is;
} words[] = {
	{{"b", 1}, "a b c ", true}, {{"c", 1}, "a b c ", true},	   {{"ab", 2}, "a b c ", false},
	{{"", 0}, "a b c ", false}, {{"a b", 3}, "a b c ", false}, {{"a", 1}, "ab ", false},
	{{"ab", 2}, "a ", false},   {{"a", 1}, "", false},
};

START_TEST(a_word_of_several)
{
	ck_assert_int_eq(slice_is_one_of(words[_i].text, words[_i].words), words[_i].is);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("slice");
	TCase *tests = tcase_create("slice");

	tcase_add_loop_test(tests, slices_compare, 0, LENGTH(pairs));
	tcase_add_loop_test(tests, a_word_of_several, 0, LENGTH(words));
	tcase_add_loop_test(tests, slices_are_trimmed, 0, LENGTH(blanks));
	tcase_add_test(tests, slices_hold_any_byte);
	tcase_add_loop_test(tests, digits_are_read, 0, LENGTH(numbers));
	tcase_add_loop_test(tests, numbers_are_written_and_terminated, 0, LENGTH(written));
	suite_add_tcase(suite, tests);
	return suite;
}
