/*
 * base/mem.c - slices, arena and capped buffer. See base/mem.h.
 */
#include "base/mem.h"

#include <stdarg.h>
#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct slice slice_of(const char *text)
{
	return (struct slice){text, text == NULL ? 0 : strlen(text)};
}

struct slice slice_of_int(int64_t value, char digits[SLICE_INT_CHARS])
{
	char *end = digits + SLICE_INT_CHARS;
	char *p = end;
	uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;

	do {
		*--p = (char)('0' + rest % 10);
		rest /= 10;
	} while (rest != 0);
	if (value < 0)
		*--p = '-';
	return (struct slice){p, (size_t)(end - p)};
}

bool slice_equal(struct slice a, struct slice b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

bool slice_equal_nocase(struct slice a, struct slice b)
{
	if (a.n != b.n)
		return false;
	for (size_t i = 0; i < a.n; i++) {
		if (lower(a.p[i]) != lower(b.p[i]))
			return false;
	}
	return true;
}

bool slice_starts(struct slice text, struct slice prefix)
{
	return text.n >= prefix.n && slice_equal((struct slice){text.p, prefix.n}, prefix);
}

bool slice_is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct slice slice_trim(struct slice text)
{
	while (text.n > 0 && slice_is_blank(text.p[text.n - 1]))
		text.n--;
	while (text.n > 0 && slice_is_blank(*text.p))
		text = (struct slice){text.p + 1, text.n - 1};
	return text;
}

/* ---- arena ---- */

struct arena_block {
	struct arena_block *next;
	size_t size;
	alignas(max_align_t) char bytes[];
};

/* One block holds what a usual request needs, so a request costs no call of malloc. */
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

/* ---- capped buffer ---- */

struct buf buf_make(size_t cap)
{
	return (struct buf){.cap = cap, .status = STATUS_OK};
}

char *buf_reserve(struct buf *buf, size_t n)
{
	if (buf->status != STATUS_OK)
		return NULL;
	if (n > buf->cap - buf->n) {
		buf->status = STATUS_TOO_LARGE;
		return NULL;
	}
	if (buf->size - buf->n < n || buf->p == NULL) {
		size_t size = buf->size < 256 ? 256 : buf->size * 2;
		while (size < buf->n + n)
			size *= 2;
		/* One byte over the cap, so that a terminator or a probe always fits. */
		if (size > buf->cap)
			size = buf->cap + 1;
		char *p = realloc(buf->p, size);
		if (p == NULL) {
			buf->status = STATUS_NO_MEMORY;
			return NULL;
		}
		buf->p = p;
		buf->size = size;
	}
	return buf->p + buf->n;
}

void buf_add(struct buf *buf, const void *bytes, size_t n)
{
	char *room = buf_reserve(buf, n);

	if (room == NULL || n == 0)
		return;
	memcpy(room, bytes, n);
	buf->n += n;
}

void buf_add_slice(struct buf *buf, struct slice text)
{
	buf_add(buf, text.p, text.n);
}

void buf_add_text(struct buf *buf, const char *text)
{
	buf_add(buf, text, strlen(text));
}

void buf_add_char(struct buf *buf, char c)
{
	buf_add(buf, &c, 1);
}

void buf_add_int(struct buf *buf, int64_t value)
{
	char digits[SLICE_INT_CHARS];

	buf_add_slice(buf, slice_of_int(value, digits));
}

void buf_add_format(struct buf *buf, const char *format, ...)
{
	char small[512];
	va_list args;

	va_start(args, format);
	int n = vsnprintf(small, sizeof(small), format, args);
	va_end(args);
	if (n >= 0 && (size_t)n < sizeof(small)) {
		buf_add(buf, small, (size_t)n);
		return;
	}
	char *room = n < 0 ? NULL : buf_reserve(buf, (size_t)n + 1);
	if (room == NULL) {
		if (buf->status == STATUS_OK)
			buf->status = STATUS_INTERNAL;
		return;
	}
	va_start(args, format);
	(void)vsnprintf(room, (size_t)n + 1, format, args);
	va_end(args);
	buf->n += (size_t)n;
}

void buf_add_be16(struct buf *buf, uint16_t value)
{
	unsigned char b[2] = {(unsigned char)(value >> 8), (unsigned char)value};

	buf_add(buf, b, sizeof(b));
}

void buf_add_be32(struct buf *buf, uint32_t value)
{
	unsigned char b[4];

	for (int i = 3; i >= 0; i--, value >>= 8)
		b[i] = (unsigned char)value;
	buf_add(buf, b, sizeof(b));
}

void buf_add_be64(struct buf *buf, uint64_t value)
{
	unsigned char b[8];

	for (int i = 7; i >= 0; i--, value >>= 8)
		b[i] = (unsigned char)value;
	buf_add(buf, b, sizeof(b));
}

static void add_escaped(struct buf *buf, unsigned char c)
{
	switch (c) {
	case '"':
		buf_add_text(buf, "\\\"");
		break;
	case '\\':
		buf_add_text(buf, "\\\\");
		break;
	case '\n':
		buf_add_text(buf, "\\n");
		break;
	case '\r':
		buf_add_text(buf, "\\r");
		break;
	case '\t':
		buf_add_text(buf, "\\t");
		break;
	default:
		buf_add_format(buf, "\\u%04x", c);
	}
}

void buf_add_json(struct buf *buf, struct slice text)
{
	size_t start = 0;

	buf_add_char(buf, '"');
	for (size_t i = 0; i < text.n; i++) {
		unsigned char c = (unsigned char)text.p[i];
		if (c >= 0x20 && c != '"' && c != '\\' && c != 0x7f)
			continue;
		buf_add(buf, text.p + start, i - start);
		add_escaped(buf, c);
		start = i + 1;
	}
	if (text.n > start)
		buf_add(buf, text.p + start, text.n - start);
	buf_add_char(buf, '"');
}

void buf_reset(struct buf *buf, size_t keep)
{
	if (buf->size > keep) {
		free(buf->p);
		buf->p = NULL;
		buf->size = 0;
	}
	buf->n = 0;
	buf->status = STATUS_OK;
}

void buf_free(struct buf *buf)
{
	free(buf->p);
	*buf = buf_make(buf->cap);
}

struct slice buf_slice(const struct buf *buf)
{
	return (struct slice){buf->p, buf->n};
}
