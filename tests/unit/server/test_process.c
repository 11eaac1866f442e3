/*
 * test_process.c - the signals that end a worker, and its children. Each test has a process of its
 * own, whose standard error stream is a pipe.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "check_main.h"
#include "server/process.h"

enum { LOG_BYTES = 4096, HOUR_MS = 3600000 };

static int log_pipe[2];
static sigset_t while_waiting;

static void set_up(void)
{
	/* Check's own handler would kill the whole test. */
	must(signal(SIGALRM, SIG_DFL) != SIG_ERR);
	must(pipe(log_pipe) == 0 && dup2(log_pipe[1], STDERR_FILENO) == STDERR_FILENO);
	log_open("test", LOG_TARGET_STDERR, LOG_LEVEL_INFO);
	process_start(&while_waiting);
}

static void tear_down(void)
{
	(void)close(log_pipe[0]);
	(void)close(log_pipe[1]);
}

/* What has been logged so far, which is something. */
static const char *logged(void)
{
	static char lines[LOG_BYTES];
	ssize_t n = read(log_pipe[0], lines, sizeof(lines) - 1);

	must(n > 0);
	lines[n] = '\0';
	return lines;
}

/* ---- signals ---- */

static const int ends[] = {SIGTERM, SIGINT, SIGUSR1};

START_TEST(a_signal_ends_the_worker_during_a_wait)
{
	ck_assert_ptr_nonnull(strstr(logged(), "event=\"worker started\" version="));
	must(raise(ends[_i]) == 0);
	ck_assert(!process_is_ending());
	ck_assert_int_eq(sigsuspend(&while_waiting), -1);
	ck_assert(process_is_ending());
}
END_TEST

START_TEST(a_worker_tells_once_that_it_is_ending)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	char name[32], state[32];
	int n = snprintf(name, sizeof(name), "@sluice-process-%d", (int)getpid());
	int manager = socket(AF_UNIX, SOCK_DGRAM, 0);

	memcpy(address.sun_path + 1, name + 1, (size_t)n - 1);
	must(manager >= 0 && bind(manager, (const struct sockaddr *)&address,
				  (socklen_t)(sizeof(address.sun_family) + (size_t)n)) == 0);
	must(setenv("NOTIFY_SOCKET", name, 1) == 0);
	process_start(&while_waiting);
	ck_assert_int_eq(recv(manager, state, sizeof(state), MSG_DONTWAIT), 7);
	ck_assert_int_eq(memcmp(state, "READY=1", 7), 0);
	(void)process_tell(0);
	must(raise(SIGTERM) == 0);
	(void)sigsuspend(&while_waiting);
	(void)process_tell(1);
	(void)process_tell(2);
	ck_assert_int_eq(recv(manager, state, sizeof(state), MSG_DONTWAIT), 10);
	ck_assert_int_eq(memcmp(state, "STOPPING=1", 10), 0);
	ck_assert_int_eq(recv(manager, state, sizeof(state), MSG_DONTWAIT), -1);
	(void)close(manager);
}
END_TEST

START_TEST(a_child_that_exits_ends_the_wait_only)
{
	must(raise(SIGCHLD) == 0);
	ck_assert_int_eq(sigsuspend(&while_waiting), -1);
	ck_assert_int_eq(errno, EINTR);
	ck_assert(!process_is_ending());
}
END_TEST

START_TEST(a_hangup_is_told_once)
{
	ck_assert(!process_take_hangup());
	must(raise(SIGHUP) == 0);
	ck_assert(!process_take_hangup());
	ck_assert_int_eq(sigsuspend(&while_waiting), -1);
	ck_assert(!process_is_ending());
	ck_assert(process_take_hangup());
	ck_assert(!process_take_hangup());
}
END_TEST

START_TEST(another_signal_of_the_users_is_ignored)
{
	must(raise(SIGUSR2) == 0);
	ck_assert(!process_is_ending());
}
END_TEST

START_TEST(a_broken_pipe_is_an_error_only)
{
	int ends_of_pipe[2];

	must(pipe(ends_of_pipe) == 0 && close(ends_of_pipe[0]) == 0);
	ck_assert_int_eq(write(ends_of_pipe[1], "x", 1), -1);
	ck_assert_int_eq(errno, EPIPE);
	(void)close(ends_of_pipe[1]);
}
END_TEST

/* ---- children ---- */

/* Returns the last one. */
static pid_t reap_all(int *children)
{
	pid_t child, last = 0;

	while (*children > 0) {
		(void)sigsuspend(&while_waiting);
		while ((child = process_reap(children)) > 0)
			last = child;
	}
	return last;
}

START_TEST(children_are_counted_and_reaped)
{
	int gate[2], children = 0;
	char nothing;

	must(pipe(gate) == 0);
	for (int i = 1; i <= 2; i++) {
		pid_t child = process_fork(&children, clock_now_ms() + HOUR_MS);
		must(child >= 0);
		if (child == 0) {
			(void)close(gate[1]);
			_exit(read(gate[0], &nothing, 1) == 0 ? EXIT_SUCCESS : EXIT_FAILURE);
		}
		ck_assert_int_eq(children, i);
	}
	ck_assert_int_eq(process_reap(&children), 0);
	ck_assert_int_eq(children, 2);
	(void)logged();
	(void)close(gate[1]);
	reap_all(&children);
	ck_assert_int_eq(process_reap(&children), 0);
	ck_assert_int_eq(children, 0);
	/* Neither is logged: this line is the first one. */
	log_event(LOG_LEVEL_INFO, "mark", LOG_INT("number", 1));
	ck_assert_int_eq(strncmp(strstr(logged(), "event="), "event=mark", 10), 0);
	(void)close(gate[0]);
}
END_TEST

static const struct {
	int exit, signal;
} failures[] = {{EXIT_FAILURE, 0}, {0, SIGKILL}, {0, SIGALRM}};

START_TEST(a_child_that_fails_is_logged)
{
	char expected[128];
	int children = 0;

	(void)logged();
	pid_t child = process_fork(&children, clock_now_ms() + HOUR_MS);
	must(child >= 0);
	if (child == 0) {
		if (failures[_i].signal != 0)
			(void)raise(failures[_i].signal);
		_exit(failures[_i].exit);
	}
	reap_all(&children);
	(void)snprintf(expected, sizeof(expected),
		       "event=\"child for a request failed\" child=%d signal=%d\n", (int)child,
		       failures[_i].signal);
	ck_assert_ptr_nonnull(strstr(logged(), expected));
}
END_TEST

/* Its remaining seconds are what alarm() returns. */
START_TEST(a_child_is_killed_some_time_after_its_deadline)
{
	const int64_t deadlines_ms[] = {clock_now_ms() - HOUR_MS, clock_now_ms() + HOUR_MS};
	int children = 0, pair[2];
	unsigned left_s[2] = {0};

	must(pipe(pair) == 0);
	for (int i = 0; i < 2; i++) {
		pid_t child = process_fork(&children, deadlines_ms[i]);
		must(child >= 0);
		if (child == 0) {
			unsigned s = alarm(0);
			_exit(write(pair[1], &s, sizeof(s)) == sizeof(s) ? EXIT_SUCCESS
									 : EXIT_FAILURE);
		}
		ck_assert_int_eq(read(pair[0], &left_s[i], sizeof(left_s[i])), sizeof(left_s[i]));
	}
	reap_all(&children);
	ck_assert_uint_gt(left_s[0], 0);
	ck_assert_uint_gt(left_s[1], left_s[0]);
	(void)close(pair[0]);
	(void)close(pair[1]);
}
END_TEST

START_TEST(a_child_logs_with_its_own_process_id)
{
	char expected[64];
	int children = 0;

	(void)logged();
	pid_t child = process_fork(&children, clock_now_ms() + HOUR_MS);
	must(child >= 0);
	if (child == 0) {
		log_event(LOG_LEVEL_INFO, "hello", LOG_INT("number", 1));
		_exit(EXIT_SUCCESS);
	}
	reap_all(&children);
	(void)snprintf(expected, sizeof(expected), "pid=%d event=hello", (int)child);
	ck_assert_ptr_nonnull(strstr(logged(), expected));
}
END_TEST

/* Whether it waits already or not, also when the worker is ending: the child was forked before its
 * request was given up. */
START_TEST(a_child_gives_way_when_it_is_asked)
{
	int pair[2], children = 0;

	must(pipe(pair) == 0 && raise(SIGUSR1) == 0);
	(void)sigsuspend(&while_waiting);
	ck_assert(process_is_ending());
	ck_assert(!process_gives_way());
	pid_t child = process_fork(&children, clock_now_ms() + HOUR_MS);
	must(child >= 0);
	if (child == 0) {
		struct pollfd fd = {.fd = pair[0], .events = POLLIN};
		while (_i == 1 && !process_gives_way())
			;
		int ready = process_poll(&fd, (int)HOUR_MS);
		_exit(ready == -1 && process_gives_way() ? EXIT_SUCCESS : EXIT_FAILURE);
	}
	(void)logged();
	process_ask_to_give_way(child);
	ck_assert_int_eq(reap_all(&children), child);
	log_event(LOG_LEVEL_INFO, "mark", LOG_INT("number", 1));
	ck_assert_ptr_null(strstr(logged(), "failed"));
	(void)close(pair[0]);
	(void)close(pair[1]);
}
END_TEST

START_TEST(a_wait_ends_by_itself)
{
	int pair[2];

	must(pipe(pair) == 0);
	struct pollfd fd = {.fd = pair[0], .events = POLLIN};
	ck_assert_int_eq(process_poll(&fd, 1), 0);
	must(write(pair[1], "x", 1) == 1);
	ck_assert_int_eq(process_poll(&fd, (int)HOUR_MS), 1);
	(void)close(pair[0]);
	(void)close(pair[1]);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("process");
	TCase *tcase = tcase_create("process");

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_loop_test(tcase, a_signal_ends_the_worker_during_a_wait, 0, LENGTH(ends));
	tcase_add_test(tcase, a_worker_tells_once_that_it_is_ending);
	tcase_add_test(tcase, a_child_that_exits_ends_the_wait_only);
	tcase_add_test(tcase, a_hangup_is_told_once);
	tcase_add_test(tcase, another_signal_of_the_users_is_ignored);
	tcase_add_test(tcase, a_broken_pipe_is_an_error_only);
	tcase_add_test(tcase, children_are_counted_and_reaped);
	tcase_add_loop_test(tcase, a_child_that_fails_is_logged, 0, LENGTH(failures));
	tcase_add_test(tcase, a_child_is_killed_some_time_after_its_deadline);
	tcase_add_test(tcase, a_child_logs_with_its_own_process_id);
	tcase_add_loop_test(tcase, a_child_gives_way_when_it_is_asked, 0, 2);
	tcase_add_test(tcase, a_wait_ends_by_itself);
	suite_add_tcase(suite, tcase);
	return suite;
}
