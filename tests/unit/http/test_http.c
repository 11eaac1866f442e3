/*
 * test_http.c - requests as CGI variables, media types, content codings, problems.
 *
 * The small gzip bodies were made with Python's gzip module; the large ones are made here.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "check_main.h"
#include "http/http.h"
#include "http/problem.h"
#include "key/credential.h"

/* ---- variables ---- */

/* A request with up to three variables; NULL for none. */
static struct http_request request_of(const char *a, const char *b, const char *c)
{
	static char copies[3][4096];
	static char *variables[4];
	const char *given[] = {a, b, c};
	struct http_request request;
	int n = 0;

	for (int i = 0; i < 3; i++) {
		if (given[i] == NULL)
			continue;
		ck_assert_uint_lt(strlen(given[i]), sizeof(copies[n]));
		(void)snprintf(copies[n], sizeof(copies[n]), "%s", given[i]);
		variables[n] = copies[n];
		n++;
	}
	variables[n] = NULL;
	ck_assert_int_eq(http_request_read(&request, variables), STATUS_OK);
	return request;
}

static bool is(struct slice slice, const char *text)
{
	return (slice.p == NULL) == (text == NULL) && slice_equal(slice, slice_of(text));
}

START_TEST(a_request_is_read)
{
	struct http_request request =
		request_of("REQUEST_METHOD=POST", "REQUEST_URI=/a%2Fb?c=d", "CONTENT_LENGTH=12");

	ck_assert(is(request.method, "POST"));
	ck_assert(is(request.target, "/a%2Fb?c=d"));
	ck_assert_int_eq(request.content_length, 12);
}
END_TEST

START_TEST(an_empty_request_is_read)
{
	struct http_request request = request_of(NULL, NULL, NULL);

	ck_assert(is(request.method, NULL));
	ck_assert(is(request.target, NULL));
	ck_assert_int_eq(request.content_length, -1);
	ck_assert_uint_eq(strlen(request.request_id), 24);
}
END_TEST

static const struct {
	const char *variables[3];
	unsigned count;
	const char *value;
} headers[] = {
	{{NULL, NULL, NULL}, 0, NULL},
	{{"HTTP_X_A=v", NULL, NULL}, 1, "v"},
	{{"HTTP_X_A=", NULL, NULL}, 1, ""},
	{{"HTTP_X_A= \t ", NULL, NULL}, 1, ""},
	{{"HTTP_X_A= \tv w\t ", NULL, NULL}, 1, "v w"},
	{{"HTTP_X_A=a=b", NULL, NULL}, 1, "a=b"},
	{{"HTTP_X_A=one", "HTTP_X_A=two", NULL}, 2, "one"},
	{{"HTTP_X_A=one", "B=c", "HTTP_X_A=one"}, 2, "one"},
	{{"HTTP_X_A=one", "HTTP_X_A=two", "HTTP_X_A="}, 3, "one"},
	{{"HTTP_X_AB=v", "HTTP_X_=v", "HTTP_X_A"}, 0, NULL},
	{{"http_x_a=v", " HTTP_X_A=v", "XHTTP_X_A=v"}, 0, NULL},
};

START_TEST(headers_are_found_and_counted)
{
	struct http_request request = request_of(headers[_i].variables[0], headers[_i].variables[1],
						 headers[_i].variables[2]);
	struct slice value = SLICE("unset");

	ck_assert_uint_eq(http_header(&request, "HTTP_X_A", &value), headers[_i].count);
	ck_assert(is(value, headers[_i].value));
}
END_TEST

static const struct {
	const char *text;
	int64_t length;
} content_lengths[] = {
	{"0", 0},
	{"1", 1},
	{" 7 ", 7},
	{"007", 7},
	{"9223372036854775806", INT64_MAX - 1},
	{"9223372036854775807", INT64_MAX},
	{"9223372036854775808", -1},
	{"9223372036854775810", -1},
	{"18446744073709551616", -1},
	{"99999999999999999999999999999", -1},
	{"", -1},
	{"-1", -1},
	{"+1", -1},
	{"12x", -1},
	{"x12", -1},
	{"1 2", -1},
	{"1,1", -1},
	{"1.0", -1},
	{"0x10", -1},
};

START_TEST(content_lengths_are_read)
{
	char variable[64];

	(void)snprintf(variable, sizeof(variable), "CONTENT_LENGTH=%s", content_lengths[_i].text);
	ck_assert_int_eq(request_of(variable, NULL, NULL).content_length,
			 content_lengths[_i].length);
	/* Given twice it says nothing. */
	ck_assert_int_eq(request_of(variable, variable, NULL).content_length, -1);
}
END_TEST

/* ---- request ids ---- */

static const struct {
	const char *id;
	bool sane;
} request_ids[] = {
	{"a", true},
	{"0", true},
	{"AZaz09._:=+/@-", true},
	{"7f3c2a1e-0b1d-4a5e-9c55-0d6a1e2b3c4d", true},
	{"1-67891233-abcdef012345678912345678", true},
	{"", false},
	{"a b", false},
	{"a\nb", false},
	{"a\r\nSet-Cookie: x", false},
	{"a\"b", false},
	{"a\\b", false},
	{"a;b", false},
	{"a,b", false},
	{"a<b", false},
	{"a%20b", false},
	{"\xc3\xa4", false},
	{"a\x7f", false},
	{"a_b", true},
	{"{}", false},
};

static bool is_made(const char *id)
{
	return strlen(id) == 24 && strspn(id, "0123456789abcdef") == 24;
}

START_TEST(sane_request_ids_are_echoed)
{
	char variable[256];

	(void)snprintf(variable, sizeof(variable), "HTTP_X_REQUEST_ID=%s", request_ids[_i].id);
	struct http_request request = request_of(variable, NULL, NULL);
	if (request_ids[_i].sane)
		ck_assert_str_eq(request.request_id, request_ids[_i].id);
	else
		ck_assert_msg(is_made(request.request_id), "%s", request.request_id);
}
END_TEST

static const size_t id_lengths[] = {127, 128, 129, 1000};

START_TEST(request_ids_have_a_length)
{
	char variable[1100] = "HTTP_X_REQUEST_ID=";
	size_t n = id_lengths[_i];

	memset(variable + 18, 'i', n);
	struct http_request request = request_of(variable, NULL, NULL);
	if (n <= 128)
		ck_assert_str_eq(request.request_id, variable + 18);
	else
		ck_assert(is_made(request.request_id));
}
END_TEST

START_TEST(repeated_request_ids_are_replaced)
{
	struct http_request request =
		request_of("HTTP_X_REQUEST_ID=a", "HTTP_X_REQUEST_ID=a", NULL);

	ck_assert(is_made(request.request_id));
}
END_TEST

START_TEST(made_request_ids_differ)
{
	struct http_request first = request_of(NULL, NULL, NULL);
	struct http_request second = request_of(NULL, NULL, NULL);

	ck_assert_str_ne(first.request_id, second.request_id);
}
END_TEST

/* ---- media types ---- */

enum { JSON = HTTP_MEDIA_JSON, NDJSON = HTTP_MEDIA_NDJSON, NEITHER = -1 };

static const struct {
	const char *type;
	int media;
} media_types[] = {
	{NULL, JSON},
	{"", JSON},
	{"  ", JSON},
	{"; charset=utf-8", JSON},
	{"application/json", JSON},
	{"Application/JSON", JSON},
	{" application/json ", JSON},
	{"application/json;", JSON},
	{"application/json;;", JSON},
	{"application/json; charset=utf-8", JSON},
	{"application/json;charset=UTF-8", JSON},
	{"application/json ; charset = utf-8", JSON},
	{"application/json; Charset=\"UTF-8\"", JSON},
	{"application/json; charset=\"utf\\-8\"", JSON},
	{"application/json; charset=utf8", JSON},
	{"application/json; charset=US-ASCII", JSON},
	{"application/json; charset", JSON},
	{"application/json; odata=verbose", JSON},
	{"application/json; odata=verbose; charset=utf-8", JSON},
	{"application/json; a=\"b;charset=utf-16\"; charset=utf-8", JSON},
	{"application/json; a=\"b\\\";charset=utf-16\"", JSON},
	{"application/json; a=\"a value of more than sixteen bytes\"", JSON},
	{"application/json; xcharset=utf-16", JSON},
	{"application/cloudevents+json", JSON},
	{"application/vnd.api+json; charset=utf-8", JSON},
	{"APPLICATION/LD+JSON", JSON},
	{"application/x+json", JSON},
	{"text/plain", JSON},
	{"text/plain; charset=utf-8", JSON},
	{"application/x-www-form-urlencoded", JSON},
	{"application/x-www-form-urlencoded; charset=UTF-8", JSON},
	{"application/x-ndjson", NDJSON},
	{"application/ndjson", NDJSON},
	{"application/jsonl", NDJSON},
	{"Application/X-NDJSON; charset=utf-8", NDJSON},
	{"application/json; charset=utf-16", NEITHER},
	{"application/json; charset=utf-", NEITHER},
	{"application/json; charset=utf-88", NEITHER},
	{"application/json; charset=", NEITHER},
	{"application/json; charset=\"\"", NEITHER},
	{"application/json; charset=\"utf-8", NEITHER},
	{"application/json; charset=\"utf-8\\", NEITHER},
	{"application/json; charset=iso-8859-1", NEITHER},
	{"application/json; charset=\"utf-8 or something that is longer\"", NEITHER},
	{"application/json; charset=utf-8; charset=utf-16", NEITHER},
	{"application/json; a=b; charset=utf-16", NEITHER},
	{"application/json; a=\"b\"; charset=utf-16", NEITHER},
	{"application/x-ndjson; charset=latin1", NEITHER},
	{"application/json, application/json", NEITHER},
	{"application/+json", NEITHER},
	{"application/json+xml", NEITHER},
	{"application/jsonx", NEITHER},
	{"application/jso", NEITHER},
	{"application/x+jsonx", NEITHER},
	{"text/x+json", NEITHER},
	{"+json", NEITHER},
	{"json", NEITHER},
	{"application/", NEITHER},
	{"application", NEITHER},
	{"multipart/form-data; boundary=x", NEITHER},
	{"application/xml", NEITHER},
	{"text/xml; charset=utf-8", NEITHER},
	{"application/soap+xml", NEITHER},
	{"application/octet-stream", NEITHER},
	{"text/html", NEITHER},
	{"image/png", NEITHER},
};

START_TEST(media_types_are_told_apart)
{
	char variable[256];
	enum http_media media;

	(void)snprintf(variable, sizeof(variable), "CONTENT_TYPE=%s",
		       media_types[_i].type == NULL ? "" : media_types[_i].type);
	struct http_request request =
		request_of(media_types[_i].type == NULL ? NULL : variable, NULL, NULL);
	enum status status = http_media(&request, &media);
	ck_assert_int_eq(status, media_types[_i].media == NEITHER ? STATUS_UNSUPPORTED_MEDIA_TYPE
								  : STATUS_OK);
	if (status == STATUS_OK)
		ck_assert_int_eq((int)media, media_types[_i].media);
}
END_TEST

static const struct {
	const char *first, *second;
	int coding;
} codings[] = {
	{NULL, NULL, HTTP_CODING_IDENTITY},
	{"", NULL, HTTP_CODING_IDENTITY},
	{"identity", NULL, HTTP_CODING_IDENTITY},
	{"Identity", NULL, HTTP_CODING_IDENTITY},
	{"gzip", NULL, HTTP_CODING_GZIP},
	{" GZIP ", NULL, HTTP_CODING_GZIP},
	{"x-gzip", NULL, HTTP_CODING_GZIP},
	{"X-GZip", NULL, HTTP_CODING_GZIP},
	{"deflate", NULL, NEITHER},
	{"br", NULL, NEITHER},
	{"zstd", NULL, NEITHER},
	{"gzip, gzip", NULL, NEITHER},
	{"gzip,identity", NULL, NEITHER},
	{"gzip,", NULL, NEITHER},
	{"gzi", NULL, NEITHER},
	{"gzipp", NULL, NEITHER},
	{"gzip", "gzip", NEITHER},
	{"identity", "identity", NEITHER},
	{"", "gzip", NEITHER},
};

START_TEST(codings_are_told_apart)
{
	char first[64], second[64];
	enum http_coding coding;

	(void)snprintf(first, sizeof(first), "HTTP_CONTENT_ENCODING=%s",
		       codings[_i].first == NULL ? "" : codings[_i].first);
	(void)snprintf(second, sizeof(second), "HTTP_CONTENT_ENCODING=%s",
		       codings[_i].second == NULL ? "" : codings[_i].second);
	struct http_request request = request_of(codings[_i].first == NULL ? NULL : first,
						 codings[_i].second == NULL ? NULL : second, NULL);
	enum status status = http_coding(&request, &coding);
	ck_assert_int_eq(status,
			 codings[_i].coding == NEITHER ? STATUS_UNSUPPORTED_CODING : STATUS_OK);
	if (status == STATUS_OK)
		ck_assert_int_eq((int)coding, codings[_i].coding);
}
END_TEST

/* ---- decoding ---- */

enum { PLENTY = 1 << 28 };

struct plain {
	struct buf bytes;
	size_t largest;
	size_t calls;
	enum status answer; /* what the sink returns */
};

static enum status take(void *context, const char *bytes, size_t n)
{
	struct plain *plain = context;

	plain->calls++;
	if (n > plain->largest)
		plain->largest = n;
	buf_add(&plain->bytes, bytes, n);
	return plain->bytes.status != STATUS_OK ? plain->bytes.status : plain->answer;
}

/* Decodes a whole body that comes in pieces of step bytes. */
static enum status decode(enum http_coding coding, struct slice body, size_t step,
			  uint64_t plain_max, struct plain *plain)
{
	struct http_decoder *decoder;
	enum status status = http_decoder_open(&decoder, coding, plain_max);

	if (status != STATUS_OK)
		return status;
	for (size_t i = 0; i < body.n && status == STATUS_OK; i += step) {
		/* A copy of its own, so that reading past its end is seen. */
		size_t n = body.n - i < step ? body.n - i : step;
		char *piece = malloc(n);
		if (piece == NULL) {
			status = STATUS_NO_MEMORY;
			break;
		}
		memcpy(piece, body.p + i, n);
		status = http_decoder_feed(decoder, piece, n, take, plain);
		free(piece);
	}
	if (status == STATUS_OK)
		status = http_decoder_feed(decoder, NULL, 0, take, plain);
	if (status == STATUS_OK)
		status = http_decoder_end(decoder, take, plain);
	http_decoder_close(decoder);
	return status;
}

static struct plain plain_make(void)
{
	return (struct plain){.bytes = buf_make(PLENTY), .answer = STATUS_OK};
}

#define GZIP_OF_EMPTY                                                                              \
	"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\x03\x00\x00\x00\x00\x00"                         \
	"\x00\x00\x00\x00"
#define GZIP_OF_BRACES                                                                             \
	"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xab\xae\x05\x00\x43\xbf"                         \
	"\xa6\xa3\x02\x00\x00\x00"
/* With a file name and a time in its header; "[1]". */
#define GZIP_NAMED                                                                                 \
	"\x1f\x8b\x08\x08\x01\x00\x00\x00\x02\xff\x6e\x2e\x6a\x73\x6f\x6e"                         \
	"\x00\x8b\x36\x8c\x05\x00\xb8\x32\x2f\x4c\x03\x00\x00\x00"
#define BODY(literal)                                                                              \
	{                                                                                          \
		(literal), sizeof(literal) - 1                                                     \
	}

static const struct {
	enum http_coding coding;
	struct slice body;
	enum status status;
	const char *plain;
} bodies[] = {
	{HTTP_CODING_IDENTITY, BODY(""), STATUS_OK, ""},
	{HTTP_CODING_IDENTITY, BODY("{"), STATUS_OK, "{"},
	{HTTP_CODING_IDENTITY, BODY("{}"), STATUS_OK, "{}"},
	{HTTP_CODING_IDENTITY, BODY("{ }"), STATUS_OK, "{ }"},
	{HTTP_CODING_IDENTITY, BODY("\x1f"), STATUS_OK, "\x1f"},
	{HTTP_CODING_IDENTITY, BODY("\x1f{"), STATUS_OK, "\x1f{"},
	{HTTP_CODING_IDENTITY, BODY("\x8b\x1f"), STATUS_OK, "\x8b\x1f"},
	{HTTP_CODING_IDENTITY, BODY("{" GZIP_OF_EMPTY), STATUS_OK, NULL},
	{HTTP_CODING_GZIP, BODY(GZIP_OF_BRACES), STATUS_OK, "{}"},
	{HTTP_CODING_GZIP, BODY(GZIP_OF_EMPTY), STATUS_OK, ""},
	{HTTP_CODING_GZIP, BODY(GZIP_NAMED), STATUS_OK, "[1]"},
	{HTTP_CODING_GZIP, BODY(GZIP_OF_BRACES GZIP_NAMED), STATUS_OK, "{}[1]"},
	{HTTP_CODING_GZIP, BODY(GZIP_OF_EMPTY GZIP_OF_EMPTY GZIP_OF_BRACES), STATUS_OK, "{}"},
	{HTTP_CODING_GZIP, BODY(GZIP_OF_BRACES GZIP_OF_EMPTY), STATUS_OK, "{}"},
	/* Recognised without being announced. */
	{HTTP_CODING_IDENTITY, BODY(GZIP_OF_BRACES), STATUS_OK, "{}"},
	{HTTP_CODING_IDENTITY, BODY(GZIP_OF_BRACES GZIP_OF_BRACES), STATUS_OK, "{}{}"},
	{HTTP_CODING_IDENTITY, BODY("\x1f\x8b"), STATUS_MALFORMED_CODING, NULL},
	{HTTP_CODING_IDENTITY, BODY("\x1f\x8b not gzip"), STATUS_MALFORMED_CODING, NULL},
	/* Announced, but it is not. */
	{HTTP_CODING_GZIP, BODY(""), STATUS_MALFORMED_CODING, ""},
	{HTTP_CODING_GZIP, BODY("\x1f"), STATUS_MALFORMED_CODING, ""},
	{HTTP_CODING_GZIP, BODY("{}"), STATUS_MALFORMED_CODING, ""},
	{HTTP_CODING_GZIP, BODY("\x78\x9c\xab\xae\x05\x00\x01\x75\x00\xf9"),
	 STATUS_MALFORMED_CODING, ""},
	/* What follows a member must be another one. */
	{HTTP_CODING_GZIP, BODY(GZIP_OF_BRACES "x"), STATUS_MALFORMED_CODING, NULL},
	{HTTP_CODING_GZIP, BODY(GZIP_OF_BRACES "{}"), STATUS_MALFORMED_CODING, NULL},
	{HTTP_CODING_GZIP, BODY(GZIP_OF_BRACES "\0\0\0\0"), STATUS_MALFORMED_CODING, NULL},
	{HTTP_CODING_GZIP, BODY(GZIP_OF_BRACES "\x1f"), STATUS_MALFORMED_CODING, NULL},
	{HTTP_CODING_GZIP, BODY(GZIP_OF_BRACES "\x1f\x8b"), STATUS_MALFORMED_CODING, NULL},
};

START_TEST(bodies_are_decoded)
{
	static const size_t steps[] = {1, 2, 3, 7, 1000};

	for (int i = 0; i < LENGTH(steps); i++) {
		struct plain plain = plain_make();
		ck_assert_int_eq(
			decode(bodies[_i].coding, bodies[_i].body, steps[i], PLENTY, &plain),
			bodies[_i].status);
		if (bodies[_i].plain != NULL)
			ck_assert(slice_equal(buf_slice(&plain.bytes), slice_of(bodies[_i].plain)));
		buf_free(&plain.bytes);
	}
}
END_TEST

/* Any body that ends too early, wherever. */
START_TEST(truncated_bodies_are_refused)
{
	static const struct slice whole = BODY(GZIP_NAMED GZIP_OF_BRACES);
	struct plain plain = plain_make();
	size_t n = (size_t)_i;

	if (n == sizeof(GZIP_NAMED) - 1)
		return; /* one whole member */
	ck_assert_int_eq(decode(HTTP_CODING_GZIP, (struct slice){whole.p, n}, 5, PLENTY, &plain),
			 STATUS_MALFORMED_CODING);
	buf_free(&plain.bytes);
}
END_TEST

/*
 * Every changed bit of a member is noticed, but for those that say nothing: "probably text", the
 * time, level and system in the header, and the bits that fill the last byte of the data.
 */
START_TEST(damaged_bodies_are_refused)
{
	char body[] = GZIP_OF_BRACES;
	struct plain plain = plain_make();
	bool idle = _i == 24 || (_i >= 4 * 8 && _i < 10 * 8) || (_i >= 13 * 8 + 2 && _i < 14 * 8);

	body[_i / 8] = (char)(body[_i / 8] ^ (1 << _i % 8));
	ck_assert_int_eq(
		decode(HTTP_CODING_GZIP, (struct slice){body, sizeof(body) - 1}, 4, PLENTY, &plain),
		idle ? STATUS_OK : STATUS_MALFORMED_CODING);
	if (idle)
		ck_assert(slice_equal(buf_slice(&plain.bytes), SLICE("{}")));
	buf_free(&plain.bytes);
}
END_TEST

/* gzip of n bytes, each a letter that depends on its place. */
static struct buf compress_letters(size_t n)
{
	z_stream zlib = {0};
	struct buf out = buf_make(PLENTY);
	unsigned char *letters = malloc(n + 1);

	ck_assert_ptr_nonnull(letters);
	for (size_t i = 0; i < n; i++)
		letters[i] = (unsigned char)('a' + i % 7 + i / 1000 % 11);
	ck_assert_int_eq(deflateInit2(&zlib, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, 0), Z_OK);
	zlib.next_in = letters;
	zlib.avail_in = (uInt)n;
	zlib.avail_out = (uInt)deflateBound(&zlib, n);
	zlib.next_out = (unsigned char *)buf_reserve(&out, zlib.avail_out);
	ck_assert_ptr_nonnull(zlib.next_out);
	ck_assert_int_eq(deflate(&zlib, Z_FINISH), Z_STREAM_END);
	out.n = zlib.total_out;
	ck_assert_int_eq(deflateEnd(&zlib), Z_OK);
	free(letters);
	return out;
}

static bool are_letters(struct slice text)
{
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] != (char)('a' + i % 7 + i / 1000 % 11))
			return false;
	}
	return true;
}

/* Around the size of the pieces that are passed on. */
static const size_t sizes[] = {1, 65535, 65536, 65537, 131072, 1000000};

START_TEST(pieces_are_bounded)
{
	static const size_t steps[] = {1, 4096, PLENTY};
	struct buf body = compress_letters(sizes[_i]);

	for (int i = 0; i < LENGTH(steps); i++) {
		struct plain plain = plain_make();
		ck_assert_int_eq(
			decode(HTTP_CODING_GZIP, buf_slice(&body), steps[i], sizes[_i], &plain),
			STATUS_OK);
		ck_assert_uint_eq(plain.bytes.n, sizes[_i]);
		ck_assert(are_letters(buf_slice(&plain.bytes)));
		ck_assert_uint_le(plain.largest, 65536);
		buf_free(&plain.bytes);
	}
	buf_free(&body);
}
END_TEST

START_TEST(plain_pieces_are_bounded)
{
	struct plain plain = plain_make();
	char *body = calloc(1, sizes[_i]);

	ck_assert_ptr_nonnull(body);
	ck_assert_int_eq(decode(HTTP_CODING_IDENTITY, (struct slice){body, sizes[_i]}, PLENTY,
				sizes[_i], &plain),
			 STATUS_OK);
	ck_assert_uint_eq(plain.bytes.n, sizes[_i]);
	ck_assert_uint_le(plain.largest, 65536);
	buf_free(&plain.bytes);
	free(body);
}
END_TEST

static const struct {
	size_t bytes;
	uint64_t max;
} limits[] = {
	{0, 0},	   {1, 0},     {1, 1},	   {2, 1},	   {3, 2},	   {2, 3},
	{100, 99}, {100, 100}, {100, 101}, {70000, 69999}, {70000, 70000}, {70000, 70001},
};

START_TEST(the_limit_counts_plain_bytes)
{
	static const size_t steps[] = {1, 7, PLENTY};
	struct buf gzip = compress_letters(limits[_i].bytes);
	char *same = calloc(1, limits[_i].bytes + 1);
	enum status expected = limits[_i].bytes <= limits[_i].max ? STATUS_OK : STATUS_TOO_LARGE;

	ck_assert_ptr_nonnull(same);
	for (int i = 0; i < LENGTH(steps); i++) {
		struct plain plain = plain_make();
		ck_assert_int_eq(decode(HTTP_CODING_GZIP, buf_slice(&gzip), steps[i],
					limits[_i].max, &plain),
				 expected);
		ck_assert_uint_le(plain.bytes.n, limits[_i].max);
		buf_reset(&plain.bytes, 0);
		ck_assert_int_eq(decode(HTTP_CODING_IDENTITY,
					(struct slice){same, limits[_i].bytes}, steps[i],
					limits[_i].max, &plain),
				 expected);
		ck_assert_uint_le(plain.bytes.n, limits[_i].max);
		buf_free(&plain.bytes);
	}
	free(same);
	buf_free(&gzip);
}
END_TEST

/* 20 MB in less than 200 KB: no more than the limit is ever passed on. */
START_TEST(a_bomb_stops_early)
{
	enum { BYTES = 20 * 1000 * 1000, MAX = 1000 * 1000 };
	struct buf body = compress_letters(BYTES);
	struct plain plain = plain_make();

	ck_assert_uint_lt(body.n, BYTES / 100);
	ck_assert_int_eq(decode(HTTP_CODING_GZIP, buf_slice(&body), PLENTY, MAX, &plain),
			 STATUS_TOO_LARGE);
	ck_assert_uint_le(plain.bytes.n, MAX);
	ck_assert_uint_ge(plain.bytes.n, MAX - 65536);
	buf_free(&plain.bytes);
	buf_free(&body);
}
END_TEST

START_TEST(the_sink_can_stop)
{
	static const struct slice given[] = {BODY("{}"), BODY("{"), BODY(GZIP_OF_BRACES),
					     BODY(GZIP_OF_BRACES GZIP_OF_BRACES)};

	for (size_t step = 1; step < 100; step += 33) {
		struct plain plain = plain_make();
		plain.answer = STATUS_TOO_MANY_ITEMS;
		ck_assert_int_eq(decode(HTTP_CODING_IDENTITY, given[_i], step, PLENTY, &plain),
				 STATUS_TOO_MANY_ITEMS);
		ck_assert_uint_eq(plain.calls, 1);
		buf_free(&plain.bytes);
	}
}
END_TEST

START_TEST(a_failure_stays)
{
	struct http_decoder *decoder;
	struct plain plain = plain_make();
	static const struct slice good = BODY(GZIP_OF_BRACES);

	ck_assert_int_eq(http_decoder_open(&decoder, HTTP_CODING_GZIP, PLENTY), STATUS_OK);
	ck_assert_int_eq(http_decoder_feed(decoder, "no", 2, take, &plain),
			 STATUS_MALFORMED_CODING);
	ck_assert_int_eq(http_decoder_feed(decoder, good.p, good.n, take, &plain),
			 STATUS_MALFORMED_CODING);
	ck_assert_int_eq(http_decoder_end(decoder, take, &plain), STATUS_MALFORMED_CODING);
	ck_assert_uint_eq(plain.calls, 0);
	http_decoder_close(decoder);
	http_decoder_close(NULL);
}
END_TEST

static struct buf torture_body;

static enum status decode_all(void)
{
	struct plain plain = plain_make();
	enum status status =
		decode(HTTP_CODING_GZIP, buf_slice(&torture_body), 1000, PLENTY, &plain);

	buf_free(&plain.bytes);
	return status;
}

START_TEST(decoding_survives_failure)
{
	torture_body = compress_letters(200000);
	ck_assert_int_ge(unit_torture(decode_all), 5);
	buf_free(&torture_body);
}
END_TEST

/* ---- answers ---- */

static void expect_head(const struct http_response *response, const struct http_request *request,
			const char *text)
{
	struct buf head = buf_make(4096);

	http_response_head(response, request, &head);
	buf_add_char(&head, '\0');
	ck_assert_int_eq(head.status, STATUS_OK);
	ck_assert_str_eq(head.p, text);
	buf_free(&head);
}

START_TEST(heads_have_what_is_set)
{
	struct http_request request = request_of("HTTP_X_REQUEST_ID=id-1", NULL, NULL);
	struct http_response response = http_response_make();

	expect_head(&response, &request,
		    "Status: 200 OK\r\nX-Request-Id: id-1\r\nCache-Control: no-store\r\n\r\n");
	response.status = 202;
	response.content_type = "application/json";
	expect_head(&response, &request,
		    "Status: 202 Accepted\r\nContent-Type: application/json\r\n"
		    "X-Request-Id: id-1\r\nCache-Control: no-store\r\n\r\n");
	response.status = 405;
	response.allow = "POST";
	response.retry_after_s = 7;
	expect_head(&response, &request,
		    "Status: 405 Method Not Allowed\r\nContent-Type: application/json\r\n"
		    "Allow: POST\r\nRetry-After: 7\r\n"
		    "X-Request-Id: id-1\r\nCache-Control: no-store\r\n\r\n");
	http_response_free(&response);
}
END_TEST

/* Each status makes a problem whose members are in their order. */
START_TEST(problems_say_their_status)
{
	enum status status = (enum status)_i;
	const struct problem *problem = problem_of(status);
	struct http_request request = request_of("HTTP_X_REQUEST_ID=id-1", NULL, NULL);
	struct http_response response = http_response_make();
	struct buf text = buf_make(2000);

	buf_add_text(&response.body, "{\"half\":");
	response.allow = "POST";
	http_problem(&response, &request, status, NULL);
	buf_add_format(&text,
		       "{\"type\":\"urn:sluice:problem:%s\",\"title\":\"%s\",\"status\":%d,"
		       "\"detail\":",
		       problem->code, problem->title, problem->http);
	buf_add_json(&text, slice_of(problem->detail));
	buf_add_format(&text, ",\"code\":\"%s\",\"request_id\":\"id-1\"}\n", problem->code);
	ck_assert(slice_equal(buf_slice(&response.body), buf_slice(&text)));
	buf_free(&text);
	ck_assert_int_eq(response.status, problem->http);
	ck_assert_int_eq(response.retry_after_s, problem->retry_after_s);
	ck_assert_str_eq(response.content_type, "application/problem+json");
	ck_assert_str_eq(response.allow, "POST");
	http_response_free(&response);
}
END_TEST

static const struct {
	const char *detail, *json;
} details[] = {
	{"", "\"detail\":\"\","},
	{"byte 17: unexpected character", "\"detail\":\"byte 17: unexpected character\","},
	{"member \"a\\b\"", "\"detail\":\"member \\\"a\\\\b\\\"\","},
	{"two\nlines\x01", "\"detail\":\"two\\nlines\\u0001\","},
};

START_TEST(problem_details_are_json)
{
	struct http_request request = request_of(NULL, NULL, NULL);
	struct http_response response = http_response_make();

	http_problem(&response, &request, STATUS_MALFORMED_JSON, details[_i].detail);
	buf_add_char(&response.body, '\0');
	const char *place = strstr(response.body.p, "\"detail\"");
	ck_assert_ptr_nonnull(place);
	ck_assert_int_eq(strncmp(place, details[_i].json, strlen(details[_i].json)), 0);
	http_response_free(&response);
}
END_TEST

/* A problem that has no memory is a status line; the answer's own failure is forgotten. */
START_TEST(problems_survive_failure)
{
	struct http_request request = request_of(NULL, NULL, NULL);
	struct http_response response = http_response_make();

	unit_fail_allocation(1);
	http_problem(&response, &request, STATUS_UNAVAILABLE, "detail");
	unit_fail_allocation(0);
	ck_assert_int_eq(response.status, 503);
	ck_assert_int_eq(response.retry_after_s, 5);
	ck_assert_ptr_null(response.content_type);
	ck_assert_int_eq(response.body.status, STATUS_OK);
	ck_assert_uint_eq(response.body.n, 0);
	response.body.status = STATUS_NO_MEMORY;
	http_problem(&response, &request, STATUS_NO_MEMORY, NULL);
	ck_assert_str_eq(response.content_type, "application/problem+json");
	ck_assert_uint_gt(response.body.n, 0);
	http_response_free(&response);
	ck_assert_ptr_null(response.body.p);
}
END_TEST

static TCase *request_tests(void)
{
	TCase *tests = tcase_create("request");

	tcase_add_test(tests, a_request_is_read);
	tcase_add_test(tests, an_empty_request_is_read);
	tcase_add_loop_test(tests, headers_are_found_and_counted, 0, LENGTH(headers));
	tcase_add_loop_test(tests, content_lengths_are_read, 0, LENGTH(content_lengths));
	tcase_add_loop_test(tests, sane_request_ids_are_echoed, 0, LENGTH(request_ids));
	tcase_add_loop_test(tests, request_ids_have_a_length, 0, LENGTH(id_lengths));
	tcase_add_test(tests, repeated_request_ids_are_replaced);
	tcase_add_test(tests, made_request_ids_differ);
	tcase_add_loop_test(tests, media_types_are_told_apart, 0, LENGTH(media_types));
	tcase_add_loop_test(tests, codings_are_told_apart, 0, LENGTH(codings));
	return tests;
}

static TCase *decoder_tests(void)
{
	TCase *tests = tcase_create("decoder");

	tcase_set_timeout(tests, 60);
	tcase_add_loop_test(tests, bodies_are_decoded, 0, LENGTH(bodies));
	tcase_add_loop_test(tests, truncated_bodies_are_refused, 0,
			    (int)(sizeof(GZIP_NAMED GZIP_OF_BRACES) - 1));
	tcase_add_loop_test(tests, damaged_bodies_are_refused, 0,
			    8 * (int)(sizeof(GZIP_OF_BRACES) - 1));
	tcase_add_loop_test(tests, pieces_are_bounded, 0, LENGTH(sizes));
	tcase_add_loop_test(tests, plain_pieces_are_bounded, 0, LENGTH(sizes));
	tcase_add_loop_test(tests, the_limit_counts_plain_bytes, 0, LENGTH(limits));
	tcase_add_test(tests, a_bomb_stops_early);
	tcase_add_loop_test(tests, the_sink_can_stop, 0, 4);
	tcase_add_test(tests, a_failure_stays);
	tcase_add_test(tests, decoding_survives_failure);
	return tests;
}

static TCase *response_tests(void)
{
	TCase *tests = tcase_create("response");

	tcase_add_test(tests, heads_have_what_is_set);
	tcase_add_loop_test(tests, problems_say_their_status, 0, STATUS_COUNT);
	tcase_add_loop_test(tests, problem_details_are_json, 0, LENGTH(details));
	tcase_add_test(tests, problems_survive_failure);
	return tests;
}

/* ---- what settings ask for ---- */

START_TEST(a_type_is_one_in_utf_8)
{
	static const struct {
		const char *a, *b;
		bool is;
	} rows[] = {
		{"CONTENT_TYPE=application/json", NULL, true},
		{"CONTENT_TYPE=Application/JSON ; charset=utf-8", NULL, true},
		{"CONTENT_TYPE=application/json; charset=latin1", NULL, false},
		{"CONTENT_TYPE=application/jsonp", NULL, false},
		{"CONTENT_TYPE=text/plain", NULL, false},
		{"CONTENT_TYPE=application/x-www-form-urlencoded", NULL, false},
		{"CONTENT_TYPE=application/json, text/plain", NULL, false},
		{"CONTENT_TYPE=", NULL, false},
		{NULL, NULL, false},
		{"CONTENT_TYPE=application/json", "CONTENT_TYPE=application/json", false},
	};

	for (int i = 0; i < LENGTH(rows); i++) {
		struct http_request request = request_of(rows[i].a, rows[i].b, NULL);
		ck_assert_msg(http_type_is(&request, "application/json") == rows[i].is, "row %d",
			      i);
	}
}
END_TEST

START_TEST(a_problem_may_list_errors_and_further_headers)
{
	struct http_request request = request_of("HTTP_X_REQUEST_ID=r", NULL, NULL);
	struct http_response response = http_response_make();
	struct buf head = buf_make(4096);

	response.headers = "X-Frame-Options: DENY\r\n";
	http_problem_with(&response, &request, STATUS_INVALID_REQUEST, "d",
			  SLICE("[{\"place\":\"name\"}]"));
	buf_add_char(&response.body, '\0');
	ck_assert_ptr_nonnull(strstr(response.body.p, ",\"errors\":[{\"place\":\"name\"}]}\n"));
	http_response_head(&response, &request, &head);
	buf_add_char(&head, '\0');
	ck_assert_ptr_nonnull(strstr(head.p, "\r\nX-Frame-Options: DENY\r\n\r\n"));
	buf_free(&head);
	http_response_free(&response);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("http");
	TCase *settings_tests = tcase_create("settings");

	tcase_add_test(settings_tests, a_type_is_one_in_utf_8);
	tcase_add_test(settings_tests, a_problem_may_list_errors_and_further_headers);
	suite_add_tcase(suite, settings_tests);
	suite_add_tcase(suite, request_tests());
	suite_add_tcase(suite, decoder_tests());
	suite_add_tcase(suite, response_tests());
	return suite;
}
