/*
 * commit/last_used.h - a worker's memory of which keys' last use was stored lately.
 *
 * "Last used" may lag by a minute (CONTRACT.md, section 1), so the database need not look at it for
 * each group. It says nothing about whether a key is good: each request asks the database that. An
 * evicted key costs one extra look-up, nothing more.
 *
 * The worker also remembers which keys' groups were not ordinary (the key has networks, say, or its
 * organization a limit), and sends those to the general function at once.
 */
#ifndef COMMIT_LAST_USED_H
#define COMMIT_LAST_USED_H

#include "key/credential.h"

enum {
	LAST_USED_KEYS = 2048,	  /* most keys that are remembered */
	LAST_USED_MS = 25 * 1000, /* for how long; sluice.intake() skips what is under 20 s old */
};

struct last_used {
	struct {
		uint64_t key;	  /* the beginning of its hash */
		int64_t noted_ms; /* 0: free */
		bool special;
	} places[LAST_USED_KEYS];
};

/* True if the key's last use was noted within LAST_USED_MS. Times of clock_now_ms(). */
bool last_used_is_noted(const struct last_used *use, const struct credential_hash *key_hash,
			int64_t now_ms);

/* Remembers that it was noted now; the key is not special then. */
void last_used_note(struct last_used *use, const struct credential_hash *key_hash, int64_t now_ms);

/* Whether the key, whose use is noted, was marked as special since. */
bool last_used_is_special(const struct last_used *use, const struct credential_hash *key_hash);
void last_used_mark_special(struct last_used *use, const struct credential_hash *key_hash);

#endif
