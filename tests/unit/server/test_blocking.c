/*
 * test_blocking.c - blocking I/O on a request: its body as a plain CGI program reads it, from a
 * pipe on descriptor 0, and its response over a socket.
 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "check_main.h"
#include "server/blocking.h"
#include "server/process.h"

enum { PATIENCE_MS = 60000, BODY_MAX = 1 << 20 };

static struct fcgi *fcgi;
static int writing;

static void set_up(void)
{
	int ends[2];

	must(pipe(ends) == 0 && dup2(ends[0], STDIN_FILENO) == STDIN_FILENO && close(ends[0]) == 0);
	writing = ends[1];
	must(fcgi_open(&fcgi) == STATUS_OK);
}

static void tear_down(void)
{
	fcgi_close(fcgi);
	(void)close(writing);
	(void)close(STDIN_FILENO);
}

/* Announces a body of ten bytes. */
static struct blocking begin(struct slice arrived, int64_t patience_ms)
{
	static char length[] = "CONTENT_LENGTH=10";
	static char *variables[] = {length, NULL};

	fcgi_use_cgi(fcgi, variables);
	return (struct blocking){.fcgi = fcgi,
				 .arrived = arrived,
				 .length = 10,
				 .deadline_ms = clock_now_ms() + patience_ms};
}

static void say(const char *text)
{
	must(write(writing, text, strlen(text)) == (ssize_t)strlen(text));
}

/* ---- the body ---- */

START_TEST(what_had_arrived_is_read_first)
{
	struct blocking blocking = begin(SLICE("abc"), PATIENCE_MS);
	char room[2];
	size_t n = 0;

	ck_assert_int_eq(blocking_read(&blocking, room, sizeof(room), &n), STATUS_OK);
	ck_assert_uint_eq(n, 2);
	ck_assert_mem_eq(room, "ab", 2);
	ck_assert_int_eq(blocking_read(&blocking, room, sizeof(room), &n), STATUS_OK);
	ck_assert_uint_eq(n, 1);
	ck_assert_mem_eq(room, "c", 1);
	say("0123456789");
	ck_assert_int_eq(blocking_read(&blocking, room, sizeof(room), &n), STATUS_OK);
	ck_assert_uint_eq(n, 2);
	ck_assert_mem_eq(room, "01", 2);
}
END_TEST

/* Its second half comes from another process, which may be early or late. */
START_TEST(a_whole_body_is_waited_for)
{
	struct blocking blocking = begin(SLICE("abc"), PATIENCE_MS);
	struct buf body = buf_make(BODY_MAX);
	int how = 1;

	say("01234");
	pid_t child = fork();
	must(child >= 0);
	if (child == 0) {
		say("56789");
		_exit(EXIT_SUCCESS);
	}
	ck_assert_int_eq(blocking_read_all(&blocking, &body), STATUS_OK);
	ck_assert(slice_equal(buf_slice(&body), SLICE("abc0123456789")));
	ck_assert_int_eq(waitpid(child, &how, 0), child);
	ck_assert_int_eq(how, 0);
	buf_free(&body);
}
END_TEST

static const struct {
	size_t cap;
	enum status status;
} caps[] = {{9, STATUS_TOO_LARGE}, {10, STATUS_TOO_LARGE}, {11, STATUS_OK}};

START_TEST(a_body_may_not_fill_its_buffer)
{
	struct blocking blocking = begin(SLICE(""), PATIENCE_MS);
	struct buf body = buf_make(caps[_i].cap);

	say("0123456789");
	ck_assert_int_eq(blocking_read_all(&blocking, &body), caps[_i].status);
	buf_free(&body);
}
END_TEST

/* Before the deadline, and when it has passed long ago. */
static const int64_t patience_ms[] = {10, 0, -1000};

START_TEST(a_body_is_not_waited_for_beyond_the_deadline)
{
	struct blocking blocking = begin(SLICE(""), patience_ms[_i]);
	struct buf body = buf_make(BODY_MAX);

	say("01234");
	ck_assert_int_eq(blocking_read_all(&blocking, &body), STATUS_REQUEST_TIMEOUT);
	ck_assert(slice_equal(buf_slice(&body), SLICE("01234")));
	ck_assert_int_ge(clock_now_ms(), blocking.deadline_ms);
	buf_free(&body);
}
END_TEST

START_TEST(a_body_that_ends_early_is_incomplete)
{
	struct blocking blocking = begin(SLICE(""), PATIENCE_MS);
	struct buf body = buf_make(BODY_MAX);

	say("01234");
	(void)close(writing);
	writing = -1;
	ck_assert_int_eq(blocking_read_all(&blocking, &body), STATUS_INCOMPLETE_BODY);
	buf_free(&body);
}
END_TEST

/* A child that is asked to, whether its sender is silent or not; but only one that may. */
START_TEST(a_body_gives_way)
{
	struct blocking blocking = begin(SLICE(""), PATIENCE_MS);
	char room[4];
	size_t n = 0;
	int children = 0, how = 1;
	sigset_t asked;

	must(sigemptyset(&asked) == 0 && sigaddset(&asked, SIGUSR1) == 0 &&
	     sigprocmask(SIG_BLOCK, &asked, NULL) == 0);
	blocking.gives_way = true;
	if (_i == 1)
		say("0123456789");
	pid_t child = process_fork(&children, blocking.deadline_ms);
	must(child >= 0);
	if (child == 0) {
		must(raise(SIGUSR1) == 0);
		bool gave = blocking_read(&blocking, room, sizeof(room), &n) == STATUS_BUSY;
		blocking.gives_way = false;
		say("0123");
		bool read = blocking_read(&blocking, room, sizeof(room), &n) == STATUS_OK;
		_exit(gave && read ? EXIT_SUCCESS : EXIT_FAILURE);
	}
	ck_assert_int_eq(waitpid(child, &how, 0), child);
	ck_assert_int_eq(how, 0);
}
END_TEST

START_TEST(the_rest_is_drained)
{
	struct blocking blocking = begin(SLICE(""), PATIENCE_MS);
	char room[4];
	size_t n = 0;

	say("0123456789next");
	ck_assert_int_eq(blocking_read(&blocking, room, sizeof(room), &n), STATUS_OK);
	blocking_drain(&blocking);
	ck_assert_int_eq(read(STDIN_FILENO, room, sizeof(room)), 4);
	ck_assert_mem_eq(room, "next", 4);
}
END_TEST

/* ---- the response ---- */

/* The web server sends a request without parameters and body, and takes its time. */
static _Noreturn void ask_and_listen(const struct sockaddr_un *address, socklen_t bytes, int heard)
{
	static const char request[] = "\1\1\0\1\0\10\0\0\0\1\0\0\0\0\0\0"
				      "\1\4\0\1\0\0\0\0"
				      "\1\5\0\1\0\0\0";
	char piece[4096];
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	size_t sum = 0;
	ssize_t n;

	must(connect(fd, (const struct sockaddr *)address, bytes) == 0 &&
	     write(fd, request, sizeof(request)) == sizeof(request));
	while ((n = read(fd, piece, sizeof(piece))) > 0)
		sum += (size_t)n;
	must(n == 0 && write(heard, &sum, sizeof(sum)) == sizeof(sum));
	_exit(EXIT_SUCCESS);
}

START_TEST(a_response_is_waited_for)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	socklen_t bytes = sizeof(address);
	struct buf body = buf_make(4 * BODY_MAX);
	int listening = socket(AF_UNIX, SOCK_STREAM, 0), pair[2], how = 1;
	size_t heard = 0;

	for (int i = 0; i < 2 * BODY_MAX; i++)
		buf_add_char(&body, 'x');
	must(bind(listening, (struct sockaddr *)&address, sizeof(sa_family_t)) == 0 &&
	     listen(listening, 1) == 0 && pipe(pair) == 0 &&
	     getsockname(listening, (struct sockaddr *)&address, &bytes) == 0);
	pid_t child = fork();
	must(child >= 0);
	if (child == 0)
		ask_and_listen(&address, bytes, pair[1]);
	must(fcgi_accept(fcgi, listening) == STATUS_OK);
	struct blocking blocking = {
		.fcgi = fcgi, .length = -1, .deadline_ms = clock_now_ms() + PATIENCE_MS};
	enum status status = fcgi_read_params(fcgi);
	while (status == STATUS_AGAIN && blocking_wait(fcgi, POLLIN, blocking.deadline_ms))
		status = fcgi_read_params(fcgi);
	ck_assert_int_eq(status, STATUS_OK);
	blocking_drain(&blocking);
	blocking_finish(&blocking, fcgi_answer(fcgi, SLICE("head\r\n\r\n"), buf_slice(&body)));
	ck_assert_int_eq(fcgi_fd(fcgi), -1);
	ck_assert_int_eq(read(pair[0], &heard, sizeof(heard)), sizeof(heard));
	ck_assert_uint_gt(heard, body.n);
	ck_assert_int_eq(waitpid(child, &how, 0), child);
	ck_assert_int_eq(how, 0);
	(void)close(listening);
	buf_free(&body);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("blocking");
	TCase *tcase = tcase_create("blocking");

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, what_had_arrived_is_read_first);
	tcase_add_test(tcase, a_whole_body_is_waited_for);
	tcase_add_loop_test(tcase, a_body_may_not_fill_its_buffer, 0, LENGTH(caps));
	tcase_add_loop_test(tcase, a_body_is_not_waited_for_beyond_the_deadline, 0,
			    LENGTH(patience_ms));
	tcase_add_test(tcase, a_body_that_ends_early_is_incomplete);
	tcase_add_loop_test(tcase, a_body_gives_way, 0, 2);
	tcase_add_test(tcase, the_rest_is_drained);
	tcase_add_test(tcase, a_response_is_waited_for);
	suite_add_tcase(suite, tcase);
	return suite;
}
