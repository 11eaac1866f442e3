/*
 * json/edit.h - removes members that must not be stored from an item and adds those that it lacks.
 * All other members stay as received; an item that needs no change is not copied.
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
	const char *const *secret_names; /* ends with NULL; members of these names … */
	struct slice secret;		 /* … are removed if this is their value, for which see
					  * json_text_is_name() */
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
