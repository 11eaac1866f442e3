/*
 * test_person.c - sluicectl person show, person delete, over a libpq that plays scripts.
 */
#include "scripted_tool.h"

#define LIST                                                                                       \
	"SELECT id, to_json((received_at) AT TIME ZONE 'UTC') #>> '{}' || 'Z', "                   \
	"to_json((occurred_at) AT TIME ZONE 'UTC') #>> '{}' || 'Z', source, event_type, "          \
	"event_name, email, user_id, anonymous_id, phone, payload "                                \
	"FROM sluice.person_signals($1::text, $2::text) ORDER BY received_at, id"                  \
	" LIMIT $3::bigint(acme|jane@example.com|null)"
#define DELETE "SELECT sluice.person_delete($1::text, $2::text, $3::text)(acme|jane@example.com)"

static const struct libpq_value row[] = {
	TOOL_VALUE("7"),
	TOOL_VALUE("2026-01-01T00:00:00Z"),
	TOOL_VALUE("2026-01-01T00:00:00Z"),
	TOOL_VALUE("segment"),
	TOOL_VALUE("track"),
	TOOL_VALUE("Signed Up"),
	TOOL_VALUE("jane@example.com"),
	{NULL, 0},
	TOOL_VALUE("a\x1b[2J"),
	{NULL, 0},
	TOOL_VALUE("{\"mrr\": 1.50}"),
};
static const struct libpq_result one = {
	.status = PGRES_TUPLES_OK, .rows = 1, .columns = 11, .values = row};

static const struct tool_run *show(const char *option)
{
	static const struct libpq_call script[] = {
		TOOL_CONNECT, LIBPQ_SEND(LIST), LIBPQ_ANSWER(&one), LIBPQ_FINISH, {0}};

	return RUN_SCRIPTED(script, "person", "show", "jane@example.com", "--organization", "acme",
			    option);
}

/* What senders wrote is shown escaped, and payloads not at all. */
START_TEST(signals_are_listed)
{
	const struct tool_run *run = show(NULL);

	ck_assert_str_eq(run->err, "");
	ck_assert_str_eq(run->out,
			 "ID  RECEIVED              SOURCE   EVENT      EMAIL             USER ID  "
			 "ANONYMOUS ID\n"
			 "7   2026-01-01T00:00:00Z  segment  Signed Up  jane@example.com  -        "
			 "a\\u001b[2J\n");
	ck_assert_int_eq(run->exit, CTL_FINE);
	libpq_check_end();
}
END_TEST

START_TEST(payloads_are_in_json)
{
	const struct tool_run *run = show("--json");

	check_says(run->out, "\"payload\":{\"mrr\": 1.50}");
	ck_assert_int_eq(run->exit, CTL_FINE);
	libpq_check_end();
}
END_TEST

static const struct {
	struct libpq_value count;
	const char *option, *out;
} counts[] = {
	{TOOL_VALUE("0"), NULL, "deleted 0 signals\n"},
	{TOOL_VALUE("1"), NULL, "deleted 1 signal\n"},
	{TOOL_VALUE("2"), NULL, "deleted 2 signals\n"},
	{TOOL_VALUE("2"), "--json", "{\"signals\":2}\n"},
};

START_TEST(it_is_said_how_many_are_deleted)
{
	const struct libpq_result count = TOOL_ONE(&counts[_i].count);
	const struct libpq_call script[] = {
		TOOL_CONNECT, LIBPQ_SEND(DELETE), LIBPQ_ANSWER(&count), LIBPQ_FINISH, {0}};
	const struct tool_run *run = RUN_SCRIPTED(script, "person", "delete", "jane@example.com",
						  "--organization", "acme", counts[_i].option);

	ck_assert_str_eq(run->err, "");
	ck_assert_str_eq(run->out, counts[_i].out);
	ck_assert_int_eq(run->exit, CTL_FINE);
	libpq_check_end();
}
END_TEST

/* verb, statement */
static const char *const refusals[][2] = {{"show", LIST}, {"delete", DELETE}};

START_TEST(a_refusal_of_the_database_is_said)
{
	static const struct libpq_result refused =
		LIBPQ_ERROR("P0002", "no organization is named \"acme\"");
	const struct libpq_call script[] = {TOOL_CONNECT,
					    LIBPQ_SEND(refusals[_i][1]),
					    LIBPQ_ANSWER(&refused),
					    LIBPQ_FINISH,
					    {0}};
	const struct tool_run *run = RUN_SCRIPTED(script, "person", refusals[_i][0],
						  "jane@example.com", "--organization", "acme");

	ck_assert_str_eq(run->err, "sluicectl: no organization is named \"acme\"\n");
	ck_assert_str_eq(run->out, "");
	ck_assert_int_eq(run->exit, CTL_FAILED);
	libpq_check_end();
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("person");
	TCase *show_case = tcase_create("show"), *delete_case = tcase_create("delete");

	tcase_add_test(show_case, signals_are_listed);
	tcase_add_test(show_case, payloads_are_in_json);
	tcase_add_loop_test(delete_case, it_is_said_how_many_are_deleted, 0, LENGTH(counts));
	tcase_add_loop_test(delete_case, a_refusal_of_the_database_is_said, 0, LENGTH(refusals));
	suite_add_tcase(suite, show_case);
	suite_add_tcase(suite, delete_case);
	return suite;
}
