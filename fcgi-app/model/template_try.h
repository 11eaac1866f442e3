/*
 * model/template_try.h - the dry run of a payload template: what it makes of a payload, read as the
 * workers read it. For the tool and the settings service; nothing is stored.
 */
#ifndef MODEL_TEMPLATE_TRY_H
#define MODEL_TEMPLATE_TRY_H

#include "json/reader.h"
#include "json/tree.h"
#include "model/template.h"

/* A member of a row, named like its column in product_org_staging. */
struct template_cell {
	const char *name;
	struct slice text; /* absent: null */
	bool is_json;	   /* text is JSON, on one line */
};

enum { TEMPLATE_CELLS = 10 };

/* What became of one item. */
struct template_trial {
	size_t index;
	struct template_cell
		cells[TEMPLATE_CELLS]; /* in the columns' order; absent without a row */
	const struct warning *warnings;
	size_t warning_count;
	enum status status;  /* STATUS_OK: it makes a row; else why not */
	struct slice detail; /* the same in words */
};

/* Takes one item; a status other than STATUS_OK ends the dry run and is returned. */
typedef enum status template_trial_sink(void *context, const struct template_trial *trial);

/*
 * Applies a template to a payload, an object or an array of them. STATUS_OK with *items (0 for an
 * empty array), or why the payload cannot be read, as json_reader_feed(), with *offset and *reason.
 * Allocates in the arena.
 */
enum status template_try(struct arena *arena, const struct template *compiled,
			 const struct json_limits *limits, struct slice payload,
			 template_trial_sink *sink, void *context, size_t *items, uint64_t *offset,
			 const char **reason) MUST_CHECK;

/* Adds the cells to an object of a tree. */
void template_cells_json(const struct template_cell cells[TEMPLATE_CELLS], struct json_tree *tree,
			 struct json_object *object);

/* Adds "warnings" to an object of a tree, an array of {"field","reason"}. */
void template_warnings_json(const struct template_trial *trial, struct json_tree *tree,
			    struct json_object *object);

#endif
