/*
 * fuzz_timestamp.c - timestamps: what is read lies within the years, the C library agrees about the
 * date, and written out again it is read as the same.
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
	} else if ((text.p[text.n - 1] | 0x20) == 'z') {
		CHECK(memcmp(text.p, iso.p, DATE_CHARS) == 0);
		CHECK(memcmp(text.p + 11, iso.p + 11, 5) == 0); /* hours and minutes */
	}
}

static void check_unix(struct slice text, int64_t us)
{
	int64_t number = 0;
	size_t digits = 0;

	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] < '0' || text.p[i] > '9' || ++digits > MOST_DIGITS)
			return;
		number = number * 10 + text.p[i] - '0';
	}
	if (text.p[0] == '0' && text.n > 1)
		return;
	CHECK(us == number * (digits <= 11 ? SECOND_US : 1000));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct slice text = {(const char *)data, n};
	char room[ISO_BYTES];
	int64_t us, again;

	if (!timestamp_read(text, &us))
		return 0;
	CHECK(us >= 0 && us < END_US);
	struct slice iso = format(us, room);
	CHECK(timestamp_read(iso, &again) && again == us);
	check_date(text, iso);
	check_unix(text, us);
	return 0;
}
