/*
 * key/fingerprint.c - see key/fingerprint.h.
 */
#include "key/fingerprint.h"

#include <string.h>

#include "key/credential.h"

enum { HALF_BYTES = FINGERPRINT_BYTES / 2, SHORT_BYTES = 512 };

/* The last short content and its hash: most signals of a sender are of few types and names. */
static struct {
	char bytes[SHORT_BYTES];
	size_t n; /* 0: none yet, because content begins with its kind */
	struct credential_hash hash;
} last;

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

static enum status hash_content(const struct slice *parts, size_t count,
				struct credential_hash *hash)
{
	char joined[SHORT_BYTES];
	size_t n = join(parts, count, joined);

	if (n > 0 && n == last.n && memcmp(joined, last.bytes, n) == 0) {
		*hash = last.hash;
		return STATUS_OK;
	}
	enum status status = credential_hash_parts(parts, count, hash);
	if (status == STATUS_OK && n > 0) {
		memcpy(last.bytes, joined, n);
		last.hash = *hash;
		last.n = n;
	}
	return status;
}

/* parts: the kind of content, and the content. */
static enum status make(struct slice id, const struct slice *parts, size_t count,
			struct fingerprint *out)
{
	struct credential_hash of_id, of_content;
	enum status status = credential_hash(id, &of_id);

	if (status == STATUS_OK)
		status = hash_content(parts, count, &of_content);
	if (status != STATUS_OK)
		return status;
	memcpy(out->bytes, of_id.bytes, FINGERPRINT_BYTES);
	for (size_t i = 0; i < HALF_BYTES; i++)
		out->bytes[HALF_BYTES + i] ^= of_content.bytes[i];
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
