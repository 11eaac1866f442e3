/*
 * commit/queue.h - rows waiting for a commit, the group in flight, and who gets which result.
 *
 * The one place where requests meet: requests that have arrived form a group, and a group is one
 * statement and one transaction. While it is in flight the next one forms by itself; there is no
 * timer. Requests share a transaction but not a fate: when PostgreSQL refuses a group for its
 * data, its requests are run one by one.
 *
 * Knows signals and the database function; nothing of HTTP, bodies or sockets.
 */
#ifndef COMMIT_QUEUE_H
#define COMMIT_QUEUE_H

#include "commit/statement.h"
#include "config/config.h"
#include "pg/connection.h"

struct commit_queue;

/* STATUS_OK or STATUS_NO_MEMORY. The configuration must outlive the queue. */
enum status commit_queue_open(struct commit_queue **queue, const struct config *config) MUST_CHECK;
void commit_queue_close(struct commit_queue *queue); /* NULL is allowed */

/* In a forked child: forgets requests and connection without touching the parent's. */
void commit_queue_abandon(struct commit_queue *queue);

/* ---- the loop's side ---- */

/* Appends a request to the open group. It must stay where it is until it comes back. */
void commit_queue_add(struct commit_queue *queue, struct commit_request *request);

/* How many requests wait or are in flight. */
size_t commit_queue_pending(const struct commit_queue *queue);

/* Whether an answer of the database is awaited. */
bool commit_queue_is_in_flight(const struct commit_queue *queue);

/* What to poll for; events 0 and fd -1 when there is nothing. */
int commit_queue_fd(const struct commit_queue *queue);
short commit_queue_events(const struct commit_queue *queue);

/* The time of clock_now_ms() at which commit_queue_step has something to do, INT64_MAX for never.
 */
int64_t commit_queue_wake_ms(const struct commit_queue *queue);

/*
 * Does what can be done without waiting: takes a result (when ready says that the descriptor has
 * events), enforces deadlines, reconnects with back-off, sends the open group if none is in
 * flight. Returns the requests that are finished, in order, linked by next; NULL when none.
 */
struct commit_request *commit_queue_step(struct commit_queue *queue, bool ready, int64_t now_ms);

/* Before the worker ends, when nothing is pending: writes down what was counted since the last
 * time, if that is soon done. */
void commit_queue_flush_counts(struct commit_queue *queue);

/* True when the worker has a usable connection: for the health check. */
bool commit_queue_is_connected(const struct commit_queue *queue);

/* ---- one request by itself: children and plain CGI ---- */

/*
 * Runs one request's rows as one statement on a connection of the caller's and waits. Outside a
 * transaction block the rows are committed on return. request->status and results are set. Returns
 * STATUS_OK when the statement ran (whatever request->status says), else the failure. A refusal of
 * a known key is written down by a statement of its own, whose failure is of no account.
 */
enum status commit_run(struct pg_connection *db, struct commit_request *request,
		       int64_t deadline_ms) MUST_CHECK;

#endif
