/*
 * base/unicode.h - the little of Unicode that ids and emails need: blanks and lower case.
 * Independent of the locale.
 */
#ifndef BASE_UNICODE_H
#define BASE_UNICODE_H

#include "base/buf.h"

/* True for white space, and for what shows as nothing or stands for what could not be read:
 * control characters, zero-width characters, byte order marks, U+FFFD. */
bool unicode_is_blank(uint32_t point);

/* A valid UTF-8 text without such characters at its ends. Empty, not absent, if it has no others.
 */
struct slice unicode_trim(struct slice text);

/* The first such character of a valid text, or its end, as an offset. */
size_t unicode_first_blank(struct slice text);

/* The small letter of a capital one: of ASCII, and where one character becomes one in the Latin,
 * Greek, Cyrillic and Armenian scripts. Any other character stays. */
uint32_t unicode_lower(uint32_t point);

/* Appends a valid text in small letters. */
void unicode_add_lower(struct buf *out, struct slice text);

#endif
