/*
 * commit/bulk.h - the end of a bulk import: what is done once over all its signals, before COMMIT.
 */
#ifndef COMMIT_BULK_H
#define COMMIT_BULK_H

#include "commit/request.h"
#include "pg/connection.h"

/* What the import has stored so far. */
struct commit_bulk {
	int64_t first_id, last_id; /* the smallest and the largest id; 0 when there is none */
	uint64_t stored;	   /* signals; out: without the duplicates among them */
	uint64_t duplicates;	   /* signals that were there already; out: all of them */
	bool with_ids;		   /* some signals have a message id */
};

/* Calls sluice.bulk_finish() for the import of a request, inside its transaction. As pg_run(); bulk
 * is unchanged by a failure. */
enum status commit_bulk_finish(struct pg_connection *db, const struct commit_request *request,
			       struct commit_bulk *bulk, int64_t deadline_ms) MUST_CHECK;

#endif
