/*
 * base/timestamp.h - a point in time as senders write it: ISO 8601, or Unix seconds or
 * milliseconds.
 *
 * Pure: text in, microseconds out. It knows no clock, no locale and no time zone but what the text
 * says.
 */
#ifndef BASE_TIMESTAMP_H
#define BASE_TIMESTAMP_H

#include <stdint.h>

#include "base/buf.h"

/*
 * Reads the whole text as one of
 *
 *   2024-01-15                        midnight UTC
 *   2024-01-15T10:30[:00[.123456]]    UTC; a space may stand for the T, a comma for the point
 *   ...Z, ...+01:00, ...+0100, ...+01 local time of that offset
 *   1705314600, 1705314600.25, 1.7e9  Unix time in seconds: up to 11 digits before the point
 *   1705314600000                     Unix time in milliseconds: 12 digits and more
 *
 * What is finer than a microsecond is cut off. The leap second :60 is taken for the last
 * microsecond of the second before, so that it keeps its place and its minute. False for anything
 * else and outside the years 1970 to 9999 (UTC).
 */
bool timestamp_read(struct slice text, int64_t *unix_us) MUST_CHECK;

/* Appends a timestamp that timestamp_read may have read as ISO 8601 in UTC, as PostgreSQL writes
 * it: 2024-01-15T10:30:00.25Z, without a fraction that is zero. */
void timestamp_add(struct buf *out, int64_t unix_us);

#endif
