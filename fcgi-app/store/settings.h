/*
 * store/settings.h - the calls of the settings service, each of which says for whom it is made.
 *
 * Beside store/store.h; what holds there holds here. store->actor is the user. The database decides
 * what he may do: besides what store/store.h lists, the calls return NOT_A_MEMBER, ROLE_TOO_LOW and
 * ORGANIZATION_MISSING. organization is an id as text; absent: the only one of a member of one.
 */
#ifndef STORE_SETTINGS_H
#define STORE_SETTINGS_H

#include "key/token.h"
#include "store/key.h"

enum status store_settings_token_key(const struct store *store, struct token_key *key) MUST_CHECK;

/* An organization that the user is a member of. */
struct store_membership {
	int64_t id;
	struct slice name, role;
	bool may_manage_keys;
};

struct store_memberships {
	struct store_membership *items;
	size_t count;
};

enum status store_settings_me(const struct store *store, struct store_memberships *list) MUST_CHECK;

/* Whether the user may manage keys: STATUS_OK, or why not. */
enum status store_settings_may_manage_keys(const struct store *store,
					   struct slice organization) MUST_CHECK;

/* The newest first. */
enum status store_settings_keys(const struct store *store, struct slice organization,
				struct store_keys *list) MUST_CHECK;
enum status store_settings_key(const struct store *store, struct slice organization, int64_t id,
			       struct store_key *key) MUST_CHECK;
/* new_key->organization is the id. */
enum status store_settings_key_create(const struct store *store,
				      const struct store_new_key *new_key,
				      struct store_key *key) MUST_CHECK;
enum status store_settings_key_deactivate(const struct store *store, struct slice organization,
					  int64_t id, struct store_key *key) MUST_CHECK;

#endif
