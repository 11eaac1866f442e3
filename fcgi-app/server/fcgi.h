/*
 * server/fcgi.h - one request's connection to the web server: FastCGI, or plain CGI on fds 0 and 1.
 *
 * The only module that knows the FastCGI protocol. It accepts the connections, reads from them and
 * writes to them, and never waits for a slow peer.
 *
 * Knows nothing of HTTP beyond CGI variables and bytes.
 */
#ifndef SERVER_FCGI_H
#define SERVER_FCGI_H

#include "base/slice.h"
#include "base/status.h"

struct fcgi; /* one connection, reused for one request after the other */

/* True when descriptor fd is a listening socket: started by spawn-fcgi or systemd. */
bool fcgi_is_listening(int fd);

/* STATUS_OK or STATUS_NO_MEMORY. */
enum status fcgi_open(struct fcgi **fcgi) MUST_CHECK;
void fcgi_close(struct fcgi *fcgi); /* NULL is allowed */

/*
 * Accepts a connection from a non-blocking listening socket. STATUS_OK; STATUS_AGAIN: nothing
 * there, or another worker was quicker; STATUS_BUSY: no descriptors or memory for now, back off.
 */
enum status fcgi_accept(struct fcgi *fcgi, int listening) MUST_CHECK;

/* The descriptor to poll for reading; -1 without a connection. */
int fcgi_fd(const struct fcgi *fcgi);

/*
 * Reads the request's parameters. STATUS_OK; STATUS_AGAIN: they are not complete, poll;
 * STATUS_END: the peer sent no request, or left; the connection is closed.
 */
enum status fcgi_begin(struct fcgi *fcgi) MUST_CHECK;

/* Makes this process's plain CGI request (RFC 3875) the request: variables, body on fd 0. */
void fcgi_begin_cgi(struct fcgi *fcgi, char *const *variables);

/* "NAME=value", ends with NULL; valid until the answer. */
char *const *fcgi_variables(const struct fcgi *fcgi);

/*
 * Reads what of the body has arrived, at most size bytes. STATUS_OK with *n > 0; STATUS_AGAIN:
 * poll; STATUS_END: all of it was read; STATUS_INCOMPLETE_BODY: the peer went away or broke the
 * protocol. length is what CONTENT_LENGTH announced, or -1: a body that ends earlier is incomplete.
 */
enum status fcgi_read(struct fcgi *fcgi, int64_t length, char *room, size_t size,
		      size_t *n) MUST_CHECK;

/* Bytes of the body read so far. */
uint64_t fcgi_body_bytes(const struct fcgi *fcgi);

/*
 * Reads on to the end of the request and throws it away: web servers take an answer badly while
 * they still send. STATUS_AGAIN: poll and call again; STATUS_END: done.
 */
enum status fcgi_drain(struct fcgi *fcgi) MUST_CHECK;

/*
 * Sends the answer, as much of it as the peer takes. STATUS_AGAIN: poll for writing, then call
 * fcgi_flush, which sends more of it; STATUS_END: request and connection are ended. The request
 * must be drained, or its peer given up. head and body may be released on return. Plain CGI waits.
 */
enum status fcgi_answer(struct fcgi *fcgi, struct slice head, struct slice body) MUST_CHECK;
enum status fcgi_flush(struct fcgi *fcgi) MUST_CHECK;

/* Closes this process's copy without shutting the connection down: the parent after a fork gives
 * the request to the child, the child lets go of those of its parent. */
void fcgi_let_go(struct fcgi *fcgi);

#endif
