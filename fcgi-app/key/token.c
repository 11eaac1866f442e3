/*
 * key/token.c - see key/token.h.
 */
#include "key/token.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <openssl/crypto.h>

#include "base/hex.h"

enum { TOKEN_USER_BYTES_MAX = 1024, MAC_CHARS = 2 * CREDENTIAL_HASH_BYTES };

/* What is signed begins with the expiry and a blank, so no two pairs make the same text. */
enum status token_make(const struct token_key *key, struct slice user, int64_t expires_s,
		       char token[TOKEN_CHARS + 1])
{
	char text[32 + TOKEN_USER_BYTES_MAX];
	struct credential_hash mac;
	int time_n = snprintf(text, 32, "%" PRId64 " ", expires_s);
	size_t n = (size_t)time_n;

	if (expires_s < 0 || user.n > TOKEN_USER_BYTES_MAX)
		return STATUS_INTERNAL;
	memcpy(text + n, user.p, user.n);
	if (credential_mac(key->bytes, sizeof(key->bytes), text, n + user.n, mac.bytes) !=
	    STATUS_OK)
		return STATUS_INTERNAL;
	memcpy(token, text, n - 1);
	token[n - 1] = '.';
	hex_write(mac.bytes, sizeof(mac.bytes), token + n);
	token[n + MAC_CHARS] = '\0';
	return STATUS_OK;
}

bool token_is_good(const struct token_key *key, struct slice user, int64_t now_s,
		   struct slice token)
{
	char right[TOKEN_CHARS + 1];
	struct slice time = token;
	int64_t expires_s;

	if (token.n <= 1 + MAC_CHARS)
		return false;
	time.n -= 1 + MAC_CHARS;
	if (!slice_to_int(time, &expires_s) ||
	    token_make(key, user, expires_s, right) != STATUS_OK || strlen(right) != token.n)
		return false;
	bool same = CRYPTO_memcmp(right, token.p, token.n) == 0;
	credential_forget(right, sizeof(right));
	return same && now_s < expires_s;
}
