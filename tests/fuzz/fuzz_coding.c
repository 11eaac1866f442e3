/*
 * fuzz_coding.c - the input as a body of any coding, and as what a gzip body holds: never more
 * comes out than is allowed, pieces change nothing, and what was encoded comes back or is refused.
 */
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "fuzz.h"
#include "http/coding.h"

enum { PLAIN_MOST = 1 << 20, GZIP_WINDOW_BITS = 31, PIECE_MOST = 64 << 10 };

struct decoding {
	struct http_decoder *decoder;
	struct buf plain;
};

static enum status keep(void *context, const char *bytes, size_t n)
{
	struct decoding *decoding = context;

	CHECK(n <= PIECE_MOST);
	buf_add(&decoding->plain, bytes, n);
	CHECK(decoding->plain.status == STATUS_OK); /* no more than plain_max */
	return STATUS_OK;
}

static enum status feed(void *context, const char *bytes, size_t n)
{
	struct decoding *decoding = context;

	return http_decoder_feed(decoding->decoder, bytes, n, keep, decoding);
}

static enum status decode(struct fuzz_random *random, struct slice body, enum http_coding coding,
			  size_t plain_max, struct buf *plain)
{
	struct decoding decoding = {.plain = buf_make(plain_max)};

	CHECK(http_decoder_open(&decoding.decoder, coding, plain_max) == STATUS_OK);
	enum status status = fuzz_in_pieces(random, body, feed, &decoding);
	if (status == STATUS_OK)
		status = http_decoder_end(decoding.decoder, keep, &decoding);
	else /* the first failure stays */
		CHECK(http_decoder_end(decoding.decoder, keep, &decoding) == status);
	CHECK(status == STATUS_OK || status == STATUS_MALFORMED_CODING ||
	      status == STATUS_TOO_LARGE);
	http_decoder_close(decoding.decoder);
	*plain = decoding.plain;
	return status;
}

static void check_any(struct fuzz_random *random, struct slice body)
{
	const size_t limits[] = {0, 1, 100, PIECE_MOST, PLAIN_MOST};
	size_t plain_max = limits[fuzz_random_next(random, 5)];
	enum http_coding coding = (enum http_coding)fuzz_random_next(random, 3);
	struct buf one, other;
	enum status status = decode(random, body, coding, plain_max, &one);
	enum status again = decode(random, body, coding, plain_max, &other);

	/* Which of two faults is met first may depend on the pieces, being faulty may not. */
	CHECK((status == STATUS_OK) == (again == STATUS_OK));
	if (status == STATUS_OK)
		CHECK(slice_equal(buf_slice(&one), buf_slice(&other)));
	if (!slice_starts(body, SLICE("\x1f\x8b")) && coding != HTTP_CODING_DEFLATE)
		CHECK(status != STATUS_OK || slice_equal(buf_slice(&one), body));
	buf_free(&one);
	buf_free(&other);
}

static void add_member(struct buf *out, struct slice plain, int level, int window_bits)
{
	z_stream zlib = {0};

	CHECK(deflateInit2(&zlib, level, Z_DEFLATED, window_bits, 8, Z_DEFAULT_STRATEGY) == Z_OK);
	size_t room = deflateBound(&zlib, plain.n);
	zlib.next_out = (Bytef *)buf_reserve(out, room);
	zlib.avail_out = (uInt)room;
	zlib.next_in = (Bytef *)(uintptr_t)plain.p;
	zlib.avail_in = (uInt)plain.n;
	CHECK(deflate(&zlib, Z_FINISH) == Z_STREAM_END);
	out->n += zlib.total_out;
	(void)deflateEnd(&zlib);
}

static void check_encoded(struct fuzz_random *random, struct slice plain)
{
	struct buf body = buf_make(SIZE_MAX / 2), decoded;
	size_t cut = fuzz_random_next(random, plain.n + 1);

	add_member(&body, (struct slice){plain.p, cut}, (int)fuzz_random_next(random, 10),
		   GZIP_WINDOW_BITS);
	size_t first = body.n;
	add_member(&body, (struct slice){plain.p + cut, plain.n - cut}, 6, GZIP_WINDOW_BITS);
	CHECK(decode(random, buf_slice(&body), HTTP_CODING_GZIP, plain.n, &decoded) == STATUS_OK);
	CHECK(slice_equal(buf_slice(&decoded), plain));
	buf_free(&decoded);
	if (plain.n > 0) {
		CHECK(decode(random, buf_slice(&body), HTTP_CODING_IDENTITY, plain.n - 1,
			     &decoded) == STATUS_TOO_LARGE);
		buf_free(&decoded);
	}
	struct slice part = {body.p, fuzz_random_next(random, body.n)};
	enum status status = decode(random, part, HTTP_CODING_GZIP, PLAIN_MOST, &decoded);
	CHECK(status == (part.n == first ? STATUS_OK : STATUS_MALFORMED_CODING));
	buf_free(&decoded);
	/* One wrong byte behind the magic is noticed, or means nothing. */
	body.p[2 + fuzz_random_next(random, body.n - 2)] ^=
		(char)(1 << fuzz_random_next(random, 7));
	status = decode(random, buf_slice(&body), HTTP_CODING_GZIP, PLAIN_MOST, &decoded);
	CHECK(status != STATUS_OK || slice_equal(buf_slice(&decoded), plain));
	buf_free(&decoded);
	buf_free(&body);
}

/* A text that begins as JSON does comes back from both forms of deflate, and as itself. */
static void check_deflated(struct fuzz_random *random, struct slice input)
{
	static const char firsts[] = "{[ ";
	int window_bits = fuzz_random_next(random, 2) == 0 ? MAX_WBITS : -MAX_WBITS;
	struct buf plain = buf_make(SIZE_MAX / 2), body = buf_make(SIZE_MAX / 2), decoded;

	buf_add_char(&plain, firsts[fuzz_random_next(random, 3)]);
	buf_add_slice(&plain, input);
	add_member(&body, buf_slice(&plain), (int)fuzz_random_next(random, 10), window_bits);
	CHECK(decode(random, buf_slice(&body), HTTP_CODING_DEFLATE, plain.n, &decoded) ==
	      STATUS_OK);
	CHECK(slice_equal(buf_slice(&decoded), buf_slice(&plain)));
	buf_free(&decoded);
	struct slice part = {body.p, fuzz_random_next(random, body.n)};
	CHECK(decode(random, part, HTTP_CODING_DEFLATE, PLAIN_MOST, &decoded) != STATUS_OK);
	buf_free(&decoded);
	buf_add_char(&body, 'x');
	CHECK(decode(random, buf_slice(&body), HTTP_CODING_DEFLATE, PLAIN_MOST, &decoded) ==
	      STATUS_MALFORMED_CODING);
	buf_free(&decoded);
	if (plain.p[0] != ' ') {
		CHECK(decode(random, buf_slice(&plain), HTTP_CODING_DEFLATE, plain.n, &decoded) ==
		      STATUS_OK);
		CHECK(slice_equal(buf_slice(&decoded), buf_slice(&plain)));
		buf_free(&decoded);
	}
	buf_free(&plain);
	buf_free(&body);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct slice input = {(const char *)data, n};
	struct fuzz_random random = fuzz_random_of(input);

	check_any(&random, input);
	check_encoded(&random, input);
	check_deflated(&random, input);
	return 0;
}
