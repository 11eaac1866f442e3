/*
 * store/key.h - API keys. The calls of the settings service are in store/settings.h.
 */
#ifndef STORE_KEY_H
#define STORE_KEY_H

#include "key/credential.h"
#include "store/entity.h"
#include "store/store.h"

struct store_key {
	int64_t id;
	struct slice organization, name;
	struct slice display; /* what may be shown of the key itself */
	struct slice endpoint_type;
	bool has_secret;
	struct slice status; /* active, expired, deactivated */
	struct slice expires_at, created_at, created_by, last_used_at;
	struct slice deactivated_at, deactivated_by;
	struct slice last_refused_at, last_refused_reason; /* of a request with it */
	struct slice payload_template;
	struct slice delivery_id_member; /* of a payload; absent: those that all senders share */
	struct slice networks; /* it works in, a JSON array of texts; absent: everywhere */
	struct slice successor_of, successor; /* ids of keys, digits; absent: none */
	struct slice secret_made_at;
	struct slice old_secret_until, secret_needed_from; /* ends of an overlap; absent: none */
};

extern const struct store_entity store_key_entity;

/* A key as it reaches the database: never itself, only its hash and what may be shown of it. */
struct store_new_key {
	struct slice organization, name, endpoint_type;
	struct credential_hash key_hash;
	struct slice display;
	const struct credential_hash *secret_hash; /* NULL: the key has no secret */
	struct slice expires_at;		   /* absent: never */
	struct slice payload_template;		   /* JSON text, or absent */
	struct slice delivery_id_member;	   /* or absent */
	struct slice networks;			   /* a JSON array of texts; absent: everywhere */
};

/* Stores a new key; *key is as it was stored. STATUS_NO_SUCH_ROW without the organization,
 * STATUS_NOT_UNIQUE when the hash is there already. */
enum status store_key_create(const struct store *store, const struct store_new_key *new_key,
			     struct store_key *key) MUST_CHECK;

/* organization absent: the keys of all. */
enum status store_key_list(const struct store *store, struct slice organization,
			   const struct store_selection *selection,
			   struct store_list *keys) MUST_CHECK;

enum status store_key_show(const struct store *store, int64_t id, struct store_key *key) MUST_CHECK;

/* The key with this hash. */
enum status store_key_find(const struct store *store, const struct credential_hash *key_hash,
			   struct store_key *key) MUST_CHECK;

/* Sets the networks that the key works in, as in struct store_new_key; *key is the key afterwards.
 */
enum status store_key_networks(const struct store *store, int64_t id, struct slice networks,
			       struct store_key *key) MUST_CHECK;

/* *key is the key afterwards. A second time changes nothing and is no error. */
enum status store_key_deactivate(const struct store *store, int64_t id,
				 struct store_key *key) MUST_CHECK;

#endif
