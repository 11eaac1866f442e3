/*
 * programs/sluice-intake.c - the intake worker: the event loop on a listening socket, or one plain
 * CGI request.
 */
#include "commit/queue.h"
#include "server/loop.h"
#include "server/oneshot.h"
#include "server/program.h"

int main(int argc, char **argv)
{
	static const struct program program = {
		.name = "sluice-intake",
		.purpose = "Receives webhook requests by FastCGI and stages them in PostgreSQL.\n",
		.serve = loop_run,
		.try_database = commit_try_database,
		.serve_cgi = oneshot_serve_cgi,
	};

	return program_run(&program, argc, argv);
}
