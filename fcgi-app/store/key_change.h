/*
 * store/key_change.h - changes of a key: editing, rotation, its secret; what was changed, and why
 * requests were refused.
 *
 * Besides what store/store.h and, on behalf of a user, store/settings.h list, the changes return
 * STATUS_WRONG_STATE for a key whose state does not allow them, such as a deactivated one.
 */
#ifndef STORE_KEY_CHANGE_H
#define STORE_KEY_CHANGE_H

#include "store/key.h"

/* Which key, and on whose behalf. STATUS_NO_SUCH_ROW if there is none. */
struct store_key_ref {
	int64_t id;
	bool of_user;		   /* by the rules of store/settings.h; else for the tool */
	struct slice organization; /* of_user: as there */
};

/* What is absent stays as it is. */
struct store_key_edit {
	struct slice name;
	struct slice expires_at; /* "infinity": never */
	struct slice payload_template;
	struct slice networks; /* a JSON array of texts; an empty one: everywhere */
};

enum status store_key_edit(const struct store *store, const struct store_key_ref *ref,
			   const struct store_key_edit *edit, struct store_key *key) MUST_CHECK;

/* A successor. Its secret is stored only if the old key has one: key->has_secret says so. */
struct store_key_rotation {
	struct credential_hash key_hash, secret_hash;
	struct slice display;
	struct slice overlap;	 /* an interval, such as "24h" */
	struct slice expires_at; /* absent: as of the old key; "infinity": never */
};

/* *key is the successor. A retry with the same hash within an hour returns it again. */
enum status store_key_rotate(const struct store *store, const struct store_key_ref *ref,
			     const struct store_key_rotation *rotation,
			     struct store_key *key) MUST_CHECK;

struct store_secret_change {
	struct slice action;			   /* enable, rotate, retire, remove */
	const struct credential_hash *secret_hash; /* of the first two; else NULL */
	struct slice overlap;			   /* an interval */
};

/* A retry with the same hash within an hour changes nothing. */
enum status store_key_secret(const struct store *store, const struct store_key_ref *ref,
			     const struct store_secret_change *secret,
			     struct store_key *key) MUST_CHECK;

/* The key's entries of the audit log, newest first, as a JSON object: up to limit with an id below
 * before, which may be absent. */
enum status store_key_history(const struct store *store, const struct store_key_ref *ref,
			      struct slice before, struct slice limit,
			      struct slice *json) MUST_CHECK;

/* Why requests with the key were refused, and what to do, as a JSON object. */
enum status store_key_refusals(const struct store *store, const struct store_key_ref *ref,
			       struct slice *json) MUST_CHECK;

/* The latest payload that came with the key or the one that it replaces, as a JSON object with
 * "received_at" and "payload", which are null if there is none. */
enum status store_key_payload(const struct store *store, const struct store_key_ref *ref,
			      struct slice *json) MUST_CHECK;

/* Stores a test event as if a sender had sent it with the key; what was stored, as a JSON object.
 * For the tool. */
enum status store_key_test(const struct store *store, int64_t id, struct slice *json) MUST_CHECK;

#endif
