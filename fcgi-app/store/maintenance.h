/*
 * store/maintenance.h - the steps of maintenance: which there are, doing a piece of one, noting how
 * it ended.
 *
 * Beside store/store.h, for the tool; what holds there holds here. How often a step is called, and
 * what a failure of one means for the others, is the caller's question.
 */
#ifndef STORE_MAINTENANCE_H
#define STORE_MAINTENANCE_H

#include "store/store.h"

/*
 * The session lock that `sluicectl maintain` holds while it works: the one of `sluicectl migrate`
 * (see store/migration.h) plus one.
 */
#define STORE_MAINTENANCE_LOCK "91725291414374"

/* Takes the lock for the rest of the session; *locked says whether it was free. */
enum status store_maintenance_lock(const struct store *store, bool *locked) MUST_CHECK;

/* A row of sluice.maintenance_step. */
struct store_step {
	struct slice name;
	struct slice unit; /* what its work is counted in: "rows" */
};

struct store_steps {
	struct store_step *items; /* in the order in which they are to be done */
	size_t count;
};

enum status store_maintenance_steps(const struct store *store,
				    struct store_steps *steps) MUST_CHECK;

/*
 * Calls a step once, which is one transaction. *worked is how much it did, 0 when nothing is left.
 * A table that is in use makes it fail; store_maintenance_is_busy() tells that from other failures.
 */
enum status store_maintenance_do(const struct store *store, struct slice step, int64_t max_rows,
				 int64_t *worked) MUST_CHECK;
bool store_maintenance_is_busy(const struct store *store);

/* Notes how a step ended: result is "done", "more", "busy" or "failed"; message may be absent. */
enum status store_maintenance_record(const struct store *store, struct slice step,
				     struct slice result, int64_t worked,
				     struct slice message) MUST_CHECK;

#endif
