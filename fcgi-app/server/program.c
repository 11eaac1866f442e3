/*
 * server/program.c - see server/program.h.
 */
#include "server/program.h"

#include <getopt.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "server/reload.h"
#include "server/verify.h"

extern char **environ;

enum { EXIT_USAGE = 2, FAULTS_BYTES_MAX = 64 << 10 };

static void print_usage(const struct program *program, FILE *out)
{
	(void)fprintf(
		out,
		"Usage: %s [--config FILE] [--allow-root] [--check] [--version] [--help]\n"
		"\n"
		"%s"
		"Started by spawn-fcgi, multiwatch or systemd with a listening Unix socket as\n"
		"standard input; without one, serves a single CGI request.\n"
		"\n"
		"  -c, --config FILE  read FILE instead of $SLUICE_CONFIG or /etc/sluice/sluice.conf\n"
		"      --allow-root   run as root, which is refused otherwise\n"
		"  -t, --check        check the configuration, say what is wrong with it, and exit\n"
		"  -V, --version      print the version and exit\n"
		"  -h, --help         print this help and exit\n"
		"\n"
		"Exit status: 0 after a signal, once every accepted request has been answered;\n"
		"1 could not start, or the check found a fault; 2 wrong usage. See %s(8) and sluice.conf(5).\n",
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

struct options {
	const char *path;
	bool only_check, allow_root;
};

/* It reads what anybody on the network sends. */
static bool refuses_root(const struct program *program, const struct options *options)
{
	if (options->allow_root || geteuid() != 0)
		return false;
	(void)fprintf(stderr,
		      "%s: it should not run as root\n"
		      "HINT: Start it as a user of its own, or with --allow-root.\n",
		      program->name);
	return true;
}

static int serve(const struct program *program, const struct options *options,
		 const struct config *config)
{
	bool is_listening = fcgi_is_listening(STDIN_FILENO);

	if (is_listening || getenv("GATEWAY_INTERFACE") != NULL) {
		if (refuses_root(program, options))
			return EXIT_FAILURE;
		return is_listening ? serve_socket(program, config) : serve_cgi(program, config);
	}
	(void)fprintf(
		stderr,
		"%s: standard input is not a listening socket\n"
		"HINT: Start it with spawn-fcgi, multiwatch or systemd, or as a CGI program.\n",
		program->name);
	return EXIT_USAGE;
}

static int check(const struct program *program, const struct config *config,
		 const struct config_source *source)
{
	struct buf faults = buf_make(FAULTS_BYTES_MAX);
	size_t count = verify_config(config, source, &faults);

	if (count > 0)
		(void)fprintf(stderr, "%.*s", (int)faults.n, faults.p);
	else
		(void)printf("%s: %s is fine\n", program->name,
			     source->path == NULL ? "the default configuration" : source->path);
	buf_free(&faults);
	return count == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int configure_and_serve(const struct program *program, const struct options *options)
{
	const char *path = options->path;
	struct arena arena = {0};
	struct config config;
	struct config_source source;
	const char *message = NULL;
	int code = EXIT_FAILURE;

	if (config_read(&arena, path, &config, &source, &message) != STATUS_OK) {
		(void)fprintf(stderr, "%s: %s\n", program->name,
			      message == NULL ? "out of memory" : message);
	} else if (options->only_check) {
		code = check(program, &config, &source);
	} else {
		log_open(program->name, (enum log_target)config.log_target,
			 (enum log_level)config.log_level);
		log_never_wait();
		if (fcgi_is_listening(STDIN_FILENO))
			verify_and_log(&config, &source);
		reload_prepare(program->name, path, &config, program->try_database);
		code = serve(program, options, &config);
		reload_prepare(program->name, NULL, NULL, NULL);
	}
	arena_free(&arena);
	return code;
}

int program_run(const struct program *program, int argc, char **argv)
{
	static const struct option names[] = {
		{"config", required_argument, NULL, 'c'}, {"allow-root", no_argument, NULL, 'r'},
		{"check", no_argument, NULL, 't'},	  {"version", no_argument, NULL, 'V'},
		{"help", no_argument, NULL, 'h'},	  {NULL, 0, NULL, 0}};
	struct options options = {0};
	int option;

	if (!file_open_standard())
		return EXIT_FAILURE;

	while ((option = getopt_long(argc, argv, "c:tVh", names, NULL)) != -1) {
		switch (option) {
		case 'c':
			options.path = optarg;
			break;
		case 'r':
			options.allow_root = true;
			break;
		case 't':
			options.only_check = true;
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
	return configure_and_serve(program, &options);
}
