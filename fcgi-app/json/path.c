/*
 * json/path.c - the paths are a tree of steps; one walk follows it through a text. See json/path.h.
 */
#include "json/path.h"

#include <string.h>

#include "json/text.h"
#include "json/walk.h"

enum { INDEX_DIGITS = 9 };

static const size_t no_slot = SIZE_MAX;

/* A step, shared by the paths that begin alike. */
struct node {
	struct slice name;
	bool is_index;
	uint32_t index;
	size_t number; /* among all nodes */
	size_t slot;   /* no_slot: no path ends here */
	struct node *children, *next;
};

struct json_paths {
	struct arena *arena;
	struct node root;
	size_t nodes;
	size_t slots;
};

struct json_paths *json_paths_make(struct arena *arena)
{
	struct json_paths *paths = arena_alloc(arena, sizeof(*paths));

	if (paths != NULL)
		*paths = (struct json_paths){.arena = arena, .root.slot = no_slot, .nodes = 1};
	return paths;
}

size_t json_paths_slots(const struct json_paths *paths)
{
	return paths->slots;
}

/* ---- from a path to nodes ---- */

/* Takes a step off the path, which is not empty. Returns what is wrong, or NULL. */
static const char *take_step(struct slice *path, char step[JSON_PATH_BYTES], size_t *n)
{
	size_t i = 0;

	for (*n = 0; i < path->n && path->p[i] != '.'; i++) {
		if (path->p[i] == '\\') {
			if (i + 1 == path->n)
				return "ends with a backslash";
			if (path->p[i + 1] != '.' && path->p[i + 1] != '\\')
				return "has a backslash that is before neither a dot nor a backslash";
			i++;
		}
		step[(*n)++] = path->p[i];
	}
	/* A step follows each dot. */
	if (*n == 0 || i + 1 == path->n)
		return "has an empty step";
	i += i < path->n;
	*path = (struct slice){path->p + i, path->n - i};
	return NULL;
}

static const char *check_path(struct slice path)
{
	char step[JSON_PATH_BYTES];
	const char *reason = NULL;
	size_t n;

	if (path.n == 0)
		return "is empty";
	if (path.n > JSON_PATH_BYTES)
		return "is longer than 256 bytes";
	while (path.n > 0 && reason == NULL)
		reason = take_step(&path, step, &n);
	return reason;
}

static bool read_index(struct slice name, uint32_t *index)
{
	int64_t value;

	if (name.n == 0 || name.n > INDEX_DIGITS || (name.n > 1 && *name.p == '0'))
		return false;
	if (!slice_to_int(name, &value))
		return false;
	*index = (uint32_t)value;
	return true;
}

static struct node *child_named(const struct node *node, struct slice name)
{
	struct node *child = node->children;

	/* Not slice_equal(): its call for each name was 7 % of applying a template. */
	while (child != NULL &&
	       (child->name.n != name.n || memcmp(child->name.p, name.p, name.n) != 0))
		child = child->next;
	return child;
}

static struct node *child_indexed(const struct node *node, uint64_t index)
{
	struct node *child = node->children;

	while (child != NULL && (!child->is_index || child->index != index))
		child = child->next;
	return child;
}

/* The child of this name, made if need be; NULL if there is no memory. */
static struct node *child_for(struct json_paths *paths, struct node *parent, struct slice name)
{
	struct node *child = child_named(parent, name);

	if (child != NULL)
		return child;
	child = arena_alloc(paths->arena, sizeof(*child));
	const char *copy = arena_copy(paths->arena, name);
	if (child == NULL || copy == NULL)
		return NULL;
	*child = (struct node){.name = {copy, name.n},
			       .number = paths->nodes++,
			       .slot = no_slot,
			       .next = parent->children};
	child->is_index = read_index(name, &child->index);
	parent->children = child;
	return child;
}

enum status json_paths_add(struct json_paths *paths, struct slice path, size_t *slot,
			   const char **reason)
{
	char step[JSON_PATH_BYTES];
	struct node *node = &paths->root;
	size_t n;

	*reason = check_path(path);
	if (*reason != NULL)
		return STATUS_INVALID_VALUE;
	while (path.n > 0) {
		(void)take_step(&path, step, &n);
		node = child_for(paths, node, (struct slice){step, n});
		if (node == NULL)
			return STATUS_NO_MEMORY;
	}
	if (node->slot == no_slot)
		node->slot = paths->slots++;
	*slot = node->slot;
	return STATUS_OK;
}

/* ---- from a text to values ---- */

struct find {
	struct arena *arena;
	struct json_walk walk;
	struct slice *found;
	bool *seen; /* by a node's number: it or a node below it may have a value */
};

/* Forgets what was found at a node and below it: a repeated member replaces the earlier one as a
 * whole. Visits only what was seen, so that repetition is cheap. */
static void forget(struct find *find, const struct node *node)
{
	find->seen[node->number] = false;
	if (node->slot != no_slot)
		find->found[node->slot] = SLICE_ABSENT;
	for (const struct node *child = node->children; child != NULL; child = child->next) {
		if (find->seen[child->number])
			forget(find, child);
	}
}

/* The node for the value just begun; NULL if no path leads there. */
static enum status child_here(struct find *find, const struct node *node, uint64_t count,
			      const struct node **child)
{
	struct slice name = find->walk.name;

	if (name.p == NULL) {
		*child = child_indexed(node, count);
		return STATUS_OK;
	}
	enum status status = json_text_string(find->arena, name, &name);
	*child = status == STATUS_OK ? child_named(node, name) : NULL;
	return status;
}

/* Finds the values of a node's children among the values that the walk visits. Recursion is no
 * deeper than a path has steps. */
static enum status find_below(struct find *find, const struct node *node)
{
	struct json_walk *walk = &find->walk;
	enum status status = STATUS_OK;
	const struct node *child;

	for (uint64_t count = 0; status == STATUS_OK && json_walk_begin(walk); count++) {
		const char *start = walk->value.p;
		status = child_here(find, node, count, &child);
		if (child == NULL)
			continue;
		if (find->seen[child->number])
			forget(find, child);
		find->seen[child->number] = true;
		if (child->children == NULL || !json_walk_enter(walk))
			(void)json_walk_end(walk);
		else
			status = find_below(find, child);
		if (child->slot != no_slot)
			find->found[child->slot] = json_walk_since(walk, start);
	}
	return status;
}

enum status json_paths_find(const struct json_paths *paths, struct arena *arena, struct slice text,
			    struct slice *found)
{
	struct find find = {.arena = arena, .found = found};

	find.seen = arena_array(arena, paths->nodes, sizeof(*find.seen));
	if (find.seen == NULL)
		return STATUS_NO_MEMORY;
	for (size_t i = 0; i < paths->slots; i++)
		found[i] = SLICE_ABSENT;
	json_walk_open(&find.walk, text);
	enum status status = find_below(&find, &paths->root);
	if (status == STATUS_OK)
		status = json_walk_finish(&find.walk);
	json_walk_close(&find.walk);
	return status;
}
