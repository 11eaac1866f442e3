/*
 * pg/connect.c - connecting: to one host after the other, and preparing the statements. See
 * pg/connection.h.
 */
#include <string.h>

#include "base/clock.h"
#include "pg/connection_internal.h"

/*
 * Our defaults come before the connection string, which overrides them; the host, where there is a
 * choice, comes after it. No "options": poolers refuse it. A server that acknowledges nothing is
 * given up after about 20 s.
 */
static PGconn *start(const struct pg_connection *db, const struct pg_host *host)
{
	const char *keys[] = {"fallback_application_name",
			      "client_encoding",
			      "keepalives_idle",
			      "keepalives_interval",
			      "keepalives_count",
			      "tcp_user_timeout",
			      "dbname",
			      host == NULL ? NULL : "host",
			      "hostaddr",
			      "port",
			      NULL};
	const char *values[] = {db->options.application_name,
				"UTF8",
				"10",
				"5",
				"2",
				"20000",
				db->options.conninfo,
				host == NULL ? NULL : host->name,
				host == NULL ? NULL : host->address,
				host == NULL ? NULL : host->port,
				NULL};

	/* libpq's own environment says all. */
	if (host == NULL && *db->options.conninfo == '\0')
		keys[6] = NULL;
	return PQconnectStartParams(keys, values, 1);
}

static enum status start_at(struct pg_connection *db, const struct pg_host *host)
{
	pg_drop(db);
	db->pg = start(db, host);
	if (db->pg == NULL)
		return STATUS_NO_MEMORY;
	if (PQstatus(db->pg) == CONNECTION_BAD)
		return pg_failed_connection(db, STATUS_UNAVAILABLE,
					    "could not connect to the database");
	pg_hear_notices(db);
	db->state = PG_CONNECTING;
	db->polling = PGRES_POLLING_WRITING;
	db->host_deadline_ms = db->options.host_timeout_ms == 0
				       ? INT64_MAX
				       : clock_now_ms() + db->options.host_timeout_ms;
	return STATUS_OK;
}

/* The next host that can be tried at all; else the status of the last. */
static enum status start_next(struct pg_connection *db, enum status status)
{
	while (pg_hosts_next(&db->hosts)) {
		status = start_at(db, &db->hosts.list[db->hosts.at]);
		if (status == STATUS_OK)
			return STATUS_OK;
	}
	return status;
}

enum status pg_start_connect(struct pg_connection *db)
{
	struct pg_hosts *hosts = &db->hosts;

	hosts->tried = 1;
	enum status status = start_at(db, hosts->count == 0 ? NULL : &hosts->list[hosts->at]);
	return status == STATUS_UNAVAILABLE ? start_next(db, status) : status;
}

enum status pg_give_up_host(struct pg_connection *db)
{
	if (db->hosts.count == 0)
		pg_hosts_of(&db->hosts, db->pg);
	pg_drop(db);
	return start_next(db, STATUS_DEADLINE);
}

int64_t pg_host_deadline_ms(const struct pg_connection *db)
{
	return db->host_deadline_ms;
}

void pg_avoid_host(struct pg_connection *db)
{
	if (db->hosts.count > 0)
		db->hosts.at = (db->hosts.at + 1) % db->hosts.count;
}

/* MISCONFIGURED if trying again will not help. */
static enum status connect_failure(const struct pg_connection *db)
{
	/* libpq has no SQLSTATE for a failed connection, only the text of 28xxx and 3D000. */
	const char *text = PQerrorMessage(db->pg);
	static const char *const refusals[] = {"authentication failed", "no pg_hba.conf entry",
					       "does not exist", "not permitted to log in"};

	for (size_t i = 0; i < ARRAY_LENGTH(refusals); i++) {
		if (strstr(text, "FATAL") != NULL && strstr(text, refusals[i]) != NULL)
			return STATUS_MISCONFIGURED;
	}
	return STATUS_UNAVAILABLE;
}

static enum status be_ready(struct pg_connection *db)
{
	if (db->options.early_results && PQenterPipelineMode(db->pg) != 1)
		return pg_failed_connection(db, STATUS_INTERNAL,
					    "could not enter the pipeline mode");
	db->state = PG_READY;
	return STATUS_OK;
}

static enum status greet(struct pg_connection *db)
{
	const struct pg_statement *greeting = db->options.greeting;

	db->failure = STATUS_OK;
	db->greeting_sent = true;
	if (PQsendQueryParams(db->pg, greeting->sql, 0, NULL, NULL, NULL, NULL,
			      greeting->binary ? 1 : 0) != 1 ||
	    pg_flush_some(db) != STATUS_OK)
		return pg_failed_connection(db, STATUS_UNAVAILABLE, "could not send a statement");
	return STATUS_AGAIN;
}

/* Sends the next PREPARE of a new connection, then the greeting. STATUS_OK when there is none: it
 * is ready. */
static enum status prepare_next(struct pg_connection *db)
{
	if (db->unprepared || db->prepared == db->options.prepare_count)
		return db->options.greeting != NULL && !db->greeting_sent ? greet(db)
									  : be_ready(db);
	const struct pg_statement *next = db->options.prepare[db->prepared];
	db->failure = STATUS_OK;
	if (PQsendPrepare(db->pg, next->name, next->sql, next->param_count, next->param_types) != 1)
		return pg_failed_connection(db, STATUS_UNAVAILABLE,
					    "could not prepare a statement");
	if (pg_flush_some(db) != STATUS_OK)
		return pg_failed_connection(db, STATUS_UNAVAILABLE,
					    "could not prepare a statement");
	return STATUS_AGAIN;
}

/* Connecting has failed: goes on to the next host, if there is one. */
static enum status fail_over(struct pg_connection *db)
{
	enum status status =
		pg_failed_connection(db, connect_failure(db), "could not connect to the database");

	status = start_next(db, status);
	return status == STATUS_OK ? STATUS_AGAIN : status;
}

enum status pg_step_connecting(struct pg_connection *db)
{
	if (db->polling != PGRES_POLLING_OK) {
		db->polling = PQconnectPoll(db->pg);
		if (db->polling == PGRES_POLLING_FAILED)
			return fail_over(db);
		if (db->polling != PGRES_POLLING_OK)
			return STATUS_AGAIN;
		if (PQsetnonblocking(db->pg, 1) != 0)
			return pg_failed_connection(db, STATUS_UNAVAILABLE,
						    "could not connect to the database");
		return prepare_next(db);
	}
	enum status status = pg_collect(db);
	if (status == STATUS_AGAIN)
		return status;
	if (status == STATUS_OK)
		status = db->failure;
	if (status == STATUS_OK && db->greeting_sent) {
		pg_result_free(&db->greeting);
		db->greeting.pg = db->first;
		db->first = NULL;
		return be_ready(db);
	}
	PQclear(db->first);
	db->first = NULL;
	if (status != STATUS_OK && (db->pg == NULL || !db->unprepared || db->greeting_sent)) {
		/* It could not run either: the database is not migrated, or rights are missing. */
		pg_drop(db);
		return status == STATUS_OUTCOME_UNKNOWN ? STATUS_UNAVAILABLE : status;
	}
	db->prepared++;
	return prepare_next(db);
}
