/*
 * server/loop_child.c - requests that take long and must not delay the others: large bodies, once
 * their key is known to be good. See server/loop_internal.h.
 */
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "server/loop_internal.h"
#include "server/oneshot.h"
#include "server/process.h"

/* In the child: closes its copies of the parent's descriptors without disturbing the parent. */
static _Noreturn void serve_and_exit(struct loop *loop, struct slot *slot)
{
	(void)close(loop->listener->fd);
	poller_close(loop->poller);
	commit_queue_abandon(loop->queue);
	scrape_abandon(loop->scrape);
	parked_pool_close(&loop->kept);
	parked_pool_close(&loop->leaving);
	for (size_t i = 0; i < loop->pool.count; i++) {
		struct slot *other = &loop->pool.slots[i];
		if (other != slot && other->state != SLOT_FREE)
			fcgi_close_fd(other->fcgi);
	}
	oneshot_serve(&slot->request, slot->fcgi, buf_slice(&slot->body));
	_exit(EXIT_SUCCESS);
}

void loop_serve_in_child(struct loop *loop, struct slot *slot)
{
	if (loop->children >= loop->config->large_requests) {
		loop_problem(loop, slot, STATUS_BUSY);
		return;
	}
	log_release();
	pid_t child = process_fork(&loop->children, slot->request.deadline_ms);
	if (child == 0)
		serve_and_exit(loop, slot);
	log_hold();
	if (child < 0) {
		loop_problem(loop, slot, STATUS_BUSY);
		return;
	}
	poller_remove(loop->poller, fcgi_fd(slot->fcgi));
	slot_drop(&loop->pool, slot);
}
