/*
 * json/edit.h - changes to an item's text that leave all its values as they were received: members
 * that must not be stored go, members that the item lacks come.
 *
 * Beside json_text, under intake. Texts in, texts out; an item that needs no change is not copied.
 */
#ifndef JSON_EDIT_H
#define JSON_EDIT_H

#include "base/arena.h"
#include "base/status.h"

/* A member that an object is given when it has none of that name. */
struct json_default {
	const char *name;
	struct slice value; /* JSON text; absent: none */
};

struct json_edits {
	const char *const *secret_names; /* ends with NULL: members of these names … */
	struct slice secret;		 /* … whose value is this are left out; a name
					  * as json_text_is_name wants it */
	const struct json_default *defaults;
	size_t default_count;
};

/*
 * Applies the edits to the members of an object whose text passed json_text. *out is the text
 * itself when nothing had to be changed, else a new text in the arena: the object without white
 * space between its members. STATUS_OK or STATUS_NO_MEMORY.
 */
enum status json_edit(struct arena *arena, struct slice object, const struct json_edits *edits,
		      struct slice *out) MUST_CHECK;

#endif
