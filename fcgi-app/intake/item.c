/*
 * intake/item.c - good items to rows: signals, or product-org updates by the key's payload
 * template. See intake/intake.h.
 */
#include "intake/intake_internal.h"

#include "json/text.h"
#include "json/walk.h"

/* ---- the envelope ---- */

/* A copy that outlives the reader; absent if the member is. */
static enum status copy_beside(struct arena *arena, const struct json_reader *reader,
			       const char *name, struct slice *copy)
{
	struct slice value = json_reader_beside(reader, name);

	*copy = SLICE_ABSENT;
	if (value.p == NULL)
		return STATUS_OK;
	*copy = (struct slice){arena_copy(arena, value), value.n};
	return copy->p == NULL ? STATUS_NO_MEMORY : STATUS_OK;
}

/* The same of an envelope that was kept with an item. */
static enum status read_item_envelope(struct intake *intake, struct commit_request *commit)
{
	struct signal_given *given = &intake->given;
	struct slice sent_at = SLICE_ABSENT; /* PostHog's */
	struct json_walk walk;

	commit->envelope = intake->item_envelope;
	json_walk_open(&walk, intake->item_envelope);
	while (json_walk_next(&walk)) {
		if (json_text_is_name(walk.name, SLICE("context")))
			given->envelope_context = walk.value;
		else if (json_text_is_name(walk.name, SLICE("timestamp")))
			given->envelope_timestamp = walk.value;
		else if (json_text_is_name(walk.name, SLICE("sentAt")))
			given->envelope_sent_at = walk.value;
		else if (json_text_is_name(walk.name, SLICE("sent_at")))
			sent_at = walk.value;
	}
	if (given->envelope_sent_at.p == NULL)
		given->envelope_sent_at = sent_at;
	enum status status = json_walk_finish(&walk);
	json_walk_close(&walk);
	return status;
}

enum status intake_read_envelope(struct intake *intake, struct arena *arena,
				 const struct json_reader *reader, struct commit_request *commit)
{
	struct signal_given *given = &intake->given;

	given->source = intake->given_source;
	if (intake->item_envelope.p != NULL)
		return read_item_envelope(intake, commit);
	enum status status = json_reader_envelope(reader, arena, &commit->envelope);

	if (status != STATUS_OK || commit->envelope.p == NULL)
		return status;
	intake->tells_code = json_reader_beside(reader, "api_key").p != NULL;
	status = copy_beside(arena, reader, "context", &given->envelope_context);
	if (status == STATUS_OK)
		status = copy_beside(arena, reader, "timestamp", &given->envelope_timestamp);
	if (status == STATUS_OK)
		status = copy_beside(arena, reader, "sentAt", &given->envelope_sent_at);
	if (status == STATUS_OK && given->envelope_sent_at.p == NULL)
		status = copy_beside(arena, reader, "sent_at", &given->envelope_sent_at);
	return status;
}

bool intake_has_room_for_envelope(struct intake *intake, const struct commit_request *commit,
				  size_t items_before)
{
	if (commit->envelope.n > intake->envelope_bytes_left)
		return items_before == 0;
	intake->envelope_bytes_left -= commit->envelope.n;
	return true;
}

/* ---- signals ---- */

enum status intake_read_item(const struct intake *intake, struct arena *arena,
			     const struct intake_item *item, struct signal *signal)
{
	return signal_read(arena, item->text, item->needs_repair, &intake->given, signal);
}

/* An id in a header is for a body that is one item without an id of its own. */
static void give_id(const struct intake *intake, struct slice *message_id)
{
	if (intake->single && message_id->p == NULL)
		*message_id = intake->given_id;
}

enum status intake_read_signals(struct intake *intake)
{
	size_t count = intake->item_count;

	intake->signals = arena_array(intake->arena, count, sizeof(*intake->signals));
	intake->commit.results = arena_array(intake->arena, count, sizeof(*intake->commit.results));
	if (intake->signals == NULL || intake->commit.results == NULL)
		return STATUS_NO_MEMORY;
	for (size_t i = 0; i < count; i++) {
		struct signal *signal = &intake->signals[i];
		enum status status =
			intake_read_item(intake, intake->arena, &intake->items[i], signal);
		if (status != STATUS_OK)
			return status;
		signal->position = intake->single ? -1 : (int64_t)intake->items[i].index;
		signal->in_envelope = intake_has_room_for_envelope(intake, &intake->commit, i);
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
	enum status status = template_apply(template, arena, item->text, item->needs_repair,
					    intake->given.received_us, row);

	if (status == STATUS_OK)
		status = warnings_json(arena, row->warnings, row->warning_count,
				       &row->warnings_text);
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
		if (status == STATUS_OK) {
			row->in_envelope = intake_has_room_for_envelope(intake, &intake->commit, i);
			intake->items[intake->item_count++] = item;
		} else if (status == STATUS_MISSING_PRODUCT_ORG_ID) {
			status = reject_item(intake, &item, status, reason_of(intake, row), &at);
		}
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
	return intake_keep(intake, SLICE_ABSENT, true);
}
