/*
 * test_timestamp.c - points in time as senders write them: what is read, and what is not.
 */
#include <stdlib.h>
#include <string.h>

#include "base/timestamp.h"
#include "check_main.h"

#define T(literal) SLICE(literal)
#define S	   INT64_C(1000000)	     /* microseconds */
#define JAN15	   (INT64_C(1705276800) * S) /* 2024-01-15T00:00:00Z */

static const struct {
	struct slice text;
	int64_t us;
} readable[] = {
	/* dates */
	{T("1970-01-01"), 0},
	{T("1970-01-02"), 86400 * S},
	{T("1970-12-31"), 364 * 86400 * S},
	{T("1972-02-29"), 789 * 86400 * S},
	{T("2000-02-29"), INT64_C(951782400) * S},
	{T("2000-03-01"), INT64_C(951868800) * S},
	{T("2024-01-15"), JAN15},
	{T("2024-02-29"), JAN15 + 45 * 86400 * S},
	{T("2024-12-31"), JAN15 + 351 * 86400 * S},
	{T("2100-03-01"), INT64_C(4107542400) * S},
	{T("9999-12-31"), INT64_C(253402214400) * S},
	/* times without a zone are UTC */
	{T("2024-01-15T10:30"), JAN15 + 37800 * S},
	{T("2024-01-15T10:30:15"), JAN15 + 37815 * S},
	{T("2024-01-15 10:30:15"), JAN15 + 37815 * S},
	{T("2024-01-15t10:30:15z"), JAN15 + 37815 * S},
	{T("2024-01-15T00:00:00Z"), JAN15},
	{T("2024-01-15T23:59:59Z"), JAN15 + 86399 * S},
	/* fractions, cut off below a microsecond */
	{T("2024-01-15T00:00:00.1Z"), JAN15 + 100000},
	{T("2024-01-15T00:00:00.12Z"), JAN15 + 120000},
	{T("2024-01-15T00:00:00.123Z"), JAN15 + 123000},
	{T("2024-01-15T00:00:00,123Z"), JAN15 + 123000},
	{T("2024-01-15T00:00:00.123456Z"), JAN15 + 123456},
	{T("2024-01-15T00:00:00.1234569Z"), JAN15 + 123456},
	{T("2024-01-15T00:00:00.000000999999999999999999999999999Z"), JAN15},
	{T("2024-01-15T00:00:00.999999999Z"), JAN15 + 999999},
	{T("2024-01-15T00:00:00.5+01:00"), JAN15 + 500000 - 3600 * S},
	/* zones */
	{T("2024-01-15T10:30:00+01:00"), JAN15 + 34200 * S},
	{T("2024-01-15T10:30:00+0100"), JAN15 + 34200 * S},
	{T("2024-01-15T10:30:00+01"), JAN15 + 34200 * S},
	{T("2024-01-15T10:30:00-05:30"), JAN15 + 57600 * S},
	{T("2024-01-15T10:30:00-0530"), JAN15 + 57600 * S},
	{T("2024-01-15T10:30:00+00:00"), JAN15 + 37800 * S},
	{T("2024-01-15T10:30:00-00:00"), JAN15 + 37800 * S},
	{T("2024-01-15T10:30+14:00"), JAN15 - 12600 * S},
	{T("2024-01-15T00:00:00+23:59"), JAN15 - 86340 * S},
	/* the leap second is the last microsecond of the one before */
	{T("2016-12-31T23:59:60Z"), INT64_C(1483228800) * S - 1},
	{T("2016-12-31T23:59:60.5Z"), INT64_C(1483228800) * S - 1},
	{T("2017-01-01T00:59:60+01:00"), INT64_C(1483228800) * S - 1},
	/* the edges */
	{T("1970-01-01T00:00:00.000000Z"), 0},
	{T("1969-12-31T23:00:00-01:00"), 0},
	{T("1970-01-01T01:00:00+01:00"), 0},
	{T("9999-12-31T23:59:59.999999Z"), INT64_C(253402300800) * S - 1},
	/* Unix seconds: up to 11 digits before the point */
	{T("0"), 0},
	{T("1"), S},
	{T("1705276800"), JAN15},
	{T("1705276800.25"), JAN15 + 250000},
	{T("1705276800.1234567"), JAN15 + 123456},
	{T("0.000001"), 1},
	{T("0.0000019"), 1},
	{T("0.0000001"), 0},
	{T("0.0"), 0},
	{T("0e99999999999"), 0},
	{T("99999999999"), INT64_C(99999999999) * S},
	{T("1.7052768e9"), JAN15},
	{T("1.7052768E+9"), JAN15},
	{T("17052768e2"), JAN15},
	{T("170527680000e-2"), INT64_C(1705276800) * S},
	{T("1e-3"), 1000},
	{T("1e-99999"), 0},
	/* milliseconds: 12 digits and more */
	{T("100000000000"), INT64_C(100000000) * S},
	{T("1705276800000"), JAN15},
	{T("1705276800123"), JAN15 + 123000},
	{T("1705276800123.4567"), JAN15 + 123456},
	{T("1.705276800123E12"), JAN15 + 123000},
	{T("99999999999999"), INT64_C(99999999999999) * 1000},
	{T("0001705276800"), JAN15},
	/* microseconds: 15 digits and more */
	{T("100000000000000"), INT64_C(100000000) * S},
	{T("1705276800123456"), JAN15 + 123456},
	{T("1705276800123456.9"), JAN15 + 123456},
	{T("99999999999999999"), INT64_C(99999999999999999)},
	{T("1e15"), INT64_C(1000000000) * S},
	{T("1e18"), INT64_C(1000000000) * S},
	/* nanoseconds: 18 digits and more */
	{T("100000000000000000"), INT64_C(100000000) * S},
	{T("1705276800123456789"), JAN15 + 123456},
	{T("99999999999999999999"), INT64_C(99999999999) * S + 999999},
	/* dates of digits alone */
	{T("20240115"), JAN15},
	{T("20240229"), JAN15 + 45 * 86400 * S},
	{T("202401151030"), JAN15 + 37800 * S},
	{T("20240115103015"), JAN15 + 37815 * S},
	{T("20240115103015250"), JAN15 + 37815 * S + 250000},
	{T("20240115103015.25"), JAN15 + 37815 * S + 250000},
	{T("20240115103015Z"), JAN15 + 37815 * S},
	{T("20240115103015+0100"), JAN15 + 34215 * S},
	{T("20240115T1030"), JAN15 + 37800 * S},
	{T("20240115T103015Z"), JAN15 + 37815 * S},
	{T("20240115T103015.5Z"), JAN15 + 37815 * S + 500000},
	{T("20240115T103000+01"), JAN15 + 34200 * S},
	{T("20240115T10:30:15"), JAN15 + 37815 * S},
	{T("2024-01-15T103015Z"), JAN15 + 37815 * S},
	/* … and those that are none are Unix time */
	{T("20240230"), INT64_C(20240230) * S},
	{T("20241315"), INT64_C(20241315) * S},
	{T("2024"), 2024 * S},
	{T("202401"), 202401 * S},
	{T("202401152430"), INT64_C(202401152430) * 1000},
	/* zones by name and after a space */
	{T("2024-01-15 10:30:00 UTC"), JAN15 + 37800 * S},
	{T("2024-01-15T10:30:00UTC"), JAN15 + 37800 * S},
	{T("2024-01-15 10:30:00 gmt"), JAN15 + 37800 * S},
	{T("2024-01-15T10:30:00 Z"), JAN15 + 37800 * S},
	{T("2024-01-15 10:30:00 +0100"), JAN15 + 34200 * S},
	{T("2024-01-15 10:30:00.5 -05:30"), JAN15 + 57600 * S + 500000},
	{T("2024-01-15 10:30 +01"), JAN15 + 34200 * S},
	/* RFC 2822 */
	{T("Mon, 15 Jan 2024 10:30:00 +0000"), JAN15 + 37800 * S},
	{T("Mon, 15 Jan 2024 10:30:00 GMT"), JAN15 + 37800 * S},
	{T("mon,15 JAN 2024 10:30 utc"), JAN15 + 37800 * S},
	{T("15 Jan 2024 10:30:00 +0100"), JAN15 + 34200 * S},
	{T("15 Jan 2024 10:30:00 +0100 (CET)"), JAN15 + 34200 * S},
	{T("15 Jan 2024 10:30:00 EST"), JAN15 + (37800 + 5 * 3600) * S},
	{T("15 Jan 2024 10:30:00 PDT"), JAN15 + (37800 + 7 * 3600) * S},
	{T("15 Jan 2024 10:30:00 Z"), JAN15 + 37800 * S},
	{T("15 Jan 2024 10:30:00"), JAN15 + 37800 * S},
	{T("15-Jan-2024 10:30:00"), JAN15 + 37800 * S},
	{T("1  Feb  2024  00:00:00"), JAN15 + 17 * 86400 * S},
	{T("29 Feb 2024 00:00"), JAN15 + 45 * 86400 * S},
};

/* Reads from memory of exactly the text's size. */
static bool read_exact(struct slice text, int64_t *us)
{
	char *exact = malloc(text.n + 1);

	ck_assert_ptr_nonnull(exact);
	char *p = exact + 1; /* so that the text's end is the block's end */
	memcpy(p, text.p, text.n);
	bool good = timestamp_read((struct slice){p, text.n}, us);
	free(exact);
	return good;
}

START_TEST(timestamps_are_read)
{
	for (int i = 0; i < LENGTH(readable); i++) {
		int64_t us = -1;
		ck_assert_msg(read_exact(readable[i].text, &us), "%s", readable[i].text.p);
		ck_assert_msg(us == readable[i].us, "%s: %lld", readable[i].text.p, (long long)us);
	}
}
END_TEST

static const struct slice unreadable[] = {
	T(""),
	T(" "),
	T("now"),
	T("yesterday"),
	T("-"),
	T("."),
	T("e"),
	T("Z"),
	T("T"),
	/* not a date */
	T("2024"
	  "-"),
	T("2024-01"),
	T("2024-1-15"),
	T("24-01-15"),
	T("2024-01-15T"),
	T("2024/01/15"),
	T("15.01.2024"),
	T("01/15/2024"),
	T("2024-00-15"),
	T("2024-13-15"),
	T("2024-01-00"),
	T("2024-01-32"),
	T("2024-04-31"),
	T("2023-02-29"),
	T("1900-02-29"),
	T("2100-02-29"),
	T("2024-02-30"),
	T("2024-01-15 "),
	T(" 2024-01-15"),
	T("2024-01-15x"),
	T("+2024-01-15"),
	T("02024-01-15"),
	T("2024-W03-1"),
	T("2024-015"),
	T("0000-01-01"),
	/* not a time */
	T("2024-01-15T10"),
	T("2024-01-15T1:30"),
	T("2024-01-15T24:00:00"),
	T("2024-01-15T10:60"),
	T("2024-01-15T10:30:61"),
	T("2024-01-15T10:30:"),
	T("2024-01-15T10:30:1"),
	T("2024-01-15T10:30:00."),
	T("2024-01-15T10:30:00.Z"),
	T("2024-01-15T10:30.5"),
	T("2024-01-15  10:30"),
	T("2024-01-15T-1:30"),
	T("2024-01-15T10:30:00.1.2"),
	/* not a zone */
	T("2024-01-15T10:30:00ZZ"),
	T("2024-01-15T10:30:00  Z"),
	T("2024-01-15T10:30:00 "),
	T("2024-01-15T10:30:00 CET"),
	T("2024-01-15T10:30:00+1"),
	T("2024-01-15T10:30:00+24:00"),
	T("2024-01-15T10:30:00+01:60"),
	T("2024-01-15T10:30:00+01:"),
	T("2024-01-15T10:30:00+010"),
	T("2024-01-15T10:30:00+01:000"),
	T("2024-01-15T10:30:00UTCZ"),
	T("2024-01-15T10:30:00UT"),
	T("2024-01-15T10:30:00+"),
	T("2024-01-15+01:00"),
	T("2024-01-15Z"),
	T("2024-01-15T10:30:00+01:00Z"),
	/* before 1970 and after 9999 */
	T("1969-12-31"),
	T("1969-12-31T23:59:59.999999Z"),
	T("1970-01-01T00:00:00+00:01"),
	T("9999-12-31T23:59:59-00:01"),
	T("10000-01-01"),
	T("0001-01-01"),
	T("-1"),
	T("1e22"),
	T("10000000000000000000000"),
	T("1e99"),
	/* not a date of digits */
	T("20240115T"),
	T("20240115T10"),
	T("20240115Z"),
	T("20240115T2430"),
	T("20240115T103061"),
	T("20240115103015.Z"),
	T("202401151030152Z"),
	/* not RFC 2822 */
	T("Mon 15 Jan 2024 10:30:00"),
	T("Moon, 15 Jan 2024 10:30:00"),
	T("Mon, 15 January 2024 10:30:00"),
	T("15 Jan 24 10:30:00"),
	T("15 Jan 2024"),
	T("32 Jan 2024 10:30:00"),
	T("0 Jan 2024 10:30:00"),
	T("30 Feb 2024 10:30:00"),
	T("15 Jan 2024 10:30:00 CET"),
	T("15 Jan 2024 10:30:00 +1"),
	T("15 Jan 2024 10:30:00 (UTC"),
	T("15 Jan 2024 10:30:00 GMT x"),
	T("15 Jan 1969 10:30:00 GMT"),
	T("Jan 15 2024 10:30:00"),
	T("15Jan 2024 10:30:00"),
	T("Mon, "),
	T("1e99999999999999999999"),
	T("99999999999999999999999999999999999999"),
	/* not a number */
	T("+1705276800"),
	T("1705276800."),
	T(".5"),
	T("1e"),
	T("1e+"),
	T("0x10"),
	T("1,5"),
	T("1 "),
	T("1705276800s"),
	T("1.2.3"),
	T("NaN"),
	T("Infinity"),
	T("true"),
	T("1_000"),
	T("1705276800\0"),
	T("2024-01-15\0"),
};

START_TEST(other_texts_are_not)
{
	int64_t us;

	for (int i = 0; i < LENGTH(unreadable); i++)
		ck_assert_msg(!read_exact(unreadable[i], &us), "%s", unreadable[i].p);
	ck_assert(!timestamp_read(SLICE_ABSENT, &us));
}
END_TEST

/* A number is never a date. */
START_TEST(numbers_are_unix_time)
{
	int64_t us = -1;

	ck_assert(timestamp_of_number(T("20240115"), &us));
	ck_assert_int_eq(us, INT64_C(20240115) * S);
	ck_assert(timestamp_of_number(T("1705276800.5"), &us));
	ck_assert_int_eq(us, JAN15 + 500000);
	ck_assert(!timestamp_of_number(T("2024-01-15"), &us));
	ck_assert(!timestamp_of_number(T("-1"), &us));
	ck_assert(!timestamp_of_number(SLICE_ABSENT, &us));
}
END_TEST

/* Each day of the whole range follows the one before, and the last is where it belongs. */
START_TEST(days_are_consecutive)
{
	static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	int64_t expected = 0, us;

	for (int year = 1970; year <= 9999; year++) {
		bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
		for (int month = 1; month <= 12; month++) {
			int days = lengths[month - 1] + (leap && month == 2);
			for (int day = 1; day <= days; day += days - 1, expected++) {
				struct buf text = buf_make(32);
				buf_add_format(&text, "%04d-%02d-%02d", year, month, day);
				ck_assert(timestamp_read(buf_slice(&text), &us));
				ck_assert_int_eq(us, expected * 86400 * S);
				if (day == 1)
					expected += days - 2;
				buf_free(&text);
			}
		}
	}
	ck_assert_int_eq(expected, 2932897);
}
END_TEST

static const struct {
	int64_t us;
	const char *text;
} written[] = {
	{0, "1970-01-01T00:00:00Z"},
	{1, "1970-01-01T00:00:00.000001Z"},
	{1705314600 * S, "2024-01-15T10:30:00Z"},
	{1705314600 * S + 250000, "2024-01-15T10:30:00.25Z"},
	{1705314600 * S + 999999, "2024-01-15T10:30:00.999999Z"},
	{1709164800 * S, "2024-02-29T00:00:00Z"},
	{253402300800 * S - 1, "9999-12-31T23:59:59.999999Z"},
};

START_TEST(timestamps_are_written)
{
	struct buf text = buf_make(64);
	int64_t us;

	timestamp_add(&text, written[_i].us);
	ck_assert(slice_equal(buf_slice(&text), slice_of(written[_i].text)));
	ck_assert(timestamp_read(buf_slice(&text), &us));
	ck_assert_int_eq(us, written[_i].us);
	buf_free(&text);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("timestamp");
	TCase *all = tcase_create("all");

	tcase_set_timeout(all, 60);
	tcase_add_test(all, timestamps_are_read);
	tcase_add_test(all, other_texts_are_not);
	tcase_add_test(all, numbers_are_unix_time);
	tcase_add_test(all, days_are_consecutive);
	tcase_add_loop_test(all, timestamps_are_written, 0, LENGTH(written));
	suite_add_tcase(suite, all);
	return suite;
}
