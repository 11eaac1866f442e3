/*
 * test_buf.c - the capped buffer, at its cap and without memory.
 */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "check_main.h"

static const size_t caps[] = {0, 1, 2, 255, 256, 257, 4096, 100000};

START_TEST(buffer_grows_to_its_cap)
{
	size_t cap = caps[_i];
	struct buf buf = buf_make(cap);

	size_t wrong = 0;

	for (size_t i = 0; i < cap; i++)
		buf_add_char(&buf, (char)i);
	ck_assert_int_eq(buf.status, STATUS_OK);
	ck_assert_uint_eq(buf.n, cap);
	for (size_t i = 0; i < cap; i++)
		wrong += buf.p[i] != (char)i;
	ck_assert_uint_eq(wrong, 0);
	buf_add(&buf, "", 0);
	ck_assert_int_eq(buf.status, STATUS_OK);
	buf_add_char(&buf, 'x');
	ck_assert_int_eq(buf.status, STATUS_TOO_LARGE);
	ck_assert_uint_eq(buf.n, cap);
	buf_free(&buf);
}
END_TEST

START_TEST(buffer_takes_one_large_piece)
{
	size_t cap = caps[_i];
	struct buf buf = buf_make(cap);
	char *piece = calloc(1, cap + 1);

	ck_assert_ptr_nonnull(piece);
	buf_add(&buf, piece, cap);
	ck_assert_int_eq(buf.status, STATUS_OK);
	ck_assert_uint_eq(buf.n, cap);
	buf_free(&buf);
	buf_add(&buf, piece, cap + 1);
	ck_assert_int_eq(buf.status, STATUS_TOO_LARGE);
	ck_assert_uint_eq(buf.n, 0);
	buf_free(&buf);
	free(piece);
}
END_TEST

START_TEST(buffer_remembers_the_first_failure)
{
	struct buf buf = buf_make(4);

	buf_add_text(&buf, "abc");
	buf_add_text(&buf, "de");
	buf_add_text(&buf, "f");
	buf_add_format(&buf, "%d", 1);
	ck_assert_ptr_null(buf_reserve(&buf, 0));
	ck_assert_int_eq(buf.status, STATUS_TOO_LARGE);
	ck_assert(slice_equal(buf_slice(&buf), SLICE("abc")));
	buf_reset(&buf, 4096);
	ck_assert_int_eq(buf.status, STATUS_OK);
	buf_add_text(&buf, "fits");
	ck_assert(slice_equal(buf_slice(&buf), SLICE("fits")));
	buf_free(&buf);
}
END_TEST

START_TEST(buffer_in_given_memory_does_not_grow)
{
	char memory[4];
	struct buf buf = buf_over(memory, sizeof(memory));
	long before = unit_allocations();

	buf_add_text(&buf, "abcd");
	enum status status = buf.status;
	buf_add_char(&buf, 'e');
	long after = unit_allocations();
	ck_assert_int_eq(status, STATUS_OK);
	ck_assert_int_eq(buf.status, STATUS_TOO_LARGE);
	ck_assert_int_eq(after, before);
	ck_assert(slice_equal(buf_slice(&buf), (struct slice){"abcd", 4}));
	ck_assert_ptr_eq(buf.p, memory);
}
END_TEST

START_TEST(buffer_reset_gives_large_memory_back)
{
	struct buf buf = buf_make(100000);

	for (int i = 0; i < 5000; i++)
		buf_add_text(&buf, "x");
	size_t size = buf.size;
	buf_reset(&buf, size);
	ck_assert_uint_eq(buf.size, size);
	buf_reset(&buf, size - 1);
	ck_assert_uint_eq(buf.size, 0);
	ck_assert_ptr_null(buf.p);
	ck_assert_uint_eq(buf.cap, 100000);
	buf_free(&buf);
}
END_TEST

static const struct {
	int64_t value;
	const char *text;
} integers[] = {
	{0, "0"},
	{9, "9"},
	{10, "10"},
	{-1, "-1"},
	{INT64_MAX, "9223372036854775807"},
	{INT64_MIN, "-9223372036854775808"},
};

START_TEST(integers_are_written)
{
	struct buf buf = buf_make(64);

	buf_add_int(&buf, integers[_i].value);
	ck_assert(slice_equal(buf_slice(&buf), slice_of(integers[_i].text)));
	buf_free(&buf);
}
END_TEST

START_TEST(big_endian_is_written)
{
	struct buf buf = buf_make(64);

	buf_add_be16(&buf, 0x0102);
	buf_add_be32(&buf, 0x80000003U);
	buf_add_be64(&buf, UINT64_C(0xfffefdfcfbfaf9f8));
	ck_assert_uint_eq(buf.n, 14);
	ck_assert_mem_eq(buf.p, "\x01\x02\x80\x00\x00\x03\xff\xfe\xfd\xfc\xfb\xfa\xf9\xf8", 14);
	buf_free(&buf);
}
END_TEST

/* Around the size of the formatter's own buffer. */
static const int widths[] = {0, 1, 510, 511, 512, 513, 5000};

START_TEST(formats_of_any_length_are_written)
{
	struct buf buf = buf_make(10000);

	buf_add_format(&buf, "%*s|%s", widths[_i], "x", "end");
	ck_assert_int_eq(buf.status, STATUS_OK);
	size_t width = widths[_i] == 0 ? 1 : (size_t)widths[_i];
	ck_assert_uint_eq(buf.n, width + 4);
	ck_assert_mem_eq(buf.p + width - 1, "x|end", 5);
	buf_free(&buf);
}
END_TEST

static const struct {
	struct slice text;
	const char *json;
} strings[] = {
	{{NULL, 0}, "\"\""},
	{{"", 0}, "\"\""},
	{{"plain", 5}, "\"plain\""},
	{{"\"\\/", 3}, "\"\\\"\\\\/\""},
	{{"\n\r\t", 3}, "\"\\n\\r\\t\""},
	{{"\0\x01\x1f", 3}, "\"\\u0000\\u0001\\u001f\""},
	{{"a\x7fz", 3}, "\"a\\u007fz\""},
	{{"\xc3\xa4\xf0\x9f\x98\x80", 6}, "\"\xc3\xa4\xf0\x9f\x98\x80\""},
	{{"\"", 1}, "\"\\\"\""},
};

START_TEST(json_strings_are_escaped)
{
	struct buf buf = buf_make(256);

	buf_add_json(&buf, strings[_i].text);
	buf_add_char(&buf, '\0');
	ck_assert_str_eq(buf.p, strings[_i].json);
	buf_free(&buf);
}
END_TEST

static enum status fill_buffer(void)
{
	struct buf buf = buf_make(100000);
	char wide[2000];

	memset(wide, 'w', sizeof(wide));
	for (int i = 0; i < 10; i++) {
		buf_add_format(&buf, "%.*s", (int)sizeof(wide), wide);
		buf_add_json(&buf, (struct slice){wide, sizeof(wide)});
		buf_add_int(&buf, i);
	}
	enum status status = buf.status;
	buf_free(&buf);
	return status;
}

START_TEST(buffer_survives_failure)
{
	ck_assert_int_ge(unit_torture(fill_buffer), 4);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("buf");
	TCase *tests = tcase_create("buf");

	tcase_add_loop_test(tests, buffer_grows_to_its_cap, 0, LENGTH(caps));
	tcase_add_loop_test(tests, buffer_takes_one_large_piece, 0, LENGTH(caps));
	tcase_add_test(tests, buffer_remembers_the_first_failure);
	tcase_add_test(tests, buffer_in_given_memory_does_not_grow);
	tcase_add_test(tests, buffer_reset_gives_large_memory_back);
	tcase_add_loop_test(tests, integers_are_written, 0, LENGTH(integers));
	tcase_add_test(tests, big_endian_is_written);
	tcase_add_loop_test(tests, formats_of_any_length_are_written, 0, LENGTH(widths));
	tcase_add_loop_test(tests, json_strings_are_escaped, 0, LENGTH(strings));
	tcase_add_test(tests, buffer_survives_failure);
	suite_add_tcase(suite, tests);
	return suite;
}
