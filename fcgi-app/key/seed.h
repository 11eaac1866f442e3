/*
 * key/seed.h - bytes for a new key or secret that follow from a request, so that its retry makes
 * the same ones again although nothing of them is stored in clear.
 */
#ifndef KEY_SEED_H
#define KEY_SEED_H

#include "base/slice.h"
#include "key/token.h"

struct seed {
	unsigned char bytes[CREDENTIAL_HASH_BYTES];
	unsigned char blocks; /* how many have been taken */
};

enum { SEED_PARTS = 5 };

/*
 * HMAC-SHA256 of the parts with the service's key. One of the parts must be a token that only the
 * client knows: with the others and the service's key, the bytes could be made again. STATUS_OK, or
 * STATUS_INTERNAL (logged). The caller wipes it with credential_forget().
 */
enum status seed_make(struct seed *seed, const struct token_key *key,
		      const struct slice parts[SEED_PARTS]) MUST_CHECK;

/* Takes the next n bytes, other ones with each call. STATUS_OK, or STATUS_INTERNAL (logged) after
 * 255 blocks of 32 bytes. */
enum status seed_take(struct seed *seed, unsigned char *bytes, size_t n) MUST_CHECK;

#endif
