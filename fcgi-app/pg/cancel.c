/*
 * pg/cancel.c - asking the server to cancel a statement, without waiting for it. See
 * pg/connection.h.
 *
 * libpq before 17 can only wait while it does this, so another process does it. That is nobody's
 * child: the one in between has ended before pg_cancel() returns, so there is nothing to be reaped
 * later. It has none of our descriptors, and ends itself if the server does not answer.
 */
#define _DEFAULT_SOURCE /* close_range, fork */
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "pg/connection_internal.h"

/* PgBouncer 1.18 ends itself (FATAL, "bad client state") if it stood still and who asks has gone.
 */
enum { CANCEL_S = 30 };

/* From 17 on the request is encrypted where the connection is. */
#ifdef LIBPQ_HAS_ASYNC_CANCEL
typedef PGcancelConn request;

static request *make(PGconn *pg)
{
	return PQcancelCreate(pg);
}

static void send_request(request *cancel)
{
	(void)PQcancelBlocking(cancel);
}

static void free_request(request *cancel)
{
	PQcancelFinish(cancel);
}
#else
typedef PGcancel request;

static request *make(PGconn *pg)
{
	return PQgetCancel(pg);
}

static void send_request(request *cancel)
{
	char message[256];

	(void)PQcancel(cancel, message, (int)sizeof(message));
}

static void free_request(request *cancel)
{
	PQfreeCancel(cancel);
}
#endif

static _Noreturn void send_and_exit(request *cancel)
{
	/* Others wait for the end of what these are connected to. */
	(void)close_range(STDERR_FILENO + 1, ~0U, 0);
	(void)alarm(CANCEL_S);
	send_request(cancel);
	_exit(0);
}

void pg_cancel(struct pg_connection *db)
{
	if (db->state != PG_BUSY || db->cancelled)
		return;
	db->cancelled = true;
	request *cancel = make(db->pg);
	if (cancel == NULL)
		return; /* the connection is lost */
	pid_t between = fork();
	if (between == 0) {
		if (fork() == 0)
			send_and_exit(cancel);
		_exit(0);
	}
	while (between > 0 && waitpid(between, NULL, 0) < 0 && errno == EINTR)
		;
	if (between < 0)
		log_event(LOG_LEVEL_WARNING, "could not cancel a statement",
			  LOG_TEXT("cause", strerror(errno)));
	free_request(cancel);
}

bool pg_has_been_read(const struct pg_connection *db)
{
	int left = 0;

	return !db->flush && ioctl(pg_fd(db), TIOCOUTQ, &left) == 0 && left == 0;
}
