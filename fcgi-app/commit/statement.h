/*
 * commit/statement.h - the statements of intake: a group's requests as arrays of records in
 * PostgreSQL's binary format. What the database answers is commit/outcome's.
 *
 * Knows the parameters of sluice.intake_ordinary() and sluice.intake() and their types
 * (sql-migrations), nothing of when they are called.
 */
#ifndef COMMIT_STATEMENT_H
#define COMMIT_STATEMENT_H

#include "commit/refusal.h"
#include "commit/request.h"
#include "pg/connection.h"

/* The two statements, for preparing them: for an ordinary group, and for any. */
extern const struct pg_statement commit_statement_ordinary;
extern const struct pg_statement commit_statement_any;

/* Their columns: what the function returns; the transaction's id, null if nothing was written; and
 * its start. */
enum { COMMIT_ANSWER, COMMIT_XACT, COMMIT_NOW, COMMIT_COLUMNS };

/* Buffers for the parameters, kept from group to group. */
struct commit_statement;

/* STATUS_OK or STATUS_NO_MEMORY. */
enum status commit_statement_open(struct commit_statement **statement) MUST_CHECK;
void commit_statement_close(struct commit_statement *statement); /* NULL is allowed */

/* True for what sluice.intake_ordinary() takes: signals alone, not too many and none of them cold.
 */
bool commit_statement_is_ordinary(const struct commit_list *requests);

/* True when a signal has both an anonymous id and an identity: with a visitor who is not known yet
 * the group is not ordinary. */
bool commit_statement_has_visitors(const struct commit_list *requests);

/*
 * Encodes requests that are ordinary, whose keys' last use was noted lately (commit/last_used.h),
 * and sends them without waiting. What they point to, except their results, may be released on
 * return. As pg_send(); STATUS_NO_MEMORY when there is no room for the arrays.
 */
enum status commit_statement_send_ordinary(struct commit_statement *statement,
					   struct pg_connection *db,
					   const struct commit_list *requests) MUST_CHECK;

/* The same for any requests, with refusals to be stored unless NULL. recently_used: the last use of
 * all the requests' keys was noted lately. with_addresses: requests that differ in their client's
 * address alone are of different senders; needed if a key has networks. */
enum status commit_statement_send(struct commit_statement *statement, struct pg_connection *db,
				  const struct commit_list *requests,
				  const struct refusal_tally *refusals, bool recently_used,
				  bool with_addresses) MUST_CHECK;

/* Encodes a request's items for sluice.rejected_replay(): the arrays of signals, of product
 * orgs and of envelopes, valid until the next call. STATUS_OK or STATUS_NO_MEMORY. */
enum { COMMIT_STATEMENT_ITEM_ARRAYS = 3 };
enum status commit_statement_items(struct commit_statement *statement,
				   const struct commit_request *request,
				   pg_param params[COMMIT_STATEMENT_ITEM_ARRAYS]) MUST_CHECK;

#endif
