/*
 * key_use.h - which keys' last use has been written down lately, as a worker remembers it.
 *
 * "Last used" may lag by a minute (contract, section 1), so the database need not look at it for
 * each group. Only that is remembered: whether a key is good is asked for each request. Who is not
 * remembered, because there were too many others, is looked at once more; nothing else follows.
 */
#ifndef KEY_USE_H
#define KEY_USE_H

#include "credential.h"

enum {
	KEY_USE_KEYS = 2048,	/* so many are remembered */
	KEY_USE_MS = 25 * 1000, /* for so long; sluice.intake() leaves alone what is 20 s old */
};

struct key_use {
	struct {
		uint64_t key;	  /* the beginning of its hash */
		int64_t noted_ms; /* 0: a free place */
	} places[KEY_USE_KEYS];
};

/* Whether the key's last use was noted within KEY_USE_MS. Times as of db_now_ms(). */
bool key_use_is_noted(const struct key_use *use, const struct credential_hash *key_hash,
		      int64_t now_ms);

/* Remembers that it was noted now. */
void key_use_note(struct key_use *use, const struct credential_hash *key_hash, int64_t now_ms);

#endif
