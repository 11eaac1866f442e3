/*
 * test_unicode.c - blanks at the ends of texts, and small letters.
 */
#include "base/unicode.h"
#include "check_main.h"

static const struct {
	struct slice text, trimmed;
} texts[] = {
	{{NULL, 0}, {"", 0}},
	{SLICE(""), SLICE("")},
	{SLICE("a"), SLICE("a")},
	{SLICE(" a b\t"), SLICE("a b")},
	{SLICE("a "), SLICE("a")},
	{SLICE("\n a"), SLICE("a")},
	{SLICE(" \r\n\t\v\f"), SLICE("")},
	{SLICE("\0a\0"), SLICE("a")},
	{SLICE("\x7f\xc2\x85"
	       "a"),
	 SLICE("a")},
	{SLICE("\xc2\xa0"
	       "a\xc2\xa0"),
	 SLICE("a")}, /* no-break space */
	{SLICE("\xe2\x80\x8b"
	       "a\xe2\x80\xaf"),
	 SLICE("a")}, /* zero width, narrow */
	{SLICE("\xe3\x80\x80"
	       "a"),
	 SLICE("a")}, /* ideographic */
	{SLICE("\xef\xbb\xbf"
	       "a"),
	 SLICE("a")},			      /* byte order mark */
	{SLICE("a\xef\xbf\xbd"), SLICE("a")}, /* U+FFFD */
	{SLICE("\xef\xbf\xbd"), SLICE("")},
	{SLICE("\xc3\xa4 \xc3\xb6 "), SLICE("\xc3\xa4 \xc3\xb6")},
	{SLICE(" \xf0\x9f\x98\x80 "), SLICE("\xf0\x9f\x98\x80")},
	{SLICE(" \xff "), SLICE("\xff")}, /* no UTF-8 is no blank */
};

START_TEST(blanks_are_trimmed)
{
	struct slice trimmed = unicode_trim(texts[_i].text);

	ck_assert_msg(slice_equal(trimmed, texts[_i].trimmed), "%d: \"%.*s\"", _i, (int)trimmed.n,
		      trimmed.p);
}
END_TEST

START_TEST(blanks_are_found)
{
	static const uint32_t edges[] = {0x20,	 0x7f,	 0xa0,	 0xad,	 0x1680, 0x2000, 0x200f,
					 0x2028, 0x202f, 0x205f, 0x206f, 0x3000, 0xfeff, 0xfffd};
	static const uint32_t others[] = {0x21,	  0x7e,	  0xa1,	  0xac,	  0xae,	   0x1fff,  0x2010,
					  0x2027, 0x2030, 0x3001, 0xfffe, 0x10000, 0x10ffff};

	for (size_t i = 0; i < ARRAY_LENGTH(edges); i++)
		ck_assert_msg(unicode_is_blank(edges[i]), "U+%04X", edges[i]);
	for (size_t i = 0; i < ARRAY_LENGTH(others); i++)
		ck_assert_msg(!unicode_is_blank(others[i]), "U+%04X", others[i]);
	ck_assert_uint_eq(unicode_first_blank(SLICE("ab")), 2);
	ck_assert_uint_eq(unicode_first_blank(SLICE("a\xc2\xa0"
						    "b")),
			  1);
	ck_assert_uint_eq(unicode_first_blank(SLICE_ABSENT), 0);
}
END_TEST

static const struct {
	const char *capital, *small;
} letters[] = {
	{"", ""},
	{"AZaz09@[`{", "azaz09@[`{"},
	{"\xc3\x80\xc3\x96\xc3\x97\xc3\x98\xc3\x9e\xc3\x9f",
	 "\xc3\xa0\xc3\xb6\xc3\x97\xc3\xb8\xc3\xbe\xc3\x9f"}, /* Latin-1, not the multiplication */
	{"\xc4\x80\xc4\x81\xc4\xb9\xc5\xb8\xc5\xbd", "\xc4\x81\xc4\x81\xc4\xba\xc3\xbf\xc5\xbe"},
	{"\xc4\xb0", "i"},							  /* I with a dot */
	{"\xce\x86\xce\x91\xce\xa9", "\xce\xac\xce\xb1\xcf\x89"},		  /* Greek */
	{"\xd0\x81\xd0\x90\xd0\xaf\xd0\xb0", "\xd1\x91\xd0\xb0\xd1\x8f\xd0\xb0"}, /* Cyrillic */
	{"\xd4\xb1", "\xd5\xa1"},						  /* Armenian */
	{"\xe1\xb8\x80\xe1\xba\xa0", "\xe1\xb8\x81\xe1\xba\xa1"},
	{"\xef\xbc\xa1", "\xef\xbd\x81"}, /* full width */
	{"\xf0\x9f\x98\x80\xe6\x97\xa5", "\xf0\x9f\x98\x80\xe6\x97\xa5"},
	{"\xff", "\xff"},
};

START_TEST(letters_become_small)
{
	struct buf out = buf_make(100);

	unicode_add_lower(&out, slice_of(letters[_i].capital));
	ck_assert_msg(slice_equal(buf_slice(&out), slice_of(letters[_i].small)), "%d", _i);
	buf_free(&out);
}
END_TEST

/* A small letter has no small letter of its own, and is not longer than its capital. */
START_TEST(small_letters_stay)
{
	for (uint32_t point = 0; point < 0x11000; point++) {
		uint32_t lower = unicode_lower(point);
		ck_assert_msg(unicode_lower(lower) == lower, "U+%04X", point);
		ck_assert_msg(lower < 0x10000 || lower == point, "U+%04X", point);
		ck_assert_msg(point >= 0x800 || lower < 0x800, "U+%04X", point);
	}
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("unicode");
	TCase *all = tcase_create("all");

	tcase_add_loop_test(all, blanks_are_trimmed, 0, LENGTH(texts));
	tcase_add_test(all, blanks_are_found);
	tcase_add_loop_test(all, letters_become_small, 0, LENGTH(letters));
	tcase_add_test(all, small_letters_stay);
	suite_add_tcase(suite, all);
	return suite;
}
