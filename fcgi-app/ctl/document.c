/*
 * ctl/document.c - sluicectl stats, audit: what the settings page shows. See ctl/ctl_internal.h.
 *
 * The database writes each as a JSON object, as for the page. --json prints it unchanged; the
 * tables are made from values in it.
 */
#include "ctl/ctl_internal.h"

#include <stdio.h>
#include <string.h>

#include "json/path.h"
#include "store/document.h"
#include "store/export.h"

enum { PATH_BYTES = CTL_PATH_BYTES };

/* ---- options ---- */

static enum ctl_exit read_question(struct ctl *ctl, struct store_question *question)
{
	enum ctl_exit result = ctl_check_limit(ctl);

	if (result == CTL_FINE)
		result = ctl_check_id(ctl, CTL_BEFORE);
	*question = (struct store_question){
		.organization = ctl_value(ctl, CTL_ORGANIZATION),
		.window = ctl_has(ctl, CTL_WINDOW) ? ctl_value(ctl, CTL_WINDOW) : SLICE("24h"),
		.before = ctl_value(ctl, CTL_BEFORE),
		.limit = ctl_has(ctl, CTL_LIMIT) ? ctl_value(ctl, CTL_LIMIT) : SLICE("20"),
		.match = ctl_value(ctl, CTL_MATCH),
	};
	if (result == CTL_FINE)
		result = ctl_read_past(ctl, CTL_SINCE, &question->since);
	if (result == CTL_FINE)
		result = ctl_read_past(ctl, CTL_UNTIL, &question->until);
	return result;
}

/* ---- values of a document ---- */

enum status ctl_find_cells(struct arena *arena, struct slice json, char (*paths)[PATH_BYTES],
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
		status = store_answer_meaning(arena, found[i], &cells[i]);
	return status;
}

enum ctl_exit ctl_add_document(struct ctl *ctl, struct slice json)
{
	buf_add_slice(&ctl->out, json);
	buf_add_char(&ctl->out, '\n');
	return CTL_FINE;
}

enum { FIELDS_MAX = 10 };

/* A table that is being read from an array of a document. */
struct reading {
	struct slice json;
	const char *array;
	const struct ctl_field *fields;
	size_t columns;
	struct slice *cells;
	size_t rows;
};

/* Reads up to CTL_LIMIT_MAX rows more. */
static enum status read_rows(struct arena *arena, struct reading *reading)
{
	size_t columns = reading->columns, have = reading->rows * columns;
	size_t count = CTL_LIMIT_MAX * columns, end = reading->rows + CTL_LIMIT_MAX;
	char(*paths)[PATH_BYTES] = arena_array(arena, count, sizeof(*paths));
	struct slice *cells = arena_array(arena, have + count, sizeof(*cells));

	if (paths == NULL || cells == NULL)
		return STATUS_NO_MEMORY;
	if (have > 0)
		memcpy(cells, reading->cells, have * sizeof(*cells));
	for (size_t i = 0; i < count; i++)
		(void)snprintf(paths[i], PATH_BYTES, "%s.%zu.%s", reading->array,
			       reading->rows + i / columns, reading->fields[i % columns].member);
	enum status status = ctl_find_cells(arena, reading->json, paths, count, cells + have);
	reading->cells = cells;
	while (status == STATUS_OK && reading->rows < end &&
	       cells[reading->rows * columns].p != NULL)
		reading->rows++;
	return status;
}

enum ctl_exit ctl_print_rows(struct ctl *ctl, struct slice json, const char *array,
			     const struct ctl_field *fields, size_t columns)
{
	const char *headings[FIELDS_MAX];
	struct reading reading = {json, array, fields, columns, NULL, 0};
	size_t asked = 0;

	for (size_t i = 0; i < columns; i++)
		headings[i] = fields[i].heading;
	for (; reading.rows == asked; asked += CTL_LIMIT_MAX) {
		enum status status = read_rows(&ctl->arena, &reading);
		if (status != STATUS_OK)
			return ctl_fail_status(ctl, status);
	}
	const struct ctl_table table = {headings, columns, reading.cells, reading.rows,
					.wraps = false};
	ctl_add_table(&ctl->out, &ctl->screen, &table);
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
	return ctl_has(ctl, CTL_JSON) ? ctl_add_document(ctl, *json) : CTL_FINE;
}

enum ctl_exit ctl_stats(struct ctl *ctl)
{
	static const char *const headings[] = {"PROPERTY", "VALUE"};
	static const struct {
		const char *name, *path;
	} properties[] = {
		{"from", "from"},
		{"to", "to"},
		{"as_of", "as_of"},
		{"pending", "totals.pending"},
		{"processing", "totals.processing"},
		{"completed", "totals.completed"},
		{"failed", "totals.failed"},
		{"skipped", "totals.skipped"},
		{"permanently_failed", "totals.permanently_failed"},
		{"cold_storage", "cold_storage"},
		{"rejected", "rejected"},
		{"duplicates", "duplicates"},
	};
	enum { ROWS = ARRAY_LENGTH(properties) };
	char paths[ROWS][PATH_BYTES];
	struct slice values[ROWS], cells[2 * ROWS], json;
	enum ctl_exit result = ask(ctl, STORE_STATISTICS, &json);

	if (result != CTL_FINE || ctl_has(ctl, CTL_JSON))
		return result;
	for (size_t i = 0; i < ROWS; i++)
		(void)snprintf(paths[i], PATH_BYTES, "%s", properties[i].path);
	enum status status = ctl_find_cells(&ctl->arena, json, paths, ROWS, values);
	if (status != STATUS_OK)
		return ctl_fail_status(ctl, status);
	for (size_t i = 0; i < ROWS; i++) {
		cells[2 * i] = slice_of(properties[i].name);
		cells[2 * i + 1] = values[i];
	}
	const struct ctl_table table = {headings, 2, cells, ROWS, .wraps = true};
	ctl_add_table(&ctl->out, &ctl->screen, &table);
	return CTL_FINE;
}

enum ctl_exit ctl_audit(struct ctl *ctl)
{
	static const struct ctl_field fields[] = {
		{"ID", "id"},	      {"TIME", "occurred_at"}, {"ACTOR", "actor"},
		{"ACTION", "action"}, {"OBJECT", "object_id"}, {"DETAILS", "details"},
	};
	struct slice json;
	enum ctl_exit result = ask(ctl, STORE_AUDIT, &json);

	if (result != CTL_FINE || ctl_has(ctl, CTL_JSON))
		return result;
	return ctl_print_rows(ctl, json, "entries", fields, ARRAY_LENGTH(fields));
}
