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

#endif
