/*
 * test_token.c - sluicectl token create, list, revoke, over a libpq that plays scripts.
 */
#include "key_row.h"
#include "scripted_tool.h"
#include "store/token.h"

enum { COLUMNS_MAX = 20 };

#define CONNECT LIBPQ_CONNECT, LIBPQ_SEND(NULL), LIBPQ_ANSWER(&tool_user_result)

/* A token with id 7 named "n\u0001", for olga. */
static const struct libpq_result *token_row(void)
{
	static const char *const known[][2] = {{"id", "7"},
					       {"name", "n\001"},
					       {"user", "olga"},
					       {"scopes", "[\"read\",\"keys\"]"},
					       {"expires_at", "2031-05-01T12:00:00Z"},
					       {"revoked_at", "2031-04-01T12:00:00Z"}};
	static struct libpq_value values[COLUMNS_MAX];
	static struct libpq_result result;

	ck_assert_uint_le(store_token_entity.count, COLUMNS_MAX);
	for (size_t i = 0; i < store_token_entity.count; i++) {
		values[i] = (struct libpq_value){NULL, 0};
		for (int j = 0; j < LENGTH(known); j++) {
			if (strcmp(store_token_entity.columns[i].member, known[j][0]) == 0)
				values[i] =
					(struct libpq_value){known[j][1], (int)strlen(known[j][1])};
		}
	}
	result = (struct libpq_result){.status = PGRES_TUPLES_OK,
				       .rows = 1,
				       .columns = (int)store_token_entity.count,
				       .values = values};
	return &result;
}

static const struct tool_run *run(const char *sent, const char *const *words)
{
	const struct libpq_call script[] = {
		CONNECT, LIBPQ_SEND(sent), LIBPQ_ANSWER(token_row()), LIBPQ_FINISH, {0}};

	libpq_show_by(key_show_call);
	libpq_play(script);
	const struct tool_run *tool = run_tool(words);
	libpq_check_end();
	ck_assert_str_eq(tool->err, "");
	ck_assert_int_eq(tool->exit, CTL_FINE);
	return tool;
}

START_TEST(a_list_shows_scopes_as_words)
{
	const struct tool_run *tool =
		run("token_list|n|active|5",
		    (const char *const[]){"token", "list", "--organization", "acme", "--match", "n",
					  "--status", "active", "--limit=5", NULL});

	check_says(tool->out, "read, keys");
	check_says(tool->out, "n\\u0001");
}
END_TEST

START_TEST(a_token_is_revoked)
{
	const struct tool_run *tool =
		run("token_revoke|7", (const char *const[]){"token", "revoke", "7", NULL});

	ck_assert_str_eq(tool->out, "token 7 \"n\\u0001\" was revoked at 2031-04-01T12:00:00Z\n");
}
END_TEST

static const struct {
	const char *scope, *second, *says;
} wrong[] = {
	{"write", NULL, "--scope must be read, keys, rejects or organization, not \"write\""},
	{"read", "kays", "not \"read,kays\""},
	{"read", "", "--scope"},
};

START_TEST(a_scope_is_known)
{
	const struct libpq_call script[] = {{0}};

	libpq_play(script);
	const struct tool_run *tool = run_tool((const char *const[]){
		"token", "create", "--organization=acme", "--user=olga", "--name=n", "--expires=1d",
		"--scope", wrong[_i].scope, wrong[_i].second == NULL ? NULL : "--scope",
		wrong[_i].second, NULL});

	check_says(tool->err, wrong[_i].says);
	ck_assert_int_eq(tool->exit, CTL_USAGE);
	libpq_check_end();
}
END_TEST

START_TEST(a_token_is_no_argument)
{
	const struct tool_run *tool = run_tool((const char *const[]){
		"token", "list", "--match=slt_Sluice0Test1Token2That3Nobody4Us2jvX4y", NULL});

	check_says(tool->err, "other users can see it there");
	ck_assert_int_eq(tool->exit, CTL_USAGE);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("token");
	TCase *tests = tcase_create("token");

	tcase_add_test(tests, a_list_shows_scopes_as_words);
	tcase_add_test(tests, a_token_is_revoked);
	tcase_add_loop_test(tests, a_scope_is_known, 0, LENGTH(wrong));
	tcase_add_test(tests, a_token_is_no_argument);
	suite_add_tcase(suite, tests);
	return suite;
}
