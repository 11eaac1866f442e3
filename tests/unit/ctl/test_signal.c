/*
 * test_signal.c - sluicectl signal list, tail, over a libpq that plays scripts.
 */
#include "scripted_tool.h"

#define SEARCH                                                                                     \
	"SELECT sluice.signals_search($1::text, $2::jsonb, $3::text, $4::integer, $5::boolean)"
#define SIGNAL(id)                                                                                 \
	"{\"id\" : " id ", \"received_at\" : \"2026-01-01T00:00:00Z\", \"source\" : \"crm\", "     \
	"\"event_name\" : null, \"event_type\" : \"track\", \"email\" : null, "                    \
	"\"user_id\" : \"u\\u001b\", \"status\" : \"pending\", \"key_name\" : \"k\", "             \
	"\"payload\" : {\"n\": 1.50}}"
#define ANSWER(signals, next)                                                                      \
	"{\"signals\" : [" signals "], \"next\" : " next                                           \
	", \"searched_until\" : \"2025-12-01T00:00:00Z\", \"live\" : \"1-3:3:\"}"

static const struct libpq_value two = TOOL_VALUE(ANSWER(SIGNAL("8") "," SIGNAL("7"), "\"5-7\""));
static const struct libpq_value last = TOOL_VALUE(ANSWER(SIGNAL("6"), "null"));
static const struct libpq_result part = TOOL_ONE(&two), end = TOOL_ONE(&last);

static const struct tool_run *list(const char *asked, const struct libpq_result *answer,
				   const char *option, const char *value)
{
	const struct libpq_call calls[] = {
		TOOL_CONNECT, LIBPQ_SEND(asked), LIBPQ_ANSWER(answer), LIBPQ_FINISH, {0}};
	static struct libpq_call script[LENGTH(calls)];

	memcpy(script, calls, sizeof(calls));
	return RUN_SCRIPTED(script, "signal", "list", "--organization", "acme", option, value);
}

START_TEST(signals_are_listed)
{
	const struct tool_run *run = list(SEARCH "(acme|{}|null|20|false)", &end, NULL, NULL);

	ck_assert_str_eq(run->err, "");
	check_says(run->out, "6   2026-01-01T00:00:00Z  crm     -      -      pending  k    "
			     "{\"n\": 1.50}\n");
	ck_assert_int_eq(run->exit, CTL_FINE);
	libpq_check_end();
}
END_TEST

START_TEST(it_is_said_how_to_go_on)
{
	const struct tool_run *run = list(SEARCH "(acme|{\"email\":\"a@b.c\"}|null|20|false)",
					  &part, "--email", "a@b.c");

	ck_assert_str_eq(run->err,
			 "searched until 2025-12-01T00:00:00Z; go on with --before 5-7\n");
	ck_assert_int_eq(run->exit, CTL_FINE);
	libpq_check_end();
}
END_TEST

static const struct libpq_result away = LIBPQ_ERROR("57014", "canceling statement");

#define LINE(id) "2026-01-01T00:00:00Z  pending  crm  track  u\\u001b  " id "\n"

/* Ends with what the third question is answered. */
START_TEST(tail_shows_the_oldest_first)
{
	static const struct libpq_call script[] = {
		TOOL_CONNECT,
		LIBPQ_SEND(SEARCH "(acme|{}|null|10|false)"),
		LIBPQ_ANSWER(&end),
		LIBPQ_SEND(SEARCH "(acme|{\"since\":\"1-3:3:\"}|null|100|false)"),
		LIBPQ_ANSWER(&part),
		LIBPQ_SEND(SEARCH "(acme|{\"since\":\"1-3:3:-3:3:\"}|5-7|100|false)"),
		LIBPQ_ANSWER(&end),
		LIBPQ_SEND(SEARCH "(acme|{\"since\":\"1-3:3:\"}|null|100|false)"),
		LIBPQ_ANSWER(&away),
		LIBPQ_FINISH,
		{0}};
	const struct tool_run *run = RUN_SCRIPTED(script, "tail", "--organization", "acme");

	ck_assert_str_eq(run->out, LINE("6") LINE("6") LINE("7") LINE("8"));
	check_says(run->err, "canceling statement");
	ck_assert_int_eq(run->exit, CTL_UNREACHABLE);
	libpq_check_end();
}
END_TEST

static const struct {
	const char *option, *value, *says;
} refused[] = {
	{"--key", "x", "--key must be an id, not \"x\""},
	{"--text", "x", "--text needs --since"},
};

START_TEST(wrong_values_are_refused)
{
	static const struct libpq_call script[] = {TOOL_CONNECT, LIBPQ_FINISH, {0}};
	const struct tool_run *run = RUN_SCRIPTED(script, "signal", "list", "--organization",
						  "acme", refused[_i].option, refused[_i].value);

	check_says(run->err, refused[_i].says);
	ck_assert_int_eq(run->exit, CTL_USAGE);
	libpq_check_end();
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("signal");
	TCase *tests = tcase_create("signal");

	tcase_add_test(tests, signals_are_listed);
	tcase_add_test(tests, it_is_said_how_to_go_on);
	tcase_add_test(tests, tail_shows_the_oldest_first);
	tcase_add_loop_test(tests, wrong_values_are_refused, 0, LENGTH(refused));
	suite_add_tcase(suite, tests);
	return suite;
}
