/*
 * model/template_cache.h - compiled payload templates of keys, kept from request to request.
 *
 * Whether an entry is still the key's template, and whether the key is good, the database decides
 * in the transaction that stores the rows.
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

/* The template of the key with this hash and its version; NULL and 0 when it is not cached. Valid
 * until the next add. */
const struct template *template_cache_find(struct template_cache *cache,
					   const struct credential_hash *key_hash,
					   int64_t *version);

/*
 * Compiles a key's stored template, unless this version is cached already, and keeps it in place of
 * the version before. As template_load().
 */
enum status template_cache_add(struct template_cache *cache, const struct credential_hash *key_hash,
			       int64_t version, struct slice text) MUST_CHECK;

/*
 * Compiles a key's stored template in the arena. STATUS_OK, STATUS_NO_MEMORY, or, logged,
 * STATUS_MISCONFIGURED: it is not valid, though it was checked when it was stored.
 */
enum status template_load(struct arena *arena, struct slice text,
			  const struct template **compiled) MUST_CHECK;

#endif
