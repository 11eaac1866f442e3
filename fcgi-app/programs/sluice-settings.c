/*
 * programs/sluice-settings.c - sluice-settings: serves the settings' requests, one after the other,
 * from the listening socket that descriptor 0 is under spawn-fcgi, multiwatch or systemd, else one
 * plain CGI request.
 *
 * A request with a body gets a process of its own: who sends it may be slow, and Apache passes a
 * body on as it comes. These are few, changes and dry runs; they can afford their own connection.
 */
#define _GNU_SOURCE /* ppoll, which is POSIX only since 2024 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "http/header.h"
#include "server/process.h"
#include "server/program.h"
#include "settings/settings.h"

enum { SILENT_MS = 5000, BACKOFF_MS = 50, CHILDREN_MAX = 32, CHILD_GRACE_S = 10 };

struct service {
	const struct config *config;
	struct settings settings;
	struct fcgi *fcgi;
	int listening;
	int children;
};

/* ---- connections ---- */

/* The head of the request: false when none comes. */
static bool begin(struct fcgi *fcgi)
{
	int64_t silent_ms = clock_now_ms() + SILENT_MS;
	enum status status = fcgi_begin(fcgi);

	while (status == STATUS_AGAIN && blocking_wait(fcgi, POLLIN, silent_ms))
		status = fcgi_begin(fcgi);
	if (status == STATUS_AGAIN)
		fcgi_let_go(fcgi);
	return status == STATUS_OK;
}

static void serve_request(const struct config *config, struct fcgi *fcgi)
{
	struct settings settings;

	if (settings_open(&settings, config) == STATUS_OK)
		settings_serve(&settings, fcgi);
	settings_close(&settings);
}

static bool has_body(char *const *variables)
{
	const struct http_request request = {.variables = variables};
	struct slice value;

	if (http_header(&request, "HTTP_TRANSFER_ENCODING", &value) > 0 ||
	    (http_header(&request, "REQUEST_METHOD", &value) > 0 &&
	     slice_equal(value, SLICE("POST"))))
		return true;
	return http_header(&request, "CONTENT_LENGTH", &value) > 0 && value.n > 0 &&
	       !slice_equal(value, SLICE("0"));
}

static _Noreturn void serve_as_child(struct service *service)
{
	log_forked();
	/* A backstop: kills. */
	(void)alarm((unsigned)(service->config->request_timeout_ms / 1000 + CHILD_GRACE_S));
	(void)close(service->listening);
	pg_abandon(service->settings.db);
	serve_request(service->config, service->fcgi);
	_exit(EXIT_SUCCESS);
}

/* Too many at a time, or no process to be had: then who comes next waits for this one. */
static void serve_by_child(struct service *service)
{
	pid_t child = service->children < CHILDREN_MAX ? fork() : -1;

	if (child == 0)
		serve_as_child(service);
	if (child < 0) {
		log_event(LOG_LEVEL_WARNING, "no child for a request",
			  LOG_INT("children", service->children));
		settings_serve(&service->settings, service->fcgi);
		return;
	}
	service->children++;
	fcgi_let_go(service->fcgi);
}

static void serve_one(struct service *service)
{
	struct fcgi *fcgi = service->fcgi;
	enum status status = fcgi_accept(fcgi, service->listening);

	if (status == STATUS_BUSY) {
		log_event(LOG_LEVEL_WARNING, "could not accept",
			  LOG_TEXT("cause", strerror(errno)));
		(void)poll(NULL, 0, BACKOFF_MS);
	} else if (status == STATUS_OK && begin(fcgi)) {
		if (has_body(fcgi_variables(fcgi)))
			serve_by_child(service);
		else
			settings_serve(&service->settings, fcgi);
	}
}

/* Until it is told to end, and its children have. */
static void serve_all(struct service *service)
{
	struct pollfd fd = {.fd = service->listening, .events = POLLIN};
	sigset_t while_polling;

	process_set_handlers(&while_polling);
	log_event(LOG_LEVEL_INFO, "worker started", LOG_TEXT("version", SLUICE_VERSION));
	while (!process_is_ending() || service->children > 0) {
		if (ppoll(&fd, process_is_ending() ? 0 : 1, NULL, &while_polling) > 0 &&
		    !process_is_ending())
			serve_one(service);
		process_reap(&service->children);
	}
	log_event(LOG_LEVEL_INFO, "worker ended", LOG_INT("unanswered", 0));
}

static int serve_socket(const struct config *config, int listening)
{
	struct service service = {.config = config, .listening = listening};
	enum status status = settings_open(&service.settings, config);

	if (status == STATUS_OK)
		status = fcgi_open(&service.fcgi);
	if (status == STATUS_OK &&
	    fcntl(listening, F_SETFL, fcntl(listening, F_GETFL) | O_NONBLOCK) != 0)
		status = STATUS_INTERNAL;
	if (status == STATUS_OK)
		serve_all(&service);
	else
		log_event(LOG_LEVEL_ERROR, "could not set up the worker",
			  LOG_TEXT("code", status_name(status)));
	fcgi_close(service.fcgi);
	settings_close(&service.settings);
	return status == STATUS_OK ? EXIT_SUCCESS : EXIT_FAILURE;
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
