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
	TOKEN_PREFIX_CHARS = 4,
	RANDOM_CHARS = 32,
	CHECK_CHARS = 6,
	SHOWN_CHARS = 4, /* at either end */
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

static void checksum(const char *checked, size_t n, char check[CHECK_CHARS])
{
	uint32_t crc = crc32_ieee(checked, n);

	for (int i = CHECK_CHARS - 1; i >= 0; i--, crc /= BASE)
		check[i] = digits[crc % BASE];
}

/* Prefix, random characters, and the checksum of both. */
static enum status make_checked(struct seed *seed, struct slice prefix, char *out)
{
	memcpy(out, prefix.p, prefix.n);
	enum status status = make_base62(seed, out + prefix.n, RANDOM_CHARS);

	checksum(out, prefix.n + RANDOM_CHARS, out + prefix.n + RANDOM_CHARS);
	out[prefix.n + RANDOM_CHARS + CHECK_CHARS] = '\0';
	return status;
}

enum status credential_make_key(struct seed *seed, char key[CREDENTIAL_KEY_CHARS + 1])
{
	return make_checked(seed, SLICE("sk_"), key);
}

enum status credential_make_token(struct seed *seed, char token[CREDENTIAL_TOKEN_CHARS + 1])
{
	return make_checked(seed, SLICE("slt_"), token);
}

enum status credential_make_secret(struct seed *seed, char secret[CREDENTIAL_SECRET_CHARS + 1])
{
	memcpy(secret, "whs_", SECRET_PREFIX_CHARS);
	secret[CREDENTIAL_SECRET_CHARS] = '\0';
	return make_base62(seed, secret + SECRET_PREFIX_CHARS,
			   CREDENTIAL_SECRET_CHARS - SECRET_PREFIX_CHARS);
}

/* Takes the same time for every text of the right length. */
static bool is_sound(struct slice text, struct slice prefix)
{
	const size_t checked = prefix.n + RANDOM_CHARS;
	char check[CHECK_CHARS];
	bool sound = true;

	if (text.n != checked + CHECK_CHARS)
		return false;
	sound &= CRYPTO_memcmp(text.p, prefix.p, prefix.n) == 0;
	for (size_t i = prefix.n; i < checked; i++)
		sound &= ascii_is_alnum(text.p[i]);
	checksum(text.p, checked, check);
	sound &= CRYPTO_memcmp(text.p + checked, check, CHECK_CHARS) == 0;
	return sound;
}

bool credential_key_is_sound(struct slice text)
{
	return is_sound(text, SLICE("sk_"));
}

bool credential_token_is_sound(struct slice text)
{
	return is_sound(text, SLICE("slt_"));
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

static void show(struct slice text, size_t head, char *display)
{
	memcpy(display, text.p, head);
	memcpy(display + head, "\xe2\x80\xa6", 3);
	memcpy(display + head + 3, text.p + text.n - SHOWN_CHARS, SHOWN_CHARS);
	display[head + 3 + SHOWN_CHARS] = '\0';
}

void credential_display(struct slice key, char display[CREDENTIAL_DISPLAY_BYTES + 1])
{
	show(key, KEY_PREFIX_CHARS + SHOWN_CHARS, display);
}

void credential_display_token(struct slice token, char display[CREDENTIAL_TOKEN_DISPLAY_BYTES + 1])
{
	show(token, TOKEN_PREFIX_CHARS + SHOWN_CHARS, display);
}
