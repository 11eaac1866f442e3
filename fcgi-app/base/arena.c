/*
 * base/arena.c - see base/arena.h.
 */
#include "base/arena.h"

#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct arena_block {
	struct arena_block *next;
	size_t size;
	alignas(max_align_t) char bytes[];
};

/* Enough for a usual request, which so costs no call of malloc. */
enum { ARENA_BLOCK_BYTES = 8192 };

static struct arena_block *arena_grow(struct arena *arena, size_t bytes)
{
	size_t size = bytes > ARENA_BLOCK_BYTES ? bytes : ARENA_BLOCK_BYTES;
	struct arena_block *block = malloc(sizeof(*block) + size);

	if (block == NULL)
		return NULL;
	block->next = arena->blocks;
	block->size = size;
	arena->blocks = block;
	arena->used = 0;
	arena->total += size;
	return block;
}

void *arena_alloc(struct arena *arena, size_t bytes)
{
	struct arena_block *block = arena->blocks;

	if (bytes > SIZE_MAX / 2)
		return NULL;
	bytes = (bytes + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
	if (block == NULL || block->size - arena->used < bytes)
		block = arena_grow(arena, bytes);
	if (block == NULL)
		return NULL;
	void *room = block->bytes + arena->used;
	arena->used += bytes;
	return memset(room, 0, bytes);
}

void *arena_array(struct arena *arena, size_t count, size_t bytes_each)
{
	if (bytes_each != 0 && count > SIZE_MAX / bytes_each)
		return NULL;
	return arena_alloc(arena, count * bytes_each);
}

char *arena_copy(struct arena *arena, struct slice text)
{
	char *copy = arena_alloc(arena, text.n + 1);

	if (copy != NULL && text.n > 0)
		memcpy(copy, text.p, text.n);
	return copy;
}

struct slice arena_move(struct arena *arena, struct buf *buf)
{
	struct slice text = SLICE_ABSENT;

	if (buf->status == STATUS_OK && buf->n > 0)
		text.p = arena_copy(arena, buf_slice(buf));
	if (text.p != NULL)
		text.n = buf->n;
	buf_free(buf);
	return text;
}

char *arena_vformat(struct arena *arena, const char *format, va_list args)
{
	va_list again;

	va_copy(again, args);
	int n = vsnprintf(NULL, 0, format, again);
	va_end(again);
	char *text = n < 0 ? NULL : arena_alloc(arena, (size_t)n + 1);
	if (text != NULL)
		(void)vsnprintf(text, (size_t)n + 1, format, args);
	return text;
}

char *arena_format(struct arena *arena, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	char *text = arena_vformat(arena, format, args);
	va_end(args);
	return text;
}

struct slice arena_int(struct arena *arena, int64_t value)
{
	char digits[SLICE_INT_CHARS];

	return slice_of(arena_copy(arena, slice_of_int(value, digits)));
}

void arena_reset(struct arena *arena)
{
	struct arena_block *keep = NULL;

	while (arena->blocks != NULL) {
		struct arena_block *block = arena->blocks;
		arena->blocks = block->next;
		if (keep == NULL && block->size == ARENA_BLOCK_BYTES)
			keep = block;
		else
			free(block);
	}
	if (keep != NULL)
		keep->next = NULL;
	*arena = (struct arena){.blocks = keep, .total = keep == NULL ? 0 : keep->size};
}

void arena_free(struct arena *arena)
{
	while (arena->blocks != NULL) {
		struct arena_block *block = arena->blocks;
		arena->blocks = block->next;
		free(block);
	}
	*arena = (struct arena){0};
}
