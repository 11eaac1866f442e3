/*
 * key/credential.c - base62, CRC-32 and SHA-256. See key/credential.h.
 *
 * Each request comes here twice: the form of its key is checked before anything else, and its hash
 * is what the database is asked for.
 */
#include "key/credential.h"

#include <string.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/ascii.h"
#include "base/log.h"
#include "key/random.h"
#include "key/seed.h"

enum {
	KEY_PREFIX_CHARS = 3,
	SECRET_PREFIX_CHARS = 4,
	CHECK_CHARS = 6,
	CHECKED_CHARS = CREDENTIAL_KEY_CHARS - CHECK_CHARS,
	BASE = 62,
	/* Random bytes from here on would favour the first digits. */
	BYTE_LIMIT = 256 - 256 % BASE,
};

static const char digits[BASE + 1] =
	"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

void credential_forget(void *bytes, size_t n)
{
	OPENSSL_cleanse(bytes, n);
}

/* seed NULL: from OpenSSL's generator. */
static enum status make_base62(struct seed *seed, char *out, size_t n)
{
	unsigned char bytes[64];
	enum status status = STATUS_OK;

	while (n > 0 && status == STATUS_OK) {
		status = seed == NULL ? random_bytes(bytes, sizeof(bytes))
				      : seed_take(seed, bytes, sizeof(bytes));
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

/* CRC-32 of IEEE 802.3. Without a table: no memory access depends on the key. */
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

enum status credential_make_key(struct seed *seed, char key[CREDENTIAL_KEY_CHARS + 1])
{
	memcpy(key, "sk_", KEY_PREFIX_CHARS);
	enum status status =
		make_base62(seed, key + KEY_PREFIX_CHARS, CHECKED_CHARS - KEY_PREFIX_CHARS);
	checksum(key, key + CHECKED_CHARS);
	key[CREDENTIAL_KEY_CHARS] = '\0';
	return status;
}

enum status credential_make_secret(struct seed *seed, char secret[CREDENTIAL_SECRET_CHARS + 1])
{
	memcpy(secret, "whs_", SECRET_PREFIX_CHARS);
	secret[CREDENTIAL_SECRET_CHARS] = '\0';
	return make_base62(seed, secret + SECRET_PREFIX_CHARS,
			   CREDENTIAL_SECRET_CHARS - SECRET_PREFIX_CHARS);
}

bool credential_key_is_sound(struct slice text)
{
	char check[CHECK_CHARS];
	bool sound = true;

	if (text.n != CREDENTIAL_KEY_CHARS)
		return false;
	/* Takes the same time for every text of this length. */
	sound &= CRYPTO_memcmp(text.p, "sk_", KEY_PREFIX_CHARS) == 0;
	for (size_t i = KEY_PREFIX_CHARS; i < CHECKED_CHARS; i++)
		sound &= ascii_is_alnum(text.p[i]);
	checksum(text.p, check);
	sound &= CRYPTO_memcmp(text.p + CHECKED_CHARS, check, CHECK_CHARS) == 0;
	return sound;
}

enum status credential_hash_parts(const struct slice *parts, size_t count,
				  struct credential_hash *hash)
{
	/* Fetched once and kept, because making them costs more than hashing with them. */
	static EVP_MD *sha256;
	static EVP_MD_CTX *context;

	if (sha256 == NULL)
		sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	if (context == NULL)
		context = EVP_MD_CTX_new();
	bool made =
		sha256 != NULL && context != NULL && EVP_DigestInit_ex(context, sha256, NULL) == 1;
	for (size_t i = 0; made && i < count; i++) {
		if (i > 0)
			made = EVP_DigestUpdate(context, "", 1) == 1;
		if (made && parts[i].n > 0)
			made = EVP_DigestUpdate(context, parts[i].p, parts[i].n) == 1;
	}
	if (made && EVP_DigestFinal_ex(context, hash->bytes, NULL) == 1)
		return STATUS_OK;
	log_event(LOG_LEVEL_ERROR, "could not compute a SHA-256", LOG_INT("bytes", parts[0].n));
	return STATUS_INTERNAL;
}

enum status credential_hash(struct slice text, struct credential_hash *hash)
{
	return credential_hash_parts(&text, 1, hash);
}

enum status credential_mac(const unsigned char *key, size_t key_n, const void *bytes, size_t n,
			   unsigned char mac[CREDENTIAL_HASH_BYTES])
{
	unsigned mac_n = 0;

	if (HMAC(EVP_sha256(), key, (int)key_n, bytes, n, mac, &mac_n) != NULL &&
	    mac_n == CREDENTIAL_HASH_BYTES)
		return STATUS_OK;
	log_event(LOG_LEVEL_ERROR, "could not compute an HMAC", LOG_INT("bytes", n));
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
