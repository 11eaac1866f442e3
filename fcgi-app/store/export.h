/*
 * store/export.h - signals, product orgs and rejected payloads for other programs, from the answer
 * of a search: NDJSON, with each as the database wrote it, or CSV (RFC 4180).
 *
 * A spreadsheet takes a cell for a formula that begins with one of = + - @, a tab or a carriage
 * return. Such a text, which may be a stranger's, gets an apostrophe in front.
 */
#ifndef STORE_EXPORT_H
#define STORE_EXPORT_H

#include "base/arena.h"
#include "base/status.h"

enum store_format { STORE_NDJSON, STORE_CSV };

/* The names of the formats, in that order, each with a blank behind it. */
extern const char store_formats[];

/* What is exported: the array of an answer that holds the rows, and which of their members are
 * columns of CSV. */
struct store_export {
	const char *array;
	const char *file; /* its name, without an ending */
	const char *const *columns;
	size_t count;
};

extern const struct store_export store_export_signals;
extern const struct store_export store_export_product_orgs; /* their states */
extern const struct store_export store_export_updates;	    /* of product orgs */
extern const struct store_export store_export_rejects;

/* How many rows an answer may hold. */
enum { STORE_EXPORT_ROWS = 100 };

/* Appends the line with the names of the columns; NDJSON has none. */
void store_export_head(const struct store_export *what, enum store_format format, struct buf *out);

/* Appends a line for each row of an answer. Without memory that is the status, or of out. */
enum status store_export_rows(const struct store_export *what, struct arena *arena,
			      struct slice answer, enum store_format format, struct buf *out,
			      size_t *rows) MUST_CHECK;

/* Appends a cell of CSV. */
void store_export_cell(struct buf *out, struct slice text);

/* The values at members of the rows in an array of an answer, STORE_EXPORT_ROWS * per_row of them,
 * as they are written there; absent behind the last row. The member "" is the whole row. */
enum status store_answer_rows(struct arena *arena, struct slice answer, const char *array,
			      const char *const members[], size_t per_row,
			      struct slice *values) MUST_CHECK;

/* What a value means: of a string its text, absent for null. */
enum status store_answer_meaning(struct arena *arena, struct slice value,
				 struct slice *text) MUST_CHECK;

/* A member of an answer, what it means if it is a string, terminated; absent for null. */
enum status store_answer_text(struct arena *arena, struct slice answer, const char *member,
			      struct slice *text) MUST_CHECK;

#endif
