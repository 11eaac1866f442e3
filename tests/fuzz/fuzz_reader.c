/*
 * fuzz_reader.c - the items of a body in all three forms: what the reader gives lies in the body,
 * keeps to the limits, is all there, and does not depend on how the body is cut.
 */
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "http/problem.h"
#include "oracle.h"

/* What became of a body, as text to be compared. */
struct reading {
	struct json_reader *reader;
	struct slice body;
	struct json_limits limits;
	bool recover;
	struct buf story;
	uint64_t items, behind; /* the offset behind the last item */
	uint64_t broken;	/* items whose grammar is wrong, … */
	struct buf mended;	/* … and the body with {} in their place … */
	size_t copied;		/* … up to here */
};

static void mend(struct reading *reading, const struct json_item *item)
{
	reading->broken++;
	buf_add(&reading->mended, reading->body.p + reading->copied,
		(size_t)item->offset - reading->copied);
	buf_add_text(&reading->mended, "{}");
	reading->copied = (size_t)(item->offset + item->length);
	CHECK(reading->copied <= reading->body.n);
}

static void check_item(struct reading *reading, const struct json_item *item)
{
	const struct slice body = reading->body;
	struct slice bytes = {body.p + item->offset, item->text.n};
	bool needs_repair;

	CHECK(item->index == reading->items++ && item->index < reading->limits.items);
	CHECK(item->offset >= reading->behind && item->offset + item->text.n <= body.n);
	CHECK(item->text.n > 0 && item->text.n <= reading->limits.item_bytes);
	CHECK(memcmp(bytes.p, item->text.p, bytes.n) == 0);
	reading->behind = item->offset + item->text.n;
	if (item->status == STATUS_OK) {
		CHECK(item->text.p[0] == '{' && item->text.p[item->text.n - 1] == '}');
		CHECK(oracle_text(bytes) && item->reason[0] == '\0');
		CHECK(json_text_check(bytes, &reading->limits, NULL, NULL, &needs_repair) ==
		      STATUS_OK);
		CHECK(needs_repair == item->needs_repair);
	} else {
		if (item->status == STATUS_MALFORMED_JSON)
			mend(reading, item);
		CHECK(problem_of(item->status)->http / 100 == 4 && item->reason[0] != '\0');
		CHECK(item->bad_offset >= item->offset && item->bad_offset <= body.n);
	}
}

static enum status take_item(void *context, const struct json_item *item)
{
	struct reading *reading = context;

	check_item(reading, item);
	buf_add_format(&reading->story, "%s %llu+%zu !%llu %s%s\n", status_name(item->status),
		       (unsigned long long)item->offset, item->text.n,
		       (unsigned long long)item->bad_offset, item->reason,
		       item->needs_repair ? " repair" : "");
	return STATUS_OK;
}

static enum status feed(void *context, const char *bytes, size_t n)
{
	struct reading *reading = context;

	return json_reader_feed(reading->reader, bytes, n);
}

/* What stood beside the array, of a failed body, too: JSON that jsonb can hold. */
static void tell_envelope(struct reading *reading)
{
	struct arena arena = {0};
	struct json_limits limits = reading->limits; /* of a member */
	struct slice envelope;
	bool needs_repair = false;

	limits.depth++;
	CHECK(json_reader_envelope(reading->reader, &arena, &envelope) == STATUS_OK);
	if (envelope.p != NULL) {
		CHECK(envelope.n <= (64 << 10) + 1 && envelope.p[0] == '{');
		CHECK(json_text_check(envelope, &limits, NULL, NULL, &needs_repair) == STATUS_OK &&
		      !needs_repair);
		buf_add_slice(&reading->story, envelope);
	}
	arena_free(&arena);
}

static void tell_end(struct reading *reading, enum status status)
{
	static const char *const names[] = {"sentAt", "timestamp", "context", "api_key"};
	uint64_t offset;
	const char *reason;

	json_reader_error(reading->reader, &offset, &reason);
	CHECK(offset <= reading->body.n && (status == STATUS_OK) == (reason[0] == '\0'));
	buf_add_format(&reading->story, "%s !%llu %s %d\n", status_name(status),
		       (unsigned long long)offset, reason,
		       (int)json_reader_is_single(reading->reader));
	for (size_t i = 0; i < ARRAY_LENGTH(names); i++) {
		struct slice beside = json_reader_beside(reading->reader, names[i]);
		bool needs_repair = false;
		if (beside.p == NULL || status != STATUS_OK)
			continue;
		CHECK(json_text_check(beside, &reading->limits, NULL, NULL, &needs_repair) ==
			      STATUS_OK &&
		      !needs_repair);
		buf_add_slice(&reading->story, beside);
	}
	tell_envelope(reading);
}

static enum status read_body(struct reading *reading, enum json_form form,
			     struct fuzz_random *random)
{
	reading->story = buf_make(SIZE_MAX / 2);
	reading->mended = buf_make(SIZE_MAX / 2);
	reading->items = reading->behind = reading->broken = reading->copied = 0;
	CHECK(json_reader_open(&reading->reader, form, &reading->limits, take_item, reading) ==
	      STATUS_OK);
	if (reading->recover)
		json_reader_recover(reading->reader);
	enum status status = random == NULL ? feed(reading, reading->body.p, reading->body.n)
					    : fuzz_in_pieces(random, reading->body, feed, reading);
	if (status == STATUS_OK)
		status = json_reader_end(reading->reader);
	tell_end(reading, status);
	json_reader_close(reading->reader);
	return status;
}

/* No item of a body that is one JSON text gets lost: json-c counts them too. */
static void check_all_there(const struct reading *reading, enum json_form form)
{
	static const char *const names[] = {"batch", "signals", "events"};
	size_t count = 0;

	if (form == JSON_FORM_LINES || !oracle_text(reading->body))
		return;
	struct json_object *value = oracle_parse(reading->body);
	if (json_object_is_type(value, json_type_array))
		CHECK(reading->items == json_object_array_length(value));
	for (int i = 0; i < 3 && form == JSON_FORM_BATCH; i++) {
		struct json_object *array = NULL;
		if (json_object_is_type(value, json_type_object))
			(void)json_object_object_get_ex(value, names[i], &array);
		if (json_object_is_type(array, json_type_array))
			count += json_object_array_length(array);
	}
	CHECK(reading->items >= count);
	json_object_put(value);
}

/* With {} in place of each broken element the body is JSON, and has as many items. */
static void check_mended(struct reading *reading, enum json_form form)
{
	uint64_t items = reading->items;
	struct reading again = {.limits = reading->limits};

	buf_add(&reading->mended, reading->body.p + reading->copied,
		reading->body.n - reading->copied);
	again.body = buf_slice(&reading->mended);
	struct slice text = again.body;
	if (slice_starts(text, SLICE("\xef\xbb\xbf")))
		text = (struct slice){text.p + 3, text.n - 3};
	CHECK(oracle_text(text));
	CHECK(read_body(&again, form, NULL) == STATUS_OK && again.items == items);
	buf_free(&again.story);
	buf_free(&again.mended);
}

/* Whole and in pieces, and, if no item is broken, with and without recovery: the same. */
static void check_form(struct reading *reading, enum json_form form, struct fuzz_random *random)
{
	enum status status = read_body(reading, form, NULL);
	struct buf whole = reading->story;

	if (status == STATUS_OK)
		check_all_there(reading, form);
	if (reading->recover && reading->broken > 0 && status == STATUS_OK &&
	    form != JSON_FORM_LINES)
		check_mended(reading, form);
	buf_free(&reading->mended);
	CHECK(read_body(reading, form, random) == status);
	CHECK(slice_equal(buf_slice(&whole), buf_slice(&reading->story)));
	buf_free(&reading->story);
	buf_free(&reading->mended);
	/* An element of an envelope that is no object ends the reading, broken or not. */
	if (reading->recover && reading->broken == 0 && form != JSON_FORM_ENVELOPE) {
		reading->recover = false;
		CHECK(read_body(reading, form, NULL) == status);
		CHECK(slice_equal(buf_slice(&whole), buf_slice(&reading->story)));
		buf_free(&reading->story);
		buf_free(&reading->mended);
	}
	buf_free(&whole);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const size_t item_bytes[] = {1, 16, 100, 512 << 10};
	static const uint64_t items[] = {0, 1, 3, 5000};
	struct reading reading = {.body = {(const char *)data, n}, .limits = fuzz_limits};
	struct fuzz_random random = fuzz_random_of(reading.body);

	if (fuzz_random_next(&random, 2) == 0) {
		reading.limits.item_bytes = item_bytes[fuzz_random_next(&random, 4)];
		reading.limits.items = items[fuzz_random_next(&random, 4)];
		reading.limits.depth = (unsigned)fuzz_random_next(&random, 8);
		reading.limits.number_digits = (unsigned)fuzz_random_next(&random, 8);
	}
	for (int form = JSON_FORM_SINGLE; form <= (int)JSON_FORM_ENVELOPE; form++) {
		for (int recover = 0; recover < 2; recover++) {
			reading.recover = recover != 0;
			check_form(&reading, (enum json_form)form, &random);
		}
	}
	return 0;
}
