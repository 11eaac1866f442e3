/*
 * store/maintenance.h - the steps of maintenance, for the tool.
 *
 * How often a step is called, and what its failure means for the others, is up to the caller.
 */
#ifndef STORE_MAINTENANCE_H
#define STORE_MAINTENANCE_H

#include "store/entity.h"
#include "store/store.h"

/* A row of sluice.maintenance_step. */
struct store_step {
	struct slice name;
	struct slice unit; /* what its work is counted in: "rows" */
};

/* Lists the steps (struct store_step) in the order in which they are to be done. */
enum status store_maintenance_steps(const struct store *store, struct store_list *steps) MUST_CHECK;

/*
 * Calls a step once. *worked is how much it did, 0 when nothing is left. Fails when a table is in
 * use or another run is at this step; store_maintenance_is_busy() tells that from other failures.
 */
enum status store_maintenance_do(const struct store *store, struct slice step, int64_t max_rows,
				 int64_t *worked) MUST_CHECK;
bool store_maintenance_is_busy(const struct store *store);

/* Records how a step ended: result is "done", "more", "busy" or "failed"; message may be absent. */
enum status store_maintenance_record(const struct store *store, struct slice step,
				     struct slice result, int64_t worked,
				     struct slice message) MUST_CHECK;

/* A partition that was detached because it is past retention. */
struct store_detached {
	struct slice partition;	  /* the table, with its schema */
	struct slice table;	  /* what it was a partition of: "signal" */
	struct slice from, until; /* its bounds */
};

/* Lists those that are still there (struct store_detached), the oldest first. */
enum status store_maintenance_detached(const struct store *store,
				       struct store_list *detached) MUST_CHECK;

/* Drops one of them. */
enum status store_maintenance_archived(const struct store *store,
				       struct slice partition) MUST_CHECK;

#endif
