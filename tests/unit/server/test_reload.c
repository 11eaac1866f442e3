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

static struct arena arena;
static struct config config;
static char path[] = "/tmp/sluice-conf-XXXXXX";
static sigset_t while_waiting;

static void write_file(const char *text)
{
	int fd = open(path, O_WRONLY | O_TRUNC);

	must(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text) && close(fd) == 0);
}

static void set_up(void)
{
	const char *message;

	captured_log_start();
	must(close(mkstemp(path)) == 0);
	write_file("database = dbname=x\n");
	must(config_read(&arena, path, &config, NULL, &message) == STATUS_OK);
	process_start(&while_waiting);
	reload_prepare("test", path, &config);
	(void)captured_log();
}

static void tear_down(void)
{
	(void)unlink(path);
	arena_free(&arena);
	captured_log_stop();
}

static void hang_up(void)
{
	must(raise(SIGHUP) == 0);
	(void)sigsuspend(&while_waiting);
	reload_if_asked();
}

START_TEST(nothing_is_read_without_a_signal)
{
	write_file("request_timeout = 9s\n");
	reload_if_asked();
	ck_assert_int_eq(config.request_timeout_ms, 10000);
	ck_assert_str_eq(captured_log(), "");
}
END_TEST

START_TEST(a_signal_takes_what_can_change)
{
	write_file("database = dbname=y\nrequest_timeout = 9s\nlog_level = warning\n");
	hang_up();
	ck_assert_int_eq(config.request_timeout_ms, 9000);
	ck_assert_str_eq(config.database, "dbname=x");
	ck_assert_int_eq(config.log_level, LOG_LEVEL_WARNING);
	ck_assert_str_eq(captured_log(), ""); /* the level is in effect */
	write_file("database = dbname=y\nrequest_timeout = 8s\n");
	hang_up();
	check_says(captured_log(), "event=\"configuration reloaded\" taken=\"log_level "
				   "request_timeout\" needs_restart=database\n");
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

Suite *unit_suite(void)
{
	Suite *suite = suite_create("reload");
	TCase *tcase = tcase_create("reload");

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, nothing_is_read_without_a_signal);
	tcase_add_test(tcase, a_signal_takes_what_can_change);
	tcase_add_test(tcase, a_fault_changes_nothing);
	tcase_add_test(tcase, doubts_are_logged);
	suite_add_tcase(suite, tcase);
	return suite;
}
