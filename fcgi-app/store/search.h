/*
 * store/search.h - which signals, rejected payloads or product-org updates are looked for: the
 * members of a filter, as the database functions signals_of, rejects_of and product_orgs_of take
 * them. Not each takes all.
 */
#ifndef STORE_SEARCH_H
#define STORE_SEARCH_H

#include "base/arena.h"
#include "base/status.h"

enum store_search {
	STORE_SEARCH_IDENTITY, /* an email, a phone number, or any id of the row, its person,
				* product org or request */
	STORE_SEARCH_EMAIL,
	STORE_SEARCH_USER_ID,
	STORE_SEARCH_ANONYMOUS_ID,
	STORE_SEARCH_MESSAGE_ID,
	STORE_SEARCH_REQUEST_ID,
	STORE_SEARCH_SOURCE,
	STORE_SEARCH_EVENT, /* the event's name or type */
	STORE_SEARCH_KEY,   /* the id of a key */
	STORE_SEARCH_STATUS,
	STORE_SEARCH_FROM,  /* received from then on, ISO 8601; text needs it, or since */
	STORE_SEARCH_UNTIL, /* received before then */
	STORE_SEARCH_TEXT,  /* is in the payload, in whatever case */
	STORE_SEARCH_SINCE, /* the "live" of an answer: only what has been stored since */
	STORE_SEARCH_CODE,  /* why it was rejected */
	STORE_SEARCH_STATE, /* what has become of what was rejected */
	STORE_SEARCH_PRODUCT_ORG_ID,
	STORE_SEARCH_PLAN, /* its id or name */
	STORE_SEARCH_TRIAL_STATUS,
	STORE_SEARCH_MEMBERS
};

/* The names of the members, which are those of the API's parameters. */
extern const char *const store_search_names[STORE_SEARCH_MEMBERS];

/* What the status of a signal may be, and of an update, each with a blank behind it. */
extern const char store_search_statuses[];
extern const char store_search_update_statuses[];

/* A filter as JSON, in the arena; what is absent or empty filters nothing. STATUS_OK or
 * STATUS_NO_MEMORY. */
enum status store_search_filter(struct arena *arena,
				const struct slice values[STORE_SEARCH_MEMBERS],
				struct slice *json) MUST_CHECK;

#endif
