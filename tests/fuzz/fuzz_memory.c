/*
 * fuzz_memory.c - one object forty times over, as an array, in an envelope and as lines, in
 * pieces: all are given, and the reader never holds more than one of them.
 */
#include <sanitizer/allocator_interface.h>
#include <string.h>

#include "fuzz.h"

enum { TIMES = 40, READER_BYTES = 4 << 10 };

struct reading {
	struct json_reader *reader;
	struct slice object;
	uint64_t items;
	size_t held_before;
};

static enum status take_item(void *context, const struct json_item *item)
{
	struct reading *reading = context;

	CHECK(item->index == reading->items++ && item->status == STATUS_OK);
	CHECK(slice_equal(item->text, reading->object));
	return STATUS_OK;
}

/* What is held: the fed piece, the reader, and up to twice an object, as buffers grow. */
static enum status feed(void *context, const char *bytes, size_t n)
{
	struct reading *reading = context;
	enum status status = json_reader_feed(reading->reader, bytes, n);

	CHECK(__sanitizer_get_current_allocated_bytes() <=
	      reading->held_before + n + READER_BYTES + 2 * reading->object.n);
	return status;
}

static void read_many(struct fuzz_random *random, struct slice object, enum json_form form,
		      const char *const marks[3])
{
	struct reading reading = {.object = object};
	struct buf body = buf_make(SIZE_MAX / 2);

	for (int i = 0; i < TIMES; i++) {
		buf_add_text(&body, marks[i > 0]);
		buf_add_slice(&body, object);
	}
	buf_add_text(&body, marks[2]);
	reading.held_before = __sanitizer_get_current_allocated_bytes();
	CHECK(json_reader_open(&reading.reader, form, &fuzz_limits, take_item, &reading) ==
	      STATUS_OK);
	CHECK(fuzz_in_pieces(random, buf_slice(&body), feed, &reading) == STATUS_OK);
	CHECK(json_reader_end(reading.reader) == STATUS_OK && reading.items == TIMES);
	json_reader_close(reading.reader);
	buf_free(&body);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const char *const array[] = {"[", " ,", "]"};
	static const char *const envelope[] = {"{\"x\":[[]],\"batch\":[", ",\n", "],\"y\":{}}"};
	static const char *const lines[] = {"\n", "\r\n\n", " "};
	struct slice object = {(const char *)data, n};
	struct fuzz_random random = fuzz_random_of(object);

	if (n == 0 || data[0] != '{' || data[n - 1] != '}' ||
	    json_text_check(object, &fuzz_limits, NULL, NULL, NULL) != STATUS_OK)
		return 0;
	read_many(&random, object, JSON_FORM_SINGLE, array);
	read_many(&random, object, JSON_FORM_BATCH, envelope);
	/* A line is one item's only when the item is on one line. */
	if (memchr(data, '\n', n) == NULL)
		read_many(&random, object, JSON_FORM_LINES, lines);
	return 0;
}
