/*
 * server/response.c - see server/response.h.
 */
#include "server/response.h"

enum { HEAD_BYTES_MAX = 2048 };

enum status response_send(struct fcgi *fcgi, const struct http_request *request,
			  const struct http_response *response)
{
	struct buf head = buf_make(HEAD_BYTES_MAX);

	http_response_head(response, request, &head);
	enum status status = fcgi_answer(fcgi, buf_slice(&head), buf_slice(&response->body));
	buf_free(&head);
	return status;
}
