/*
 * json/reader.c - see json/reader.h. The grammar is in json/scan.
 *
 * The scanner stops where values and keys outside of items begin and end; the reader captures the
 * bytes in between. What is captured stays in the piece being fed, and is copied into `kept` only
 * if the piece ends first.
 */
#include "json/reader_internal.h"

#include <stdlib.h>
#include <string.h>

enum {
	KEY_BYTES = 1024,		/* more than a key in question has, all escaped */
	BESIDE_BYTES = 64 * 1024,	/* most of a member beside the array, and of all */
	KEPT_BETWEEN_ITEMS = 64 * 1024, /* memory not freed between items */
	MARK_BYTES = 3
};

static const char byte_order_mark[] = "\xef\xbb\xbf";

static const char *const beside_names[] = {"sentAt", "sent_at", "timestamp", "context", "api_key"};
_Static_assert(ARRAY_LENGTH(beside_names) == JSON_READER_BESIDE, "as many as are kept");

/* The last key read: an index of beside_names, or one of these. */
enum { KEY_OTHER = -1, KEY_ITEMS = -2 };

/*
 * While PostgreSQL makes jsonb of it, an array or object takes several hundred bytes of memory,
 * however short its text: 8 MiB of "{}," took over a second of CPU. So many are allowed in any
 * body, more only in proportion to its length. Real payloads have 30 bytes or more for each.
 */
enum { CONTAINERS_FREE = 100000, BYTES_PER_CONTAINER = 8 };

/* Ends the reading. */
enum status json_reader_stop(struct json_reader *reader, enum status status, uint64_t offset,
			     const char *reason)
{
	reader->status = status;
	reader->bad_offset = offset;
	reader->reason = reason;
	return status;
}

/* ---- capturing ---- */

static void capture_begin(struct json_reader *reader, enum json_reader_capture what, const char *p,
			  size_t most)
{
	reader->capture = what;
	reader->start = json_reader_offset(reader, p);
	reader->from = p;
	reader->most = most;
	reader->is_object = *p == '{';
	buf_reset(&reader->kept, KEPT_BETWEEN_ITEMS);
}

/* The piece ends within the captured text. */
enum status json_reader_keep(struct json_reader *reader, const char *end)
{
	if (reader->capture == CAPTURE_NOTHING)
		return STATUS_OK;
	size_t n = (size_t)(end - reader->from);
	size_t room = reader->most - reader->kept.n;
	if (n > room)
		n = room;
	if (n > 0)
		buf_add(&reader->kept, reader->from, n);
	reader->from = end;
	if (reader->kept.status == STATUS_OK)
		return STATUS_OK;
	return json_reader_stop(reader, STATUS_NO_MEMORY, json_reader_offset(reader, end),
				"out of memory");
}

/* The captured text, which ends at end: at most the bytes to keep. */
enum status json_reader_captured(struct json_reader *reader, const char *end, struct slice *text)
{
	if (reader->kept.n > 0) {
		enum status status = json_reader_keep(reader, end);
		*text = buf_slice(&reader->kept);
		reader->capture = CAPTURE_NOTHING;
		return status;
	}
	size_t n = (size_t)(end - reader->from);
	*text = (struct slice){reader->from, n < reader->most ? n : reader->most};
	reader->capture = CAPTURE_NOTHING;
	return STATUS_OK;
}

/* ---- items ---- */

/* True if the body has too many arrays and objects for its length so far. */
static bool is_hollow(const struct json_reader *reader, const char *p)
{
	return reader->scan.opened >
	       CONTAINERS_FREE + json_reader_offset(reader, p) / BYTES_PER_CONTAINER;
}

enum status json_reader_item_begin(struct json_reader *reader, const char *p)
{
	if (is_hollow(reader, p))
		return json_reader_stop(reader, STATUS_TOO_MANY_ITEMS,
					json_reader_offset(reader, p),
					"too many arrays and objects");
	if (reader->items >= reader->limits.items)
		return json_reader_stop(reader, STATUS_TOO_MANY_ITEMS,
					json_reader_offset(reader, p), "too many items");
	json_scan_item(&reader->scan);
	reader->broken = STATUS_OK;
	capture_begin(reader, CAPTURE_ITEM, p, reader->limits.kept_bytes);
	return STATUS_OK;
}

void json_reader_item_broken(struct json_reader *reader)
{
	reader->broken = reader->scan.status;
	reader->broken_offset = reader->scan.bad_offset;
	reader->broken_why = reader->scan.reason;
}

/* Judges an item by the first thing that is wrong with it. */
void json_reader_item_judge(const struct json_reader *reader, struct json_item *item)
{
	const struct json_scan *scan = &reader->scan;
	uint64_t most = reader->limits.item_bytes;

	item->needs_repair = scan->needs_repair;
	if (reader->broken != STATUS_OK) {
		item->needs_repair = false;
		item->status = reader->broken;
		item->bad_offset = reader->broken_offset;
		item->reason = reader->broken_why;
	} else if (!reader->is_object) {
		item->status = STATUS_NOT_AN_OBJECT;
		item->bad_offset = reader->start;
		item->reason = "not an object";
	} else if (item->length > most &&
		   (scan->problem == STATUS_OK || scan->problem_offset >= reader->start + most)) {
		item->status = STATUS_ITEM_TOO_LARGE;
		item->bad_offset = reader->start + most;
		item->reason = "item too large";
	} else if (scan->problem != STATUS_OK) {
		item->status = scan->problem;
		item->bad_offset = scan->problem_offset;
		item->reason = scan->problem_reason;
	}
}

enum status json_reader_item_give(struct json_reader *reader, const struct json_item *item)
{
	reader->items++;
	enum status status = reader->sink(reader->context, item);
	return status == STATUS_OK
		       ? STATUS_OK
		       : json_reader_stop(reader, status, item->offset, "ended by the caller");
}

/* Of a form whose items are objects alone; a bad token may have been meant to be one. */
static bool is_other_item(const struct json_reader *reader)
{
	return reader->form == JSON_FORM_ENVELOPE && !reader->is_object &&
	       reader->broken == STATUS_OK;
}

static enum status item_end(struct json_reader *reader, const char *end)
{
	struct json_item item = {.index = reader->items, .offset = reader->start, .reason = ""};

	if (is_other_item(reader))
		return json_reader_stop(reader, STATUS_NOT_A_BATCH, reader->start, "not an object");
	item.length = json_reader_offset(reader, end) - reader->start;
	json_reader_item_judge(reader, &item);
	enum status status = json_reader_captured(reader, end, &item.text);
	return status == STATUS_OK ? json_reader_item_give(reader, &item) : status;
}

/* ---- one JSON text: an object, an array or an envelope ---- */

/* The first byte gives the shape, and so the level of the items. */
static enum status shape_decide(struct json_reader *reader, const char *p)
{
	struct json_scan *scan = &reader->scan;

	reader->shape_offset = json_reader_offset(reader, p);
	if (*p == '[' && reader->form != JSON_FORM_ENVELOPE) {
		reader->shape = SHAPE_ARRAY;
		scan->watched = 2;
	} else if (*p != '{') {
		reader->shape = SHAPE_SCALAR;
	} else if (reader->form == JSON_FORM_SINGLE) {
		reader->shape = SHAPE_OBJECT;
		return json_reader_item_begin(reader, p);
	} else {
		reader->shape = SHAPE_ENVELOPE;
		scan->watched = 2;
	}
	return STATUS_OK;
}

/* The value of an envelope's member begins. */
static enum status member_begin(struct json_reader *reader, const char *p)
{
	if (reader->key == KEY_ITEMS && *p == '[') {
		if (reader->had_items)
			return json_reader_stop(reader, STATUS_NOT_A_BATCH,
						json_reader_offset(reader, p),
						"a second array of items");
		reader->in_items = true;
		reader->scan.watched = 3;
	} else if (reader->form == JSON_FORM_ENVELOPE && *p == '[') {
		return json_reader_stop(reader, STATUS_NOT_A_BATCH, json_reader_offset(reader, p),
					"another array");
	} else {
		json_scan_item(&reader->scan);
		capture_begin(reader, CAPTURE_BESIDE, p, BESIDE_BYTES);
	}
	return STATUS_OK;
}

static enum status value_begin(struct json_reader *reader, const char *p)
{
	size_t level = reader->scan.level;

	if (level == 0)
		return shape_decide(reader, p);
	if (reader->shape == SHAPE_ARRAY || level == 2)
		return json_reader_item_begin(reader, p);
	return member_begin(reader, p);
}

/* As far as there is room for it. */
static void envelope_add(struct json_reader *reader, struct slice value)
{
	struct buf *envelope = &reader->envelope;
	struct slice name = buf_slice(&reader->name);

	if (name.n == 0 || name.n + value.n + 3 > BESIDE_BYTES - envelope->n)
		return;
	buf_add_char(envelope, envelope->n == 0 ? '{' : ',');
	buf_add_slice(envelope, name);
	buf_add_char(envelope, ':');
	buf_add_slice(envelope, value);
}

static enum status beside_end(struct json_reader *reader, const char *end)
{
	uint64_t length = json_reader_offset(reader, end) - reader->start;
	struct buf value = buf_make(BESIDE_BYTES);
	struct slice text;
	enum status status = json_reader_captured(reader, end, &text);

	if (reader->key >= 0)
		buf_reset(&reader->beside[reader->key], 0); /* the last of a name counts */
	if (status != STATUS_OK || length > BESIDE_BYTES || reader->scan.problem != STATUS_OK)
		return status;
	if (reader->scan.needs_repair) {
		json_text_repair(text, &value);
		text = buf_slice(&value);
	}
	envelope_add(reader, text);
	if (reader->key >= 0)
		buf_add_slice(&reader->beside[reader->key], text);
	status = value.status != STATUS_OK ? value.status : reader->envelope.status;
	if (status == STATUS_OK && reader->key >= 0)
		status = reader->beside[reader->key].status;
	buf_free(&value);
	if (status != STATUS_OK)
		return json_reader_stop(reader, STATUS_NO_MEMORY, reader->start, "out of memory");
	return STATUS_OK;
}

static enum status value_end(struct json_reader *reader, const char *end)
{
	if (reader->capture == CAPTURE_ITEM)
		return item_end(reader, end);
	if (reader->capture == CAPTURE_BESIDE)
		return beside_end(reader, end);
	if (reader->in_items) {
		reader->in_items = false;
		reader->had_items = true;
		reader->scan.watched = 2;
	}
	return STATUS_OK;
}

static enum status key_end(struct json_reader *reader, const char *end)
{
	struct slice key;
	enum status status = json_reader_captured(reader, end, &key);

	reader->key = KEY_OTHER;
	buf_reset(&reader->name, KEY_BYTES);
	if (status == STATUS_OK && json_reader_offset(reader, end) - reader->start <= KEY_BYTES)
		json_text_repair(key, &reader->name);
	if (reader->name.status != STATUS_OK)
		return json_reader_stop(reader, STATUS_NO_MEMORY, reader->start, "out of memory");
	if (json_text_is_name(key, SLICE("batch")) || json_text_is_name(key, SLICE("signals")) ||
	    json_text_is_name(key, SLICE("events")))
		reader->key = KEY_ITEMS;
	for (int i = 0; i < JSON_READER_BESIDE; i++) {
		if (json_text_is_name(key, slice_of(beside_names[i])))
			reader->key = i;
	}
	return status;
}

/* ---- broken items ---- */

/* What is wrong is the item's first broken byte, wherever it turned out that nothing helps. */
static enum status stop_broken(struct json_reader *reader)
{
	return json_reader_stop(reader, reader->broken, reader->broken_offset, reader->broken_why);
}

/* The scanner has failed. The element of an array may be spared. */
static enum status text_broken(struct json_reader *reader)
{
	bool element = reader->capture == CAPTURE_ITEM && reader->shape != SHAPE_OBJECT;

	json_reader_item_broken(reader);
	reader->recovering =
		reader->recovers && element && json_recover_begin(&reader->recover, &reader->scan);
	return reader->recovering ? STATUS_OK : stop_broken(reader);
}

/* Looks for the end of the broken item, from *p on. */
static enum status recover(struct json_reader *reader, const char **p, const char *end)
{
	size_t used;
	enum json_scan_event event =
		json_recover_feed(&reader->recover, *p, (size_t)(end - *p), &used);

	*p += used;
	if (event == JSON_SCAN_MORE)
		return STATUS_OK;
	reader->recovering = false;
	if (reader->scan.status == STATUS_NO_MEMORY)
		return json_reader_stop(reader, STATUS_NO_MEMORY, reader->scan.offset,
					"out of memory");
	/* Between two commas is no item, but a structure that is broken. */
	if (event == JSON_SCAN_FAILED || json_reader_offset(reader, *p) == reader->start)
		return stop_broken(reader);
	return item_end(reader, *p);
}

static enum status text_event(struct json_reader *reader, enum json_scan_event event, const char *p)
{
	switch (event) {
	case JSON_SCAN_VALUE:
		return value_begin(reader, p);
	case JSON_SCAN_VALUE_END:
		return value_end(reader, p);
	case JSON_SCAN_KEY:
		capture_begin(reader, CAPTURE_KEY, p, KEY_BYTES);
		return STATUS_OK;
	case JSON_SCAN_KEY_END:
		return key_end(reader, p);
	case JSON_SCAN_FAILED:
		return text_broken(reader);
	case JSON_SCAN_MORE:
		break;
	}
	return STATUS_OK;
}

enum status json_reader_text_feed(struct json_reader *reader, const char *p, const char *end)
{
	enum status status = STATUS_OK;

	while (p < end && status == STATUS_OK) {
		size_t used;
		if (reader->recovering) {
			status = recover(reader, &p, end);
			continue;
		}
		enum json_scan_event event =
			json_scan_feed(&reader->scan, p, (size_t)(end - p), &used);
		p += used;
		status = text_event(reader, event, p);
	}
	return status == STATUS_OK ? json_reader_keep(reader, end) : status;
}

static enum status text_end(struct json_reader *reader)
{
	if (reader->recovering)
		return stop_broken(reader);
	enum status status = json_scan_end(&reader->scan);
	if (status != STATUS_OK)
		return json_reader_stop(reader, status, reader->scan.bad_offset,
					reader->scan.reason);
	if (reader->shape == SHAPE_SCALAR && reader->form == JSON_FORM_SINGLE)
		return json_reader_stop(reader, STATUS_NOT_AN_OBJECT, reader->shape_offset,
					"not an object");
	if (reader->shape == SHAPE_SCALAR)
		return json_reader_stop(reader, STATUS_NOT_A_BATCH, reader->shape_offset,
					"neither an array nor an object");
	if (reader->form == JSON_FORM_ENVELOPE && reader->items == 0)
		return json_reader_stop(reader, STATUS_NOT_A_BATCH, reader->shape_offset,
					"no objects in an array");
	if (reader->shape == SHAPE_ENVELOPE && !reader->had_items)
		return json_reader_stop(
			reader, STATUS_NOT_A_BATCH, reader->shape_offset,
			"no array \"batch\", \"signals\" or \"events\" in the object");
	return STATUS_OK;
}

/* ---- the interface ---- */

enum status json_reader_open(struct json_reader **reader, enum json_form form,
			     const struct json_limits *limits, json_item_sink *sink, void *context)
{
	struct json_reader *made = malloc(sizeof(*made));

	*reader = made;
	if (made == NULL)
		return STATUS_NO_MEMORY;
	*made = (struct json_reader){
		.form = form,
		.limits = *limits,
		.sink = sink,
		.context = context,
		.reason = "",
	};
	if (made->limits.kept_bytes < limits->item_bytes)
		made->limits.kept_bytes = limits->item_bytes;
	made->kept = buf_make(made->limits.kept_bytes > BESIDE_BYTES ? made->limits.kept_bytes
								     : BESIDE_BYTES);
	json_scan_open(&made->scan, limits->depth, limits->number_digits, limits->number_exponent);
	made->scan.watched = 1;
	for (int i = 0; i < JSON_READER_BESIDE; i++)
		made->beside[i] = buf_make(BESIDE_BYTES);
	made->name = buf_make(KEY_BYTES);
	made->envelope = buf_make(BESIDE_BYTES);
	return STATUS_OK;
}

void json_reader_recover(struct json_reader *reader)
{
	reader->recovers = true;
}

static enum status take_piece(struct json_reader *reader, const char *bytes, size_t n)
{
	reader->piece = bytes;
	reader->from = bytes;
	enum status status = reader->form == JSON_FORM_LINES
				     ? json_reader_lines_feed(reader, bytes, bytes + n)
				     : json_reader_text_feed(reader, bytes, bytes + n);
	reader->offset += n;
	return status;
}

/* Feeds the bytes that only looked like a byte order mark, or skips the mark. */
static enum status take_mark(struct json_reader *reader)
{
	size_t n = reader->mark_seen;

	reader->mark_seen = MARK_BYTES;
	if (n < MARK_BYTES)
		return take_piece(reader, byte_order_mark, n);
	reader->offset = MARK_BYTES;
	reader->scan.offset = MARK_BYTES;
	return STATUS_OK;
}

enum status json_reader_feed(struct json_reader *reader, const char *bytes, size_t n)
{
	if (reader->status != STATUS_OK)
		return reader->status;
	while (n > 0 && reader->mark_seen < MARK_BYTES) {
		bool matches = *bytes == byte_order_mark[reader->mark_seen];
		if (matches) {
			bytes++;
			n--;
			reader->mark_seen++;
		}
		if (matches && reader->mark_seen < MARK_BYTES)
			continue;
		enum status status = take_mark(reader);
		if (status != STATUS_OK)
			return status;
	}
	return n == 0 ? STATUS_OK : take_piece(reader, bytes, n);
}

enum status json_reader_end(struct json_reader *reader)
{
	if (reader->status == STATUS_OK && reader->mark_seen < MARK_BYTES)
		(void)take_mark(reader);
	if (reader->status != STATUS_OK)
		return reader->status;
	return reader->form == JSON_FORM_LINES ? json_reader_lines_end(reader) : text_end(reader);
}

bool json_reader_is_single(const struct json_reader *reader)
{
	return reader->form == JSON_FORM_SINGLE && reader->shape == SHAPE_OBJECT;
}

void json_reader_error(const struct json_reader *reader, uint64_t *offset, const char **reason)
{
	*offset = reader->bad_offset;
	*reason = reader->reason;
}

struct slice json_reader_beside(const struct json_reader *reader, const char *name)
{
	for (int i = 0; i < JSON_READER_BESIDE; i++) {
		if (strcmp(name, beside_names[i]) == 0 && reader->beside[i].n > 0)
			return buf_slice(&reader->beside[i]);
	}
	return SLICE_ABSENT;
}

enum status json_reader_envelope(const struct json_reader *reader, struct arena *arena,
				 struct slice *text)
{
	size_t n = reader->envelope.n;

	*text = SLICE_ABSENT;
	if (n == 0)
		return STATUS_OK;
	char *copy = arena_alloc(arena, n + 2);
	if (copy == NULL)
		return STATUS_NO_MEMORY;
	memcpy(copy, reader->envelope.p, n);
	copy[n] = '}';
	*text = (struct slice){copy, n + 1};
	return STATUS_OK;
}

void json_reader_close(struct json_reader *reader)
{
	if (reader == NULL)
		return;
	json_scan_close(&reader->scan);
	buf_free(&reader->kept);
	for (int i = 0; i < JSON_READER_BESIDE; i++)
		buf_free(&reader->beside[i]);
	buf_free(&reader->name);
	buf_free(&reader->envelope);
	free(reader);
}
