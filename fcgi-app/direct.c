/*
 * direct.c - one request served by itself. See direct.h.
 *
 * The database is asked whether the key is good before the body is read on.
 */
#include "direct.h"

#include "metrics.h"
#include "template_cache.h"
#include "visit.h"

enum { RETRIES_MAX = 2 };

static int64_t statement_deadline_ms(const struct exchange *exchange)
{
	int64_t own_ms = db_now_ms() + exchange->config->database_timeout_ms;

	return own_ms < exchange->deadline_ms ? own_ms : exchange->deadline_ms;
}

/* Runs the member; again after a conflict or a refusal, as group.c does, because then nothing of it
 * is stored. */
static void run(struct exchange *exchange, struct db *db, struct group_member *member)
{
	enum status status = STATUS_CONFLICT;

	for (int i = 0; i <= RETRIES_MAX && (status == STATUS_CONFLICT || status == STATUS_REFUSED);
	     i++) {
		status = db_connect(db, statement_deadline_ms(exchange));
		if (status == STATUS_OK)
			status = group_run(db, member, statement_deadline_ms(exchange));
	}
	if (status != STATUS_OK)
		member->status = status;
}

static enum status map(struct exchange *exchange)
{
	struct intake *intake = &exchange->intake;
	const struct template *template;
	enum status status = template_load(&exchange->arena, intake->member.template, &template);

	return status == STATUS_OK ? intake_map(intake, template) : status;
}

static void serve_whole(struct exchange *exchange, struct db *db, struct visit *visit,
			struct buf *bytes)
{
	struct intake *intake = &exchange->intake;
	struct group_member *member = &intake->member;

	/* No items yet: only authenticates, and gets what their rows will need. */
	member->wants_template = intake->kind == INTAKE_PRODUCT_ORGS;
	run(exchange, db, member);
	member->wants_template = false;
	if (member->status != STATUS_ACCEPTED) {
		exchange_conclude(exchange);
		return;
	}
	enum status status = visit_collect(visit, bytes);
	if (status == STATUS_OK)
		status = intake_body(intake, buf_slice(bytes), bytes->cap);
	if (status == STATUS_OK && intake_wants_template(intake))
		status = map(exchange);
	if (status != STATUS_OK) {
		exchange_fail(exchange, status, NULL);
		return;
	}
	if (intake->body_status == STATUS_OK || member->reject_count > 0)
		run(exchange, db, member);
	exchange_conclude(exchange);
}

static enum status open_database(const struct exchange *exchange, struct db **db)
{
	struct db_options options = {.conninfo = exchange->config->database,
				     .application_name = "sluice-intake"};

	return db_open(db, &options);
}

static void serve_signals(struct exchange *exchange, struct visit *visit)
{
	struct intake *intake = &exchange->intake;
	struct buf bytes = buf_make(intake_body_max(intake) + 1);
	struct db *db = NULL;
	enum status status = open_database(exchange, &db);

	if (status != STATUS_OK) {
		exchange_fail(exchange, status, NULL);
	} else if (intake->kind == INTAKE_BULK) {
		intake_bulk(intake, db, visit_read, visit, exchange->deadline_ms);
		exchange_conclude(exchange);
	} else {
		serve_whole(exchange, db, visit, &bytes);
	}
	db_close(db);
	buf_free(&bytes);
}

/* Only plain CGI comes here: each process asks for itself. */
static void serve_health(struct exchange *exchange)
{
	struct db *db = NULL;
	bool connected = open_database(exchange, &db) == STATUS_OK &&
			 db_connect(db, exchange->deadline_ms) == STATUS_OK;

	db_close(db);
	exchange_health(exchange, connected);
}

static void serve_metrics(struct exchange *exchange)
{
	struct db *db = NULL;
	enum status status = open_database(exchange, &db);

	if (status == STATUS_OK)
		status =
			metrics_read(db, &exchange->response.body, statement_deadline_ms(exchange));
	db_close(db);
	exchange_metrics(exchange, status);
}

static void serve(struct exchange *exchange, struct visit *visit)
{
	switch (exchange->match.route->action) {
	case ROUTE_HEALTH:
		serve_health(exchange);
		break;
	case ROUTE_METRICS:
		serve_metrics(exchange);
		break;
	case ROUTE_SIGNALS:
	default:
		serve_signals(exchange, visit);
	}
}

void direct_serve(struct exchange *exchange, struct fcgi *fcgi, struct slice arrived)
{
	struct visit visit = {.fcgi = fcgi,
			      .arrived = arrived,
			      .length = exchange->http.content_length,
			      .deadline_ms = exchange->deadline_ms};

	if (!exchange->decided)
		serve(exchange, &visit);
	visit_drain(&visit);
	visit_leave(&visit, exchange_send(exchange, fcgi));
}
