/*
 * settings/settings.h - the requests of the settings service, each served from its variables to the
 * sent response and the log line, with blocking I/O.
 *
 * What a user may do is the database's decision: every call of it says on whose behalf it is made.
 */
#ifndef SETTINGS_SETTINGS_H
#define SETTINGS_SETTINGS_H

#include "config/config.h"
#include "server/fcgi.h"

struct settings; /* a database connection and one request at a time */

/* The connection is made when a request first needs it, and anew once config->database is another
 * text. STATUS_OK or STATUS_NO_MEMORY. */
enum status settings_open(struct settings **settings, const struct config *config) MUST_CHECK;
void settings_close(struct settings *settings); /* NULL is allowed */

/* In a forked child: forgets the database connection without touching the parent's. */
void settings_abandon(struct settings *settings);

/* Whether requests could be served with config->database. Waits. As pg_try(). */
enum status settings_try_database(const struct config *config, struct buf *cause) MUST_CHECK;

/* Takes the memory for a response without which nothing could be answered, unless it has it.
 * STATUS_OK or STATUS_NO_MEMORY. */
enum status settings_prepare(struct settings *settings) MUST_CHECK;

/* Answers a request whose parameters could not be read with the problem of this status:
 * STATUS_HEADERS_TOO_LARGE or STATUS_NO_MEMORY, of fcgi_read_params(). */
void settings_refuse(struct settings *settings, struct fcgi *fcgi, enum status status);

/* Serves the request whose parameters fcgi has read. Bounded by the request's deadline, plus a few
 * seconds for a peer that is slow to take the response. */
void settings_serve(struct settings *settings, struct fcgi *fcgi);

#endif
