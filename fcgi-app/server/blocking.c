/*
 * server/blocking.c - see server/blocking.h.
 */
#include "server/blocking.h"

#include <poll.h>
#include <string.h>

#include "base/clock.h"

enum { READ_BYTES = 64 << 10, WAIT_MS_MAX = 60000, SEND_MS = 5000 };

bool blocking_wait(const struct fcgi *fcgi, short events, int64_t deadline_ms)
{
	struct pollfd fd = {.fd = fcgi_fd(fcgi), .events = events};
	int64_t left_ms = deadline_ms - clock_now_ms();

	if (left_ms <= 0)
		return false;
	(void)poll(&fd, 1, left_ms > WAIT_MS_MAX ? WAIT_MS_MAX : (int)left_ms);
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

enum status blocking_read_all(struct blocking *blocking, struct buf *out)
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

void blocking_drain(const struct blocking *blocking)
{
	while (fcgi_drain(blocking->fcgi) == STATUS_AGAIN &&
	       blocking_wait(blocking->fcgi, POLLIN, blocking->deadline_ms))
		;
}

void blocking_finish(const struct blocking *blocking, enum status sent)
{
	int64_t deadline_ms = clock_now_ms() + SEND_MS;

	while (sent == STATUS_AGAIN && blocking_wait(blocking->fcgi, POLLOUT, deadline_ms))
		sent = fcgi_flush(blocking->fcgi);
	fcgi_close_fd(blocking->fcgi);
}
