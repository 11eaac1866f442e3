/*
 * ctl/rejected.c - sluicectl rejected list, rejected kinds, rejected show, rejected discard. See
 * ctl/ctl_internal.h.
 *
 * The bytes come from senders and may be anything: they are escaped unless --raw asks for them.
 */
#include "ctl/ctl_internal.h"

#include <inttypes.h>

#include "store/document.h"
#include "store/export.h"
#include "store/rejected.h"

enum { PREVIEW_BYTES = 1000, CODES_BYTES = 1000 };

/* A code that nothing is rejected with finds nothing, which looks as if there were nothing. */
static enum ctl_exit check_code(struct slice code)
{
	struct buf codes = buf_make(CODES_BYTES);

	if (code.p == NULL || slice_is_one_of(code, store_rejected_codes))
		return CTL_FINE;
	for (const char *p = store_rejected_codes; p[1] != '\0'; p++)
		buf_add_text(&codes, *p == ' ' ? ", " : (char[]){*p, '\0'});
	enum ctl_exit result = ctl_fail(
		CTL_USAGE, NULL, "nothing is rejected with the code \"%.*s\": use one of %.*s",
		(int)code.n, code.p, (int)codes.n, codes.p);
	buf_free(&codes);
	return result;
}

enum ctl_exit ctl_read_filter(struct ctl *ctl, struct store_rejected_filter *filter)
{
	enum ctl_exit usage = ctl_check_id(ctl, CTL_KEY);

	*filter = (struct store_rejected_filter){.organization = ctl_value(ctl, CTL_ORGANIZATION),
						 .key_id = ctl_value(ctl, CTL_KEY),
						 .code = ctl_value(ctl, CTL_CODE)};
	if (usage == CTL_FINE)
		usage = check_code(filter->code);
	if (usage == CTL_FINE)
		usage = ctl_read_past(ctl, CTL_SINCE, &filter->since);
	return usage;
}

enum ctl_exit ctl_rejected_list(struct ctl *ctl)
{
	static const struct ctl_field fields[] = {
		{"ID", "id"},
		{"RECEIVED", "received_at"},
		{"ORGANIZATION", "organization"},
		{"SOURCE", "source"},
		{"KEY", "key_name"},
		{"CODE", "code"},
		{"ITEM INDEX", "position"},
		{"STATE", "state"},
		{"PAYLOAD", "preview"},
	};
	enum ctl_exit result = check_code(ctl_value(ctl, CTL_CODE));

	if (result == CTL_FINE)
		result = ctl_check_id(ctl, CTL_BEFORE);
	return result == CTL_FINE ? ctl_search(ctl, STORE_REJECTS, &store_export_rejects, fields,
					       ARRAY_LENGTH(fields))
				  : result;
}

enum ctl_exit ctl_rejected_kinds(struct ctl *ctl)
{
	static const struct ctl_field fields[] = {
		{"OPEN", "open"},     {"CODE", "code"},		{"KEY", "key_id"},
		{"NAME", "key_name"}, {"STATUS", "key_status"}, {"LAST", "last_at"},
		{"WHY", "why"},
	};
	const struct store_question question = {
		.organization = ctl_value(ctl, CTL_ORGANIZATION),
		.before = ctl_value(ctl, CTL_BEFORE),
		.limit = ctl_value(ctl, CTL_LIMIT),
	};
	struct slice json;
	enum ctl_exit result = ctl_check_limit(ctl);

	if (result == CTL_FINE)
		result = ctl_ask_document(ctl, STORE_REJECT_KINDS, &question, &json);
	if (result != CTL_FINE)
		return result;
	if (ctl_has(ctl, CTL_JSON))
		return ctl_add_document(ctl, json);
	result = ctl_print_rows(ctl, json, "kinds", fields, ARRAY_LENGTH(fields));
	return result == CTL_FINE ? ctl_say_next(ctl, json) : result;
}

/* ---- show ---- */

static enum ctl_exit add_json(struct ctl *ctl, const struct store_rejected *rejected,
			      const struct store_rejected_reason *reason, struct slice bytes)
{
	struct json_tree tree = {0};
	struct json_object *root = json_tree_object(&tree, NULL, NULL);

	store_item_json(&store_rejected_entity, rejected, &tree, root);
	json_tree_text(&tree, root, "why", reason->why);
	json_tree_json(&tree, root, "place", reason->place);
	json_tree_text(&tree, root, "payload", bytes);
	return ctl_add_tree(ctl, &tree);
}

/* The line with the bad place, and a caret under it. */
static void add_marked(struct buf *out, const struct store_rejected_reason *reason)
{
	size_t width = ctl_add_escaped(out, reason->before);

	(void)ctl_add_escaped(out, reason->bad);
	(void)ctl_add_escaped(out, reason->after);
	buf_add_char(out, '\n');
	for (size_t i = 0; i < width; i++)
		buf_add_char(out, ' ');
	buf_add_text(out, "^\n");
}

static void add_why(struct ctl *ctl, const struct store_rejected *rejected,
		    const struct store_rejected_reason *reason)
{
	struct buf *out = &ctl->out;

	buf_add_format(out, "\n%.*s: ", (int)reason->why.n, reason->why.p);
	(void)ctl_add_escaped(out, rejected->detail);
	buf_add_char(out, '\n');
	if (reason->place.p == NULL) {
		if (rejected->bad_byte.p != NULL)
			buf_add_text(out, "The bad place is behind the bytes that are kept.\n");
		return;
	}
	buf_add_format(out,
		       "Of the bytes kept: byte offset %.*s, line %" PRId64 ", column %" PRId64
		       "%s\n\n",
		       (int)rejected->bad_byte.n, rejected->bad_byte.p, reason->line,
		       reason->column, reason->bad.n == 0 ? ", where they end" : "");
	add_marked(out, reason);
}

static enum ctl_exit add_text(struct ctl *ctl, const struct store_rejected *rejected,
			      const struct store_rejected_reason *reason, struct slice bytes)
{
	bool whole = bytes.n <= PREVIEW_BYTES;
	enum ctl_exit result = ctl_add_item(ctl, &store_rejected_entity, rejected);

	add_why(ctl, rejected, reason);
	buf_add_char(&ctl->out, '\n');
	ctl_add_escaped(&ctl->out, (struct slice){bytes.p, whole ? bytes.n : PREVIEW_BYTES});
	buf_add_text(&ctl->out, whole ? "\n" : "…\n");
	return result;
}

enum ctl_exit ctl_rejected_show(struct ctl *ctl)
{
	struct store_rejected rejected = {0};
	struct store_rejected_reason reason = {0};
	struct slice bytes = {NULL, 0};
	int64_t id;
	enum ctl_exit usage = ctl_read_id(ctl, "rejected payload", &id);

	if (usage != CTL_FINE)
		return usage;
	if (ctl_has(ctl, CTL_RAW) && ctl_has(ctl, CTL_JSON))
		return ctl_fail(CTL_USAGE, NULL, "--raw cannot be combined with --json");
	const struct store_rejected_ref ref = {.id = id};
	enum status status = store_rejected_show(&ctl->store, &ref, &rejected);
	if (status == STATUS_OK)
		status = store_rejected_bytes(&ctl->store, &ref, &bytes);
	if (status == STATUS_OK)
		status = store_rejected_reason(&ctl->store, id, &reason);
	if (status != STATUS_OK)
		return ctl_fail_status(ctl, status);
	if (ctl_has(ctl, CTL_JSON))
		return add_json(ctl, &rejected, &reason, bytes);
	if (!ctl_has(ctl, CTL_RAW))
		return add_text(ctl, &rejected, &reason, bytes);
	buf_add_slice(&ctl->out, bytes);
	return CTL_FINE;
}

/* ---- discard ---- */

enum ctl_exit ctl_rejected_discard(struct ctl *ctl)
{
	int64_t id;
	enum ctl_exit usage = ctl_read_id(ctl, "rejected payload", &id);

	if (usage != CTL_FINE)
		return usage;
	enum status status =
		store_rejected_discard(&ctl->store, &(struct store_rejected_ref){.id = id});
	if (status != STATUS_OK)
		return ctl_fail_status(ctl, status);
	if (ctl_has(ctl, CTL_JSON)) {
		struct json_tree tree = {0};
		struct json_object *root = json_tree_object(&tree, NULL, NULL);
		json_tree_int(&tree, root, "id", id);
		return ctl_add_tree(ctl, &tree);
	}
	buf_add_format(&ctl->out, "rejected payload %" PRId64 " is discarded\n", id);
	return CTL_FINE;
}
