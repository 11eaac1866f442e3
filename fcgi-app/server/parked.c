/*
 * server/parked.c - see server/parked.h.
 */
#include "server/parked.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum status parked_pool_open(struct parked_pool *pool, size_t capacity)
{
	*pool = (struct parked_pool){.capacity = capacity};
	if (capacity == 0)
		return STATUS_OK;
	pool->all = calloc(capacity, sizeof(*pool->all));
	if (pool->all == NULL)
		return STATUS_NO_MEMORY;
	for (size_t i = capacity; i-- > 0;) {
		pool->all[i].next = pool->free;
		pool->free = &pool->all[i];
	}
	return STATUS_OK;
}

static void close_list(const struct parked_list *list)
{
	for (const struct parked *parked = list->first; parked != NULL; parked = parked->next)
		(void)close(parked->fd);
}

void parked_pool_close(struct parked_pool *pool)
{
	close_list(&pool->idle);
	close_list(&pool->called);
	free(pool->all);
	*pool = (struct parked_pool){0};
}

static void append(struct parked_list *list, struct parked *parked)
{
	parked->next = NULL;
	parked->before = list->last;
	if (list->last == NULL)
		list->first = parked;
	else
		list->last->next = parked;
	list->last = parked;
}

static void unlink_from(struct parked_list *list, struct parked *parked)
{
	if (parked->before == NULL)
		list->first = parked->next;
	else
		parked->before->next = parked->next;
	if (parked->next == NULL)
		list->last = parked->before;
	else
		parked->next->before = parked->before;
}

bool parked_has_room(const struct parked_pool *pool)
{
	return pool->free != NULL;
}

struct parked *parked_add(struct parked_pool *pool, int fd, int64_t now_ms)
{
	struct parked *parked = pool->free;

	pool->free = parked->next;
	pool->count++;
	parked->fd = fd;
	parked->since_ms = now_ms;
	parked->called_us = 0;
	append(&pool->idle, parked);
	return parked;
}

struct parked *parked_of(const struct parked_pool *pool, void *owner)
{
	uintptr_t first = (uintptr_t)pool->all, at = (uintptr_t)owner;

	return at >= first && at < first + pool->capacity * sizeof(*pool->all) ? owner : NULL;
}

void parked_call(struct parked_pool *pool, struct parked *parked, int64_t now_us)
{
	unlink_from(&pool->idle, parked);
	parked->called_us = now_us;
	append(&pool->called, parked);
}

int parked_take(struct parked_pool *pool, struct parked *parked)
{
	unlink_from(parked->called_us == 0 ? &pool->idle : &pool->called, parked);
	parked->next = pool->free;
	pool->free = parked;
	pool->count--;
	return parked->fd;
}

/* A process that was stopped finds all of them idle for long, some with a request. */
static bool has_input(const struct parked *parked)
{
	char byte;

	return recv(parked->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

/* As if its last answer had been now. */
static void renew(struct parked_pool *pool, struct parked *parked, int64_t now_ms)
{
	unlink_from(&pool->idle, parked);
	parked->since_ms = now_ms;
	append(&pool->idle, parked);
}

int64_t parked_due_ms(const struct parked_pool *pool, int64_t idle_ms)
{
	return pool->idle.first == NULL ? INT64_MAX : pool->idle.first->since_ms + idle_ms;
}

struct parked *parked_expired(struct parked_pool *pool, int64_t idle_ms, int64_t now_ms)
{
	while (parked_due_ms(pool, idle_ms) <= now_ms) {
		struct parked *parked = pool->idle.first;
		if (!has_input(parked))
			return parked;
		renew(pool, parked, now_ms);
	}
	return NULL;
}
