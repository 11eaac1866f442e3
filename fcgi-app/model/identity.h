/*
 * model/identity.h - texts that name somebody: ids and emails (CONTRACT.md, sections 5 and 6).
 */
#ifndef MODEL_IDENTITY_H
#define MODEL_IDENTITY_H

#include "base/arena.h"
#include "base/status.h"

/*
 * True unless a text that was sent as an id names nobody: it is empty, blank (Unicode's white
 * space, NUL, U+FFFD, to which an unreadable character is repaired), "0", a nil UUID, "null" or
 * "undefined", with or without blanks around. For a number as it was written: unless it is zero.
 */
bool identity_is_id(struct slice text);
bool identity_is_number_id(struct slice number);

/*
 * The email of a text, in small letters, in the arena or the text: of a bare address, "mailto:", an
 * address in angle brackets behind a name or before a comment; of several, with commas or
 * semicolons between them, the first that is one. An email has one @ with something on both sides,
 * no blank, and at most most bytes. Absent when there is none. STATUS_OK or STATUS_NO_MEMORY.
 */
enum status identity_email(struct arena *arena, struct slice text, size_t most,
			   struct slice *email) MUST_CHECK;

#endif
