/*
 * json/path.h - dot paths into a JSON text; the values at many of them are found in one pass.
 *
 * Values are exactly the bytes received, so numbers keep all their digits.
 *
 * A path is steps separated by dots: "traits.address.city". A step names a member of an object. A
 * step that is a whole number (up to nine digits, no leading zeros) is also an index into an array,
 * from 0, as for PostgreSQL's #>. "\." is a dot within a step, "\\" a backslash; any other
 * backslash is an error, as is an empty step. Of members with the same name the last one counts, as
 * for jsonb.
 */
#ifndef JSON_PATH_H
#define JSON_PATH_H

#include "base/arena.h"
#include "base/status.h"

enum { JSON_PATH_BYTES = 256 };

/* A set of paths, in an arena. */
struct json_paths;

/* An empty set; NULL if there is no memory. */
struct json_paths *json_paths_make(struct arena *arena);

/*
 * Adds a path, which is UTF-8. *slot is the index of its value for json_paths_find; a path added
 * twice has one slot.
 * STATUS_OK, STATUS_NO_MEMORY, or STATUS_INVALID_VALUE with *reason, a constant: "is empty", "is
 * longer than 256 bytes", "has an empty step", …
 */
enum status json_paths_add(struct json_paths *paths, struct slice path, size_t *slot,
			   const char **reason) MUST_CHECK;

/* The number of slots. */
size_t json_paths_slots(const struct json_paths *paths);

/*
 * Finds the values of all paths in a text that passed json_text_check(): found[slot] is the part of
 * the text that is the value, absent if there is none. Working memory comes from the arena.
 * STATUS_OK, STATUS_NO_MEMORY, or STATUS_MALFORMED_JSON for a text that was not checked.
 */
enum status json_paths_find(const struct json_paths *paths, struct arena *arena, struct slice text,
			    struct slice *found) MUST_CHECK;

#endif
