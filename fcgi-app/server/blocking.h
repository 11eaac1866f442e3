/*
 * server/blocking.h - blocking I/O on one request's connection: read its body, drain it, wait until
 * its response has been sent.
 *
 * For processes that serve one request at a time: the settings service, plain CGI, children. The
 * event loop (server/loop.h) must not block and does not use this. Knows nothing of routes.
 */
#ifndef SERVER_BLOCKING_H
#define SERVER_BLOCKING_H

#include "base/buf.h"
#include "server/fcgi.h"
#include "server/pace.h"

struct blocking {
	struct fcgi *fcgi;
	struct slice arrived; /* the part of the body that has been read already */
	int64_t length;	      /* Content-Length, or -1 */
	int64_t deadline_ms;  /* a time of clock_now_ms(), for the whole request */
	struct pace *pace;    /* of the body, which is waited for since it was started; or NULL */
	bool gives_way;	      /* when the process is asked to: process_gives_way() */
	int64_t away_us; /* since when it has not been waited for, on clock_now_us(); 0: it is */
};

/* Waits for events of poll(2) on the connection, at most until the deadline and at most a minute.
 * False if the deadline had passed before. */
bool blocking_wait(const struct fcgi *fcgi, short events, int64_t deadline_ms);

/*
 * Reads more of the body: first blocking->arrived, then from the connection. context is the struct
 * blocking. As fcgi_read(), but STATUS_REQUEST_TIMEOUT instead of STATUS_AGAIN, and STATUS_BUSY
 * when the request is given up for another.
 */
enum status blocking_read(void *context, char *room, size_t size, size_t *n) MUST_CHECK;

/* Reads the whole body into out. STATUS_OK, STATUS_TOO_LARGE once out has reached its cap,
 * STATUS_NO_MEMORY, or as blocking_read(). */
enum status blocking_read_all(struct blocking *blocking, struct buf *out) MUST_CHECK;

/*
 * Discards the rest of the request's input, which must precede the response; see fcgi_drain().
 * Waits for it no longer than for a body that is wanted.
 */
void blocking_drain(const struct blocking *blocking);

/* Gives the web server a few seconds to take the response, and closes the connection. sent is what
 * sending the response returned. */
void blocking_finish(const struct blocking *blocking, enum status sent);

#endif
