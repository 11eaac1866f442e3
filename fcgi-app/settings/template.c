/*
 * settings/template.c - payload templates: compiling one, and its dry run on a payload. See
 * settings/settings_internal.h.
 */
#include "http/problem.h"
#include "intake/intake.h"
#include "model/template_try.h"
#include "settings/settings_internal.h"

/* ---- compiling ---- */

enum { PLACE_BYTES_MAX = 4096 };

/* A dot and a name, unless that is absent. */
static void add_step(struct buf *place, struct slice name)
{
	if (name.p == NULL)
		return;
	if (place->n > 0)
		buf_add_char(place, '.');
	buf_add_slice(place, name);
}

enum status settings_template_compile(struct settings *settings, const char *member,
				      struct slice text, struct template **compiled)
{
	struct template_fault fault;
	struct buf place = buf_make(PLACE_BYTES_MAX);
	enum status status = template_compile(&settings->arena, text, compiled, &fault);

	if (status == STATUS_OK)
		return status;
	if (status != STATUS_INVALID_TEMPLATE)
		return settings_problem(settings, status, NULL);
	add_step(&place, slice_of(member));
	add_step(&place, fault.field);
	add_step(&place, fault.custom);
	buf_add_char(&place, '\0');
	status = settings_problem_at(settings, member == NULL ? status : STATUS_INVALID_REQUEST,
				     place.status == STATUS_OK ? place.p : "", fault.message);
	buf_free(&place);
	return status;
}

/* ---- the dry run ---- */

enum { TRY_ITEMS_MAX = 20 };

struct dry_run {
	struct json_tree tree;
	struct json_object *results;
	size_t items;
};

static enum status add_result(void *context, const struct template_trial *trial)
{
	struct dry_run *run = context;
	struct json_tree *tree = &run->tree;

	if (run->items++ == TRY_ITEMS_MAX)
		return STATUS_END;
	struct json_object *result = json_tree_object(tree, run->results, NULL);
	if (trial->status == STATUS_OK) {
		template_cells_json(trial->cells, tree, json_tree_object(tree, result, "row"));
		template_warnings_json(trial, tree, result);
	} else {
		struct json_object *error = json_tree_object(tree, result, "error");
		json_tree_text(tree, error, "code", slice_of(problem_of(trial->status)->code));
		json_tree_text(tree, error, "detail", trial->detail);
	}
	return tree->status;
}

static enum status try_payload(struct settings *settings, const struct template *compiled,
			       struct slice payload)
{
	const struct json_limits limits = intake_json_limits(settings->config, INTAKE_SINGLE);
	struct dry_run run = {0};
	struct json_object *object = json_tree_object(&run.tree, NULL, NULL);
	size_t items;
	uint64_t offset;
	const char *reason;

	run.results = json_tree_array(&run.tree, object, "results");
	enum status status = template_try(&settings->arena, compiled, &limits, payload, add_result,
					  &run, &items, &offset, &reason);
	if (status == STATUS_OK || status == STATUS_END)
		return settings_answer(settings, STATUS_OK, &run.tree);
	json_tree_free(&run.tree);
	if (status == STATUS_NO_MEMORY)
		return settings_problem(settings, status, NULL);
	return settings_invalid(settings, "payload",
				slice_of(*reason == '\0' ? problem_of(status)->title : reason));
}

enum status settings_template_try(struct settings *settings)
{
	struct json_member members[] = {
		{.name = "payload_template", .type = JSON_MEMBER_JSON},
		{.name = "payload", .type = JSON_MEMBER_JSON},
	};
	struct template *compiled;
	enum status status = settings_body(settings, members, 2);

	if (status != STATUS_OK)
		return status;
	status = store_settings_may_manage_keys(&settings->store, settings->organization);
	if (status != STATUS_OK)
		return settings_problem_store(settings, status);
	for (size_t i = 0; i < 2; i++) {
		if (!members[i].given)
			return settings_fault(settings, STATUS_INVALID_REQUEST,
					      SETTINGS_FAULT_missing, members[i].name,
					      SLICE("is missing"));
	}
	status = settings_template_compile(settings, NULL, members[0].text, &compiled);
	return status == STATUS_OK ? try_payload(settings, compiled, members[1].text) : status;
}
