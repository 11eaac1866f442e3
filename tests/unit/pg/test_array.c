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
	BYTES("\0\0\0\0\0\0\0\1\0\0\0\x19");
}
END_TEST

START_TEST(elements_have_their_length_before_them)
{
	start(PG_TEXT, 4);
	pg_array_add_null(&array, PG_TEXT);
	pg_array_add_text(&array, SLICE(""));
	pg_array_add_bytea(&array, SLICE("a\0b"));
	pg_array_add_jsonb(&array, SLICE("{}"));
	BYTES("\0\0\0\1\0\0\0\1\0\0\0\x19\0\0\0\4\0\0\0\1"
	      "\xff\xff\xff\xff"
	      "\0\0\0\0"
	      "\0\0\0\3"
	      "a\0b"
	      "\0\0\0\3\1{}");
}
END_TEST

START_TEST(an_absent_text_is_null)
{
	start(PG_TEXT, 4);
	pg_array_add_text(&array, SLICE("a"));
	pg_array_add_text(&array, SLICE_ABSENT);
	pg_array_add_bytea(&array, SLICE_ABSENT);
	pg_array_add_jsonb(&array, SLICE_ABSENT);
	BYTES("\0\0\0\1\0\0\0\1\0\0\0\x19\0\0\0\4\0\0\0\1"
	      "\0\0\0\1"
	      "a"
	      "\xff\xff\xff\xff"
	      "\xff\xff\xff\xff"
	      "\xff\xff\xff\xff");
}
END_TEST

START_TEST(numbers_are_big_endian)
{
	start(PG_INT8, 4);
	pg_array_add_int4(&array, 0x01020304);
	pg_array_add_int8(&array, INT64_MIN + 0x0102030405060708);
	pg_array_add_bool(&array, true);
	pg_array_add_bool(&array, false);
	BYTES("\0\0\0\1\0\0\0\1\0\0\0\x14\0\0\0\4\0\0\0\1"
	      "\0\0\0\4\1\2\3\4"
	      "\0\0\0\x8\x81\2\3\4\5\6\7\x8"
	      "\0\0\0\1\1"
	      "\0\0\0\1\0");
}
END_TEST

START_TEST(a_uuid_is_sixteen_bytes)
{
	start(PG_UUID, 1);
	pg_array_add_uuid(&array, (const unsigned char *)"0123456789abcdef");
	BYTES("\0\0\0\1\0\0\0\1\0\0\x0b\x86\0\0\0\1\0\0\0\1"
	      "\0\0\0\x10"
	      "0123456789abcdef");
}
END_TEST

START_TEST(addresses_are_those_of_hosts)
{
	struct address ipv4, ipv6;

	ck_assert(address_read(SLICE("192.0.2.1"), &ipv4) && address_read(SLICE("::1"), &ipv6));
	start(PG_INET, 3);
	pg_array_add_inet(&array, &ADDRESS_UNKNOWN);
	pg_array_add_inet(&array, &ipv4);
	pg_array_add_inet(&array, &ipv6);
	BYTES("\0\0\0\1\0\0\0\1\0\0\3\x65\0\0\0\3\0\0\0\1"
	      "\xff\xff\xff\xff"
	      "\0\0\0\x08\2\x20\0\4\xc0\0\2\1"
	      "\0\0\0\x14\3\x80\0\x10\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1");
}
END_TEST

START_TEST(timestamps_count_from_2000)
{
	start(PG_TIMESTAMPTZ, 3);
	pg_array_add_timestamp(&array, INT64_MIN);
	pg_array_add_timestamp(&array, INT64_C(946684800) * 1000000);
	pg_array_add_timestamp(&array, INT64_C(946684800) * 1000000 - 1);
	BYTES("\0\0\0\1\0\0\0\1\0\0\x4\xa0\0\0\0\3\0\0\0\1"
	      "\xff\xff\xff\xff"
	      "\0\0\0\x8\0\0\0\0\0\0\0\0"
	      "\0\0\0\x8\xff\xff\xff\xff\xff\xff\xff\xff");
}
END_TEST

/* A record has its length and the number of its fields, a field its type before its length. */
START_TEST(records_are_elements)
{
	start(PG_OTHER, 3);
	pg_array_start_record(&array, 6);
	pg_array_add_int4(&array, 7);
	pg_array_add_text(&array, SLICE("ab"));
	pg_array_add_null(&array, PG_INT8);
	pg_array_add_bytea(&array, SLICE("\xff"));
	pg_array_add_jsonb(&array, SLICE("1"));
	pg_array_add_timestamp(&array, INT64_MIN);
	pg_array_end_record(&array);
	pg_array_start_record(&array, 1);
	pg_array_add_bool(&array, true);
	pg_array_end_record(&array);
	pg_array_start_record(&array, 0);
	pg_array_end_record(&array);
	BYTES("\0\0\0\1\0\0\0\1\0\0\0\0\0\0\0\3\0\0\0\1"
	      "\0\0\0\x3d\0\0\0\6"
	      "\0\0\0\x17\0\0\0\4\0\0\0\7"
	      "\0\0\0\x19\0\0\0\2ab"
	      "\0\0\0\x14\xff\xff\xff\xff"
	      "\0\0\0\x11\0\0\0\1\xff"
	      "\0\0\xe\xda\0\0\0\2\1"
	      "1"
	      "\0\0\4\xa0\xff\xff\xff\xff"
	      "\0\0\0\xd\0\0\0\1\0\0\0\x10\0\0\0\1\1"
	      "\0\0\0\4\0\0\0\0");
}
END_TEST

START_TEST(a_new_start_forgets_the_elements)
{
	start(PG_BOOL, 1);
	pg_array_add_bool(&array, true);
	pg_array_start_record(&array, 1);
	pg_array_start(&array, PG_BOOL, 1, 64);
	pg_array_add_bool(&array, true);
	BYTES("\0\0\0\1\0\0\0\1\0\0\0\x10\0\0\0\1\0\0\0\1\0\0\0\1\1");
}
END_TEST

/* As many elements and fields as were announced. */
START_TEST(what_is_not_whole_has_a_status)
{
	for (size_t elements = 0; elements <= 2; elements++) {
		for (size_t fields = 0; fields <= 2; fields++) {
			bool whole = elements == 1 && fields == 1;
			start(PG_OTHER, 1);
			for (size_t i = 0; i < elements; i++) {
				pg_array_start_record(&array, 1);
				for (size_t k = 0; k < fields; k++)
					pg_array_add_int4(&array, 7);
				pg_array_end_record(&array);
			}
			(void)pg_array_end(&array);
			ck_assert_int_eq(array.bytes.status, whole ? STATUS_OK : STATUS_INTERNAL);
			buf_free(&array.bytes);
		}
	}
}
END_TEST

static enum status write_all(void)
{
	struct slice long_text = {NULL, 300};
	static const char text[300] = "";

	long_text.p = text;
	start(PG_OTHER, 2);
	for (int i = 0; i < 2; i++) {
		pg_array_start_record(&array, 7);
		pg_array_add_text(&array, long_text);
		pg_array_add_jsonb(&array, long_text);
		pg_array_add_bool(&array, true);
		pg_array_add_int4(&array, 1);
		pg_array_add_int8(&array, 1);
		pg_array_add_timestamp(&array, 1);
		pg_array_add_null(&array, PG_TEXT);
		pg_array_end_record(&array);
	}
	(void)pg_array_end(&array);
	enum status status = array.bytes.status;
	buf_free(&array.bytes);
	return status;
}

START_TEST(writing_without_memory)
{
	ck_assert_int_ge(unit_torture(write_all), 3);
}
END_TEST

START_TEST(what_was_written_is_read)
{
	start(PG_INT8, 4);
	pg_array_add_int8(&array, 7);
	pg_array_add_null(&array, PG_INT8);
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
	pg_array_add_text(&array, SLICE("ab"));
	pg_array_add_null(&array, PG_TEXT);
	pg_array_add_text(&array, SLICE(""));
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
	start(PG_INT4, 2);
	pg_array_add_int4(&array, 0x12345678);
	pg_array_add_bool(&array, true);
	struct pg_array_reader reader = pg_array_open(pg_array_end(&array), PG_INT4);
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
	start(PG_INT4, 2);
	pg_array_add_int4(&array, 1);
	pg_array_add_int4(&array, 2);
	struct slice whole = pg_array_end(&array);
	for (size_t n = 0; n < whole.n; n++) {
		struct pg_array_reader cut = pg_array_open((struct slice){whole.p, n}, PG_INT4);
		(void)pg_array_next(&cut, 4, 0);
		(void)pg_array_next(&cut, 4, 0);
		ck_assert_msg(cut.broken, "%zu bytes of %zu", n, whole.n);
	}
	ck_assert(pg_array_open(whole, PG_INT8).broken);
	ck_assert_uint_eq(pg_array_open(whole, PG_INT8).left, 0);
	ck_assert(!pg_array_open(whole, PG_OTHER).broken);
	struct pg_array_reader wide = pg_array_open(whole, PG_INT4);
	(void)pg_array_next(&wide, 8, 0);
	ck_assert(wide.broken);
	array.bytes.p[3] = 2;
	ck_assert_msg(pg_array_open(whole, PG_INT4).broken, "two dimensions");
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
	tcase_add_test(writing, an_absent_text_is_null);
	tcase_add_test(writing, numbers_are_big_endian);
	tcase_add_test(writing, a_uuid_is_sixteen_bytes);
	tcase_add_test(writing, addresses_are_those_of_hosts);
	tcase_add_test(writing, timestamps_count_from_2000);
	tcase_add_test(writing, a_new_start_forgets_the_elements);
	tcase_add_test(writing, records_are_elements);
	tcase_add_test(writing, what_is_not_whole_has_a_status);
	tcase_add_test(writing, writing_without_memory);
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
