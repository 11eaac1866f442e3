/*
 * ctl/key_change.c - sluicectl key edit, key rotate, key history, secret …. See
 * ctl/ctl_internal.h.
 */
#include "store/key_change.h"

#include <inttypes.h>
#include <stdio.h>

#include "ctl/ctl_internal.h"
#include "key/new_key.h"

static enum ctl_exit read_ref(const struct ctl *ctl, struct store_key_ref *ref)
{
	*ref = (struct store_key_ref){0};
	return ctl_read_id(ctl, "key", &ref->id);
}

static enum ctl_exit read_overlap(struct ctl *ctl, struct slice *overlap)
{
	*overlap = ctl_has(ctl, CTL_OVERLAP) ? ctl_value(ctl, CTL_OVERLAP) : SLICE("24h");
	if (slice_equal(*overlap, SLICE("0")))
		*overlap = SLICE("0h");
	if (ctl_is_span(overlap->p))
		return CTL_FINE;
	return ctl_fail(CTL_USAGE, "write 24h, 7d or 0", "\"%s\" is not a span of time",
			overlap->p);
}

/* ---- edit ---- */

static enum ctl_exit try_on_latest(struct ctl *ctl, const struct store_key_ref *ref,
				   const struct template *compiled)
{
	char paths[1][CTL_PATH_BYTES] = {"payload"};
	struct slice json, payload;
	enum status status = store_key_payload(&ctl->store, ref, &json);

	if (status == STATUS_OK)
		status = ctl_find_cells(&ctl->arena, json, paths, 1, &payload);
	if (status != STATUS_OK)
		return ctl_fail_status(ctl, status);
	if (payload.p != NULL)
		return ctl_try_template(ctl, compiled, "the latest", payload,
					ctl_has(ctl, CTL_JSON));
	ctl_warn("the template was not tried: no payload has come with key %" PRId64 " yet",
		 ref->id);
	return CTL_FINE;
}

static enum ctl_exit read_edit(struct ctl *ctl, const struct store_key_ref *ref,
			       struct store_key_edit *edit)
{
	struct template *compiled = NULL;
	enum ctl_exit result = CTL_FINE;

	edit->name = ctl_value(ctl, CTL_NAME);
	if (ctl_has(ctl, CTL_EXPIRES))
		result = ctl_read_expires(ctl, &edit->expires_at);
	if (result != CTL_FINE || !ctl_has(ctl, CTL_TEMPLATE))
		return result;
	result = ctl_read_template(ctl, &edit->payload_template, &compiled);
	if (result != CTL_FINE)
		return result;
	if (ctl_has(ctl, CTL_TRY))
		return ctl_try_template(ctl, compiled, ctl->values[CTL_TRY], SLICE_ABSENT,
					ctl_has(ctl, CTL_JSON));
	return try_on_latest(ctl, ref, compiled);
}

enum ctl_exit ctl_key_edit(struct ctl *ctl)
{
	struct store_key_ref ref;
	struct store_key_edit edit = {0};
	struct store_key key = {0};
	enum ctl_exit result = read_ref(ctl, &ref);

	if (result != CTL_FINE)
		return result;
	if (ctl_has(ctl, CTL_TRY) && !ctl_has(ctl, CTL_TEMPLATE))
		return ctl_fail(CTL_USAGE, NULL, "--try needs --template");
	if (!ctl_has(ctl, CTL_NAME) && !ctl_has(ctl, CTL_EXPIRES) && !ctl_has(ctl, CTL_TEMPLATE))
		return ctl_fail(CTL_USAGE, "give --name, --expires or --template",
				"there is nothing to change");
	result = read_edit(ctl, &ref, &edit);
	if (result != CTL_FINE)
		return result;
	enum status status = store_key_edit(&ctl->store, &ref, &edit, &key);
	if (status != STATUS_OK) {
		buf_reset(&ctl->out, 0); /* what would be stored is of no interest now */
		return ctl_fail_status(ctl, status);
	}
	if (ctl_has(ctl, CTL_JSON))
		return ctl_print_item(ctl, &store_key_entity, &key);
	buf_add_text(&ctl->out, ctl->out.n > 0 ? "\n" : "");
	ctl_add_key(&ctl->out, &key);
	buf_add_format(&ctl->out, " was changed; \"sluicectl key history %" PRId64 "\" shows how\n",
		       key.id);
	return CTL_FINE;
}

/* ---- rotate ---- */

static enum ctl_exit rotate(struct ctl *ctl, const struct store_key_ref *ref,
			    const struct new_key *made, struct store_key_rotation *rotation)
{
	struct store_key key = {0}, old = {0};

	rotation->key_hash = made->key_hash;
	rotation->secret_hash = made->secret_hash;
	rotation->display = slice_of(made->display);
	enum status status = store_key_rotate(&ctl->store, ref, rotation, &key);
	if (status == STATUS_OK)
		status = store_key_show(&ctl->store, ref->id, &old);
	if (status != STATUS_OK)
		return ctl_fail_status(ctl, status);
	struct new_key shown = *made;
	shown.has_secret = key.has_secret;
	enum ctl_exit result = ctl_print_new_key(ctl, &key, &shown, &old);
	new_key_forget(&shown);
	return result;
}

enum ctl_exit ctl_key_rotate(struct ctl *ctl)
{
	struct store_key_ref ref;
	struct store_key_rotation rotation = {0};
	struct new_key made;
	enum ctl_exit result = read_ref(ctl, &ref);

	if (result == CTL_FINE)
		result = read_overlap(ctl, &rotation.overlap);
	if (result == CTL_FINE && ctl_has(ctl, CTL_EXPIRES))
		result = ctl_read_expires(ctl, &rotation.expires_at);
	if (result != CTL_FINE)
		return result;
	if (new_key_make(&made, true, NULL) == STATUS_OK)
		result = rotate(ctl, &ref, &made, &rotation);
	else
		result = ctl_fail(CTL_FAILED, NULL, "could not make a key");
	new_key_forget(&made);
	return result;
}

/* ---- history ---- */

enum cell { TIME, ACTOR, ACTION, DETAILS, BEFORE, AFTER, CELLS };

static enum ctl_exit add_entry(struct ctl *ctl, const struct slice cells[CELLS])
{
	struct buf *out = &ctl->out;

	for (size_t i = TIME; i <= ACTION; i++) {
		ctl_add_escaped(out, cells[i]);
		buf_add_text(out, i < ACTION ? "  " : "\n");
	}
	if (cells[AFTER].p != NULL && cells[BEFORE].p != NULL)
		return ctl_add_diff(ctl, cells[BEFORE], cells[AFTER]);
	buf_add_text(out, "  ");
	ctl_add_escaped(out, cells[DETAILS]);
	buf_add_char(out, '\n');
	return CTL_FINE;
}

static enum ctl_exit add_history(struct ctl *ctl, struct slice json)
{
	static const char *const members[CELLS] = {
		"occurred_at", "actor", "action", "details", "template_before", "template_after"};
	const size_t count = (size_t)CTL_LIMIT_MAX * CELLS;
	char(*paths)[CTL_PATH_BYTES] = arena_array(&ctl->arena, count, sizeof(*paths));
	struct slice *cells = arena_array(&ctl->arena, count, sizeof(*cells));
	enum status status = paths == NULL || cells == NULL ? STATUS_NO_MEMORY : STATUS_OK;
	enum ctl_exit result = CTL_FINE;

	for (size_t i = 0; i < count && status == STATUS_OK; i++)
		(void)snprintf(paths[i], CTL_PATH_BYTES, "entries.%zu.%s", i / CELLS,
			       members[i % CELLS]);
	if (status == STATUS_OK)
		status = ctl_find_cells(&ctl->arena, json, paths, count, cells);
	if (status != STATUS_OK)
		return ctl_fail_status(ctl, status);
	for (size_t i = 0; i < count && cells[i + TIME].p != NULL && result == CTL_FINE; i += CELLS)
		result = add_entry(ctl, cells + i);
	return result == CTL_FINE ? ctl_say_next(ctl, json) : result;
}

enum ctl_exit ctl_key_history(struct ctl *ctl)
{
	struct store_key_ref ref;
	struct slice json;
	const struct slice limit =
		ctl_has(ctl, CTL_LIMIT) ? ctl_value(ctl, CTL_LIMIT) : SLICE("200");
	enum ctl_exit result = ctl_check_limit(ctl);

	if (result == CTL_FINE)
		result = ctl_check_id(ctl, CTL_BEFORE);
	if (result == CTL_FINE)
		result = read_ref(ctl, &ref);
	if (result != CTL_FINE)
		return result;
	enum status status =
		store_key_history(&ctl->store, &ref, ctl_value(ctl, CTL_BEFORE), limit, &json);
	if (status != STATUS_OK)
		return ctl_fail_status(ctl, status);
	if (!ctl_has(ctl, CTL_JSON))
		return add_history(ctl, json);
	return ctl_add_document(ctl, json);
}

/* ---- secrets ---- */

static void add_secret(struct buf *out, const struct store_key *key, const struct new_key *made)
{
	ctl_add_key(out, key);
	buf_add_format(out,
		       " has a new secret\n\n  secret  %s\n\n"
		       "Keep it now: it is not stored, and will not be shown again.\n",
		       made->secret);
	if (key->old_secret_until.p != NULL)
		buf_add_format(out, "The old secret is valid, too, until %s.\n",
			       key->old_secret_until.p);
	if (key->secret_needed_from.p != NULL)
		buf_add_format(out, "Requests need it from %s on.\n", key->secret_needed_from.p);
}

/* Prints at once, as ctl_print_new_key() does. */
static enum ctl_exit print_secret(struct ctl *ctl, const struct store_key *key,
				  const struct new_key *made)
{
	struct json_tree tree = {0};

	if (ctl_has(ctl, CTL_JSON)) {
		struct json_object *root = json_tree_object(&tree, NULL, NULL);
		store_item_json(&store_key_entity, key, &tree, root);
		json_tree_text(&tree, root, "secret", slice_of(made->secret));
		(void)ctl_add_tree(ctl, &tree);
	} else {
		add_secret(&ctl->out, key, made);
	}
	enum ctl_exit result = ctl_flush(ctl);
	if (result != CTL_FINE)
		ctl_warn("the secret of key %" PRId64 " was changed but not shown; rotate it again",
			 key->id);
	return result;
}

/* made NULL: a change that makes no secret. */
static enum ctl_exit change_secret(struct ctl *ctl, const char *action, const struct new_key *made,
				   struct store_key *key)
{
	struct store_secret_change change = {
		.action = slice_of(action),
		.secret_hash = made == NULL ? NULL : &made->secret_hash,
	};
	struct store_key_ref ref;
	enum ctl_exit result = read_ref(ctl, &ref);

	if (result == CTL_FINE)
		result = read_overlap(ctl, &change.overlap);
	if (result != CTL_FINE)
		return result;
	enum status status = store_key_secret(&ctl->store, &ref, &change, key);
	return status == STATUS_OK ? CTL_FINE : ctl_fail_status(ctl, status);
}

static enum ctl_exit make_secret(struct ctl *ctl, const char *action)
{
	struct new_key made;
	struct store_key key = {0};
	enum ctl_exit result = CTL_FAILED;

	if (new_key_make_secret(&made, NULL) == STATUS_OK)
		result = change_secret(ctl, action, &made, &key);
	else
		(void)ctl_fail(CTL_FAILED, NULL, "could not make a secret");
	if (result == CTL_FINE)
		result = print_secret(ctl, &key, &made);
	new_key_forget(&made);
	return result;
}

static enum ctl_exit end_secret(struct ctl *ctl, const char *action, const char *says)
{
	struct store_key key = {0};
	enum ctl_exit result = change_secret(ctl, action, NULL, &key);

	if (result != CTL_FINE || ctl_has(ctl, CTL_JSON))
		return result == CTL_FINE ? ctl_print_item(ctl, &store_key_entity, &key) : result;
	ctl_add_key(&ctl->out, &key);
	buf_add_text(&ctl->out, says);
	return CTL_FINE;
}

enum ctl_exit ctl_secret_enable(struct ctl *ctl)
{
	return make_secret(ctl, "enable");
}

enum ctl_exit ctl_secret_rotate(struct ctl *ctl)
{
	return make_secret(ctl, "rotate");
}

enum ctl_exit ctl_secret_retire(struct ctl *ctl)
{
	return end_secret(ctl, "retire", " needs its new secret from now on\n");
}

enum ctl_exit ctl_secret_remove(struct ctl *ctl)
{
	return end_secret(ctl, "remove", " needs no secret any more\n");
}
