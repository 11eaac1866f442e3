/*
 * test_key_test.c - sluicectl key test, over a libpq that plays scripts.
 */
#include "scripted_tool.h"

#define SENT "SELECT sluice.key_test($1::text, $2::bigint)(7)"

static const struct {
	const char *json, *says;
} stored[] = {
	{"{\"id\": 7, \"endpoint_type\": \"signal_staging\", \"message_id\": \"test-1\", "
	 "\"product_org_id\": null, \"payload\": {}}",
	 "stored signal 7 with message id test-1\n"},
	{"{\"id\": 8, \"endpoint_type\": \"product_orgs\", \"message_id\": null, "
	 "\"product_org_id\": \"test-2\", \"payload\": {}}",
	 "stored product org update 8 of product org test-2\n"},
};

START_TEST(what_was_stored_is_told)
{
	const struct libpq_value value = {stored[_i].json, (int)strlen(stored[_i].json)};
	const struct libpq_result result = {
		.status = PGRES_TUPLES_OK, .rows = 1, .columns = 1, .values = &value};
	const struct libpq_call script[] = {
		TOOL_CONNECT, LIBPQ_SEND(SENT), LIBPQ_ANSWER(&result), LIBPQ_FINISH, {0}};
	const struct libpq_call again[] = {
		TOOL_CONNECT, LIBPQ_SEND(SENT), LIBPQ_ANSWER(&result), LIBPQ_FINISH, {0}};

	ck_assert_str_eq(RUN_SCRIPTED(script, "key", "test", "7")->out, stored[_i].says);
	const struct tool_run *run = RUN_SCRIPTED(again, "key", "test", "7", "--json");
	ck_assert_int_eq(strncmp(run->out, stored[_i].json, strlen(stored[_i].json)), 0);
	ck_assert_str_eq(run->err, "");
	libpq_check_end();
}
END_TEST

START_TEST(an_id_is_a_number)
{
	static const struct libpq_call script[] = {TOOL_CONNECT, LIBPQ_FINISH, {0}};
	const struct tool_run *run = RUN_SCRIPTED(script, "key", "test", "Forms");

	ck_assert_int_eq(run->exit, CTL_USAGE);
	ck_assert_str_eq(run->out, "");
	libpq_check_end();
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("key_test");
	TCase *tests = tcase_create("key_test");

	tcase_add_loop_test(tests, what_was_stored_is_told, 0, ARRAY_LENGTH(stored));
	tcase_add_test(tests, an_id_is_a_number);
	suite_add_tcase(suite, tests);
	return suite;
}
