/*
 * base/arena.h - memory of one request: blocks that are dropped together when it has been answered,
 * so nothing inside a request is freed one by one.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "base/slice.h"

struct arena_block;

struct arena {
	struct arena_block *blocks; /* newest first */
	size_t used;		    /* bytes used of the newest block */
	size_t total;		    /* bytes in all blocks, to bound what a request may take */
};

/* An arena needs no set-up beyond zeroes: struct arena arena = {0}; */

/* Zeroed memory aligned for any type, or NULL when there is none. Freed with the arena. */
void *arena_alloc(struct arena *arena, size_t bytes);

/* Room for count elements; NULL when the product overflows or there is no memory. */
void *arena_array(struct arena *arena, size_t count, size_t bytes_each);

/* A terminated copy; NULL when there is no memory. */
char *arena_copy(struct arena *arena, struct slice text);

/* The number in decimal, terminated; absent when there is no memory. */
struct slice arena_int(struct arena *arena, int64_t value);

/* Drops everything but keeps one standard block for the next request. */
void arena_reset(struct arena *arena);

/* Drops everything. */
void arena_free(struct arena *arena);

#endif
