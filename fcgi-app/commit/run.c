/*
 * commit/run.c - one statement, waiting for it: for a child, plain CGI, and the end of a worker.
 * See commit/queue.h.
 */
#include "base/clock.h"
#include "base/log.h"
#include "commit/outcome.h"
#include "commit/queue_internal.h"

enum { FLUSH_MS = 1000 }; /* for the last statement of a worker */

static enum status send_and_wait(struct commit_statement *statement, struct pg_connection *db,
				 struct commit_list *requests, const struct refusal_tally *to_store,
				 struct refusal_tally *refusals, int64_t deadline_ms)
{
	enum status status = commit_statement_send(statement, db, requests, to_store, false, true);

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

enum status commit_try_database(const struct config *config, struct buf *cause)
{
	struct pg_options options = commit_queue_options(config);

	options.quiet = true;
	return pg_try(&options, clock_now_ms() + config->request_timeout_ms, cause);
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
