/*
 * scripted_database.h - the database for scripts of libpq: what sluice.intake_ordinary() and
 * sluice.intake() were asked, as text, and what they answer, in PostgreSQL's binary format.
 *
 * The one place of the unit tests that knows the parameters and the results of those functions.
 */
#ifndef SCRIPTED_DATABASE_H
#define SCRIPTED_DATABASE_H

#include "commit/statement.h"
#include "pg/scripted_libpq.h"

enum { ANSWER_ITEMS_MAX = 8 };

/* Outcomes of sluice.intake(); NULL is the first. */
#define OUTCOME_ACCEPTED       "accepted"
#define OUTCOME_UNKNOWN_KEY    "unknown_key"
#define OUTCOME_DEACTIVATED    "deactivated"
#define OUTCOME_EXPIRED	       "expired"
#define OUTCOME_SECRET_MISSING "secret_missing"
#define OUTCOME_SECRET_WRONG   "secret_wrong"
#define OUTCOME_WRONG_ENDPOINT "wrong_endpoint"
#define OUTCOME_WRONG_NETWORK  "wrong_network"
#define OUTCOME_LIMIT_REACHED  "limit_reached"
#define OUTCOME_OTHER_TEMPLATE "other_template"

enum { DATABASE_TEMPLATE_VERSION = -7, DATABASE_ORGANIZATION = 43 };

struct database_answer {
	int senders;
	const char *outcomes[ANSWER_ITEMS_MAX]; /* a sender's */
	int items;				/* 0: the arrays of items are null */
	int product_orgs;			/* so many of them, the last ones */
	int64_t ids[ANSWER_ITEMS_MAX];		/* 0 is null */
	int64_t first_id; /* unless 0: of any number of items, whose flags are null */
	bool repeated[ANSWER_ITEMS_MAX];
	bool cold[ANSWER_ITEMS_MAX];
	const char *templates[ANSWER_ITEMS_MAX]; /* a sender's, ends with NULL; "": null */
	int wrong_type;				 /* this array, from 1, is of another type */
	size_t cut;				 /* so many bytes are missing at its end */
	int fields;				 /* of the record; 0: as it should be */
};

/* A result of one row with one value, the record. It lives until the test's end. */
const struct libpq_result *database_answer(const struct database_answer *answer);

#define DATABASE_ANSWER(...) database_answer(&(struct database_answer){__VA_ARGS__})

/* The transaction that all answers come from, its start, and a server's; each 8 bytes. */
#define DATABASE_NOW	 "\0\2\0\1\0\0\0\7"
#define DATABASE_XACT	 "\0\0\0\0\0\0\2\7"
#define DATABASE_STARTED "\0\2\0\1\0\0\0\3"

/* The answers that are made from now on have no transaction: nothing was written. */
void database_write_nothing(void);

/* What sluice.intake_ordinary() answers: the first id, or with 0 null, as sluice.intake() may. */
const struct libpq_result *database_first_id(int64_t id);

/*
 * A libpq_show; for the two functions "a,b", the senders by their keys: the letter with the number
 * that all bytes of the hash have, else "key". A sender may be "a+secret", "a+orgs", "a+template".
 * In front of it
 *
 * - "ordinary ": sluice.intake_ordinary()
 *
 * and behind it what there is of
 *
 * - " signals 1,1,2": for each signal the number of its sender; of many " signals #400", how many
 * - " orgs 1", " rejects 1": for each product org and reject the number of its sender
 * - " in 1", " kind single": for each reject the number of its envelope; its kind if no item
 * - " refused a:expired*2": for each refusal its key, outcome and count
 * - " from 192.0.2.1,-": for each sender its address, if one has any
 * - " ids", " visitors", " recently", " bulk": the flags
 */
libpq_show database_question;

#endif
