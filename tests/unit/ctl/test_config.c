/*
 * test_config.c - sluicectl config and version: what takes effect, and where it comes from.
 */
#include "run_tool.h"

static char path[32];
static int file;

/* Gives the configuration file this text. */
static void write_file(const char *text)
{
	if (ftruncate(file, 0) != 0 || pwrite(file, text, strlen(text), 0) != (ssize_t)strlen(text))
		abort();
}

static void set_up(void)
{
	(void)setenv("SLUICE_CONFIG", "/dev/null", 1);
	(void)unsetenv("SLUICE_LOG_LEVEL");
	(void)unsetenv("SLUICE_SINGLE_BODY");
	(void)snprintf(path, sizeof(path), "/tmp/sluice-config-XXXXXX");
	file = mkstemp(path);
	write_file("single_body = 64KiB\nlog_level = debug\n");
}

static void tear_down(void)
{
	(void)close(file);
	(void)unlink(path);
}

/* ---- the settings ---- */

/* The line of a setting in the table; its columns without the blanks between them. */
static const char *line_of(const struct tool_run *run, const char *setting)
{
	static char line[256];
	char key[64];
	size_t n = 0;

	(void)snprintf(key, sizeof(key), "\n%s ", setting);
	const char *at = strstr(run->out, key);
	ck_assert_msg(at != NULL, "no %s in %s", setting, run->out);
	for (at++; *at != '\n' && n < sizeof(line) - 1; at++) {
		if (*at != ' ' || line[n - 1] != ' ')
			line[n++] = *at;
	}
	line[n] = '\0';
	return line;
}

START_TEST(each_setting_is_shown_with_its_origin)
{
	(void)setenv("SLUICE_LOG_LEVEL", "warning", 1);
	const struct tool_run *run = RUN_TOOL("config", "--config", path);
	char head[128];

	ck_assert_int_eq(run->exit, CTL_FINE);
	ck_assert_str_eq(run->err, "");
	(void)snprintf(head, sizeof(head), "configuration file: %s\n\nSETTING ", path);
	ck_assert_mem_eq(run->out, head, strlen(head));
	ck_assert_str_eq(line_of(run, "single_body"), "single_body 64KiB file");
	ck_assert_str_eq(line_of(run, "log_level"), "log_level warning environment");
	ck_assert_str_eq(line_of(run, "bulk_timeout"), "bulk_timeout 5min default");
}
END_TEST

START_TEST(settings_are_one_line_of_json)
{
	const struct tool_run *run = RUN_TOOL("config", "--config", path, "--json");
	char head[128];

	ck_assert_int_eq(run->exit, CTL_FINE);
	(void)snprintf(head, sizeof(head), "{\"file\":\"%s\",\"settings\":[{\"key\":", path);
	ck_assert_mem_eq(run->out, head, strlen(head));
	ck_assert_ptr_nonnull(strstr(
		run->out, "{\"key\":\"single_body\",\"value\":\"64KiB\",\"origin\":\"file\"}"));
	ck_assert_ptr_eq(strchr(run->out, '\n'), run->out + strlen(run->out) - 1);
}
END_TEST

START_TEST(a_wrong_setting_is_named_with_its_line)
{
	char err[256];

	write_file("\nsingle_body = much\n");
	const struct tool_run *run = RUN_TOOL("config", "--config", path);
	ck_assert_int_eq(run->exit, CTL_FAILED);
	ck_assert_str_eq(run->out, "");
	(void)snprintf(err, sizeof(err), "sluicectl: %s:2: ", path);
	ck_assert_mem_eq(run->err, err, strlen(err));
}
END_TEST

START_TEST(a_file_that_is_named_must_be_there)
{
	const struct tool_run *run = RUN_TOOL("config", "--config", "/nowhere/sluice.conf");

	ck_assert_int_eq(run->exit, CTL_FAILED);
	ck_assert_str_eq(run->out, "");
	ck_assert_ptr_nonnull(strstr(run->err, "/nowhere/sluice.conf"));
}
END_TEST

static enum status show(void)
{
	return tool_status(RUN_TOOL("config", "--config", path));
}

static enum status show_as_json(void)
{
	return tool_status(RUN_TOOL("config", "--config", path, "--json"));
}

START_TEST(settings_without_memory_are_not_cut)
{
	ck_assert_int_gt(unit_torture(show), 0);
	ck_assert_int_gt(unit_torture(show_as_json), 0);
}
END_TEST

/* ---- the documents made of the table ---- */

static const struct {
	const char *option, *begins, *has;
} documents[] = {
	{"--example", "# ", "\n#single_body = 1MiB\n"},
	{"--manual", ".Bl -tag ", "\n.It Ic single_body\n"},
};

START_TEST(the_table_becomes_documents)
{
	const struct tool_run *run = RUN_TOOL("config", documents[_i].option);

	ck_assert_int_eq(run->exit, CTL_FINE);
	ck_assert_mem_eq(run->out, documents[_i].begins, strlen(documents[_i].begins));
	ck_assert_msg(strstr(run->out, documents[_i].has) != NULL, "%s", run->out);
}
END_TEST

static const struct {
	const char *one, *other, *err;
} combined[] = {
	{"--example", "--manual", "sluicectl: --example cannot be combined with --manual\n"},
	{"--example", "--json", "sluicectl: --example cannot be combined with --json\n"},
	{"--manual", "--json", "sluicectl: --manual cannot be combined with --json\n"},
};

START_TEST(a_document_has_one_form)
{
	const struct tool_run *run = RUN_TOOL("config", combined[_i].one, combined[_i].other);

	ck_assert_int_eq(run->exit, CTL_USAGE);
	ck_assert_str_eq(run->out, "");
	check_says(run->err, combined[_i].err);
}
END_TEST

/* ---- the version ---- */

START_TEST(the_version_is_the_programs)
{
	ck_assert_str_eq(RUN_TOOL("version")->out, "sluicectl " SLUICE_VERSION "\n");
	ck_assert_str_eq(RUN_TOOL("version", "--json")->out,
			 "{\"version\":\"" SLUICE_VERSION "\"}\n");
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("config");
	TCase *tests = tcase_create("config");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, each_setting_is_shown_with_its_origin);
	tcase_add_test(tests, settings_are_one_line_of_json);
	tcase_add_test(tests, a_wrong_setting_is_named_with_its_line);
	tcase_add_test(tests, a_file_that_is_named_must_be_there);
	tcase_add_test(tests, settings_without_memory_are_not_cut);
	tcase_add_loop_test(tests, the_table_becomes_documents, 0, LENGTH(documents));
	tcase_add_loop_test(tests, a_document_has_one_form, 0, LENGTH(combined));
	tcase_add_test(tests, the_version_is_the_programs);
	suite_add_tcase(suite, tests);
	return suite;
}
