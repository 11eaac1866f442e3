/*
 * key/new_key.h - a key that has just been made: the only time that it and its secret are shown.
 *
 * For the tool and the settings service. Both forget it as soon as it has been shown; neither
 * logs it, and the database gets its hashes.
 */
#ifndef KEY_NEW_KEY_H
#define KEY_NEW_KEY_H

#include "base/buf.h"
#include "key/credential.h"

struct new_key {
	char key[CREDENTIAL_KEY_CHARS + 1];
	char secret[CREDENTIAL_SECRET_CHARS + 1]; /* "" when it has none */
	char display[CREDENTIAL_DISPLAY_BYTES + 1];
	bool has_secret;
	struct credential_hash key_hash, secret_hash;
};

/* STATUS_OK or STATUS_INTERNAL. Release with new_key_forget in any case. */
enum status new_key_make(struct new_key *made, bool secret) MUST_CHECK;
void new_key_forget(struct new_key *made);

/* Appends where to send to: /api/…/webhook/sk_…, by the endpoint type. */
void new_key_add_path(struct buf *out, const struct new_key *made, struct slice endpoint_type);

/* Appends a command for a shell that sends a first request to this address, in several lines;
 * every line but the first begins with the indent. */
void new_key_add_curl(struct buf *out, const struct new_key *made, struct slice endpoint_type,
		      struct slice url, const char *indent);

#endif
