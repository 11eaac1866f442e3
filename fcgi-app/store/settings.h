/*
 * store/settings.h - the calls of the settings service, each on behalf of a user.
 *
 * store->actor is the user. The database decides what the user may do: besides what store/store.h
 * lists, the calls return NOT_A_MEMBER, ROLE_TOO_LOW and ORGANIZATION_MISSING. organization is an
 * id as text; absent: the user's only one.
 */
#ifndef STORE_SETTINGS_H
#define STORE_SETTINGS_H

#include "key/token.h"
#include "store/key.h"

/* Reads the key that CSRF tokens are made with; the caller forgets it after use. */
enum status store_settings_token_key(const struct store *store, struct token_key *key) MUST_CHECK;

/* An organization that the user is a member of. */
struct store_membership {
	int64_t id;
	struct slice name, role;
	bool may_manage_keys;
};

/* Lists the user's organizations. STATUS_NOT_A_MEMBER when there are none. */
enum status store_settings_me(const struct store *store, struct store_list *memberships) MUST_CHECK;

/* Whether the user may manage keys: STATUS_OK, or why not. */
enum status store_settings_may_manage_keys(const struct store *store,
					   struct slice organization) MUST_CHECK;

/* The newest first. A limit of one more than is shown tells whether there are more. */
enum status store_settings_keys(const struct store *store, struct slice organization,
				const struct store_selection *selection,
				struct store_list *keys) MUST_CHECK;

/* As store_key_show(), store_key_create() and store_key_deactivate(), for keys of the organization
 * alone. new_key->organization is the id. */
enum status store_settings_key(const struct store *store, struct slice organization, int64_t id,
			       struct store_key *key) MUST_CHECK;
/* key_hash is a SHA-256 in hexadecimal. */
enum status store_settings_key_find(const struct store *store, struct slice organization,
				    struct slice key_hash, struct store_key *key) MUST_CHECK;
enum status store_settings_key_create(const struct store *store,
				      const struct store_new_key *new_key,
				      struct store_key *key) MUST_CHECK;
enum status store_settings_key_deactivate(const struct store *store, struct slice organization,
					  int64_t id, struct store_key *key) MUST_CHECK;

#endif
