/*
 * records.c - the web server's side of FastCGI. See records.h.
 */
#include <stdlib.h>
#include <string.h>

#include "records.h"

enum { HEADER_BYTES = 8, BEGIN_BYTES = 8, RESPONDER = 1 };

/* ---- reading ---- */

struct record {
	unsigned type;
	size_t id;
	struct slice content;
	bool empty; /* announced as such, not cut */
};

/* Takes the next record off the stream; false when there is no whole one. The content of a last
 * one that is cut is as much as there is of it. */
static bool next(struct slice *stream, struct record *record)
{
	const unsigned char *p = (const unsigned char *)stream->p;

	*record = (struct record){0};
	if (stream->n < HEADER_BYTES || p[0] != 1)
		return false;
	size_t content = (size_t)p[4] << 8 | p[5], rest = stream->n - HEADER_BYTES;
	record->empty = content == 0;
	record->type = p[1];
	record->id = (size_t)p[2] << 8 | p[3];
	record->content = (struct slice){stream->p + HEADER_BYTES, content < rest ? content : rest};
	size_t all = content + p[6] < rest ? content + p[6] : rest;
	*stream = (struct slice){stream->p + HEADER_BYTES + all, rest - all};
	return content + p[6] <= rest;
}

static bool length(struct slice *params, size_t *n)
{
	const unsigned char *p = (const unsigned char *)params->p;
	size_t bytes = params->n > 0 && p[0] >= 0x80 ? 4 : 1;

	if (params->n < bytes)
		return false;
	*n = bytes == 1
		     ? p[0]
		     : (size_t)(p[0] & 0x7f) << 24 | (size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3];
	*params = (struct slice){params->p + bytes, params->n - bytes};
	return true;
}

static bool read_variables(struct slice params, struct records_request *request)
{
	for (size_t i = 0; params.n > 0; i++) {
		size_t name, value;
		if (i == RECORDS_VARIABLES_MOST || !length(&params, &name) ||
		    !length(&params, &value) || name > params.n || value > params.n - name ||
		    memchr(params.p, '\0', name + value) != NULL)
			return false;
		struct buf text = buf_make(SIZE_MAX / 2);
		buf_add(&text, params.p, name);
		buf_add_char(&text, '=');
		buf_add(&text, params.p + name, value);
		request->variables[i] = fuzz_copy(buf_slice(&text));
		buf_free(&text);
		params = (struct slice){params.p + name + value, params.n - name - value};
	}
	return true;
}

static bool read_head(struct slice *stream, struct records_request *request)
{
	struct record record;
	struct buf params = buf_make(SIZE_MAX / 2);

	if (!next(stream, &record) || record.type != RECORDS_BEGIN ||
	    record.content.n != BEGIN_BYTES || record.content.p[0] != 0 ||
	    record.content.p[1] != RESPONDER)
		return false;
	request->id = record.id;
	request->keep = (record.content.p[2] & 1) != 0;
	bool good = true;
	do {
		good = next(stream, &record);
		/* The padding of the head's end belongs to the body. */
		if (!good && record.type == RECORDS_PARAMS && record.empty)
			good = stream->n == 0;
		good = good && record.type == RECORDS_PARAMS && record.id == request->id;
		if (good)
			buf_add_slice(&params, record.content);
	} while (good && !record.empty);
	good = good && read_variables(buf_slice(&params), request);
	buf_free(&params);
	return good;
}

void records_read(struct slice stream, struct records_request *request)
{
	struct record record = {0};

	*request = (struct records_request){.body = buf_make(SIZE_MAX / 2)};
	request->good = read_head(&stream, request);
	while (request->good && !request->ended) {
		bool whole = next(&stream, &record);
		if (record.type != RECORDS_STDIN || record.id != request->id)
			break;
		buf_add_slice(&request->body, record.content);
		if (!whole)
			break;
		request->ended = record.empty;
	}
	request->rest = stream.n;
}

void records_free(struct records_request *request)
{
	for (size_t i = 0; request->variables[i] != NULL; i++)
		free(request->variables[i]);
	buf_free(&request->body);
}

static bool is_farewell(struct slice stream)
{
	struct record record;

	return next(&stream, &record) && record.type == RECORDS_UNKNOWN && record.id == 0 &&
	       record.content.n == 8 && stream.n == 0;
}

bool records_answer(struct slice stream, size_t id, bool farewell, struct buf *answer)
{
	struct record record;
	bool closed = false;

	while (next(&stream, &record) && record.id == id) {
		if (record.type == RECORDS_END)
			return closed && record.content.n == 8 &&
			       (farewell ? is_farewell(stream) : stream.n == 0);
		if (record.type != RECORDS_STDOUT || closed)
			return false;
		closed = record.empty;
		buf_add_slice(answer, record.content);
	}
	return false;
}

/* ---- writing ---- */

static void add_record(struct fuzz_random *random, struct buf *out, enum records_type type,
		       struct slice content)
{
	size_t padding = fuzz_random_next(random, 2) == 0 ? 0 : fuzz_random_next(random, 256);

	buf_add_char(out, 1);
	buf_add_char(out, (char)type);
	buf_add_be16(out, 1);
	buf_add_be16(out, (uint16_t)content.n);
	buf_add_char(out, (char)padding);
	buf_add_char(out, 0);
	buf_add_slice(out, content);
	for (size_t i = 0; i < padding; i++)
		buf_add_char(out, 1); /* looks like the start of a record */
}

static void add_stream(struct fuzz_random *random, struct buf *out, enum records_type type,
		       struct slice bytes)
{
	while (bytes.n > 0) {
		size_t n = 1 + fuzz_random_next(random, bytes.n);
		add_record(random, out, type, (struct slice){bytes.p, n});
		bytes = (struct slice){bytes.p + n, bytes.n - n};
	}
	add_record(random, out, type, SLICE(""));
}

static void add_length(struct fuzz_random *random, struct buf *out, size_t n)
{
	if (n < 0x80 && fuzz_random_next(random, 4) > 0)
		buf_add_char(out, (char)n);
	else
		buf_add_be32(out, (uint32_t)n | UINT32_C(0x80000000));
}

void records_write(struct fuzz_random *random, struct slice text, struct buf *stream)
{
	static const char begin[BEGIN_BYTES] = {0, RESPONDER};
	struct buf params = buf_make(SIZE_MAX / 2);

	while (text.n > 0) {
		struct slice value = fuzz_take(&text, '\n');
		if (value.n == 0)
			break;
		struct slice name = fuzz_take(&value, '=');
		add_length(random, &params, name.n);
		add_length(random, &params, value.n);
		buf_add_slice(&params, name);
		buf_add_slice(&params, value);
	}
	add_record(random, stream, RECORDS_BEGIN, (struct slice){begin, sizeof(begin)});
	add_stream(random, stream, RECORDS_PARAMS, buf_slice(&params));
	add_stream(random, stream, RECORDS_STDIN, text);
	buf_free(&params);
}
