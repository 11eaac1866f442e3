/*
 * key/new_key.h - a newly made key, shown with its secret once and never again.
 *
 * For the tool and the settings service, which wipe it as soon as it has been shown. It is never
 * logged, and the database gets hashes only.
 */
#ifndef KEY_NEW_KEY_H
#define KEY_NEW_KEY_H

#include "base/buf.h"
#include "key/credential.h"

struct new_key {
	char key[CREDENTIAL_KEY_CHARS + 1];
	char secret[CREDENTIAL_SECRET_CHARS + 1]; /* "" if it has none */
	char display[CREDENTIAL_DISPLAY_BYTES + 1];
	bool has_secret;
	struct credential_hash key_hash, secret_hash;
};

/* Makes a key, with a secret or without, from a seed (key/seed.h) or, with NULL, at random.
 * STATUS_OK or STATUS_INTERNAL (logged); call new_key_forget() in either case. */
enum status new_key_make(struct new_key *made, bool secret, struct seed *seed) MUST_CHECK;

/* The same for a secret alone. */
enum status new_key_make_secret(struct new_key *made, struct seed *seed) MUST_CHECK;

/* Wipes it. */
void new_key_forget(struct new_key *made);

#endif
