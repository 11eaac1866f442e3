/*
 * base/buf.h - a buffer that grows up to a cap and remembers its first failure: append as often as
 * needed and check the status once, at the end.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include "base/slice.h"
#include "base/status.h"

struct buf {
	char *p;
	size_t n;	    /* bytes used */
	size_t size;	    /* bytes allocated */
	size_t cap;	    /* most bytes it may hold */
	enum status status; /* STATUS_OK, or why an append failed: STATUS_TOO_LARGE (over the
			     * cap), STATUS_NO_MEMORY, STATUS_INTERNAL (a bad format); later
			     * appends do nothing */
};

/* An empty buffer of at most cap bytes. Allocates nothing before the first append. */
struct buf buf_make(size_t cap);

/* An empty buffer in the caller's memory, whose size bytes are all it may hold. It allocates
 * nothing, and is neither reset nor freed. */
struct buf buf_over(char *memory, size_t size);

/* Appends n bytes, which may be none. */
void buf_add(struct buf *buf, const void *bytes, size_t n);

/* Appends a text; nothing if it is absent. */
void buf_add_slice(struct buf *buf, struct slice text);

/* Appends a terminated string, without its terminator. */
void buf_add_text(struct buf *buf, const char *text);

/* Appends one byte. */
void buf_add_char(struct buf *buf, char c);

/* Appends a number in decimal. */
void buf_add_int(struct buf *buf, int64_t value);

/* Appends what printf() would write, of any length. */
void buf_add_format(struct buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Append an integer in big-endian order, as PostgreSQL's binary formats want it. */
void buf_add_be16(struct buf *buf, uint16_t value);
void buf_add_be32(struct buf *buf, uint32_t value);
void buf_add_be64(struct buf *buf, uint64_t value);

/* Appends a text, which must be UTF-8, as a JSON string with its quotes (RFC 8259 section 7). */
void buf_add_json(struct buf *buf, struct slice text);

/* Room for n more bytes: the caller fills it and adds to buf->n. NULL on failure. */
char *buf_reserve(struct buf *buf, size_t n);

/* Empties the buffer and forgets its failure. Memory of more than keep bytes is freed. */
void buf_reset(struct buf *buf, size_t keep);

/* Frees the memory; the buffer is empty then, with the same cap. */
void buf_free(struct buf *buf);

/* What it holds, until the next append; absent before the first. */
struct slice buf_slice(const struct buf *buf);

#endif
