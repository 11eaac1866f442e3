/*
 * base/clock.h - the monotonic clock, which every deadline in the project is a time of.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

/* Milliseconds since an arbitrary start (CLOCK_MONOTONIC); never goes back. */
int64_t clock_now_ms(void);

#endif
