/*
 * ctl/terminal.c - what the tool's output is written to, and text that is safe for a terminal. See
 * ctl/ctl_internal.h.
 */
#include "ctl/ctl_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/unicode_width.h"
#include "base/utf8.h"

/* ---- the terminal ---- */

static size_t columns_of(int fd)
{
	struct winsize size = {0};
	int64_t given;

	/* Set by hand it counts: shells do not export it. */
	if (slice_to_int(slice_of(getenv("COLUMNS")), &given) && given > 0)
		return (size_t)given;
	return ioctl(fd, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

/* See https://no-color.org: any value but an empty one says no. */
static bool wants_colours(void)
{
	const char *never = getenv("NO_COLOR"), *term = getenv("TERM");

	return (never == NULL || *never == '\0') && term != NULL && *term != '\0' &&
	       strcmp(term, "dumb") != 0;
}

struct ctl_screen ctl_screen_of(int fd)
{
	if (isatty(fd) != 1)
		return (struct ctl_screen){0};
	return (struct ctl_screen){.columns = columns_of(fd), .colours = wants_colours()};
}

void ctl_add_colour(struct buf *out, const struct ctl_screen *screen, enum ctl_colour colour)
{
	static const char *const codes[] = {
		[CTL_PLAIN] = "\033[0m",  [CTL_BOLD] = "\033[1m",    [CTL_RED] = "\033[31m",
		[CTL_GREEN] = "\033[32m", [CTL_YELLOW] = "\033[33m",
	};

	if (screen->colours)
		buf_add_text(out, codes[colour]);
}

/* ---- text for it ---- */

/* Controls of ASCII and Latin 1, and the characters that hide or reorder their neighbours. */
static bool must_be_escaped(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || (c >= 0x200b && c <= 0x200f) ||
	       (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) || c == 0xfeff;
}

enum { ESCAPE_BYTES = sizeof("\\u0000") };

/* A character as it is shown. */
struct shown {
	size_t bytes; /* of the text */
	size_t columns;
	struct slice text; /* itself, or an escape in room */
	char room[ESCAPE_BYTES];
};

/* The first character of a text. */
static void show(struct slice text, struct shown *shown)
{
	uint32_t point = 0;
	size_t bytes = utf8_decode(text, &point);

	shown->bytes = bytes == 0 ? 1 : bytes;
	shown->text = (struct slice){text.p, bytes};
	if (bytes > 0 && !must_be_escaped(point)) {
		shown->columns = unicode_width(point);
		return;
	}
	if (bytes == 0)
		(void)snprintf(shown->room, ESCAPE_BYTES, "\\x%02x", (unsigned char)*text.p);
	else if (point == '\n')
		(void)snprintf(shown->room, ESCAPE_BYTES, "\\n");
	else
		(void)snprintf(shown->room, ESCAPE_BYTES, "\\u%04x", (unsigned)(point & 0xffff));
	shown->text = slice_of(shown->room);
	shown->columns = shown->text.n;
}

size_t ctl_add_escaped(struct buf *out, struct slice text)
{
	return ctl_add_fitting(out, &text, SIZE_MAX);
}

size_t ctl_add_fitting(struct buf *out, struct slice *text, size_t columns)
{
	struct shown shown;
	size_t used = 0;

	for (; text->n > 0; text->p += shown.bytes, text->n -= shown.bytes) {
		show(*text, &shown);
		if (shown.columns > columns - used)
			break;
		used += shown.columns;
		if (out != NULL)
			buf_add_slice(out, shown.text);
	}
	return used;
}
