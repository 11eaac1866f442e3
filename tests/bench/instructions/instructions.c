/*
 * instructions.c - the parts of a request's way that need no database, each run by itself so that
 * valgrind can count its instructions: `make check-instructions`.
 *
 * Every input is fixed, so the counts are the same in each run. Each part runs once before it is
 * counted: what is done once a process is no part of a request's cost. The parts are named as in
 * the file "figures"; the script "check" runs this program and compares.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <valgrind/callgrind.h>

#include "../bench_texts.h"
#include "base/log.h"
#include "commit/statement.h"
#include "config/config.h"
#include "intake/intake.h"
#include "model/template.h"
#include "base/clock.h"
#include "server/fcgi.h"
#include "server/request.h"
#include "server/route.h"

enum { TIMES = 10, MEMBERS = 64, EVENTS = 10, TEXT_BYTES = 8 << 10 };

#define KEY  "sk_0123456789abcdefghijklmnopqrstuv012345"
#define PATH "/api/signal-staging/webhook/" KEY

/* As lighttpd sends them. The request's id is given, because a made one is random. */
static const char *const variables[] = {
	"CONTENT_LENGTH=146",
	"QUERY_STRING=",
	"REQUEST_URI=" PATH,
	"SCRIPT_NAME=/sluice-intake",
	"PATH_INFO=",
	"SCRIPT_FILENAME=/var/www/sluice-intake",
	"DOCUMENT_ROOT=/var/www",
	"REQUEST_METHOD=POST",
	"SERVER_PROTOCOL=HTTP/1.1",
	"SERVER_SOFTWARE=lighttpd/1.4.69",
	"GATEWAY_INTERFACE=CGI/1.1",
	"REQUEST_SCHEME=http",
	"SERVER_PORT=8080",
	"SERVER_ADDR=127.0.0.1",
	"SERVER_NAME=127.0.0.1",
	"REMOTE_ADDR=127.0.0.1",
	"REMOTE_PORT=40000",
	"HTTP_HOST=127.0.0.1:8080",
	"HTTP_X_REQUEST_ID=0123456789abcdef01234567",
	"HTTP_X_API_SECRET=whs_0123456789abcdefghijklmnopqrstuvwxyz0123",
	"CONTENT_TYPE=application/json",
	"HTTP_CONTENT_LENGTH=146",
	NULL,
};

#define RECEIVED_US (INT64_C(1794700000) * 1000000) /* after all times of the inputs */

static const struct signal_given given = {.received_us = RECEIVED_US};
static const struct slice seed = {BENCH_SEED, sizeof(BENCH_SEED) - 1};
/* As Segment's libraries send it: what all events share stands beside them. */
static struct buf envelope;
static struct config config;
static struct arena kept, arena; /* for all parts / for one request */
static struct http_request http;
static struct intake intake;
static struct http_response response;
static struct template *compiled;
static struct commit_statement *statement;
static struct signal signals[MEMBERS];

static void must(bool good)
{
	if (!good) {
		fprintf(stderr, "instructions: a part has failed\n");
		exit(EXIT_FAILURE);
	}
}

/* ---- the parts ---- */

static void check_text(void)
{
	const struct json_limits limits = intake_json_limits(intake.config, intake.kind);

	must(json_text_check(seed, &limits, NULL, NULL, NULL) == STATUS_OK);
}

static void read_head(void)
{
	struct route_match match;

	must(http_request_read(&http, (char *const *)(const void *)variables) == STATUS_OK &&
	     route_find(&arena, ROUTE_INTAKE, http.method, http.target, &match) == STATUS_OK &&
	     http_media(&http) == HTTP_MEDIA_JSON && http_coding(&http) == HTTP_CODING_IDENTITY);
}

static void read_body(void)
{
	intake_init(&intake, &config, &arena, &http, INTAKE_SINGLE);
	intake.key = SLICE(KEY);
	intake.media = HTTP_MEDIA_JSON;
	must(intake_body(&intake, seed, (size_t)config.large_body_bytes) == STATUS_OK &&
	     intake.body_status == STATUS_OK);
}

static void read_envelope(void)
{
	intake_init(&intake, &config, &arena, &http, INTAKE_BATCH);
	intake.key = SLICE(KEY);
	intake.media = HTTP_MEDIA_JSON;
	must(intake_body(&intake, buf_slice(&envelope), (size_t)config.large_body_bytes) ==
		     STATUS_OK &&
	     intake.body_status == STATUS_OK && intake.accepted == EVENTS);
}

static void read_signal(void)
{
	must(signal_read(&arena, seed, false, &given, &signals[0]) == STATUS_OK);
}

static void apply_template(void)
{
	struct product_org row;

	must(template_apply(compiled, &arena, SLICE(BENCH_GROUP_CALL), false, RECEIVED_US, &row) ==
	     STATUS_OK);
}

static void encode_items(void)
{
	pg_param params[COMMIT_STATEMENT_ITEM_ARRAYS];

	const struct commit_request commit = {.signals = signals, .item_count = MEMBERS};

	must(commit_statement_items(statement, &commit, params) == STATUS_OK);
}

static void write_answer(void)
{
	struct buf head = buf_make(TEXT_BYTES);

	buf_reset(&response.body, TEXT_BYTES);
	intake_answer(&intake, &response);
	http_response_head(&response, &http, &head);
	must(response.status == 202 && head.status == STATUS_OK &&
	     response.body.status == STATUS_OK);
	buf_free(&head);
}

/* That of one request, as server/request.c writes it. */
static void write_log(void)
{
	log_event(LOG_LEVEL_INFO, "request", LOG_TEXT("request_id", http.request_id),
		  LOG_TEXT("route", "/api/signal-staging/webhook/{key}"), LOG_INT("status", 202),
		  LOG_TEXT("code", "accepted"),
		  LOG_TEXT("key", "sk_0123\xe2\x80\xa6"
				  "2345"),
		  LOG_INT("accepted", 1), LOG_INT("duplicates", 0), LOG_INT("rejected", 0),
		  LOG_INT("ms", 3));
}

/* ---- one request over FastCGI; this program is the web server, too ---- */

enum { BEGIN = 1, PARAMS = 4, STDIN = 5, ID = 1 };

static struct fcgi *fcgi;
static struct server_request whole;
static int listening, server;
static struct sockaddr_un address = {.sun_family = AF_UNIX};
static socklen_t address_bytes = sizeof(address);
static struct buf message;

static void add_record(int type, struct slice content)
{
	const unsigned char header[] = {1,
					(unsigned char)type,
					0,
					ID,
					(unsigned char)(content.n >> 8),
					(unsigned char)content.n,
					0,
					0};

	buf_add(&message, header, sizeof(header));
	buf_add_slice(&message, content);
}

static void make_message(void)
{
	struct buf pairs = buf_make(TEXT_BYTES);

	message = buf_make(TEXT_BYTES);
	add_record(BEGIN, (struct slice){"\0\1\0\0\0\0\0\0", 8});
	for (const char *const *v = variables; *v != NULL; v++) {
		size_t name = strcspn(*v, "=");
		buf_add_char(&pairs, (char)name);
		buf_add_char(&pairs, (char)strlen(*v + name + 1));
		buf_add(&pairs, *v, name);
		buf_add_text(&pairs, *v + name + 1);
	}
	add_record(PARAMS, buf_slice(&pairs));
	add_record(PARAMS, SLICE(""));
	add_record(STDIN, seed);
	add_record(STDIN, SLICE(""));
	must(pairs.status == STATUS_OK && message.status == STATUS_OK);
	buf_free(&pairs);
}

/* The kernel chooses a name that is no file. */
static void open_fcgi(void)
{
	listening = socket(AF_UNIX, SOCK_STREAM, 0);
	must(listening >= 0 &&
	     bind(listening, (struct sockaddr *)&address, sizeof(sa_family_t)) == 0 &&
	     listen(listening, 1) == 0 &&
	     getsockname(listening, (struct sockaddr *)&address, &address_bytes) == 0 &&
	     fcgi_open(&fcgi) == STATUS_OK);
	make_message();
}

static void call_fcgi(void)
{
	server = socket(AF_UNIX, SOCK_STREAM, 0);
	must(server >= 0 && connect(server, (struct sockaddr *)&address, address_bytes) == 0 &&
	     write(server, message.p, message.n) == (ssize_t)message.n);
}

static void request(void)
{
	char room[TEXT_BYTES];
	size_t n;

	must(fcgi_accept(fcgi, listening) == STATUS_OK && fcgi_read_params(fcgi) == STATUS_OK &&
	     fcgi_read(fcgi, (int64_t)seed.n, room, sizeof(room), &n) == STATUS_OK && n == seed.n &&
	     fcgi_drain(fcgi) == STATUS_END &&
	     fcgi_answer(fcgi, SLICE("Status: 202 Accepted\r\n\r\n"), SLICE("{}\n")) == STATUS_END);
}

/* Its answer is made; it is to be sent, counted and logged. */
static void begin_request(void)
{
	char room[TEXT_BYTES];
	size_t n;

	call_fcgi();
	must(fcgi_accept(fcgi, listening) == STATUS_OK && fcgi_read_params(fcgi) == STATUS_OK &&
	     fcgi_read(fcgi, (int64_t)seed.n, room, sizeof(room), &n) == STATUS_OK && n == seed.n &&
	     fcgi_drain(fcgi) == STATUS_END);
	server_request_begin(&whole, fcgi_variables(fcgi), clock_now_us());
	http_response_free(&whole.response); /* a problem: the key is unsound */
	whole.key_is_well_formed = true;
	whole.status = STATUS_ACCEPTED;
	whole.intake.accepted = 1;
	whole.response = http_response_make();
	whole.response.status = 202;
	buf_add_text(&whole.response.body, "{}\n");
}

static void end_request(void)
{
	must(server_request_send(&whole, fcgi) == STATUS_END);
}

static void hang_up(void)
{
	(void)close(server);
}

/* ---- counting them ---- */

static const struct part {
	const char *name;
	void (*before)(void); /* not counted; NULL: nothing */
	void (*run)(void);
	void (*after)(void);
} parts[] = {
	{"fcgi-request", call_fcgi, request, hang_up},
	{"request-head", NULL, read_head, NULL},
	{"json-text-check", NULL, check_text, NULL},
	{"request-body", NULL, read_body, NULL},
	{"envelope-body-10", NULL, read_envelope, NULL},
	{"signal-read", NULL, read_signal, NULL},
	{"template-apply", NULL, apply_template, NULL},
	{"group-items-64", NULL, encode_items, NULL},
	{"answer", NULL, write_answer, NULL},
	{"log-line", NULL, write_log, NULL},
	{"request-end", begin_request, end_request, hang_up},
};

static void run(const struct part *part, bool counted)
{
	if (part->before != NULL)
		part->before();
	if (counted)
		CALLGRIND_TOGGLE_COLLECT;
	part->run();
	if (counted)
		CALLGRIND_TOGGLE_COLLECT;
	if (part->after != NULL)
		part->after();
}

static void make_envelope(void)
{
	envelope = buf_make(TEXT_BYTES);
	buf_add_text(&envelope, "{\"sentAt\":\"2026-11-14T10:00:01.004Z\",\"context\":{\"library\":"
				"{\"name\":\"analytics-node\"}},\"batch\":");
	for (int i = 0; i < EVENTS; i++) {
		buf_add_char(&envelope, i == 0 ? '[' : ',');
		buf_add_slice(&envelope, seed);
	}
	buf_add_text(&envelope, "]}");
	must(envelope.status == STATUS_OK);
}

/* What the parts find ready. */
static void prepare(void)
{
	static struct commit_result result = {.id = 1234567};
	struct template_fault fault;
	const char *wrong;

	must(config_read(&kept, "/dev/null", &config, NULL, &wrong) == STATUS_OK);
	must(template_compile(&kept, SLICE(BENCH_TEN_FIELDS), &compiled, &fault) == STATUS_OK);
	must(commit_statement_open(&statement) == STATUS_OK);
	response = http_response_make();
	read_head();
	intake_init(&intake, &config, &kept, &http, INTAKE_SINGLE);
	must(intake_body(&intake, seed, (size_t)config.large_body_bytes) == STATUS_OK);
	for (size_t i = 0; i < MEMBERS; i++)
		signals[i] = intake.signals[0];
	intake.commit.out.status = STATUS_ACCEPTED;
	intake.commit.results = &result;
	make_envelope();
	open_fcgi();
	server_request_init(&whole, &config);
	log_hold();
	/* What is logged is of no interest; nor are failures from here on, but for the exit code.
	 */
	must(dup2(open("/dev/null", O_WRONLY), STDERR_FILENO) == STDERR_FILENO);
}

int main(void)
{
	prepare();
	for (size_t i = 0; i < ARRAY_LENGTH(parts); i++) {
		struct intake answered = intake;
		run(&parts[i], false);
		for (int n = 0; n < TIMES; n++)
			run(&parts[i], true);
		CALLGRIND_DUMP_STATS_AT(parts[i].name);
		intake = answered;
		arena_reset(&arena);
	}
	printf("%d\n", TIMES);
	return EXIT_SUCCESS;
}
