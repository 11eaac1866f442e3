/*
 * commit/queue.c - the queue of requests and the life of a group. See commit/queue.h; the statement
 * is commit/statement's.
 *
 * A group is sent as soon as none is in flight. So a lone request waits for no other, and under
 * load a group forms while the previous one commits.
 */
#include "commit/queue.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/stats.h"
#include "commit/last_used.h"
#include "commit/measure.h"
#include "commit/outcome.h"
#include "commit/statement.h"
#include "key/random.h"

enum {
	BACKOFF_FIRST_MS = 100, /* between attempts to connect, doubling … */
	BACKOFF_LAST_MS = 5000, /* … up to this, each with jitter */
	GROUP_ROWS_MAX = 5000,	/* however few their bytes, because others wait for them */
	REFUSALS_MS = 10000,	/* between reports of refusals, at least */
	FLUSH_MS = 1000		/* for the last statement of a worker */
};

static const char LOCKED[] = "55P03"; /* lock_not_available: lock_timeout */

struct commit_queue {
	const struct config *config;
	struct pg_connection *db;
	struct commit_statement *statement;
	struct commit_list waiting;	    /* to be sent, together */
	struct commit_list isolated;	    /* failed together: to be sent one by one */
	struct commit_list group;	    /* sent, and not answered by the server */
	struct commit_list completed;	    /* to be handed back by commit_queue_step */
	struct refusal_tally refusals;	    /* counted since some were last sent */
	struct refusal_tally refusals_sent; /* with the group, until they are stored */
	struct last_used last_used;
	bool recently_used;  /* the last use of all the group's keys was noted lately */
	bool sent_ordinary;  /* the group was sent as an ordinary one */
	bool not_ordinary;   /* the database did not take it as one */
	bool prepared_anew;  /* types had changed, and no statement has succeeded since */
	int retries;	     /* of the group */
	int64_t deadline_ms; /* of connecting, or of the group */
	int64_t connect_ms;  /* no attempt to connect is made before */
	int64_t backoff_ms;  /* 0 while the last connection worked */
	enum status outage;  /* why there is no connection until connect_ms */
	struct commit_measure measure;
};

static void move_all(struct commit_list *from, struct commit_list *to)
{
	while (from->first != NULL)
		commit_list_append(to, commit_list_take(from));
}

static void complete(struct commit_queue *queue, struct commit_list *list, enum status status)
{
	while (list->first != NULL) {
		struct commit_request *request = commit_list_take(list);
		request->out.status = status;
		commit_list_append(&queue->completed, request);
	}
}

/* ---- opening and closing ---- */

enum status commit_queue_open(struct commit_queue **queue, const struct config *config)
{
	static const struct pg_statement *const prepare[] = {&commit_statement_ordinary,
							     &commit_statement_any};
	struct pg_options options = {
		.conninfo = config->database,
		.application_name = "sluice-intake",
		.prepare = prepare,
		.prepare_count = config->prepared_statements ? (int)ARRAY_LENGTH(prepare) : 0};
	struct commit_queue *made = calloc(1, sizeof(*made));

	*queue = made;
	if (made == NULL)
		return STATUS_NO_MEMORY;
	made->config = config;
	made->waiting = made->isolated = made->group = made->completed = COMMIT_LIST_EMPTY;
	made->refusals = made->refusals_sent = REFUSAL_TALLY_EMPTY;
	enum status status = pg_open(&made->db, &options);
	if (status == STATUS_OK)
		status = commit_statement_open(&made->statement);
	if (status != STATUS_OK) {
		commit_queue_close(made);
		*queue = NULL;
	}
	return status;
}

void commit_queue_close(struct commit_queue *queue)
{
	if (queue == NULL)
		return;
	pg_close(queue->db);
	commit_statement_close(queue->statement);
	free(queue);
}

void commit_queue_abandon(struct commit_queue *queue)
{
	pg_abandon(queue->db);
	queue->waiting = queue->isolated = queue->group = queue->completed = COMMIT_LIST_EMPTY;
}

void commit_queue_add(struct commit_queue *queue, struct commit_request *request)
{
	commit_list_append(&queue->waiting, request);
}

size_t commit_queue_pending(const struct commit_queue *queue)
{
	return queue->waiting.requests + queue->isolated.requests + queue->group.requests;
}

bool commit_queue_is_in_flight(const struct commit_queue *queue)
{
	return pg_state(queue->db) == PG_BUSY;
}

int commit_queue_fd(const struct commit_queue *queue)
{
	return pg_fd(queue->db);
}

short commit_queue_events(const struct commit_queue *queue)
{
	return pg_events(queue->db);
}

bool commit_queue_is_connected(const struct commit_queue *queue)
{
	enum pg_state state = pg_state(queue->db);

	return state == PG_READY || state == PG_BUSY;
}

enum status commit_queue_readiness(const struct commit_queue *queue, int64_t now_ms)
{
	if (!commit_queue_is_connected(queue))
		return queue->outage == STATUS_OK ? STATUS_UNAVAILABLE : queue->outage;
	if (pg_is_read_only(queue->db))
		return STATUS_READ_ONLY;
	return commit_measure_trouble(&queue->measure, now_ms);
}

/* ---- connecting ---- */

/* Workers that lost the same server should not all come back at once. */
static int64_t jitter(int64_t ms)
{
	uint32_t random = 0;

	if (random_bytes(&random, sizeof(random)) != STATUS_OK)
		return ms;
	return ms / 2 + (int64_t)(random % (uint64_t)(ms + 1));
}

static void connect_later(struct commit_queue *queue, enum status outage, int64_t now_ms)
{
	queue->outage = outage;
	queue->backoff_ms = queue->backoff_ms == 0 ? BACKOFF_FIRST_MS : queue->backoff_ms * 2;
	if (queue->backoff_ms > BACKOFF_LAST_MS)
		queue->backoff_ms = BACKOFF_LAST_MS;
	queue->connect_ms = now_ms + jitter(queue->backoff_ms);
}

/* Without a server, requests are answered at once. */
static void fail_unsent(struct commit_queue *queue)
{
	complete(queue, &queue->isolated, queue->outage);
	complete(queue, &queue->waiting, queue->outage);
}

static void start_connecting(struct commit_queue *queue, int64_t now_ms)
{
	enum status status = pg_start_connect(queue->db);

	queue->deadline_ms = now_ms + queue->config->connect_timeout_ms;
	if (status != STATUS_OK)
		connect_later(queue, status, now_ms);
}

static void end_connecting(struct commit_queue *queue, enum status status, int64_t now_ms)
{
	if (status == STATUS_OK) {
		log_event(LOG_LEVEL_INFO, "connected to the database",
			  LOG_INT("waiting", commit_queue_pending(queue)));
		stats_add(&stats_mine()->connections, 1);
		queue->backoff_ms = 0;
		return;
	}
	stats_add(&stats_mine()->connection_failures, 1);
	connect_later(queue, status, now_ms);
}

/* Completes the requests that were not sent before their deadline, so that nothing is stored. */
static void expire(struct commit_queue *queue, struct commit_list *list, int64_t now_ms)
{
	struct commit_list rest = COMMIT_LIST_EMPTY;

	if (now_ms < list->earliest_ms)
		return;
	while (list->first != NULL) {
		struct commit_request *request = commit_list_take(list);
		if (request->deadline_ms <= now_ms) {
			request->out.status = STATUS_DEADLINE;
			commit_list_append(&queue->completed, request);
		} else {
			commit_list_append(&rest, request);
		}
	}
	*list = rest;
}

/* ---- a group's life ---- */

static int64_t least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* True if the request's deadline is so near that it could end the statement of the others. */
static bool is_late(const struct commit_queue *queue, const struct commit_request *request,
		    int64_t now_ms)
{
	const struct config *config = queue->config;

	return request->deadline_ms - now_ms <
	       least(config->database_timeout_ms, config->request_timeout_ms / 2);
}

/* True if the request may join the group. */
static bool fits(const struct commit_queue *queue, const struct commit_request *request,
		 int64_t now_ms)
{
	const struct commit_list *group = &queue->group;

	if (group->first == NULL)
		return true;
	return group->requests < (size_t)queue->config->group_requests &&
	       group->rows + group->rejects + commit_request_items(request) +
			       commit_request_rejects(request) <=
		       GROUP_ROWS_MAX &&
	       group->bytes + commit_request_bytes(request) <= (size_t)queue->config->group_bytes &&
	       !is_late(queue, group->first, now_ms) && !is_late(queue, request, now_ms);
}

/* Isolated requests go first, each as a group of its own. */
static void form_group(struct commit_queue *queue, int64_t now_ms)
{
	if (queue->isolated.first != NULL)
		commit_list_append(&queue->group, commit_list_take(&queue->isolated));
	else
		while (queue->waiting.first != NULL && fits(queue, queue->waiting.first, now_ms))
			commit_list_append(&queue->group, commit_list_take(&queue->waiting));
	queue->retries = 0;
	queue->not_ordinary = false;
}

static bool refusals_are_due(const struct commit_queue *queue, int64_t now_ms)
{
	return now_ms >= queue->refusals.due_ms;
}

static bool is_recently_used(const struct commit_queue *queue, int64_t now_ms)
{
	for (const struct commit_request *request = queue->group.first; request != NULL;
	     request = request->queue.next) {
		if (!last_used_is_noted(&queue->last_used, &request->key_hash, now_ms))
			return false;
	}
	return true;
}

static bool any_is_special(const struct commit_queue *queue)
{
	for (const struct commit_request *request = queue->group.first; request != NULL;
	     request = request->queue.next) {
		if (last_used_is_special(&queue->last_used, &request->key_hash))
			return true;
	}
	return false;
}

static bool is_ordinary(const struct commit_queue *queue)
{
	return queue->recently_used && !queue->not_ordinary && queue->refusals_sent.count == 0 &&
	       commit_statement_is_ordinary(&queue->group) && !any_is_special(queue);
}

static bool is_of_one_key(const struct commit_list *group)
{
	for (const struct commit_request *request = group->first; request != NULL;
	     request = request->queue.next) {
		if (!credential_hash_is_same(&request->key_hash, &group->first->key_hash))
			return false;
	}
	return true;
}

/* The database has stored nothing, and takes the group by the other statement. If the group has one
 * key and no visitors, the cause is the limit of the key's organization. */
static void note_not_ordinary(struct commit_queue *queue, enum status status)
{
	queue->not_ordinary = true;
	if (status == STATUS_AGAIN && is_of_one_key(&queue->group) &&
	    !commit_statement_has_visitors(&queue->group))
		last_used_mark_special(&queue->last_used, &queue->group.first->key_hash);
}

static void remember_uses(struct commit_queue *queue, int64_t now_ms)
{
	for (const struct commit_request *request = queue->group.first; request != NULL;
	     request = request->queue.next) {
		if (request->out.status == STATUS_ACCEPTED)
			last_used_note(&queue->last_used, &request->key_hash, now_ms);
	}
}

/* Also sends refusals that are due, with requests or without. */
static void send_group(struct commit_queue *queue, int64_t now_ms)
{
	if (queue->refusals_sent.count == 0 && refusals_are_due(queue, now_ms)) {
		queue->refusals_sent = queue->refusals;
		queue->refusals = REFUSAL_TALLY_EMPTY;
	}
	queue->recently_used = is_recently_used(queue, now_ms);
	queue->sent_ordinary = is_ordinary(queue);
	enum status status =
		queue->sent_ordinary
			? commit_statement_send_ordinary(queue->statement, queue->db, &queue->group)
			: commit_statement_send(
				  queue->statement, queue->db, &queue->group,
				  queue->refusals_sent.count == 0 ? NULL : &queue->refusals_sent,
				  queue->recently_used);

	queue->deadline_ms =
		least(now_ms + queue->config->database_timeout_ms, queue->group.earliest_ms);
	commit_measure_sent(&queue->measure);
	if (status != STATUS_OK)
		complete(queue, &queue->group, status);
}

/* True if the rows of one request can have failed the whole group: by SQLSTATE class 22, 23 or 54,
 * or by waiting for another transaction's lock. */
static bool is_about_data(const struct commit_queue *queue, enum status status)
{
	return status == STATUS_INVALID_VALUE || status == STATUS_CONSTRAINT ||
	       status == STATUS_NOT_UNIQUE ||
	       (status == STATUS_DEADLINE && strcmp(pg_sqlstate(queue->db), LOCKED) == 0);
}

/*
 * True if the same group may succeed the next time. A lone request that broke a constraint (23514)
 * may: its row went to the default partition while the partition of its day was attached.
 */
static bool is_worth_retrying(const struct commit_queue *queue, enum status status)
{
	bool may_pass = status == STATUS_CONFLICT ||
			(status == STATUS_CONSTRAINT && queue->group.requests == 1);

	return may_pass && queue->retries < COMMIT_RETRIES_MAX && pg_state(queue->db) == PG_READY;
}

/* Turns the items of a lone request into rejects; false if there is nothing to send again. */
static bool reject_items(struct commit_queue *queue)
{
	if (queue->group.requests != 1 || pg_state(queue->db) != PG_READY)
		return false;
	struct commit_request *request = commit_list_take(&queue->group);
	bool rejected = commit_request_reject_items(request);

	commit_list_append(&queue->group, request);
	return rejected;
}

static enum status take_results(struct commit_queue *queue, struct pg_query_result *result,
				int64_t now_ms)
{
	enum status status = queue->sent_ordinary
				     ? commit_outcome_take_ordinary(result, &queue->group)
				     : commit_outcome_take(result, &queue->group, &queue->refusals,
							   now_ms + REFUSALS_MS);

	pg_result_free(result);
	queue->prepared_anew = false;
	if (!queue->sent_ordinary)
		queue->refusals_sent = REFUSAL_TALLY_EMPTY;
	if (status == STATUS_OK && !queue->recently_used)
		remember_uses(queue, now_ms);
	return status;
}

static bool is_closed(const struct commit_queue *queue)
{
	return pg_state(queue->db) == PG_CLOSED;
}

static void fail_group(struct commit_queue *queue, enum status status, int64_t now_ms)
{
	commit_measure_outcome(&queue->measure, status, now_ms);
	if (status == STATUS_OUTCOME_UNKNOWN)
		queue->refusals_sent = REFUSAL_TALLY_EMPTY; /* better lost than counted twice */
	complete(queue, &queue->group, status);
	if (status == STATUS_READ_ONLY) {
		/* The server is a standby; the next connection may find the primary. */
		pg_drop(queue->db);
		connect_later(queue, status, now_ms);
	} else if (status == STATUS_CONFLICT && is_closed(queue)) {
		connect_later(queue, STATUS_UNAVAILABLE, now_ms);
	}
}

/* The statement's types were created anew, for example by a restore. Sends each request by itself
 * on the next connection; false if that was tried before. */
static bool prepare_anew(struct commit_queue *queue)
{
	if (queue->prepared_anew)
		return false;
	queue->prepared_anew = true;
	move_all(&queue->group, &queue->isolated);
	return true;
}

/* Ends the statement: hands the group back, or sends it again, whole or in parts. */
static void end_group(struct commit_queue *queue, enum status status,
		      struct pg_query_result *result, int64_t now_ms)
{
	commit_measure_ended(&queue->measure, queue->group.requests);
	if (status == STATUS_OK)
		status = take_results(queue, result, now_ms);
	bool refused =
		queue->sent_ordinary && (status == STATUS_AGAIN || status == STATUS_NOT_UNIQUE);
	if (status == STATUS_OK) {
		commit_measure_outcome(&queue->measure, STATUS_OK, now_ms);
		move_all(&queue->group, &queue->completed);
	} else if (refused) {
		note_not_ordinary(queue, status);
		send_group(queue, now_ms);
	} else if (is_worth_retrying(queue, status)) {
		queue->retries++;
		send_group(queue, now_ms);
	} else if (status == STATUS_CONFLICT && is_closed(queue) && prepare_anew(queue)) {
		return;
	} else if (is_about_data(queue, status) && queue->group.requests > 1) {
		move_all(&queue->group, &queue->isolated);
	} else if (status == STATUS_INVALID_VALUE && reject_items(queue)) {
		send_group(queue, now_ms);
	} else {
		fail_group(queue, status, now_ms);
	}
}

/* Reads what the server sent, or finds that it is gone. */
static void take_events(struct commit_queue *queue, int64_t now_ms)
{
	struct pg_query_result result = {0};
	enum pg_state before = pg_state(queue->db);
	enum status status = pg_step(queue->db, &result);

	if (status == STATUS_AGAIN)
		return;
	if (before == PG_CONNECTING)
		end_connecting(queue, status, now_ms);
	else if (before == PG_BUSY)
		end_group(queue, status, &result, now_ms);
}

static void enforce_deadline(struct commit_queue *queue, int64_t now_ms)
{
	enum pg_state state = pg_state(queue->db);

	if ((state != PG_CONNECTING && state != PG_BUSY) || now_ms < queue->deadline_ms)
		return;
	log_event(LOG_LEVEL_ERROR, "the database did not answer in time",
		  LOG_TEXT("during", state == PG_BUSY ? "statement" : "connect"),
		  LOG_INT("requests", queue->group.requests));
	pg_drop(queue->db);
	if (state == PG_CONNECTING)
		end_connecting(queue, STATUS_DEADLINE, now_ms);
	else
		/* The statement may still be committed by a server that we no longer hear. */
		end_group(queue, STATUS_OUTCOME_UNKNOWN, NULL, now_ms);
}

int64_t commit_queue_wake_ms(const struct commit_queue *queue)
{
	int64_t wake_ms = least(queue->waiting.earliest_ms, queue->isolated.earliest_ms);

	switch (pg_state(queue->db)) {
	case PG_CONNECTING:
	case PG_BUSY:
		return least(wake_ms, queue->deadline_ms);
	case PG_CLOSED:
		return least(wake_ms, queue->connect_ms);
	case PG_READY:
	default:
		if (queue->waiting.first != NULL || queue->isolated.first != NULL)
			return 0; /* added since the last step */
		return least(wake_ms, queue->refusals.due_ms);
	}
}

struct commit_request *commit_queue_step(struct commit_queue *queue, bool ready, int64_t now_ms)
{
	if (ready)
		take_events(queue, now_ms);
	enforce_deadline(queue, now_ms);
	expire(queue, &queue->waiting, now_ms);
	expire(queue, &queue->isolated, now_ms);
	if (pg_state(queue->db) == PG_CLOSED && now_ms >= queue->connect_ms)
		start_connecting(queue, now_ms);
	if (pg_state(queue->db) == PG_CLOSED)
		fail_unsent(queue);
	if (pg_state(queue->db) == PG_READY && queue->group.first == NULL) {
		form_group(queue, now_ms);
		if (queue->group.first != NULL || refusals_are_due(queue, now_ms))
			send_group(queue, now_ms);
	}
	struct commit_request *completed = queue->completed.first;
	queue->completed = COMMIT_LIST_EMPTY;
	return completed;
}

/* ---- one statement, waiting for it ---- */

static enum status send_and_wait(struct commit_statement *statement, struct pg_connection *db,
				 struct commit_list *requests, const struct refusal_tally *to_store,
				 struct refusal_tally *refusals, int64_t deadline_ms)
{
	enum status status = commit_statement_send(statement, db, requests, to_store, false);

	return status == STATUS_OK ? commit_outcome_await(db, requests, refusals, deadline_ms)
				   : status;
}

/* A statement without requests. */
static void store_refusals(struct commit_statement *statement, struct pg_connection *db,
			   const struct refusal_tally *refusals, int64_t deadline_ms)
{
	struct commit_list no_requests = COMMIT_LIST_EMPTY;
	struct refusal_tally none = REFUSAL_TALLY_EMPTY;

	if (refusals->count > 0 &&
	    send_and_wait(statement, db, &no_requests, refusals, &none, deadline_ms) != STATUS_OK)
		log_event(LOG_LEVEL_WARNING, "could not store counts of refused requests",
			  LOG_INT("keys", refusals->count));
}

void commit_queue_flush_counts(struct commit_queue *queue)
{
	int64_t deadline_ms = clock_now_ms() + FLUSH_MS;

	if (pg_state(queue->db) == PG_READY)
		store_refusals(queue->statement, queue->db, &queue->refusals_sent, deadline_ms);
	if (pg_state(queue->db) == PG_READY)
		store_refusals(queue->statement, queue->db, &queue->refusals, deadline_ms);
}

static enum status run_request(struct commit_statement *statement, struct pg_connection *db,
			       struct commit_request *request, struct refusal_tally *refusals,
			       int64_t deadline_ms)
{
	struct commit_list list = COMMIT_LIST_EMPTY;

	commit_list_append(&list, request);
	return send_and_wait(statement, db, &list, NULL, refusals, deadline_ms);
}

enum status commit_run(struct pg_connection *db, struct commit_request *request,
		       int64_t deadline_ms)
{
	struct commit_statement *statement = NULL;
	struct refusal_tally refusals = REFUSAL_TALLY_EMPTY;
	enum status status = commit_statement_open(&statement);

	if (status == STATUS_OK)
		status = run_request(statement, db, request, &refusals, deadline_ms);
	if (status == STATUS_INVALID_VALUE && commit_request_reject_items(request))
		status = run_request(statement, db, request, &refusals, deadline_ms);
	if (status == STATUS_OK)
		store_refusals(statement, db, &refusals, deadline_ms);
	commit_statement_close(statement);
	return status;
}
