/*
 * server/response.c - see server/response.h.
 */
#include "server/response.h"

enum { HEAD_BYTES_MAX = 2048 };

enum status response_send(struct fcgi *fcgi, const struct http_request *request,
			  const struct http_response *response)
{
	char memory[HEAD_BYTES_MAX];
	struct buf head = buf_over(memory, sizeof(memory));

	http_response_head(response, request, &head);
	return fcgi_answer(fcgi, buf_slice(&head), buf_slice(&response->body));
}
