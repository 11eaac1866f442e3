/*
 * model/template_cache.c - a least-recently-used cache. See model/template_cache.h.
 */
#include "model/template_cache.h"

#include <stdlib.h>

#include "base/log.h"

struct entry {
	struct credential_hash key_hash;
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

const struct template *template_cache_find(struct template_cache *cache,
					   const struct credential_hash *key_hash)
{
	for (size_t i = 0; i < cache->count; i++) {
		struct entry *entry = &cache->entries[i];
		if (!credential_hash_is_same(&entry->key_hash, key_hash))
			continue;
		entry->used = ++cache->uses;
		return entry->template;
	}
	return NULL;
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
	arena_free(&oldest->arena);
	return oldest;
}

enum status template_cache_add(struct template_cache *cache, const struct credential_hash *key_hash,
			       struct slice text, const struct template **compiled)
{
	struct arena arena = {0};

	/* Several requests may have waited for it together. */
	*compiled = template_cache_find(cache, key_hash);
	if (*compiled != NULL)
		return STATUS_OK;
	enum status status = template_load(&arena, text, compiled);
	if (status != STATUS_OK) {
		arena_free(&arena);
		return status;
	}
	*make_room(cache) = (struct entry){*key_hash, *compiled, arena, ++cache->uses};
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
