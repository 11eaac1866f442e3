/*
 * ctl/usage.c - sluicectl usage, organization limit. See ctl/ctl.h.
 */
#include "ctl/ctl.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void add_usage_json(struct buf *out, const struct store_usage *usage)
{
	json_write_comma(out);
	buf_add_char(out, '{');
	json_write_member(out, "organization", usage->organization);
	json_write_member(out, "month", usage->month);
	json_write_member_int(out, "signals", usage->signals);
	json_write_member_int(out, "duplicates", usage->duplicates);
	json_write_member_int(out, "signal_limit", usage->signal_limit);
	json_write_member_bool(out, "overages", usage->overages);
	buf_add_char(out, '}');
}

/* "12 %", rounded down, so that 100 % is the limit. */
static struct slice share(struct ctl *ctl, const struct store_usage *usage)
{
	char text[32];
	double percent = 100.0 * (double)usage->signals / (double)usage->signal_limit;

	(void)snprintf(text, sizeof(text), "%" PRId64 " %%", (int64_t)percent);
	return slice_of(arena_copy(&ctl->arena, slice_of(text)));
}

static enum ctl_exit print_usages(struct ctl *ctl, const struct store_usages *list)
{
	static const char *const heads[] = {"ORGANIZATION", "MONTH", "SIGNALS",	 "DUPLICATES",
					    "LIMIT",	    "USED",  "BEYOND IT"};
	enum { COLUMNS = ARRAY_LENGTH(heads) };
	struct slice *cells = arena_array(&ctl->arena, list->count * COLUMNS, sizeof(*cells));

	if (cells == NULL && list->count > 0)
		return ctl_fail_status(ctl, STATUS_NO_MEMORY);
	for (size_t i = 0; i < list->count; i++) {
		const struct store_usage *usage = &list->items[i];
		struct slice *row = cells + i * COLUMNS;
		row[0] = usage->organization;
		row[1] = usage->month;
		row[2] = arena_int(&ctl->arena, usage->signals);
		row[3] = arena_int(&ctl->arena, usage->duplicates);
		if (usage->signal_limit == 0)
			continue;
		row[4] = arena_int(&ctl->arena, usage->signal_limit);
		row[5] = share(ctl, usage);
		row[6] = usage->overages ? SLICE("accepted") : SLICE("refused");
	}
	ctl_add_table(&ctl->out, heads, COLUMNS, cells, list->count);
	return CTL_FINE;
}

/* YYYY-MM of a year and month that there are. */
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
	struct store_usages list;
	struct slice day;
	enum ctl_exit result = read_month(ctl, &day);

	if (result != CTL_FINE)
		return result;
	enum status status =
		store_usage_list(&ctl->store, ctl_value(ctl, CTL_ORGANIZATION), day, &list);
	if (status != STATUS_OK)
		return ctl_fail_status(ctl, status);
	if (!ctl_has(ctl, CTL_JSON))
		return print_usages(ctl, &list);
	buf_add_char(&ctl->out, '[');
	for (size_t i = 0; i < list.count; i++)
		add_usage_json(&ctl->out, &list.items[i]);
	buf_add_text(&ctl->out, "]\n");
	return CTL_FINE;
}

/* ---- limits ---- */

static enum ctl_exit check_limit(const struct ctl *ctl)
{
	const char *signals = ctl->values[CTL_SIGNALS];
	struct slice overages = ctl_value(ctl, CTL_OVERAGES);

	if (signals == NULL && overages.p == NULL)
		return ctl_fail(CTL_USAGE, NULL, "give --signals, --overages, or both");
	if (signals != NULL && (*signals == '\0' || strlen(signals) > 18 ||
				strspn(signals, "0123456789") != strlen(signals)))
		return ctl_fail(CTL_USAGE, "0 stands for any number",
				"\"%s\" is not a number of signals", signals);
	if (overages.p != NULL && !slice_equal(overages, SLICE("on")) &&
	    !slice_equal(overages, SLICE("off")))
		return ctl_fail(CTL_USAGE, NULL, "--overages is on or off, not \"%s\"", overages.p);
	return CTL_FINE;
}

enum ctl_exit ctl_organization_limit(struct ctl *ctl)
{
	struct slice name = slice_of(ctl->argument);
	struct store_usages list;
	enum ctl_exit result = check_limit(ctl);

	if (result != CTL_FINE)
		return result;
	enum status status = store_organization_limit(
		&ctl->store, name, ctl_value(ctl, CTL_SIGNALS), ctl_value(ctl, CTL_OVERAGES));
	if (status == STATUS_OK)
		status = store_usage_list(&ctl->store, name, SLICE_ABSENT, &list);
	if (status != STATUS_OK)
		return ctl_fail_status(ctl, status);
	if (!ctl_has(ctl, CTL_JSON))
		return print_usages(ctl, &list);
	for (size_t i = 0; i < list.count; i++)
		add_usage_json(&ctl->out, &list.items[i]);
	buf_add_char(&ctl->out, '\n');
	return CTL_FINE;
}
