/*
 * server/poller.h - what the event loop waits for: new connections, the database, and requests
 * whose input or output is incomplete.
 *
 * Over epoll(7): of several waiting workers only one is woken for a new connection, and a request
 * that arrives in one piece, as most do, is never added. Knows nothing of what arrives.
 */
#ifndef SERVER_POLLER_H
#define SERVER_POLLER_H

#include <signal.h>

#include "base/slice.h"
#include "base/status.h"

struct poller;

/* An empty set. STATUS_OK, STATUS_NO_MEMORY, or STATUS_BUSY without a free descriptor. */
enum status poller_open(struct poller **poller, int listening) MUST_CHECK;
void poller_close(struct poller *poller); /* NULL is allowed; also for a forked child's copy */

/* Whether to wait for new connections. STATUS_OK, or STATUS_NO_MEMORY: nothing has changed. */
enum status poller_set_listening(struct poller *poller, bool wanted) MUST_CHECK;

/* The database's socket (-1: none) and poll(2)'s events to wait for. changed: it may be another
 * socket with the same number. STATUS_OK or STATUS_NO_MEMORY. */
enum status poller_set_database(struct poller *poller, int fd, short events,
				bool changed) MUST_CHECK;

/*
 * Waits for a request's connection to become readable or writable (POLLIN or POLLOUT), once: when
 * poller_next() has returned its owner, it must be armed again. STATUS_OK or STATUS_NO_MEMORY.
 */
enum status poller_arm(struct poller *poller, int fd, short events, void *owner) MUST_CHECK;

/* Needed before closing a descriptor of which another process has a copy: closing it would leave
 * it in the set. */
void poller_remove(struct poller *poller, int fd);

/* Waits for an event, for timeout_ms (negative: no time-out), or for a signal that is not in
 * blocked. */
void poller_wait(struct poller *poller, int64_t timeout_ms, const sigset_t *blocked);

/* What the last wait found: the owner of the next request that is ready, NULL after the last; and
 * the two others. */
void *poller_next(struct poller *poller);
bool poller_accept_ready(const struct poller *poller);
bool poller_database_ready(const struct poller *poller);

#endif
