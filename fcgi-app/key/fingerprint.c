/*
 * key/fingerprint.c - see key/fingerprint.h.
 */
#include "key/fingerprint.h"

#include <string.h>
#include <openssl/evp.h>

#include "base/log.h"

enum { HASH_BYTES = 32, HALF_BYTES = FINGERPRINT_BYTES / 2, SHORT_BYTES = 512 };

/* Fetched once and kept, because making them costs more than hashing with them. */
static EVP_MD *sha256;
static EVP_MD_CTX *context;

/* The last short content and its hash: most signals of a sender are of few types and names. */
static struct {
	char bytes[SHORT_BYTES];
	size_t n; /* 0: none yet, because content begins with its kind */
	unsigned char hash[HASH_BYTES];
} last;

static bool hash_parts(const struct slice *parts, size_t count, unsigned char hash[HASH_BYTES])
{
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
	return made && EVP_DigestFinal_ex(context, hash, NULL) == 1;
}

/* The parts with zero bytes between them; 0 if they are not short. */
static size_t join(const struct slice *parts, size_t count, char joined[SHORT_BYTES])
{
	size_t n = 0;

	for (size_t i = 0; i < count; i++) {
		if (parts[i].n >= SHORT_BYTES - n)
			return 0;
		if (i > 0)
			joined[n++] = '\0';
		if (parts[i].n > 0)
			memcpy(joined + n, parts[i].p, parts[i].n);
		n += parts[i].n;
	}
	return n;
}

static bool hash_content(const struct slice *parts, size_t count, unsigned char hash[HASH_BYTES])
{
	char joined[SHORT_BYTES];
	size_t n = join(parts, count, joined);

	if (n > 0 && n == last.n && memcmp(joined, last.bytes, n) == 0) {
		memcpy(hash, last.hash, HASH_BYTES);
		return true;
	}
	if (!hash_parts(parts, count, hash))
		return false;
	if (n > 0) {
		memcpy(last.bytes, joined, n);
		memcpy(last.hash, hash, HASH_BYTES);
		last.n = n;
	}
	return true;
}

/* parts: the kind of content, and the content. */
static enum status make(struct slice id, const struct slice *parts, size_t count,
			struct fingerprint *out)
{
	unsigned char of_id[HASH_BYTES];
	unsigned char of_content[HASH_BYTES];

	if (!hash_parts(&id, 1, of_id) || !hash_content(parts, count, of_content)) {
		log_event(LOG_LEVEL_ERROR, "could not compute a SHA-256", LOG_INT("bytes", id.n));
		return STATUS_INTERNAL;
	}
	memcpy(out->bytes, of_id, FINGERPRINT_BYTES);
	for (size_t i = 0; i < HALF_BYTES; i++)
		out->bytes[HALF_BYTES + i] ^= of_content[i];
	return STATUS_OK;
}

enum status fingerprint_of_event(struct slice id, struct slice event_type, struct slice event_name,
				 struct fingerprint *out)
{
	const struct slice parts[] = {SLICE("event"), event_type, event_name};

	return make(id, parts, 3, out);
}

enum status fingerprint_of_product_org(struct slice id, struct slice product_org_id,
				       struct fingerprint *out)
{
	const struct slice parts[] = {SLICE("product_org"), product_org_id};

	return make(id, parts, 2, out);
}

enum status fingerprint_of_bytes(struct slice id, struct slice bytes, struct fingerprint *out)
{
	const struct slice parts[] = {SLICE("bytes"), bytes};

	return make(id, parts, 2, out);
}
