/*
 * pg/connection_internal.h - what the modules of a connection share: connection.c (failures,
 * stepping, sending), connect.c (hosts, preparing), wait.c (the blocking calls), cancel.c.
 */
#ifndef PG_CONNECTION_INTERNAL_H
#define PG_CONNECTION_INTERNAL_H

#include <libpq-fe.h>

#include "pg/connection.h"
#include "pg/hosts_internal.h"
#include "pg/lookup_internal.h"

struct pg_connection {
	struct pg_options options;
	char *conninfo; /* options.conninfo, copied */
	PGconn *pg;
	enum pg_state state;
	PostgresPollingStatusType polling;
	struct pg_hosts hosts;	/* of this connection, or the last one */
	struct pg_hosts wanted; /* those that are looked up */
	struct pg_lookup lookup;
	int64_t host_deadline_ms;	      /* of connecting to this one */
	int prepared;			      /* of options.prepare, on this connection */
	bool greeting_sent;		      /* on this connection */
	struct pg_query_result greeting;      /* of the last one */
	bool unprepared;		      /* a pooler lost one: prepare no more */
	bool outdated;			      /* a prepared statement's types have changed */
	bool flush;			      /* libpq still has bytes to send */
	bool cancelled;			      /* what is running was asked to end */
	bool uncertain;			      /* a standby did not confirm the commit */
	const struct pg_statement *statement; /* running; NULL for a script or PREPARE */
	PGresult *first;		      /* its first result; later ones are only checked */
	enum status failure;		      /* of what is running */
	char sqlstate[6];
	char message[512];
	char column[64];
	char detail[1024];
	char hint[512];
};

/* Keeps the cause for the caller and logs it; nothing above logs it again. Returns the status. */
enum status pg_failed(struct pg_connection *db, enum status status, const char *what,
		      const char *sqlstate, const char *message) MUST_CHECK;

/* The same with libpq's message; drops the connection. */
enum status pg_failed_connection(struct pg_connection *db, enum status status,
				 const char *what) MUST_CHECK;

/* What was sent may have been committed. */
enum status pg_lost(struct pg_connection *db) MUST_CHECK;

/* libpq has taken the statement, NULL for a script, or with ok not 1 has not: as pg_send(). */
enum status pg_sent(struct pg_connection *db, const struct pg_statement *statement,
		    int ok) MUST_CHECK;

/* Sends what libpq still has. STATUS_OK, or STATUS_OUTCOME_UNKNOWN when the connection is lost. */
enum status pg_flush_some(struct pg_connection *db) MUST_CHECK;

/* Reads results until the server is ready for the next query. STATUS_AGAIN while it is not. */
enum status pg_collect(struct pg_connection *db) MUST_CHECK;

/* pg_step() in PG_CONNECTING. */
enum status pg_step_connecting(struct pg_connection *db) MUST_CHECK;

/* Gives notices of the server to the connection. */
void pg_hear_notices(struct pg_connection *db);

#endif
