/*
 * scripted_libpq.h - a libpq that plays a script. Linked instead of the real one, it puts the code
 * under test into states that a server reaches only by accident.
 *
 * A script is the calls that must be made, in order, with what each returns: connecting, preparing,
 * sending, flushing, reading and finishing. A different call, a different argument, a call too many
 * or too few fails the test, and so does a result that is not cleared exactly once. What only looks
 * at a connection or result (PQstatus, PQsocket, PQntuples, …) is not in the script: it answers
 * from where the script has come to. Nor is the pipeline mode: a statement's NULL result is
 * followed by the answer to its PQpipelineSync().
 *
 * Allocates nothing, so that allocations can be counted and failed around it.
 */
#ifndef SCRIPTED_LIBPQ_H
#define SCRIPTED_LIBPQ_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stddef.h>

struct libpq_value {
	const char *p; /* NULL: SQL NULL */
	int n;
};

/* One result, error or notice; zero members are absent. */
struct libpq_result {
	ExecStatusType status;
	const char *command; /* PQcmdStatus */
	int rows, columns;
	const struct libpq_value *values; /* row by row */
	const char *sqlstate, *severity, *message, *column, *detail, *hint, *function;
};

#define LIBPQ_ERROR(state, text)                                                                   \
	{                                                                                          \
		.status = PGRES_FATAL_ERROR, .sqlstate = (state), .severity = "ERROR",             \
		.message = (text)                                                                  \
	}
#define LIBPQ_FATAL(state, text)                                                                   \
	{                                                                                          \
		.status = PGRES_FATAL_ERROR, .sqlstate = (state), .severity = "FATAL",             \
		.message = (text)                                                                  \
	}
/* What libpq makes itself when the connection breaks. */
#define LIBPQ_BROKEN(text)                                                                         \
	{                                                                                          \
		.status = PGRES_FATAL_ERROR, .message = (text)                                     \
	}
#define LIBPQ_WARNING(state, text)                                                                 \
	{                                                                                          \
		.status = PGRES_NONFATAL_ERROR, .sqlstate = (state), .severity = "WARNING",        \
		.message = (text)                                                                  \
	}

/* The warning of a commit whose wait for a standby was cancelled. */
#define LIBPQ_UNCONFIRMED                                                                          \
	{                                                                                          \
		.status = PGRES_NONFATAL_ERROR, .sqlstate = "01000", .severity = "WARNING",        \
		.message = "canceling wait", .function = "SyncRepWaitForLSN"                       \
	}

struct libpq_call {
	const char *function;		   /* its name; NULL ends the script */
	int returns;			   /* PQconnectStartParams: 0 is NULL */
	const char *with;		   /* its arguments as text; NULL: any */
	const struct libpq_result *result; /* of PQgetResult; NULL: no more */
	const struct libpq_result *notice; /* given to the notice receiver meanwhile */
	const char *message;		   /* PQerrorMessage from now on */
	bool lost;			   /* PQstatus is CONNECTION_BAD from now on */
	bool silent;			   /* the socket is not readable from now on … */
	bool heard;			   /* … or readable again; it begins readable */
};

/* ---- pieces of scripts ---- */

#define LIBPQ_START                                                                                \
	{                                                                                          \
		"PQconnectStartParams", .returns = 1                                               \
	}
#define LIBPQ_POLL(r)                                                                              \
	{                                                                                          \
		"PQconnectPoll", .returns = (r)                                                    \
	}
#define LIBPQ_NONBLOCKING                                                                          \
	{                                                                                          \
		"PQsetnonblocking"                                                                 \
	}
#define LIBPQ_CONNECT LIBPQ_START, LIBPQ_POLL(PGRES_POLLING_OK), LIBPQ_NONBLOCKING
#define LIBPQ_FINISH                                                                               \
	{                                                                                          \
		"PQfinish"                                                                         \
	}
/* A statement is cancelled; the same is called with libpq 17 and later. */
#define LIBPQ_CANCEL                                                                               \
	{                                                                                          \
		"PQgetCancel", .returns = 1                                                        \
	}
#define LIBPQ_PREPARE(what)	  {"PQsendPrepare", .returns = 1, .with = (what)}, LIBPQ_FLUSH
#define LIBPQ_SEND(what)	  {"PQsendQueryParams", .returns = 1, .with = (what)}, LIBPQ_FLUSH
#define LIBPQ_SEND_PREPARED(what) {"PQsendQueryPrepared", .returns = 1, .with = (what)}, LIBPQ_FLUSH
#define LIBPQ_FLUSH                                                                                \
	{                                                                                          \
		"PQflush"                                                                          \
	}
#define LIBPQ_CONSUME                                                                              \
	{                                                                                          \
		"PQconsumeInput", .returns = 1                                                     \
	}
#define LIBPQ_BUSY                                                                                 \
	{                                                                                          \
		"PQisBusy", .returns = 1                                                           \
	}
#define LIBPQ_GET(r)                                                                               \
	{"PQisBusy"},                                                                              \
	{                                                                                          \
		"PQgetResult", .result = (r)                                                       \
	}
#define LIBPQ_END LIBPQ_GET(NULL)
/* The whole answer to a statement in one step. */
#define LIBPQ_ANSWER(r) LIBPQ_CONSUME, LIBPQ_GET(r), LIBPQ_END

/* Starts a script; it must outlive its calls. What the one before has left over is an error. */
void libpq_play(const struct libpq_call *script);

/* Fails the test unless the script is at its end, with no connection open and no result live. */
void libpq_check_end(void);

/* Drops the script and what it has open, for a test that ends in the middle of it. */
void libpq_forget(void);

/* Whether the server reports itself as a standby from now on. */
void libpq_be_standby(bool standby);

/* What PQhost() and PQport() say from now on, and PQconninfo(); "host" and "5432" before. */
void libpq_be_hosts(const char *current, const char *its_port, const char *hosts,
		    const char *ports);

/* The same of PQhostaddr(), which says "" before, and the option hostaddr, which there is none of.
 */
void libpq_be_addresses(const char *current, const char *addresses);

/* How many requests to cancel have been sent, by any process. */
int libpq_cancels(void);

/* Waits for other processes to send so many, and checks that there are no more. */
void libpq_await_cancels(int count);

/* How many calls of the script have been made. */
int libpq_calls(void);

/* Makes the socket readable: as .heard, from a signal handler or between calls. */
void libpq_hear(void);

/* A statement as text into out, for .with; what is its SQL or its name when it is prepared. */
typedef void libpq_show(const char *what, int count, const char *const *values, const int *lengths,
			const int *formats, char *out, size_t size);

/* "what(a|b|null)", and " binary" behind it. */
libpq_show libpq_show_text;

/* Shows statements by the given function instead of libpq_show_text. */
void libpq_show_by(libpq_show *show);

#endif
