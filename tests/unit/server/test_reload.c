/*
 * test_reload.c - SIGHUP: the configuration is read again, or kept if it has a fault.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "base/log.h"
#include "captured_log.h"
#include "check_main.h"
#include "server/process.h"
#include "server/reload.h"

#define SAME "database = dbname=x\n"

static int children;
static struct arena arena;
static struct config config;
static char path[] = "/tmp/sluice-conf-XXXXXX";
static sigset_t while_waiting;

static void write_file(const char *text)
{
	int fd = open(path, O_WRONLY | O_TRUNC);

	must(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text) && close(fd) == 0);
}

/* Of the database "bad" says no. */
static enum status try_database(const struct config *fresh, struct buf *cause)
{
	if (strcmp(fresh->database, "dbname=bad") != 0)
		return STATUS_OK;
	buf_add_text(cause, "it is bad");
	return STATUS_MISCONFIGURED;
}

static void set_up(void)
{
	const char *message;

	captured_log_start();
	must(close(mkstemp(path)) == 0);
	write_file("database = dbname=x\n");
	must(config_read(&arena, path, &config, NULL, &message) == STATUS_OK);
	process_start(&while_waiting);
	reload_prepare("test", path, &config, try_database);
	(void)captured_log();
}

static void tear_down(void)
{
	(void)unlink(path);
	reload_prepare(NULL, NULL, NULL, NULL);
	arena_free(&arena);
	captured_log_stop();
}

static void hang_up(void)
{
	must(raise(SIGHUP) == 0);
	(void)sigsuspend(&while_waiting);
	reload_if_asked(&children);
}

START_TEST(nothing_is_read_without_a_signal)
{
	write_file("request_timeout = 9s\n");
	reload_if_asked(&children);
	ck_assert_int_eq(config.request_timeout_ms, 10000);
	ck_assert_str_eq(captured_log(), "");
}
END_TEST

START_TEST(a_signal_takes_what_can_change)
{
	write_file("request_timeout = 9s\nlog_level = warning\n" SAME);
	hang_up();
	ck_assert_int_eq(config.request_timeout_ms, 9000);
	ck_assert_int_eq(config.log_level, LOG_LEVEL_WARNING);
	ck_assert_str_eq(captured_log(), ""); /* the level is in effect */
	write_file("request_timeout = 8s\nlarge_body = 1KiB\n" SAME);
	hang_up();
	check_says(captured_log(), "event=\"configuration reloaded\" taken=\"log_level "
				   "request_timeout\" needs_restart=large_body\n");
}
END_TEST

START_TEST(a_fault_changes_nothing)
{
	write_file("request_timeout = 9s\nnonsense = 1\n");
	hang_up();
	ck_assert_int_eq(config.request_timeout_ms, 10000);
	check_says(captured_log(), "event=\"could not reload the configuration\" cause=");
}
END_TEST

START_TEST(doubts_are_logged)
{
	write_file("database = dbname=x\ndatabase_timeout = 1min\n");
	hang_up();
	check_says(captured_log(), "event=\"doubtful configuration\" fault=\"database_timeout "
				   "(1min) exceeds request_timeout (10s): no request waits that "
				   "long\"\n");
	ck_assert_int_eq(config.database_timeout_ms, 60000);
}
END_TEST

/* ---- another database ---- */

/* As a process waits: the end of the child is a signal. */
static void await_trial(void)
{
	while (children > 0) {
		(void)sigsuspend(&while_waiting);
		while (process_reap(&children) > 0)
			;
	}
	reload_if_asked(&children);
}

START_TEST(another_database_is_tried_before_it_is_taken)
{
	write_file("database = dbname=y\n");
	hang_up();
	ck_assert_str_eq(config.database, "dbname=x");
	check_says(captured_log(), "event=\"configuration reloaded\"\n");
	ck_assert_int_eq(children, 1);
	await_trial();
	ck_assert_str_eq(config.database, "dbname=y");
	check_says(captured_log(), "event=\"the new database is used from now on\"\n");
	write_file("database = dbname=z\n");
	hang_up();
	await_trial();
	ck_assert_str_eq(config.database, "dbname=z");
}
END_TEST

START_TEST(a_bad_database_is_not_taken)
{
	write_file("database = dbname=bad\nrequest_timeout = 9s\n");
	hang_up();
	await_trial();
	ck_assert_str_eq(config.database, "dbname=x");
	ck_assert_int_eq(config.request_timeout_ms, 9000);
	check_says(captured_log(), "event=\"the new database cannot be used: the old one stays\" "
				   "code=misconfigured cause=\"it is bad\"\n");
}
END_TEST

START_TEST(what_libpq_does_not_understand_is_not_tried)
{
	write_file("database = password=geheim nonsense\n");
	hang_up();
	ck_assert_int_eq(children, 0);
	ck_assert_str_eq(config.database, "dbname=x");
	const char *log = captured_log();
	check_says(log, "event=\"the new database cannot be used: the old one stays\" "
			"code=invalid_value cause=\"libpq does not understand it\"\n");
	ck_assert_ptr_null(strstr(log, "geheim"));
}
END_TEST

START_TEST(the_last_signal_decides)
{
	write_file("database = dbname=y\n");
	hang_up();
	write_file(SAME);
	hang_up();
	await_trial();
	ck_assert_str_eq(config.database, "dbname=x");
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("reload");
	TCase *tcase = tcase_create("reload");

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, nothing_is_read_without_a_signal);
	tcase_add_test(tcase, a_signal_takes_what_can_change);
	tcase_add_test(tcase, a_fault_changes_nothing);
	tcase_add_test(tcase, doubts_are_logged);
	tcase_add_test(tcase, another_database_is_tried_before_it_is_taken);
	tcase_add_test(tcase, a_bad_database_is_not_taken);
	tcase_add_test(tcase, what_libpq_does_not_understand_is_not_tried);
	tcase_add_test(tcase, the_last_signal_decides);
	suite_add_tcase(suite, tcase);
	return suite;
}
