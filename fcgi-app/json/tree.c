/*
 * json/tree.c - see json/tree.h.
 *
 * json-c's printer ignores its own failures: without memory it goes on behind a gap (json-c 0.16,
 * json_escape_str). So the room for everything is made before it prints, and it never has to
 * extend its buffer.
 */
#include "json/tree.h"

#include <limits.h>
#include <string.h>

#include <json-c/json.h>
#include <json-c/json_visit.h>

#include "base/utf8.h"

enum {
	FLAGS = JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE,
	INT_BYTES = 20,
	ESCAPE_BYTES = 6,	/* \u001f */
	SPARE_BYTES = 16,	/* json-c extends a buffer that is nearly full */
	BYTES_MAX = INT_MAX / 4 /* json-c counts in int */
};

static void fail(struct json_tree *tree)
{
	tree->status = STATUS_NO_MEMORY;
}

/* ---- how much json-c will print ---- */

static void count(struct json_tree *tree, size_t bytes)
{
	if (bytes > BYTES_MAX || tree->bytes > BYTES_MAX - bytes)
		fail(tree);
	else
		tree->bytes += bytes;
}

/* A string with its quotes. */
static void count_string(struct json_tree *tree, struct slice text)
{
	size_t escaped = 0;

	for (size_t i = 0; i < text.n; i++)
		escaped += (unsigned char)text.p[i] < 0x20 || text.p[i] == '"' || text.p[i] == '\\';
	count(tree, 2 + text.n);
	count(tree, escaped * (ESCAPE_BYTES - 1));
}

/* ---- adding ---- */

/* Gives the value, NULL for null, to the parent, or makes it the root. */
static void add(struct json_tree *tree, struct json_object *parent, const char *name,
		struct json_object *value)
{
	int added = 0;

	if (parent == NULL) {
		(void)json_object_put(tree->root);
		tree->root = value;
	} else if (name == NULL) {
		added = json_object_array_add(parent, value);
	} else {
		count_string(tree, slice_of(name));
		added = json_object_object_add_ex(parent, name, value,
						  JSON_C_OBJECT_ADD_CONSTANT_KEY);
	}
	count(tree, 2); /* a colon and a comma */
	if (added != 0) {
		(void)json_object_put(value);
		fail(tree);
	}
}

/* Adds what json-c has just made, or failed to make. */
static void add_made(struct json_tree *tree, struct json_object *parent, const char *name,
		     struct json_object *value)
{
	if (value == NULL)
		fail(tree);
	else
		add(tree, parent, name, value);
}

static void add_null(struct json_tree *tree, struct json_object *parent, const char *name)
{
	count(tree, sizeof("null"));
	add(tree, parent, name, NULL);
}

/* A string of json-c, or NULL. */
static struct json_object *new_string(struct json_tree *tree, struct slice text)
{
	if (text.n > BYTES_MAX)
		return NULL;
	count_string(tree, text);
	return json_object_new_string_len(text.p, (int)text.n);
}

/* True when every byte belongs to a character. */
static bool is_utf8(struct slice text)
{
	uint32_t point;
	size_t bytes;

	for (size_t i = 0; i < text.n; i += bytes) {
		bytes = utf8_decode((struct slice){text.p + i, text.n - i}, &point);
		if (bytes == 0)
			return false;
	}
	return true;
}

static void add_repaired(struct json_tree *tree, struct json_object *parent, const char *name,
			 struct slice text)
{
	struct buf repaired = buf_make(BYTES_MAX);

	utf8_repair(&repaired, text);
	add_made(tree, parent, name,
		 repaired.status == STATUS_OK ? new_string(tree, buf_slice(&repaired)) : NULL);
	buf_free(&repaired);
}

void json_tree_text(struct json_tree *tree, struct json_object *parent, const char *name,
		    struct slice text)
{
	if (tree->status != STATUS_OK)
		return;
	if (text.p == NULL)
		add_null(tree, parent, name);
	else if (is_utf8(text))
		add_made(tree, parent, name, new_string(tree, text));
	else
		add_repaired(tree, parent, name, text);
}

void json_tree_int(struct json_tree *tree, struct json_object *parent, const char *name,
		   int64_t value)
{
	if (tree->status != STATUS_OK)
		return;
	count(tree, INT_BYTES);
	add_made(tree, parent, name, json_object_new_int64(value));
}

void json_tree_bool(struct json_tree *tree, struct json_object *parent, const char *name,
		    bool value)
{
	if (tree->status != STATUS_OK)
		return;
	count(tree, sizeof("false"));
	add_made(tree, parent, name, json_object_new_boolean(value));
}

/* The printer of a string that is JSON. */
static int print_as_it_is(struct json_object *value, struct printbuf *out, int level, int flags)
{
	(void)level;
	(void)flags;
	return printbuf_memappend(out, json_object_get_string(value),
				  json_object_get_string_len(value));
}

void json_tree_json(struct json_tree *tree, struct json_object *parent, const char *name,
		    struct slice json)
{
	if (tree->status != STATUS_OK)
		return;
	if (json.p == NULL) {
		add_null(tree, parent, name);
		return;
	}
	struct json_object *value = new_string(tree, json);
	if (value != NULL)
		json_object_set_serializer(value, print_as_it_is, NULL, NULL);
	add_made(tree, parent, name, value);
}

struct json_object *json_tree_object(struct json_tree *tree, struct json_object *parent,
				     const char *name)
{
	if (tree->status != STATUS_OK)
		return NULL;
	struct json_object *object = json_object_new_object();
	count(tree, 2);
	add_made(tree, parent, name, object);
	return tree->status == STATUS_OK ? object : NULL;
}

struct json_object *json_tree_array(struct json_tree *tree, struct json_object *parent,
				    const char *name)
{
	if (tree->status != STATUS_OK)
		return NULL;
	struct json_object *array = json_object_new_array();
	count(tree, 2);
	add_made(tree, parent, name, array);
	return tree->status == STATUS_OK ? array : NULL;
}

/* ---- writing ---- */

/* Instead of json-c's printer of the root: fills its buffer with as many zeroes as will be printed
 * at most. */
static int print_zeroes(struct json_object *root, struct printbuf *out, int level, int flags)
{
	const size_t *bytes = json_object_get_userdata(root);

	(void)level;
	(void)flags;
	return printbuf_memset(out, 0, 0, (int)*bytes);
}

/* The buffer belongs to the root and keeps its size; so this makes room in it, and wipes it. */
static bool clear_buffer(struct json_tree *tree)
{
	size_t bytes = tree->bytes + SPARE_BYTES;

	json_object_set_serializer(tree->root, print_zeroes, &bytes, NULL);
	bool cleared = json_object_to_json_string_ext(tree->root, FLAGS) != NULL;
	json_object_set_serializer(tree->root, NULL, NULL, NULL);
	return cleared;
}

void json_tree_write(struct json_tree *tree, struct buf *out)
{
	const char *text = NULL;
	size_t n = 0;

	if (tree->status == STATUS_OK && tree->root != NULL && clear_buffer(tree))
		text = json_object_to_json_string_length(tree->root, FLAGS, &n);
	if (text == NULL || n > tree->bytes) {
		fail(tree);
		if (out->status == STATUS_OK)
			out->status = tree->status;
		return;
	}
	buf_add(out, text, n);
	(void)clear_buffer(tree);
}

/* ---- freeing ---- */

static int wipe(struct json_object *value, int flags, struct json_object *parent, const char *name,
		size_t *index, void *context)
{
	(void)flags;
	(void)parent;
	(void)name;
	(void)index;
	(void)context;
	if (json_object_is_type(value, json_type_string)) {
		/* json-c hands out its own bytes, as const. */
		char *text = (char *)(uintptr_t)json_object_get_string(value);
		memset(text, 0, (size_t)json_object_get_string_len(value));
	}
	return JSON_C_VISIT_RETURN_CONTINUE;
}

void json_tree_free(struct json_tree *tree)
{
	if (tree->root != NULL)
		(void)json_c_visit(tree->root, 0, wipe, NULL);
	(void)json_object_put(tree->root);
	*tree = (struct json_tree){0};
}
