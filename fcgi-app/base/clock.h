/*
 * base/clock.h - the monotonic clock, on which all deadlines are measured, and the time of day.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>
#include <time.h>

/* Milliseconds since an arbitrary start (CLOCK_MONOTONIC). */
int64_t clock_now_ms(void);

/* The same clock in microseconds. */
int64_t clock_now_us(void);

/* Microseconds since 1970-01-01 UTC (CLOCK_REALTIME): when something was received. */
int64_t clock_unix_us(void);

/* A time span for ppoll(2) and the like. */
struct timespec clock_timespec(int64_t ms);

/* Waits so long; a signal does not end it. */
void clock_sleep_ms(int64_t ms);

/* The earlier of two times, or the shorter of two spans. */
static inline int64_t clock_earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* The time timeout_ms from now, or latest_ms if that is earlier. */
int64_t clock_deadline_ms(int64_t timeout_ms, int64_t latest_ms);

#endif
