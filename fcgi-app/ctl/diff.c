/*
 * ctl/diff.c - the lines in which two texts differ. See ctl/ctl_internal.h.
 *
 * Uses the longest common subsequence. Its table is as large as the product of both texts, which is
 * fine for functions.
 */
#include "ctl/ctl_internal.h"

#include <string.h>

enum { CONTEXT_LINES = 3 };

struct lines {
	struct slice *items;
	size_t count;
};

static bool split(struct arena *arena, struct slice text, struct lines *lines)
{
	size_t room = 1;

	for (size_t i = 0; i < text.n; i++)
		room += text.p[i] == '\n';
	lines->items = arena_array(arena, room, sizeof(*lines->items));
	lines->count = 0;
	if (lines->items == NULL)
		return false;
	while (text.n > 0) {
		const char *end = memchr(text.p, '\n', text.n);
		size_t n = end == NULL ? text.n : (size_t)(end - text.p);
		lines->items[lines->count++] = (struct slice){text.p, n};
		n += end != NULL;
		text = (struct slice){text.p + n, text.n - n};
	}
	return true;
}

/* A line of the result: ' ', '-' or '+', and its text. */
struct edit {
	char sign;
	struct slice line;
};

/* length[i * (b->count + 1) + j]: of the common subsequence of a from line i and b from line j. */
static void measure(const struct lines *a, const struct lines *b, unsigned *length)
{
	size_t width = b->count + 1;

	for (size_t j = 0; j <= b->count; j++)
		length[a->count * width + j] = 0;
	for (size_t i = a->count; i-- > 0;) {
		length[i * width + b->count] = 0;
		for (size_t j = b->count; j-- > 0;) {
			unsigned without_a = length[(i + 1) * width + j];
			unsigned without_b = length[i * width + j + 1];
			length[i * width + j] =
				slice_equal(a->items[i], b->items[j])
					? length[(i + 1) * width + j + 1] + 1
					: (without_a > without_b ? without_a : without_b);
		}
	}
}

static size_t edit(const struct lines *a, const struct lines *b, const unsigned *length,
		   struct edit *edits)
{
	size_t width = b->count + 1, i = 0, j = 0, count = 0;

	while (i < a->count || j < b->count) {
		if (i < a->count && j < b->count && slice_equal(a->items[i], b->items[j])) {
			edits[count++] = (struct edit){' ', a->items[i++]};
			j++;
		} else if (j == b->count || (i < a->count && length[(i + 1) * width + j] >=
								     length[i * width + j + 1])) {
			edits[count++] = (struct edit){'-', a->items[i++]};
		} else {
			edits[count++] = (struct edit){'+', b->items[j++]};
		}
	}
	return count;
}

/* Whether a line that both have is near one that differs. */
static bool is_near(const struct edit *edits, size_t count, size_t at)
{
	size_t from = at < CONTEXT_LINES ? 0 : at - CONTEXT_LINES;

	for (size_t i = from; i < count && i <= at + CONTEXT_LINES; i++) {
		if (edits[i].sign != ' ')
			return true;
	}
	return false;
}

static void add(struct buf *out, const struct edit *edits, size_t count)
{
	bool skipped = false;

	for (size_t i = 0; i < count; i++) {
		if (!is_near(edits, count, i)) {
			skipped = true;
			continue;
		}
		if (skipped)
			buf_add_text(out, " ...\n");
		skipped = false;
		buf_add_char(out, edits[i].sign);
		(void)ctl_add_escaped(out, edits[i].line);
		buf_add_char(out, '\n');
	}
}

enum ctl_exit ctl_add_diff(struct ctl *ctl, struct slice before, struct slice after)
{
	struct lines a, b;

	if (!split(&ctl->arena, before, &a) || !split(&ctl->arena, after, &b))
		return ctl_fail_status(ctl, STATUS_NO_MEMORY);
	unsigned *length = arena_array(&ctl->arena, (a.count + 1) * (b.count + 1), sizeof(*length));
	struct edit *edits = arena_array(&ctl->arena, a.count + b.count + 1, sizeof(*edits));
	if (length == NULL || edits == NULL)
		return ctl_fail_status(ctl, STATUS_NO_MEMORY);
	measure(&a, &b, length);
	add(&ctl->out, edits, edit(&a, &b, length, edits));
	return CTL_FINE;
}
