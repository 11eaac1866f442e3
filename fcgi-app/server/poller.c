/*
 * server/poller.c - see server/poller.h.
 *
 * epoll(7) rather than poll(2), which is passed all descriptors on every call and wakes all workers
 * for each connection.
 */
#define _GNU_SOURCE /* epoll is Linux's */
#include "server/poller.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { EVENTS_MAX = 128 }; /* per wait; the rest is reported by the next one */

struct poller {
	int epoll, listening;
	bool listens; /* the listening socket is in the set */
	int database; /* in the set, with these events; -1: none */
	short database_events;
	size_t count, next; /* events: how many, and which poller_next looks at next */
	bool accept_ready, database_ready;
	struct epoll_event events[EVENTS_MAX];
};

enum status poller_open(struct poller **poller, int listening)
{
	struct poller *made = calloc(1, sizeof(*made));

	*poller = made;
	if (made == NULL)
		return STATUS_NO_MEMORY;
	made->listening = listening;
	made->database = -1;
	made->epoll = epoll_create1(EPOLL_CLOEXEC);
	return made->epoll >= 0 ? STATUS_OK : STATUS_BUSY;
}

void poller_close(struct poller *poller)
{
	if (poller == NULL)
		return;
	if (poller->epoll >= 0)
		(void)close(poller->epoll);
	free(poller);
}

enum status poller_set_listening(struct poller *poller, bool wanted)
{
	struct epoll_event event = {.events = EPOLLIN | EPOLLEXCLUSIVE,
				    .data.ptr = &poller->listening};

	if (wanted == poller->listens)
		return STATUS_OK;
	if (epoll_ctl(poller->epoll, wanted ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, poller->listening,
		      &event) != 0)
		return STATUS_NO_MEMORY;
	poller->listens = wanted;
	return STATUS_OK;
}

/* A closed descriptor has left the set, and its number may belong to another one by now. */
static enum status set(struct poller *poller, int fd, struct epoll_event *event)
{
	if (epoll_ctl(poller->epoll, EPOLL_CTL_MOD, fd, event) == 0 ||
	    (errno == ENOENT && epoll_ctl(poller->epoll, EPOLL_CTL_ADD, fd, event) == 0))
		return STATUS_OK;
	return STATUS_NO_MEMORY;
}

static uint32_t epoll_events(short events)
{
	return (events & POLLIN ? (uint32_t)EPOLLIN : 0) |
	       (events & POLLOUT ? (uint32_t)EPOLLOUT : 0);
}

enum status poller_set_database(struct poller *poller, int fd, short events, bool changed)
{
	struct epoll_event event = {.events = epoll_events(events), .data.ptr = &poller->database};

	if (fd == poller->database && events == poller->database_events && !changed)
		return STATUS_OK;
	poller->database = -1;
	if (fd >= 0 && set(poller, fd, &event) != STATUS_OK)
		return STATUS_NO_MEMORY;
	poller->database = fd;
	poller->database_events = events;
	return STATUS_OK;
}

enum status poller_arm(struct poller *poller, int fd, short events, void *owner)
{
	struct epoll_event event = {.events = epoll_events(events) | EPOLLONESHOT,
				    .data.ptr = owner};

	return set(poller, fd, &event);
}

void poller_remove(struct poller *poller, int fd)
{
	(void)epoll_ctl(poller->epoll, EPOLL_CTL_DEL, fd, NULL);
}

void poller_wait(struct poller *poller, int64_t timeout_ms, const sigset_t *blocked)
{
	int timeout = timeout_ms < 0 ? -1 : timeout_ms > INT_MAX ? INT_MAX : (int)timeout_ms;
	int count = epoll_pwait(poller->epoll, poller->events, EVENTS_MAX, timeout, blocked);

	poller->count = count > 0 ? (size_t)count : 0;
	poller->next = 0;
	poller->accept_ready = poller->database_ready = false;
	for (size_t i = 0; i < poller->count; i++) {
		poller->accept_ready |= poller->events[i].data.ptr == &poller->listening;
		poller->database_ready |= poller->events[i].data.ptr == &poller->database;
	}
}

void *poller_next(struct poller *poller)
{
	while (poller->next < poller->count) {
		void *owner = poller->events[poller->next++].data.ptr;
		if (owner != &poller->listening && owner != &poller->database)
			return owner;
	}
	return NULL;
}

bool poller_accept_ready(const struct poller *poller)
{
	return poller->accept_ready;
}

bool poller_database_ready(const struct poller *poller)
{
	return poller->database_ready;
}
