/*
 * model/template.c - compiling a payload template and applying it. See model/template.h.
 */
#include "model/template.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/decimal.h"
#include "json/path.h"
#include "json/text.h"
#include "json/walk.h"
#include "model/event_time.h"
#include "model/identity.h"

enum kind { KIND_TEXT, KIND_NUMBER, KIND_TIMESTAMP, KIND_OBJECT };

/* All fields except those under "custom". The first is mandatory. */
static const struct field {
	const char *name;
	enum kind kind;
	size_t offset; /* of the member in struct product_org */
} fields[] = {
	{"product_org_id", KIND_TEXT, offsetof(struct product_org, product_org_id)},
	{"name", KIND_TEXT, offsetof(struct product_org, name)},
	{"plan_id", KIND_TEXT, offsetof(struct product_org, plan_id)},
	{"plan_name", KIND_TEXT, offsetof(struct product_org, plan_name)},
	{"user_count", KIND_NUMBER, offsetof(struct product_org, user_count)},
	{"mrr", KIND_NUMBER, offsetof(struct product_org, mrr)},
	{"trial_status", KIND_TEXT, offsetof(struct product_org, trial_status)},
	{"last_active_at", KIND_TIMESTAMP, offsetof(struct product_org, last_active_at_us)},
	{"feature_flags", KIND_OBJECT, offsetof(struct product_org, feature_flags)},
};

enum { FIELDS = ARRAY_LENGTH(fields) };

/* Members with the delivery's id, whatever the template says; as for signals. */
static const char *const message_names[] = {"messageId", "message_id"};

enum { MESSAGE_ID_SNAKE = 1, MESSAGE_IDS = ARRAY_LENGTH(message_names) };

/* A custom field. */
struct custom {
	struct slice name;
	struct slice label; /* its name as JSON, with a colon */
	struct slice field; /* for warnings */
	size_t slot;
};

struct template
{
	struct json_paths *paths;
	bool mapped[FIELDS];
	size_t slots[FIELDS];
	struct custom custom[TEMPLATE_CUSTOM_FIELDS];
	size_t custom_count;
	size_t id_slots[MESSAGE_IDS];
};

/* ---- compiling ---- */

static const struct json_limits limits = {
	.item_bytes = TEMPLATE_BYTES,
	.items = 1,
	.depth = 64,
	.number_digits = 400,
	.number_exponent = 400,
};

/* A template while it is compiled. */
struct compiler {
	struct arena *arena;
	struct slice text;
	struct template *template;
	struct template_fault *fault;
	struct slice field, custom; /* the member that is read, and the one of "custom" */
	bool custom_seen;
};

/* Notes what is wrong at a place of the template's text. */
static enum status invalid(struct compiler *compiler, const char *at, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static enum status invalid(struct compiler *compiler, const char *at, const char *format, ...)
{
	struct template_fault *fault = compiler->fault;
	va_list args;

	fault->offset = (uint64_t)(at - compiler->text.p);
	fault->field = compiler->field;
	fault->custom = compiler->custom;
	va_start(args, format);
	fault->message = slice_of(arena_vformat(compiler->arena, format, args));
	va_end(args);
	return fault->message.p == NULL ? STATUS_NO_MEMORY : STATUS_INVALID_TEMPLATE;
}

/* A name or path of the template without its escapes. */
static enum status read_string(struct compiler *compiler, struct slice value, struct slice *out)
{
	bool needs_repair = false;
	enum status status = json_text_check(value, &limits, NULL, NULL, &needs_repair);

	if (status == STATUS_OK && needs_repair)
		return invalid(compiler, value.p,
			       "a name or path holds \\u0000 or half of a surrogate pair, which "
			       "cannot be stored");
	if (status == STATUS_OK)
		status = json_text_string(compiler->arena, value, out);
	return status;
}

/* A field's value; kind is "field" or "custom field". */
static enum status read_path(struct compiler *compiler, const char *kind, struct slice name,
			     struct slice value, size_t *slot)
{
	struct slice path;
	const char *reason = NULL;

	if (*value.p != '"')
		return invalid(compiler, value.p, "%s \"%.*s\": a path must be a string", kind,
			       (int)name.n, name.p);
	enum status status = read_string(compiler, value, &path);
	if (status == STATUS_OK)
		status = json_paths_add(compiler->template->paths, path, slot, &reason);
	if (status != STATUS_INVALID_VALUE)
		return status;
	bool shown = path.n > 0 && path.n <= JSON_PATH_BYTES;
	return invalid(compiler, value.p, "%s \"%.*s\": the path %s%.*s%s%s", kind, (int)name.n,
		       name.p, shown ? "\"" : "", shown ? (int)path.n : 0, path.p,
		       shown ? "\" " : "", reason);
}

/* ---- custom fields ---- */

static const char custom_prefix[] = "custom.";

static enum status make_custom(struct arena *arena, struct slice name, struct custom *custom)
{
	struct buf label = buf_make(SIZE_MAX / 2), field = buf_make(SIZE_MAX / 2);

	buf_add_json(&label, name);
	buf_add_char(&label, ':');
	buf_add_text(&field, custom_prefix);
	buf_add_slice(&field, name);
	custom->label = arena_move(arena, &label);
	custom->field = arena_move(arena, &field);
	if (custom->label.p == NULL || custom->field.p == NULL)
		return STATUS_NO_MEMORY;
	custom->name = (struct slice){custom->field.p + sizeof(custom_prefix) - 1, name.n};
	return STATUS_OK;
}

static enum status check_custom_name(struct compiler *compiler, const char *at, struct slice name)
{
	const struct template *template = compiler->template;

	if (name.n == 0)
		return invalid(compiler, at, "a custom field's name is empty");
	if (name.n > TEMPLATE_NAME_BYTES)
		return invalid(compiler, at, "a custom field's name is longer than 256 bytes");
	for (size_t i = 0; i < template->custom_count; i++) {
		if (slice_equal(template->custom[i].name, name))
			return invalid(compiler, at, "custom field \"%.*s\" is given twice",
				       (int)name.n, name.p);
	}
	if (template->custom_count == TEMPLATE_CUSTOM_FIELDS)
		return invalid(compiler, at, "there are more than 100 custom fields");
	return STATUS_OK;
}

static enum status take_custom(struct compiler *compiler, const struct json_walk *walk)
{
	struct template *template = compiler->template;
	struct custom *custom = &template->custom[template->custom_count];
	struct slice name;

	compiler->custom = SLICE_ABSENT;
	enum status status = read_string(compiler, walk->name, &name);
	if (status != STATUS_OK)
		return status;
	compiler->custom = name;
	status = check_custom_name(compiler, walk->name.p, name);
	if (status == STATUS_OK)
		status = make_custom(compiler->arena, name, custom);
	if (status == STATUS_OK)
		status = read_path(compiler, "custom field", name, walk->value, &custom->slot);
	if (status == STATUS_OK)
		template->custom_count++;
	return status;
}

typedef enum status take_member(struct compiler *compiler, const struct json_walk *walk);

static enum status each_member(struct compiler *compiler, struct slice object, take_member *take)
{
	struct json_walk walk;
	enum status status = STATUS_OK;

	json_walk_open(&walk, object);
	while (status == STATUS_OK && json_walk_next(&walk))
		status = take(compiler, &walk);
	json_walk_close(&walk);
	return status;
}

static enum status take_customs(struct compiler *compiler, const struct json_walk *walk)
{
	if (compiler->custom_seen)
		return invalid(compiler, walk->name.p, "\"custom\" is given twice");
	compiler->custom_seen = true;
	if (*walk->value.p != '{')
		return invalid(compiler, walk->value.p,
			       "\"custom\" must be an object of names and paths");
	return each_member(compiler, walk->value, take_custom);
}

/* ---- the other fields ---- */

static enum status take_field(struct compiler *compiler, const struct json_walk *walk)
{
	struct template *template = compiler->template;
	struct slice name;

	compiler->field = compiler->custom = SLICE_ABSENT;
	enum status status = read_string(compiler, walk->name, &name);
	if (status != STATUS_OK)
		return status;
	compiler->field = name;
	if (slice_equal(name, SLICE("custom")))
		return take_customs(compiler, walk);
	for (size_t i = 0; i < FIELDS; i++) {
		if (!slice_equal(name, slice_of(fields[i].name)))
			continue;
		if (template->mapped[i])
			return invalid(compiler, walk->name.p, "field \"%s\" is given twice",
				       fields[i].name);
		template->mapped[i] = true;
		return read_path(compiler, "field", name, walk->value, &template->slots[i]);
	}
	bool shown = name.n <= TEMPLATE_NAME_BYTES;
	return invalid(compiler, walk->name.p,
		       "unknown field%s%.*s%s; fields of your own belong under \"custom\"",
		       shown ? " \"" : "", shown ? (int)name.n : 0, name.p, shown ? "\"" : "");
}

static enum status compile(struct compiler *compiler)
{
	struct slice text = compiler->text;
	struct slice object = slice_trim(text);
	const char *reason = "";
	uint64_t offset = 0;

	if (text.n > TEMPLATE_BYTES)
		return invalid(compiler, text.p + TEMPLATE_BYTES, "the template is over 64 KiB");
	enum status status = json_text_check(text, &limits, &offset, &reason, NULL);
	if (status == STATUS_NO_MEMORY)
		return status;
	if (status != STATUS_OK)
		return invalid(compiler, text.p + offset, "the template is not valid JSON: %s",
			       reason);
	if (*object.p != '{')
		return invalid(compiler, object.p, "the template is not a JSON object");
	status = each_member(compiler, object, take_field);
	if (status != STATUS_OK || compiler->template->mapped[0])
		return status;
	compiler->field = slice_of(fields[0].name);
	compiler->custom = SLICE_ABSENT;
	return invalid(compiler, object.p, "the template must map product_org_id");
}

enum status template_compile(struct arena *arena, struct slice text, struct template **compiled,
			     struct template_fault *fault)
{
	struct compiler compiler = {.arena = arena, .text = text, .fault = fault};

	*fault = (struct template_fault){0};
	*compiled = NULL;
	compiler.template = arena_alloc(arena, sizeof(*compiler.template));
	if (compiler.template == NULL)
		return STATUS_NO_MEMORY;
	compiler.template->paths = json_paths_make(arena);
	if (compiler.template->paths == NULL)
		return STATUS_NO_MEMORY;
	enum status status = compile(&compiler);
	for (size_t i = 0; i < MESSAGE_IDS && status == STATUS_OK; i++) {
		const char *reason;
		status = json_paths_add(compiler.template->paths, slice_of(message_names[i]),
					&compiler.template->id_slots[i], &reason);
	}
	if (status == STATUS_OK)
		*compiled = compiler.template;
	return status;
}

/* ---- applying: values to members of the row ---- */

/* A row while it is made. */
struct applier {
	const struct template *template;
	struct arena *arena;
	struct product_org *row;
	int64_t received_us;
	struct slice *found; /* by slot */
};

static const char no_text[] = "is neither a string nor a number, true or false";
static const char too_long[] = "is longer than 1,024 bytes";

static enum status warn(struct applier *applier, struct slice field, const char *reason)
{
	struct product_org *row = applier->row;
	size_t most = FIELDS + applier->template->custom_count;

	if (row->warnings == NULL)
		row->warnings = arena_array(applier->arena, most, sizeof(*row->warnings));
	if (row->warnings == NULL)
		return STATUS_NO_MEMORY;
	row->warnings[row->warning_count++] = (struct warning){field, reason};
	return STATUS_OK;
}

static bool is_missing(struct slice value)
{
	return value.p == NULL || *value.p == 'n';
}

/* Each of these sets *reason to why the value cannot be used, or to NULL. */

static enum status take_text(struct arena *arena, struct slice value, struct slice *out,
			     const char **reason)
{
	bool is_scalar = *value.p != '{' && *value.p != '[';
	struct slice text;
	enum status status = json_text_scalar(arena, value, PRODUCT_ORG_TEXT_BYTES, &text);

	*reason = NULL;
	if (text.p == NULL)
		*reason = is_scalar ? too_long : no_text;
	else if (text.n == 0)
		*reason = "is empty";
	else
		*out = text;
	return status;
}

/* A value whose text is usable: a number names nothing when it is zero. */
static bool is_id(struct slice value, struct slice text)
{
	return json_text_is_number(value) ? identity_is_number_id(text) : identity_is_id(text);
}

/* The first that is a usable text or number. */
static enum status take_message_id(struct applier *applier)
{
	enum status status = STATUS_OK;
	const char *reason;

	for (size_t i = 0; i < MESSAGE_IDS && status == STATUS_OK; i++) {
		struct slice value = applier->found[applier->template->id_slots[i]];
		if (value.p == NULL || (*value.p != '"' && !json_text_is_number(value)))
			continue;
		struct slice id = SLICE_ABSENT;
		status = take_text(applier->arena, value, &id, &reason);
		if (id.p == NULL || !is_id(value, id))
			continue;
		applier->row->message_id = id;
		applier->row->repeat_by_bytes = i == MESSAGE_ID_SNAKE;
		break;
	}
	return status;
}

static enum status take_number(struct arena *arena, struct slice value,
			       struct product_org_number *out, const char **reason)
{
	struct slice text = SLICE_ABSENT;
	struct decimal decimal;

	*reason = "is not a whole number";
	if (*value.p != '"' && !json_text_is_number(value))
		return STATUS_OK;
	enum status status = json_text_scalar(arena, value, SIZE_MAX, &text);
	if (status != STATUS_OK || !decimal_read(slice_trim(text), &decimal))
		return status;
	out->given = decimal_int(&decimal, &out->value, reason);
	if (out->given)
		*reason = NULL;
	return STATUS_OK;
}

static enum status take_timestamp(struct applier *applier, struct slice value, int64_t *out,
				  const char **reason)
{
	int64_t us = INT64_MIN;
	enum status status = event_time_read(applier->arena, value, &us, reason);

	if (status == STATUS_OK && *reason == NULL)
		*reason = event_time_fault(us, applier->received_us);
	if (status == STATUS_OK && *reason == NULL)
		*out = us;
	return status;
}

static enum status take_object(struct slice value, struct slice *out, const char **reason)
{
	*reason = *value.p == '{' ? NULL : "is not an object";
	if (*reason == NULL)
		*out = value;
	return STATUS_OK;
}

static enum status take_value(struct applier *applier, const struct field *field,
			      struct slice value, const char **reason)
{
	void *member = (char *)applier->row + field->offset;

	switch (field->kind) {
	case KIND_TEXT:
		return take_text(applier->arena, value, member, reason);
	case KIND_NUMBER:
		return take_number(applier->arena, value, member, reason);
	case KIND_TIMESTAMP:
		return take_timestamp(applier, value, member, reason);
	case KIND_OBJECT:
		return take_object(value, member, reason);
	}
	return STATUS_INTERNAL;
}

static enum status apply_field(struct applier *applier, size_t i)
{
	struct slice value = SLICE_ABSENT;
	const char *reason = NULL;

	if (applier->template->mapped[i])
		value = applier->found[applier->template->slots[i]];
	if (is_missing(value))
		return STATUS_OK;
	enum status status = take_value(applier, &fields[i], value, &reason);
	if (status == STATUS_OK && reason != NULL)
		status = warn(applier, slice_of(fields[i].name), reason);
	return status;
}

/* ---- applying: custom fields ---- */

/* Paths may lead to the same large value again and again; a row must not grow by that. */
static enum status choose_customs(struct applier *applier, bool *chosen, size_t *bytes)
{
	const struct template *template = applier->template;
	size_t left = applier->row->payload.n;
	enum status status = STATUS_OK;

	*bytes = 0;
	for (size_t i = 0; i < template->custom_count && status == STATUS_OK; i++) {
		struct slice value = applier->found[template->custom[i].slot];
		if (is_missing(value))
			continue;
		chosen[i] = value.n <= left;
		if (!chosen[i]) {
			status = warn(applier, template->custom[i].field,
				      "makes the custom values longer than the payload");
			continue;
		}
		left -= value.n;
		*bytes += template->custom[i].label.n + value.n + 1;
	}
	return status;
}

static enum status apply_customs(struct applier *applier)
{
	const struct template *template = applier->template;
	bool chosen[TEMPLATE_CUSTOM_FIELDS] = {false};
	size_t bytes;
	enum status status = choose_customs(applier, chosen, &bytes);

	if (status != STATUS_OK || bytes == 0)
		return status;
	/* A comma or the first brace for each, and the last brace. */
	char *room = arena_alloc(applier->arena, bytes + 2);
	if (room == NULL)
		return STATUS_NO_MEMORY;
	struct buf text = {.p = room, .size = bytes + 2, .cap = bytes + 1, .status = STATUS_OK};
	for (size_t i = 0; i < template->custom_count; i++) {
		if (!chosen[i])
			continue;
		buf_add_char(&text, text.n == 0 ? '{' : ',');
		buf_add_slice(&text, template->custom[i].label);
		buf_add_slice(&text, applier->found[template->custom[i].slot]);
	}
	buf_add_char(&text, '}');
	applier->row->custom = buf_slice(&text);
	return text.status;
}

/* ---- applying: the row ---- */

static enum status apply_product_org_id(struct applier *applier)
{
	struct product_org *row = applier->row;
	const char *reason = "is missing";
	enum status status = apply_field(applier, 0);

	if (row->product_org_id.p != NULL) {
		if (is_id(applier->found[applier->template->slots[0]], row->product_org_id))
			return status;
		/* All product orgs that have none would be the same one. */
		row->product_org_id = SLICE_ABSENT;
		reason = "is blank, zero, a nil UUID, null or undefined, which is no id";
	}
	if (status == STATUS_OK && row->warning_count == 0)
		status = warn(applier, slice_of(fields[0].name), reason);
	return status == STATUS_OK ? STATUS_MISSING_PRODUCT_ORG_ID : status;
}

enum status template_apply(const struct template *compiled, struct arena *arena, struct slice text,
			   bool needs_repair, int64_t received_us, struct product_org *out)
{
	struct applier applier = {
		.template = compiled, .arena = arena, .row = out, .received_us = received_us};
	enum status status = STATUS_OK;

	*out = (struct product_org){.payload = text, .last_active_at_us = INT64_MIN};
	if (needs_repair) {
		out->payload_raw = text;
		status = json_text_repaired(arena, text, &out->payload);
	}
	if (status != STATUS_OK)
		return status;
	applier.found =
		arena_array(arena, json_paths_slots(compiled->paths), sizeof(*applier.found));
	if (applier.found == NULL)
		return STATUS_NO_MEMORY;
	status = json_paths_find(compiled->paths, arena, out->payload, applier.found);
	if (status == STATUS_OK)
		status = take_message_id(&applier);
	if (status == STATUS_OK)
		status = apply_product_org_id(&applier);
	for (size_t i = 1; i < FIELDS && status == STATUS_OK; i++)
		status = apply_field(&applier, i);
	return status == STATUS_OK ? apply_customs(&applier) : status;
}
