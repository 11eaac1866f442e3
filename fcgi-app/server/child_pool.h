/*
 * server/child_pool.h - which children a worker has, for whom they read large requests, and which
 * of them gives way when another sender needs one.
 *
 * A lone organization may have all of them. When there is none left, one that has at least two
 * fewer than another takes one from it; of one organization's keys the same holds. So however many
 * uploads a key begins, and however slowly they come, others get their children.
 */
#ifndef SERVER_CHILD_POOL_H
#define SERVER_CHILD_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "key/credential.h"

enum { CHILD_POOL_MAX = 256 }; /* of the setting large_requests */

/* Whose request a child has. */
struct child_owner {
	struct credential_hash key_hash;
	int64_t organization_id;
};

struct child {
	pid_t pid;
	struct child_owner owner;
	bool gives_way; /* it has been told to: it counts for nobody */
};

struct child_pool {
	struct child all[CHILD_POOL_MAX]; /* the oldest first */
	size_t count;
};

/* A child that has just been forked. There must be room. */
void child_pool_add(struct child_pool *pool, pid_t pid, const struct child_owner *owner);

/* The child has ended; nothing if it is not in the pool. */
void child_pool_remove(struct child_pool *pool, pid_t pid);

/*
 * The child that gives way to a request of this owner, marked as such: the youngest one of the key
 * that has most, in the organization that has most; so of many requests the first come to their
 * end. NULL if nobody has so many more than the owner.
 */
struct child *child_pool_give_way(struct child_pool *pool, const struct child_owner *owner);

#endif
