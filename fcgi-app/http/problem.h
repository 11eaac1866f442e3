/*
 * http/problem.h - what an answer says: the one list of problems (RFC 9457), and which of them
 * answers for a status.
 *
 * The codes are part of the interface: senders compare them, so none ever changes its meaning.
 */
#ifndef HTTP_PROBLEM_H
#define HTTP_PROBLEM_H

#include "base/status.h"

/* All texts are static and fit for senders. */
struct problem {
	int http;	    /* HTTP status code */
	const char *code;   /* stable, such as "malformed_json" */
	int retry_after_s;  /* for Retry-After; 0: trying again does not help */
	const char *title;  /* one sentence without a full stop */
	const char *detail; /* what to do about it, where nothing more exact is known */
};

/*
 * What to answer; never NULL. A status that is not for senders (AGAIN, END, …) is internal_error.
 * The statuses of success have an HTTP status and a code for the log, too.
 */
const struct problem *problem_of(enum status status);

/* The reason phrase of an HTTP status code (RFC 9110); "Unknown" for a code that is never sent. */
const char *problem_phrase(int http);

#endif
