/*
 * base/mem.h - text slices, the per-request arena and the capped buffer.
 *
 * An arena is a list of blocks that is dropped at once when the request has been answered, so
 * nothing inside a request is freed one by one. A buffer grows up to its cap and remembers the
 * first failure ("sticky"): append as often as needed, ask once at the end.
 */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

/* Text with its length. Not terminated; may hold any byte. p is NULL for "absent". */
struct slice {
	const char *p;
	size_t n;
};

/* A slice of a string literal, for initialisers and arguments. */
#define SLICE(literal) ((struct slice){(literal), sizeof(literal) - 1})

/* A slice of a terminated string; absent for NULL. */
struct slice slice_of(const char *text);

/* A number in decimal; a slice of digits. */
enum { SLICE_INT_CHARS = 24 };
struct slice slice_of_int(int64_t value, char digits[SLICE_INT_CHARS]);

bool slice_equal(struct slice a, struct slice b);

/* ASCII case-insensitive comparison; independent of the locale. */
bool slice_equal_nocase(struct slice a, struct slice b);

bool slice_starts(struct slice text, struct slice prefix);

/* Space, tab, carriage return or line feed. */
bool slice_is_blank(char c);

/* The text without blanks at its ends. */
struct slice slice_trim(struct slice text);

/* ---- arena ---- */

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

/* Drops everything but keeps one standard block for the next request. */
void arena_reset(struct arena *arena);

/* Drops everything. */
void arena_free(struct arena *arena);

/* ---- capped buffer ---- */

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
