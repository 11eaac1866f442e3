/*
 * commit/group.c - the life of a group: who is sent with whom, how often, and who is told what. See
 * commit/queue_internal.h; the statement is commit/statement's.
 */
#include <string.h>

#include "base/log.h"
#include "commit/outcome.h"
#include "commit/queue_internal.h"

enum {
	GROUP_ROWS_MAX = 5000, /* however few their bytes, because others wait for them */
	REFUSALS_MS = 10000    /* between reports of refusals, at least */
};

static const char LOCKED[] = "55P03"; /* lock_not_available: lock_timeout */

static void move_all(struct commit_list *from, struct commit_list *to)
{
	while (from->first != NULL)
		commit_list_append(to, commit_list_take(from));
}

/* ---- forming and sending ---- */

/* True if the request's deadline is so near that it could end the statement of the others. */
static bool is_late(const struct commit_queue *queue, const struct commit_request *request,
		    int64_t now_ms)
{
	const struct config *config = queue->config;

	return request->deadline_ms - now_ms <
	       clock_earlier(config->database_timeout_ms, config->request_timeout_ms / 2);
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
	return queue->recently_used && queue->refusals_sent.count == 0 &&
	       commit_statement_is_ordinary(&queue->group);
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

/* The database has stored nothing, and takes the group by the other statement, with addresses. If
 * the group has one key and no visitors, the key is the cause: it has networks, say, or its
 * organization a limit. */
static void note_not_ordinary(struct commit_queue *queue, enum status status)
{
	bool visitors = queue->sent_ordinary && commit_statement_has_visitors(&queue->group);

	queue->not_ordinary = true;
	if (status == STATUS_AGAIN && is_of_one_key(&queue->group) && !visitors)
		last_used_mark_special(&queue->last_used, &queue->group.first->key_hash);
}

/* Of a request that is to come again with another template nothing was noted. */
static void remember_uses(struct commit_queue *queue, int64_t now_ms)
{
	for (const struct commit_request *request = queue->group.first; request != NULL;
	     request = request->queue.next) {
		if (request->out.status == STATUS_ACCEPTED && request->out.template.p == NULL)
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
	bool special = queue->not_ordinary || any_is_special(queue);

	queue->recently_used = is_recently_used(queue, now_ms);
	queue->sent_ordinary = !special && is_ordinary(queue);
	enum status status =
		queue->sent_ordinary
			? commit_statement_send_ordinary(queue->statement, queue->db, &queue->group)
			: commit_statement_send(
				  queue->statement, queue->db, &queue->group,
				  queue->refusals_sent.count == 0 ? NULL : &queue->refusals_sent,
				  queue->recently_used, special);

	commit_queue_limit(queue, now_ms,
			   clock_earlier(now_ms + queue->config->database_timeout_ms,
					 queue->group.earliest_ms));
	commit_measure_sent(&queue->measure);
	if (status != STATUS_OK)
		commit_queue_complete(queue, &queue->group, status);
}

void commit_group_depart(struct commit_queue *queue, int64_t now_ms)
{
	form_group(queue, now_ms);
	if (queue->group.first != NULL || refusals_are_due(queue, now_ms))
		send_group(queue, now_ms);
}

/* ---- ending ---- */

static bool waited_for_lock(const struct commit_queue *queue, enum status status)
{
	return status == STATUS_DEADLINE && strcmp(pg_sqlstate(queue->db), LOCKED) == 0;
}

/* True if the rows of one request can have failed the whole group: by SQLSTATE class 22, 23 or 54,
 * or by waiting for another transaction's lock. */
static bool is_about_data(const struct commit_queue *queue, enum status status)
{
	return status == STATUS_INVALID_VALUE || status == STATUS_CONSTRAINT ||
	       status == STATUS_NOT_UNIQUE || waited_for_lock(queue, status);
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

	queue->prepared_anew = false;
	if (!queue->sent_ordinary && status != STATUS_AGAIN)
		queue->refusals_sent = REFUSAL_TALLY_EMPTY;
	if (status == STATUS_OK && !queue->recently_used)
		remember_uses(queue, now_ms);
	return status;
}

static bool is_closed(const struct commit_queue *queue)
{
	return pg_state(queue->db) == PG_CLOSED;
}

void commit_group_fail(struct commit_queue *queue, enum status status, int64_t now_ms)
{
	commit_measure_outcome(&queue->measure, status, now_ms);
	if (status == STATUS_OUTCOME_UNKNOWN)
		queue->refusals_sent = REFUSAL_TALLY_EMPTY; /* better lost than counted twice */
	commit_queue_complete(queue, &queue->group, status);
	if (status == STATUS_READ_ONLY) {
		/* The server is a standby; the next connection may find the primary. */
		pg_avoid_host(queue->db);
		pg_drop(queue->db);
		commit_health_connect_later(queue, status, now_ms);
	} else if (status == STATUS_CONFLICT && is_closed(queue)) {
		commit_health_connect_later(queue, STATUS_UNAVAILABLE, now_ms);
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

/* A lock may be one request's, such as that of another delivery with its id, or everybody's. */
static void judge_health(struct commit_queue *queue, enum status status, int64_t now_ms)
{
	if (waited_for_lock(queue, status) ||
	    (status == STATUS_OUTCOME_UNKNOWN && !is_closed(queue)))
		commit_health_doubt(queue, now_ms);
	else if (status == STATUS_DEADLINE)
		commit_health_hang(queue, now_ms);
}

/* The server has ended it at its limit, or just before; it may not be sent again there. */
static void end_cancelled(struct commit_queue *queue, enum status status,
			  struct pg_query_result *result, int64_t now_ms)
{
	if (status == STATUS_OK)
		status = take_results(queue, result, now_ms);
	pg_result_free(result);
	if (status == STATUS_OK) {
		commit_measure_outcome(&queue->measure, STATUS_OK, now_ms);
		move_all(&queue->group, &queue->completed);
	} else {
		commit_group_fail(
			queue, status == STATUS_OUTCOME_UNKNOWN ? status : STATUS_DEADLINE, now_ms);
	}
	pg_drop(queue->db);
}

void commit_group_end_known(struct commit_queue *queue, enum status status,
			    struct pg_query_result *result, int64_t now_ms)
{
	if (status == STATUS_OK)
		status = take_results(queue, result, now_ms);
	pg_result_free(result);
	judge_health(queue, status, now_ms);
	bool refused = (status == STATUS_AGAIN && !queue->not_ordinary) ||
		       (status == STATUS_NOT_UNIQUE && queue->sent_ordinary);
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
		commit_group_fail(queue, status, now_ms);
	}
}

void commit_group_send_again(struct commit_queue *queue, int64_t now_ms)
{
	if (queue->retries++ < COMMIT_RETRIES_MAX)
		send_group(queue, now_ms);
	else
		commit_group_fail(queue, STATUS_UNAVAILABLE, now_ms);
}

void commit_group_end(struct commit_queue *queue, enum status status,
		      struct pg_query_result *result, int64_t now_ms)
{
	commit_measure_ended(&queue->measure, queue->group.requests);
	if (queue->cancelled)
		end_cancelled(queue, status, result, now_ms);
	else if (status != STATUS_OUTCOME_UNKNOWN || !commit_resolve_keep(queue, result, now_ms))
		commit_group_end_known(queue, status, result, now_ms);
}
