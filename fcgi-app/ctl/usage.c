/*
 * ctl/usage.c - sluicectl usage, organization limit. See ctl/ctl_internal.h.
 */
#include "ctl/ctl_internal.h"

#include <string.h>

#include "store/organization.h"
#include "store/usage.h"

/* YYYY-MM, an existing month of an existing year. */
static bool is_month(const char *text)
{
	static const char pattern[] = "dddd-dd";

	if (strlen(text) != sizeof(pattern) - 1)
		return false;
	for (size_t i = 0; i < sizeof(pattern) - 1; i++) {
		bool digit = text[i] >= '0' && text[i] <= '9';
		if (pattern[i] == 'd' ? !digit : text[i] != pattern[i])
			return false;
	}
	int month = (text[5] - '0') * 10 + text[6] - '0';
	return strncmp(text, "0000", 4) != 0 && month >= 1 && month <= 12;
}

/* The month's first day; absent when no month is given. */
static enum ctl_exit read_month(struct ctl *ctl, struct slice *day)
{
	const char *text = ctl->values[CTL_MONTH];
	char first[] = "YYYY-MM-01";

	*day = SLICE_ABSENT;
	if (text == NULL)
		return CTL_FINE;
	if (!is_month(text))
		return ctl_fail(CTL_USAGE, "write 2031-05", "\"%s\" is not a month", text);
	memcpy(first, text, strlen(text));
	*day = slice_of(arena_copy(&ctl->arena, slice_of(first)));
	return day->p == NULL ? ctl_fail_status(ctl, STATUS_NO_MEMORY) : CTL_FINE;
}

enum ctl_exit ctl_usage(struct ctl *ctl)
{
	struct store_selection selection;
	struct store_list usages;
	struct slice day;
	enum ctl_exit result = ctl_read_selection(ctl, &selection);

	if (result == CTL_FINE)
		result = read_month(ctl, &day);
	if (result != CTL_FINE)
		return result;
	enum status status = store_usage_list(&ctl->store, ctl_value(ctl, CTL_ORGANIZATION), day,
					      &selection, &usages);
	return status == STATUS_OK ? ctl_print_list(ctl, "usage", &usages)
				   : ctl_fail_status(ctl, status);
}

/* ---- limits ---- */

static enum ctl_exit check_limit(const struct ctl *ctl)
{
	struct slice signals = ctl_value(ctl, CTL_SIGNALS);
	struct slice overages = ctl_value(ctl, CTL_OVERAGES);
	int64_t number;

	if (signals.p == NULL && overages.p == NULL)
		return ctl_fail(CTL_USAGE, NULL, "give --signals, --overages, or both");
	if (signals.p != NULL && !slice_to_int(signals, &number))
		return ctl_fail(CTL_USAGE, "0 means no limit", "\"%s\" is not a number of signals",
				signals.p);
	return CTL_FINE;
}

/* The usage of one organization: a list of one, but with --json only its item. */
static enum ctl_exit print_usage(struct ctl *ctl, const struct store_list *usages)
{
	if (ctl_has(ctl, CTL_JSON) && usages->count == 1)
		return ctl_print_item(ctl, usages->entity, usages->items);
	return ctl_print_list(ctl, "usage", usages);
}

enum ctl_exit ctl_organization_limit(struct ctl *ctl)
{
	struct slice name = slice_of(ctl->argument);
	const struct store_selection all = {.limit = SLICE_ABSENT};
	struct store_list usages;
	enum ctl_exit result = check_limit(ctl);

	if (result != CTL_FINE)
		return result;
	enum status status = store_organization_limit(
		&ctl->store, name, ctl_value(ctl, CTL_SIGNALS), ctl_value(ctl, CTL_OVERAGES));
	if (status == STATUS_OK)
		status = store_usage_list(&ctl->store, name, SLICE_ABSENT, &all, &usages);
	return status == STATUS_OK ? print_usage(ctl, &usages) : ctl_fail_status(ctl, status);
}
