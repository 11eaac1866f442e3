/*
 * settings_main.c - sluice-settings: serves the settings' requests, one after the other, from the
 * listening socket that descriptor 0 is under spawn-fcgi, multiwatch or systemd, else one plain CGI
 * request.
 */
#define _GNU_SOURCE /* ppoll, which is POSIX only since 2024 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "program.h"
#include "settings.h"

enum { SILENT_MS = 5000, BACKOFF_MS = 50 };

/* ---- signals: blocked everywhere but while waiting for a connection ---- */

static volatile sig_atomic_t ending;

static void on_end(int number)
{
	(void)number;
	ending = 1;
}

static void set_handlers(sigset_t *while_polling)
{
	static const int ends[] = {SIGTERM, SIGINT, SIGUSR1}; /* the last is multiwatch's default */
	struct sigaction end = {.sa_handler = on_end};
	struct sigaction ignore = {.sa_handler = SIG_IGN};
	sigset_t blocked;

	(void)sigemptyset(&blocked);
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		(void)sigaddset(&blocked, ends[i]);
	(void)sigprocmask(SIG_BLOCK, &blocked, while_polling);
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		(void)sigdelset(while_polling, ends[i]);
		(void)sigaction(ends[i], &end, NULL);
	}
	(void)sigaction(SIGPIPE, &ignore, NULL);
}

/* ---- connections ---- */

/* The head of the request: false when none comes. */
static bool begin(struct fcgi *fcgi)
{
	int64_t silent_ms = db_now_ms() + SILENT_MS;
	enum status status = fcgi_begin(fcgi);

	while (status == STATUS_AGAIN && visit_wait(fcgi, POLLIN, silent_ms))
		status = fcgi_begin(fcgi);
	if (status == STATUS_AGAIN)
		fcgi_let_go(fcgi);
	return status == STATUS_OK;
}

static void serve_one(struct settings *settings, struct fcgi *fcgi, int listening)
{
	enum status status = fcgi_accept(fcgi, listening);

	if (status == STATUS_BUSY) {
		log_event(LOG_LEVEL_WARNING, "could not accept",
			  LOG_TEXT("cause", strerror(errno)));
		(void)poll(NULL, 0, BACKOFF_MS);
	} else if (status == STATUS_OK && begin(fcgi)) {
		settings_serve(settings, fcgi);
	}
}

static void serve_all(struct settings *settings, struct fcgi *fcgi, int listening)
{
	struct pollfd fd = {.fd = listening, .events = POLLIN};
	sigset_t while_polling;

	set_handlers(&while_polling);
	log_event(LOG_LEVEL_INFO, "worker started", LOG_TEXT("version", SLUICE_VERSION));
	while (!ending) {
		if (ppoll(&fd, 1, NULL, &while_polling) > 0 && !ending)
			serve_one(settings, fcgi, listening);
	}
	log_event(LOG_LEVEL_INFO, "worker ended", LOG_INT("unanswered", 0));
}

static int serve_socket(const struct config *config, int listening)
{
	struct settings settings;
	struct fcgi *fcgi = NULL;
	enum status status = settings_open(&settings, config);

	if (status == STATUS_OK)
		status = fcgi_open(&fcgi);
	if (status == STATUS_OK &&
	    fcntl(listening, F_SETFL, fcntl(listening, F_GETFL) | O_NONBLOCK) != 0)
		status = STATUS_INTERNAL;
	if (status == STATUS_OK)
		serve_all(&settings, fcgi, listening);
	else
		log_event(LOG_LEVEL_ERROR, "could not set up the worker",
			  LOG_TEXT("code", status_code(status)));
	fcgi_close(fcgi);
	settings_close(&settings);
	return status == STATUS_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}

static void serve_request(const struct config *config, struct fcgi *fcgi)
{
	struct settings settings;

	if (settings_open(&settings, config) == STATUS_OK)
		settings_serve(&settings, fcgi);
	settings_close(&settings);
}

int main(int argc, char **argv)
{
	static const struct program program = {
		.name = "sluice-settings",
		.purpose = "Answers what the settings page asks for, by FastCGI: API keys, "
			   "templates,\n"
			   "statistics, usage.\n",
		.serve_socket = serve_socket,
		.serve_request = serve_request,
	};

	return program_run(&program, argc, argv);
}
