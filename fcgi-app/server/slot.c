/*
 * server/slot.c - see server/slot.h.
 */
#include "server/slot.h"

#include <poll.h>
#include <stdlib.h>

#include "base/clock.h"

enum { BODY_BYTES_KEPT = 4 << 10 };

enum status slot_pool_open(struct slot_pool *pool, const struct config *config)
{
	*pool = (struct slot_pool){.count = (size_t)config->requests_in_flight};
	pool->slots = calloc(pool->count, sizeof(*pool->slots));
	if (pool->slots == NULL)
		return STATUS_NO_MEMORY;
	for (size_t i = pool->count; i-- > 0;) {
		struct slot *slot = &pool->slots[i];
		server_request_init(&slot->request, config);
		slot->body = buf_make((size_t)config->large_body_bytes + 2 * SLOT_READ_BYTES);
		slot->next_free = pool->free;
		pool->free = slot;
		enum status status = fcgi_open(&slot->fcgi);
		if (status != STATUS_OK)
			return status;
	}
	return STATUS_OK;
}

void slot_pool_close(struct slot_pool *pool)
{
	for (size_t i = 0; pool->slots != NULL && i < pool->count; i++) {
		fcgi_close(pool->slots[i].fcgi);
		server_request_free(&pool->slots[i].request);
		buf_free(&pool->slots[i].body);
	}
	free(pool->slots);
}

bool slot_is_free(const struct slot_pool *pool)
{
	struct slot *slot = pool->free;

	return slot != NULL && fcgi_prepare(slot->fcgi) == STATUS_OK &&
	       server_request_prepare(&slot->request) == STATUS_OK;
}

struct slot *slot_take(struct slot_pool *pool, int64_t now_us)
{
	struct slot *slot = pool->free;

	pool->free = slot->next_free;
	pool->busy++;
	slot->state = SLOT_READING_HEAD;
	slot->accepted_us = now_us;
	slot->is_known = false;
	slot->is_paced = false;
	slot->may_be_deferred = true;
	return slot;
}

void slot_release(struct slot_pool *pool, struct slot *slot)
{
	pool->buffered -= slot->body.n;
	buf_reset(&slot->body, BODY_BYTES_KEPT);
	slot->state = SLOT_FREE;
	slot->next_free = pool->free;
	pool->free = slot;
	pool->busy--;
}

void slot_drop(struct slot_pool *pool, struct slot *slot)
{
	fcgi_close_fd(slot->fcgi);
	server_request_reset(&slot->request);
	slot_release(pool, slot);
}

/* Which gives way first; 0: none of them does. */
static int rank(const struct slot *slot, int64_t before_us)
{
	if (slot->state == SLOT_DRAINING)
		return 3;
	if ((slot->state != SLOT_READING_HEAD && slot->state != SLOT_READING_BODY) ||
	    slot->accepted_us >= before_us)
		return 0;
	return slot->is_known ? 1 : 2;
}

struct slot *slot_oldest_undecided(const struct slot_pool *pool, int64_t before_us, bool with_body)
{
	struct slot *oldest = NULL;
	int first = 0;

	for (size_t i = 0; i < pool->count; i++) {
		struct slot *slot = &pool->slots[i];
		int its = with_body && slot->body.n == 0 ? 0 : rank(slot, before_us);
		if (its > first ||
		    (its > 0 && its == first && slot->accepted_us < oldest->accepted_us)) {
			oldest = slot;
			first = its;
		}
	}
	return oldest;
}

struct slot *slot_first_waiting(const struct slot_pool *pool)
{
	struct slot *first = NULL;

	for (size_t i = 0; i < pool->count; i++) {
		struct slot *slot = &pool->slots[i];
		if (slot->state == SLOT_WAITING &&
		    (first == NULL || slot->waiting_ms < first->waiting_ms))
			first = slot;
	}
	return first;
}

short slot_events(const struct slot *slot)
{
	switch (slot->state) {
	case SLOT_READING_HEAD:
	case SLOT_READING_BODY:
	case SLOT_DRAINING:
		return POLLIN;
	case SLOT_SENDING:
		return POLLOUT;
	case SLOT_FREE:
	case SLOT_COMMITTING:
	case SLOT_AUTHENTICATING:
	case SLOT_KNOCKING:
	case SLOT_WAITING:
	case SLOT_SCRAPING:
	default:
		return 0;
	}
}

int64_t slot_patience_ms(const struct slot *slot)
{
	return slot->is_paced ? slot->pace.until_us / 1000 : INT64_MAX;
}

int64_t slot_deadline_ms(const struct slot *slot)
{
	switch (slot->state) {
	case SLOT_READING_HEAD:
		return slot->accepted_us / 1000 + FCGI_PARAMS_MS;
	case SLOT_READING_BODY:
		return clock_earlier(slot->is_known ? slot_patience_ms(slot)
						    : slot->accepted_us / 1000 + SLOT_KNOCK_MS,
				     slot->request.deadline_ms);
	case SLOT_DRAINING:
		return clock_earlier(slot->draining_ms + SLOT_DRAIN_MS, slot->request.deadline_ms);
	case SLOT_SENDING:
		return slot->sending_ms + slot->request.config->request_timeout_ms;
	case SLOT_WAITING:
		return clock_earlier(slot->waiting_ms + SLOT_TURN_MS, slot->request.deadline_ms);
	case SLOT_FREE:
	case SLOT_COMMITTING:
	case SLOT_AUTHENTICATING:
	case SLOT_KNOCKING:
	case SLOT_SCRAPING:
	default:
		return INT64_MAX;
	}
}
