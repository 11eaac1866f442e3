/*
 * ctl/key.c - sluicectl key create, snippet, list, show, deactivate. See ctl/ctl_internal.h.
 *
 * A key or secret is made here, hashed here and printed here, once. It is never an argument,
 * where other users of the host could read it, and never reaches the database or the log.
 */
#include "ctl/ctl_internal.h"

#include <inttypes.h>
#include <stdlib.h>

#include "key/new_key.h"
#include "key/snippet.h"
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

/* ---- the key of an id ---- */

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

/* ---- what is shown of a new key ---- */

enum { NAMES_BYTES_MAX = 1024, URL_BYTES_MAX = 64 << 10 };

struct slice ctl_base_url(void)
{
	const char *base = getenv("BASE_URL");
	struct slice url = slice_of(base == NULL || *base == '\0' ? "https://YOUR-HOST" : base);

	while (url.n > 0 && url.p[url.n - 1] == '/')
		url.n--;
	return url;
}

/* Reads --snippet: NULL without it. On failure the message is printed. */
static enum ctl_exit read_snippet(const struct ctl *ctl, const struct snippet **snippet)
{
	struct buf names = buf_make(NAMES_BYTES_MAX);
	const struct snippet *one;
	enum ctl_exit status = CTL_FINE;

	*snippet = snippet_named(ctl_value(ctl, CTL_SNIPPET));
	if (*snippet != NULL || !ctl_has(ctl, CTL_SNIPPET))
		return CTL_FINE;
	for (size_t i = 0; (one = snippet_at(i)) != NULL; i++)
		buf_add_format(&names, "%s%s", i == 0 ? "" : ", ", one->name);
	buf_add_char(&names, '\0');
	status = ctl_fail(CTL_USAGE, names.status == STATUS_OK ? names.p : NULL,
			  "there is no snippet \"%s\"", ctl->values[CTL_SNIPPET]);
	buf_free(&names);
	return status;
}

static enum ctl_exit refuse_snippet(const struct snippet *snippet, const char *obstacle)
{
	return ctl_fail(CTL_USAGE, NULL, "there is no snippet \"%s\" for this key: %s",
			snippet->name, obstacle);
}

/* As the settings service answers, and the whole URL; of the snippets the one that is asked for. */
static enum ctl_exit add_created_json(struct ctl *ctl, const struct store_key *key,
				      const struct snippet_key *shown, struct slice url,
				      const struct store_key *old)
{
	struct json_tree tree = {0};
	struct json_object *root = json_tree_object(&tree, NULL, NULL);
	struct slice path = {url.p + shown->base.n, url.n - shown->base.n};

	store_item_json(&store_key_entity, key, &tree, root);
	json_tree_text(&tree, root, "key", shown->key);
	json_tree_text(&tree, root, "secret", shown->secret);
	json_tree_text(&tree, root, "webhook_path", path);
	json_tree_text(&tree, root, "webhook_url", url);
	snippet_json(&tree, json_tree_array(&tree, root, "snippets"),
		     snippet_named(ctl_value(ctl, CTL_SNIPPET)), shown);
	if (old != NULL)
		json_tree_text(&tree, root, "old_expires_at", old->expires_at);
	return ctl_add_tree(ctl, &tree);
}

/* Appends the snippet that is asked for; without one, curl. */
static void add_snippet(struct ctl *ctl, const struct snippet_key *shown)
{
	const struct snippet *snippet = snippet_named(ctl_value(ctl, CTL_SNIPPET));

	if (snippet != NULL) {
		snippet_add(&ctl->out, snippet, shown, "");
	} else {
		buf_add_text(&ctl->out, "  ");
		snippet_add(&ctl->out, snippet_at(0), shown, "  ");
	}
}

static void add_created(struct ctl *ctl, const struct store_key *key,
			const struct snippet_key *shown, const struct store_key *old)
{
	struct buf *out = &ctl->out;

	buf_add_text(out, "created key \"");
	ctl_add_escaped(out, key->name);
	buf_add_format(out, "\" with id %" PRId64, key->id);
	if (old != NULL)
		buf_add_format(out, ", the successor of key %" PRId64 ", which expires at %s",
			       old->id, old->expires_at.p);
	buf_add_format(out, "\n\n  key     %s\n", shown->key.p);
	if (shown->secret.p != NULL)
		buf_add_format(out, "  secret  %s\n", shown->secret.p);
	if (key->expires_at.p != NULL)
		buf_add_format(out, "  expires %s\n", key->expires_at.p);
	const bool both = shown->secret.p != NULL;
	buf_add_format(out, "\nKeep %s now: %s not stored, and will not be shown again.\n\n",
		       both ? "both" : "it", both ? "they are" : "it is");
	add_snippet(ctl, shown);
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
	const struct snippet_key shown = {
		.base = ctl_base_url(),
		.key = slice_of(made->key),
		.secret = slice_of(made->has_secret ? made->secret : NULL),
		.endpoint_type = key->endpoint_type,
	};

	buf_add_slice(&url, shown.base);
	snippet_add_path(&url, &shown);
	if (url.status == STATUS_OK && ctl_has(ctl, CTL_JSON))
		(void)add_created_json(ctl, key, &shown, buf_slice(&url), old);
	else
		add_created(ctl, key, &shown, old);
	if (url.status != STATUS_OK)
		ctl->out.status = STATUS_NO_MEMORY;
	enum ctl_exit status = ctl_flush(ctl);
	if (status != CTL_FINE)
		ctl_warn("key %" PRId64 " was created but not shown; deactivate it", key->id);
	if (url.p != NULL)
		credential_forget(url.p, url.size);
	buf_free(&url);
	return status;
}

/* ---- snippet ---- */

static void add_titled(struct ctl *ctl, const struct snippet *snippet,
		       const struct snippet_key *shown)
{
	buf_add_format(&ctl->out, "%s# %s: --snippet %s\n\n", ctl->out.n == 0 ? "" : "\n",
		       snippet->title, snippet->name);
	snippet_add(&ctl->out, snippet, shown, "");
	buf_add_char(&ctl->out, '\n');
}

/* Appends one, or all that can be had, as text. */
static void add_snippets(struct ctl *ctl, const struct snippet *snippet,
			 const struct snippet_key *shown)
{
	const struct snippet *one;

	if (snippet != NULL) {
		snippet_add(&ctl->out, snippet, shown, "");
		buf_add_char(&ctl->out, '\n');
		return;
	}
	for (size_t i = 0; (one = snippet_at(i)) != NULL; i++)
		if (snippet_obstacle(one, shown) == NULL)
			add_titled(ctl, one, shown);
}

enum ctl_exit ctl_key_snippet(struct ctl *ctl)
{
	const struct snippet *snippet;
	struct store_key key = {0};
	enum ctl_exit status = read_snippet(ctl, &snippet);

	if (status == CTL_FINE)
		status = call_for_key(ctl, store_key_show, &key);
	if (status != CTL_FINE)
		return status;
	const struct snippet_key shown = {
		.base = ctl_base_url(),
		.key = SLICE("YOUR-KEY"),
		.secret = key.has_secret ? SLICE("YOUR-SECRET") : SLICE_ABSENT,
		.endpoint_type = key.endpoint_type,
	};
	const char *obstacle = snippet == NULL ? NULL : snippet_obstacle(snippet, &shown);
	if (obstacle != NULL)
		return refuse_snippet(snippet, obstacle);
	if (ctl_has(ctl, CTL_JSON)) {
		struct json_tree tree = {0};

		struct json_object *root = json_tree_object(&tree, NULL, NULL);

		snippet_json(&tree, json_tree_array(&tree, root, "snippets"), snippet, &shown);
		return ctl_add_tree(ctl, &tree);
	}
	add_snippets(ctl, snippet, &shown);
	return CTL_FINE;
}

/* ---- create ---- */

/* Whether the snippet that is asked for can be had is known before there is a key. */
static enum ctl_exit check_snippet(const struct ctl *ctl)
{
	const struct snippet *snippet;
	const struct snippet_key key = {
		.secret = ctl_has(ctl, CTL_SECRET) ? SLICE("YOUR-SECRET") : SLICE_ABSENT,
		.endpoint_type = ctl_has(ctl, CTL_ENDPOINT) ? ctl_value(ctl, CTL_ENDPOINT)
							    : SLICE("signal_staging"),
	};
	enum ctl_exit status = read_snippet(ctl, &snippet);
	const char *obstacle = snippet == NULL ? NULL : snippet_obstacle(snippet, &key);

	return status == CTL_FINE && obstacle != NULL ? refuse_snippet(snippet, obstacle) : status;
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
	enum ctl_exit status = check_snippet(ctl);

	/* A bad template is reported without a database too. */
	if (status == CTL_FINE && ctl_has(ctl, CTL_TEMPLATE))
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
