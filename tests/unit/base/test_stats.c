/*
 * test_stats.c - counters that outlive their process, and who has which slot. Other workers are
 * forked.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/stats.h"
#include "captured_log.h"
#include "check_main.h"

enum { LAYOUT = 42, OTHER_LAYOUT = 43 };

static char directory[] = "/tmp/sluice-stats-XXXXXX", path[64];

static void set_up(void)
{
	captured_log_start();
	must(mkdtemp(directory) != NULL);
	(void)snprintf(path, sizeof(path), "%s/metrics", directory);
}

static void tear_down(void)
{
	stats_close();
	(void)unlink(path);
	(void)rmdir(directory);
	captured_log_stop();
}

static uint64_t all_lost_lines(void)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < STATS_WORKERS; i++)
		sum += stats_get(&stats_slot(i)->lost_log_lines);
	return sum;
}

static int running(void)
{
	int count = 0;

	for (unsigned i = 0; i < STATS_WORKERS; i++)
		count += stats_is_running(i);
	return count;
}

/* Another worker, which counts one line and runs until the pipe is closed. */
static pid_t start_worker(int stop[2], uint64_t layout)
{
	int ready[2];
	char byte;

	must(pipe(ready) == 0);
	pid_t child = fork();
	if (child == 0) {
		(void)close(stop[1]);
		stats_open(path, layout, STATS_WORKER);
		stats_add(&stats_mine()->lost_log_lines, 1);
		must(write(ready[1], "", 1) == 1);
		must(read(stop[0], &byte, 1) == 0);
		_exit(0);
	}
	must(child > 0 && read(ready[0], &byte, 1) == 1);
	(void)close(ready[0]);
	(void)close(ready[1]);
	return child;
}

static void await(pid_t child)
{
	int how;

	must(waitpid(child, &how, 0) == child && how == 0);
}

START_TEST(workers_have_slots_of_their_own)
{
	int stop[2];

	must(pipe(stop) == 0);
	stats_open(path, LAYOUT, STATS_WORKER);
	stats_add(&stats_mine()->lost_log_lines, 5);
	pid_t one = start_worker(stop, LAYOUT), other = start_worker(stop, LAYOUT);
	ck_assert_int_eq(running(), 3);
	ck_assert_uint_eq(stats_get(&stats_mine()->lost_log_lines), 5);
	ck_assert_uint_eq(stats_get(&stats_mine()->pid), (uint64_t)getpid());
	ck_assert_uint_eq(all_lost_lines(), 7);
	(void)close(stop[1]);
	await(one);
	await(other);
	ck_assert_int_eq(running(), 1);
	ck_assert_uint_eq(all_lost_lines(), 7);
	(void)close(stop[0]);
}
END_TEST

START_TEST(a_successor_goes_on_counting)
{
	stats_open(path, LAYOUT, STATS_WORKER);
	stats_add(&stats_mine()->lost_log_lines, 5);
	stats_close();
	ck_assert_int_eq(running(), 0);
	stats_open(path, LAYOUT, STATS_WORKER);
	ck_assert_uint_eq(stats_get(&stats_mine()->lost_log_lines), 5);
	ck_assert_str_eq(captured_log(), "");
}
END_TEST

START_TEST(children_add_to_their_parents_slot)
{
	stats_open(_i == 0 ? path : "", LAYOUT, STATS_WORKER);
	pid_t child = fork();
	if (child == 0) {
		stats_add(&stats_mine()->lost_log_lines, 3);
		_exit(running() == 1 ? 0 : 1);
	}
	await(child);
	ck_assert_uint_eq(stats_get(&stats_mine()->lost_log_lines), 3);
	ck_assert_int_eq(running(), 1);
}
END_TEST

/* An older worker goes on in its own file. */
START_TEST(a_file_of_another_layout_is_replaced)
{
	int stop[2];

	must(pipe(stop) == 0);
	pid_t old = start_worker(stop, OTHER_LAYOUT);
	stats_open(path, LAYOUT, STATS_WORKER);
	ck_assert_uint_eq(all_lost_lines(), 0);
	ck_assert_int_eq(running(), 1);
	ck_assert_str_eq(captured_log(), "");
	(void)close(stop[1]);
	await(old);
	(void)close(stop[0]);
}
END_TEST

/* It may have been cut while it was made. */
START_TEST(a_file_of_another_size_is_replaced)
{
	int fd = open(path, O_WRONLY | O_CREAT, 0600);

	must(fd >= 0 && write(fd, "x", 1) == 1 && close(fd) == 0);
	stats_open(path, LAYOUT, STATS_WORKER);
	ck_assert_str_eq(captured_log(), "");
	ck_assert_int_eq(stats_attach(path, LAYOUT), STATUS_OK);
}
END_TEST

START_TEST(without_a_file_the_process_counts_for_itself)
{
	(void)snprintf(path, sizeof(path), "%s/none/metrics", directory);
	stats_open(path, LAYOUT, STATS_WORKER);
	check_says(captured_log(), "could not open the file of metrics");
	stats_add(&stats_mine()->lost_log_lines, 1);
	ck_assert_uint_eq(all_lost_lines(), 1);
	ck_assert_int_eq(running(), 1);
}
END_TEST

START_TEST(a_symbolic_link_is_not_followed)
{
	struct stat is;

	must(symlink("/dev/null", path) == 0);
	stats_open(path, LAYOUT, STATS_WORKER);
	check_says(captured_log(), "could not open the file of metrics");
	ck_assert(lstat(path, &is) == 0 && S_ISLNK(is.st_mode));
}
END_TEST

START_TEST(who_passes_takes_no_slot)
{
	stats_open(path, LAYOUT, STATS_PASSING);
	stats_add(&stats_mine()->lost_log_lines, 1);
	ck_assert_int_eq(running(), 0);
	ck_assert_uint_eq(all_lost_lines(), 1);
}
END_TEST

START_TEST(more_workers_than_slots_share_the_last)
{
	int stop[2];
	pid_t workers[STATS_WORKERS];

	must(pipe(stop) == 0);
	for (int i = 0; i < STATS_WORKERS; i++)
		workers[i] = start_worker(stop, LAYOUT);
	stats_open(path, LAYOUT, STATS_WORKER);
	stats_add(&stats_mine()->lost_log_lines, 1);
	ck_assert_ptr_eq(stats_mine(), stats_slot(STATS_WORKERS - 1));
	ck_assert_uint_eq(all_lost_lines(), STATS_WORKERS + 1);
	(void)close(stop[1]);
	for (int i = 0; i < STATS_WORKERS; i++)
		await(workers[i]);
	(void)close(stop[0]);
}
END_TEST

START_TEST(the_file_can_be_read)
{
	ck_assert_int_eq(stats_attach(path, LAYOUT), STATUS_NO_SUCH_ROW);
	stats_open(path, LAYOUT, STATS_WORKER);
	stats_add(&stats_mine()->lost_log_lines, 2);
	ck_assert_int_eq(stats_attach(path, OTHER_LAYOUT), STATUS_NO_SUCH_ROW);
	ck_assert_int_eq(stats_attach(path, LAYOUT), STATUS_OK);
	ck_assert_uint_eq(all_lost_lines(), 2);
	ck_assert_int_eq(running(), 0);
}
END_TEST

static const struct {
	uint64_t value;
	unsigned bucket;
} observed[] = {{0, 0},
		{1000, 0},
		{1001, 1},
		{2500, 1},
		{9999999, 12},
		{10000000, 12},
		{10000001, STATS_BUCKETS}};

START_TEST(a_value_is_counted_below_its_bound)
{
	struct stats_histogram histogram = {0};

	stats_observe(&histogram, stats_durations_us, observed[_i].value);
	for (unsigned i = 0; i <= STATS_BUCKETS; i++)
		ck_assert_uint_eq(stats_get(&histogram.buckets[i]), i == observed[_i].bucket);
	ck_assert_uint_eq(stats_get(&histogram.sum), observed[_i].value);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("stats");
	TCase *tcase = tcase_create("stats");

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, workers_have_slots_of_their_own);
	tcase_add_test(tcase, a_successor_goes_on_counting);
	tcase_add_loop_test(tcase, children_add_to_their_parents_slot, 0, 2);
	tcase_add_test(tcase, a_file_of_another_layout_is_replaced);
	tcase_add_test(tcase, a_file_of_another_size_is_replaced);
	tcase_add_test(tcase, without_a_file_the_process_counts_for_itself);
	tcase_add_test(tcase, a_symbolic_link_is_not_followed);
	tcase_add_test(tcase, who_passes_takes_no_slot);
	tcase_add_test(tcase, more_workers_than_slots_share_the_last);
	tcase_add_test(tcase, the_file_can_be_read);
	tcase_add_loop_test(tcase, a_value_is_counted_below_its_bound, 0, LENGTH(observed));
	suite_add_tcase(suite, tcase);
	return suite;
}
