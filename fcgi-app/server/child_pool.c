/*
 * server/child_pool.c - see server/child_pool.h.
 */
#include "server/child_pool.h"

#include <string.h>

/* What is counted together. */
typedef bool same_owner(const struct child_owner *a, const struct child_owner *b);

static bool is_same_organization(const struct child_owner *a, const struct child_owner *b)
{
	return a->organization_id == b->organization_id;
}

static bool is_same_key(const struct child_owner *a, const struct child_owner *b)
{
	return credential_hash_is_same(&a->key_hash, &b->key_hash);
}

void child_pool_add(struct child_pool *pool, pid_t pid, const struct child_owner *owner)
{
	pool->all[pool->count++] = (struct child){.pid = pid, .owner = *owner};
}

void child_pool_remove(struct child_pool *pool, pid_t pid)
{
	for (size_t i = 0; i < pool->count; i++) {
		struct child *child = &pool->all[i];
		if (child->pid != pid)
			continue;
		pool->count--;
		memmove(child, child + 1, (pool->count - i) * sizeof(*child));
		return;
	}
}

static size_t count(const struct child_pool *pool, same_owner *is_same,
		    const struct child_owner *owner)
{
	size_t found = 0;

	for (size_t i = 0; i < pool->count; i++) {
		const struct child *child = &pool->all[i];
		found += !child->gives_way && is_same(&child->owner, owner);
	}
	return found;
}

/* The youngest child of whoever has most, of those within an organization (NULL: of all); NULL if
 * that is not at least so many. */
static struct child *of_most(struct child_pool *pool, same_owner *is_same,
			     const struct child_owner *within, size_t least)
{
	struct child *found = NULL;

	for (size_t i = pool->count; i-- > 0;) {
		struct child *child = &pool->all[i];
		if (child->gives_way ||
		    (within != NULL && !is_same_organization(&child->owner, within)))
			continue;
		size_t has = count(pool, is_same, &child->owner);
		if (has >= least) {
			found = child;
			least = has + 1;
		}
	}
	return found;
}

struct child *child_pool_give_way(struct child_pool *pool, const struct child_owner *owner)
{
	struct child *most = of_most(pool, is_same_organization, NULL,
				     count(pool, is_same_organization, owner) + 2);

	/* Another organization has more; or, of this one, another key. */
	if (most != NULL)
		most = of_most(pool, is_same_key, &most->owner, 1);
	else
		most = of_most(pool, is_same_key, owner, count(pool, is_same_key, owner) + 2);
	if (most != NULL)
		most->gives_way = true;
	return most;
}
