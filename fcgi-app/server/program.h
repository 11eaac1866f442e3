/*
 * server/program.h - the main function of a FastCGI program: options, configuration, log, and then
 * either the listening socket on descriptor 0 or a single plain CGI request.
 */
#ifndef SERVER_PROGRAM_H
#define SERVER_PROGRAM_H

#include "config/config.h"
#include "server/listener.h"
#include "server/trial.h"

struct program {
	const char *name;
	const char *purpose; /* lines of --help */
	/* Serves requests until process_is_ending(), then answers those it has accepted. STATUS_OK,
	 * or why the worker could not start. */
	enum status (*serve)(const struct config *config, struct listener *listener);
	trial_function *try_database; /* logs nothing */
	/* Serves the plain CGI request whose variables fcgi holds. */
	void (*serve_cgi)(const struct config *config, struct fcgi *fcgi);
};

/* Returns the exit code: 0, 1 when the program could not start, 2 for wrong usage. */
int program_run(const struct program *program, int argc, char **argv);

#endif
