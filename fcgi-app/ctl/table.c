/*
 * ctl/table.c - tables that fit the terminal. See ctl/ctl_internal.h.
 *
 * Where the output is no terminal nothing is cut, broken or coloured: there it is read by programs.
 */
#include "ctl/ctl_internal.h"

#include <string.h>

enum { GAP = 2, WRAPPED_MIN = 20 };

static struct slice cell_text(struct slice cell)
{
	return cell.n == 0 ? SLICE("-") : cell;
}

static size_t width_of(struct slice cell)
{
	return ctl_add_escaped(NULL, cell_text(cell));
}

/* ---- widths ---- */

static void measure(const struct ctl_table *table, size_t widths[])
{
	for (size_t i = 0; i < table->columns; i++)
		widths[i] = width_of(slice_of(table->headings[i]));
	for (size_t i = 0; i < table->rows * table->columns; i++) {
		size_t width = width_of(table->cells[i]);
		if (width > widths[i % table->columns])
			widths[i % table->columns] = width;
	}
}

/* Makes the widest column narrower, of several the last, until the line fits. */
static void narrow(size_t widths[], size_t columns, size_t room)
{
	size_t total = columns == 0 ? 0 : GAP * (columns - 1);

	for (size_t i = 0; i < columns; i++)
		total += widths[i];
	while (total > room) {
		size_t widest = 0;
		for (size_t i = 1; i < columns; i++)
			widest = widths[i] >= widths[widest] ? i : widest;
		if (widths[widest] <= 1)
			return;
		widths[widest]--;
		total--;
	}
}

/* A last column that may take several lines leaves the others their width while it can. */
static void fit(const struct ctl_table *table, size_t room, size_t widths[])
{
	size_t last = table->columns - 1, others = 0;

	if (!table->wraps)
		return narrow(widths, table->columns, room);
	for (size_t i = 0; i < last; i++)
		others += widths[i] + GAP;
	if (others + WRAPPED_MIN > room) {
		narrow(widths, last, room > WRAPPED_MIN + GAP ? room - WRAPPED_MIN - GAP : 1);
		others = 0;
		for (size_t i = 0; i < last; i++)
			others += widths[i] + GAP;
	}
	size_t left = room > others ? room - others : 1;
	widths[last] = widths[last] < left ? widths[last] : left;
}

/* ---- lines ---- */

static void add_blanks(struct buf *out, size_t n)
{
	for (; n > 0; n--)
		buf_add_char(out, ' ');
}

static void drop_trailing_blanks(struct buf *out)
{
	while (out->n > 0 && out->p[out->n - 1] == ' ')
		out->n--;
}

/* Appends as much as fits, and an ellipsis if that is not all. Returns the columns it takes. */
static size_t add_cut(struct buf *out, struct slice text, size_t width)
{
	struct slice rest = text;

	if (ctl_add_escaped(NULL, text) <= width)
		return ctl_add_escaped(out, text);
	size_t used = ctl_add_fitting(out, &rest, width - 1);
	buf_add_text(out, "…");
	return used + 1;
}

/* Appends one line of a longer text and takes it off, at a blank if there is one near the end. */
static void add_piece(struct buf *out, struct slice *rest, size_t width)
{
	struct slice behind = *rest;

	(void)ctl_add_fitting(NULL, &behind, width);
	size_t n = rest->n - behind.n, end = n;
	if (behind.n > 0) {
		while (end > n / 2 && rest->p[end - 1] != ' ')
			end--;
		n = end > n / 2 ? end : n;
	}
	if (n == 0) /* not even one character fits */
		n = rest->n;
	(void)ctl_add_escaped(out, (struct slice){rest->p, n});
	*rest = (struct slice){rest->p + n, rest->n - n};
}

static void add_wrapped(struct buf *out, struct slice text, size_t indent, size_t width)
{
	add_piece(out, &text, width);
	while (text.n > 0) {
		drop_trailing_blanks(out);
		buf_add_char(out, '\n');
		add_blanks(out, indent);
		add_piece(out, &text, width);
	}
}

/* ---- colours ---- */

/* A state's colour; what is neither good nor bad has none. */
static enum ctl_colour colour_of(struct slice text)
{
	if (slice_is_one_of(text, "ok active done completed applied ready yes "))
		return CTL_GREEN;
	if (slice_is_one_of(text, "failed permanently_failed deactivated "))
		return CTL_RED;
	if (slice_is_one_of(text, "warning expired busy more skipped rejected by_hand "))
		return CTL_YELLOW;
	return CTL_PLAIN;
}

static bool is_of_states(const char *heading)
{
	return strcmp(heading, "STATUS") == 0 || strcmp(heading, "RESULT") == 0;
}

/* ---- the table ---- */

static void add_row(struct buf *out, const struct ctl_screen *screen, const struct ctl_table *table,
		    const struct slice *cells, const size_t widths[])
{
	size_t last = table->columns - 1, indent = 0;

	for (size_t i = 0; i <= last; i++) {
		struct slice text = cell_text(cells[i]);
		enum ctl_colour colour =
			is_of_states(table->headings[i]) ? colour_of(text) : CTL_PLAIN;
		size_t used = 0;
		if (colour != CTL_PLAIN)
			ctl_add_colour(out, screen, colour);
		if (i == last && table->wraps)
			add_wrapped(out, text, indent, widths[i]);
		else
			used = add_cut(out, text, widths[i]);
		if (colour != CTL_PLAIN)
			ctl_add_colour(out, screen, CTL_PLAIN);
		if (i < last)
			add_blanks(out, widths[i] - used + GAP);
		indent += widths[i] + GAP;
	}
	drop_trailing_blanks(out);
	buf_add_char(out, '\n');
}

static void add_headings(struct buf *out, const struct ctl_screen *screen,
			 const struct ctl_table *table, const size_t widths[])
{
	ctl_add_colour(out, screen, CTL_BOLD);
	for (size_t i = 0; i < table->columns; i++) {
		size_t used = add_cut(out, slice_of(table->headings[i]), widths[i]);
		if (i + 1 < table->columns)
			add_blanks(out, widths[i] - used + GAP);
	}
	ctl_add_colour(out, screen, CTL_PLAIN);
	buf_add_char(out, '\n');
}

void ctl_add_table(struct buf *out, const struct ctl_screen *screen, const struct ctl_table *table)
{
	size_t widths[CTL_TABLE_COLUMNS_MAX] = {0};

	measure(table, widths);
	if (screen->columns > 0)
		fit(table, screen->columns, widths);
	add_headings(out, screen, table, widths);
	for (size_t row = 0; row < table->rows; row++)
		add_row(out, screen, table, table->cells + row * table->columns, widths);
}
