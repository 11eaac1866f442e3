/*
 * fcgi.c - libfcgi, kept from waiting. See fcgi.h.
 *
 * How a request lives: its connection is accepted here, and what arrives is read here, without
 * blocking. When the records of its head are complete, libfcgi gets them through a socket pair, so
 * it never waits for the rest: FCGX_Accept_r reads the pair as a connection that was kept
 * (keepConnection set and ipcFd given), and makes the variables. The records of body and answer are
 * read and written here as well: libfcgi forgets the first bytes of a record's header when the
 * others are late, takes the end of a connection for the end of the parameters, and waits for a
 * peer that does not take its answer.
 */
#define _GNU_SOURCE /* accept4, which is POSIX only since 2024 */
#include "fcgi.h"

#include <errno.h>
#include <fastcgi.h>
#include <fcgiapp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	READ_BYTES = 8 << 10,	    /* more than most requests have */
	HEAD_BYTES_MAX = 128 << 10, /* the parameters; less than the socket pair holds */
	RECORD_BYTES_MAX = 65528,   /* of content: the most that is a multiple of 8 */
	DRAIN_BYTES_MAX = 1 << 20   /* in one go: others are waiting */
};

/* The record of the body that is being read. */
struct record {
	unsigned char header[FCGI_HEADER_LEN];
	size_t header_n;	 /* bytes of the header that have arrived */
	size_t content, padding; /* bytes of the rest that have not */
	bool last;		 /* the body ends with it */
};

struct fcgi {
	FCGX_Request request;
	char *const *cgi;  /* the variables of a plain CGI request, else NULL */
	uint64_t cgi_left; /* bytes of its body that are unread */
	int fd;		   /* the connection; -1: none */
	struct buf input;  /* the head, and what came with it of the body */
	size_t at;	   /* how much of the input has been used */
	struct record record;
	uint64_t body_bytes; /* read so far */
	enum status ended;   /* END or INCOMPLETE_BODY: why there is no more; OK before */
	struct buf output;   /* the answer's records */
	size_t sent;	     /* how much of the output the peer has taken */
};

/* Whole heads go in at [1], and libfcgi reads them at [0]. */
static int head_pair[2] = {-1, -1};

static bool open_head_pair(void)
{
	return head_pair[0] >= 0 || socketpair(AF_UNIX, SOCK_STREAM, 0, head_pair) == 0;
}

enum status fcgi_init(void)
{
	/* Closing must not wait for the peer: the loop has others to answer. */
	if (setenv("LIBFCGI_OS_CLOSE_POLL_TIMEOUT", "0", 1) != 0 ||
	    setenv("LIBFCGI_IS_AF_UNIX_KEEPER_POLL_TIMEOUT", "0", 1) != 0)
		return STATUS_NO_MEMORY;
	return FCGX_Init() == 0 && open_head_pair() ? STATUS_OK : STATUS_NO_MEMORY;
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
	(*fcgi)->fd = -1;
	(*fcgi)->input = buf_make(HEAD_BYTES_MAX);
	(*fcgi)->output = buf_make(SIZE_MAX / 2);
	return STATUS_OK;
}

void fcgi_close(struct fcgi *fcgi)
{
	if (fcgi == NULL)
		return;
	fcgi_let_go(fcgi);
	buf_free(&fcgi->input);
	buf_free(&fcgi->output);
	free(fcgi);
}

int fcgi_fd(const struct fcgi *fcgi)
{
	return fcgi->cgi != NULL ? STDIN_FILENO : fcgi->fd;
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

static void start(struct fcgi *fcgi)
{
	buf_reset(&fcgi->input, READ_BYTES);
	buf_reset(&fcgi->output, READ_BYTES);
	fcgi->at = fcgi->sent = 0;
	fcgi->record = (struct record){0};
	fcgi->body_bytes = 0;
	fcgi->ended = STATUS_OK;
}

enum status fcgi_accept(struct fcgi *fcgi, int listening)
{
	int fd = accept4(listening, NULL, NULL, SOCK_CLOEXEC);

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
	fcgi->fd = fd;
	start(fcgi);
	return STATUS_OK;
}

static size_t record_id(const unsigned char *header)
{
	return (size_t)header[2] << 8 | header[3];
}

static size_t record_content(const unsigned char *header)
{
	return (size_t)header[4] << 8 | header[5];
}

/* Takes the padding out of the input's first record: libfcgi would read it as the next one. */
static void drop_padding(struct buf *input)
{
	unsigned char *header = (unsigned char *)input->p;
	char *padding = input->p + FCGI_HEADER_LEN + record_content(header);
	size_t n = header[6];

	input->n -= n;
	memmove(padding, padding + n, (size_t)(input->p + input->n - padding));
	header[6] = 0;
}

/* Moves on over the head's records that are there: OK behind the last one, AGAIN, or END when they
 * are no head. Management records are none: libfcgi's answer to them overruns its stack. */
static enum status scan_head(struct fcgi *fcgi)
{
	const unsigned char *input = (const unsigned char *)fcgi->input.p;

	while (fcgi->input.n - fcgi->at >= FCGI_HEADER_LEN) {
		const unsigned char *header = input + fcgi->at;
		size_t content = record_content(header);
		int type = fcgi->at == 0 ? FCGI_BEGIN_REQUEST : FCGI_PARAMS;
		if (header[0] != FCGI_VERSION_1 || header[1] != type ||
		    record_id(header) != record_id(input))
			return STATUS_END;
		if (content == 0) {
			/* libfcgi would leave this padding unread. */
			fcgi->record.padding = header[6];
			fcgi->at += FCGI_HEADER_LEN;
			return STATUS_OK;
		}
		if (fcgi->input.n - fcgi->at - FCGI_HEADER_LEN < content + header[6])
			return STATUS_AGAIN;
		if (fcgi->at == 0)
			drop_padding(&fcgi->input);
		fcgi->at += FCGI_HEADER_LEN + content + header[6];
	}
	return STATUS_AGAIN;
}

static bool would_block(int error)
{
	return error == EAGAIN || error == EWOULDBLOCK || error == EINTR;
}

/* Reads until the head is complete; the start of the body may be behind it. */
static enum status read_head(struct fcgi *fcgi)
{
	enum status status = STATUS_AGAIN;

	while (status == STATUS_AGAIN) {
		char *room = buf_reserve(&fcgi->input, READ_BYTES);
		ssize_t n = room == NULL ? 0 : recv(fcgi->fd, room, READ_BYTES, MSG_DONTWAIT);
		if (n < 0 && would_block(errno))
			return STATUS_AGAIN;
		if (n <= 0)
			return STATUS_END;
		fcgi->input.n += (size_t)n;
		status = scan_head(fcgi);
	}
	return status;
}

/* The length of a name or a value, in one byte or in four. */
static bool take_length(struct slice *params, size_t *length)
{
	const unsigned char *p = (const unsigned char *)params->p;
	size_t n = params->n > 0 && p[0] > 0x7f ? 4 : 1;

	if (params->n < n)
		return false;
	*length = p[0];
	if (n == 4)
		*length =
			(size_t)(p[0] & 0x7f) << 24 | (size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3];
	*params = (struct slice){params->p + n, params->n - n};
	return true;
}

static bool lengths_fit(struct slice params)
{
	while (params.n > 0) {
		size_t name, value;
		if (!take_length(&params, &name) || !take_length(&params, &value) ||
		    name + value > params.n)
			return false;
		params = (struct slice){params.p + name + value, params.n - name - value};
	}
	return true;
}

/* libfcgi takes as much memory as a parameter says that it is long, up to 2 GiB; so what is longer
 * than the head must not reach it. The parameters are put together where the answer will be. */
static bool head_is_sound(struct fcgi *fcgi)
{
	const unsigned char *input = (const unsigned char *)fcgi->input.p;
	size_t n = 0;

	for (size_t at = 0; at < fcgi->at; at += FCGI_HEADER_LEN + n + input[at + 6]) {
		n = record_content(input + at);
		if (at > 0)
			buf_add(&fcgi->output, input + at + FCGI_HEADER_LEN, n);
		if (at > 0 && n == 0)
			break; /* the padding behind the last one is the body's */
	}
	bool sound = fcgi->output.status == STATUS_OK && lengths_fit(buf_slice(&fcgi->output));
	buf_reset(&fcgi->output, READ_BYTES);
	return sound;
}

/* Lets libfcgi make the variables of the head. What fails may leave the pair in any state. */
static bool parse_head(struct fcgi *fcgi)
{
	FCGX_Request *request = &fcgi->request;

	if (!open_head_pair())
		return false;
	bool good = send(head_pair[1], fcgi->input.p, fcgi->at, MSG_DONTWAIT | MSG_NOSIGNAL) ==
		    (ssize_t)fcgi->at;
	request->ipcFd = head_pair[0];
	request->keepConnection = 1; /* read from it, do not close it first */
	good = good && FCGX_Accept_r(request) == 0 && FCGX_GetError(request->in) == 0;
	if (!good) {
		FCGX_Free(request, 1); /* closes its end, unless FCGX_Accept_r has */
		(void)close(head_pair[1]);
		head_pair[0] = -1;
	}
	request->ipcFd = -1; /* libfcgi shall never touch the connection */
	return good;
}

enum status fcgi_begin(struct fcgi *fcgi)
{
	enum status status = read_head(fcgi);

	if (status == STATUS_OK && !(head_is_sound(fcgi) && parse_head(fcgi)))
		status = STATUS_END;
	if (status == STATUS_END) {
		(void)close(fcgi->fd);
		fcgi->fd = -1;
	}
	return status;
}

void fcgi_begin_cgi(struct fcgi *fcgi, char *const *variables)
{
	static const char name[] = "CONTENT_LENGTH=";

	fcgi->cgi = variables;
	fcgi->cgi_left = 0;
	for (; *variables != NULL; variables++) {
		if (strncmp(*variables, name, sizeof(name) - 1) == 0) {
			long long length = strtoll(*variables + sizeof(name) - 1, NULL, 10);
			fcgi->cgi_left = length > 0 ? (uint64_t)length : 0;
		}
	}
	start(fcgi);
}

/* ---- the body ---- */

/* No more of the body will come. */
static enum status end(struct fcgi *fcgi, enum status status)
{
	fcgi->ended = status;
	return status;
}

/* Takes what has arrived, up to size bytes. */
static enum status take(struct fcgi *fcgi, void *room, size_t size, size_t *n)
{
	size_t left = fcgi->input.n - fcgi->at;

	if (left > 0) {
		*n = left < size ? left : size;
		memcpy(room, fcgi->input.p + fcgi->at, *n);
		fcgi->at += *n;
		return STATUS_OK;
	}
	ssize_t got = recv(fcgi->fd, room, size, MSG_DONTWAIT);
	if (got < 0 && would_block(errno))
		return STATUS_AGAIN;
	if (got <= 0)
		return end(fcgi, STATUS_INCOMPLETE_BODY);
	*n = (size_t)got;
	return STATUS_OK;
}

/* Reads on in a record's header; anything but a piece of this request's body breaks it off. */
static enum status take_header(struct fcgi *fcgi)
{
	struct record *record = &fcgi->record;
	const unsigned char *header = record->header;
	size_t n = 0;
	enum status status = take(fcgi, record->header + record->header_n,
				  sizeof(record->header) - record->header_n, &n);

	record->header_n += n;
	if (status != STATUS_OK || record->header_n < sizeof(record->header))
		return status;
	record->header_n = 0;
	if (header[0] != FCGI_VERSION_1 || header[1] != FCGI_STDIN ||
	    record_id(header) != (size_t)fcgi->request.requestId)
		return end(fcgi, STATUS_INCOMPLETE_BODY);
	record->content = record_content(header);
	record->padding = header[6];
	record->last = record->content == 0;
	return STATUS_OK;
}

static enum status take_padding(struct fcgi *fcgi)
{
	char nothing[UINT8_MAX];
	size_t n = 0;
	enum status status = take(fcgi, nothing, fcgi->record.padding, &n);

	fcgi->record.padding -= n;
	return status;
}

static enum status read_stream(struct fcgi *fcgi, char *room, size_t size, size_t *n)
{
	struct record *record = &fcgi->record;
	enum status status = fcgi->ended;

	*n = 0;
	while (status == STATUS_OK && record->content == 0) {
		if (record->padding > 0)
			status = take_padding(fcgi);
		else if (record->last)
			status = end(fcgi, STATUS_END);
		else
			status = take_header(fcgi);
	}
	if (status != STATUS_OK)
		return status;
	status = take(fcgi, room, size < record->content ? size : record->content, n);
	record->content -= *n;
	return status;
}

/* Plain CGI (RFC 3875): the body has CONTENT_LENGTH bytes; the descriptor may stay open behind it.
 * Without a length there is no body: its end would look like that of a sender who went away. */
static enum status read_cgi(struct fcgi *fcgi, char *room, size_t size, size_t *n)
{
	struct pollfd in = {.fd = STDIN_FILENO, .events = POLLIN};

	*n = 0;
	if (fcgi->ended != STATUS_OK)
		return fcgi->ended;
	if (fcgi->cgi_left == 0)
		return end(fcgi, STATUS_END);
	if (poll(&in, 1, 0) == 0)
		return STATUS_AGAIN;
	ssize_t got = read(STDIN_FILENO, room, size < fcgi->cgi_left ? size : fcgi->cgi_left);
	if (got < 0 && would_block(errno))
		return STATUS_AGAIN;
	if (got <= 0)
		return end(fcgi, STATUS_INCOMPLETE_BODY);
	*n = (size_t)got;
	fcgi->cgi_left -= *n;
	return STATUS_OK;
}

static enum status read_piece(struct fcgi *fcgi, char *room, size_t size, size_t *n)
{
	return fcgi->cgi != NULL ? read_cgi(fcgi, room, size, n) : read_stream(fcgi, room, size, n);
}

enum status fcgi_read(struct fcgi *fcgi, int64_t length, char *room, size_t size, size_t *n)
{
	/* All that was announced is here: the end of the stream is read late, by fcgi_drain. */
	if (length >= 0 && fcgi->body_bytes >= (uint64_t)length)
		return STATUS_END;
	enum status status = read_piece(fcgi, room, size, n);
	if (status == STATUS_OK)
		fcgi->body_bytes += *n;
	if (status == STATUS_END && length >= 0 && fcgi->body_bytes < (uint64_t)length)
		return STATUS_INCOMPLETE_BODY;
	return status;
}

enum status fcgi_drain(struct fcgi *fcgi)
{
	char nothing[READ_BYTES];
	enum status status = STATUS_OK;
	for (size_t drained = 0, n = 0; status == STATUS_OK; drained += n) {
		if (drained >= DRAIN_BYTES_MAX)
			return STATUS_AGAIN;
		status = read_piece(fcgi, nothing, sizeof(nothing), &n);
	}
	return status == STATUS_AGAIN ? status : STATUS_END;
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

static void add_record(struct fcgi *fcgi, int type, struct slice content)
{
	const size_t id = (size_t)fcgi->request.requestId;
	const unsigned char header[FCGI_HEADER_LEN] = {FCGI_VERSION_1,
						       (unsigned char)type,
						       (unsigned char)(id >> 8),
						       (unsigned char)id,
						       (unsigned char)(content.n >> 8),
						       (unsigned char)content.n,
						       0,
						       0};

	buf_add(&fcgi->output, header, sizeof(header));
	buf_add_slice(&fcgi->output, content);
}

static void add_output(struct fcgi *fcgi, struct slice bytes)
{
	while (bytes.n > 0) {
		size_t n = bytes.n < RECORD_BYTES_MAX ? bytes.n : RECORD_BYTES_MAX;
		add_record(fcgi, FCGI_STDOUT, (struct slice){bytes.p, n});
		bytes = (struct slice){bytes.p + n, bytes.n - n};
	}
}

/* Input that is still unread when the connection is closed would look like an error to the peer. */
static void hang_up(struct fcgi *fcgi)
{
	char nothing[READ_BYTES];
	size_t pieces = DRAIN_BYTES_MAX / READ_BYTES;

	(void)shutdown(fcgi->fd, SHUT_WR);
	while (pieces-- > 0 && recv(fcgi->fd, nothing, sizeof(nothing), MSG_DONTWAIT) > 0)
		;
	fcgi_let_go(fcgi);
}

enum status fcgi_answer(struct fcgi *fcgi, struct slice head, struct slice body)
{
	static const char complete[8] = {0}; /* FCGI_REQUEST_COMPLETE, exit status 0 */

	if (fcgi->cgi != NULL) {
		write_all(STDOUT_FILENO, head);
		write_all(STDOUT_FILENO, body);
		return STATUS_END;
	}
	add_output(fcgi, head);
	add_output(fcgi, body);
	add_record(fcgi, FCGI_STDOUT, SLICE(""));
	add_record(fcgi, FCGI_END_REQUEST, (struct slice){complete, sizeof(complete)});
	return fcgi_flush(fcgi);
}

enum status fcgi_flush(struct fcgi *fcgi)
{
	const struct buf *output = &fcgi->output;

	while (output->status == STATUS_OK && fcgi->sent < output->n) {
		ssize_t n = send(fcgi->fd, output->p + fcgi->sent, output->n - fcgi->sent,
				 MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n < 0 && would_block(errno))
			return STATUS_AGAIN;
		if (n <= 0)
			break;
		fcgi->sent += (size_t)n;
	}
	hang_up(fcgi);
	return STATUS_END;
}

void fcgi_let_go(struct fcgi *fcgi)
{
	if (fcgi->cgi != NULL || fcgi->fd < 0)
		return;
	FCGX_Free(&fcgi->request, 0);
	(void)close(fcgi->fd);
	fcgi->fd = -1;
}
