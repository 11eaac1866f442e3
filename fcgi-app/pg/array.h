/*
 * pg/array.h - one-dimensional arrays in PostgreSQL's binary format, written and read, and records
 * of them, read.
 *
 * Formats: array_send, record_send and the send functions of the elements (src/backend/utils/adt).
 * All integers are big-endian. Knows nothing of what the arrays mean.
 */
#ifndef PG_ARRAY_H
#define PG_ARRAY_H

#include "base/buf.h"

/* Type OIDs of elements and of arrays of them (src/include/catalog/pg_type.dat). */
enum {
	PG_BOOL = 16,
	PG_BYTEA = 17,
	PG_INT8 = 20,
	PG_INT2 = 21,
	PG_INT4 = 23,
	PG_TEXT = 25,
	PG_TIMESTAMPTZ = 1184,
	PG_BOOL_ARRAY = 1000,
	PG_BYTEA_ARRAY = 1001,
	PG_INT2_ARRAY = 1005,
	PG_INT4_ARRAY = 1007,
	PG_TEXT_ARRAY = 1009,
	PG_INT8_ARRAY = 1016,
	PG_TIMESTAMPTZ_ARRAY = 1185
};

/* ---- writing ---- */

struct pg_array {
	struct buf bytes;
	size_t count; /* elements announced */
	size_t added; /* elements in bytes */
	size_t nulls; /* the last elements, which are not in bytes yet */
};

/* Begins an array of count elements; up to keep bytes allocated for the last one are kept. */
void pg_array_start(struct pg_array *array, uint32_t element_type, size_t count, size_t keep);

/* Each appends one element. Text and bytea are bytes; an absent slice is null. */
void pg_array_add_null(struct pg_array *array);
void pg_array_add_bytes(struct pg_array *array, struct slice value);
void pg_array_add_bool(struct pg_array *array, bool value);
void pg_array_add_int2(struct pg_array *array, int16_t value);
void pg_array_add_int4(struct pg_array *array, uint32_t value);
void pg_array_add_int8(struct pg_array *array, int64_t value);
/* A timestamptz, from microseconds since 1970-01-01 UTC; INT64_MIN is null. */
void pg_array_add_timestamp(struct pg_array *array, int64_t unix_us);

/* True until an element that is not null was added. Not to be asked after pg_array_end(). */
bool pg_array_is_null(const struct pg_array *array);

/* True when as many elements have been added as were announced. */
bool pg_array_is_whole(const struct pg_array *array);

/* The finished array, valid until the next start; its status is bytes.status. */
struct slice pg_array_end(struct pg_array *array);

/* ---- reading ---- */

/*
 * Walks the elements of an array, or the fields of a record. Nothing is read beyond the bytes: what
 * does not fit, a wrong type, or asking for more than there is, sets broken and gives nulls from
 * then on. So read everything, then look at broken once.
 */
struct pg_array_reader {
	const unsigned char *p, *end; /* end NULL: of SQL NULL */
	size_t left;		      /* elements or fields */
	bool broken;
};

/* The elements of a one-dimensional array of this type. SQL NULL (absent) has none and is not
 * broken. */
struct pg_array_reader pg_array_open(struct slice bytes, uint32_t element_type);

/* The next element as an integer of the given width in bytes; fallback for null. */
int64_t pg_array_next(struct pg_array_reader *reader, uint32_t width, int64_t fallback);

/* The next element's bytes, as they lie in the array; absent for null. */
struct slice pg_array_next_bytes(struct pg_array_reader *reader);

/* A value of a composite type, which must have so many fields; SQL NULL is broken. */
struct pg_array_reader pg_record_open(struct slice bytes, size_t fields);

/* The next field's bytes, whatever its type; absent for null. */
struct slice pg_record_next(struct pg_array_reader *reader);

#endif
