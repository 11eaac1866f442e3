/*
 * intake/reject.c - bad items and unreadable bodies: noted for the answer, and kept so that a
 * sender that never reads its answer loses nothing (CONTRACT.md, section 4). See
 * intake/intake_internal.h.
 *
 * Rejects are stored in the transaction that authenticates the sender: unauthenticated bytes never
 * are.
 */
#include "intake/intake_internal.h"

#include <string.h>

#include "http/problem.h"
#include "key/cross_out.h"

const char *intake_detail_at(struct arena *arena, const char *reason, uint64_t offset)
{
	return arena_format(arena, JSON_REASON_FORMAT, reason, offset);
}

struct intake_error intake_error_of(const struct json_item *item)
{
	return (struct intake_error){
		.index = item->index,
		.start = item->offset,
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

enum status intake_cross_out(const struct intake *intake, struct arena *arena, struct slice *text,
			     bool *found)
{
	if (!cross_out_finds(*text, intake->key))
		return STATUS_OK;
	char *copy = arena_copy(arena, *text);
	if (copy == NULL)
		return STATUS_NO_MEMORY;
	(void)cross_out(copy, text->n, intake->key);
	text->p = copy;
	if (found != NULL)
		*found = true;
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
		/* What is missing is at no place. */
		.bad_byte = error->status == STATUS_MISSING_PRODUCT_ORG_ID
				    ? -1
				    : (int64_t)(error->offset - error->start),
	};
	return reject->detail.p == NULL ? STATUS_NO_MEMORY : STATUS_OK;
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
	     error != NULL && status == STATUS_OK; error = error->next, reject++) {
		status = intake_make_reject(intake, intake->arena, error, reject);
		reject->in_envelope = intake_has_room_for_envelope(
			intake, &intake->commit, (size_t)(reject - intake->commit.rejects));
	}
	return status;
}

static const char *kind_of_body(const struct intake *intake)
{
	switch (intake->form) {
	case JSON_FORM_LINES:
		return REJECT_KIND_LINES;
	case JSON_FORM_BATCH:
		return REJECT_KIND_BATCH;
	case JSON_FORM_SINGLE:
	case JSON_FORM_ENVELOPE: /* at a path that takes either */
	default:
		return REJECT_KIND_SINGLE;
	}
}

static const char *detail_of(const struct intake *intake)
{
	return intake->detail == NULL ? problem_of(intake->body_status)->detail : intake->detail;
}

/* Adds to the detail, which the sender is told, too, how much is kept of what is not kept whole. */
static enum status tell_how_much(struct intake *intake, size_t bytes)
{
	const char *detail = detail_of(intake);
	bool sentence = detail[strlen(detail) - 1] == '.';

	intake->detail = arena_format(intake->arena,
				      sentence ? "%s Its first %zu bytes are kept."
					       : "%s; its first %zu bytes are kept",
				      detail, bytes);
	return intake->detail == NULL ? STATUS_NO_MEMORY : STATUS_OK;
}

static enum status keep_body(struct intake *intake, struct slice received, bool complete)
{
	struct slice bytes = intake->plain;
	size_t most = (size_t)intake->config->single_body_bytes;

	if (intake->body_status == STATUS_UNSUPPORTED_CODING) {
		bytes = received;
	} else if (intake->body_status == STATUS_MALFORMED_CODING) {
		/* A key cannot be crossed out of compressed bytes. If it is in what could be
		 * decompressed, that is kept instead. */
		bytes = intake->key_was_found ? intake->plain : received;
		complete = complete && !intake->key_was_found;
	}
	size_t length = bytes.n;
	if (bytes.n > most)
		bytes.n = most;
	struct commit_reject *reject = make_room(intake, 1);
	if (reject == NULL)
		return STATUS_NO_MEMORY;
	if ((!complete || length > bytes.n) && tell_how_much(intake, bytes.n) != STATUS_OK)
		return STATUS_NO_MEMORY;
	*reject = (struct commit_reject){
		.position = -1,
		.kind = kind_of_body(intake),
		.status = intake->body_status,
		.detail = slice_of(detail_of(intake)),
		.payload = bytes,
		.length = complete ? (int64_t)length : -1,
		.bad_byte = intake->bad_byte,
	};
	/* Of bytes that were not decompressed, for what it is worth. */
	return intake_cross_out(intake, intake->arena, &reject->payload, NULL);
}

/* An empty body has nothing to keep; an incomplete one comes again. */
static bool is_worth_keeping(enum status status, struct slice received)
{
	return received.n > 0 && status != STATUS_EMPTY_BODY && status != STATUS_INCOMPLETE_BODY &&
	       status != STATUS_REQUEST_TIMEOUT;
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
