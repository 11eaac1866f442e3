/*
 * commit/queue.c - the queue of requests and its turns. See commit/queue.h; a group's life is in
 * group.c.
 *
 * A group is sent as soon as none is in flight. So a lone request waits for no other, and under
 * load a group forms while the previous one commits.
 */
#include "commit/queue.h"

#include <stdlib.h>

#include "base/log.h"
#include "base/stats.h"
#include "commit/queue_internal.h"

enum { GRACE_MS = 500 }; /* for what is cancelled to end */

void commit_queue_complete(struct commit_queue *queue, struct commit_list *list, enum status status)
{
	while (list->first != NULL) {
		struct commit_request *request = commit_list_take(list);
		request->out.status = status;
		commit_list_append(&queue->completed, request);
	}
}

/* ---- opening and closing ---- */

struct pg_options commit_queue_options(const struct config *config)
{
	static const struct pg_statement *const prepare[] = {&commit_statement_ordinary,
							     &commit_statement_any};

	return (struct pg_options){
		.conninfo = config->database,
		.host_timeout_ms = config->connect_timeout_ms,
		.application_name = "sluice-intake",
		.greeting = &commit_resolve_greeting,
		.early_results = true,
		.prepare = prepare,
		.prepare_count = config->prepared_statements ? (int)ARRAY_LENGTH(prepare) : 0};
}

enum status commit_queue_open(struct commit_queue **queue, const struct config *config)
{
	struct pg_options options = commit_queue_options(config);
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
	pg_result_free(&queue->unresolved.result);
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
	if (queue->redirected && pg_state(queue->db) == PG_CONNECTING)
		return STATUS_OK;
	if (!commit_queue_is_connected(queue))
		return queue->outage == STATUS_OK ? STATUS_UNAVAILABLE : queue->outage;
	if (queue->health != COMMIT_SOUND)
		return STATUS_DEADLINE;
	if (pg_is_read_only(queue->db))
		return STATUS_READ_ONLY;
	return commit_measure_trouble(&queue->measure, now_ms);
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

/* ---- deadlines ---- */

void commit_queue_limit(struct commit_queue *queue, int64_t now_ms, int64_t deadline_ms)
{
	int64_t quarter_ms = (deadline_ms - now_ms) / 4;

	queue->cancelled = false;
	queue->deadline_ms = deadline_ms;
	queue->limit_ms = deadline_ms - clock_earlier(GRACE_MS, quarter_ms);
}

/* Reads what the server sent, or finds that it is gone. */
static void take_events(struct commit_queue *queue, int64_t now_ms)
{
	struct pg_query_result result = {0};
	enum pg_state before = pg_state(queue->db);
	enum status status = pg_step(queue->db, &result);

	if (status == STATUS_AGAIN)
		return;
	if (before == PG_CONNECTING) {
		commit_health_connected(queue, status, now_ms);
	} else if (before == PG_BUSY && queue->probing) {
		pg_result_free(&result);
		commit_health_probed(queue, status, now_ms);
		if (queue->cancelled)
			pg_drop(queue->db);
	} else if (before == PG_BUSY && queue->unresolved.asking) {
		commit_resolve_answered(queue, status, &result, now_ms);
		pg_result_free(&result);
		if (queue->cancelled)
			pg_drop(queue->db);
	} else if (before == PG_BUSY) {
		commit_group_end(queue, status, &result, now_ms);
	}
}

static void end_overdue_connecting(struct commit_queue *queue, int64_t now_ms)
{
	log_event(LOG_LEVEL_ERROR, "the database did not answer in time",
		  LOG_TEXT("during", "connect"));
	enum status status = pg_give_up_host(queue->db);
	if (status == STATUS_OK)
		queue->deadline_ms = now_ms + queue->config->connect_timeout_ms;
	else
		commit_health_connected(queue, status, now_ms);
}

/* Its outcome is awaited, so that its senders can be told. */
static void cancel(struct commit_queue *queue, int64_t now_ms)
{
	if (!queue->probing)
		log_event(LOG_LEVEL_ERROR, "the database did not answer in time",
			  LOG_TEXT("during", "statement"),
			  LOG_INT("requests", queue->group.requests));
	queue->cancelled = true;
	stats_add(&stats_mine()->cancelled_statements, 1);
	pg_cancel(queue->db);
	commit_health_hang(queue, now_ms);
}

static void enforce_deadlines(struct commit_queue *queue, int64_t now_ms)
{
	enum pg_state state = pg_state(queue->db);

	if (state == PG_CONNECTING && now_ms >= queue->deadline_ms) {
		end_overdue_connecting(queue, now_ms);
	} else if (state == PG_BUSY && now_ms >= queue->deadline_ms) {
		if (queue->probing) {
			commit_health_probe_overdue(queue, now_ms);
			return;
		}
		commit_health_hang(queue, now_ms);
		pg_drop(queue->db);
		/* It may still be committed by a server that we no longer hear. */
		struct pg_query_result none = {0};
		commit_group_end(queue, STATUS_OUTCOME_UNKNOWN, &none, now_ms);
	} else if (state == PG_BUSY && now_ms >= queue->limit_ms && !queue->cancelled) {
		cancel(queue, now_ms);
	}
}

static bool is_overdue(const struct commit_queue *queue, int64_t now_ms)
{
	enum pg_state state = pg_state(queue->db);

	return (state == PG_CONNECTING && now_ms >= queue->deadline_ms) ||
	       (state == PG_BUSY && now_ms >= queue->limit_ms);
}

/* ---- turns ---- */

static int64_t busy_wake_ms(const struct commit_queue *queue)
{
	return queue->cancelled ? queue->deadline_ms : queue->limit_ms;
}

int64_t commit_queue_wake_ms(const struct commit_queue *queue)
{
	int64_t wake_ms = clock_earlier(queue->waiting.earliest_ms, queue->isolated.earliest_ms);
	wake_ms = clock_earlier(wake_ms, commit_resolve_wake_ms(queue));
	bool has_work = queue->waiting.first != NULL || queue->isolated.first != NULL;

	if (has_work && queue->health == COMMIT_HUNG)
		return 0; /* added since the last step: to be refused */
	switch (pg_state(queue->db)) {
	case PG_CONNECTING:
		return has_work && queue->backoff_ms > 0
			       ? 0
			       : clock_earlier(wake_ms, queue->deadline_ms);
	case PG_BUSY:
		return clock_earlier(wake_ms, busy_wake_ms(queue));
	case PG_CLOSED:
		return clock_earlier(wake_ms, queue->connect_ms);
	case PG_READY:
	default:
		if (commit_resolve_is_pending(queue))
			return wake_ms;
		if (queue->health != COMMIT_SOUND)
			return clock_earlier(wake_ms, queue->probe_ms);
		if (has_work)
			return 0; /* added since the last step */
		return clock_earlier(wake_ms, queue->refusals.due_ms);
	}
}

/* With a connection, and nothing in flight. */
static void send_next(struct commit_queue *queue, int64_t now_ms)
{
	if (queue->health == COMMIT_SOUND)
		commit_group_depart(queue, now_ms);
	else
		commit_health_probe(queue, now_ms);
}

struct commit_request *commit_queue_step(struct commit_queue *queue, bool ready, int64_t now_ms)
{
	/* The process may have been stopped while the answer came. */
	if (ready || (is_overdue(queue, now_ms) && pg_has_events(queue->db)))
		take_events(queue, now_ms);
	commit_resolve_expire(queue, now_ms);
	enforce_deadlines(queue, now_ms);
	expire(queue, &queue->waiting, now_ms);
	expire(queue, &queue->isolated, now_ms);
	if (!pg_is_for(queue->db, queue->config->database))
		commit_health_follow(queue, now_ms);
	if (pg_state(queue->db) == PG_CLOSED && now_ms >= queue->connect_ms)
		commit_health_connect(queue, now_ms);
	commit_health_refuse(queue);
	if (pg_state(queue->db) == PG_READY && commit_resolve_is_pending(queue))
		commit_resolve_ask(queue, now_ms);
	else if (pg_state(queue->db) == PG_READY && queue->group.first == NULL)
		send_next(queue, now_ms);
	struct commit_request *completed = queue->completed.first;
	queue->completed = COMMIT_LIST_EMPTY;
	return completed;
}
