/*
 * oracle.h - a second reading of JSON (RFC 8259), written without a look at the scanner: simple,
 * recursive, all at once. The fuzz targets hold the scanner, what is read from a text and the edits
 * against it, and it against json-c, which is a third one.
 */
#ifndef ORACLE_H
#define ORACLE_H

#include "base/buf.h"

struct json_object;

/* What is left to be read. */
struct oracle {
	const unsigned char *p, *end;
};

struct oracle oracle_of(struct slice text);

/* Each returns false where the grammar is broken. */

/* One value, with the white space before it. */
bool oracle_value(struct oracle *oracle);

/* One string; *out, unless NULL, gets what it means, with U+FFFD for U+0000 and for surrogates
 * without their other half. */
bool oracle_string(struct oracle *oracle, struct buf *out);

/* A whole text and nothing behind it. */
bool oracle_text(struct slice text);

/* A member of an object: its name as it is meant, and its value's text. */
struct oracle_member {
	struct buf name;
	struct slice value;
};

/* All members of the object whose brace is next. Release with oracle_members_free. */
struct oracle_members {
	struct oracle_member *list;
	size_t count;
};
bool oracle_members(struct oracle *oracle, struct oracle_members *members);
void oracle_members_free(struct oracle_members *members);

/* The last member of that name, which is the one that counts; NULL when there is none. */
const struct oracle_member *oracle_find(const struct oracle_members *members, struct slice name);

/* What json-c reads from a text that needs no repair; NULL for null. json_object_put() it. */
struct json_object *oracle_parse(struct slice text);

/* True when the text of a value means what json-c has read from it. */
bool oracle_same(struct slice text, const struct json_object *value);

#endif
