/*
 * json/recover.h - finds the end of a value whose grammar is broken, so that the text goes on
 * behind it: a bad token (NaN, a raw control character, bytes that are not UTF-8) spoils one item
 * of an array, not its neighbours.
 *
 * Only brackets and quotes count. Where they do not match, nothing is clear: neither is the end of
 * the value.
 */
#ifndef JSON_RECOVER_H
#define JSON_RECOVER_H

#include "json/scan.h"

struct json_recover {
	struct json_scan *scan;
	bool in_string;
	bool escaped; /* the next byte follows a backslash */
};

/*
 * Begins where scan has failed within an element of an array, the value since json_scan_item().
 * False if it has failed for another reason than the grammar, or at the first byte of the value
 * where there is none.
 */
bool json_recover_begin(struct json_recover *recover, struct json_scan *scan);

/*
 * Consumes input up to the end of the value. JSON_SCAN_VALUE_END: it has ended before the next
 * byte, and json_scan_feed() goes on there. JSON_SCAN_MORE: all bytes were used. JSON_SCAN_FAILED:
 * the brackets do not match, or memory ran out (then scan->status says so).
 */
enum json_scan_event json_recover_feed(struct json_recover *recover, const char *bytes, size_t n,
				       size_t *used) MUST_CHECK;

#endif
