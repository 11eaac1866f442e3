/*
 * intake.c - one webhook request from head and body to its rows. See intake.h. The streaming way
 * is in intake_bulk.c, the answers in intake_answer.c.
 */
#include "intake.h"

#include <string.h>

/* More bad items than this are counted, not listed. */
enum { SIGNALS_FIRST = 1, DETAIL_BYTES = 200 };

void intake_init(struct intake *intake, const struct config *config, struct arena *arena,
		 const struct http_request *http, enum intake_kind kind)
{
	*intake = (struct intake){
		.config = config,
		.arena = arena,
		.http = http,
		.kind = kind,
		.decoded = buf_make(0),
	};
}

void intake_free(struct intake *intake)
{
	buf_free(&intake->decoded);
}

size_t intake_body_max(const struct intake *intake)
{
	switch (intake->kind) {
	case INTAKE_BATCH:
		return (size_t)intake->config->batch_body_bytes;
	case INTAKE_BULK:
		return (size_t)intake->config->bulk_body_bytes;
	case INTAKE_SINGLE:
	default:
		return (size_t)intake->config->single_body_bytes;
	}
}

int64_t intake_timeout_ms(const struct intake *intake)
{
	return intake->kind == INTAKE_BULK ? intake->config->bulk_timeout_ms
					   : intake->config->request_timeout_ms;
}

/* ---- head ---- */

/* A header that may be there once. Several front ends join repeated ones with a comma, which no
 * value read here may hold. */
static enum status header_once(const struct http_request *http, const char *variable,
			       struct slice *value)
{
	unsigned times = http_header(http, variable, value);

	if (times > 1 || (times == 1 && value->n > 0 && memchr(value->p, ',', value->n) != NULL))
		return STATUS_REPEATED_HEADER;
	if (value->n == 0)
		*value = (struct slice){NULL, 0};
	return STATUS_OK;
}

static enum status head_credentials(struct intake *intake)
{
	struct slice secret = {NULL, 0};
	struct group_member *member = &intake->member;

	if (!credential_key_is_sound(intake->key))
		return STATUS_UNAUTHENTICATED;
	if (header_once(intake->http, "HTTP_X_API_SECRET", &secret) != STATUS_OK) {
		intake->detail = "X-Api-Secret was sent more than once";
		return STATUS_REPEATED_HEADER;
	}
	member->has_secret = secret.p != NULL;
	if (member->has_secret && credential_hash(secret, &member->secret_hash) != STATUS_OK)
		return STATUS_INTERNAL;
	return credential_hash(intake->key, &member->key_hash);
}

static enum status head_source(struct intake *intake)
{
	struct slice header = {NULL, 0};

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

/* Prefer: handling=strict, among other preferences (RFC 7240). */
static bool prefers_strict(const struct http_request *http)
{
	struct slice rest = {NULL, 0};

	(void)http_header(http, "HTTP_PREFER", &rest);
	while (rest.n > 0) {
		const char *end = memchr(rest.p, ',', rest.n);
		size_t n = end == NULL ? rest.n : (size_t)(end - rest.p);
		struct slice one = {rest.p, n};
		while (one.n > 0 && (*one.p == ' ' || *one.p == '\t'))
			one = (struct slice){one.p + 1, one.n - 1};
		const char *parameter = one.n == 0 ? NULL : memchr(one.p, ';', one.n);
		if (parameter != NULL)
			one.n = (size_t)(parameter - one.p);
		while (one.n > 0 && (one.p[one.n - 1] == ' ' || one.p[one.n - 1] == '\t'))
			one.n--;
		if (slice_equal_nocase(one, SLICE("handling=strict")))
			return true;
		n += end == NULL ? 0 : 1;
		rest = (struct slice){rest.p + n, rest.n - n};
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
	if (status != STATUS_OK)
		return status;
	if (intake->http->content_length > (int64_t)intake_body_max(intake))
		return STATUS_BODY_TOO_LARGE;
	intake->strict = prefers_strict(intake->http);
	intake->member.request_id = slice_of(intake->http->request_id);
	return STATUS_OK;
}

/* ---- body ---- */

enum json_form intake_form(const struct intake *intake)
{
	if (intake->media == HTTP_MEDIA_NDJSON)
		return JSON_FORM_LINES;
	return intake->kind == INTAKE_SINGLE ? JSON_FORM_SINGLE : JSON_FORM_BATCH;
}

struct json_limits intake_json_limits(const struct intake *intake)
{
	const struct config *config = intake->config;

	return (struct json_limits){
		.item_bytes = (size_t)config->item_bytes,
		.items = (uint64_t)(intake->kind == INTAKE_BULK ? config->bulk_items
								: config->batch_items),
		.depth = (unsigned)config->json_depth,
		.number_digits = (unsigned)config->json_number_digits,
		.number_exponent = (unsigned)config->json_number_exponent,
	};
}

enum status intake_reject(struct intake *intake, const struct json_item *item)
{
	intake->rejected++;
	struct intake_error *error = arena_alloc(intake->arena, sizeof(*error));
	if (error == NULL)
		return STATUS_NO_MEMORY;
	*error = (struct intake_error){item->index, item->status, item->bad_offset, item->reason,
				       NULL};
	if (intake->errors_last == NULL)
		intake->errors = error;
	else
		intake->errors_last->next = error;
	intake->errors_last = error;
	return STATUS_OK;
}

/* Room for one more signal; the arena keeps outgrown arrays until the request ends. */
static enum status make_room(struct intake *intake)
{
	size_t count = intake->member.signal_count;

	if (count < intake->signal_room)
		return STATUS_OK;
	size_t room = intake->signal_room == 0 ? SIGNALS_FIRST : intake->signal_room * 4;
	struct signal *signals = arena_array(intake->arena, room, sizeof(*signals));
	uint64_t *indexes = arena_array(intake->arena, room, sizeof(*indexes));
	int64_t *ids = arena_array(intake->arena, room, sizeof(*ids));
	if (signals == NULL || indexes == NULL || ids == NULL)
		return STATUS_NO_MEMORY;
	if (count > 0) {
		memcpy(signals, intake->signals, count * sizeof(*signals));
		memcpy(indexes, intake->indexes, count * sizeof(*indexes));
	}
	intake->signals = signals;
	intake->indexes = indexes;
	intake->signal_room = room;
	intake->member.signals = signals;
	intake->member.ids = ids;
	return STATUS_OK;
}

/* The item's bytes for as long as the request lives: those of the body, but for an item whose end
 * is known only by the body's end, which is the reader's own copy. */
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
	enum status status = item->status;

	if (status != STATUS_OK)
		return intake_reject(intake, item);
	struct slice text = keep_text(intake, item->text);
	status = make_room(intake);
	if (status != STATUS_OK || text.p == NULL)
		return STATUS_NO_MEMORY;
	size_t at = intake->member.signal_count;
	status = signal_read(intake->arena, text, item->needs_repair, intake->given_source,
			     &intake->signals[at]);
	if (status == STATUS_MALFORMED_JSON) {
		struct json_item bad = *item;
		bad.status = status;
		bad.bad_offset = item->offset;
		bad.reason = "unreadable item";
		return intake_reject(intake, &bad);
	}
	if (status != STATUS_OK)
		return status;
	intake->indexes[at] = item->index;
	intake->member.signal_count++;
	intake->accepted++;
	return STATUS_OK;
}

static const char *detail_at(struct intake *intake, const char *reason, uint64_t offset)
{
	struct buf text = buf_make(DETAIL_BYTES);

	buf_add_format(&text, "%s at byte %llu", reason, (unsigned long long)offset);
	const char *detail = arena_copy(intake->arena, buf_slice(&text));
	buf_free(&text);
	return detail;
}

static const char *detail_of_error(struct intake *intake, const struct intake_error *error)
{
	struct buf text = buf_make(DETAIL_BYTES);

	buf_add_format(&text, "item %llu: %s at byte %llu; %llu of %llu items are bad",
		       (unsigned long long)error->index, error->reason,
		       (unsigned long long)error->offset, (unsigned long long)intake->rejected,
		       (unsigned long long)(intake->rejected + intake->accepted));
	const char *detail = arena_copy(intake->arena, buf_slice(&text));
	buf_free(&text);
	return detail;
}

/* Nothing of the body is stored; the member stays, to be authenticated. */
static void refuse_body(struct intake *intake, enum status status, const char *detail)
{
	intake->body_status = status;
	intake->detail = detail;
	intake->member.signal_count = 0;
}

void intake_judge(struct intake *intake, const struct json_reader *reader, enum status status)
{
	const struct intake_error *error = intake->errors;
	uint64_t offset = 0;
	const char *reason = NULL;

	intake->single = json_reader_is_single(reader);
	if (status != STATUS_OK) {
		json_reader_error(reader, &offset, &reason);
		refuse_body(intake, status,
			    reason == NULL ? NULL : detail_at(intake, reason, offset));
	} else if (intake->accepted + intake->rejected == 0) {
		refuse_body(intake, STATUS_EMPTY_BATCH, NULL);
	} else if (error != NULL && intake->single) {
		refuse_body(intake, error->status, detail_at(intake, error->reason, error->offset));
	} else if (error != NULL && (intake->strict || intake->accepted == 0)) {
		refuse_body(intake, STATUS_BATCH_REJECTED, detail_of_error(intake, error));
	}
}

static enum status read_items(struct intake *intake, struct slice plain)
{
	struct json_limits limits = intake_json_limits(intake);
	struct json_reader *reader = NULL;
	enum status status =
		json_reader_open(&reader, intake_form(intake), &limits, take_item, intake);

	intake->plain = plain;

	if (status == STATUS_OK)
		status = json_reader_feed(reader, plain.p, plain.n);
	if (status == STATUS_OK)
		status = json_reader_end(reader);
	if (status != STATUS_NO_MEMORY) {
		intake_judge(intake, reader, status);
		status = STATUS_OK;
	}
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

enum status intake_body(struct intake *intake, struct slice body, size_t plain_max)
{
	size_t body_max = intake_body_max(intake);

	if (body.n > body_max) {
		refuse_body(intake, STATUS_BODY_TOO_LARGE, NULL);
		return STATUS_OK;
	}
	if (!is_gzip(intake, body))
		return read_items(intake, body);
	enum status status = decode(intake, body, plain_max < body_max ? plain_max : body_max);
	if (status == STATUS_OK)
		return read_items(intake, buf_slice(&intake->decoded));
	if (status == STATUS_BODY_TOO_LARGE && plain_max < body_max) {
		buf_free(&intake->decoded);
		return STATUS_LARGE;
	}
	if (status == STATUS_NO_MEMORY)
		return status;
	refuse_body(intake, status, NULL);
	return STATUS_OK;
}
