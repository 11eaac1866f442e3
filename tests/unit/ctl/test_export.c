/*
 * test_export.c - --format of the tool, over a libpq that plays scripts.
 */
#include "scripted_tool.h"

#define SEARCH                                                                                     \
	"SELECT sluice.signals_search($1::text, $2::jsonb, $3::text, $4::integer, $5::boolean)"
#define SIGNAL(id)                                                                                 \
	"{\"id\" : " id ", \"received_at\" : \"2026-01-01T00:00:00Z\", \"payload\" : {\"n\": 1.50}}"
#define ANSWER(signals, next)                                                                      \
	"{\"signals\" : [" signals "], \"next\" : " next                                           \
	", \"searched_until\" : \"2025-12-01T00:00:00Z\", \"live\" : \"1-3:3:\"}"

static const struct libpq_value two = TOOL_VALUE(ANSWER(SIGNAL("8") "," SIGNAL("7"), "\"5-7\""));
static const struct libpq_value last = TOOL_VALUE(ANSWER(SIGNAL("6"), "null"));
static const struct libpq_result part = TOOL_ONE(&two), end = TOOL_ONE(&last);

START_TEST(a_file_has_all_parts)
{
	static const struct libpq_call script[] = {
		TOOL_CONNECT,
		LIBPQ_SEND(SEARCH "(acme|{\"identity\":\"u\"}|null|100|true)"),
		LIBPQ_ANSWER(&part),
		LIBPQ_SEND(SEARCH "(acme|{\"identity\":\"u\"}|5-7|100|true)"),
		LIBPQ_ANSWER(&end),
		LIBPQ_FINISH,
		{0}};
	const struct tool_run *run = RUN_SCRIPTED(script, "signal", "list", "u", "--organization",
						  "acme", "--format", "ndjson");

	ck_assert_str_eq(run->err, "");
	ck_assert_str_eq(run->out, SIGNAL("8") "\n" SIGNAL("7") "\n" SIGNAL("6") "\n");
	ck_assert_int_eq(run->exit, CTL_FINE);
	libpq_check_end();
}
END_TEST

START_TEST(a_file_ends_at_the_limit)
{
	static const struct libpq_call script[] = {TOOL_CONNECT,
						   LIBPQ_SEND(SEARCH "(acme|{}|null|2|true)"),
						   LIBPQ_ANSWER(&part),
						   LIBPQ_FINISH,
						   {0}};
	const struct tool_run *run = RUN_SCRIPTED(script, "signal", "list", "--organization",
						  "acme", "--format", "csv", "--limit", "2");

	check_says(run->out, "id,received_at,");
	check_says(run->out, "\r\n7,2026-01-01T00:00:00Z,");
	ck_assert_int_eq(run->exit, CTL_FINE);
	libpq_check_end();
}
END_TEST

START_TEST(product_orgs_have_their_own_columns)
{
	static const struct libpq_value one = TOOL_VALUE(
		"{\"product_orgs\" : [{\"product_org_id\" : \"a\", \"mrr_amount\" : \"1.00\"}], "
		"\"next\" : null}");
	static const struct libpq_result answer = TOOL_ONE(&one);
	static const struct libpq_call script[] = {
		TOOL_CONNECT,
		LIBPQ_SEND("SELECT sluice.product_org_states($1::text, $2::text, $3::integer, "
			   "$4::text, $5::text, $6::text, $7::text)"
			   "(acme|null|100|null|null|pro|null)"),
		LIBPQ_ANSWER(&answer),
		LIBPQ_FINISH,
		{0}};
	const struct tool_run *run = RUN_SCRIPTED(script, "product-org", "list", "--organization",
						  "acme", "--format", "csv", "--plan", "pro");

	check_says(run->out, "product_org_id,name,");
	check_says(run->out, "\r\na,,,,,,1.00,");
	ck_assert_int_eq(run->exit, CTL_FINE);
	libpq_check_end();
}
END_TEST

START_TEST(a_file_is_no_json)
{
	static const struct libpq_call script[] = {TOOL_CONNECT, LIBPQ_FINISH, {0}};
	const struct tool_run *run = RUN_SCRIPTED(script, "product-org", "list", "--organization",
						  "acme", "--format", "csv", "--json");

	check_says(run->err, "--format cannot be combined with --json");
	ck_assert_int_eq(run->exit, CTL_USAGE);
	libpq_check_end();
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("export");
	TCase *tests = tcase_create("export");

	tcase_add_test(tests, a_file_has_all_parts);
	tcase_add_test(tests, a_file_ends_at_the_limit);
	tcase_add_test(tests, product_orgs_have_their_own_columns);
	tcase_add_test(tests, a_file_is_no_json);
	suite_add_tcase(suite, tests);
	return suite;
}
