/*
 * json_text.c - checking and repairing one complete text. See json_text.h; the grammar is in
 * json_scan.c, the reader of bodies in json_reader.c.
 */
#include "json_text.h"

#include <string.h>

#include "json_scan.h"

static enum status check(struct json_scan *scan, struct slice text)
{
	size_t used;

	if (text.n > 0 && json_scan_feed(scan, text.p, text.n, &used) == JSON_SCAN_FAILED)
		return scan->status;
	enum status status = json_scan_end(scan);
	if (status != STATUS_OK || scan->problem == STATUS_OK)
		return status;
	scan->offset = scan->problem_offset;
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
		*offset = scan.offset;
	if (reason != NULL)
		*reason = scan.reason;
	if (needs_repair != NULL)
		*needs_repair = scan.needs_repair;
	json_scan_close(&scan);
	return status;
}

enum { ESCAPE_BYTES = 6 }; /* \uXXXX */

/* The code unit of the escape \uXXXX at text; -1 when there is none. The text passed the check,
 * so what begins like one is one. */
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

/* How many bytes from the backslash at text stay together; *replace when they cannot stay. */
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
	const char *kept = p; /* from here on nothing was appended yet */

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
