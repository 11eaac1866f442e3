/*
 * intake_main.c - sluice-intake: a worker under spawn-fcgi, multiwatch or systemd when descriptor 0
 * is a listening socket, else one plain CGI request.
 */
#include "direct.h"
#include "loop.h"
#include "program.h"

static void serve_request(const struct config *config, struct fcgi *fcgi)
{
	struct exchange exchange;

	exchange_init(&exchange, config);
	exchange_begin(&exchange, fcgi_variables(fcgi), db_now_ms());
	direct_serve(&exchange, fcgi, (struct slice){NULL, 0});
	exchange_free(&exchange);
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
