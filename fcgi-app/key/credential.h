/*
 * key/credential.h - API keys and secrets: make, check, hash, show (contract section 1); and the
 * tokens by which a change is known to come from the settings page.
 *
 * The only module that includes OpenSSL. Knows nothing of requests or of the database: both see
 * a key only as its SHA-256.
 */
#ifndef KEY_CREDENTIAL_H
#define KEY_CREDENTIAL_H

#include "base/mem.h"

enum {
	CREDENTIAL_KEY_CHARS = 3 + 32 + 6, /* "sk_", 32 base62, 6 base62 of CRC-32 */
	CREDENTIAL_SECRET_CHARS = 4 + 40,  /* "whs_", 40 base62 */
	CREDENTIAL_HASH_BYTES = 32,	   /* SHA-256 */
	CREDENTIAL_UNIQUE_BYTES = 12,
	CREDENTIAL_DISPLAY_BYTES = 7 + 3 + 4 /* "sk_abcd", an ellipsis in UTF-8, the last 4 */
};

struct credential_hash {
	unsigned char bytes[CREDENTIAL_HASH_BYTES];
};

/* New key / secret from OpenSSL's CSPRNG, terminated. STATUS_OK or STATUS_INTERNAL. */
enum status credential_make_key(char key[CREDENTIAL_KEY_CHARS + 1]) MUST_CHECK;
enum status credential_make_secret(char secret[CREDENTIAL_SECRET_CHARS + 1]) MUST_CHECK;

/* True when text has a key's form and its checksum is right; says nothing of the database. */
bool credential_key_is_sound(struct slice text);

/* SHA-256 of the text. STATUS_OK or STATUS_INTERNAL. */
enum status credential_hash(struct slice text, struct credential_hash *hash) MUST_CHECK;

bool credential_hash_is_same(const struct credential_hash *a, const struct credential_hash *b);

/* What may be shown of a key, terminated: "sk_abcd…wxyz". The key must be sound. */
void credential_display(struct slice key, char display[CREDENTIAL_DISPLAY_BYTES + 1]);

/*
 * A token that says who had it made, and until when: "1893456000.<64 hex digits>", the second part
 * an HMAC-SHA256 of the user and the time under a key that only the service knows.
 */
enum {
	CREDENTIAL_TOKEN_CHARS = 20 + 1 + 2 * CREDENTIAL_HASH_BYTES,
	CREDENTIAL_TOKEN_KEY_BYTES = 32
};

struct credential_token_key {
	unsigned char bytes[CREDENTIAL_TOKEN_KEY_BYTES];
};

/* Writes the token, terminated. expires_s is Unix time. STATUS_OK or STATUS_INTERNAL. */
enum status credential_make_token(const struct credential_token_key *key, struct slice user,
				  int64_t expires_s,
				  char token[CREDENTIAL_TOKEN_CHARS + 1]) MUST_CHECK;

/* True when the token is this user's and now_s is before its end. Takes the same time for every
 * token that has the form of one. */
bool credential_token_is_good(const struct credential_token_key *key, struct slice user,
			      int64_t now_s, struct slice token);

/* Fills n bytes from the CSPRNG. STATUS_OK or STATUS_INTERNAL. */
enum status credential_random(void *bytes, size_t n) MUST_CHECK;

/* Fills in bytes that no other call gives, in any process: for names, not for secrets, because they
 * lie in memory before they are asked for. STATUS_OK or STATUS_INTERNAL. */
enum status credential_unique(unsigned char bytes[CREDENTIAL_UNIQUE_BYTES]) MUST_CHECK;

/* Overwrites a secret that is no longer needed; never optimised away. */
void credential_forget(void *bytes, size_t n);

#endif
