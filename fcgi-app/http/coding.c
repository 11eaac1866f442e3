/*
 * http/coding.c - see http/coding.h.
 */
#include "http/coding.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define ZLIB_CONST /* zlib does not write to its input */
#include <zlib.h>

#include "http/header.h"

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

/* ---- the decoder ---- */

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
	enum status status; /* STATUS_OK until the first failure */
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

/* Lets zlib fill the output once, and passes it on. */
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
		/* If it filled the output, zlib may have more. */
		do
			status = inflate_piece(decoder, sink, context);
		while (status == STATUS_OK && decoder->state == DECODER_INSIDE &&
		       (zlib->avail_in > 0 || zlib->avail_out == 0));
		bytes += piece - zlib->avail_in;
		n -= piece - zlib->avail_in;
	}
	return status;
}

/* The first bytes are known, or known to be missing. */
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
