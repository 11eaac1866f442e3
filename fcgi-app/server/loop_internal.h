/*
 * server/loop_internal.h - what the modules of the event loop share: loop.c (turns, waiting,
 * accepting), loop_request.c (a request's states) and loop_child.c (requests that are left to
 * forked children). In each of them a slot holds the request in question.
 */
#ifndef SERVER_LOOP_INTERNAL_H
#define SERVER_LOOP_INTERNAL_H

#include "commit/queue.h"
#include "model/template_cache.h"
#include "server/child_pool.h"
#include "server/parked.h"
#include "server/listener.h"
#include "server/poller.h"
#include "server/scrape.h"
#include "server/share.h"
#include "server/slot.h"

struct loop {
	const struct config *config;
	struct listener *listener;
	struct poller *poller;
	struct commit_queue *queue;
	struct scrape *scrape;
	struct template_cache *templates;
	struct slot_pool pool;
	struct parked_pool kept;    /* connections between two requests */
	struct parked_pool leaving; /* answered; the rest of their request is discarded */
	bool kept_go_first; /* before new connections, should slots be short: in every other turn */
	struct share share; /* of the connections, with other workers */
	int64_t progress_us;   /* the database owed no answer, or gave one */
	int64_t look_ms;       /* connections are looked for: share.h */
	struct slot *deferred; /* new slots whose heads are read for again in the next turn */
	int children;
	struct child_pool large; /* those of them that have large requests */
	size_t waiting;		 /* requests that wait for one of these to give way */
};

/* ---- loop_request.c ---- */

/* Takes the request as far as it gets without waiting. */
void loop_advance(struct loop *loop, struct slot *slot);

/* Goes on with a request that has come back from the commit queue. */
void loop_advance_committed(struct loop *loop, struct slot *slot);

/* Answers the metrics when scrape_step() says so. */
void loop_advance_scraped(struct loop *loop, struct slot *slot);

/* Answers with a problem. */
void loop_problem(struct loop *loop, struct slot *slot, enum status status);

/* Ends a request whose slot_deadline_ms() has passed. */
void loop_expire(struct loop *loop, struct slot *slot, int64_t now_ms);

/* Frees what the oldest request that is still being read holds, a slot or bytes, and answers that
 * the worker is busy. False if there is none, or all have only just come. */
bool loop_give_way(struct loop *loop, int64_t now_ms);

/* ---- loop_parked.c ---- */

/* Takes over a connection that the answer says is kept, for its next request; … */
void loop_keep(struct loop *loop, int fd);

/* … or one whose request was answered before its end, to discard the rest. */
void loop_leave(struct loop *loop, int fd);

/* What the poller reports of such a connection. False if the owner is none. */
bool loop_advance_parked(struct loop *loop, void *owner, int64_t now_us);

/* Closes those whose time is over. Returns when the next one is due, as slot_deadline_ms(). */
int64_t loop_expire_parked(struct loop *loop, int64_t now_ms);

/* ---- loop_child.c ---- */

/* Hands the request over to a child process, and frees the slot. If there are too many, it waits
 * for one that gives way; a problem if none does. */
void loop_serve_in_child(struct loop *loop, struct slot *slot);

/* The request has waited in vain. */
void loop_expire_waiting(struct loop *loop, struct slot *slot);

/* Reaps children, and hands requests that wait over to others. */
void loop_reap(struct loop *loop);

#endif
