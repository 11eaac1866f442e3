/*
 * server/loop.c - the worker's loop. See server/loop.h.
 *
 * In each turn: take what has arrived (connections, bodies, the database's answer), send the next
 * group, answer the members of the finished one. A request sits in a slot and moves through the
 * states below; what must wait is watched (server/poller.h). Large bodies go to forked children,
 * once their senders are known, and so do the metrics, so that no request delays another.
 */
#include "server/loop.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "model/template_cache.h"
#include "server/request.h"
#include "server/oneshot.h"
#include "server/poller.h"
#include "server/process.h"

enum state {
	SLOT_FREE,
	SLOT_ACCEPTED,	 /* connected; its parameters have not arrived */
	SLOT_BODY,	 /* its body is being read */
	SLOT_COMMITTING, /* a member of a group */
	SLOT_KNOCKING,	 /* the same without rows: whether a large body is worth a child */
	SLOT_ASKING,	 /* the same: for the key's payload template, which its rows need */
	SLOT_DRAINING,	 /* decided; the rest of its input is read away */
	SLOT_ANSWERING	 /* the web server has not yet taken all of the answer */
};

struct slot {
	enum state state;
	struct request request;
	struct fcgi *fcgi;
	struct buf body;
	int64_t accepted_ms;
	int64_t answered_ms;
	struct slot *next_free;
	struct slot *next_young;
	bool young; /* it has just been accepted */
};

struct loop {
	const struct config *config;
	struct commit_queue *queue;
	struct template_cache *templates;
	struct slot *slots;
	struct slot *free;  /* list of free slots */
	struct slot *young; /* list of those whose heads may be complete very soon */
	struct poller *poller;
	int listening;
	size_t slot_count, busy;
	size_t buffered; /* bytes of bodies in slots */
	int children;
	int64_t accept_ms; /* not before this time: descriptors or memory were short */
};

enum {
	YOUNG_MS = 1,	  /* the least that can be waited */
	BACKOFF_MS = 50,  /* for want of descriptors or memory */
	SILENT_MS = 5000, /* for a connection that sends no request */
	BODY_READ_BYTES = 16 << 10,
	BODY_KEPT_BYTES = 4 << 10,
	CHILD_GRACE_S = 10
};

/* ---- slots ---- */

static void release(struct loop *loop, struct slot *slot)
{
	loop->buffered -= slot->body.n;
	buf_reset(&slot->body, BODY_KEPT_BYTES);
	slot->state = SLOT_FREE;
	slot->next_free = loop->free;
	loop->free = slot;
	loop->busy--;
}

/* The peer is given up, or has left. */
static void drop(struct loop *loop, struct slot *slot)
{
	fcgi_let_go(slot->fcgi);
	request_reset(&slot->request);
	release(loop, slot);
}

/* Sends the answer of a decided request. */
static void send_answer(struct loop *loop, struct slot *slot)
{
	slot->answered_ms = clock_now_ms();
	slot->state = SLOT_ANSWERING;
	if (request_send(&slot->request, slot->fcgi) != STATUS_AGAIN)
		release(loop, slot);
}

/* Answers a decided request as soon as its input has been read to the end. */
static void answer(struct loop *loop, struct slot *slot)
{
	slot->state = SLOT_DRAINING;
	if (fcgi_drain(slot->fcgi) != STATUS_AGAIN)
		send_answer(loop, slot);
}

static void fail(struct loop *loop, struct slot *slot, enum status status)
{
	request_fail(&slot->request, status, NULL);
	answer(loop, slot);
}

/* ---- what takes its time ---- */

/* In the child: nothing of the parent's is touched but this one request. */
static _Noreturn void serve_as_child(struct loop *loop, struct slot *slot)
{
	int64_t left_ms = slot->request.deadline_ms - clock_now_ms();

	log_forked();
	/* A backstop: kills. */
	(void)alarm((unsigned)((left_ms > 0 ? left_ms : 0) / 1000 + CHILD_GRACE_S));
	(void)close(loop->listening);
	poller_close(loop->poller);
	commit_queue_abandon(loop->queue);
	for (size_t i = 0; i < loop->slot_count; i++) {
		if (&loop->slots[i] != slot && loop->slots[i].state != SLOT_FREE)
			fcgi_let_go(loop->slots[i].fcgi);
	}
	oneshot_serve(&slot->request, slot->fcgi, buf_slice(&slot->body));
	_exit(EXIT_SUCCESS);
}

/* The slot is looked at again when its member comes back. */
static void join(struct loop *loop, struct slot *slot, enum state state)
{
	struct commit_request *commit = &slot->request.intake.commit;

	commit->owner = slot;
	slot->state = state;
	commit_queue_add(loop->queue, commit);
}

/* A child costs a process and a connection: nobody gets one who is not known. */
static void knock(struct loop *loop, struct slot *slot)
{
	join(loop, slot, SLOT_KNOCKING);
}

static void serve_by_child(struct loop *loop, struct slot *slot)
{
	if (loop->children >= loop->config->large_requests) {
		fail(loop, slot, STATUS_BUSY);
		return;
	}
	log_release();
	pid_t child = fork();
	if (child == 0)
		serve_as_child(loop, slot);
	log_hold();
	if (child < 0) {
		log_event(LOG_LEVEL_ERROR, "could not fork", LOG_TEXT("cause", strerror(errno)));
		fail(loop, slot, STATUS_BUSY);
		return;
	}
	loop->children++;
	poller_forget(loop->poller, fcgi_fd(slot->fcgi));
	drop(loop, slot);
}

/* ---- a request's way ---- */

/* The key's template is there: the items become rows. */
static void map(struct loop *loop, struct slot *slot, const struct template *template)
{
	enum status status = intake_map(&slot->request.intake, template);

	if (status == STATUS_OK)
		join(loop, slot, SLOT_COMMITTING);
	else
		fail(loop, slot, status);
}

/* The member has come back with the template of its key. */
static void take_template(struct loop *loop, struct slot *slot)
{
	const struct commit_request *commit = &slot->request.intake.commit;
	const struct template *template;
	enum status status =
		template_cache_add(loop->templates, &commit->key_hash, commit->template, &template);

	if (status == STATUS_OK)
		map(loop, slot, template);
	else
		fail(loop, slot, status);
}

/* A key's first product-org updates in this worker are authenticated twice; whoever is not known
 * learns nothing by it. */
static void find_template(struct loop *loop, struct slot *slot)
{
	struct commit_request *commit = &slot->request.intake.commit;
	const struct template *template = template_cache_find(loop->templates, &commit->key_hash);

	if (template != NULL) {
		map(loop, slot, template);
		return;
	}
	commit->wants_template = true;
	join(loop, slot, SLOT_ASKING);
}

/* The body is complete: its rows join the open group. */
static void join_group(struct loop *loop, struct slot *slot)
{
	struct intake *intake = &slot->request.intake;
	enum status status =
		intake_body(intake, buf_slice(&slot->body), (size_t)loop->config->large_body_bytes);

	if (status == STATUS_LARGE) {
		knock(loop, slot);
		return;
	}
	if (status != STATUS_OK) {
		fail(loop, slot, status);
		return;
	}
	if (intake_wants_template(intake))
		find_template(loop, slot);
	else
		join(loop, slot, SLOT_COMMITTING);
}

static bool is_large(const struct loop *loop, const struct slot *slot)
{
	return slot->request.intake.kind == INTAKE_BULK ||
	       slot->request.http.content_length > loop->config->large_body_bytes ||
	       slot->body.n > (size_t)loop->config->large_body_bytes;
}

/* How much to read at once: no more than is announced, so that small bodies take little room. */
static size_t body_room(const struct slot *slot)
{
	int64_t left = slot->request.http.content_length - (int64_t)slot->body.n;

	return left > 0 && left < BODY_READ_BYTES ? (size_t)left : BODY_READ_BYTES;
}

static void read_body(struct loop *loop, struct slot *slot)
{
	enum status status = STATUS_OK;

	while (status == STATUS_OK) {
		size_t n = 0;
		if (is_large(loop, slot)) {
			knock(loop, slot);
			return;
		}
		size_t size = body_room(slot);
		char *room = buf_reserve(&slot->body, size);
		if (room == NULL) {
			fail(loop, slot, STATUS_NO_MEMORY);
			return;
		}
		status = fcgi_read(slot->fcgi, slot->request.http.content_length, room, size, &n);
		if (status == STATUS_OK) {
			slot->body.n += n;
			loop->buffered += n;
		}
	}
	if (status == STATUS_END)
		join_group(loop, slot);
	else if (status != STATUS_AGAIN)
		fail(loop, slot, status);
}

static void begin(struct loop *loop, struct slot *slot)
{
	struct request *request = &slot->request;
	enum status status = fcgi_begin(slot->fcgi);

	if (status == STATUS_AGAIN)
		return;
	if (status != STATUS_OK) {
		drop(loop, slot);
		return;
	}
	request_begin(request, fcgi_variables(slot->fcgi), slot->accepted_ms);
	if (!request->decided && request->match.route->action == ROUTE_HEALTH)
		request_health(request, commit_queue_is_connected(loop->queue));
	if (request->decided) {
		answer(loop, slot);
		return;
	}
	if (request->match.route->action == ROUTE_METRICS) {
		serve_by_child(loop, slot);
		return;
	}
	slot->state = SLOT_BODY;
	read_body(loop, slot);
}

static void advance(struct loop *loop, struct slot *slot)
{
	switch (slot->state) {
	case SLOT_ACCEPTED:
		begin(loop, slot);
		break;
	case SLOT_BODY:
		read_body(loop, slot);
		break;
	case SLOT_DRAINING:
		answer(loop, slot);
		break;
	case SLOT_ANSWERING:
		if (fcgi_flush(slot->fcgi) != STATUS_AGAIN)
			release(loop, slot);
		break;
	case SLOT_FREE:
	case SLOT_COMMITTING:
	case SLOT_KNOCKING:
	case SLOT_ASKING:
	default:
		break;
	}
}

/* Has the slot looked at when its connection is ready for what it waits for. */
static void await(struct loop *loop, struct slot *slot)
{
	bool waits = slot->state == SLOT_ACCEPTED || slot->state == SLOT_BODY ||
		     slot->state == SLOT_DRAINING || slot->state == SLOT_ANSWERING;
	short events = slot->state == SLOT_ANSWERING ? POLLOUT : POLLIN;

	if (slot->state == SLOT_ACCEPTED && slot->young && commit_queue_is_in_flight(loop->queue)) {
		slot->next_young = loop->young;
		loop->young = slot;
		return;
	}
	if (waits && poller_request(loop->poller, fcgi_fd(slot->fcgi), events, slot) != STATUS_OK)
		drop(loop, slot);
}

/* Apache sends a request in five pieces. While it could not go to the database anyway they are
 * looked at once more before they are watched, which would cost a turn for each. */
static void look_again(struct loop *loop)
{
	struct slot *slot = loop->young;

	for (loop->young = NULL; slot != NULL; slot = slot->next_young) {
		slot->young = false;
		advance(loop, slot);
		await(loop, slot);
	}
}

static bool may_accept(const struct loop *loop, int64_t now_ms)
{
	return !process_is_ending() && loop->free != NULL && now_ms >= loop->accept_ms &&
	       loop->buffered < (size_t)loop->config->buffered_bytes;
}

static void accept_all(struct loop *loop, int64_t now_ms)
{
	while (may_accept(loop, now_ms)) {
		struct slot *slot = loop->free;
		enum status status = fcgi_accept(slot->fcgi, loop->listening);
		if (status == STATUS_BUSY) {
			log_event(LOG_LEVEL_WARNING, "could not accept",
				  LOG_TEXT("cause", strerror(errno)));
			loop->accept_ms = now_ms + BACKOFF_MS;
		}
		if (status != STATUS_OK)
			return;
		loop->free = slot->next_free;
		loop->busy++;
		slot->state = SLOT_ACCEPTED;
		slot->accepted_ms = now_ms;
		slot->young = true;
		begin(loop, slot);
		await(loop, slot);
	}
}

static void answer_members(struct loop *loop, struct commit_request *commit)
{
	while (commit != NULL) {
		struct slot *slot = commit->owner;
		enum status status = commit->status;
		commit = commit->next; /* the member is gone with its request */
		if (slot->state == SLOT_KNOCKING && status == STATUS_ACCEPTED) {
			serve_by_child(loop, slot);
		} else if (slot->state == SLOT_ASKING && status == STATUS_ACCEPTED) {
			take_template(loop, slot);
		} else {
			request_conclude(&slot->request);
			answer(loop, slot);
		}
		await(loop, slot);
	}
}

/* ---- waiting ---- */

/* When the slot must be looked at even if nothing arrives. */
static int64_t slot_deadline_ms(const struct loop *loop, const struct slot *slot)
{
	switch (slot->state) {
	case SLOT_ACCEPTED:
		return slot->accepted_ms + SILENT_MS;
	case SLOT_BODY:
	case SLOT_DRAINING:
		return slot->request.deadline_ms;
	case SLOT_ANSWERING:
		return slot->answered_ms + loop->config->request_timeout_ms;
	case SLOT_FREE:
	case SLOT_COMMITTING: /* the group keeps its deadline */
	case SLOT_KNOCKING:
	case SLOT_ASKING:
	default:
		return INT64_MAX;
	}
}

static void expire(struct loop *loop, struct slot *slot)
{
	if (slot->state == SLOT_BODY)
		request_fail(&slot->request, STATUS_REQUEST_TIMEOUT, NULL);
	/* The rest of the input is not waited for: its sender had its time. */
	if (slot->state == SLOT_BODY || slot->state == SLOT_DRAINING)
		send_answer(loop, slot);
	else
		drop(loop, slot);
}

/* Ends the waiting of those whose time is over; returns when the next one's is. */
static int64_t enforce_deadlines(struct loop *loop, int64_t now_ms)
{
	int64_t wake_ms = INT64_MAX;

	for (size_t i = 0, left = loop->busy; left > 0; i++) {
		struct slot *slot = &loop->slots[i];
		if (slot->state == SLOT_FREE)
			continue;
		left--;
		if (slot_deadline_ms(loop, slot) <= now_ms) {
			expire(loop, slot);
			await(loop, slot);
		}
		if (slot_deadline_ms(loop, slot) < wake_ms)
			wake_ms = slot_deadline_ms(loop, slot);
	}
	return wake_ms;
}

/* All that was accepted is answered, and no more will be. */
static bool is_over(const struct loop *loop)
{
	return process_is_ending() && loop->busy == 0 && loop->children == 0;
}

static void wait_events(struct loop *loop, const sigset_t *while_waiting)
{
	int64_t now_ms = clock_now_ms();
	int64_t wake_ms = enforce_deadlines(loop, now_ms);

	if (commit_queue_wake_ms(loop->queue) < wake_ms)
		wake_ms = commit_queue_wake_ms(loop->queue);
	if (loop->young != NULL && now_ms + YOUNG_MS < wake_ms)
		wake_ms = now_ms + YOUNG_MS;
	if (is_over(loop)) /* the last ones' time was over just now */
		wake_ms = now_ms;
	if (now_ms < loop->accept_ms && loop->accept_ms < wake_ms)
		wake_ms = loop->accept_ms;
	if (poller_listening(loop->poller, may_accept(loop, now_ms)) != STATUS_OK ||
	    poller_database(loop->poller, commit_queue_fd(loop->queue),
			    commit_queue_events(loop->queue),
			    !commit_queue_is_connected(loop->queue)) != STATUS_OK)
		wake_ms = now_ms + BACKOFF_MS;
	int64_t left_ms = wake_ms > now_ms ? wake_ms - now_ms : 0;
	poller_wait(loop->poller, wake_ms == INT64_MAX ? -1 : left_ms, while_waiting);
}

static void turn(struct loop *loop, const sigset_t *while_waiting)
{
	struct slot *slot;

	log_release();
	wait_events(loop, while_waiting);
	log_hold();
	process_reap(&loop->children);
	int64_t now_ms = clock_now_ms();
	look_again(loop);
	while ((slot = poller_next(loop->poller)) != NULL) {
		/* Who keeps sending is not served beyond its time; who was kept waiting is. */
		if (slot->state == SLOT_ACCEPTED || slot_deadline_ms(loop, slot) > now_ms)
			advance(loop, slot);
		await(loop, slot);
	}
	if (poller_connection_came(loop->poller))
		accept_all(loop, now_ms);
	/* The next group is sent before the members of the finished one are answered. */
	answer_members(loop,
		       commit_queue_step(loop->queue, poller_database_ready(loop->poller), now_ms));
}

/* ---- the worker ---- */

static enum status open_slots(struct loop *loop)
{
	loop->slot_count = (size_t)loop->config->requests_in_flight;
	loop->slots = calloc(loop->slot_count, sizeof(*loop->slots));
	if (loop->slots == NULL)
		return STATUS_NO_MEMORY;
	for (size_t i = loop->slot_count; i-- > 0;) {
		struct slot *slot = &loop->slots[i];
		request_init(&slot->request, loop->config);
		slot->body = buf_make((size_t)loop->config->large_body_bytes + 2 * BODY_READ_BYTES);
		slot->next_free = loop->free;
		loop->free = slot;
		enum status status = fcgi_open(&slot->fcgi);
		if (status != STATUS_OK)
			return status;
	}
	return STATUS_OK;
}

static void close_slots(struct loop *loop)
{
	for (size_t i = 0; loop->slots != NULL && i < loop->slot_count; i++) {
		fcgi_close(loop->slots[i].fcgi);
		request_free(&loop->slots[i].request);
		buf_free(&loop->slots[i].body);
	}
	free(loop->slots);
}

int loop_run(const struct config *config, int listening)
{
	struct loop loop = {.config = config, .listening = listening};
	sigset_t while_waiting;
	enum status status = open_slots(&loop);

	loop.templates = template_cache_open();
	if (status == STATUS_OK && loop.templates == NULL)
		status = STATUS_NO_MEMORY;
	if (status == STATUS_OK)
		status = poller_open(&loop.poller, listening);
	if (status == STATUS_OK)
		status = commit_queue_open(&loop.queue, config);
	if (status == STATUS_OK &&
	    fcntl(listening, F_SETFL, fcntl(listening, F_GETFL) | O_NONBLOCK) != 0)
		status = STATUS_INTERNAL;
	if (status != STATUS_OK) {
		log_event(LOG_LEVEL_ERROR, "could not set up the worker",
			  LOG_TEXT("code", status_name(status)));
	} else {
		process_set_handlers(&while_waiting);
		log_event(LOG_LEVEL_INFO, "worker started", LOG_TEXT("version", SLUICE_VERSION));
		while (!is_over(&loop))
			turn(&loop, &while_waiting);
		commit_queue_flush_counts(loop.queue);
		log_release();
		log_event(LOG_LEVEL_INFO, "worker ended", LOG_INT("unanswered", loop.busy));
	}
	commit_queue_close(loop.queue);
	poller_close(loop.poller);
	template_cache_close(loop.templates);
	close_slots(&loop);
	return status == STATUS_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
