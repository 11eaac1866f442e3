/*
 * key/credential.c - base62 from the CSPRNG, CRC-32, SHA-256 and HMAC. See key/credential.h.
 *
 * On the request's way a key passes here twice: its form and checksum are checked before anything
 * else, and its hash is what goes to the database. Whether a key is known is not decided here.
 */
#include "key/credential.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include "base/hex.h"
#include "base/log.h"

enum {
	KEY_PREFIX_CHARS = 3,
	SECRET_PREFIX_CHARS = 4,
	CHECK_CHARS = 6,
	CHECKED_CHARS = CREDENTIAL_KEY_CHARS - CHECK_CHARS,
	BASE = 62,
	/* A random byte at or above this would favour the first digits. */
	BYTE_LIMIT = 256 - 256 % BASE,
};

static const char digits[BASE + 1] =
	"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

enum status credential_random(void *bytes, size_t n)
{
	if (n <= INT_MAX && RAND_bytes(bytes, (int)n) == 1)
		return STATUS_OK;
	log_event(LOG_LEVEL_ERROR, "could not get random bytes", LOG_INT("bytes", n));
	return STATUS_INTERNAL;
}

/* OpenSSL takes two microseconds for a dozen bytes and hardly more for hundreds. */
enum status credential_unique(unsigned char bytes[CREDENTIAL_UNIQUE_BYTES])
{
	static struct {
		pid_t owner; /* what a forked child has inherited is its parent's */
		size_t left;
		unsigned char bytes[64 * CREDENTIAL_UNIQUE_BYTES];
	} drawn;
	enum status status = STATUS_OK;

	if (drawn.left == 0 || drawn.owner != getpid()) {
		status = credential_random(drawn.bytes, sizeof(drawn.bytes));
		drawn.left = status == STATUS_OK ? sizeof(drawn.bytes) : 0;
		drawn.owner = getpid();
	}
	if (status != STATUS_OK)
		return status;
	drawn.left -= CREDENTIAL_UNIQUE_BYTES;
	memcpy(bytes, drawn.bytes + drawn.left, CREDENTIAL_UNIQUE_BYTES);
	return STATUS_OK;
}

void credential_forget(void *bytes, size_t n)
{
	OPENSSL_cleanse(bytes, n);
}

static enum status random_base62(char *out, size_t n)
{
	unsigned char bytes[64];
	enum status status = STATUS_OK;

	while (n > 0 && status == STATUS_OK) {
		status = credential_random(bytes, sizeof(bytes));
		for (size_t i = 0; i < sizeof(bytes) && n > 0 && status == STATUS_OK; i++) {
			if (bytes[i] >= BYTE_LIMIT)
				continue;
			*out++ = digits[bytes[i] % BASE];
			n--;
		}
	}
	credential_forget(bytes, sizeof(bytes));
	return status;
}

/* CRC-32 of IEEE 802.3 without a table: no look-up depends on the key. */
static uint32_t crc32_ieee(const char *bytes, size_t n)
{
	uint32_t crc = UINT32_MAX;

	for (size_t i = 0; i < n; i++) {
		crc ^= (unsigned char)bytes[i];
		for (int bit = 0; bit < 8; bit++)
			crc = (crc >> 1) ^ (UINT32_C(0xedb88320) & (0 - (crc & 1)));
	}
	return ~crc;
}

static void checksum(const char *key, char check[CHECK_CHARS])
{
	uint32_t crc = crc32_ieee(key, CHECKED_CHARS);

	for (int i = CHECK_CHARS - 1; i >= 0; i--, crc /= BASE)
		check[i] = digits[crc % BASE];
}

enum status credential_make_key(char key[CREDENTIAL_KEY_CHARS + 1])
{
	memcpy(key, "sk_", KEY_PREFIX_CHARS);
	enum status status =
		random_base62(key + KEY_PREFIX_CHARS, CHECKED_CHARS - KEY_PREFIX_CHARS);
	checksum(key, key + CHECKED_CHARS);
	key[CREDENTIAL_KEY_CHARS] = '\0';
	return status;
}

enum status credential_make_secret(char secret[CREDENTIAL_SECRET_CHARS + 1])
{
	memcpy(secret, "whs_", SECRET_PREFIX_CHARS);
	secret[CREDENTIAL_SECRET_CHARS] = '\0';
	return random_base62(secret + SECRET_PREFIX_CHARS,
			     CREDENTIAL_SECRET_CHARS - SECRET_PREFIX_CHARS);
}

static int in_range(char c, char low, char high)
{
	return (int)(c >= low) & (int)(c <= high);
}

static bool is_base62(char c)
{
	return (in_range(c, '0', '9') | in_range(c, 'A', 'Z') | in_range(c, 'a', 'z')) != 0;
}

bool credential_key_is_sound(struct slice text)
{
	char check[CHECK_CHARS];
	bool sound = true;

	if (text.n != CREDENTIAL_KEY_CHARS)
		return false;
	/* Every key of the right length costs the same, however early it is wrong. */
	sound &= CRYPTO_memcmp(text.p, "sk_", KEY_PREFIX_CHARS) == 0;
	for (size_t i = KEY_PREFIX_CHARS; i < CHECKED_CHARS; i++)
		sound &= is_base62(text.p[i]);
	checksum(text.p, check);
	sound &= CRYPTO_memcmp(text.p + CHECKED_CHARS, check, CHECK_CHARS) == 0;
	return sound;
}

/* Looked up once: EVP_sha256() would be looked up again in each use. So is a context made once. */
static const EVP_MD *sha256(void)
{
	static EVP_MD *fetched;

	if (fetched == NULL)
		fetched = EVP_MD_fetch(NULL, "SHA256", NULL);
	return fetched;
}

enum status credential_hash(struct slice text, struct credential_hash *hash)
{
	static EVP_MD_CTX *context;
	const EVP_MD *method = sha256();
	unsigned n = 0;

	if (context == NULL)
		context = EVP_MD_CTX_new();
	if (method != NULL && context != NULL && EVP_DigestInit_ex(context, method, NULL) == 1 &&
	    EVP_DigestUpdate(context, text.p, text.n) == 1 &&
	    EVP_DigestFinal_ex(context, hash->bytes, &n) == 1 && n == CREDENTIAL_HASH_BYTES)
		return STATUS_OK;
	log_event(LOG_LEVEL_ERROR, "could not compute a SHA-256", LOG_INT("bytes", text.n));
	return STATUS_INTERNAL;
}

bool credential_hash_is_same(const struct credential_hash *a, const struct credential_hash *b)
{
	return memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

void credential_display(struct slice key, char display[CREDENTIAL_DISPLAY_BYTES + 1])
{
	memcpy(display, key.p, 7);
	memcpy(display + 7, "\xe2\x80\xa6", 3);
	memcpy(display + 10, key.p + key.n - 4, 4);
	display[CREDENTIAL_DISPLAY_BYTES] = '\0';
}

/* ---- tokens ---- */

enum { TOKEN_USER_BYTES_MAX = 1024 };

/* What is signed begins with the expiry, which has no blank: no two pairs make the same text. */
enum status credential_make_token(const struct credential_token_key *key, struct slice user,
				  int64_t expires_s, char token[CREDENTIAL_TOKEN_CHARS + 1])
{
	char text[32 + TOKEN_USER_BYTES_MAX];
	struct credential_hash mac;
	unsigned mac_n = 0;
	int time_n = snprintf(text, 32, "%" PRId64 " ", expires_s);
	size_t n = (size_t)time_n;

	if (expires_s < 0 || user.n > TOKEN_USER_BYTES_MAX)
		return STATUS_INTERNAL;
	memcpy(text + n, user.p, user.n);
	if (HMAC(sha256(), key->bytes, sizeof(key->bytes), (const unsigned char *)text, n + user.n,
		 mac.bytes, &mac_n) == NULL ||
	    mac_n != sizeof(mac.bytes)) {
		log_event(LOG_LEVEL_ERROR, "could not compute an HMAC", LOG_INT("bytes", n));
		return STATUS_INTERNAL;
	}
	memcpy(token, text, n - 1);
	token[n - 1] = '.';
	hex_write(mac.bytes, sizeof(mac.bytes), token + n);
	token[n + 2 * sizeof(mac.bytes)] = '\0';
	return STATUS_OK;
}

bool credential_token_is_good(const struct credential_token_key *key, struct slice user,
			      int64_t now_s, struct slice token)
{
	char right[CREDENTIAL_TOKEN_CHARS + 1];
	int64_t expires_s = 0;
	size_t i = 0;

	for (; i < token.n && i < 18 && token.p[i] >= '0' && token.p[i] <= '9'; i++)
		expires_s = expires_s * 10 + (token.p[i] - '0');
	if (i == 0 || token.n != i + 1 + 2 * CREDENTIAL_HASH_BYTES ||
	    credential_make_token(key, user, expires_s, right) != STATUS_OK ||
	    strlen(right) != token.n)
		return false;
	bool same = CRYPTO_memcmp(right, token.p, token.n) == 0;
	credential_forget(right, sizeof(right));
	return same && now_s < expires_s;
}
