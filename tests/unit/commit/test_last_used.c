/*
 * test_last_used.c - what a worker remembers of keys' last use: for how long, of how many.
 */
#include <string.h>

#include "check_main.h"
#include "commit/last_used.h"

enum { NOW_MS = 1000000 };

static struct last_used use;

static struct credential_hash hash_of(uint64_t number)
{
	struct credential_hash hash = {{0}};

	memcpy(hash.bytes, &number, sizeof(number));
	return hash;
}

static bool is_noted(uint64_t number, int64_t now_ms)
{
	struct credential_hash hash = hash_of(number);

	return last_used_is_noted(&use, &hash, now_ms);
}

static void note(uint64_t number, int64_t now_ms)
{
	struct credential_hash hash = hash_of(number);

	last_used_note(&use, &hash, now_ms);
}

static void forget_all(void)
{
	memset(&use, 0, sizeof(use));
}

START_TEST(nothing_is_noted_at_first)
{
	ck_assert(!is_noted(0, 0));
	ck_assert(!is_noted(0, NOW_MS));
	ck_assert(!is_noted(7, NOW_MS));
}
END_TEST

START_TEST(it_is_remembered_for_its_time)
{
	note(7, NOW_MS);
	ck_assert(is_noted(7, NOW_MS));
	ck_assert(!is_noted(8, NOW_MS));
	ck_assert(is_noted(7, NOW_MS + LAST_USED_MS - 1));
	ck_assert(!is_noted(7, NOW_MS + LAST_USED_MS));
	note(7, NOW_MS + LAST_USED_MS);
	ck_assert(is_noted(7, NOW_MS + 2 * LAST_USED_MS - 1));
}
END_TEST

/* Keys that would have the same place: some are remembered side by side, then the oldest goes. */
START_TEST(the_oldest_gives_way)
{
	enum { SAME_PLACE = LAST_USED_KEYS };
	uint64_t room = 0;

	note(1, NOW_MS);
	while (is_noted(1, NOW_MS + 100)) {
		room++;
		note(1 + room * SAME_PLACE, NOW_MS + (int64_t)room);
		ck_assert_uint_lt(room, 100);
	}
	ck_assert_uint_ge(room, 4);
	for (uint64_t i = 1; i <= room; i++)
		ck_assert_msg(is_noted(1 + i * SAME_PLACE, NOW_MS + 100), "%d", (int)i);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("last_used");
	TCase *cases = tcase_create("last_used");

	tcase_add_checked_fixture(cases, forget_all, NULL);
	tcase_add_test(cases, nothing_is_noted_at_first);
	tcase_add_test(cases, it_is_remembered_for_its_time);
	tcase_add_test(cases, the_oldest_gives_way);
	suite_add_tcase(suite, cases);
	return suite;
}
