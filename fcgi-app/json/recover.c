/*
 * json/recover.c - see json/recover.h.
 */
#include "json/recover.h"

#include "json/scan_internal.h"
#include "json/skip_internal.h"

bool json_recover_begin(struct json_recover *recover, struct json_scan *scan)
{
	enum json_scan_state state = scan->failed_in;

	*recover = (struct json_recover){
		.scan = scan,
		.in_string = state >= JSON_SCAN_IN_STRING && state <= JSON_SCAN_AFTER_HIGH_SLASH,
		.escaped = state == JSON_SCAN_IN_ESCAPE || state == JSON_SCAN_AFTER_HIGH_SLASH,
	};
	return scan->status == STATUS_MALFORMED_JSON;
}

static bool is_outside(const struct json_recover *recover)
{
	return recover->scan->level == recover->scan->base;
}

static const unsigned char *skip_string(struct json_recover *recover, const unsigned char *p,
					const unsigned char *end)
{
	if (!recover->escaped)
		p = skip_plain(p, end);
	if (p == end)
		return p;
	if (recover->escaped)
		recover->escaped = false;
	else if (*p == '\\')
		recover->escaped = true;
	else if (*p == '"')
		recover->in_string = false;
	return p + 1;
}

static enum json_scan_event open_container(struct json_scan *scan, bool object)
{
	if (scan->level == JSON_SCAN_MOST_LEVELS)
		return JSON_SCAN_FAILED;
	if (scan->level == json_scan_stack_levels(scan) && !json_scan_stack_grow(scan)) {
		scan->status = STATUS_NO_MEMORY;
		return JSON_SCAN_FAILED;
	}
	json_scan_push(scan, object);
	return JSON_SCAN_MORE;
}

/* A byte outside of strings. MORE, VALUE_END (before or behind it, see *p) or FAILED. */
static enum json_scan_event take(struct json_recover *recover, const unsigned char **p)
{
	struct json_scan *scan = recover->scan;
	unsigned char c = **p;

	if (is_outside(recover) && (c == ',' || c == ']'))
		return JSON_SCAN_VALUE_END;
	++*p;
	switch (c) {
	case '"':
		recover->in_string = true;
		return JSON_SCAN_MORE;
	case '{':
	case '[':
		return open_container(scan, c == '{');
	case '}':
	case ']':
		if (is_outside(recover) || scan->in_object != (c == '}'))
			return JSON_SCAN_FAILED;
		json_scan_pop(scan);
		return is_outside(recover) ? JSON_SCAN_VALUE_END : JSON_SCAN_MORE;
	default:
		return JSON_SCAN_MORE;
	}
}

enum json_scan_event json_recover_feed(struct json_recover *recover, const char *bytes, size_t n,
				       size_t *used)
{
	const unsigned char *first = (const unsigned char *)bytes, *p = first, *end = first + n;
	struct json_scan *scan = recover->scan;
	enum json_scan_event event = JSON_SCAN_MORE;

	while (p < end && event == JSON_SCAN_MORE) {
		if (recover->in_string)
			p = skip_string(recover, p, end);
		else
			event = take(recover, &p);
	}
	*used = (size_t)(p - first);
	scan->offset += *used;
	if (event == JSON_SCAN_VALUE_END) {
		scan->status = STATUS_OK;
		scan->reason = "";
		scan->utf8_left = 0;
		scan->state = JSON_SCAN_AFTER_VALUE;
	}
	return event;
}
