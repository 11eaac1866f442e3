/*
 * store/health.h - what an operator looks at first: keys that are refused, and the age of what
 * waits.
 */
#ifndef STORE_HEALTH_H
#define STORE_HEALTH_H

#include "store/entity.h"
#include "store/store.h"

struct store_key_health {
	int64_t key_id;
	struct slice key_name, organization, status;
	int64_t refused_today;
	struct slice last_refusal, last_refused_at;
};

extern const struct store_entity store_key_health_entity;

/* The keys with the most refused requests today, ten at most (struct store_key_health). */
enum status store_key_health_list(const struct store *store, struct store_list *keys) MUST_CHECK;

#endif
