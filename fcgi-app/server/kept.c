/*
 * server/kept.c - see server/kept.h.
 */
#include "server/kept.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum status kept_pool_open(struct kept_pool *pool, size_t capacity)
{
	*pool = (struct kept_pool){.capacity = capacity};
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

static void close_list(const struct kept_list *list)
{
	for (const struct kept *kept = list->first; kept != NULL; kept = kept->next)
		(void)close(kept->fd);
}

void kept_pool_close(struct kept_pool *pool)
{
	close_list(&pool->idle);
	close_list(&pool->called);
	free(pool->all);
	*pool = (struct kept_pool){0};
}

static void append(struct kept_list *list, struct kept *kept)
{
	kept->next = NULL;
	kept->before = list->last;
	if (list->last == NULL)
		list->first = kept;
	else
		list->last->next = kept;
	list->last = kept;
}

static void unlink_from(struct kept_list *list, struct kept *kept)
{
	if (kept->before == NULL)
		list->first = kept->next;
	else
		kept->before->next = kept->next;
	if (kept->next == NULL)
		list->last = kept->before;
	else
		kept->next->before = kept->before;
}

bool kept_has_room(const struct kept_pool *pool)
{
	return pool->free != NULL;
}

struct kept *kept_add(struct kept_pool *pool, int fd, int64_t now_ms)
{
	struct kept *kept = pool->free;

	pool->free = kept->next;
	pool->count++;
	kept->fd = fd;
	kept->since_ms = now_ms;
	kept->called_us = 0;
	append(&pool->idle, kept);
	return kept;
}

struct kept *kept_of(const struct kept_pool *pool, void *owner)
{
	uintptr_t first = (uintptr_t)pool->all, at = (uintptr_t)owner;

	return at >= first && at < first + pool->capacity * sizeof(*pool->all) ? owner : NULL;
}

void kept_call(struct kept_pool *pool, struct kept *kept, int64_t now_us)
{
	unlink_from(&pool->idle, kept);
	kept->called_us = now_us;
	append(&pool->called, kept);
}

int kept_take(struct kept_pool *pool, struct kept *kept)
{
	unlink_from(kept->called_us == 0 ? &pool->idle : &pool->called, kept);
	kept->next = pool->free;
	pool->free = kept;
	pool->count--;
	return kept->fd;
}

/* A process that was stopped finds all of them idle for long, some with a request. */
static bool has_input(const struct kept *kept)
{
	char byte;

	return recv(kept->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

/* As if its last answer had been now. */
static void renew(struct kept_pool *pool, struct kept *kept, int64_t now_ms)
{
	unlink_from(&pool->idle, kept);
	kept->since_ms = now_ms;
	append(&pool->idle, kept);
}

int64_t kept_due_ms(const struct kept_pool *pool, int64_t idle_ms)
{
	return pool->idle.first == NULL ? INT64_MAX : pool->idle.first->since_ms + idle_ms;
}

struct kept *kept_expired(struct kept_pool *pool, int64_t idle_ms, int64_t now_ms)
{
	while (kept_due_ms(pool, idle_ms) <= now_ms) {
		struct kept *kept = pool->idle.first;
		if (!has_input(kept))
			return kept;
		renew(pool, kept, now_ms);
	}
	return NULL;
}
