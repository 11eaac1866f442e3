/*
 * server/program.c - see server/program.h.
 */
#include "server/program.h"

#include <getopt.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"

extern char **environ;

enum { EXIT_USAGE = 2 };

static void print_usage(const struct program *program, FILE *out)
{
	(void)fprintf(
		out,
		"Usage: %s [--config FILE] [--version] [--help]\n"
		"\n"
		"%s"
		"Started by spawn-fcgi, multiwatch or systemd with a listening Unix socket as\n"
		"standard input; without one it serves a single CGI request.\n"
		"\n"
		"  -c, --config FILE  read FILE instead of $SLUICE_CONFIG or "
		"/etc/sluice/sluice.conf\n"
		"  -V, --version      print the version\n"
		"  -h, --help         print this\n"
		"\n"
		"Exit status: 0 ended by a signal after answering all it had accepted, 1 could not "
		"start,\n"
		"2 wrong usage. See %s(8) and sluice.conf(5).\n",
		program->name, program->purpose, program->name);
}

static int serve_cgi(const struct program *program, const struct config *config)
{
	struct fcgi *fcgi = NULL;

	if (fcgi_open(&fcgi) != STATUS_OK)
		return EXIT_FAILURE;
	fcgi_begin_cgi(fcgi, environ);
	program->serve_request(config, fcgi);
	fcgi_close(fcgi);
	return EXIT_SUCCESS;
}

static int serve(const struct program *program, const struct config *config)
{
	if (fcgi_is_listening(STDIN_FILENO))
		return program->serve_socket(config, STDIN_FILENO);
	if (getenv("GATEWAY_INTERFACE") != NULL)
		return serve_cgi(program, config);
	(void)fprintf(stderr,
		      "%s: standard input is not a listening socket\n"
		      "HINT: Start it with spawn-fcgi, multiwatch or systemd, or as a CGI "
		      "program.\n",
		      program->name);
	return EXIT_USAGE;
}

static int configured(const struct program *program, const char *path)
{
	struct arena arena = {0};
	struct config config;
	const char *message = NULL;
	int code = EXIT_FAILURE;

	if (config_read(&arena, path, &config, NULL, &message) != STATUS_OK) {
		(void)fprintf(stderr, "%s: %s\n", program->name,
			      message == NULL ? "out of memory" : message);
	} else {
		log_open(program->name, (enum log_target)config.log_target,
			 (enum log_level)config.log_level);
		code = serve(program, &config);
	}
	arena_free(&arena);
	return code;
}

int program_run(const struct program *program, int argc, char **argv)
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
			(void)printf("%s %s\n", program->name, SLUICE_VERSION);
			return EXIT_SUCCESS;
		case 'h':
			print_usage(program, stdout);
			return EXIT_SUCCESS;
		default:
			print_usage(program, stderr);
			return EXIT_USAGE;
		}
	}
	/* Numbers are read and written with a point, whatever the environment says. */
	(void)setlocale(LC_NUMERIC, "C");
	return configured(program, path);
}
