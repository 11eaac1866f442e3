/*
 * ctl/key.c - sluicectl key create, list, show, deactivate. See ctl/ctl_internal.h.
 *
 * A key or secret is made here, hashed here and printed here, once. It is never an argument,
 * where other users of the host could read it, and never reaches the database or the log.
 */
#include "ctl/ctl_internal.h"

#include <inttypes.h>
#include <stdlib.h>

#include "key/new_key.h"
#include "store/key.h"

/* ---- options ---- */

enum ctl_exit ctl_read_expires(struct ctl *ctl, struct slice *expires_at)
{
	struct store_timestamp timestamp = {0};

	if (slice_equal(ctl_value(ctl, CTL_EXPIRES), SLICE("never"))) {
		*expires_at = SLICE("infinity");
		return CTL_FINE;
	}
	enum ctl_exit status = ctl_read_timestamp(ctl, CTL_EXPIRES, "", &timestamp);

	if (status != CTL_FINE)
		return status;
	if (timestamp.past)
		return ctl_fail(CTL_USAGE, NULL, "an expiration is in the future, and %s is past",
				timestamp.text.p);
	*expires_at = timestamp.text;
	return CTL_FINE;
}

/* ---- create ---- */

enum { URL_BYTES_MAX = 64 << 10, CURL_BYTES_MAX = 128 << 10 };

/* Appends the URL to send to: $BASE_URL and the path for this type of key. */
static void add_webhook_url(struct buf *out, const struct store_key *key,
			    const struct new_key *made)
{
	const char *base = getenv("BASE_URL");
	struct slice url = slice_of(base == NULL || *base == '\0' ? "https://YOUR-HOST" : base);

	while (url.n > 0 && url.p[url.n - 1] == '/')
		url.n--;
	buf_add_slice(out, url);
	new_key_add_path(out, made, key->endpoint_type);
}

/* As the settings service answers, and the whole URL. */
static enum ctl_exit add_created_json(struct ctl *ctl, const struct store_key *key,
				      const struct new_key *made, struct slice url,
				      const struct store_key *old)
{
	struct json_tree tree = {0};
	struct json_object *root = json_tree_object(&tree, NULL, NULL);
	struct buf path = buf_make(URL_BYTES_MAX), curl = buf_make(CURL_BYTES_MAX);
	struct buf *const held[] = {&path, &curl};

	new_key_add_path(&path, made, key->endpoint_type);
	new_key_add_curl(&curl, made, key->endpoint_type, url, "");
	store_item_json(&store_key_entity, key, &tree, root);
	json_tree_text(&tree, root, "key", slice_of(made->key));
	json_tree_text(&tree, root, "secret", slice_of(made->has_secret ? made->secret : NULL));
	json_tree_text(&tree, root, "webhook_path", buf_slice(&path));
	json_tree_text(&tree, root, "webhook_url", url);
	json_tree_text(&tree, root, "curl", buf_slice(&curl));
	if (old != NULL)
		json_tree_text(&tree, root, "old_expires_at", old->expires_at);
	for (size_t i = 0; i < ARRAY_LENGTH(held); i++) {
		if (held[i]->status != STATUS_OK)
			tree.status = held[i]->status;
		if (held[i]->p != NULL)
			credential_forget(held[i]->p, held[i]->size);
		buf_free(held[i]);
	}
	return ctl_add_tree(ctl, &tree);
}

static void add_created(struct buf *out, const struct store_key *key, const struct new_key *made,
			struct slice url, const struct store_key *old)
{
	buf_add_text(out, "created key \"");
	ctl_add_escaped(out, key->name);
	buf_add_format(out, "\" with id %" PRId64, key->id);
	if (old != NULL)
		buf_add_format(out, ", the successor of key %" PRId64 ", which expires at %s",
			       old->id, old->expires_at.p);
	buf_add_format(out, "\n\n  key     %s\n", made->key);
	if (made->has_secret)
		buf_add_format(out, "  secret  %s\n", made->secret);
	if (key->expires_at.p != NULL)
		buf_add_format(out, "  expires %s\n", key->expires_at.p);
	buf_add_format(out, "\nKeep %s now: %s not stored, and will not be shown again.\n\n",
		       made->has_secret ? "both" : "it", made->has_secret ? "they are" : "it is");
	buf_add_text(out, "  ");
	new_key_add_curl(out, made, key->endpoint_type, url, "  ");
	buf_add_char(out, '\n');
}

void ctl_add_key(struct buf *out, const struct store_key *key)
{
	buf_add_format(out, "key %" PRId64 " \"", key->id);
	ctl_add_escaped(out, key->name);
	buf_add_char(out, '"');
}

enum ctl_exit ctl_print_new_key(struct ctl *ctl, const struct store_key *key,
				const struct new_key *made, const struct store_key *old)
{
	struct buf url = buf_make(URL_BYTES_MAX);

	add_webhook_url(&url, key, made);
	if (ctl_has(ctl, CTL_JSON))
		(void)add_created_json(ctl, key, made, buf_slice(&url), old);
	else
		add_created(&ctl->out, key, made, buf_slice(&url), old);
	if (url.status != STATUS_OK)
		ctl->out.status = url.status;
	enum ctl_exit status = ctl_flush(ctl);
	if (status != CTL_FINE)
		ctl_warn("key %" PRId64 " was created but not shown; deactivate it", key->id);
	if (url.p != NULL)
		credential_forget(url.p, url.size);
	buf_free(&url);
	return status;
}

enum ctl_exit ctl_key_create(struct ctl *ctl)
{
	struct new_key made = {0};
	struct store_new_key stored_key = {
		.organization = ctl_value(ctl, CTL_ORGANIZATION),
		.name = ctl_value(ctl, CTL_NAME),
		.endpoint_type = ctl_value(ctl, CTL_ENDPOINT),
		.delivery_id_member = ctl_value(ctl, CTL_DELIVERY_ID),
	};
	struct template *compiled = NULL;
	struct store_key key = {0};
	enum ctl_exit status = CTL_FINE;

	/* A bad template is reported without a database too. */
	if (ctl_has(ctl, CTL_TEMPLATE))
		status = ctl_read_template(ctl, &stored_key.payload_template, &compiled);
	if (status == CTL_FINE)
		status = ctl_connect(ctl);
	if (status == CTL_FINE)
		status = ctl_read_networks(ctl, &stored_key.networks);
	if (status == CTL_FINE && ctl_has(ctl, CTL_EXPIRES))
		status = ctl_read_expires(ctl, &stored_key.expires_at);
	if (slice_equal(stored_key.expires_at, SLICE("infinity")))
		stored_key.expires_at = SLICE_ABSENT;
	if (status != CTL_FINE)
		return status;
	if (new_key_make(&made, ctl_has(ctl, CTL_SECRET), NULL) != STATUS_OK) {
		status = ctl_fail(CTL_FAILED, NULL, "could not make a key");
		goto out;
	}
	stored_key.key_hash = made.key_hash;
	stored_key.display = slice_of(made.display);
	stored_key.secret_hash = made.has_secret ? &made.secret_hash : NULL;
	enum status stored = store_key_create(&ctl->store, &stored_key, &key);
	if (stored == STATUS_OK)
		status = ctl_print_new_key(ctl, &key, &made, NULL);
	else
		status = ctl_fail_status(ctl, stored);
out:
	new_key_forget(&made);
	return status;
}

/* ---- list, show, deactivate ---- */

enum ctl_exit ctl_key_list(struct ctl *ctl)
{
	struct store_selection selection;
	struct store_list keys;
	enum ctl_exit usage = ctl_read_selection(ctl, &selection);

	if (usage != CTL_FINE)
		return usage;
	enum status status =
		store_key_list(&ctl->store, ctl_value(ctl, CTL_ORGANIZATION), &selection, &keys);
	return status == STATUS_OK ? ctl_print_list(ctl, "keys", &keys)
				   : ctl_fail_status(ctl, status);
}

static enum ctl_exit print_key(struct ctl *ctl, const struct store_key *key)
{
	return ctl_print_item(ctl, &store_key_entity, key);
}

typedef enum status key_call(const struct store *store, int64_t id, struct store_key *key);

/* Calls the database for the key whose id is the operand. */
static enum ctl_exit call_for_key(struct ctl *ctl, key_call *call, struct store_key *key)
{
	int64_t id;
	enum ctl_exit usage = ctl_read_id(ctl, "key", &id);

	if (usage != CTL_FINE)
		return usage;
	enum status status = call(&ctl->store, id, key);
	return status == STATUS_OK ? CTL_FINE : ctl_fail_status(ctl, status);
}

enum ctl_exit ctl_key_show(struct ctl *ctl)
{
	struct store_key key = {0};
	enum ctl_exit status = call_for_key(ctl, store_key_show, &key);

	return status == CTL_FINE ? print_key(ctl, &key) : status;
}

enum ctl_exit ctl_key_deactivate(struct ctl *ctl)
{
	struct store_key key = {0};
	enum ctl_exit status = call_for_key(ctl, store_key_deactivate, &key);

	if (status != CTL_FINE)
		return status;
	if (ctl_has(ctl, CTL_JSON))
		return print_key(ctl, &key);
	ctl_add_key(&ctl->out, &key);
	buf_add_text(&ctl->out, " was deactivated at ");
	buf_add_slice(&ctl->out, key.deactivated_at);
	buf_add_char(&ctl->out, '\n');
	return CTL_FINE;
}
