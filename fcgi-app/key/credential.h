/*
 * key/credential.h - API keys, their secrets, and tokens of the settings API: make, check, hash,
 * show (CONTRACT.md, sections 1 and 8).
 *
 * Knows nothing of requests or of the database: both see a key only as its SHA-256.
 */
#ifndef KEY_CREDENTIAL_H
#define KEY_CREDENTIAL_H

#include "base/slice.h"
#include "base/status.h"

enum {
	CREDENTIAL_KEY_CHARS = 3 + 32 + 6,	   /* "sk_", 32 base62, 6 base62 of CRC-32 */
	CREDENTIAL_SECRET_CHARS = 4 + 40,	   /* "whs_", 40 base62 */
	CREDENTIAL_TOKEN_CHARS = 4 + 32 + 6,	   /* "slt_", 32 base62, 6 base62 of CRC-32 */
	CREDENTIAL_HASH_BYTES = 32,		   /* SHA-256 */
	CREDENTIAL_DISPLAY_BYTES = 7 + 3 + 4,	   /* "sk_abcd", an ellipsis in UTF-8, the last 4 */
	CREDENTIAL_TOKEN_DISPLAY_BYTES = 8 + 3 + 4 /* "slt_abcd", … */
};

struct credential_hash {
	unsigned char bytes[CREDENTIAL_HASH_BYTES];
};

/* Make a key, a secret and a token, terminated, of the next bytes of a seed (key/seed.h) or, with
 * NULL, of random ones. STATUS_OK or STATUS_INTERNAL (logged). */
struct seed;
enum status credential_make_key(struct seed *seed, char key[CREDENTIAL_KEY_CHARS + 1]) MUST_CHECK;
enum status credential_make_secret(struct seed *seed,
				   char secret[CREDENTIAL_SECRET_CHARS + 1]) MUST_CHECK;
enum status credential_make_token(struct seed *seed,
				  char token[CREDENTIAL_TOKEN_CHARS + 1]) MUST_CHECK;

/* True if a text has the form of a key and its checksum: whether it is known is not decided here.
 */
bool credential_key_is_sound(struct slice text);

/* The same for a token. */
bool credential_token_is_sound(struct slice text);

/* SHA-256 of a text. STATUS_OK or STATUS_INTERNAL (logged). */
enum status credential_hash(struct slice text, struct credential_hash *hash) MUST_CHECK;

/* The same of one or more parts, with a zero byte between them. */
enum status credential_hash_parts(const struct slice *parts, size_t count,
				  struct credential_hash *hash) MUST_CHECK;

/* HMAC-SHA256 of n bytes. STATUS_OK or STATUS_INTERNAL (logged). */
enum status credential_mac(const unsigned char *key, size_t key_n, const void *bytes, size_t n,
			   unsigned char mac[CREDENTIAL_HASH_BYTES]) MUST_CHECK;

/* True if two hashes are equal. Not for secrets: takes no constant time. */
bool credential_hash_is_same(const struct credential_hash *a, const struct credential_hash *b);

/* What may be shown of a sound key and of a sound token, terminated: "sk_abcd…wxyz". */
void credential_display(struct slice key, char display[CREDENTIAL_DISPLAY_BYTES + 1]);
void credential_display_token(struct slice token, char display[CREDENTIAL_TOKEN_DISPLAY_BYTES + 1]);

/* Overwrites n bytes of a secret that is no longer needed; never optimised away. */
void credential_forget(void *bytes, size_t n);

#endif
