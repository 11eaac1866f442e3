/*
 * http/header.h - header fields of a request, and the lists in them.
 */
#ifndef HTTP_HEADER_H
#define HTTP_HEADER_H

#include "http/request.h"

/*
 * Looks up a CGI variable such as "HTTP_X_API_SECRET". Returns how many times it occurs: some web
 * servers pass a repeated header as a repeated variable. *value is the first one, trimmed, absent
 * if there is none.
 */
unsigned http_header(const struct http_request *request, const char *variable, struct slice *value);

/*
 * As slice_take(), for an element that may be a quoted string (RFC 9110 section 5.6.4), of which as
 * much as fits is unquoted into out. False if the closing quote is missing.
 */
bool http_header_take_value(struct slice *text, char separator, char *out, size_t out_bytes,
			    struct slice *value);

#endif
