/*
 * pg/array.h - one-dimensional arrays in PostgreSQL's binary format, of values or of records,
 * written and read.
 *
 * Formats: array_send, record_send and the send functions of the values (src/backend/utils/adt).
 * All integers are big-endian. Knows nothing of what the arrays mean.
 */
#ifndef PG_ARRAY_H
#define PG_ARRAY_H

#include "base/buf.h"
#include "base/network.h"

/* Type OIDs (src/include/catalog/pg_type.dat). */
enum {
	/* A type that is not built in: its OID differs from database to database. The server takes
	 * the one that it expects (array_recv); a reader takes any. */
	PG_OTHER = 0,
	PG_BOOL = 16,
	PG_BYTEA = 17,
	PG_INT8 = 20,
	PG_INT4 = 23,
	PG_TEXT = 25,
	PG_INET = 869,
	PG_TIMESTAMPTZ = 1184,
	PG_UUID = 2950,
	PG_JSONB = 3802
};

enum { PG_UUID_BYTES = 16 };

/* ---- writing ---- */

struct pg_array {
	struct buf bytes;
	size_t count;	    /* elements announced */
	size_t added;	    /* elements in bytes */
	size_t record;	    /* where the record begins that is being written */
	size_t fields_left; /* of that record; its end comes after the last */
	bool in_record;
};

/* Begins an array of count elements; up to keep bytes allocated for the last one are kept. */
void pg_array_start(struct pg_array *array, uint32_t element_type, size_t count, size_t keep);

/* Begins an element that is a record of so many fields. What is added until its end is a field. */
void pg_array_start_record(struct pg_array *array, size_t fields);
void pg_array_end_record(struct pg_array *array);

/* Each appends one element or field, of the type that its name says. Absent text is null. */
void pg_array_add_null(struct pg_array *array, uint32_t type);
void pg_array_add_text(struct pg_array *array, struct slice value);
void pg_array_add_bytea(struct pg_array *array, struct slice value);
void pg_array_add_jsonb(struct pg_array *array, struct slice value);
void pg_array_add_bool(struct pg_array *array, bool value);
void pg_array_add_int4(struct pg_array *array, uint32_t value);
void pg_array_add_int8(struct pg_array *array, int64_t value);
void pg_array_add_uuid(struct pg_array *array, const unsigned char bytes[PG_UUID_BYTES]);
/* An inet; an unknown address is null. */
void pg_array_add_inet(struct pg_array *array, const struct address *address);
/* A timestamptz, from microseconds since 1970-01-01 UTC; INT64_MIN is null. */
void pg_array_add_timestamp(struct pg_array *array, int64_t unix_us);

/* The finished array, valid until the next start. Its status is bytes.status: STATUS_INTERNAL when
 * an element or field is missing or too many. */
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

/* The elements of a one-dimensional array of this type, or of PG_OTHER. SQL NULL (absent) has none
 * and is not broken. */
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
