/*
 * base/buf.c - see base/buf.h.
 */
#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct buf buf_make(size_t cap)
{
	return (struct buf){.cap = cap, .status = STATUS_OK};
}

struct buf buf_over(char *memory, size_t size)
{
	return (struct buf){.p = memory, .size = size, .cap = size, .status = STATUS_OK};
}

/* The memory for n more bytes; NULL if it fails or has failed. */
static char *grow(struct buf *buf, size_t n)
{
	if (buf->status != STATUS_OK)
		return NULL;
	if (n > buf->cap - buf->n) {
		buf->status = STATUS_TOO_LARGE;
		return NULL;
	}
	size_t size = buf->size < 256 ? 256 : buf->size * 2;
	while (size < buf->n + n)
		size *= 2;
	/* One byte over the cap: a terminator always fits. */
	if (size > buf->cap)
		size = buf->cap + 1;
	char *p = realloc(buf->p, size);
	if (p == NULL) {
		buf->status = STATUS_NO_MEMORY;
		return NULL;
	}
	buf->p = p;
	buf->size = size;
	return p + buf->n;
}

char *buf_reserve(struct buf *buf, size_t n)
{
	bool fits = buf->status == STATUS_OK && buf->p != NULL && n <= buf->size - buf->n &&
		    n <= buf->cap - buf->n;

	return fits ? buf->p + buf->n : grow(buf, n);
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
