/*
 * group_member.h - what a request hands over to be committed, and lists of it.
 */
#ifndef GROUP_MEMBER_H
#define GROUP_MEMBER_H

#include "credential.h"
#include "signal.h"
#include "template.h"

/* Bytes that cannot become a row. They are kept, so that nothing gets lost. */
struct group_reject {
	int64_t position;     /* which item of the body, from 0; -1: the whole body */
	const char *kind;     /* how to read the bytes again: GROUP_KIND_ITEM, … */
	enum status status;   /* why */
	struct slice detail;  /* the same in words, for people */
	struct slice payload; /* what is kept */
	int64_t length;	      /* bytes of it in full; -1 when unknown */
};

/* One JSON object; a body with one object or an array; an array or envelope; NDJSON. */
#define GROUP_KIND_ITEM	  "item"
#define GROUP_KIND_SINGLE "single"
#define GROUP_KIND_BATCH  "batch"
#define GROUP_KIND_LINES  "lines"

/* What became of an item. */
struct group_result {
	int64_t id;    /* of the committed row, or of the first delivery */
	bool repeated; /* its message id was delivered before: nothing was stored */
	bool cold;     /* it is in signal_cold_storage */
};

/* One request that wants its rows committed. A member without rows is only authenticated. */
struct group_member {
	struct credential_hash key_hash;
	struct credential_hash secret_hash;
	bool has_secret; /* the request carried a secret */
	struct slice request_id;
	int64_t deadline_ms; /* when the request must be answered, on the clock of db_now_ms() */
	const struct signal *signals;		/* one for each item, or … */
	const struct product_org *product_orgs; /* … one of these; the other is NULL */
	size_t item_count;
	struct group_result *results;	    /* out: room for item_count */
	bool for_product_orgs;		    /* came to the endpoint of product orgs */
	bool wants_template;		    /* asks for the key's payload template … */
	struct slice template;		    /* out: … which is this, in the arena */
	struct arena *arena;		    /* the request's */
	int64_t key_id;			    /* out: the key's, 0 when it is unknown */
	const struct group_reject *rejects; /* stored if the request is authenticated */
	size_t reject_count;
	struct slice given_source; /* by path or header, or absent; for replaying rejects */
	bool in_bulk;	    /* a part of a transaction that group_statement_finish_bulk() ends */
	bool keeps_refused; /* items that the database refuses are to become rejects */
	bool refused;	    /* that is what they are now */
	enum status status; /* out: ACCEPTED (committed), UNAUTHENTICATED, WRONG_ENDPOINT,
			     * LIMIT_REACHED, INVALID_VALUE (its data was refused), or our own
			     * trouble */
	void *owner;	    /* the caller's */
	struct group_member *next; /* the queue's */

	/* The statement's. A sender is a key with a secret at an endpoint. */
	struct group_member *sender;	  /* the first member of this one's sender */
	uint32_t sender_number;		  /* of such a first member, from 1 */
	int outcome;			  /* its answer from the database */
	struct group_member *next_sender; /* while senders are told apart */
};

struct group_list {
	struct group_member *first, *last;
	size_t members, rows, bytes; /* rows: items to be stored; bytes: of all payloads */
	size_t rejects;		     /* rows beside them */
	int64_t earliest_ms;	     /* no member's deadline is earlier; INT64_MAX when empty */
};

#define GROUP_LIST_EMPTY ((struct group_list){.earliest_ms = INT64_MAX})

/* Bytes of the member's payloads, kept ones among them. */
size_t group_member_bytes(const struct group_member *member);

/* What the items of both kinds have in common. */
struct group_item {
	int64_t position; /* as in signal.h */
	struct slice message_id, payload, payload_raw;
};

struct group_item group_member_item(const struct group_member *member, size_t i);

/* How many rows the member brings: items / rejects, which refused items are too. */
size_t group_member_items(const struct group_member *member);
size_t group_member_rejects(const struct group_member *member);

/*
 * After the database has refused the member's data, alone: true when it is to be sent once more,
 * with its items as rejects. The member must not be in a list.
 */
bool group_member_refuse(struct group_member *member);

/* Appends a member; takes the first one off a list that has one. */
void group_list_append(struct group_list *list, struct group_member *member);
struct group_member *group_list_take(struct group_list *list);

#endif
