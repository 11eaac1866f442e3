/*
 * intake/intake.c - one webhook request from head and body to its items. See intake/intake.h.
 */
#include "intake/intake_internal.h"

#include <string.h>

#include "http/header.h"
#include "http/problem.h"

enum { ITEMS_FIRST = 1 };

void intake_init(struct intake *intake, const struct config *config, struct arena *arena,
		 const struct http_request *http, enum intake_kind kind)
{
	*intake = (struct intake){
		.config = config,
		.arena = arena,
		.http = http,
		.kind = kind,
		.commit = {.arena = arena, .for_product_orgs = kind == INTAKE_PRODUCT_ORGS},
	};
}

void intake_free(struct intake *intake)
{
	buf_free(&intake->received);
	buf_free(&intake->decoded);
}

/* True on paths where an object is one item and an array is a batch. */
static bool is_one_or_many(const struct intake *intake)
{
	return intake->kind == INTAKE_SINGLE || intake->kind == INTAKE_PRODUCT_ORGS;
}

size_t intake_body_max(const struct intake *intake)
{
	const struct config *config = intake->config;
	int64_t most =
		intake->kind == INTAKE_BULK ? config->bulk_body_bytes : config->batch_body_bytes;

	if (is_one_or_many(intake) && config->single_body_bytes > most)
		most = config->single_body_bytes;
	return (size_t)most;
}

int64_t intake_timeout_ms(const struct intake *intake)
{
	return intake->kind == INTAKE_BULK ? intake->config->bulk_timeout_ms
					   : intake->config->request_timeout_ms;
}

/* ---- head ---- */

/* A header that may be sent once. Web servers join repeated ones with a comma, which no value read
 * here may hold. */
static enum status header_once(const struct http_request *http, const char *variable,
			       struct slice *value)
{
	unsigned times = http_header(http, variable, value);

	if (times > 1 || (times == 1 && value->n > 0 && memchr(value->p, ',', value->n) != NULL))
		return STATUS_REPEATED_HEADER;
	if (value->n == 0)
		*value = SLICE_ABSENT;
	return STATUS_OK;
}

static enum status head_credentials(struct intake *intake)
{
	struct slice secret = SLICE_ABSENT;
	struct commit_request *commit = &intake->commit;

	if (!credential_key_is_sound(intake->key))
		return STATUS_UNAUTHENTICATED;
	if (header_once(intake->http, "HTTP_X_API_SECRET", &secret) != STATUS_OK) {
		intake->detail = "X-Api-Secret was sent more than once";
		return STATUS_REPEATED_HEADER;
	}
	commit->has_secret = secret.p != NULL;
	if (commit->has_secret && credential_hash(secret, &commit->secret_hash) != STATUS_OK)
		return STATUS_INTERNAL;
	return credential_hash(intake->key, &commit->key_hash);
}

static enum status head_source(struct intake *intake)
{
	struct slice header = SLICE_ABSENT;

	if (header_once(intake->http, "HTTP_X_SOURCE", &header) != STATUS_OK) {
		intake->detail = "X-Source was sent more than once";
		return STATUS_REPEATED_HEADER;
	}
	intake->given_source = intake->path_source.p != NULL ? intake->path_source : header;
	if (intake->given_source.p != NULL && !signal_source_is_valid(intake->given_source)) {
		intake->detail = "a source is 1 to 64 characters of A-Z a-z 0-9 . _ -";
		return STATUS_INVALID_SOURCE;
	}
	return STATUS_OK;
}

/* The delivery's id, for a payload without one. */
static enum status head_id(struct intake *intake)
{
	unsigned times = http_header(intake->http, "HTTP_IDEMPOTENCY_KEY", &intake->given_id);

	if (times == 0 || intake->given_id.n == 0)
		times = http_header(intake->http, "HTTP_WEBHOOK_ID", &intake->given_id);
	if (times > 1) {
		intake->detail = "Idempotency-Key or webhook-id was sent more than once";
		return STATUS_REPEATED_HEADER;
	}
	if (intake->given_id.n == 0) {
		intake->given_id = SLICE_ABSENT;
	} else if (!signal_id_is_valid(intake->given_id)) {
		intake->detail =
			"an Idempotency-Key or webhook-id is 1 to 1,024 visible ASCII characters";
		return STATUS_MALFORMED_REQUEST;
	}
	return STATUS_OK;
}

/* Prefer: handling=strict, perhaps among other preferences (RFC 7240). */
static bool prefers_strict(const struct http_request *http)
{
	struct slice rest;

	(void)http_header(http, "HTTP_PREFER", &rest);
	while (rest.n > 0) {
		struct slice preference = http_header_take(&rest, ',');
		if (slice_equal_nocase(http_header_take(&preference, ';'),
				       SLICE("handling=strict")))
			return true;
	}
	return false;
}

enum status intake_head(struct intake *intake)
{
	enum status status = head_credentials(intake);

	if (status == STATUS_OK)
		status = http_media(intake->http, &intake->media);
	if (status == STATUS_OK)
		status = http_coding(intake->http, &intake->coding);
	if (status == STATUS_OK)
		status = head_source(intake);
	if (status == STATUS_OK)
		status = head_id(intake);
	if (status != STATUS_OK)
		return status;
	if (intake->http->content_length > (int64_t)intake_body_max(intake))
		return STATUS_TOO_LARGE;
	intake->strict = prefers_strict(intake->http);
	intake->commit.request_id = slice_of(intake->http->request_id);
	return STATUS_OK;
}

/* ---- body ---- */

enum json_form intake_form(const struct intake *intake)
{
	if (intake->media == HTTP_MEDIA_NDJSON)
		return JSON_FORM_LINES;
	return is_one_or_many(intake) ? JSON_FORM_SINGLE : JSON_FORM_BATCH;
}

struct json_limits intake_json_limits(const struct config *config, enum intake_kind kind)
{
	return (struct json_limits){
		.item_bytes = (size_t)config->item_bytes,
		.items = (uint64_t)(kind == INTAKE_BULK ? config->bulk_items : config->batch_items),
		.depth = (unsigned)config->json_depth,
		.number_digits = (unsigned)config->json_number_digits,
		.number_exponent = (unsigned)config->json_number_exponent,
	};
}

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
	unsigned long long items = intake->rejected + intake->accepted;

	return arena_format(intake->arena, "item %llu: %s at byte %llu; %llu of %llu items are bad",
			    (unsigned long long)error->index, error->reason,
			    (unsigned long long)error->offset, (unsigned long long)intake->rejected,
			    items);
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

/* Why the body is unreadable; NULL for the status's own detail. */
static const char *detail_of_body(const struct intake *intake, const struct json_reader *reader,
				  enum status status)
{
	uint64_t offset = 0;
	const char *reason = "";

	/* Where nothing is, no place is worth telling, but what is missing. */
	if (status == STATUS_EMPTY_BODY)
		return is_one_or_many(intake) ? NULL : problem_of(STATUS_NOT_A_BATCH)->detail;
	json_reader_error(reader, &offset, &reason);
	return *reason == '\0' ? NULL : intake_detail_at(intake->arena, reason, offset);
}

void intake_judge(struct intake *intake, const struct json_reader *reader, enum status status)
{
	intake->single = json_reader_is_single(reader);
	if (status != STATUS_OK) {
		intake->unreadable = true;
		refuse_body(intake, status, detail_of_body(intake, reader, status));
	} else {
		intake_judge_items(intake);
	}
}

/* By the body, because Segment and HubSpot send batches to the path of single signals. */
static size_t plain_max_of(const struct intake *intake)
{
	static const char blanks[] = " \t\r\n";
	const struct config *config = intake->config;
	struct slice text = intake->plain;

	if (!is_one_or_many(intake))
		return intake_body_max(intake);
	if (slice_starts(text, SLICE("\xef\xbb\xbf")))
		text = (struct slice){text.p + 3, text.n - 3};
	while (text.n > 0 && memchr(blanks, *text.p, sizeof(blanks) - 1) != NULL)
		text = (struct slice){text.p + 1, text.n - 1};
	bool batch = intake->media == HTTP_MEDIA_NDJSON || slice_starts(text, SLICE("["));
	return (size_t)(batch ? config->batch_body_bytes : config->single_body_bytes);
}

static enum status read_items(struct intake *intake, size_t bytes_max)
{
	struct json_limits limits = intake_json_limits(intake->config, intake->kind);
	struct json_reader *reader = NULL;
	enum status status =
		json_reader_open(&reader, intake_form(intake), &limits, take_item, intake);

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
	if (status == STATUS_OK && intake->body_status == STATUS_OK &&
	    intake->kind != INTAKE_PRODUCT_ORGS)
		status = intake_read_signals(intake, reader, bytes_max);
	json_reader_close(reader);
	return status;
}

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

static bool is_gzip(const struct intake *intake, struct slice body)
{
	return intake->coding == HTTP_CODING_GZIP || slice_starts(body, SLICE("\x1f\x8b"));
}

/* So that the body can be read again by a process that allows more. */
static void forget_body(struct intake *intake)
{
	buf_free(&intake->decoded);
	intake->plain = SLICE_ABSENT;
	intake->item_count = 0;
	intake->accepted = intake->rejected = 0;
	intake->errors = intake->errors_last = NULL;
}

void intake_settle(struct intake *intake)
{
	const struct commit_request *commit = &intake->commit;

	for (size_t i = 0; i < commit->item_count && commit->out.status == STATUS_ACCEPTED; i++)
		intake->duplicates += commit->results[i].repeated;
}

enum status intake_body(struct intake *intake, struct slice body, size_t plain_max)
{
	size_t body_max = intake_body_max(intake);
	size_t bytes_max = plain_max < body_max ? plain_max : body_max;
	enum status status = STATUS_OK;

	intake->plain = body;
	if (body.n > body_max) {
		status = STATUS_TOO_LARGE;
		bytes_max = body_max;
	} else if (is_gzip(intake, body)) {
		status = decode(intake, body, bytes_max);
		intake->plain = buf_slice(&intake->decoded);
	}
	if (status == STATUS_OK && intake->plain.n > plain_max_of(intake))
		status = STATUS_TOO_LARGE;
	if (status == STATUS_OK)
		status = read_items(intake, bytes_max);
	if (status == STATUS_TOO_LARGE && bytes_max < body_max) {
		forget_body(intake);
		return STATUS_LARGE;
	}
	if (status != STATUS_OK && status != STATUS_NO_MEMORY) {
		intake->unreadable = true;
		refuse_body(intake, status, NULL);
		status = STATUS_OK;
	}
	if (status == STATUS_OK && !intake_wants_template(intake))
		status = intake_keep(intake, body, true);
	return status;
}
