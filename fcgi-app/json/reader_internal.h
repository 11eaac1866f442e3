/*
 * json/reader_internal.h - the reader's state, and what reading one JSON text and reading NDJSON
 * have in common.
 */
#ifndef JSON_READER_INTERNAL_H
#define JSON_READER_INTERNAL_H

#include "json/reader.h"
#include "json/recover.h"

enum { JSON_READER_BESIDE = 5 }; /* members beside the array that are kept */

/* What the body turned out to be. */
enum json_reader_shape {
	SHAPE_UNKNOWN, /* only white space so far */
	SHAPE_OBJECT,  /* one item */
	SHAPE_ARRAY,
	SHAPE_ENVELOPE,
	SHAPE_SCALAR
};

/* What is being captured. */
enum json_reader_capture { CAPTURE_NOTHING, CAPTURE_ITEM, CAPTURE_KEY, CAPTURE_BESIDE };

struct json_reader {
	struct json_scan scan;
	enum json_form form;
	struct json_limits limits;
	json_item_sink *sink;
	void *context;

	enum json_reader_shape shape;
	uint64_t shape_offset; /* of the body's first byte that is not white space */
	bool in_items;	       /* within the array of an envelope */
	bool had_items;	       /* after it */
	int key;
	size_t mark_seen; /* bytes of the byte order mark; MARK_BYTES: done with it */

	const char *piece; /* the piece being fed, whose first byte is at offset */
	uint64_t offset;

	enum json_reader_capture capture;
	uint64_t start;	  /* offset of the captured text */
	const char *from; /* where it goes on in the piece */
	size_t most;	  /* bytes of it to keep */
	struct buf kept;  /* those of earlier pieces */
	bool is_object;	  /* it begins with a brace */

	/* Of an item whose grammar is broken. */
	enum status broken;	/* STATUS_OK: it is not so far */
	uint64_t broken_offset; /* where … */
	const char *broken_why; /* … and why */

	bool recovers;		     /* such an element of an array is an item, too … */
	bool recovering;	     /* … whose end is looked for … */
	struct json_recover recover; /* … by this */

	/* Of a line of NDJSON. */
	bool in_line;	    /* not blank so far */
	uint64_t value_end; /* offset after its value; 0: not yet */

	uint64_t items;
	struct buf name; /* the last key of an envelope, as JSON */
	struct buf beside[JSON_READER_BESIDE];
	struct buf envelope; /* all members beside the array, without the last brace */
	enum status status;  /* STATUS_OK until the first failure */
	uint64_t bad_offset;
	const char *reason;
};

/* The offset of a byte of the piece being fed. */
static inline uint64_t json_reader_offset(const struct json_reader *reader, const char *p)
{
	return reader->offset + (uint64_t)(p - reader->piece);
}

/* Ends the reading. */
enum status json_reader_stop(struct json_reader *reader, enum status status, uint64_t offset,
			     const char *reason);

/* The piece ends within the captured text, of which as much is kept as is wanted. */
enum status json_reader_keep(struct json_reader *reader, const char *end);

/* The captured text, which ends at end: at most the bytes to keep. */
enum status json_reader_captured(struct json_reader *reader, const char *end, struct slice *text);

/* The grammar of the item is broken where the scanner has stopped. */
void json_reader_item_broken(struct json_reader *reader);

/* An item begins, or is judged when its grammar is right, or is given to the sink. */
enum status json_reader_item_begin(struct json_reader *reader, const char *p);
void json_reader_item_judge(const struct json_reader *reader, struct json_item *item);
enum status json_reader_item_give(struct json_reader *reader, const struct json_item *item);

/* One JSON text goes on. */
enum status json_reader_text_feed(struct json_reader *reader, const char *p, const char *end);

/* NDJSON goes on, or has ended. */
enum status json_reader_lines_feed(struct json_reader *reader, const char *p, const char *end);
enum status json_reader_lines_end(struct json_reader *reader);

#endif
