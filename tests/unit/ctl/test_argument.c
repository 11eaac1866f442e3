/*
 * test_argument.c - timestamps, ids and files among the arguments of the tool, over a libpq that
 * plays scripts.
 */
#include <stdio.h>
#include <string.h>

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
	captured_log_stop();
}

static void show_value(const char *what, int count, const char *const *values, const int *lengths,
		       const int *formats, char *out, size_t size)
{
	(void)what, (void)lengths, (void)formats;
	ck_assert_int_eq(count, 1);
	(void)snprintf(out, size, "%s", values[0]);
}

static const struct libpq_value cells[] = {{"f", 1}, {"2031-05-01T00:00:00Z", 20}};
static const struct libpq_result answer = {
	.status = PGRES_TUPLES_OK, .rows = 1, .columns = 2, .values = cells};

/* Reads an option as a timestamp; asked is what the database is asked. */
static enum ctl_exit read_timestamp(const char *text, const char *sign, const char *asked,
				    const struct libpq_result *result,
				    struct store_timestamp *timestamp)
{
	const struct libpq_call script[] = {
		LIBPQ_CONNECT, LIBPQ_SEND(asked), LIBPQ_ANSWER(result), LIBPQ_FINISH, {0}};
	const struct pg_options options = {.application_name = "unit", .quiet = true};
	int64_t soon = clock_now_ms() + 60000;

	libpq_show_by(show_value);
	libpq_play(script);
	ck_assert_int_eq(pg_open(&ctl.db, &options), STATUS_OK);
	ck_assert_int_eq(pg_connect(ctl.db, soon), STATUS_OK);
	ctl.store = (struct store){.db = ctl.db, .arena = &ctl.arena, .deadline_ms = soon};
	ctl.values[CTL_SINCE] = text;
	enum ctl_exit status = ctl_read_timestamp(&ctl, CTL_SINCE, sign, timestamp);
	pg_close(ctl.db);
	libpq_check_end();
	return status;
}

/* ---- timestamps ---- */

static const struct {
	const char *text, *sign, *asked;
} good[] = {
	{"2031-05-01", "", "2031-05-01T00:00:00Z"},
	{"2031-05-01T12:00Z", "", "2031-05-01T12:00:00Z"},
	{"2031-05-01 12:00:00Z", "", "2031-05-01T12:00:00Z"},
	{"2031-05-01T12:00:00.123456Z", "", "2031-05-01T12:00:00.123456Z"},
	{"2031-05-01T12:00:00+02", "-", "2031-05-01T10:00:00Z"},
	{"2031-05-01T12:00:00-0230", "", "2031-05-01T14:30:00Z"},
	{"2031-05-01T12:00:00+02:30", "", "2031-05-01T09:30:00Z"},
	/* Spans from now on, or until now. */
	{"90d", "", "90d"},
	{"90d", "-", "-90d"},
	{"0s", "-", "-0s"},
	{"99999w", "", "99999w"},
};

START_TEST(a_timestamp_is_read)
{
	struct store_timestamp timestamp;

	ck_assert_int_eq(
		read_timestamp(good[_i].text, good[_i].sign, good[_i].asked, &answer, &timestamp),
		CTL_FINE);
	ck_assert(slice_equal(timestamp.text, SLICE("2031-05-01T00:00:00Z")));
	ck_assert(!timestamp.past);
	ck_assert_str_eq(captured_log(), "");
}
END_TEST

/* Without a zone it would be the server's; what else PostgreSQL takes ("tomorrow") is not meant. */
static const char *const bad[] = {
	"",
	"tomorrow",
	"2031",
	"2031-5-1",
	"2031-05-01T",
	"2031-05-01T12:00:00",
	"2031-05-01T12:00:00.Z",
	"2031-05-01T12:00:00+2",
	"2031-05-01T12:00:00+02:3",
	"2031-05-01T12:00:00Z ",
	"2031-05-01T12:00:00Z+02",
	"2031-05-01T12:00:00 UTC",
	"2031-02-31",
	"2031-05-01T25:00:00Z",
	"d",
	"90",
	"90x",
	"90 d",
	"-90d",
	"100000d",
	"1.5d",
	"90dd",
};

START_TEST(another_text_is_not_a_timestamp)
{
	struct store_timestamp timestamp;
	char err[256];

	ctl.values[CTL_SINCE] = bad[_i];
	ck_assert_int_eq(ctl_read_timestamp(&ctl, CTL_SINCE, "", &timestamp), CTL_USAGE);
	(void)snprintf(err, sizeof(err), "sluicectl: \"%s\" is not a valid timestamp\nHINT: write ",
		       bad[_i]);
	ck_assert_mem_eq(captured_log(), err, strlen(err));
}
END_TEST

static const struct {
	struct libpq_result result;
	enum ctl_exit exit;
	const char *err;
} failures[] = {
	{LIBPQ_ERROR("22008", "date out of range"), CTL_USAGE,
	 "sluicectl: \"9d\" is not a valid timestamp: date out of range\n"},
	{LIBPQ_ERROR("57014", "canceled"), CTL_UNREACHABLE, "sluicectl: canceled\n"},
	{LIBPQ_ERROR("42501", "permission denied"), CTL_FAILED,
	 "sluicectl: permission denied\nHINT: connect as a member of sluice_admin, or for migrate as the database's owner\n"},
	/* Of another release: not what the server says about casts. */
	{{.status = PGRES_FATAL_ERROR,
	  .sqlstate = "42883",
	  .severity = "ERROR",
	  .message = "no function",
	  .hint = "add casts"},
	 CTL_FAILED,
	 "sluicectl: no function\nHINT: the schema is missing, or of another release than this program: sluicectl check says which\n"},
	{{.status = PGRES_TUPLES_OK, .rows = 1, .columns = 7},
	 CTL_FAILED,
	 "sluicectl: the database's answer is not the expected one\nHINT: the schema is missing, or of another release than this program: sluicectl check says which\n"},
};

START_TEST(the_database_may_refuse_a_timestamp)
{
	struct store_timestamp timestamp;

	ck_assert_int_eq(read_timestamp("9d", "", "9d", &failures[_i].result, &timestamp),
			 failures[_i].exit);
	ck_assert_str_eq(captured_log(), failures[_i].err);
}
END_TEST

/* ---- ids ---- */

static const struct {
	const char *text;
	enum ctl_exit exit;
	int64_t id;
	const char *err;
} ids[] = {
	{"0", CTL_FINE, 0, ""},
	{"9223372036854775807", CTL_FINE, INT64_MAX, ""},
	{"", CTL_USAGE, -1, "sluicectl: the id is empty\n"},
#define NOT_AN_ID(text)                                                                            \
	{                                                                                          \
		text, CTL_USAGE, -1,                                                               \
			"sluicectl: \"" text                                                       \
			"\" is not the id of a key\nHINT: the command \"list\" shows the ids\n"    \
	}
	NOT_AN_ID("9223372036854775808"),
	NOT_AN_ID("-1"),
	NOT_AN_ID("1x"),
	NOT_AN_ID("a key"),
};

START_TEST(an_id_is_digits)
{
	int64_t id = -1;

	ctl.argument = ids[_i].text;
	ck_assert_int_eq(ctl_read_id(&ctl, "key", &id), ids[_i].exit);
	if (ids[_i].exit == CTL_FINE)
		ck_assert_int_eq(id, ids[_i].id);
	ck_assert_str_eq(captured_log(), ids[_i].err);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("argument");
	TCase *tests = tcase_create("argument");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_loop_test(tests, a_timestamp_is_read, 0, LENGTH(good));
	tcase_add_loop_test(tests, another_text_is_not_a_timestamp, 0, LENGTH(bad));
	tcase_add_loop_test(tests, the_database_may_refuse_a_timestamp, 0, LENGTH(failures));
	tcase_add_loop_test(tests, an_id_is_digits, 0, LENGTH(ids));
	suite_add_tcase(suite, tests);
	return suite;
}
