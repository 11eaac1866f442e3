/*
 * ctl/rejected.c - sluicectl rejected list, rejected show. See ctl/ctl_internal.h.
 *
 * The bytes come from senders and may be anything: they are escaped unless --raw asks for them.
 */
#include "ctl/ctl_internal.h"

#include "store/rejected.h"

enum { PREVIEW_BYTES = 1000 };

enum ctl_exit ctl_read_filter(struct ctl *ctl, struct store_rejected_filter *filter)
{
	struct store_timestamp since = {0};
	enum ctl_exit usage = CTL_FINE;
	int64_t id;

	*filter = (struct store_rejected_filter){.organization = ctl_value(ctl, CTL_ORGANIZATION),
						 .key_id = ctl_value(ctl, CTL_KEY),
						 .code = ctl_value(ctl, CTL_CODE)};
	if (ctl_has(ctl, CTL_KEY) && !slice_to_int(filter->key_id, &id))
		return ctl_fail(CTL_USAGE, "\"sluicectl key list\" shows the ids",
				"\"%s\" is not the id of a key", ctl->values[CTL_KEY]);
	if (ctl_has(ctl, CTL_SINCE))
		usage = ctl_read_timestamp(ctl, CTL_SINCE, "-", &since);
	filter->since = since.text;
	return usage;
}

enum ctl_exit ctl_rejected_list(struct ctl *ctl)
{
	struct store_rejected_filter filter;
	struct store_list rejected;
	enum ctl_exit usage = ctl_read_filter(ctl, &filter);

	if (usage != CTL_FINE)
		return usage;
	enum status status = store_rejected_list(&ctl->store, &filter, &rejected);
	return status == STATUS_OK ? ctl_print_list(ctl, &rejected) : ctl_fail_status(ctl, status);
}

/* ---- show ---- */

static enum ctl_exit add_json(struct ctl *ctl, const struct store_rejected *rejected,
			      struct slice bytes)
{
	struct json_tree tree = {0};
	struct json_object *root = json_tree_object(&tree, NULL, NULL);

	store_item_json(&store_rejected_entity, rejected, &tree, root);
	json_tree_text(&tree, root, "payload", bytes);
	return ctl_add_tree(ctl, &tree);
}

static enum ctl_exit add_text(struct ctl *ctl, const struct store_rejected *rejected,
			      struct slice bytes)
{
	bool whole = bytes.n <= PREVIEW_BYTES;
	enum ctl_exit result = ctl_add_item(ctl, &store_rejected_entity, rejected);

	buf_add_char(&ctl->out, '\n');
	ctl_add_escaped(&ctl->out, (struct slice){bytes.p, whole ? bytes.n : PREVIEW_BYTES});
	buf_add_text(&ctl->out, whole ? "\n" : "…\n");
	return result;
}

enum ctl_exit ctl_rejected_show(struct ctl *ctl)
{
	struct store_rejected rejected = {0};
	struct slice bytes = {NULL, 0};
	int64_t id;
	enum ctl_exit usage = ctl_read_id(ctl, "rejected payload", &id);

	if (usage != CTL_FINE)
		return usage;
	if (ctl_has(ctl, CTL_RAW) && ctl_has(ctl, CTL_JSON))
		return ctl_fail(CTL_USAGE, NULL, "--raw cannot be combined with --json");
	enum status status = store_rejected_show(&ctl->store, id, &rejected);
	if (status == STATUS_OK)
		status = store_rejected_bytes(&ctl->store, id, &bytes);
	if (status != STATUS_OK)
		return ctl_fail_status(ctl, status);
	if (ctl_has(ctl, CTL_JSON))
		return add_json(ctl, &rejected, bytes);
	if (!ctl_has(ctl, CTL_RAW))
		return add_text(ctl, &rejected, bytes);
	buf_add_slice(&ctl->out, bytes);
	return CTL_FINE;
}
