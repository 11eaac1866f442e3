/*
 * base/timestamp.c - see base/timestamp.h.
 */
#include "base/timestamp.h"

#include <time.h>

#include "base/ascii.h"
#include "base/decimal.h"

#define SECOND_US INT64_C(1000000)
#define END_US	  (INT64_C(253402300800) * SECOND_US) /* 10000-01-01 */

struct cursor {
	const char *p;
	const char *end;
};

/* Takes the next character if it is one of these; '\0' if not. */
static char take(struct cursor *cursor, const char *these)
{
	for (; cursor->p < cursor->end && *these != '\0'; these++) {
		if (*cursor->p == *these) {
			cursor->p++;
			return *these;
		}
	}
	return '\0';
}

/* Takes exactly n digits: a number from min to max. */
static bool take_number(struct cursor *cursor, int n, int min, int max, int *value)
{
	*value = 0;
	for (int i = 0; i < n; i++, cursor->p++) {
		if (cursor->p == cursor->end || !ascii_is_digit(*cursor->p))
			return false;
		*value = *value * 10 + *cursor->p - '0';
	}
	return *value >= min && *value <= max;
}

static bool finish(int64_t us, int64_t *unix_us)
{
	*unix_us = us;
	return us >= 0 && us < END_US;
}

/* ---- ISO 8601 ---- */

static bool is_leap(int year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

/* Days from 0001-01-01 to the first day of a year. */
static int64_t days_before(int year)
{
	int64_t past = year - 1;

	return past * 365 + past / 4 - past / 100 + past / 400;
}

static bool take_date(struct cursor *cursor, int64_t *days)
{
	static const int before[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365};
	int year, month, day;

	if (!take_number(cursor, 4, 1, 9999, &year) || !take(cursor, "-") ||
	    !take_number(cursor, 2, 1, 12, &month) || !take(cursor, "-") ||
	    !take_number(cursor, 2, 1, 31, &day))
		return false;
	bool leap = is_leap(year);
	if (day > before[month] - before[month - 1] + (leap && month == 2))
		return false;
	*days = days_before(year) - days_before(1970) + before[month - 1] + (leap && month > 2) +
		day - 1;
	return true;
}

/* Takes one or more digits; ignores those beyond the microsecond. */
static bool take_fraction(struct cursor *cursor, int64_t *us)
{
	int64_t unit = SECOND_US / 10;

	if (cursor->p == cursor->end || !ascii_is_digit(*cursor->p))
		return false;
	for (; cursor->p < cursor->end && ascii_is_digit(*cursor->p); cursor->p++, unit /= 10)
		*us += unit * (*cursor->p - '0');
	return true;
}

static bool take_time(struct cursor *cursor, int64_t *us)
{
	int hour, minute, second = 0;
	int64_t fraction_us = 0;

	if (!take_number(cursor, 2, 0, 23, &hour) || !take(cursor, ":") ||
	    !take_number(cursor, 2, 0, 59, &minute))
		return false;
	if (take(cursor, ":")) {
		if (!take_number(cursor, 2, 0, 60, &second))
			return false;
		if (take(cursor, ".,") && !take_fraction(cursor, &fraction_us))
			return false;
	}
	if (second == 60) {
		second = 59;
		fraction_us = SECOND_US - 1;
	}
	*us = (hour * 3600 + minute * 60 + second) * SECOND_US + fraction_us;
	return true;
}

static bool take_zone(struct cursor *cursor, int64_t *offset_us)
{
	int hours, minutes = 0;

	*offset_us = 0;
	if (take(cursor, "Zz"))
		return true;
	char sign = take(cursor, "+-");
	if (sign == '\0')
		return true;
	if (!take_number(cursor, 2, 0, 23, &hours))
		return false;
	bool colon = take(cursor, ":") != '\0';
	if ((colon || cursor->p < cursor->end) && !take_number(cursor, 2, 0, 59, &minutes))
		return false;
	*offset_us = (hours * 3600 + minutes * 60) * (sign == '-' ? -SECOND_US : SECOND_US);
	return true;
}

static bool read_iso(struct cursor cursor, int64_t *unix_us)
{
	int64_t days, time_us = 0, offset_us = 0;

	if (!take_date(&cursor, &days))
		return false;
	if (take(&cursor, "Tt ") &&
	    (!take_time(&cursor, &time_us) || !take_zone(&cursor, &offset_us)))
		return false;
	return cursor.p == cursor.end &&
	       finish(days * 86400 * SECOND_US + time_us - offset_us, unix_us);
}

/* ---- Unix time ---- */

static bool read_unix(struct slice text, int64_t *unix_us)
{
	struct decimal decimal;
	int64_t us = 0;

	if (!decimal_read(text, &decimal) || decimal.negative)
		return false;
	if (decimal.count == 0) /* zero, whatever its exponent */
		return finish(0, unix_us);
	int64_t wanted = decimal.point + (decimal.point <= 11 ? 6 : 3);
	if (wanted > 18)
		return false;
	for (int64_t i = 0; i < wanted; i++)
		us = us * 10 + (i < decimal.count ? decimal.digits[i] - '0' : 0);
	return finish(us, unix_us);
}

bool timestamp_read(struct slice text, int64_t *unix_us)
{
	if (text.n == 0)
		return false;
	struct cursor cursor = {text.p, text.p + text.n};
	return read_iso(cursor, unix_us) || read_unix(text, unix_us);
}

void timestamp_add(struct buf *out, int64_t unix_us)
{
	time_t seconds = (time_t)(unix_us / SECOND_US);
	int64_t fraction_us = unix_us % SECOND_US;
	struct tm tm;

	if (gmtime_r(&seconds, &tm) == NULL)
		return; /* not within the years that are read */
	buf_add_format(out, "%04d-%02d-%02dT%02d:%02d:%02d", tm.tm_year + 1900, tm.tm_mon + 1,
		       tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
	if (fraction_us > 0)
		buf_add_char(out, '.');
	for (int64_t unit = SECOND_US / 10; fraction_us > 0; unit /= 10) {
		buf_add_char(out, (char)('0' + fraction_us / unit));
		fraction_us %= unit;
	}
	buf_add_char(out, 'Z');
}
