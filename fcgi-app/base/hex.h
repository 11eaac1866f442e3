/*
 * base/hex.h - hexadecimal digits, and percent-encoding (RFC 3986 section 2.1).
 */
#ifndef BASE_HEX_H
#define BASE_HEX_H

#include "base/slice.h"

/* Writes n bytes as 2 * n lower-case digits, not terminated. */
void hex_write(const void *bytes, size_t n, char *digits);

/* The byte that "%XX" at index at stands for, in either case; -1 if there is none. */
int hex_escaped(struct slice text, size_t at);

/* The byte at index *at, decoded if it is escaped; moves *at behind it. -1 for a bad escape. */
static inline int hex_unescape(struct slice text, size_t *at)
{
	size_t from = *at;
	bool plain = text.p[from] != '%';

	*at += plain ? 1 : 3;
	return plain ? (unsigned char)text.p[from] : hex_escaped(text, from);
}

#endif
