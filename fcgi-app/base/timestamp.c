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
	int number = 0;

	if (cursor->end - cursor->p < n)
		return false;
	const char *p = cursor->p;
	for (const char *end = p + n; p < end; p++) {
		if (!ascii_is_digit(*p))
			return false;
		number = number * 10 + *p - '0';
	}
	cursor->p = p;
	*value = number;
	return number >= min && number <= max;
}

static bool finish(int64_t us, int64_t *unix_us)
{
	*unix_us = us;
	return us >= 0 && us < END_US;
}

/* ---- parts ---- */

static bool next_is_digit(const struct cursor *cursor)
{
	return cursor->p < cursor->end && ascii_is_digit(*cursor->p);
}

/* Takes blanks, if any. */
static void skip_blanks(struct cursor *cursor)
{
	while (cursor->p < cursor->end && slice_is_blank(*cursor->p))
		cursor->p++;
}

/* Takes a word of ASCII letters, whatever their case. */
static bool take_word(struct cursor *cursor, const char *word)
{
	size_t n = strlen(word);

	if ((size_t)(cursor->end - cursor->p) < n ||
	    !slice_equal_nocase((struct slice){cursor->p, n}, (struct slice){word, n}))
		return false;
	cursor->p += n;
	return true;
}

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

/* Days since 1970 of a date whose month is one; false when the month has no such day. */
static inline bool date_days(int year, int month, int day, int64_t *days)
{
	static const int before[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365};
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
	const char *p = cursor->p, *first = p;
	int64_t unit = SECOND_US / 10, fraction_us = 0;

	for (; p < cursor->end && ascii_is_digit(*p); p++, unit /= 10)
		fraction_us += unit * (*p - '0');
	cursor->p = p;
	*us = fraction_us;
	return p > first;
}

static int64_t time_us(int hour, int minute, int second, int64_t fraction_us)
{
	if (second == 60) {
		second = 59;
		fraction_us = SECOND_US - 1;
	}
	return (hour * 3600 + minute * 60 + second) * SECOND_US + fraction_us;
}

/* hh:mm[:ss[.f]] */
static inline bool take_time(struct cursor *cursor, int64_t *us)
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
	*us = time_us(hour, minute, second, fraction_us);
	return true;
}

/* hhmm[ss[.f]], and hhmmssSSS as it follows a date of digits alone */
static bool take_basic_time(struct cursor *cursor, int64_t *us)
{
	int hour, minute, second = 0, milliseconds = 0;
	int64_t fraction_us = 0;

	if (!take_number(cursor, 2, 0, 23, &hour) || !take_number(cursor, 2, 0, 59, &minute))
		return false;
	if (next_is_digit(cursor)) {
		if (!take_number(cursor, 2, 0, 60, &second))
			return false;
		if (take(cursor, ".,") && !take_fraction(cursor, &fraction_us))
			return false;
		if (next_is_digit(cursor) && !take_number(cursor, 3, 0, 999, &milliseconds))
			return false;
	}
	*us = time_us(hour, minute, second, fraction_us + milliseconds * (SECOND_US / 1000));
	return true;
}

/* ±hh[[:]mm] */
static bool take_offset(struct cursor *cursor, int64_t *offset_us)
{
	int hours, minutes = 0;
	char sign = take(cursor, "+-");

	if (sign == '\0' || !take_number(cursor, 2, 0, 23, &hours))
		return false;
	bool colon = take(cursor, ":") != '\0';
	if ((colon || next_is_digit(cursor)) && !take_number(cursor, 2, 0, 59, &minutes))
		return false;
	*offset_us = (hours * 3600 + minutes * 60) * (sign == '-' ? -SECOND_US : SECOND_US);
	return true;
}

/* ---- ISO 8601 ---- */

/* No zone is UTC. */
static bool take_zone(struct cursor *cursor, int64_t *offset_us)
{
	*offset_us = 0;
	if (cursor->p == cursor->end)
		return true;
	(void)take(cursor, " ");
	return take(cursor, "Zz") || take_word(cursor, "UTC") || take_word(cursor, "GMT") ||
	       take_offset(cursor, offset_us);
}

static bool read_iso(struct cursor cursor, int64_t *unix_us)
{
	int year, month, day;
	int64_t days, at_us = 0, offset_us = 0;

	if (!take_number(&cursor, 4, 1, 9999, &year))
		return false;
	bool extended = take(&cursor, "-") != '\0';
	if (!take_number(&cursor, 2, 1, 12, &month) || (extended && !take(&cursor, "-")) ||
	    !take_number(&cursor, 2, 1, 31, &day) || !date_days(year, month, day, &days))
		return false;
	if (cursor.p < cursor.end) {
		bool separated = take(&cursor, "Tt ") != '\0';
		bool basic = cursor.end - cursor.p > 2 && cursor.p[2] != ':';
		if ((!separated && extended) ||
		    !(basic ? take_basic_time(&cursor, &at_us) : take_time(&cursor, &at_us)) ||
		    !take_zone(&cursor, &offset_us))
			return false;
	}
	return cursor.p == cursor.end &&
	       finish(days * 86400 * SECOND_US + at_us - offset_us, unix_us);
}

/* ---- RFC 2822 ---- */

/* The index of the word that is next. */
static bool take_one_of(struct cursor *cursor, const char *const *words, int count, int *index)
{
	for (int i = 0; i < count; i++) {
		if (take_word(cursor, words[i])) {
			*index = i;
			return true;
		}
	}
	return false;
}

/* "Fri, ", which may be missing. */
static bool take_weekday(struct cursor *cursor)
{
	static const char *const days[] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
	int day;

	if (!take_one_of(cursor, days, ARRAY_LENGTH(days), &day))
		return true;
	bool comma = take(cursor, ",") != '\0';
	skip_blanks(cursor);
	return comma;
}

/* "14 Nov 2026 " */
static bool take_mail_date(struct cursor *cursor, int64_t *days)
{
	static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
					     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	bool two = cursor->end - cursor->p > 1 && ascii_is_digit(cursor->p[1]);
	int year, month, day;

	if (!take_number(cursor, two ? 2 : 1, 1, 31, &day) || !take(cursor, " -"))
		return false;
	skip_blanks(cursor);
	if (!take_one_of(cursor, months, ARRAY_LENGTH(months), &month) || !take(cursor, " -"))
		return false;
	skip_blanks(cursor);
	if (!take_number(cursor, 4, 1, 9999, &year) || !take(cursor, " "))
		return false;
	skip_blanks(cursor);
	return date_days(year, month + 1, day, days);
}

/* The zones that RFC 2822 names; no other name tells an offset. */
static bool take_mail_zone(struct cursor *cursor, int64_t *offset_us)
{
	static const char *const names[] = {"UTC", "GMT", "UT",	 "EST", "EDT", "CST",
					    "CDT", "MST", "MDT", "PST", "PDT", "Z"};
	static const int hours[] = {0, 0, 0, -5, -4, -6, -5, -7, -6, -8, -7, 0};
	int zone;

	*offset_us = 0;
	skip_blanks(cursor);
	if (cursor->p == cursor->end)
		return true;
	if (!take_one_of(cursor, names, ARRAY_LENGTH(names), &zone))
		return take_offset(cursor, offset_us);
	*offset_us = hours[zone] * 3600 * SECOND_US;
	return true;
}

/* "(CET)", which says in words what the offset has said */
static bool take_comment(struct cursor *cursor)
{
	skip_blanks(cursor);
	if (!take(cursor, "("))
		return true;
	while (cursor->p < cursor->end && *cursor->p != ')')
		cursor->p++;
	return take(cursor, ")") != '\0';
}

static bool read_mail(struct cursor cursor, int64_t *unix_us)
{
	int64_t days, at_us = 0, offset_us = 0;

	return take_weekday(&cursor) && take_mail_date(&cursor, &days) &&
	       take_time(&cursor, &at_us) && take_mail_zone(&cursor, &offset_us) &&
	       take_comment(&cursor) && cursor.p == cursor.end &&
	       finish(days * 86400 * SECOND_US + at_us - offset_us, unix_us);
}

/* ---- Unix time ---- */

/* Powers of ten from the number's unit to the microsecond, by its digits before the point. */
static int64_t shift_of(int64_t point)
{
	return point <= 11 ? 6 : point <= 14 ? 3 : point <= 17 ? 0 : -3;
}

static bool read_number(struct slice text, int64_t *unix_us)
{
	struct decimal decimal;
	int64_t us = 0;

	if (!decimal_read(text, &decimal))
		return false;
	if (decimal.count == 0) /* zero, whatever its exponent */
		return finish(0, unix_us);
	int64_t wanted = decimal.point + shift_of(decimal.point);
	if (wanted > 18)
		return false;
	for (int64_t i = 0; i < wanted; i++)
		us = us * 10 + (i < decimal.count ? decimal.digits[i] - '0' : 0);
	return finish(decimal.negative ? -us : us, unix_us);
}

bool timestamp_of_number(struct slice text, int64_t *unix_us)
{
	*unix_us = 0;
	return read_number(text, unix_us);
}

bool timestamp_read(struct slice text, int64_t *unix_us)
{
	*unix_us = 0;
	if (text.n == 0)
		return false;
	struct cursor cursor = {text.p, text.p + text.n};
	return read_iso(cursor, unix_us) || read_number(text, unix_us) ||
	       read_mail(cursor, unix_us);
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

/* ---- exact timestamps ---- */

/* Steps over text of the pattern, in which d is a digit; false leaves *p where it was. */
static bool skip(const char **p, const char *pattern)
{
	const char *text = *p;

	for (; *pattern != '\0'; pattern++, text++) {
		if (*pattern == 'd' ? !ascii_is_digit(*text) : *text != *pattern)
			return false;
	}
	*p = text;
	return true;
}

bool timestamp_is_exact(const char *text, bool *only_date)
{
	const char *p = text;

	if (!skip(&p, "dddd-dd-dd"))
		return false;
	*only_date = *p == '\0';
	if (*only_date)
		return true;
	if (!(skip(&p, "T") || skip(&p, " ")) || !skip(&p, "dd:dd"))
		return false;
	if (skip(&p, ":dd") && skip(&p, ".d")) {
		while (ascii_is_digit(*p))
			p++;
	}
	if (!skip(&p, "Z") && (*p == '+' || *p == '-')) {
		p++;
		if (!skip(&p, "dd:dd") && !skip(&p, "dddd") && !skip(&p, "dd"))
			return false;
	} else if (p[-1] != 'Z') {
		return false;
	}
	return *p == '\0';
}
