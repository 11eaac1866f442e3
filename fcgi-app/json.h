/*
 * json.h - reading values out of an item whose text json_text has passed.
 *
 * The only module that includes json-c. json-c decides nothing about what is JSON; it only finds
 * members. Numbers are exact only in the text, so ids that are numbers are read as their text.
 */
#ifndef JSON_H
#define JSON_H

#include <stdint.h>

#include "mem.h"

/* An opaque parsed value; borrowed from its document unless said otherwise. */
struct json_object;

/* Parses a text that passed json_text and needs no repair (json-c cuts keys at \u0000). Release
 * with json_release. STATUS_OK, STATUS_NO_MEMORY, or STATUS_MALFORMED_JSON when json-c cannot read
 * it after all. */
enum status json_parse(struct slice text, struct json_object **value) MUST_CHECK;

/*
 * As json_parse, but only what a reader of known places looks at: the root's members and those of
 * objects that are members of one of these names (ends with NULL), at any depth. Every other array
 * or object is an empty array. json-c needs 250 times the bytes of "{}" for it, so a sender could
 * make it costly; this way he cannot.
 */
enum status json_parse_places(struct slice text, const char *const *names,
			      struct json_object **value) MUST_CHECK;

void json_release(struct json_object *value); /* NULL is allowed */

/* The member of an object; NULL when absent, JSON null, or value is not an object. */
struct json_object *json_member(const struct json_object *value, const char *name);

bool json_is_object(const struct json_object *value);

/* The bytes of a string value; absent for anything else. */
struct slice json_string(const struct json_object *value);

/* A string, number or boolean as text, borrowed from value: numbers exactly as written when they
 * fit 64 bits or have a fraction or exponent; absent for anything else and for an integer beyond
 * 64 bits. json-c cannot tell the least int64_t and the greatest uint64_t from what lies beyond
 * them, so these two are absent as well. */
struct slice json_scalar_text(const struct json_object *value);

/* An integer above INT64_MIN and up to INT64_MAX (a number without fraction or exponent); false
 * for anything else. */
bool json_int(const struct json_object *value, int64_t *out);

#endif
