/*
 * blocking.c - see blocking.h.
 */
#include "server/blocking.h"

#include <poll.h>
#include <string.h>

#include "base/clock.h"
#include "pg/connection.h"

enum { READ_BYTES = 64 << 10, HEAD_BYTES_MAX = 2048, ANSWER_MS = 5000 };

bool blocking_wait(const struct fcgi *fcgi, short events, int64_t deadline_ms)
{
	struct pollfd fd = {.fd = fcgi_fd(fcgi), .events = events};
	int64_t left_ms = deadline_ms - clock_now_ms();

	if (left_ms <= 0)
		return false;
	(void)poll(&fd, 1, left_ms > 60000 ? 60000 : (int)left_ms);
	return true;
}

enum status blocking_read(void *context, char *room, size_t size, size_t *n)
{
	struct blocking *blocking = context;

	if (blocking->arrived.n > 0) {
		*n = blocking->arrived.n < size ? blocking->arrived.n : size;
		memcpy(room, blocking->arrived.p, *n);
		blocking->arrived =
			(struct slice){blocking->arrived.p + *n, blocking->arrived.n - *n};
		return STATUS_OK;
	}
	for (;;) {
		enum status status = fcgi_read(blocking->fcgi, blocking->length, room, size, n);
		if (status != STATUS_AGAIN)
			return status;
		if (!blocking_wait(blocking->fcgi, POLLIN, blocking->deadline_ms))
			return STATUS_REQUEST_TIMEOUT;
	}
}

enum status blocking_collect(struct blocking *blocking, struct buf *out)
{
	enum status status = STATUS_OK;

	while (status == STATUS_OK) {
		size_t n = 0;
		size_t room_bytes = out->cap - out->n < READ_BYTES ? out->cap - out->n : READ_BYTES;
		char *room = buf_reserve(out, room_bytes);
		if (room == NULL)
			return out->status;
		if (room_bytes == 0)
			return STATUS_TOO_LARGE;
		status = blocking_read(blocking, room, room_bytes, &n);
		if (status == STATUS_OK)
			out->n += n;
	}
	return status == STATUS_END ? STATUS_OK : status;
}

enum status blocking_answer(struct fcgi *fcgi, const struct http_request *request,
			    const struct http_response *response)
{
	struct buf head = buf_make(HEAD_BYTES_MAX);

	http_response_head(response, request, &head);
	enum status status = fcgi_answer(fcgi, buf_slice(&head), buf_slice(&response->body));
	buf_free(&head);
	return status;
}

void blocking_drain(const struct blocking *blocking)
{
	while (fcgi_drain(blocking->fcgi) == STATUS_AGAIN &&
	       blocking_wait(blocking->fcgi, POLLIN, blocking->deadline_ms))
		;
}

void blocking_leave(const struct blocking *blocking, enum status status)
{
	int64_t answer_ms = clock_now_ms() + ANSWER_MS;

	while (status == STATUS_AGAIN && blocking_wait(blocking->fcgi, POLLOUT, answer_ms))
		status = fcgi_flush(blocking->fcgi);
	fcgi_let_go(blocking->fcgi);
}
