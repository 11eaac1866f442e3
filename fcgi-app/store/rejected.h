/*
 * store/rejected.h - rejected payloads: what is kept of them, replaying and discarding it, for the
 * tool and, on behalf of a user, for the settings service (store/settings.h).
 *
 * Bytes become signals in the intake; here they only become rows.
 */
#ifndef STORE_REJECTED_H
#define STORE_REJECTED_H

#include "commit/statement.h"
#include "store/entity.h"
#include "store/store.h"

/* A row of sluice.rejected_payload, without its bytes. */
struct store_rejected {
	int64_t id;
	struct slice received_at, organization;
	int64_t key_id;
	struct slice key_display, request_id;
	struct slice position;	   /* of the item in its body; absent: the whole body */
	struct slice kind;	   /* REJECT_KIND_ITEM, … */
	struct slice code, detail; /* why it was rejected */
	struct slice source;	   /* by path or header, or absent */
	int64_t kept_bytes;
	struct slice payload_bytes; /* the full length; absent when unknown */
	bool truncated;		    /* only the beginning is kept */
	struct slice envelope;	    /* JSON beside the item in its batch, or absent */
	struct slice bad_byte;	    /* what is wrong, from 0; absent: not known */
	struct slice replayed_at, replayed_by;
	struct slice replayed_ids; /* an array, or absent */
	struct slice discarded_at, discarded_by;
	struct slice state; /* one of store_rejected_states */
};

extern const struct store_entity store_rejected_entity;

/* What can have become of a rejected payload; for slice_is_one_of. */
extern const char store_rejected_states[];

/* Why one can have been rejected: the codes of bad items, and of bodies that are kept. */
extern const char store_rejected_codes[];

/* Which ones; what is absent does not matter. */
struct store_rejected_filter {
	struct slice organization;
	struct slice since;  /* when it was received at the earliest */
	struct slice key_id; /* digits */
	struct slice code;
	struct slice state; /* one of store_rejected_states */
};

/* The oldest first. */
enum status store_rejected_list(const struct store *store,
				const struct store_rejected_filter *filter,
				struct store_list *rejected) MUST_CHECK;

/* One of them: of any organization for the tool; for a user of that one. */
struct store_rejected_ref {
	int64_t id;
	bool of_user;
	struct slice organization; /* an id; absent: the user's only one */
};

enum status store_rejected_show(const struct store *store, const struct store_rejected_ref *ref,
				struct store_rejected *rejected) MUST_CHECK;

/* Why and where it is wrong, for people. */
struct store_rejected_reason {
	struct slice why;
	struct slice place;   /* all below as JSON; absent: not known, or behind what is kept */
	int64_t line, column; /* from 1 */
	struct slice before, after; /* in the same line */
	struct slice bad;	    /* a character; empty: the end of the bytes */
};

enum status store_rejected_reason(const struct store *store, int64_t id,
				  struct store_rejected_reason *reason) MUST_CHECK;

/* The place at a byte of bytes that are not kept, for ref's caller; reason->why is absent. */
enum status store_rejected_place(const struct store *store, const struct store_rejected_ref *ref,
				 struct slice bytes, int64_t bad_byte,
				 struct store_rejected_reason *reason) MUST_CHECK;

/* Reads the bytes that were kept. */
enum status store_rejected_bytes(const struct store *store, const struct store_rejected_ref *ref,
				 struct slice *bytes) MUST_CHECK;

/*
 * Whether what is made of it would be stored: STATUS_OK, or as store_rejected_replay(). For the
 * tool: again is as there, and ahead are signals of the organization that are to be stored first.
 * For a user what was replayed or discarded before is replayed again.
 */
enum status store_rejected_try(const struct store *store, const struct store_rejected_ref *ref,
			       bool again, int64_t ahead) MUST_CHECK;

/* What is to be stored of a rejected payload. */
struct store_replay {
	const struct commit_request *commit;
	bool edited; /* it was read from other bytes than those that are kept */
	bool again;  /* even if it was replayed or discarded before */
};

/*
 * Stores the items that were made of a rejected payload and marks it, in one transaction. *ids is a
 * JSON array of the new ids. STATUS_WRONG_STATE when it was replayed or discarded before,
 * STATUS_LIMIT_REACHED when the organization has used up its signals.
 */
enum status store_rejected_replay(const struct store *store, const struct store_rejected_ref *ref,
				  const struct store_replay *replay, struct slice *ids) MUST_CHECK;

/* Marks it as not needed. STATUS_WRONG_STATE when it was replayed or discarded before. */
enum status store_rejected_discard(const struct store *store,
				   const struct store_rejected_ref *ref) MUST_CHECK;

/* ---- for users only ---- */

/* One of them as JSON, as in the document STORE_REJECTS. */
enum status store_rejected_json(const struct store *store, const struct store_rejected_ref *ref,
				struct slice *json) MUST_CHECK;

/* Which open ones are of a kind; all are digits but the code. */
struct store_rejected_kind {
	struct slice code, key_id;
	struct slice after; /* with larger ids; absent: all … */
	struct slice until; /* … up to this one */
	struct slice limit; /* at most so many */
};

/* The oldest first. */
enum status store_rejected_of_kind(const struct store *store, struct slice organization,
				   const struct store_rejected_kind *kind,
				   struct store_list *rejected) MUST_CHECK;

#endif
