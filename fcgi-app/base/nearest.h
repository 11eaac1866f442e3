/*
 * base/nearest.h - the word that was probably meant by a mistyped one.
 */
#ifndef BASE_NEAREST_H
#define BASE_NEAREST_H

#include "base/slice.h"

enum { NEAREST_BYTES_MAX = 64 };

/* Start with nearest_of(), offer each known word, then take found. */
struct nearest {
	struct slice word;
	size_t best;
	const char *found; /* NULL: none is near */
};

/* Of a longer word than NEAREST_BYTES_MAX nothing is near. */
struct nearest nearest_of(struct slice word);

/* A word further from it by insertions, deletions and changes of characters than a typo is, or as
 * far as one that was offered before, is not taken. */
void nearest_offer(struct nearest *nearest, const char *known);

#endif
