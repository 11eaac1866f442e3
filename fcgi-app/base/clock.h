/*
 * base/clock.h - the monotonic clock, which every deadline in the project is a time of.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

/* Milliseconds since an arbitrary start (CLOCK_MONOTONIC); never goes back. */
int64_t clock_now_ms(void);

/* The time timeout_ms from now, or latest_ms if that is earlier. */
int64_t clock_deadline_ms(int64_t timeout_ms, int64_t latest_ms);

#endif
