/*
 * ctl/product_org.c - sluicectl product-org list, product-org show, product-org updates: what is
 * known of product orgs. See ctl/ctl_internal.h.
 */
#include "ctl/ctl_internal.h"

#include <stdio.h>

#include "store/document.h"
#include "store/export.h"

static struct store_question question_of(const struct ctl *ctl)
{
	return (struct store_question){
		.organization = ctl_value(ctl, CTL_ORGANIZATION),
		.product_org = slice_of(ctl->argument),
		.match = ctl_value(ctl, CTL_MATCH),
		.plan = ctl_value(ctl, CTL_PLAN),
		.trial_status = ctl_value(ctl, CTL_TRIAL_STATUS),
		.before = ctl_value(ctl, CTL_BEFORE),
		.limit = ctl_has(ctl, CTL_LIMIT) ? ctl_value(ctl, CTL_LIMIT) : SLICE("20"),
	};
}

enum ctl_exit ctl_product_org_list(struct ctl *ctl)
{
	static const struct ctl_field fields[] = {
		{"PRODUCT ORG", "product_org_id"},
		{"NAME", "name"},
		{"PLAN", "plan_name"},
		{"USERS", "user_count"},
		{"MRR", "mrr_amount"},
		{"CURRENCY", "currency"},
		{"TRIAL", "trial_status"},
		{"ACTIVE", "last_active_at"},
		{"RECEIVED", "received_at"},
	};
	struct store_question question = question_of(ctl);
	struct slice answer;
	enum ctl_exit result = ctl_check_format(ctl);

	if (result != CTL_FINE)
		return result;
	if (ctl_has(ctl, CTL_FORMAT))
		return ctl_export(ctl, STORE_PRODUCT_ORG_STATES, &store_export_product_orgs,
				  &question);
	result = ctl_ask_document(ctl, STORE_PRODUCT_ORG_STATES, &question, &answer);
	if (result != CTL_FINE || ctl_has(ctl, CTL_JSON))
		return result == CTL_FINE ? ctl_add_document(ctl, answer) : result;
	result = ctl_print_rows(ctl, answer, "product_orgs", fields, ARRAY_LENGTH(fields));
	return result == CTL_FINE ? ctl_say_next(ctl, answer) : result;
}

/* ---- show ---- */

static const char *const properties[] = {
	"product_org_id", "name",     "plan_id",      "plan_name",	"user_count",	 "mrr",
	"mrr_amount",	  "currency", "trial_status", "last_active_at", "feature_flags", "custom",
	"received_at",	  "id",	      "key_id",	      "key_name",
};

static enum ctl_exit add_state(struct ctl *ctl, struct slice answer)
{
	enum { ROWS = ARRAY_LENGTH(properties) };
	static const char *const headings[] = {"PROPERTY", "VALUE"};
	char paths[ROWS][CTL_PATH_BYTES];
	struct slice values[ROWS], cells[2 * ROWS];

	for (size_t i = 0; i < ROWS; i++)
		(void)snprintf(paths[i], CTL_PATH_BYTES, "product_org.%s", properties[i]);
	enum status status = ctl_find_cells(&ctl->arena, answer, paths, ROWS, values);
	if (status != STATUS_OK)
		return ctl_fail_status(ctl, status);
	for (size_t i = 0; i < ROWS; i++) {
		cells[2 * i] = slice_of(properties[i]);
		cells[2 * i + 1] = values[i];
	}
	const struct ctl_table table = {headings, 2, cells, ROWS, .wraps = true};
	ctl_add_table(&ctl->out, &ctl->screen, &table);
	buf_add_char(&ctl->out, '\n');
	return CTL_FINE;
}

enum ctl_exit ctl_product_org_show(struct ctl *ctl)
{
	static const struct ctl_field fields[] = {
		{"ID", "id"},
		{"RECEIVED", "received_at"},
		{"PLAN", "plan_name"},
		{"USERS", "user_count"},
		{"MRR", "mrr_amount"},
		{"TRIAL", "trial_status"},
		{"STATUS", "status"},
		{"KEY", "key_name"},
		{"WARNINGS", "warnings"},
	};
	struct store_question question = question_of(ctl);
	struct slice answer;
	enum ctl_exit result = ctl_check_limit(ctl);

	if (result == CTL_FINE)
		result = ctl_check_id(ctl, CTL_BEFORE);
	if (result == CTL_FINE)
		result = ctl_ask_document(ctl, STORE_PRODUCT_ORG, &question, &answer);
	if (result != CTL_FINE || ctl_has(ctl, CTL_JSON))
		return result == CTL_FINE ? ctl_add_document(ctl, answer) : result;
	result = add_state(ctl, answer);
	if (result == CTL_FINE)
		result = ctl_print_rows(ctl, answer, "updates", fields, ARRAY_LENGTH(fields));
	return result == CTL_FINE ? ctl_say_next(ctl, answer) : result;
}

/* ---- updates ---- */

enum ctl_exit ctl_product_org_updates(struct ctl *ctl)
{
	static const struct ctl_field fields[] = {
		{"ID", "id"},
		{"RECEIVED", "received_at"},
		{"PRODUCT ORG", "product_org_id"},
		{"NAME", "name"},
		{"PLAN", "plan_name"},
		{"USERS", "user_count"},
		{"MRR", "mrr_amount"},
		{"STATUS", "status"},
		{"KEY", "key_name"},
		{"WARNINGS", "warnings"},
	};
	enum ctl_exit result = ctl_check_id(ctl, CTL_BEFORE);

	return result == CTL_FINE ? ctl_search(ctl, STORE_PRODUCT_ORGS, &store_export_updates,
					       fields, ARRAY_LENGTH(fields))
				  : result;
}
