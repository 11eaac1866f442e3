/*
 * json_walk.h - the members of one object, one after the other, as they stand in its text.
 *
 * Over json_scan; for those who must see duplicates, order and exact bytes. It decodes nothing.
 */
#ifndef JSON_WALK_H
#define JSON_WALK_H

#include "json_scan.h"

struct json_walk {
	struct slice name;   /* with its quotes, escapes not decoded */
	struct slice value;  /* exactly the value's bytes */
	struct slice member; /* from the name's quote to the value's end */

	/* Its own. */
	struct json_scan scan;
	struct slice text;
	size_t at;
};

/* The text is an object and passed json_text. */
void json_walk_open(struct json_walk *walk, struct slice object);

/* The next member; false behind the last one, or for want of memory for a text nested over 256
 * levels, which a check under the usual limits does not let pass. */
bool json_walk_next(struct json_walk *walk);

void json_walk_close(struct json_walk *walk);

#endif
