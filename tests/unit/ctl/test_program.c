/*
 * test_program.c - programs of the operator's, and what becomes of the partitions that they are
 * handed, over a libpq that plays scripts.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "captured_log.h"
#include "check_main.h"
#include "ctl/ctl_internal.h"
#include "pg/scripted_libpq.h"

static struct ctl ctl;

static void set_up(void)
{
	captured_log_start();
	ctl = (struct ctl){.out = buf_make(4096)};
}

static void tear_down(void)
{
	arena_free(&ctl.arena);
	buf_free(&ctl.out);
	captured_log_stop();
}

/* ---- programs ---- */

static const char *shell(const char *script)
{
	const struct slice words[] = {SLICE("sh"),   SLICE("-c"),  slice_of(script),
				      SLICE("name"), SLICE("a b"), SLICE("")};

	return ctl_run_program(&ctl.arena, words, ARRAY_LENGTH(words));
}

static const struct {
	const char *script, *failure;
} programs[] = {
	{"exit 0", NULL},
	{"test $# = 2 && test \"$1\" = 'a b' && test -z \"$2\"", NULL},
	{"! read -r line", NULL},
	{"exit 7", "it exited with 7"},
	{"kill -TERM $$", "it was ended by signal 15"},
};

START_TEST(a_program_fails_or_not)
{
	const char *failure = shell(programs[_i].script);

	if (programs[_i].failure == NULL)
		ck_assert_ptr_null(failure);
	else
		ck_assert_str_eq(failure, programs[_i].failure);
}
END_TEST

START_TEST(no_program)
{
	const struct slice words[] = {SLICE("/nowhere/program")};

	ck_assert_str_eq(ctl_run_program(&ctl.arena, words, 1),
			 "could not run it: No such file or directory");
}
END_TEST

START_TEST(what_a_program_prints)
{
	char text[16] = "";
	int pipes[2], before = dup(STDERR_FILENO);

	must(pipe(pipes) == 0 && dup2(pipes[1], STDERR_FILENO) >= 0);
	const char *failure = shell("echo out; echo err >&2");
	must(dup2(before, STDERR_FILENO) >= 0 && close(pipes[1]) == 0 && close(before) == 0);
	ck_assert_ptr_null(failure);
	must(read(pipes[0], text, sizeof(text) - 1) == 8 && close(pipes[0]) == 0);
	ck_assert_str_eq(text, "out\nerr\n");
}
END_TEST

static enum status run_true(void)
{
	const struct slice words[] = {SLICE("true")};
	struct arena arena = {0};
	const char *failure = ctl_run_program(&arena, words, 1);
	enum status status = STATUS_OK;

	/* posix_spawn allocates, too. */
	if (failure != NULL)
		status = strcmp(failure, "out of memory") == 0 ||
					 strcmp(failure,
						"could not run it: Cannot allocate memory") == 0
				 ? STATUS_NO_MEMORY
				 : STATUS_INTERNAL;
	arena_free(&arena);
	return status;
}

START_TEST(a_program_without_memory)
{
	ck_assert_int_ge(unit_torture(run_true), 1);
}
END_TEST

/* ---- partitions ---- */

#define DAY(n)                                                                                     \
	{"sluice.p" n, 9}, {"signal", 6}, {"2031-05-0" n "Z", 11},                                 \
	{                                                                                          \
		"until", 5                                                                         \
	}

static const struct libpq_value days[] = {DAY("1"), DAY("2")};
static const struct libpq_result two_days = {
	.status = PGRES_TUPLES_OK, .rows = 2, .columns = 4, .values = days};
static const struct libpq_value nothing[] = {{"", 0}};
static const struct libpq_result dropped = {
	.status = PGRES_TUPLES_OK, .rows = 1, .columns = 1, .values = nothing};
static const struct libpq_result in_use = LIBPQ_ERROR("55P03", "in use");
static const struct libpq_result refused = LIBPQ_ERROR("42501", "permission denied");

static enum ctl_exit archive(const char *program, const struct libpq_call *script,
			     struct store_list *archived, int64_t end_ms)
{
	const struct pg_options options = {
		.conninfo = "", .application_name = "unit", .quiet = true};
	int64_t soon = clock_now_ms() + 60000;

	libpq_play(script);
	ck_assert_int_eq(pg_open(&ctl.db, &options), STATUS_OK);
	ck_assert_int_eq(pg_connect(ctl.db, soon), STATUS_OK);
	ctl.store = (struct store){
		.db = ctl.db, .arena = &ctl.arena, .actor = SLICE("a"), .deadline_ms = soon};
	ctl.values[CTL_ARCHIVE] = program;
	enum ctl_exit exit = ctl_archive(&ctl, end_ms, archived);
	pg_close(ctl.db);
	libpq_check_end();
	return exit;
}

static void check_archived(const struct store_list *archived, size_t index, const char *partition,
			   const char *result, const char *message)
{
	const struct ctl_archived *items = archived->items;

	ck_assert_uint_lt(index, archived->count);
	ck_assert_str_eq(items[index].partition.p, partition);
	ck_assert_str_eq(items[index].result.p, result);
	if (message == NULL)
		ck_assert_ptr_null(items[index].message.p);
	else
		ck_assert_str_eq(items[index].message.p, message);
}

START_TEST(what_succeeds_is_dropped)
{
	static const struct libpq_call script[] = {
		LIBPQ_CONNECT,		LIBPQ_SEND(NULL),      LIBPQ_ANSWER(&two_days),
		LIBPQ_SEND(NULL),	LIBPQ_ANSWER(&in_use), LIBPQ_SEND(NULL),
		LIBPQ_ANSWER(&dropped), LIBPQ_FINISH,	       {0}};
	struct store_list archived = {0};

	ck_assert_int_eq(archive("true", script, &archived, INT64_MAX), CTL_FAILED);
	ck_assert_uint_eq(archived.count, 2);
	check_archived(&archived, 0, "sluice.p1", "failed", "could not drop it: in use");
	check_archived(&archived, 1, "sluice.p2", "archived", NULL);
	ck_assert_str_eq(captured_log(), "sluicectl: could not archive \"sluice.p1\": could not "
					 "drop it: in use\n");
}
END_TEST

START_TEST(what_fails_stays)
{
	static const struct libpq_call script[] = {
		LIBPQ_CONNECT, LIBPQ_SEND(NULL), LIBPQ_ANSWER(&two_days), LIBPQ_FINISH, {0}};
	struct store_list archived = {0};

	ck_assert_int_eq(archive("false", script, &archived, INT64_MAX), CTL_FAILED);
	ck_assert_uint_eq(archived.count, 2);
	check_archived(&archived, 0, "sluice.p1", "failed", "it exited with 1");
	check_archived(&archived, 1, "sluice.p2", "failed", "it exited with 1");
}
END_TEST

START_TEST(what_is_left_when_the_time_is_up)
{
	static const struct libpq_call script[] = {
		LIBPQ_CONNECT, LIBPQ_SEND(NULL), LIBPQ_ANSWER(&two_days), LIBPQ_FINISH, {0}};
	struct store_list archived = {0};

	ck_assert_int_eq(archive("true", script, &archived, 0), CTL_FINE);
	ck_assert_uint_eq(archived.count, 0);
}
END_TEST

START_TEST(a_list_that_is_refused)
{
	static const struct libpq_call script[] = {
		LIBPQ_CONNECT, LIBPQ_SEND(NULL), LIBPQ_ANSWER(&refused), LIBPQ_FINISH, {0}};
	struct store_list archived = {0};

	ck_assert_int_eq(archive("true", script, &archived, INT64_MAX), CTL_FAILED);
	ck_assert_uint_eq(archived.count, 0);
	check_says(captured_log(), "permission denied");
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("program");
	TCase *tests = tcase_create("program");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_loop_test(tests, a_program_fails_or_not, 0, LENGTH(programs));
	tcase_add_test(tests, no_program);
	tcase_add_test(tests, what_a_program_prints);
	tcase_add_test(tests, a_program_without_memory);
	tcase_add_test(tests, what_succeeds_is_dropped);
	tcase_add_test(tests, what_fails_stays);
	tcase_add_test(tests, what_is_left_when_the_time_is_up);
	tcase_add_test(tests, a_list_that_is_refused);
	suite_add_tcase(suite, tests);
	return suite;
}
