/*
 * pg/connection.c - one connection to PostgreSQL, asynchronous underneath. See pg/connection.h.
 *
 * A state machine: closed -> connecting (-> preparing) -> ready <-> busy. pg_step() moves it as far
 * as it goes without waiting; pg_connect() and pg_run() wait by poll(2).
 */
#include "pg/connection.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "pg/connection_internal.h"
#include "pg/sqlstate_internal.h"

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

const struct pg_query_result *pg_greeting(const struct pg_connection *db)
{
	return &db->greeting;
}

const char *pg_host(const struct pg_connection *db)
{
	return PQhost(db->pg);
}

const char *pg_port(const struct pg_connection *db)
{
	return PQport(db->pg);
}

/* PostgreSQL reports these at the start and with each change. */
static bool reports(const struct pg_connection *db, const char *name)
{
	const char *value = PQparameterStatus(db->pg, name);

	return value != NULL && strcmp(value, "on") == 0;
}

bool pg_is_standby(const struct pg_connection *db)
{
	return reports(db, "in_hot_standby");
}

bool pg_is_read_only(const struct pg_connection *db)
{
	return pg_is_standby(db) || reports(db, "default_transaction_read_only");
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
	       status == STATUS_NAME_TAKEN || status == STATUS_INSUFFICIENT_SCOPE ||
	       status == STATUS_NO_SUCH_ROW ||
	       (status == STATUS_INVALID_VALUE && db->column[0] != '\0');
}

/* Keeps the cause for the caller and logs it; nothing above logs it again. */
enum status pg_failed(struct pg_connection *db, enum status status, const char *what,
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

enum status pg_failed_connection(struct pg_connection *db, enum status status, const char *what)
{
	enum status result = pg_failed(db, status, what, "", PQerrorMessage(db->pg));

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
		return pg_failed(db, STATUS_OUTCOME_UNKNOWN, "connection to the database was lost",
				 "", PQresultErrorMessage(result));
	if (strcmp(sqlstate, "26000") == 0 || strcmp(sqlstate, "42P05") == 0)
		db->unprepared = true;
	bool fatal = severity != NULL && strcmp(severity, "ERROR") != 0;
	enum status status =
		fatal && db->first != NULL
			? STATUS_OUTCOME_UNKNOWN
			: sqlstate_status(sqlstate,
					  PQresultErrorField(result, PG_DIAG_SOURCE_FUNCTION));
	if (!fatal && is_prepared(db, db->statement) && sqlstate_is_of_types(sqlstate)) {
		db->outdated = true;
		status = STATUS_CONFLICT;
	}
	keep_field(result, PG_DIAG_COLUMN_NAME, db->column, sizeof(db->column));
	keep_field(result, PG_DIAG_MESSAGE_DETAIL, db->detail, sizeof(db->detail));
	keep_field(result, PG_DIAG_MESSAGE_HINT, db->hint, sizeof(db->hint));
	return pg_failed(db, status, "statement failed", sqlstate, message == NULL ? "" : message);
}

/* Drops the connection, but for the result that came before the commit. */
static enum status end_lost(struct pg_connection *db, enum status status)
{
	PGresult *first = status == STATUS_OUTCOME_UNKNOWN ? db->first : NULL;

	if (first != NULL)
		db->first = NULL;
	pg_drop(db);
	db->first = first;
	return status;
}

enum status pg_lost(struct pg_connection *db)
{
	db->state = PG_CLOSED; /* there is no way to cancel what is running */
	return end_lost(db,
			pg_failed(db, STATUS_OUTCOME_UNKNOWN, "connection to the database was lost",
				  "", PQerrorMessage(db->pg)));
}

static void on_notice(void *context, const PGresult *result)
{
	struct pg_connection *db = context;
	const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
	const char *severity = PQresultErrorField(result, PG_DIAG_SEVERITY_NONLOCALIZED);
	const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);

	if (severity == NULL || strcmp(severity, "WARNING") != 0)
		return;
	/* A cancelled wait for a synchronous standby is only a warning. Its text is translated and
	 * its SQLSTATE is others', too; the function that warns is not. */
	const char *function = PQresultErrorField(result, PG_DIAG_SOURCE_FUNCTION);
	if (function != NULL && strcmp(function, "SyncRepWaitForLSN") == 0)
		db->uncertain = true;
	if (!db->options.quiet)
		log_event(LOG_LEVEL_WARNING, "warning from the database",
			  LOG_TEXT("sqlstate", sqlstate), LOG_TEXT("cause", message));
}

void pg_hear_notices(struct pg_connection *db)
{
	(void)PQsetNoticeReceiver(db->pg, on_notice, db);
}

/* ---- opening and closing ---- */

static struct slice text_of(const char *conninfo)
{
	return slice_of(conninfo == NULL ? "" : conninfo);
}

/* STATUS_OK or STATUS_NO_MEMORY. */
static enum status keep_conninfo(struct pg_connection *db, const char *conninfo)
{
	struct slice text = text_of(conninfo);
	char *copy = malloc(text.n + 1);

	if (copy == NULL)
		return STATUS_NO_MEMORY;
	memcpy(copy, text.p, text.n + 1);
	free(db->conninfo);
	db->conninfo = copy;
	db->options.conninfo = copy;
	return STATUS_OK;
}

enum status pg_open(struct pg_connection **db, const struct pg_options *options)
{
	struct pg_connection *made = calloc(1, sizeof(*made));

	*db = made;
	if (made == NULL)
		return STATUS_NO_MEMORY;
	made->options = *options;
	made->state = PG_CLOSED;
	made->lookup.fd = -1;
	if (keep_conninfo(made, options->conninfo) == STATUS_OK)
		return STATUS_OK;
	free(made);
	*db = NULL;
	return STATUS_NO_MEMORY;
}

bool pg_is_for(const struct pg_connection *db, const char *conninfo)
{
	return slice_equal(slice_of(db->conninfo), text_of(conninfo));
}

enum status pg_redirect(struct pg_connection *db, const char *conninfo)
{
	if (keep_conninfo(db, conninfo) != STATUS_OK)
		return STATUS_NO_MEMORY;
	pg_drop(db);
	pg_lookup_drop(&db->lookup);
	db->hosts.apart = false;
	db->unprepared = false;
	return STATUS_OK;
}

void pg_drop(struct pg_connection *db)
{
	/* What is given up must not go on, nor hold its backend. */
	if (db->state == PG_BUSY && PQstatus(db->pg) == CONNECTION_OK)
		pg_cancel(db);
	PQclear(db->first);
	db->first = NULL;
	db->statement = NULL;
	PQfinish(db->pg);
	db->pg = NULL;
	db->state = PG_CLOSED;
	db->prepared = 0;
	db->greeting_sent = false;
	db->cancelled = false;
	db->outdated = false;
	db->flush = false;
}

void pg_close(struct pg_connection *db)
{
	if (db == NULL)
		return;
	pg_drop(db);
	pg_lookup_drop(&db->lookup);
	pg_result_free(&db->greeting);
	free(db->conninfo);
	free(db);
}

void pg_abandon(struct pg_connection *db)
{
	if (db->pg != NULL && PQsocket(db->pg) >= 0)
		(void)close(PQsocket(db->pg));
	pg_lookup_drop(&db->lookup);
	db->pg = NULL;
	db->first = NULL;
	db->state = PG_CLOSED;
}

int pg_fd(const struct pg_connection *db)
{
	if (db->pg != NULL)
		return PQsocket(db->pg);
	return db->state == PG_CONNECTING ? db->lookup.fd : -1;
}

short pg_events(const struct pg_connection *db)
{
	switch (db->state) {
	case PG_CONNECTING:
		if (db->pg == NULL)
			return POLLIN; /* a name is looked up */
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

/* ---- stepping ---- */

enum status pg_flush_some(struct pg_connection *db)
{
	int rest = PQflush(db->pg);

	if (rest < 0)
		return STATUS_OUTCOME_UNKNOWN;
	db->flush = rest > 0;
	return STATUS_OK;
}

static void keep_result(struct pg_connection *db, PGresult *result)
{
	ExecStatusType type = PQresultStatus(result);

	if (type != PGRES_TUPLES_OK && type != PGRES_COMMAND_OK && type != PGRES_PIPELINE_SYNC &&
	    db->failure == STATUS_OK)
		db->failure = failed_result(db, result);
	if (db->first == NULL)
		db->first = result;
	else
		PQclear(result);
}

static bool is_in_pipeline(const struct pg_connection *db)
{
	return PQpipelineStatus(db->pg) != PQ_PIPELINE_OFF;
}

/* Reads results until the server is ready for the next query. STATUS_AGAIN while it is not. */
enum status pg_collect(struct pg_connection *db)
{
	if (db->flush && pg_flush_some(db) != STATUS_OK)
		return pg_lost(db);
	if (PQconsumeInput(db->pg) != 1)
		return pg_lost(db);
	while (!PQisBusy(db->pg)) {
		PGresult *result = PQgetResult(db->pg);
		bool ended = result == NULL ? !is_in_pipeline(db)
					    : PQresultStatus(result) == PGRES_PIPELINE_SYNC;
		if (result != NULL)
			keep_result(db, result);
		if (ended)
			return STATUS_OK;
		if (PQstatus(db->pg) == CONNECTION_BAD)
			break;
	}
	if (PQstatus(db->pg) == CONNECTION_BAD) {
		enum status status =
			db->failure == STATUS_OK ? STATUS_OUTCOME_UNKNOWN : db->failure;
		return end_lost(db, status);
	}
	return STATUS_AGAIN;
}

/* The idle connection's socket became readable: a notice, or the server has gone. */
static enum status step_ready(struct pg_connection *db)
{
	if (PQconsumeInput(db->pg) == 1 && !PQisBusy(db->pg) && PQstatus(db->pg) == CONNECTION_OK)
		return STATUS_AGAIN;
	return pg_failed_connection(db, STATUS_UNAVAILABLE, "connection to the database was lost");
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
		return pg_failed(db, STATUS_CONFLICT, "transaction was rolled back at commit", "",
				 "");
	if (db->uncertain)
		return pg_failed(db, STATUS_OUTCOME_UNKNOWN, "commit was not confirmed", "", "");
	if (PQnfields(db->first) != statement->columns ||
	    (statement->rows != PG_ROWS_ANY && PQntuples(db->first) != statement->rows))
		return pg_failed(db, STATUS_INTERNAL, "result of unexpected shape", "", "");
	return STATUS_OK;
}

/* True if the statement, whose commit is awaited, has given what its caller expects. */
static bool has_rows(const struct pg_connection *db, const struct pg_statement *statement)
{
	return db->options.early_results && statement != NULL && db->first != NULL &&
	       PQresultStatus(db->first) == PGRES_TUPLES_OK &&
	       PQnfields(db->first) == statement->columns &&
	       (statement->rows == PG_ROWS_ANY || PQntuples(db->first) == statement->rows);
}

static enum status step_busy(struct pg_connection *db, struct pg_query_result *result)
{
	const struct pg_statement *statement = db->statement;
	enum status status = pg_collect(db);

	if (status == STATUS_AGAIN)
		return status;
	if (status == STATUS_OK) {
		db->state = PG_READY;
		status = judge(db);
	}
	bool is_lost = status == STATUS_OUTCOME_UNKNOWN && db->state == PG_CLOSED;
	if (result != NULL && (status == STATUS_OK || (is_lost && has_rows(db, statement)))) {
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
		return pg_step_connecting(db);
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

enum status pg_sent(struct pg_connection *db, const struct pg_statement *statement, int ok)
{
	/* Nothing has reached the server when libpq refuses to send. */
	if (ok != 1)
		return pg_failed_connection(db, STATUS_UNAVAILABLE, "could not send a statement");
	db->state = PG_BUSY;
	db->column[0] = db->detail[0] = db->hint[0] = '\0';
	db->statement = statement;
	db->failure = STATUS_OK;
	db->cancelled = false;
	db->uncertain = false;
	return pg_flush_some(db) == STATUS_OK ? STATUS_OK : pg_lost(db);
}

/* Asks for the result before the commit, which is at the synchronization point. */
static int end_pipeline(PGconn *pg)
{
	return PQsendFlushRequest(pg) == 1 && PQpipelineSync(pg) == 1;
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
		return pg_failed(db, STATUS_INTERNAL, "statement sent out of turn", "", "");
	for (int i = 0; i < count; i++) {
		/* libpq reads text parameters up to the first NUL byte. */
		if (!statement->binary && params[i].p != NULL && params[i].p[params[i].n] != '\0')
			return pg_failed(db, STATUS_INTERNAL, "parameter is not terminated", "",
					 "");
		if (!statement->binary && params[i].p != NULL && strlen(params[i].p) != params[i].n)
			return pg_failed(db, STATUS_INVALID_VALUE, "parameter holds a NUL byte", "",
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
	if (ok == 1 && is_in_pipeline(db))
		ok = end_pipeline(db->pg);
	return pg_sent(db, statement, ok);
}
