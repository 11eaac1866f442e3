/*
 * key/token.h - the tokens by which a change is known to come from the settings page.
 */
#ifndef KEY_TOKEN_H
#define KEY_TOKEN_H

#include "key/credential.h"

/*
 * A token that says who had it made, and until when: "1893456000.<64 hex digits>", the second part
 * an HMAC-SHA256 of the user and the time under a key that only the service knows.
 */
enum { TOKEN_CHARS = 20 + 1 + 2 * CREDENTIAL_HASH_BYTES, TOKEN_KEY_BYTES = 32 };

struct token_key {
	unsigned char bytes[TOKEN_KEY_BYTES];
};

/* Writes the token, terminated. expires_s is Unix time. STATUS_OK or STATUS_INTERNAL. */
enum status token_make(const struct token_key *key, struct slice user, int64_t expires_s,
		       char token[TOKEN_CHARS + 1]) MUST_CHECK;

/* True when the token is this user's and now_s is before its end. Takes the same time for every
 * token that has the form of one. */
bool token_is_good(const struct token_key *key, struct slice user, int64_t now_s,
		   struct slice token);

#endif
