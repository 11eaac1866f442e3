/*
 * intake/reject.c - bad items and unreadable bodies: noted for the answer, and kept so that a
 * sender that never reads its answer loses nothing (CONTRACT.md, section 4). See
 * intake/intake_internal.h.
 *
 * Rejects are stored in the transaction that authenticates the sender: unauthenticated bytes never
 * are.
 */
#define _GNU_SOURCE /* memmem, which is POSIX only since 2024 */
#include "intake/intake_internal.h"

#include <string.h>

#include "http/problem.h"

enum {
	KEY_PREFIX = 3,	  /* "sk_" */
	KEY_SHOWN = 3 + 4 /* a key's first characters are not secret */
};

const char *intake_detail_at(struct arena *arena, const char *reason, uint64_t offset)
{
	return arena_format(arena, "%s at byte %llu", reason, (unsigned long long)offset);
}

struct intake_error intake_error_of(const struct json_item *item)
{
	return (struct intake_error){
		.index = item->index,
		.status = item->status,
		.offset = item->bad_offset,
		.reason = item->reason,
		.text = item->text,
		.length = item->length,
	};
}

enum status intake_add_error(struct intake *intake, const struct intake_error *error)
{
	struct intake_error *noted = arena_alloc(intake->arena, sizeof(*noted));

	if (noted == NULL)
		return STATUS_NO_MEMORY;
	*noted = *error;
	if (intake->errors_last == NULL)
		intake->errors = noted;
	else
		intake->errors_last->next = noted;
	intake->errors_last = noted;
	return STATUS_OK;
}

/* ---- the presented key, which must not be stored ---- */

/* How many bytes at the end of text begin the key; 0 when they are no more than may be shown. */
static size_t key_at_end(struct slice text, struct slice key)
{
	size_t n = key.n < text.n ? key.n : text.n;

	while (n > KEY_SHOWN && memcmp(text.p + text.n - n, key.p, n) != 0)
		n--;
	return n > KEY_SHOWN ? n : 0;
}

static bool shows_key(struct slice text, struct slice key)
{
	return text.n > KEY_SHOWN &&
	       (key_at_end(text, key) > 0 || memmem(text.p, text.n, key.p, key.n) != NULL);
}

static void cross_out(char *key, size_t n)
{
	memset(key + KEY_PREFIX, 'x', n - KEY_PREFIX);
}

/* Replaces the text by a copy without the key, if it holds the key or was cut off inside it. All
 * other bytes keep their place. */
static enum status hide_key(struct arena *arena, struct slice key, struct slice *text)
{
	if (!shows_key(*text, key))
		return STATUS_OK;
	char *copy = arena_copy(arena, *text);
	if (copy == NULL)
		return STATUS_NO_MEMORY;
	char *end = copy + text->n;
	size_t part = key_at_end(*text, key);
	if (part > 0)
		cross_out(end - part, part);
	for (char *p = copy; (p = memmem(p, (size_t)(end - p), key.p, key.n)) != NULL; p += key.n)
		cross_out(p, key.n);
	text->p = copy;
	return STATUS_OK;
}

/* ---- keeping ---- */

enum status intake_make_reject(const struct intake *intake, struct arena *arena,
			       const struct intake_error *error, struct commit_reject *reject)
{
	*reject = (struct commit_reject){
		.position = intake->single ? -1 : (int64_t)error->index,
		.kind = intake->single ? REJECT_KIND_SINGLE : REJECT_KIND_ITEM,
		.status = error->status,
		.detail = slice_of(intake_detail_at(arena, error->reason, error->offset)),
		.payload = error->text,
		.length = (int64_t)error->length,
	};
	if (reject->detail.p == NULL)
		return STATUS_NO_MEMORY;
	return hide_key(arena, intake->key, &reject->payload);
}

static struct commit_reject *make_room(struct intake *intake, size_t count)
{
	struct commit_reject *rejects = arena_array(intake->arena, count, sizeof(*rejects));

	intake->commit.rejects = rejects;
	intake->commit.reject_count = rejects == NULL ? 0 : count;
	return rejects;
}

static enum status keep_items(struct intake *intake)
{
	enum status status = STATUS_OK;

	if (intake->rejected == 0)
		return STATUS_OK;
	struct commit_reject *reject = make_room(intake, (size_t)intake->rejected);
	if (reject == NULL)
		return STATUS_NO_MEMORY;
	for (const struct intake_error *error = intake->errors;
	     error != NULL && status == STATUS_OK; error = error->next)
		status = intake_make_reject(intake, intake->arena, error, reject++);
	return status;
}

static const char *kind_of_body(const struct intake *intake)
{
	switch (intake_form(intake)) {
	case JSON_FORM_LINES:
		return REJECT_KIND_LINES;
	case JSON_FORM_BATCH:
	case JSON_FORM_ENVELOPE:
		return REJECT_KIND_BATCH;
	case JSON_FORM_SINGLE:
	default:
		return REJECT_KIND_SINGLE;
	}
}

static enum status keep_body(struct intake *intake, struct slice received, bool complete)
{
	const char *detail = intake->detail;
	struct slice bytes = intake->plain;
	size_t most = (size_t)intake->config->item_bytes;

	if (intake->body_status == STATUS_MALFORMED_CODING) {
		/* A key cannot be crossed out of compressed bytes. If it is in what could be
		 * decompressed, that is kept instead. */
		bool partly = shows_key(intake->plain, intake->key);
		bytes = partly ? intake->plain : received;
		complete = complete && !partly;
	}
	struct commit_reject *reject = make_room(intake, 1);
	if (reject == NULL)
		return STATUS_NO_MEMORY;
	*reject = (struct commit_reject){
		.position = -1,
		.kind = kind_of_body(intake),
		.status = intake->body_status,
		.detail =
			slice_of(detail == NULL ? problem_of(intake->body_status)->detail : detail),
		.payload = {bytes.p, bytes.n < most ? bytes.n : most},
		.length = complete ? (int64_t)bytes.n : -1,
	};
	return hide_key(intake->arena, intake->key, &reject->payload);
}

/* An empty body has nothing to keep; one that is too large or incomplete we do not have. */
static bool is_worth_keeping(enum status status, struct slice received)
{
	return received.n > 0 && status != STATUS_EMPTY_BODY && status != STATUS_TOO_LARGE &&
	       status != STATUS_INCOMPLETE_BODY && status != STATUS_REQUEST_TIMEOUT;
}

enum status intake_keep(struct intake *intake, struct slice received, bool complete)
{
	if (intake->strict)
		return STATUS_OK;
	intake->commit.reject_unstorable = true;
	intake->commit.given_source = intake->given_source;
	if (!intake->unreadable)
		return keep_items(intake);
	if (!is_worth_keeping(intake->body_status, received))
		return STATUS_OK;
	return keep_body(intake, received, complete);
}
