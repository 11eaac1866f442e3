/*
 * test_new_key.c - a new key: its path and the command that tries it.
 */
#include <string.h>

#include "check_main.h"
#include "key/new_key.h"

START_TEST(a_command_is_quoted_for_a_shell)
{
	struct new_key made;
	struct buf out = buf_make(4096);

	ck_assert_int_eq(new_key_make(&made, true), STATUS_OK);
	ck_assert(credential_key_is_sound(slice_of(made.key)));
	new_key_add_curl(&out, &made, SLICE("signal_staging"), SLICE("http://a'b/"), "> ");
	buf_add_char(&out, '\0');
	ck_assert_ptr_nonnull(strstr(out.p, made.secret));
	ck_assert_ptr_nonnull(strstr(out.p, "\\\n>   'http://a'\\''b/'"));
	ck_assert_int_eq(out.p[strlen(out.p) - 1], '\'');
	buf_reset(&out, 4096);
	new_key_add_path(&out, &made, SLICE("product_orgs"));
	ck_assert(slice_starts(buf_slice(&out), SLICE("/api/product-orgs/webhook/sk_")));
	new_key_forget(&made);
	ck_assert_str_eq(made.key, "");
	ck_assert_str_eq(made.secret, "");
	buf_free(&out);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("new_key");
	TCase *tcase = tcase_create("new_key");

	tcase_add_test(tcase, a_command_is_quoted_for_a_shell);
	suite_add_tcase(suite, tcase);
	return suite;
}
