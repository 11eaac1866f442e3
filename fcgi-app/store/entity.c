/*
 * store/entity.c - see store/entity.h.
 */
#include "store/entity.h"

static const void *field_of(const struct store_column *column, const void *item)
{
	return (const char *)item + column->offset;
}

/* ---- JSON ---- */

void store_item_json(const struct store_entity *entity, const void *item, struct json_tree *tree,
		     struct json_object *object)
{
	for (size_t i = 0; i < entity->count; i++) {
		const struct store_column *column = &entity->columns[i];
		const void *field = field_of(column, item);

		if (column->member == NULL)
			continue;
		switch (column->type) {
		case STORE_TEXT:
			json_tree_text(tree, object, column->member, *(const struct slice *)field);
			break;
		case STORE_JSON:
			json_tree_json(tree, object, column->member, *(const struct slice *)field);
			break;
		case STORE_INT:
			json_tree_int(tree, object, column->member, *(const int64_t *)field);
			break;
		case STORE_BOOL:
			json_tree_bool(tree, object, column->member, *(const bool *)field);
			break;
		}
	}
}

void store_list_json(const struct store_list *list, struct json_tree *tree,
		     struct json_object *array)
{
	const char *item = list->items;

	for (size_t i = 0; i < list->count; i++, item += list->entity->item_bytes)
		store_item_json(list->entity, item, tree, json_tree_object(tree, array, NULL));
}

/* ---- cells ---- */

enum status store_item_text(const struct store_column *column, const void *item,
			    struct arena *arena, struct slice *text)
{
	const void *field = field_of(column, item);

	switch (column->type) {
	case STORE_TEXT:
	case STORE_JSON:
		*text = *(const struct slice *)field;
		return STATUS_OK;
	case STORE_INT:
		*text = arena_int(arena, *(const int64_t *)field);
		return text->p == NULL ? STATUS_NO_MEMORY : STATUS_OK;
	case STORE_BOOL:
		*text = *(const bool *)field ? SLICE("yes") : SLICE("no");
		return STATUS_OK;
	}
	return STATUS_INTERNAL;
}

enum status store_item_cell(const struct store_column *column, const void *item,
			    struct arena *arena, struct slice *cell)
{
	*cell = SLICE_ABSENT;
	if (column->show != NULL)
		return column->show(item, arena, cell);
	return store_item_text(column, item, arena, cell);
}
