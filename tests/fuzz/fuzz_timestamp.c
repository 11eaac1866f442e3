/*
 * fuzz_timestamp.c - timestamps: what is read lies within the years, the C library agrees about the
 * date, and written out again, as ISO 8601 and RFC 2822, it is read as the same.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/timestamp.h"
#include "fuzz.h"

#define SECOND_US INT64_C(1000000)
#define END_US	  (INT64_C(253402300800) * SECOND_US)

enum { ISO_BYTES = 64, DATE_CHARS = 10, TIME_CHARS = 19, MOST_DIGITS = 17 };

/* "2024-01-15T10:30:00.000000Z" */
static struct slice format(int64_t us, char room[ISO_BYTES])
{
	time_t seconds = (time_t)(us / SECOND_US);
	struct tm tm;

	CHECK(gmtime_r(&seconds, &tm) != NULL);
	size_t n = strftime(room, ISO_BYTES, "%Y-%m-%dT%H:%M:%S", &tm);
	int more = snprintf(room + n, ISO_BYTES - n, ".%06dZ", (int)(us % SECOND_US));
	CHECK(n == TIME_CHARS && more == 8);
	return (struct slice){room, n + (size_t)more};
}

static void check_date(struct slice text, struct slice iso)
{
	if (text.n < DATE_CHARS || text.p[4] != '-' || text.p[7] != '-')
		return;
	if (text.n == DATE_CHARS) {
		CHECK(memcmp(text.p, iso.p, DATE_CHARS) == 0);
		CHECK(memcmp(iso.p + DATE_CHARS, "T00:00:00.000000Z", 17) == 0);
	} else if ((text.p[text.n - 1] | 0x20) == 'z' && text.n > 13 && text.p[13] == ':') {
		CHECK(memcmp(text.p, iso.p, DATE_CHARS) == 0);
		CHECK(memcmp(text.p + 11, iso.p + 11, 5) == 0); /* hours and minutes */
	}
}

static void check_unix(struct slice text)
{
	int64_t number = 0, us;
	size_t digits = 0;

	if (!timestamp_of_number(text, &us))
		return;
	CHECK(us >= 0 && us < END_US);
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] < '0' || text.p[i] > '9' || ++digits > MOST_DIGITS)
			return;
		number = number * 10 + text.p[i] - '0';
	}
	if (text.p[0] == '0' && text.n > 1)
		return;
	CHECK(us == number * (digits <= 11 ? SECOND_US : digits <= 14 ? 1000 : 1));
}

/* A text of digits is a date or Unix time: the C library reads the date as the same. */
static void check_digits(struct slice text, struct slice iso)
{
	char date[] = "0000-00-00";
	int64_t unix_us, us;

	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] < '0' || text.p[i] > '9')
			return;
	}
	CHECK(timestamp_read(text, &us));
	if (text.n != 8 || (timestamp_of_number(text, &unix_us) && unix_us == us))
		return;
	memcpy(date, text.p, 4);
	memcpy(date + 5, text.p + 4, 2);
	memcpy(date + 8, text.p + 6, 2);
	CHECK(memcmp(date, iso.p, DATE_CHARS) == 0);
}

/* RFC 2822 as strftime() writes it is read as the same second, in any zone. */
static void check_mail(int64_t us)
{
	time_t seconds = (time_t)(us / SECOND_US);
	char room[ISO_BYTES];
	struct tm tm;
	int64_t again;

	CHECK(gmtime_r(&seconds, &tm) != NULL);
	size_t n = strftime(room, ISO_BYTES, "%a, %d %b %Y %H:%M:%S +0000", &tm);
	CHECK(timestamp_read((struct slice){room, n}, &again));
	CHECK(again == us / SECOND_US * SECOND_US);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct slice text = {(const char *)data, n};
	char room[ISO_BYTES];
	int64_t us, again;

	if (n > 0)
		check_unix(text);
	if (!timestamp_read(text, &us))
		return 0;
	CHECK(us >= 0 && us < END_US);
	struct slice iso = format(us, room);
	CHECK(timestamp_read(iso, &again) && again == us);
	check_date(text, iso);
	check_digits(text, iso);
	check_mail(us);
	return 0;
}
