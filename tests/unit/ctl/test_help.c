/*
 * test_help.c - the help of the tool, as its table of commands has it.
 */
#include "run_tool.h"

enum { HELP_COLUMNS = 80 };

#define COMMON "Every command also takes --config FILE, --json and --help.\n"

/* ---- of a command ---- */

static const struct {
	const char *noun, *verb, *help;
} helps[] = {
	{"version", NULL,
	 "usage: sluicectl version\n"
	 "\n"
	 "Prints the version of the program.\n"
	 "\n" COMMON},
	{"member", "add",
	 "usage: sluicectl member add --organization NAME --user USER --role ROLE\n"
	 "\n"
	 "Makes a user a member of an organization. Owners, admins and editors manage\n"
	 "keys; viewers see statistics. An organization has one owner.\n"
	 "\n"
	 "options:\n"
	 "  --organization NAME\n"
	 "      the organization's name\n"
	 "  --user USER\n"
	 "      the user's name, as the web server passes it on\n"
	 "  --role ROLE\n"
	 "      owner, admin, editor or viewer\n"
	 "\n" COMMON},
	/* An argument, and options that may be left out. */
	{"organization", "limit",
	 "usage: sluicectl organization limit NAME [--signals NUMBER] [--overages STATE]\n"
	 "\n"
	 "Sets how many signals an organization may send per month, and what happens at\n"
	 "the limit: senders get 429, or, with overages, their signals are accepted and\n"
	 "counted. An option that is not given leaves its setting unchanged. Prints the\n"
	 "usage of the current month.\n"
	 "\n"
	 "options:\n"
	 "  --signals NUMBER\n"
	 "      signals per calendar month (UTC); 0: no limit\n"
	 "  --overages STATE\n"
	 "      on: signals over the limit are accepted and counted; off: they are refused\n"
	 "\n" COMMON},
};

START_TEST(a_command_is_explained)
{
	const struct tool_run *run = RUN_TOOL("help", helps[_i].noun, helps[_i].verb);

	ck_assert_int_eq(run->exit, CTL_FINE);
	ck_assert_str_eq(run->err, "");
	ck_assert_str_eq(run->out, helps[_i].help);
}
END_TEST

/* A synopsis that is longer than a line goes on in the next one. */
START_TEST(a_long_synopsis_is_wrapped)
{
	static const char synopsis[] =
		"usage: sluicectl key create --organization NAME --name TEXT [--endpoint TYPE]\n"
		"      [--expires TIMESTAMP] [--secret] [--template FILE] [--delivery-id MEMBER]\n";

	ck_assert_mem_eq(RUN_TOOL("key", "create", "--help")->out, synopsis, sizeof(synopsis) - 1);
}
END_TEST

/* How often a text stands in another. */
static int count(const char *text, const char *what)
{
	int n = 0;

	while ((text = strstr(text, what)) != NULL) {
		n++;
		text++;
	}
	return n;
}

START_TEST(a_noun_alone_explains_all_its_commands)
{
	const struct tool_run *run = RUN_TOOL("help", "member");

	ck_assert_int_eq(run->exit, CTL_FINE);
	ck_assert_int_eq(count(run->out, "usage: "), 4);
	ck_assert_int_eq(count(run->out, "usage: sluicectl member add "), 1);
	ck_assert_int_eq(count(run->out, "usage: sluicectl member list "), 1);
	ck_assert_int_eq(count(run->out, "usage: sluicectl member remove "), 1);
	ck_assert_int_eq(count(run->out, COMMON), 1);
}
END_TEST

static const struct {
	const char *noun, *verb, *err;
} unknown[] = {
	{"nothing", NULL, "unknown command \"nothing\""},
	{"key", "nothing", "unknown command \"key nothing\""},
	{"nothing", "list", "unknown command \"nothing\""},
};

START_TEST(what_is_not_a_command_has_no_help)
{
	const struct tool_run *run = RUN_TOOL("help", unknown[_i].noun, unknown[_i].verb);
	char err[256];

	(void)snprintf(err, sizeof(err), "sluicectl: %s\nusage: sluicectl ", unknown[_i].err);
	ck_assert_int_eq(run->exit, CTL_USAGE);
	ck_assert_str_eq(run->out, "");
	ck_assert_mem_eq(run->err, err, strlen(err));
	/* Nor has it in JSON. */
	ck_assert_int_eq(RUN_TOOL("--json", "help", unknown[_i].noun, unknown[_i].verb)->exit,
			 CTL_USAGE);
}
END_TEST

/* ---- of all ---- */

/* "key create" as it begins its line of the overview. */
static void add_words(char words[64], const struct ctl_command *command)
{
	(void)snprintf(words, 64, "\n  %s%s%s", command->noun, command->verb == NULL ? "" : " ",
		       command->verb == NULL ? "" : command->verb);
}

START_TEST(the_overview_has_every_command_once)
{
	const struct tool_run *run = RUN_TOOL("--help");
	char words[64];

	ck_assert_int_eq(run->exit, CTL_FINE);
	for (size_t i = 0; i < ctl_command_count; i++) {
		add_words(words, &ctl_commands[i]);
		ck_assert_msg(count(run->out, words) == 1, "%s", words);
	}
	ck_assert_ptr_nonnull(strstr(run->out, "\noptions of every command:\n  --config FILE\n"));
	ck_assert_ptr_nonnull(strstr(run->out, "  3  the database could not be reached"));
}
END_TEST

static void check_width(const char *text)
{
	for (size_t n = 0; *text != '\0'; text += n + (text[n] == '\n')) {
		n = strcspn(text, "\n");
		ck_assert_msg(n <= HELP_COLUMNS, "%zu columns: %.*s", n, (int)n, text);
		ck_assert_msg(n == 0 || text[n - 1] != ' ', "ends with a blank: %.*s", (int)n,
			      text);
	}
}

START_TEST(no_line_of_help_is_too_long)
{
	check_width(RUN_TOOL("help")->out);
	for (size_t i = 0; i < ctl_command_count; i++)
		check_width(RUN_TOOL("help", ctl_commands[i].noun, ctl_commands[i].verb)->out);
}
END_TEST

/* ---- as JSON ---- */

static const char key_find[] =
	"{\"commands\":[{\"command\":\"key deactivate\",\"synopsis\":\"key deactivate ID\","
	"\"help\":\"Deactivates a key for good: from now on no request with it is accepted. "
	"Deactivating it again changes nothing.\",\"options\":["
	"{\"option\":\"--config\",\"value\":\"FILE\",\"required\":false,\"choices\":null,"
	"\"help\":\"the configuration file, instead of $SLUICE_CONFIG or the installed one\"},"
	"{\"option\":\"--json\",\"value\":null,\"required\":false,\"choices\":null,"
	"\"help\":\"print one line of JSON instead of text\"},"
	"{\"option\":\"--help\",\"value\":null,\"required\":false,\"choices\":null,"
	"\"help\":\"print the help of the command and exit\"}]}]}\n";

START_TEST(help_is_one_line_of_json)
{
	const struct tool_run *run = RUN_TOOL("--json", "help", "key", "deactivate");

	ck_assert_int_eq(run->exit, CTL_FINE);
	ck_assert_str_eq(run->out, key_find);
	run = RUN_TOOL("--json", "help", "member", "role");
	check_says(run->out, "\"option\":\"--role\",\"value\":\"ROLE\",\"required\":true,"
			     "\"choices\":[\"owner\",\"admin\",\"editor\",\"viewer\"]");
}
END_TEST

/* ---- after an error ---- */

static const struct {
	const char *noun, *verb, *usage;
} usages[] = {
	{"nothing", "list",
	 "usage: sluicectl COMMAND [OPTION...]\n\"sluicectl help\" lists the commands.\n"},
	{"rejected", "nothing", "\nusage: sluicectl rejected list"},
	{"rejected", "nothing", "\nusage: sluicectl rejected show"},
	{"rejected", "nothing", "\n\"sluicectl help rejected\" says more.\n"},
	{"key", "show", "\nusage: sluicectl key show ID\n\"sluicectl help key show\" says more.\n"},
};

START_TEST(wrong_usage_is_followed_by_the_right_one)
{
	const struct tool_run *run = RUN_TOOL(usages[_i].noun, usages[_i].verb);

	ck_assert_int_eq(run->exit, CTL_USAGE);
	ck_assert_str_eq(run->out, "");
	check_says(run->err, usages[_i].usage);
}
END_TEST

/* ---- without memory ---- */

static enum status help_of_member(void)
{
	return tool_status(RUN_TOOL("help", "member"));
}

static enum status help_as_json(void)
{
	return tool_status(RUN_TOOL("--json", "help", "member"));
}

START_TEST(help_without_memory_is_not_cut)
{
	ck_assert_int_gt(unit_torture(help_of_member), 0);
	ck_assert_int_gt(unit_torture(help_as_json), 0);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("help");
	TCase *tests = tcase_create("help");

	tcase_add_loop_test(tests, a_command_is_explained, 0, LENGTH(helps));
	tcase_add_test(tests, a_long_synopsis_is_wrapped);
	tcase_add_test(tests, a_noun_alone_explains_all_its_commands);
	tcase_add_loop_test(tests, what_is_not_a_command_has_no_help, 0, LENGTH(unknown));
	tcase_add_test(tests, the_overview_has_every_command_once);
	tcase_add_test(tests, no_line_of_help_is_too_long);
	tcase_add_test(tests, help_is_one_line_of_json);
	tcase_add_loop_test(tests, wrong_usage_is_followed_by_the_right_one, 0, LENGTH(usages));
	tcase_add_test(tests, help_without_memory_is_not_cut);
	suite_add_tcase(suite, tests);
	return suite;
}
