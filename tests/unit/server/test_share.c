/*
 * test_share.c - which of several workers takes new connections. The others are forked, and say
 * what they are told at a time of the test's own.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/stats.h"
#include "captured_log.h"
#include "check_main.h"
#include "server/share.h"

enum { LAYOUT = 42, CAPACITY = 100, NOW_US = 50000000, SHARE_US = SHARE_MS * 1000 };
enum { WINDOW_US = 100000, LONG_US = 10000000 };

static char directory[] = "/tmp/sluice-share-XXXXXX", path[64];
static struct share share;
static int listening, other_socket;

static void set_up(void)
{
	captured_log_start();
	must(mkdtemp(directory) != NULL);
	(void)snprintf(path, sizeof(path), "%s/metrics", directory);
	/* Any two files with numbers of their own. */
	listening = open("/dev/null", O_RDONLY | O_CLOEXEC);
	other_socket = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	must(listening >= 0 && other_socket >= 0);
	stats_open(path, LAYOUT, STATS_WORKER);
	share_open(&share, listening, CAPACITY, NOW_US);
}

static void tear_down(void)
{
	stats_close();
	(void)close(listening);
	(void)close(other_socket);
	(void)unlink(path);
	(void)rmdir(directory);
	captured_log_stop();
}

/* What a worker of the next slot finds when it has waited until now_us. */
struct seen {
	int64_t yield_until_us;
	bool keeps, has_others;
};

static struct seen seen_by_next(int socket, int64_t now_us)
{
	struct seen seen = {0};
	int ends[2];

	must(pipe(ends) == 0);
	pid_t child = fork();
	if (child == 0) {
		struct share its;
		stats_open(path, LAYOUT, STATS_WORKER);
		share_open(&its, socket, CAPACITY, now_us - 1000);
		share_waited(&its, true, 0, now_us - 1000, now_us);
		seen = (struct seen){its.yield_until_us, its.keeps, its.has_others};
		must(write(ends[1], &seen, sizeof(seen)) == (ssize_t)sizeof(seen));
		_exit(0);
	}
	int how;
	must(child > 0 && read(ends[0], &seen, sizeof(seen)) == (ssize_t)sizeof(seen));
	must(waitpid(child, &how, 0) == child && how == 0);
	(void)close(ends[0]);
	(void)close(ends[1]);
	return seen;
}

START_TEST(later_workers_leave_connections_to_one_that_keeps_up)
{
	share_waited(&share, true, 0, NOW_US - 1000, NOW_US);
	ck_assert_int_eq(seen_by_next(listening, NOW_US).yield_until_us, NOW_US + SHARE_US);
	ck_assert_int_eq(seen_by_next(listening, NOW_US + SHARE_US - 1).yield_until_us,
			 NOW_US + SHARE_US);
	ck_assert(seen_by_next(listening, NOW_US).has_others);
}
END_TEST

/* As when it has been killed or stopped: it needs not to be noticed. */
START_TEST(a_worker_that_says_nothing_is_not_relied_on)
{
	share_waited(&share, true, 0, NOW_US - 1000, NOW_US);
	struct seen seen = seen_by_next(listening, NOW_US + SHARE_US);
	ck_assert_int_eq(seen.yield_until_us, 0);
	ck_assert(seen.keeps);
}
END_TEST

/* The file may be older than the machine's last start. */
START_TEST(a_time_to_come_is_nothing)
{
	share_waited(&share, true, 0, NOW_US - 1000, NOW_US);
	ck_assert_int_eq(seen_by_next(listening, NOW_US - 1).yield_until_us, 0);
}
END_TEST

static const struct {
	bool takes;
	uint64_t requests;
	int64_t waited_us;
	bool yields;
} waits[] = {
	{true, 0, 1000, true},
	{false, 0, 1000, false}, /* it accepts none, or its database hangs */
	{true, 0, 20, true},
	{true, 0, 19, false}, /* it had something to do at once */
	{true, CAPACITY / 2, 1000, true},
	{true, CAPACITY / 2 + 1, 1000, false}, /* it has enough */
};

START_TEST(a_worker_keeps_up_while_it_waits_for_something_to_do)
{
	share_waited(&share, waits[_i].takes, waits[_i].requests, NOW_US - waits[_i].waited_us,
		     NOW_US);
	ck_assert_int_eq(seen_by_next(listening, NOW_US).yield_until_us,
			 waits[_i].yields ? NOW_US + SHARE_US : 0);
}
END_TEST

START_TEST(workers_of_another_socket_are_none)
{
	share_waited(&share, true, 0, NOW_US - 1000, NOW_US);
	struct seen seen = seen_by_next(other_socket, NOW_US);
	ck_assert_int_eq(seen.yield_until_us, 0);
	ck_assert(!seen.has_others);
}
END_TEST

START_TEST(a_worker_that_has_ended_is_none)
{
	share_waited(&share, true, 0, NOW_US - 1000, NOW_US);
	share_close();
	ck_assert(!seen_by_next(listening, NOW_US).has_others);
}
END_TEST

/* The first worker never leaves connections to later ones. */
START_TEST(the_first_worker_yields_to_none)
{
	(void)seen_by_next(listening, NOW_US);
	share_waited(&share, true, 0, NOW_US - 1000, NOW_US);
	ck_assert_int_eq(share.yield_until_us, 0);
	ck_assert(share.has_others);
	ck_assert(share.keeps);
}
END_TEST

static const struct {
	uint64_t requests;
	int64_t waited_us; /* of a window */
	bool keeps;	   /* the later worker, its connections */
} loads[] = {
	{CAPACITY / 4, WINDOW_US / 4, false},
	{CAPACITY / 4, WINDOW_US / 4 - 1, true},
	{CAPACITY / 4 + 1, WINDOW_US / 4, true},
};

START_TEST(connections_move_to_a_worker_with_little_to_do)
{
	share_waited(&share, true, loads[_i].requests, NOW_US + WINDOW_US - loads[_i].waited_us,
		     NOW_US + WINDOW_US);
	ck_assert_int_eq(seen_by_next(listening, NOW_US + WINDOW_US).keeps, loads[_i].keeps);
}
END_TEST

START_TEST(a_busy_worker_keeps_its_connections_if_it_is_alone)
{
	share_waited(&share, true, 0, NOW_US, NOW_US);
	ck_assert(share.keeps);
	(void)seen_by_next(listening, NOW_US);
	share_waited(&share, true, 0, NOW_US, NOW_US);
	ck_assert(!share.keeps);
	/* The other one has not been seen for long. */
	share_waited(&share, true, 0, NOW_US + LONG_US, NOW_US + LONG_US);
	ck_assert(share.keeps);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("share");
	TCase *cases = tcase_create("share");

	tcase_add_checked_fixture(cases, set_up, tear_down);
	tcase_add_test(cases, later_workers_leave_connections_to_one_that_keeps_up);
	tcase_add_test(cases, a_worker_that_says_nothing_is_not_relied_on);
	tcase_add_test(cases, a_time_to_come_is_nothing);
	tcase_add_loop_test(cases, a_worker_keeps_up_while_it_waits_for_something_to_do, 0,
			    LENGTH(waits));
	tcase_add_test(cases, workers_of_another_socket_are_none);
	tcase_add_test(cases, a_worker_that_has_ended_is_none);
	tcase_add_test(cases, the_first_worker_yields_to_none);
	tcase_add_loop_test(cases, connections_move_to_a_worker_with_little_to_do, 0,
			    LENGTH(loads));
	tcase_add_test(cases, a_busy_worker_keeps_its_connections_if_it_is_alone);
	suite_add_tcase(suite, cases);
	return suite;
}
