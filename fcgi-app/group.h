/*
 * group.h - rows waiting for a commit, the group in flight, and who gets which result.
 *
 * The one place where requests meet: members that have arrived form a group, and a group is one
 * statement and one transaction. While it is in flight the next one forms by itself; there is no
 * timer. Members share a transaction but not a fate: when PostgreSQL refuses a group for its
 * data, its members are run one by one.
 *
 * Knows signals and the database function; nothing of HTTP, bodies or sockets.
 */
#ifndef GROUP_H
#define GROUP_H

#include "config.h"
#include "db.h"
#include "group_statement.h"

struct group_queue;

/* STATUS_OK or STATUS_NO_MEMORY. The configuration must outlive the queue. */
enum status group_open(struct group_queue **queue, const struct config *config) MUST_CHECK;
void group_close(struct group_queue *queue); /* NULL is allowed */

/* In a forked child: forgets members and connection without touching the parent's. */
void group_abandon(struct group_queue *queue);

/* ---- the loop's side ---- */

/* Appends a member to the open group. It must stay where it is until it comes back. */
void group_add(struct group_queue *queue, struct group_member *member);

/* How many members wait or are in flight. */
size_t group_pending(const struct group_queue *queue);

/* Whether an answer of the database is awaited. */
bool group_is_in_flight(const struct group_queue *queue);

/* What to poll for; events 0 and fd -1 when there is nothing. */
int group_fd(const struct group_queue *queue);
short group_events(const struct group_queue *queue);

/* The time of db_now_ms() at which group_turn has something to do, INT64_MAX for never. */
int64_t group_wake_ms(const struct group_queue *queue);

/*
 * Does what can be done without waiting: takes a result (when ready says that the descriptor has
 * events), enforces deadlines, reconnects with back-off, sends the open group if none is in
 * flight. Returns the members that are finished, in order, linked by next; NULL when none.
 */
struct group_member *group_turn(struct group_queue *queue, bool ready, int64_t now_ms);

/* Before the worker ends, when nothing is pending: writes down what was counted since the last
 * time, if that is soon done. */
void group_farewell(struct group_queue *queue);

/* True when the worker has a usable connection: for the health check. */
bool group_is_connected(const struct group_queue *queue);

/* ---- one request by itself: children and plain CGI ---- */

/*
 * Runs one member's rows as one statement on a connection of the caller's and waits. Outside a
 * transaction block the rows are committed on return. member->status and results are set. Returns
 * STATUS_OK when the statement ran (whatever member->status says), else the failure. A refusal of a
 * known key is written down by a statement of its own, whose failure is of no account.
 */
enum status group_run(struct db *db, struct group_member *member, int64_t deadline_ms) MUST_CHECK;

#endif
