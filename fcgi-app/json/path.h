/*
 * json/path.h - dot paths into a JSON text, and the values at many of them, found in one pass.
 *
 * Over json_walk, so the text of a value is exactly what was received: numbers keep all their
 * digits.
 *
 * A path is steps with dots between them: "traits.address.city". A step names a member of an
 * object; a step that is a whole number (up to nine digits, no leading zeros) indexes an array,
 * from 0, and where the value is an object names a member all the same, as PostgreSQL's #> does.
 * "\." is a dot that is part of a step, "\\" a backslash; any other backslash is wrong, and so is
 * an empty step. Of members with the same name the last one counts, as it does for jsonb.
 */
#ifndef JSON_PATH_H
#define JSON_PATH_H

#include "base/arena.h"
#include "base/status.h"

enum { JSON_PATH_BYTES = 256 };

/* Some paths; they live in an arena. */
struct json_paths;

/* NULL when there is no memory. */
struct json_paths *json_paths_make(struct arena *arena);

/*
 * Adds a path, which is UTF-8. *slot is where json_paths_find puts its value; the same path gets
 * the same slot again.
 * STATUS_OK, STATUS_NO_MEMORY, or STATUS_INVALID_VALUE with *reason: "is empty", "is longer than
 * 256 bytes", "has an empty step", …
 */
enum status json_paths_add(struct json_paths *paths, struct slice path, size_t *slot,
			   const char **reason) MUST_CHECK;

/* How many slots there are. */
size_t json_paths_slots(const struct json_paths *paths);

/*
 * Finds the values of all paths in a text that passed json_text: found[slot] becomes the text of
 * the value, absent when there is none. What is needed meanwhile comes from the arena.
 * STATUS_OK, STATUS_NO_MEMORY or, for a text that is no JSON, STATUS_MALFORMED_JSON.
 */
enum status json_paths_find(const struct json_paths *paths, struct arena *arena, struct slice text,
			    struct slice *found) MUST_CHECK;

#endif
