/*
 * commit/refusal.h - counts of refused requests by key and reason, until they are stored.
 *
 * A refused request writes nothing by itself: the worker counts it here and sends the counts with
 * the next call of the database function after they are due. Bounded: refusals beyond the room are
 * not counted.
 */
#ifndef COMMIT_REFUSAL_H
#define COMMIT_REFUSAL_H

#include "key/credential.h"

enum { REFUSAL_ROOM = 256 };

struct refusal {
	struct credential_hash key_hash;
	const char *outcome; /* the reason: a label of sluice.intake_outcome; static */
	uint32_t count;	     /* requests */
};

struct refusal_tally {
	struct refusal items[REFUSAL_ROOM];
	size_t count;
	int64_t due_ms; /* a time of clock_now_ms(); INT64_MAX when empty */
};

#define REFUSAL_TALLY_EMPTY ((struct refusal_tally){.due_ms = INT64_MAX})

/* Counts one request; due_ms applies when it is the first. */
void refusal_add(struct refusal_tally *tally, const struct credential_hash *key_hash,
		 const char *outcome, int64_t due_ms);

#endif
