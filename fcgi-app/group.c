/*
 * group.c - the queue of members and the life of a group. See group.h; the statement itself and
 * its encoding are in group_statement.c.
 *
 * A group is sent as soon as none is in flight, so a lone request waits for nobody and under load
 * groups form while the one before commits.
 */
#include "group.h"

#include <stdlib.h>

#include "credential.h"
#include "key_use.h"
#include "log.h"

enum {
	RETRIES_MAX = 2,	/* after a serialization failure, deadlock or refusal */
	BACKOFF_FIRST_MS = 100, /* between attempts to connect, doubling … */
	BACKOFF_LAST_MS = 5000, /* … up to this, each with jitter */
	GROUP_ROWS_MAX = 5000,	/* more would take long for the others, however few the bytes */
	REFUSALS_MS = 10000,	/* refusals are written down at most so often */
	FAREWELL_MS = 1000
};

struct group_queue {
	const struct config *config;
	struct db *db;
	struct group_statement *statement;
	struct group_list open;	       /* waiting to be sent */
	struct group_list flight;      /* sent, not answered by the server */
	struct group_list alone;       /* refused together: to be sent one by one */
	struct group_list finished;    /* to be handed back by group_turn */
	struct refusal_tally refusals; /* counted since the last time */
	struct refusal_tally noted;    /* sent with the flight, until it has arrived */
	struct key_use key_use;
	bool recently_used; /* the flight was sent as one of keys whose last use is noted */
	int retries;
	int64_t deadline_ms; /* of what is under way: connecting or a statement */
	int64_t connect_ms;  /* not before this time */
	int64_t backoff_ms;  /* 0 while the last connection worked */
};

static void move_all(struct group_list *from, struct group_list *to)
{
	while (from->first != NULL)
		group_list_append(to, group_list_take(from));
}

static void finish(struct group_queue *queue, struct group_list *list, enum status status)
{
	while (list->first != NULL) {
		struct group_member *member = group_list_take(list);
		member->status = status;
		group_list_append(&queue->finished, member);
	}
}

/* ---- opening and closing ---- */

enum status group_open(struct group_queue **queue, const struct config *config)
{
	static const struct db_statement *const prepare[] = {&group_statement_sql};
	struct db_options options = {.conninfo = config->database,
				     .application_name = "sluice-intake",
				     .prepare = prepare,
				     .prepare_count = config->prepared_statements ? 1 : 0};
	struct group_queue *made = calloc(1, sizeof(*made));

	*queue = made;
	if (made == NULL)
		return STATUS_NO_MEMORY;
	made->config = config;
	made->open = made->flight = made->alone = made->finished = GROUP_LIST_EMPTY;
	made->refusals = made->noted = REFUSAL_TALLY_EMPTY;
	enum status status = db_open(&made->db, &options);
	if (status == STATUS_OK)
		status = group_statement_open(&made->statement);
	if (status != STATUS_OK) {
		group_close(made);
		*queue = NULL;
	}
	return status;
}

void group_close(struct group_queue *queue)
{
	if (queue == NULL)
		return;
	db_close(queue->db);
	group_statement_close(queue->statement);
	free(queue);
}

void group_abandon(struct group_queue *queue)
{
	db_abandon(queue->db);
	queue->open = queue->flight = queue->alone = queue->finished = GROUP_LIST_EMPTY;
}

void group_add(struct group_queue *queue, struct group_member *member)
{
	group_list_append(&queue->open, member);
}

size_t group_pending(const struct group_queue *queue)
{
	return queue->open.members + queue->flight.members + queue->alone.members;
}

bool group_is_in_flight(const struct group_queue *queue)
{
	return db_state(queue->db) == DB_BUSY;
}

int group_fd(const struct group_queue *queue)
{
	return db_fd(queue->db);
}

short group_events(const struct group_queue *queue)
{
	return db_events(queue->db);
}

bool group_is_connected(const struct group_queue *queue)
{
	enum db_state state = db_state(queue->db);

	return state == DB_READY || state == DB_BUSY;
}

/* ---- connecting ---- */

/* Equal workers that lost the same server must not come back all at once. */
static int64_t jitter(int64_t ms)
{
	uint32_t random = 0;

	if (credential_random(&random, sizeof(random)) != STATUS_OK)
		return ms;
	return ms / 2 + (int64_t)(random % (uint64_t)(ms + 1));
}

static void connect_later(struct group_queue *queue, int64_t now_ms)
{
	queue->backoff_ms = queue->backoff_ms == 0 ? BACKOFF_FIRST_MS : queue->backoff_ms * 2;
	if (queue->backoff_ms > BACKOFF_LAST_MS)
		queue->backoff_ms = BACKOFF_LAST_MS;
	queue->connect_ms = now_ms + jitter(queue->backoff_ms);
}

/* Nobody waits for a server that is not there. */
static void fail_waiting(struct group_queue *queue, enum status status)
{
	finish(queue, &queue->alone, status);
	finish(queue, &queue->open, status);
}

static void start_connecting(struct group_queue *queue, int64_t now_ms)
{
	enum status status = db_start_connect(queue->db);

	queue->deadline_ms = now_ms + queue->config->connect_timeout_ms;
	if (status != STATUS_OK) {
		connect_later(queue, now_ms);
		fail_waiting(queue, status);
	}
}

static void end_connecting(struct group_queue *queue, enum status status, int64_t now_ms)
{
	if (status == STATUS_OK) {
		log_event(LOG_LEVEL_INFO, "connected to the database",
			  LOG_INT("waiting", group_pending(queue)));
		queue->backoff_ms = 0;
		return;
	}
	connect_later(queue, now_ms);
	fail_waiting(queue, status);
}

/* Those whose time is over before they were sent: certainly nothing of them is stored. */
static void expire(struct group_queue *queue, struct group_list *list, int64_t now_ms)
{
	struct group_list rest = GROUP_LIST_EMPTY;

	if (now_ms < list->earliest_ms)
		return;
	while (list->first != NULL) {
		struct group_member *member = group_list_take(list);
		if (member->deadline_ms <= now_ms) {
			member->status = STATUS_DEADLINE;
			group_list_append(&queue->finished, member);
		} else {
			group_list_append(&rest, member);
		}
	}
	*list = rest;
}

/* ---- a group's life ---- */

static int64_t least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* Whether so little time is left that the member's deadline could end the flight of others. */
static bool is_late(const struct group_queue *queue, const struct group_member *member,
		    int64_t now_ms)
{
	const struct config *config = queue->config;

	return member->deadline_ms - now_ms <
	       least(config->database_timeout_ms, config->request_timeout_ms / 2);
}

/* Whether the flight takes one member more. */
static bool fits(const struct group_queue *queue, const struct group_member *member, int64_t now_ms)
{
	const struct group_list *flight = &queue->flight;

	if (flight->first == NULL)
		return true;
	return flight->members < (size_t)queue->config->group_requests &&
	       flight->rows + flight->rejects + group_member_items(member) +
			       group_member_rejects(member) <=
		       GROUP_ROWS_MAX &&
	       flight->bytes + group_member_bytes(member) <= (size_t)queue->config->group_bytes &&
	       !is_late(queue, flight->first, now_ms) && !is_late(queue, member, now_ms);
}

/* Fills the flight: first those that must go alone, then the open group. */
static void board(struct group_queue *queue, int64_t now_ms)
{
	if (queue->alone.first != NULL)
		group_list_append(&queue->flight, group_list_take(&queue->alone));
	else
		while (queue->open.first != NULL && fits(queue, queue->open.first, now_ms))
			group_list_append(&queue->flight, group_list_take(&queue->open));
	queue->retries = 0;
}

static bool must_note_refusals(const struct group_queue *queue, int64_t now_ms)
{
	return now_ms >= queue->refusals.due_ms;
}

static bool are_recently_used(const struct group_queue *queue, int64_t now_ms)
{
	for (const struct group_member *m = queue->flight.first; m != NULL; m = m->next) {
		if (!key_use_is_noted(&queue->key_use, &m->key_hash, now_ms))
			return false;
	}
	return true;
}

/* The flight has arrived: what it was the first use of for some time was written down with it. */
static void remember_uses(struct group_queue *queue, int64_t now_ms)
{
	for (const struct group_member *m = queue->flight.first; m != NULL; m = m->next) {
		if (m->status == STATUS_ACCEPTED)
			key_use_note(&queue->key_use, &m->key_hash, now_ms);
	}
}

/* Refusals that are due go along; a flight may have no other members. */
static void depart(struct group_queue *queue, int64_t now_ms)
{
	if (queue->noted.count == 0 && must_note_refusals(queue, now_ms)) {
		queue->noted = queue->refusals;
		queue->refusals = REFUSAL_TALLY_EMPTY;
	}
	queue->recently_used = are_recently_used(queue, now_ms);
	enum status status = group_statement_send(queue->statement, queue->db, &queue->flight,
						  queue->noted.count == 0 ? NULL : &queue->noted,
						  queue->recently_used);

	queue->deadline_ms =
		least(now_ms + queue->config->database_timeout_ms, queue->flight.earliest_ms);
	if (status != STATUS_OK)
		finish(queue, &queue->flight, status);
}

/* Whether another member's rows may be the cause: SQLSTATE classes 22, 23 and 54. */
static bool is_about_data(enum status status)
{
	return status == STATUS_INVALID_VALUE || status == STATUS_REFUSED ||
	       status == STATUS_NOT_UNIQUE;
}

/*
 * Whether the same may go well the next time. A refusal (23514) of a lone member, too: a row that
 * was on its way to the default partition while its day's was attached.
 */
static bool is_worth_retrying(const struct group_queue *queue, enum status status)
{
	return status == STATUS_CONFLICT ||
	       (status == STATUS_REFUSED && queue->flight.members == 1);
}

/* Whether what was refused, which is alone in the flight, goes once more: to be kept. */
static bool keep_refused(struct group_queue *queue)
{
	struct group_member *member = group_list_take(&queue->flight);
	bool again = db_state(queue->db) == DB_READY && group_member_refuse(member);

	group_list_append(&queue->flight, member);
	return again;
}

static void arrive(struct group_queue *queue, enum status status, struct db_result *result,
		   int64_t now_ms)
{
	if (status == STATUS_OK) {
		status = group_statement_results(result, &queue->flight, &queue->refusals,
						 now_ms + REFUSALS_MS);
		db_result_free(result);
		queue->noted = REFUSAL_TALLY_EMPTY;
		if (status == STATUS_OK) {
			if (!queue->recently_used)
				remember_uses(queue, now_ms);
			move_all(&queue->flight, &queue->finished);
			return;
		}
	}
	if (is_worth_retrying(queue, status) && queue->retries < RETRIES_MAX &&
	    db_state(queue->db) == DB_READY) {
		queue->retries++;
		depart(queue, now_ms);
		return;
	}
	if (is_about_data(status) && queue->flight.members > 1) {
		move_all(&queue->flight, &queue->alone);
		return;
	}
	if (status == STATUS_INVALID_VALUE && queue->flight.members == 1 && keep_refused(queue)) {
		depart(queue, now_ms);
		return;
	}
	if (status == STATUS_OUTCOME_UNKNOWN)
		queue->noted = REFUSAL_TALLY_EMPTY; /* rather not counted than counted twice */
	finish(queue, &queue->flight, status);
	if (status == STATUS_READ_ONLY) {
		/* A standby, or no longer the primary: another connection may find that. */
		db_drop(queue->db);
		connect_later(queue, now_ms);
	}
}

/* Reads what the server sent, or notices that it is gone. */
static void take_events(struct group_queue *queue, int64_t now_ms)
{
	struct db_result result = {0};
	enum db_state before = db_state(queue->db);
	enum status status = db_step(queue->db, &result);

	if (status == STATUS_AGAIN)
		return;
	if (before == DB_CONNECTING)
		end_connecting(queue, status, now_ms);
	else if (before == DB_BUSY)
		arrive(queue, status, &result, now_ms);
}

static void enforce_deadline(struct group_queue *queue, int64_t now_ms)
{
	enum db_state state = db_state(queue->db);

	if ((state != DB_CONNECTING && state != DB_BUSY) || now_ms < queue->deadline_ms)
		return;
	log_event(LOG_LEVEL_ERROR, "the database did not answer in time",
		  LOG_TEXT("during", state == DB_BUSY ? "statement" : "connect"),
		  LOG_INT("members", queue->flight.members));
	db_drop(queue->db);
	if (state == DB_CONNECTING)
		end_connecting(queue, STATUS_DEADLINE, now_ms);
	else
		/* The statement may still be committed by a server that we no longer hear. */
		arrive(queue, STATUS_OUTCOME_UNKNOWN, NULL, now_ms);
}

int64_t group_wake_ms(const struct group_queue *queue)
{
	int64_t wake_ms = least(queue->open.earliest_ms, queue->alone.earliest_ms);

	switch (db_state(queue->db)) {
	case DB_CONNECTING:
	case DB_BUSY:
		return least(wake_ms, queue->deadline_ms);
	case DB_CLOSED:
		return least(wake_ms, queue->connect_ms);
	case DB_READY:
	default:
		if (queue->open.first != NULL || queue->alone.first != NULL)
			return 0; /* added since the last turn */
		return least(wake_ms, queue->refusals.due_ms);
	}
}

struct group_member *group_turn(struct group_queue *queue, bool ready, int64_t now_ms)
{
	if (ready)
		take_events(queue, now_ms);
	enforce_deadline(queue, now_ms);
	expire(queue, &queue->open, now_ms);
	expire(queue, &queue->alone, now_ms);
	if (db_state(queue->db) == DB_CLOSED) {
		if (now_ms >= queue->connect_ms)
			start_connecting(queue, now_ms);
		else
			fail_waiting(queue, STATUS_UNAVAILABLE);
	}
	if (db_state(queue->db) == DB_READY && queue->flight.first == NULL) {
		board(queue, now_ms);
		if (queue->flight.first != NULL || must_note_refusals(queue, now_ms))
			depart(queue, now_ms);
	}
	struct group_member *finished = queue->finished.first;
	queue->finished = GROUP_LIST_EMPTY;
	return finished;
}

static enum status run_once(struct group_statement *statement, struct db *db,
			    struct group_list *list, const struct refusal_tally *noted,
			    struct refusal_tally *refusals, int64_t deadline_ms)
{
	enum status status = group_statement_send(statement, db, list, noted, false);

	return status == STATUS_OK ? group_statement_await(db, list, refusals, deadline_ms)
				   : status;
}

/* A statement without members. */
static void note(struct group_statement *statement, struct db *db,
		 const struct refusal_tally *refusals, int64_t deadline_ms)
{
	struct group_list nobody = GROUP_LIST_EMPTY;
	struct refusal_tally none = REFUSAL_TALLY_EMPTY;

	if (refusals->count > 0 &&
	    run_once(statement, db, &nobody, refusals, &none, deadline_ms) != STATUS_OK)
		log_event(LOG_LEVEL_WARNING, "could not write refusals down",
			  LOG_INT("keys", refusals->count));
}

void group_farewell(struct group_queue *queue)
{
	if (db_state(queue->db) == DB_READY)
		note(queue->statement, queue->db, &queue->refusals, db_now_ms() + FAREWELL_MS);
}

static enum status run_member(struct group_statement *statement, struct db *db,
			      struct group_member *member, struct refusal_tally *refusals,
			      int64_t deadline_ms)
{
	struct group_list list = GROUP_LIST_EMPTY;

	group_list_append(&list, member);
	return run_once(statement, db, &list, NULL, refusals, deadline_ms);
}

enum status group_run(struct db *db, struct group_member *member, int64_t deadline_ms)
{
	struct group_statement *statement = NULL;
	struct refusal_tally refusals = REFUSAL_TALLY_EMPTY;
	enum status status = group_statement_open(&statement);

	if (status == STATUS_OK)
		status = run_member(statement, db, member, &refusals, deadline_ms);
	if (status == STATUS_INVALID_VALUE && group_member_refuse(member))
		status = run_member(statement, db, member, &refusals, deadline_ms);
	if (status == STATUS_OK)
		note(statement, db, &refusals, deadline_ms);
	group_statement_close(statement);
	return status;
}
