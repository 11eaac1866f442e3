/*
 * store/check.h - what `sluicectl check` asks of the server and of the schema.
 *
 * Beside store/store.h, on no request's way; prints and logs nothing.
 */
#ifndef STORE_CHECK_H
#define STORE_CHECK_H

#include "store/store.h"

enum store_verdict { STORE_CHECK_OK, STORE_CHECK_WARNING, STORE_CHECK_FAILED };

struct store_finding {
	const char *check; /* "fsync"; a constant */
	enum store_verdict verdict;
	struct slice detail; /* one line for the operator */
};

/* How many checks there are, numbered from 0; those that need the schema come last. */
size_t store_check_count(bool schema);

/* Runs one check. What the database refuses to answer is a finding too, so that the others can
 * go on; returns STATUS_OK, STATUS_NO_MEMORY, or the failure of the connection. */
enum status store_check(const struct store *store, size_t number,
			struct store_finding *finding) MUST_CHECK;

#endif
