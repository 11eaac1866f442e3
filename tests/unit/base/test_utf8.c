/*
 * test_utf8.c - characters of UTF-8, and texts that may be names.
 */
#include "base/utf8.h"
#include "check_main.h"

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

static const struct {
	struct slice text;
	const char *repaired;
} repairs[] = {
	{{"", 0}, ""},
	{{"a\xc3\xa9", 3}, "a\xc3\xa9"},
	{{"a\xff", 2}, "a\xef\xbf\xbd"},
	{{"\xe2\x82z", 3}, "\xef\xbf\xbd\xef\xbf\xbdz"},
};

START_TEST(a_stray_byte_is_replaced)
{
	struct buf out = buf_make(64);

	utf8_repair(&out, repairs[_i].text);
	ck_assert(slice_equal(buf_slice(&out), slice_of(repairs[_i].repaired)));
	buf_free(&out);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("utf8");
	TCase *tcase = tcase_create("utf8");

	tcase_add_loop_test(tcase, a_character_is_decoded, 0, LENGTH(characters));
	tcase_add_test(tcase, a_name_is_text_without_controls);
	tcase_add_loop_test(tcase, a_stray_byte_is_replaced, 0, LENGTH(repairs));
	suite_add_tcase(suite, tcase);
	return suite;
}
