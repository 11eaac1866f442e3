/*
 * server/kept.h - connections that web servers keep open between requests. Each waits here for its
 * next request, without a slot, and is closed after it has been idle for longer than the web server
 * would use it.
 */
#ifndef SERVER_KEPT_H
#define SERVER_KEPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

struct kept {
	int fd;
	int64_t since_ms;  /* its last answer, on the clock of clock_now_ms() */
	int64_t called_us; /* its next request has come and waits for a slot; 0: it has not */
	struct kept *next, *before; /* in its list */
};

struct kept_list {
	struct kept *first, *last;
};

struct kept_pool {
	struct kept *all;
	struct kept *free;	/* a list by next */
	size_t capacity, count; /* count: idle and called ones */
	struct kept_list idle;	/* the longest idle first */
	struct kept_list called;
};

/* Room for as many as capacity says, which may be 0. STATUS_OK or STATUS_NO_MEMORY; either way
 * kept_pool_close() releases what was made. */
enum status kept_pool_open(struct kept_pool *pool, size_t capacity) MUST_CHECK;

/* Closes the descriptors, too: in a forked child its copies of them. */
void kept_pool_close(struct kept_pool *pool);

/* Whether there is room for one more. */
bool kept_has_room(const struct kept_pool *pool);

/* Takes over a descriptor, for which there is room. */
struct kept *kept_add(struct kept_pool *pool, int fd, int64_t now_ms);

/* The one that an owner of the poller is; NULL if that is something else. */
struct kept *kept_of(const struct kept_pool *pool, void *owner);

/* Its next request has come. */
void kept_call(struct kept_pool *pool, struct kept *kept, int64_t now_us);

/* Gives the descriptor back to the caller, and the room free. */
int kept_take(struct kept_pool *pool, struct kept *kept);

/*
 * The next one that has been idle for idle_ms and whose next request has not come unseen; NULL
 * without one. The caller closes it. So a web server that uses a connection for a shorter time
 * never meets a closed one.
 */
struct kept *kept_expired(struct kept_pool *pool, int64_t idle_ms, int64_t now_ms);

/* When the next one will have been idle for idle_ms, a time of clock_now_ms(); INT64_MAX without
 * one. */
int64_t kept_due_ms(const struct kept_pool *pool, int64_t idle_ms);

#endif
