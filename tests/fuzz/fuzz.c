/*
 * fuzz.c - what the fuzz targets share. See fuzz.h.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

const struct json_limits fuzz_limits = {
	.item_bytes = 512 << 10,
	.items = 5000,
	.depth = 64,
	.number_digits = 400,
	.number_exponent = 400,
};

_Noreturn void fuzz_fail(const char *file, int line, const char *what)
{
	(void)fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, what);
	abort();
}

/* FNV-1a for the seed, xorshift for what follows. */
struct fuzz_random fuzz_random_of(struct slice input)
{
	struct fuzz_random random = {UINT64_C(0xcbf29ce484222325)};

	for (size_t i = 0; i < input.n; i++)
		random.state = (random.state ^ (unsigned char)input.p[i]) * UINT64_C(0x100000001b3);
	random.state |= 1;
	return random;
}

size_t fuzz_random_next(struct fuzz_random *random, size_t below)
{
	random->state ^= random->state << 13;
	random->state ^= random->state >> 7;
	random->state ^= random->state << 17;
	return (size_t)(random->state >> 16) % below;
}

static enum status feed_copy(struct slice piece, fuzz_feed *feed, void *context)
{
	char *bytes = malloc(piece.n);

	CHECK(bytes != NULL || piece.n == 0);
	if (piece.n > 0)
		memcpy(bytes, piece.p, piece.n);
	enum status status = feed(context, bytes, piece.n);
	free(bytes);
	return status;
}

enum status fuzz_in_pieces(struct fuzz_random *random, struct slice text, fuzz_feed *feed,
			   void *context)
{
	const size_t most_of[] = {SIZE_MAX - 1, 1, 7, 300};
	size_t most = most_of[fuzz_random_next(random, 4)];
	enum status status = STATUS_OK;

	while (text.n > 0 && status == STATUS_OK) {
		size_t n = most == SIZE_MAX - 1 ? text.n : fuzz_random_next(random, most + 1);
		if (most == 1)
			n = 1;
		n = n < text.n ? n : text.n;
		status = feed_copy((struct slice){text.p, n}, feed, context);
		text = (struct slice){text.p + n, text.n - n};
	}
	return status;
}

struct slice fuzz_take(struct slice *text, char separator)
{
	struct slice part = *text;
	const char *end = text->n == 0 ? NULL : memchr(text->p, separator, text->n);

	if (end != NULL)
		part.n = (size_t)(end - text->p);
	size_t used = part.n + (end != NULL);
	*text = (struct slice){text->p + used, text->n - used};
	return part;
}

char *fuzz_copy(struct slice text)
{
	char *copy = malloc(text.n + 1);

	CHECK(copy != NULL);
	if (text.n > 0)
		memcpy(copy, text.p, text.n);
	copy[text.n] = '\0';
	return copy;
}
