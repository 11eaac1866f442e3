/*
 * ctl/output.c - tables and error messages of sluicectl. See ctl/ctl.h.
 */
#include "ctl/ctl.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/utf8.h"

/* ---- text for a terminal ---- */

/* Controls of ASCII and Latin 1, and the characters that hide or reorder their neighbours. */
static bool must_be_escaped(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || (c >= 0x200b && c <= 0x200f) ||
	       (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) || c == 0xfeff;
}

/* As ctl_add_escaped; returns how many columns of the terminal that takes. */
static size_t add_escaped(struct buf *out, struct slice text)
{
	const unsigned char *p = (const unsigned char *)text.p;
	size_t columns = 0;

	for (size_t i = 0; i < text.n;) {
		uint32_t point = 0;
		size_t start = out->n;
		size_t bytes = utf8_decode((struct slice){text.p + i, text.n - i}, &point);
		if (bytes > 0 && !must_be_escaped(point)) {
			buf_add(out, p + i, bytes);
			columns++;
		} else {
			if (bytes == 0)
				buf_add_format(out, "\\x%02x", p[i]);
			else if (point == '\n')
				buf_add_text(out, "\\n");
			else
				buf_add_format(out, "\\u%04x", (unsigned)point);
			columns += out->n - start;
		}
		i += bytes == 0 ? 1 : bytes;
	}
	return columns;
}

void ctl_add_escaped(struct buf *out, struct slice text)
{
	(void)add_escaped(out, text);
}

/* ---- messages ---- */

enum { MESSAGE_MAX_BYTES = 16384 };

__attribute__((format(printf, 3, 0))) static void print_message(const char *prefix,
								const char *hint,
								const char *format, va_list args)
{
	char text[MESSAGE_MAX_BYTES];
	struct buf redacted = buf_make(2 * MESSAGE_MAX_BYTES);
	struct buf line = buf_make(16 * MESSAGE_MAX_BYTES);

	(void)vsnprintf(text, sizeof(text), format, args);
	/* Somebody may have typed a key where an id belongs. */
	log_redact(&redacted, slice_of(text));
	buf_add_text(&line, prefix);
	ctl_add_escaped(&line, buf_slice(&redacted));
	if (hint != NULL)
		buf_add_format(&line, "\nHINT: %s", hint);
	buf_add_char(&line, '\n');
	/* Without memory the message still has to get out. */
	if (line.status == STATUS_OK && redacted.status == STATUS_OK)
		(void)fwrite(line.p, 1, line.n, stderr);
	else
		(void)fputs("sluicectl: out of memory\n", stderr);
	buf_free(&redacted);
	buf_free(&line);
}

enum ctl_exit ctl_fail(enum ctl_exit status, const char *hint, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	print_message("sluicectl: ", hint, format, args);
	va_end(args);
	return status;
}

void ctl_warn(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	print_message("sluicectl: warning: ", NULL, format, args);
	va_end(args);
}

enum ctl_exit ctl_exit_of(enum status status)
{
	if (status == STATUS_UNAVAILABLE || status == STATUS_DEADLINE ||
	    status == STATUS_OUTCOME_UNKNOWN)
		return CTL_UNREACHABLE;
	return CTL_FAILED;
}

/* What to do about it, when that is known. */
static const char *hint_for(enum status status, const char *sqlstate)
{
	static const struct {
		const char *sqlstate, *hint;
	} hints[] = {
		{"42501", "connect as a member of sluice_admin, or as a superuser"},
		{"42883", "the schema is missing or old; run sluicectl migrate"},
		{"42P01", "the schema is missing or old; run sluicectl migrate"},
		{"3F000", "the schema is missing; run sluicectl migrate"},
		{"25006", "connect to the primary server"},
	};

	if (status == STATUS_OUTCOME_UNKNOWN)
		return "it is not known whether the change was made; look before you try again";
	for (size_t i = 0; i < ARRAY_LENGTH(hints); i++) {
		if (strcmp(hints[i].sqlstate, sqlstate) == 0)
			return hints[i].hint;
	}
	return NULL;
}

enum ctl_exit ctl_fail_status(const struct ctl *ctl, enum status status)
{
	const char *message = ctl->db == NULL ? "" : pg_message(ctl->db);
	const char *sqlstate = ctl->db == NULL ? "" : pg_sqlstate(ctl->db);

	if (status == STATUS_NO_MEMORY)
		return ctl_fail(CTL_FAILED, NULL, "out of memory");
	if (*message == '\0')
		return ctl_fail(ctl_exit_of(status), hint_for(status, ""), "failed: %s",
				status_name(status));
	return ctl_fail(ctl_exit_of(status), hint_for(status, sqlstate), "%s", message);
}

enum ctl_exit ctl_flush(struct ctl *ctl)
{
	struct buf *out = &ctl->out;
	size_t done = 0;

	if (out->status != STATUS_OK)
		return ctl_fail(CTL_FAILED, NULL, "out of memory");
	while (done < out->n) {
		ssize_t n = write(STDOUT_FILENO, out->p + done, out->n - done);
		if (n < 0 && errno != EINTR)
			return ctl_fail(CTL_FAILED, NULL, "could not write the output: %s",
					strerror(errno));
		done += n < 0 ? 0 : (size_t)n;
	}
	out->n = 0;
	return CTL_FINE;
}

/* ---- tables ---- */

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

static struct slice shown(struct slice cell)
{
	return cell.n == 0 ? SLICE("-") : cell;
}

static size_t width_of(struct slice cell)
{
	struct buf scratch = buf_make(SIZE_MAX / 2);
	size_t columns = add_escaped(&scratch, shown(cell));

	buf_free(&scratch);
	return columns;
}

/* One line, without trailing blanks. */
static void add_line(struct buf *out, const struct slice *cells, const size_t widths[],
		     size_t columns)
{
	for (size_t i = 0; i < columns; i++) {
		size_t width = add_escaped(out, shown(cells[i]));
		if (i + 1 < columns)
			add_blanks(out, widths[i] - width + 2);
	}
	drop_trailing_blanks(out);
	buf_add_char(out, '\n');
}

enum { TABLE_COLUMNS_MAX = 16 };

void ctl_add_table(struct buf *out, const char *const heads[], size_t columns,
		   const struct slice *cells, size_t rows)
{
	struct slice head[TABLE_COLUMNS_MAX];
	size_t widths[TABLE_COLUMNS_MAX] = {0};

	for (size_t i = 0; i < columns; i++) {
		head[i] = slice_of(heads[i]);
		widths[i] = head[i].n;
	}
	for (size_t i = 0; i < rows * columns; i++) {
		size_t width = width_of(cells[i]);
		if (width > widths[i % columns])
			widths[i % columns] = width;
	}
	add_line(out, head, widths, columns);
	for (size_t row = 0; row < rows; row++)
		add_line(out, cells + row * columns, widths, columns);
}
