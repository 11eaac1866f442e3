/*
 * base/timestamp.h - timestamps as senders write them: ISO 8601, RFC 2822, Unix time.
 *
 * Knows no clock, no locale, and no time zone but the text's own.
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
 *   ...Z, ...+01:00, ...+0100, ...+01 local time of that offset; ...UTC and ...GMT too. A space
 *                                     may stand before each
 *   20240115, 20240115T103000.5Z, 20240115103000[250]
 *                                     the same without separators: a text of digits that reads
 *                                     as a date is one
 *   Mon, 15 Jan 2024 10:30:00 +0100 (CET)
 *                                     RFC 2822; without a zone UTC
 *   and what timestamp_of_number() takes
 *
 * as microseconds since 1970. Fractions of a microsecond are cut off. The leap second :60 becomes
 * the last microsecond before it, which keeps the order and the minute. False for anything else and
 * outside the years 1970 to 9999 (UTC): then *unix_us is negative for what lies before, else not.
 */
bool timestamp_read(struct slice text, int64_t *unix_us) MUST_CHECK;

/*
 * Reads a number as Unix time, whose unit follows from its digits before the point: seconds up to
 * 11 of them, milliseconds up to 14, microseconds up to 17, nanoseconds from 18 on. -0 is 0. As
 * timestamp_read().
 */
bool timestamp_of_number(struct slice text, int64_t *unix_us) MUST_CHECK;

/*
 * What people write is taken more strictly: whether a terminated text has the form of ISO 8601 with
 * a zone, or is only a date, which means midnight UTC. The numbers are not checked.
 */
bool timestamp_is_exact(const char *text, bool *only_date) MUST_CHECK;

/* Appends a timestamp within those years in ISO 8601 and UTC, as PostgreSQL writes it:
 * 2024-01-15T10:30:00.25Z, without trailing zeros of the fraction. */
void timestamp_add(struct buf *out, int64_t unix_us);

#endif
