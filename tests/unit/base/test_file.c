/*
 * test_file.c - small files are read whole, or not at all and with a reason.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "check_main.h"

enum { MOST = 10000 };

static FILE *file;
static char path[64];

/* A file without a name, read through its descriptor. */
static void set_up(void)
{
	file = tmpfile();
	ck_assert_ptr_nonnull(file);
	(void)snprintf(path, sizeof(path), "/dev/fd/%d", fileno(file));
}

static void tear_down(void)
{
	(void)fclose(file);
}

static void write_bytes(const char *bytes, size_t n)
{
	ck_assert_int_eq(ftruncate(fileno(file), 0), 0);
	rewind(file);
	ck_assert_uint_eq(fwrite(bytes, 1, n, file), n);
	ck_assert_int_eq(fflush(file), 0);
}

static const size_t sizes[] = {0, 1, 4095, 4096, 4097, MOST - 1, MOST};

START_TEST(a_file_is_read_whole)
{
	static char bytes[MOST];
	struct arena arena = {0};
	struct slice text = SLICE_ABSENT;
	const char *message = NULL;

	for (size_t i = 0; i < sizes[_i]; i++)
		bytes[i] = (char)('a' + i % 23);
	write_bytes(bytes, sizes[_i]);
	ck_assert_int_eq(file_read(&arena, path, MOST, &text, &message), STATUS_OK);
	ck_assert_ptr_null(message);
	ck_assert(slice_equal(text, (struct slice){bytes, sizes[_i]}));
	ck_assert_int_eq(text.p[text.n], '\0');
	arena_free(&arena);
}
END_TEST

static void expect_failure(const char *name, const char *want)
{
	struct arena arena = {0};
	struct slice text = SLICE_ABSENT;
	const char *message = NULL;

	ck_assert_int_eq(file_read(&arena, name, MOST, &text, &message), STATUS_MISCONFIGURED);
	ck_assert_str_eq(message, want);
	ck_assert_ptr_null(text.p);
	arena_free(&arena);
}

START_TEST(one_byte_more_is_too_large)
{
	static char bytes[MOST + 1];

	memset(bytes, 'x', sizeof(bytes));
	write_bytes(bytes, sizeof(bytes));
	expect_failure(path, "is too large");
}
END_TEST

START_TEST(a_nul_byte_is_no_text)
{
	write_bytes("a\0b", 3);
	expect_failure(path, "holds a NUL byte");
	write_bytes("a\0", 2);
	expect_failure(path, "holds a NUL byte");
}
END_TEST

START_TEST(what_cannot_be_read_says_why)
{
	expect_failure("/dev/null/x", strerror(ENOTDIR));
	expect_failure("/nowhere/x", strerror(ENOENT));
	expect_failure("/", strerror(EISDIR));
}
END_TEST

static enum status read_once(void)
{
	struct arena arena = {0};
	struct slice text;
	const char *message;
	enum status status = file_read(&arena, path, MOST, &text, &message);

	arena_free(&arena);
	return status;
}

/* The C library cannot open a file without memory either. */
static enum status read_once_or_fail(void)
{
	enum status status = read_once();

	return status == STATUS_MISCONFIGURED && errno == ENOMEM ? STATUS_NO_MEMORY : status;
}

START_TEST(memory_runs_out)
{
	write_bytes("text", 4);
	ck_assert_int_ge(unit_torture(read_once_or_fail), 2);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("file");
	TCase *tests = tcase_create("file");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_loop_test(tests, a_file_is_read_whole, 0, LENGTH(sizes));
	tcase_add_test(tests, one_byte_more_is_too_large);
	tcase_add_test(tests, a_nul_byte_is_no_text);
	tcase_add_test(tests, what_cannot_be_read_says_why);
	tcase_add_test(tests, memory_runs_out);
	suite_add_tcase(suite, tests);
	return suite;
}
