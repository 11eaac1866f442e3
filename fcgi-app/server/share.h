/*
 * server/share.h - how the workers of a listening socket share its connections: the first of them
 * that keeps up takes all of them, because several workers make smaller groups.
 *
 * Each worker says in its slot of base/stats when it last kept up, which is when it had to wait for
 * something to do although it takes new connections. To the workers of later slots that is a reason
 * to leave these to it for SHARE_MS, but no longer: a worker that is killed, stopped or busy says
 * nothing, and the next one takes its place. Without a file of metrics each worker takes what it
 * gets.
 */
#ifndef SERVER_SHARE_H
#define SERVER_SHARE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How long others rely on a worker that has kept up. */
enum { SHARE_MS = 25 };

/*
 * How often a worker looks for connections of which it was not told: the kernel wakes one worker
 * for each, and does not know that it is stopped.
 */
enum { SHARE_LOOK_MS = 500 };

struct share {
	/* What the last share_waited() found. */
	int64_t yield_until_us; /* new connections are left to another worker; 0: they are not */
	bool keeps;		/* connections, rather than close them after their answers, so that
				   their next requests reach a worker that does better */
	bool has_others;	/* there has been another worker of this socket */

	uint64_t capacity; /* requests that it serves at a time */
	int64_t window_us; /* began: load is measured window by window */
	int64_t waited_us; /* in this window */
	uint64_t most;	   /* requests at a time in this window */
};

/* Which socket it is; after stats_open(). */
void share_open(struct share *share, int listening, size_t capacity, int64_t now_us);

/* The worker takes no more. */
void share_close(void);

/* The worker has waited from before_us to now_us with so many requests in hand; takes: a new
 * connection would have ended the wait, and others may leave theirs to this worker. */
void share_waited(struct share *share, bool takes, uint64_t requests, int64_t before_us,
		  int64_t now_us);

#endif
