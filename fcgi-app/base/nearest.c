/*
 * base/nearest.c - see base/nearest.h.
 */
#include "base/nearest.h"

struct nearest nearest_of(struct slice word)
{
	/* So many changes are not a typo. */
	return (struct nearest){.word = word,
				.best = word.n > NEAREST_BYTES_MAX ? 0 : word.n / 3 + 2};
}

/* How many characters to insert, delete or change to get from a to b (Levenshtein). */
static size_t edit_distance(struct slice a, struct slice b)
{
	size_t row[NEAREST_BYTES_MAX + 1];

	for (size_t j = 0; j <= b.n; j++)
		row[j] = j;
	for (size_t i = 0; i < a.n; i++) {
		size_t diagonal = row[0];
		row[0] = i + 1;
		for (size_t j = 0; j < b.n; j++) {
			size_t best = diagonal + (a.p[i] != b.p[j]);
			diagonal = row[j + 1];
			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (diagonal + 1 < best)
				best = diagonal + 1;
			row[j + 1] = best;
		}
	}
	return row[b.n];
}

void nearest_offer(struct nearest *nearest, const char *known)
{
	struct slice text = slice_of(known);

	if (nearest->best == 0 || text.n > NEAREST_BYTES_MAX)
		return;
	size_t distance = edit_distance(nearest->word, text);
	if (distance < nearest->best) {
		nearest->best = distance;
		nearest->found = known;
	}
}
