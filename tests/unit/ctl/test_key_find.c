/*
 * test_key_find.c - sluicectl key find, over a libpq that plays scripts.
 */
#include "key_row.h"
#include "scripted_tool.h"

#define CONNECT LIBPQ_CONNECT, LIBPQ_SEND(NULL), LIBPQ_ANSWER(&tool_user_result)
#define ZEROS	"sk_00000000000000000000000000000000"
#define SOUND	ZEROS "30OBQY"

/* What is said of a file with this text. */
static const struct tool_run *find(const struct libpq_call *script, const char *text)
{
	static char path[64];
	(void)snprintf(path, sizeof(path), "/tmp/sluice-key-XXXXXX");
	int fd = mkstemp(path);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	(void)close(fd);
	libpq_show_by(key_show_call);
	libpq_play(script);
	const struct tool_run *tool =
		run_tool((const char *const[]){"key", "find", path, "--json", NULL});
	(void)unlink(path);
	libpq_check_end();
	return tool;
}

static const char *const found[] = {
	SOUND, "https://example.com/api/signal-staging/webhook/" SOUND "/batch\n",
	" \"" SOUND "\""};

START_TEST(a_key_is_found_in_a_text)
{
	const struct libpq_call script[] = {
		CONNECT, LIBPQ_SEND("key_find"), LIBPQ_ANSWER(key_row(true)), LIBPQ_FINISH, {0}};
	const struct tool_run *tool = find(script, found[_i]);

	ck_assert_str_eq(tool->err, "");
	ck_assert_int_eq(strncmp(tool->out, "{\"id\":7,", 8), 0);
}
END_TEST

static const struct {
	const char *text, *says;
} wrong[] = {
	{"", "there is no key in"},
	{"whs_secret", "there is no key in"},
	{"sk_", "it has 3 characters instead of 41"},
	{SOUND "1", "it has 42 characters instead of 41"},
	{ZEROS "30OBQZ", "the key has a mistake"},
};

START_TEST(what_is_no_key_is_not_sought)
{
	const struct libpq_call script[] = {CONNECT, LIBPQ_FINISH, {0}};
	const struct tool_run *tool = find(script, wrong[_i].text);

	check_says(tool->err, wrong[_i].says);
	ck_assert_int_eq(tool->exit, CTL_FAILED);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("key_find");
	TCase *tests = tcase_create("key_find");

	tcase_add_loop_test(tests, a_key_is_found_in_a_text, 0, LENGTH(found));
	tcase_add_loop_test(tests, what_is_no_key_is_not_sought, 0, LENGTH(wrong));
	suite_add_tcase(suite, tests);
	return suite;
}
