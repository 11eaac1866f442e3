/*
 * base/utf8.h - characters of UTF-8 (RFC 3629) in texts that are shown. Bodies are checked by
 * json/scan.
 */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include "base/buf.h"

/* The width in bytes of the first character of a text that is not empty, and its code point; 0 if
 * it is not valid UTF-8. */
size_t utf8_decode(struct slice text, uint32_t *point);

/* True for valid UTF-8 of 1 to max_chars characters without control characters (U+0000 to U+001F,
 * U+007F to U+009F): for names. */
bool utf8_is_name(struct slice text, size_t max_chars);

/* Appends the text with each byte that is not part of a valid character replaced by U+FFFD. */
void utf8_repair(struct buf *out, struct slice text);

#endif
