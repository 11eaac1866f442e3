/*
 * commit/queue.h - group commit: requests that have arrived together are one statement and one
 * transaction.
 *
 * The one place where requests meet. While a group is in flight the next one forms by itself, so
 * there is no timer. Requests share a transaction but not a fate: when a group fails for its data,
 * its requests are sent one by one.
 *
 * Knows signals and the database function; nothing of HTTP, bodies or sockets.
 */
#ifndef COMMIT_QUEUE_H
#define COMMIT_QUEUE_H

#include "commit/request.h"
#include "config/config.h"
#include "pg/connection.h"

struct commit_queue;

/* How often a commit is retried after a failure that may not come again. */
enum { COMMIT_RETRIES_MAX = 2 };

/* STATUS_OK or STATUS_NO_MEMORY. Connects to nothing yet. The configuration must outlive the queue.
 * Its database may become another text: then the queue goes there once nothing is in flight. */
enum status commit_queue_open(struct commit_queue **queue, const struct config *config) MUST_CHECK;

/* Closes the connection and forgets its requests without handing them back; NULL is allowed. */
void commit_queue_close(struct commit_queue *queue);

/* In a forked child: forgets requests and connection; the parent's are unharmed. */
void commit_queue_abandon(struct commit_queue *queue);

/* ---- for the event loop ---- */

/* Queues a request, which must stay where it is until commit_queue_step() hands it back. */
void commit_queue_add(struct commit_queue *queue, struct commit_request *request);

/* How many requests wait or are in flight. */
size_t commit_queue_pending(const struct commit_queue *queue);

/* True while the database owes an answer to a statement. */
bool commit_queue_is_in_flight(const struct commit_queue *queue);

/* What to poll for: as pg_fd() and pg_events(). */
int commit_queue_fd(const struct commit_queue *queue);
short commit_queue_events(const struct commit_queue *queue);

/* When commit_queue_step() has something to do even without events: a time of clock_now_ms(), in
 * the past for at once, INT64_MAX for never. */
int64_t commit_queue_wake_ms(const struct commit_queue *queue);

/*
 * Does what can be done without waiting: takes a result (when ready says that the descriptor has
 * events), enforces deadlines, reconnects with back-off, sends the next group if none is in flight.
 * Returns the completed requests in order, linked by queue.next; NULL when there are none.
 */
struct commit_request *commit_queue_step(struct commit_queue *queue, bool ready, int64_t now_ms);

/* Before the worker ends, when nothing is pending: stores the refusals counted since they were last
 * stored. Waits a second at most. */
void commit_queue_flush_counts(struct commit_queue *queue);

/* True when the worker has a usable connection. */
bool commit_queue_is_connected(const struct commit_queue *queue);

/* STATUS_OK when a commit can be expected to succeed; else what is in its way. A failure of ours is
 * held against the next ten seconds, or until a group is committed. */
enum status commit_queue_readiness(const struct commit_queue *queue, int64_t now_ms);

/* ---- for a child or plain CGI ---- */

/* Whether a worker could use config->database. Waits. As pg_try(). */
enum status commit_try_database(const struct config *config, struct buf *cause) MUST_CHECK;

/*
 * Runs one request's rows as one statement on the caller's connection and waits. Outside a
 * transaction block they are committed on return. STATUS_OK when the statement ran; then
 * request->out says what became of the request. Else the failure, as pg_run(). A refusal of a known
 * key is counted by a statement of its own, whose failure is logged but not returned.
 */
enum status commit_run(struct pg_connection *db, struct commit_request *request,
		       int64_t deadline_ms) MUST_CHECK;

#endif
