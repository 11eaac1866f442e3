/*
 * json/lines.h - tells NDJSON by its first line, where no label says so.
 */
#ifndef JSON_LINES_H
#define JSON_LINES_H

#include "base/slice.h"

enum json_lines {
	JSON_LINES_NO,
	JSON_LINES_YES, /* the first line is a whole object, and another begins behind it */
	JSON_LINES_OPEN /* the text is too short to tell: if it goes on, it may be */
};

/* Judges the beginning of a body. */
enum json_lines json_lines_begin(struct slice text);

#endif
