/*
 * base/log.c - builds a line on the stack and writes it in one piece. See base/log.h.
 *
 * Allocates nothing and does not rotate.
 */
#include "base/log.h"

#include <errno.h>
#include <string.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "base/ascii.h"
#include "base/hex.h"
#include "base/log_internal.h"
#include "base/stats.h"
#include "base/utf8.h"

#define ELLIPSIS "\xe2\x80\xa6"

enum {
	LINE_BYTES = 4096,  /* PIPE_BUF: write(2) does not split it */
	VALUE_BYTES = 1024, /* most of one value, which leaves room for the others */
	TAIL_BYTES = 5,	    /* kept free: an ellipsis, a closing quote, the newline */
	PIECE_BYTES = 32,   /* the longest piece: a shortened secret, percent-encoded */
	SECRET_RUN_MIN = 8,
	SECRET_SHOWN = 4,
};

struct line {
	size_t n;
	char bytes[LINE_BYTES];
};

/* The start of the lines of one second. */
struct second {
	time_t at;
	size_t n; /* 0: none yet */
	char text[32];
};

static struct {
	const char *program;
	struct line origin; /* the fields program and pid; empty until the first line */
	struct second second;
	enum log_target target;
	enum log_level least;
	bool holding;
	uint64_t lost;	  /* lines, since some were last written */
	struct line held; /* whole lines, not yet written */
} log_state = {.program = "sluice", .target = LOG_TARGET_STDERR, .least = LOG_LEVEL_INFO};

static const char *const level_names[] = {"debug", "info", "warning", "error"};
static const int level_priorities[] = {LOG_DEBUG, LOG_INFO, LOG_WARNING, LOG_ERR};

void log_open(const char *program, enum log_target target, enum log_level least)
{
	log_state.program = program;
	log_state.origin.n = 0;
	log_state.target = target;
	log_state.least = least;
}

void log_forked(void)
{
	log_state.lost = 0; /* the parent tells */
	log_state.origin.n = 0;
}

/* ---- secrets ---- */

/* The character at an index and its width: in a URL a secret may be percent-encoded. */
static int char_at(struct slice text, size_t at, size_t *width)
{
	/* Without a call for nearly all characters. */
	int escaped = text.p[at] == '%' ? hex_escaped(text, at) : -1;

	*width = escaped < 0 ? 1 : 3;
	return escaped < 0 ? (unsigned char)text.p[at] : escaped;
}

/* The width of the prefix at an index; 0 if it is not there. */
static size_t prefix_width(struct slice text, size_t at, const char *prefix)
{
	size_t end = at;

	for (; *prefix != '\0'; prefix++) {
		size_t width;
		if (end == text.n || char_at(text, end, &width) != *prefix)
			return 0;
		end += width;
	}
	return end - at;
}

static bool may_begin_secret(char c)
{
	return c == 's' || c == 'w' || c == '%';
}

/* The width of the secret at an index, of which *shown bytes may be shown; 0 if there is none. */
static size_t secret_width(struct slice text, size_t at, size_t *shown)
{
	if (!may_begin_secret(text.p[at]))
		return 0;
	size_t prefix = prefix_width(text, at, "sk_");
	if (prefix == 0)
		prefix = prefix_width(text, at, "whs_");
	if (prefix == 0)
		prefix = prefix_width(text, at, "slt_");
	if (prefix == 0)
		return 0;
	size_t end = at + prefix;
	size_t width;
	unsigned run = 0;
	while (end < text.n && ascii_is_alnum(char_at(text, end, &width))) {
		end += width;
		if (++run == SECRET_SHOWN)
			*shown = end - at;
	}
	return run >= SECRET_RUN_MIN ? end - at : 0;
}

void log_redact(struct buf *out, struct slice text)
{
	size_t from = 0;
	size_t at = 0;

	while (at < text.n) {
		size_t shown;
		size_t width = secret_width(text, at, &shown);
		if (width == 0) {
			at++;
			continue;
		}
		buf_add(out, text.p + from, at + shown - from);
		buf_add_text(out, ELLIPSIS);
		at += width;
		from = at;
	}
	if (from < text.n)
		buf_add(out, text.p + from, text.n - from);
}

/* ---- one line ---- */

/* False if the bytes do not fit before end. */
static bool put(struct line *line, size_t end, const char *bytes, size_t n)
{
	if (line->n > end || end - line->n < n)
		return false;
	memcpy(line->bytes + line->n, bytes, n);
	line->n += n;
	return true;
}

/*
 * The width of the printable character beyond ASCII at an index; 0 if there is none. C1 controls
 * (U+0080..U+009F) are not printable: terminals obey them.
 */
static size_t utf8_width(struct slice text, size_t at)
{
	uint32_t point;
	size_t width = utf8_decode((struct slice){text.p + at, text.n - at}, &point);

	return width > 0 && point >= 0xa0 ? width : 0;
}

/* Writes a byte so that it ends neither the value nor the line. */
static size_t escape(unsigned char c, char piece[PIECE_BYTES])
{
	const char *letter = c == '\n' ? "n" : c == '\r' ? "r" : c == '\t' ? "t" : NULL;

	piece[0] = '\\';
	if (c == '"' || c == '\\')
		piece[1] = (char)c;
	else if (letter != NULL)
		piece[1] = *letter;
	else {
		piece[1] = 'x';
		hex_write(&c, 1, piece + 2);
		return 4;
	}
	return 2;
}

/* Writes the next character or secret of the text to piece; returns the bytes it took. */
static size_t next_piece(struct slice text, size_t at, char piece[PIECE_BYTES], size_t *n)
{
	unsigned char c = (unsigned char)text.p[at];
	size_t shown;
	size_t taken = secret_width(text, at, &shown);

	if (taken != 0) {
		memcpy(piece, text.p + at, shown);
		memcpy(piece + shown, ELLIPSIS, strlen(ELLIPSIS));
		*n = shown + strlen(ELLIPSIS);
		return taken;
	}
	taken = c >= 0x80 ? utf8_width(text, at) : c >= ' ' && c != 0x7f && c != '"' && c != '\\';
	if (taken != 0) {
		memcpy(piece, text.p + at, taken);
		*n = taken;
		return taken;
	}
	*n = escape(c, piece);
	return 1;
}

static bool needs_quotes(struct slice text)
{
	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i];
		if (c <= ' ' || c >= 0x7f || c == '"' || c == '=' || c == '\\')
			return true;
	}
	return false;
}

/* How many bytes from an index on are written as they are. */
static size_t plain_width(struct slice text, size_t at)
{
	size_t end = at;

	for (; end < text.n; end++) {
		char c = text.p[end];
		if (c < ' ' || c >= 0x7f || c == '"' || c == '\\' || may_begin_secret(c))
			break;
	}
	return end - at;
}

static void put_text(struct line *line, struct slice text)
{
	size_t end = line->n + VALUE_BYTES;
	bool quotes = needs_quotes(text);

	if (end > LINE_BYTES - TAIL_BYTES)
		end = LINE_BYTES - TAIL_BYTES;
	if (quotes)
		(void)put(line, LINE_BYTES, "\"", 1);
	for (size_t at = 0; at < text.n;) {
		char piece[PIECE_BYTES];
		size_t n = plain_width(text, at);
		size_t room = line->n < end ? end - line->n : 0;
		if (n > 0 && n <= room) {
			(void)put(line, end, text.p + at, n);
			at += n;
			continue;
		}
		at += next_piece(text, at, piece, &n);
		if (!put(line, end, piece, n)) {
			(void)put(line, LINE_BYTES, ELLIPSIS, strlen(ELLIPSIS));
			break;
		}
	}
	if (quotes)
		(void)put(line, LINE_BYTES, "\"", 1);
}

/* " name="; false if the line has no room for it and some of the value. */
static bool put_name(struct line *line, const char *name)
{
	size_t n = strlen(name);

	if (line->n + n + PIECE_BYTES > LINE_BYTES - TAIL_BYTES)
		return false;
	if (line->n > 0)
		(void)put(line, LINE_BYTES, " ", 1);
	(void)put(line, LINE_BYTES, name, n);
	return put(line, LINE_BYTES, "=", 1);
}

static void put_field(struct line *line, const struct log_field *field)
{
	if (field->type == LOG_FIELD_TEXT && field->text.n == 0)
		return;
	if (!put_name(line, field->name))
		return;
	if (field->type == LOG_FIELD_TEXT) {
		put_text(line, field->text);
		return;
	}
	char digits[SLICE_INT_CHARS];
	struct slice number = slice_of_int(field->number, digits);
	(void)put(line, LINE_BYTES, number.p, number.n);
}

static void put_time(struct line *line)
{
	struct second *second = &log_state.second;
	struct timespec now;
	struct tm utc;

	if (clock_gettime(CLOCK_REALTIME, &now) != 0)
		return;
	if (second->n == 0 || second->at != now.tv_sec) {
		if (gmtime_r(&now.tv_sec, &utc) == NULL)
			return;
		second->at = now.tv_sec;
		second->n = strftime(second->text, sizeof(second->text), "time=%Y-%m-%dT%H:%M:%S.",
				     &utc);
	}
	int ms = (int)(now.tv_nsec / 1000000);
	const char fraction[] = {(char)('0' + ms / 100), (char)('0' + ms / 10 % 10),
				 (char)('0' + ms % 10), 'Z'};
	(void)put(line, LINE_BYTES, second->text, second->n);
	(void)put(line, LINE_BYTES, fraction, sizeof(fraction));
}

static void put_origin(struct line *line)
{
	struct line *origin = &log_state.origin;

	if (origin->n == 0) {
		put_field(origin, &LOG_TEXT("program", log_state.program));
		put_field(origin, &LOG_INT("pid", getpid()));
	}
	(void)put(line, LINE_BYTES, " ", 1);
	(void)put(line, LINE_BYTES, origin->bytes, origin->n);
}

/* Writes "level=… program=… pid=… event=…" with the fields. */
static void put_event(struct line *line, enum log_level level, const char *message,
		      const struct log_field *fields, size_t count)
{
	line->n = 0;
	if (log_state.target == LOG_TARGET_STDERR)
		put_time(line);
	put_field(line, &LOG_TEXT("level", level_names[level]));
	put_origin(line);
	put_field(line, &LOG_TEXT("event", message));
	for (size_t i = 0; i < count; i++)
		put_field(line, &fields[i]);
	if (log_state.target == LOG_TARGET_STDERR)
		line->bytes[line->n++] = '\n';
}

static bool deliver(const struct line *lines, enum log_level level)
{
	if (log_state.target == LOG_TARGET_SYSLOG)
		return log_syslog_send(level_priorities[level], log_state.program, lines->bytes,
				       lines->n);
	return log_stream_write(lines->bytes, lines->n);
}

static void count_lost(const struct line *lines)
{
	uint64_t lost = log_state.target == LOG_TARGET_SYSLOG;

	for (size_t i = 0; i < lines->n; i++)
		lost += lines->bytes[i] == '\n';
	log_state.lost += lost;
	stats_add(&stats_mine()->lost_log_lines, lost);
}

/* Before what is written after a gap: how large that is. */
static void tell_lost(void)
{
	struct line line;

	if (log_state.lost == 0)
		return;
	put_event(&line, LOG_LEVEL_WARNING, "log lines were lost",
		  &LOG_INT("lines", log_state.lost), 1);
	if (deliver(&line, LOG_LEVEL_WARNING))
		log_state.lost = 0;
}

static void write_lines(struct line *lines, enum log_level level)
{
	tell_lost();
	if (!deliver(lines, level))
		count_lost(lines);
	lines->n = 0;
}

void log_hold(void)
{
	log_state.holding = true;
}

void log_release(void)
{
	log_state.holding = false;
	if (log_state.held.n > 0)
		write_lines(&log_state.held, LOG_LEVEL_INFO);
}

/* Keeps the order of lines: those held go first. */
static void write_or_hold(struct line *line, enum log_level level)
{
	struct line *held = &log_state.held;

	if (held->n + line->n > LINE_BYTES || (held->n > 0 && level >= LOG_LEVEL_WARNING))
		write_lines(held, LOG_LEVEL_INFO);
	if (log_state.holding && level < LOG_LEVEL_WARNING)
		(void)put(held, LINE_BYTES, line->bytes, line->n);
	else
		write_lines(line, level);
}

void log_write(enum log_level level, const char *message, const struct log_field *fields,
	       size_t count)
{
	struct line line;

	if (level < log_state.least)
		return;
	put_event(&line, level, message, fields, count);
	if (log_state.target == LOG_TARGET_SYSLOG)
		write_lines(&line, level);
	else
		write_or_hold(&line, level);
}

void log_never_wait(void)
{
	log_stream_prepare();
}

void log_reopen(void)
{
	if (!log_stream_reopen())
		log_event(LOG_LEVEL_ERROR, "could not open the log file anew",
			  LOG_TEXT("cause", strerror(errno)));
}
