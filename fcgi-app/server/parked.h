/*
 * server/parked.h - connections without a slot: what is kept open between requests waits here for
 * its next request, and what was answered early for the end of its request; neither for ever.
 */
#ifndef SERVER_PARKED_H
#define SERVER_PARKED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

struct parked {
	int fd;
	int64_t since_ms;  /* it was parked, on the clock of clock_now_ms() */
	int64_t called_us; /* its next request has come and waits for a slot; 0: it has not */
	struct parked *next, *before; /* in its list */
};

struct parked_list {
	struct parked *first, *last;
};

struct parked_pool {
	struct parked *all;
	struct parked *free;	 /* a list by next */
	size_t capacity, count;	 /* count: idle and called ones */
	struct parked_list idle; /* the longest parked first */
	struct parked_list called;
};

/* Room for as many as capacity says, which may be 0. STATUS_OK or STATUS_NO_MEMORY; either way
 * parked_pool_close() releases what was made. */
enum status parked_pool_open(struct parked_pool *pool, size_t capacity) MUST_CHECK;

/* Closes the descriptors, too: in a forked child its copies of them. */
void parked_pool_close(struct parked_pool *pool);

/* Whether there is room for one more. */
bool parked_has_room(const struct parked_pool *pool);

/* Takes over a descriptor, for which there is room. */
struct parked *parked_add(struct parked_pool *pool, int fd, int64_t now_ms);

/* The one that an owner of the poller is; NULL if that is something else. */
struct parked *parked_of(const struct parked_pool *pool, void *owner);

/* Its next request has come. */
void parked_call(struct parked_pool *pool, struct parked *parked, int64_t now_us);

/* Gives the descriptor back to the caller, and the room free. */
int parked_take(struct parked_pool *pool, struct parked *parked);

/*
 * The next one that has been idle for idle_ms and whose next request has not come unseen; NULL
 * without one. The caller closes it. So a web server that uses a connection for a shorter time
 * never meets a closed one.
 */
struct parked *parked_expired(struct parked_pool *pool, int64_t idle_ms, int64_t now_ms);

/* When the next one will have been idle for idle_ms, a time of clock_now_ms(); INT64_MAX without
 * one. */
int64_t parked_due_ms(const struct parked_pool *pool, int64_t idle_ms);

#endif
