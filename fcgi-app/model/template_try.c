/*
 * model/template_try.c - see model/template_try.h.
 */
#include "model/template_try.h"

#include <string.h>

#include "base/clock.h"
#include "base/timestamp.h"

/* ---- cells ---- */

/* Without blanks between values, where received texts may have line breaks. */
static struct slice one_line(struct arena *arena, struct slice json)
{
	char *out = json.p == NULL ? NULL : arena_alloc(arena, json.n + 1);
	bool in_string = false;
	size_t n = 0;

	for (size_t i = 0; out != NULL && i < json.n; i++) {
		if (json.p[i] == '"')
			in_string = !in_string;
		if (!in_string && slice_is_blank(json.p[i]))
			continue;
		out[n++] = json.p[i];
		if (in_string && json.p[i] == '\\')
			out[n++] = json.p[++i];
	}
	return (struct slice){out, n};
}

static struct slice number_text(struct arena *arena, struct product_org_number number)
{
	return number.given ? arena_int(arena, number.value) : SLICE_ABSENT;
}

static struct slice timestamp_text(struct arena *arena, int64_t us)
{
	struct buf text = buf_make(64);

	if (us != INT64_MIN)
		timestamp_add(&text, us);
	return arena_move(arena, &text);
}

static void fill_cells(struct arena *arena, const struct product_org *row,
		       struct template_cell cells[TEMPLATE_CELLS])
{
	const struct template_cell all[TEMPLATE_CELLS] = {
		{"product_org_id", row->product_org_id, false},
		{"name", row->name, false},
		{"plan_id", row->plan_id, false},
		{"plan_name", row->plan_name, false},
		{"user_count", number_text(arena, row->user_count), true},
		{"mrr", number_text(arena, row->mrr), true},
		{"trial_status", row->trial_status, false},
		{"last_active_at", timestamp_text(arena, row->last_active_at_us), false},
		{"feature_flags", one_line(arena, row->feature_flags), true},
		{"custom", one_line(arena, row->custom), true},
	};

	memcpy(cells, all, sizeof(all));
}

void template_cells_json(const struct template_cell cells[TEMPLATE_CELLS], struct json_tree *tree,
			 struct json_object *object)
{
	for (size_t i = 0; i < TEMPLATE_CELLS; i++) {
		if (cells[i].is_json)
			json_tree_json(tree, object, cells[i].name, cells[i].text);
		else
			json_tree_text(tree, object, cells[i].name, cells[i].text);
	}
}

void template_warnings_json(const struct template_trial *trial, struct json_tree *tree,
			    struct json_object *object)
{
	struct json_object *list = json_tree_array(tree, object, "warnings");

	for (size_t i = 0; i < trial->warning_count; i++) {
		struct json_object *warning = json_tree_object(tree, list, NULL);
		json_tree_text(tree, warning, "field", trial->warnings[i].field);
		json_tree_text(tree, warning, "reason", slice_of(trial->warnings[i].reason));
	}
}

/* ---- items ---- */

struct run {
	struct arena *arena;
	const struct template *compiled;
	template_trial_sink *sink;
	void *context;
	size_t items;
	int64_t received_us;
};

/* Why an item makes no row, in the arena. */
static struct slice describe(struct arena *arena, const struct json_item *item,
			     const struct product_org *row)
{
	const struct warning *first = row->warnings;

	if (item->status != STATUS_OK)
		return slice_of(
			arena_format(arena, JSON_REASON_FORMAT, item->reason, item->bad_offset));
	return slice_of(
		arena_format(arena, "%.*s %s", (int)first->field.n, first->field.p, first->reason));
}

static enum status take_item(void *context, const struct json_item *item)
{
	struct run *run = context;
	struct product_org row = {.last_active_at_us = INT64_MIN};
	struct slice text = {arena_copy(run->arena, item->text), item->text.n};
	struct template_trial trial = {.index = run->items++};
	enum status status = item->status;

	if (text.p == NULL)
		return STATUS_NO_MEMORY;
	if (status == STATUS_OK)
		status = template_apply(run->compiled, run->arena, text, item->needs_repair,
					run->received_us, &row);
	if (status == STATUS_NO_MEMORY)
		return status;
	trial.status = status;
	if (status != STATUS_OK) {
		trial.detail = describe(run->arena, item, &row);
	} else {
		trial.warnings = row.warnings;
		trial.warning_count = row.warning_count;
	}
	fill_cells(run->arena, &row, trial.cells);
	return run->sink(run->context, &trial);
}

enum status template_try(struct arena *arena, const struct template *compiled,
			 const struct json_limits *limits, struct slice payload,
			 template_trial_sink *sink, void *context, size_t *items, uint64_t *offset,
			 const char **reason)
{
	struct run run = {.arena = arena,
			  .compiled = compiled,
			  .sink = sink,
			  .context = context,
			  .received_us = clock_unix_us()};
	struct json_reader *reader = NULL;
	enum status status = json_reader_open(&reader, JSON_FORM_SINGLE, limits, take_item, &run);

	*offset = 0;
	*reason = "";
	if (status == STATUS_OK)
		status = json_reader_feed(reader, payload.p, payload.n);
	if (status == STATUS_OK)
		status = json_reader_end(reader);
	if (status != STATUS_OK && reader != NULL)
		json_reader_error(reader, offset, reason);
	json_reader_close(reader);
	*items = run.items;
	return status;
}
