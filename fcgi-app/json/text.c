/*
 * json/text.c - see json/text.h. The grammar is in json/scan.
 */
#include "json/text.h"

#include <string.h>

#include "base/ascii.h"
#include "json/scan.h"

static enum status check(struct json_scan *scan, struct slice text)
{
	size_t used;

	if (text.n > 0 && json_scan_feed(scan, text.p, text.n, &used) == JSON_SCAN_FAILED)
		return scan->status;
	enum status status = json_scan_end(scan);
	if (status != STATUS_OK || scan->problem == STATUS_OK)
		return status;
	scan->bad_offset = scan->problem_offset;
	scan->reason = scan->problem_reason;
	return scan->problem;
}

enum status json_text_check(struct slice text, const struct json_limits *limits, uint64_t *offset,
			    const char **reason, bool *needs_repair)
{
	struct json_scan scan;

	json_scan_open(&scan, limits->depth, limits->number_digits, limits->number_exponent);
	enum status status = check(&scan, text);
	if (offset != NULL)
		*offset = status == STATUS_OK ? text.n : scan.bad_offset;
	if (reason != NULL)
		*reason = scan.reason;
	if (needs_repair != NULL)
		*needs_repair = scan.needs_repair;
	json_scan_close(&scan);
	return status;
}

enum { ESCAPE_BYTES = 6 }; /* \uXXXX */

/* The code unit of the escape \uXXXX that the text begins with; -1 if there is none. The text is
 * checked, so what begins like one is one. */
static int unit_at(struct slice text)
{
	int unit = 0;

	if (text.n < ESCAPE_BYTES || text.p[0] != '\\' || text.p[1] != 'u')
		return -1;
	for (size_t i = 2; i < ESCAPE_BYTES; i++) {
		char c = text.p[i];
		unit = unit * 16 + (c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
	}
	return unit;
}

static bool is_low(int unit)
{
	return unit >= 0xdc00 && unit <= 0xdfff;
}

/* The length of the escape that the text begins with, a surrogate pair being one; *replace if jsonb
 * cannot hold it. */
static size_t escape_length(struct slice text, bool *replace)
{
	int unit = unit_at(text);

	*replace = false;
	if (unit < 0)
		return 2;
	if (unit >= 0xd800 && unit <= 0xdbff) {
		struct slice rest = {text.p + ESCAPE_BYTES, text.n - ESCAPE_BYTES};
		if (is_low(unit_at(rest)))
			return (size_t)2 * ESCAPE_BYTES;
		*replace = true;
	}
	if (unit == 0 || is_low(unit))
		*replace = true;
	return ESCAPE_BYTES;
}

void json_text_repair(struct slice text, struct buf *out)
{
	const char *p = text.p;
	const char *end = text.p + text.n;
	const char *kept = p; /* not appended from here on */

	while (p < end && (p = memchr(p, '\\', (size_t)(end - p))) != NULL) {
		bool replace;
		size_t n = escape_length((struct slice){p, (size_t)(end - p)}, &replace);
		if (replace) {
			buf_add(out, kept, (size_t)(p - kept));
			buf_add_text(out, "\xef\xbf\xbd");
			kept = p + n;
		}
		p += n;
	}
	buf_add(out, kept, (size_t)(end - kept));
}

/* A buffer in an arena for what is at most as long as the text: it never grows. */
static struct buf buf_in(struct arena *arena, struct slice text)
{
	char *room = arena_alloc(arena, text.n + 1);

	return (struct buf){.p = room,
			    .size = text.n + 1,
			    .cap = text.n,
			    .status = room == NULL ? STATUS_NO_MEMORY : STATUS_OK};
}

enum status json_text_repaired(struct arena *arena, struct slice text, struct slice *out)
{
	struct buf repaired = buf_in(arena, text);

	json_text_repair(text, &repaired);
	*out = buf_slice(&repaired);
	return repaired.status;
}

/* ---- strings ---- */

static void add_utf8(struct buf *out, unsigned point)
{
	if (point < 0x80) {
		buf_add_char(out, (char)point);
		return;
	}
	if (point < 0x800) {
		buf_add_char(out, (char)(0xc0 | point >> 6));
	} else if (point < 0x10000) {
		buf_add_char(out, (char)(0xe0 | point >> 12));
		buf_add_char(out, (char)(0x80 | (point >> 6 & 0x3f)));
	} else {
		buf_add_char(out, (char)(0xf0 | point >> 18));
		buf_add_char(out, (char)(0x80 | (point >> 12 & 0x3f)));
		buf_add_char(out, (char)(0x80 | (point >> 6 & 0x3f)));
	}
	buf_add_char(out, (char)(0x80 | (point & 0x3f)));
}

/* The code point of the escape of this length that the text begins with. */
static unsigned escaped(struct slice text, size_t n)
{
	static const char letters[] = "bfnrt", meant[] = "\b\f\n\r\t";
	int unit = unit_at(text);

	if (n > ESCAPE_BYTES) {
		int low = unit_at((struct slice){text.p + ESCAPE_BYTES, ESCAPE_BYTES});
		return 0x10000u + ((unsigned)(unit - 0xd800) << 10) + (unsigned)(low - 0xdc00);
	}
	if (unit >= 0)
		return (unsigned)unit;
	const char *letter = strchr(letters, text.p[1]);
	return (unsigned char)(letter == NULL ? text.p[1] : meant[letter - letters]);
}

static void add_meant(struct slice text, struct buf *out)
{
	const char *end = text.p + text.n;

	while (text.p < end) {
		const char *p = memchr(text.p, '\\', (size_t)(end - text.p));
		bool replace;
		if (p == NULL)
			p = end;
		buf_add(out, text.p, (size_t)(p - text.p));
		if (p == end)
			break;
		struct slice rest = {p, (size_t)(end - p)};
		size_t n = escape_length(rest, &replace);
		add_utf8(out, replace ? 0xfffd : escaped(rest, n));
		text.p = p + n;
	}
}

enum status json_text_string(struct arena *arena, struct slice value, struct slice *out)
{
	*out = (struct slice){value.p + 1, value.n - 2};
	if (out->n == 0 || memchr(out->p, '\\', out->n) == NULL)
		return STATUS_OK;
	struct buf meant = buf_in(arena, *out);
	add_meant(*out, &meant);
	*out = buf_slice(&meant);
	return meant.status;
}

bool json_text_is_number(struct slice value)
{
	return *value.p == '-' || ascii_is_digit(*value.p);
}

enum status json_text_scalar(struct arena *arena, struct slice value, size_t most,
			     struct slice *out)
{
	enum status status = STATUS_OK;

	*out = SLICE_ABSENT;
	/* Too long even if it were all escapes: not decoded. */
	if (*value.p == '"' && (value.n - 2) / ESCAPE_BYTES <= most)
		status = json_text_string(arena, value, out);
	else if (*value.p == 't' || *value.p == 'f' || json_text_is_number(value))
		*out = value;
	if (out->n > most)
		*out = SLICE_ABSENT;
	return status;
}

bool json_text_is_name(struct slice value, struct slice name)
{
	if (value.n < 2 || *value.p != '"')
		return false;
	struct slice rest = {value.p + 1, value.n - 2};
	for (size_t i = 0; i < name.n; i++) {
		int unit = unit_at(rest);
		size_t n = unit < 0 ? 1 : ESCAPE_BYTES;
		if (rest.n == 0 || (unit < 0 ? *rest.p : unit) != name.p[i])
			return false;
		rest = (struct slice){rest.p + n, rest.n - n};
	}
	return rest.n == 0;
}
