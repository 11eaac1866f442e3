/*
 * server/oneshot.h - one request served by itself, from its body to its answer, waiting where it
 * must: plain CGI, and the children that serve large bodies and the metrics.
 */
#ifndef SERVER_ONESHOT_H
#define SERVER_ONESHOT_H

#include "server/request.h"

/*
 * Serves a request whose head has been read (request_begin). arrived is what was already read of
 * its body. Opens and closes a database connection of its own. Bounded by the request's deadline;
 * a peer that is slow to take its answer has a few seconds more.
 */
void oneshot_serve(struct request *request, struct fcgi *fcgi, struct slice arrived);

#endif
