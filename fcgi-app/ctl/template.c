/*
 * ctl/template.c - sluicectl template try, and reading a template's file. See ctl/ctl_internal.h.
 *
 * The payload is read and mapped by the workers' own code, so what is shown is what would be
 * stored.
 */
#include "ctl/ctl_internal.h"

#include "config/config.h"
#include "http/problem.h"
#include "intake/intake.h"
#include "model/template_try.h"

/* ---- places in a file ---- */

/* As editors count, from 1; columns are characters. */
struct position {
	size_t line, column;
};

static struct position position_of(struct slice text, uint64_t offset)
{
	struct position position = {1, 1};

	for (size_t i = 0; i < text.n && i < offset; i++) {
		if (text.p[i] == '\n')
			position = (struct position){position.line + 1, 1};
		else
			position.column += ((unsigned char)text.p[i] & 0xc0) != 0x80;
	}
	return position;
}

enum ctl_exit ctl_read_template(struct ctl *ctl, struct slice *text, struct template **compiled)
{
	const char *path = ctl->values[CTL_TEMPLATE];
	struct template_fault fault;
	enum ctl_exit result = ctl_read_file(ctl, "template", path, TEMPLATE_BYTES, text);

	if (result != CTL_FINE)
		return result;
	enum status status = template_compile(&ctl->arena, *text, compiled, &fault);
	if (status != STATUS_INVALID_TEMPLATE)
		return status == STATUS_OK ? CTL_FINE : ctl_fail_status(ctl, status);
	struct position at = position_of(*text, fault.offset);
	return ctl_fail(CTL_FAILED, NULL, "template \"%s\", line %zu, column %zu: %s", path,
			at.line, at.column, fault.message.p);
}

/* ---- rows ---- */

/* A dry run. */
struct trial {
	struct ctl *ctl;
	const char *name; /* of the payload, in messages */
	bool quiet;	  /* rows are not shown */
	size_t rejected;
	struct json_tree tree;
	struct json_object *rows; /* of --json, else NULL */
};

static void add_row_json(struct json_tree *tree, struct json_object *rows,
			 const struct template_trial *item)
{
	struct json_object *row = json_tree_object(tree, rows, NULL);

	json_tree_int(tree, row, "index", (int64_t)item->index);
	template_cells_json(item->cells, tree, row);
	template_warnings_json(item, tree, row);
	if (item->status == STATUS_OK) {
		json_tree_text(tree, row, "error", SLICE_ABSENT);
		return;
	}
	struct json_object *error = json_tree_object(tree, row, "error");
	json_tree_text(tree, error, "code", slice_of(problem_of(item->status)->code));
	json_tree_text(tree, error, "detail", item->detail);
}

static void add_row(struct ctl *ctl, const struct template_trial *item)
{
	static const char *const headings[] = {"FIELD", "VALUE"};
	struct slice cells[2 * TEMPLATE_CELLS];
	struct buf *out = &ctl->out;

	buf_add_format(out, "%sitem %zu\n", item->index > 0 ? "\n" : "", item->index + 1);
	for (size_t i = 0; i < TEMPLATE_CELLS; i++) {
		cells[2 * i] = slice_of(item->cells[i].name);
		cells[2 * i + 1] = item->cells[i].text;
	}
	if (item->status != STATUS_OK) {
		buf_add_format(out, "rejected: %s: ", problem_of(item->status)->code);
		ctl_add_escaped(out, item->detail);
		buf_add_char(out, '\n');
		return;
	}
	const struct ctl_table table = {headings, 2, cells, TEMPLATE_CELLS, .wraps = true};
	ctl_add_table(out, &ctl->screen, &table);
	for (size_t i = 0; i < item->warning_count; i++) {
		buf_add_text(out, "warning: ");
		ctl_add_escaped(out, item->warnings[i].field);
		buf_add_format(out, " %s\n", item->warnings[i].reason);
	}
}

static enum status take_item(void *context, const struct template_trial *item)
{
	struct trial *trial = context;

	if (item->status != STATUS_OK)
		trial->rejected++;
	if (trial->quiet)
		return STATUS_OK;
	if (trial->rows != NULL)
		add_row_json(&trial->tree, trial->rows, item);
	else
		add_row(trial->ctl, item);
	return trial->tree.status != STATUS_OK ? trial->tree.status : trial->ctl->out.status;
}

/* ---- the payload ---- */

/* The limits without a configuration. */
static enum status default_limits(struct arena *arena, struct config *config,
				  struct json_limits *limits)
{
	size_t count = 0;
	const struct config_setting *settings = config_settings(&count);
	enum status status = STATUS_OK;

	for (size_t i = 0; i < count && status == STATUS_OK; i++)
		status = config_setting_read(&settings[i], slice_of(settings[i].default_text),
					     arena, config);
	*limits = intake_json_limits(config, INTAKE_SINGLE);
	return status;
}

static enum ctl_exit fail_payload(const struct trial *trial, struct slice text, uint64_t offset,
				  const char *reason, enum status status)
{
	if (status == STATUS_NO_MEMORY)
		return ctl_fail_status(trial->ctl, STATUS_NO_MEMORY);
	struct position at = position_of(text, offset);
	return ctl_fail(CTL_FAILED, NULL, "payload \"%s\", line %zu, column %zu: %s: %s",
			trial->name, at.line, at.column, problem_of(status)->code,
			*reason == '\0' ? problem_of(status)->title : reason);
}

static enum ctl_exit judge(const struct trial *trial, size_t items)
{
	if (items == 0)
		return ctl_fail(CTL_FAILED, NULL, "payload \"%s\": the array is empty",
				trial->name);
	if (trial->rejected > 0)
		return ctl_fail(
			CTL_FAILED,
			trial->ctl->command->run == ctl_key_edit
				? "correct the template, or try it on the payloads of --try FILE"
				: NULL,
			"payload \"%s\": %zu of %zu items would be rejected", trial->name,
			trial->rejected, items);
	return CTL_FINE;
}

static enum ctl_exit try_payload(struct trial *trial, const struct template *compiled,
				 const struct json_limits *limits, struct slice text)
{
	struct ctl *ctl = trial->ctl;
	size_t items = 0;
	uint64_t offset;
	const char *reason;

	if (ctl_has(ctl, CTL_JSON) && !trial->quiet)
		trial->rows = json_tree_array(
			&trial->tree, json_tree_object(&trial->tree, NULL, NULL), "results");
	enum status status = template_try(&ctl->arena, compiled, limits, text, take_item, trial,
					  &items, &offset, &reason);
	/* Nothing is shown of a body that cannot be read to its end. */
	if (status != STATUS_OK || items == 0)
		buf_reset(&ctl->out, 0);
	else if (trial->rows != NULL)
		(void)ctl_add_tree(ctl, &trial->tree);
	json_tree_free(&trial->tree);
	return status == STATUS_OK ? judge(trial, items)
				   : fail_payload(trial, text, offset, reason, status);
}

enum ctl_exit ctl_try_template(struct ctl *ctl, const struct template *compiled, const char *path,
			       struct slice payload, bool quiet)
{
	struct trial trial = {.ctl = ctl, .name = path, .quiet = quiet};
	struct json_limits limits;
	struct config config = {0};
	enum status status = default_limits(&ctl->arena, &config, &limits);
	enum ctl_exit result = CTL_FINE;

	if (status != STATUS_OK)
		return ctl_fail_status(ctl, status);
	if (payload.p == NULL)
		result = ctl_read_file(ctl, "payload", path, (size_t)config.single_body_bytes,
				       &payload);
	return result == CTL_FINE ? try_payload(&trial, compiled, &limits, payload) : result;
}

enum ctl_exit ctl_template_try(struct ctl *ctl)
{
	struct template *compiled = NULL;
	struct slice template;
	enum ctl_exit result = ctl_read_template(ctl, &template, &compiled);

	if (result != CTL_FINE)
		return result;
	return ctl_try_template(ctl, compiled, ctl->values[CTL_PAYLOAD], SLICE_ABSENT, false);
}
