/*
 * base/hex.h - bytes as hexadecimal digits, and percent-encoded bytes (RFC 3986 section 2.1).
 */
#ifndef BASE_HEX_H
#define BASE_HEX_H

#include "base/slice.h"

/* Writes 2 * n digits, the letters small; they are not terminated. */
void hex_write(const void *bytes, size_t n, char *digits);

/* The byte that "%XX" at a place stands for, whatever the letters' case; -1 when there is none. */
int hex_escaped(struct slice text, size_t at);

#endif
