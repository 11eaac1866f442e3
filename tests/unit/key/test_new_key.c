/*
 * test_new_key.c - a new key: its parts fit each other, and what is shown of it is right.
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

static const struct new_key plain = {.key = "sk_plain"};
static const struct new_key with_secret = {
	.key = "sk_other", .secret = "whs_s3cret", .has_secret = true};

static void expect(struct buf *out, const char *want)
{
	buf_add_char(out, '\0');
	ck_assert_int_eq(out->status, STATUS_OK);
	ck_assert_str_eq(out->p, want);
	buf_reset(out, 0);
}

START_TEST(paths_are_those_of_the_endpoints)
{
	struct buf out = buf_make(1000);

	new_key_add_path(&out, &plain, SLICE("signal_staging"));
	expect(&out, "/api/signal-staging/webhook/sk_plain");
	new_key_add_path(&out, &plain, SLICE("product_orgs"));
	expect(&out, "/api/product-orgs/webhook/sk_plain");
	buf_free(&out);
}
END_TEST

START_TEST(commands_are_fit_for_a_shell)
{
	struct buf out = buf_make(1000);

	new_key_add_curl(&out, &plain, SLICE("signal_staging"), SLICE("https://h/a?b&c"), "");
	expect(&out, "curl -H 'Content-Type: application/json' \\\n"
		     "  -d '{\"email\":\"lead@example.com\",\"event\":\"test\"}' \\\n"
		     "  'https://h/a?b&c'");
	new_key_add_curl(&out, &with_secret, SLICE("product_orgs"), SLICE("https://h/it's"), "\t");
	expect(&out, "curl -H 'Content-Type: application/json' -H 'X-Api-Secret: whs_s3cret' \\\n"
		     "\t  -d @payload.json \\\n"
		     "\t  'https://h/it'\\''s'");
	buf_free(&out);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("new_key");
	TCase *tests = tcase_create("new_key");

	tcase_add_loop_test(tests, its_parts_fit_each_other, 0, 2);
	tcase_add_test(tests, nothing_is_left_of_a_forgotten_one);
	tcase_add_test(tests, paths_are_those_of_the_endpoints);
	tcase_add_test(tests, commands_are_fit_for_a_shell);
	suite_add_tcase(suite, tests);
	return suite;
}
