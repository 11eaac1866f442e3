/*
 * json/text.h - the bytes of a body: strict UTF-8 and JSON grammar in one pass, limits, repair,
 * and the boundaries of items in arrays, envelopes and NDJSON, incrementally.
 *
 * This pass decides what is JSON (RFC 8259, strictly). It knows nothing of signals, keys or
 * PostgreSQL beyond what jsonb can hold. The grammar itself is in json_scan, the reader in
 * json/reader.c, checking and repairing in json/text.c.
 *
 * A text is wrong at the first byte that no correct text could have there; that is the offset which
 * is told, and the text's length when it is only too short.
 */
#ifndef JSON_TEXT_H
#define JSON_TEXT_H

#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"

struct json_limits {
	size_t item_bytes;	  /* of one item */
	uint64_t items;		  /* of one body */
	unsigned depth;		  /* of nested arrays and objects within an item; the item's own
				   * braces are level 1 */
	unsigned number_digits;	  /* digits of a number, its exponent's not counted */
	unsigned number_exponent; /* absolute value of an exponent */
};

/*
 * Checks one complete JSON text (any value) strictly, with surrounding white space allowed, against
 * the limits of depth and numbers. A byte order mark is no white space. Returns STATUS_OK,
 * STATUS_EMPTY_BODY, STATUS_MALFORMED_JSON, STATUS_NESTING_TOO_DEEP, STATUS_NUMBER_TOO_LARGE or,
 * for a text nested over 256 levels, STATUS_NO_MEMORY; *offset and *reason say where and why;
 * *needs_repair as above. A text that is malformed anywhere is STATUS_MALFORMED_JSON even if it
 * passes a limit before. The three pointers may be NULL.
 */
enum status json_text_check(struct slice text, const struct json_limits *limits, uint64_t *offset,
			    const char **reason, bool *needs_repair) MUST_CHECK;

/* Appends a text that passed the check with \u0000 and lone surrogates replaced by U+FFFD (as
 * the three bytes of UTF-8). Everything else stays as received. */
void json_text_repair(struct slice text, struct buf *out);

/*
 * The same in one step, for texts that live as long as an arena: *out is the repaired text in the
 * arena. STATUS_OK or STATUS_NO_MEMORY.
 */
enum status json_text_repaired(struct arena *arena, struct slice text,
			       struct slice *out) MUST_CHECK;

/*
 * What a string value (with its quotes) that passed the check means: *out is a part of the value
 * itself when nothing in it is escaped, else a text in the arena. \u0000 and lone surrogates mean
 * U+FFFD. STATUS_OK or STATUS_NO_MEMORY.
 */
enum status json_text_string(struct arena *arena, struct slice value, struct slice *out) MUST_CHECK;

/* True when a value that passed the check is a number. */
bool json_text_is_number(struct slice value);

/*
 * A string, a number or true or false as text: what a string means (see json_text_string), the
 * others as they were written. Absent for null, an array or object, and for a text of more than
 * most bytes. STATUS_OK or STATUS_NO_MEMORY.
 */
enum status json_text_scalar(struct arena *arena, struct slice value, size_t most,
			     struct slice *out) MUST_CHECK;

/* True when a value that passed the check is a string and means this name, however it is escaped.
 * A name has only ASCII letters, digits and underscores. */
bool json_text_is_name(struct slice value, struct slice name);

#endif
