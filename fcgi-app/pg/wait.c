/*
 * pg/wait.c - the blocking calls: they drive the connection's steps by poll(2). See
 * pg/connection.h.
 */
#include <errno.h>
#include <poll.h>
#include <string.h>

#include "base/clock.h"
#include "pg/connection_internal.h"

bool pg_has_events(const struct pg_connection *db)
{
	struct pollfd fd = {.fd = pg_fd(db), .events = pg_events(db)};

	return poll(&fd, 1, 0) > 0;
}

/* The caller's deadline, or that of the host that is tried. */
static int64_t next_deadline_ms(const struct pg_connection *db, int64_t deadline_ms)
{
	return db->state == PG_CONNECTING ? clock_earlier(db->host_deadline_ms, deadline_ms)
					  : deadline_ms;
}

static enum status give_up(struct pg_connection *db, int64_t deadline_ms)
{
	if (db->state == PG_CONNECTING && clock_now_ms() < deadline_ms) {
		enum status status = pg_give_up_host(db);
		if (status == STATUS_OK)
			return STATUS_AGAIN;
	}
	/* The server may still commit what was sent. */
	bool was_sent = db->state == PG_BUSY;
	pg_drop(db);
	return pg_failed(db, was_sent ? STATUS_OUTCOME_UNKNOWN : STATUS_DEADLINE,
			 "the database did not answer in time", "",
			 "no answer within the time allowed");
}

/*
 * Polls. STATUS_AGAIN: there is, or may be, something to do. At the deadline the connection is
 * dropped, unless something has arrived: the process may have been stopped meanwhile.
 */
static enum status wait_for_events(struct pg_connection *db, int64_t limit_ms)
{
	int64_t deadline_ms = next_deadline_ms(db, limit_ms);
	int64_t left_ms = deadline_ms - clock_now_ms();
	int wait_ms = left_ms > 60000 ? 60000 : (int)left_ms;
	struct pollfd fd = {.fd = pg_fd(db), .events = left_ms > 0 ? pg_events(db) : POLLIN};
	int ready = poll(&fd, 1, left_ms > 0 ? wait_ms : 0);

	if (ready < 0 && errno != EINTR)
		return pg_failed(db, STATUS_INTERNAL, "could not poll", "", strerror(errno));
	if (ready > 0 || clock_now_ms() < deadline_ms)
		return STATUS_AGAIN;
	return give_up(db, limit_ms);
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

enum status pg_try(const struct pg_options *options, int64_t deadline_ms, struct buf *cause)
{
	struct pg_connection *db = NULL;
	enum status status = pg_open(&db, options);

	if (status == STATUS_OK)
		status = pg_connect(db, deadline_ms);
	if (status == STATUS_OK && pg_is_read_only(db))
		status = pg_failed(db, STATUS_READ_ONLY, "", "", "it takes no writes");
	if (status != STATUS_OK && db != NULL)
		buf_add_text(cause, pg_message(db));
	pg_close(db);
	return status;
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
		if (status == STATUS_AGAIN && pg_flush_some(db) != STATUS_OK)
			status = pg_lost(db);
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
		return pg_failed(db, STATUS_INTERNAL, "statement sent out of turn", "", "");
	enum status status = pg_sent(db, NULL, PQsendQuery(db->pg, sql));
	return status == STATUS_OK ? pg_await(db, NULL, deadline_ms) : status;
}
