/*
 * request_of.h - requests made of a few CGI variables, for the tests of this room.
 */
#ifndef UNIT_REQUEST_OF_H
#define UNIT_REQUEST_OF_H

#include <stdio.h>
#include <string.h>

#include "check_main.h"
#include "http/request.h"

/* A request with up to three variables; NULL for none. */
static inline struct http_request request_of(const char *a, const char *b, const char *c)
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

static inline bool is(struct slice slice, const char *text)
{
	return (slice.p == NULL) == (text == NULL) && slice_equal(slice, slice_of(text));
}

#endif
