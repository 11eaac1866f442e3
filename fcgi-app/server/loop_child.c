/*
 * server/loop_child.c - requests that take long and must not delay the others: large bodies, once
 * their key is known to be good. See server/loop_internal.h.
 */
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/stats.h"
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

static void fork_child(struct loop *loop, struct slot *slot, const struct child_owner *owner)
{
	log_release();
	pid_t child = process_fork(&loop->children, slot->request.deadline_ms);
	if (child == 0)
		serve_and_exit(loop, slot);
	log_hold();
	if (child < 0) {
		loop_problem(loop, slot, STATUS_BUSY);
		return;
	}
	child_pool_add(&loop->large, child, owner);
	poller_remove(loop->poller, fcgi_fd(slot->fcgi));
	slot_drop(&loop->pool, slot);
}

static struct child_owner owner_of(const struct slot *slot)
{
	const struct commit_request *commit = &slot->request.intake.commit;

	return (struct child_owner){commit->key_hash, commit->out.organization_id};
}

static void wait_for_child(struct loop *loop, struct slot *slot, const struct child_owner *owner)
{
	const struct child *child = child_pool_give_way(&loop->large, owner);

	if (child == NULL) {
		loop_problem(loop, slot, STATUS_BUSY);
		return;
	}
	stats_add(&stats_mine()->gave_way, 1);
	process_ask_to_give_way(child->pid);
	slot->state = SLOT_WAITING;
	slot->waiting_ms = clock_now_ms();
	loop->waiting++;
}

/* Those that wait come first. */
void loop_serve_in_child(struct loop *loop, struct slot *slot)
{
	struct child_owner owner = owner_of(slot);

	if (loop->children + (int64_t)loop->waiting < loop->config->large_requests)
		fork_child(loop, slot, &owner);
	else
		wait_for_child(loop, slot, &owner);
}

void loop_expire_waiting(struct loop *loop, struct slot *slot)
{
	loop->waiting--;
	loop_problem(loop, slot, STATUS_BUSY);
}

void loop_reap(struct loop *loop)
{
	pid_t child;

	while ((child = process_reap(&loop->children)) > 0)
		child_pool_remove(&loop->large, child);
	while (loop->waiting > 0 && loop->children < loop->config->large_requests) {
		struct slot *slot = slot_first_waiting(&loop->pool);
		struct child_owner owner = owner_of(slot);
		loop->waiting--;
		fork_child(loop, slot, &owner);
	}
}
