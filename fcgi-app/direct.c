/*
 * direct.c - one request served by itself. See direct.h.
 *
 * The database is asked whether the key is good before the body is read on.
 */
#include "direct.h"

#include <poll.h>
#include <string.h>

#include "metrics.h"
#include "template_cache.h"

enum { RETRIES_MAX = 2, READ_BYTES = 64 << 10, ANSWER_MS = 5000 };

/* The body as the handlers read it: first what had arrived, then the connection. */
struct body {
	struct fcgi *fcgi;
	struct slice arrived;
	int64_t length; /* announced, or -1 */
	int64_t deadline_ms;
};

/* Waits for the events or a minute; false when it is too late. */
static bool wait_for(const struct fcgi *fcgi, short events, int64_t deadline_ms)
{
	struct pollfd fd = {.fd = fcgi_fd(fcgi), .events = events};
	int64_t left_ms = deadline_ms - db_now_ms();

	if (left_ms <= 0)
		return false;
	(void)poll(&fd, 1, left_ms > 60000 ? 60000 : (int)left_ms);
	return true;
}

static enum status read_body(void *context, char *room, size_t size, size_t *n)
{
	struct body *body = context;

	if (body->arrived.n > 0) {
		*n = body->arrived.n < size ? body->arrived.n : size;
		memcpy(room, body->arrived.p, *n);
		body->arrived = (struct slice){body->arrived.p + *n, body->arrived.n - *n};
		return STATUS_OK;
	}
	for (;;) {
		enum status status = fcgi_read(body->fcgi, body->length, room, size, n);
		if (status != STATUS_AGAIN)
			return status;
		if (!wait_for(body->fcgi, POLLIN, body->deadline_ms))
			return STATUS_REQUEST_TIMEOUT;
	}
}

/* All of the body in memory, up to the request's limit. */
static enum status collect(struct body *body, struct buf *out)
{
	enum status status = STATUS_OK;

	while (status == STATUS_OK) {
		size_t n = 0;
		size_t room_bytes = out->cap - out->n < READ_BYTES ? out->cap - out->n : READ_BYTES;
		char *room = buf_reserve(out, room_bytes);
		if (room == NULL)
			return out->status;
		if (room_bytes == 0)
			return STATUS_BODY_TOO_LARGE;
		status = read_body(body, room, room_bytes, &n);
		if (status == STATUS_OK)
			out->n += n;
	}
	return status == STATUS_END ? STATUS_OK : status;
}

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

static void serve_whole(struct exchange *exchange, struct db *db, struct body *body,
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
	enum status status = collect(body, bytes);
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

static void serve_signals(struct exchange *exchange, struct body *body)
{
	struct intake *intake = &exchange->intake;
	struct buf bytes = buf_make(intake_body_max(intake) + 1);
	struct db *db = NULL;
	enum status status = open_database(exchange, &db);

	if (status != STATUS_OK) {
		exchange_fail(exchange, status, NULL);
	} else if (intake->kind == INTAKE_BULK) {
		intake_bulk(intake, db, read_body, body, exchange->deadline_ms);
		exchange_conclude(exchange);
	} else {
		serve_whole(exchange, db, body, &bytes);
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

static void serve(struct exchange *exchange, struct body *body)
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
		serve_signals(exchange, body);
	}
}

static void farewell(struct exchange *exchange, struct fcgi *fcgi)
{
	while (fcgi_drain(fcgi) == STATUS_AGAIN && wait_for(fcgi, POLLIN, exchange->deadline_ms))
		;
	int64_t answer_ms = db_now_ms() + ANSWER_MS;
	enum status status = exchange_send(exchange, fcgi);
	while (status == STATUS_AGAIN && wait_for(fcgi, POLLOUT, answer_ms))
		status = fcgi_flush(fcgi);
	fcgi_let_go(fcgi);
}

void direct_serve(struct exchange *exchange, struct fcgi *fcgi, struct slice arrived)
{
	struct body body = {.fcgi = fcgi,
			    .arrived = arrived,
			    .length = exchange->http.content_length,
			    .deadline_ms = exchange->deadline_ms};

	if (!exchange->decided)
		serve(exchange, &body);
	farewell(exchange, fcgi);
}
