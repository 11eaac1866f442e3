/*
 * direct.h - one request served by itself, from its body to its answer, waiting where it must:
 * plain CGI, and the children that serve large bodies and the metrics.
 */
#ifndef DIRECT_H
#define DIRECT_H

#include "exchange.h"

/*
 * Serves a request whose head has been read (exchange_begin). arrived is what was already read of
 * its body. Opens and closes a database connection of its own. Bounded by the exchange's deadline;
 * a peer that is slow to take its answer has a few seconds more.
 */
void direct_serve(struct exchange *exchange, struct fcgi *fcgi, struct slice arrived);

#endif
