/*
 * watch.c - epoll(7) for the loop. See watch.h.
 *
 * poll(2) would be told of the same descriptors in each turn, and would wake all workers up for
 * each connection, most of them for nothing.
 */
#define _GNU_SOURCE /* epoll is Linux's */
#include "watch.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { EVENTS_MAX = 128 }; /* in one turn; the others are there in the next one */

struct watch {
	int epoll, listening;
	bool listens; /* the listening socket is in the set */
	int database; /* in the set, with these events; -1: none is */
	short database_events;
	size_t count, next; /* of the events: how many there are / were returned */
	bool connection_came, database_ready;
	struct epoll_event events[EVENTS_MAX];
};

enum status watch_open(struct watch **watch, int listening)
{
	struct watch *made = calloc(1, sizeof(*made));

	*watch = made;
	if (made == NULL)
		return STATUS_NO_MEMORY;
	made->listening = listening;
	made->database = -1;
	made->epoll = epoll_create1(EPOLL_CLOEXEC);
	return made->epoll >= 0 ? STATUS_OK : STATUS_BUSY;
}

void watch_close(struct watch *watch)
{
	if (watch == NULL)
		return;
	if (watch->epoll >= 0)
		(void)close(watch->epoll);
	free(watch);
}

enum status watch_listening(struct watch *watch, bool wanted)
{
	struct epoll_event event = {.events = EPOLLIN | EPOLLEXCLUSIVE,
				    .data.ptr = &watch->listening};

	if (wanted == watch->listens)
		return STATUS_OK;
	if (epoll_ctl(watch->epoll, wanted ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, watch->listening,
		      &event) != 0)
		return STATUS_NO_MEMORY;
	watch->listens = wanted;
	return STATUS_OK;
}

/* A closed descriptor has left the set by itself, and another may have its number since. */
static enum status set(struct watch *watch, int fd, struct epoll_event *event)
{
	if (epoll_ctl(watch->epoll, EPOLL_CTL_MOD, fd, event) == 0 ||
	    (errno == ENOENT && epoll_ctl(watch->epoll, EPOLL_CTL_ADD, fd, event) == 0))
		return STATUS_OK;
	return STATUS_NO_MEMORY;
}

static uint32_t epoll_events(short events)
{
	return (events & POLLIN ? (uint32_t)EPOLLIN : 0) |
	       (events & POLLOUT ? (uint32_t)EPOLLOUT : 0);
}

enum status watch_database(struct watch *watch, int fd, short events, bool changed)
{
	struct epoll_event event = {.events = epoll_events(events), .data.ptr = &watch->database};

	if (fd == watch->database && events == watch->database_events && !changed)
		return STATUS_OK;
	watch->database = -1;
	if (fd >= 0 && set(watch, fd, &event) != STATUS_OK)
		return STATUS_NO_MEMORY;
	watch->database = fd;
	watch->database_events = events;
	return STATUS_OK;
}

enum status watch_request(struct watch *watch, int fd, short events, void *owner)
{
	struct epoll_event event = {.events = epoll_events(events) | EPOLLONESHOT,
				    .data.ptr = owner};

	return set(watch, fd, &event);
}

void watch_forget(struct watch *watch, int fd)
{
	(void)epoll_ctl(watch->epoll, EPOLL_CTL_DEL, fd, NULL);
}

void watch_wait(struct watch *watch, int64_t timeout_ms, const sigset_t *blocked)
{
	int timeout = timeout_ms < 0 ? -1 : timeout_ms > INT_MAX ? INT_MAX : (int)timeout_ms;
	int count = epoll_pwait(watch->epoll, watch->events, EVENTS_MAX, timeout, blocked);

	watch->count = count > 0 ? (size_t)count : 0;
	watch->next = 0;
	watch->connection_came = watch->database_ready = false;
	for (size_t i = 0; i < watch->count; i++) {
		watch->connection_came |= watch->events[i].data.ptr == &watch->listening;
		watch->database_ready |= watch->events[i].data.ptr == &watch->database;
	}
}

void *watch_next(struct watch *watch)
{
	while (watch->next < watch->count) {
		void *owner = watch->events[watch->next++].data.ptr;
		if (owner != &watch->listening && owner != &watch->database)
			return owner;
	}
	return NULL;
}

bool watch_connection_came(const struct watch *watch)
{
	return watch->connection_came;
}

bool watch_database_ready(const struct watch *watch)
{
	return watch->database_ready;
}
