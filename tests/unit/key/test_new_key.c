/*
 * test_new_key.c - a new key: its parts fit each other.
 */
#include <string.h>

#include "check_main.h"
#include "key/new_key.h"

START_TEST(its_parts_fit_each_other)
{
	struct new_key made;
	struct credential_hash hash;
	char display[CREDENTIAL_DISPLAY_BYTES + 1];
	bool secret = _i == 1;

	ck_assert_int_eq(new_key_make(&made, secret, NULL), STATUS_OK);
	ck_assert(credential_key_is_sound(slice_of(made.key)));
	ck_assert_int_eq(credential_hash(slice_of(made.key), &hash), STATUS_OK);
	ck_assert(credential_hash_is_same(&hash, &made.key_hash));
	credential_display(slice_of(made.key), display);
	ck_assert_str_eq(made.display, display);
	ck_assert_int_eq(made.has_secret, secret);
	ck_assert_uint_eq(strlen(made.secret), secret ? CREDENTIAL_SECRET_CHARS : 0);
	if (secret) {
		ck_assert_int_eq(credential_hash(slice_of(made.secret), &hash), STATUS_OK);
		ck_assert(credential_hash_is_same(&hash, &made.secret_hash));
	}
	new_key_forget(&made);
}
END_TEST

START_TEST(nothing_is_left_of_a_forgotten_one)
{
	static const struct new_key nothing;
	struct new_key made;

	ck_assert_int_eq(new_key_make(&made, true, NULL), STATUS_OK);
	new_key_forget(&made);
	ck_assert_mem_eq(&made, &nothing, sizeof(made));
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("new_key");
	TCase *tests = tcase_create("new_key");

	tcase_add_loop_test(tests, its_parts_fit_each_other, 0, 2);
	tcase_add_test(tests, nothing_is_left_of_a_forgotten_one);
	suite_add_tcase(suite, tests);
	return suite;
}
