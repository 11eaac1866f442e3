/*
 * store/check.h - what `sluicectl check` asks about the server and the schema.
 */
#ifndef STORE_CHECK_H
#define STORE_CHECK_H

#include "store/entity.h"
#include "store/store.h"

enum store_verdict { STORE_CHECK_OK, STORE_CHECK_WARNING, STORE_CHECK_FAILED };

struct store_finding {
	struct slice check; /* "fsync" */
	enum store_verdict verdict;
	struct slice result; /* the verdict as a word */
	struct slice detail; /* one line for the operator */
};

extern const struct store_entity store_finding_entity;

/* A finding of these values. */
struct store_finding store_finding(const char *check, enum store_verdict verdict,
				   struct slice detail);

/* How many checks there are, numbered from 0. */
size_t store_check_count(void);

/* Whether a check is possible only with the schema. */
bool store_check_needs_schema(size_t number);

/* Whether a check is possible only while everything belongs to sluice_owner, and whether it is the
 * one that finds that out. */
bool store_check_needs_owners(size_t number);
bool store_check_is_of_owners(size_t number);

/* What a check finds whose statement has just failed: a warning if this user may not see what it
 * looks at (SQLSTATE 42501), else a failure. */
enum status store_check_error(const struct store *store, enum store_verdict *verdict,
			      struct slice *detail) MUST_CHECK;

/* Runs one check. A check that the database fails to answer is a finding too, so that the others
 * can go on. Returns STATUS_OK, STATUS_NO_MEMORY, or the failure of the connection. */
enum status store_check(const struct store *store, size_t number,
			struct store_finding *finding) MUST_CHECK;

#endif
