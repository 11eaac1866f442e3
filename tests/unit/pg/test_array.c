/*
 * test_array.c - arrays in PostgreSQL's binary format: byte for byte, and whatever bytes come
 * back.
 */
#include <string.h>

#include "check_main.h"
#include "pg/array.h"

static struct pg_array array;

static void start(uint32_t type, size_t count)
{
	array.bytes = buf_make(1 << 20);
	pg_array_start(&array, type, count, 0);
}

static void check_bytes(const char *expected, size_t n)
{
	struct slice whole = pg_array_end(&array);

	ck_assert_int_eq(array.bytes.status, STATUS_OK);
	ck_assert_uint_eq(whole.n, n);
	ck_assert_mem_eq(whole.p, expected, n);
	buf_free(&array.bytes);
}

#define BYTES(literal) check_bytes((literal), sizeof(literal) - 1)

START_TEST(an_empty_array_has_no_dimension)
{
	start(PG_TEXT, 0);
	ck_assert(pg_array_is_null(&array));
	BYTES("\0\0\0\0\0\0\0\1\0\0\0\x19");
}
END_TEST

START_TEST(elements_have_their_length_before_them)
{
	start(PG_TEXT, 3);
	pg_array_add_null(&array);
	ck_assert(pg_array_is_null(&array));
	pg_array_add_bytes(&array, SLICE(""));
	ck_assert(!pg_array_is_null(&array));
	pg_array_add_bytes(&array, SLICE("a\0b"));
	BYTES("\0\0\0\1\0\0\0\1\0\0\0\x19\0\0\0\3\0\0\0\1"
	      "\xff\xff\xff\xff"
	      "\0\0\0\0"
	      "\0\0\0\3"
	      "a\0b");
}
END_TEST

START_TEST(an_array_of_one_element)
{
	start(PG_BOOL, 1);
	pg_array_add_bool(&array, true);
	BYTES("\0\0\0\1\0\0\0\1\0\0\0\x10\0\0\0\1\0\0\0\1\0\0\0\1\1");
}
END_TEST

START_TEST(an_absent_text_is_null)
{
	start(PG_TEXT, 2);
	pg_array_add_bytes(&array, SLICE("a"));
	pg_array_add_bytes(&array, SLICE_ABSENT);
	ck_assert(pg_array_is_whole(&array));
	BYTES("\0\0\0\1\0\0\0\1\0\0\0\x19\0\0\0\2\0\0\0\1"
	      "\0\0\0\1"
	      "a"
	      "\xff\xff\xff\xff");
}
END_TEST

START_TEST(numbers_are_big_endian)
{
	start(PG_INT8, 5);
	pg_array_add_int2(&array, -2);
	pg_array_add_int4(&array, 0x01020304);
	pg_array_add_int8(&array, INT64_MIN);
	pg_array_add_bool(&array, true);
	pg_array_add_bool(&array, false);
	BYTES("\0\0\0\1\0\0\0\1\0\0\0\x14\0\0\0\5\0\0\0\1"
	      "\0\0\0\2\xff\xfe"
	      "\0\0\0\4\1\2\3\4"
	      "\0\0\0\x8\x80\0\0\0\0\0\0\0"
	      "\0\0\0\1\1"
	      "\0\0\0\1\0");
}
END_TEST

START_TEST(timestamps_count_from_2000)
{
	start(PG_TIMESTAMPTZ, 3);
	pg_array_add_timestamp(&array, INT64_MIN);
	ck_assert(pg_array_is_null(&array));
	pg_array_add_timestamp(&array, INT64_C(946684800) * 1000000);
	pg_array_add_timestamp(&array, INT64_C(946684800) * 1000000 - 1);
	BYTES("\0\0\0\1\0\0\0\1\0\0\x4\xa0\0\0\0\3\0\0\0\1"
	      "\xff\xff\xff\xff"
	      "\0\0\0\x8\0\0\0\0\0\0\0\0"
	      "\0\0\0\x8\xff\xff\xff\xff\xff\xff\xff\xff");
}
END_TEST

START_TEST(a_new_start_forgets_the_elements)
{
	start(PG_BOOL, 1);
	pg_array_add_bool(&array, true);
	pg_array_start(&array, PG_BOOL, 0, 64);
	ck_assert(pg_array_is_null(&array));
	BYTES("\0\0\0\0\0\0\0\1\0\0\0\x10");
}
END_TEST

START_TEST(what_was_written_is_read)
{
	start(PG_INT8, 4);
	pg_array_add_int8(&array, 7);
	pg_array_add_null(&array);
	pg_array_add_int8(&array, -1);
	pg_array_add_int8(&array, INT64_MAX);
	struct pg_array_reader reader = pg_array_open(pg_array_end(&array), PG_INT8);
	ck_assert_uint_eq(reader.left, 4);
	ck_assert_int_eq(pg_array_next(&reader, 8, 99), 7);
	ck_assert_int_eq(pg_array_next(&reader, 8, 99), 99);
	ck_assert_int_eq(pg_array_next(&reader, 8, 99), -1);
	ck_assert_int_eq(pg_array_next(&reader, 8, 99), INT64_MAX);
	ck_assert(!reader.broken);
	ck_assert_int_eq(pg_array_next(&reader, 8, 99), 99);
	ck_assert_msg(reader.broken, "more was read than there is");
	buf_free(&array.bytes);
}
END_TEST

START_TEST(texts_are_read_where_they_lie)
{
	start(PG_TEXT, 3);
	pg_array_add_bytes(&array, SLICE("ab"));
	pg_array_add_null(&array);
	pg_array_add_bytes(&array, SLICE(""));
	struct pg_array_reader reader = pg_array_open(pg_array_end(&array), PG_TEXT);
	struct slice text = pg_array_next_bytes(&reader);
	ck_assert(slice_equal(text, SLICE("ab")) && text.p > array.bytes.p);
	ck_assert_ptr_null(pg_array_next_bytes(&reader).p);
	text = pg_array_next_bytes(&reader);
	ck_assert(text.p != NULL && text.n == 0 && !reader.broken);
	ck_assert_ptr_null(pg_array_next_bytes(&reader).p);
	ck_assert_msg(reader.broken, "more was read than there is");
	buf_free(&array.bytes);
}
END_TEST

START_TEST(an_absent_array_has_nothing_and_is_not_broken)
{
	struct pg_array_reader reader = pg_array_open((struct slice){NULL, 0}, PG_INT8);

	ck_assert_uint_eq(reader.left, 0);
	ck_assert(!reader.broken && reader.end == NULL);
}
END_TEST

START_TEST(numbers_of_each_width_are_read)
{
	start(PG_INT2, 3);
	pg_array_add_int2(&array, 0x1234);
	pg_array_add_int4(&array, 0x12345678);
	pg_array_add_bool(&array, true);
	struct pg_array_reader reader = pg_array_open(pg_array_end(&array), PG_INT2);
	ck_assert_int_eq(pg_array_next(&reader, 2, 0), 0x1234);
	ck_assert_int_eq(pg_array_next(&reader, 4, 0), 0x12345678);
	ck_assert_int_eq(pg_array_next(&reader, 1, 0), 1);
	ck_assert(!reader.broken);
	ck_assert_uint_eq(reader.left, 0);
	buf_free(&array.bytes);
}
END_TEST

/* Every beginning of a good array, and another type, width or dimension. */
START_TEST(other_bytes_are_broken)
{
	start(PG_INT2, 2);
	pg_array_add_int2(&array, 1);
	pg_array_add_int2(&array, 2);
	struct slice whole = pg_array_end(&array);
	for (size_t n = 0; n < whole.n; n++) {
		struct pg_array_reader cut = pg_array_open((struct slice){whole.p, n}, PG_INT2);
		(void)pg_array_next(&cut, 2, 0);
		(void)pg_array_next(&cut, 2, 0);
		ck_assert_msg(cut.broken, "%zu bytes of %zu", n, whole.n);
	}
	ck_assert(pg_array_open(whole, PG_INT4).broken);
	ck_assert_uint_eq(pg_array_open(whole, PG_INT4).left, 0);
	struct pg_array_reader wide = pg_array_open(whole, PG_INT2);
	(void)pg_array_next(&wide, 4, 0);
	ck_assert(wide.broken);
	array.bytes.p[3] = 2;
	ck_assert_msg(pg_array_open(whole, PG_INT2).broken, "two dimensions");
	buf_free(&array.bytes);
}
END_TEST

START_TEST(an_array_is_whole_when_all_its_elements_are_there)
{
	start(PG_INT2, 2);
	ck_assert(!pg_array_is_whole(&array));
	pg_array_add_null(&array);
	ck_assert(!pg_array_is_whole(&array));
	pg_array_add_int2(&array, 1);
	ck_assert(pg_array_is_whole(&array));
	pg_array_add_null(&array);
	ck_assert_msg(!pg_array_is_whole(&array), "one too many");
	buf_free(&array.bytes);
}
END_TEST

/* As record_send writes (NULL::int4, ''::text, 'ab'::text). */
#define RECORD                                                                                     \
	"\0\0\0\3" /* fields */                                                                    \
	"\0\0\0\x17\xff\xff\xff\xff"                                                               \
	"\0\0\0\x19\0\0\0\0"                                                                       \
	"\0\0\0\x19\0\0\0\2ab"

START_TEST(fields_of_a_record_are_read_where_they_lie)
{
	const struct slice record = {RECORD, sizeof(RECORD) - 1};
	struct pg_array_reader reader = pg_record_open(record, 3);

	ck_assert_ptr_null(pg_record_next(&reader).p);
	struct slice field = pg_record_next(&reader);
	ck_assert(field.p != NULL && field.n == 0);
	ck_assert(slice_equal(pg_record_next(&reader), SLICE("ab")) && !reader.broken);
	ck_assert_ptr_null(pg_record_next(&reader).p);
	ck_assert_msg(reader.broken, "more was read than there is");
}
END_TEST

START_TEST(other_records_are_broken)
{
	const struct slice record = {RECORD, sizeof(RECORD) - 1};

	for (size_t n = 0; n < record.n; n++) {
		struct pg_array_reader cut = pg_record_open((struct slice){record.p, n}, 3);
		for (int i = 0; i < 3; i++)
			(void)pg_record_next(&cut);
		ck_assert_msg(cut.broken, "%zu bytes of %zu", n, record.n);
	}
	ck_assert(pg_record_open(record, 2).broken && pg_record_open(record, 4).broken);
	ck_assert(pg_record_open((struct slice){NULL, 0}, 3).broken);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("pg_array");
	TCase *writing = tcase_create("writing");
	TCase *reading = tcase_create("reading");

	tcase_add_test(writing, an_empty_array_has_no_dimension);
	tcase_add_test(writing, elements_have_their_length_before_them);
	tcase_add_test(writing, an_array_of_one_element);
	tcase_add_test(writing, an_absent_text_is_null);
	tcase_add_test(writing, numbers_are_big_endian);
	tcase_add_test(writing, timestamps_count_from_2000);
	tcase_add_test(writing, a_new_start_forgets_the_elements);
	tcase_add_test(writing, an_array_is_whole_when_all_its_elements_are_there);
	suite_add_tcase(suite, writing);
	tcase_add_test(reading, what_was_written_is_read);
	tcase_add_test(reading, numbers_of_each_width_are_read);
	tcase_add_test(reading, texts_are_read_where_they_lie);
	tcase_add_test(reading, an_absent_array_has_nothing_and_is_not_broken);
	tcase_add_test(reading, other_bytes_are_broken);
	tcase_add_test(reading, fields_of_a_record_are_read_where_they_lie);
	tcase_add_test(reading, other_records_are_broken);
	suite_add_tcase(suite, reading);
	return suite;
}
