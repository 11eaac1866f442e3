/*
 * server/loop_parked.c - connections without a slot: those that are kept for their next request,
 * and those whose request was answered before it had come to its end. See server/loop_internal.h.
 */
#include <poll.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/stats.h"
#include "server/fcgi.h"
#include "server/loop_internal.h"

/* How long the rest of a request is read after its answer. A web server that has taken the answer
 * closes the connection; only one that waits for its own client does not. */
enum { LEAVING_MS = 5000 };

/* Not by closing alone: while a child has a copy of the descriptor, the poller would keep it. */
static void close_parked(struct loop *loop, struct parked_pool *pool, struct parked *parked)
{
	poller_remove(loop->poller, parked->fd);
	(void)close(parked_take(pool, parked));
}

static bool park(struct loop *loop, struct parked_pool *pool, int fd)
{
	struct parked *parked = parked_add(pool, fd, clock_now_ms());

	if (poller_arm(loop->poller, fd, POLLIN, parked) == STATUS_OK)
		return true;
	(void)close(parked_take(pool, parked));
	return false;
}

/* There may be no room: other answers that were sent in several pieces have taken it. */
void loop_keep(struct loop *loop, int fd)
{
	if (!parked_has_room(&loop->kept))
		(void)close(fd);
	else if (park(loop, &loop->kept, fd))
		stats_add(&stats_mine()->kept_answers, 1);
}

void loop_leave(struct loop *loop, int fd)
{
	if (!parked_has_room(&loop->leaving))
		close_parked(loop, &loop->leaving, loop->leaving.idle.first);
	(void)park(loop, &loop->leaving, fd);
	stats_add(&stats_mine()->early_answers, 1);
}

static void discard(struct loop *loop, struct parked *parked)
{
	if (fcgi_discard(parked->fd) == STATUS_END ||
	    poller_arm(loop->poller, parked->fd, POLLIN, parked) != STATUS_OK)
		close_parked(loop, &loop->leaving, parked);
}

bool loop_advance_parked(struct loop *loop, void *owner, int64_t now_us)
{
	struct parked *kept = parked_of(&loop->kept, owner);
	struct parked *leaving = parked_of(&loop->leaving, owner);

	if (kept != NULL)
		parked_call(&loop->kept, kept, now_us);
	else if (leaving != NULL)
		discard(loop, leaving);
	return kept != NULL || leaving != NULL;
}

int64_t loop_expire_parked(struct loop *loop, int64_t now_ms)
{
	int64_t idle_ms = loop->config->kept_idle_ms, leaving_due_ms;
	struct parked *parked;

	while ((parked = parked_expired(&loop->kept, idle_ms, now_ms)) != NULL)
		close_parked(loop, &loop->kept, parked);
	while ((leaving_due_ms = parked_due_ms(&loop->leaving, LEAVING_MS)) <= now_ms)
		close_parked(loop, &loop->leaving, loop->leaving.idle.first);
	return clock_earlier(parked_due_ms(&loop->kept, idle_ms), leaving_due_ms);
}
