/*
 * test_refusal.c - counts of refused requests: added up, bounded, due once.
 */
#include "check_main.h"
#include "commit/refusal.h"

START_TEST(equal_refusals_are_added_up)
{
	struct refusal_tally tally = REFUSAL_TALLY_EMPTY;

	ck_assert_int_eq(tally.due_ms, INT64_MAX);
	refusal_add(&tally, 1, 2, 100);
	refusal_add(&tally, 1, 3, 200);
	refusal_add(&tally, 2, 2, 300);
	refusal_add(&tally, 1, 2, 400);
	ck_assert_int_eq(tally.due_ms, 100);
	ck_assert_uint_eq(tally.count, 3);
	ck_assert_int_eq(tally.items[0].key_id, 1);
	ck_assert_int_eq(tally.items[0].outcome, 2);
	ck_assert_uint_eq(tally.items[0].count, 2);
	ck_assert_uint_eq(tally.items[1].count, 1);
	ck_assert_uint_eq(tally.items[2].count, 1);
}
END_TEST

START_TEST(what_finds_no_room_is_not_counted)
{
	struct refusal_tally tally = REFUSAL_TALLY_EMPTY;

	for (int key = 0; key < REFUSAL_ROOM + 1; key++)
		refusal_add(&tally, key, 2, 1);
	ck_assert_uint_eq(tally.count, REFUSAL_ROOM);
	refusal_add(&tally, REFUSAL_ROOM - 1, 2, 1);
	ck_assert_uint_eq(tally.items[REFUSAL_ROOM - 1].count, 2);
	tally.items[0].count = INT32_MAX;
	refusal_add(&tally, 0, 2, 1);
	ck_assert_uint_eq(tally.items[0].count, INT32_MAX);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("refusal");
	TCase *counting = tcase_create("counting");

	tcase_add_test(counting, equal_refusals_are_added_up);
	tcase_add_test(counting, what_finds_no_room_is_not_counted);
	suite_add_tcase(suite, counting);
	return suite;
}
