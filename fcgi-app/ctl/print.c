/*
 * ctl/print.c - tables, JSON, and writing them. See ctl/ctl_internal.h.
 */
#include "ctl/ctl_internal.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* ---- tables ---- */

static void add_blanks(struct buf *out, size_t n)
{
	for (; n > 0; n--)
		buf_add_char(out, ' ');
}

static void drop_trailing_blanks(struct buf *out)
{
	while (out->n > 0 && out->p[out->n - 1] == ' ')
		out->n--;
}

static struct slice shown(struct slice cell)
{
	return cell.n == 0 ? SLICE("-") : cell;
}

/* One line, without trailing blanks. */
static void add_line(struct buf *out, const struct slice *cells, const size_t widths[],
		     size_t columns)
{
	for (size_t i = 0; i < columns; i++) {
		size_t width = ctl_add_escaped(out, shown(cells[i]));
		if (i + 1 < columns)
			add_blanks(out, widths[i] - width + 2);
	}
	drop_trailing_blanks(out);
	buf_add_char(out, '\n');
}

enum { TABLE_COLUMNS_MAX = 16 };

void ctl_add_table(struct buf *out, const char *const headings[], size_t columns,
		   const struct slice *cells, size_t rows)
{
	struct slice head[TABLE_COLUMNS_MAX];
	size_t widths[TABLE_COLUMNS_MAX] = {0};

	for (size_t i = 0; i < columns; i++) {
		head[i] = slice_of(headings[i]);
		widths[i] = head[i].n;
	}
	for (size_t i = 0; i < rows * columns; i++) {
		size_t width = ctl_add_escaped(NULL, shown(cells[i]));
		if (width > widths[i % columns])
			widths[i % columns] = width;
	}
	add_line(out, head, widths, columns);
	for (size_t row = 0; row < rows; row++)
		add_line(out, cells + row * columns, widths, columns);
}

/* ---- lists and items ---- */

enum ctl_exit ctl_add_list(struct ctl *ctl, const struct store_list *list)
{
	const struct store_entity *entity = list->entity;
	const char *headings[TABLE_COLUMNS_MAX];
	const struct store_column *listed[TABLE_COLUMNS_MAX];
	size_t columns = 0;

	for (size_t i = 0; i < entity->count; i++) {
		if (entity->columns[i].heading == NULL)
			continue;
		listed[columns] = &entity->columns[i];
		headings[columns++] = entity->columns[i].heading;
	}
	size_t count = list->count * columns;
	struct slice *cells = arena_array(&ctl->arena, count, sizeof(*cells));
	enum status status = cells == NULL && count > 0 ? STATUS_NO_MEMORY : STATUS_OK;
	for (size_t i = 0; i < count && status == STATUS_OK; i++) {
		const char *item = (const char *)list->items + i / columns * entity->item_bytes;
		status = store_item_cell(listed[i % columns], item, &ctl->arena, &cells[i]);
	}
	if (status != STATUS_OK)
		return ctl_fail_status(ctl, status);
	ctl_add_table(&ctl->out, headings, columns, cells, list->count);
	return CTL_FINE;
}

enum ctl_exit ctl_add_item(struct ctl *ctl, const struct store_entity *entity, const void *item)
{
	static const char *const headings[] = {"PROPERTY", "VALUE"};
	struct slice *cells = arena_array(&ctl->arena, 2 * entity->count, sizeof(*cells));
	enum status status = cells == NULL ? STATUS_NO_MEMORY : STATUS_OK;
	size_t rows = 0;

	for (size_t i = 0; i < entity->count && status == STATUS_OK; i++) {
		const struct store_column *column = &entity->columns[i];
		if (column->member == NULL)
			continue;
		cells[2 * rows] = slice_of(column->member);
		status = store_item_text(column, item, &ctl->arena, &cells[2 * rows + 1]);
		rows++;
	}
	if (status != STATUS_OK)
		return ctl_fail_status(ctl, status);
	ctl_add_table(&ctl->out, headings, 2, cells, rows);
	return CTL_FINE;
}

enum ctl_exit ctl_add_tree(struct ctl *ctl, struct json_tree *tree)
{
	json_tree_write(tree, &ctl->out);
	buf_add_char(&ctl->out, '\n');
	json_tree_free(tree);
	return CTL_FINE;
}

enum ctl_exit ctl_print_list(struct ctl *ctl, const struct store_list *list)
{
	struct json_tree tree = {0};

	if (!ctl_has(ctl, CTL_JSON))
		return ctl_add_list(ctl, list);
	store_list_json(list, &tree, json_tree_array(&tree, NULL, NULL));
	return ctl_add_tree(ctl, &tree);
}

enum ctl_exit ctl_print_item(struct ctl *ctl, const struct store_entity *entity, const void *item)
{
	struct json_tree tree = {0};

	if (!ctl_has(ctl, CTL_JSON))
		return ctl_add_item(ctl, entity, item);
	store_item_json(entity, item, &tree, json_tree_object(&tree, NULL, NULL));
	return ctl_add_tree(ctl, &tree);
}

/* ---- the standard output stream ---- */

enum ctl_exit ctl_flush(struct ctl *ctl)
{
	struct buf *out = &ctl->out;
	size_t done = 0;

	if (out->status != STATUS_OK)
		return ctl_fail(CTL_FAILED, NULL, "out of memory");
	while (done < out->n) {
		ssize_t n = write(STDOUT_FILENO, out->p + done, out->n - done);
		if (n < 0 && errno != EINTR)
			return ctl_fail(CTL_FAILED, NULL, "could not write the output: %s",
					strerror(errno));
		done += n < 0 ? 0 : (size_t)n;
	}
	out->n = 0;
	return CTL_FINE;
}
