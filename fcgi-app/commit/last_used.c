/*
 * commit/last_used.c - a small table of key hashes and times. See commit/last_used.h.
 *
 * A key has its place in one of a few neighbouring ones, the oldest of which gives way.
 */
#include "commit/last_used.h"

#include <string.h>

enum { NEIGHBOURS = 8 };

static uint64_t beginning_of(const struct credential_hash *key_hash)
{
	uint64_t key;

	memcpy(&key, key_hash->bytes, sizeof(key));
	return key;
}

/* The place of the key, or the one that it would take. */
static size_t place_of(const struct last_used *use, uint64_t key)
{
	size_t first = key % (LAST_USED_KEYS / NEIGHBOURS) * NEIGHBOURS;
	size_t oldest = first;

	for (size_t i = first; i < first + NEIGHBOURS; i++) {
		if (use->places[i].key == key)
			return i;
		if (use->places[i].noted_ms < use->places[oldest].noted_ms)
			oldest = i;
	}
	return oldest;
}

bool last_used_is_noted(const struct last_used *use, const struct credential_hash *key_hash,
			int64_t now_ms)
{
	uint64_t key = beginning_of(key_hash);
	size_t i = place_of(use, key);

	return use->places[i].key == key && use->places[i].noted_ms != 0 &&
	       now_ms - use->places[i].noted_ms < LAST_USED_MS;
}

void last_used_note(struct last_used *use, const struct credential_hash *key_hash, int64_t now_ms)
{
	uint64_t key = beginning_of(key_hash);
	size_t i = place_of(use, key);

	use->places[i].key = key;
	use->places[i].noted_ms = now_ms;
	use->places[i].special = false;
}

bool last_used_is_special(const struct last_used *use, const struct credential_hash *key_hash)
{
	uint64_t key = beginning_of(key_hash);
	size_t i = place_of(use, key);

	return use->places[i].key == key && use->places[i].special;
}

void last_used_mark_special(struct last_used *use, const struct credential_hash *key_hash)
{
	uint64_t key = beginning_of(key_hash);
	size_t i = place_of(use, key);

	if (use->places[i].key == key)
		use->places[i].special = true;
}
