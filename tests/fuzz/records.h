/*
 * records.h - the web server's side of FastCGI for the fuzz target of that name: making records,
 * and a second reading of them, in which a whole stream is there before it is looked at.
 */
#ifndef RECORDS_H
#define RECORDS_H

#include "fuzz.h"

enum records_type {
	RECORDS_BEGIN = 1,
	RECORDS_END = 3,
	RECORDS_PARAMS = 4,
	RECORDS_STDIN = 5,
	RECORDS_STDOUT = 6,
	RECORDS_UNKNOWN = 11
};

enum { RECORDS_VARIABLES_MOST = 4096 };

/* What a stream of records asks for. Release with records_free. */
struct records_request {
	bool good; /* the head is complete and within the rules */
	size_t id;
	bool keep;				     /* the connection is asked to be kept */
	char *variables[RECORDS_VARIABLES_MOST + 1]; /* ends with NULL */
	struct buf body;
	bool ended;  /* the body came to its end */
	size_t rest; /* bytes of the stream behind that end */
};

void records_read(struct slice stream, struct records_request *request);
void records_free(struct records_request *request);

/* What stands in the answer to request id: true when the stream is whole and nothing else, but for
 * one more record with farewell. */
bool records_answer(struct slice stream, size_t id, bool farewell, struct buf *answer);

/*
 * Appends the records of a request: lines NAME=value up to an empty one, then the body. Records
 * and padding have any size.
 */
void records_write(struct fuzz_random *random, struct slice text, struct buf *stream);

#endif
