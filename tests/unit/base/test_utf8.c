/*
 * test_utf8.c - characters, names, and texts that are repaired to be shown.
 */
#include <string.h>

#include "base/utf8.h"
#include "check_main.h"

/* By RFC 3629, section 3. */
static size_t encode(uint32_t point, char bytes[4])
{
	size_t n = point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
	static const unsigned char marks[] = {0, 0, 0xc0, 0xe0, 0xf0};

	for (size_t i = n - 1; i > 0; i--, point >>= 6)
		bytes[i] = (char)(0x80 | (point & 0x3f));
	bytes[0] = (char)(marks[n] | point);
	return n;
}

static bool is_surrogate(uint32_t point)
{
	return point >= 0xd800 && point <= 0xdfff;
}

START_TEST(every_character_is_read)
{
	char bytes[5] = "";
	uint32_t point;

	for (uint32_t want = 0; want <= 0x10ffff; want++) {
		size_t n = encode(want, bytes);
		bytes[n] = (char)0x80; /* what follows is not looked at */
		size_t got = utf8_decode((struct slice){bytes, n + (want & 1)}, &point);
		/* An assertion for each would cost more than the test. */
		if (got != (is_surrogate(want) ? 0 : n) || (got > 0 && point != want))
			ck_abort_msg("U+%04X: %zu bytes, U+%04X", (unsigned)want, got,
				     (unsigned)point);
		if (n > 1 && utf8_decode((struct slice){bytes, n - 1}, &point) != 0)
			ck_abort_msg("U+%04X is read of %zu bytes", (unsigned)want, n - 1);
	}
}
END_TEST

static const struct slice broken[] = {
	{"\x80", 1},
	{"\xbf", 1},
	{"\xc0\x80", 2},
	{"\xc1\xbf", 2},
	{"\xc2\x41", 2},
	{"\xc2\xc2", 2},
	{"\xe0\x80\x80", 3},
	{"\xe0\x9f\xbf", 3},
	{"\xe2\x82\x41", 3},
	{"\xe2\x41\xac", 3},
	{"\xf0\x80\x80\x80", 4},
	{"\xf0\x8f\xbf\xbf", 4},
	{"\xf0\x9f\x98\x41", 4},
	{"\xf4\x90\x80\x80", 4},
	{"\xf5\x80\x80\x80", 4},
	{"\xf8\x88\x80\x80", 4},
	{"\xfe\x80\x80\x80", 4},
	{"\xff\xbf\xbf\xbf", 4},
};

START_TEST(what_is_broken_is_none)
{
	uint32_t point;

	ck_assert_uint_eq(utf8_decode(broken[_i], &point), 0);
}
END_TEST

static const struct {
	struct slice text;
	size_t chars; /* 0: no name at all */
} names[] = {
	{{"", 0}, 0},
	{{"a", 1}, 1},
	{{" ", 1}, 1},
	{{"~", 1}, 1},
	{{"\xc3\xa9t\xc3\xa9", 5}, 3},
	{{"\xc2\xa0", 2}, 1},
	{{"\xf0\x9f\x98\x80\xf0\x9f\x98\x80", 8}, 2},
	{{"a\x1f", 2}, 0},
	{{"a\nb", 3}, 0},
	{{"a\0b", 3}, 0},
	{{"\x7f", 1}, 0},
	{{"\xc2\x80", 2}, 0},
	{{"\xc2\x9f", 2}, 0},
	{{"a\xc3", 2}, 0},
	{{"a\xff", 2}, 0},
};

START_TEST(names_have_a_length_and_no_controls)
{
	size_t chars = names[_i].chars;

	ck_assert(!utf8_is_name(names[_i].text, 0));
	ck_assert_int_eq(utf8_is_name(names[_i].text, 1000), chars > 0);
	ck_assert_int_eq(utf8_is_name(names[_i].text, chars), chars > 0);
	if (chars > 1)
		ck_assert(!utf8_is_name(names[_i].text, chars - 1));
}
END_TEST

#define FFFD "\xef\xbf\xbd"

static const struct {
	struct slice text;
	const char *want;
} repairs[] = {
	{{"", 0}, ""},
	{{"plain", 5}, "plain"},
	{{"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", 9}, "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"},
	{{"\xff", 1}, FFFD},
	{{"a\xff\xfe"
	  "b",
	  4},
	 "a" FFFD FFFD "b"},
	{{"\xc3", 1}, FFFD},
	{{"\xe2\x82x", 3}, FFFD FFFD "x"},
	{{"\xed\xa0\x80", 3}, FFFD FFFD FFFD},
	{{"\xc3\xa9\xa9", 3}, "\xc3\xa9" FFFD},
};

START_TEST(bytes_of_no_character_are_replaced)
{
	struct buf out = buf_make(100);

	buf_add_text(&out, "before ");
	utf8_repair(&out, repairs[_i].text);
	buf_add_char(&out, '\0');
	ck_assert_int_eq(out.status, STATUS_OK);
	ck_assert_str_eq(out.p + strlen("before "), repairs[_i].want);
	buf_free(&out);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("utf8");
	TCase *tests = tcase_create("utf8");

	tcase_add_test(tests, every_character_is_read);
	tcase_add_loop_test(tests, what_is_broken_is_none, 0, LENGTH(broken));
	tcase_add_loop_test(tests, names_have_a_length_and_no_controls, 0, LENGTH(names));
	tcase_add_loop_test(tests, bytes_of_no_character_are_replaced, 0, LENGTH(repairs));
	suite_add_tcase(suite, tests);
	return suite;
}
