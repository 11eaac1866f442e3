/*
 * intake_main.c - sluice-intake: a worker under spawn-fcgi, multiwatch or systemd when descriptor 0
 * is a listening socket, else one plain CGI request.
 */
#include <getopt.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config.h"
#include "direct.h"
#include "fcgi.h"
#include "log.h"
#include "loop.h"

extern char **environ;

enum { EXIT_USAGE = 2 };

static const char usage[] =
	"Usage: sluice-intake [--config FILE] [--version] [--help]\n"
	"\n"
	"Takes webhook requests by FastCGI and stages them in PostgreSQL. Started by spawn-fcgi,\n"
	"multiwatch or systemd with a listening Unix socket as standard input; without one it "
	"serves\n"
	"a single CGI request.\n"
	"\n"
	"  -c, --config FILE  read FILE instead of $SLUICE_CONFIG or /etc/sluice/sluice.conf\n"
	"  -V, --version      print the version\n"
	"  -h, --help         print this\n"
	"\n"
	"Exit status: 0 ended by a signal after answering all it had accepted, 1 could not start,\n"
	"2 wrong usage. See sluice-intake(8) and sluice.conf(5).\n";

static int serve_cgi(const struct config *config)
{
	struct exchange exchange;
	struct fcgi *fcgi = NULL;

	if (fcgi_open(&fcgi) != STATUS_OK)
		return EXIT_FAILURE;
	fcgi_begin_cgi(fcgi, environ);
	exchange_init(&exchange, config);
	exchange_begin(&exchange, fcgi_variables(fcgi), db_now_ms());
	direct_serve(&exchange, fcgi, (struct slice){NULL, 0});
	exchange_free(&exchange);
	fcgi_close(fcgi);
	return EXIT_SUCCESS;
}

static int serve(const struct config *config)
{
	if (fcgi_is_listening(STDIN_FILENO))
		return loop_run(config, STDIN_FILENO);
	if (getenv("GATEWAY_INTERFACE") != NULL)
		return serve_cgi(config);
	(void)fputs("sluice-intake: standard input is not a listening socket\n"
		    "HINT: Start it with spawn-fcgi, multiwatch or systemd, or as a CGI program.\n",
		    stderr);
	return EXIT_USAGE;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {{"config", required_argument, NULL, 'c'},
						{"version", no_argument, NULL, 'V'},
						{"help", no_argument, NULL, 'h'},
						{NULL, 0, NULL, 0}};
	const char *path = NULL;
	int option;

	while ((option = getopt_long(argc, argv, "c:Vh", options, NULL)) != -1) {
		switch (option) {
		case 'c':
			path = optarg;
			break;
		case 'V':
			(void)puts("sluice-intake " SLUICE_VERSION);
			return EXIT_SUCCESS;
		case 'h':
			(void)fputs(usage, stdout);
			return EXIT_SUCCESS;
		default:
			(void)fputs(usage, stderr);
			return EXIT_USAGE;
		}
	}
	/* Numbers are read and written with a point, whatever the environment says. */
	(void)setlocale(LC_NUMERIC, "C");

	struct arena arena = {0};
	struct config config;
	const char *message = NULL;
	if (config_read(&arena, path, &config, NULL, &message) != STATUS_OK) {
		(void)fprintf(stderr, "sluice-intake: %s\n",
			      message == NULL ? "out of memory" : message);
		arena_free(&arena);
		return EXIT_FAILURE;
	}
	log_open("sluice-intake", (enum log_target)config.log_target,
		 (enum log_level)config.log_level);
	int code = serve(&config);
	arena_free(&arena);
	return code;
}
