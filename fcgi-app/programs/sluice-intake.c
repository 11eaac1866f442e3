/*
 * programs/sluice-intake.c - sluice-intake: a worker under spawn-fcgi, multiwatch or systemd when
 * descriptor 0 is a listening socket, else one plain CGI request.
 */
#include "server/oneshot.h"

#include "base/clock.h"
#include "server/loop.h"
#include "server/program.h"

static void serve_request(const struct config *config, struct fcgi *fcgi)
{
	struct request request;

	request_init(&request, config);
	request_begin(&request, fcgi_variables(fcgi), clock_now_ms());
	oneshot_serve(&request, fcgi, (struct slice){NULL, 0});
	request_free(&request);
}

int main(int argc, char **argv)
{
	static const struct program program = {
		.name = "sluice-intake",
		.purpose = "Takes webhook requests by FastCGI and stages them in PostgreSQL.\n",
		.serve_socket = loop_run,
		.serve_request = serve_request,
	};

	return program_run(&program, argc, argv);
}
