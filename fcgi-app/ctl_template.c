/*
 * ctl_template.c - sluicectl template try, and reading a template's file. See ctl.h.
 *
 * The payload is read by the workers' own reader and the row is made by their own code, so what is
 * shown is what would be stored. No database is asked.
 */
#include "ctl.h"

#include <string.h>

#include "file.h"
#include "instant.h"
#include "json_text.h"
#include "template.h"

/* ---- files, and places in them ---- */

static enum ctl_exit read_file(struct ctl *ctl, const char *what, const char *path,
			       size_t max_bytes, struct slice *text)
{
	const char *message = NULL;
	enum status status = file_read(&ctl->arena, path, max_bytes, text, &message);

	if (status == STATUS_MISCONFIGURED)
		return ctl_fail(CTL_FAILED, NULL, "could not read the %s \"%s\": %s", what, path,
				message);
	return status == STATUS_OK ? CTL_FINE : ctl_fail_status(ctl, status);
}

/* As an editor counts, both from 1; columns are characters. */
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
	enum ctl_exit result = read_file(ctl, "template", path, TEMPLATE_BYTES, text);

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

/* A payload that is being read. */
struct trial {
	struct ctl *ctl;
	const struct template *template;
	size_t items;
	size_t rejected;
};

/* JSON on one line: received texts may have line breaks between their values. */
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
	return number.given ? ctl_int_text(arena, number.value) : (struct slice){NULL, 0};
}

static struct slice instant_text(struct arena *arena, int64_t us)
{
	struct buf text = buf_make(64);
	struct slice copy = {NULL, 0};

	if (us != INT64_MIN)
		instant_add(&text, us);
	if (text.n > 0)
		copy = slice_of(arena_copy(arena, buf_slice(&text)));
	buf_free(&text);
	return copy;
}

/* A row as cells; the order is that of the columns of product_org_staging. */
struct cell {
	const char *name;
	struct slice text;
	bool is_json; /* a number or a value that is JSON already */
};

enum { CELLS = 10 };

static void fill_cells(struct arena *arena, const struct product_org *row, struct cell cells[CELLS])
{
	const struct cell all[CELLS] = {
		{"product_org_id", row->product_org_id, false},
		{"name", row->name, false},
		{"plan_id", row->plan_id, false},
		{"plan_name", row->plan_name, false},
		{"user_count", number_text(arena, row->user_count), true},
		{"mrr", number_text(arena, row->mrr), true},
		{"trial_status", row->trial_status, false},
		{"last_active_at", instant_text(arena, row->last_active_at_us), false},
		{"feature_flags", one_line(arena, row->feature_flags), true},
		{"custom", one_line(arena, row->custom), true},
	};

	memcpy(cells, all, sizeof(all));
}

static void add_row_json(struct trial *trial, const struct cell cells[CELLS],
			 const struct product_org *row, const char *code, struct slice detail)
{
	struct buf *out = &trial->ctl->out;

	json_out_comma(out);
	buf_add_char(out, '{');
	json_out_member_int(out, "index", (int64_t)trial->items);
	for (size_t i = 0; i < CELLS; i++) {
		if (cells[i].is_json)
			json_out_member_json(out, cells[i].name, cells[i].text);
		else
			json_out_member(out, cells[i].name, cells[i].text);
	}
	json_out_member_json(out, "warnings", SLICE("["));
	for (size_t i = 0; code == NULL && i < row->warning_count; i++) {
		json_out_comma(out);
		buf_add_char(out, '{');
		json_out_member(out, "field", row->warnings[i].field);
		json_out_member(out, "reason", slice_of(row->warnings[i].reason));
		buf_add_char(out, '}');
	}
	buf_add_char(out, ']');
	json_out_member_json(out, "error", code == NULL ? (struct slice){NULL, 0} : SLICE("{"));
	if (code != NULL) {
		json_out_member(out, "code", slice_of(code));
		json_out_member(out, "detail", detail);
		buf_add_char(out, '}');
	}
	buf_add_char(out, '}');
}

static void add_row(struct trial *trial, const struct cell cells[CELLS],
		    const struct product_org *row, const char *code, struct slice detail)
{
	static const char *const heads[] = {"FIELD", "VALUE"};
	struct buf *out = &trial->ctl->out;
	struct slice table[2 * CELLS];

	buf_add_format(out, "%sitem %zu\n", trial->items > 0 ? "\n" : "", trial->items);
	for (size_t i = 0; i < CELLS; i++) {
		table[2 * i] = slice_of(cells[i].name);
		table[2 * i + 1] = cells[i].text;
	}
	if (code != NULL) {
		buf_add_format(out, "rejected: %s: ", code);
		ctl_add_escaped(out, detail);
		buf_add_char(out, '\n');
		return;
	}
	ctl_add_table(out, heads, 2, table, CELLS);
	for (size_t i = 0; i < row->warning_count; i++) {
		buf_add_text(out, "warning: ");
		ctl_add_escaped(out, row->warnings[i].field);
		buf_add_format(out, " %s\n", row->warnings[i].reason);
	}
}

/* ---- items ---- */

/* Why an item makes no row, as a sentence in the arena. */
static struct slice describe(struct arena *arena, const struct json_item *item,
			     const struct product_org *row)
{
	struct buf text = buf_make(1024);
	struct slice copy;

	if (item->status != STATUS_OK) {
		buf_add_format(&text, "%s at byte ", item->reason);
		buf_add_int(&text, (int64_t)item->bad_offset);
	} else {
		buf_add_slice(&text, row->warnings[0].field);
		buf_add_format(&text, " %s", row->warnings[0].reason);
	}
	copy = slice_of(arena_copy(arena, buf_slice(&text)));
	buf_free(&text);
	return copy;
}

static enum status take_item(void *context, const struct json_item *item)
{
	struct trial *trial = context;
	struct arena *arena = &trial->ctl->arena;
	struct product_org row = {.last_active_at_us = INT64_MIN};
	struct slice text = {arena_copy(arena, item->text), item->text.n}, detail = {NULL, 0};
	struct cell cells[CELLS];
	enum status status = item->status;

	if (text.p == NULL)
		return STATUS_NO_MEMORY;
	if (status == STATUS_OK)
		status = template_apply(trial->template, arena, text, item->needs_repair, &row);
	if (status == STATUS_NO_MEMORY)
		return status;
	const char *code = status == STATUS_OK ? NULL : status_code(status);
	if (code != NULL) {
		detail = describe(arena, item, &row);
		trial->rejected++;
	}
	fill_cells(arena, &row, cells);
	(ctl_has(trial->ctl, CTL_JSON) ? add_row_json : add_row)(trial, cells, &row, code, detail);
	trial->items++;
	return trial->ctl->out.status;
}

/* ---- the payload ---- */

/* The limits that hold where nothing is configured. */
static enum status default_limits(struct arena *arena, struct config *config,
				  struct json_limits *limits)
{
	size_t count = 0;
	const struct config_setting *settings = config_settings(&count);
	enum status status = STATUS_OK;

	for (size_t i = 0; i < count && status == STATUS_OK; i++)
		status = config_setting_read(&settings[i], slice_of(settings[i].default_text),
					     arena, config);
	*limits = (struct json_limits){
		.item_bytes = (size_t)config->item_bytes,
		.items = (uint64_t)config->batch_items,
		.depth = (unsigned)config->json_depth,
		.number_digits = (unsigned)config->json_number_digits,
		.number_exponent = (unsigned)config->json_number_exponent,
	};
	return status;
}

static enum ctl_exit refuse_payload(const struct trial *trial, const struct json_reader *reader,
				    struct slice text, enum status status)
{
	uint64_t offset = 0;
	const char *reason = "";

	if (status == STATUS_NO_MEMORY || trial->ctl->out.status != STATUS_OK)
		return ctl_fail_status(trial->ctl, STATUS_NO_MEMORY);
	json_reader_error(reader, &offset, &reason);
	struct position at = position_of(text, offset);
	return ctl_fail(CTL_FAILED, NULL, "payload \"%s\", line %zu, column %zu: %s: %s",
			trial->ctl->values[CTL_PAYLOAD], at.line, at.column, status_code(status),
			*reason == '\0' ? status_title(status) : reason);
}

static enum ctl_exit judge(const struct trial *trial)
{
	const char *path = trial->ctl->values[CTL_PAYLOAD];

	if (trial->items == 0)
		return ctl_fail(CTL_FAILED, NULL, "payload \"%s\": the array holds no item", path);
	if (trial->rejected > 0)
		return ctl_fail(CTL_FAILED, NULL,
				"payload \"%s\": %zu of %zu items would be rejected", path,
				trial->rejected, trial->items);
	return CTL_FINE;
}

static enum ctl_exit try_payload(struct trial *trial, const struct json_limits *limits,
				 struct slice text)
{
	struct ctl *ctl = trial->ctl;
	struct json_reader *reader = NULL;
	enum ctl_exit result = CTL_FINE;
	enum status status = json_reader_open(&reader, JSON_FORM_SINGLE, limits, take_item, trial);

	if (ctl_has(ctl, CTL_JSON))
		buf_add_char(&ctl->out, '[');
	if (status == STATUS_OK)
		status = json_reader_feed(reader, text.p, text.n);
	if (status == STATUS_OK)
		status = json_reader_end(reader);
	if (status != STATUS_OK)
		result = refuse_payload(trial, reader, text, status);
	else
		result = judge(trial);
	if (ctl_has(ctl, CTL_JSON))
		buf_add_text(&ctl->out, "]\n");
	/* Half of a body, or nothing, is not shown. */
	if (status != STATUS_OK || trial->items == 0)
		buf_reset(&ctl->out, 0);
	json_reader_close(reader);
	return result;
}

enum ctl_exit ctl_template_try(struct ctl *ctl)
{
	struct template *compiled = NULL;
	struct trial trial = {.ctl = ctl};
	struct json_limits limits;
	struct config config = {0};
	struct slice template, payload;
	enum ctl_exit result = ctl_read_template(ctl, &template, &compiled);

	if (result != CTL_FINE)
		return result;
	enum status status = default_limits(&ctl->arena, &config, &limits);
	if (status != STATUS_OK)
		return ctl_fail_status(ctl, status);
	result = read_file(ctl, "payload", ctl->values[CTL_PAYLOAD],
			   (size_t)config.single_body_bytes, &payload);
	if (result != CTL_FINE)
		return result;
	trial.template = compiled;
	return try_payload(&trial, &limits, payload);
}
