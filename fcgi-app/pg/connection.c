/*
 * pg/connection.c - one connection to PostgreSQL, asynchronous underneath. See pg/connection.h.
 *
 * A state machine: closed -> connecting (-> preparing) -> ready <-> busy. pg_step() moves it as far
 * as it goes without waiting; pg_connect() and pg_run() wait by poll(2).
 */
#include "pg/connection.h"

#include <errno.h>
#include <libpq-fe.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "pg/sqlstate_internal.h"

struct pg_connection {
	struct pg_options options;
	PGconn *pg;
	enum pg_state state;
	PostgresPollingStatusType polling;
	int prepared;			      /* of options.prepare, on this connection */
	bool unprepared;		      /* a pooler lost one: prepare no more */
	bool outdated;			      /* a prepared statement's types have changed */
	bool flush;			      /* libpq still has bytes to send */
	bool uncertain;			      /* the server warned during the statement */
	const struct pg_statement *statement; /* running; NULL for a script or PREPARE */
	PGresult *first;		      /* its first result; later ones are only checked */
	enum status failure;		      /* of what is running */
	char sqlstate[6];
	char message[512];
	char column[64];
	char detail[1024];
	char hint[512];
};

const char *pg_sqlstate(const struct pg_connection *db)
{
	return db->sqlstate;
}

const char *pg_message(const struct pg_connection *db)
{
	return db->message;
}

const char *pg_column(const struct pg_connection *db)
{
	return db->column;
}

const char *pg_detail(const struct pg_connection *db)
{
	return db->detail;
}

const char *pg_hint(const struct pg_connection *db)
{
	return db->hint;
}

const char *pg_host(const struct pg_connection *db)
{
	return PQhost(db->pg);
}

const char *pg_port(const struct pg_connection *db)
{
	return PQport(db->pg);
}

/* PostgreSQL reports both at the start and with each change. */
bool pg_is_read_only(const struct pg_connection *db)
{
	static const char *const names[] = {"in_hot_standby", "default_transaction_read_only"};

	for (size_t i = 0; i < ARRAY_LENGTH(names); i++) {
		const char *value = PQparameterStatus(db->pg, names[i]);
		if (value != NULL && strcmp(value, "on") == 0)
			return true;
	}
	return false;
}

enum pg_state pg_state(const struct pg_connection *db)
{
	return db->state;
}

/* ---- failures ---- */

/* True for what our functions tell a user or their caller: an answer, not a failure to be logged.
 */
static bool is_answer(const struct pg_connection *db, enum status status)
{
	if (db->statement != NULL && db->statement->answer == status)
		return true;
	return status == STATUS_NOT_A_MEMBER || status == STATUS_ROLE_TOO_LOW ||
	       status == STATUS_ORGANIZATION_MISSING || status == STATUS_WRONG_STATE ||
	       status == STATUS_NO_SUCH_ROW ||
	       (status == STATUS_INVALID_VALUE && db->column[0] != '\0');
}

/* Keeps the cause for the caller and logs it; nothing above logs it again. */
static enum status failed(struct pg_connection *db, enum status status, const char *what,
			  const char *sqlstate, const char *message)
{
	size_t n = strcspn(message, "\n");

	(void)snprintf(db->sqlstate, sizeof(db->sqlstate), "%s", sqlstate);
	(void)snprintf(db->message, sizeof(db->message), "%.*s", (int)n, message);
	if (!db->options.quiet && !is_answer(db, status))
		log_event(LOG_LEVEL_ERROR, what, LOG_TEXT("code", status_name(status)),
			  LOG_TEXT("sqlstate", sqlstate), LOG_TEXT("cause", db->message));
	return status;
}

static enum status failed_connection(struct pg_connection *db, enum status status, const char *what)
{
	enum status result = failed(db, status, what, "", PQerrorMessage(db->pg));

	pg_drop(db);
	return result;
}

static bool is_prepared(const struct pg_connection *db, const struct pg_statement *statement)
{
	for (int i = 0; !db->unprepared && i < db->prepared; i++) {
		if (db->options.prepare[i] == statement)
			return true;
	}
	return false;
}

/* Keeps a field of an error; "" when it has none. */
static void keep_field(const PGresult *result, int field, char *text, size_t size)
{
	const char *value = PQresultErrorField(result, field);

	(void)snprintf(text, size, "%s", value == NULL ? "" : value);
}

/*
 * The status of a failed result. A FATAL error after the statement's own result came during the
 * commit, whose outcome is then unknown.
 */
static enum status failed_result(struct pg_connection *db, const PGresult *result)
{
	const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
	const char *severity = PQresultErrorField(result, PG_DIAG_SEVERITY_NONLOCALIZED);
	const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);

	if (sqlstate == NULL)
		return failed(db, STATUS_OUTCOME_UNKNOWN, "connection to the database was lost", "",
			      PQresultErrorMessage(result));
	if (strcmp(sqlstate, "26000") == 0 || strcmp(sqlstate, "42P05") == 0)
		db->unprepared = true;
	bool fatal = severity != NULL && strcmp(severity, "ERROR") != 0;
	enum status status =
		fatal && db->first != NULL ? STATUS_OUTCOME_UNKNOWN : sqlstate_status(sqlstate);
	if (!fatal && is_prepared(db, db->statement) && sqlstate_is_of_types(sqlstate)) {
		db->outdated = true;
		status = STATUS_CONFLICT;
	}
	keep_field(result, PG_DIAG_COLUMN_NAME, db->column, sizeof(db->column));
	keep_field(result, PG_DIAG_MESSAGE_DETAIL, db->detail, sizeof(db->detail));
	keep_field(result, PG_DIAG_MESSAGE_HINT, db->hint, sizeof(db->hint));
	return failed(db, status, "statement failed", sqlstate, message == NULL ? "" : message);
}

static enum status lost(struct pg_connection *db)
{
	return failed_connection(db, STATUS_OUTCOME_UNKNOWN, "connection to the database was lost");
}

static void on_notice(void *context, const PGresult *result)
{
	struct pg_connection *db = context;
	const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
	const char *severity = PQresultErrorField(result, PG_DIAG_SEVERITY_NONLOCALIZED);
	const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);

	if (severity == NULL || strcmp(severity, "WARNING") != 0)
		return;
	/* A cancelled wait for a synchronous standby is only a warning, 01000 or 57P01. */
	db->uncertain = true;
	if (!db->options.quiet)
		log_event(LOG_LEVEL_WARNING, "warning from the database",
			  LOG_TEXT("sqlstate", sqlstate), LOG_TEXT("cause", message));
}

/* ---- opening and closing ---- */

enum status pg_open(struct pg_connection **db, const struct pg_options *options)
{
	*db = calloc(1, sizeof(**db));
	if (*db == NULL)
		return STATUS_NO_MEMORY;
	(*db)->options = *options;
	(*db)->state = PG_CLOSED;
	return STATUS_OK;
}

void pg_drop(struct pg_connection *db)
{
	PQclear(db->first);
	db->first = NULL;
	db->statement = NULL;
	PQfinish(db->pg);
	db->pg = NULL;
	db->state = PG_CLOSED;
	db->prepared = 0;
	db->outdated = false;
	db->flush = false;
}

void pg_close(struct pg_connection *db)
{
	if (db == NULL)
		return;
	pg_drop(db);
	free(db);
}

void pg_abandon(struct pg_connection *db)
{
	if (db->pg != NULL && PQsocket(db->pg) >= 0)
		(void)close(PQsocket(db->pg));
	db->pg = NULL;
	db->first = NULL;
	db->state = PG_CLOSED;
}

int pg_fd(const struct pg_connection *db)
{
	return db->pg == NULL ? -1 : PQsocket(db->pg);
}

short pg_events(const struct pg_connection *db)
{
	switch (db->state) {
	case PG_CONNECTING:
		if (db->polling != PGRES_POLLING_OK)
			return db->polling == PGRES_POLLING_WRITING ? POLLOUT : POLLIN;
		return db->flush ? POLLIN | POLLOUT : POLLIN; /* preparing */
	case PG_BUSY:
		return db->flush ? POLLIN | POLLOUT : POLLIN;
	case PG_READY:
		return POLLIN;
	case PG_CLOSED:
	default:
		return 0;
	}
}

/*
 * Our defaults come before the connection string, which overrides them. No "options": poolers
 * refuse it. A server that acknowledges nothing is given up after about 20 s.
 */
enum status pg_start_connect(struct pg_connection *db)
{
	const char *keys[] = {"fallback_application_name",
			      "client_encoding",
			      "keepalives_idle",
			      "keepalives_interval",
			      "keepalives_count",
			      "tcp_user_timeout",
			      "dbname",
			      NULL};
	const char *values[] = {db->options.application_name, "UTF8", "10", "5", "2", "20000",
				db->options.conninfo,	      NULL};

	pg_drop(db);
	if (db->options.conninfo == NULL || *db->options.conninfo == '\0')
		keys[6] = NULL;
	db->pg = PQconnectStartParams(keys, values, 1);
	if (db->pg == NULL)
		return STATUS_NO_MEMORY;
	if (PQstatus(db->pg) == CONNECTION_BAD)
		return failed_connection(db, STATUS_UNAVAILABLE,
					 "could not connect to the database");
	(void)PQsetNoticeReceiver(db->pg, on_notice, db);
	db->state = PG_CONNECTING;
	db->polling = PGRES_POLLING_WRITING;
	return STATUS_OK;
}

/* ---- stepping ---- */

static enum status flush(struct pg_connection *db)
{
	int rest = PQflush(db->pg);

	if (rest < 0)
		return STATUS_OUTCOME_UNKNOWN;
	db->flush = rest > 0;
	return STATUS_OK;
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

/* Sends the next PREPARE of a new connection. STATUS_OK when there is none: it is ready. */
static enum status prepare_next(struct pg_connection *db)
{
	if (db->unprepared || db->prepared == db->options.prepare_count) {
		db->state = PG_READY;
		return STATUS_OK;
	}
	const struct pg_statement *next = db->options.prepare[db->prepared];
	db->failure = STATUS_OK;
	if (PQsendPrepare(db->pg, next->name, next->sql, next->param_count, next->param_types) != 1)
		return failed_connection(db, STATUS_UNAVAILABLE, "could not prepare a statement");
	if (flush(db) != STATUS_OK)
		return failed_connection(db, STATUS_UNAVAILABLE, "could not prepare a statement");
	return STATUS_AGAIN;
}

/* Reads results until the server is ready for the next query. STATUS_AGAIN while it is not. */
static enum status collect(struct pg_connection *db)
{
	if (db->flush && flush(db) != STATUS_OK)
		return lost(db);
	if (PQconsumeInput(db->pg) != 1)
		return lost(db);
	while (!PQisBusy(db->pg)) {
		PGresult *result = PQgetResult(db->pg);
		if (result == NULL)
			return STATUS_OK;
		ExecStatusType type = PQresultStatus(result);
		if (type != PGRES_TUPLES_OK && type != PGRES_COMMAND_OK && db->failure == STATUS_OK)
			db->failure = failed_result(db, result);
		if (db->first == NULL)
			db->first = result;
		else
			PQclear(result);
		if (PQstatus(db->pg) == CONNECTION_BAD)
			break;
	}
	if (PQstatus(db->pg) == CONNECTION_BAD) {
		enum status status =
			db->failure == STATUS_OK ? STATUS_OUTCOME_UNKNOWN : db->failure;
		pg_drop(db);
		return status;
	}
	return STATUS_AGAIN;
}

static enum status step_connecting(struct pg_connection *db)
{
	if (db->polling != PGRES_POLLING_OK) {
		db->polling = PQconnectPoll(db->pg);
		if (db->polling == PGRES_POLLING_FAILED)
			return failed_connection(db, connect_failure(db),
						 "could not connect to the database");
		if (db->polling != PGRES_POLLING_OK)
			return STATUS_AGAIN;
		if (PQsetnonblocking(db->pg, 1) != 0)
			return failed_connection(db, STATUS_UNAVAILABLE,
						 "could not connect to the database");
		return prepare_next(db);
	}
	enum status status = collect(db);
	if (status == STATUS_AGAIN)
		return status;
	PQclear(db->first);
	db->first = NULL;
	if (status == STATUS_OK)
		status = db->failure;
	if (status != STATUS_OK && (db->pg == NULL || !db->unprepared)) {
		/* It could not run either: the database is not migrated, or rights are missing. */
		pg_drop(db);
		return status == STATUS_OUTCOME_UNKNOWN ? STATUS_UNAVAILABLE : status;
	}
	db->prepared++;
	return prepare_next(db);
}

/* The idle connection's socket became readable: a notice, or the server has gone. */
static enum status step_ready(struct pg_connection *db)
{
	if (PQconsumeInput(db->pg) == 1 && !PQisBusy(db->pg) && PQstatus(db->pg) == CONNECTION_OK)
		return STATUS_AGAIN;
	return failed_connection(db, STATUS_UNAVAILABLE, "connection to the database was lost");
}

/* Compares what the statement gave with what its caller expects. */
static enum status judge(struct pg_connection *db)
{
	const struct pg_statement *statement = db->statement;

	if (db->failure != STATUS_OK)
		return db->failure;
	if (statement == NULL || db->first == NULL)
		return STATUS_OK;
	/* COMMIT of a failed transaction is answered with ROLLBACK, not with an error. */
	if (strcmp(statement->sql, "COMMIT") == 0 && strcmp(PQcmdStatus(db->first), "COMMIT") != 0)
		return failed(db, STATUS_CONFLICT, "transaction was rolled back at commit", "", "");
	if (db->uncertain)
		return failed(db, STATUS_OUTCOME_UNKNOWN, "commit was not confirmed", "", "");
	if (PQnfields(db->first) != statement->columns ||
	    (statement->rows != PG_ROWS_ANY && PQntuples(db->first) != statement->rows))
		return failed(db, STATUS_INTERNAL, "result of unexpected shape", "", "");
	return STATUS_OK;
}

static enum status step_busy(struct pg_connection *db, struct pg_query_result *result)
{
	enum status status = collect(db);

	if (status == STATUS_AGAIN)
		return status;
	if (status == STATUS_OK) {
		db->state = PG_READY;
		status = judge(db);
	}
	if (status == STATUS_OK && result != NULL) {
		result->pg = db->first;
		db->first = NULL;
	}
	PQclear(db->first);
	db->first = NULL;
	db->statement = NULL;
	if (db->outdated)
		pg_drop(db); /* the next connection prepares it anew */
	return status;
}

enum status pg_step(struct pg_connection *db, struct pg_query_result *result)
{
	switch (db->state) {
	case PG_CONNECTING:
		return step_connecting(db);
	case PG_READY:
		return step_ready(db);
	case PG_BUSY:
		return step_busy(db, result);
	case PG_CLOSED:
	default:
		return STATUS_UNAVAILABLE;
	}
}

/* ---- sending ---- */

static enum status sent(struct pg_connection *db, const struct pg_statement *statement, int ok)
{
	/* Nothing has reached the server when libpq refuses to send. */
	if (ok != 1)
		return failed_connection(db, STATUS_UNAVAILABLE, "could not send a statement");
	db->state = PG_BUSY;
	db->column[0] = db->detail[0] = db->hint[0] = '\0';
	db->statement = statement;
	db->failure = STATUS_OK;
	db->uncertain = false;
	return flush(db) == STATUS_OK ? STATUS_OK : lost(db);
}

enum status pg_send(struct pg_connection *db, const struct pg_statement *statement,
		    const pg_param *params)
{
	const char *values[PG_PARAMS_MAX];
	int lengths[PG_PARAMS_MAX];
	int formats[PG_PARAMS_MAX];
	int format = statement->binary ? 1 : 0;
	int count = statement->param_count;

	if (db->state != PG_READY || count > PG_PARAMS_MAX)
		return failed(db, STATUS_INTERNAL, "statement sent out of turn", "", "");
	for (int i = 0; i < count; i++) {
		/* libpq reads text parameters up to the first NUL byte. */
		if (!statement->binary && params[i].p != NULL && params[i].p[params[i].n] != '\0')
			return failed(db, STATUS_INTERNAL, "parameter is not terminated", "", "");
		if (!statement->binary && params[i].p != NULL && strlen(params[i].p) != params[i].n)
			return failed(db, STATUS_INVALID_VALUE, "parameter holds a NUL byte", "",
				      "");
		values[i] = params[i].p;
		lengths[i] = (int)params[i].n;
		formats[i] = format;
	}
	int ok = is_prepared(db, statement)
			 ? PQsendQueryPrepared(db->pg, statement->name, count, values, lengths,
					       formats, format)
			 : PQsendQueryParams(db->pg, statement->sql, count, statement->param_types,
					     values, lengths, formats, format);
	return sent(db, statement, ok);
}

/* ---- waiting ---- */

/*
 * Polls. STATUS_AGAIN: there is, or may be, something to do. At the deadline the connection is
 * dropped, unless something has arrived: the process may have been stopped meanwhile.
 */
static enum status wait_for_events(struct pg_connection *db, int64_t deadline_ms)
{
	int64_t left_ms = deadline_ms - clock_now_ms();
	int wait_ms = left_ms > 60000 ? 60000 : (int)left_ms;
	struct pollfd fd = {.fd = pg_fd(db), .events = left_ms > 0 ? pg_events(db) : POLLIN};
	int ready = poll(&fd, 1, left_ms > 0 ? wait_ms : 0);

	if (ready < 0 && errno != EINTR)
		return failed(db, STATUS_INTERNAL, "could not poll", "", strerror(errno));
	if (ready > 0 || clock_now_ms() < deadline_ms)
		return STATUS_AGAIN;
	/* The server may still commit what was sent. */
	bool was_sent = db->state == PG_BUSY;
	pg_drop(db);
	return failed(db, was_sent ? STATUS_OUTCOME_UNKNOWN : STATUS_DEADLINE,
		      "the database did not answer in time", "",
		      "no answer within the time allowed");
}

/* Steps until the connection has left the given state or the deadline has come. */
static enum status wait_while(struct pg_connection *db, enum pg_state state,
			      struct pg_query_result *result, int64_t deadline_ms)
{
	enum status status = STATUS_AGAIN;

	while (db->state == state && status == STATUS_AGAIN) {
		status = wait_for_events(db, deadline_ms);
		if (status == STATUS_AGAIN)
			status = pg_step(db, result);
	}
	return status;
}

enum status pg_connect(struct pg_connection *db, int64_t deadline_ms)
{
	if (db->state == PG_READY)
		return STATUS_OK;
	enum status status = pg_start_connect(db);
	if (status != STATUS_OK)
		return status;
	return wait_while(db, PG_CONNECTING, NULL, deadline_ms);
}

enum status pg_run(struct pg_connection *db, const struct pg_statement *statement,
		   const pg_param *params, struct pg_query_result *result, int64_t deadline_ms)
{
	enum status status = pg_send(db, statement, params);

	return status == STATUS_OK ? pg_await(db, result, deadline_ms) : status;
}

enum status pg_flush(struct pg_connection *db, int64_t deadline_ms)
{
	enum status status = STATUS_AGAIN;

	while (db->flush && status == STATUS_AGAIN) {
		status = wait_for_events(db, deadline_ms);
		if (status == STATUS_AGAIN && flush(db) != STATUS_OK)
			status = lost(db);
	}
	return status == STATUS_AGAIN ? STATUS_OK : status;
}

enum status pg_await(struct pg_connection *db, struct pg_query_result *result, int64_t deadline_ms)
{
	return wait_while(db, PG_BUSY, result, deadline_ms);
}

enum status pg_run_script(struct pg_connection *db, const char *sql, int64_t deadline_ms)
{
	if (db->state != PG_READY)
		return failed(db, STATUS_INTERNAL, "statement sent out of turn", "", "");
	enum status status = sent(db, NULL, PQsendQuery(db->pg, sql));
	return status == STATUS_OK ? pg_await(db, NULL, deadline_ms) : status;
}
