/*
 * pg/array.c - binary arrays and records out and in. See pg/array.h.
 */
#include "pg/array.h"

#include <string.h>

/* Microseconds from 1970-01-01 to 2000-01-01, PostgreSQL's epoch. */
static const int64_t POSTGRES_EPOCH_US = INT64_C(946684800) * 1000000;

enum { JSONB_VERSION = 1, HEAD_BYTES = 8 /* of a field: its type and its length */ };

/* ---- writing ---- */

static void write_be32(char *to, uint32_t value)
{
	to[0] = (char)(value >> 24);
	to[1] = (char)(value >> 16);
	to[2] = (char)(value >> 8);
	to[3] = (char)value;
}

static void write_be64(char *to, uint64_t value)
{
	write_be32(to, (uint32_t)(value >> 32));
	write_be32(to + 4, (uint32_t)value);
}

void pg_array_start(struct pg_array *array, uint32_t element_type, size_t count, size_t keep)
{
	struct buf *out = &array->bytes;

	array->added = 0;
	array->count = count;
	array->in_record = false;
	buf_reset(out, keep);
	buf_add_be32(out, count == 0 ? 0 : 1); /* dimensions */
	buf_add_be32(out, 1);		       /* may hold nulls: allowed without any */
	buf_add_be32(out, element_type);
	if (count > 0) {
		buf_add_be32(out, (uint32_t)count);
		buf_add_be32(out, 1); /* lower bound */
	}
}

/*
 * Writes what precedes a value, of a field its type and of any its length, and makes room for so
 * many bytes. Returns where they go; NULL without memory.
 */
static inline char *start_value(struct pg_array *array, uint32_t type, uint32_t length,
				size_t bytes)
{
	struct buf *out = &array->bytes;
	/* Nearly always there is room, and the call is what costs most. */
	bool fits = out->size - out->n > HEAD_BYTES + bytes;
	char *p = fits ? out->p + out->n : buf_reserve(out, HEAD_BYTES + bytes);

	if (p == NULL)
		return NULL;
	if (array->in_record) {
		array->fields_left--;
		write_be32(p, type);
		write_be32(p + 4, length);
		out->n += HEAD_BYTES + bytes;
		return p + HEAD_BYTES;
	}
	array->added++;
	write_be32(p, length);
	out->n += 4 + bytes;
	return p + 4;
}

void pg_array_start_record(struct pg_array *array, size_t fields)
{
	char *p = start_value(array, 0, 0, 4);

	array->in_record = true;
	array->fields_left = fields;
	array->record = array->bytes.n - 4;
	if (p != NULL)
		write_be32(p, (uint32_t)fields);
}

void pg_array_end_record(struct pg_array *array)
{
	struct buf *out = &array->bytes;

	array->in_record = false;
	if (out->status != STATUS_OK)
		return;
	if (array->fields_left != 0)
		out->status = STATUS_INTERNAL;
	write_be32(out->p + array->record - 4, (uint32_t)(out->n - array->record));
}

/* Of a function that another only ends with: inlined there, its registers would be saved even for
 * nulls, which most fields are. */
#define APART __attribute__((noinline))

APART static void add_any_null(struct pg_array *array, uint32_t type)
{
	(void)start_value(array, type, UINT32_MAX, 0);
}

/* Nearly always it is a field, and there is room. */
void pg_array_add_null(struct pg_array *array, uint32_t type)
{
	struct buf *out = &array->bytes;

	if (!array->in_record || out->size - out->n <= HEAD_BYTES) {
		add_any_null(array, type);
		return;
	}
	char *to = out->p + out->n;
	write_be32(to, type);
	write_be32(to + 4, UINT32_MAX);
	out->n += HEAD_BYTES;
	array->fields_left--;
}

APART static void add_bytes(struct pg_array *array, uint32_t type, struct slice value)
{
	char *to = start_value(array, type, (uint32_t)value.n, value.n);

	if (to != NULL)
		memcpy(to, value.p, value.n);
}

void pg_array_add_text(struct pg_array *array, struct slice value)
{
	if (value.p == NULL)
		pg_array_add_null(array, PG_TEXT);
	else
		add_bytes(array, PG_TEXT, value);
}

void pg_array_add_bytea(struct pg_array *array, struct slice value)
{
	if (value.p == NULL)
		pg_array_add_null(array, PG_BYTEA);
	else
		add_bytes(array, PG_BYTEA, value);
}

APART static void add_jsonb(struct pg_array *array, struct slice value)
{
	char *to = start_value(array, PG_JSONB, (uint32_t)value.n + 1, value.n + 1);

	if (to == NULL)
		return;
	*to = JSONB_VERSION;
	memcpy(to + 1, value.p, value.n);
}

void pg_array_add_jsonb(struct pg_array *array, struct slice value)
{
	if (value.p == NULL)
		pg_array_add_null(array, PG_JSONB);
	else
		add_jsonb(array, value);
}

void pg_array_add_bool(struct pg_array *array, bool value)
{
	char *to = start_value(array, PG_BOOL, 1, 1);

	if (to != NULL)
		*to = value ? 1 : 0;
}

void pg_array_add_int4(struct pg_array *array, uint32_t value)
{
	char *to = start_value(array, PG_INT4, sizeof(value), sizeof(value));

	if (to != NULL)
		write_be32(to, value);
}

static void add_be64(struct pg_array *array, uint32_t type, int64_t value)
{
	char *to = start_value(array, type, sizeof(value), sizeof(value));

	if (to != NULL)
		write_be64(to, (uint64_t)value);
}

void pg_array_add_int8(struct pg_array *array, int64_t value)
{
	add_be64(array, PG_INT8, value);
}

void pg_array_add_uuid(struct pg_array *array, const unsigned char bytes[PG_UUID_BYTES])
{
	add_bytes(array, PG_UUID, (struct slice){(const char *)bytes, PG_UUID_BYTES});
}

/* inet_send: the family as PostgreSQL numbers it, the bits of a host, not a cidr, and the bytes. */
void pg_array_add_inet(struct pg_array *array, const struct address *address)
{
	enum { IPV4 = 2, IPV6 = 3, HEAD = 4 };
	char *to;

	if (address->size == 0) {
		pg_array_add_null(array, PG_INET);
		return;
	}
	to = start_value(array, PG_INET, HEAD + address->size, HEAD + address->size);
	if (to == NULL)
		return;
	to[0] = address->size == ADDRESS_BYTES_MAX ? IPV6 : IPV4;
	to[1] = (char)(address->size * 8);
	to[2] = 0;
	to[3] = (char)address->size;
	memcpy(to + HEAD, address->bytes, address->size);
}

void pg_array_add_timestamp(struct pg_array *array, int64_t unix_us)
{
	if (unix_us == INT64_MIN)
		pg_array_add_null(array, PG_TIMESTAMPTZ);
	else
		add_be64(array, PG_TIMESTAMPTZ, unix_us - POSTGRES_EPOCH_US);
}

struct slice pg_array_end(struct pg_array *array)
{
	struct buf *out = &array->bytes;

	if (out->status == STATUS_OK && array->added != array->count)
		out->status = STATUS_INTERNAL;
	return buf_slice(out);
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
	uint32_t type = read_be32(&reader);
	if ((type != element_type && element_type != PG_OTHER) || dimensions > 1)
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
