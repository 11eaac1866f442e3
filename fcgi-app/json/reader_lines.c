/*
 * json/reader_lines.c - the items of NDJSON. See json/reader_internal.h.
 */
#include "json/reader_internal.h"

#include <string.h>

static enum status line_begin(struct json_reader *reader, const char *p)
{
	json_scan_restart(&reader->scan, json_reader_offset(reader, p));
	reader->shape = SHAPE_OBJECT;
	reader->in_line = true;
	reader->value_end = 0;
	return json_reader_item_begin(reader, p);
}

/* Scans within a line; after a failure its bytes are only captured. */
static void line_scan(struct json_reader *reader, const char *p, const char *end)
{
	while (p < end && reader->broken == STATUS_OK) {
		size_t used;
		enum json_scan_event event =
			json_scan_feed(&reader->scan, p, (size_t)(end - p), &used);
		p += used;
		if (event == JSON_SCAN_VALUE_END)
			reader->value_end = json_reader_offset(reader, p);
		else if (event == JSON_SCAN_FAILED)
			json_reader_item_broken(reader);
	}
}

static enum status line_end(struct json_reader *reader, const char *end)
{
	struct json_item item = {.index = reader->items, .offset = reader->start, .reason = ""};

	if (!reader->in_line)
		return STATUS_OK;
	reader->in_line = false;
	if (reader->broken == STATUS_OK && json_scan_end(&reader->scan) != STATUS_OK)
		json_reader_item_broken(reader);
	if (reader->broken == STATUS_NO_MEMORY)
		return json_reader_stop(reader, STATUS_NO_MEMORY, reader->broken_offset,
					reader->broken_why);
	enum status status = json_reader_captured(reader, end, &item.text);
	if (status != STATUS_OK)
		return status;
	if (reader->broken == STATUS_OK) {
		/* A number ends with its line. */
		if (reader->value_end == 0)
			reader->value_end = json_reader_offset(reader, end);
		item.length = reader->value_end - reader->start;
		json_reader_item_judge(reader, &item);
		if (item.text.n > item.length)
			item.text.n = (size_t)item.length;
	} else {
		item.length = json_reader_offset(reader, end) - reader->start;
		item.status = reader->broken;
		item.bad_offset = reader->broken_offset;
		item.reason = reader->broken_why;
	}
	return json_reader_item_give(reader, &item);
}

/* Reads what the piece has of a line: up to its line feed, at end, or to the piece's end. */
static enum status line_feed(struct json_reader *reader, const char *p, const char *end)
{
	while (!reader->in_line && p < end) {
		if (*p != ' ' && *p != '\t' && *p != '\r') {
			enum status status = line_begin(reader, p);
			if (status != STATUS_OK)
				return status;
			break;
		}
		p++;
	}
	if (reader->in_line)
		line_scan(reader, p, end);
	return STATUS_OK;
}

/* True if the body, blank so far, goes on in this piece with a bracket: an array with the media
 * type of NDJSON. *p moves to the bracket. */
static bool lines_are_array(const struct json_reader *reader, const char **p, const char *end)
{
	const char *first = *p;

	if (reader->shape != SHAPE_UNKNOWN)
		return false;
	while (first < end && memchr(" \t\r\n", *first, 4) != NULL)
		first++;
	if (first == end || *first != '[')
		return false;
	*p = first;
	return true;
}

enum status json_reader_lines_feed(struct json_reader *reader, const char *p, const char *end)
{
	if (lines_are_array(reader, &p, end)) {
		reader->form = JSON_FORM_BATCH;
		json_scan_restart(&reader->scan, json_reader_offset(reader, p));
		return json_reader_text_feed(reader, p, end);
	}
	while (p < end) {
		const char *feed = memchr(p, '\n', (size_t)(end - p));
		enum status status = line_feed(reader, p, feed == NULL ? end : feed);
		if (status == STATUS_OK && feed != NULL)
			status = line_end(reader, feed);
		if (status != STATUS_OK)
			return status;
		if (feed == NULL)
			break;
		p = feed + 1;
	}
	return json_reader_keep(reader, end);
}

enum status json_reader_lines_end(struct json_reader *reader)
{
	if (reader->shape == SHAPE_UNKNOWN)
		return json_reader_stop(reader, STATUS_EMPTY_BODY, reader->offset, "empty text");
	reader->piece = reader->from; /* offset is behind the last piece already */
	return line_end(reader, reader->from);
}
