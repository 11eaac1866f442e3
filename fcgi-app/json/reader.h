/*
 * json/reader.h - the items of a body: an object, an array, an envelope or NDJSON, read
 * incrementally.
 *
 * Checks as json/text.h does and finds where each item begins and ends. Knows nothing of what an
 * item means.
 */
#ifndef JSON_READER_H
#define JSON_READER_H

#include "json/text.h"

enum json_form {
	JSON_FORM_SINGLE, /* an object is one item; an array holds items */
	JSON_FORM_BATCH,  /* an array, or an object with "batch", "signals" or "events": an array;
			   * a second such array is STATUS_NOT_A_BATCH, so that nothing is lost */
	JSON_FORM_LINES	  /* NDJSON: one item per line (LF or CRLF); blank lines are skipped. A body
			   * that begins with a bracket is read as JSON_FORM_BATCH */
};

/* One item, in the order of the body. */
struct json_item {
	uint64_t index;	     /* position among the items, from 0 */
	uint64_t offset;     /* of its first byte in the (decoded) body, from 0 */
	struct slice text;   /* exactly the value's bytes; valid only during the call. For a bad
			      * item: what was kept of it, at most the item limit */
	uint64_t length;     /* bytes of the value in full; of a malformed line, of the line */
	enum status status;  /* STATUS_OK, or why this one item is bad: NOT_AN_OBJECT,
			      * ITEM_TOO_LARGE, NESTING_TOO_DEEP, NUMBER_TOO_LARGE; in
			      * JSON_FORM_LINES also MALFORMED_JSON */
	uint64_t bad_offset; /* in the body: where it is bad; the first byte of what is no object or
			      * of a number that is too large, the first byte over the limit of an
			      * item, the bracket that is too deep */
	const char *reason; /* constant text for a bad item: "unexpected character", …; else "" */
	bool needs_repair;  /* holds \u0000 or a lone surrogate, which jsonb cannot hold */
};

/* Takes one item. Anything but STATUS_OK ends the reading and is passed on. An item is given as
 * soon as it is complete, so the body may still turn out to be malformed behind it. */
typedef enum status json_item_sink(void *context, const struct json_item *item);

/*
 * A reader is fed the body in any pieces and calls sink once per item. It holds at most one
 * unfinished item (up to limits.item_bytes); an item that lies within one piece is not copied.
 */
struct json_reader;

/* STATUS_OK or STATUS_NO_MEMORY. limits are copied. */
enum status json_reader_open(struct json_reader **reader, enum json_form form,
			     const struct json_limits *limits, json_item_sink *sink,
			     void *context) MUST_CHECK;

/*
 * Feeds n bytes. Returns STATUS_OK, what sink returned, STATUS_MALFORMED_JSON for a body that
 * cannot be read on (see json_reader_error), STATUS_NOT_A_BATCH, STATUS_TOO_MANY_ITEMS (items, or
 * more than 100,000 arrays and objects with less than 8 bytes of the body for each),
 * STATUS_NESTING_TOO_DEEP (millions of levels, which cannot even be followed) or STATUS_NO_MEMORY.
 * A UTF-8 byte order mark at the very start is skipped, but counts in offsets. After a failure
 * nothing more may be fed; feeding returns the same failure again.
 */
enum status json_reader_feed(struct json_reader *reader, const char *bytes, size_t n) MUST_CHECK;

/* The body has ended. As json_reader_feed; STATUS_EMPTY_BODY when there was nothing but white
 * space. A body that is valid JSON but a string, number, true, false or null is
 * STATUS_NOT_AN_OBJECT in JSON_FORM_SINGLE and STATUS_NOT_A_BATCH in JSON_FORM_BATCH; an object
 * without an array of items is STATUS_NOT_A_BATCH. An array or envelope without items is STATUS_OK
 * with json_reader_items() 0. */
enum status json_reader_end(struct json_reader *reader) MUST_CHECK;

/* How many items were passed to sink so far. */
uint64_t json_reader_items(const struct json_reader *reader);

/* True when the body is one object in JSON_FORM_SINGLE: its answer is that of a single signal. */
bool json_reader_is_single(const struct json_reader *reader);

/* Where and why the reading failed: byte offset in the body from 0 and a constant text; 0 and ""
 * when it did not. When sink ended it, the offset is the item's. */
void json_reader_error(const struct json_reader *reader, uint64_t *offset, const char **reason);

/*
 * For JSON_FORM_BATCH after the end: the members beside the array, as the text of the value
 * (repaired if need be), absent when not there, longer than 64 KiB or beyond the limits of depth
 * and numbers. name is "sentAt", "timestamp" or "context".
 */
struct slice json_reader_beside(const struct json_reader *reader, const char *name);

void json_reader_close(struct json_reader *reader); /* NULL is allowed */

#endif
