/*
 * model/template_cache.h - compiled payload templates of keys, kept from request to request.
 *
 * A key's template never changes and a key is never deleted, so what was compiled once is right for
 * ever. That says nothing about whether the key is good: every request asks the database that, in
 * the transaction that stores its rows.
 */
#ifndef MODEL_TEMPLATE_CACHE_H
#define MODEL_TEMPLATE_CACHE_H

#include "key/credential.h"
#include "model/template.h"

enum { TEMPLATE_CACHE_KEYS = 256 }; /* when one more comes, the one used longest ago goes */

struct template_cache;

/* NULL when there is no memory. */
struct template_cache *template_cache_open(void);
void template_cache_close(struct template_cache *cache); /* NULL is allowed */

/* The template of the key with this hash; NULL when it is not there. Valid until the next add. */
const struct template *template_cache_find(struct template_cache *cache,
					   const struct credential_hash *key_hash);

/*
 * Compiles a template that was stored for a key and keeps it, if it is not there already. As
 * template_load; *compiled is valid until the next add.
 */
enum status template_cache_add(struct template_cache *cache, const struct credential_hash *key_hash,
			       struct slice text, const struct template **compiled) MUST_CHECK;

/*
 * Compiles a template that was stored for a key, in the arena. STATUS_OK, STATUS_NO_MEMORY, or
 * STATUS_MISCONFIGURED with a line in the log: it was checked when it was stored, but not by this
 * program.
 */
enum status template_load(struct arena *arena, struct slice text,
			  const struct template **compiled) MUST_CHECK;

#endif
