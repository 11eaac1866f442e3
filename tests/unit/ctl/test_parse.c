/*
 * test_parse.c - the arguments of the tool, and its table of commands.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check_main.h"
#include "ctl/ctl_internal.h"

enum { WORDS_MAX = 8 };

/* Parses arguments; *message is what was printed. */
static enum ctl_exit parse(struct ctl *ctl, const char *const *words, char message[512])
{
	char *argv[WORDS_MAX + 1] = {(char *)(uintptr_t) "sluicectl"};
	char path[] = "/tmp/sluice-parse-XXXXXX";
	int argc = 1;

	for (; argc <= WORDS_MAX && words[argc - 1] != NULL; argc++)
		argv[argc] = (char *)(uintptr_t)words[argc - 1];
	int fd = mkstemp(path);
	ck_assert_int_ge(fd, 0);
	ck_assert_ptr_nonnull(freopen(path, "w+", stderr));
	*ctl = (struct ctl){.out = buf_make(4096)};
	enum ctl_exit status = ctl_parse(ctl, argc, argv);
	rewind(stderr);
	message[fread(message, 1, 511, stderr)] = '\0';
	(void)close(fd);
	(void)unlink(path);
	return status;
}

static const struct {
	const char *words[WORDS_MAX];
	const char *noun, *verb, *argument;
	enum ctl_option option;
	const char *value;
} good[] = {
	{{"migrate"}, "migrate", NULL, NULL, CTL_JSON, NULL},
	{{"migrate", "--json", "--directory", "x"}, "migrate", NULL, NULL, CTL_DIRECTORY, "x"},
	{{"migrate", "--directory=x=y"}, "migrate", NULL, NULL, CTL_DIRECTORY, "x=y"},
	{{"migrate", "--directory", "--json"}, "migrate", NULL, NULL, CTL_DIRECTORY, "--json"},
	{{"--json", "key", "show", "5"}, "key", "show", "5", CTL_JSON, ""},
	{{"key", "show", "--", "-5"}, "key", "show", "-5", CTL_JSON, NULL},
	{{"organization", "create", "-"}, "organization", "create", "-", CTL_JSON, NULL},
	{{"organization", "create", ""}, "organization", "create", "", CTL_JSON, NULL},
};

START_TEST(arguments_are_read)
{
	struct ctl ctl;
	char message[512];

	ck_assert_int_eq(parse(&ctl, good[_i].words, message), CTL_FINE);
	ck_assert_str_eq(message, "");
	ck_assert_str_eq(ctl.command->noun, good[_i].noun);
	ck_assert_pstr_eq(ctl.command->verb, good[_i].verb);
	ck_assert_pstr_eq(ctl.argument, good[_i].argument);
	ck_assert_pstr_eq(ctl.values[good[_i].option], good[_i].value);
}
END_TEST

static const struct {
	const char *words[WORDS_MAX];
	const char *message;
} bad[] = {
	{{NULL}, "no command is given"},
	{{"keys"}, "unknown command \"keys\"\nHINT: did you mean \"key\"?\n"},
	{{"keys", "list"}, "unknown command \"keys\"\nHINT: did you mean \"key\"?\n"},
	{{"key", "deactivte"}, "deactivte\"\nHINT: did you mean \"deactivate\"?\n"},
	{{"nothing"}, "unknown command \"nothing\"\n"},
	{{"key"}, "\"key\" is not a complete command"},
	{{"key", "shown"}, "unknown command \"key shown\""},
	{{"key", "show"}, "\"key show\" needs ID"},
	{{"key", "show", "1", "2"}, "too many arguments: \"2\""},
	{{"migrate", "1"}, "too many arguments: \"1\""},
	{{"migrate", "--jso"}, "unknown option \"--jso\"\nHINT: did you mean \"--json\"?\n"},
	{{"migrate", "-x"}, "unknown option \"-x\"\n"},
	{{"migrate", "--secrt"}, "\"--secrt\"\nHINT: did you mean \"--secret\"?\n"},
	{{"member", "add", "--organization", "x", "--user", "y", "--role=amdin"},
	 "--role must be owner, admin, editor or viewer, not \"amdin\"\nHINT: did you mean \"admin\"?\n"},
	{{"retention", "set", "signal", "--keep", "1d", "--expired", "burn"},
	 "--expired must be drop or detach, not \"burn\"\n"},
	{{"key", "list", "--status", "pending"}, "--status must be active, expired or deactivated"},
	{{"signal", "list", "--organization", "x", "--status", "active"},
	 "--status must be pending, "},
	{{"template", "try", "--template", "-", "--payload", "-"}, "only one file can be -"},
	{{"migrate", "--json=1"}, "option --json takes no value"},
	{{"migrate", "--directory"}, "option --directory needs a value: DIR"},
	{{"migrate", "--json", "--json"}, "option --json is given twice"},
	{{"migrate", "--secret"}, "\"migrate\" does not take --secret"},
	{{"key", "create", "--name", "x"}, "\"key create\" needs --organization NAME"},
};

START_TEST(wrong_arguments_are_named)
{
	struct ctl ctl;
	char message[512];

	ck_assert_int_eq(parse(&ctl, bad[_i].words, message), CTL_USAGE);
	ck_assert_msg(strstr(message, bad[_i].message) != NULL, "%s", message);
	arena_free(&ctl.arena);
}
END_TEST

START_TEST(the_command_is_known_whatever_is_wrong)
{
	static const char *const asked[][WORDS_MAX] = {{"--frobnicate", "key", "list"},
						       {"key", "--config", "x", "list", "--jsn"},
						       {"key", "list", "--status"},
						       {"key", "list", "1"}};
	struct ctl ctl;
	char message[512];

	for (int i = 0; i < LENGTH(asked); i++) {
		ck_assert_int_eq(parse(&ctl, asked[i], message), CTL_USAGE);
		ck_assert_ptr_nonnull(ctl.command);
		ck_assert_str_eq(ctl.command->verb, "list");
		arena_free(&ctl.arena);
	}
}
END_TEST

START_TEST(help_is_asked_for)
{
	static const char *const asked[][WORDS_MAX] = {
		{"help", "key", "show"}, {"key", "show", "--help"}, {"--help", "key", "show", "5"}};
	struct ctl ctl;
	char message[512];

	for (int i = 0; i < LENGTH(asked); i++) {
		ck_assert_int_eq(parse(&ctl, asked[i], message), CTL_FINE);
		ck_assert(ctl_has(&ctl, CTL_HELP));
		ck_assert_str_eq(ctl.words[0], "key");
		ck_assert_str_eq(ctl.words[1], "show");
	}
}
END_TEST

START_TEST(the_table_is_sound)
{
	for (size_t i = 0; i < ctl_command_count; i++) {
		const struct ctl_command *command = &ctl_commands[i];
		ck_assert_msg(command->run != NULL && command->help != NULL, "%s", command->noun);
		ck_assert_msg(
			(command->required & command->optional) == 0 &&
				((command->required | command->optional) & ctl_common_options) == 0,
			"%s takes an option twice", command->noun);
		ck_assert_msg(command->help[strlen(command->help) - 1] == '.', "%s", command->help);
	}
	for (int i = 0; i < CTL_OPTION_COUNT; i++)
		ck_assert_msg(ctl_options[i].name != NULL && ctl_options[i].help != NULL,
			      "option %d", i);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("parse");
	TCase *tests = tcase_create("parse");

	tcase_add_loop_test(tests, arguments_are_read, 0, LENGTH(good));
	tcase_add_loop_test(tests, wrong_arguments_are_named, 0, LENGTH(bad));
	tcase_add_test(tests, the_command_is_known_whatever_is_wrong);
	tcase_add_test(tests, help_is_asked_for);
	tcase_add_test(tests, the_table_is_sound);
	suite_add_tcase(suite, tests);
	return suite;
}
