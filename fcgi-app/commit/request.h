/*
 * commit/request.h - what a request hands over to be committed, and lists of requests.
 */
#ifndef COMMIT_REQUEST_H
#define COMMIT_REQUEST_H

#include "base/network.h"
#include "key/credential.h"
#include "model/signal.h"
#include "model/template.h"

/* Bytes that cannot become a row. They are kept, so that nothing is lost. */
struct commit_reject {
	int64_t position;     /* which item of the body, from 0; -1: the whole body */
	const char *kind;     /* how to read the bytes again: REJECT_KIND_ITEM, … */
	enum status status;   /* why */
	struct slice detail;  /* the same in words, for people */
	struct slice payload; /* what is kept */
	int64_t length;	      /* bytes of it in full; -1 when unknown */
	bool in_envelope;     /* the request's envelope is kept with it */
	int64_t bad_byte;     /* of the whole of it, what is wrong, from 0; -1: not known */
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

/*
 * One request that wants its rows committed. Without rows it is only authenticated. The caller sets
 * the members before out; what they point to lives until the request comes back.
 */
struct commit_request {
	void *owner; /* the caller's, for its own use */
	struct arena *arena;
	struct slice request_id;
	struct slice traceparent; /* or absent */
	int64_t deadline_ms;	  /* when it must be answered, a time of clock_now_ms() */

	/* Who sends it, and where to. */
	struct credential_hash key_hash;
	struct credential_hash secret_hash; /* if has_secret */
	bool has_secret;		    /* the request carried a secret */
	struct address client;		    /* the address it comes from, if known */
	bool for_product_orgs;		    /* it came to the endpoint of product orgs */
	bool needs_template;		    /* its items are made by the key's payload template: */
	int64_t template_version;	    /* of the one that made them; 0: it has none yet */
	bool in_bulk; /* a part of a transaction that commit_bulk_finish() ends */

	/* What is to be stored if the sender is authenticated. */
	const struct signal *signals;		/* one for each item, or … */
	const struct product_org *product_orgs; /* … one of these; the other is NULL */
	size_t item_count;
	struct slice envelope;	       /* JSON beside them, for those with in_envelope; or absent */
	struct commit_result *results; /* room for item_count */
	bool reject_unstorable; /* items that the database cannot hold are to become rejects */
	const struct commit_reject *rejects;
	size_t reject_count;
	struct slice given_source; /* by path or header, or absent; for replaying rejects */

	struct {
		enum status status;    /* ACCEPTED (committed), UNAUTHENTICATED, WRONG_ENDPOINT,
					* WRONG_NETWORK, LIMIT_REACHED, INVALID_VALUE (the database
					* cannot hold its data), or our own trouble */
		struct slice template; /* if it needs another one than its items were made by:
					* the key's, in the arena. Nothing was stored. */
		int64_t template_version;
		int64_t organization_id; /* of the key; 0: unknown, or the group was ordinary */
	} out;

	/* Of commit/queue. */
	struct {
		struct commit_request *next; /* in its list; also of those handed back */
		bool as_rejects;	     /* its items go as rejects */
	} queue;

	uint32_t envelope_number; /* of commit/statement: in the group, from 1; 0: none */

	/* Of commit/statement: the request's sender, a key with a secret at an endpoint. */
	struct {
		struct commit_request *first; /* its first request in the group */
		uint32_t number;	      /* of that first request, from 1 */
		struct commit_request *next;  /* while senders are told apart */
	} sender;

	/* Of commit/outcome: what the database says of that sender, with its first request. */
	struct {
		enum status status;
		const char *refusal;   /* its label when it is to be counted, else NULL */
		struct slice template; /* as long as the result */
		int64_t template_version;
		int64_t organization_id;
	} answer;
};

struct commit_list {
	struct commit_request *first, *last;
	size_t requests, rows, bytes; /* rows: items to be stored; bytes: of all payloads */
	size_t rejects;		      /* rows beside them */
	int64_t earliest_ms;	      /* no request's deadline is earlier; INT64_MAX when empty */
};

#define COMMIT_LIST_EMPTY ((struct commit_list){.earliest_ms = INT64_MAX})

/* Bytes of the request's payloads, those of its rejects included. */
size_t commit_request_bytes(const struct commit_request *request);

/* What signals and product-org updates have in common. */
struct commit_item {
	int64_t position; /* as in model/signal.h */
	struct slice message_id, payload, payload_raw;
	bool in_envelope;
};

/* Item i of the request, below item_count. */
struct commit_item commit_request_item(const struct commit_request *request, size_t i);

/* How many rows the request brings: items, and rejects beside them. */
size_t commit_request_items(const struct commit_request *request);
size_t commit_request_rejects(const struct commit_request *request);

/*
 * Turns the items into rejects, after the database could not hold one of them and no other request
 * can be the cause. True when the request is to be sent again; false, with nothing changed, when it
 * has no items, they are rejects already, or its caller does not want it. The request must not be
 * in a list, because lists keep sums.
 */
bool commit_request_reject_items(struct commit_request *request);

/* Appends a request, which must be in no other list. */
void commit_list_append(struct commit_list *list, struct commit_request *request);

/* Takes the first request off a list, which must have one. */
struct commit_request *commit_list_take(struct commit_list *list);

#endif
