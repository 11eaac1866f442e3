/*
 * fuzz_fcgi.c - a connection: bytes in pieces over a real socket to the accept path, and on to the
 * body's rows and the answer; only the database is missing. What begins like a record is sent as it
 * is; anything else is a request as text (NAME=value lines, an empty one, the body), put into
 * records. The request that the worker sees is the one that a second reading of the whole stream
 * finds, the body is its body, and there is one answer, to it. If the connection is kept, nothing
 * had been sent behind the request, and what follows is read as another one.
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

enum state { HEAD, BODY, DRAIN, FLUSH, KEPT, GONE };

/* One connection, seen from both ends. */
struct session {
	enum state state;
	bool seen; /* the worker saw a request */
	struct buf body, answer;
	int peer;
	struct slice stream; /* from the request on */
	size_t sent;	     /* bytes of it */
	struct records_request expected;
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
	CHECK(session->expected.good);
	session->seen = true;
	check_variables(fcgi_variables(fcgi), session->expected.variables);
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
		CHECK(session->expected.ended && session->body.n == session->expected.body.n);
	if (status == STATUS_END)
		store(session);
	else
		server_request_problem(&request, status, NULL);
	return DRAIN;
}

static enum state state_of(enum status sent)
{
	if (sent == STATUS_AGAIN)
		return FLUSH;
	if (sent == STATUS_OK && fcgi_is_kept(fcgi))
		return KEPT;
	if (sent == STATUS_OK) /* the rest of the request is not of interest */
		fcgi_close_fd(fcgi);
	return GONE;
}

/* One step of the worker: KEPT when the request has ended, GONE when the connection has. */
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
		fcgi_hand_over(fcgi, true);
		return state_of(server_request_send(&request, fcgi));
	case FLUSH:
		return state_of(fcgi_flush(fcgi));
	case KEPT:
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

static void check_answer(struct session *session)
{
	struct buf answer = buf_make(SIZE_MAX / 2);
	bool farewell = session->expected.keep && session->state == GONE;

	CHECK(records_answer(buf_slice(&session->answer), session->expected.id, farewell, &answer));
	CHECK(slice_starts(buf_slice(&answer), SLICE("Status: ")));
	struct slice rest = buf_slice(&answer), line;
	for (unsigned lines = 0; (line = fuzz_take(&rest, '\n')).n > 1; lines++)
		CHECK(line.p[line.n - 1] == '\r' && lines < 8);
	CHECK(json_text_check(rest, &fuzz_limits, NULL, NULL, NULL) == STATUS_OK);
	buf_free(&answer);
}

static void check_request(struct session *session)
{
	const struct slice body = buf_slice(&session->expected.body);

	CHECK(session->body.n <= body.n);
	CHECK(session->body.n == 0 || memcmp(session->body.p, body.p, session->body.n) == 0);
	if (session->seen)
		check_answer(session);
	else
		CHECK(session->answer.n == 0);
}

static void begin_request(struct session *session, struct slice stream, size_t sent)
{
	session->state = HEAD;
	session->seen = false;
	session->stream = stream;
	session->sent = sent;
	buf_reset(&session->body, 0);
	buf_reset(&session->answer, 0);
	records_read(stream, &session->expected);
}

static void resume(struct session *session)
{
	struct slice stream = session->stream;
	size_t end = stream.n - session->expected.rest;

	CHECK(session->expected.keep && session->expected.ended && session->sent == end);
	check_request(session);
	records_free(&session->expected);
	fcgi_resume(fcgi, fcgi_release(fcgi));
	begin_request(session, (struct slice){stream.p + end, stream.n - end}, 0);
}

static void turn(struct session *session)
{
	session->state = step(session);
	take_answer(session);
	if (session->state == KEPT)
		resume(session);
}

static enum status send_piece(void *context, const char *bytes, size_t n)
{
	struct session *session = context;

	/* Refused once the worker is gone. */
	(void)send(session->peer, bytes, n, MSG_DONTWAIT | MSG_NOSIGNAL);
	session->sent += n;
	turn(session);
	return STATUS_OK;
}

static void serve(struct fuzz_random *random, struct slice stream)
{
	struct session session = {.body = buf_make(SIZE_MAX / 2),
				  .answer = buf_make(SIZE_MAX / 2),
				  .peer = socket(AF_UNIX, SOCK_STREAM, 0)};

	begin_request(&session, stream, 0);
	CHECK(connect(session.peer, (struct sockaddr *)&address, address_bytes) == 0);
	CHECK(fcgi_accept(fcgi, listening) == STATUS_OK);
	CHECK(fuzz_in_pieces(random, stream, send_piece, &session) == STATUS_OK);
	/* The web server is done: nothing may wait for more. */
	(void)shutdown(session.peer, SHUT_WR);
	for (int i = 0; i < TURNS_MOST && session.state != GONE; i++)
		turn(&session);
	CHECK(session.state == GONE && fcgi_fd(fcgi) == -1);
	CHECK(session.seen == session.expected.good);
	check_request(&session);
	(void)close(session.peer);
	buf_free(&session.body);
	buf_free(&session.answer);
	records_free(&session.expected);
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
