/*
 * json/walk.c - see json/walk.h.
 *
 * Watches one level at a time: that of the values it visits.
 */
#include "json/walk.h"

enum { LIMIT = 1 << 30 }; /* limits were checked before */

static enum json_scan_event feed(struct json_walk *walk)
{
	size_t used;
	enum json_scan_event event = json_scan_feed(&walk->scan, walk->text.p + walk->at,
						    walk->text.n - walk->at, &used);

	walk->at += used;
	return event;
}

void json_walk_open(struct json_walk *walk, struct slice text)
{
	walk->text = text;
	walk->at = 0;
	walk->in_value = false;
	json_scan_open(&walk->scan, LIMIT, LIMIT, LIMIT);
	walk->scan.watched = 1;
	if (json_walk_begin(walk))
		(void)json_walk_enter(walk);
}

struct slice json_walk_since(const struct json_walk *walk, const char *start)
{
	return (struct slice){start, (size_t)(walk->text.p + walk->at - start)};
}

bool json_walk_begin(struct json_walk *walk)
{
	if (walk->in_value && !json_walk_end(walk))
		return false;
	walk->name = SLICE_ABSENT;
	for (;;) {
		enum json_scan_event event = feed(walk);
		const char *p = walk->text.p + walk->at;
		switch (event) {
		case JSON_SCAN_KEY:
			walk->name.p = p;
			break;
		case JSON_SCAN_KEY_END:
			walk->name = json_walk_since(walk, walk->name.p);
			break;
		case JSON_SCAN_VALUE:
			walk->value = (struct slice){p, 0};
			walk->in_value = true;
			return true;
		case JSON_SCAN_VALUE_END:
			walk->scan.watched = walk->scan.level + 1;
			return false;
		case JSON_SCAN_MORE:
		case JSON_SCAN_FAILED:
			return false;
		}
	}
}

bool json_walk_end(struct json_walk *walk)
{
	walk->in_value = false;
	if (feed(walk) != JSON_SCAN_VALUE_END)
		return false;
	walk->value = json_walk_since(walk, walk->value.p);
	walk->member = walk->name.p == NULL ? walk->value : json_walk_since(walk, walk->name.p);
	return true;
}

bool json_walk_enter(struct json_walk *walk)
{
	if (*walk->value.p != '{' && *walk->value.p != '[')
		return false;
	walk->scan.watched = walk->scan.level + 2;
	walk->in_value = false;
	return true;
}

bool json_walk_next(struct json_walk *walk)
{
	return json_walk_begin(walk) && json_walk_end(walk);
}

enum status json_walk_finish(struct json_walk *walk)
{
	walk->scan.watched = 0;
	(void)feed(walk);
	return json_scan_end(&walk->scan);
}

void json_walk_close(struct json_walk *walk)
{
	json_scan_close(&walk->scan);
}
