/*
 * server/route.h - the static table of all routes of both FastCGI programs, and the search in it.
 *
 * Routing uses REQUEST_URI, the only variable that every web server passes undecoded. It is decoded
 * once, segment by segment; anything but a plain path, and a path over 2,048 bytes, is not found.
 */
#ifndef SERVER_ROUTE_H
#define SERVER_ROUTE_H

#include "base/arena.h"
#include "base/status.h"
#include "intake/intake.h"

enum route_program { ROUTE_INTAKE, ROUTE_SETTINGS };

/* The routes of sluice-intake. */
enum route_action { ROUTE_SIGNALS, ROUTE_LIVE, ROUTE_READY, ROUTE_METRICS };

/* The routes of sluice-settings. */
enum route_setting {
	ROUTE_ME,
	ROUTE_KEYS,
	ROUTE_KEY_CREATE,
	ROUTE_KEY_SHOW,
	ROUTE_KEY_EDIT,
	ROUTE_KEY_ROTATE,
	ROUTE_KEY_SECRET,
	ROUTE_KEY_HISTORY,
	ROUTE_KEY_FIND,
	ROUTE_MEMBERS,
	ROUTE_MEMBER_ADD,
	ROUTE_MEMBER_ROLE,
	ROUTE_MEMBER_REMOVE,
	ROUTE_LIMIT,
	ROUTE_CURRENCY,
	ROUTE_KEY_REFUSALS,
	ROUTE_KEY_PAYLOAD,
	ROUTE_KEY_DEACTIVATE,
	ROUTE_TEMPLATE_TRY,
	ROUTE_STATISTICS,
	ROUTE_LATEST_SIGNALS,
	ROUTE_LATEST_PRODUCT_ORGS,
	ROUTE_PRODUCT_ORG_STATES,
	ROUTE_REJECTS,
	ROUTE_REJECT,
	ROUTE_REJECT_TRY,
	ROUTE_REJECT_REPLAY,
	ROUTE_REJECT_DISCARD,
	ROUTE_REJECT_KINDS,
	ROUTE_REJECTS_REPLAY,
	ROUTE_USAGE,
	ROUTE_AUDIT,
	ROUTE_KEY_VOLUMES,
	ROUTE_TOKENS,
	ROUTE_TOKEN_CREATE,
	ROUTE_TOKEN_REVOKE,
	ROUTE_SETTING_COUNT
};

enum route_authentication {
	ROUTE_PUBLIC, /* none, or by the web server */
	ROUTE_KEY,    /* an API key in the path, and its secret if it has one */
	ROUTE_VIEWER, /* REMOTE_USER or a token, a member; the database checks the role: any … */
	ROUTE_EDITOR, /* … or editor, admin, owner; */
	ROUTE_ADMIN,  /* admin, owner; */
	ROUTE_OWNER   /* or the owner alone */
};

struct route {
	const char *path;   /* "{key}", "{source}" and "{id}" stand for one segment each */
	const char *method; /* a path with two methods has two rows */
	enum route_program program;
	enum route_authentication authentication;
	/* For ROUTE_INTAKE. */
	enum route_action action;
	enum intake_kind kind; /* for ROUTE_SIGNALS: shapes, limits, answer */
	/* For ROUTE_SETTINGS. */
	enum route_setting setting;
	size_t body_bytes; /* the largest body; 0: no body is read */
};

struct route_match {
	const struct route *route; /* also set when only the method is wrong */
	const char *allow;	   /* the methods of the path, for 405 */
	struct slice key, source;  /* decoded, in the arena; absent when the path has none */
	struct slice id;
};

/*
 * The path of a request target, without the path of public_url if it begins with that: a proxy may
 * have removed it already. For route_find().
 */
struct slice route_target(struct slice target, const char *public_url);

/*
 * Finds the program's route for a request target in origin or absolute form. The query, however
 * long, is ignored, a trailing slash allowed, HEAD is served where GET is public, and what is
 * public is also found below /sluice. STATUS_OK, STATUS_NOT_FOUND, STATUS_METHOD_NOT_ALLOWED or
 * STATUS_NO_MEMORY.
 */
enum status route_find(struct arena *arena, enum route_program program, struct slice method,
		       struct slice target, struct route_match *match) MUST_CHECK;

/*
 * Routes of ROUTE_INTAKE as base/stats counts them: by a number below STATS_ROUTES, which a route
 * keeps while the process runs; 0 is for requests without a route (NULL, "none").
 */
unsigned route_number(const struct route *route);

/* The path with this number; NULL beyond the last. */
const char *route_counted(unsigned number);

/* Whether signals are sent to the route with this number. */
bool route_is_webhook(unsigned number);

/* Whether the route with this number takes bulk imports. */
bool route_is_bulk(unsigned number);

#endif
