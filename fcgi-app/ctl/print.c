/*
 * ctl/print.c - lists and items as tables or JSON, and writing them. See ctl/ctl_internal.h.
 */
#include "ctl/ctl_internal.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* ---- lists and items ---- */

enum ctl_exit ctl_add_list(struct ctl *ctl, const struct store_list *list)
{
	const struct store_entity *entity = list->entity;
	const char *headings[CTL_TABLE_COLUMNS_MAX];
	const struct store_column *listed[CTL_TABLE_COLUMNS_MAX];
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
	const struct ctl_table table = {headings, columns, cells, list->count,
					columns > 0 && listed[columns - 1]->whole};
	ctl_add_table(&ctl->out, &ctl->screen, &table);
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
	const struct ctl_table table = {headings, 2, cells, rows, .wraps = true};
	ctl_add_table(&ctl->out, &ctl->screen, &table);
	return CTL_FINE;
}

enum ctl_exit ctl_add_tree(struct ctl *ctl, struct json_tree *tree)
{
	json_tree_write(tree, &ctl->out);
	buf_add_char(&ctl->out, '\n');
	json_tree_free(tree);
	return CTL_FINE;
}

enum ctl_exit ctl_print_list(struct ctl *ctl, const char *array, const struct store_list *list)
{
	struct json_tree tree = {0};

	if (!ctl_has(ctl, CTL_JSON))
		return ctl_add_list(ctl, list);
	store_list_json(list, &tree,
			json_tree_array(&tree, json_tree_object(&tree, NULL, NULL), array));
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
