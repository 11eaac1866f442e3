/*
 * base/ascii.h - ASCII characters. Independent of the locale, unlike <ctype.h>; any int will do.
 */
#ifndef BASE_ASCII_H
#define BASE_ASCII_H

#include <stdbool.h>

static inline bool ascii_is_digit(int c)
{
	return c >= '0' && c <= '9';
}

/* A letter or a digit; takes the same time for every character. */
static inline bool ascii_is_alnum(int c)
{
	return (((unsigned)c - '0' < 10) | (((unsigned)c | 0x20) - 'a' < 26)) != 0;
}

static inline char ascii_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

static inline char ascii_upper(char c)
{
	return c >= 'a' && c <= 'z' ? (char)(c - ('a' - 'A')) : c;
}

#endif
