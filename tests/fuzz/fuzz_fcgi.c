/*
 * fuzz_fcgi.c - a connection: bytes in pieces over a real socket to the accept path, and on to the
 * body's rows and the answer; only the database is missing. What begins like a record is sent as it
 * is; anything else is a request as text (NAME=value lines, an empty one, the body), put into
 * records. The request that the worker sees is the one that a second reading of the whole stream
 * finds, the body is its body, and there is one answer, to it.
 */

#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "model/template_cache.h"
#include "pg/connection.h"
#include "records.h"
#include "server/fcgi.h"
#include "server/request.h"

enum { READ_BYTES = 777, TURNS_MOST = 1000 };

enum state { HEAD, BODY, DRAIN, FLUSH, GONE };

/* One connection, seen from both ends. */
struct session {
	enum state state;
	bool seen; /* the worker saw a request */
	struct buf body, answer;
	int peer;
	const struct records_request *expected;
};

static struct config config;
static struct fcgi *fcgi;
static struct server_request request;
static int listening;
static struct sockaddr_un address;
static socklen_t address_bytes = sizeof(address);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static struct arena arena;
	const char *message;

	(void)argc;
	(void)argv;
	log_open("fuzz", LOG_TARGET_STDERR, LOG_LEVEL_ERROR);
	CHECK(config_read(&arena, "/dev/null", &config, NULL, &message) == STATUS_OK);
	CHECK(fcgi_open(&fcgi) == STATUS_OK);
	server_request_init(&request, &config);
	/* Bound without a name the kernel gives one that is no file. */
	listening = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	address.sun_family = AF_UNIX;
	CHECK(bind(listening, (struct sockaddr *)&address, sizeof(sa_family_t)) == 0);
	CHECK(listen(listening, 1) == 0 && fcgi_is_listening(listening));
	CHECK(getsockname(listening, (struct sockaddr *)&address, &address_bytes) == 0);
	return 0;
}

static void check_variables(char *const *seen, char *const *expected)
{
	for (; *expected != NULL; expected++, seen++)
		CHECK(*seen != NULL && strcmp(*seen, *expected) == 0);
	CHECK(*seen == NULL);
}

static enum state begin(struct session *session)
{
	enum status status = fcgi_read_params(fcgi);

	if (status != STATUS_OK)
		return status == STATUS_AGAIN ? HEAD : GONE;
	CHECK(session->expected->good);
	session->seen = true;
	check_variables(fcgi_variables(fcgi), session->expected->variables);
	server_request_begin(&request, fcgi_variables(fcgi), clock_now_us());
	/* Also for the metrics: all other answers are JSON. */
	if (!request.is_answered && request.match.route->action != ROUTE_SIGNALS)
		server_request_answer_health(&request, STATUS_OK);
	return request.is_answered ? DRAIN : BODY;
}

/* As if every key for product orgs had this template. */
static enum status map(struct intake *intake)
{
	const struct template *template;
	enum status status = template_load(
		&request.arena,
		SLICE("{\"product_org_id\":\"groupId\",\"name\":\"traits.name\","
		      "\"mrr\":\"traits.mrr\",\"last_active_at\":\"timestamp\","
		      "\"feature_flags\":\"traits.flags\",\"custom\":{\"a\":\"traits\"}}"),
		&template);

	return status == STATUS_OK ? intake_map(intake, template) : status;
}

/* As if the database had stored all. */
static void store(struct session *session)
{
	struct intake *intake = &request.intake;
	enum status status = intake_body(intake, buf_slice(&session->body), SIZE_MAX);

	if (status == STATUS_OK && intake_wants_template(intake))
		status = map(intake);
	if (status == STATUS_OK) {
		CHECK(intake->body_status != STATUS_OK || intake->commit.item_count > 0);
		CHECK(intake->commit.item_count == 0 || intake->body_status == STATUS_OK);
		intake->commit.out.status = STATUS_ACCEPTED;
		server_request_answer_intake(&request);
	} else {
		server_request_problem(&request, status, NULL);
	}
}

static enum state read_body(struct session *session)
{
	char piece[READ_BYTES];
	size_t n = 0;
	enum status status = fcgi_read(fcgi, request.http.content_length, piece, sizeof(piece), &n);

	if (status == STATUS_AGAIN)
		return BODY;
	if (status == STATUS_OK) {
		buf_add(&session->body, piece, n);
		return BODY;
	}
	/* A body without a length is complete only when its stream was. */
	if (status == STATUS_END && request.http.content_length < 0)
		CHECK(session->expected->ended && session->body.n == session->expected->body.n);
	if (status == STATUS_END)
		store(session);
	else
		server_request_problem(&request, status, NULL);
	return DRAIN;
}

/* One step of the worker: GONE when the connection has ended. */
static enum state step(struct session *session)
{
	switch (session->state) {
	case HEAD:
		return begin(session);
	case BODY:
		return read_body(session);
	case DRAIN:
		if (fcgi_drain(fcgi) == STATUS_AGAIN)
			return DRAIN;
		CHECK(request.response.status >= 200 && request.response.status <= 503);
		return server_request_send(&request, fcgi) == STATUS_AGAIN ? FLUSH : GONE;
	case FLUSH:
		return fcgi_flush(fcgi) == STATUS_AGAIN ? FLUSH : GONE;
	case GONE:
	default:
		return GONE;
	}
}

/* The web server takes what there is of the answer. */
static void take_answer(struct session *session)
{
	char piece[READ_BYTES];
	ssize_t n;

	while ((n = recv(session->peer, piece, sizeof(piece), MSG_DONTWAIT)) > 0)
		buf_add(&session->answer, piece, (size_t)n);
}

static enum status send_piece(void *context, const char *bytes, size_t n)
{
	struct session *session = context;

	/* Refused once the worker is gone. */
	(void)send(session->peer, bytes, n, MSG_DONTWAIT | MSG_NOSIGNAL);
	session->state = step(session);
	take_answer(session);
	return STATUS_OK;
}

static void check_answer(struct session *session)
{
	struct buf answer = buf_make(SIZE_MAX / 2);

	CHECK(records_answer(buf_slice(&session->answer), session->expected->id, &answer));
	CHECK(slice_starts(buf_slice(&answer), SLICE("Status: ")));
	struct slice rest = buf_slice(&answer), line;
	for (unsigned lines = 0; (line = fuzz_take(&rest, '\n')).n > 1; lines++)
		CHECK(line.p[line.n - 1] == '\r' && lines < 8);
	CHECK(json_text_check(rest, &fuzz_limits, NULL, NULL, NULL) == STATUS_OK);
	buf_free(&answer);
}

static void check_end(struct session *session)
{
	const struct slice body = buf_slice(&session->expected->body);

	CHECK(session->state == GONE && fcgi_fd(fcgi) == -1);
	CHECK(session->body.n <= body.n);
	CHECK(session->body.n == 0 || memcmp(session->body.p, body.p, session->body.n) == 0);
	if (session->seen)
		check_answer(session);
	else
		CHECK(session->answer.n == 0);
}

static void serve(struct fuzz_random *random, struct slice stream)
{
	struct records_request expected;
	struct session session = {.body = buf_make(SIZE_MAX / 2),
				  .answer = buf_make(SIZE_MAX / 2),
				  .peer = socket(AF_UNIX, SOCK_STREAM, 0),
				  .expected = &expected};

	records_read(stream, &expected);
	CHECK(connect(session.peer, (struct sockaddr *)&address, address_bytes) == 0);
	CHECK(fcgi_accept(fcgi, listening) == STATUS_OK);
	CHECK(fuzz_in_pieces(random, stream, send_piece, &session) == STATUS_OK);
	/* The web server is done: nothing may wait for more. */
	(void)shutdown(session.peer, SHUT_WR);
	for (int i = 0; i < TURNS_MOST && session.state != GONE; i++) {
		session.state = step(&session);
		take_answer(&session);
	}
	CHECK(session.seen == expected.good);
	check_end(&session);
	(void)close(session.peer);
	buf_free(&session.body);
	buf_free(&session.answer);
	records_free(&expected);
}

static void serve_text(struct fuzz_random *random, struct slice text)
{
	struct buf stream = buf_make(SIZE_MAX / 2);

	records_write(random, text, &stream);
	serve(random, buf_slice(&stream));
	buf_free(&stream);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct slice input = {(const char *)data, n};
	struct fuzz_random random = fuzz_random_of(input);

	if (n > 0 && data[0] == 1) {
		serve(&random, input);
		/* Nothing of it is left for the next one. */
		serve_text(&random, SLICE("REQUEST_METHOD=GET\nREQUEST_URI=/health\n\n"));
	} else {
		serve_text(&random, input);
	}
	return 0;
}
