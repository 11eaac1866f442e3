/*
 * server/fcgi.h - one request's connection to the web server: FastCGI, or plain CGI on descriptors
 * 0 and 1.
 *
 * The only module that knows the FastCGI protocol. It accepts, reads and writes without ever
 * blocking on a slow peer. Knows nothing of HTTP beyond CGI variables and bytes.
 */
#ifndef SERVER_FCGI_H
#define SERVER_FCGI_H

#include "base/slice.h"
#include "base/status.h"

struct fcgi; /* one connection at a time, with one request */

/* How long a new connection may take until its parameters are complete. */
enum { FCGI_PARAMS_MS = 5000 };

/* Whether descriptor fd is a listening socket, as spawn-fcgi and systemd pass it. */
bool fcgi_is_listening(int fd);

/* Makes an object without a connection. STATUS_OK or STATUS_NO_MEMORY. */
enum status fcgi_open(struct fcgi **fcgi) MUST_CHECK;
void fcgi_close(struct fcgi *fcgi); /* NULL is allowed */

/* Takes the memory for an ordinary request's head and answer, unless it has it; without a
 * connection. STATUS_OK or STATUS_NO_MEMORY. */
enum status fcgi_prepare(struct fcgi *fcgi) MUST_CHECK;

/*
 * Accepts a connection from a non-blocking listening socket. STATUS_OK; STATUS_AGAIN if there is
 * none, or another worker was quicker; STATUS_BUSY if descriptors or memory have run out (errno):
 * back off.
 */
enum status fcgi_accept(struct fcgi *fcgi, int listening) MUST_CHECK;

/* Begins with the next request of a connection that was kept: of fcgi_release(). */
void fcgi_resume(struct fcgi *fcgi, int fd);

/* The connection's descriptor, for polling; -1 without a connection. */
int fcgi_fd(const struct fcgi *fcgi);

/*
 * Reads the request's parameters. STATUS_OK; STATUS_AGAIN: incomplete, poll for reading and call
 * again; STATUS_HEADERS_TOO_LARGE: over FCGI_PARAMS_BYTES, the variables are the first ones and the
 * request is to be answered all the same; STATUS_NO_MEMORY: likewise, without variables;
 * STATUS_END: the peer closed the connection or sent something else than a request, and the
 * connection is closed.
 */
enum { FCGI_PARAMS_BYTES = 128 << 10 };
enum status fcgi_read_params(struct fcgi *fcgi) MUST_CHECK;

/* Makes this process's plain CGI request (RFC 3875) the request: its variables, its body on
 * descriptor 0, its answer on 1. */
void fcgi_use_cgi(struct fcgi *fcgi, char *const *variables);

/* The parameters as "NAME=value", terminated by NULL; valid until the answer. */
char *const *fcgi_variables(const struct fcgi *fcgi);

/*
 * Reads at most size bytes of the body, as far as it has arrived. length is its Content-Length, or
 * -1. STATUS_OK with *n > 0; STATUS_AGAIN: poll for reading; STATUS_END: the body is complete;
 * STATUS_INCOMPLETE_BODY: it ended before length bytes, or the peer disconnected or broke the
 * protocol.
 */
enum status fcgi_read(struct fcgi *fcgi, int64_t length, char *room, size_t size,
		      size_t *n) MUST_CHECK;

/*
 * Reads to the end of the request, as far as it has arrived, and discards it. STATUS_AGAIN: poll
 * for reading and call again; STATUS_END: done.
 */
enum status fcgi_drain(struct fcgi *fcgi) MUST_CHECK;

/*
 * Discards what has arrived of the request. Leaves the connection to the caller after the answer,
 * who asks fcgi_is_kept() what for: to be kept, if may_keep, the web server asks for it and the
 * request was read to its end with nothing behind it; or because more of the request may come,
 * which fcgi_discard() reads. To be called for each request.
 */
void fcgi_hand_over(struct fcgi *fcgi, bool may_keep);
bool fcgi_is_kept(const struct fcgi *fcgi);

/*
 * Sends the answer, as far as the peer takes it. STATUS_AGAIN: poll for writing and call
 * fcgi_flush(), which sends more; STATUS_OK: sent, and the connection is to be taken by
 * fcgi_release() (see fcgi_hand_over()); STATUS_END: sent or failed, and the connection is closed;
 * STATUS_NO_MEMORY, of fcgi_answer(): nothing was sent, and a shorter answer may be.
 * head and body may be released on return. Plain CGI blocks.
 */
enum status fcgi_answer(struct fcgi *fcgi, struct slice head, struct slice body) MUST_CHECK;
enum status fcgi_flush(struct fcgi *fcgi) MUST_CHECK;

/* Takes the connection's descriptor, which is the caller's from then on. */
int fcgi_release(struct fcgi *fcgi);

/* Reads and discards what has arrived on a connection whose answer has been sent: a web server that
 * is still sending mishandles an answer whose connection is closed. STATUS_AGAIN: more may come;
 * STATUS_END. */
enum status fcgi_discard(int fd) MUST_CHECK;

/* Closes this process's descriptor without shutting the connection down, so that a child or parent
 * with a copy can go on with it. */
void fcgi_close_fd(struct fcgi *fcgi);

#endif
