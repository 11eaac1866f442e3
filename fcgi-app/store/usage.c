/*
 * store/usage.c - see store/usage.h.
 */
#include "store/usage.h"

#include <inttypes.h>
#include <stdio.h>

#include "store/store_internal.h"

/* ---- what a list shows ---- */

static enum status show_limit(const void *item, struct arena *arena, struct slice *cell)
{
	const struct store_usage *usage = item;

	if (usage->signal_limit == 0)
		return STATUS_OK;
	*cell = arena_int(arena, usage->signal_limit);
	return cell->p == NULL ? STATUS_NO_MEMORY : STATUS_OK;
}

/* "12 %", rounded down, so that 100 % is the limit. */
static enum status show_used(const void *item, struct arena *arena, struct slice *cell)
{
	const struct store_usage *usage = item;
	char text[32];

	if (usage->signal_limit == 0)
		return STATUS_OK;
	double percent = 100.0 * (double)usage->signals / (double)usage->signal_limit;
	(void)snprintf(text, sizeof(text), "%" PRId64 " %%", (int64_t)percent);
	*cell = slice_of(arena_copy(arena, slice_of(text)));
	return cell->p == NULL ? STATUS_NO_MEMORY : STATUS_OK;
}

static enum status show_overages(const void *item, struct arena *arena, struct slice *cell)
{
	const struct store_usage *usage = item;

	(void)arena;
	if (usage->signal_limit != 0)
		*cell = usage->overages ? SLICE("accepted") : SLICE("refused");
	return STATUS_OK;
}

/* ---- the entity ---- */

static const struct store_column columns[] = {
	STORE_SAME(struct store_usage, organization, .heading = "ORGANIZATION"),
	STORE_COLUMN(struct store_usage, month, .member = "month",
		     .sql = "to_char(month, 'YYYY-MM')", .heading = "MONTH"),
	STORE_SAME(struct store_usage, signals, .heading = "SIGNALS"),
	STORE_SAME(struct store_usage, duplicates, .heading = "DUPLICATES"),
	STORE_SAME(struct store_usage, signal_limit, .heading = "LIMIT", .show = show_limit),
	{.heading = "USED", .show = show_used},
	STORE_SAME(struct store_usage, overages, .heading = "OVER LIMIT", .show = show_overages),
};

const struct store_entity store_usage_entity = STORE_ENTITY(struct store_usage, columns);

enum status store_usage_list(const struct store *store, struct slice organization,
			     struct slice month, const struct store_selection *selection,
			     struct store_list *usages)
{
	static const struct store_query query = {
		.name = "store_usage_list",
		.entity = &store_usage_entity,
		.from = "sluice.usage_list($1::text, $2::date) WHERE " STORE_MATCH(
			"organization", "$3") STORE_LIMIT("$4"),
		.param_count = 4,
	};
	const pg_param params[] = {organization, month, selection->match, selection->limit};

	return store_query_list(store, &query, params, usages);
}
