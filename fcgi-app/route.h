/*
 * route.h - the static table of everything that can be asked for, and the search in it.
 *
 * Routing looks at REQUEST_URI, the only variable that every front end passes raw; it is decoded
 * once, segment by segment, and what is not a plain path is not found.
 */
#ifndef ROUTE_H
#define ROUTE_H

#include "intake.h"
#include "mem.h"

enum route_action { ROUTE_SIGNALS, ROUTE_HEALTH, ROUTE_METRICS };

enum route_authentication {
	ROUTE_PUBLIC, /* tells nothing that needs protection, or the web server sees to it */
	ROUTE_KEY     /* an API key in the path, and its secret if it has one */
};

struct route {
	const char *path;   /* "{key}" and "{source}" stand for one segment each */
	const char *method; /* the only one that is allowed */
	enum route_authentication authentication;
	enum route_action action;
	enum intake_kind kind; /* for ROUTE_SIGNALS: shapes, limits, answer */
};

struct route_match {
	const struct route *route; /* also set when only the method is wrong */
	struct slice key, source;  /* decoded, in the arena; absent when the path has none */
};

/*
 * Finds the route of a request target (with or without query). A trailing slash is accepted.
 * STATUS_OK, STATUS_NOT_FOUND, STATUS_METHOD_NOT_ALLOWED or STATUS_NO_MEMORY.
 */
enum status route_find(struct arena *arena, struct slice method, struct slice target,
		       struct route_match *match) MUST_CHECK;

#endif
