/*
 * commit/statement.h - the one statement of intake: a group's requests as arrays in PostgreSQL's
 * binary format. What the database answers is commit/outcome's.
 *
 * Knows the parameters of sluice.intake() (sql-migrations), nothing of when it is called.
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

/* STATUS_OK or STATUS_NO_MEMORY. */
enum status commit_statement_open(struct commit_statement **statement) MUST_CHECK;
void commit_statement_close(struct commit_statement *statement); /* NULL is allowed */

/*
 * Encodes the requests, and refusals to be stored unless NULL, and sends them without waiting. What
 * the requests point to, except their results, may be released on return. recently_used: the last
 * use of all the requests' keys was noted lately (commit/last_used.h). As pg_send();
 * STATUS_NO_MEMORY when there is no room for the arrays.
 */
enum status commit_statement_send(struct commit_statement *statement, struct pg_connection *db,
				  const struct commit_list *requests,
				  const struct refusal_tally *refusals,
				  bool recently_used) MUST_CHECK;

/*
 * Encodes a request's items as the arrays that sluice.intake() and sluice.rejected_replay() share:
 * from sources to payloads_raw, then from product_org_ids to warnings. The parameters are valid
 * until the next call. STATUS_OK or STATUS_NO_MEMORY.
 */
enum { COMMIT_STATEMENT_ITEM_ARRAYS = 22 };
enum status commit_statement_items(struct commit_statement *statement,
				   const struct commit_request *request,
				   pg_param params[COMMIT_STATEMENT_ITEM_ARRAYS]) MUST_CHECK;

#endif
