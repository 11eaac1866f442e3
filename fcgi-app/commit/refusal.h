/*
 * commit/refusal.h - why requests with a known key were refused, added up until they are written
 * down.
 *
 * A refused request writes nothing by itself: a worker counts here and hands its counts to the next
 * call of the database function when they are due. Bounded: what finds no room is not counted.
 */
#ifndef COMMIT_REFUSAL_H
#define COMMIT_REFUSAL_H

#include "key/credential.h"

enum { REFUSAL_ROOM = 256 };

struct refusal {
	struct credential_hash key_hash;
	const char *outcome; /* why: a label of sluice.intake_outcome; static */
	uint32_t count;	     /* requests */
};

struct refusal_tally {
	struct refusal items[REFUSAL_ROOM];
	size_t count;
	int64_t due_ms; /* when they are to be written, on the caller's clock; INT64_MAX: nothing is
			 */
};

#define REFUSAL_TALLY_EMPTY ((struct refusal_tally){.due_ms = INT64_MAX})

/* Counts one request; due_ms applies when it is the first. */
void refusal_add(struct refusal_tally *tally, const struct credential_hash *key_hash,
		 const char *outcome, int64_t due_ms);

#endif
