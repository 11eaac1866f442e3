/*
 * key/token.h - tokens that prove that a change comes from the settings page (against CSRF).
 */
#ifndef KEY_TOKEN_H
#define KEY_TOKEN_H

#include "key/credential.h"

/*
 * A token is "1893456000.<64 hex digits>": its expiry in Unix time, and an HMAC-SHA256 of expiry
 * and user with a key that only the service knows.
 */
enum { TOKEN_CHARS = 20 + 1 + 2 * CREDENTIAL_HASH_BYTES, TOKEN_KEY_BYTES = 32 };

struct token_key {
	unsigned char bytes[TOKEN_KEY_BYTES];
};

/* Writes the token of a user, terminated. STATUS_OK, or STATUS_INTERNAL for an expiry below 0, a
 * user of more than 1,024 bytes, or a failure of OpenSSL (logged). */
enum status token_make(const struct token_key *key, struct slice user, int64_t expires_s,
		       char token[TOKEN_CHARS + 1]) MUST_CHECK;

/* True if the token is this user's and has not expired at now_s, in Unix time. Takes the same time
 * for every text that has the form of a token. */
bool token_is_good(const struct token_key *key, struct slice user, int64_t now_s,
		   struct slice token);

#endif
