/*
 * ctl/rejected.c - sluicectl rejected list, rejected show. See ctl/ctl.h.
 *
 * The bytes come from senders and may be anything: they are escaped unless --raw asks for them.
 */
#include "ctl/ctl.h"

enum { PREVIEW_BYTES = 1000 };

static void add_json(struct buf *out, const struct store_rejected *entry)
{
	json_write_member_int(out, "id", entry->id);
	json_write_member(out, "organization", entry->organization);
	json_write_member_int(out, "key_id", entry->key_id);
	json_write_member(out, "key_display", entry->key_display);
	json_write_member(out, "received_at", entry->received_at);
	json_write_member(out, "request_id", entry->request_id);
	json_write_member_json(out, "position", entry->position);
	json_write_member(out, "kind", entry->kind);
	json_write_member(out, "code", entry->code);
	json_write_member(out, "detail", entry->detail);
	json_write_member(out, "source", entry->source);
	json_write_member_int(out, "kept_bytes", entry->kept_bytes);
	json_write_member_json(out, "payload_bytes", entry->payload_bytes);
	json_write_member_bool(out, "truncated", entry->truncated);
	json_write_member(out, "replayed_at", entry->replayed_at);
	json_write_member(out, "replayed_by", entry->replayed_by);
	json_write_member_json(out, "replayed_ids", entry->replayed_ids);
}

/* ---- list ---- */

static enum ctl_exit print_list(struct ctl *ctl, const struct store_rejected_list *list)
{
	static const char *const heads[] = {"ID",   "RECEIVED", "ORGANIZATION", "KEY",
					    "ITEM", "CODE",	"BYTES",	"REPLAYED"};
	enum { COLUMNS = ARRAY_LENGTH(heads) };
	struct slice *cells = arena_array(&ctl->arena, list->count * COLUMNS, sizeof(*cells));

	if (cells == NULL && list->count > 0)
		return ctl_fail_status(ctl, STATUS_NO_MEMORY);
	for (size_t i = 0; i < list->count; i++) {
		const struct store_rejected *entry = &list->items[i];
		struct slice *row = cells + i * COLUMNS;
		row[0] = arena_int(&ctl->arena, entry->id);
		row[1] = entry->received_at;
		row[2] = entry->organization;
		row[3] = entry->key_display;
		row[4] = entry->position;
		row[5] = entry->code;
		row[6] = arena_int(&ctl->arena, entry->kept_bytes);
		row[7] = entry->replayed_at;
	}
	ctl_add_table(&ctl->out, heads, COLUMNS, cells, list->count);
	return CTL_FINE;
}

enum ctl_exit ctl_rejected_list(struct ctl *ctl)
{
	struct store_rejected_list list;
	struct store_timestamp since = {0};

	if (ctl_has(ctl, CTL_SINCE)) {
		enum ctl_exit usage = ctl_read_timestamp(ctl, CTL_SINCE, "-", &since);
		if (usage != CTL_FINE)
			return usage;
	}
	enum status status = store_rejected_list(&ctl->store, ctl_value(ctl, CTL_ORGANIZATION),
						 since.text, &list);
	if (status != STATUS_OK)
		return ctl_fail_status(ctl, status);
	if (!ctl_has(ctl, CTL_JSON))
		return print_list(ctl, &list);
	buf_add_char(&ctl->out, '[');
	for (size_t i = 0; i < list.count; i++) {
		json_write_comma(&ctl->out);
		buf_add_char(&ctl->out, '{');
		add_json(&ctl->out, &list.items[i]);
		buf_add_char(&ctl->out, '}');
	}
	buf_add_text(&ctl->out, "]\n");
	return CTL_FINE;
}

/* ---- show ---- */

static void print_entry(struct ctl *ctl, const struct store_rejected *entry, struct slice bytes)
{
	static const char *const heads[] = {"PROPERTY", "VALUE"};
	const struct slice cells[] = {
		SLICE("id"),
		arena_int(&ctl->arena, entry->id),
		SLICE("organization"),
		entry->organization,
		SLICE("key_id"),
		arena_int(&ctl->arena, entry->key_id),
		SLICE("key_display"),
		entry->key_display,
		SLICE("received_at"),
		entry->received_at,
		SLICE("request_id"),
		entry->request_id,
		SLICE("position"),
		entry->position,
		SLICE("kind"),
		entry->kind,
		SLICE("code"),
		entry->code,
		SLICE("detail"),
		entry->detail,
		SLICE("source"),
		entry->source,
		SLICE("kept_bytes"),
		arena_int(&ctl->arena, entry->kept_bytes),
		SLICE("payload_bytes"),
		entry->payload_bytes,
		SLICE("truncated"),
		entry->truncated ? SLICE("yes") : SLICE("no"),
		SLICE("replayed_at"),
		entry->replayed_at,
		SLICE("replayed_by"),
		entry->replayed_by,
		SLICE("replayed_ids"),
		entry->replayed_ids,
	};
	bool whole = bytes.n <= PREVIEW_BYTES;

	ctl_add_table(&ctl->out, heads, 2, cells, ARRAY_LENGTH(cells) / 2);
	buf_add_char(&ctl->out, '\n');
	ctl_add_escaped(&ctl->out, (struct slice){bytes.p, whole ? bytes.n : PREVIEW_BYTES});
	buf_add_text(&ctl->out, whole ? "\n" : "…\n");
}

enum ctl_exit ctl_rejected_show(struct ctl *ctl)
{
	struct store_rejected entry = {0};
	struct slice bytes = SLICE_ABSENT;
	int64_t id;
	enum ctl_exit usage = ctl_read_id(ctl, "rejected payload", &id);

	if (usage != CTL_FINE)
		return usage;
	if (ctl_has(ctl, CTL_RAW) && ctl_has(ctl, CTL_JSON))
		return ctl_fail(CTL_USAGE, NULL, "--raw cannot be combined with --json");
	enum status status = store_rejected_show(&ctl->store, id, &entry);
	if (status == STATUS_OK)
		status = store_rejected_bytes(&ctl->store, id, &bytes);
	if (status != STATUS_OK)
		return ctl_fail_status(ctl, status);
	if (ctl_has(ctl, CTL_RAW)) {
		buf_add_slice(&ctl->out, bytes);
	} else if (ctl_has(ctl, CTL_JSON)) {
		buf_add_char(&ctl->out, '{');
		add_json(&ctl->out, &entry);
		json_write_member(&ctl->out, "payload", bytes);
		buf_add_text(&ctl->out, "}\n");
	} else {
		print_entry(ctl, &entry, bytes);
	}
	return CTL_FINE;
}
