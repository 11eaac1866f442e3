/*
 * server/loop.h - the worker: one process, one thread, nothing in it waits but ppoll.
 */
#ifndef SERVER_LOOP_H
#define SERVER_LOOP_H

#include "config/config.h"

/*
 * Serves requests from the listening socket until SIGTERM, SIGINT or SIGUSR1, then answers what was
 * accepted. Returns the process's exit code: 0, or 1 when the worker could not be set up.
 */
int loop_run(const struct config *config, int listening);

#endif
