/*
 * base/arena.h - memory that is freed all at once. Each request has an arena, so nothing inside a
 * request is freed one by one.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stdarg.h>

#include "base/buf.h"
#include "base/slice.h"

struct arena_block;

/* Needs no set-up beyond zeroes: struct arena arena = {0}; */
struct arena {
	struct arena_block *blocks; /* newest first */
	size_t used;		    /* bytes of the newest block */
	size_t total;		    /* bytes of all blocks, to bound what a request may take */
};

/* Zeroed memory, aligned for any type; NULL if there is none. */
void *arena_alloc(struct arena *arena, size_t bytes);

/* The same for count elements; NULL also if the product overflows. */
void *arena_array(struct arena *arena, size_t count, size_t bytes_each);

/* A terminated copy; NULL if there is no memory. */
char *arena_copy(struct arena *arena, struct slice text);

/* Moves the text of a buffer here, terminated, and frees the buffer. Absent if the buffer is empty
 * or has failed, or if there is no memory. */
struct slice arena_move(struct arena *arena, struct buf *buf);

/* What printf() would write, of any length; NULL if there is no memory. */
char *arena_format(struct arena *arena, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
char *arena_vformat(struct arena *arena, const char *format, va_list args)
	__attribute__((format(printf, 2, 0)));

/* A number in decimal, terminated; absent if there is no memory. */
struct slice arena_int(struct arena *arena, int64_t value);

/* Frees everything but one standard block, which the next request uses. */
void arena_reset(struct arena *arena);

/* Frees everything. The arena may be used again. */
void arena_free(struct arena *arena);

#endif
