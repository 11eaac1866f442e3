/*
 * test_refusal.c - counts of refused requests: added up, bounded, due once.
 */
#include "check_main.h"
#include "commit/refusal.h"

static void add(struct refusal_tally *tally, int key, const char *outcome, int64_t due_ms)
{
	struct credential_hash hash = {{(unsigned char)(key >> 8), (unsigned char)key}};

	refusal_add(tally, &hash, outcome, due_ms);
}

START_TEST(equal_refusals_are_added_up)
{
	struct refusal_tally tally = REFUSAL_TALLY_EMPTY;
	const char expired[] = "expired";

	ck_assert_int_eq(tally.due_ms, INT64_MAX);
	add(&tally, 1, "deactivated", 100);
	add(&tally, 1, "expired", 200);
	add(&tally, 2, "deactivated", 300);
	add(&tally, 1, expired, 400);
	ck_assert_int_eq(tally.due_ms, 100);
	ck_assert_uint_eq(tally.count, 3);
	ck_assert_uint_eq(tally.items[0].key_hash.bytes[1], 1);
	ck_assert_str_eq(tally.items[0].outcome, "deactivated");
	ck_assert_uint_eq(tally.items[0].count, 1);
	ck_assert_str_eq(tally.items[1].outcome, "expired");
	ck_assert_uint_eq(tally.items[1].count, 2);
	ck_assert_uint_eq(tally.items[2].key_hash.bytes[1], 2);
	ck_assert_uint_eq(tally.items[2].count, 1);
}
END_TEST

START_TEST(what_finds_no_room_is_not_counted)
{
	struct refusal_tally tally = REFUSAL_TALLY_EMPTY;

	for (int key = 0; key < REFUSAL_ROOM + 1; key++)
		add(&tally, key, "expired", 1);
	ck_assert_uint_eq(tally.count, REFUSAL_ROOM);
	add(&tally, REFUSAL_ROOM - 1, "expired", 1);
	ck_assert_uint_eq(tally.items[REFUSAL_ROOM - 1].count, 2);
	tally.items[0].count = INT32_MAX;
	add(&tally, 0, "expired", 1);
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
