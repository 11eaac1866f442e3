/*
 * server/poller.h - what the worker's loop waits for: new connections, the database, and requests
 * that are not all there yet.
 *
 * Over epoll(7): of several workers that wait only one is woken up for a new connection, and most
 * requests, which arrive in one piece, are never waited for. Knows nothing of what arrives.
 */
#ifndef SERVER_POLLER_H
#define SERVER_POLLER_H

#include <signal.h>

#include "base/slice.h"
#include "base/status.h"

struct poller;

/* Watches nothing yet. STATUS_OK, STATUS_NO_MEMORY, or STATUS_BUSY for want of a descriptor. */
enum status poller_open(struct poller **poller, int listening) MUST_CHECK;
void poller_close(struct poller *poller); /* NULL is allowed; also for a forked child's copy */

/* Whether new connections are wanted. STATUS_OK or STATUS_NO_MEMORY: then as before. */
enum status poller_listening(struct poller *poller, bool wanted) MUST_CHECK;

/* The database's socket (-1: none) and poll(2)'s events for it. changed: it may be another socket
 * although it has the same number. STATUS_OK or STATUS_NO_MEMORY. */
enum status poller_database(struct poller *poller, int fd, short events, bool changed) MUST_CHECK;

/*
 * Watches a request's connection until it is ready for reading or writing (POLLIN or POLLOUT),
 * once: then poller_next returns its owner, and it is to be watched again if need be. STATUS_OK or
 * STATUS_NO_MEMORY.
 */
enum status poller_request(struct poller *poller, int fd, short events, void *owner) MUST_CHECK;

/* Before the descriptor is closed while another process keeps a copy of it. */
void poller_forget(struct poller *poller, int fd);

/* Waits until something is ready, the time is over (milliseconds; negative: it never is) or one of
 * the signals that are not blocked has come. */
void poller_wait(struct poller *poller, int64_t timeout_ms, const sigset_t *blocked);

/* Of what was ready: the next request's owner, NULL behind the last; the two others. */
void *poller_next(struct poller *poller);
bool poller_connection_came(const struct poller *poller);
bool poller_database_ready(const struct poller *poller);

#endif
