/*
 * test_arena.c - the arena: zeroed, aligned, and all of it gone at once.
 */
#include <stdalign.h>
#include <string.h>

#include "base/arena.h"
#include "check_main.h"

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
	ck_assert_str_eq(arena_copy(&arena, SLICE_ABSENT), "");
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

START_TEST(numbers_are_written)
{
	struct arena arena = {0};
	struct slice text = arena_int(&arena, INT64_MIN);

	ck_assert_str_eq(text.p, "-9223372036854775808");
	ck_assert_uint_eq(text.n, 20);
	ck_assert(slice_equal(arena_int(&arena, 0), SLICE("0")));
	arena_free(&arena);
}
END_TEST

START_TEST(formatted_texts_have_any_length)
{
	struct arena arena = {0};
	char long_text[20001];

	memset(long_text, 'x', sizeof(long_text) - 1);
	long_text[sizeof(long_text) - 1] = '\0';
	ck_assert_str_eq(arena_format(&arena, "%s %d at %.*s", "item", -7, 2, "abc"),
			 "item -7 at ab");
	ck_assert_str_eq(arena_format(&arena, "%s", ""), "");
	ck_assert_str_eq(arena_format(&arena, "%s", long_text), long_text);
	arena_free(&arena);
}
END_TEST

START_TEST(a_moved_buffer_is_freed)
{
	struct arena arena = {0};
	struct buf buf = buf_make(8);
	long before = unit_allocations();

	buf_add_text(&buf, "a\nb");
	struct slice text = arena_move(&arena, &buf);
	arena_free(&arena);
	long left = unit_allocations() - before;
	ck_assert_int_eq(left, 0);
	ck_assert_uint_eq(text.n, 3);
	ck_assert_ptr_null(buf.p);
	ck_assert_uint_eq(buf.cap, 8);

	buf_add_text(&buf, "12345678");
	text = arena_move(&arena, &buf);
	ck_assert_str_eq(text.p, "12345678");
	ck_assert_uint_eq(text.n, 8);
	arena_free(&arena);
}
END_TEST

START_TEST(an_empty_or_failed_buffer_is_an_absent_text)
{
	struct arena arena = {0};
	struct buf empty = buf_make(8), full = buf_make(8);

	struct slice text = arena_move(&arena, &empty);
	ck_assert_ptr_null(text.p);
	ck_assert_uint_eq(text.n, 0);
	buf_add_text(&full, "1234567");
	buf_add_text(&full, "89");
	text = arena_move(&arena, &full);
	ck_assert_ptr_null(text.p);
	ck_assert_uint_eq(text.n, 0);
	ck_assert_ptr_null(full.p);
	ck_assert_int_eq(full.status, STATUS_OK);
	arena_free(&arena);
}
END_TEST

static enum status format_into_arena(void)
{
	struct arena arena = {0};
	const char *text = arena_format(&arena, "%08d", 1);
	const char *more = arena_format(&arena, "%9000d", 1);

	arena_free(&arena);
	return text == NULL || more == NULL ? STATUS_NO_MEMORY : STATUS_OK;
}

static enum status move_into_arena(void)
{
	struct arena arena = {0};
	struct buf buf = buf_make(8);

	buf_add_text(&buf, "text");
	struct slice text = arena_move(&arena, &buf);
	arena_free(&arena);
	if (text.p == NULL)
		return text.n == 0 ? STATUS_NO_MEMORY : STATUS_INTERNAL;
	return STATUS_OK;
}

START_TEST(formatting_and_moving_survive_failure)
{
	ck_assert_int_eq(unit_torture(format_into_arena), 2);
	ck_assert_int_eq(unit_torture(move_into_arena), 2);
}
END_TEST

static enum status fill_arena(void)
{
	struct arena arena = {0};
	enum status status = STATUS_OK;

	for (int i = 0; i < 4 && status == STATUS_OK; i++) {
		if (arena_alloc(&arena, 8000) == NULL ||
		    arena_copy(&arena, SLICE("some text")) == NULL ||
		    arena_int(&arena, i).p == NULL)
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

Suite *unit_suite(void)
{
	Suite *suite = suite_create("arena");
	TCase *tests = tcase_create("arena");

	tcase_add_loop_test(tests, arena_gives_zeroed_aligned_memory, 0, LENGTH(arena_sizes));
	tcase_add_test(tests, arena_refuses_what_wraps);
	tcase_add_test(tests, arena_copies_are_terminated);
	tcase_add_test(tests, arena_reset_keeps_one_block);
	tcase_add_test(tests, numbers_are_written);
	tcase_add_test(tests, formatted_texts_have_any_length);
	tcase_add_test(tests, a_moved_buffer_is_freed);
	tcase_add_test(tests, an_empty_or_failed_buffer_is_an_absent_text);
	tcase_add_test(tests, formatting_and_moving_survive_failure);
	tcase_add_test(tests, arena_survives_failure);
	suite_add_tcase(suite, tests);
	return suite;
}
