/*
 * json/text.h - a JSON text and its values: strict check (RFC 8259, UTF-8), limits, repair, and
 * what strings mean.
 *
 * The check alone decides what is JSON. An error is at the first byte that no correct text could
 * have there, or at the end of a text that is only too short. A sequence of bytes that is not UTF-8
 * is wrong from its first byte on.
 */
#ifndef JSON_TEXT_H
#define JSON_TEXT_H

#include <inttypes.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"

struct json_limits {
	size_t item_bytes;	  /* of one item */
	size_t kept_bytes;	  /* of a bad item; item_bytes if that is more */
	uint64_t items;		  /* of one body */
	unsigned depth;		  /* of nested arrays and objects; the item's own braces are 1 */
	unsigned number_digits;	  /* of a number, without its exponent */
	unsigned number_exponent; /* absolute value of an exponent */
};

/* Such a reason and its offset, a uint64_t, in words (CONTRACT.md, section 3). */
#define JSON_REASON_FORMAT "%s at byte offset %" PRIu64

/*
 * Checks one complete JSON text (any value), white space around it allowed but no byte order mark,
 * and the limits of depth and numbers. Returns STATUS_OK, STATUS_EMPTY_BODY, STATUS_MALFORMED_JSON
 * (also if a limit is exceeded before the error), STATUS_NESTING_TOO_DEEP, STATUS_NUMBER_TOO_LARGE
 * or, nested over 256 levels, STATUS_NO_MEMORY. *offset and *reason, a constant, say where and why;
 * *needs_repair says that it holds \u0000 or a lone surrogate. The three pointers may be NULL.
 */
enum status json_text_check(struct slice text, const struct json_limits *limits, uint64_t *offset,
			    const char **reason, bool *needs_repair) MUST_CHECK;

/* The functions below take texts that passed the check. */

/* Appends a text with \u0000 and lone surrogates replaced by U+FFFD, in UTF-8. All other bytes stay
 * as received. */
void json_text_repair(struct slice text, struct buf *out);

/* The same into an arena. STATUS_OK or STATUS_NO_MEMORY. */
enum status json_text_repaired(struct arena *arena, struct slice text,
			       struct slice *out) MUST_CHECK;

/*
 * What a string, given with its quotes, means. *out is a part of the value itself if nothing in it
 * is escaped, else a text in the arena. \u0000 and lone surrogates mean U+FFFD. STATUS_OK or
 * STATUS_NO_MEMORY.
 */
enum status json_text_string(struct arena *arena, struct slice value, struct slice *out) MUST_CHECK;

/* True if a value is a number. */
bool json_text_is_number(struct slice value);

/*
 * A scalar as text: what a string means (see json_text_string); a number, true or false as it was
 * written. Absent for null, an array or object, and a text of more than most bytes. STATUS_OK or
 * STATUS_NO_MEMORY.
 */
enum status json_text_scalar(struct arena *arena, struct slice value, size_t most,
			     struct slice *out) MUST_CHECK;

/* True if a value is a string that means this name, whatever is escaped in it. A name has ASCII
 * letters, digits and underscores only. */
bool json_text_is_name(struct slice value, struct slice name);

#endif
