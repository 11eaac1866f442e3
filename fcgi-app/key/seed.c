/*
 * key/seed.c - see key/seed.h.
 */
#include "key/seed.h"

#include <string.h>

/* Not a digit: the texts that key/token.c signs with the same key begin with one. */
static const char label[] = "new key";

/* What is signed has the hash of each part, so no two lists of parts make the same text. */
enum status seed_make(struct seed *seed, const struct token_key *key,
		      const struct slice parts[SEED_PARTS])
{
	struct {
		char label[sizeof(label)];
		struct credential_hash hashes[SEED_PARTS];
	} text;
	enum status status = STATUS_OK;

	*seed = (struct seed){0};
	memcpy(text.label, label, sizeof(label));
	for (size_t i = 0; i < SEED_PARTS && status == STATUS_OK; i++)
		status =
			credential_hash(parts[i].p == NULL ? SLICE("") : parts[i], &text.hashes[i]);
	if (status == STATUS_OK)
		status = credential_mac(key->bytes, sizeof(key->bytes), &text, sizeof(text),
					seed->bytes);
	credential_forget(&text, sizeof(text));
	return status;
}

enum status seed_take(struct seed *seed, unsigned char *bytes, size_t n)
{
	unsigned char block[CREDENTIAL_HASH_BYTES];
	enum status status = STATUS_OK;

	while (n > 0 && status == STATUS_OK) {
		size_t part = n < sizeof(block) ? n : sizeof(block);
		status = seed->blocks == UINT8_MAX
				 ? STATUS_INTERNAL
				 : credential_mac(seed->bytes, sizeof(seed->bytes), &seed->blocks,
						  1, block);
		if (status == STATUS_OK) {
			memcpy(bytes, block, part);
			seed->blocks++;
			bytes += part;
			n -= part;
		}
	}
	credential_forget(block, sizeof(block));
	return status;
}
