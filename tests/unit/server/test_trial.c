/*
 * test_trial.c - a database is tried in a child: its verdict, its message, and its end without one.
 */
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "captured_log.h"
#include "check_main.h"
#include "server/process.h"
#include "server/trial.h"

static const struct config config = {.database = "dbname=x", .request_timeout_ms = 10000};
static sigset_t while_waiting;
static struct trial trial = {.fd = -1};
static int children;
static enum status status;
static char cause[TRIAL_CAUSE_BYTES];

static void set_up(void)
{
	captured_log_start();
	process_start(&while_waiting);
}

static void tear_down(void)
{
	captured_log_stop();
}

static void await_end(void)
{
	while (children > 0) {
		(void)sigsuspend(&while_waiting);
		process_reap(&children);
	}
}

static void start(trial_function *function)
{
	ck_assert_int_eq(trial_start(&trial, function, &config, &children), STATUS_OK);
	ck_assert_int_eq(children, 1);
}

static enum status is_good(const struct config *tried, struct buf *out)
{
	(void)out;
	return strcmp(tried->database, "dbname=x") == 0 ? STATUS_OK : STATUS_INTERNAL;
}

static enum status is_bad(const struct config *tried, struct buf *out)
{
	(void)tried;
	buf_add_text(out, "it is bad");
	return STATUS_UNAVAILABLE;
}

static enum status is_long(const struct config *tried, struct buf *out)
{
	(void)tried;
	for (int i = 0; i < TRIAL_CAUSE_BYTES - 1; i++)
		buf_add_char(out, 'x');
	return STATUS_UNAVAILABLE;
}

static enum status dies(const struct config *tried, struct buf *out)
{
	(void)tried;
	(void)out;
	_exit(0);
}

static enum status waits(const struct config *tried, struct buf *out)
{
	(void)tried;
	(void)out;
	(void)pause();
	return STATUS_OK;
}

START_TEST(its_verdict_is_told_once)
{
	ck_assert(!trial_has_ended(&trial, &status, cause));
	start(is_good);
	await_end();
	ck_assert(trial_has_ended(&trial, &status, cause));
	ck_assert_int_eq(status, STATUS_OK);
	ck_assert_str_eq(cause, "");
	ck_assert(!trial_has_ended(&trial, &status, cause));
	start(is_bad);
	await_end();
	ck_assert(trial_has_ended(&trial, &status, cause));
	ck_assert_int_eq(status, STATUS_UNAVAILABLE);
	ck_assert_str_eq(cause, "it is bad");
}
END_TEST

START_TEST(a_long_message_fits)
{
	start(is_long);
	await_end();
	ck_assert(trial_has_ended(&trial, &status, cause));
	ck_assert_uint_eq(strlen(cause), TRIAL_CAUSE_BYTES - 1);
}
END_TEST

START_TEST(an_end_without_a_verdict_is_one)
{
	start(dies);
	await_end();
	ck_assert(trial_has_ended(&trial, &status, cause));
	ck_assert_int_eq(status, STATUS_DEADLINE);
}
END_TEST

START_TEST(nobody_waits_for_it)
{
	start(waits);
	ck_assert(!trial_has_ended(&trial, &status, cause));
	trial_forget(&trial);
	ck_assert(!trial_has_ended(&trial, &status, cause));
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("trial");
	TCase *tests = tcase_create("trial");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, its_verdict_is_told_once);
	tcase_add_test(tests, a_long_message_fits);
	tcase_add_test(tests, an_end_without_a_verdict_is_one);
	tcase_add_test(tests, nobody_waits_for_it);
	suite_add_tcase(suite, tests);
	return suite;
}
