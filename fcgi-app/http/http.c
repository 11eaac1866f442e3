/*
 * http/http.c - what can be known of a request without its route, and how an answer is written.
 * See http/http.h.
 *
 * The transport fills the variables and carries the bytes; the handlers decide what is asked.
 * Nothing here reads or writes a socket.
 */
#include "http/http.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define ZLIB_CONST /* zlib does not write to its input */
#include <zlib.h>

#include "base/hex.h"
#include "base/log.h"
#include "http/problem.h"
#include "key/credential.h"

/* ---- the request ---- */

/* What stands behind "NAME=" when the variable has this name, else NULL. Nearly all are told apart
 * by their first bytes, so a call of strncmp would cost more than the comparison. */
static const char *value_of(const char *variable, const char *name)
{
	for (; *name != '\0'; name++, variable++) {
		if (*variable != *name)
			return NULL;
	}
	return *variable == '=' ? variable + 1 : NULL;
}

unsigned http_header(const struct http_request *request, const char *variable, struct slice *value)
{
	unsigned count = 0;

	*value = slice_of(NULL);
	for (char *const *v = request->variables; *v != NULL; v++) {
		const char *text = value_of(*v, variable);
		if (text != NULL && count++ == 0)
			*value = slice_trim(slice_of(text));
	}
	return count;
}

static int64_t read_length(struct slice text)
{
	int64_t length = 0;

	if (text.n == 0)
		return -1;
	for (size_t i = 0; i < text.n; i++) {
		int digit = text.p[i] - '0';
		if (digit < 0 || digit > 9 || length > (INT64_MAX - digit) / 10)
			return -1;
		length = length * 10 + digit;
	}
	return length;
}

static bool request_id_is_sane(struct slice id)
{
	if (id.n == 0 || id.n > HTTP_REQUEST_ID_CHARS)
		return false;
	for (size_t i = 0; i < id.n; i++) {
		char c = id.p[i];
		if ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'))
			continue;
		if (c == '\0' || strchr("._:=+/@-", c) == NULL)
			return false;
	}
	return true;
}

static enum status make_request_id(char *id)
{
	unsigned char bytes[CREDENTIAL_UNIQUE_BYTES];
	enum status status = credential_unique(bytes);

	id[0] = '\0';
	if (status != STATUS_OK)
		return status;
	hex_write(bytes, sizeof(bytes), id);
	id[2 * sizeof(bytes)] = '\0';
	return STATUS_OK;
}

enum status http_request_read(struct http_request *request, char *const *variables)
{
	struct slice text;

	*request = (struct http_request){.variables = variables, .content_length = -1};
	(void)http_header(request, "REQUEST_METHOD", &request->method);
	(void)http_header(request, "REQUEST_URI", &request->target);
	if (http_header(request, "CONTENT_LENGTH", &text) == 1)
		request->content_length = read_length(text);
	if (http_header(request, "HTTP_X_REQUEST_ID", &text) != 1 || !request_id_is_sane(text))
		return make_request_id(request->request_id);
	memcpy(request->request_id, text.p, text.n);
	return STATUS_OK;
}

/* ---- what the body is ---- */

/* Takes what stands before the separator off the text; absent when nothing is left. */
static struct slice take_until(struct slice *text, char separator)
{
	struct slice part = *text;
	const char *end = text->n == 0 ? NULL : memchr(text->p, separator, text->n);

	if (end == NULL) {
		*text = slice_of(NULL);
		return slice_trim(part);
	}
	part.n = (size_t)(end - part.p);
	text->p += part.n + 1;
	text->n -= part.n + 1;
	return slice_trim(part);
}

/*
 * Takes a parameter's value off the text: a token or a quoted string (RFC 9110 section 5.6.4),
 * unquoted into out as far as it fits. False when a quote is not closed.
 */
static bool take_value(struct slice *text, char *out, size_t out_bytes, struct slice *value)
{
	*value = (struct slice){out, 0};
	*text = slice_trim(*text);
	if (text->n == 0 || text->p[0] != '"') {
		*value = take_until(text, ';');
		return true;
	}
	for (size_t i = 1; i < text->n; i++) {
		if (text->p[i] == '"') {
			struct slice rest = {text->p + i + 1, text->n - i - 1};
			(void)take_until(&rest, ';');
			*text = rest;
			return true;
		}
		if (text->p[i] == '\\' && ++i == text->n)
			return false;
		if (value->n < out_bytes)
			out[value->n++] = text->p[i];
	}
	return false;
}

static bool charset_is_read(struct slice charset)
{
	return slice_equal_nocase(charset, SLICE("utf-8")) ||
	       slice_equal_nocase(charset, SLICE("utf8")) ||
	       slice_equal_nocase(charset, SLICE("us-ascii"));
}

/* False when a parameter names a charset that is not read, or cannot be understood. */
static bool parameters_are_read(struct slice text)
{
	while (text.n > 0) {
		char unquoted[16];
		struct slice value;
		const char *equals = memchr(text.p, '=', text.n);
		const char *semicolon = memchr(text.p, ';', text.n);
		if (equals == NULL || (semicolon != NULL && semicolon < equals)) {
			(void)take_until(&text, ';');
			continue;
		}
		struct slice name = take_until(&text, '=');
		if (!take_value(&text, unquoted, sizeof(unquoted), &value))
			return false;
		if (slice_equal_nocase(name, SLICE("charset")) && !charset_is_read(value))
			return false;
	}
	return true;
}

/* application/<x>+json */
static bool has_json_suffix(struct slice type)
{
	static const struct slice prefix = {"application/", 12};
	static const struct slice suffix = {"+json", 5};

	return type.n > prefix.n + suffix.n &&
	       slice_equal_nocase((struct slice){type.p, prefix.n}, prefix) &&
	       slice_equal_nocase((struct slice){type.p + type.n - suffix.n, suffix.n}, suffix);
}

static bool type_media(struct slice type, enum http_media *media)
{
	static const struct {
		const char *type;
		enum http_media media;
	} types[] = {
		{"", HTTP_MEDIA_JSON},
		{"application/json", HTTP_MEDIA_JSON},
		{"text/plain", HTTP_MEDIA_JSON},
		{"application/x-www-form-urlencoded", HTTP_MEDIA_JSON},
		{"application/x-ndjson", HTTP_MEDIA_NDJSON},
		{"application/ndjson", HTTP_MEDIA_NDJSON},
		{"application/jsonl", HTTP_MEDIA_NDJSON},
	};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (slice_equal_nocase(type, slice_of(types[i].type))) {
			*media = types[i].media;
			return true;
		}
	}
	*media = HTTP_MEDIA_JSON;
	return has_json_suffix(type);
}

enum status http_media(const struct http_request *request, enum http_media *media)
{
	struct slice text;

	(void)http_header(request, "CONTENT_TYPE", &text);
	struct slice type = take_until(&text, ';');
	if (!type_media(type, media) || !parameters_are_read(text))
		return STATUS_UNSUPPORTED_MEDIA_TYPE;
	return STATUS_OK;
}

bool http_type_is(const struct http_request *request, const char *type)
{
	struct slice text;

	if (http_header(request, "CONTENT_TYPE", &text) != 1)
		return false;
	struct slice given = take_until(&text, ';');
	return slice_equal_nocase(given, slice_of(type)) && parameters_are_read(text);
}

enum status http_coding(const struct http_request *request, enum http_coding *coding)
{
	struct slice text;
	unsigned count = http_header(request, "HTTP_CONTENT_ENCODING", &text);

	*coding = HTTP_CODING_IDENTITY;
	if (count > 1)
		return STATUS_UNSUPPORTED_CODING;
	if (text.n == 0 || slice_equal_nocase(text, SLICE("identity")))
		return STATUS_OK;
	if (!slice_equal_nocase(text, SLICE("gzip")) && !slice_equal_nocase(text, SLICE("x-gzip")))
		return STATUS_UNSUPPORTED_CODING;
	*coding = HTTP_CODING_GZIP;
	return STATUS_OK;
}

/* ---- content coding ---- */

enum {
	PIECE_BYTES = 64 * 1024,
	MAGIC_BYTES = 2,
	GZIP_WINDOW_BITS = 16 + MAX_WBITS, /* zlib: a gzip header and nothing else */
};

static const char magic[MAGIC_BYTES] = {'\x1f', '\x8b'};

enum decoder_state {
	DECODER_SNIFFING, /* fewer bytes than the magic has */
	DECODER_PLAIN,
	DECODER_INSIDE, /* of a gzip member */
	DECODER_BETWEEN /* a member has ended: another or the end may follow */
};

struct http_decoder {
	enum http_coding announced;
	enum decoder_state state;
	enum status status; /* the first failure stays */
	uint64_t plain_left;
	char held[MAGIC_BYTES];
	size_t held_n;
	z_stream zlib;
	unsigned char *out; /* PIECE_BYTES; NULL until a gzip body begins */
};

enum status http_decoder_open(struct http_decoder **decoder, enum http_coding coding,
			      uint64_t plain_max)
{
	*decoder = calloc(1, sizeof(**decoder));
	if (*decoder == NULL)
		return STATUS_NO_MEMORY;
	(*decoder)->announced = coding;
	(*decoder)->plain_left = plain_max;
	return STATUS_OK;
}

void http_decoder_close(struct http_decoder *decoder)
{
	if (decoder == NULL)
		return;
	if (decoder->out != NULL)
		(void)inflateEnd(&decoder->zlib);
	free(decoder->out);
	free(decoder);
}

static void *zlib_alloc(void *unused, unsigned count, unsigned bytes_each)
{
	(void)unused;
	return calloc(count, bytes_each);
}

static void zlib_free(void *unused, void *bytes)
{
	(void)unused;
	free(bytes);
}

static enum status gzip_begin(struct http_decoder *decoder)
{
	unsigned char *out = malloc(PIECE_BYTES);

	if (out == NULL)
		return STATUS_NO_MEMORY;
	decoder->zlib.zalloc = zlib_alloc;
	decoder->zlib.zfree = zlib_free;
	int result = inflateInit2(&decoder->zlib, GZIP_WINDOW_BITS);
	if (result != Z_OK) {
		free(out);
		return result == Z_MEM_ERROR ? STATUS_NO_MEMORY : STATUS_INTERNAL;
	}
	decoder->out = out;
	decoder->state = DECODER_INSIDE;
	return STATUS_OK;
}

static enum status pass(struct http_decoder *decoder, const char *bytes, size_t n, http_sink *sink,
			void *context)
{
	if (n > decoder->plain_left)
		return STATUS_TOO_LARGE;
	decoder->plain_left -= n;
	while (n > 0) {
		size_t piece = n < PIECE_BYTES ? n : PIECE_BYTES;
		enum status status = sink(context, bytes, piece);
		if (status != STATUS_OK)
			return status;
		bytes += piece;
		n -= piece;
	}
	return STATUS_OK;
}

/* Lets zlib fill the output once and passes it on. */
static enum status inflate_piece(struct http_decoder *decoder, http_sink *sink, void *context)
{
	z_stream *zlib = &decoder->zlib;

	zlib->next_out = decoder->out;
	zlib->avail_out = PIECE_BYTES;
	int result = inflate(zlib, Z_NO_FLUSH);
	if (result == Z_MEM_ERROR)
		return STATUS_NO_MEMORY;
	if (result == Z_STREAM_END)
		decoder->state = DECODER_BETWEEN;
	else if (result != Z_OK && result != Z_BUF_ERROR)
		return STATUS_MALFORMED_CODING;
	return pass(decoder, (const char *)decoder->out, PIECE_BYTES - zlib->avail_out, sink,
		    context);
}

static enum status feed_gzip(struct http_decoder *decoder, const char *bytes, size_t n,
			     http_sink *sink, void *context)
{
	z_stream *zlib = &decoder->zlib;
	enum status status = STATUS_OK;

	while (n > 0 && status == STATUS_OK) {
		uInt piece = n < UINT_MAX ? (uInt)n : UINT_MAX;
		zlib->next_in = (const Bytef *)bytes;
		zlib->avail_in = piece;
		if (decoder->state == DECODER_BETWEEN) {
			(void)inflateReset(zlib);
			decoder->state = DECODER_INSIDE;
		}
		/* A full output means that zlib may hold more of it. */
		do
			status = inflate_piece(decoder, sink, context);
		while (status == STATUS_OK && decoder->state == DECODER_INSIDE &&
		       (zlib->avail_in > 0 || zlib->avail_out == 0));
		bytes += piece - zlib->avail_in;
		n -= piece - zlib->avail_in;
	}
	return status;
}

/* What follows once the first bytes are known, or known to be missing. */
static enum status leave_sniffing(struct http_decoder *decoder)
{
	if (decoder->held_n == MAGIC_BYTES && memcmp(decoder->held, magic, MAGIC_BYTES) == 0)
		return gzip_begin(decoder);
	decoder->state = DECODER_PLAIN;
	return decoder->announced == HTTP_CODING_GZIP ? STATUS_MALFORMED_CODING : STATUS_OK;
}

static enum status feed_known(struct http_decoder *decoder, const char *bytes, size_t n,
			      http_sink *sink, void *context)
{
	if (decoder->state == DECODER_PLAIN)
		return pass(decoder, bytes, n, sink, context);
	return feed_gzip(decoder, bytes, n, sink, context);
}

enum status http_decoder_feed(struct http_decoder *decoder, const char *bytes, size_t n,
			      http_sink *sink, void *context)
{
	if (decoder->state == DECODER_SNIFFING && decoder->status == STATUS_OK) {
		for (; n > 0 && decoder->held_n < MAGIC_BYTES; n--)
			decoder->held[decoder->held_n++] = *bytes++;
		if (decoder->held_n < MAGIC_BYTES)
			return STATUS_OK;
		decoder->status = leave_sniffing(decoder);
		if (decoder->status == STATUS_OK)
			decoder->status =
				feed_known(decoder, decoder->held, MAGIC_BYTES, sink, context);
	}
	if (decoder->status == STATUS_OK)
		decoder->status = feed_known(decoder, bytes, n, sink, context);
	return decoder->status;
}

enum status http_decoder_end(struct http_decoder *decoder, http_sink *sink, void *context)
{
	if (decoder->status == STATUS_OK && decoder->state == DECODER_SNIFFING) {
		decoder->status = leave_sniffing(decoder);
		if (decoder->status == STATUS_OK)
			decoder->status =
				feed_known(decoder, decoder->held, decoder->held_n, sink, context);
	}
	if (decoder->status == STATUS_OK && decoder->state == DECODER_INSIDE)
		decoder->status = STATUS_MALFORMED_CODING;
	return decoder->status;
}

/* ---- the answer ---- */

struct http_response http_response_make(void)
{
	return (struct http_response){.status = 200, .body = buf_make(HTTP_RESPONSE_BYTES_MAX)};
}

void http_response_free(struct http_response *response)
{
	buf_free(&response->body);
}

static void add_member(struct buf *out, const char *name, const char *value)
{
	buf_add_text(out, ",\"");
	buf_add_text(out, name);
	buf_add_text(out, "\":");
	buf_add_json(out, slice_of(value));
}

void http_problem(struct http_response *response, const struct http_request *request,
		  enum status status, const char *detail)
{
	http_problem_with(response, request, status, detail, (struct slice){NULL, 0});
}

void http_problem_with(struct http_response *response, const struct http_request *request,
		       enum status status, const char *detail, struct slice errors)
{
	const struct problem *problem = problem_of(status);
	struct buf *body = &response->body;

	if (problem == problem_of(STATUS_INTERNAL) && status != STATUS_INTERNAL)
		log_event(LOG_LEVEL_ERROR, "internal status in an answer",
			  LOG_TEXT("request_id", request->request_id),
			  LOG_TEXT("code", status_name(status)));
	response->status = problem->http;
	response->content_type = "application/problem+json";
	response->retry_after_s = problem->retry_after_s;
	buf_reset(body, body->size);
	buf_add_text(body, "{\"type\":\"urn:sluice:problem:");
	buf_add_text(body, problem->code);
	buf_add_char(body, '"');
	add_member(body, "title", problem->title);
	buf_add_text(body, ",\"status\":");
	buf_add_int(body, response->status);
	add_member(body, "detail", detail == NULL ? problem->detail : detail);
	add_member(body, "code", problem->code);
	add_member(body, "request_id", request->request_id);
	if (errors.p != NULL) {
		buf_add_text(body, ",\"errors\":");
		buf_add_slice(body, errors);
	}
	buf_add_text(body, "}\n");
	/* Half a problem is not JSON: without memory the status line has to do. */
	if (body->status != STATUS_OK) {
		buf_reset(body, body->size);
		response->content_type = NULL;
	}
}

static void add_line(struct buf *out, const char *name, const char *value)
{
	buf_add_text(out, name);
	buf_add_text(out, ": ");
	buf_add_text(out, value);
	buf_add_text(out, "\r\n");
}

void http_response_head(const struct http_response *response, const struct http_request *request,
			struct buf *out)
{
	buf_add_text(out, "Status: ");
	buf_add_int(out, response->status);
	buf_add_char(out, ' ');
	buf_add_text(out, problem_phrase(response->status));
	buf_add_text(out, "\r\n");
	if (response->content_type != NULL)
		add_line(out, "Content-Type", response->content_type);
	if (response->allow != NULL)
		add_line(out, "Allow", response->allow);
	if (response->retry_after_s > 0) {
		buf_add_text(out, "Retry-After: ");
		buf_add_int(out, response->retry_after_s);
		buf_add_text(out, "\r\n");
	}
	add_line(out, "X-Request-Id", request->request_id);
	add_line(out, "Cache-Control", "no-store");
	if (response->headers != NULL)
		buf_add_text(out, response->headers);
	buf_add_text(out, "\r\n");
}
