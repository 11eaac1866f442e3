/*
 * db.h - one connection to PostgreSQL: connect, send, wait with a deadline, map SQLSTATE to status.
 *
 * The only module that includes libpq. Everything is done with the asynchronous calls, so nothing
 * here ever waits longer than the caller's deadline; db_connect() and db_run() are the same
 * machine driven by poll(2) for callers that have nothing else to do (the tool, plain CGI, the
 * children for large bodies). One process, its own connections: a connection is never shared by
 * forks (see db_abandon).
 *
 * Knows nothing of what the statements mean.
 */
#ifndef DB_H
#define DB_H

#include <stdint.h>

#include "mem.h"

struct db;

/* Monotonic milliseconds, the clock of every deadline in the project. */
int64_t db_now_ms(void);

/* ---- statements ---- */

enum { DB_ROWS_ANY = -1, DB_PARAMS_MAX = 48 };

struct db_statement {
	const char *name; /* unique; the name it is prepared under */
	const char *sql;  /* with $1 … $n; a constant, never pasted */
	int param_count;
	const uint32_t *param_types; /* type OIDs, or NULL: the server decides */
	bool binary;		     /* parameters and result in binary format, else in text */
	int columns;		     /* expected; any other shape is STATUS_INTERNAL */
	int rows;		     /* expected, or DB_ROWS_ANY */
};

/* Statements without parameters or result: BEGIN, COMMIT, … */
#define DB_COMMAND(text) ((struct db_statement){.name = "", .sql = (text), .rows = DB_ROWS_ANY})

struct db_options {
	const char *conninfo;	      /* libpq connection string; NULL or "" means libpq's own
				       * environment (PGHOST, PGSERVICE, …) */
	const char *application_name; /* as seen in pg_stat_activity */
	/* Statements to prepare once per connection; the others, and all after a pooler lost one
	 * (26000, 42P05), are sent whole. NULL and 0: none. */
	const struct db_statement *const *prepare;
	int prepare_count;
	bool quiet; /* do not log failures: the caller shows db_message() */
};

/* STATUS_OK or STATUS_NO_MEMORY. Connects to nothing yet; the texts must outlive the db. */
enum status db_open(struct db **db, const struct db_options *options) MUST_CHECK;

/* Ends the connection politely and frees everything; NULL is allowed. */
void db_close(struct db *db);

/* In a forked child: closes the inherited socket without a goodbye to the server, frees nothing
 * else. The parent's connection is unharmed. */
void db_abandon(struct db *db);

/* p NULL is SQL NULL. In text format p[n] must be a NUL byte, and the only one (else
 * STATUS_INVALID_VALUE). */
typedef struct slice db_param;

/* A result; zero-initialise, release with db_result_free. */
struct db_result {
	void *pg;
};

int db_result_rows(const struct db_result *result);
/* A value's bytes, valid until the result is freed; absent (p NULL) for SQL NULL. */
struct slice db_result_value(const struct db_result *result, int row, int column);
/* The value in text format as an integer, "t" as 1; 0 for SQL NULL. */
int64_t db_result_int(const struct db_result *result, int row, int column);
void db_result_free(struct db_result *result);

/* ---- waiting for it: the tool, plain CGI, children ---- */

/*
 * Connects when there is no connection. deadline_ms is a time of db_now_ms().
 * STATUS_OK, STATUS_UNAVAILABLE, STATUS_DEADLINE, STATUS_MISCONFIGURED (refused: 28xxx, 3D000)
 * or STATUS_NO_MEMORY.
 */
enum status db_connect(struct db *db, int64_t deadline_ms) MUST_CHECK;

/*
 * Runs one statement and waits for its end (ReadyForQuery: outside a transaction block this
 * includes the commit). result may be NULL when nothing is wanted of it.
 * STATUS_OK, or by SQLSTATE (see db.c's table): INVALID_VALUE (22, 23502, 54), NOT_UNIQUE (23505),
 * REFUSED (other 23, P0001), NO_SUCH_ROW (P0002), NOT_A_MEMBER, ROLE_TOO_LOW, ORGANIZATION_MISSING
 * (SL001, SL002, SL003: of our functions), CONFLICT (40001, 40P01), UNAVAILABLE (08, 57P),
 * READ_ONLY (25006), STORAGE_FULL (53), DEADLINE (57014, 55P03 or ours: then the connection is
 * dropped), MISCONFIGURED (42, 28, 3F, …), OUTCOME_UNKNOWN (connection lost after sending, or
 * dropped at our deadline), INTERNAL. A COMMIT that the server answered with ROLLBACK is
 * STATUS_CONFLICT; a warning about a standby that did not confirm (SQLSTATE 01000) is
 * STATUS_OUTCOME_UNKNOWN.
 */
enum status db_run(struct db *db, const struct db_statement *statement, const db_param *params,
		   struct db_result *result, int64_t deadline_ms) MUST_CHECK;

/*
 * The parts of db_run() behind db_send(), for a caller with something to do while the server works.
 * db_flush() waits until the server has all of the statement: it begins no earlier. db_await()
 * waits for the end; an answer that has arrived is taken after the deadline too. Both as db_run.
 */
enum status db_flush(struct db *db, int64_t deadline_ms) MUST_CHECK;
enum status db_await(struct db *db, struct db_result *result, int64_t deadline_ms) MUST_CHECK;

/* Runs a script of several statements in one go by the simple protocol: migrations only. */
enum status db_run_script(struct db *db, const char *sql, int64_t deadline_ms) MUST_CHECK;

/* Of the last failure: "23505" (or "") and the server's primary message, for the tool and the log.
 * Never for senders. Valid until the next call. */
const char *db_sqlstate(const struct db *db);
const char *db_message(const struct db *db);
/* The column that the error names: functions of ours name the parameter that they refuse; or "". */
const char *db_column(const struct db *db);

/* ---- not waiting: the loop ---- */

enum db_state {
	DB_CLOSED,     /* no connection: db_start_connect */
	DB_CONNECTING, /* poll for db_events, then db_step */
	DB_READY,      /* db_send may be called */
	DB_BUSY	       /* a statement is under way: poll, then db_step */
};

enum db_state db_state(const struct db *db);
int db_fd(const struct db *db); /* -1 when closed */
short db_events(
	const struct db *db); /* POLLIN, POLLOUT or both; 0 when there is nothing to wait for */

/* STATUS_OK (now connecting, or at once ready) or as db_connect. */
enum status db_start_connect(struct db *db) MUST_CHECK;

/* Sends a statement without waiting; the connection must be DB_READY. The parameters may be
 * released on return. STATUS_OK (now busy), or the failure. */
enum status db_send(struct db *db, const struct db_statement *statement,
		    const db_param *params) MUST_CHECK;

/*
 * Does what can be done without waiting. STATUS_AGAIN: poll on. Any other value ends what was
 * under way: for a statement as db_run, with *result (NULL is allowed) filled on STATUS_OK.
 * Also to be called when the idle connection's socket becomes readable: it may have been closed.
 */
enum status db_step(struct db *db, struct db_result *result) MUST_CHECK;

/* Drops the connection at once, whatever is under way; the state is DB_CLOSED. */
void db_drop(struct db *db);

#endif
