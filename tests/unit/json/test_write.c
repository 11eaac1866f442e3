/*
 * test_json_out.c - JSON that is written, characters of UTF-8, and the command for a new key.
 */
#include <string.h>

#include "base/utf8.h"
#include "check_main.h"
#include "json/write.h"
#include "key/new_key.h"

static const struct {
	struct slice text;
	size_t bytes; /* of the first character; 0: none */
	uint32_t point;
} characters[] = {
	{{"a", 1}, 1, 'a'},
	{{"\0", 1}, 1, 0},
	{{"\x7f", 1}, 1, 0x7f},
	{{"\xc2\x80", 2}, 2, 0x80},
	{{"\xdf\xbf", 2}, 2, 0x7ff},
	{{"\xe0\xa0\x80", 3}, 3, 0x800},
	{{"\xed\x9f\xbf", 3}, 3, 0xd7ff},
	{{"\xee\x80\x80", 3}, 3, 0xe000},
	{{"\xf0\x90\x80\x80", 4}, 4, 0x10000},
	{{"\xf4\x8f\xbf\xbf", 4}, 4, 0x10ffff},
	{{"\x80", 1}, 0, 0},
	{{"\xc1\xbf", 2}, 0, 0},     /* overlong */
	{{"\xe0\x9f\xbf", 3}, 0, 0}, /* overlong */
	{{"\xf0\x8f\xbf\xbf", 4}, 0, 0},
	{{"\xed\xa0\x80", 3}, 0, 0},	 /* a surrogate */
	{{"\xf4\x90\x80\x80", 4}, 0, 0}, /* beyond Unicode */
	{{"\xf5\x80\x80\x80", 4}, 0, 0},
	{{"\xe2\x82", 2}, 0, 0}, /* cut */
	{{"\xc3\x28", 2}, 0, 0},
	{{"\xff", 1}, 0, 0},
};

START_TEST(a_character_is_decoded)
{
	uint32_t point = 0;

	ck_assert_uint_eq(utf8_decode(characters[_i].text, &point), characters[_i].bytes);
	if (characters[_i].bytes > 0)
		ck_assert_uint_eq(point, characters[_i].point);
}
END_TEST

START_TEST(a_name_is_text_without_controls)
{
	static const struct {
		struct slice text;
		bool is;
	} names[] = {
		{{"olga", 4}, true},
		{{"o", 1}, true},
		{{"\xc3\xb6\xc3\xb6\xc3\xb6\xc3\xb6", 8}, true}, /* four characters */
		{{"olga@", 5}, false},				 /* five */
		{{"", 0}, false},
		{{"a\nb", 3}, false},
		{{"a\0b", 3}, false},
		{{"a\x7f", 2}, false},
		{{"a\xc2\x85", 3}, false}, /* U+0085 */
		{{"a\xc2\xa0", 3}, true},
		{{"a\xff", 2}, false},
	};

	for (int i = 0; i < LENGTH(names); i++)
		ck_assert_msg(utf8_is_name(names[i].text, 4) == names[i].is, "row %d", i);
}
END_TEST

START_TEST(members_are_written)
{
	struct buf out = buf_make(4096);

	buf_add_char(&out, '{');
	json_write_member(&out, "a", SLICE("<\"\\\n\xff\xe2\x82>"));
	json_write_member(&out, "b", SLICE_ABSENT);
	json_write_member(&out, "c", SLICE(""));
	json_write_member_int(&out, "d", INT64_MIN);
	json_write_member_bool(&out, "e", true);
	json_write_member_json(&out, "f", SLICE("["));
	for (int i = 0; i < 2; i++) {
		json_write_comma(&out);
		buf_add_char(&out, '1');
	}
	buf_add_char(&out, ']');
	json_write_member_json(&out, "g", SLICE_ABSENT);
	buf_add_text(&out, "}");
	buf_add_char(&out, '\0');
	ck_assert_str_eq(out.p,
			 "{\"a\":\"<\\\"\\\\\\n\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd>\",\"b\":null,"
			 "\"c\":\"\",\"d\":-9223372036854775808,\"e\":true,\"f\":[1,1],"
			 "\"g\":null}");
	buf_free(&out);
}
END_TEST

START_TEST(a_command_is_one_for_a_shell)
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
	Suite *suite = suite_create("json_out");
	TCase *tests = tcase_create("json_out");

	tcase_add_loop_test(tests, a_character_is_decoded, 0, LENGTH(characters));
	tcase_add_test(tests, a_name_is_text_without_controls);
	tcase_add_test(tests, members_are_written);
	tcase_add_test(tests, a_command_is_one_for_a_shell);
	suite_add_tcase(suite, tests);
	return suite;
}
