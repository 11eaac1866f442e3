/*
 * server/program.h - what the FastCGI programs' main functions have in common: options,
 * configuration, log, and whether the socket or a single CGI request is served.
 */
#ifndef SERVER_PROGRAM_H
#define SERVER_PROGRAM_H

#include "config/config.h"
#include "server/fcgi.h"

struct program {
	const char *name;
	const char *purpose; /* lines of --help */
	/* Serves the listening socket until it is told to end; the exit code. */
	int (*serve_socket)(const struct config *config, int listening);
	/* Serves the one request that fcgi has begun. */
	void (*serve_request)(const struct config *config, struct fcgi *fcgi);
};

/* The exit code. */
int program_run(const struct program *program, int argc, char **argv);

#endif
