/*
 * test_rejected.c - sluicectl rejected list, rejected kinds, over a libpq that plays scripts.
 */
#include "scripted_tool.h"

#define LIST(parameters)                                                                           \
	"SELECT sluice.rejects_search($1::text, $2::jsonb, $3::bigint, $4::integer, "              \
	"$5::boolean)(" parameters ")"
#define ROW(id)                                                                                    \
	"{\"id\" : " id                                                                            \
	", \"organization\" : \"acme\", \"code\" : \"not_an_object\", \"position\" : 3, "          \
	"\"key_name\" : \"日本\", \"preview\" : \"\\u001b[31m\\u202e\"}"
#define LISTED(rows, next, until)                                                                  \
	"{\"rejects\" : [" rows "], \"next\" : " next ", \"searched_until\" : " until "}"

static const struct libpq_value first_of_list =
	TOOL_VALUE(LISTED(ROW("9"), "9", "\"2025-12-01T00:00:00Z\""));
static const struct libpq_value last_of_list = TOOL_VALUE(LISTED(ROW("7"), "null", "null"));
static const struct libpq_result part = TOOL_ONE(&first_of_list), end = TOOL_ONE(&last_of_list);

START_TEST(all_organizations_are_searched)
{
	static const struct libpq_call script[] = {
		TOOL_CONNECT,
		LIBPQ_SEND(
			LIST("null|{\"identity\":\"jane\",\"request_id\":\"r\",\"source\":\"crm\","
			     "\"key\":\"7\",\"code\":\"not_an_object\",\"state\":\"open\"}"
			     "|12|20|false")),
		LIBPQ_ANSWER(&part),
		LIBPQ_FINISH,
		{0}};
	const struct tool_run *run =
		RUN_SCRIPTED(script, "rejected", "list", "jane", "--request-id=r", "--source=crm",
			     "--key=7", "--code=not_an_object", "--state=open", "--before=12");

	ck_assert_str_eq(
		run->out,
		"ID  RECEIVED  ORGANIZATION  SOURCE  KEY   CODE           ITEM INDEX  STATE  PAYLOAD\n"
		"9   -         acme          -       日本  not_an_object  3           -      "
		"\\u001b[31m\\u202e\n");
	ck_assert_str_eq(run->err, "searched until 2025-12-01T00:00:00Z; go on with --before 9\n");
	ck_assert_int_eq(run->exit, CTL_FINE);
	libpq_check_end();
}
END_TEST

START_TEST(a_file_has_all_parts)
{
	static const struct libpq_call script[] = {TOOL_CONNECT,
						   LIBPQ_SEND(LIST("acme|{}|null|100|true")),
						   LIBPQ_ANSWER(&part),
						   LIBPQ_SEND(LIST("acme|{}|9|100|true")),
						   LIBPQ_ANSWER(&end),
						   LIBPQ_FINISH,
						   {0}};
	const struct tool_run *run = RUN_SCRIPTED(script, "rejected", "list", "--organization",
						  "acme", "--format", "ndjson");

	ck_assert_str_eq(run->err, "");
	ck_assert_str_eq(run->out, ROW("9") "\n" ROW("7") "\n");
	ck_assert_int_eq(run->exit, CTL_FINE);
	libpq_check_end();
}
END_TEST

static const struct {
	const char *option, *value, *says;
} refused_options[] = {
	{"--key", "x",
	 "--key must be an id, not \"x\"\nHINT: \"sluicectl key list\" shows the ids\n"},
	{"--text", "x", "--text needs --since"},
	{"--code", "x", "nothing is rejected with the code \"x\": use one of malformed_json, "},
	{"--before", "9-9", "--before must be an id, not \"9-9\""},
};

START_TEST(wrong_values_are_refused)
{
	static const struct libpq_call script[] = {TOOL_CONNECT, LIBPQ_FINISH, {0}};
	const struct tool_run *run = RUN_SCRIPTED(
		script, "rejected", "list", refused_options[_i].option, refused_options[_i].value);

	check_says(run->err, refused_options[_i].says);
	ck_assert_int_eq(run->exit, CTL_USAGE);
	libpq_check_end();
}
END_TEST

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

	tcase_add_test(tests, all_organizations_are_searched);
	tcase_add_test(tests, a_file_has_all_parts);
	tcase_add_loop_test(tests, wrong_values_are_refused, 0, LENGTH(refused_options));
	tcase_add_test(tests, kinds_are_a_table);
	tcase_add_test(tests, json_is_as_the_database_wrote_it);
	tcase_add_test(tests, what_is_no_next_is_told);
	suite_add_tcase(suite, tests);
	return suite;
}
