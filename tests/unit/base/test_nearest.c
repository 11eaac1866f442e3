/*
 * test_nearest.c - which of some words was meant by a mistyped one.
 */
#include <string.h>

#include "base/nearest.h"
#include "check_main.h"

static const struct {
	const char *word, *meant;
} cases[] = {
	{"deactivte", "deactivate"}, {"shwo", "show"},	   {"lst", "list"},
	{"lists", "list"},	     {"craete", "create"}, {"create", "create"},
	{"frobnicate", NULL},	     {"xyz", NULL},	   {"", NULL},
};

static const char *meant_by(const char *word)
{
	static const char *const known[] = {"create", "deactivate", "list", "show"};
	struct nearest nearest = nearest_of(slice_of(word));

	for (int i = 0; i < LENGTH(known); i++)
		nearest_offer(&nearest, known[i]);
	return nearest.found;
}

START_TEST(a_typo_is_near_to_what_was_meant)
{
	const char *found = meant_by(cases[_i].word);

	if (cases[_i].meant == NULL)
		ck_assert_ptr_null(found);
	else
		ck_assert_pstr_eq(found, cases[_i].meant);
}
END_TEST

START_TEST(nothing_is_near_to_a_long_word)
{
	char word[NEAREST_BYTES_MAX + 2];

	memset(word, 'a', sizeof(word) - 1);
	word[sizeof(word) - 1] = '\0';
	struct nearest nearest = nearest_of(slice_of(word));
	nearest_offer(&nearest, word);
	ck_assert_ptr_null(nearest.found);
	nearest = nearest_of(SLICE("aaa"));
	nearest_offer(&nearest, word);
	ck_assert_ptr_null(nearest.found);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("nearest");
	TCase *tests = tcase_create("nearest");

	tcase_add_loop_test(tests, a_typo_is_near_to_what_was_meant, 0, LENGTH(cases));
	tcase_add_test(tests, nothing_is_near_to_a_long_word);
	suite_add_tcase(suite, tests);
	return suite;
}
