/*
 * read_body.h - a body read by json_reader, and all that it said, for the tests of this room.
 *
 * Each piece is fed from memory of exactly its size, so that a sanitizer sees each byte read beyond
 * it.
 */
#ifndef UNIT_READ_BODY_H
#define UNIT_READ_BODY_H

#include <stdlib.h>
#include <string.h>

#include "check_main.h"
#include "json/reader.h"

#define T(literal) SLICE(literal)

static const struct json_limits usual = {
	.item_bytes = 4096,
	.items = 100,
	.depth = 64,
	.number_digits = 400,
	.number_exponent = 400,
};

static const size_t piece_sizes[] = {SIZE_MAX, 1, 2, 3, 7};

enum { MOST_SEEN = 128 };

struct seen {
	enum status status;
	uint64_t offset;
	const char *reason;
	uint64_t items;
	bool single;
	struct json_item item[MOST_SEEN]; /* but for their texts, */
	size_t at[MOST_SEEN];		  /* which begin here */
	struct buf bytes;
	struct buf beside;
};

static inline enum status record(void *context, const struct json_item *item)
{
	struct seen *seen = context;

	ck_assert_uint_eq(item->index, seen->items);
	ck_assert_uint_lt(seen->items, MOST_SEEN);
	seen->at[seen->items] = seen->bytes.n;
	seen->item[seen->items++] = *item;
	buf_add_slice(&seen->bytes, item->text);
	return STATUS_OK;
}

static inline struct slice seen_text(const struct seen *seen, uint64_t i)
{
	return (struct slice){seen->bytes.p + seen->at[i], seen->item[i].text.n};
}

static inline void seen_free(struct seen *seen)
{
	buf_free(&seen->bytes);
	buf_free(&seen->beside);
}

/* Feeds a piece from memory that ends where it ends. */
static inline enum status feed_exact(struct json_reader *reader, const char *bytes, size_t n)
{
	char *exact = malloc(n);

	if (exact == NULL) /* each assertion costs a system call, and this is the hot loop */
		ck_abort();
	memcpy(exact, bytes, n);
	enum status status = json_reader_feed(reader, exact, n);
	free(exact);
	return status;
}

static inline size_t random_below(uint64_t *state, size_t below)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return (size_t)((*state >> 11) % below);
}

/* Reads a body in pieces of one size, or of random sizes when there is a state. */
static inline void read_body_with(struct seen *seen, enum json_form form, bool recover,
				  const struct json_limits *limits, struct slice body, size_t piece,
				  uint64_t *random)
{
	static const char *const names[] = {"sentAt", "timestamp", "context"};
	struct json_reader *reader;

	*seen = (struct seen){.bytes = buf_make(SIZE_MAX / 2), .beside = buf_make(SIZE_MAX / 2)};
	ck_assert_int_eq(json_reader_open(&reader, form, limits, record, seen), STATUS_OK);
	if (recover)
		json_reader_recover(reader);
	for (size_t at = 0, n; at < body.n && seen->status == STATUS_OK; at += n) {
		size_t most = random == NULL ? piece : 1 + random_below(random, piece);
		n = body.n - at < most ? body.n - at : most;
		seen->status = feed_exact(reader, body.p + at, n);
	}
	if (seen->status == STATUS_OK)
		seen->status = json_reader_end(reader);
	else /* a failure stays */
		ck_assert_int_eq(json_reader_feed(reader, " ", 1), seen->status);
	json_reader_error(reader, &seen->offset, &seen->reason);
	seen->single = json_reader_is_single(reader);
	for (int i = 0; i < LENGTH(names); i++) {
		buf_add_slice(&seen->beside, json_reader_beside(reader, names[i]));
		buf_add_char(&seen->beside, '|');
	}
	json_reader_close(reader);
}

static inline void read_body(struct seen *seen, enum json_form form,
			     const struct json_limits *limits, struct slice body, size_t piece,
			     uint64_t *random)
{
	read_body_with(seen, form, false, limits, body, piece, random);
}

static inline struct slice wrapped(struct buf *buf, const char *before, struct slice text,
				   const char *after)
{
	*buf = buf_make(SIZE_MAX / 2);
	buf_add_text(buf, before);
	buf_add_slice(buf, text);
	buf_add_text(buf, after);
	return buf_slice(buf);
}

static inline void add_times(struct buf *buf, const char *text, size_t times)
{
	for (size_t i = 0; i < times; i++)
		buf_add_text(buf, text);
}

/* Checks a text and reads it as the second of three items. */
static inline void assert_limit(const struct json_limits *limits, struct slice text,
				enum status expected, uint64_t offset)
{
	struct buf buf;
	struct seen seen;
	uint64_t at;

	if (expected != STATUS_ITEM_TOO_LARGE) {
		ck_assert_int_eq(json_text_check(text, limits, &at, NULL, NULL), expected);
		ck_assert_uint_eq(at, expected == STATUS_OK ? text.n : offset);
	}
	struct slice body = wrapped(&buf, "[{},", text, ",{}]");
	for (int i = 0; i < LENGTH(piece_sizes); i++) {
		read_body(&seen, JSON_FORM_BATCH, limits, body, piece_sizes[i], NULL);
		ck_assert_int_eq(seen.status, STATUS_OK);
		ck_assert_uint_eq(seen.items, 3);
		ck_assert_int_eq(seen.item[0].status, STATUS_OK);
		ck_assert_int_eq(seen.item[1].status, expected);
		ck_assert_int_eq(seen.item[2].status, STATUS_OK);
		ck_assert_uint_eq(seen.item[1].bad_offset, expected == STATUS_OK ? 0 : offset + 4);
		size_t kept = text.n < limits->item_bytes ? text.n : limits->item_bytes;
		ck_assert(slice_equal(seen_text(&seen, 1), (struct slice){text.p, kept}));
		seen_free(&seen);
	}
	buf_free(&buf);
}

struct limit_case {
	size_t size;
	enum status status;
};

#endif
