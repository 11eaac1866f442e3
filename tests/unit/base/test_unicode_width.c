/*
 * test_unicode_width.c - how many columns a character takes.
 */
#include "base/unicode_width.h"
#include "check_main.h"

static const struct {
	uint32_t point;
	size_t width;
} characters[] = {
	{'a', 1},     {0xe4, 1},     {0x20ac, 1},  {0x10ff, 1}, {0x1100, 2},
	{0x115f, 2},		   /* Hangul: consonants, */
	{0x1160, 0},  {0x11a8, 0}, /* and what is written into them */
	{0x2026, 1},  {0x3000, 2},   {0x65e5, 2},  {0xac00, 2}, {0xff21, 2},
	{0xff71, 1},  {0x300, 0},    {0x36f, 0},   {0x370, 1},	{0xfe0f, 0},
	{0x20d0, 0},  {0x1f600, 2},  {0x1f468, 2}, {0x2764, 1}, {0x20000, 2},
	{0x3fffd, 1}, {0x10ffff, 1},
};

START_TEST(characters_have_widths)
{
	ck_assert_uint_eq(unicode_width(characters[_i].point), characters[_i].width);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("unicode_width");
	TCase *tests = tcase_create("unicode_width");

	tcase_add_loop_test(tests, characters_have_widths, 0, LENGTH(characters));
	suite_add_tcase(suite, tests);
	return suite;
}
