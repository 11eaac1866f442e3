/*
 * commit/outcome.h - the database's answers to the statements of intake, back to the requests.
 *
 * Knows the results of sluice.intake_ordinary() and sluice.intake() (sql-migrations), nothing of
 * how they were asked.
 */
#ifndef COMMIT_OUTCOME_H
#define COMMIT_OUTCOME_H

#include "commit/refusal.h"
#include "commit/request.h"
#include "pg/connection.h"

/*
 * After commit_statement_send_ordinary(): gives each request its out and results. STATUS_OK;
 * STATUS_AGAIN when nothing was stored and the requests are to be sent by commit_statement_send();
 * or STATUS_INTERNAL when the result has another form: then the caller fails them all.
 */
enum status commit_outcome_take_ordinary(const struct pg_query_result *result,
					 const struct commit_list *requests) MUST_CHECK;

/*
 * After commit_statement_send(): gives each request its out and results, and counts the refusals
 * among them, due at due_ms. STATUS_OK; STATUS_AGAIN when nothing was stored and the requests are
 * to be sent again with addresses; or STATUS_INTERNAL when the result does not fit the requests:
 * then the caller fails them all.
 */
enum status commit_outcome_take(const struct pg_query_result *result,
				const struct commit_list *requests, struct refusal_tally *refusals,
				int64_t due_ms) MUST_CHECK;

/* Waits for the result of what commit_statement_send() has sent and takes it, refusals due at once.
 * As pg_await() and commit_outcome_take(). */
enum status commit_outcome_await(struct pg_connection *db, const struct commit_list *requests,
				 struct refusal_tally *refusals, int64_t deadline_ms) MUST_CHECK;

#endif
