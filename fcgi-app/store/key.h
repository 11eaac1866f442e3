/*
 * store/key.h - API keys: one function per database function.
 *
 * Beside store/store.h; what holds there holds here. The settings service's calls are in
 * store/settings.h, which reads a key as these do.
 */
#ifndef STORE_KEY_H
#define STORE_KEY_H

#include "store/store.h"

struct store_key {
	int64_t id;
	struct slice organization, name, display, endpoint_type;
	bool has_secret;
	struct slice status; /* active, expired, deactivated */
	struct slice expires_at, created_at, created_by, last_used_at;
	struct slice deactivated_at, deactivated_by;
	struct slice last_refused_at, last_refusal; /* when and why a request with it was refused */
	struct slice payload_template;		    /* JSON text */
};

struct store_keys {
	struct store_key *items;
	size_t count;
};

/* A key as it reaches the database: never itself, only its hash and what may be shown of it. */
struct store_new_key {
	struct slice organization, name, endpoint_type;
	struct credential_hash key_hash;
	struct slice display;
	const struct credential_hash *secret_hash; /* NULL: the key has no secret */
	struct slice expires_at;		   /* absent: never */
	struct slice payload_template;		   /* JSON text, or absent */
};

enum status store_key_create(const struct store *store, const struct store_new_key *new_key,
			     struct store_key *key) MUST_CHECK;
/* organization absent: the keys of all. */
enum status store_key_list(const struct store *store, struct slice organization,
			   struct store_keys *list) MUST_CHECK;
enum status store_key_show(const struct store *store, int64_t id, struct store_key *key) MUST_CHECK;
/* *key is the key afterwards. A second time changes nothing and is no error. */
enum status store_key_deactivate(const struct store *store, int64_t id,
				 struct store_key *key) MUST_CHECK;

/* Appends the key as members of a JSON object, in snake_case. */
void store_key_members(const struct store_key *key, struct buf *out);

/* ---- for store/settings.c ---- */

/* What a statement selects of sluice.key_overview to have store_read_key read a struct store_key.
 */
#define STORE_KEY_COLUMNS                                                                                                                      \
	"id, has_secret, organization, name, display, endpoint_type, status, " STORE_TIMESTAMP(                                                \
		"exp"                                                                                                                          \
		"ire"                                                                                                                          \
		"s_"                                                                                                                           \
		"at") ", " STORE_TIMESTAMP("created_at") ", created_by, " STORE_TIMESTAMP("last_used_"                                         \
											  "at") ","                                            \
												" " STORE_TIMESTAMP(                           \
													"deactivated_at") ", "                 \
															  "deactivated_by,"    \
															  " " STORE_TIMESTAMP( \
																  "last_"      \
																  "refused_"   \
																  "at") ", "   \
																	"las"  \
																	"t_"   \
																	"ref"  \
																	"usa"  \
																	"l, "  \
																	"pay"  \
																	"loa"  \
																	"d_"   \
																	"tem"  \
																	"pla"  \
																	"te"

enum { STORE_KEY_COLUMN_COUNT = 16 };

store_row store_read_key;

/* The parameters of a statement that creates a key, behind the actor and the organization. */
#define STORE_NEW_KEY_PARAMETERS                                                                   \
	"$3::text, $4::text, decode($5::text, 'hex'), $6::text, decode($7::text, 'hex'), "         \
	"$8::timestamptz, $9::jsonb"

enum { STORE_NEW_KEY_PARAMETER_COUNT = 9 };

enum status store_new_key(const struct store *store, const struct pg_statement *statement,
			  const struct store_new_key *new_key, struct store_key *key) MUST_CHECK;

#endif
