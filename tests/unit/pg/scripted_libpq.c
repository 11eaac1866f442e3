/*
 * scripted_libpq.c - the calls of libpq that the product makes, played from a script. See
 * scripted_libpq.h.
 *
 * PQsendPrepare is shown as "name: sql (parameters)".
 */
#define _DEFAULT_SOURCE /* MAP_ANONYMOUS */
#include "scripted_libpq.h"

#include <check.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

enum { RESULTS = 8, TEXT_BYTES = 4096 };

struct pg_conn {
	ConnStatusType status;
	const char *message;
	int socket, peer;
	PQnoticeReceiver receiver;
	void *context;
	bool in_pipeline;
	int flush_requests, syncs; /* not answered yet */
	bool at_sync;		   /* its answer is the next result */
};

struct pg_result {
	const struct libpq_result *as;
};

static const struct libpq_result synchronized = {.status = PGRES_PIPELINE_SYNC};
static const struct libpq_call *script;
static int calls;
static PGconn connection;
static PGconn only_read;	/* for its options: with a mode that libpq does not know */
static PGconn *open_connection; /* &connection, or NULL */
static struct pg_result results[RESULTS]; /* as NULL: free */
static libpq_show *show = libpq_show_text;
static bool is_standby;
static const char *host = "host", *port = "5432", *host_list, *port_list;
static const char *address = "", *address_list;
static _Atomic int *cancels; /* shared with the processes that send them */

/* ---- the script ---- */

static void fall_silent(void)
{
	char byte;

	while (recv(connection.socket, &byte, 1, MSG_DONTWAIT) == 1)
		;
}

void libpq_hear(void)
{
	(void)send(connection.peer, "", 1, MSG_DONTWAIT);
}

void libpq_play(const struct libpq_call *calls_to_play)
{
	if (open_connection != NULL)
		ck_abort_msg("the script before has left a connection open");
	script = calls_to_play;
	calls = 0;
}

int libpq_calls(void)
{
	return calls;
}

void libpq_check_end(void)
{
	if (script[calls].function != NULL)
		ck_abort_msg("call %d, %s, was not made", calls, script[calls].function);
	if (open_connection != NULL)
		ck_abort_msg("the connection was left open");
	for (int i = 0; i < RESULTS; i++) {
		if (results[i].as != NULL)
			ck_abort_msg("a result was not cleared");
	}
}

/* The socket may have been closed by the code under test already. */
void libpq_forget(void)
{
	memset(results, 0, sizeof(results));
	if (open_connection != NULL) {
		(void)close(connection.socket);
		(void)close(connection.peer);
	}
	open_connection = NULL;
	script = NULL;
}

void libpq_show_by(libpq_show *function)
{
	show = function;
}

/* Takes the next call of the script, which must be this one. */
static const struct libpq_call *play(const PGconn *conn, const char *function, const char *with)
{
	if (script == NULL || script[calls].function == NULL)
		ck_abort_msg("%s(%s) after the end of the script, call %d", function, with, calls);
	const struct libpq_call *call = &script[calls++];
	if (strcmp(call->function, function) != 0)
		ck_abort_msg("call %d is %s(%s), not %s", calls - 1, function, with,
			     call->function);
	if (call->with != NULL && strcmp(call->with, with) != 0)
		ck_abort_msg("call %d, %s, with\n  %s\nnot\n  %s", calls - 1, function, with,
			     call->with);
	if (conn != open_connection)
		ck_abort_msg("call %d, %s, on a connection that is not open", calls - 1, function);
	if (call->message != NULL)
		connection.message = call->message;
	if (call->lost)
		connection.status = CONNECTION_BAD;
	if (call->silent)
		fall_silent();
	if (call->heard)
		libpq_hear();
	if (call->notice != NULL)
		connection.receiver(connection.context, &(struct pg_result){call->notice});
	return call;
}

void libpq_show_text(const char *what, int count, const char *const *values, const int *lengths,
		     const int *formats, char *out, size_t size)
{
	bool binary = count > 0 && formats[0] == 1;
	size_t n = (size_t)snprintf(out, size, "%s(", what);

	for (int i = 0; i < count && n < size; i++) {
		const char *value = values[i] == NULL ? "null" : values[i];
		int length = values[i] != NULL && binary ? lengths[i] : (int)strlen(value);
		n += (size_t)snprintf(out + n, size - n, "%s%.*s", i == 0 ? "" : "|", length,
				      value);
	}
	if (n < size)
		n += (size_t)snprintf(out + n, size - n, binary ? ") binary" : ")");
	if (n >= size)
		ck_abort_msg("the statement is too long to be shown");
}

/* ---- connecting ---- */

static void show_options(const char *const *keywords, const char *const *values,
			 char text[TEXT_BYTES])
{
	size_t n = 0;

	text[0] = '\0';
	for (int i = 0; keywords[i] != NULL && n < TEXT_BYTES; i++)
		n += (size_t)snprintf(text + n, TEXT_BYTES - n, "%s%s=%s", i == 0 ? "" : " ",
				      keywords[i], values[i] == NULL ? "" : values[i]);
}

PGconn *PQconnectStartParams(const char *const *keywords, const char *const *values,
			     int expand_dbname)
{
	char text[TEXT_BYTES];
	int ends[2];

	for (int i = 0; keywords[i] != NULL; i++) {
		if (strcmp(keywords[i], "sslmode") == 0)
			return &only_read;
	}
	show_options(keywords, values, text);
	if (expand_dbname != 1)
		ck_abort_msg("dbname must be expanded: it is a connection string");
	if (open_connection != NULL)
		ck_abort_msg("a second connection");
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0)
		ck_abort_msg("no socket pair");
	connection = (PGconn){
		.status = CONNECTION_STARTED, .message = "", .socket = ends[0], .peer = ends[1]};
	libpq_hear();
	const struct libpq_call *call = play(NULL, "PQconnectStartParams", text);
	if (call->returns == 0) {
		(void)close(ends[0]);
		(void)close(ends[1]);
		return NULL;
	}
	open_connection = &connection;
	return open_connection;
}

PostgresPollingStatusType PQconnectPoll(PGconn *conn)
{
	PostgresPollingStatusType returns =
		(PostgresPollingStatusType)play(conn, "PQconnectPoll", "")->returns;

	if (returns == PGRES_POLLING_OK)
		conn->status = CONNECTION_OK;
	return returns;
}

int PQsetnonblocking(PGconn *conn, int arg)
{
	if (arg != 1)
		ck_abort_msg("the connection must not block");
	return play(conn, "PQsetnonblocking", "")->returns;
}

PQnoticeReceiver PQsetNoticeReceiver(PGconn *conn, PQnoticeReceiver proc, void *arg)
{
	PQnoticeReceiver before = conn->receiver;

	conn->receiver = proc;
	conn->context = arg;
	return before;
}

/* NULL is allowed, and is not in the script. */
void PQfinish(PGconn *conn)
{
	if (conn == NULL || conn == &only_read)
		return;
	(void)play(conn, "PQfinish", "");
	(void)close(conn->socket);
	(void)close(conn->peer);
	open_connection = NULL;
}

ConnStatusType PQstatus(const PGconn *conn)
{
	return conn == NULL ? CONNECTION_BAD : conn->status;
}

int PQsocket(const PGconn *conn)
{
	return conn->socket;
}

/* ---- hosts ---- */

void libpq_be_hosts(const char *current, const char *its_port, const char *hosts, const char *ports)
{
	host = current;
	port = its_port;
	host_list = hosts;
	port_list = ports;
}

void libpq_be_addresses(const char *current, const char *addresses)
{
	address = current;
	address_list = addresses;
}

/* NULL of no connection, as libpq's. */
char *PQhost(const PGconn *conn)
{
	return conn == NULL ? NULL : (char *)(size_t)host;
}

char *PQhostaddr(const PGconn *conn)
{
	return conn == NULL ? NULL : (char *)(size_t)address;
}

PQconninfoOption *PQconninfo(PGconn *conn)
{
	static PQconninfoOption options[4];

	if (conn != open_connection && conn != &only_read)
		ck_abort_msg("the options of a connection that is not open");
	options[0] = (PQconninfoOption){.keyword = (char *)(size_t) "host",
					.val = (char *)(size_t)host_list};
	options[1] = (PQconninfoOption){.keyword = (char *)(size_t) "port",
					.val = (char *)(size_t)port_list};
	options[2] = (PQconninfoOption){.keyword = (char *)(size_t) "hostaddr",
					.val = (char *)(size_t)address_list};
	return options;
}

char *PQport(const PGconn *conn)
{
	return conn == NULL ? NULL : (char *)(size_t)port;
}

void libpq_be_standby(bool standby)
{
	is_standby = standby;
}

const char *PQparameterStatus(const PGconn *conn, const char *name)
{
	if (conn == NULL || strcmp(name, "in_hot_standby") != 0)
		return NULL;
	return is_standby ? "on" : "off";
}

char *PQerrorMessage(const PGconn *conn)
{
	return (char *)(size_t)conn->message;
}

/* ---- sending and reading ---- */

int PQsendPrepare(PGconn *conn, const char *name, const char *query, int count, const Oid *types)
{
	char text[TEXT_BYTES];

	(void)types;
	(void)snprintf(text, sizeof(text), "%s: %s (%d)", name, query, count);
	return play(conn, "PQsendPrepare", text)->returns;
}

static int send_statement(PGconn *conn, const char *function, const char *what, int count,
			  const char *const *values, const int *lengths, const int *formats,
			  int format)
{
	static char text[TEXT_BYTES];

	for (int i = 0; i < count; i++) {
		if (formats[i] != format)
			ck_abort_msg("parameter %d and the result differ in format", i);
	}
	show(what, count, values, lengths, formats, text, sizeof(text));
	return play(conn, function, text)->returns;
}

int PQsendQueryPrepared(PGconn *conn, const char *name, int count, const char *const *values,
			const int *lengths, const int *formats, int format)
{
	return send_statement(conn, "PQsendQueryPrepared", name, count, values, lengths, formats,
			      format);
}

int PQsendQueryParams(PGconn *conn, const char *sql, int count, const Oid *types,
		      const char *const *values, const int *lengths, const int *formats, int format)
{
	(void)types;
	return send_statement(conn, "PQsendQueryParams", sql, count, values, lengths, formats,
			      format);
}

int PQsendQuery(PGconn *conn, const char *query)
{
	return play(conn, "PQsendQuery", query)->returns;
}

int PQflush(PGconn *conn)
{
	return play(conn, "PQflush", "")->returns;
}

int PQconsumeInput(PGconn *conn)
{
	return play(conn, "PQconsumeInput", "")->returns;
}

int PQisBusy(PGconn *conn)
{
	if (conn->at_sync)
		return 0;
	return play(conn, "PQisBusy", "")->returns;
}

PGresult *PQgetResult(PGconn *conn)
{
	const struct libpq_result *as =
		conn->at_sync ? &synchronized : play(conn, "PQgetResult", "")->result;
	int i = 0;

	conn->at_sync = as == NULL && conn->in_pipeline;
	if (conn->at_sync && conn->syncs != 1)
		ck_abort_msg("a statement without an end");
	if (as == NULL)
		return NULL;
	if (as == &synchronized)
		conn->flush_requests = conn->syncs = 0;
	while (i < RESULTS && results[i].as != NULL)
		i++;
	if (i == RESULTS)
		ck_abort_msg("results are not cleared");
	results[i].as = as;
	return &results[i];
}

/* ---- the pipeline: not in the script, but each statement must end with both requests ---- */

int PQenterPipelineMode(PGconn *conn)
{
	conn->in_pipeline = true;
	return 1;
}

PGpipelineStatus PQpipelineStatus(const PGconn *conn)
{
	return conn != NULL && conn->in_pipeline ? PQ_PIPELINE_ON : PQ_PIPELINE_OFF;
}

int PQsendFlushRequest(PGconn *conn)
{
	conn->flush_requests++;
	return 1;
}

int PQpipelineSync(PGconn *conn)
{
	if (conn->flush_requests != 1 || conn->syncs != 0)
		ck_abort_msg("a pipeline of other than one statement");
	conn->syncs++;
	return 1;
}

void PQclear(PGresult *result)
{
	if (result == NULL)
		return;
	if (result->as == NULL)
		ck_abort_msg("a result was cleared twice");
	result->as = NULL;
}

/* ---- cancelling ---- */

/* In memory that forked processes share. */
static void open_cancels(void)
{
	if (cancels == NULL)
		cancels = mmap(NULL, sizeof(*cancels), PROT_READ | PROT_WRITE,
			       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (cancels == MAP_FAILED)
		ck_abort_msg("no shared memory");
}

int libpq_cancels(void)
{
	return cancels == NULL ? 0 : *cancels;
}

void libpq_await_cancels(int count)
{
	for (int i = 0; i < 5000 && libpq_cancels() < count; i++)
		(void)poll(NULL, 0, 1);
	ck_assert_int_eq(libpq_cancels(), count);
}

#ifdef LIBPQ_HAS_ASYNC_CANCEL
PGcancelConn *PQcancelCreate(PGconn *conn)
{
	open_cancels();
	return play(conn, "PQgetCancel", "")->returns == 0 ? NULL : (PGcancelConn *)&cancels;
}

int PQcancelBlocking(PGcancelConn *cancel)
{
	(void)cancel;
	++*cancels;
	return 1;
}

void PQcancelFinish(PGcancelConn *cancel)
{
	(void)cancel;
}
#else
PGcancel *PQgetCancel(PGconn *conn)
{
	open_cancels();
	return play(conn, "PQgetCancel", "")->returns == 0 ? NULL : (PGcancel *)&cancels;
}

int PQcancel(PGcancel *cancel, char *message, int size)
{
	(void)cancel;
	(void)message;
	(void)size;
	++*cancels;
	return 1;
}

void PQfreeCancel(PGcancel *cancel)
{
	(void)cancel;
}
#endif

/* ---- results ---- */

ExecStatusType PQresultStatus(const PGresult *result)
{
	return result->as->status;
}

char *PQresultErrorMessage(const PGresult *result)
{
	return (char *)(size_t)result->as->message;
}

char *PQresultErrorField(const PGresult *result, int field)
{
	const char *text = field == PG_DIAG_SQLSTATE		    ? result->as->sqlstate
			   : field == PG_DIAG_SEVERITY_NONLOCALIZED ? result->as->severity
			   : field == PG_DIAG_MESSAGE_PRIMARY	    ? result->as->message
			   : field == PG_DIAG_SOURCE_FUNCTION	    ? result->as->function
			   : field == PG_DIAG_COLUMN_NAME	    ? result->as->column
			   : field == PG_DIAG_MESSAGE_DETAIL	    ? result->as->detail
			   : field == PG_DIAG_MESSAGE_HINT	    ? result->as->hint
								    : NULL;

	return (char *)(size_t)text;
}

char *PQcmdStatus(PGresult *result)
{
	return (char *)(size_t)(result->as->command == NULL ? "" : result->as->command);
}

int PQntuples(const PGresult *result)
{
	return result->as->rows;
}

int PQnfields(const PGresult *result)
{
	return result->as->columns;
}

static const struct libpq_value *value_at(const PGresult *result, int row, int column)
{
	if (row < 0 || row >= result->as->rows || column < 0 || column >= result->as->columns)
		ck_abort_msg("row %d, column %d is not in the result", row, column);
	return &result->as->values[row * result->as->columns + column];
}

int PQgetisnull(const PGresult *result, int row, int column)
{
	return value_at(result, row, column)->p == NULL;
}

char *PQgetvalue(const PGresult *result, int row, int column)
{
	const struct libpq_value *value = value_at(result, row, column);

	return (char *)(size_t)(value->p == NULL ? "" : value->p);
}

int PQgetlength(const PGresult *result, int row, int column)
{
	return value_at(result, row, column)->n;
}

/* ---- parsing: linked with the tool, not called in its tests ---- */

PQconninfoOption *PQconninfoParse(const char *conninfo, char **message)
{
	(void)message;
	ck_abort_msg("PQconninfoParse(%s)", conninfo);
	return NULL;
}

void PQconninfoFree(PQconninfoOption *options)
{
	(void)options;
}

void PQfreemem(void *memory)
{
	(void)memory;
}
