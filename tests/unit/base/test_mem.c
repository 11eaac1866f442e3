/*
 * test_mem.c - slices, the arena, and the capped buffer at its cap.
 */
#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "check_main.h"

#define ABSENT ((struct slice){NULL, 0})

/* ---- slices ---- */

static const struct {
	const char *a, *b;
	bool equal, equal_nocase, starts;
} pairs[] = {
	{"", "", true, true, true},
	{NULL, "", true, true, true},
	{NULL, NULL, true, true, true},
	{"a", "", false, false, true},
	{"", "a", false, false, false},
	{"key", "key", true, true, true},
	{"key", "KEY", false, true, false},
	{"key", "ke", false, false, true},
	{"ke", "key", false, false, false},
	{"@[`{", "`{@[", false, false, false},
	{"@", "`", false, false, false},
	{"[", "{", false, false, false},
	{"\xc4", "\xe4", false, false, false},
	{"AZaz", "azAZ", false, true, false},
};

START_TEST(slices_compare)
{
	struct slice a = slice_of(pairs[_i].a);
	struct slice b = slice_of(pairs[_i].b);

	ck_assert_int_eq(slice_equal(a, b), pairs[_i].equal);
	ck_assert_int_eq(slice_equal(b, a), pairs[_i].equal);
	ck_assert_int_eq(slice_equal_nocase(a, b), pairs[_i].equal_nocase);
	ck_assert_int_eq(slice_starts(a, b), pairs[_i].starts);
}
END_TEST

static const struct {
	const char *text, *trimmed;
} blanks[] = {{"", ""},
	      {" ", ""},
	      {" \t\r\n ", ""},
	      {"a", "a"},
	      {" a", "a"},
	      {"a\n", "a"},
	      {"\ta b\r\n", "a b"},
	      {"\va", "\va"},
	      {"\xa0"
	       "a",
	       "\xa0"
	       "a"}};

START_TEST(slices_are_trimmed)
{
	ck_assert(slice_equal(slice_trim(slice_of(blanks[_i].text)), slice_of(blanks[_i].trimmed)));
}
END_TEST

START_TEST(slices_hold_any_byte)
{
	struct slice text = SLICE("a\0b");

	ck_assert_uint_eq(text.n, 3);
	ck_assert(!slice_equal(text, SLICE("a\0c")));
	ck_assert(slice_equal(text, SLICE("a\0b")));
	ck_assert_ptr_null(slice_of(NULL).p);
	ck_assert_uint_eq(slice_of("").n, 0);
	ck_assert_ptr_nonnull(slice_of("").p);
}
END_TEST

/* ---- arena ---- */

static const size_t arena_sizes[] = {0, 1, 15, 16, 17, 4096, 8191, 8192, 8193, 100000, 1 << 20};

/* An assertion per byte would cost more than the test. */
static bool all_are(const unsigned char *bytes, size_t n, int value)
{
	for (size_t i = 0; i < n; i++) {
		if (bytes[i] != value)
			return false;
	}
	return true;
}

START_TEST(arena_gives_zeroed_aligned_memory)
{
	struct arena arena = {0};
	size_t n = arena_sizes[_i];
	unsigned char *blocks[4];

	for (int i = 0; i < LENGTH(blocks); i++) {
		blocks[i] = arena_alloc(&arena, n);
		ck_assert_ptr_nonnull(blocks[i]);
		ck_assert_uint_eq((uintptr_t)blocks[i] % alignof(max_align_t), 0);
		ck_assert(all_are(blocks[i], n, 0));
		memset(blocks[i], 'a' + i, n);
	}
	/* Nobody writes into another's memory. */
	for (int i = 0; i < LENGTH(blocks); i++)
		ck_assert(all_are(blocks[i], n, 'a' + i));
	arena_free(&arena);
	ck_assert_uint_eq(arena.total, 0);
}
END_TEST

START_TEST(arena_refuses_what_wraps)
{
	struct arena arena = {0};

	ck_assert_ptr_null(arena_alloc(&arena, SIZE_MAX));
	ck_assert_ptr_null(arena_alloc(&arena, SIZE_MAX / 2 + 1));
	ck_assert_ptr_null(arena_array(&arena, SIZE_MAX / 8 + 1, 8));
	ck_assert_ptr_null(arena_array(&arena, SIZE_MAX, SIZE_MAX));
	ck_assert_ptr_nonnull(arena_array(&arena, 0, SIZE_MAX));
	ck_assert_ptr_nonnull(arena_array(&arena, SIZE_MAX, 0));
	arena_free(&arena);
}
END_TEST

START_TEST(arena_copies_are_terminated)
{
	struct arena arena = {0};

	ck_assert_str_eq(arena_copy(&arena, (struct slice){"abcdef", 3}), "abc");
	ck_assert_str_eq(arena_copy(&arena, ABSENT), "");
	ck_assert_mem_eq(arena_copy(&arena, SLICE("a\0b")), "a\0b", 4);
	arena_free(&arena);
}
END_TEST

START_TEST(arena_reset_keeps_one_block)
{
	struct arena arena = {0};
	long before = unit_allocations();

	for (int i = 0; i < 10; i++)
		(void)arena_alloc(&arena, 5000);
	(void)arena_alloc(&arena, 100000);
	memset(arena_alloc(&arena, 8192), 'x', 8192);
	arena_reset(&arena);
	long kept = unit_allocations() - before;
	size_t total = arena.total;
	char *again = arena_alloc(&arena, 8192);
	bool zeroed = again[0] == 0 && again[8191] == 0;
	long reused = unit_allocations() - before;
	arena_free(&arena);
	long left = unit_allocations() - before;
	ck_assert_int_eq(kept, 1);
	ck_assert_int_eq(reused, 1);
	ck_assert_int_eq(left, 0);
	ck_assert_uint_eq(total, 8192);
	ck_assert(zeroed);
	arena_reset(&arena);
	ck_assert_ptr_null(arena.blocks);
}
END_TEST

static enum status fill_arena(void)
{
	struct arena arena = {0};
	enum status status = STATUS_OK;

	for (int i = 0; i < 4 && status == STATUS_OK; i++) {
		if (arena_alloc(&arena, 8000) == NULL ||
		    arena_copy(&arena, SLICE("some text")) == NULL)
			status = STATUS_NO_MEMORY;
	}
	arena_free(&arena);
	return status;
}

START_TEST(arena_survives_failure)
{
	ck_assert_int_eq(unit_torture(fill_arena), 4);
}
END_TEST

/* ---- buffer ---- */

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

static TCase *slice_tests(void)
{
	TCase *tests = tcase_create("slice");

	tcase_add_loop_test(tests, slices_compare, 0, LENGTH(pairs));
	tcase_add_loop_test(tests, slices_are_trimmed, 0, LENGTH(blanks));
	tcase_add_test(tests, slices_hold_any_byte);
	return tests;
}

static TCase *arena_tests(void)
{
	TCase *tests = tcase_create("arena");

	tcase_add_loop_test(tests, arena_gives_zeroed_aligned_memory, 0, LENGTH(arena_sizes));
	tcase_add_test(tests, arena_refuses_what_wraps);
	tcase_add_test(tests, arena_copies_are_terminated);
	tcase_add_test(tests, arena_reset_keeps_one_block);
	tcase_add_test(tests, arena_survives_failure);
	return tests;
}

static TCase *buffer_tests(void)
{
	TCase *tests = tcase_create("buffer");

	tcase_add_loop_test(tests, buffer_grows_to_its_cap, 0, LENGTH(caps));
	tcase_add_loop_test(tests, buffer_takes_one_large_piece, 0, LENGTH(caps));
	tcase_add_test(tests, buffer_remembers_the_first_failure);
	tcase_add_test(tests, buffer_reset_gives_large_memory_back);
	tcase_add_loop_test(tests, integers_are_written, 0, LENGTH(integers));
	tcase_add_test(tests, big_endian_is_written);
	tcase_add_loop_test(tests, formats_of_any_length_are_written, 0, LENGTH(widths));
	tcase_add_loop_test(tests, json_strings_are_escaped, 0, LENGTH(strings));
	tcase_add_test(tests, buffer_survives_failure);
	return tests;
}

Suite *unit_suite(void)
{
	Suite *suite = suite_create("mem");

	suite_add_tcase(suite, slice_tests());
	suite_add_tcase(suite, arena_tests());
	suite_add_tcase(suite, buffer_tests());
	return suite;
}
