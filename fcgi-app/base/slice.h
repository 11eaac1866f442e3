/*
 * base/slice.h - text with its length. Independent of the locale.
 */
#ifndef BASE_SLICE_H
#define BASE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/status.h"

/* Not terminated, and may hold any byte. p is NULL for an absent text, which also has n 0. Never
 * owns its bytes. */
struct slice {
	const char *p;
	size_t n;
};

/* A slice of a string literal, for initialisers and arguments. */
#define SLICE(literal) ((struct slice){(literal), sizeof(literal) - 1})

/* The absent text. */
#define SLICE_ABSENT ((struct slice){NULL, 0})

/* The number of elements of an array (not of a pointer). */
#define ARRAY_LENGTH(array) (sizeof(array) / sizeof((array)[0]))

/* The slice of a terminated string; absent for NULL. */
static inline struct slice slice_of(const char *text)
{
	return (struct slice){text, text == NULL ? 0 : strlen(text)};
}

enum { SLICE_INT_CHARS = 24 };

/* Writes a number in decimal, terminated, somewhere into digits and returns it. */
struct slice slice_of_int(int64_t value, char digits[SLICE_INT_CHARS]);

/* Reads a text of one or more digits. False for any other text and for numbers above INT64_MAX;
 * *value is undefined then. */
bool slice_to_int(struct slice text, int64_t *value) MUST_CHECK;

/* Byte by byte. An absent text equals an empty one. */
bool slice_equal(struct slice a, struct slice b);

/* As slice_equal(), but ignores the case of ASCII letters. */
bool slice_equal_nocase(struct slice a, struct slice b);

/* True if the text begins with the prefix. */
bool slice_starts(struct slice text, struct slice prefix);

/* True for one of the words, each of which has a blank behind it. */
bool slice_is_one_of(struct slice text, const char *words);

/* Space, tab, carriage return or line feed. */
static inline bool slice_is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* The text without blanks at its ends. */
struct slice slice_trim(struct slice text);

/* Takes the next element off a list, with the separator after it. Returns it trimmed; the text is
 * absent after the last one. */
struct slice slice_take(struct slice *text, char separator);

#endif
