/*
 * pg/connection.h - one connection to PostgreSQL: connect, send, wait with a deadline, map SQLSTATE
 * to status.
 *
 * The only module that includes libpq, and only its asynchronous calls: nothing here waits beyond
 * the caller's deadline. pg_connect() and pg_run() drive the same state machine by poll(2) for
 * callers that have nothing else to do: the tool, plain CGI, children for large bodies. A
 * connection belongs to one process (see pg_abandon).
 *
 * Knows nothing of what the statements mean.
 */
#ifndef PG_CONNECTION_H
#define PG_CONNECTION_H

#include <stdint.h>

#include "base/buf.h"
#include "base/slice.h"
#include "base/status.h"

struct pg_connection;

/* ---- statements ---- */

enum { PG_ROWS_ANY = -1, PG_PARAMS_MAX = 16 };

struct pg_statement {
	const char *name; /* unique; the name it is prepared under */
	const char *sql;  /* with $1 … $n; a constant, never pasted */
	int param_count;
	const uint32_t *param_types; /* type OIDs, or NULL: the server decides */
	bool binary;		     /* parameters and result in binary format, else in text */
	int columns;		     /* expected, as are the rows: else STATUS_INTERNAL */
	int rows;		     /* or PG_ROWS_ANY */
	enum status answer;	     /* a failure that tells the caller something and is not logged;
				      * STATUS_OK: none */
};

/* Statements without parameters or result: BEGIN, COMMIT, … */
#define PG_COMMAND(text) ((struct pg_statement){.name = "", .sql = (text), .rows = PG_ROWS_ANY})

struct pg_options {
	const char *conninfo;	      /* libpq connection string; NULL or "" means libpq's own
				       * environment (PGHOST, PGSERVICE, …) */
	const char *application_name; /* as seen in pg_stat_activity */
	/* Statements to prepare on each connection. The others, and all after a pooler has lost one
	 * (26000, 42P05), are sent unprepared. NULL and 0: none. */
	const struct pg_statement *const *prepare;
	int prepare_count;
	/* For each host of several, so that one that is silent does not keep the others from being
	 * tried; 0: none. */
	int64_t host_timeout_ms;
	/* Runs on each new connection, without parameters, before it is ready; NULL: none. Its
	 * result is pg_greeting(). */
	const struct pg_statement *greeting;
	/* A statement's result is sent before its commit, so that it is there if the connection is
	 * lost in between. No scripts then. */
	bool early_results;
	bool quiet; /* log no failures: the caller shows pg_message() */
};

/* STATUS_OK or STATUS_NO_MEMORY. Does not connect yet; what the options point to must outlive db,
 * but for the connection string, which is copied. */
enum status pg_open(struct pg_connection **db, const struct pg_options *options) MUST_CHECK;

/* Says goodbye to the server and frees everything; NULL is allowed. */
void pg_close(struct pg_connection *db);

/* Whether the connection string is this one. */
bool pg_is_for(const struct pg_connection *db, const char *conninfo);

/* Drops the connection, as pg_drop(): the next one is made with this connection string, which is
 * copied. STATUS_OK, or STATUS_NO_MEMORY: nothing has changed. */
enum status pg_redirect(struct pg_connection *db, const char *conninfo) MUST_CHECK;

/* In a forked child: closes the inherited socket without a goodbye to the server, so that the
 * parent's connection is unharmed. Frees nothing else. */
void pg_abandon(struct pg_connection *db);

/* p NULL is SQL NULL. In text format p[n] must be a NUL byte, and the only one (else
 * STATUS_INVALID_VALUE). */
typedef struct slice pg_param;

/* A result; zero-initialise, release with pg_result_free. */
struct pg_query_result {
	void *pg;
};

int pg_result_rows(const struct pg_query_result *result);

/* A value's bytes, valid until the result is freed; absent for SQL NULL. */
struct slice pg_result_value(const struct pg_query_result *result, int row, int column);

/* A number or boolean in text format as an integer, true as 1; 0 for SQL NULL. */
int64_t pg_result_int(const struct pg_query_result *result, int row, int column);

/* Zeroes it, too: freeing it again does nothing. */
void pg_result_free(struct pg_query_result *result);

/* ---- blocking calls: the tool, plain CGI, children ---- */

/*
 * Connects unless connected. deadline_ms is a time of clock_now_ms(). STATUS_OK,
 * STATUS_UNAVAILABLE, STATUS_DEADLINE, STATUS_MISCONFIGURED (no such database, user or
 * authentication; a statement cannot be prepared) or STATUS_NO_MEMORY.
 */
enum status pg_connect(struct pg_connection *db, int64_t deadline_ms) MUST_CHECK;

/*
 * Whether a connection with these options, of which quiet is set, could be made and take writes.
 * STATUS_OK, or why not, as pg_connect(), or STATUS_READ_ONLY; then cause has the server's or
 * libpq's message.
 */
enum status pg_try(const struct pg_options *options, int64_t deadline_ms,
		   struct buf *cause) MUST_CHECK;

/*
 * Runs one statement and waits for its end (ReadyForQuery: outside a transaction block this
 * includes the commit). result may be NULL.
 *
 * STATUS_OK, or a status by SQLSTATE (the table is in pg/sqlstate.c): INVALID_VALUE (what reading a
 * value fails with, and 22023), NOT_UNIQUE (23505), CONSTRAINT (other 22, 23, 54, P0001),
 * NO_SUCH_ROW (P0002), NOT_A_MEMBER, ROLE_TOO_LOW, ORGANIZATION_MISSING, WRONG_STATE, NAME_TAKEN,
 * LIMIT_REACHED, INSUFFICIENT_SCOPE (SL001 to SL007: of our functions), CONFLICT (40, 26000,
 * 42P05), UNAVAILABLE (08, 57P, 58), READ_ONLY (25006), STORAGE_FULL (53, 2200H), DEADLINE (57014,
 * 55P03), MISCONFIGURED (28, 3D, 3F, 42, 0A), else INTERNAL. A prepared statement's failure that
 * may come from types made anew is CONFLICT, and the connection is dropped: the next one prepares
 * it again.
 *
 * OUTCOME_UNKNOWN: the connection was lost after sending or dropped at the deadline, or the wait
 * for a synchronous standby was cancelled; of a lost one, with options.early_results, *result is
 * set if it had arrived. CONFLICT: a COMMIT that the server answered with ROLLBACK. INVALID_VALUE
 * or INTERNAL, with nothing sent: a parameter that text format cannot hold. A connection that was
 * lost or dropped is PG_CLOSED.
 */
enum status pg_run(struct pg_connection *db, const struct pg_statement *statement,
		   const pg_param *params, struct pg_query_result *result,
		   int64_t deadline_ms) MUST_CHECK;

/*
 * What pg_run() does after pg_send(), for a caller with something to do while the server works.
 * pg_flush() waits until all of the statement is sent, because the server starts no earlier.
 * pg_await() waits for the end; a result that has arrived is taken even after the deadline. Both as
 * pg_run().
 */
enum status pg_flush(struct pg_connection *db, int64_t deadline_ms) MUST_CHECK;
enum status pg_await(struct pg_connection *db, struct pg_query_result *result,
		     int64_t deadline_ms) MUST_CHECK;

/* Runs several statements at once by the simple query protocol: migrations only. As pg_run(). */
enum status pg_run_script(struct pg_connection *db, const char *sql,
			  int64_t deadline_ms) MUST_CHECK;

/* Of the last failure: its SQLSTATE, or "" when the server gave none, and the primary message. For
 * the tool and the log, never for senders. Valid until the next call. */
const char *pg_sqlstate(const struct pg_connection *db);
const char *pg_message(const struct pg_connection *db);

/* The column that the last error names, or "": our functions name the parameter they do not take.
 */
const char *pg_column(const struct pg_connection *db);

/* What the server adds to the last error for an operator, or "". As long as pg_message(). */
const char *pg_detail(const struct pg_connection *db);
const char *pg_hint(const struct pg_connection *db);

/* The result of options.greeting on this connection, or on the last one until the next is ready; pg
 * is NULL before the first. Not to be freed. */
const struct pg_query_result *pg_greeting(const struct pg_connection *db);

/* Where the connection goes: a host or the directory of a socket, and a port. */
const char *pg_host(const struct pg_connection *db);
const char *pg_port(const struct pg_connection *db);

/* Whether the server said that it takes no writes: it is a standby, or set so. False where a pooler
 * does not pass that on. */
bool pg_is_read_only(const struct pg_connection *db);
bool pg_is_standby(const struct pg_connection *db);

/* ---- for the event loop ---- */

enum pg_state {
	PG_CLOSED,     /* no connection: pg_start_connect */
	PG_CONNECTING, /* poll for pg_events, then pg_step */
	PG_READY,      /* pg_send may be called */
	PG_BUSY	       /* a statement is running: poll, then pg_step */
};

/* Where the connection is. It changes only in calls of this module. */
enum pg_state pg_state(const struct pg_connection *db);

/* What to poll: the socket, -1 when closed, for POLLIN, POLLOUT or both, 0 when closed. Both may
 * change with each call. */
int pg_fd(const struct pg_connection *db);
short pg_events(const struct pg_connection *db);

/* Whether pg_step() has something to do right now, so that a deadline ends nothing that has arrived
 * while the process was stopped. */
bool pg_has_events(const struct pg_connection *db);

/* Starts a new connection, dropping one that is open. STATUS_OK (PG_CONNECTING), or as
 * pg_connect().
 */
enum status pg_start_connect(struct pg_connection *db) MUST_CHECK;

/* Sends a statement without waiting; the connection must be PG_READY. The parameters may be
 * released on return. STATUS_OK (PG_BUSY), or as pg_run(). */
enum status pg_send(struct pg_connection *db, const struct pg_statement *statement,
		    const pg_param *params) MUST_CHECK;

/*
 * Does what can be done without waiting. STATUS_AGAIN: poll again. Anything else ends the attempt
 * to connect, as pg_connect(), or the statement, as pg_run(), with *result set on STATUS_OK, and
 * with STATUS_OUTCOME_UNKNOWN as there; result may be NULL. Call it when the socket of an idle
 * connection becomes readable, too: the server may have closed it.
 */
enum status pg_step(struct pg_connection *db, struct pg_query_result *result) MUST_CHECK;

/*
 * The host of a new connection is silent: goes on to the next one of the connection string, or the
 * next address of its name. STATUS_OK (PG_CONNECTING), or a failure when all have been tried: the
 * connection is PG_CLOSED, as after a failed pg_step().
 */
enum status pg_give_up_host(struct pg_connection *db) MUST_CHECK;

/* When to do that while PG_CONNECTING, by options.host_timeout_ms. */
int64_t pg_host_deadline_ms(const struct pg_connection *db);

/* The next connection is to begin with another host, if several are known. */
void pg_avoid_host(struct pg_connection *db);

/*
 * Asks the server to end the running statement, once, without waiting. It may still succeed: go on
 * with pg_step(). Drop the connection then, because a late request would end another statement.
 */
void pg_cancel(struct pg_connection *db);

/* Whether the server's host has taken all that was sent: for a socket of this machine the server
 * itself, else its kernel. */
bool pg_has_been_read(const struct pg_connection *db);

/* Drops the connection at once, in whatever state, and cancels what is running: it is PG_CLOSED. */
void pg_drop(struct pg_connection *db);

#endif
