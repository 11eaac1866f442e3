/*
 * key/fingerprint.c - see key/fingerprint.h.
 */
#include "key/fingerprint.h"

#include <string.h>
#include <openssl/evp.h>

#include "base/log.h"

enum { HALF_BYTES = FINGERPRINT_BYTES / 2 };

/* Fetched once and kept, because making them costs more than hashing with them. */
static EVP_MD *sha256;
static EVP_MD_CTX *context;

static bool start(void)
{
	if (sha256 == NULL)
		sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	if (context == NULL)
		context = EVP_MD_CTX_new();
	return sha256 != NULL && context != NULL && EVP_DigestInit_ex(context, sha256, NULL) == 1;
}

static bool add(struct slice bytes)
{
	return bytes.n == 0 || EVP_DigestUpdate(context, bytes.p, bytes.n) == 1;
}

static bool add_part(struct slice bytes)
{
	return EVP_DigestUpdate(context, "", 1) == 1 && add(bytes);
}

static bool end(unsigned char half[HALF_BYTES])
{
	unsigned char hash[EVP_MAX_MD_SIZE];

	if (EVP_DigestFinal_ex(context, hash, NULL) != 1)
		return false;
	memcpy(half, hash, HALF_BYTES);
	return true;
}

static enum status make(struct slice id, const char *kind, const struct slice *parts, size_t count,
			struct fingerprint *out)
{
	bool made = start() && add(id) && end(out->bytes) && start() && add(id) &&
		    add_part(slice_of(kind));

	for (size_t i = 0; made && i < count; i++)
		made = add_part(parts[i]);
	if (made && end(out->bytes + HALF_BYTES))
		return STATUS_OK;
	log_event(LOG_LEVEL_ERROR, "could not compute a SHA-256", LOG_INT("bytes", id.n));
	return STATUS_INTERNAL;
}

enum status fingerprint_of_event(struct slice id, struct slice event_type, struct slice event_name,
				 struct fingerprint *out)
{
	const struct slice parts[] = {event_type, event_name};

	return make(id, "event", parts, 2, out);
}

enum status fingerprint_of_product_org(struct slice id, struct slice product_org_id,
				       struct fingerprint *out)
{
	return make(id, "product_org", &product_org_id, 1, out);
}

enum status fingerprint_of_bytes(struct slice id, struct slice bytes, struct fingerprint *out)
{
	return make(id, "bytes", &bytes, 1, out);
}
