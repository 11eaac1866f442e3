/*
 * cgi_service.h - the settings service as plain CGI, over a libpq that plays scripts.
 */
#ifndef UNIT_CGI_SERVICE_H
#define UNIT_CGI_SERVICE_H

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "captured_log.h"
#include "check_main.h"
#include "key/token.h"
#include "pg/scripted_libpq.h"
#include "server/cgi_pipes.h"
#include "settings/settings_internal.h"

static struct config config = {.request_timeout_ms = 60000,
			       .database_timeout_ms = 60000,
			       .settings_trust_remote_user = true,
			       .public_url = "",
			       .item_bytes = 1000,
			       .batch_items = 10,
			       .json_depth = 8,
			       .json_number_digits = 20,
			       .json_number_exponent = 20};
static struct settings *settings;
static struct fcgi *fcgi;

static inline void service_set_up(void)
{
	captured_log_start();
	cgi_open_pipes();
	must(fcgi_open(&fcgi) == STATUS_OK);
}

static inline void service_tear_down(void)
{
	fcgi_close(fcgi);
	captured_log_stop();
}

/* Opens the service by a script that ends when it is closed. */
static inline void open_service(const struct libpq_call *script)
{
	libpq_play(script);
	ck_assert_int_eq(settings_open(&settings, &config), STATUS_OK);
}

static inline void close_service(void)
{
	settings_close(settings);
	libpq_check_end();
}

static const struct token_key token_key = {"0123456789abcdef0123456789abcdef"};
static const struct libpq_value key_bytes[] = {{(const char *)token_key.bytes, TOKEN_KEY_BYTES}};
static const struct libpq_result csrf_key = {
	.status = PGRES_TUPLES_OK, .rows = 1, .columns = 1, .values = key_bytes};

/* A variable of a request by this user that changes something. */
static inline const char *csrf_header(const char *user)
{
	static char header[TOKEN_CHARS + 32] = "HTTP_X_CSRF_TOKEN=";

	ck_assert_int_eq(token_make(&token_key, slice_of(user), (int64_t)time(NULL) + 3600,
				    header + strlen("HTTP_X_CSRF_TOKEN=")),
			 STATUS_OK);
	return header;
}

#define SEED LIBPQ_SEND("settings_csrf_key"), LIBPQ_ANSWER(&csrf_key)
#define CSRF LIBPQ_CONNECT, SEED

/* Asks for something, of a service that is opened and closed for it; what was written. */
static inline const char *get(const struct libpq_call *script, const char *target)
{
	static char uri[128];
	const char *variables[] = {"REQUEST_METHOD=GET", uri, "REMOTE_USER=alice",
				   "AUTH_TYPE=Basic", NULL};

	(void)snprintf(uri, sizeof(uri), "REQUEST_URI=/api/settings/%s", target);
	open_service(script);
	fcgi_use_cgi(fcgi, (char *const *)(const void *)variables);
	settings_serve(settings, fcgi);
	const char *response = cgi_response();
	close_service();
	return response;
}

/* A change by alice over a script of its own; header may be NULL. */
static inline const char *post(const struct libpq_call *script, const char *target,
			       const char *header, const char *body)
{
	static char uri[128], length[64];
	const char *variables[] = {"REQUEST_METHOD=POST",
				   uri,
				   "CONTENT_TYPE=application/json",
				   length,
				   csrf_header("alice"),
				   "REMOTE_USER=alice",
				   "AUTH_TYPE=Basic",
				   header,
				   NULL};

	(void)snprintf(uri, sizeof(uri), "REQUEST_URI=/api/settings/%s", target);
	(void)snprintf(length, sizeof(length), "CONTENT_LENGTH=%zu", strlen(body));
	open_service(script);
	cgi_write_body(body);
	fcgi_use_cgi(fcgi, (char *const *)(const void *)variables);
	settings_serve(settings, fcgi);
	const char *response = cgi_response();
	close_service();
	return response;
}

#endif
