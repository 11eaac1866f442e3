/*
 * test_key_volumes.c - sluicectl key volumes, over a libpq that plays scripts.
 */
#include "scripted_tool.h"

#define VOLUMES(key, limit)                                                                        \
	"SELECT sluice.key_volumes($1::text, $2::bigint, $3::integer)(acme|" key "|" limit ")"
#define ANSWER                                                                                     \
	"{\"as_of\":\"2026-11-28T12:00:00Z\",\"volumes\":[{\"key_id\":7,\"key_name\":\"Forms\","   \
	"\"accepted_today\":3,\"accepted_7_days\":21,\"rejected_7_days\":1,\"refused_7_days\":2,"  \
	"\"last_accepted_at\":\"2026-11-28T11:00:00Z\",\"last_rejected_at\":null,"                 \
	"\"last_refused_at\":null}]}"

static const struct libpq_value value = TOOL_VALUE(ANSWER);
static const struct libpq_result answer = {
	.status = PGRES_TUPLES_OK, .rows = 1, .columns = 1, .values = &value};

START_TEST(volumes_are_a_table)
{
	static const struct libpq_call script[] = {TOOL_CONNECT,
						   LIBPQ_SEND(VOLUMES("null", "5")),
						   LIBPQ_ANSWER(&answer),
						   LIBPQ_FINISH,
						   {0}};
	const struct tool_run *run =
		RUN_SCRIPTED(script, "key", "volumes", "--organization", "acme", "--limit", "5");

	ck_assert_str_eq(run->err, "");
	ck_assert_str_eq(run->out,
			 "KEY  NAME   TODAY  7 DAYS  REJECTED  REFUSED  LAST ACCEPTED         "
			 "LAST REJECTED  LAST REFUSED\n"
			 "7    Forms  3      21      1         2        2026-11-28T11:00:00Z  "
			 "-              -\n");
	ck_assert_int_eq(run->exit, CTL_FINE);
	libpq_check_end();
}
END_TEST

/* --limit goes to 999, and without it there is no end. */
START_TEST(all_are_shown)
{
	enum { KEYS = 1200 };
	struct buf json = buf_make(1 << 20);

	buf_add_text(&json, "{\"volumes\":[");
	for (int i = 1; i <= KEYS; i++)
		buf_add_format(&json, "%s{\"key_id\":%d}", i == 1 ? "" : ",", i);
	buf_add_text(&json, "]}");
	ck_assert_int_eq(json.status, STATUS_OK);
	const struct libpq_value many = {json.p, (int)json.n};
	const struct libpq_result rows = {
		.status = PGRES_TUPLES_OK, .rows = 1, .columns = 1, .values = &many};
	const struct libpq_call script[] = {TOOL_CONNECT,
					    LIBPQ_SEND(VOLUMES("null", "null")),
					    LIBPQ_ANSWER(&rows),
					    LIBPQ_FINISH,
					    {0}};
	const struct tool_run *run =
		RUN_SCRIPTED(script, "key", "volumes", "--organization", "acme");

	ck_assert_str_eq(run->err, "");
	ck_assert_ptr_nonnull(strstr(run->out, "\n999 "));
	ck_assert_ptr_nonnull(strstr(run->out, "\n1000 "));
	ck_assert_ptr_nonnull(strstr(run->out, "\n1200 "));
	ck_assert_int_eq(run->exit, CTL_FINE);
	libpq_check_end();
	buf_free(&json);
}
END_TEST

START_TEST(json_is_as_the_database_wrote_it)
{
	static const struct libpq_call script[] = {TOOL_CONNECT,
						   LIBPQ_SEND(VOLUMES("7", "null")),
						   LIBPQ_ANSWER(&answer),
						   LIBPQ_FINISH,
						   {0}};
	const struct tool_run *run = RUN_SCRIPTED(script, "key", "volumes", "--organization",
						  "acme", "--key", "7", "--json");

	ck_assert_str_eq(run->err, "");
	ck_assert_str_eq(run->out, ANSWER "\n");
	libpq_check_end();
}
END_TEST

START_TEST(a_key_is_named_by_its_id)
{
	static const struct libpq_call script[] = {TOOL_CONNECT, LIBPQ_FINISH, {0}};
	const struct tool_run *run =
		RUN_SCRIPTED(script, "key", "volumes", "--organization", "acme", "--key", "Forms");

	check_says(run->err, "--key must be an id, not \"Forms\"");
	ck_assert_int_eq(run->exit, CTL_USAGE);
	libpq_check_end();
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("key_volumes");
	TCase *tests = tcase_create("key_volumes");

	tcase_add_test(tests, volumes_are_a_table);
	tcase_add_test(tests, all_are_shown);
	tcase_add_test(tests, json_is_as_the_database_wrote_it);
	tcase_add_test(tests, a_key_is_named_by_its_id);
	suite_add_tcase(suite, tests);
	return suite;
}
