/*
 * fuzz_cross_out.c - the presented key in any text. A byte 1 stands for the key, spelled at random,
 * a byte 2 for a part of it. Nothing of it is left when json-c decodes what was crossed out; all
 * else is as it was.
 */
#define _GNU_SOURCE /* memmem, which is POSIX only since 2024 */
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "key/cross_out.h"
#include "oracle.h"

#define CROSSED_OUT "sk_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

static void spell_char(struct buf *out, char c, size_t form)
{
	switch (form) {
	case 1:
		buf_add_format(out, "\\u%04x", (unsigned)c);
		break;
	case 2:
		buf_add_format(out, "\\u%04X", (unsigned)c);
		break;
	case 3:
		buf_add_format(out, "%%%02x", (unsigned)c);
		break;
	case 4:
		buf_add_format(out, "%%%02X", (unsigned)c);
		break;
	default:
		buf_add_char(out, c);
	}
}

/* All as themselves, some escaped, or many. */
static void spell(struct buf *out, size_t chars, struct fuzz_random *random)
{
	static const size_t forms[] = {1, 50, 5};
	size_t below = forms[fuzz_random_next(random, 3)];

	for (size_t i = 0; i < chars; i++)
		spell_char(out, FUZZ_KEY[i], fuzz_random_next(random, below));
}

static void expand(struct buf *out, struct slice input, struct fuzz_random *random)
{
	for (size_t i = 0; i < input.n; i++) {
		if (input.p[i] == 1)
			spell(out, sizeof(FUZZ_KEY) - 1, random);
		else if (input.p[i] == 2)
			spell(out, fuzz_random_next(random, sizeof(FUZZ_KEY) - 1), random);
		else
			buf_add_char(out, input.p[i]);
	}
	buf_add(out, "", 0);
}

/* ---- what json-c reads ---- */

/* The text with the key in it crossed out. */
static void replace(struct buf *out, const char *text, size_t n)
{
	const char *end = text + n;

	while (text < end) {
		size_t left = (size_t)(end - text);
		if (left >= sizeof(FUZZ_KEY) - 1 &&
		    memcmp(text, FUZZ_KEY, sizeof(FUZZ_KEY) - 1) == 0) {
			buf_add_text(out, CROSSED_OUT);
			text += sizeof(FUZZ_KEY) - 1;
		} else {
			buf_add_char(out, *text++);
		}
	}
}

/* A string in a string may hold the key in a second spelling, which goes as well. */
static bool may_be_nested(const char *text)
{
	return strchr(text, '%') != NULL || strstr(text, "\\u00") != NULL;
}

static void check_string(const char *before, size_t n, const char *after, size_t after_n)
{
	struct buf expected = buf_make(SIZE_MAX / 2);

	CHECK(memmem(after, after_n, FUZZ_KEY, sizeof(FUZZ_KEY) - 1) == NULL);
	replace(&expected, before, n);
	CHECK(slice_equal(buf_slice(&expected), (struct slice){after, after_n}) ||
	      (may_be_nested(before) && n == after_n));
	buf_free(&expected);
}

static void check_value(struct json_object *before, struct json_object *after);

static void check_object(struct json_object *before, struct json_object *after)
{
	struct json_object_iterator b = json_object_iter_begin(before);
	struct json_object_iterator a = json_object_iter_begin(after);
	struct json_object_iterator end = json_object_iter_end(before);

	/* Names that are the same now are one for json-c. */
	if (json_object_object_length(before) != json_object_object_length(after))
		return;
	for (; !json_object_iter_equal(&b, &end);
	     json_object_iter_next(&b), json_object_iter_next(&a)) {
		const char *name = json_object_iter_peek_name(&b);
		const char *now = json_object_iter_peek_name(&a);
		check_string(name, strlen(name), now, strlen(now));
		check_value(json_object_iter_peek_value(&b), json_object_iter_peek_value(&a));
	}
}

static void check_value(struct json_object *before, struct json_object *after)
{
	enum json_type type = json_object_get_type(before);

	CHECK(json_object_get_type(after) == type);
	if (type == json_type_string) {
		check_string(
			json_object_get_string(before), (size_t)json_object_get_string_len(before),
			json_object_get_string(after), (size_t)json_object_get_string_len(after));
	} else if (type == json_type_object) {
		check_object(before, after);
	} else if (type == json_type_array) {
		CHECK(json_object_array_length(before) == json_object_array_length(after));
		for (size_t i = 0; i < json_object_array_length(before); i++)
			check_value(json_object_array_get_idx(before, i),
				    json_object_array_get_idx(after, i));
	} else {
		CHECK(json_object_equal(before, after) == 1);
	}
}

static void check_json(struct slice before, struct slice after)
{
	bool needs_repair;

	CHECK(oracle_text(before) == oracle_text(after));
	if (json_text_check(before, &fuzz_limits, NULL, NULL, &needs_repair) != STATUS_OK ||
	    needs_repair)
		return;
	struct json_object *was = oracle_parse(before);
	struct json_object *is = oracle_parse(after);
	check_value(was, is);
	json_object_put(was);
	json_object_put(is);
}

/* ---- in pieces ---- */

struct pieces {
	struct buf out;
	char *room;
	size_t held;
	bool found;
};

static enum status feed(void *context, const char *bytes, size_t n)
{
	struct pieces *pieces = context;

	if (n > 0)
		memcpy(pieces->room + pieces->held, bytes, n);
	n += pieces->held;
	pieces->held = cross_out_piece(pieces->room, n, SLICE(FUZZ_KEY), &pieces->found);
	CHECK(pieces->held <= n && pieces->held <= CROSS_OUT_OPEN_MAX);
	buf_add(&pieces->out, pieces->room, n - pieces->held);
	memmove(pieces->room, pieces->room + n - pieces->held, pieces->held);
	return STATUS_OK;
}

static void check_pieces(struct fuzz_random *random, struct slice before, struct slice after,
			 bool found)
{
	struct pieces pieces = {.out = buf_make(SIZE_MAX / 2),
				.room = malloc(before.n + CROSS_OUT_OPEN_MAX)};

	CHECK(pieces.room != NULL);
	CHECK(fuzz_in_pieces(random, before, feed, &pieces) == STATUS_OK);
	pieces.found |= cross_out(pieces.room, pieces.held, SLICE(FUZZ_KEY));
	buf_add(&pieces.out, pieces.room, pieces.held);
	CHECK(pieces.found == found && slice_equal(buf_slice(&pieces.out), after));
	buf_free(&pieces.out);
	free(pieces.room);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct slice input = {(const char *)data, n};
	struct fuzz_random random = fuzz_random_of(input);
	struct buf text = buf_make(SIZE_MAX / 2);

	expand(&text, input, &random);
	struct slice before = {text.p == NULL ? "" : text.p, text.n};
	char *copy = fuzz_copy(before);
	struct slice after = {copy, before.n};
	bool finds = cross_out_finds(before, SLICE(FUZZ_KEY));
	bool found = cross_out(copy, before.n, SLICE(FUZZ_KEY));
	CHECK(found == finds && found == !slice_equal(before, after));
	CHECK(!cross_out_finds(after, SLICE(FUZZ_KEY)));
	check_json(before, after);
	check_pieces(&random, before, after, found);
	free(copy);
	buf_free(&text);
	return 0;
}
