/*
 * http/problem.h - what an answer says: the list of problems (RFC 9457), and the one for each
 * status.
 *
 * The codes are part of the interface: senders compare them, so their meaning never changes.
 */
#ifndef HTTP_PROBLEM_H
#define HTTP_PROBLEM_H

#include "base/status.h"

/* All texts are static, and may be shown to senders. */
struct problem {
	int http;	    /* HTTP status code */
	const char *code;   /* stable, such as "malformed_json" */
	int retry_after_s;  /* for Retry-After; 0: a retry does not help */
	const char *title;  /* one sentence without a full stop */
	const char *detail; /* what to do, unless something more exact is known */
};

/*
 * What to answer for a status; never NULL. The statuses between caller and callee (AGAIN, END, …)
 * are internal_error. Those of success have an HTTP status, and a code for the log.
 */
const struct problem *problem_of(enum status status);

/* The reason phrase of an HTTP status code (RFC 9110); "Unknown" for a code that is never sent. */
const char *problem_phrase(int http);

#endif
