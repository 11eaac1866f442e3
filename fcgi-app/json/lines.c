/*
 * json/lines.c - see json/lines.h.
 */
#include "json/lines.h"

#include "json/scan.h"

enum { LIMIT = 1 << 30 }; /* the reader knows the limits */

/* One object and nothing else but blanks. */
static bool is_object(struct slice line)
{
	struct json_scan scan;
	size_t used;

	json_scan_open(&scan, LIMIT, LIMIT, LIMIT);
	bool whole = json_scan_feed(&scan, line.p, line.n, &used) != JSON_SCAN_FAILED &&
		     json_scan_end(&scan) == STATUS_OK;
	json_scan_close(&scan);
	return whole;
}

static struct slice skip_blanks(struct slice text)
{
	while (text.n > 0 && slice_is_blank(*text.p))
		text = (struct slice){text.p + 1, text.n - 1};
	return text;
}

enum json_lines json_lines_begin(struct slice text)
{
	static const struct slice mark = {"\xef\xbb\xbf", 3};

	if (slice_starts(text, mark))
		text = (struct slice){text.p + mark.n, text.n - mark.n};
	text = skip_blanks(text);
	if (text.n == 0 || slice_starts(mark, text))
		return JSON_LINES_OPEN;
	if (*text.p != '{')
		return JSON_LINES_NO;
	const char *feed = memchr(text.p, '\n', text.n);
	if (feed == NULL)
		return JSON_LINES_OPEN;
	struct slice line = {text.p, (size_t)(feed - text.p)};
	struct slice rest = skip_blanks((struct slice){feed, text.n - line.n});
	if (rest.n > 0 && *rest.p != '{')
		return JSON_LINES_NO;
	if (!is_object(line))
		return JSON_LINES_NO;
	return rest.n == 0 ? JSON_LINES_OPEN : JSON_LINES_YES;
}
