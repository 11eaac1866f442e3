/*
 * commit/statement.h - the one statement of intake: a group's requests as arrays in PostgreSQL's
 * binary format, and its answer back to the requests.
 *
 * Between commit/queue.c and pg/connection.h; knows sluice.intake() and sluice.bulk_finish()
 * (sql-migrations), nothing else.
 */
#ifndef COMMIT_STATEMENT_H
#define COMMIT_STATEMENT_H

#include "commit/refusal.h"
#include "commit/request.h"
#include "pg/connection.h"

/* The statement, for preparing it. */
extern const struct pg_statement commit_statement_sql;

/* Buffers for the parameters, kept from group to group. */
struct commit_statement;

enum status commit_statement_open(struct commit_statement **statement) MUST_CHECK;
void commit_statement_close(struct commit_statement *statement); /* NULL is allowed */

/* Encodes the requests, and refusals to be counted unless NULL, and sends them without waiting.
 * What the requests point to, but their results, may be released on return. recently_used: of all
 * the requests' keys the last use was noted lately (commit/last_used.h). As pg_send;
 * STATUS_NO_MEMORY when the arrays find no room. */
enum status commit_statement_send(struct commit_statement *statement, struct pg_connection *db,
				  const struct commit_list *requests,
				  const struct refusal_tally *refusals,
				  bool recently_used) MUST_CHECK;

/* Encodes a request's items as the arrays that sluice.intake() and sluice.rejected_replay() share:
 * from sources to payloads_raw, then from product_org_ids to warnings. The parameters live until
 * the next call. */
enum { COMMIT_STATEMENT_ITEM_ARRAYS = 22 };
enum status commit_statement_items(struct commit_statement *statement,
				   const struct commit_request *request,
				   pg_param params[COMMIT_STATEMENT_ITEM_ARRAYS]) MUST_CHECK;

/*
 * Gives each request its status and results, and counts the refusals among them, due at due_ms.
 * STATUS_OK, or STATUS_INTERNAL when the result does not fit the requests (then no request was
 * changed for the worse: the caller fails them).
 */
enum status commit_statement_results(const struct pg_result *result,
				     const struct commit_list *requests,
				     struct refusal_tally *refusals, int64_t due_ms) MUST_CHECK;

/* Waits for the end of what was sent, and takes its results, refusals due at once. As pg_await and
 * commit_statement_results. */
enum status commit_statement_await(struct pg_connection *db, const struct commit_list *requests,
				   struct refusal_tally *refusals, int64_t deadline_ms) MUST_CHECK;

/* What a bulk import has stored, for commit_statement_finish_bulk(). */
struct commit_bulk {
	int64_t first_id, last_id; /* the smallest and the largest id; 0 when there is none */
	uint64_t stored;	   /* signals; out: without the duplicates among them */
	uint64_t duplicates;	   /* signals that were there already; out: all of them */
	bool with_ids;		   /* some signals have a message id */
};

/* Calls sluice.bulk_finish() for the import of a request, inside its transaction. As pg_run. */
enum status commit_statement_finish_bulk(struct pg_connection *db,
					 const struct commit_request *request,
					 struct commit_bulk *bulk, int64_t deadline_ms) MUST_CHECK;

#endif
