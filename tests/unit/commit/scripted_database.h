/*
 * scripted_database.h - the database for scripts of libpq: what sluice.intake() was asked, as
 * text, and what it answers, in PostgreSQL's binary format.
 *
 * The one place of the unit tests that knows the parameters and the result of that function.
 */
#ifndef SCRIPTED_DATABASE_H
#define SCRIPTED_DATABASE_H

#include "commit/statement.h"
#include "pg/scripted_libpq.h"

enum { ANSWER_ITEMS_MAX = 8 };

/* Outcomes of sluice.intake(). */
enum {
	OUTCOME_ACCEPTED,
	OUTCOME_UNKNOWN_KEY,
	OUTCOME_DEACTIVATED,
	OUTCOME_EXPIRED,
	OUTCOME_SECRET_MISSING,
	OUTCOME_SECRET_WRONG,
	OUTCOME_WRONG_ENDPOINT,
	OUTCOME_AT_LIMIT,
	OUTCOME_BULK_COMMITS
};

struct database_answer {
	int senders;
	int outcomes[ANSWER_ITEMS_MAX];	   /* a sender's */
	int64_t key_ids[ANSWER_ITEMS_MAX]; /* 0 is null */
	int items;			   /* 0: the arrays of items are null */
	int64_t ids[ANSWER_ITEMS_MAX];	   /* 0 is null */
	int64_t first_id; /* unless 0: of any number of items, whose flags are null */
	bool repeated[ANSWER_ITEMS_MAX];
	bool cold[ANSWER_ITEMS_MAX];
	const char *templates[ANSWER_ITEMS_MAX]; /* ends with NULL; "": null */
	int wrong_type;				 /* this array, from 1, is of another type */
	size_t cut;				 /* so many bytes are missing at its end */
	int fields;				 /* of the record; 0: as it should be */
};

/* A result of one row with one value, the record. It lives until the test's end. */
const struct libpq_result *database_answer(const struct database_answer *answer);

#define DATABASE_ANSWER(...) database_answer(&(struct database_answer){__VA_ARGS__})

/*
 * A libpq_show; for sluice.intake() "a,b", the ids of the requests, and behind them what there is
 * of
 *
 * - " items 1,1,2": for each item the number of its request; of many " items #400", how many
 * - " rejects 1": for each reject the number of its request
 * - " kind single": for each reject that is not an item, its kind
 * - " refused 7:3*2": for each refusal its key's id, outcome and count
 * - " orgs": for each sender at the endpoint of product orgs
 * - " recently", " bulk": the two flags
 */
libpq_show database_question;

#endif
