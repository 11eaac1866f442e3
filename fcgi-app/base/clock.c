/*
 * base/clock.c - see base/clock.h.
 */
#include "base/clock.h"

#include <errno.h>
#include <time.h>

static int64_t microseconds(clockid_t clock)
{
	struct timespec now;

	(void)clock_gettime(clock, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t clock_now_ms(void)
{
	return clock_now_us() / 1000;
}

int64_t clock_now_us(void)
{
	return microseconds(CLOCK_MONOTONIC);
}

int64_t clock_unix_us(void)
{
	return microseconds(CLOCK_REALTIME);
}

struct timespec clock_timespec(int64_t ms)
{
	return (struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
}

void clock_sleep_ms(int64_t ms)
{
	struct timespec rest = clock_timespec(ms);

	while (clock_nanosleep(CLOCK_MONOTONIC, 0, &rest, &rest) == EINTR)
		;
}

int64_t clock_deadline_ms(int64_t timeout_ms, int64_t latest_ms)
{
	int64_t deadline_ms = clock_now_ms() + timeout_ms;

	return deadline_ms < latest_ms ? deadline_ms : latest_ms;
}
