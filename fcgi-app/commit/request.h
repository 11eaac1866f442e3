/*
 * commit/request.h - what a request hands over to be committed, and lists of it.
 */
#ifndef COMMIT_REQUEST_H
#define COMMIT_REQUEST_H

#include "key/credential.h"
#include "model/signal.h"
#include "model/template.h"

/* Bytes that cannot become a row. They are kept, so that nothing gets lost. */
struct commit_reject {
	int64_t position;     /* which item of the body, from 0; -1: the whole body */
	const char *kind;     /* how to read the bytes again: REJECT_KIND_ITEM, … */
	enum status status;   /* why */
	struct slice detail;  /* the same in words, for people */
	struct slice payload; /* what is kept */
	int64_t length;	      /* bytes of it in full; -1 when unknown */
};

/* One JSON object; a body with one object or an array; an array or envelope; NDJSON. */
#define REJECT_KIND_ITEM   "item"
#define REJECT_KIND_SINGLE "single"
#define REJECT_KIND_BATCH  "batch"
#define REJECT_KIND_LINES  "lines"

/* What became of an item. */
struct commit_result {
	int64_t id;    /* of the committed row, or of the first delivery */
	bool repeated; /* its message id was delivered before: nothing was stored */
	bool cold;     /* it is in signal_cold_storage */
};

/* One request that wants its rows committed. A request without rows is only authenticated. */
struct commit_request {
	struct credential_hash key_hash;
	struct credential_hash secret_hash;
	bool has_secret; /* the request carried a secret */
	struct slice request_id;
	int64_t deadline_ms; /* when the request must be answered, on the clock of clock_now_ms() */
	const struct signal *signals;		/* one for each item, or … */
	const struct product_org *product_orgs; /* … one of these; the other is NULL */
	size_t item_count;
	struct commit_result *results;	     /* out: room for item_count */
	bool for_product_orgs;		     /* came to the endpoint of product orgs */
	bool wants_template;		     /* asks for the key's payload template … */
	struct slice template;		     /* out: … which is this, in the arena */
	struct arena *arena;		     /* the request's */
	int64_t key_id;			     /* out: the key's, 0 when it is unknown */
	const struct commit_reject *rejects; /* stored if the request is authenticated */
	size_t reject_count;
	struct slice given_source; /* by path or header, or absent; for replaying rejects */
	bool in_bulk; /* a part of a transaction that commit_statement_finish_bulk() ends */
	bool may_become_rejects;     /* items that the database refuses are to become rejects */
	bool as_rejects;	     /* that is what they are now */
	enum status status;	     /* out: ACCEPTED (committed), UNAUTHENTICATED, WRONG_ENDPOINT,
				      * LIMIT_REACHED, INVALID_VALUE (its data was refused), or our own
				      * trouble */
	void *owner;		     /* the caller's */
	struct commit_request *next; /* the queue's */

	/* The statement's. A sender is a key with a secret at an endpoint. */
	struct commit_request *sender;	    /* the first request of this one's sender */
	uint32_t sender_number;		    /* of such a first request, from 1 */
	int outcome;			    /* its answer from the database */
	struct commit_request *next_sender; /* while senders are told apart */
};

struct commit_list {
	struct commit_request *first, *last;
	size_t requests, rows, bytes; /* rows: items to be stored; bytes: of all payloads */
	size_t rejects;		      /* rows beside them */
	int64_t earliest_ms;	      /* no request's deadline is earlier; INT64_MAX when empty */
};

#define COMMIT_LIST_EMPTY ((struct commit_list){.earliest_ms = INT64_MAX})

/* Bytes of the request's payloads, kept ones among them. */
size_t commit_request_bytes(const struct commit_request *request);

/* What the items of both kinds have in common. */
struct commit_item {
	int64_t position; /* as in model/signal.h */
	struct slice message_id, payload, payload_raw;
};

struct commit_item commit_request_item(const struct commit_request *request, size_t i);

/* How many rows the request brings: items / rejects, which refused items are too. */
size_t commit_request_items(const struct commit_request *request);
size_t commit_request_rejects(const struct commit_request *request);

/*
 * After the database has refused the request's data, alone: true when it is to be sent once more,
 * with its items as rejects. The request must not be in a list.
 */
bool commit_request_keep_as_rejects(struct commit_request *request);

/* Appends a request; takes the first one off a list that has one. */
void commit_list_append(struct commit_list *list, struct commit_request *request);
struct commit_request *commit_list_take(struct commit_list *list);

#endif
