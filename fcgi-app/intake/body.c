/*
 * intake/body.c - a complete body to its items: decoded, without the presented key, in the form
 * that its bytes and its label say. See intake/intake.h.
 */
#define _GNU_SOURCE /* memmem, which is POSIX only since 2024 */
#include "intake/intake_internal.h"

#include <string.h>

#include "base/ascii.h"
#include "http/problem.h"
#include "json/lines.h"

enum { ITEMS_FIRST = 1 };

enum json_form intake_form(const struct intake *intake)
{
	if (intake->media == HTTP_MEDIA_NDJSON)
		return JSON_FORM_LINES;
	return intake_is_one_or_many(intake) ? JSON_FORM_SINGLE : JSON_FORM_BATCH;
}

bool intake_may_be_lines(const struct intake *intake)
{
	return intake->media != HTTP_MEDIA_JSON && intake->media != HTTP_MEDIA_NDJSON &&
	       !intake->is_item;
}

/* ---- what the bytes say ---- */

static struct slice first_bytes(const struct intake *intake)
{
	struct slice text = intake->plain;

	if (slice_starts(text, SLICE("\xef\xbb\xbf")))
		text = (struct slice){text.p + 3, text.n - 3};
	while (text.n > 0 && slice_is_blank(*text.p))
		text = (struct slice){text.p + 1, text.n - 1};
	return text;
}

static bool begins_with_bracket(struct slice text)
{
	return text.n > 0 && (*text.p == '{' || *text.p == '[');
}

static bool is_xml(struct slice text)
{
	return text.n > 1 && text.p[0] == '<' &&
	       (text.p[1] == '?' || text.p[1] == '!' || ascii_is_alnum(text.p[1]));
}

/* Bytes that are not JSON, with a label that does not say they are. */
static bool is_unlike_json(const struct intake *intake)
{
	struct slice text = first_bytes(intake);

	return is_xml(text) ||
	       (!begins_with_bracket(text) &&
		(intake->media == HTTP_MEDIA_OTHER || intake->media == HTTP_MEDIA_FORM ||
		 intake->media == HTTP_MEDIA_MULTIPART));
}

static bool holds(struct slice text, struct slice part)
{
	return memmem(text.p, text.n, part.p, part.n) != NULL;
}

/* An object that may be an envelope; reading it as one will tell. */
static bool is_like_envelope(const struct intake *intake, struct slice text)
{
	return intake->kind == INTAKE_SINGLE && intake->form == JSON_FORM_SINGLE &&
	       !intake->is_item && text.n > 0 && *text.p == '{' &&
	       memchr(text.p, '[', text.n) != NULL &&
	       (holds(text, SLICE("\"batch\"")) || holds(text, SLICE("\"signals\"")) ||
		holds(text, SLICE("\"events\"")) || holds(text, SLICE("\\u00")));
}

/* By the body, because Segment and HubSpot send batches to the path of single signals. */
static size_t plain_max_of(const struct intake *intake, struct slice text)
{
	const struct config *config = intake->config;

	if (!intake_is_one_or_many(intake))
		return intake_body_max(intake);
	bool batch = intake->form != JSON_FORM_SINGLE || (text.n > 0 && *text.p == '[');
	return (size_t)(batch ? config->batch_body_bytes : config->single_body_bytes);
}

/* ---- items ---- */

/* Room for one more item; outgrown arrays stay in the arena. */
static enum status make_room(struct intake *intake)
{
	if (intake->item_count < intake->item_room)
		return STATUS_OK;
	size_t room = intake->item_room == 0 ? ITEMS_FIRST : intake->item_room * 4;
	struct intake_item *items = arena_array(intake->arena, room, sizeof(*items));
	if (items == NULL)
		return STATUS_NO_MEMORY;
	if (intake->item_count > 0)
		memcpy(items, intake->items, intake->item_count * sizeof(*items));
	intake->items = items;
	intake->item_room = room;
	return STATUS_OK;
}

/* The item's bytes for as long as the request lives. They are the body's, unless the reader had to
 * copy an item that only the end of the body has ended. */
static struct slice keep_text(struct intake *intake, struct slice text)
{
	uintptr_t from = (uintptr_t)intake->plain.p;
	uintptr_t at = (uintptr_t)text.p;

	if (at >= from && at < from + intake->plain.n)
		return text;
	return (struct slice){arena_copy(intake->arena, text), text.n};
}

static enum status take_item(void *context, const struct json_item *item)
{
	struct intake *intake = context;

	struct slice text = keep_text(intake, item->text);

	if (text.p == NULL)
		return STATUS_NO_MEMORY;
	if (item->status != STATUS_OK) {
		struct intake_error error = intake_error_of(item);
		error.text = text;
		intake->rejected++;
		return intake_add_error(intake, &error);
	}
	if (make_room(intake) != STATUS_OK)
		return STATUS_NO_MEMORY;
	intake->items[intake->item_count++] =
		(struct intake_item){item->index, item->offset, text, item->needs_repair};
	intake->accepted++;
	return STATUS_OK;
}

static const char *detail_of_error(struct intake *intake, const struct intake_error *error)
{
	return arena_format(intake->arena,
			    "item index %" PRIu64 ": " JSON_REASON_FORMAT "; %" PRIu64
			    " of %" PRIu64 " items are bad",
			    error->index, error->reason, error->offset, intake->rejected,
			    intake->rejected + intake->accepted);
}

static void forget_items(struct intake *intake)
{
	intake->item_count = 0;
	intake->accepted = intake->rejected = 0;
	intake->errors = intake->errors_last = NULL;
}

/* No item of the body is stored; the sender is still to be authenticated. */
static void refuse_body(struct intake *intake, enum status status, const char *detail)
{
	intake->body_status = status;
	intake->detail = detail;
}

void intake_judge_items(struct intake *intake)
{
	const struct intake_error *error = intake->errors;

	if (intake->accepted + intake->rejected == 0)
		refuse_body(intake, STATUS_EMPTY_BATCH, NULL);
	else if (error != NULL && intake->single)
		refuse_body(intake, error->status,
			    intake_detail_at(intake->arena, error->reason, error->offset));
	else if (error != NULL && (intake->strict || intake->accepted == 0))
		refuse_body(intake, STATUS_BATCH_REJECTED, detail_of_error(intake, error));
}

/* Why the body is unreadable, and notes where; NULL for the status's own detail. */
static const char *detail_of_body(struct intake *intake, const struct json_reader *reader,
				  enum status status)
{
	uint64_t offset = 0;
	const char *reason = "";

	/* Where nothing is, no place is worth telling, but what is missing. */
	if (status == STATUS_EMPTY_BODY)
		return intake_is_one_or_many(intake) ? NULL
						     : problem_of(STATUS_NOT_A_BATCH)->detail;
	if (reader != NULL)
		json_reader_error(reader, &offset, &reason);
	if (*reason == '\0')
		return NULL;
	intake->bad_byte = (int64_t)offset;
	return intake_detail_at(intake->arena, reason, offset);
}

void intake_judge(struct intake *intake, const struct json_reader *reader, enum status status)
{
	intake->single = reader != NULL && json_reader_is_single(reader);
	if (status == STATUS_MALFORMED_JSON && is_unlike_json(intake)) {
		intake->unreadable = true;
		refuse_body(intake, STATUS_UNSUPPORTED_MEDIA_TYPE, NULL);
		return;
	}
	if (status != STATUS_OK) {
		intake->unreadable = true;
		refuse_body(intake, status, detail_of_body(intake, reader, status));
	} else {
		intake_judge_items(intake);
	}
}

static enum status read_items(struct intake *intake)
{
	struct json_limits limits = intake_json_limits(intake->config, intake->kind);
	struct json_reader *reader = NULL;
	enum status status = json_reader_open(&reader, intake->form, &limits, take_item, intake);

	if (status == STATUS_OK && !intake->strict)
		json_reader_recover(reader);
	if (status == STATUS_OK)
		status = json_reader_feed(reader, intake->plain.p, intake->plain.n);
	if (status == STATUS_OK)
		status = json_reader_end(reader);
	if (status != STATUS_NO_MEMORY) {
		intake_judge(intake, reader, status);
		status = STATUS_OK;
	}
	if (status == STATUS_OK && !intake->unreadable)
		status = intake_read_envelope(intake, intake->arena, reader, &intake->commit);
	if (status == STATUS_OK && intake->body_status == STATUS_OK &&
	    intake->kind != INTAKE_PRODUCT_ORGS)
		status = intake_read_signals(intake);
	json_reader_close(reader);
	return status;
}

/* Within the limit of what the body turns out to be by its first bytes, text. An object that is no
 * envelope after all is one item. */
static enum status read_form(struct intake *intake, struct slice text)
{
	enum status status = STATUS_TOO_LARGE;

	if (intake->plain.n <= plain_max_of(intake, text))
		status = read_items(intake);
	if (status != STATUS_OK || intake->form != JSON_FORM_ENVELOPE ||
	    intake->body_status != STATUS_NOT_A_BATCH)
		return status;
	forget_items(intake);
	intake->unreadable = false;
	intake->bad_byte = -1;
	refuse_body(intake, STATUS_OK, NULL);
	intake->form = JSON_FORM_SINGLE;
	return intake->plain.n <= plain_max_of(intake, text) ? read_items(intake)
							     : STATUS_TOO_LARGE;
}

/* ---- from the bytes to JSON ---- */

static enum status keep_decoded(void *context, const char *bytes, size_t n)
{
	struct buf *decoded = context;

	buf_add(decoded, bytes, n);
	return decoded->status;
}

static enum status decode(struct intake *intake, struct slice body, size_t plain_max)
{
	struct http_decoder *decoder = NULL;
	enum status status = http_decoder_open(&decoder, intake->coding, plain_max);

	intake->decoded = buf_make(plain_max);
	if (status == STATUS_OK)
		status = http_decoder_feed(decoder, body.p, body.n, keep_decoded, &intake->decoded);
	if (status == STATUS_OK)
		status = http_decoder_end(decoder, keep_decoded, &intake->decoded);
	http_decoder_close(decoder);
	return status;
}

static bool is_compressed(const struct intake *intake, struct slice body)
{
	return intake->coding != HTTP_CODING_IDENTITY || slice_starts(body, SLICE("\x1f\x8b"));
}

/* The body without its coding, and without the presented key: all that is stored of it comes from
 * here. */
static enum status make_plain(struct intake *intake, struct slice body, size_t bytes_max)
{
	size_t body_max = intake_body_max(intake);
	enum status status = body.n > body_max ? STATUS_TOO_LARGE : STATUS_OK;

	intake->plain = body;
	if (intake->coding == HTTP_CODING_OTHER) {
		status = STATUS_UNSUPPORTED_CODING;
	} else if (is_compressed(intake, body)) {
		enum status decoded = decode(intake, body, bytes_max);
		intake->plain = buf_slice(&intake->decoded);
		if (status == STATUS_OK || decoded == STATUS_NO_MEMORY)
			status = decoded;
	}
	enum status crossed_out =
		intake_cross_out(intake, intake->arena, &intake->plain, &intake->key_was_found);
	return crossed_out == STATUS_OK ? status : crossed_out;
}

/* A form becomes the JSON text that it stands for. */
static enum status read_fields(struct intake *intake)
{
	const char *reason = NULL;
	struct slice text;

	if (intake->plain.n > (size_t)intake->config->single_body_bytes)
		return STATUS_TOO_LARGE;
	enum status status = intake_read_form(intake, intake->plain, &text, &reason);
	if (status == STATUS_OK) {
		intake->plain = text;
		intake->media = HTTP_MEDIA_JSON;
		/* What was escaped twice. */
		return intake_cross_out(intake, intake->arena, &intake->plain,
					&intake->key_was_found);
	}
	if (status != STATUS_NO_MEMORY) {
		intake->unreadable = true;
		refuse_body(intake, status, reason);
		status = STATUS_OK;
	}
	return status;
}

/* The bytes decide; where they leave it open, the label does. */
static enum status read_plain(struct intake *intake)
{
	struct slice text = first_bytes(intake);
	bool is_form = intake->media == HTTP_MEDIA_FORM || intake->media == HTTP_MEDIA_MULTIPART;

	if (is_form && text.n > 0 && !begins_with_bracket(text) && !is_xml(text)) {
		enum status status = read_fields(intake);
		if (status != STATUS_OK || intake->unreadable)
			return status;
		text = first_bytes(intake);
	}
	if (text.n > 0 && *text.p == '{' && intake_may_be_lines(intake) &&
	    json_lines_begin(text) == JSON_LINES_YES)
		intake->form = JSON_FORM_LINES;
	if (is_like_envelope(intake, text))
		intake->form = JSON_FORM_ENVELOPE;
	return read_form(intake, text);
}

/* So that the body can be read again by a process that allows more. */
static void forget_items_and_text(struct intake *intake)
{
	buf_free(&intake->decoded);
	intake->plain = SLICE_ABSENT;
	forget_items(intake);
}

/* Of product orgs, for intake_forget_body(). */
static enum status keep_unread(struct intake *intake)
{
	struct intake *unread;

	if (intake->kind != INTAKE_PRODUCT_ORGS)
		return STATUS_OK;
	unread = arena_alloc(intake->arena, sizeof(*unread));
	if (unread == NULL)
		return STATUS_NO_MEMORY;
	*unread = *intake;
	intake->unread = unread;
	return STATUS_OK;
}

void intake_forget_body(struct intake *intake)
{
	buf_free(&intake->decoded);
	*intake = *intake->unread;
}

/* The body is bad as a whole. */
static void refuse_whole(struct intake *intake, enum status status)
{
	intake->unreadable = true;
	refuse_body(intake, status, NULL);
}

enum status intake_body(struct intake *intake, struct slice body, size_t plain_max)
{
	size_t body_max = intake_body_max(intake);
	bool all_allowed = plain_max >= body_max || body.n > body_max;
	size_t bytes_max = all_allowed ? body_max : plain_max;
	enum status status = keep_unread(intake);

	if (status != STATUS_OK)
		return status;
	status = make_plain(intake, body, bytes_max);
	bool complete = status != STATUS_TOO_LARGE;

	intake->form = intake_form(intake);
	if (status == STATUS_OK)
		status = read_plain(intake);
	if (status == STATUS_TOO_LARGE && !all_allowed) {
		forget_items_and_text(intake);
		return STATUS_LARGE;
	}
	if (status == STATUS_NO_MEMORY)
		return status;
	if (status != STATUS_OK)
		refuse_whole(intake, status);
	if (intake_wants_template(intake))
		return STATUS_OK;
	return intake_keep(intake, body, complete);
}
