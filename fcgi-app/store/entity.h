/*
 * store/entity.h - what is known of a key, an organization, a member, …, described once: a table of
 * columns from which come what is selected, the struct that is filled, the JSON object, and the
 * lines that the tool prints.
 *
 * To give an entity one more property is one more field and one more line of its table.
 */
#ifndef STORE_ENTITY_H
#define STORE_ENTITY_H

#include <stddef.h>

#include "base/arena.h"
#include "json/tree.h"

enum store_type {
	STORE_TEXT, /* struct slice; absent: null */
	STORE_JSON, /* struct slice, JSON as PostgreSQL wrote it; absent: null */
	STORE_INT,  /* int64_t */
	STORE_BOOL  /* bool */
};

struct store_column {
	const char
		*member; /* its name in JSON and beside its value; NULL: a column of lists only */
	const char *sql; /* the expression that is selected; NULL: not from the database */
	enum store_type type;
	size_t offset;	     /* of the field */
	const char *heading; /* its column in lists; NULL: not listed */
	bool whole; /* as the last column of a list it is never cut, however narrow the screen */

	/* What a list shows instead of the plain value; NULL: that. *cell is absent and may stay
	 * so; its text may come from the arena. STATUS_OK or STATUS_NO_MEMORY. */
	enum status (*show)(const void *item, struct arena *arena, struct slice *cell);
};

struct store_entity {
	const struct store_column *columns;
	size_t count;
	size_t item_bytes; /* of its struct */
};

/* A list of items, an array of the entity's struct. */
struct store_list {
	const struct store_entity *entity;
	void *items;
	size_t count;
};

/* ---- tables ---- */

/* The type that a field's own type implies. */
#define STORE_TYPE(structure, field)                                                               \
	_Generic(((structure *)NULL)->field, struct slice                                          \
		 : STORE_TEXT, int64_t                                                             \
		 : STORE_INT, bool                                                                 \
		 : STORE_BOOL)

#define STORE_COLUMN(structure, field, ...)                                                        \
	{                                                                                          \
		.type = STORE_TYPE(structure, field), .offset = offsetof(structure, field),        \
		__VA_ARGS__                                                                        \
	}

/* Field, database column and JSON member have one name. */
#define STORE_SAME(structure, field, ...)                                                          \
	STORE_COLUMN(structure, field, .member = #field, .sql = #field, __VA_ARGS__)

/* ISO 8601 whatever DateStyle and TimeZone the session has; trailing zeroes of the fraction go. */
#define STORE_TIMESTAMP(column) "to_json((" column ") AT TIME ZONE 'UTC') #>> '{}' || 'Z'"

#define STORE_TIME(structure, field, ...)                                                          \
	STORE_COLUMN(structure, field, .member = #field, .sql = STORE_TIMESTAMP(#field),           \
		     __VA_ARGS__)

#define STORE_JSON_COLUMN(structure, field, ...)                                                   \
	{                                                                                          \
		.type = STORE_JSON, .offset = offsetof(structure, field), __VA_ARGS__              \
	}

/* An entity of a struct and its table of columns. */
#define STORE_ENTITY(structure, its_columns)                                                       \
	{                                                                                          \
		.columns = (its_columns), .count = ARRAY_LENGTH(its_columns),                      \
		.item_bytes = sizeof(structure)                                                    \
	}

/* ---- JSON and cells ---- */

/* Adds an item's members to an object of a tree, which may be NULL after a failure. */
void store_item_json(const struct store_entity *entity, const void *item, struct json_tree *tree,
		     struct json_object *object);

/* Adds the items of a list to an array of a tree, as objects. */
void store_list_json(const struct store_list *list, struct json_tree *tree,
		     struct json_object *array);

/* An item's value in a column as text: "yes" and "no", digits, a text as it is; absent when it has
 * none. What is made for it comes from the arena. STATUS_OK or STATUS_NO_MEMORY. */
enum status store_item_text(const struct store_column *column, const void *item,
			    struct arena *arena, struct slice *text) MUST_CHECK;

/* The same as a list shows it. */
enum status store_item_cell(const struct store_column *column, const void *item,
			    struct arena *arena, struct slice *cell) MUST_CHECK;

#endif
