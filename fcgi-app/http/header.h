/*
 * http/header.h - header fields of a request, and the lists in them.
 */
#ifndef HTTP_HEADER_H
#define HTTP_HEADER_H

#include "http/request.h"

/*
 * The value of a CGI variable such as "HTTP_X_API_SECRET"; leading and trailing blanks trimmed.
 * Returns how many times it occurs, 0 when absent; *value is the first one. Several front ends
 * pass repeated headers as repeated variables.
 */
unsigned http_header(const struct http_request *request, const char *variable, struct slice *value);

/* Takes the text before the separator off the text, and the separator; trimmed. */
struct slice http_header_take(struct slice *text, char separator);

/*
 * Takes a parameter's value off the text: a token or a quoted string (RFC 9110 section 5.6.4),
 * unquoted into out as far as it fits, and the separator. False when a quote is not closed.
 */
bool http_header_take_value(struct slice *text, char separator, char *out, size_t out_bytes,
			    struct slice *value);

#endif
