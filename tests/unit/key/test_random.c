/*
 * test_random.c - random bytes are all written, and names differ, also in a forked child.
 */
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check_main.h"
#include "key/random.h"

static const size_t random_sizes[] = {0, 1, 12, 31, 1000};

START_TEST(random_fills_exactly)
{
	size_t n = random_sizes[_i];
	unsigned char bytes[1002];
	unsigned char seen[1000] = {0};

	/* A byte that stays zero in 64 rounds was not written (by chance: 2^-512). */
	for (int round = 0; round < 64; round++) {
		memset(bytes, 0, sizeof(bytes));
		ck_assert_int_eq(random_bytes(bytes + 1, n), STATUS_OK);
		ck_assert_uint_eq(bytes[0], 0);
		ck_assert_uint_eq(bytes[n + 1], 0);
		for (size_t i = 0; i < n; i++)
			seen[i] |= bytes[i + 1];
	}
	for (size_t i = 0; i < n; i++)
		ck_assert_uint_ne(seen[i], 0);
}
END_TEST

START_TEST(random_refuses_what_openssl_cannot_count)
{
	unsigned char byte = 7;

	ck_assert_int_eq(random_bytes(&byte, (size_t)INT32_MAX + 1), STATUS_INTERNAL);
	ck_assert_uint_eq(byte, 7);
}
END_TEST

enum { NAMES = 150 }; /* more than are drawn at a time */

static void draw_names(unsigned char (*names)[RANDOM_UNIQUE_BYTES])
{
	for (int i = 0; i < NAMES; i++)
		ck_assert_int_eq(random_unique(names[i]), STATUS_OK);
}

START_TEST(no_two_names_are_equal)
{
	unsigned char names[3 * NAMES][RANDOM_UNIQUE_BYTES];
	size_t size = NAMES * sizeof(names[0]);
	int ends[2];

	draw_names(names);
	ck_assert_int_eq(pipe(ends), 0);
	pid_t child = fork();
	ck_assert_int_ge(child, 0);
	draw_names(names + NAMES);
	if (child == 0)
		_exit(write(ends[1], names + NAMES, size) == (ssize_t)size ? 0 : 1);
	ck_assert_int_eq(read(ends[0], names + (size_t)2 * NAMES, size), (ssize_t)size);
	ck_assert_int_eq(waitpid(child, NULL, 0), child);
	for (int i = 0; i < 3 * NAMES; i++) {
		for (int j = 0; j < i; j++)
			ck_assert_mem_ne(names[i], names[j], sizeof(names[0]));
	}
	(void)close(ends[0]);
	(void)close(ends[1]);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("random");
	TCase *tests = tcase_create("random");

	tcase_add_loop_test(tests, random_fills_exactly, 0, LENGTH(random_sizes));
	tcase_add_test(tests, random_refuses_what_openssl_cannot_count);
	tcase_add_test(tests, no_two_names_are_equal);
	suite_add_tcase(suite, tests);
	return suite;
}
