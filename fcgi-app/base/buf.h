/*
 * base/buf.h - a buffer that grows up to its cap and keeps its first failure: append as often as
 * needed, look at the status once at the end.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include "base/slice.h"
#include "base/status.h"

struct buf {
	char *p;
	size_t n;	    /* bytes used */
	size_t size;	    /* bytes allocated */
	size_t cap;	    /* never grows past this many bytes */
	enum status status; /* STATUS_OK, or why the first append failed: STATUS_TOO_LARGE
			     * over the cap, STATUS_NO_MEMORY; later appends do nothing */
};

/* An empty buffer; allocates nothing until the first append. */
struct buf buf_make(size_t cap);

void buf_add(struct buf *buf, const void *bytes, size_t n);
void buf_add_slice(struct buf *buf, struct slice text);
void buf_add_text(struct buf *buf, const char *text);
void buf_add_char(struct buf *buf, char c);
void buf_add_int(struct buf *buf, int64_t value);
void buf_add_format(struct buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Big-endian integers, as PostgreSQL's binary formats want them. */
void buf_add_be16(struct buf *buf, uint16_t value);
void buf_add_be32(struct buf *buf, uint32_t value);
void buf_add_be64(struct buf *buf, uint64_t value);

/* Appends text as a JSON string with its quotes, RFC 8259 section 7. Text must be UTF-8. */
void buf_add_json(struct buf *buf, struct slice text);

/* Room for n more bytes, to be filled by the caller who then adds to buf->n; NULL on failure. */
char *buf_reserve(struct buf *buf, size_t n);

/* Empties the buffer and its sticky error, keeping up to keep bytes allocated. */
void buf_reset(struct buf *buf, size_t keep);

void buf_free(struct buf *buf);

struct slice buf_slice(const struct buf *buf);

#endif
