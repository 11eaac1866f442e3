/*
 * key/cross_out.c - see key/cross_out.h.
 */
#define _GNU_SOURCE /* memmem, which is POSIX only since 2024 */
#include "key/cross_out.h"

#include <string.h>

#include "base/ascii.h"
#include "base/hex.h"

enum {
	PREFIX = 3,	 /* "sk_" */
	SHOWN = 3 + 4,	 /* a key's first characters are not secret */
	JSON_ESCAPE = 6, /* \u0073 */
	URL_ESCAPE = 3,	 /* %73 */
	WIDTH = 4	 /* of a character in UTF-32 */
};

/* How far the text at a place is the key. */
struct match {
	size_t chars; /* of the key */
	size_t bytes; /* of the text */
	bool is_cut;  /* the text ended first */
};

/* The length of a character of one byte, with the zeros that UTF-16 and UTF-32 put behind it or
 * before the next. */
static size_t wide(struct slice text, size_t at)
{
	size_t n = 1;

	while (n < WIDTH && at + n < text.n && text.p[at + n] == '\0')
		n++;
	return n;
}

/* The length of the character at a place, whose first byte is there; *c is what it means, -1 if the
 * text ends within it. */
static size_t spelled(struct slice text, size_t at, int *c)
{
	const char *p = text.p + at;
	size_t left = text.n - at;

	*c = (unsigned char)*p;
	if (*p == '%') {
		*c = left < URL_ESCAPE ? -1 : hex_escaped(text, at);
		return URL_ESCAPE;
	}
	if (*p != '\\' || memcmp(p, "\\u00", left < 4 ? left : 4) != 0)
		return wide(text, at);
	*c = -1;
	if (left >= JSON_ESCAPE) {
		const char escape[] = {'%', p[4], p[5]};
		*c = hex_escaped((struct slice){escape, sizeof(escape)}, 0);
	}
	return JSON_ESCAPE;
}

static struct match match_at(struct slice text, size_t at, struct slice key)
{
	struct match match = {0, 0, false};

	while (match.chars < key.n) {
		size_t place = at + match.bytes;
		int c;
		if (place == text.n) {
			match.is_cut = true;
			break;
		}
		size_t n = spelled(text, place, &c);
		if (n > text.n - place) {
			match.is_cut = true;
			break;
		}
		if (c != (unsigned char)key.p[match.chars])
			break;
		match.bytes += n;
		match.chars++;
	}
	return match;
}

/* Where a key may begin, from a place on; the text's length if nowhere. */
static size_t next_place(struct slice text, size_t at, struct slice key)
{
	while (at < text.n && text.p[at] != key.p[0] && text.p[at] != '\\' && text.p[at] != '%')
		at++;
	return at;
}

/* A beginning of the key that the text ends with is to be crossed out, too. */
static bool is_hit(const struct match *match, struct slice key)
{
	return match->chars == key.n || (match->is_cut && match->chars > SHOWN);
}

/* Most texts hold no key, and this tells without looking at each byte: it is there as itself, or
 * with escapes or zeros. */
static bool may_hold_whole(struct slice text, struct slice key)
{
	const char *escape = memchr(text.p, '\\', text.n);

	if (memchr(text.p, '%', text.n) != NULL || memchr(text.p, '\0', text.n) != NULL)
		return true;
	if (escape != NULL &&
	    memmem(escape, text.n - (size_t)(escape - text.p), "\\u00", 4) != NULL)
		return true;
	return memmem(text.p, text.n, key.p, key.n) != NULL;
}

/* The same, or the text ends with a character that may be one of the key's. */
static bool may_hold(struct slice text, struct slice key)
{
	if (text.n <= SHOWN || key.n == 0)
		return false;
	char last = text.p[text.n - 1];
	return ascii_is_alnum(last) || last == '_' || last == '\0' || last == '\\' || last == '%' ||
	       may_hold_whole(text, key);
}

bool cross_out_finds(struct slice text, struct slice key)
{
	if (!may_hold(text, key))
		return false;
	for (size_t at = next_place(text, 0, key); at < text.n;
	     at = next_place(text, at + 1, key)) {
		struct match match = match_at(text, at, key);
		if (is_hit(&match, key))
			return true;
	}
	return false;
}

/* Writes x in place of each character behind the prefix, spelled as it was. */
static void write_over(char *text, size_t n, const struct match *match)
{
	struct slice whole = {text, n};
	size_t at = 0;

	for (size_t i = 0; i < match->chars; i++) {
		int c;
		size_t length = spelled(whole, at, &c);
		bool escaped = text[at] == '\\' || text[at] == '%';
		if (i >= PREFIX && escaped)
			memcpy(text + at + length - 2, "78", 2);
		else if (i >= PREFIX)
			text[at] = 'x';
		at += length;
	}
}

/* Crosses out whole keys; *open is where the beginning of one is that the text ends with, or n. */
static bool cross_out_whole(char *text, size_t n, struct slice key, size_t *open,
			    struct match *last)
{
	struct slice whole = {text, n};
	bool found = false;
	size_t at = 0;

	if (!may_hold_whole(whole, key) && n > CROSS_OUT_OPEN_MAX)
		at = n - CROSS_OUT_OPEN_MAX;

	*open = n;
	while ((at = next_place(whole, at, key)) < n) {
		struct match match = match_at(whole, at, key);
		if (match.chars == key.n) {
			write_over(text + at, n - at, &match);
			found = true;
			at += match.bytes;
			continue;
		}
		if (match.is_cut && *open == n) {
			*open = at;
			*last = match;
		}
		at++;
	}
	return found;
}

bool cross_out(char *text, size_t n, struct slice key)
{
	struct match last = {0, 0, false};
	size_t open = n;

	if (!may_hold((struct slice){text, n}, key))
		return false;
	bool found = cross_out_whole(text, n, key, &open, &last);
	if (open < n && is_hit(&last, key)) {
		write_over(text + open, n - open, &last);
		found = true;
	}
	return found;
}

size_t cross_out_piece(char *text, size_t n, struct slice key, bool *found)
{
	struct match last = {0, 0, false};
	size_t open = n;

	if (key.n > 0 && cross_out_whole(text, n, key, &open, &last))
		*found = true;
	return n - open;
}

static size_t alnums(struct slice text, size_t at)
{
	size_t n = 0;

	while (at + n < text.n && ascii_is_alnum(text.p[at + n]))
		n++;
	return n;
}

bool cross_out_suspects(struct slice text)
{
	static const struct {
		struct slice prefix;
		size_t chars;
	} forms[] = {{{"sk_", 3}, 38}, {{"whs_", 4}, 40}, {{"slt_", 4}, 38}};

	if (text.n < 3 + 38)
		return false;
	for (size_t i = 0; i < ARRAY_LENGTH(forms); i++) {
		struct slice rest = text;
		struct slice prefix = forms[i].prefix;
		const char *found;
		while (rest.n > 0 && (found = memmem(rest.p, rest.n, prefix.p, prefix.n)) != NULL) {
			size_t at = (size_t)(found - text.p) + prefix.n;
			if (alnums(text, at) >= forms[i].chars)
				return true;
			rest = (struct slice){text.p + at, text.n - at};
		}
	}
	return false;
}
