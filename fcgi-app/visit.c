/*
 * visit.c - see visit.h.
 */
#include "visit.h"

#include <poll.h>
#include <string.h>

#include "db.h"

enum { READ_BYTES = 64 << 10, HEAD_BYTES_MAX = 2048, ANSWER_MS = 5000 };

bool visit_wait(const struct fcgi *fcgi, short events, int64_t deadline_ms)
{
	struct pollfd fd = {.fd = fcgi_fd(fcgi), .events = events};
	int64_t left_ms = deadline_ms - db_now_ms();

	if (left_ms <= 0)
		return false;
	(void)poll(&fd, 1, left_ms > 60000 ? 60000 : (int)left_ms);
	return true;
}

enum status visit_read(void *context, char *room, size_t size, size_t *n)
{
	struct visit *visit = context;

	if (visit->arrived.n > 0) {
		*n = visit->arrived.n < size ? visit->arrived.n : size;
		memcpy(room, visit->arrived.p, *n);
		visit->arrived = (struct slice){visit->arrived.p + *n, visit->arrived.n - *n};
		return STATUS_OK;
	}
	for (;;) {
		enum status status = fcgi_read(visit->fcgi, visit->length, room, size, n);
		if (status != STATUS_AGAIN)
			return status;
		if (!visit_wait(visit->fcgi, POLLIN, visit->deadline_ms))
			return STATUS_REQUEST_TIMEOUT;
	}
}

enum status visit_collect(struct visit *visit, struct buf *out)
{
	enum status status = STATUS_OK;

	while (status == STATUS_OK) {
		size_t n = 0;
		size_t room_bytes = out->cap - out->n < READ_BYTES ? out->cap - out->n : READ_BYTES;
		char *room = buf_reserve(out, room_bytes);
		if (room == NULL)
			return out->status;
		if (room_bytes == 0)
			return STATUS_BODY_TOO_LARGE;
		status = visit_read(visit, room, room_bytes, &n);
		if (status == STATUS_OK)
			out->n += n;
	}
	return status == STATUS_END ? STATUS_OK : status;
}

enum status visit_answer(struct fcgi *fcgi, const struct http_request *request,
			 const struct http_response *response)
{
	struct buf head = buf_make(HEAD_BYTES_MAX);

	http_response_head(response, request, &head);
	enum status status = fcgi_answer(fcgi, buf_slice(&head), buf_slice(&response->body));
	buf_free(&head);
	return status;
}

void visit_drain(const struct visit *visit)
{
	while (fcgi_drain(visit->fcgi) == STATUS_AGAIN &&
	       visit_wait(visit->fcgi, POLLIN, visit->deadline_ms))
		;
}

void visit_leave(const struct visit *visit, enum status status)
{
	int64_t answer_ms = db_now_ms() + ANSWER_MS;

	while (status == STATUS_AGAIN && visit_wait(visit->fcgi, POLLOUT, answer_ms))
		status = fcgi_flush(visit->fcgi);
	fcgi_let_go(visit->fcgi);
}
