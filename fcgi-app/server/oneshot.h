/*
 * server/oneshot.h - serves one request with blocking I/O and a database connection of its own:
 * plain CGI, and the children that serve large bodies.
 */
#ifndef SERVER_ONESHOT_H
#define SERVER_ONESHOT_H

#include "server/request.h"

/*
 * Serves a request after server_request_begin(). arrived is the part of its body that has been read
 * already. Bounded by the request's deadline, plus a few seconds for a peer that is slow to take
 * the response.
 */
void oneshot_serve(struct server_request *request, struct fcgi *fcgi, struct slice arrived);

/* Serves the plain CGI request whose variables fcgi holds, from its head on. */
void oneshot_serve_cgi(const struct config *config, struct fcgi *fcgi);

#endif
