/*
 * server/loop.h - the intake worker: one process, one thread, and one place where it waits.
 */
#ifndef SERVER_LOOP_H
#define SERVER_LOOP_H

#include "config/config.h"
#include "server/listener.h"

/*
 * Serves requests from the listening socket until SIGTERM, SIGINT or SIGUSR1, then answers those it
 * has accepted. STATUS_OK, or why the worker could not start.
 */
enum status loop_run(const struct config *config, struct listener *listener) MUST_CHECK;

#endif
