/*
 * store/store.h - one function per database function of the settings side: organizations, usage,
 * members.
 *
 * On the request's way between the settings handlers (or the tool) and db. Owns transactions:
 * every function here is one, and what it changes is in the audit log when it returns STATUS_OK.
 * Prints and logs nothing; why a call failed is in pg_message(). Decides nothing: names, roles
 * and limits are checked by the database. What the tool alone needs to know of the schema is in
 * store/migration.h.
 *
 * Timestamps are ISO 8601 text in UTC ("2031-05-01T12:00:00Z"). An absent slice is SQL NULL. Texts
 * that are passed in must be terminated, as pg/connection.h wants them.
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "base/arena.h"
#include "base/buf.h"
#include "key/credential.h"
#include "pg/connection.h"

/* Who asks, over which connection, until when. The texts of results live in *arena. */
struct store {
	struct pg_connection *db;
	struct arena *arena;
	struct slice actor;  /* for the audit log: "sluicectl:alice@root" */
	int64_t deadline_ms; /* a time of clock_now_ms(); for each call */
};

/*
 * All functions return what pg_run() returns: NOT_UNIQUE for a name that is taken, NO_SUCH_ROW,
 * INVALID_VALUE or REFUSED for what the database does not take; besides STATUS_NO_MEMORY.
 * A conflict (40001, 40P01) is tried again, twice at most.
 */

/* ---- organizations ---- */

struct store_organization {
	int64_t id;
	struct slice name, created_at, created_by;
	int64_t members;
	int64_t keys; /* that are not deactivated */
};

struct store_organizations {
	struct store_organization *items;
	size_t count;
};

enum status store_organization_create(const struct store *store, struct slice name,
				      int64_t *id) MUST_CHECK;
enum status store_organization_list(const struct store *store,
				    struct store_organizations *list) MUST_CHECK;

/* ---- usage and limits ---- */

struct store_usage {
	struct slice organization, month; /* the month as YYYY-MM */
	int64_t signals;		  /* stored in that month */
	int64_t duplicates;		  /* not stored, because delivered before */
	int64_t signal_limit;		  /* 0: any number */
	bool overages;			  /* signals beyond the limit are accepted */
};

struct store_usages {
	struct store_usage *items;
	size_t count;
};

/* signal_limit and overages as text; an absent one stays as it is. */
enum status store_organization_limit(const struct store *store, struct slice organization,
				     struct slice signal_limit, struct slice overages) MUST_CHECK;
/* organization absent: all; month (its first day, an ISO 8601 date) absent: this one. */
enum status store_usage_list(const struct store *store, struct slice organization,
			     struct slice month, struct store_usages *list) MUST_CHECK;

/* ---- members ---- */

struct store_member {
	struct slice user, role, added_at, added_by;
};

struct store_members {
	struct store_member *items;
	size_t count;
};

enum status store_member_add(const struct store *store, struct slice organization,
			     struct slice user, struct slice role) MUST_CHECK;
enum status store_member_list(const struct store *store, struct slice organization,
			      struct store_members *list) MUST_CHECK;
enum status store_member_remove(const struct store *store, struct slice organization,
				struct slice user) MUST_CHECK;

/* ---- what needs the server's clock and calendar ---- */

struct store_timestamp {
	struct slice text; /* ISO 8601, UTC */
	bool past;	   /* not later than now */
};

/* Reads an ISO 8601 timestamp with its zone, or with relative an interval from now ("30 days",
 * where a day has 24 hours). STATUS_INVALID_VALUE when there is no such timestamp. */
enum status store_timestamp_read(const struct store *store, struct slice text, bool relative,
				 struct store_timestamp *timestamp) MUST_CHECK;

/* The name the connection has in the database, for the actor of the audit log. */
enum status store_session_user(const struct store *store, struct slice *user) MUST_CHECK;

/* ---- for the other files of the store ---- */

/* Reads one row of a result into one item of a list. */
typedef enum status store_row(const struct store *store, const struct pg_result *result, int row,
			      void *item);

/* Runs a statement; again after a conflict. */
enum status store_run(const struct store *store, const struct pg_statement *statement,
		      const pg_param *params, struct pg_result *result) MUST_CHECK;

/* Runs a statement and reads its one row / all of its rows, into an array in the arena. */
enum status store_one(const struct store *store, const struct pg_statement *statement,
		      const pg_param *params, store_row *read, void *item) MUST_CHECK;
enum status store_list(const struct store *store, const struct pg_statement *statement,
		       const pg_param *params, store_row *read, size_t item_bytes, void **items,
		       size_t *count) MUST_CHECK;

/* store_keep() for count columns from first on. */
enum status store_keep_all(const struct store *store, const struct pg_result *result, int row,
			   int first, struct slice *const texts[], int count) MUST_CHECK;

/* A function's result of one text, as a struct slice, or of one number, as an int64_t. */
store_row store_read_text, store_read_int;

/* ISO 8601 whatever DateStyle and TimeZone the session has; trailing zeroes of the fraction go. */
#define STORE_TIMESTAMP(column) "to_json((" column ") AT TIME ZONE 'UTC') #>> '{}' || 'Z'"

/* Copies a value out of a result into the arena; an absent one stays absent. */
enum status store_keep(const struct store *store, struct slice value,
		       struct slice *text) MUST_CHECK;

/* A hash in hexadecimal, terminated: as text it passes through statements in text format. */
enum { STORE_HEX_CHARS = 2 * CREDENTIAL_HASH_BYTES };
struct slice store_hash_hex(const struct credential_hash *hash, char hex[STORE_HEX_CHARS + 1]);

#endif
