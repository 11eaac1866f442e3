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
		"Usage: %s [--config FILE] [--check] [--version] [--help]\n"
		"\n"
		"%s"
		"Started by spawn-fcgi, multiwatch or systemd with a listening Unix socket as\n"
		"standard input; without one, serves a single CGI request.\n"
		"\n"
		"  -c, --config FILE  read FILE instead of $SLUICE_CONFIG or /etc/sluice/sluice.conf\n"
		"  -t, --check        read the configuration, say what is wrong, and exit\n"
		"  -V, --version      print the version and exit\n"
		"  -h, --help         print this help and exit\n"
		"\n"
		"Exit status: 0 after a signal, once every accepted request has been answered;\n"
		"1 could not start; 2 wrong usage. See %s(8) and sluice.conf(5).\n",
		program->name, program->purpose, program->name);
}

static int serve_socket(const struct program *program, const struct config *config)
{
	struct listener listener;
	enum status status = listener_open(&listener, STDIN_FILENO);

	if (status == STATUS_OK)
		status = program->serve(config, &listener);
	if (status != STATUS_OK) {
		log_event(LOG_LEVEL_ERROR, "could not start the worker",
			  LOG_TEXT("code", status_name(status)));
		return EXIT_FAILURE;
	}
	log_write(LOG_LEVEL_INFO, "worker ended", NULL, 0);
	return EXIT_SUCCESS;
}

static int serve_cgi(const struct program *program, const struct config *config)
{
	struct fcgi *fcgi = NULL;

	if (fcgi_open(&fcgi) != STATUS_OK)
		return EXIT_FAILURE;
	fcgi_use_cgi(fcgi, environ);
	program->serve_cgi(config, fcgi);
	fcgi_close(fcgi);
	return EXIT_SUCCESS;
}

static int serve(const struct program *program, const struct config *config)
{
	if (fcgi_is_listening(STDIN_FILENO))
		return serve_socket(program, config);
	if (getenv("GATEWAY_INTERFACE") != NULL)
		return serve_cgi(program, config);
	(void)fprintf(
		stderr,
		"%s: standard input is not a listening socket\n"
		"HINT: Start it with spawn-fcgi, multiwatch or systemd, or as a CGI program.\n",
		program->name);
	return EXIT_USAGE;
}

static int configure_and_serve(const struct program *program, const char *path, bool only_check)
{
	struct arena arena = {0};
	struct config config;
	const char *message = NULL;
	int code = EXIT_FAILURE;

	if (config_read(&arena, path, &config, NULL, &message) != STATUS_OK) {
		(void)fprintf(stderr, "%s: %s\n", program->name,
			      message == NULL ? "out of memory" : message);
	} else if (only_check) {
		(void)printf("%s: the configuration is valid\n", program->name);
		code = EXIT_SUCCESS;
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
						{"check", no_argument, NULL, 't'},
						{"version", no_argument, NULL, 'V'},
						{"help", no_argument, NULL, 'h'},
						{NULL, 0, NULL, 0}};
	const char *path = NULL;
	bool only_check = false;
	int option;

	while ((option = getopt_long(argc, argv, "c:tVh", options, NULL)) != -1) {
		switch (option) {
		case 'c':
			path = optarg;
			break;
		case 't':
			only_check = true;
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
	/* Numbers have a decimal point, whatever the environment says. */
	(void)setlocale(LC_NUMERIC, "C");
	return configure_and_serve(program, path, only_check);
}
