/*
 * intake/item.c - good items to rows: signals, or product-org updates by the key's payload
 * template. See intake/intake.h.
 */
#include "intake/intake_internal.h"

#include "json/edit.h"

enum status intake_read_item(const struct intake *intake, struct arena *arena,
			     const struct json_reader *reader, const struct intake_item *item,
			     struct signal *signal)
{
	struct slice timestamp = json_reader_beside(reader, "timestamp");
	const struct json_default defaults[] = {
		{"context", json_reader_beside(reader, "context")},
		{"timestamp",
		 timestamp.p != NULL ? timestamp : json_reader_beside(reader, "sentAt")},
	};
	const struct json_edits edits = {defaults, ARRAY_LENGTH(defaults)};
	struct slice text;
	enum status status = json_edit(arena, item->text, &edits, &text);

	if (status != STATUS_OK)
		return status;
	return signal_read(arena, text, item->needs_repair, intake->given_source, signal);
}

/* An id in a header is for a body that is one item without an id of its own. */
static void give_id(const struct intake *intake, struct slice *message_id)
{
	if (intake->single && message_id->p == NULL)
		*message_id = intake->given_id;
}

enum status intake_read_signals(struct intake *intake, const struct json_reader *reader,
				size_t bytes_max)
{
	size_t count = intake->item_count;

	intake->signals = arena_array(intake->arena, count, sizeof(*intake->signals));
	intake->commit.results = arena_array(intake->arena, count, sizeof(*intake->commit.results));
	if (intake->signals == NULL || intake->commit.results == NULL)
		return STATUS_NO_MEMORY;
	for (size_t i = 0; i < count; i++) {
		enum status status = intake_read_item(intake, intake->arena, reader,
						      &intake->items[i], &intake->signals[i]);
		if (status != STATUS_OK)
			return status;
		intake->signals[i].position = intake->single ? -1 : (int64_t)intake->items[i].index;
		if (intake->signals[i].payload.n > bytes_max)
			return STATUS_TOO_LARGE;
		bytes_max -= intake->signals[i].payload.n;
	}
	give_id(intake, &intake->signals[0].message_id);
	intake->commit.signals = intake->signals;
	intake->commit.item_count = count;
	return STATUS_OK;
}

/* ---- product orgs ---- */

bool intake_wants_template(const struct intake *intake)
{
	return intake->kind == INTAKE_PRODUCT_ORGS && !intake->unreadable &&
	       intake->item_count > 0 && intake->product_orgs == NULL;
}

/* STATUS_OK, STATUS_NO_MEMORY, or what is wrong with the item. */
static enum status map_item(const struct intake *intake, const struct template *template,
			    const struct intake_item *item, struct product_org *row)
{
	struct arena *arena = intake->arena;
	enum status status = template_apply(template, arena, item->text, item->needs_repair, row);

	if (status == STATUS_OK)
		status = product_org_warnings(arena, row, &row->warnings_text);
	row->position = intake->single ? -1 : (int64_t)item->index;
	return status;
}

/* Why the item makes no row, in the arena; NULL when there is no memory. */
static const char *reason_of(const struct intake *intake, const struct product_org *row)
{
	struct slice field = row->warnings[0].field;

	return arena_format(intake->arena, "%.*s %s, in the item", (int)field.n, field.p,
			    row->warnings[0].reason);
}

/* Inserts a bad item by its index; *at is where the one before was inserted. */
static enum status reject_item(struct intake *intake, const struct intake_item *item,
			       enum status why, const char *reason, struct intake_error ***at)
{
	struct intake_error *error = arena_alloc(intake->arena, sizeof(*error));

	if (error == NULL || reason == NULL)
		return STATUS_NO_MEMORY;
	while (**at != NULL && (**at)->index < item->index)
		*at = &(**at)->next;
	*error = (struct intake_error){.index = item->index,
				       .status = why,
				       .offset = item->offset,
				       .reason = reason,
				       .text = item->text,
				       .length = item->text.n,
				       .next = **at};
	**at = error;
	intake->accepted--;
	intake->rejected++;
	return STATUS_OK;
}

static enum status map_items(struct intake *intake, const struct template *template)
{
	struct intake_error **at = &intake->errors;
	size_t count = intake->item_count;
	enum status status = STATUS_OK;

	intake->item_count = 0;
	for (size_t i = 0; i < count && status == STATUS_OK; i++) {
		const struct intake_item item = intake->items[i];
		struct product_org *row = &intake->product_orgs[intake->item_count];
		status = map_item(intake, template, &item, row);
		if (status == STATUS_OK)
			intake->items[intake->item_count++] = item;
		else if (status == STATUS_MISSING_PRODUCT_ORG_ID)
			status = reject_item(intake, &item, status, reason_of(intake, row), &at);
	}
	return status;
}

enum status intake_map(struct intake *intake, const struct template *template)
{
	struct commit_request *commit = &intake->commit;
	size_t count = intake->item_count;

	intake->product_orgs = arena_array(intake->arena, count, sizeof(*intake->product_orgs));
	commit->results = arena_array(intake->arena, count, sizeof(*commit->results));
	if (intake->product_orgs == NULL || commit->results == NULL)
		return STATUS_NO_MEMORY;
	enum status status = map_items(intake, template);
	if (status != STATUS_OK)
		return status;
	intake_judge_items(intake);
	if (intake->body_status == STATUS_OK) {
		give_id(intake, &intake->product_orgs[0].message_id);
		commit->product_orgs = intake->product_orgs;
		commit->item_count = intake->item_count;
	}
	commit->wants_template = false;
	return intake_keep(intake, SLICE_ABSENT, true);
}
