/*
 * http/coding.h - content codings: decodes a body as it arrives, and compresses answers. The only
 * module that includes zlib.
 */
#ifndef HTTP_CODING_H
#define HTTP_CODING_H

#include "base/buf.h"
#include "http/request.h"

enum http_coding {
	HTTP_CODING_IDENTITY,
	HTTP_CODING_GZIP,
	HTTP_CODING_DEFLATE, /* RFC 1950, or RFC 1951 as many send it */
	HTTP_CODING_OTHER    /* one that is not read, or more than one */
};

/* Reads Content-Encoding: absent, identity, or the name of a charset, which says nothing; gzip or
 * x-gzip; deflate. */
enum http_coding http_coding(const struct http_request *request);

/*
 * Decompresses a body that begins with gzip's magic bytes 1f 8b, whatever a header announced. Any
 * other body is decompressed if deflate was announced and passed on if nothing was. What was
 * announced as compressed but begins as JSON does is passed on, too; a body that is neither is
 * malformed.
 */
struct http_decoder;

/* Allows plain_max decoded bytes. STATUS_OK or STATUS_NO_MEMORY; close it in either case. */
enum status http_decoder_open(struct http_decoder **decoder, enum http_coding coding,
			      uint64_t plain_max) MUST_CHECK;

/* Takes decoded bytes. Any status but STATUS_OK ends the decoding and is passed on. */
typedef enum status http_sink(void *context, const char *bytes, size_t n);

/*
 * Feeds n bytes, which may be none, and gives sink what comes out, in pieces of at most 64 KiB.
 * Several gzip members in a row are one body (RFC 1952). STATUS_OK, STATUS_MALFORMED_CODING (also
 * for garbage after the end of the compressed bytes), STATUS_TOO_LARGE, STATUS_NO_MEMORY, or what
 * sink returned. After a failure it returns the same again.
 */
enum status http_decoder_feed(struct http_decoder *decoder, const char *bytes, size_t n,
			      http_sink *sink, void *context) MUST_CHECK;

/* The body has ended. Gives sink a first byte that was held back. As http_decoder_feed();
 * STATUS_MALFORMED_CODING if it ended too early. */
enum status http_decoder_end(struct http_decoder *decoder, http_sink *sink,
			     void *context) MUST_CHECK;

/* Frees the decoder; NULL is allowed. */
void http_decoder_close(struct http_decoder *decoder);

/* True if the client takes gzip: Accept-Encoding names it, x-gzip or *, with a weight above 0
 * (RFC 9110 section 12.5.3). Without the header it takes it only in theory: false. */
bool http_accepts_gzip(const struct http_request *request);

/* Appends the bytes, less than 4 GiB, as one gzip member (RFC 1952). STATUS_OK, or why not:
 * STATUS_NO_MEMORY, STATUS_TOO_LARGE (over the cap of out). */
enum status http_gzip(struct slice plain, struct buf *out) MUST_CHECK;

#endif
