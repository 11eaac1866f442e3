/*
 * store/token.h - tokens of the settings API, for the tool and, each call on behalf of a user, for
 * the settings service: those take the organization's id, the tool its name.
 */
#ifndef STORE_TOKEN_H
#define STORE_TOKEN_H

#include "key/credential.h"
#include "store/entity.h"
#include "store/store.h"

struct store_token {
	int64_t id;
	struct slice organization, name;
	struct slice display; /* what may be shown of the token itself */
	struct slice user;    /* the member for whom it acts */
	struct slice scopes;  /* a JSON array of texts */
	struct slice status;  /* active, expired, revoked */
	struct slice expires_at, last_used_at, created_at, created_by;
	struct slice revoked_at, revoked_by;
};

extern const struct store_entity store_token_entity;

/* A token as it reaches the database: never itself, only its hash and what may be shown of it. */
struct store_new_token {
	struct slice organization;
	struct slice user; /* for the tool: of the settings service it is the actor */
	struct slice name;
	struct credential_hash token_hash;
	struct slice display;
	struct slice scopes; /* a JSON array of texts */
	struct slice expires_at;
};

/* Stores a new token; *token is as it was stored. STATUS_NO_SUCH_ROW without the organization or
 * the member, STATUS_NOT_UNIQUE when the hash is there already. */
enum status store_token_create(const struct store *store, const struct store_new_token *new_token,
			       struct store_token *token) MUST_CHECK;

/* organization absent: the tokens of all. selection->match is looked for in the name. */
enum status store_token_list(const struct store *store, struct slice organization,
			     const struct store_selection *selection,
			     struct store_list *tokens) MUST_CHECK;

/* *token is the token afterwards. A second time changes nothing and is no error. */
enum status store_token_revoke(const struct store *store, int64_t id,
			       struct store_token *token) MUST_CHECK;

/* ---- for the settings service: besides, as store/settings.h says ---- */

/*
 * Authenticates a request by the hash of its token. scope: what is needed; absent: any will do.
 * *user is what the other calls take as the actor, absent if the token is not valid.
 * STATUS_INSUFFICIENT_SCOPE if the token is, but not for this.
 */
enum status store_settings_token_use(const struct store *store,
				     const struct credential_hash *token_hash, struct slice scope,
				     struct slice *user) MUST_CHECK;

/* The newest first. Of the selection: before, limit. */
enum status store_settings_tokens(const struct store *store, struct slice organization,
				  const struct store_selection *selection,
				  struct store_list *tokens) MUST_CHECK;

enum status store_settings_token_create(const struct store *store,
					const struct store_new_token *new_token,
					struct store_token *token) MUST_CHECK;

/* STATUS_NO_SUCH_ROW for a token of another organization. */
enum status store_settings_token_revoke(const struct store *store, struct slice organization,
					int64_t id, struct store_token *token) MUST_CHECK;

#endif
