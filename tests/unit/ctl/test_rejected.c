/*
 * test_rejected.c - sluicectl rejected kinds, over a libpq that plays scripts.
 */
#include "scripted_tool.h"

#define KINDS(before, limit)                                                                       \
	"SELECT sluice.reject_kinds($1::text, $2::text, $3::integer)(acme|" before "|" limit ")"
#define ANSWER                                                                                     \
	"{\"kinds\":[{\"code\":\"malformed_json\",\"why\":\"The body is not valid JSON\","         \
	"\"key_id\":7,\"key_name\":\"Forms\",\"key_status\":\"active\",\"open\":12,"               \
	"\"until\":99,\"last_at\":\"2026-11-28T11:00:00Z\"}],\"next\":\"99-12-99\"}"

static const struct libpq_value value = TOOL_VALUE(ANSWER);
static const struct libpq_result answer = TOOL_ONE(&value);

START_TEST(kinds_are_a_table)
{
	static const struct libpq_call script[] = {TOOL_CONNECT,
						   LIBPQ_SEND(KINDS("null", "1")),
						   LIBPQ_ANSWER(&answer),
						   LIBPQ_FINISH,
						   {0}};
	const struct tool_run *run =
		RUN_SCRIPTED(script, "rejected", "kinds", "--organization", "acme", "--limit", "1");

	ck_assert_str_eq(run->out,
			 "OPEN  CODE            KEY  NAME   STATUS  LAST                  WHY\n"
			 "12    malformed_json  7    Forms  active  2026-11-28T11:00:00Z  "
			 "The body is not valid JSON\n");
	ck_assert_str_eq(run->err, "there are more; go on with --before 99-12-99\n");
	ck_assert_int_eq(run->exit, CTL_FINE);
	libpq_check_end();
}
END_TEST

START_TEST(json_is_as_the_database_wrote_it)
{
	static const struct libpq_call script[] = {TOOL_CONNECT,
						   LIBPQ_SEND(KINDS("99-12-99", "null")),
						   LIBPQ_ANSWER(&answer),
						   LIBPQ_FINISH,
						   {0}};
	const struct tool_run *run = RUN_SCRIPTED(script, "rejected", "kinds", "--organization",
						  "acme", "--before", "99-12-99", "--json");

	ck_assert_str_eq(run->err, "");
	ck_assert_str_eq(run->out, ANSWER "\n");
	libpq_check_end();
}
END_TEST

START_TEST(what_is_no_next_is_told)
{
	const struct libpq_result refused =
		LIBPQ_ERROR("22023", "is not the \"next\" of an answer");
	const struct libpq_call script[] = {TOOL_CONNECT,
					    LIBPQ_SEND(KINDS("7", "null")),
					    LIBPQ_ANSWER(&refused),
					    LIBPQ_FINISH,
					    {0}};
	const struct tool_run *run = RUN_SCRIPTED(script, "rejected", "kinds", "--organization",
						  "acme", "--before", "7");

	check_says(run->err, "is not the \"next\" of an answer");
	ck_assert_str_eq(run->out, "");
	libpq_check_end();
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("rejected");
	TCase *tests = tcase_create("rejected");

	tcase_add_test(tests, kinds_are_a_table);
	tcase_add_test(tests, json_is_as_the_database_wrote_it);
	tcase_add_test(tests, what_is_no_next_is_told);
	suite_add_tcase(suite, tests);
	return suite;
}
