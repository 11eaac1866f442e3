/*
 * test_retention.c - sluicectl retention list, retention set, over a libpq that plays scripts.
 */
#include "scripted_tool.h"

#define SET "SELECT sluice.retention_set($1::text, $2::text, $3::interval, $4::text)"

static const struct libpq_value rows[] = {
	TOOL_VALUE("delivery"),
	TOOL_VALUE("7 days"),
	TOOL_VALUE("delete"),
	{NULL, 0},
	TOOL_VALUE("repeats"),
	TOOL_VALUE("signal"),
	{NULL, 0},
	TOOL_VALUE("drop"),
	TOOL_VALUE("something"),
	TOOL_VALUE("signals"),
};
static const struct libpq_result two = {
	.status = PGRES_TUPLES_OK, .rows = 2, .columns = 5, .values = rows};
static const struct libpq_value nothing = TOOL_VALUE("");
static const struct libpq_result done = TOOL_ONE(&nothing);

#define TABLE                                                                                      \
	"TABLE     KEEP    EXPIRED  GOES WITH\n"                                                   \
	"delivery  7 days  delete   -\n"                                                           \
	"signal    -       drop     something\n"

START_TEST(what_is_kept_is_listed)
{
	static const struct libpq_call script[] = {
		TOOL_CONNECT, LIBPQ_SEND(NULL), LIBPQ_ANSWER(&two), LIBPQ_FINISH, {0}};
	const struct tool_run *run = RUN_SCRIPTED(script, "retention", "list");

	ck_assert_str_eq(run->err, "");
	ck_assert_str_eq(run->out, TABLE);
	ck_assert_int_eq(run->exit, CTL_FINE);
	libpq_check_end();
}
END_TEST

/* keep, expired or NULL, and what the database is told. */
static const struct {
	const char *keep, *expired, *told;
} good[] = {
	{"90d", NULL, SET "(signal|90d|null)"},
	{"12h", "detach", SET "(signal|12h|detach)"},
	{"forever", "drop", SET "(signal|null|drop)"},
};

START_TEST(what_is_kept_is_set_and_listed)
{
	const struct libpq_call script[] = {TOOL_CONNECT,
					    LIBPQ_SEND(good[_i].told),
					    LIBPQ_ANSWER(&done),
					    LIBPQ_SEND(NULL),
					    LIBPQ_ANSWER(&two),
					    LIBPQ_FINISH,
					    {0}};
	const struct tool_run *run =
		good[_i].expired == NULL
			? RUN_SCRIPTED(script, "retention", "set", "signal", "--keep",
				       good[_i].keep)
			: RUN_SCRIPTED(script, "retention", "set", "signal", "--keep",
				       good[_i].keep, "--expired", good[_i].expired);

	ck_assert_str_eq(run->err, "");
	ck_assert_str_eq(run->out, TABLE);
	ck_assert_int_eq(run->exit, CTL_FINE);
	libpq_check_end();
}
END_TEST

static const struct {
	const char *keep, *expired, *err;
} bad[] = {
	{"90", "drop", "sluicectl: \"90\" is not a span of time\nHINT: write 90d, or forever\n"},
	{"", "drop", "sluicectl: \"\" is not a span of time\nHINT: write 90d, or forever\n"},
};

START_TEST(what_cannot_be_kept_is_said)
{
	static const struct libpq_call script[] = {TOOL_CONNECT, LIBPQ_FINISH, {0}};
	const struct tool_run *run = RUN_SCRIPTED(script, "retention", "set", "signal", "--keep",
						  bad[_i].keep, "--expired", bad[_i].expired);

	check_says(run->err, bad[_i].err);
	ck_assert_str_eq(run->out, "");
	ck_assert_int_eq(run->exit, CTL_USAGE);
	libpq_check_end();
}
END_TEST

START_TEST(a_refusal_of_the_database_is_said)
{
	static const struct libpq_result refused =
		LIBPQ_ERROR("22023", "no table \"signals\" is kept");
	static const struct libpq_call script[] = {TOOL_CONNECT,
						   LIBPQ_SEND(SET "(signals|1d|null)"),
						   LIBPQ_ANSWER(&refused),
						   LIBPQ_FINISH,
						   {0}};
	const struct tool_run *run =
		RUN_SCRIPTED(script, "retention", "set", "signals", "--keep", "1d");

	ck_assert_str_eq(run->err, "sluicectl: no table \"signals\" is kept\n");
	ck_assert_str_eq(run->out, "");
	ck_assert_int_eq(run->exit, CTL_FAILED);
	libpq_check_end();
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("retention");
	TCase *list = tcase_create("list"), *set = tcase_create("set");

	tcase_add_test(list, what_is_kept_is_listed);
	tcase_add_loop_test(set, what_is_kept_is_set_and_listed, 0, LENGTH(good));
	tcase_add_loop_test(set, what_cannot_be_kept_is_said, 0, LENGTH(bad));
	tcase_add_test(set, a_refusal_of_the_database_is_said);
	suite_add_tcase(suite, list);
	suite_add_tcase(suite, set);
	return suite;
}
