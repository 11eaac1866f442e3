/*
 * server/oneshot.c - see server/oneshot.h. The key is authenticated before the body is read.
 */
#include "server/oneshot.h"

#include <string.h>

#include "base/clock.h"
#include "base/stats.h"
#include "model/template_cache.h"
#include "server/blocking.h"
#include "server/metrics.h"
#include "server/process.h"
#include "server/slot.h"
#include "store/metrics.h"

enum { METRICS_BYTES_MAX = 1 << 20 };

static int64_t statement_deadline_ms(const struct server_request *request)
{
	return clock_deadline_ms(request->config->database_timeout_ms, request->deadline_ms);
}

/* Runs the commit, and retries after a conflict or a broken constraint, as commit/queue.c does:
 * nothing of it has been stored then. */
static void run_commit(struct server_request *request, struct pg_connection *db,
		       struct commit_request *commit)
{
	enum status status = STATUS_CONFLICT;

	for (int i = 0;
	     i <= COMMIT_RETRIES_MAX && (status == STATUS_CONFLICT || status == STATUS_CONSTRAINT);
	     i++) {
		status = pg_connect(db, statement_deadline_ms(request));
		if (status == STATUS_OK)
			status = commit_run(db, commit, statement_deadline_ms(request));
	}
	if (status != STATUS_OK)
		commit->out.status = status;
}

static enum status map_items(struct server_request *request)
{
	struct intake *intake = &request->intake;
	const struct template *template;
	enum status status = template_load(&request->arena, intake->commit.out.template, &template);

	return status == STATUS_OK ? intake_map(intake, template) : status;
}

static void serve_buffered(struct server_request *request, struct pg_connection *db,
			   struct blocking *blocking, struct buf *bytes)
{
	struct intake *intake = &request->intake;
	struct commit_request *commit = &intake->commit;

	/* Without items yet: authenticates, and fetches the key's template if they need one. */
	commit->needs_template = intake->kind == INTAKE_PRODUCT_ORGS;
	run_commit(request, db, commit);
	commit->needs_template = false;
	if (commit->out.status != STATUS_ACCEPTED) {
		server_request_answer_intake(request);
		return;
	}
	enum status status = blocking_read_all(blocking, bytes);
	/* It is a byte longer than is allowed: its beginning is kept. */
	if (status == STATUS_OK || status == STATUS_TOO_LARGE)
		status = intake_body(intake, buf_slice(bytes), bytes->cap);
	if (status == STATUS_OK && intake_wants_template(intake))
		status = map_items(request);
	if (status != STATUS_OK) {
		server_request_problem(request, status, NULL);
		return;
	}
	if (intake->body_status == STATUS_OK || commit->reject_count > 0)
		run_commit(request, db, commit);
	server_request_answer_intake(request);
}

static enum status open_database(const struct server_request *request, struct pg_connection **db)
{
	struct pg_options options = {.conninfo = request->config->database,
				     .host_timeout_ms = request->config->connect_timeout_ms,
				     .application_name = "sluice-intake"};

	return pg_open(db, &options);
}

static void serve_signals(struct server_request *request, struct blocking *blocking)
{
	struct intake *intake = &request->intake;
	struct buf bytes = buf_make(intake_body_max(intake) + 1);
	struct pg_connection *db = NULL;
	enum status status = open_database(request, &db);

	if (status != STATUS_OK) {
		server_request_problem(request, status, NULL);
	} else if (intake->kind == INTAKE_BULK) {
		intake_bulk(intake, db, blocking_read, blocking, request->deadline_ms);
		server_request_answer_intake(request);
	} else {
		serve_buffered(request, db, blocking, &bytes);
	}
	pg_close(db);
	buf_free(&bytes);
}

/* Plain CGI alone comes here, as with the metrics: the loop answers these itself. */
static void serve_ready(struct server_request *request)
{
	struct pg_connection *db = NULL;
	enum status status = open_database(request, &db);

	if (status == STATUS_OK)
		status = pg_connect(db, statement_deadline_ms(request));
	if (status == STATUS_OK && pg_is_read_only(db))
		status = STATUS_READ_ONLY;
	pg_close(db);
	server_request_answer_health(request, status);
}

static void serve_metrics(struct server_request *request)
{
	struct buf text = buf_make(METRICS_BYTES_MAX);
	struct pg_connection *db = NULL;
	enum status status = open_database(request, &db);

	if (status == STATUS_OK)
		status = metrics_read(db, &text, statement_deadline_ms(request));
	pg_close(db);
	server_request_answer_metrics(request,
				      status == STATUS_OK ? buf_slice(&text) : SLICE_ABSENT);
	buf_free(&text);
}

static void serve(struct server_request *request, struct blocking *blocking)
{
	switch (request->match.route->action) {
	case ROUTE_LIVE:
		server_request_answer_health(request, STATUS_OK);
		break;
	case ROUTE_READY:
		serve_ready(request);
		break;
	case ROUTE_METRICS:
		serve_metrics(request);
		break;
	case ROUTE_SIGNALS:
	default:
		serve_signals(request, blocking);
	}
}

/* Others wait for this process to end. */
static void hurry(struct blocking *blocking)
{
	blocking->gives_way = false;
	blocking->deadline_ms =
		clock_earlier(blocking->deadline_ms, clock_now_ms() + SLOT_DRAIN_MS);
}

void oneshot_serve(struct server_request *request, struct fcgi *fcgi, struct slice arrived)
{
	int64_t now_us = clock_now_us();
	struct pace pace;
	struct blocking blocking = {.fcgi = fcgi,
				    .arrived = arrived,
				    .length = request->http.content_length,
				    .deadline_ms = request->deadline_ms,
				    .pace = &pace,
				    .gives_way = true,
				    .away_us = now_us};

	pace_start(&pace, request->config->body_rate_bytes,
		   request->deadline_ms - request->started_us / 1000, now_us);

	if (!request->is_answered)
		serve(request, &blocking);
	if (process_gives_way())
		hurry(&blocking);
	blocking_drain(&blocking);
	blocking_finish(&blocking, server_request_send(request, fcgi));
}

/* The limit of FastCGI, which the web server's own limits on an environment do not know. */
static bool are_too_large(char *const *variables)
{
	size_t bytes = 0;

	for (; *variables != NULL; variables++)
		bytes += strlen(*variables);
	return bytes > FCGI_PARAMS_BYTES;
}

void oneshot_serve_cgi(const struct config *config, struct fcgi *fcgi)
{
	struct server_request request;
	char *const *variables = fcgi_variables(fcgi);

	stats_open(config->metrics_file, metrics_layout(), STATS_PASSING);
	server_request_init(&request, config);
	if (are_too_large(variables))
		server_request_refuse(&request, variables, clock_now_us(),
				      STATUS_HEADERS_TOO_LARGE);
	else
		server_request_begin(&request, variables, clock_now_us());
	oneshot_serve(&request, fcgi, SLICE_ABSENT);
	server_request_free(&request);
}
