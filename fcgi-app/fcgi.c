/*
 * fcgi.c - libfcgi, kept from waiting. See fcgi.h.
 *
 * How a request lives: fcgi_accept takes the connection itself and attaches it (keepConnection set
 * and ipcFd given make FCGX_Accept_r read from it instead of accepting); FCGX_Accept_r parses the
 * parameters, which the web server sends at once; then keepConnection is cleared, so that nothing
 * that follows the request on the connection is ever parsed as another one.
 */
#include "fcgi.h"

#include <errno.h>
#include <fcgiapp.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "log.h"

/* How long a web server may take to send parameters it has begun to send, or to take an answer. */
enum { PARAMETERS_TIMEOUT_MS = 50, ANSWER_TIMEOUT_MS = 2000 };

struct fcgi {
	FCGX_Request request;
	char *const *cgi;    /* the variables of a plain CGI request, else NULL */
	uint64_t body_bytes; /* read so far */
	bool ended;	     /* the body's end, or the peer's, was seen */
	bool blocking;	     /* the descriptor's mode */
};

enum status fcgi_init(void)
{
	/* Closing must not wait for the peer: the loop has others to answer. */
	if (setenv("LIBFCGI_OS_CLOSE_POLL_TIMEOUT", "0", 1) != 0 ||
	    setenv("LIBFCGI_IS_AF_UNIX_KEEPER_POLL_TIMEOUT", "0", 1) != 0)
		return STATUS_NO_MEMORY;
	return FCGX_Init() == 0 ? STATUS_OK : STATUS_NO_MEMORY;
}

bool fcgi_is_listening(int fd)
{
	int listening = 0;
	socklen_t size = sizeof(listening);

	return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size) == 0 && listening != 0;
}

enum status fcgi_open(struct fcgi **fcgi)
{
	*fcgi = calloc(1, sizeof(**fcgi));
	if (*fcgi == NULL)
		return STATUS_NO_MEMORY;
	/* No listening socket: libfcgi shall never accept by itself. */
	(void)FCGX_InitRequest(&(*fcgi)->request, -1, FCGI_FAIL_ACCEPT_ON_INTR);
	return STATUS_OK;
}

void fcgi_close(struct fcgi *fcgi)
{
	if (fcgi == NULL)
		return;
	fcgi_let_go(fcgi);
	free(fcgi);
}

int fcgi_fd(const struct fcgi *fcgi)
{
	return fcgi->cgi != NULL ? STDIN_FILENO : fcgi->request.ipcFd;
}

char *const *fcgi_variables(const struct fcgi *fcgi)
{
	return fcgi->cgi != NULL ? fcgi->cgi : fcgi->request.envp;
}

uint64_t fcgi_body_bytes(const struct fcgi *fcgi)
{
	return fcgi->body_bytes;
}

/* ---- beginning ---- */

static void set_timeouts(int fd)
{
	struct timeval receive = {.tv_usec = PARAMETERS_TIMEOUT_MS * 1000};
	struct timeval send = {.tv_sec = ANSWER_TIMEOUT_MS / 1000};

	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &receive, sizeof(receive));
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &send, sizeof(send));
}

enum status fcgi_accept(struct fcgi *fcgi, int listening)
{
	int fd = accept(listening, NULL, NULL);

	if (fd < 0) {
		switch (errno) {
		case EMFILE:
		case ENFILE:
		case ENOMEM:
		case ENOBUFS:
			return STATUS_BUSY;
		default: /* EAGAIN, ECONNABORTED, EINTR: the next turn tries again */
			return STATUS_AGAIN;
		}
	}
	(void)fcntl(fd, F_SETFD, FD_CLOEXEC);
	set_timeouts(fd);
	fcgi->request.ipcFd = fd;
	fcgi->body_bytes = 0;
	fcgi->ended = false;
	fcgi->blocking = true;
	return STATUS_OK;
}

enum status fcgi_begin(struct fcgi *fcgi)
{
	FCGX_Request *request = &fcgi->request;
	char byte;

	if (recv(request->ipcFd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 &&
	    (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
		return STATUS_AGAIN;
	request->keepConnection = 1; /* attached: read from it, do not close it first */
	int failed = FCGX_Accept_r(request);
	request->keepConnection = 0;
	if (failed != 0)
		return STATUS_END;
	return STATUS_OK;
}

void fcgi_begin_cgi(struct fcgi *fcgi, char *const *variables)
{
	fcgi->cgi = variables;
	fcgi->body_bytes = 0;
	fcgi->ended = false;
}

/* ---- the body ---- */

static bool would_block(int error)
{
	return error == EAGAIN || error == EWOULDBLOCK || error == EINTR;
}

static void set_blocking(struct fcgi *fcgi, bool blocking)
{
	int on = blocking ? 0 : 1;

	if (fcgi->blocking != blocking && ioctl(fcgi->request.ipcFd, FIONBIO, &on) == 0)
		fcgi->blocking = blocking;
}

/*
 * The fill function used up what it had buffered and nothing more has arrived. What it used up can
 * only be padding and the first bytes of a record header, and the header's bytes are forgotten:
 * step back to them. A header starts with FCGI_VERSION_1; padding is zero in every web server.
 */
static void step_back(FCGX_Stream *in, unsigned char *before)
{
	unsigned char *header = before;

	while (header < in->rdNext && *header != 1)
		header++;
	in->rdNext = in->stop = in->wrNext = header;
	in->isClosed = 0;
	FCGX_ClearError(in);
}

/*
 * Makes at least one byte available at in->rdNext: OK, AGAIN, END or INCOMPLETE_BODY.
 *
 * libfcgi does not tell whether it has buffered bytes. So when the socket has none, its fill
 * function is tried without blocking, and reads nothing; when the socket has some, it may block,
 * because the rest of a record that has begun is on its way (SO_RCVTIMEO bounds that).
 */
static enum status fill(struct fcgi *fcgi)
{
	FCGX_Stream *in = fcgi->request.in;
	struct pollfd fd = {.fd = fcgi->request.ipcFd, .events = POLLIN};

	if (in->rdNext != in->stop)
		return STATUS_OK;
	if (fcgi->ended)
		return STATUS_END;
	bool readable = poll(&fd, 1, 0) > 0;
	unsigned char *before = in->rdNext;
	set_blocking(fcgi, readable);
	in->fillBuffProc(in);
	if (!readable && would_block(FCGX_GetError(in)) && in->rdNext >= before) {
		step_back(in, before);
		return STATUS_AGAIN;
	}
	if (in->rdNext != in->stop)
		return STATUS_OK;
	fcgi->ended = true;
	return FCGX_GetError(in) == 0 ? STATUS_END : STATUS_INCOMPLETE_BODY;
}

static enum status read_stream(struct fcgi *fcgi, char *room, size_t size, size_t *n)
{
	FCGX_Stream *in = fcgi->request.in;
	enum status status = fill(fcgi);

	if (status != STATUS_OK)
		return status;
	*n = (size_t)(in->stop - in->rdNext);
	if (*n > size)
		*n = size;
	memcpy(room, in->rdNext, *n);
	in->rdNext += *n;
	return STATUS_OK;
}

/* Plain CGI: the body has CONTENT_LENGTH bytes; the descriptor may stay open behind it. */
static enum status read_cgi(struct fcgi *fcgi, int64_t length, char *room, size_t size, size_t *n)
{
	uint64_t left = length < 0 ? 0 : (uint64_t)length - fcgi->body_bytes;

	if (fcgi->ended || (length >= 0 && left == 0))
		return STATUS_END;
	if (length >= 0 && size > left)
		size = (size_t)left;
	ssize_t got = read(STDIN_FILENO, room, size);
	if (got < 0 && would_block(errno))
		return STATUS_AGAIN;
	if (got <= 0) {
		fcgi->ended = true;
		return got == 0 ? STATUS_END : STATUS_INCOMPLETE_BODY;
	}
	*n = (size_t)got;
	return STATUS_OK;
}

enum status fcgi_read(struct fcgi *fcgi, int64_t length, char *room, size_t size, size_t *n)
{
	/* All that was announced is here: the end of the stream is read late, by fcgi_drain. */
	if (length >= 0 && fcgi->body_bytes >= (uint64_t)length)
		return STATUS_END;
	enum status status = fcgi->cgi != NULL ? read_cgi(fcgi, length, room, size, n)
					       : read_stream(fcgi, room, size, n);
	if (status == STATUS_OK)
		fcgi->body_bytes += *n;
	if (status == STATUS_END && length >= 0 && fcgi->body_bytes < (uint64_t)length)
		return STATUS_INCOMPLETE_BODY;
	return status;
}

enum status fcgi_drain(struct fcgi *fcgi)
{
	if (fcgi->cgi != NULL)
		return STATUS_END;
	for (;;) {
		enum status status = fill(fcgi);
		if (status == STATUS_AGAIN)
			return status;
		if (status != STATUS_OK)
			return STATUS_END;
		fcgi->request.in->rdNext = fcgi->request.in->stop;
	}
}

/* ---- the answer ---- */

static void write_all(int fd, struct slice bytes)
{
	while (bytes.n > 0) {
		ssize_t written = write(fd, bytes.p, bytes.n);
		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0)
			return;
		bytes = (struct slice){bytes.p + written, bytes.n - (size_t)written};
	}
}

static void put(FCGX_Stream *out, struct slice bytes)
{
	enum { PIECE_BYTES = 1 << 20 };

	while (bytes.n > 0) {
		size_t n = bytes.n > PIECE_BYTES ? PIECE_BYTES : bytes.n;
		if (FCGX_PutStr(bytes.p, (int)n, out) < 0)
			return;
		bytes = (struct slice){bytes.p + n, bytes.n - n};
	}
}

void fcgi_answer(struct fcgi *fcgi, struct slice head, struct slice body)
{
	if (fcgi->cgi != NULL) {
		write_all(STDOUT_FILENO, head);
		write_all(STDOUT_FILENO, body);
		return;
	}
	set_blocking(fcgi, true);
	put(fcgi->request.out, head);
	put(fcgi->request.out, body);
	FCGX_Finish_r(&fcgi->request);
}

void fcgi_let_go(struct fcgi *fcgi)
{
	if (fcgi->cgi != NULL || fcgi->request.ipcFd < 0)
		return;
	/* Detached: FCGX_Free closes the descriptor but does not shut the connection down. */
	fcgi->request.detached = 1;
	FCGX_Free(&fcgi->request, 1);
}
