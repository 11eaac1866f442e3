/*
 * store/store.h - what the settings and the tool ask of the database: one function per database
 * function, in a header per noun. These rules hold for every header of this room.
 *
 * Every function is one statement and so one transaction, unless its header says otherwise; a
 * change is in the audit log when it returns STATUS_OK. The room prints and logs nothing: why a
 * call failed is in pg_message(). It decides nothing: the database checks names, roles and limits.
 *
 * Timestamps are ISO 8601 text in UTC ("2031-05-01T12:00:00Z"). An absent slice is SQL NULL. Texts
 * that are passed in must be terminated, as pg/connection.h wants them; those that come back are.
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "base/arena.h"
#include "pg/connection.h"

/* What every call needs. The texts of results live in *arena. */
struct store {
	struct pg_connection *db;
	struct arena *arena;
	struct slice actor;  /* for the audit log: "sluicectl:alice@root" */
	int64_t deadline_ms; /* of each call, a time of clock_now_ms() */
};

/*
 * All functions return what pg_run() returns: NOT_UNIQUE for a name that is taken, NO_SUCH_ROW,
 * INVALID_VALUE or CONSTRAINT for what the database does not take; besides STATUS_NO_MEMORY. After
 * a conflict (40001, 40P01) they try again, twice at most.
 */

struct store_timestamp {
	struct slice text; /* ISO 8601, UTC */
	bool past;	   /* not later than now, by the server's clock */
};

/* Reads an ISO 8601 timestamp with its zone, or with relative an interval from now ("30 days",
 * where a day has 24 hours). STATUS_INVALID_VALUE when there is no such timestamp. */
enum status store_timestamp_read(const struct store *store, struct slice text, bool relative,
				 struct store_timestamp *timestamp) MUST_CHECK;

/* Which rows a list has; what is absent leaves all. */
struct store_selection {
	struct slice match; /* in the name, in whatever case */
	struct slice role, endpoint_type, status;
	struct slice before; /* an id, of members a "next": only what is behind it */
	struct slice limit;  /* digits: at most so many */
};

/* The user as which the connection has logged in. */
enum status store_session_user(const struct store *store, struct slice *user) MUST_CHECK;

#endif
