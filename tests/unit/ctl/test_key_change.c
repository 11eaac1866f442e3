/*
 * test_key_change.c - sluicectl key edit, rotate, history, secret …, over a libpq that plays
 * scripts.
 */
#include "key_row.h"
#include "scripted_tool.h"

static const struct tool_run *run(const struct libpq_call *script, const char *const *words)
{
	libpq_show_by(key_show_call);
	libpq_play(script);
	return run_tool(words);
}

#define RUN(script, ...) run(script, (const char *const[]){__VA_ARGS__, NULL})
#define CONNECT		 LIBPQ_CONNECT, LIBPQ_SEND(NULL), LIBPQ_ANSWER(&tool_user_result)

static const struct libpq_value timestamp_cells[] = {TOOL_VALUE("f"),
						     TOOL_VALUE("2031-05-01T00:00:00Z")};
static const struct libpq_result timestamp = {
	.status = PGRES_TUPLES_OK, .rows = 1, .columns = 2, .values = timestamp_cells};
static const struct libpq_result refused = {.status = PGRES_FATAL_ERROR,
					    .sqlstate = "SL004",
					    .severity = "ERROR",
					    .message = "key 7 is deactivated"};

/* A file with a text, which the caller removes. */
static const char *file_with(const char *text)
{
	static char path[64];
	(void)snprintf(path, sizeof(path), "/tmp/sluice-template-XXXXXX");
	int fd = mkstemp(path);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	(void)close(fd);
	return path;
}

/* ---- edit ---- */

START_TEST(a_key_is_edited)
{
	const struct libpq_call script[] = {
		CONNECT,
		LIBPQ_SEND(NULL),
		LIBPQ_ANSWER(&timestamp),
		LIBPQ_SEND("key_edit|7|n|2031-05-01T00:00:00Z|null|null"),
		LIBPQ_ANSWER(key_row(false)),
		LIBPQ_FINISH,
		{0}};
	const struct tool_run *tool =
		RUN(script, "key", "edit", "7", "--name", "n", "--expires", "2031-05-01");

	ck_assert_str_eq(tool->err, "");
	ck_assert_str_eq(tool->out,
			 "key 7 \"n\" was changed; \"sluicectl key history 7\" shows how\n");
	libpq_check_end();
}
END_TEST

START_TEST(a_key_never_expires)
{
	const struct libpq_call script[] = {CONNECT,
					    LIBPQ_SEND("key_edit|7|null|infinity|null|null"),
					    LIBPQ_ANSWER(key_row(false)),
					    LIBPQ_FINISH,
					    {0}};
	const struct tool_run *tool =
		RUN(script, "key", "edit", "7", "--expires", "never", "--json");

	ck_assert_str_eq(tool->err, "");
	check_says(tool->out, "{\"id\":7,");
	libpq_check_end();
}
END_TEST

static const struct {
	const char *payload, *err;
	bool saved;
} latest[] = {
	{"{\"received_at\": \"x\", \"payload\": {\"id\": 1}}", "", true},
	{"{\"received_at\": \"x\", \"payload\": {\"no\": 1}}",
	 "sluicectl: payload \"the latest\": 1 of 1 items would be rejected\n"
	 "HINT: correct the template, or try it on the payloads of --try FILE\n",
	 false},
	{"{\"received_at\": null, \"payload\": null}",
	 "sluicectl: warning: the template was not tried: no payload has come with key 7 yet\n",
	 true},
};

START_TEST(a_template_is_tried_on_the_latest_payload)
{
	const struct libpq_value value = {latest[_i].payload, (int)strlen(latest[_i].payload)};
	const struct libpq_result payload = TOOL_ONE(&value);
	const struct libpq_call saved[] = {
		CONNECT,
		LIBPQ_SEND("key_payload"),
		LIBPQ_ANSWER(&payload),
		LIBPQ_SEND("key_edit|7|null|null|{\"product_org_id\":\"id\"}|null"),
		LIBPQ_ANSWER(key_row(false)),
		LIBPQ_FINISH,
		{0}};
	const struct libpq_call not_saved[] = {
		CONNECT, LIBPQ_SEND("key_payload"), LIBPQ_ANSWER(&payload), LIBPQ_FINISH, {0}};
	const char *path = file_with("{\"product_org_id\":\"id\"}");
	const struct tool_run *tool =
		RUN(latest[_i].saved ? saved : not_saved, "key", "edit", "7", "--template", path);

	ck_assert_str_eq(tool->err, latest[_i].err);
	ck_assert_int_eq(tool->exit, latest[_i].saved ? CTL_FINE : CTL_FAILED);
	libpq_check_end();
	(void)unlink(path);
}
END_TEST

START_TEST(a_refused_edit_says_why)
{
	const struct libpq_call script[] = {
		CONNECT, LIBPQ_SEND(NULL), LIBPQ_ANSWER(&refused), LIBPQ_FINISH, {0}};
	const struct tool_run *tool = RUN(script, "key", "edit", "7", "--name", "n");

	ck_assert_str_eq(tool->err, "sluicectl: key 7 is deactivated\n");
	ck_assert_str_eq(tool->out, "");
	ck_assert_int_eq(tool->exit, CTL_FAILED);
	libpq_check_end();
}
END_TEST

/* ---- rotate ---- */

START_TEST(a_key_is_rotated)
{
	const struct libpq_call script[] = {CONNECT,
					    LIBPQ_SEND("key_rotate|7|#64|#14|#64|2h|null"),
					    LIBPQ_ANSWER(key_row(_i == 1)),
					    LIBPQ_SEND("key_show"),
					    LIBPQ_ANSWER(key_row(_i == 1)),
					    LIBPQ_FINISH,
					    {0}};
	const struct tool_run *tool = RUN(script, "key", "rotate", "7", "--overlap", "2h");

	ck_assert_str_eq(tool->err, "");
	check_says(tool->out, "created key \"n\" with id 7, the successor of key 7, which expires "
			      "at 2031-05-01T12:00:00Z\n");
	ck_assert_int_eq(strstr(tool->out, "  secret  whs_") != NULL, _i == 1);
	libpq_check_end();
}
END_TEST

START_TEST(a_rotated_key_is_in_json)
{
	const struct libpq_call script[] = {CONNECT,
					    LIBPQ_SEND("key_rotate|7|#64|#14|#64|0h|infinity"),
					    LIBPQ_ANSWER(key_row(false)),
					    LIBPQ_SEND("key_show"),
					    LIBPQ_ANSWER(key_row(false)),
					    LIBPQ_FINISH,
					    {0}};
	const struct tool_run *tool =
		RUN(script, "key", "rotate", "7", "--overlap", "0", "--expires", "never", "--json");

	ck_assert_str_eq(tool->err, "");
	check_says(tool->out, "\"old_expires_at\":\"2031-05-01T12:00:00Z\"}");
	check_says(tool->out, "\"secret\":null,");
	libpq_check_end();
}
END_TEST

/* ---- history ---- */

#define ENTRY(action, before, after)                                                               \
	"{\"occurred_at\": \"2026-01-01T00:00:00Z\", \"actor\": \"ed\", \"action\": \"" action     \
	"\", \"details\": {\"a\": 1}, \"template_before\": " before ", \"template_after\": " after \
	"}"

START_TEST(a_history_shows_what_differs)
{
	static const struct libpq_value value = TOOL_VALUE("{\"entries\": [" ENTRY(
		"key_edit", "\"{\\n  1\\n}\"",
		"\"{\\n  2\\n}\"") ", " ENTRY("key_create", "null", "null") "], "
									    "\"next\": null}");
	static const struct libpq_result history = TOOL_ONE(&value);
	const struct libpq_call script[] = {CONNECT,
					    LIBPQ_SEND("key_history|null|200"),
					    LIBPQ_ANSWER(&history),
					    LIBPQ_FINISH,
					    {0}};
	const struct tool_run *tool = RUN(script, "key", "history", "7");

	ck_assert_str_eq(tool->err, "");
	ck_assert_str_eq(tool->out, "2026-01-01T00:00:00Z  ed  key_edit\n {\n-  1\n+  2\n }\n"
				    "2026-01-01T00:00:00Z  ed  key_create\n  {\"a\": 1}\n");
	libpq_check_end();
	const struct libpq_call again[] = {CONNECT,
					   LIBPQ_SEND("key_history|null|200"),
					   LIBPQ_ANSWER(&history),
					   LIBPQ_FINISH,
					   {0}};
	ck_assert_int_eq(
		strncmp(RUN(again, "key", "history", "7", "--json")->out, "{\"entries\": ", 12), 0);
	libpq_check_end();
}
END_TEST

/* ---- refusals ---- */

#define NOTHING_REFUSED "{\"refusals\": [], \"last_used_at\": null, \"advice\": "

static const struct {
	const char *json, *says;
} refusals[] = {
	{"{\"refusals\": [{\"reason\": \"secret_wrong\", \"http_status\": 401, \"code\": \"c\", "
	 "\"why\": \"Because.\", \"advice\": \"Do.\", \"requests\": 8, \"requests_today\": 3, "
	 "\"last_at\": \"2031-05-01T00:00:00Z\"}], \"advice\": null}",
	 "2031-05-01T00:00:00Z  401 secret_wrong  8 refused, 3 of them today\n  Because.\n  Do.\n"},
	{NOTHING_REFUSED "null}", "no request was refused\n"},
	{NOTHING_REFUSED "\"Look there.\"}", "Look there.\n"},
};

START_TEST(refusals_are_told_in_words)
{
	const struct libpq_value value = {refusals[_i].json, (int)strlen(refusals[_i].json)};
	const struct libpq_result result = TOOL_ONE(&value);
	const struct libpq_call script[] = {
		CONNECT, LIBPQ_SEND("key_refusals"), LIBPQ_ANSWER(&result), LIBPQ_FINISH, {0}};
	const struct libpq_call again[] = {
		CONNECT, LIBPQ_SEND("key_refusals"), LIBPQ_ANSWER(&result), LIBPQ_FINISH, {0}};

	ck_assert_str_eq(RUN(script, "key", "refusals", "7")->out, refusals[_i].says);
	libpq_check_end();
	ck_assert_int_eq(strncmp(RUN(again, "key", "refusals", "7", "--json")->out,
				 refusals[_i].json, strlen(refusals[_i].json)),
			 0);
	libpq_check_end();
}
END_TEST

/* ---- secrets ---- */

static const struct {
	const char *verb, *sent, *says;
} secrets[] = {
	{"enable", "key_secret|7|enable|#64|24h",
	 "Requests need it from 2031-05-01T12:00:00Z on.\n"},
	{"rotate", "key_secret|7|rotate|#64|24h",
	 "The old secret is valid, too, until 2031-05-01T12:00:00Z.\n"},
	{"retire", "key_secret|7|retire|null|24h",
	 "key 7 \"n\" needs its new secret from now on\n"},
	{"remove", "key_secret|7|remove|null|24h", "key 7 \"n\" needs no secret any more\n"},
};

START_TEST(a_secret_is_changed)
{
	const struct libpq_call script[] = {CONNECT,
					    LIBPQ_SEND(secrets[_i].sent),
					    LIBPQ_ANSWER(key_row(true)),
					    LIBPQ_FINISH,
					    {0}};
	const struct tool_run *tool = RUN(script, "secret", secrets[_i].verb, "7");

	ck_assert_str_eq(tool->err, "");
	check_says(tool->out, secrets[_i].says);
	ck_assert_int_eq(strstr(tool->out, "  secret  whs_") != NULL, _i < 2);
	libpq_check_end();
	const struct libpq_call again[] = {CONNECT,
					   LIBPQ_SEND(secrets[_i].sent),
					   LIBPQ_ANSWER(key_row(true)),
					   LIBPQ_FINISH,
					   {0}};
	tool = RUN(again, "secret", secrets[_i].verb, "7", "--json");
	check_says(tool->out, "\"old_secret_until\":\"2031-05-01T12:00:00Z\"");
	ck_assert_int_eq(strstr(tool->out, "\"secret\":\"whs_") != NULL, _i < 2);
	libpq_check_end();
}
END_TEST

/* ---- what is refused without the database ---- */

static const struct {
	const char *words[6], *err;
} wrong[] = {
	{{"key", "edit", "7"}, "there is nothing to change"},
	{{"key", "edit", "x", "--name", "n"}, "is not the id of a key"},
	{{"key", "edit", "7", "--try", "f"}, "--try needs --template"},
	{{"key", "edit", "7", "--template", "/nowhere"}, "could not read the template"},
	{{"key", "rotate", "7", "--overlap", "soon"}, "is not a span of time"},
	{{"key", "rotate", "x"}, "is not the id of a key"},
	{{"key", "history", "x"}, "is not the id of a key"},
	{{"secret", "enable", "x"}, "is not the id of a key"},
	{{"secret", "rotate", "7", "--overlap", "-1h"}, "is not a span of time"},
};

START_TEST(what_is_wrong_is_not_sent)
{
	const struct libpq_call script[] = {CONNECT, LIBPQ_FINISH, {0}};
	const struct tool_run *tool = run(script, wrong[_i].words);

	check_says(tool->err, wrong[_i].err);
	ck_assert_int_ne(tool->exit, CTL_FINE);
	libpq_check_end();
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("key_change");
	TCase *tests = tcase_create("key_change");

	tcase_add_test(tests, a_key_is_edited);
	tcase_add_test(tests, a_key_never_expires);
	tcase_add_loop_test(tests, a_template_is_tried_on_the_latest_payload, 0, LENGTH(latest));
	tcase_add_test(tests, a_refused_edit_says_why);
	tcase_add_loop_test(tests, a_key_is_rotated, 0, 2);
	tcase_add_test(tests, a_rotated_key_is_in_json);
	tcase_add_test(tests, a_history_shows_what_differs);
	tcase_add_loop_test(tests, refusals_are_told_in_words, 0, LENGTH(refusals));
	tcase_add_loop_test(tests, a_secret_is_changed, 0, LENGTH(secrets));
	tcase_add_loop_test(tests, what_is_wrong_is_not_sent, 0, LENGTH(wrong));
	suite_add_tcase(suite, tests);
	return suite;
}
