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

/* Keys by their number below this are spread evenly, eight to a place. */
enum { PLACES = LAST_USED_KEYS / 8 };

START_TEST(so_many_keys_are_remembered)
{
	for (uint64_t key = 1; key <= LAST_USED_KEYS; key++)
		note(key, NOW_MS + (int64_t)key);
	for (uint64_t key = 1; key <= LAST_USED_KEYS; key++)
		ck_assert_msg(is_noted(key, NOW_MS + 10000), "%d", (int)key);
}
END_TEST

static const uint64_t places[] = {0, 1, PLACES / 2, PLACES - 1};

/* Of nine keys for the same place the one that was noted first is forgotten, and only that. */
START_TEST(the_oldest_gives_way)
{
	uint64_t first = places[_i] + PLACES; /* 0 is a free place's */

	for (uint64_t i = 0; i < 9; i++)
		note(first + i * PLACES, NOW_MS + (i == 4 ? 0 : 1 + (int64_t)i));
	for (uint64_t i = 0; i < 9; i++)
		ck_assert_msg(is_noted(first + i * PLACES, NOW_MS + 100) == (i != 4), "%d", (int)i);
}
END_TEST

static bool is_special(uint64_t number)
{
	struct credential_hash hash = hash_of(number);

	return last_used_is_special(&use, &hash);
}

static void mark_special(uint64_t number)
{
	struct credential_hash hash = hash_of(number);

	last_used_mark_special(&use, &hash);
}

/* Until its use is noted anew; another key in its place is not. */
START_TEST(a_special_key_is_remembered)
{
	note(7, NOW_MS);
	ck_assert(!is_special(7));
	mark_special(7);
	ck_assert(is_special(7) && is_noted(7, NOW_MS));
	ck_assert(!is_special(7 + PLACES));
	mark_special(8); /* was never noted */
	ck_assert(!is_special(8));
	note(7, NOW_MS + LAST_USED_MS);
	ck_assert(!is_special(7));
	mark_special(7);
	for (uint64_t i = 1; i <= 8; i++)
		note(7 + i * PLACES, NOW_MS + LAST_USED_MS + (int64_t)i);
	ck_assert(!is_special(7) && !is_special(7 + 8 * PLACES));
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("last_used");
	TCase *cases = tcase_create("last_used");

	tcase_add_checked_fixture(cases, forget_all, NULL);
	tcase_add_test(cases, nothing_is_noted_at_first);
	tcase_add_test(cases, it_is_remembered_for_its_time);
	tcase_add_test(cases, so_many_keys_are_remembered);
	tcase_add_loop_test(cases, the_oldest_gives_way, 0, LENGTH(places));
	tcase_add_test(cases, a_special_key_is_remembered);
	suite_add_tcase(suite, cases);
	return suite;
}
