/*
 * base/utf8.h - single characters of UTF-8 (RFC 3629), for those who show texts.
 *
 * What a body may hold is decided by json_scan.
 */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include "base/buf.h"

/* Bytes of the character at the start of a text that is not empty, 0 when there is none; *point
 * is its code point. */
size_t utf8_decode(struct slice text, uint32_t *point);

/* True for 1 to max_chars characters, none of them a control character (U+0000 to U+001F, U+007F
 * to U+009F): what may be a name. */
bool utf8_is_name(struct slice text, size_t max_chars);

/* Appends the text with U+FFFD for each byte that belongs to no character. */
void utf8_repair(struct buf *out, struct slice text);

#endif
