/*
 * store/rejected.h - what is kept of rejected deliveries: looking at it and replaying it.
 *
 * Beside store/store.h, for the tool; what holds there holds here. How bytes become signals is the
 * intake's knowledge, not this module's.
 */
#ifndef STORE_REJECTED_H
#define STORE_REJECTED_H

#include "commit/statement.h"
#include "store/store.h"

/* An entry of sluice.rejected_payload, without its bytes. */
struct store_rejected {
	int64_t id, key_id;
	struct slice organization, key_display, received_at, request_id;
	struct slice position;	   /* a number; absent: the whole body */
	struct slice kind;	   /* REJECT_KIND_ITEM, … */
	struct slice code, detail; /* why it was rejected */
	struct slice source;	   /* by path or header, or absent */
	int64_t kept_bytes;
	struct slice payload_bytes; /* a number: the full length; absent when unknown */
	bool truncated;		    /* only the beginning is kept */
	struct slice replayed_at, replayed_by;
	struct slice replayed_ids; /* a JSON array, or absent */
};

struct store_rejected_list {
	struct store_rejected *items;
	size_t count;
};

/* organization absent: of all; since absent: ever. The oldest first. */
enum status store_rejected_list(const struct store *store, struct slice organization,
				struct slice since, struct store_rejected_list *list) MUST_CHECK;
enum status store_rejected_show(const struct store *store, int64_t id,
				struct store_rejected *entry) MUST_CHECK;
enum status store_rejected_bytes(const struct store *store, int64_t id,
				 struct slice *bytes) MUST_CHECK;

/*
 * Stores the items that were made of an entry and marks it, in one transaction. *ids is a JSON
 * array of the new ids. STATUS_CONSTRAINT when it was replayed before and not again.
 */
enum status store_rejected_replay(const struct store *store, int64_t id, bool again,
				  const struct commit_request *commit,
				  struct slice *ids) MUST_CHECK;

#endif
