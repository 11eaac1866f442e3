/*
 * key/snippet.h - what a sender needs to use a key, ready to be pasted: commands, programs, forms,
 * and the settings of services.
 *
 * For the tool and the settings service, which show it once and wipe it. Nothing here is logged.
 */
#ifndef KEY_SNIPPET_H
#define KEY_SNIPPET_H

#include "base/buf.h"
#include "json/tree.h"

struct snippet {
	const char *name;  /* for a machine: "curl" */
	const char *title; /* for a person */
};

/* A key, and where requests with it go. */
struct snippet_key {
	struct slice base; /* "https://host", maybe with a path */
	struct slice key;
	struct slice secret;	    /* absent: none is needed */
	struct slice endpoint_type; /* "signal_staging" or "product_orgs" */
};

/* The snippet number i, NULL after the last one. The first is "curl". */
const struct snippet *snippet_at(size_t i);

/* The one of that name; NULL: there is none. */
const struct snippet *snippet_named(struct slice name);

/* Why a snippet cannot be had for a key, in words; NULL: it can. */
const char *snippet_obstacle(const struct snippet *snippet, const struct snippet_key *key);

/* Appends a snippet, without a line feed at the end. Values are escaped for its language. Lines
 * after the first begin with the indent. */
void snippet_add(struct buf *out, const struct snippet *snippet, const struct snippet_key *key,
		 const char *indent);

/* Adds {name, title, text} to an array for each snippet that can be had for a key, or for this one
 * alone. */
void snippet_json(struct json_tree *tree, struct json_object *array, const struct snippet *only,
		  const struct snippet_key *key);

/* Appends the path to send to, /api/…/webhook/sk_…. */
void snippet_add_path(struct buf *out, const struct snippet_key *key);

/*
 * Appends a first request to the settings API with a token, ready to be pasted. The token goes in
 * by standard input, because all users of a host see arguments. base: as in struct snippet_key.
 */
void snippet_add_token(struct buf *out, struct slice base, const char *token);

#endif
