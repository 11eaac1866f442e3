/*
 * server/blocking.c - see server/blocking.h.
 */
#include "server/blocking.h"

#include <poll.h>
#include <string.h>

#include "base/clock.h"
#include "server/process.h"

enum { READ_BYTES = 64 << 10, WAIT_MS_MAX = 60000, SEND_MS = 5000 };

bool blocking_wait(const struct fcgi *fcgi, short events, int64_t deadline_ms)
{
	struct pollfd fd = {.fd = fcgi_fd(fcgi), .events = events};
	int64_t left_ms = deadline_ms - clock_now_ms();

	if (left_ms <= 0)
		return false;
	(void)process_poll(&fd, left_ms > WAIT_MS_MAX ? WAIT_MS_MAX : (int)left_ms);
	return true;
}

/* STATUS_AGAIN when there may be more. */
static enum status wait_for_body(const struct blocking *blocking)
{
	int64_t until_ms = blocking->deadline_ms;

	if (blocking->gives_way && process_gives_way())
		return STATUS_BUSY;
	if (blocking->pace != NULL)
		until_ms = clock_earlier(until_ms, blocking->pace->until_us / 1000);
	return blocking_wait(blocking->fcgi, POLLIN, until_ms) ? STATUS_AGAIN
							       : STATUS_REQUEST_TIMEOUT;
}

static enum status read_or_wait(const struct blocking *blocking, char *room, size_t size, size_t *n)
{
	enum status status;

	do {
		status = fcgi_read(blocking->fcgi, blocking->length, room, size, n);
		if (status != STATUS_AGAIN)
			return status;
		status = wait_for_body(blocking);
	} while (status == STATUS_AGAIN);
	return status;
}

enum status blocking_read(void *context, char *room, size_t size, size_t *n)
{
	struct blocking *blocking = context;
	struct pace *pace = blocking->pace;

	if (blocking->arrived.n > 0) {
		*n = blocking->arrived.n < size ? blocking->arrived.n : size;
		memcpy(room, blocking->arrived.p, *n);
		blocking->arrived =
			(struct slice){blocking->arrived.p + *n, blocking->arrived.n - *n};
		return STATUS_OK;
	}
	if (blocking->gives_way && process_gives_way())
		return STATUS_BUSY;
	/* What the caller did with the last piece is not the sender's time. */
	if (pace != NULL && blocking->away_us != 0)
		pace_pause(pace, clock_now_us() - blocking->away_us);
	enum status status = read_or_wait(blocking, room, size, n);
	blocking->away_us = clock_now_us();
	if (pace != NULL && status == STATUS_OK)
		pace_receive(pace, *n, blocking->away_us);
	return status;
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
	       wait_for_body(blocking) == STATUS_AGAIN)
		;
}

void blocking_finish(const struct blocking *blocking, enum status sent)
{
	int64_t deadline_ms = clock_now_ms() + SEND_MS;

	while (sent == STATUS_AGAIN && blocking_wait(blocking->fcgi, POLLOUT, deadline_ms))
		sent = fcgi_flush(blocking->fcgi);
	fcgi_close_fd(blocking->fcgi);
}
