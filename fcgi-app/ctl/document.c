/*
 * ctl/document.c - sluicectl stats, signal list, product-org list, audit: what the settings page
 * shows, for the terminal. See ctl/ctl.h.
 *
 * The database writes each as a JSON object, the same as for the page; --json prints it as it is,
 * and the tables are made of values found in it.
 */
#include "ctl/ctl.h"

#include <stdio.h>
#include <string.h>

#include "json/path.h"
#include "json/text.h"
#include "store/document.h"

enum { LIMIT_MAX = 999, PATH_BYTES = 128 };

/* ---- what is asked ---- */

/* Refuses an option that is no number of at most so many digits. */
static enum ctl_exit check_number(const struct ctl *ctl, enum ctl_option option, const char *name,
				  size_t digits)
{
	const char *text = ctl->values[option];

	if (text == NULL ||
	    (*text != '\0' && strlen(text) <= digits && strspn(text, "0123456789") == strlen(text)))
		return CTL_FINE;
	return ctl_fail(CTL_USAGE, NULL, "%s is a number, not \"%s\"", name, text);
}

static enum ctl_exit read_question(struct ctl *ctl, struct store_question *question)
{
	enum ctl_exit result = check_number(ctl, CTL_LIMIT, "--limit", 3);

	if (result == CTL_FINE)
		result = check_number(ctl, CTL_BEFORE, "--before", 18);
	*question = (struct store_question){
		.organization = ctl_value(ctl, CTL_ORGANIZATION),
		.span = ctl_has(ctl, CTL_WINDOW) ? ctl_value(ctl, CTL_WINDOW) : SLICE("24h"),
		.before = ctl_value(ctl, CTL_BEFORE),
		.limit = ctl_has(ctl, CTL_LIMIT) ? ctl_value(ctl, CTL_LIMIT) : SLICE("20"),
		.source = ctl_value(ctl, CTL_SOURCE),
		.status = ctl_value(ctl, CTL_STATUS),
	};
	return result;
}

/* ---- values of a document ---- */

/* What stands at a value's place, as a cell: a string's text, else as it is written; absent for
 * null. */
static enum status cell_of(struct arena *arena, struct slice value, struct slice *cell)
{
	*cell = value;
	if (value.p == NULL || slice_equal(value, SLICE("null")))
		*cell = SLICE_ABSENT;
	else if (*value.p == '"')
		return json_text_string(arena, value, cell);
	return STATUS_OK;
}

/* Finds count paths in a document; cells[i] is what stands at paths[i]. */
static enum status find_cells(struct arena *arena, struct slice json, char (*paths)[PATH_BYTES],
			      size_t count, struct slice *cells)
{
	struct json_paths *all = json_paths_make(arena);
	struct slice *found = arena_array(arena, count, sizeof(*found));
	const char *reason = "";
	enum status status = all == NULL || found == NULL ? STATUS_NO_MEMORY : STATUS_OK;

	for (size_t i = 0, slot; i < count && status == STATUS_OK; i++)
		status = json_paths_add(all, slice_of(paths[i]), &slot, &reason);
	if (status == STATUS_OK)
		status = json_paths_find(all, arena, json, found);
	for (size_t i = 0; i < count && status == STATUS_OK; i++)
		status = cell_of(arena, found[i], &cells[i]);
	return status;
}

/* A table of the objects of an array, whose first member all of them have. */
static enum ctl_exit print_rows(struct ctl *ctl, struct slice json, const char *array,
				const char *const *members, const char *const *heads,
				size_t columns)
{
	size_t count = LIMIT_MAX * columns, rows = 0;
	char(*paths)[PATH_BYTES] = arena_array(&ctl->arena, count, sizeof(*paths));
	struct slice *cells = arena_array(&ctl->arena, count, sizeof(*cells));

	if (paths == NULL || cells == NULL)
		return ctl_fail_status(ctl, STATUS_NO_MEMORY);
	for (size_t i = 0; i < count; i++)
		(void)snprintf(paths[i], PATH_BYTES, "%s.%zu.%s", array, i / columns,
			       members[i % columns]);
	enum status status = find_cells(&ctl->arena, json, paths, count, cells);
	if (status != STATUS_OK)
		return ctl_fail_status(ctl, status);
	while (rows < LIMIT_MAX && cells[rows * columns].p != NULL)
		rows++;
	ctl_add_table(&ctl->out, heads, columns, cells, rows);
	return CTL_FINE;
}

/* ---- the commands ---- */

static enum ctl_exit ask(struct ctl *ctl, enum store_document document, struct slice *json)
{
	struct store_question question;
	enum ctl_exit result = read_question(ctl, &question);

	if (result != CTL_FINE)
		return result;
	enum status status = store_document(&ctl->store, document, &question, json);
	if (status != STATUS_OK)
		return ctl_fail_status(ctl, status);
	if (ctl_has(ctl, CTL_JSON)) {
		buf_add_slice(&ctl->out, *json);
		buf_add_char(&ctl->out, '\n');
	}
	return CTL_FINE;
}

enum ctl_exit ctl_stats(struct ctl *ctl)
{
	static const char *const heads[] = {"PROPERTY", "VALUE"};
	static const char *const properties[] = {"from",
						 "to",
						 "as_of",
						 "totals.pending",
						 "totals.processing",
						 "totals.completed",
						 "totals.failed",
						 "totals.skipped",
						 "totals.permanently_failed",
						 "cold_storage",
						 "rejected",
						 "duplicates"};
	enum { ROWS = ARRAY_LENGTH(properties) };
	char paths[ROWS][PATH_BYTES];
	struct slice values[ROWS], cells[2 * ROWS], json;
	enum ctl_exit result = ask(ctl, STORE_STATISTICS, &json);

	if (result != CTL_FINE || ctl_has(ctl, CTL_JSON))
		return result;
	for (size_t i = 0; i < ROWS; i++)
		(void)snprintf(paths[i], PATH_BYTES, "%s", properties[i]);
	enum status status = find_cells(&ctl->arena, json, paths, ROWS, values);
	if (status != STATUS_OK)
		return ctl_fail_status(ctl, status);
	for (size_t i = 0; i < ROWS; i++) {
		const char *dot = strchr(properties[i], '.');
		cells[2 * i] = slice_of(dot == NULL ? properties[i] : dot + 1);
		cells[2 * i + 1] = values[i];
	}
	ctl_add_table(&ctl->out, heads, 2, cells, ROWS);
	return CTL_FINE;
}

enum ctl_exit ctl_signal_list(struct ctl *ctl)
{
	static const char *const heads[] = {"ID",    "RECEIVED", "SOURCE", "EVENT",
					    "EMAIL", "STATUS",	 "KEY",	   "PAYLOAD"};
	static const char *const members[] = {"id",    "received_at", "source",	  "event_name",
					      "email", "status",      "key_name", "payload"};
	struct slice json;
	enum ctl_exit result = ask(ctl, STORE_SIGNALS, &json);

	if (result != CTL_FINE || ctl_has(ctl, CTL_JSON))
		return result;
	return print_rows(ctl, json, "signals", members, heads, ARRAY_LENGTH(heads));
}

enum ctl_exit ctl_product_org_list(struct ctl *ctl)
{
	static const char *const heads[] = {"ID",    "RECEIVED", "PRODUCT ORG", "NAME", "PLAN",
					    "USERS", "MRR",	 "STATUS",	"KEY",	"WARNINGS"};
	static const char *const members[] = {
		"id",	      "received_at", "product_org_id", "name",	   "plan_name",
		"user_count", "mrr",	     "status",	       "key_name", "warnings"};
	struct slice json;
	enum ctl_exit result = ask(ctl, STORE_PRODUCT_ORGS, &json);

	if (result != CTL_FINE || ctl_has(ctl, CTL_JSON))
		return result;
	return print_rows(ctl, json, "product_orgs", members, heads, ARRAY_LENGTH(heads));
}

enum ctl_exit ctl_audit(struct ctl *ctl)
{
	static const char *const heads[] = {"ID", "TIME", "ACTOR", "ACTION", "OBJECT", "DETAILS"};
	static const char *const members[] = {"id",	"occurred_at", "actor",
					      "action", "object_id",   "details"};
	struct slice json;
	enum ctl_exit result = ask(ctl, STORE_AUDIT, &json);

	if (result != CTL_FINE || ctl_has(ctl, CTL_JSON))
		return result;
	return print_rows(ctl, json, "entries", members, heads, ARRAY_LENGTH(heads));
}
