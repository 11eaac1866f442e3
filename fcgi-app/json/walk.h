/*
 * json/walk.h - a cursor over a JSON text: visits the members of an object or the elements of an
 * array in their order, and enters those that are wanted.
 *
 * Over json/scan, so each byte is read once whatever is entered. Shows duplicates, order and exact
 * bytes; decodes nothing.
 */
#ifndef JSON_WALK_H
#define JSON_WALK_H

#include "json/scan.h"

struct json_walk {
	struct slice name;   /* with its quotes, not decoded; absent in an array */
	struct slice value;  /* exactly the value's bytes; before its end n is 0 and p where it
			      * begins */
	struct slice member; /* from the name's quote to the value's end, once it is reached */

	/* The walk's own. */
	struct json_scan scan;
	struct slice text;
	size_t at;
	bool in_value; /* begun, neither entered nor ended */
};

/* Starts in the object or array that is the text, which passed json_text_check() and outlives the
 * walk. Another value has nothing in it. */
void json_walk_open(struct json_walk *walk, struct slice text);

/* Moves to the next member or element and reads it to its end. False after the last one, or if a
 * text nested over 256 levels finds no memory (the usual limits let none pass). */
bool json_walk_next(struct json_walk *walk);

/* json_walk_next() in two steps. begin moves to the next value: enter it, end it, or call begin
 * again to skip it. False at the end of the container; if that was entered, the walk goes on in its
 * parent. end reads the value to its end. */
bool json_walk_begin(struct json_walk *walk);
bool json_walk_end(struct json_walk *walk);

/* Enters the value just begun; false if it is not an object or array. */
bool json_walk_enter(struct json_walk *walk);

/* The bytes from start, where a value began, up to here. */
struct slice json_walk_since(const struct json_walk *walk, const char *start);

/* Reads to the end of the text. STATUS_OK, STATUS_NO_MEMORY (see json_walk_next), or
 * STATUS_MALFORMED_JSON for a text that was not checked. */
enum status json_walk_finish(struct json_walk *walk) MUST_CHECK;

/* Frees what a deeply nested text took. */
void json_walk_close(struct json_walk *walk);

#endif
