/*
 * json/write.h - JSON that is written: members, one after the other, into a buffer.
 *
 * Braces and brackets are the caller's, as plain characters.
 */
#ifndef JSON_WRITE_H
#define JSON_WRITE_H

#include "base/buf.h"

/* Appends "name":text with a comma unless it is the first; an absent text is null. What is not
 * UTF-8 becomes U+FFFD: JSON has no other texts. */
void json_write_member(struct buf *out, const char *name, struct slice text);
void json_write_member_int(struct buf *out, const char *name, int64_t value);
void json_write_member_bool(struct buf *out, const char *name, bool value);
/* The text is JSON already, or the bracket that begins it; absent is null. */
void json_write_member_json(struct buf *out, const char *name, struct slice json);
/* A comma unless a bracket or a brace was opened just before. */
void json_write_comma(struct buf *out);

#endif
