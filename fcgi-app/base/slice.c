/*
 * base/slice.c - see base/slice.h.
 */
#include "base/slice.h"

#include <string.h>

#include "base/ascii.h"

struct slice slice_of_int(int64_t value, char digits[SLICE_INT_CHARS])
{
	char *end = digits + SLICE_INT_CHARS - 1;
	char *p = end;
	uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;

	*end = '\0';
	do {
		*--p = (char)('0' + rest % 10);
		rest /= 10;
	} while (rest != 0);
	if (value < 0)
		*--p = '-';
	return (struct slice){p, (size_t)(end - p)};
}

bool slice_to_int(struct slice text, int64_t *value)
{
	*value = 0;
	for (size_t i = 0; i < text.n; i++) {
		int digit = text.p[i] - '0';
		if (digit < 0 || digit > 9 || *value > (INT64_MAX - digit) / 10)
			return false;
		*value = *value * 10 + digit;
	}
	return text.n > 0;
}

bool slice_equal(struct slice a, struct slice b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

bool slice_equal_nocase(struct slice a, struct slice b)
{
	if (a.n != b.n)
		return false;
	for (size_t i = 0; i < a.n; i++) {
		if (ascii_lower(a.p[i]) != ascii_lower(b.p[i]))
			return false;
	}
	return true;
}

bool slice_starts(struct slice text, struct slice prefix)
{
	return text.n >= prefix.n && slice_equal((struct slice){text.p, prefix.n}, prefix);
}

bool slice_is_one_of(struct slice text, const char *words)
{
	for (size_t n; *words != '\0'; words += n + 1) {
		n = strcspn(words, " ");
		if (slice_equal(text, (struct slice){words, n}))
			return true;
	}
	return false;
}

struct slice slice_trim(struct slice text)
{
	while (text.n > 0 && slice_is_blank(text.p[text.n - 1]))
		text.n--;
	while (text.n > 0 && slice_is_blank(*text.p))
		text = (struct slice){text.p + 1, text.n - 1};
	return text;
}

struct slice slice_take(struct slice *text, char separator)
{
	struct slice part = *text;
	const char *end = text->n == 0 ? NULL : memchr(text->p, separator, text->n);

	if (end == NULL) {
		*text = SLICE_ABSENT;
		return slice_trim(part);
	}
	part.n = (size_t)(end - part.p);
	text->p += part.n + 1;
	text->n -= part.n + 1;
	return slice_trim(part);
}
