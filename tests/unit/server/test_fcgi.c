/*
 * test_fcgi.c - FastCGI over real Unix sockets: the test plays the web server, byte by byte.
 */
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "check_main.h"
#include "server/fcgi.h"

enum {
	BEGIN = 1,
	ABORT = 2,
	END = 3,
	PARAMS = 4,
	STDIN = 5,
	STDOUT = 6,
	GET_VALUES = 9,
	UNKNOWN_TYPE = 11
};
enum { ID = 1, KEEP = 1, HEADER = 8, PATIENCE_MS = 10000, MESSAGE_MAX = 4 << 20 };

static int listening = -1;
static struct sockaddr_un address;
static socklen_t address_bytes;
static struct fcgi *fcgi;
static int server = -1; /* the web server's end of the connection */

/* The kernel chooses a name that is no file. */
static void set_up(void)
{
	struct sockaddr_un any = {.sun_family = AF_UNIX};

	listening = socket(AF_UNIX, SOCK_STREAM, 0);
	must(listening >= 0 && bind(listening, (struct sockaddr *)&any, sizeof(sa_family_t)) == 0);
	must(listen(listening, 8) == 0 && fcntl(listening, F_SETFL, O_NONBLOCK) == 0);
	address_bytes = sizeof(address);
	must(getsockname(listening, (struct sockaddr *)&address, &address_bytes) == 0);
	must(fcgi_open(&fcgi) == STATUS_OK);
}

static void tear_down(void)
{
	fcgi_close(fcgi);
	(void)close(listening);
	if (server >= 0)
		(void)close(server);
}

/* ---- what a web server writes ---- */

static void add_padded(struct buf *out, int type, int id, struct slice content, size_t padding)
{
	const unsigned char header[HEADER] = {1,
					      (unsigned char)type,
					      (unsigned char)(id >> 8),
					      (unsigned char)id,
					      (unsigned char)(content.n >> 8),
					      (unsigned char)content.n,
					      (unsigned char)padding,
					      0};
	const char zeroes[256] = {0};

	buf_add(out, header, HEADER);
	buf_add_slice(out, content);
	buf_add(out, zeroes, padding);
}

static void add_record(struct buf *out, int type, struct slice content)
{
	add_padded(out, type, ID, content, 0);
}

static void add_pair(struct buf *out, const char *name, const char *value)
{
	size_t n = strlen(value);

	buf_add_char(out, (char)strlen(name));
	if (n < 128)
		buf_add_char(out, (char)n);
	else
		buf_add_be32(out, (uint32_t)n | UINT32_C(0x80000000));
	buf_add_text(out, name);
	buf_add_text(out, value);
}

static void add_begin(struct buf *out, int id)
{
	const char body[8] = {0, 1, KEEP, 0, 0, 0, 0, 0};

	add_padded(out, BEGIN, id, (struct slice){body, sizeof(body)}, 0);
}

static void add_head(struct buf *out, int id, const char *user)
{
	struct buf pairs = buf_make(MESSAGE_MAX);

	add_begin(out, id);
	add_pair(&pairs, "REQUEST_METHOD", "POST");
	add_pair(&pairs, "REMOTE_USER", user);
	add_pair(&pairs, "EMPTY", "");
	add_padded(out, PARAMS, id, buf_slice(&pairs), 3);
	add_padded(out, PARAMS, id, (struct slice){"", 0}, 0);
	buf_free(&pairs);
}

static struct buf message_with_head(void)
{
	struct buf out = buf_make(MESSAGE_MAX);

	add_head(&out, ID, "nobody");
	return out;
}

static void add_end(struct buf *out)
{
	add_record(out, STDIN, SLICE(""));
}

/* ---- driving both ends ---- */

static int connected(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	must(fd >= 0 && connect(fd, (struct sockaddr *)&address, address_bytes) == 0);
	return fd;
}

static void call(void)
{
	server = connected();
	ck_assert_int_eq(fcgi_accept(fcgi, listening), STATUS_OK);
}

static void say_bytes(const char *p, size_t n)
{
	ck_assert_int_eq(write(server, p, n), (ssize_t)n);
}

static void say(const struct buf *message)
{
	say_bytes(message->p, message->n);
}

/* On a new connection, whose head is read. */
static void begin_request(const struct buf *message)
{
	call();
	say(message);
	ck_assert_int_eq(fcgi_read_params(fcgi), STATUS_OK);
}

/* On a new connection, read to its end without its body. */
static void take_request(const struct buf *message)
{
	begin_request(message);
	ck_assert_int_eq(fcgi_drain(fcgi), STATUS_END);
}

static void hang_up(void)
{
	(void)close(server);
	server = -1;
}

/* Appends the part of the body that has arrived; returns why there is no more. */
static enum status hear(int64_t length, struct buf *body, size_t piece)
{
	char room[4096];
	enum status status = STATUS_OK;

	ck_assert_uint_le(piece, sizeof(room));
	while (status == STATUS_OK) {
		size_t n = 0;
		status = fcgi_read(fcgi, length, room, piece, &n);
		if (status != STATUS_OK)
			break;
		ck_assert_uint_ge(n, 1);
		ck_assert_uint_le(n, piece);
		buf_add(body, room, n);
	}
	return status;
}

static const char *variable(const char *name)
{
	size_t n = strlen(name);

	for (char *const *v = fcgi_variables(fcgi); *v != NULL; v++) {
		if (strncmp(*v, name, n) == 0 && (*v)[n] == '=')
			return *v + n + 1;
	}
	return NULL;
}

static void check_variables(void)
{
	ck_assert_str_eq(variable("REQUEST_METHOD"), "POST");
	ck_assert_str_eq(variable("REMOTE_USER"), "nobody");
	ck_assert_str_eq(variable("EMPTY"), "");
}

static void check_body(const struct buf *body, struct slice expected)
{
	ck_assert_uint_eq(body->n, expected.n);
	if (expected.n > 0)
		ck_assert_mem_eq(body->p, expected.p, expected.n);
}

/* The content of the answer's records; false if they are malformed. A connection that is not kept,
 * though the request asked for it, has a farewell: one record after the last. */
static bool parse_answer(struct slice raw, bool has_farewell, struct buf *content)
{
	static const char farewell[HEADER + 8] = {1, UNKNOWN_TYPE, 0, 0, 0, 8};
	bool ended = false;
	bool finished = false;

	if (has_farewell) {
		if (raw.n < sizeof(farewell) ||
		    memcmp(raw.p + raw.n - sizeof(farewell), farewell, sizeof(farewell)) != 0)
			return false;
		raw.n -= sizeof(farewell);
	}

	for (size_t at = 0; raw.n - at >= HEADER;) {
		const unsigned char *h = (const unsigned char *)raw.p + at;
		size_t bytes = (size_t)h[4] << 8 | h[5];
		at += HEADER;
		if (h[0] != 1 || h[3] != ID || finished || raw.n - at < bytes + h[6])
			return false;
		if (h[1] == STDOUT && !ended)
			buf_add(content, raw.p + at, bytes);
		else if (h[1] != END)
			return false;
		ended = ended || (h[1] == STDOUT && bytes == 0);
		finished = h[1] == END;
		at += bytes + h[6];
	}
	return ended && finished;
}

/* Reads the answer to the end of the connection. */
static bool hear_answer(int fd, struct buf *content)
{
	struct buf raw = buf_make(MESSAGE_MAX);
	ssize_t n = 1;

	while (n > 0) {
		char *room = buf_reserve(&raw, 65536);
		n = room == NULL ? -1 : read(fd, room, 65536);
		if (n > 0)
			raw.n += (size_t)n;
	}
	bool good = n == 0 && parse_answer(buf_slice(&raw), true, content);
	buf_free(&raw);
	return good;
}

static void answer_and_check(void)
{
	struct buf content = buf_make(MESSAGE_MAX);

	ck_assert_int_eq(fcgi_answer(fcgi, SLICE("Status: 202 Accepted\r\n\r\n"), SLICE("{}\n")),
			 STATUS_END);
	ck_assert_int_eq(fcgi_fd(fcgi), -1);
	ck_assert(hear_answer(server, &content));
	check_body(&content, SLICE("Status: 202 Accepted\r\n\r\n{}\n"));
	buf_free(&content);
	hang_up();
}

/* What has arrived of the answer, to which nothing is added. */
static void hear_and_check_bare(void)
{
	struct buf raw = buf_make(MESSAGE_MAX), content = buf_make(MESSAGE_MAX);
	char *room = buf_reserve(&raw, 65536);
	ssize_t n = recv(server, room, 65536, MSG_DONTWAIT);

	ck_assert_int_gt(n, 0);
	ck_assert(parse_answer((struct slice){room, (size_t)n}, false, &content));
	check_body(&content, SLICE("Status: 202 Accepted\r\n\r\n{}\n"));
	buf_free(&raw);
	buf_free(&content);
}

static enum status answer_and_keep(void)
{
	fcgi_hand_over(fcgi, true);
	return fcgi_answer(fcgi, SLICE("Status: 202 Accepted\r\n\r\n"), SLICE("{}\n"));
}

/* ---- one request ---- */

START_TEST(a_request_is_read_and_answered)
{
	struct buf message = message_with_head();
	struct buf body = buf_make(MESSAGE_MAX);

	ck_assert_int_eq(fcgi_fd(fcgi), -1);
	/* The second time the same object serves another connection. */
	for (int i = 0; i < 2; i++) {
		call();
		ck_assert_int_eq(fcgi_read_params(fcgi), STATUS_AGAIN);
		if (i == 0) {
			add_record(&message, STDIN, SLICE("{\"a\":1}"));
			add_end(&message);
		}
		say(&message);
		ck_assert_int_eq(fcgi_read_params(fcgi), STATUS_OK);
		check_variables();
		buf_reset(&body, 0);
		ck_assert_int_eq(hear(_i == 0 ? 7 : -1, &body, 4096), STATUS_END);
		check_body(&body, SLICE("{\"a\":1}"));
		ck_assert_int_eq(fcgi_drain(fcgi), STATUS_END);
		answer_and_check();
	}
	buf_free(&message);
	buf_free(&body);
}
END_TEST

START_TEST(a_body_may_be_empty)
{
	struct buf message = message_with_head();
	struct buf body = buf_make(MESSAGE_MAX);

	call();
	add_end(&message);
	say(&message);
	ck_assert_int_eq(fcgi_read_params(fcgi), STATUS_OK);
	ck_assert_int_eq(hear(_i - 1, &body, 4096), STATUS_END); /* no length, or 0 */
	ck_assert_uint_eq(body.n, 0);
	ck_assert_int_eq(fcgi_drain(fcgi), STATUS_END);
	answer_and_check();
	buf_free(&message);
	buf_free(&body);
}
END_TEST

static const size_t pieces[] = {1, 2, 7, 8, 9, 255, 256, 4096};

/* Records of all sizes around the buffers, with every padding a web server uses. */
START_TEST(a_body_of_many_records_stays_whole)
{
	static const size_t sizes[] = {1, 1, 2, 7, 8, 9, 4095, 8183, 8184, 8192, 8200, 65535, 3};
	struct buf message = message_with_head();
	struct buf expected = buf_make(MESSAGE_MAX);
	struct buf body = buf_make(MESSAGE_MAX);
	unsigned char next = 0;

	for (int i = 0; i < LENGTH(sizes); i++) {
		size_t from = expected.n;
		for (size_t n = 0; n < sizes[i]; n++)
			buf_add_char(&expected, (char)(next += 7));
		add_padded(&message, STDIN, ID, (struct slice){expected.p + from, sizes[i]},
			   (size_t)i % 8);
	}
	add_padded(&message, STDIN, ID, SLICE(""), 5);
	begin_request(&message);
	ck_assert_int_eq(hear(-1, &body, pieces[_i]), STATUS_END);
	check_body(&body, buf_slice(&expected));
	ck_assert_int_eq(fcgi_drain(fcgi), STATUS_END);
	answer_and_check();
	buf_free(&message);
	buf_free(&expected);
	buf_free(&body);
}
END_TEST

/* ---- cut anywhere ---- */

static const char cut_text[] = "\1\1\5\0\1abcdefgh\1\5\1";

/* A short message whose body looks like record headers; returns where its body's records begin. */
static size_t cut_message(struct buf *message, size_t padding)
{
	struct slice text = SLICE(cut_text);

	*message = message_with_head();
	size_t head = message->n;
	add_padded(message, STDIN, ID, (struct slice){text.p, 3}, padding);
	add_padded(message, STDIN, ID, (struct slice){text.p + 3, 1}, (padding + 3) % 8);
	add_padded(message, STDIN, ID, (struct slice){text.p + 4, text.n - 4}, padding);
	add_padded(message, STDIN, ID, (struct slice){"", 0}, padding);
	return head;
}

/* The part before the cut is consumed before the rest arrives. */
START_TEST(records_may_be_cut_anywhere)
{
	struct buf message;
	struct buf body = buf_make(MESSAGE_MAX);
	size_t head = cut_message(&message, (size_t)_i);

	for (size_t cut = head; cut <= message.n; cut++) {
		call();
		say_bytes(message.p, cut);
		ck_assert_int_eq(fcgi_read_params(fcgi), STATUS_OK);
		buf_reset(&body, 0);
		enum status first = hear(-1, &body, 4096);
		ck_assert_msg(first == (cut == message.n ? STATUS_END : STATUS_AGAIN),
			      "cut at %zu: %s", cut, status_name(first));
		ck_assert_int_eq(hear(-1, &body, 4096), first);
		say_bytes(message.p + cut, message.n - cut);
		ck_assert_int_eq(hear(-1, &body, 4096), STATUS_END);
		check_body(&body, SLICE(cut_text));
		ck_assert_int_eq(fcgi_drain(fcgi), STATUS_END);
		answer_and_check();
	}
	buf_free(&message);
	buf_free(&body);
}
END_TEST

START_TEST(every_byte_may_come_alone)
{
	struct buf message;
	struct buf body = buf_make(MESSAGE_MAX);
	size_t head = cut_message(&message, (size_t)_i);

	call();
	say_bytes(message.p, head);
	ck_assert_int_eq(fcgi_read_params(fcgi), STATUS_OK);
	for (size_t i = head; i < message.n; i++) {
		ck_assert_int_eq(hear(-1, &body, 4096), STATUS_AGAIN);
		say_bytes(message.p + i, 1);
	}
	ck_assert_int_eq(hear(-1, &body, 4096), STATUS_END);
	check_body(&body, SLICE(cut_text));
	answer_and_check();
	buf_free(&message);
	buf_free(&body);
}
END_TEST

/* The same for fcgi_drain(). */
START_TEST(draining_passes_over_records_cut_anywhere)
{
	struct buf message;
	size_t head = cut_message(&message, (size_t)_i);

	for (size_t cut = head; cut < message.n; cut++) {
		call();
		say_bytes(message.p, cut);
		ck_assert_int_eq(fcgi_read_params(fcgi), STATUS_OK);
		ck_assert_int_eq(fcgi_drain(fcgi), STATUS_AGAIN);
		say_bytes(message.p + cut, message.n - cut);
		ck_assert_int_eq(fcgi_drain(fcgi), STATUS_END);
		answer_and_check();
	}
	buf_free(&message);
}
END_TEST

/* ---- parameters ---- */

/* A head that is cut, even between two parameters, is incomplete. */
START_TEST(parameters_may_be_cut_anywhere)
{
	struct buf message = message_with_head();
	struct buf body = buf_make(MESSAGE_MAX);
	size_t head = message.n;

	add_record(&message, STDIN, SLICE("{}"));
	add_end(&message);
	for (size_t cut = 0; cut < head; cut++) {
		call();
		say_bytes(message.p, cut);
		ck_assert_msg(fcgi_read_params(fcgi) == STATUS_AGAIN, "cut at %zu", cut);
		ck_assert_int_eq(fcgi_read_params(fcgi), STATUS_AGAIN);
		say_bytes(message.p + cut, message.n - cut);
		ck_assert_int_eq(fcgi_read_params(fcgi), STATUS_OK);
		check_variables();
		buf_reset(&body, 0);
		ck_assert_int_eq(hear(-1, &body, 16), STATUS_END);
		check_body(&body, SLICE("{}"));
		answer_and_check();
	}
	buf_free(&message);
	buf_free(&body);
}
END_TEST

START_TEST(every_byte_of_the_parameters_may_come_alone)
{
	struct buf message = message_with_head();

	call();
	for (size_t i = 0; i < message.n; i++) {
		ck_assert_int_eq(fcgi_read_params(fcgi), STATUS_AGAIN);
		say_bytes(message.p + i, 1);
	}
	ck_assert_int_eq(fcgi_read_params(fcgi), STATUS_OK);
	check_variables();
	ck_assert_int_eq(fcgi_drain(fcgi), STATUS_AGAIN);
	buf_free(&message);
}
END_TEST

/* A parameter of n bytes, in records of at most 60,000. */
static void add_long_head(struct buf *out, size_t n, size_t padding)
{
	struct buf pairs = buf_make(MESSAGE_MAX);
	char *value = calloc(1, n + 1);

	must(value != NULL);
	memset(value, 'v', n);
	add_pair(&pairs, "HTTP_LONG", value);
	add_begin(out, ID);
	for (size_t at = 0; at < pairs.n;) {
		size_t piece = pairs.n - at < 60000 ? pairs.n - at : 60000;
		add_record(out, PARAMS, (struct slice){pairs.p + at, piece});
		at += piece;
	}
	add_padded(out, PARAMS, ID, SLICE(""), padding);
	free(value);
	buf_free(&pairs);
}

static const struct {
	size_t bytes;
	enum status status;
} long_values[] = {
	{127, STATUS_OK},    {128, STATUS_OK},
	{8000, STATUS_OK},   {8192, STATUS_OK},
	{60000, STATUS_OK},  {100000, STATUS_OK},
	{130000, STATUS_OK}, {140000, STATUS_HEADERS_TOO_LARGE},
};

START_TEST(long_parameters_are_read)
{
	struct buf message = buf_make(MESSAGE_MAX);

	add_long_head(&message, long_values[_i].bytes, 0);
	add_end(&message);
	call();
	say(&message);
	ck_assert_int_eq(fcgi_read_params(fcgi), long_values[_i].status);
	if (long_values[_i].status == STATUS_OK) {
		ck_assert_uint_eq(strlen(variable("HTTP_LONG")), long_values[_i].bytes);
		ck_assert_int_eq(fcgi_drain(fcgi), STATUS_END);
		answer_and_check();
	}
	buf_free(&message);
}
END_TEST

/* Far more than is kept, byte by byte of a record's end, and the first ones are there. */
START_TEST(too_many_parameters_are_read_to_their_end)
{
	struct buf message = buf_make(SIZE_MAX / 2), pairs = buf_make(SIZE_MAX / 2);
	char value[8001];

	memset(value, 'v', sizeof(value) - 1);
	value[sizeof(value) - 1] = '\0';
	add_pair(&pairs, "REQUEST_URI", "/x");
	for (int i = 0; i < 100; i++)
		add_pair(&pairs, "HTTP_LONG", value);
	add_begin(&message, ID);
	for (size_t at = 0, n; at < pairs.n; at += n) {
		n = pairs.n - at < 60000 ? pairs.n - at : 60000;
		add_record(&message, PARAMS, (struct slice){pairs.p + at, n});
	}
	add_record(&message, PARAMS, SLICE(""));
	add_record(&message, STDIN, SLICE("{}"));
	add_end(&message);
	call();
	enum status status = STATUS_AGAIN;
	for (size_t at = 0, n; at < message.n && status == STATUS_AGAIN; at += n) {
		n = message.n - at < 10007 ? message.n - at : 10007;
		say_bytes(message.p + at, n);
		status = fcgi_read_params(fcgi);
	}
	ck_assert_int_eq(status, STATUS_HEADERS_TOO_LARGE);
	ck_assert_str_eq(variable("REQUEST_URI"), "/x");
	buf_free(&pairs);
	buf_free(&message);
}
END_TEST

/* The last record of the head ends before, at and after the end of a read. */
static const size_t padded_values[] = {8120, 8128, 8136, 8137, 8138, 8139, 8140, 8141,
				       8142, 8143, 8144, 8145, 8146, 8147, 8152};

START_TEST(padding_after_the_parameters_is_skipped)
{
	struct buf body = buf_make(MESSAGE_MAX);

	for (size_t padding = 0; padding <= UINT8_MAX; padding += 51) {
		struct buf message = buf_make(MESSAGE_MAX);
		add_long_head(&message, padded_values[_i], padding);
		add_record(&message, STDIN, SLICE("{}"));
		add_end(&message);
		begin_request(&message);
		ck_assert_uint_eq(strlen(variable("HTTP_LONG")), padded_values[_i]);
		buf_reset(&body, 0);
		ck_assert_int_eq(hear(-1, &body, 16), STATUS_END);
		check_body(&body, SLICE("{}"));
		answer_and_check();
		buf_free(&message);
	}
	buf_free(&body);
}
END_TEST

/* ---- not a request ---- */

static const struct {
	const char *name;
	struct slice bytes;
} nonsense[] = {
	{"HTTP", {"GET / HTTP/1.0\r\n\r\n", 18}},
	{"another version", {"\2\1\0\1\0\10\0\0\0\1\0\0\0\0\0\0", 16}},
	{"another role", {"\1\1\0\1\0\10\0\0\0\7\0\0\0\0\0\0", 16}},
	{"request 0", {"\1\1\0\0\0\10\0\0\0\1\0\0\0\0\0\0", 16}},
	{"a short begin", {"\1\1\0\1\0\4\0\0\0\1\0\0", 12}},
	{"parameters first", {"\1\4\0\1\0\0\0\0", 8}},
	{"a question", {"\1\11\0\0\0\0\0\0", 8}},
	{"a name beyond its record",
	 {"\1\1\0\1\0\10\0\0\0\1\0\0\0\0\0\0\1\4\0\1\0\3\0\0\5\0N\1\4\0\1\0\0\0\0", 35}},
	{"a length beyond all",
	 {"\1\1\0\1\0\10\0\0\0\1\0\0\0\0\0\0\1\4\0\1\0\4\0\0\377\377\377\377\1\4\0\1\0\0\0\0", 36}},
	{"another request's parameters", {"\1\1\0\1\0\10\0\0\0\1\0\0\0\0\0\0\1\4\0\2\0\0\0\0", 24}},
	{"a body between the parameters",
	 {"\1\1\0\1\0\10\0\0\0\1\0\0\0\0\0\0\1\5\0\1\0\0\0\0", 24}},
	{"no parameters at all", {"\1\1\0\1\0\10\0\0\0\1\0\0\0\0\0\0", 16}},
	{"nothing", {"", 0}},
};

START_TEST(anything_but_a_request_ends_the_connection)
{
	char byte;

	call();
	say_bytes(nonsense[_i].bytes.p, nonsense[_i].bytes.n);
	(void)shutdown(server, SHUT_WR);
	ck_assert_msg(fcgi_read_params(fcgi) == STATUS_END, "%s", nonsense[_i].name);
	ck_assert_int_eq(fcgi_fd(fcgi), -1);
	ck_assert_int_le(read(server, &byte, 1), 0);
	hang_up();
	/* The next one is served. */
	struct buf message = message_with_head();
	add_end(&message);
	begin_request(&message);
	check_variables();
	ck_assert_int_eq(fcgi_drain(fcgi), STATUS_END);
	answer_and_check();
	buf_free(&message);
}
END_TEST

/* ---- kept connections ---- */

/* Also by another object, and in as many pieces as the first request. */
START_TEST(a_kept_connection_brings_the_next_request)
{
	struct buf message = message_with_head();
	struct buf body = buf_make(MESSAGE_MAX);
	struct fcgi *other;

	must(fcgi_open(&other) == STATUS_OK);
	add_record(&message, STDIN, SLICE("{\"a\":1}"));
	add_end(&message);
	call();
	for (int i = 0; i < 3; i++) {
		say_bytes(message.p, message.n / 2);
		ck_assert_int_eq(fcgi_read_params(fcgi), STATUS_AGAIN);
		say_bytes(message.p + message.n / 2, message.n - message.n / 2);
		ck_assert_int_eq(fcgi_read_params(fcgi), STATUS_OK);
		check_variables();
		buf_reset(&body, 0);
		ck_assert_int_eq(hear(7, &body, 4096), STATUS_END);
		check_body(&body, SLICE("{\"a\":1}"));
		ck_assert_int_eq(fcgi_drain(fcgi), STATUS_END);
		ck_assert_int_eq(answer_and_keep(), STATUS_OK);
		ck_assert(fcgi_is_kept(fcgi));
		hear_and_check_bare();
		int fd = fcgi_release(fcgi);
		ck_assert_int_ge(fd, 0);
		ck_assert_int_eq(fcgi_fd(fcgi), -1);
		struct fcgi *next = other;
		other = fcgi;
		fcgi = next;
		fcgi_resume(fcgi, fd);
		ck_assert_int_eq(fcgi_read_params(fcgi), STATUS_AGAIN);
	}
	/* Each answer needs to be allowed anew. */
	say(&message);
	ck_assert_int_eq(fcgi_read_params(fcgi), STATUS_OK);
	ck_assert_int_eq(fcgi_drain(fcgi), STATUS_END);
	answer_and_check();
	fcgi_close(other);
	buf_free(&message);
	buf_free(&body);
}
END_TEST

START_TEST(the_end_of_a_kept_connection_is_no_request)
{
	struct buf message = message_with_head();

	add_end(&message);
	take_request(&message);
	ck_assert_int_eq(answer_and_keep(), STATUS_OK);
	fcgi_resume(fcgi, fcgi_release(fcgi));
	if (_i == 1)
		say_bytes(message.p, 20);
	hang_up();
	ck_assert_int_eq(fcgi_read_params(fcgi), STATUS_END);
	ck_assert_int_eq(fcgi_fd(fcgi), -1);
	buf_free(&message);
}
END_TEST

static const struct {
	const char *name;
	struct slice after_head;
	bool leaves; /* more of the request may come */
} not_kept[] = {
	{"the body has not come", {"", 0}, true},
	{"its end has not come", {"\1\5\0\1\0\2\0\0{}", 10}, true},
	{"its padding has not come", {"\1\5\0\1\0\2\0\7{}", 10}, true},
	{"it is broken", {"\1\5\0\2\0\2\0\0{}\1\5\0\1\0\0\0\0", 18}, false},
	{"it is aborted", {"\1\2\0\1\0\0\0\0", 8}, false},
	{"an abort follows", {"\1\5\0\1\0\0\0\0\1\2\0\1\0\0\0\0", 16}, false},
	{"another end follows", {"\1\5\0\1\0\0\0\0\1\5\0\1\0\0\0\0", 16}, false},
	{"a byte follows", {"\1\5\0\1\0\0\0\0\1", 9}, false},
	{"another request follows",
	 {"\1\5\0\1\0\0\0\0\1\1\0\1\0\10\0\0\0\1\1\0\0\0\0\0", 24},
	 false},
};

/* What still comes is discarded, until the web server closes. */
static void check_leaving(void)
{
	int fd = fcgi_release(fcgi);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(fcgi_discard(fd), STATUS_AGAIN);
	say_bytes("xyz", 3);
	ck_assert_int_eq(fcgi_discard(fd), STATUS_AGAIN);
	say_bytes("xyz", 3);
	hang_up();
	ck_assert_int_eq(fcgi_discard(fd), STATUS_END);
	(void)close(fd);
}

START_TEST(a_connection_is_not_kept_if_its_request_has_no_clear_end)
{
	struct buf message = message_with_head();
	struct buf content = buf_make(MESSAGE_MAX);

	buf_add_slice(&message, not_kept[_i].after_head);
	begin_request(&message);
	enum status status = answer_and_keep();
	ck_assert_msg(status == (not_kept[_i].leaves ? STATUS_OK : STATUS_END), "%s",
		      not_kept[_i].name);
	ck_assert(!fcgi_is_kept(fcgi));
	ck_assert_msg(hear_answer(server, &content), "%s", not_kept[_i].name);
	check_body(&content, SLICE("Status: 202 Accepted\r\n\r\n{}\n"));
	if (not_kept[_i].leaves)
		check_leaving();
	ck_assert_int_eq(fcgi_fd(fcgi), -1);
	buf_free(&message);
	buf_free(&content);
}
END_TEST

/* What comes between the end of the body and the answer, and a peer that has gone by then. */
START_TEST(a_connection_is_not_kept_if_something_came_during_the_commit)
{
	struct buf message = message_with_head();

	add_end(&message);
	take_request(&message);
	if (_i == 0)
		say_bytes("\1", 1);
	else
		hang_up();
	ck_assert_int_eq(answer_and_keep(), STATUS_END);
	ck_assert_int_eq(fcgi_fd(fcgi), -1);
	buf_free(&message);
}
END_TEST

START_TEST(an_answer_in_pieces_is_kept_at_its_end)
{
	struct buf message = message_with_head();
	struct buf large = buf_make(MESSAGE_MAX);
	char *room = buf_reserve(&large, MESSAGE_MAX);
	size_t heard = 0;

	must(room != NULL);
	memset(room, 'x', MESSAGE_MAX);
	add_end(&message);
	take_request(&message);
	fcgi_hand_over(fcgi, true);
	enum status status = fcgi_answer(fcgi, SLICE(""), (struct slice){room, MESSAGE_MAX});
	ck_assert_int_eq(status, STATUS_AGAIN);
	for (; status == STATUS_AGAIN; status = fcgi_flush(fcgi)) {
		ssize_t n = recv(server, room, MESSAGE_MAX, MSG_DONTWAIT);
		ck_assert_int_gt(n, 0);
		heard += (size_t)n;
	}
	ck_assert_int_eq(status, STATUS_OK);
	ck_assert_uint_lt(heard, MESSAGE_MAX);
	ck_assert_int_ge(fcgi_fd(fcgi), 0);
	buf_free(&message);
	buf_free(&large);
}
END_TEST

/* Apache does not use a connection again that ends within padding. */
START_TEST(apache_is_told_by_padding_that_a_connection_is_not_kept)
{
	static const char end[] = "\1\3\0\1\0\10\1\0\0\0\0\0\0\0\0";
	struct buf message = buf_make(MESSAGE_MAX), pairs = buf_make(MESSAGE_MAX);
	char heard[256];

	add_begin(&message, ID);
	add_pair(&pairs, "SERVER_NAME", "Apache");
	add_pair(&pairs, "SERVER_SOFTWARE", "Apache/2.4.1 (Debian)");
	add_record(&message, PARAMS, buf_slice(&pairs));
	add_record(&message, PARAMS, SLICE(""));
	add_end(&message);
	take_request(&message);
	ck_assert_int_eq(fcgi_answer(fcgi, SLICE("head\n"), SLICE("")), STATUS_END);
	ssize_t n = read(server, heard, sizeof(heard));
	ck_assert_int_gt(n, (ssize_t)sizeof(end));
	ck_assert_mem_eq(heard + n - sizeof(end), end, sizeof(end));
	ck_assert_int_eq(read(server, heard, 1), 0);
	buf_free(&message);
	buf_free(&pairs);
}
END_TEST

START_TEST(without_the_flag_nothing_is_kept_nor_added)
{
	struct buf message = message_with_head();
	char more;

	message.p[HEADER + 2] = 0;
	add_end(&message);
	take_request(&message);
	ck_assert_int_eq(answer_and_keep(), STATUS_END);
	hear_and_check_bare();
	ck_assert_int_eq(read(server, &more, 1), 0);
	buf_free(&message);
}
END_TEST

/* ---- forged requests ---- */

/* A kept-alive connection on which another request follows: in the same piece or in a later one. */
START_TEST(nothing_after_a_request_is_ever_a_request)
{
	struct buf message = message_with_head();
	struct buf forged = buf_make(MESSAGE_MAX);
	struct buf body = buf_make(MESSAGE_MAX);

	add_record(&message, STDIN, SLICE("{}"));
	add_end(&message);
	add_head(&forged, _i % 2 == 0 ? ID : ID + 1, "admin");
	add_padded(&forged, STDIN, _i % 2 == 0 ? ID : ID + 1, SLICE("{\"forged\":1}"), 0);
	call();
	if (_i < 2)
		buf_add_slice(&message, buf_slice(&forged));
	say(&message);
	ck_assert_int_eq(fcgi_read_params(fcgi), STATUS_OK);
	ck_assert_int_eq(hear(-1, &body, 4096), STATUS_END);
	check_body(&body, SLICE("{}"));
	if (_i >= 2)
		say(&forged);
	ck_assert_int_eq(hear(-1, &body, 4096), STATUS_END);
	ck_assert_int_eq(fcgi_drain(fcgi), STATUS_END);
	check_variables();
	check_body(&body, SLICE("{}"));
	/* The peer asked to keep the connection; it is closed all the same. */
	ck_assert_int_eq(answer_and_keep(), STATUS_END);
	ck_assert_int_eq(fcgi_fd(fcgi), -1);
	ck_assert_int_eq(fcgi_accept(fcgi, listening), STATUS_AGAIN);
	buf_free(&message);
	buf_free(&forged);
	buf_free(&body);
}
END_TEST

/* The unread rest of a body must not become the next request. */
START_TEST(an_unread_body_is_never_a_request)
{
	struct buf message = message_with_head();
	struct buf forged = buf_make(MESSAGE_MAX);

	add_head(&forged, ID, "admin");
	add_record(&message, STDIN, buf_slice(&forged));
	add_end(&message);
	begin_request(&message);
	if (_i == 0)
		ck_assert_int_eq(fcgi_drain(fcgi), STATUS_END);
	check_variables();
	answer_and_check();
	ck_assert_int_eq(fcgi_accept(fcgi, listening), STATUS_AGAIN);
	buf_free(&message);
	buf_free(&forged);
}
END_TEST

static const struct {
	const char *name;
	struct slice bytes;
} foreign[] = {
	{"another request's body", {"\1\5\0\2\0\1\0\0x", 9}},
	{"another request", {"\1\1\0\2\0\10\0\0\0\1\0\0\0\0\0\0", 16}},
	{"the same request again", {"\1\1\0\1\0\10\0\0\0\1\0\0\0\0\0\0", 16}},
	{"an abort", {"\1\2\0\1\0\0\0\0", 8}},
	{"parameters", {"\1\4\0\1\0\0\0\0", 8}},
	{"another version", {"\2\5\0\1\0\1\0\0x", 9}},
	{"an unknown type", {"\1\143\0\1\0\0\0\0", 8}},
	{"a question", {"\1\11\0\0\0\22\0\0\16\0FCGI_MAX_CONNS..", 26}},
};

/* Nothing of a foreign record reaches the body, and the body is incomplete. */
START_TEST(foreign_records_break_a_body)
{
	struct buf message = message_with_head();
	struct buf body = buf_make(MESSAGE_MAX);

	add_record(&message, STDIN, SLICE("ab"));
	buf_add_slice(&message, foreign[_i].bytes);
	add_record(&message, STDIN, SLICE("cd"));
	add_end(&message);
	begin_request(&message);
	enum status status = hear(-1, &body, 4096);
	ck_assert_msg(status == STATUS_INCOMPLETE_BODY, "%s: %s", foreign[_i].name,
		      status_name(status));
	check_body(&body, SLICE("ab"));
	ck_assert_int_ne(hear(-1, &body, 4096), STATUS_OK);
	ck_assert_int_eq(fcgi_drain(fcgi), STATUS_END);
	buf_free(&message);
	buf_free(&body);
}
END_TEST

/* ---- bodies that are not what was announced ---- */

static const struct {
	const char *name;
	int64_t length;
	const char *sent;
	bool end_record;
	enum status status;
	const char *heard;
} lengths[] = {
	{"as announced", 4, "abcd", true, STATUS_END, "abcd"},
	{"announced, no end record yet", 4, "abcd", false, STATUS_END, "abcd"},
	{"one short", 5, "abcd", true, STATUS_INCOMPLETE_BODY, "abcd"},
	{"one short and waiting", 5, "abcd", false, STATUS_AGAIN, "abcd"},
	{"none of it", 1, "", true, STATUS_INCOMPLETE_BODY, ""},
	{"nothing announced", 0, "abcd", true, STATUS_END, ""},
	{"no length", -1, "abcd", true, STATUS_END, "abcd"},
	{"no length and waiting", -1, "abcd", false, STATUS_AGAIN, "abcd"},
	{"huge", INT64_MAX, "abcd", true, STATUS_INCOMPLETE_BODY, "abcd"},
};

START_TEST(announced_lengths_are_checked)
{
	struct buf message = message_with_head();
	struct buf body = buf_make(MESSAGE_MAX);

	if (*lengths[_i].sent != '\0')
		add_record(&message, STDIN, slice_of(lengths[_i].sent));
	if (lengths[_i].end_record)
		add_end(&message);
	begin_request(&message);
	enum status status = hear(lengths[_i].length, &body, 4096);
	ck_assert_msg(status == lengths[_i].status, "%s: %s", lengths[_i].name,
		      status_name(status));
	check_body(&body, slice_of(lengths[_i].heard));
	ck_assert_int_eq(fcgi_drain(fcgi), lengths[_i].end_record ? STATUS_END : STATUS_AGAIN);
	buf_free(&message);
	buf_free(&body);
}
END_TEST

/* More than was announced may be read (the caller limits it), but nothing is lost in between. */
START_TEST(a_body_longer_than_announced_is_drained)
{
	struct buf message = message_with_head();
	struct buf body = buf_make(MESSAGE_MAX);

	add_record(&message, STDIN, SLICE("ab"));
	add_record(&message, STDIN, SLICE("cdef"));
	add_end(&message);
	begin_request(&message);
	ck_assert_int_eq(hear(2, &body, 4096), STATUS_END);
	check_body(&body, SLICE("ab"));
	ck_assert_int_eq(fcgi_drain(fcgi), STATUS_END);
	answer_and_check();
	buf_free(&message);
	buf_free(&body);
}
END_TEST

/* ---- peers that go away ---- */

START_TEST(a_peer_may_leave_at_any_point)
{
	struct buf message;
	struct buf body = buf_make(MESSAGE_MAX);
	size_t head = cut_message(&message, (size_t)_i);

	for (size_t cut = 0; cut < message.n; cut++) {
		call();
		say_bytes(message.p, cut);
		hang_up();
		enum status begun = fcgi_read_params(fcgi);
		ck_assert_int_eq(begun, cut < head ? STATUS_END : STATUS_OK);
		if (begun == STATUS_OK) {
			buf_reset(&body, 0);
			enum status status = hear(-1, &body, 4096);
			/* Missing padding after the end record does not matter. */
			bool whole = cut + (size_t)_i >= message.n;
			ck_assert_msg(
				status == STATUS_INCOMPLETE_BODY || (whole && status == STATUS_END),
				"left after %zu of %zu: %s", cut, message.n, status_name(status));
			ck_assert_uint_le(body.n, sizeof(cut_text) - 1);
			if (body.n > 0)
				ck_assert_mem_eq(body.p, cut_text, body.n);
			ck_assert_int_eq(fcgi_drain(fcgi), STATUS_END);
			ck_assert_int_eq(
				fcgi_answer(fcgi, SLICE("Status: 202 Accepted\r\n\r\n"), SLICE("")),
				STATUS_END);
		}
		ck_assert_int_eq(fcgi_fd(fcgi), -1);
	}
	buf_free(&message);
	buf_free(&body);
}
END_TEST

/* Half closed: nothing more arrives, but the peer still reads the answer. */
START_TEST(a_missing_end_record_is_an_incomplete_body)
{
	struct buf message = message_with_head();
	struct buf body = buf_make(MESSAGE_MAX);

	add_record(&message, STDIN, SLICE("abcd"));
	call();
	say(&message);
	(void)shutdown(server, SHUT_WR);
	ck_assert_int_eq(fcgi_read_params(fcgi), STATUS_OK);
	ck_assert_int_eq(hear(-1, &body, 4096), STATUS_INCOMPLETE_BODY);
	check_body(&body, SLICE("abcd"));
	ck_assert_int_eq(fcgi_drain(fcgi), STATUS_END);
	answer_and_check();
	buf_free(&message);
	buf_free(&body);
}
END_TEST

/* ---- accepting ---- */

START_TEST(accepting_does_not_block)
{
	ck_assert_int_eq(fcgi_accept(fcgi, listening), STATUS_AGAIN);
	ck_assert_int_eq(fcgi_fd(fcgi), -1);
	ck_assert(fcgi_is_listening(listening));
	server = connected();
	ck_assert(!fcgi_is_listening(server));
	ck_assert(!fcgi_is_listening(-1));
	ck_assert_int_eq(fcgi_accept(fcgi, listening), STATUS_OK);
	ck_assert_int_ge(fcgi_fd(fcgi), 0);
	ck_assert_int_ne(fcntl(fcgi_fd(fcgi), F_GETFD) & FD_CLOEXEC, 0);
	ck_assert_int_eq(fcgi_read_params(fcgi), STATUS_AGAIN);
}
END_TEST

START_TEST(a_lack_of_descriptors_is_reported)
{
	struct rlimit limit;
	struct rlimit none = {0};

	server = connected();
	must(getrlimit(RLIMIT_NOFILE, &limit) == 0);
	none.rlim_max = limit.rlim_max;
	must(setrlimit(RLIMIT_NOFILE, &none) == 0);
	enum status status = fcgi_accept(fcgi, listening);
	must(setrlimit(RLIMIT_NOFILE, &limit) == 0);
	ck_assert_int_eq(status, STATUS_BUSY);
	ck_assert_int_eq(fcgi_accept(fcgi, listening), STATUS_OK);
}
END_TEST

START_TEST(opening_without_memory_is_reported)
{
	struct fcgi *other = fcgi;

	unit_fail_allocation(1);
	enum status status = fcgi_open(&other);
	unit_fail_allocation(0);
	ck_assert_int_eq(status, STATUS_NO_MEMORY);
	fcgi_close(NULL);
}
END_TEST

/* ---- without memory ---- */

START_TEST(what_a_request_needs_is_there_before_it)
{
	enum status status = STATUS_NO_MEMORY;

	for (int nth = 1; nth <= 2; nth++) {
		fcgi_close(fcgi);
		must(fcgi_open(&fcgi) == STATUS_OK);
		unit_fail_allocation(nth);
		status = fcgi_prepare(fcgi);
		unit_fail_allocation(0);
		ck_assert_int_eq(status, STATUS_NO_MEMORY);
	}
	ck_assert_int_eq(fcgi_prepare(fcgi), STATUS_OK);
	unit_fail_allocation(1);
	status = fcgi_prepare(fcgi);
	unit_fail_allocation(0);
	ck_assert_int_eq(status, STATUS_OK);
}
END_TEST

/* Whichever of its allocations fails: the request is answered. */
START_TEST(a_head_without_memory_is_answered)
{
	enum status status = STATUS_NO_MEMORY;
	int failures = 0;

	for (int nth = 1; status == STATUS_NO_MEMORY; nth++) {
		struct buf message = buf_make(MESSAGE_MAX);
		add_long_head(&message, 10000, 0);
		fcgi_close(fcgi);
		must(fcgi_open(&fcgi) == STATUS_OK && fcgi_prepare(fcgi) == STATUS_OK);
		call();
		say(&message);
		unit_fail_allocation(nth);
		status = fcgi_read_params(fcgi);
		unit_fail_allocation(0);
		buf_free(&message);
		if (status == STATUS_NO_MEMORY) {
			ck_assert_ptr_null(*fcgi_variables(fcgi));
			failures++;
		}
		answer_and_check();
	}
	ck_assert_int_eq(status, STATUS_OK);
	ck_assert_int_ge(failures, 4);
}
END_TEST

START_TEST(an_answer_without_memory_gives_way_to_a_short_one)
{
	struct buf message = message_with_head(), large = buf_make(MESSAGE_MAX);
	char *room = buf_reserve(&large, MESSAGE_MAX);

	must(room != NULL && fcgi_prepare(fcgi) == STATUS_OK);
	memset(room, 'x', MESSAGE_MAX);
	add_end(&message);
	take_request(&message);
	unit_fail_allocation(1);
	enum status status = fcgi_answer(fcgi, SLICE(""), (struct slice){room, MESSAGE_MAX});
	unit_fail_allocation(0);
	ck_assert_int_eq(status, STATUS_NO_MEMORY);
	answer_and_check();
	buf_free(&message);
	buf_free(&large);
}
END_TEST

/* ---- answers ---- */

static const size_t answers[] = {0,    1,     7,     8,	     8176,    8184,
				 8185, 65535, 65536, 300000, 1 << 20, (1 << 20) + 1};

static void answer_waiting(struct slice head, struct slice body)
{
	enum status status = fcgi_answer(fcgi, head, body);

	while (status == STATUS_AGAIN) {
		struct pollfd fd = {.fd = fcgi_fd(fcgi), .events = POLLOUT};
		ck_assert_int_eq(poll(&fd, 1, PATIENCE_MS), 1);
		status = fcgi_flush(fcgi);
	}
	ck_assert_int_eq(status, STATUS_END);
}

/* A peer process reads it, because no socket buffer holds so much. */
START_TEST(answers_of_any_size_arrive)
{
	struct buf message = message_with_head();
	struct buf body = buf_make(MESSAGE_MAX);
	struct buf content = buf_make(MESSAGE_MAX);
	int how = 1;

	for (size_t i = 0; i < answers[_i]; i++)
		buf_add_char(&body, (char)(i % 251));
	add_end(&message);
	take_request(&message);
	pid_t child = fork();
	must(child >= 0);
	if (child == 0) {
		(void)close(fcgi_fd(fcgi));
		bool good = hear_answer(server, &content) && content.n == 5 + body.n &&
			    memcmp(content.p, "head\n", 5) == 0 &&
			    (body.n == 0 || memcmp(content.p + 5, body.p, body.n) == 0);
		_exit(good ? EXIT_SUCCESS : EXIT_FAILURE);
	}
	answer_waiting(SLICE("head\n"), buf_slice(&body));
	ck_assert_int_eq(fcgi_fd(fcgi), -1);
	ck_assert_int_eq(waitpid(child, &how, 0), child);
	ck_assert(WIFEXITED(how) && WEXITSTATUS(how) == EXIT_SUCCESS);
	buf_free(&message);
	buf_free(&body);
	buf_free(&content);
}
END_TEST

/* Web servers read at least twice for each record. */
START_TEST(a_small_answer_is_one_record)
{
	static const char whole[] = "\1\6\0\1\0\10\0\0head\n{}\n"
				    "\1\6\0\1\0\0\0\0"
				    "\1\3\0\1\0\10\0\0\0\0\0\0\0\0\0";
	struct buf message = message_with_head();
	char heard[2 * sizeof(whole)];

	add_end(&message);
	take_request(&message);
	fcgi_hand_over(fcgi, true);
	ck_assert_int_eq(fcgi_answer(fcgi, SLICE("head\n"), SLICE("{}\n")), STATUS_OK);
	ck_assert_int_eq(read(server, heard, sizeof(heard)), sizeof(whole));
	ck_assert_mem_eq(heard, whole, sizeof(whole));
	hang_up();
	buf_free(&message);
}
END_TEST

/* A web server that does not read its answer must not block the loop. */
START_TEST(an_answer_that_is_not_read_does_not_block)
{
	struct buf message = message_with_head();
	struct buf body = buf_make(MESSAGE_MAX);
	struct buf content = buf_make(MESSAGE_MAX);

	for (size_t i = 0; i < 1 << 20; i++)
		buf_add_char(&body, (char)(i % 251));
	add_end(&message);
	take_request(&message);
	ck_assert_int_eq(fcgi_answer(fcgi, SLICE("head\n"), buf_slice(&body)), STATUS_AGAIN);
	for (int i = 0; i < 10; i++)
		ck_assert_int_eq(fcgi_flush(fcgi), STATUS_AGAIN);
	if (_i == 0) {
		hang_up();
		ck_assert_int_eq(fcgi_flush(fcgi), STATUS_END);
	} else {
		fcgi_close_fd(fcgi);
		ck_assert(!hear_answer(server, &content)); /* not as if it were whole */
		ck_assert_uint_lt(content.n, body.n);
	}
	ck_assert_int_eq(fcgi_fd(fcgi), -1);
	buf_free(&message);
	buf_free(&body);
	buf_free(&content);
}
END_TEST

/* Before the rest of the request has been read. */
START_TEST(an_early_answer_arrives)
{
	struct buf message = message_with_head();

	add_record(&message, STDIN, SLICE("abc"));
	begin_request(&message);
	answer_and_check();
	buf_free(&message);
}
END_TEST

/* As a forked child and its parent do with each other's connections. */
START_TEST(closing_a_copy_leaves_the_connection_open)
{
	struct buf message = message_with_head();
	char byte = 0;

	call();
	if (_i == 1) {
		say(&message);
		ck_assert_int_eq(fcgi_read_params(fcgi), STATUS_OK);
	}
	int copy = dup(fcgi_fd(fcgi));
	ck_assert_int_ge(copy, 0);
	fcgi_close_fd(fcgi);
	ck_assert_int_eq(fcgi_fd(fcgi), -1);
	ck_assert_int_eq(write(copy, "x", 1), 1);
	ck_assert_int_eq(read(server, &byte, 1), 1);
	ck_assert_int_eq(byte, 'x');
	ck_assert_int_eq(write(server, "y", 1), 1);
	(void)close(copy);
	ck_assert_int_le(read(server, &byte, 1), 0);
	fcgi_close_fd(fcgi); /* again: nothing to let go */
	hang_up();
	/* The same object accepts the next request. */
	add_end(&message);
	take_request(&message);
	answer_and_check();
	buf_free(&message);
}
END_TEST

/* ---- plain CGI ---- */

static const struct {
	const char *name;
	int64_t length;
	const char *sent;
	bool closed;
	enum status status;
	const char *heard;
} plain[] = {
	{"as announced", 4, "abcd", true, STATUS_END, "abcd"},
	{"open behind it", 4, "abcd", false, STATUS_END, "abcd"},
	{"more behind it", 4, "abcdef", false, STATUS_END, "abcd"},
	{"one short", 5, "abcd", true, STATUS_INCOMPLETE_BODY, "abcd"},
	{"nothing", 0, "", false, STATUS_END, ""},
	{"none of it", 1, "", true, STATUS_INCOMPLETE_BODY, ""},
	{"not announced", -1, "abcd", true, STATUS_END, ""},
	{"not announced, open", -1, "abcd", false, STATUS_END, ""},
};

/* Some web servers mishandle an answer that arrives while they still write. */
START_TEST(plain_cgi_drains_the_body)
{
	char text[] = "CONTENT_LENGTH=8";
	char *variables[] = {text, NULL};
	int in[2];
	char rest[16];

	must(pipe(in) == 0);
	must(write(in[1], "abc", 3) == 3);
	must(dup2(in[0], STDIN_FILENO) == STDIN_FILENO);
	fcgi_use_cgi(fcgi, variables);
	ck_assert_int_eq(fcgi_drain(fcgi), STATUS_AGAIN);
	must(write(in[1], "defghij", 7) == 7);
	ck_assert_int_eq(fcgi_drain(fcgi), STATUS_END);
	ck_assert_int_eq(read(in[0], rest, sizeof(rest)), 2);
	ck_assert_int_eq(fcgi_drain(fcgi), STATUS_END);
}
END_TEST

START_TEST(plain_cgi_reads_standard_input)
{
	char text[] = "REQUEST_METHOD=POST";
	char length[40];
	char *variables[] = {text, plain[_i].length < 0 ? NULL : length, NULL};
	struct buf body = buf_make(MESSAGE_MAX);
	int in[2];
	int out[2];
	char answer[16] = "";

	(void)snprintf(length, sizeof(length), "CONTENT_LENGTH=%lld", (long long)plain[_i].length);
	must(pipe(in) == 0 && pipe(out) == 0);
	must(write(in[1], plain[_i].sent, strlen(plain[_i].sent)) >= 0);
	if (plain[_i].closed)
		(void)close(in[1]);
	must(dup2(in[0], STDIN_FILENO) == STDIN_FILENO);
	fcgi_use_cgi(fcgi, variables);
	ck_assert_int_eq(fcgi_fd(fcgi), STDIN_FILENO);
	ck_assert_str_eq(variable("REQUEST_METHOD"), "POST");
	enum status status = hear(plain[_i].length, &body, 3);
	ck_assert_msg(status == plain[_i].status, "%s: %s", plain[_i].name, status_name(status));
	check_body(&body, slice_of(plain[_i].heard));
	ck_assert_int_eq(fcgi_drain(fcgi), STATUS_END);
	int standard_output = dup(STDOUT_FILENO);
	must(dup2(out[1], STDOUT_FILENO) == STDOUT_FILENO);
	enum status answered = fcgi_answer(fcgi, SLICE("head\n"), SLICE("body"));
	must(dup2(standard_output, STDOUT_FILENO) == STDOUT_FILENO);
	ck_assert_int_eq(answered, STATUS_END);
	ck_assert_int_eq(read(out[0], answer, sizeof(answer)), 9);
	ck_assert_mem_eq(answer, "head\nbody", 9);
	buf_free(&body);
}
END_TEST

static void add_conversation(Suite *suite)
{
	TCase *tests = tcase_create("conversation");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_loop_test(tests, a_request_is_read_and_answered, 0, 2);
	tcase_add_loop_test(tests, a_body_may_be_empty, 0, 2);
	tcase_add_loop_test(tests, a_body_of_many_records_stays_whole, 0, LENGTH(pieces));
	tcase_add_loop_test(tests, records_may_be_cut_anywhere, 0, 8);
	tcase_add_loop_test(tests, every_byte_may_come_alone, 0, 8);
	tcase_add_loop_test(tests, draining_passes_over_records_cut_anywhere, 0, 8);
	tcase_add_test(tests, parameters_may_be_cut_anywhere);
	tcase_add_test(tests, every_byte_of_the_parameters_may_come_alone);
	tcase_add_loop_test(tests, long_parameters_are_read, 0, LENGTH(long_values));
	tcase_add_test(tests, too_many_parameters_are_read_to_their_end);
	tcase_add_loop_test(tests, padding_after_the_parameters_is_skipped, 0,
			    LENGTH(padded_values));
	tcase_add_loop_test(tests, announced_lengths_are_checked, 0, LENGTH(lengths));
	tcase_add_test(tests, a_body_longer_than_announced_is_drained);
	tcase_add_loop_test(tests, answers_of_any_size_arrive, 0, LENGTH(answers));
	tcase_add_test(tests, a_small_answer_is_one_record);
	tcase_add_loop_test(tests, an_answer_that_is_not_read_does_not_block, 0, 2);
	tcase_add_test(tests, an_early_answer_arrives);
	tcase_add_test(tests, a_kept_connection_brings_the_next_request);
	tcase_add_loop_test(tests, the_end_of_a_kept_connection_is_no_request, 0, 2);
	tcase_add_test(tests, an_answer_in_pieces_is_kept_at_its_end);
	tcase_add_test(tests, apache_is_told_by_padding_that_a_connection_is_not_kept);
	tcase_add_test(tests, without_the_flag_nothing_is_kept_nor_added);
	suite_add_tcase(suite, tests);
}

static void add_hostile(Suite *suite)
{
	TCase *tests = tcase_create("hostile");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_loop_test(tests, a_connection_is_not_kept_if_its_request_has_no_clear_end, 0,
			    LENGTH(not_kept));
	tcase_add_loop_test(tests, a_connection_is_not_kept_if_something_came_during_the_commit, 0,
			    2);
	tcase_add_loop_test(tests, anything_but_a_request_ends_the_connection, 0, LENGTH(nonsense));
	tcase_add_loop_test(tests, nothing_after_a_request_is_ever_a_request, 0, 4);
	tcase_add_loop_test(tests, an_unread_body_is_never_a_request, 0, 2);
	tcase_add_loop_test(tests, foreign_records_break_a_body, 0, LENGTH(foreign));
	tcase_add_loop_test(tests, a_peer_may_leave_at_any_point, 0, 8);
	tcase_add_test(tests, a_missing_end_record_is_an_incomplete_body);
	suite_add_tcase(suite, tests);
}

static void add_connection(Suite *suite)
{
	TCase *tests = tcase_create("connection");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, accepting_does_not_block);
	tcase_add_test(tests, a_lack_of_descriptors_is_reported);
	tcase_add_test(tests, opening_without_memory_is_reported);
	tcase_add_test(tests, what_a_request_needs_is_there_before_it);
	tcase_add_test(tests, a_head_without_memory_is_answered);
	tcase_add_test(tests, an_answer_without_memory_gives_way_to_a_short_one);
	tcase_add_loop_test(tests, closing_a_copy_leaves_the_connection_open, 0, 2);
	tcase_add_loop_test(tests, plain_cgi_reads_standard_input, 0, LENGTH(plain));
	tcase_add_test(tests, plain_cgi_drains_the_body);
	suite_add_tcase(suite, tests);
}

Suite *unit_suite(void)
{
	Suite *suite = suite_create("fcgi");

	add_conversation(suite);
	add_hostile(suite);
	add_connection(suite);
	return suite;
}
