/*
 * server/pace.h - whether a body comes fast enough: a sender that has been silent for too long, or
 * sends fewer bytes a second than body_rate for so long, is not waited for.
 *
 * A leaky bucket: each byte lengthens the patience by its share of a second, up to what it was in
 * the beginning.
 */
#ifndef SERVER_PACE_H
#define SERVER_PACE_H

#include <stddef.h>
#include <stdint.h>

struct pace {
	int64_t rate;	  /* least bytes a second; 0: any rate will do */
	int64_t grace_us; /* half of the request's time, 30 s at most */
	int64_t until_us; /* the patience ends, a time of clock_now_us(); INT64_MAX: never */
};

/* timeout_ms: of the whole request. */
void pace_start(struct pace *pace, int64_t rate, int64_t timeout_ms, int64_t now_us);

/* Bytes have come. */
void pace_receive(struct pace *pace, size_t n, int64_t now_us);

/* The sender was not waited for in this time. */
void pace_pause(struct pace *pace, int64_t us);

#endif
