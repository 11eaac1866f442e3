/*
 * ctl/key_volumes.c - sluicectl key volumes. See ctl/ctl_internal.h.
 */
#include "ctl/ctl_internal.h"
#include "store/document.h"

static enum ctl_exit read_question(struct ctl *ctl, struct store_question *question)
{
	*question = (struct store_question){
		.organization = ctl_value(ctl, CTL_ORGANIZATION),
		.key_id = ctl_value(ctl, CTL_KEY),
		.limit = ctl_value(ctl, CTL_LIMIT),
	};
	enum ctl_exit result = ctl_check_id(ctl, CTL_KEY);

	return result == CTL_FINE ? ctl_check_limit(ctl) : result;
}

enum ctl_exit ctl_key_volumes(struct ctl *ctl)
{
	static const struct ctl_field fields[] = {
		{"KEY", "key_id"},
		{"NAME", "key_name"},
		{"TODAY", "accepted_today"},
		{"7 DAYS", "accepted_7_days"},
		{"REJECTED", "rejected_7_days"},
		{"REFUSED", "refused_7_days"},
		{"LAST ACCEPTED", "last_accepted_at"},
		{"LAST REJECTED", "last_rejected_at"},
		{"LAST REFUSED", "last_refused_at"},
	};
	struct store_question question;
	struct slice json;
	enum ctl_exit result = read_question(ctl, &question);

	if (result == CTL_FINE)
		result = ctl_ask_document(ctl, STORE_KEY_VOLUMES, &question, &json);
	if (result != CTL_FINE)
		return result;
	if (!ctl_has(ctl, CTL_JSON))
		return ctl_print_rows(ctl, json, "volumes", fields, ARRAY_LENGTH(fields));
	return ctl_add_document(ctl, json);
}
