/*
 * test_token.c - a token is good for one user until its end, and for nobody else.
 */
#include <string.h>

#include "check_main.h"
#include "key/token.h"

/* Of Python's hmac, over "1893456000 olga". */
#define TOKEN "1893456000.e7fda1ef6eeb3bd19a3e615b2300dd9e8a41c0b68256d7b468d2b165d31d26e5"

static struct token_key token_key(void)
{
	struct token_key key;

	for (size_t i = 0; i < sizeof(key.bytes); i++)
		key.bytes[i] = (unsigned char)i;
	return key;
}

START_TEST(a_token_is_its_users_until_its_end)
{
	const struct token_key key = token_key();
	char token[TOKEN_CHARS + 1];

	ck_assert_int_eq(token_make(&key, SLICE("olga"), 1893456000, token), STATUS_OK);
	ck_assert_str_eq(token, TOKEN);
	ck_assert(token_is_good(&key, SLICE("olga"), 0, slice_of(token)));
	ck_assert(token_is_good(&key, SLICE("olga"), 1893455999, slice_of(token)));
	ck_assert(!token_is_good(&key, SLICE("olga"), 1893456000, slice_of(token)));
	ck_assert(!token_is_good(&key, SLICE("olga"), 1893456001, slice_of(token)));
	ck_assert(!token_is_good(&key, SLICE("Olga"), 0, slice_of(token)));
	ck_assert(!token_is_good(&key, SLICE("olg"), 0, slice_of(token)));
	ck_assert(!token_is_good(&key, SLICE(""), 0, slice_of(token)));
	struct token_key other = key;
	other.bytes[31] ^= 1;
	ck_assert(!token_is_good(&other, SLICE("olga"), 0, slice_of(token)));
}
END_TEST

START_TEST(every_change_of_a_token_is_refused)
{
	const struct token_key key = token_key();
	char token[] = TOKEN;
	char kept = token[_i];

	for (int c = 1; c < 256; c++) {
		token[_i] = (char)c;
		ck_assert_msg(token_is_good(&key, SLICE("olga"), 0, slice_of(token)) ==
				      ((char)c == kept),
			      "%s", token);
	}
}
END_TEST

START_TEST(what_is_no_token_is_refused)
{
	static const char *const bad[] = {"",
					  ".",
					  "0",
					  "1893456000",
					  "1893456000.",
					  TOKEN "0",
					  " " TOKEN,
					  "0" TOKEN,
					  "+" TOKEN,
					  "-" TOKEN,
					  "99999999999999999999999999.0"};
	const struct token_key key = token_key();

	for (int i = 0; i < LENGTH(bad); i++)
		ck_assert_msg(!token_is_good(&key, SLICE("olga"), 0, slice_of(bad[i])), "%s",
			      bad[i]);
	ck_assert(!token_is_good(&key, SLICE("olga"), 0, SLICE_ABSENT));
}
END_TEST

START_TEST(a_user_is_not_part_of_the_time)
{
	const struct token_key key = token_key();
	char a[TOKEN_CHARS + 1], b[TOKEN_CHARS + 1];
	char longest[1025] = {0};

	ck_assert_int_eq(token_make(&key, SLICE("23 x"), 1, a), STATUS_OK);
	ck_assert_int_eq(token_make(&key, SLICE("3 x"), 12, b), STATUS_OK);
	ck_assert_str_ne(strchr(a, '.'), strchr(b, '.'));
	memset(longest, 'x', sizeof(longest));
	ck_assert_int_eq(token_make(&key, (struct slice){longest, 1024}, 1, a), STATUS_OK);
	ck_assert_int_eq(token_make(&key, (struct slice){longest, 1025}, 1, a), STATUS_INTERNAL);
	ck_assert_int_eq(token_make(&key, SLICE("x"), -1, a), STATUS_INTERNAL);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("token");
	TCase *tests = tcase_create("token");

	tcase_add_test(tests, a_token_is_its_users_until_its_end);
	tcase_add_loop_test(tests, every_change_of_a_token_is_refused, 0, LENGTH(TOKEN) - 1);
	tcase_add_test(tests, what_is_no_token_is_refused);
	tcase_add_test(tests, a_user_is_not_part_of_the_time);
	suite_add_tcase(suite, tests);
	return suite;
}
