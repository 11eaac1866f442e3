/*
 * base/slice.h - text with its length, and small questions about it.
 *
 * Nothing here depends on the locale.
 */
#ifndef BASE_SLICE_H
#define BASE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/status.h"

/* Text with its length. Not terminated; may hold any byte. p is NULL for "absent". */
struct slice {
	const char *p;
	size_t n;
};

/* A slice of a string literal, for initialisers and arguments. */
#define SLICE(literal) ((struct slice){(literal), sizeof(literal) - 1})

/* No text. */
#define SLICE_ABSENT ((struct slice){NULL, 0})

/* How many elements an array has, not a pointer. */
#define ARRAY_LENGTH(array) (sizeof(array) / sizeof((array)[0]))

/* A slice of a terminated string; absent for NULL. */
static inline struct slice slice_of(const char *text)
{
	return (struct slice){text, text == NULL ? 0 : strlen(text)};
}

/* The number in decimal, terminated; a slice of digits. */
enum { SLICE_INT_CHARS = 24 };
struct slice slice_of_int(int64_t value, char digits[SLICE_INT_CHARS]);

/* Reads digits, at least one and nothing else. False for another text and above INT64_MAX, with
 * *value undefined. */
bool slice_to_int(struct slice text, int64_t *value) MUST_CHECK;

bool slice_equal(struct slice a, struct slice b);

/* ASCII case-insensitive comparison; independent of the locale. */
bool slice_equal_nocase(struct slice a, struct slice b);

bool slice_starts(struct slice text, struct slice prefix);

/* Space, tab, carriage return or line feed. */
static inline bool slice_is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* The text without blanks at its ends. */
struct slice slice_trim(struct slice text);

#endif
