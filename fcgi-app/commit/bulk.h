/*
 * commit/bulk.h - the end of a bulk import: what is done once over all its signals, before COMMIT.
 */
#ifndef COMMIT_BULK_H
#define COMMIT_BULK_H

#include "pg/connection.h"

/* Calls sluice.bulk_finish() inside the import's transaction. *repeated: how many of the signals
 * that it has stored turned out to be repeats and are not there any more. As pg_run(). */
enum status commit_bulk_finish(struct pg_connection *db, uint64_t *repeated,
			       int64_t deadline_ms) MUST_CHECK;

#endif
