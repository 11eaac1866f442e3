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

/* The names that senders are known to use; a coding has none of them. */
static bool is_charset(struct slice name)
{
	static const char *const names[] = {"utf-8", "utf8",   "utf-16",      "us-ascii",
					    "ascii", "latin1", "iso-8859-1",  "iso-8859-15",
					    "8bit",  "binary", "windows-1252"};
	bool known = false;

	for (size_t i = 0; i < ARRAY_LENGTH(names) && !known; i++)
		known = slice_equal_nocase(name, slice_of(names[i]));
	return known;
}

enum http_coding http_coding(const struct http_request *request)
{
	struct slice text;
	unsigned count = http_header(request, "HTTP_CONTENT_ENCODING", &text);

	if (count > 1)
		return HTTP_CODING_OTHER;
	if (text.n == 0 || slice_equal_nocase(text, SLICE("identity")))
		return HTTP_CODING_IDENTITY;
	if (slice_equal_nocase(text, SLICE("gzip")) || slice_equal_nocase(text, SLICE("x-gzip")))
		return HTTP_CODING_GZIP;
	if (slice_equal_nocase(text, SLICE("deflate")))
		return HTTP_CODING_DEFLATE;
	return is_charset(text) ? HTTP_CODING_IDENTITY : HTTP_CODING_OTHER;
}

/* ---- the decoder ---- */

enum {
	PIECE_BYTES = 64 * 1024,
	MAGIC_BYTES = 2,
	GZIP_WINDOW_BITS = 16 + MAX_WBITS, /* zlib: a gzip header and nothing else */
	ZLIB_WINDOW_BITS = MAX_WBITS,	   /* a zlib header (RFC 1950) */
	RAW_WINDOW_BITS = -MAX_WBITS	   /* none (RFC 1951) */
};

static const char magic[MAGIC_BYTES] = {'\x1f', '\x8b'};

enum decoder_state {
	DECODER_SNIFFING, /* fewer bytes than the magic has */
	DECODER_PLAIN,
	DECODER_INSIDE,	 /* of a gzip member, or of deflated bytes */
	DECODER_BETWEEN, /* a member has ended: another or the end may follow */
	DECODER_BEHIND	 /* deflated bytes have ended, and nothing may follow */
};

struct http_decoder {
	enum http_coding announced;
	enum decoder_state state;
	enum status status; /* STATUS_OK until the first failure */
	uint64_t plain_left;
	char held[MAGIC_BYTES];
	size_t held_n;
	bool gzip;
	z_stream zlib;
	unsigned char *out; /* PIECE_BYTES; NULL until a compressed body begins */
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

static enum status inflate_begin(struct http_decoder *decoder, int window_bits)
{
	unsigned char *out = malloc(PIECE_BYTES);

	if (out == NULL)
		return STATUS_NO_MEMORY;
	decoder->zlib.zalloc = zlib_alloc;
	decoder->zlib.zfree = zlib_free;
	int result = inflateInit2(&decoder->zlib, window_bits);
	if (result != Z_OK) {
		free(out);
		return result == Z_MEM_ERROR ? STATUS_NO_MEMORY : STATUS_INTERNAL;
	}
	decoder->out = out;
	decoder->gzip = window_bits == GZIP_WINDOW_BITS;
	decoder->state = DECODER_INSIDE;
	return STATUS_OK;
}

static enum status pass(struct http_decoder *decoder, const char *bytes, size_t n, http_sink *sink,
			void *context)
{
	bool fits = n <= decoder->plain_left;

	if (!fits)
		n = (size_t)decoder->plain_left;
	decoder->plain_left -= n;
	while (n > 0) {
		size_t piece = n < PIECE_BYTES ? n : PIECE_BYTES;
		enum status status = sink(context, bytes, piece);
		if (status != STATUS_OK)
			return status;
		bytes += piece;
		n -= piece;
	}
	return fits ? STATUS_OK : STATUS_TOO_LARGE;
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
		decoder->state = decoder->gzip ? DECODER_BETWEEN : DECODER_BEHIND;
	else if (result != Z_OK && result != Z_BUF_ERROR)
		return STATUS_MALFORMED_CODING;
	return pass(decoder, (const char *)decoder->out, PIECE_BYTES - zlib->avail_out, sink,
		    context);
}

static enum status feed_compressed(struct http_decoder *decoder, const char *bytes, size_t n,
				   http_sink *sink, void *context)
{
	z_stream *zlib = &decoder->zlib;
	enum status status = STATUS_OK;

	while (n > 0 && status == STATUS_OK) {
		uInt piece = n < UINT_MAX ? (uInt)n : UINT_MAX;
		zlib->next_in = (const Bytef *)bytes;
		zlib->avail_in = piece;
		if (decoder->state == DECODER_BEHIND)
			return STATUS_MALFORMED_CODING;
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

/* A byte that compressed JSON does not begin with, but JSON itself or the mark before it does. */
static bool begins_json(const struct http_decoder *decoder)
{
	char first = decoder->held[0];

	return decoder->held_n > 0 &&
	       (first == '{' || first == '[' || first == '\xef' ||
		(slice_is_blank(first) && decoder->announced == HTTP_CODING_GZIP));
}

/* RFC 1950 section 2.2. */
static bool has_zlib_header(const struct http_decoder *decoder)
{
	unsigned first = (unsigned char)decoder->held[0], second = (unsigned char)decoder->held[1];

	return decoder->held_n == MAGIC_BYTES && (first & 0x0f) == Z_DEFLATED &&
	       (first * 256 + second) % 31 == 0;
}

/* The first bytes are known, or known to be missing. */
static enum status leave_sniffing(struct http_decoder *decoder)
{
	if (decoder->held_n == MAGIC_BYTES && memcmp(decoder->held, magic, MAGIC_BYTES) == 0)
		return inflate_begin(decoder, GZIP_WINDOW_BITS);
	if (decoder->announced == HTTP_CODING_DEFLATE && !begins_json(decoder))
		return inflate_begin(decoder,
				     has_zlib_header(decoder) ? ZLIB_WINDOW_BITS : RAW_WINDOW_BITS);
	decoder->state = DECODER_PLAIN;
	return decoder->announced == HTTP_CODING_GZIP && !begins_json(decoder)
		       ? STATUS_MALFORMED_CODING
		       : STATUS_OK;
}

static enum status feed_known(struct http_decoder *decoder, const char *bytes, size_t n,
			      http_sink *sink, void *context)
{
	if (decoder->state == DECODER_PLAIN)
		return pass(decoder, bytes, n, sink, context);
	return feed_compressed(decoder, bytes, n, sink, context);
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

/* ---- answers ---- */

/* "q=0", "q=0.0" and the like; any other weight, or none, is above 0. */
static bool weighs_nothing(struct slice parameters)
{
	struct slice weight = slice_trim(parameters);

	if (!slice_starts(weight, SLICE("q=0")) && !slice_starts(weight, SLICE("Q=0")))
		return false;
	for (size_t i = 2; i < weight.n; i++) {
		if (weight.p[i] != '0' && weight.p[i] != '.')
			return false;
	}
	return true;
}

bool http_accepts_gzip(const struct http_request *request)
{
	struct slice list;
	bool named = false, accepts = false;

	(void)http_header(request, "HTTP_ACCEPT_ENCODING", &list);
	for (struct slice element = slice_take(&list, ','); element.p != NULL;
	     element = slice_take(&list, ',')) {
		struct slice name = slice_take(&element, ';');
		bool is_gzip = slice_equal_nocase(name, SLICE("gzip")) ||
			       slice_equal_nocase(name, SLICE("x-gzip"));
		if (is_gzip || (!named && slice_equal(name, SLICE("*"))))
			accepts = !weighs_nothing(element);
		named |= is_gzip;
	}
	return accepts;
}

enum status http_gzip(struct slice plain, struct buf *out)
{
	z_stream zlib = {.zalloc = zlib_alloc, .zfree = zlib_free};

	if (deflateInit2(&zlib, Z_DEFAULT_COMPRESSION, Z_DEFLATED, GZIP_WINDOW_BITS, MAX_MEM_LEVEL,
			 Z_DEFAULT_STRATEGY) != Z_OK)
		return STATUS_NO_MEMORY;
	size_t room = deflateBound(&zlib, plain.n);
	char *at = buf_reserve(out, room);
	if (at != NULL) {
		zlib.next_in = (const Bytef *)plain.p;
		zlib.avail_in = (uInt)plain.n;
		zlib.next_out = (Bytef *)at;
		zlib.avail_out = (uInt)room;
		/* With that much room it ends at once. */
		(void)deflate(&zlib, Z_FINISH);
		out->n += zlib.total_out;
	}
	(void)deflateEnd(&zlib);
	return out->status;
}
