/*
 * server/response.h - an HTTP response over a FastCGI or plain CGI connection: the one place that
 * knows both.
 */
#ifndef SERVER_RESPONSE_H
#define SERVER_RESPONSE_H

#include "http/request.h"
#include "http/response.h"
#include "server/fcgi.h"

/* Sends header block and body; returns what fcgi_answer() returns. */
enum status response_send(struct fcgi *fcgi, const struct http_request *request,
			  const struct http_response *response) MUST_CHECK;

#endif
