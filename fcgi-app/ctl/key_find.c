/*
 * ctl/key_find.c - sluicectl key find. See ctl/ctl_internal.h.
 */
#include "base/ascii.h"
#include "ctl/ctl_internal.h"
#include "key/credential.h"
#include "store/key.h"

enum { TEXT_BYTES_MAX = 64 << 10 };

/* The first word of a text that begins as keys do; empty without one. */
static struct slice key_in(struct slice text)
{
	struct slice key = {text.p, 0};

	while (text.n > 0 && !slice_starts(text, SLICE("sk_")))
		text = (struct slice){text.p + 1, text.n - 1};
	key.p = text.p;
	while (key.n < text.n && (key.p[key.n] == '_' || ascii_is_alnum(key.p[key.n])))
		key.n++;
	return key;
}

enum ctl_exit ctl_key_find(struct ctl *ctl)
{
	struct slice text;
	struct credential_hash hash;
	struct store_key key = {0};
	enum ctl_exit result = ctl_read_file(ctl, "key", ctl->argument, TEXT_BYTES_MAX, &text);

	if (result != CTL_FINE)
		return result;
	struct slice given = key_in(text);
	if (given.n == 0)
		return ctl_fail(CTL_FAILED, NULL, "there is no key in \"%s\"", ctl->argument);
	if (given.n != CREDENTIAL_KEY_CHARS)
		return ctl_fail(CTL_FAILED, "copy it again, whole",
				"this is no whole key: it has %zu characters instead of %d",
				given.n, CREDENTIAL_KEY_CHARS);
	if (!credential_key_is_sound(given))
		return ctl_fail(
			CTL_FAILED, "a sender that uses it is refused",
			"the key has a mistake: its last 6 characters do not match the others");
	enum status status = credential_hash(given, &hash);
	if (status == STATUS_OK)
		status = store_key_find(&ctl->store, &hash, &key);
	return status == STATUS_OK ? ctl_print_item(ctl, &store_key_entity, &key)
				   : ctl_fail_status(ctl, status);
}
