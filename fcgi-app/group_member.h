/*
 * group_member.h - what a request hands over to be committed, and lists of it.
 */
#ifndef GROUP_MEMBER_H
#define GROUP_MEMBER_H

#include "credential.h"
#include "signal.h"

/* One request that wants its rows committed. A member without signals is only authenticated. */
struct group_member {
	struct credential_hash key_hash;
	struct credential_hash secret_hash;
	bool has_secret; /* the request carried a secret */
	struct slice request_id;
	int64_t deadline_ms; /* when the request must be answered, on the clock of db_now_ms() */
	const struct signal *signals;
	size_t signal_count;
	int64_t *ids;		   /* out: room for signal_count; the ids of the committed rows */
	enum status status;	   /* out: ACCEPTED (committed), UNAUTHENTICATED, WRONG_ENDPOINT,
				    * INVALID_VALUE (its data was refused), or our own trouble */
	void *owner;		   /* the caller's */
	struct group_member *next; /* the queue's */
};

struct group_list {
	struct group_member *first, *last;
	size_t members, rows, bytes; /* bytes of payloads */
	int64_t earliest_ms;	     /* no member's deadline is earlier; INT64_MAX when empty */
};

#define GROUP_LIST_EMPTY ((struct group_list){.earliest_ms = INT64_MAX})

/* Bytes of the member's payloads. */
size_t group_member_bytes(const struct group_member *member);

/* Appends a member; takes the first one off a list that has one. */
void group_list_append(struct group_list *list, struct group_member *member);
struct group_member *group_list_take(struct group_list *list);

#endif
