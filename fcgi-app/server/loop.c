/*
 * server/loop.c - the event loop's turns, its waiting and its accepting. See server/loop.h.
 *
 * Each turn takes what has arrived (connections, bodies, the database's answer), sends the next
 * group, and answers the requests of the finished one. A request sits in a slot (server/slot.h) and
 * is taken through its states by loop_request.c; what it waits for is polled (server/poller.h). A
 * connection that is kept after its answer waits for its next request without a slot
 * (server/parked.h).
 */
#include "server/loop.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/stats.h"
#include "server/loop_internal.h"
#include "server/metrics.h"
#include "server/process.h"
#include "server/reload.h"

enum {
	DEFER_MS = 1,	   /* the shortest wait there is */
	RETRY_MS = 50,	   /* when the poller ran out of memory */
	GIVE_WAY_MS = 10,  /* until another look for one that gives way */
	LEAVING_MAX = 200, /* answered early; a further one takes the place of the oldest */
	HANG_US = 100000   /* without the database's answer: others take new connections */
};

/* Polls the slot's connection for what it waits for. A new slot is deferred instead while a group
 * is in flight. */
static void arm(struct loop *loop, struct slot *slot)
{
	short events = slot_events(slot);

	if (slot->state == SLOT_READING_HEAD && slot->may_be_deferred &&
	    commit_queue_is_in_flight(loop->queue)) {
		slot->next_deferred = loop->deferred;
		loop->deferred = slot;
		return;
	}
	if (events != 0 && poller_arm(loop->poller, fcgi_fd(slot->fcgi), events, slot) != STATUS_OK)
		slot_drop(&loop->pool, slot);
}

/* Apache sends a request in five pieces. Until the group in flight has returned, reading again a
 * little later costs less than a turn for each piece. */
static void advance_deferred(struct loop *loop)
{
	struct slot *slot = loop->deferred;

	for (loop->deferred = NULL; slot != NULL; slot = slot->next_deferred) {
		slot->may_be_deferred = false;
		loop_advance(loop, slot);
		arm(loop, slot);
	}
}

static void advance_ready(struct loop *loop, int64_t now_us)
{
	int64_t now_ms = now_us / 1000;
	void *owner;

	while ((owner = poller_next(loop->poller)) != NULL) {
		if (owner == loop->scrape || loop_advance_parked(loop, owner, now_us))
			continue;
		struct slot *slot = owner;
		/* Not past its deadline, unless its head had to wait for us. */
		if (slot->state == SLOT_READING_HEAD || slot_deadline_ms(slot) > now_ms)
			loop_advance(loop, slot);
		arm(loop, slot);
	}
}

static void advance_committed(struct loop *loop, struct commit_request *commit)
{
	while (commit != NULL) {
		struct slot *slot = commit->owner;
		commit = commit->queue.next; /* a part of the request, which may be reset */
		loop_advance_committed(loop, slot);
		arm(loop, slot);
	}
}

/* All that wait for the database's metrics get the same. */
static void advance_scraped(struct loop *loop, int64_t now_ms)
{
	if (!scrape_step(loop->scrape, now_ms))
		return;
	for (size_t i = 0; i < loop->pool.count; i++) {
		struct slot *slot = &loop->pool.slots[i];
		if (slot->state != SLOT_SCRAPING)
			continue;
		loop_advance_scraped(loop, slot);
		arm(loop, slot);
	}
}

/* ---- beginning ---- */

static bool has_room(const struct loop *loop)
{
	return loop->pool.buffered < (size_t)loop->config->buffered_bytes &&
	       slot_is_free(&loop->pool);
}

/* The first free slot has the connection. */
static void begin(struct loop *loop, int64_t came_us)
{
	struct slot *slot = slot_take(&loop->pool, came_us);

	loop_advance(loop, slot);
	arm(loop, slot);
}

static void resume_kept(struct loop *loop)
{
	struct parked *kept;

	while ((kept = loop->kept.called.first) != NULL && has_room(loop)) {
		int64_t called_us = kept->called_us;
		fcgi_resume(loop->pool.free->fcgi, parked_take(&loop->kept, kept));
		begin(loop, called_us);
	}
}

/* A worker that is told to end serves new connections as long as web servers may use those that it
 * has kept, so that no request waits for its successor meanwhile. */
static bool may_accept(const struct loop *loop, int64_t now_ms)
{
	return (!process_is_ending() || loop->kept.count > 0) && has_room(loop) &&
	       listener_pause_ms(loop->listener, now_ms) == 0;
}

/* Whether this worker does so well that others may leave new connections to it. */
static bool is_fit(const struct loop *loop, int64_t now_us)
{
	return !process_is_ending() && loop->children < loop->config->large_requests &&
	       now_us - loop->progress_us < HANG_US &&
	       commit_queue_readiness(loop->queue, now_us / 1000) == STATUS_OK;
}

static void accept_all(struct loop *loop, int64_t now_us)
{
	int64_t now_ms = now_us / 1000;

	while (may_accept(loop, now_ms) &&
	       listener_accept(loop->listener, loop->pool.free->fcgi, now_ms) == STATUS_OK)
		begin(loop, now_us);
	loop->look_ms = now_ms + SHARE_LOOK_MS;
}

/* Requests on kept connections, and on new ones: neither keeps the other from the last slots. */
static void begin_requests(struct loop *loop, int64_t now_us)
{
	loop->kept_go_first = !loop->kept_go_first;
	if (loop->kept_go_first)
		resume_kept(loop);
	if (loop->share.yield_until_us <= now_us &&
	    (poller_accept_ready(loop->poller) || loop->look_ms <= now_us / 1000))
		accept_all(loop, now_us);
	resume_kept(loop);
}

/* ---- waiting ---- */

/* Ends what has passed its deadline; returns the earliest deadline of the others. */
static int64_t enforce_deadlines(struct loop *loop, int64_t now_ms)
{
	int64_t earliest_ms = INT64_MAX;

	for (size_t i = 0, left = loop->pool.busy; left > 0; i++) {
		struct slot *slot = &loop->pool.slots[i];
		if (slot->state == SLOT_FREE)
			continue;
		left--;
		if (slot_deadline_ms(slot) <= now_ms) {
			loop_expire(loop, slot, now_ms);
			arm(loop, slot);
		}
		if (slot_deadline_ms(slot) < earliest_ms)
			earliest_ms = slot_deadline_ms(slot);
	}
	return earliest_ms;
}

/* True once a signal has told the worker to end and every accepted request has been answered. */
static bool is_over(const struct loop *loop)
{
	return process_is_ending() && loop->pool.busy == 0 && loop->children == 0 &&
	       loop->kept.count == 0 && loop->leaving.count == 0;
}

static void wake_by(int64_t *wake_ms, int64_t time_ms)
{
	if (time_ms < *wake_ms)
		*wake_ms = time_ms;
}

/* When to accept without having been told of a connection; or to look whether another worker still
 * takes those that are left to it. */
static int64_t accept_ms(const struct loop *loop, int64_t now_us)
{
	if (!may_accept(loop, now_us / 1000))
		return INT64_MAX;
	if (loop->share.yield_until_us > now_us)
		return loop->share.yield_until_us / 1000 + 1;
	return loop->share.has_others ? loop->look_ms : INT64_MAX;
}

/* The earliest time of everything that is due without an event. */
static int64_t wake_time(struct loop *loop, int64_t now_us)
{
	int64_t now_ms = now_us / 1000;
	int64_t wake_ms = enforce_deadlines(loop, now_ms);
	int64_t pause_ms = listener_pause_ms(loop->listener, now_ms);

	wake_by(&wake_ms, loop_expire_parked(loop, now_ms));
	if (!has_room(loop))
		wake_by(&wake_ms, loop_give_way(loop, now_ms) ? now_ms : now_ms + GIVE_WAY_MS);
	wake_by(&wake_ms, process_tell(now_ms));
	wake_by(&wake_ms, commit_queue_wake_ms(loop->queue));
	wake_by(&wake_ms, scrape_wake_ms(loop->scrape));
	wake_by(&wake_ms, accept_ms(loop, now_us));
	if (loop->deferred != NULL)
		wake_by(&wake_ms, now_ms + DEFER_MS);
	/* The last requests have just expired; or there is room now for those that wait for it. */
	if (is_over(loop) || (loop->kept.called.first != NULL && has_room(loop)))
		wake_by(&wake_ms, now_ms);
	if (pause_ms > 0)
		wake_by(&wake_ms, now_ms + pause_ms);
	return wake_ms;
}

/* STATUS_OK, or STATUS_NO_MEMORY: it is to be tried again. */
static enum status poll_databases(struct loop *loop)
{
	int scraping = scrape_fd(loop->scrape);
	enum status status = poller_set_database(loop->poller, commit_queue_fd(loop->queue),
						 commit_queue_events(loop->queue),
						 !commit_queue_is_connected(loop->queue));

	if (status == STATUS_OK && scraping >= 0)
		status = poller_arm(loop->poller, scraping, scrape_events(loop->scrape),
				    loop->scrape);
	return status;
}

static void wait_for_events(struct loop *loop, const sigset_t *while_waiting)
{
	int64_t now_us = clock_now_us(), now_ms = now_us / 1000;
	int64_t wake_ms = wake_time(loop, now_us);
	bool listens = may_accept(loop, now_ms) && loop->share.yield_until_us <= now_us;

	if (!commit_queue_is_in_flight(loop->queue))
		loop->progress_us = now_us;
	if (poller_set_listening(loop->poller, listens) != STATUS_OK ||
	    poll_databases(loop) != STATUS_OK)
		wake_ms = now_ms + RETRY_MS;
	int64_t left_ms = wake_ms > now_ms ? wake_ms - now_ms : 0;
	poller_wait(loop->poller, wake_ms == INT64_MAX ? -1 : left_ms, while_waiting);
	int64_t then_us = clock_now_us();
	share_waited(&loop->share, listens && is_fit(loop, then_us), loop->pool.busy, now_us,
		     then_us);
}

/* What /metrics shows of this moment. */
static void publish(const struct loop *loop)
{
	struct stats *stats = stats_mine();

	stats_set(&stats->in_flight, loop->pool.busy);
	stats_set(&stats->waiting, commit_queue_pending(loop->queue));
	stats_set(&stats->children, (uint64_t)loop->children);
	stats_set(&stats->kept, loop->kept.count);
	stats_set(&stats->is_connected, commit_queue_is_connected(loop->queue));
}

static void turn(struct loop *loop, const sigset_t *while_waiting)
{
	log_release();
	wait_for_events(loop, while_waiting);
	log_hold();
	loop_reap(loop);
	reload_if_asked(&loop->children);
	int64_t now_us = clock_now_us(), now_ms = now_us / 1000;
	advance_deferred(loop);
	advance_ready(loop, now_us);
	begin_requests(loop, now_us);
	/* Sends the next group before the requests of the finished one are answered. */
	bool ready = poller_database_ready(loop->poller);
	struct commit_request *committed = commit_queue_step(loop->queue, ready, now_ms);
	if (committed != NULL)
		loop->progress_us = now_us;
	advance_committed(loop, committed);
	advance_scraped(loop, now_ms);
	publish(loop);
}

/* ---- the worker ---- */

static enum status open_loop(struct loop *loop)
{
	enum status status = slot_pool_open(&loop->pool, loop->config);

	if (status == STATUS_OK)
		status = parked_pool_open(&loop->kept, (size_t)loop->config->kept_connections);
	if (status == STATUS_OK)
		status = parked_pool_open(&loop->leaving, LEAVING_MAX);
	loop->templates = template_cache_open();
	if (status == STATUS_OK && loop->templates == NULL)
		status = STATUS_NO_MEMORY;
	if (status == STATUS_OK)
		status = poller_open(&loop->poller, loop->listener->fd);
	if (status == STATUS_OK)
		status = commit_queue_open(&loop->queue, loop->config);
	if (status == STATUS_OK)
		status = scrape_open(&loop->scrape, loop->config);
	return status;
}

static void close_loop(struct loop *loop)
{
	scrape_close(loop->scrape);
	commit_queue_close(loop->queue);
	poller_close(loop->poller);
	template_cache_close(loop->templates);
	parked_pool_close(&loop->kept);
	parked_pool_close(&loop->leaving);
	slot_pool_close(&loop->pool);
}

enum status loop_run(const struct config *config, struct listener *listener)
{
	struct loop loop = {.config = config, .listener = listener};
	sigset_t while_waiting;
	enum status status = open_loop(&loop);

	if (status == STATUS_OK) {
		stats_open(config->metrics_file, metrics_layout(), STATS_WORKER);
		stats_set(&stats_mine()->slots, loop.pool.count);
		share_open(&loop.share, listener->fd, loop.pool.count, clock_now_us());
		process_start(&while_waiting);
		while (!is_over(&loop))
			turn(&loop, &while_waiting);
		(void)process_tell(clock_now_ms()); /* an idle worker takes no further turn */
		share_close();
		commit_queue_flush_counts(loop.queue);
		log_release();
	}
	close_loop(&loop);
	return status;
}
