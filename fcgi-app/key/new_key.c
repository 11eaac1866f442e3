/*
 * key/new_key.c - see key/new_key.h.
 */
#include "key/new_key.h"

static enum status add_secret(struct new_key *made, struct seed *seed)
{
	enum status status = credential_make_secret(seed, made->secret);

	if (status == STATUS_OK)
		status = credential_hash(slice_of(made->secret), &made->secret_hash);
	return status;
}

enum status new_key_make_secret(struct new_key *made, struct seed *seed)
{
	*made = (struct new_key){.has_secret = true};
	return add_secret(made, seed);
}

enum status new_key_make(struct new_key *made, bool secret, struct seed *seed)
{
	*made = (struct new_key){.has_secret = secret};
	enum status status = credential_make_key(seed, made->key);

	if (status == STATUS_OK)
		status = credential_hash(slice_of(made->key), &made->key_hash);
	if (status == STATUS_OK && secret)
		status = add_secret(made, seed);
	if (status == STATUS_OK)
		credential_display(slice_of(made->key), made->display);
	return status;
}

void new_key_forget(struct new_key *made)
{
	credential_forget(made, sizeof(*made));
}
