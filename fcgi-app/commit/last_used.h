/*
 * commit/last_used.h - which keys' last use has been written down lately, as a worker remembers it.
 *
 * "Last used" may lag by a minute (contract, section 1), so the database need not look at it for
 * each group. Only that is remembered: whether a key is good is asked for each request. Who is not
 * remembered, because there were too many others, is looked at once more; nothing else follows.
 *
 * Beside it a worker remembers which keys' groups were not ordinary, so as not to try again each
 * time: those of an organization with a limit.
 */
#ifndef COMMIT_LAST_USED_H
#define COMMIT_LAST_USED_H

#include "key/credential.h"

enum {
	LAST_USED_KEYS = 2048,	  /* so many are remembered */
	LAST_USED_MS = 25 * 1000, /* for so long; sluice.intake() leaves alone what is 20 s old */
};

struct last_used {
	struct {
		uint64_t key;	  /* the beginning of its hash */
		int64_t noted_ms; /* 0: a free place */
		bool special;
	} places[LAST_USED_KEYS];
};

/* Whether the key's last use was noted within LAST_USED_MS. Times as of clock_now_ms(). */
bool last_used_is_noted(const struct last_used *use, const struct credential_hash *key_hash,
			int64_t now_ms);

/* Remembers that it was noted now; the key is not special then. */
void last_used_note(struct last_used *use, const struct credential_hash *key_hash, int64_t now_ms);

/* Whether the key, whose use is noted, was marked as special since. */
bool last_used_is_special(const struct last_used *use, const struct credential_hash *key_hash);
void last_used_mark_special(struct last_used *use, const struct credential_hash *key_hash);

#endif
