/*
 * json/tree.h - JSON documents that are built in memory and written in one go: the answers of the
 * settings and the output of the tool.
 *
 * Over json-c, of which this is the only user. A tree remembers its first failure: add as often as
 * needed and ask once, by json_tree_write. Names of members must outlive the tree; everything else
 * is copied. What a tree held is wiped when it is freed: it may have been a key.
 */
#ifndef JSON_TREE_H
#define JSON_TREE_H

#include "base/buf.h"
#include "base/status.h"

/* An object or an array of a tree. */
struct json_object;

/* Needs no set-up beyond zeroes: struct json_tree tree = {0}; */
struct json_tree {
	struct json_object *root; /* NULL before the first json_tree_object or json_tree_array */
	size_t bytes;		  /* the most that the written tree can take */
	enum status status;	  /* STATUS_OK or STATUS_NO_MEMORY, of all calls so far */
};

/*
 * Each adds one member to an object, or one element to an array with name NULL. A name that the
 * object has already replaces its value. After a failure they do nothing.
 */

/* An absent text is null. A byte that is not UTF-8 becomes U+FFFD. */
void json_tree_text(struct json_tree *tree, struct json_object *parent, const char *name,
		    struct slice text);
void json_tree_int(struct json_tree *tree, struct json_object *parent, const char *name,
		   int64_t value);
void json_tree_bool(struct json_tree *tree, struct json_object *parent, const char *name,
		    bool value);

/* A text that is JSON already: written byte for byte, so that no digit changes. Absent is null. */
void json_tree_json(struct json_tree *tree, struct json_object *parent, const char *name,
		    struct slice json);

/* An empty object or array; with parent NULL the root. NULL after a failure, which the other
 * functions accept. */
struct json_object *json_tree_object(struct json_tree *tree, struct json_object *parent,
				     const char *name);
struct json_object *json_tree_array(struct json_tree *tree, struct json_object *parent,
				    const char *name);

/*
 * Appends the tree to out on one line, without blanks, members in the order in which they were
 * added. A failure of the tree, or of writing it, becomes the status of out; nothing is appended
 * then.
 */
void json_tree_write(struct json_tree *tree, struct buf *out);

/* Wipes and frees what the tree holds; it may be used again. */
void json_tree_free(struct json_tree *tree);

#endif
