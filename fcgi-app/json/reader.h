/*
 * json/reader.h - the items of a body: an object, an array, an envelope or NDJSON, read
 * incrementally and checked as in json/text.h. Knows nothing of what an item means.
 */
#ifndef JSON_READER_H
#define JSON_READER_H

#include "json/text.h"

enum json_form {
	JSON_FORM_SINGLE, /* an object is one item; an array holds items */
	JSON_FORM_BATCH,  /* an array, or an envelope: an object with an array "batch", "signals" or
			   * "events". A second such array is STATUS_NOT_A_BATCH: nothing is lost */
	JSON_FORM_LINES,  /* NDJSON: an item on each line (LF or CRLF); blank lines are skipped. A
			   * body that begins with a bracket is read as JSON_FORM_BATCH */
	JSON_FORM_ENVELOPE /* an envelope that is nothing else: its array of items is the only array
			    * beside its members, and holds objects. Else STATUS_NOT_A_BATCH, after
			    * the items so far were given */
};

/* One item, in the order of the body. */
struct json_item {
	uint64_t index;	     /* among the items, from 0 */
	uint64_t offset;     /* of its first byte in the decoded body */
	struct slice text;   /* exactly the value's bytes, during the call only. Of a bad item as
			      * much as was kept, at most limits.kept_bytes */
	uint64_t length;     /* bytes of the whole value, or of a malformed line */
	enum status status;  /* STATUS_OK, or why this item is bad: NOT_AN_OBJECT, ITEM_TOO_LARGE,
			      * NESTING_TOO_DEEP, NUMBER_TOO_LARGE; a line also MALFORMED_JSON, and
			      * an element of an array after json_reader_recover() */
	uint64_t bad_offset; /* in the body: the first byte of what is not an object or of a number
			      * that is too large, the first byte over the limit of an item, the
			      * bracket that is too deep */
	const char *reason;  /* a constant for a bad item ("unexpected character"), else "" */
	bool needs_repair;   /* holds \u0000 or a lone surrogate, which jsonb cannot hold */
};

/* Takes one item. Any status but STATUS_OK ends the reading and is passed on. Items come as soon as
 * they are complete; the body may still turn out to be malformed further on. */
typedef enum status json_item_sink(void *context, const struct json_item *item);

/*
 * Is fed the body in pieces of any size and calls the sink for each item. Holds at most one
 * unfinished item, of limits.kept_bytes; an item within one piece is not copied.
 */
struct json_reader;

/* STATUS_OK or STATUS_NO_MEMORY. limits are copied. Close the reader in either case. */
enum status json_reader_open(struct json_reader **reader, enum json_form form,
			     const struct json_limits *limits, json_item_sink *sink,
			     void *context) MUST_CHECK;

/*
 * Before the first byte: an element of an array in which a token is wrong, but whose end is clear
 * by brackets and quotes, is a bad item like others, and the body goes on behind it. Else it makes
 * the whole body malformed.
 */
void json_reader_recover(struct json_reader *reader);

/*
 * Feeds n bytes. Returns STATUS_OK, what sink returned, STATUS_MALFORMED_JSON (of the whole body;
 * see json_reader_error), STATUS_NOT_A_BATCH, STATUS_TOO_MANY_ITEMS (also more than 100,000 arrays
 * and objects with less than 8 bytes of body for each), STATUS_NESTING_TOO_DEEP (millions of
 * levels, which are not followed) or STATUS_NO_MEMORY. After a failure it returns the same again.
 * A UTF-8 byte order mark at the start is skipped, but counts in offsets.
 */
enum status json_reader_feed(struct json_reader *reader, const char *bytes, size_t n) MUST_CHECK;

/*
 * The body has ended. As json_reader_feed; also STATUS_EMPTY_BODY for nothing but white space.
 * A scalar is STATUS_NOT_AN_OBJECT in JSON_FORM_SINGLE and STATUS_NOT_A_BATCH in JSON_FORM_BATCH,
 * as is an object without an array of items. An empty array is STATUS_OK with no items.
 */
enum status json_reader_end(struct json_reader *reader) MUST_CHECK;

/* True if the body is one object in JSON_FORM_SINGLE, which is answered as a single signal. */
bool json_reader_is_single(const struct json_reader *reader);

/* Where and why the reading failed: an offset in the body and a constant; 0 and "" if it did not.
 * If the sink ended it, the offset is the item's. */
void json_reader_error(const struct json_reader *reader, uint64_t *offset, const char **reason);

/*
 * All members of the envelope beside its array that have been read so far, as a JSON object in the
 * arena, repaired if need be. Absent if there are none. Left out are members that are over the
 * limits of depth and numbers, have a name of more than 1,024 bytes, or for which there is no room
 * left in 64 KiB. STATUS_OK or STATUS_NO_MEMORY.
 */
enum status json_reader_envelope(const struct json_reader *reader, struct arena *arena,
				 struct slice *text) MUST_CHECK;

/*
 * A member of the envelope beside its array, by name ("sentAt", "sent_at", "timestamp", "context"
 * or "api_key"), as JSON text, repaired if need be. Absent if it is not there, longer than 64 KiB
 * or over the limits of depth and numbers. Lives as long as the reader.
 */
struct slice json_reader_beside(const struct json_reader *reader, const char *name);

/* Frees the reader; NULL is allowed. */
void json_reader_close(struct json_reader *reader);

#endif
