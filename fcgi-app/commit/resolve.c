/*
 * commit/resolve.c - what became of a group whose connection was lost during its commit. See
 * commit/queue_internal.h.
 *
 * The group's result comes before its commit, with the id of the transaction and its start. So the
 * next connection can ask for it: rows that are there are committed, wherever the connection leads.
 * That they are not says something on the same server only. Without the result, or an answer in
 * time, the outcome stays unknown.
 */
#include <string.h>

#include "base/log.h"
#include "base/stats.h"
#include "commit/queue_internal.h"

enum { PAUSE_MS = 20 }; /* while the commit goes on */

/* Of sluice.intake_commit_status(). */
enum { SERVER, STARTED, STATUS, COLUMNS };

#define COLUMN_NAMES "server, started, status"

const struct pg_statement commit_resolve_greeting = {
	.name = "greeting",
	.sql = "SELECT " COLUMN_NAMES " FROM sluice.intake_commit_status()",
	.binary = true,
	.columns = COLUMNS,
	.rows = 1,
};

static const struct pg_statement question = {
	.name = "commit_status",
	.sql = "SELECT " COLUMN_NAMES
	       " FROM sluice.intake_commit_status($1::xid8, $2::timestamptz)",
	.param_count = 2,
	.binary = true,
	.columns = COLUMNS,
	.rows = 1,
};

bool commit_resolve_is_pending(const struct commit_queue *queue)
{
	return queue->unresolved.result.pg != NULL;
}

/* "" if there is no value, or one that is too long. */
static void copy_value(char *text, size_t size, struct slice value)
{
	size_t n = value.n < size ? value.n : 0;

	if (n > 0)
		memcpy(text, value.p, n);
	text[n] = '\0';
}

/* The next connection overwrites what the lost one said of its server. Behind a pooler the group
 * may have gone to another one, which then is not the same as the next. */
static void keep_server(struct commit_queue *queue)
{
	const struct pg_query_result *greeting = pg_greeting(queue->db);
	struct slice started = pg_result_value(greeting, 0, STARTED);

	copy_value(queue->unresolved.server, sizeof(queue->unresolved.server),
		   pg_result_value(greeting, 0, SERVER));
	if (started.n == sizeof(queue->unresolved.started))
		memcpy(queue->unresolved.started, started.p, started.n);
}

bool commit_resolve_keep(struct commit_queue *queue, struct pg_query_result *result, int64_t now_ms)
{
	if (result->pg == NULL || queue->group.first == NULL || now_ms >= queue->group.earliest_ms)
		return false;
	queue->unresolved.result = *result;
	result->pg = NULL;
	keep_server(queue);
	queue->unresolved.ask_ms = now_ms;
	queue->unresolved.deadline_ms = queue->group.earliest_ms;
	queue->connect_ms = now_ms;
	return true;
}

/* ---- asking ---- */

/* Ends with what the group's result says. */
static void take_result(struct commit_queue *queue, int64_t now_ms)
{
	struct pg_query_result result = queue->unresolved.result;

	queue->unresolved.result.pg = NULL;
	commit_group_end_known(queue, STATUS_OK, &result, now_ms);
}

static void give_up(struct commit_queue *queue, int64_t now_ms)
{
	pg_result_free(&queue->unresolved.result);
	log_event(LOG_LEVEL_ERROR, "it is unknown whether a group was committed",
		  LOG_INT("requests", queue->group.requests));
	commit_group_fail(queue, STATUS_OUTCOME_UNKNOWN, now_ms);
}

void commit_resolve_ask(struct commit_queue *queue, int64_t now_ms)
{
	const struct pg_query_result *result = &queue->unresolved.result;
	pg_param params[] = {pg_result_value(result, 0, COMMIT_XACT),
			     pg_result_value(result, 0, COMMIT_NOW)};

	if (now_ms < queue->unresolved.ask_ms)
		return;
	if (params[0].p == NULL) { /* nothing was written */
		take_result(queue, now_ms);
		return;
	}
	if (pg_send(queue->db, &question, params) != STATUS_OK)
		return; /* the connection is lost */
	queue->unresolved.asking = true;
	commit_queue_limit(queue, now_ms, queue->unresolved.deadline_ms);
}

static bool is_same_server(const struct commit_queue *queue, const struct pg_query_result *answer)
{
	struct slice server = pg_result_value(answer, 0, SERVER);
	struct slice started = {queue->unresolved.started, sizeof(queue->unresolved.started)};

	return slice_equal(pg_result_value(answer, 0, STARTED), started) ||
	       (server.n > 0 && slice_equal(server, slice_of(queue->unresolved.server)));
}

static void take_answer(struct commit_queue *queue, const struct pg_query_result *answer,
			int64_t now_ms)
{
	struct slice status = pg_result_value(answer, 0, STATUS);
	bool same = is_same_server(queue, answer);

	if (slice_equal(status, SLICE("committed"))) {
		stats_add(&stats_mine()->resolved_commits, 1);
		log_event(LOG_LEVEL_INFO, "a group was committed before its connection was lost",
			  LOG_INT("requests", queue->group.requests));
		take_result(queue, now_ms);
	} else if (same && slice_equal(status, SLICE("aborted"))) {
		stats_add(&stats_mine()->resolved_commits, 1);
		log_event(LOG_LEVEL_INFO, "a group was not committed: it is sent again",
			  LOG_INT("requests", queue->group.requests));
		pg_result_free(&queue->unresolved.result);
		commit_group_send_again(queue, now_ms);
	} else if (same && slice_equal(status, SLICE("in progress"))) {
		queue->unresolved.ask_ms = now_ms + PAUSE_MS;
	} else {
		give_up(queue, now_ms);
	}
}

void commit_resolve_answered(struct commit_queue *queue, enum status status,
			     const struct pg_query_result *result, int64_t now_ms)
{
	queue->unresolved.asking = false;
	if (status == STATUS_OK)
		take_answer(queue, result, now_ms);
	else if (pg_state(queue->db) != PG_CLOSED)
		give_up(queue, now_ms);
}

void commit_resolve_expire(struct commit_queue *queue, int64_t now_ms)
{
	if (!commit_resolve_is_pending(queue) || now_ms < queue->unresolved.deadline_ms)
		return;
	if (queue->unresolved.asking) {
		commit_health_hang(queue, now_ms);
		pg_drop(queue->db);
		queue->unresolved.asking = false;
	}
	give_up(queue, now_ms);
}

int64_t commit_resolve_wake_ms(const struct commit_queue *queue)
{
	if (!commit_resolve_is_pending(queue))
		return INT64_MAX;
	return pg_state(queue->db) == PG_READY
		       ? clock_earlier(queue->unresolved.ask_ms, queue->unresolved.deadline_ms)
		       : queue->unresolved.deadline_ms;
}
