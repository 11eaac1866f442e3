/*
 * server/fcgi.c - see server/fcgi.h.
 *
 * The life of a request: its connection is accepted, or was kept after the request before; the
 * records of its head are read until they are complete, and become the variables; then the records
 * of its body are read; the answer's records are sent as the peer takes them. The connection is
 * kept only if both sides agree where the request has ended, so that nothing that follows a request
 * on it can be mistaken for another one.
 *
 * Of libfcgi only the protocol's definitions are used. Its stream functions block on slow peers,
 * lose the first bytes of a record header that arrives in pieces, mistake the end of the connection
 * for the end of the parameters, and allocate whatever length a parameter announces.
 */
#define _GNU_SOURCE /* accept4, which is POSIX only since 2024 */
#include "server/fcgi.h"

#include <errno.h>
#include <fastcgi.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "server/params.h"

enum {
	READ_BYTES = 8 << 10,	    /* more than most requests have */
	HEAD_BYTES_MAX = 256 << 10, /* of records that are not scanned: two of the largest, or all
				     * that bring the parameters */
	RECORD_BYTES_MAX = 65528,   /* of content: the largest multiple of 8 */
	DRAIN_BYTES_MAX = 1 << 20   /* per call: other requests are waiting */
};

/* The record of the body that is being read. */
struct record {
	unsigned char header[FCGI_HEADER_LEN];
	size_t header_n;	 /* bytes of the header that have arrived */
	size_t content, padding; /* bytes of these that have not */
	bool last;		 /* the body ends with it */
};

struct fcgi {
	char *const *cgi;  /* the variables of a plain CGI request, else NULL */
	uint64_t cgi_left; /* bytes of its body that are unread */
	int fd;		   /* the connection, or -1 */
	size_t id;	   /* of the request, as the web server numbers it */
	bool has_begun;	   /* its first record has been read */
	bool wants_keep;   /* the web server asks for the connection to be kept (FCGI_KEEP_CONN) */
	bool may_keep;	   /* the caller allows it */
	bool hands_over;   /* after the answer the connection is the caller's */
	bool keeps;	   /* the answer says that it is kept */
	struct buf input;  /* the head, and what came with it of the body */
	size_t at;	   /* how much of the input has been consumed */
	struct params params;
	struct record record;
	uint64_t body_bytes; /* read so far */
	enum status ended;   /* OK, or why the body has ended: END or INCOMPLETE_BODY */
	struct buf output;   /* the answer's records */
	size_t sent;	     /* how much of the output the peer has taken */
};

bool fcgi_is_listening(int fd)
{
	int listening = 0;
	socklen_t size = sizeof(listening);

	return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size) == 0 && listening != 0;
}

enum status fcgi_open(struct fcgi **fcgi)
{
	struct fcgi *made = calloc(1, sizeof(*made));

	*fcgi = made;
	if (made == NULL)
		return STATUS_NO_MEMORY;
	made->fd = -1;
	made->input = buf_make(HEAD_BYTES_MAX);
	made->params = params_make(FCGI_PARAMS_BYTES);
	made->output = buf_make(SIZE_MAX / 2);
	return STATUS_OK;
}

void fcgi_close(struct fcgi *fcgi)
{
	if (fcgi == NULL)
		return;
	fcgi_close_fd(fcgi);
	buf_free(&fcgi->input);
	params_free(&fcgi->params);
	buf_free(&fcgi->output);
	free(fcgi);
}

int fcgi_fd(const struct fcgi *fcgi)
{
	return fcgi->cgi != NULL ? STDIN_FILENO : fcgi->fd;
}

char *const *fcgi_variables(const struct fcgi *fcgi)
{
	return fcgi->cgi != NULL ? fcgi->cgi : params_variables(&fcgi->params);
}

/* ---- the head ---- */

static void reset(struct fcgi *fcgi)
{
	buf_reset(&fcgi->input, READ_BYTES);
	params_reset(&fcgi->params, READ_BYTES);
	buf_reset(&fcgi->output, READ_BYTES);
	fcgi->at = fcgi->sent = 0;
	fcgi->has_begun = fcgi->wants_keep = fcgi->keeps = false;
	fcgi->may_keep = fcgi->hands_over = false;
	fcgi->record = (struct record){0};
	fcgi->body_bytes = 0;
	fcgi->ended = STATUS_OK;
}

enum status fcgi_prepare(struct fcgi *fcgi)
{
	reset(fcgi);
	return buf_reserve(&fcgi->input, READ_BYTES) != NULL &&
			       buf_reserve(&fcgi->output, READ_BYTES) != NULL
		       ? STATUS_OK
		       : STATUS_NO_MEMORY;
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
		default: /* EAGAIN, ECONNABORTED, EINTR: to be tried again later */
			return STATUS_AGAIN;
		}
	}
	fcgi_resume(fcgi, fd);
	return STATUS_OK;
}

void fcgi_resume(struct fcgi *fcgi, int fd)
{
	fcgi->fd = fd;
	reset(fcgi);
}

static size_t record_id(const unsigned char *header)
{
	return (size_t)header[2] << 8 | header[3];
}

static size_t record_content(const unsigned char *header)
{
	return (size_t)header[4] << 8 | header[5];
}

/* Consumes the head's record at fcgi->at. OK, AGAIN if it is incomplete, END if it is not a record
 * of a head. The padding of the last one is read with the body. */
static enum status scan_record(struct fcgi *fcgi, bool *last)
{
	const unsigned char *header = (const unsigned char *)fcgi->input.p + fcgi->at;
	size_t left = fcgi->input.n - fcgi->at;
	bool first = !fcgi->has_begun;

	if (left < FCGI_HEADER_LEN)
		return STATUS_AGAIN;
	struct slice content = {(const char *)header + FCGI_HEADER_LEN, record_content(header)};
	if (header[0] != FCGI_VERSION_1 ||
	    header[1] != (first ? FCGI_BEGIN_REQUEST : FCGI_PARAMS) ||
	    (first && content.n != sizeof(FCGI_BeginRequestBody)) ||
	    (!first && record_id(header) != fcgi->id))
		return STATUS_END;
	*last = content.n == 0;
	if (*last) {
		fcgi->record.padding = header[6];
		fcgi->at += FCGI_HEADER_LEN;
		return STATUS_OK;
	}
	if (left - FCGI_HEADER_LEN < content.n + header[6])
		return STATUS_AGAIN;
	fcgi->has_begun = true;
	if (first) {
		fcgi->id = record_id(header);
		fcgi->wants_keep = (content.p[2] & FCGI_KEEP_CONN) != 0;
	} else {
		buf_add_slice(&fcgi->params.pairs, content);
	}
	fcgi->at += FCGI_HEADER_LEN + content.n + header[6];
	return first && (content.p[0] != 0 || content.p[1] != FCGI_RESPONDER) ? STATUS_END
									      : STATUS_OK;
}

static enum status scan_head(struct fcgi *fcgi)
{
	enum status status = STATUS_OK;

	for (bool last = false; status == STATUS_OK && !last;)
		status = scan_record(fcgi, &last);
	return status;
}

/* Parameters beyond the limit are read to their end, but not kept. */
static void drop_scanned(struct fcgi *fcgi)
{
	if (fcgi->params.pairs.status != STATUS_TOO_LARGE)
		return;
	fcgi->input.n -= fcgi->at;
	memmove(fcgi->input.p, fcgi->input.p + fcgi->at, fcgi->input.n);
	fcgi->at = 0;
}

static bool would_block(int error)
{
	return error == EAGAIN || error == EWOULDBLOCK || error == EINTR;
}

/* What has no number yet cannot be answered. */
static enum status without_room(const struct fcgi *fcgi)
{
	return fcgi->has_begun && fcgi->input.status == STATUS_NO_MEMORY ? STATUS_NO_MEMORY
									 : STATUS_END;
}

/* Reads until the head is complete; the start of the body may have come with it. */
static enum status read_head(struct fcgi *fcgi)
{
	enum status status = STATUS_AGAIN;

	while (status == STATUS_AGAIN) {
		char *room = buf_reserve(&fcgi->input, READ_BYTES);
		if (room == NULL)
			return without_room(fcgi);
		ssize_t n = recv(fcgi->fd, room, READ_BYTES, MSG_DONTWAIT);
		if (n < 0 && would_block(errno))
			return STATUS_AGAIN;
		if (n <= 0)
			return STATUS_END;
		fcgi->input.n += (size_t)n;
		status = scan_head(fcgi);
		drop_scanned(fcgi);
	}
	return status;
}

enum status fcgi_read_params(struct fcgi *fcgi)
{
	enum status status = read_head(fcgi);

	if (status == STATUS_OK)
		status = params_read(&fcgi->params);
	if (status == STATUS_END) {
		(void)close(fcgi->fd);
		fcgi->fd = -1;
	}
	return status;
}

void fcgi_use_cgi(struct fcgi *fcgi, char *const *variables)
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
	reset(fcgi);
}

/* ---- the body ---- */

static enum status end_body(struct fcgi *fcgi, enum status status)
{
	fcgi->ended = status;
	return status;
}

/* Takes up to size bytes of what has arrived. */
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
		return end_body(fcgi, STATUS_INCOMPLETE_BODY);
	*n = (size_t)got;
	return STATUS_OK;
}

/* Reads more of a record header. Anything but a record of this request's body ends the body. */
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
	if (header[0] != FCGI_VERSION_1 || header[1] != FCGI_STDIN || record_id(header) != fcgi->id)
		return end_body(fcgi, STATUS_INCOMPLETE_BODY);
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
			status = end_body(fcgi, STATUS_END);
		else
			status = take_header(fcgi);
	}
	if (status != STATUS_OK)
		return status;
	status = take(fcgi, room, size < record->content ? size : record->content, n);
	record->content -= *n;
	return status;
}

/* Plain CGI (RFC 3875): the body has CONTENT_LENGTH bytes, and the descriptor may stay open after
 * it. Without a length there is no body: its end would look the same as a client's disconnect. */
static enum status read_cgi(struct fcgi *fcgi, char *room, size_t size, size_t *n)
{
	struct pollfd in = {.fd = STDIN_FILENO, .events = POLLIN};

	*n = 0;
	if (fcgi->ended != STATUS_OK)
		return fcgi->ended;
	if (fcgi->cgi_left == 0)
		return end_body(fcgi, STATUS_END);
	if (poll(&in, 1, 0) == 0)
		return STATUS_AGAIN;
	ssize_t got = read(STDIN_FILENO, room, size < fcgi->cgi_left ? size : fcgi->cgi_left);
	if (got < 0 && would_block(errno))
		return STATUS_AGAIN;
	if (got <= 0)
		return end_body(fcgi, STATUS_INCOMPLETE_BODY);
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
	/* All that was announced has arrived; fcgi_drain() reads the end of the stream. */
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

/* A record whose content is two slices. */
static void add_record(struct fcgi *fcgi, int type, size_t id, struct slice begin,
		       struct slice rest)
{
	const size_t n = begin.n + rest.n;
	const unsigned char header[FCGI_HEADER_LEN] = {FCGI_VERSION_1,
						       (unsigned char)type,
						       (unsigned char)(id >> 8),
						       (unsigned char)id,
						       (unsigned char)(n >> 8),
						       (unsigned char)n,
						       0,
						       0};

	buf_add(&fcgi->output, header, sizeof(header));
	buf_add_slice(&fcgi->output, begin);
	buf_add_slice(&fcgi->output, rest);
}

/* Cuts up to n bytes off the front of the text. */
static struct slice take_off(struct slice *text, size_t n)
{
	struct slice taken = {text->p, text->n < n ? text->n : n};

	if (taken.n > 0)
		*text = (struct slice){text->p + taken.n, text->n - taken.n};
	return taken;
}

/* In as few records as possible: Apache polls once and reads twice for each. */
static void add_output(struct fcgi *fcgi, struct slice head, struct slice body)
{
	while (head.n + body.n > 0) {
		struct slice begin = take_off(&head, RECORD_BYTES_MAX);
		struct slice rest = take_off(&body, RECORD_BYTES_MAX - begin.n);
		add_record(fcgi, FCGI_STDOUT, fcgi->id, begin, rest);
	}
}

enum status fcgi_discard(int fd)
{
	char nothing[READ_BYTES];
	ssize_t n = 1;

	for (size_t pieces = DRAIN_BYTES_MAX / READ_BYTES; pieces > 0 && n > 0; pieces--)
		n = recv(fd, nothing, sizeof(nothing), MSG_DONTWAIT);
	return n > 0 || (n < 0 && would_block(errno)) ? STATUS_AGAIN : STATUS_END;
}

/* Closing a connection with unread input would reset it, an error to the peer. */
static enum status end_connection(struct fcgi *fcgi)
{
	if (fcgi->ended == STATUS_OK) {
		(void)shutdown(fcgi->fd, SHUT_WR);
		if (fcgi_discard(fcgi->fd) == STATUS_AGAIN && fcgi->hands_over)
			return STATUS_OK;
	}
	fcgi_close_fd(fcgi);
	return STATUS_END;
}

void fcgi_hand_over(struct fcgi *fcgi, bool may_keep)
{
	fcgi->hands_over = true;
	fcgi->may_keep = fcgi_drain(fcgi) == STATUS_END && may_keep;
}

bool fcgi_is_kept(const struct fcgi *fcgi)
{
	return fcgi->keeps;
}

static bool has_more(const struct fcgi *fcgi)
{
	char byte;

	return fcgi->at < fcgi->input.n || recv(fcgi->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) >= 0 ||
	       !would_block(errno);
}

static bool is_apache(const struct fcgi *fcgi)
{
	static const char name[] = "SERVER_SOFTWARE=Apache";
	char *const *variable = fcgi_variables(fcgi);

	while (*variable != NULL && strncmp(*variable, name, sizeof(name) - 1) != 0)
		variable++;
	return *variable != NULL;
}

/*
 * A web server may take up its next request between the end of the answer and the end of the
 * connection. So that it knows by the answer that a connection it wants kept is not: nginx does not
 * use one again if another record follows, nor does Apache if it ends within the padding of the
 * last record; by then both have passed the answer on.
 */
static void add_farewell(struct fcgi *fcgi, size_t end)
{
	static const char nothing[8] = {0};
	enum { PADDING = 6 }; /* in a record's header */

	if (is_apache(fcgi) && fcgi->output.status == STATUS_OK)
		fcgi->output.p[end + PADDING] = 1;
	else
		add_record(fcgi, FCGI_UNKNOWN_TYPE, FCGI_NULL_REQUEST_ID,
			   (struct slice){nothing, sizeof(nothing)}, SLICE(""));
}

/* The connection is kept if the body was read to its end and nothing has followed it. */
static void add_end(struct fcgi *fcgi)
{
	static const char complete[8] = {0}; /* FCGI_REQUEST_COMPLETE, exit status 0 */

	fcgi->keeps =
		fcgi->wants_keep && fcgi->may_keep && fcgi->ended == STATUS_END && !has_more(fcgi);
	add_record(fcgi, FCGI_STDOUT, fcgi->id, SLICE(""), SLICE(""));
	size_t end = fcgi->output.n;
	add_record(fcgi, FCGI_END_REQUEST, fcgi->id, (struct slice){complete, sizeof(complete)},
		   SLICE(""));
	if (fcgi->wants_keep && !fcgi->keeps)
		add_farewell(fcgi, end);
}

enum status fcgi_answer(struct fcgi *fcgi, struct slice head, struct slice body)
{
	if (fcgi->cgi != NULL) {
		write_all(STDOUT_FILENO, head);
		write_all(STDOUT_FILENO, body);
		return STATUS_END;
	}
	add_output(fcgi, head, body);
	add_end(fcgi);
	if (fcgi->output.status == STATUS_OK)
		return fcgi_flush(fcgi);
	buf_reset(&fcgi->output, READ_BYTES);
	return STATUS_NO_MEMORY;
}

enum status fcgi_flush(struct fcgi *fcgi)
{
	const struct buf *output = &fcgi->output;

	while (fcgi->sent < output->n) {
		ssize_t n = send(fcgi->fd, output->p + fcgi->sent, output->n - fcgi->sent,
				 MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n < 0 && would_block(errno))
			return STATUS_AGAIN;
		if (n <= 0)
			break;
		fcgi->sent += (size_t)n;
	}
	if (fcgi->keeps && fcgi->sent == output->n)
		return STATUS_OK;
	fcgi->keeps = false;
	return end_connection(fcgi);
}

int fcgi_release(struct fcgi *fcgi)
{
	int fd = fcgi->fd;

	fcgi->fd = -1;
	return fd;
}

void fcgi_close_fd(struct fcgi *fcgi)
{
	if (fcgi->cgi != NULL || fcgi->fd < 0)
		return;
	(void)close(fcgi->fd);
	fcgi->fd = -1;
}
