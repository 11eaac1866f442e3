/*
 * commit/queue.c - the queue of requests and the life of a group. See commit/queue.h; the statement
 * itself and its encoding are in commit/statement.c.
 *
 * A group is sent as soon as none is in flight, so a lone request waits for nobody and under load
 * groups form while the one before commits.
 */
#include "commit/queue.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "key/random.h"
#include "commit/last_used.h"

enum {
	RETRIES_MAX = 2,	/* after a serialization failure, deadlock or refusal */
	BACKOFF_FIRST_MS = 100, /* between attempts to connect, doubling … */
	BACKOFF_LAST_MS = 5000, /* … up to this, each with jitter */
	GROUP_ROWS_MAX = 5000,	/* more would take long for the others, however few the bytes */
	REFUSALS_MS = 10000,	/* refusals are written down at most so often */
	FAREWELL_MS = 1000
};

struct commit_queue {
	const struct config *config;
	struct pg_connection *db;
	struct commit_statement *statement;
	struct commit_list open;       /* waiting to be sent */
	struct commit_list flight;     /* sent, not answered by the server */
	struct commit_list alone;      /* refused together: to be sent one by one */
	struct commit_list finished;   /* to be handed back by commit_queue_step */
	struct refusal_tally refusals; /* counted since the last time */
	struct refusal_tally noted;    /* sent with the flight, until it has arrived */
	struct last_used last_used;
	bool recently_used; /* the flight was sent as one of keys whose last use is noted */
	int retries;
	int64_t deadline_ms; /* of what is under way: connecting or a statement */
	int64_t connect_ms;  /* not before this time */
	int64_t backoff_ms;  /* 0 while the last connection worked */
};

static void move_all(struct commit_list *from, struct commit_list *to)
{
	while (from->first != NULL)
		commit_list_append(to, commit_list_take(from));
}

static void finish(struct commit_queue *queue, struct commit_list *list, enum status status)
{
	while (list->first != NULL) {
		struct commit_request *request = commit_list_take(list);
		request->status = status;
		commit_list_append(&queue->finished, request);
	}
}

/* ---- opening and closing ---- */

enum status commit_queue_open(struct commit_queue **queue, const struct config *config)
{
	static const struct pg_statement *const prepare[] = {&commit_statement_sql};
	struct pg_options options = {.conninfo = config->database,
				     .application_name = "sluice-intake",
				     .prepare = prepare,
				     .prepare_count = config->prepared_statements ? 1 : 0};
	struct commit_queue *made = calloc(1, sizeof(*made));

	*queue = made;
	if (made == NULL)
		return STATUS_NO_MEMORY;
	made->config = config;
	made->open = made->flight = made->alone = made->finished = COMMIT_LIST_EMPTY;
	made->refusals = made->noted = REFUSAL_TALLY_EMPTY;
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
	queue->open = queue->flight = queue->alone = queue->finished = COMMIT_LIST_EMPTY;
}

void commit_queue_add(struct commit_queue *queue, struct commit_request *request)
{
	commit_list_append(&queue->open, request);
}

size_t commit_queue_pending(const struct commit_queue *queue)
{
	return queue->open.requests + queue->flight.requests + queue->alone.requests;
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

/* ---- connecting ---- */

/* Equal workers that lost the same server must not come back all at once. */
static int64_t jitter(int64_t ms)
{
	uint32_t random = 0;

	if (random_bytes(&random, sizeof(random)) != STATUS_OK)
		return ms;
	return ms / 2 + (int64_t)(random % (uint64_t)(ms + 1));
}

static void connect_later(struct commit_queue *queue, int64_t now_ms)
{
	queue->backoff_ms = queue->backoff_ms == 0 ? BACKOFF_FIRST_MS : queue->backoff_ms * 2;
	if (queue->backoff_ms > BACKOFF_LAST_MS)
		queue->backoff_ms = BACKOFF_LAST_MS;
	queue->connect_ms = now_ms + jitter(queue->backoff_ms);
}

/* Nobody waits for a server that is not there. */
static void fail_waiting(struct commit_queue *queue, enum status status)
{
	finish(queue, &queue->alone, status);
	finish(queue, &queue->open, status);
}

static void start_connecting(struct commit_queue *queue, int64_t now_ms)
{
	enum status status = pg_start_connect(queue->db);

	queue->deadline_ms = now_ms + queue->config->connect_timeout_ms;
	if (status != STATUS_OK) {
		connect_later(queue, now_ms);
		fail_waiting(queue, status);
	}
}

static void end_connecting(struct commit_queue *queue, enum status status, int64_t now_ms)
{
	if (status == STATUS_OK) {
		log_event(LOG_LEVEL_INFO, "connected to the database",
			  LOG_INT("waiting", commit_queue_pending(queue)));
		queue->backoff_ms = 0;
		return;
	}
	connect_later(queue, now_ms);
	fail_waiting(queue, status);
}

/* Those whose time is over before they were sent: certainly nothing of them is stored. */
static void expire(struct commit_queue *queue, struct commit_list *list, int64_t now_ms)
{
	struct commit_list rest = COMMIT_LIST_EMPTY;

	if (now_ms < list->earliest_ms)
		return;
	while (list->first != NULL) {
		struct commit_request *request = commit_list_take(list);
		if (request->deadline_ms <= now_ms) {
			request->status = STATUS_DEADLINE;
			commit_list_append(&queue->finished, request);
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

/* Whether so little time is left that the request's deadline could end the flight of others. */
static bool is_late(const struct commit_queue *queue, const struct commit_request *request,
		    int64_t now_ms)
{
	const struct config *config = queue->config;

	return request->deadline_ms - now_ms <
	       least(config->database_timeout_ms, config->request_timeout_ms / 2);
}

/* Whether the flight takes one request more. */
static bool fits(const struct commit_queue *queue, const struct commit_request *request,
		 int64_t now_ms)
{
	const struct commit_list *flight = &queue->flight;

	if (flight->first == NULL)
		return true;
	return flight->requests < (size_t)queue->config->group_requests &&
	       flight->rows + flight->rejects + commit_request_items(request) +
			       commit_request_rejects(request) <=
		       GROUP_ROWS_MAX &&
	       flight->bytes + commit_request_bytes(request) <=
		       (size_t)queue->config->group_bytes &&
	       !is_late(queue, flight->first, now_ms) && !is_late(queue, request, now_ms);
}

/* Fills the flight: first those that must go alone, then the open group. */
static void board(struct commit_queue *queue, int64_t now_ms)
{
	if (queue->alone.first != NULL)
		commit_list_append(&queue->flight, commit_list_take(&queue->alone));
	else
		while (queue->open.first != NULL && fits(queue, queue->open.first, now_ms))
			commit_list_append(&queue->flight, commit_list_take(&queue->open));
	queue->retries = 0;
}

static bool must_note_refusals(const struct commit_queue *queue, int64_t now_ms)
{
	return now_ms >= queue->refusals.due_ms;
}

static bool are_recently_used(const struct commit_queue *queue, int64_t now_ms)
{
	for (const struct commit_request *m = queue->flight.first; m != NULL; m = m->next) {
		if (!last_used_is_noted(&queue->last_used, &m->key_hash, now_ms))
			return false;
	}
	return true;
}

/* The flight has arrived: what it was the first use of for some time was written down with it. */
static void remember_uses(struct commit_queue *queue, int64_t now_ms)
{
	for (const struct commit_request *m = queue->flight.first; m != NULL; m = m->next) {
		if (m->status == STATUS_ACCEPTED)
			last_used_note(&queue->last_used, &m->key_hash, now_ms);
	}
}

/* Refusals that are due go along; a flight may have no other requests. */
static void depart(struct commit_queue *queue, int64_t now_ms)
{
	if (queue->noted.count == 0 && must_note_refusals(queue, now_ms)) {
		queue->noted = queue->refusals;
		queue->refusals = REFUSAL_TALLY_EMPTY;
	}
	queue->recently_used = are_recently_used(queue, now_ms);
	enum status status = commit_statement_send(queue->statement, queue->db, &queue->flight,
						   queue->noted.count == 0 ? NULL : &queue->noted,
						   queue->recently_used);

	queue->deadline_ms =
		least(now_ms + queue->config->database_timeout_ms, queue->flight.earliest_ms);
	if (status != STATUS_OK)
		finish(queue, &queue->flight, status);
}

/* Whether another request's rows may be the cause: SQLSTATE classes 22, 23 and 54. */
static bool is_about_data(enum status status)
{
	return status == STATUS_INVALID_VALUE || status == STATUS_CONSTRAINT ||
	       status == STATUS_NOT_UNIQUE;
}

/*
 * Whether the same may go well the next time. A refusal (23514) of a lone request, too: a row that
 * was on its way to the default partition while its day's was attached.
 */
static bool is_worth_retrying(const struct commit_queue *queue, enum status status)
{
	return status == STATUS_CONFLICT ||
	       (status == STATUS_CONSTRAINT && queue->flight.requests == 1);
}

/* Whether what was refused, which is alone in the flight, goes once more: to be kept. */
static bool keep_refused(struct commit_queue *queue)
{
	struct commit_request *request = commit_list_take(&queue->flight);
	bool again = pg_state(queue->db) == PG_READY && commit_request_keep_as_rejects(request);

	commit_list_append(&queue->flight, request);
	return again;
}

static void arrive(struct commit_queue *queue, enum status status, struct pg_result *result,
		   int64_t now_ms)
{
	if (status == STATUS_OK) {
		status = commit_statement_results(result, &queue->flight, &queue->refusals,
						  now_ms + REFUSALS_MS);
		pg_result_free(result);
		queue->noted = REFUSAL_TALLY_EMPTY;
		if (status == STATUS_OK) {
			if (!queue->recently_used)
				remember_uses(queue, now_ms);
			move_all(&queue->flight, &queue->finished);
			return;
		}
	}
	if (is_worth_retrying(queue, status) && queue->retries < RETRIES_MAX &&
	    pg_state(queue->db) == PG_READY) {
		queue->retries++;
		depart(queue, now_ms);
		return;
	}
	if (is_about_data(status) && queue->flight.requests > 1) {
		move_all(&queue->flight, &queue->alone);
		return;
	}
	if (status == STATUS_INVALID_VALUE && queue->flight.requests == 1 && keep_refused(queue)) {
		depart(queue, now_ms);
		return;
	}
	if (status == STATUS_OUTCOME_UNKNOWN)
		queue->noted = REFUSAL_TALLY_EMPTY; /* rather not counted than counted twice */
	finish(queue, &queue->flight, status);
	if (status == STATUS_READ_ONLY) {
		/* A standby, or no longer the primary: another connection may find that. */
		pg_drop(queue->db);
		connect_later(queue, now_ms);
	}
}

/* Reads what the server sent, or notices that it is gone. */
static void take_events(struct commit_queue *queue, int64_t now_ms)
{
	struct pg_result result = {0};
	enum pg_state before = pg_state(queue->db);
	enum status status = pg_step(queue->db, &result);

	if (status == STATUS_AGAIN)
		return;
	if (before == PG_CONNECTING)
		end_connecting(queue, status, now_ms);
	else if (before == PG_BUSY)
		arrive(queue, status, &result, now_ms);
}

static void enforce_deadline(struct commit_queue *queue, int64_t now_ms)
{
	enum pg_state state = pg_state(queue->db);

	if ((state != PG_CONNECTING && state != PG_BUSY) || now_ms < queue->deadline_ms)
		return;
	log_event(LOG_LEVEL_ERROR, "the database did not answer in time",
		  LOG_TEXT("during", state == PG_BUSY ? "statement" : "connect"),
		  LOG_INT("requests", queue->flight.requests));
	pg_drop(queue->db);
	if (state == PG_CONNECTING)
		end_connecting(queue, STATUS_DEADLINE, now_ms);
	else
		/* The statement may still be committed by a server that we no longer hear. */
		arrive(queue, STATUS_OUTCOME_UNKNOWN, NULL, now_ms);
}

int64_t commit_queue_wake_ms(const struct commit_queue *queue)
{
	int64_t wake_ms = least(queue->open.earliest_ms, queue->alone.earliest_ms);

	switch (pg_state(queue->db)) {
	case PG_CONNECTING:
	case PG_BUSY:
		return least(wake_ms, queue->deadline_ms);
	case PG_CLOSED:
		return least(wake_ms, queue->connect_ms);
	case PG_READY:
	default:
		if (queue->open.first != NULL || queue->alone.first != NULL)
			return 0; /* added since the last turn */
		return least(wake_ms, queue->refusals.due_ms);
	}
}

struct commit_request *commit_queue_step(struct commit_queue *queue, bool ready, int64_t now_ms)
{
	if (ready)
		take_events(queue, now_ms);
	enforce_deadline(queue, now_ms);
	expire(queue, &queue->open, now_ms);
	expire(queue, &queue->alone, now_ms);
	if (pg_state(queue->db) == PG_CLOSED) {
		if (now_ms >= queue->connect_ms)
			start_connecting(queue, now_ms);
		else
			fail_waiting(queue, STATUS_UNAVAILABLE);
	}
	if (pg_state(queue->db) == PG_READY && queue->flight.first == NULL) {
		board(queue, now_ms);
		if (queue->flight.first != NULL || must_note_refusals(queue, now_ms))
			depart(queue, now_ms);
	}
	struct commit_request *finished = queue->finished.first;
	queue->finished = COMMIT_LIST_EMPTY;
	return finished;
}

static enum status run_once(struct commit_statement *statement, struct pg_connection *db,
			    struct commit_list *list, const struct refusal_tally *noted,
			    struct refusal_tally *refusals, int64_t deadline_ms)
{
	enum status status = commit_statement_send(statement, db, list, noted, false);

	return status == STATUS_OK ? commit_statement_await(db, list, refusals, deadline_ms)
				   : status;
}

/* A statement without requests. */
static void note(struct commit_statement *statement, struct pg_connection *db,
		 const struct refusal_tally *refusals, int64_t deadline_ms)
{
	struct commit_list nobody = COMMIT_LIST_EMPTY;
	struct refusal_tally none = REFUSAL_TALLY_EMPTY;

	if (refusals->count > 0 &&
	    run_once(statement, db, &nobody, refusals, &none, deadline_ms) != STATUS_OK)
		log_event(LOG_LEVEL_WARNING, "could not write refusals down",
			  LOG_INT("keys", refusals->count));
}

void commit_queue_flush_counts(struct commit_queue *queue)
{
	if (pg_state(queue->db) == PG_READY)
		note(queue->statement, queue->db, &queue->refusals, clock_now_ms() + FAREWELL_MS);
}

static enum status run_member(struct commit_statement *statement, struct pg_connection *db,
			      struct commit_request *request, struct refusal_tally *refusals,
			      int64_t deadline_ms)
{
	struct commit_list list = COMMIT_LIST_EMPTY;

	commit_list_append(&list, request);
	return run_once(statement, db, &list, NULL, refusals, deadline_ms);
}

enum status commit_run(struct pg_connection *db, struct commit_request *request,
		       int64_t deadline_ms)
{
	struct commit_statement *statement = NULL;
	struct refusal_tally refusals = REFUSAL_TALLY_EMPTY;
	enum status status = commit_statement_open(&statement);

	if (status == STATUS_OK)
		status = run_member(statement, db, request, &refusals, deadline_ms);
	if (status == STATUS_INVALID_VALUE && commit_request_keep_as_rejects(request))
		status = run_member(statement, db, request, &refusals, deadline_ms);
	if (status == STATUS_OK)
		note(statement, db, &refusals, deadline_ms);
	commit_statement_close(statement);
	return status;
}
