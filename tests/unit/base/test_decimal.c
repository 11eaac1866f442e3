/*
 * test_decimal.c - decimal numbers: their grammar, and which of them are whole and fit 64 bits.
 */
#include <string.h>

#include "base/decimal.h"
#include "check_main.h"

#define T(literal) SLICE(literal)

/* ---- grammar ---- */

static const struct {
	struct slice text;
	bool good;
	const char *digits;
	int64_t point;
	bool negative;
} numbers[] = {
	{T("0"), true, "", 1},
	{T("12"), true, "12", 2},
	{T("-12"), true, "12", 2, true},
	{T("-0"), true, "", 1, true},
	{T("007"), true, "7", 1},
	{T("1200"), true, "12", 4},
	{T("1.5"), true, "15", 1},
	{T("0.015"), true, "15", -1},
	{T("1.50"), true, "15", 1},
	{T("1e3"), true, "1", 4},
	{T("1E+3"), true, "1", 4},
	{T("1.25e-1"), true, "125", 0},
	{T("123456789012345678901234"), true, "123456789012345678901234", 24},
	{T("1234567890123456789012345"), true, "123456789012345678901234", 25},
	{T("1e0000000000000000000003"), true, "1", 4},
	{T(""), false},
	{T("-"), false},
	{T("+1"), false},
	{T("."), false},
	{T(".5"), false},
	{T("5."), false},
	{T("-.5"), false},
	{T("1e"), false},
	{T("1e+"), false},
	{T("1e--1"), false},
	{T("1e1.5"), false},
	{T("1.5.5"), false},
	{T("1,5"), false},
	{T("1 "), false},
	{T(" 1"), false},
	{T("--1"), false},
	{T("0x10"), false},
	{T("1_000"), false},
	{T("NaN"), false},
	{T("Infinity"), false},
	{T("1\0"), false},
	{{NULL, 0}, false},
};

START_TEST(numbers_are_read_as_digits)
{
	struct decimal decimal;

	ck_assert_int_eq(decimal_read(numbers[_i].text, &decimal), numbers[_i].good);
	if (!numbers[_i].good)
		return;
	ck_assert_int_eq(decimal.count, (int)strlen(numbers[_i].digits));
	ck_assert_mem_eq(decimal.digits, numbers[_i].digits, (size_t)decimal.count);
	if (decimal.count > 0)
		ck_assert_int_eq(decimal.point, numbers[_i].point);
	ck_assert_int_eq(decimal.negative, numbers[_i].negative);
}
END_TEST

/* ---- whole numbers ---- */

#define FRACTION "is not a whole number"
#define BEYOND	 "is not a whole number within 64 bits"
#define ZEROS	 "00000000000000000000000000000000000000000000000000"

static const struct {
	struct slice text;
	const char *reason; /* NULL: it is whole */
	int64_t value;
} wholes[] = {
	{T("0"), NULL, 0},
	{T("-0"), NULL, 0},
	{T("-0.0"), NULL, 0},
	{T("0e400"), NULL, 0},
	{T("0e-400"), NULL, 0},
	{T("7"), NULL, 7},
	{T("-7"), NULL, -7},
	{T("12.0"), NULL, 12},
	{T("12." ZEROS), NULL, 12},
	{T(ZEROS "12"), NULL, 12},
	{T("1e3"), NULL, 1000},
	{T("1.25e2"), NULL, 125},
	{T("1200e-2"), NULL, 12},
	{T("1" ZEROS "e-50"), NULL, 1},
	{T("0." ZEROS "12e52"), NULL, 12},
	{T("9007199254740993"), NULL, INT64_C(9007199254740993)},
	{T("9223372036854775806"), NULL, INT64_MAX - 1},
	{T("9223372036854775807"), NULL, INT64_MAX},
	{T("9223372036854775807.0"), NULL, INT64_MAX},
	{T("9.223372036854775807e18"), NULL, INT64_MAX},
	{T("-9223372036854775807"), NULL, -INT64_MAX},
	{T("-9223372036854775808"), NULL, INT64_MIN},
	{T("1000000000000000000"), NULL, INT64_C(1000000000000000000)},
	{T("9223372036854775808"), BEYOND, 0},
	{T("-9223372036854775809"), BEYOND, 0},
	{T("9999999999999999999"), BEYOND, 0},
	{T("10000000000000000000"), BEYOND, 0},
	{T("18446744073709551616"), BEYOND, 0},
	{T("1" ZEROS), BEYOND, 0},
	{T("1e19"), BEYOND, 0},
	{T("1e400"), BEYOND, 0},
	{T("1e99999999999999999999"), BEYOND, 0},
	{T("123456789012345678901234567890"), BEYOND, 0},
	{T("12.5"), FRACTION, 0},
	{T("-12.5"), FRACTION, 0},
	{T("0.1"), FRACTION, 0},
	{T("1e-1"), FRACTION, 0},
	{T("1e-400"), FRACTION, 0},
	{T("1e-99999999999999999999"), FRACTION, 0},
	{T("12." ZEROS "1"), FRACTION, 0},
	{T("1" ZEROS "1e-50"), FRACTION, 0},
	{T("9223372036854775807.5"), FRACTION, 0},
};

START_TEST(whole_numbers_within_64_bits_are_taken)
{
	struct decimal decimal;
	const char *reason = NULL;
	int64_t value = 0;

	ck_assert(decimal_read(wholes[_i].text, &decimal));
	bool whole = decimal_int(&decimal, &value, &reason);
	ck_assert_msg(whole == (wholes[_i].reason == NULL), "%s", wholes[_i].text.p);
	ck_assert_int_eq(value, wholes[_i].value);
	if (!whole)
		ck_assert_str_eq(reason, wholes[_i].reason);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("decimal");
	TCase *all = tcase_create("all");

	tcase_add_loop_test(all, numbers_are_read_as_digits, 0, LENGTH(numbers));
	tcase_add_loop_test(all, whole_numbers_within_64_bits_are_taken, 0, LENGTH(wholes));
	suite_add_tcase(suite, all);
	return suite;
}
