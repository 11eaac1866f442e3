/*
 * settings/template.c - payload templates: whether one is right, and what it makes of a payload.
 * See settings/settings.h.
 */
#include "settings/settings.h"

#include "http/problem.h"
#include "json/write.h"
#include "model/template_try.h"

/* ---- compiling ---- */

static void add_step(struct buf *out, struct slice name)
{
	if (name.p == NULL)
		return;
	if (out->n > 0)
		buf_add_char(out, '.');
	buf_add_slice(out, name);
}

enum status settings_template_compile(struct settings *settings, const char *member,
				      struct slice text, struct template **compiled)
{
	struct template_fault fault;
	struct buf place = buf_make(4096);
	enum status status = template_compile(&settings->arena, text, compiled, &fault);

	if (status == STATUS_OK)
		return status;
	if (status != STATUS_INVALID_TEMPLATE)
		return settings_fail(settings, status, NULL);
	add_step(&place, slice_of(member));
	add_step(&place, fault.field);
	add_step(&place, fault.custom);
	buf_add_char(&place, '\0');
	status = settings_refuse_as(settings, member == NULL ? status : STATUS_INVALID_REQUEST,
				    place.status == STATUS_OK ? place.p : "", fault.message);
	buf_free(&place);
	return status;
}

/* ---- the dry run ---- */

enum { TRY_ITEMS_MAX = 20 };

/* A payload that is being tried. */
struct attempt {
	struct buf *out;
	size_t items;
};

static enum status take_item(void *context, const struct template_trial *trial)
{
	struct attempt *attempt = context;
	struct buf *out = attempt->out;

	if (attempt->items++ == TRY_ITEMS_MAX)
		return STATUS_END;
	json_write_comma(out);
	buf_add_char(out, '{');
	if (trial->status != STATUS_OK) {
		json_write_member_json(out, "error", SLICE("{"));
		json_write_member(out, "code", slice_of(problem_of(trial->status)->code));
		json_write_member(out, "detail", trial->detail);
		buf_add_text(out, "}}");
		return out->status;
	}
	json_write_member_json(out, "row", SLICE("{"));
	template_cells_json(trial->cells, out);
	buf_add_char(out, '}');
	json_write_member_json(out, "warnings", SLICE(""));
	template_warnings_json(trial, out);
	buf_add_char(out, '}');
	return out->status;
}

/* The limits of a payload, as the workers are configured. */
static struct json_limits limits_of(const struct config *config)
{
	return (struct json_limits){
		.item_bytes = (size_t)config->item_bytes,
		.items = (uint64_t)config->batch_items,
		.depth = (unsigned)config->json_depth,
		.number_digits = (unsigned)config->json_number_digits,
		.number_exponent = (unsigned)config->json_number_exponent,
	};
}

static enum status try_payload(struct settings *settings, const struct template *compiled,
			       struct slice payload)
{
	const struct json_limits limits = limits_of(settings->config);
	struct attempt attempt = {.out = settings_answer(settings, STATUS_OK)};
	size_t items;
	uint64_t offset;
	const char *reason;

	buf_add_text(attempt.out, "{\"results\":[");
	enum status status = template_try(&settings->arena, compiled, &limits, payload, take_item,
					  &attempt, &items, &offset, &reason);
	buf_add_text(attempt.out, "]}");
	if (status == STATUS_OK || status == STATUS_END)
		return STATUS_OK;
	if (status == STATUS_NO_MEMORY || attempt.out->status != STATUS_OK)
		return settings_fail(settings, STATUS_NO_MEMORY, NULL);
	return settings_refuse(settings, "payload",
			       slice_of(*reason == '\0' ? problem_of(status)->title : reason));
}

enum status settings_template_try(struct settings *settings)
{
	static const char *const names[] = {"payload_template", "payload", NULL};
	struct template *compiled;
	struct slice found[2];
	enum status status = settings_members(settings, names, found);

	if (status != STATUS_OK)
		return status;
	status = store_settings_may_manage_keys(&settings->store, settings->organization);
	if (status != STATUS_OK)
		return settings_fail_store(settings, status);
	for (size_t i = 0; i < 2; i++) {
		if (found[i].p == NULL)
			return settings_refuse(settings, names[i], SLICE("is missing"));
	}
	status = settings_template_compile(settings, NULL, found[0], &compiled);
	return status == STATUS_OK ? try_payload(settings, compiled, found[1]) : status;
}
