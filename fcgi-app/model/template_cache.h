/*
 * model/template_cache.h - compiled payload templates of keys, kept from request to request.
 *
 * A key's template never changes and a key is never deleted, so an entry never goes stale. Whether
 * the key is good, each request asks the database in the transaction that stores its rows.
 */
#ifndef MODEL_TEMPLATE_CACHE_H
#define MODEL_TEMPLATE_CACHE_H

#include "key/credential.h"
#include "model/template.h"

enum { TEMPLATE_CACHE_KEYS = 256 }; /* one more evicts the least recently used */

struct template_cache;

/* Empty; NULL when there is no memory. */
struct template_cache *template_cache_open(void);
void template_cache_close(struct template_cache *cache); /* NULL is allowed */

/* The template of the key with this hash, NULL when it is not cached. Valid until the next add. */
const struct template *template_cache_find(struct template_cache *cache,
					   const struct credential_hash *key_hash);

/*
 * Compiles a key's stored template and keeps it, unless it is cached already. As template_load();
 * *compiled is valid until the next add.
 */
enum status template_cache_add(struct template_cache *cache, const struct credential_hash *key_hash,
			       struct slice text, const struct template **compiled) MUST_CHECK;

/*
 * Compiles a key's stored template in the arena. STATUS_OK, STATUS_NO_MEMORY, or, logged,
 * STATUS_MISCONFIGURED: it is not valid, though it was checked when it was stored.
 */
enum status template_load(struct arena *arena, struct slice text,
			  const struct template **compiled) MUST_CHECK;

#endif
