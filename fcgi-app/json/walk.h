/*
 * json/walk.h - one walk through a text: the members of an object, or the elements of an array, one
 * after the other as they stand there, and into those that are wanted.
 *
 * Over json_scan, so each byte is read once, whatever is entered. For those who must see
 * duplicates, order and exact bytes: json_edit, signal, template and, with many paths at once,
 * json_path. It decodes nothing.
 */
#ifndef JSON_WALK_H
#define JSON_WALK_H

#include "json/scan.h"

struct json_walk {
	struct slice name;   /* with its quotes, escapes not decoded; absent within an array */
	struct slice value;  /* exactly the value's bytes; until it has ended, n is 0 and p where
			      * it begins */
	struct slice member; /* from the name's quote to the value's end; when that was reached */

	/* Its own. */
	struct json_scan scan;
	struct slice text;
	size_t at;
	bool in_value; /* it has begun, and was neither entered nor ended */
};

/* The text passed json_text. The walk stands in the object or array that it is; anything else has
 * nothing in it. */
void json_walk_open(struct json_walk *walk, struct slice text);

/* The next member or element, read to its end. False behind the last one; or for want of memory for
 * a text nested over 256 levels, which a check under the usual limits does not let pass. */
bool json_walk_next(struct json_walk *walk);

/* As json_walk_next in two steps: at the beginning of a value, where it may be entered or left
 * alone (the next begin passes over it); and on to its end, false when there is none. False by
 * json_walk_begin after having entered: the value that was entered has ended, and the walk goes
 * on around it. */
bool json_walk_begin(struct json_walk *walk);
bool json_walk_end(struct json_walk *walk);

/* Steps into a value that has just begun; false when it is no object or array. */
bool json_walk_enter(struct json_walk *walk);

/* The bytes from start, where a value began, to where the walk stands. */
struct slice json_walk_since(const struct json_walk *walk, const char *start);

/* Goes on to the text's end. STATUS_OK, STATUS_NO_MEMORY (see json_walk_next), or
 * STATUS_MALFORMED_JSON for a text that did not pass json_text. */
enum status json_walk_finish(struct json_walk *walk) MUST_CHECK;

void json_walk_close(struct json_walk *walk);

#endif
