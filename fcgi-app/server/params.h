/*
 * server/params.h - the parameters of a FastCGI request as CGI variables.
 */
#ifndef SERVER_PARAMS_H
#define SERVER_PARAMS_H

#include "base/buf.h"

struct params {
	struct buf pairs; /* the content of all FCGI_PARAMS records */
	struct buf texts; /* "NAME=value", each terminated */
	struct buf list;  /* pointers to them, ends with NULL */
};

/* Of parameters beyond so many bytes the first ones are kept. */
struct params params_make(size_t bytes_max);

/* For the next request. Memory of more than keep bytes is freed. */
void params_reset(struct params *params, size_t keep);
void params_free(struct params *params);

/* STATUS_OK; STATUS_HEADERS_TOO_LARGE: the variables are those of the first parameters; STATUS_END:
 * they are malformed; STATUS_NO_MEMORY. */
enum status params_read(struct params *params) MUST_CHECK;

/* Valid after params_read(), until the reset; none without memory for them. */
char *const *params_variables(const struct params *params);

#endif
