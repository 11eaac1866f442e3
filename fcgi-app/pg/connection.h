/*
 * pg/connection.h - one connection to PostgreSQL: connect, send, wait with a deadline, map SQLSTATE
 * to status.
 *
 * The only module that includes libpq. Everything is done with the asynchronous calls, so nothing
 * here ever waits longer than the caller's deadline; pg_connect() and pg_run() are the same
 * machine driven by poll(2) for callers that have nothing else to do (the tool, plain CGI, the
 * children for large bodies). One process, its own connections: a connection is never shared by
 * forks (see pg_abandon).
 *
 * Knows nothing of what the statements mean.
 */
#ifndef PG_CONNECTION_H
#define PG_CONNECTION_H

#include <stdint.h>

#include "base/slice.h"
#include "base/status.h"

struct pg_connection;

/* ---- statements ---- */

enum { PG_ROWS_ANY = -1, PG_PARAMS_MAX = 48 };

struct pg_statement {
	const char *name; /* unique; the name it is prepared under */
	const char *sql;  /* with $1 … $n; a constant, never pasted */
	int param_count;
	const uint32_t *param_types; /* type OIDs, or NULL: the server decides */
	bool binary;		     /* parameters and result in binary format, else in text */
	int columns;		     /* expected; any other shape is STATUS_INTERNAL */
	int rows;		     /* expected, or PG_ROWS_ANY */
};

/* Statements without parameters or result: BEGIN, COMMIT, … */
#define PG_COMMAND(text) ((struct pg_statement){.name = "", .sql = (text), .rows = PG_ROWS_ANY})

struct pg_options {
	const char *conninfo;	      /* libpq connection string; NULL or "" means libpq's own
				       * environment (PGHOST, PGSERVICE, …) */
	const char *application_name; /* as seen in pg_stat_activity */
	/* Statements to prepare once per connection; the others, and all after a pooler lost one
	 * (26000, 42P05), are sent whole. NULL and 0: none. */
	const struct pg_statement *const *prepare;
	int prepare_count;
	bool quiet; /* do not log failures: the caller shows pg_message() */
};

/* STATUS_OK or STATUS_NO_MEMORY. Connects to nothing yet; the texts must outlive the db. */
enum status pg_open(struct pg_connection **db, const struct pg_options *options) MUST_CHECK;

/* Ends the connection politely and frees everything; NULL is allowed. */
void pg_close(struct pg_connection *db);

/* In a forked child: closes the inherited socket without a goodbye to the server, frees nothing
 * else. The parent's connection is unharmed. */
void pg_abandon(struct pg_connection *db);

/* p NULL is SQL NULL. In text format p[n] must be a NUL byte, and the only one (else
 * STATUS_INVALID_VALUE). */
typedef struct slice pg_param;

/* A result; zero-initialise, release with pg_result_free. */
struct pg_result {
	void *pg;
};

int pg_result_rows(const struct pg_result *result);
/* A value's bytes, valid until the result is freed; absent (p NULL) for SQL NULL. */
struct slice pg_result_value(const struct pg_result *result, int row, int column);
/* The value in text format as an integer, "t" as 1; 0 for SQL NULL. */
int64_t pg_result_int(const struct pg_result *result, int row, int column);
void pg_result_free(struct pg_result *result);

/* ---- waiting for it: the tool, plain CGI, children ---- */

/*
 * Connects when there is no connection. deadline_ms is a time of clock_now_ms().
 * STATUS_OK, STATUS_UNAVAILABLE, STATUS_DEADLINE, STATUS_MISCONFIGURED (refused: 28xxx, 3D000)
 * or STATUS_NO_MEMORY.
 */
enum status pg_connect(struct pg_connection *db, int64_t deadline_ms) MUST_CHECK;

/*
 * Runs one statement and waits for its end (ReadyForQuery: outside a transaction block this
 * includes the commit). result may be NULL when nothing is wanted of it.
 * STATUS_OK, or by SQLSTATE (see pg/connection.c's table): INVALID_VALUE (22, 23502, 54),
 * NOT_UNIQUE (23505), REFUSED (other 23, P0001), NO_SUCH_ROW (P0002), NOT_A_MEMBER, ROLE_TOO_LOW,
 * ORGANIZATION_MISSING (SL001, SL002, SL003: of our functions), CONFLICT (40001, 40P01),
 * UNAVAILABLE (08, 57P), READ_ONLY (25006), STORAGE_FULL (53), DEADLINE (57014, 55P03 or ours: then
 * the connection is dropped), MISCONFIGURED (42, 28, 3F, …), OUTCOME_UNKNOWN (connection lost after
 * sending, or dropped at our deadline), INTERNAL. A COMMIT that the server answered with ROLLBACK
 * is STATUS_CONFLICT; a warning about a standby that did not confirm (SQLSTATE 01000) is
 * STATUS_OUTCOME_UNKNOWN.
 */
enum status pg_run(struct pg_connection *db, const struct pg_statement *statement,
		   const pg_param *params, struct pg_result *result,
		   int64_t deadline_ms) MUST_CHECK;

/*
 * The parts of pg_run() behind pg_send(), for a caller with something to do while the server works.
 * pg_flush() waits until the server has all of the statement: it begins no earlier. pg_await()
 * waits for the end; an answer that has arrived is taken after the deadline too. Both as pg_run.
 */
enum status pg_flush(struct pg_connection *db, int64_t deadline_ms) MUST_CHECK;
enum status pg_await(struct pg_connection *db, struct pg_result *result,
		     int64_t deadline_ms) MUST_CHECK;

/* Runs a script of several statements in one go by the simple protocol: migrations only. */
enum status pg_run_script(struct pg_connection *db, const char *sql,
			  int64_t deadline_ms) MUST_CHECK;

/* Of the last failure: "23505" (or "") and the server's primary message, for the tool and the log.
 * Never for senders. Valid until the next call. */
const char *pg_sqlstate(const struct pg_connection *db);
const char *pg_message(const struct pg_connection *db);
/* The column that the error names: functions of ours name the parameter that they refuse; or "". */
const char *pg_column(const struct pg_connection *db);

/* ---- not waiting: the loop ---- */

enum pg_state {
	PG_CLOSED,     /* no connection: pg_start_connect */
	PG_CONNECTING, /* poll for pg_events, then pg_step */
	PG_READY,      /* pg_send may be called */
	PG_BUSY	       /* a statement is under way: poll, then pg_step */
};

enum pg_state pg_state(const struct pg_connection *db);
int pg_fd(const struct pg_connection *db); /* -1 when closed */
short pg_events(const struct pg_connection
			*db); /* POLLIN, POLLOUT or both; 0 when there is nothing to wait for */

/* STATUS_OK (now connecting, or at once ready) or as pg_connect. */
enum status pg_start_connect(struct pg_connection *db) MUST_CHECK;

/* Sends a statement without waiting; the connection must be PG_READY. The parameters may be
 * released on return. STATUS_OK (now busy), or the failure. */
enum status pg_send(struct pg_connection *db, const struct pg_statement *statement,
		    const pg_param *params) MUST_CHECK;

/*
 * Does what can be done without waiting. STATUS_AGAIN: poll on. Any other value ends what was
 * under way: for a statement as pg_run, with *result (NULL is allowed) filled on STATUS_OK.
 * Also to be called when the idle connection's socket becomes readable: it may have been closed.
 */
enum status pg_step(struct pg_connection *db, struct pg_result *result) MUST_CHECK;

/* Drops the connection at once, whatever is under way; the state is PG_CLOSED. */
void pg_drop(struct pg_connection *db);

#endif
