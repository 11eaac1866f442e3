/*
 * test_event_time.c - a member's value to a time, and whether it can be used. Forms are in
 * test_timestamp.c.
 */
#include "check_main.h"
#include "model/event_time.h"

#define S	    INT64_C(1000000)
#define RECEIVED_US (INT64_C(1790000000) * S)

static const struct {
	const char *value;
	int64_t us; /* -1: none */
} values[] = {
	{"\"2024-01-15\"", INT64_C(1705276800) * S},
	{"\"\\u00a02024-01-15\\u0020\"", INT64_C(1705276800) * S},
	{"\"20240115\"", INT64_C(1705276800) * S},
	{"20240115", INT64_C(20240115) * S},
	{"1705276800.5", INT64_C(1705276800) * S + 500000},
	{"\"1705276800\"", INT64_C(1705276800) * S},
	{"0", 0},
	{"-0", 0},
	{"-0.0e3", 0},
	{"\"-0\"", 0},
	{"\"\"", -1},
	{"\"\\u00a0\"", -1},
	{"\"soon\"", -1},
	{"true", -1},
	{"null", -1},
	{"[1705276800]", -1},
	{"{}", -1},
};

START_TEST(values_are_read)
{
	struct arena arena = {0};
	const char *reason = "";
	int64_t us = -1;

	ck_assert_int_eq(event_time_read(&arena, slice_of(values[_i].value), &us, &reason),
			 STATUS_OK);
	ck_assert_msg((reason == NULL) == (values[_i].us >= 0), "%s: %s", values[_i].value, reason);
	ck_assert(reason != NULL || us == values[_i].us);
	arena_free(&arena);
}
END_TEST

/* Timestamps they are: Go's zero time, a clock that was never set. */
START_TEST(what_lies_before_1970_is_early)
{
	static const char *const early[] = {"\"0001-01-01T00:00:00Z\"",
					    "\" 1969-12-31T23:59:59.999999Z\"",
					    "\"Mon, 15 Jan 1900 10:30:00 GMT\"",
					    "\"1970-01-01T00:00:00+00:01\"",
					    "\"-62135596800\"",
					    "-62135596800",
					    "-62135596800000",
					    "-1",
					    "-0.5"};
	struct arena arena = {0};

	for (int i = 0; i < LENGTH(early); i++) {
		const char *reason = "";
		int64_t us;
		ck_assert_int_eq(event_time_read(&arena, slice_of(early[i]), &us, &reason),
				 STATUS_OK);
		ck_assert_msg(reason != NULL && strcmp(reason, "lies before 1990") == 0, "%s: %s",
			      early[i], reason);
	}
	arena_free(&arena);
}
END_TEST

START_TEST(times_have_bounds)
{
	static const int64_t early = INT64_C(631152000) * S, late = RECEIVED_US + 86400 * S;

	ck_assert_str_eq(event_time_fault(0, RECEIVED_US), "lies before 1990");
	ck_assert_str_eq(event_time_fault(INT64_MIN, RECEIVED_US), "lies before 1990");
	ck_assert_str_eq(event_time_fault(early - 1, RECEIVED_US), "lies before 1990");
	ck_assert_ptr_null(event_time_fault(early, RECEIVED_US));
	ck_assert_ptr_null(event_time_fault(RECEIVED_US, RECEIVED_US));
	ck_assert_ptr_null(event_time_fault(late, RECEIVED_US));
	ck_assert_str_eq(event_time_fault(late + 1, RECEIVED_US),
			 "lies more than a day ahead of receipt");
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("event_time");
	TCase *all = tcase_create("all");

	tcase_add_loop_test(all, values_are_read, 0, LENGTH(values));
	tcase_add_test(all, what_lies_before_1970_is_early);
	tcase_add_test(all, times_have_bounds);
	suite_add_tcase(suite, all);
	return suite;
}
