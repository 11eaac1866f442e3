/*
 * test_hex.c - bytes as digits, and percent-encoded bytes.
 */
#include <stdio.h>
#include <string.h>

#include "base/hex.h"
#include "check_main.h"

/* snprintf() says what each byte is. */
START_TEST(every_byte_is_written)
{
	unsigned char bytes[256];
	char digits[2 * 256 + 1], want[2 * 256 + 1];

	for (int i = 0; i < 256; i++) {
		bytes[i] = (unsigned char)i;
		(void)snprintf(want + 2 * i, 3, "%02x", (unsigned)i);
	}
	memset(digits, '#', sizeof(digits));
	hex_write(bytes, 256, digits);
	ck_assert_mem_eq(digits, want, 512);
	ck_assert_int_eq(digits[512], '#');
	hex_write(bytes, 0, digits);
	ck_assert_mem_eq(digits, want, 512);
}
END_TEST

START_TEST(every_escape_is_read)
{
	char lower[8], upper[8];

	for (int byte = 0; byte < 256; byte++) {
		(void)snprintf(lower, sizeof(lower), "x%%%02x!", (unsigned)byte);
		(void)snprintf(upper, sizeof(upper), "x%%%02X!", (unsigned)byte);
		ck_assert_int_eq(hex_escaped(slice_of(lower), 1), byte);
		ck_assert_int_eq(hex_escaped(slice_of(upper), 1), byte);
	}
	ck_assert_int_eq(hex_escaped(SLICE("%aB"), 0), 0xab);
}
END_TEST

static const struct {
	const char *text;
	size_t at;
} plain[] = {
	{"", 0},    {"%", 0},	{"%4", 0},   {"%41", 1},  {"%41", 3}, {"x41", 0},
	{"%4g", 0}, {"%g4", 0}, {"%/4", 0},  {"%:4", 0},  {"%@4", 0}, {"%`4", 0},
	{"%G4", 0}, {"%4 ", 0}, {"% 41", 0}, {"%%41", 0}, {"a%4", 1}, {"%\xc1\xc2", 0},
};

START_TEST(anything_else_is_no_escape)
{
	ck_assert_int_eq(hex_escaped(slice_of(plain[_i].text), plain[_i].at), -1);
}
END_TEST

START_TEST(a_text_is_read_byte_by_byte)
{
	struct slice text = SLICE("a%41%25%ff\xfe+%4");
	static const int bytes[] = {'a', 'A', '%', 0xff, 0xfe, '+', -1};
	static const size_t next[] = {1, 4, 7, 10, 11, 12, 15};
	size_t at = 0;

	for (int i = 0; i < LENGTH(bytes); i++) {
		ck_assert_int_eq(hex_unescape(text, &at), bytes[i]);
		ck_assert_uint_eq(at, next[i]);
	}
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("hex");
	TCase *tests = tcase_create("hex");

	tcase_add_test(tests, every_byte_is_written);
	tcase_add_test(tests, every_escape_is_read);
	tcase_add_loop_test(tests, anything_else_is_no_escape, 0, LENGTH(plain));
	tcase_add_test(tests, a_text_is_read_byte_by_byte);
	suite_add_tcase(suite, tests);
	return suite;
}
