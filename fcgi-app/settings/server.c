/*
 * settings/server.c - see settings/server.h.
 *
 * A body may arrive slowly, and Apache passes it on as it comes; therefore a request with a body
 * gets a child. Only changes and dry runs have one: few enough that each can afford a process and a
 * database connection.
 */
#define _GNU_SOURCE /* ppoll, which is POSIX only since 2024 */
#include "settings/server.h"

#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "http/header.h"
#include "http/request.h"
#include "server/blocking.h"
#include "server/process.h"
#include "server/reload.h"
#include "settings/settings.h"

enum { CHILDREN_MAX = 32, MEMORY_PAUSE_MS = 50 };

struct server {
	const struct config *config;
	struct listener *listener;
	struct settings *settings;
	struct fcgi *fcgi;
	int children;
};

void settings_server_serve(const struct config *config, struct fcgi *fcgi)
{
	struct settings *settings;

	if (settings_open(&settings, config) == STATUS_OK)
		settings_serve(settings, fcgi);
	settings_close(settings);
}

/* ---- children ---- */

/* By POST, too: its body may be announced by neither header. */
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

/* What it has no memory for is refused with what the parent has taken to refuse a request. */
static _Noreturn void serve_and_exit(struct server *server)
{
	struct settings *settings;

	(void)close(server->listener->fd);
	settings_abandon(server->settings);
	enum status status = settings_open(&settings, server->config);
	if (status == STATUS_OK)
		status = settings_prepare(settings);
	if (status == STATUS_OK)
		settings_serve(settings, server->fcgi);
	else
		settings_refuse(server->settings, server->fcgi, status);
	_exit(EXIT_SUCCESS);
}

/* At the limit, or when fork fails, the request is served here and the next client waits. */
static void serve_in_child(struct server *server)
{
	int64_t deadline_ms = clock_now_ms() + server->config->request_timeout_ms;
	pid_t child = -1;

	if (server->children < CHILDREN_MAX)
		child = process_fork(&server->children, deadline_ms);
	if (child == 0)
		serve_and_exit(server);
	if (child > 0) {
		fcgi_close_fd(server->fcgi);
		return;
	}
	log_event(LOG_LEVEL_WARNING, "no child for a request",
		  LOG_INT("children", server->children));
	settings_serve(server->settings, server->fcgi);
}

/* ---- connections ---- */

/* As fcgi_read_params(), but STATUS_END if the parameters do not arrive in time. */
static enum status read_params(struct fcgi *fcgi)
{
	int64_t deadline_ms = clock_now_ms() + FCGI_PARAMS_MS;
	enum status status = fcgi_read_params(fcgi);

	while (status == STATUS_AGAIN && blocking_wait(fcgi, POLLIN, deadline_ms))
		status = fcgi_read_params(fcgi);
	if (status != STATUS_AGAIN)
		return status;
	fcgi_close_fd(fcgi);
	return STATUS_END;
}

static void accept_one(struct server *server, int64_t now_ms)
{
	if (listener_accept(server->listener, server->fcgi, now_ms) != STATUS_OK)
		return;
	enum status status = read_params(server->fcgi);
	if (status == STATUS_END)
		return;
	if (status != STATUS_OK)
		settings_refuse(server->settings, server->fcgi, status);
	else if (has_body(fcgi_variables(server->fcgi)))
		serve_in_child(server);
	else
		settings_serve(server->settings, server->fcgi);
}

/* Whether a request could at least be refused: what cannot be answered is not accepted. */
static bool has_memory(const struct server *server)
{
	return fcgi_prepare(server->fcgi) == STATUS_OK &&
	       settings_prepare(server->settings) == STATUS_OK;
}

/* Waits for a connection or a signal. Does not accept during a pause, nor once the worker ends. */
static void turn(struct server *server, const sigset_t *while_polling)
{
	struct pollfd fd = {.fd = server->listener->fd, .events = POLLIN};
	int64_t now_ms = clock_now_ms();
	int64_t pause_ms =
		has_memory(server) ? listener_pause_ms(server->listener, now_ms) : MEMORY_PAUSE_MS;
	int64_t wake_ms = process_tell(now_ms);
	nfds_t fds = pause_ms > 0 || process_is_ending() ? 0 : 1;

	if (pause_ms > 0 && now_ms + pause_ms < wake_ms)
		wake_ms = now_ms + pause_ms;
	struct timespec left = clock_timespec(wake_ms - now_ms);
	if (ppoll(&fd, fds, wake_ms == INT64_MAX ? NULL : &left, while_polling) > 0 &&
	    !process_is_ending())
		accept_one(server, clock_now_ms());
	while (process_reap(&server->children) > 0)
		;
	reload_if_asked(&server->children);
}

enum status settings_server_run(const struct config *config, struct listener *listener)
{
	struct server server = {.config = config, .listener = listener};
	sigset_t while_polling;
	enum status status = settings_open(&server.settings, config);

	if (status == STATUS_OK)
		status = fcgi_open(&server.fcgi);
	if (status == STATUS_OK) {
		process_start(&while_polling);
		while (!process_is_ending() || server.children > 0)
			turn(&server, &while_polling);
		(void)process_tell(clock_now_ms()); /* an idle one takes no further turn */
	}
	fcgi_close(server.fcgi);
	settings_close(server.settings);
	return status;
}
