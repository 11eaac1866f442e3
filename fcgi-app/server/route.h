/*
 * server/route.h - the static table of everything that can be asked for, and the search in it.
 *
 * Routing looks at REQUEST_URI, the only variable that every front end passes raw; it is decoded
 * once, segment by segment, and what is not a plain path is not found.
 */
#ifndef SERVER_ROUTE_H
#define SERVER_ROUTE_H

#include "base/arena.h"
#include "base/status.h"
#include "intake/intake.h"

enum route_program { ROUTE_INTAKE, ROUTE_SETTINGS };

/* What is asked of the intake workers. */
enum route_action { ROUTE_SIGNALS, ROUTE_HEALTH, ROUTE_METRICS };

/* What is asked of the settings service. */
enum route_question {
	ROUTE_ME,
	ROUTE_KEYS,
	ROUTE_KEY_CREATE,
	ROUTE_KEY_SHOW,
	ROUTE_KEY_DEACTIVATE,
	ROUTE_TEMPLATE_TRY,
	ROUTE_STATISTICS,
	ROUTE_LATEST_SIGNALS,
	ROUTE_LATEST_PRODUCT_ORGS,
	ROUTE_REJECTS,
	ROUTE_USAGE,
	ROUTE_AUDIT,
	ROUTE_QUESTIONS
};

enum route_authentication {
	ROUTE_PUBLIC, /* tells nothing that needs protection, or the web server sees to it */
	ROUTE_KEY,    /* an API key in the path, and its secret if it has one */
	ROUTE_VIEWER, /* a member, as the web server says; its role is the database's knowledge: any
		       */
	ROUTE_EDITOR  /* … editor, admin or owner */
};

struct route {
	const char *path;   /* "{key}", "{source}" and "{id}" stand for one segment each */
	const char *method; /* another row may have the same path with another one */
	enum route_program program;
	enum route_authentication authentication;
	/* For ROUTE_INTAKE. */
	enum route_action action;
	enum intake_kind kind; /* for ROUTE_SIGNALS: shapes, limits, answer */
	/* For ROUTE_SETTINGS. */
	enum route_question question;
	size_t body_bytes; /* the largest body; 0: none is read */
};

struct route_match {
	const struct route *route; /* also set when only the method is wrong */
	const char *allow;	   /* the methods of the path, for 405 */
	struct slice key, source;  /* decoded, in the arena; absent when the path has none */
	struct slice id;
};

/*
 * Finds a program's route of a request target (with or without query). A trailing slash is
 * accepted.
 * STATUS_OK, STATUS_NOT_FOUND, STATUS_METHOD_NOT_ALLOWED or STATUS_NO_MEMORY.
 */
enum status route_find(struct arena *arena, enum route_program program, struct slice method,
		       struct slice target, struct route_match *match) MUST_CHECK;

#endif
