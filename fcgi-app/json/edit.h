/*
 * json/edit.h - adds the members to an item that it lacks. Its own stay as received; an item that
 * needs no change is not copied.
 */
#ifndef JSON_EDIT_H
#define JSON_EDIT_H

#include "base/arena.h"
#include "base/status.h"

/* A member for an object that has none of this name. */
struct json_default {
	const char *name;
	struct slice value; /* JSON text; absent: none */
};

struct json_edits {
	const struct json_default *defaults;
	size_t default_count;
};

/*
 * Edits the members of an object whose text passed json_text_check(). *out is the text itself if
 * nothing changes, else a new one in the arena without white space between members. STATUS_OK or
 * STATUS_NO_MEMORY.
 */
enum status json_edit(struct arena *arena, struct slice object, const struct json_edits *edits,
		      struct slice *out) MUST_CHECK;

#endif
