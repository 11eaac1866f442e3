/*
 * json_walk.c - from one member of an object to the next. See json_walk.h.
 */
#include "json_walk.h"

enum { OBJECT_LEVEL = 1, LIMIT = 1 << 30 };

void json_walk_open(struct json_walk *walk, struct slice object)
{
	*walk = (struct json_walk){.text = object};
	json_scan_open(&walk->scan, LIMIT, LIMIT, LIMIT);
	walk->scan.watched = OBJECT_LEVEL + 1;
}

bool json_walk_next(struct json_walk *walk)
{
	const char *name = NULL, *value = NULL;

	while (walk->at < walk->text.n) {
		size_t used;
		enum json_scan_event event = json_scan_feed(&walk->scan, walk->text.p + walk->at,
							    walk->text.n - walk->at, &used);
		walk->at += used;
		const char *p = walk->text.p + walk->at;
		if (event == JSON_SCAN_FAILED || event == JSON_SCAN_MORE)
			return false;
		if (event == JSON_SCAN_KEY)
			name = p;
		else if (event == JSON_SCAN_KEY_END && name != NULL)
			walk->name = (struct slice){name, (size_t)(p - name)};
		else if (event == JSON_SCAN_VALUE && name != NULL)
			value = p;
		else if (event == JSON_SCAN_VALUE_END && value != NULL) {
			walk->value = (struct slice){value, (size_t)(p - value)};
			walk->member = (struct slice){name, (size_t)(p - name)};
			return true;
		}
	}
	return false;
}

void json_walk_close(struct json_walk *walk)
{
	json_scan_close(&walk->scan);
}
