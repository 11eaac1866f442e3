/*
 * json_path.c - a tree of path steps, and one walk through a text along it. See json_path.h.
 */
#include "json_path.h"

#include <string.h>

#include "json_scan.h"
#include "json_text.h"

enum {
	INDEX_DIGITS = 9,
	STEPS = JSON_PATH_BYTES / 2, /* of one path: a character and a dot each */
	LIMIT = 1 << 30		     /* json_text has checked the limits */
};

static const size_t no_slot = SIZE_MAX;

/* A step of one path or of several that begin alike. */
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

/* Takes the next step off the path, which is not at its end; returns what is wrong, or NULL. */
static const char *take_step(struct slice *path, char step[JSON_PATH_BYTES], size_t *n)
{
	size_t i = 0;

	for (*n = 0; i < path->n && path->p[i] != '.'; i++) {
		if (path->p[i] == '\\') {
			if (i + 1 == path->n)
				return "ends with a backslash";
			if (path->p[i + 1] != '.' && path->p[i + 1] != '\\')
				return "has a backslash that is before neither a dot nor a "
				       "backslash";
			i++;
		}
		step[(*n)++] = path->p[i];
	}
	/* A dot is followed by one more step. */
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
	*index = 0;
	if (name.n == 0 || name.n > INDEX_DIGITS || (name.n > 1 && *name.p == '0'))
		return false;
	for (size_t i = 0; i < name.n; i++) {
		if (name.p[i] < '0' || name.p[i] > '9')
			return false;
		*index = *index * 10 + (uint32_t)(name.p[i] - '0');
	}
	return true;
}

static struct node *child_named(const struct node *node, struct slice name)
{
	struct node *child = node->children;

	while (child != NULL && !slice_equal(child->name, name))
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

/* The child of this name, made when there is none; NULL when there is no memory. */
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

/* A value that is being read, where a path leads to or through. */
struct place {
	const struct node *node; /* NULL: no path leads here */
	const char *start;
	bool is_array;
	uint64_t count; /* of an array's values so far */
};

struct find {
	struct arena *arena;
	struct json_scan scan;
	struct slice *found;
	bool *seen; /* by a node's number: there may be values at it or below it */
	const char *key;
	const struct node *named; /* whom the last key means */
	struct place places[STEPS + 2];
	enum status status;
};

/* Forgets what was found before at a node and below it: a member that comes again replaces the
 * earlier one as a whole. Only what was seen is visited, so that repeating is not costly. */
static void forget(struct find *find, const struct node *node)
{
	find->seen[node->number] = false;
	if (node->slot != no_slot)
		find->found[node->slot] = (struct slice){NULL, 0};
	for (const struct node *child = node->children; child != NULL; child = child->next) {
		if (find->seen[child->number])
			forget(find, child);
	}
}

static void take_key(struct find *find, const char *end)
{
	const struct place *object = &find->places[find->scan.level - 1];
	struct slice name = {find->key, (size_t)(end - find->key)};

	find->status = json_text_string(find->arena, name, &name);
	find->named = object->node == NULL ? NULL : child_named(object->node, name);
}

/* A value begins: which step does it stand for, and is anything within it wanted? */
static void begin_value(struct find *find, const struct node *root, const char *start)
{
	size_t level = find->scan.level;
	struct place *place = &find->places[level];
	struct place *around = level == 0 ? NULL : place - 1;
	const struct node *node = around == NULL     ? root
				  : around->is_array ? child_indexed(around->node, around->count++)
						     : find->named;

	*place = (struct place){.node = node, .start = start, .is_array = *start == '['};
	if (node == NULL)
		return;
	if (find->seen[node->number])
		forget(find, node);
	find->seen[node->number] = true;
	if (node->children != NULL && (*start == '{' || *start == '['))
		find->scan.watched = level + 2;
}

static void end_value(struct find *find, const char *end)
{
	const struct place *place = &find->places[find->scan.level];

	if (place->node != NULL && place->node->slot != no_slot)
		find->found[place->node->slot] =
			(struct slice){place->start, (size_t)(end - place->start)};
	find->scan.watched = find->scan.level + 1;
}

static enum status walk(struct find *find, const struct node *root, struct slice text)
{
	size_t used;

	for (size_t at = 0; at < text.n && find->status == STATUS_OK;) {
		enum json_scan_event event =
			json_scan_feed(&find->scan, text.p + at, text.n - at, &used);
		at += used;
		const char *p = text.p + at;
		if (event == JSON_SCAN_KEY)
			find->key = p;
		else if (event == JSON_SCAN_KEY_END)
			take_key(find, p);
		else if (event == JSON_SCAN_VALUE && at < text.n)
			begin_value(find, root, p);
		else if (event == JSON_SCAN_VALUE_END)
			end_value(find, p);
		else if (event == JSON_SCAN_FAILED)
			return find->scan.status;
	}
	return find->status != STATUS_OK ? find->status : json_scan_end(&find->scan);
}

enum status json_paths_find(const struct json_paths *paths, struct arena *arena, struct slice text,
			    struct slice *found)
{
	struct find find = {.arena = arena, .found = found};

	find.seen = arena_array(arena, paths->nodes, sizeof(*find.seen));
	if (find.seen == NULL)
		return STATUS_NO_MEMORY;
	for (size_t i = 0; i < paths->slots; i++)
		found[i] = (struct slice){NULL, 0};
	json_scan_open(&find.scan, LIMIT, LIMIT, LIMIT);
	find.scan.watched = 1;
	enum status status = walk(&find, &paths->root, text);
	json_scan_close(&find.scan);
	return status;
}
