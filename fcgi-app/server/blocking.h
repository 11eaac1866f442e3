/*
 * blocking.h - one request's connection, waited for: its body, its answer, and taking leave.
 *
 * For those who have nothing else to do meanwhile: the settings service, plain CGI, the children
 * that serve large bodies. The loop does the same without waiting. Knows nothing of routes.
 */
#ifndef SERVER_BLOCKING_H
#define SERVER_BLOCKING_H

#include "http/response.h"
#include "server/fcgi.h"

struct blocking {
	struct fcgi *fcgi;
	struct slice arrived; /* of the body: what was read before */
	int64_t length;	      /* of the body as announced, or -1 */
	int64_t deadline_ms;  /* a time of clock_now_ms(), for the whole request */
};

/* Waits until the connection is ready for the events of poll(2), or a minute; false when the
 * deadline has come. */
bool blocking_wait(const struct fcgi *fcgi, short events, int64_t deadline_ms);

/*
 * Reads more of the body: first what had arrived, then the connection, waiting for it. context is a
 * struct blocking. As fcgi_read, with STATUS_REQUEST_TIMEOUT instead of STATUS_AGAIN.
 */
enum status blocking_read(void *context, char *room, size_t size, size_t *n) MUST_CHECK;

/* All of the body in memory: STATUS_OK, STATUS_TOO_LARGE when it has as many bytes as out may
 * hold, or as blocking_read. */
enum status blocking_collect(struct blocking *blocking, struct buf *out) MUST_CHECK;

/* Sends an answer as fcgi_answer does. */
enum status blocking_answer(struct fcgi *fcgi, const struct http_request *request,
			    const struct http_response *response) MUST_CHECK;

/* Reads the rest of the request away, before its answer is sent. */
void blocking_drain(const struct blocking *blocking);

/* Waits a few seconds for the peer to take the answer; status is what sending it returned. */
void blocking_leave(const struct blocking *blocking, enum status status);

#endif
