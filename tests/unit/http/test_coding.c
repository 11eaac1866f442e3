/*
 * test_coding.c - content codings.
 *
 * The small gzip bodies were made with Python's gzip module; the large ones are made here.
 */
#include <stdlib.h>
#include <zlib.h>

#include "base/buf.h"
#include "http/coding.h"
#include "http/request_of.h"

static const struct {
	const char *first, *second;
	enum http_coding coding;
} codings[] = {
	{NULL, NULL, HTTP_CODING_IDENTITY},
	{"", NULL, HTTP_CODING_IDENTITY},
	{"identity", NULL, HTTP_CODING_IDENTITY},
	{"Identity", NULL, HTTP_CODING_IDENTITY},
	{"gzip", NULL, HTTP_CODING_GZIP},
	{" GZIP ", NULL, HTTP_CODING_GZIP},
	{"x-gzip", NULL, HTTP_CODING_GZIP},
	{"X-GZip", NULL, HTTP_CODING_GZIP},
	{"deflate", NULL, HTTP_CODING_DEFLATE},
	{" Deflate", NULL, HTTP_CODING_DEFLATE},
	{"UTF-8", NULL, HTTP_CODING_IDENTITY},
	{"utf8", NULL, HTTP_CODING_IDENTITY},
	{"ISO-8859-1", NULL, HTTP_CODING_IDENTITY},
	{"us-ascii", NULL, HTTP_CODING_IDENTITY},
	{"utf", NULL, HTTP_CODING_OTHER},
	{"deflate, gzip", NULL, HTTP_CODING_OTHER},
	{"br", NULL, HTTP_CODING_OTHER},
	{"zstd", NULL, HTTP_CODING_OTHER},
	{"gzip, gzip", NULL, HTTP_CODING_OTHER},
	{"gzip,identity", NULL, HTTP_CODING_OTHER},
	{"gzip,", NULL, HTTP_CODING_OTHER},
	{"gzi", NULL, HTTP_CODING_OTHER},
	{"gzipp", NULL, HTTP_CODING_OTHER},
	{"gzip", "gzip", HTTP_CODING_OTHER},
	{"identity", "identity", HTTP_CODING_OTHER},
	{"", "gzip", HTTP_CODING_OTHER},
};

START_TEST(codings_are_told_apart)
{
	char first[64], second[64];

	(void)snprintf(first, sizeof(first), "HTTP_CONTENT_ENCODING=%s",
		       codings[_i].first == NULL ? "" : codings[_i].first);
	(void)snprintf(second, sizeof(second), "HTTP_CONTENT_ENCODING=%s",
		       codings[_i].second == NULL ? "" : codings[_i].second);
	struct http_request request = request_of(codings[_i].first == NULL ? NULL : first,
						 codings[_i].second == NULL ? NULL : second, NULL);
	ck_assert_msg(http_coding(&request) == codings[_i].coding, "%s", first);
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
#define RAW_OF_BRACES  "\xab\xae\x05\x00"
#define ZLIB_OF_BRACES "\x78\x9c" RAW_OF_BRACES "\x01\x75\x00\xf9"
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
	{HTTP_CODING_GZIP, BODY("nothing"), STATUS_MALFORMED_CODING, ""},
	{HTTP_CODING_GZIP, BODY("{}"), STATUS_OK, "{}"},
	{HTTP_CODING_GZIP, BODY("["), STATUS_OK, "["},
	{HTTP_CODING_GZIP, BODY("\n{}"), STATUS_OK, "\n{}"},
	{HTTP_CODING_GZIP, BODY("\xef\xbb\xbf{}"), STATUS_OK, "\xef\xbb\xbf{}"},
	{HTTP_CODING_GZIP, BODY(ZLIB_OF_BRACES), STATUS_MALFORMED_CODING, ""},
	/* What follows a member must be another one. */
	{HTTP_CODING_GZIP, BODY(GZIP_OF_BRACES "x"), STATUS_MALFORMED_CODING, NULL},
	{HTTP_CODING_GZIP, BODY(GZIP_OF_BRACES "{}"), STATUS_MALFORMED_CODING, NULL},
	{HTTP_CODING_GZIP, BODY(GZIP_OF_BRACES "\0\0\0\0"), STATUS_MALFORMED_CODING, NULL},
	{HTTP_CODING_GZIP, BODY(GZIP_OF_BRACES "\x1f"), STATUS_MALFORMED_CODING, NULL},
	{HTTP_CODING_GZIP, BODY(GZIP_OF_BRACES "\x1f\x8b"), STATUS_MALFORMED_CODING, NULL},
	/* deflate: with zlib's header, without one, or not at all. */
	{HTTP_CODING_DEFLATE, BODY(ZLIB_OF_BRACES), STATUS_OK, "{}"},
	{HTTP_CODING_DEFLATE, BODY(RAW_OF_BRACES), STATUS_OK, "{}"},
	{HTTP_CODING_DEFLATE, BODY(GZIP_OF_BRACES), STATUS_OK, "{}"},
	{HTTP_CODING_DEFLATE, BODY("{}"), STATUS_OK, "{}"},
	{HTTP_CODING_DEFLATE, BODY("[{}]"), STATUS_OK, "[{}]"},
	{HTTP_CODING_DEFLATE, BODY("\xef\xbb\xbf{}"), STATUS_OK, "\xef\xbb\xbf{}"},
	{HTTP_CODING_DEFLATE, BODY("\x03\x00"), STATUS_OK, ""},
	{HTTP_CODING_DEFLATE, BODY(""), STATUS_MALFORMED_CODING, ""},
	{HTTP_CODING_DEFLATE, BODY("\x78"), STATUS_MALFORMED_CODING, ""},
	{HTTP_CODING_DEFLATE, BODY("nothing"), STATUS_MALFORMED_CODING, NULL},
	{HTTP_CODING_DEFLATE, BODY(ZLIB_OF_BRACES "x"), STATUS_MALFORMED_CODING, "{}"},
	{HTTP_CODING_DEFLATE, BODY(RAW_OF_BRACES RAW_OF_BRACES), STATUS_MALFORMED_CODING, "{}"},
	{HTTP_CODING_DEFLATE, BODY("\x78\x9c\xab\xae\x05\x00\x01\x75\x00\xf8"),
	 STATUS_MALFORMED_CODING, NULL},
	{HTTP_CODING_IDENTITY, BODY(ZLIB_OF_BRACES), STATUS_OK, NULL},
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

static const struct {
	const char *header;
	bool accepts;
} acceptances[] = {
	{NULL, false},
	{"", false},
	{"gzip", true},
	{"X-GZIP", true},
	{"gzip, deflate, br, zstd", true},
	{"br;q=1.0, gzip;q=0.8, *;q=0.1", true},
	{"gzip;q=0.001", true},
	{"gzip; q=1", true},
	{"gzip;q=0", false},
	{"gzip ; q=0.000", false},
	{"gzip;Q=0", false},
	{"*", true},
	{"*;q=0", false},
	{"*;q=0, gzip", true},
	{"gzip;q=0, *", false},
	{"identity", false},
	{"deflate", false},
	{"gzipped", false},
	{",,", false},
	{";q=1", false},
};

START_TEST(clients_say_whether_they_take_gzip)
{
	char header[64];

	(void)snprintf(header, sizeof(header), "HTTP_ACCEPT_ENCODING=%s",
		       acceptances[_i].header == NULL ? "" : acceptances[_i].header);
	struct http_request request =
		request_of(acceptances[_i].header == NULL ? NULL : header, NULL, NULL);
	ck_assert_msg(http_accepts_gzip(&request) == acceptances[_i].accepts, "%s", header);
}
END_TEST

static const size_t answers[] = {0, 1, 1400, 65535, 65536, 1000000};

START_TEST(an_answer_is_compressed)
{
	struct buf plain = buf_make(PLENTY), packed = buf_make(PLENTY);
	struct plain again = plain_make();

	for (size_t i = 0; i < answers[_i]; i++)
		buf_add_char(&plain, (char)('a' + i * i % 23));
	ck_assert_int_eq(http_gzip(buf_slice(&plain), &packed), STATUS_OK);
	ck_assert_int_eq(decode(HTTP_CODING_GZIP, buf_slice(&packed), 1000, PLENTY, &again),
			 STATUS_OK);
	ck_assert(slice_equal(buf_slice(&again.bytes), buf_slice(&plain)));
	if (answers[_i] > 1000)
		ck_assert_uint_lt(packed.n, plain.n / 4);
	buf_free(&plain);
	buf_free(&packed);
	buf_free(&again.bytes);
}
END_TEST

START_TEST(an_answer_over_its_cap_is_not_compressed)
{
	struct buf packed = buf_make(10);

	ck_assert_int_eq(http_gzip(SLICE("some"), &packed), STATUS_TOO_LARGE);
	ck_assert_uint_eq(packed.n, 0);
	buf_free(&packed);
}
END_TEST

static enum status compress_some(void)
{
	struct buf packed = buf_make(PLENTY);
	enum status status = http_gzip(SLICE("some"), &packed);

	buf_free(&packed);
	return status;
}

START_TEST(compressing_survives_failure)
{
	ck_assert_int_ge(unit_torture(compress_some), 3);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("coding");
	TCase *tests = tcase_create("coding");

	tcase_set_timeout(tests, 60);
	tcase_add_loop_test(tests, codings_are_told_apart, 0, LENGTH(codings));
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
	tcase_add_loop_test(tests, clients_say_whether_they_take_gzip, 0, LENGTH(acceptances));
	tcase_add_loop_test(tests, an_answer_is_compressed, 0, LENGTH(answers));
	tcase_add_test(tests, an_answer_over_its_cap_is_not_compressed);
	tcase_add_test(tests, compressing_survives_failure);
	suite_add_tcase(suite, tests);
	return suite;
}
