/*
 * model/template_cache.c - a least-recently-used cache. See model/template_cache.h.
 */
#include "model/template_cache.h"

#include <stdlib.h>

#include "base/log.h"

struct entry {
	struct credential_hash key_hash;
	int64_t version;
	const struct template *template; /* in the arena */
	struct arena arena;
	uint64_t used; /* the greater, the later */
};

struct template_cache {
	struct entry entries[TEMPLATE_CACHE_KEYS];
	size_t count;
	uint64_t uses;
};

struct template_cache *template_cache_open(void)
{
	return calloc(1, sizeof(struct template_cache));
}

void template_cache_close(struct template_cache *cache)
{
	if (cache == NULL)
		return;
	for (size_t i = 0; i < cache->count; i++)
		arena_free(&cache->entries[i].arena);
	free(cache);
}

/* NULL when the key has none. */
static struct entry *entry_of(struct template_cache *cache, const struct credential_hash *key_hash)
{
	for (size_t i = 0; i < cache->count; i++) {
		if (credential_hash_is_same(&cache->entries[i].key_hash, key_hash))
			return &cache->entries[i];
	}
	return NULL;
}

const struct template *template_cache_find(struct template_cache *cache,
					   const struct credential_hash *key_hash, int64_t *version)
{
	struct entry *entry = entry_of(cache, key_hash);

	*version = 0;
	if (entry == NULL)
		return NULL;
	entry->used = ++cache->uses;
	*version = entry->version;
	return entry->template;
}

/* A free entry, or the least recently used one. */
static struct entry *make_room(struct template_cache *cache)
{
	if (cache->count < TEMPLATE_CACHE_KEYS)
		return &cache->entries[cache->count++];
	struct entry *oldest = cache->entries;
	for (size_t i = 1; i < cache->count; i++) {
		if (cache->entries[i].used < oldest->used)
			oldest = &cache->entries[i];
	}
	return oldest;
}

enum status template_cache_add(struct template_cache *cache, const struct credential_hash *key_hash,
			       int64_t version, struct slice text)
{
	struct arena arena = {0};
	const struct template *compiled;
	struct entry *entry = entry_of(cache, key_hash);

	/* Several requests may have waited for it together. */
	if (entry != NULL && entry->version == version)
		return STATUS_OK;
	enum status status = template_load(&arena, text, &compiled);
	if (status != STATUS_OK) {
		arena_free(&arena);
		return status;
	}
	if (entry == NULL)
		entry = make_room(cache);
	arena_free(&entry->arena);
	*entry = (struct entry){*key_hash, version, compiled, arena, ++cache->uses};
	return STATUS_OK;
}

enum status template_load(struct arena *arena, struct slice text, const struct template **compiled)
{
	struct template *template = NULL;
	struct template_fault fault;
	enum status status = template_compile(arena, text, &template, &fault);

	*compiled = template;
	if (status != STATUS_INVALID_TEMPLATE)
		return status;
	log_event(LOG_LEVEL_ERROR, "a key's payload template is not valid",
		  LOG_SLICE("fault", fault.message));
	return STATUS_MISCONFIGURED;
}
