/*
 * base/status.h - how a call ended: the one enum of results.
 *
 * The code that knows the cause of a failure logs it, once, and returns a status; its callers pass
 * the status on. One enum for all rooms, so that a result goes up unchanged. What a sender is told
 * about each is decided by http/problem.
 */
#ifndef BASE_STATUS_H
#define BASE_STATUS_H

#define MUST_CHECK __attribute__((warn_unused_result))

/* A new one needs a name in base/status.c and a row in http/problem.c; unit tests prove both. */
enum status {
	STATUS_OK,
	STATUS_CREATED,	 /* as OK: something was made */
	STATUS_ACCEPTED, /* as OK: the request is authenticated and its rows are committed */

	/* Between caller and callee. One that reaches an answer is a defect of ours. */
	STATUS_AGAIN,	    /* not finished: call again when there is more to read or write */
	STATUS_END,	    /* nothing more */
	STATUS_LARGE,	    /* too large for the loop */
	STATUS_NO_SUCH_ROW, /* the database has no such row */
	STATUS_NOT_UNIQUE,  /* the database has it already */
	STATUS_CONSTRAINT,  /* the value breaks a rule of the database */

	/* The request. */
	STATUS_REPEATED_HEADER,
	STATUS_HEADERS_TOO_LARGE,
	STATUS_INVALID_REQUEST,
	STATUS_INVALID_SOURCE,
	STATUS_NOT_FOUND,
	STATUS_METHOD_NOT_ALLOWED,
	STATUS_UNSUPPORTED_MEDIA_TYPE,
	STATUS_UNSUPPORTED_CODING,
	STATUS_UNAUTHENTICATED,
	STATUS_WRONG_ENDPOINT,
	STATUS_WRONG_NETWORK,
	STATUS_LIMIT_REACHED,
	STATUS_NOT_SIGNED_IN,
	STATUS_INVALID_TOKEN,
	STATUS_INSUFFICIENT_SCOPE, /* of a token */
	STATUS_CSRF_REFUSED,
	STATUS_ORGANIZATION_MISSING,
	STATUS_NOT_A_MEMBER,
	STATUS_ROLE_TOO_LOW,
	STATUS_WRONG_STATE, /* of what the request wants to change */
	STATUS_NAME_TAKEN,

	/* Its body and the items in it. */
	STATUS_REQUEST_TIMEOUT,
	STATUS_INCOMPLETE_BODY,
	STATUS_EMPTY_BODY,
	STATUS_TOO_LARGE, /* more bytes than the limit */
	STATUS_MALFORMED_CODING,
	STATUS_MALFORMED_JSON,
	STATUS_NOT_A_BATCH,
	STATUS_EMPTY_BATCH,
	STATUS_BATCH_REJECTED,
	STATUS_TOO_MANY_ITEMS,
	STATUS_NOT_AN_OBJECT,
	STATUS_ITEM_TOO_LARGE,
	STATUS_NESTING_TOO_DEEP,
	STATUS_NUMBER_TOO_LARGE,
	STATUS_INVALID_VALUE,
	STATUS_INVALID_TEMPLATE,
	STATUS_MISSING_PRODUCT_ORG_ID,

	/* The database. */
	STATUS_UNAVAILABLE,
	STATUS_DEADLINE, /* no answer in time */
	STATUS_READ_ONLY,
	STATUS_STORAGE_FULL,
	STATUS_OUTCOME_UNKNOWN, /* it may have been committed */
	STATUS_CONFLICT,	/* may work at once when tried again */

	/* The machine, the configuration, the program. */
	STATUS_BUSY,
	STATUS_NO_MEMORY,
	STATUS_MISCONFIGURED,
	STATUS_INTERNAL,
	STATUS_COUNT
};

/* The status as a word for the log and for tests, such as "no_memory". Static. */
const char *status_name(enum status status);

#endif
