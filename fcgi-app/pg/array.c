/*
 * pg/array.c - binary arrays out, binary arrays and records in. See pg/array.h.
 */
#include "pg/array.h"

/* Microseconds from 1970-01-01 to 2000-01-01, PostgreSQL's epoch. */
static const int64_t POSTGRES_EPOCH_US = INT64_C(946684800) * 1000000;

/* ---- writing ---- */

void pg_array_start(struct pg_array *array, uint32_t element_type, size_t count, size_t keep)
{
	struct buf *out = &array->bytes;

	array->nulls = 0;
	array->added = 0;
	array->count = count;
	buf_reset(out, keep);
	buf_add_be32(out, count == 0 ? 0 : 1); /* dimensions */
	buf_add_be32(out, 1);		       /* may hold nulls: allowed without any */
	buf_add_be32(out, element_type);
	if (count > 0) {
		buf_add_be32(out, (uint32_t)count);
		buf_add_be32(out, 1); /* lower bound */
	}
}

/* Most arrays hold nothing but nulls and are never sent: nulls are written only when they must be.
 */
static void write_nulls(struct pg_array *array)
{
	array->added += array->nulls;
	for (; array->nulls > 0; array->nulls--)
		buf_add_be32(&array->bytes, UINT32_MAX);
}

/* The length that precedes each element. */
static void start_element(struct pg_array *array, uint32_t length)
{
	if (array->nulls > 0)
		write_nulls(array);
	array->added++;
	buf_add_be32(&array->bytes, length);
}

void pg_array_add_null(struct pg_array *array)
{
	array->nulls++;
}

void pg_array_add_bytes(struct pg_array *array, struct slice value)
{
	if (value.p == NULL) {
		pg_array_add_null(array);
		return;
	}
	start_element(array, (uint32_t)value.n);
	buf_add_slice(&array->bytes, value);
}

void pg_array_add_bool(struct pg_array *array, bool value)
{
	start_element(array, 1);
	buf_add_char(&array->bytes, value ? 1 : 0);
}

void pg_array_add_int2(struct pg_array *array, int16_t value)
{
	start_element(array, 2);
	buf_add_be16(&array->bytes, (uint16_t)value);
}

void pg_array_add_int4(struct pg_array *array, uint32_t value)
{
	start_element(array, 4);
	buf_add_be32(&array->bytes, value);
}

void pg_array_add_int8(struct pg_array *array, int64_t value)
{
	start_element(array, 8);
	buf_add_be64(&array->bytes, (uint64_t)value);
}

void pg_array_add_timestamp(struct pg_array *array, int64_t unix_us)
{
	if (unix_us == INT64_MIN)
		pg_array_add_null(array);
	else
		pg_array_add_int8(array, unix_us - POSTGRES_EPOCH_US);
}

bool pg_array_is_null(const struct pg_array *array)
{
	return array->added == 0;
}

bool pg_array_is_whole(const struct pg_array *array)
{
	return array->added + array->nulls == array->count;
}

struct slice pg_array_end(struct pg_array *array)
{
	write_nulls(array);
	return buf_slice(&array->bytes);
}

/* ---- reading ---- */

static uint32_t read_be32(struct pg_array_reader *reader)
{
	if (reader->end - reader->p < 4) {
		reader->broken = true;
		return 0;
	}
	uint32_t value = (uint32_t)reader->p[0] << 24 | (uint32_t)reader->p[1] << 16 |
			 (uint32_t)reader->p[2] << 8 | reader->p[3];
	reader->p += 4;
	return value;
}

struct pg_array_reader pg_array_open(struct slice bytes, uint32_t element_type)
{
	struct pg_array_reader reader = {.p = (const unsigned char *)bytes.p};

	if (bytes.p == NULL)
		return reader;
	reader.end = reader.p + bytes.n;
	uint32_t dimensions = read_be32(&reader);
	(void)read_be32(&reader); /* may hold nulls */
	if (read_be32(&reader) != element_type || dimensions > 1)
		reader.broken = true;
	if (dimensions == 1 && !reader.broken) {
		reader.left = read_be32(&reader);
		(void)read_be32(&reader); /* lower bound */
	}
	return reader;
}

/* An element or field: its length and so many bytes; absent for null. */
static struct slice read_value(struct pg_array_reader *reader)
{
	const struct slice absent = SLICE_ABSENT;
	uint32_t n = read_be32(reader);

	if (n == UINT32_MAX || reader->broken)
		return absent;
	if (reader->end - reader->p < (ptrdiff_t)n) {
		reader->broken = true;
		return absent;
	}
	struct slice bytes = {(const char *)reader->p, n};
	reader->p += n;
	return bytes;
}

/* Asking for more than there is breaks the reader. */
static bool take_one(struct pg_array_reader *reader)
{
	if (reader->left == 0) {
		reader->broken = true;
		return false;
	}
	reader->left--;
	return true;
}

struct slice pg_array_next_bytes(struct pg_array_reader *reader)
{
	return take_one(reader) ? read_value(reader) : SLICE_ABSENT;
}

int64_t pg_array_next(struct pg_array_reader *reader, uint32_t width, int64_t fallback)
{
	struct slice bytes = pg_array_next_bytes(reader);

	if (bytes.p == NULL)
		return fallback;
	if (bytes.n != width) {
		reader->broken = true;
		return fallback;
	}
	uint64_t value = 0;
	for (uint32_t i = 0; i < width; i++)
		value = value << 8 | (unsigned char)bytes.p[i];
	return (int64_t)value;
}

struct pg_array_reader pg_record_open(struct slice bytes, size_t fields)
{
	struct pg_array_reader reader = {.p = (const unsigned char *)bytes.p};

	if (bytes.p != NULL)
		reader.end = reader.p + bytes.n;
	reader.left = read_be32(&reader);
	if (reader.left != fields)
		reader.broken = true;
	return reader;
}

struct slice pg_record_next(struct pg_array_reader *reader)
{
	if (!take_one(reader))
		return SLICE_ABSENT;
	(void)read_be32(reader); /* the field's type */
	return read_value(reader);
}
