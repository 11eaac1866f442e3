/*
 * http/coding.h - content codings: a body's bytes become plain ones as they arrive.
 *
 * The only module that includes zlib.
 */
#ifndef HTTP_CODING_H
#define HTTP_CODING_H

#include "http/request.h"

enum http_coding { HTTP_CODING_IDENTITY, HTTP_CODING_GZIP };

/* Content-Encoding: absent or identity; gzip or x-gzip; else STATUS_UNSUPPORTED_CODING. */
enum status http_coding(const struct http_request *request, enum http_coding *coding) MUST_CHECK;

/*
 * A decoder turns the body's bytes into plain ones, as they arrive. A body that starts with
 * gzip's magic bytes 1f 8b is decompressed whether a header said so or not; a body announced as
 * gzip that does not start so is STATUS_MALFORMED_CODING.
 */
struct http_decoder;

/* STATUS_OK or STATUS_NO_MEMORY. plain_max: more decoded bytes are STATUS_TOO_LARGE. */
enum status http_decoder_open(struct http_decoder **decoder, enum http_coding coding,
			      uint64_t plain_max) MUST_CHECK;

/* Takes decoded bytes. Anything but STATUS_OK ends the decoding and is passed on. */
typedef enum status http_sink(void *context, const char *bytes, size_t n);

/*
 * Feeds n bytes (any n, also 0); calls sink with what comes out, in pieces of at most 64 KiB.
 * Several gzip members in a row are one body (RFC 1952); garbage after the last is
 * STATUS_MALFORMED_CODING. Returns STATUS_OK, STATUS_MALFORMED_CODING, STATUS_TOO_LARGE,
 * STATUS_NO_MEMORY, or what sink returned.
 */
enum status http_decoder_feed(struct http_decoder *decoder, const char *bytes, size_t n,
			      http_sink *sink, void *context) MUST_CHECK;

/* The body has ended: STATUS_OK, or STATUS_MALFORMED_CODING when it ended too early. Passes on
 * the bytes that were held back to look for the magic bytes. */
enum status http_decoder_end(struct http_decoder *decoder, http_sink *sink,
			     void *context) MUST_CHECK;

void http_decoder_close(struct http_decoder *decoder); /* NULL is allowed */

#endif
