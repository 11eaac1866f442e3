/*
 * settings/server.h - the settings service's process: it accepts connections and serves their
 * requests one at a time, those with a body in forked children.
 */
#ifndef SETTINGS_SERVER_H
#define SETTINGS_SERVER_H

#include "config/config.h"
#include "server/listener.h"

/*
 * Serves requests from the listening socket until SIGTERM, SIGINT or SIGUSR1, then waits for its
 * children. STATUS_OK, or why the worker could not start.
 */
enum status settings_server_run(const struct config *config, struct listener *listener) MUST_CHECK;

/* Serves the request whose parameters fcgi has read, with a database connection of its own. */
void settings_server_serve(const struct config *config, struct fcgi *fcgi);

#endif
