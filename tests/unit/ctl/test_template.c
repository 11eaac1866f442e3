/*
 * test_template.c - sluicectl template try: rows, rejects, and where a file is wrong.
 */
#include "run_tool.h"

static char directory[] = "/tmp/sluice-template-XXXXXX";

/* A file in the working directory. */
static void put(const char *name, const char *text)
{
	FILE *file = fopen(name, "w");

	if (file == NULL || fputs(text, file) < 0 || fclose(file) != 0)
		abort();
}

static void set_up(void)
{
	if (mkdtemp(directory) == NULL || chdir(directory) != 0)
		abort();
	put("t.json", "{\"product_org_id\":\"groupId\",\"name\":\"traits.name\",\n"
		      " \"mrr\":\"traits.mrr\",\"custom\":{\"a\":\"x.y\"}}");
}

static void tear_down(void)
{
	(void)unlink("t.json");
	(void)unlink("p.json");
	(void)rmdir(directory);
}

/* option may be NULL. */
static const struct tool_run *try_payload(const char *payload, const char *option)
{
	put("p.json", payload);
	return RUN_TOOL("template", "try", "--template", "t.json", "--payload", "p.json", option);
}

/* ---- rows ---- */

#define PAYLOAD                                                                                    \
	"{\"groupId\":\"g1\",\"traits\":{\"name\":\"N\\u0007\",\"mrr\":\"many\"},"                 \
	"\"x\":{\"y\":[1,2.50]}}"

START_TEST(a_payload_becomes_a_row)
{
	const struct tool_run *run = try_payload(PAYLOAD, NULL);

	ck_assert_int_eq(run->exit, CTL_FINE);
	ck_assert_str_eq(run->err, "");
	ck_assert_str_eq(run->out, "item 1\n"
				   "FIELD           VALUE\n"
				   "product_org_id  g1\n"
				   "name            N\\u0007\n"
				   "plan_id         -\n"
				   "plan_name       -\n"
				   "user_count      -\n"
				   "mrr             -\n"
				   "trial_status    -\n"
				   "last_active_at  -\n"
				   "feature_flags   -\n"
				   "custom          {\"a\":[1,2.50]}\n"
				   "warning: mrr is not a whole number\n");
}
END_TEST

START_TEST(a_row_is_json_when_asked)
{
	const struct tool_run *run = try_payload(PAYLOAD, "--json");

	ck_assert_int_eq(run->exit, CTL_FINE);
	ck_assert_str_eq(
		run->out,
		"{\"results\":[{\"index\":0,\"product_org_id\":\"g1\",\"name\":\"N\\u0007\",\"plan_id\":null,"
		"\"plan_name\":null,\"user_count\":null,\"mrr\":null,\"trial_status\":null,"
		"\"last_active_at\":null,\"feature_flags\":null,\"custom\":{\"a\":[1,2.50]},"
		"\"warnings\":[{\"field\":\"mrr\",\"reason\":\"is not a whole number\"}],"
		"\"error\":null}]}\n");
}
END_TEST

/* The others are shown all the same. */
START_TEST(a_rejected_item_fails_the_command)
{
	const struct tool_run *run =
		try_payload("[{\"groupId\":7},{\"traits\":{}},{\"groupId\":8}]", NULL);

	ck_assert_int_eq(run->exit, CTL_FAILED);
	ck_assert_str_eq(run->err,
			 "sluicectl: payload \"p.json\": 1 of 3 items would be rejected\n");
	ck_assert_ptr_nonnull(strstr(run->out, "product_org_id  7\n"));
	ck_assert_ptr_nonnull(strstr(run->out,
				     "\n\nitem 2\n"
				     "rejected: missing_product_org_id: product_org_id is missing\n"
				     "\nitem 3\n"));
	ck_assert_ptr_nonnull(strstr(run->out, "product_org_id  8\n"));
}
END_TEST

START_TEST(a_rejected_item_is_an_error_in_json)
{
	const struct tool_run *run = try_payload("[{}]", "--json");

	ck_assert_int_eq(run->exit, CTL_FAILED);
	ck_assert_ptr_nonnull(
		strstr(run->out, "\"warnings\":[],\"error\":{\"code\":\"missing_product_org_id\","
				 "\"detail\":\"product_org_id is missing\"}}]}\n"));
}
END_TEST

/* ---- what cannot be tried ---- */

/* Lines and columns count from 1, columns in characters; nothing is shown of what came before. */
static const struct {
	const char *payload, *err;
} bad[] = {
	{"[]", ": the array is empty\n"},
	{"", ", line 1, column 1: empty_body: empty text\n"},
	{"{\"groupId\":\n \"\xc3\xa4\",}",
	 ", line 2, column 6: malformed_json: unexpected character\n"},
	{"[{\"groupId\":1},\n\n{\"groupId\":2}", ", line 3, column 14: malformed_json: "},
};

START_TEST(a_payload_that_cannot_be_read_shows_where)
{
	static const char *const options[] = {NULL, "--json"};
	char err[256];

	(void)snprintf(err, sizeof(err), "sluicectl: payload \"p.json\"%s", bad[_i].err);
	for (int i = 0; i < LENGTH(options); i++) {
		const struct tool_run *run = try_payload(bad[_i].payload, options[i]);
		ck_assert_int_eq(run->exit, CTL_FAILED);
		ck_assert_str_eq(run->out, "");
		ck_assert_msg(strncmp(run->err, err, strlen(err)) == 0, "%s", run->err);
	}
}
END_TEST

START_TEST(a_wrong_template_shows_where)
{
	put("t.json", "{\"product_org_id\":\"groupId\",\n  \"naem\":\"x\"}");
	const struct tool_run *run = try_payload("{}", NULL);
	ck_assert_int_eq(run->exit, CTL_FAILED);
	ck_assert_str_eq(run->out, "");
	ck_assert_str_eq(run->err,
			 "sluicectl: template \"t.json\", line 2, column 3: unknown field \"naem\";"
			 " fields of your own belong under \"custom\"\n");
}
END_TEST

static const struct {
	const char *template, *payload, *err;
} missing[] = {
	{"x", "p.json",
	 "sluicectl: could not read the template \"x\": No such file or directory\n"},
	{"t.json", "x", "sluicectl: could not read the payload \"x\": No such file or directory\n"},
	{"t.json", ".", "sluicectl: could not read the payload \".\": Is a directory\n"},
};

START_TEST(a_file_that_cannot_be_read_is_named)
{
	put("p.json", "{}");
	const struct tool_run *run = RUN_TOOL("template", "try", "--template", missing[_i].template,
					      "--payload", missing[_i].payload);
	ck_assert_int_eq(run->exit, CTL_FAILED);
	ck_assert_str_eq(run->out, "");
	ck_assert_str_eq(run->err, missing[_i].err);
}
END_TEST

/* ---- without memory ---- */

static enum status try_text(void)
{
	return tool_status(try_payload(PAYLOAD, NULL));
}

static enum status try_json(void)
{
	return tool_status(try_payload(PAYLOAD, "--json"));
}

START_TEST(a_dry_run_without_memory_shows_nothing)
{
	ck_assert_int_gt(unit_torture(try_text), 0);
	ck_assert_int_gt(unit_torture(try_json), 0);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("template");
	TCase *tests = tcase_create("template");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, a_payload_becomes_a_row);
	tcase_add_test(tests, a_row_is_json_when_asked);
	tcase_add_test(tests, a_rejected_item_fails_the_command);
	tcase_add_test(tests, a_rejected_item_is_an_error_in_json);
	tcase_add_loop_test(tests, a_payload_that_cannot_be_read_shows_where, 0, LENGTH(bad));
	tcase_add_test(tests, a_wrong_template_shows_where);
	tcase_add_loop_test(tests, a_file_that_cannot_be_read_is_named, 0, LENGTH(missing));
	tcase_add_test(tests, a_dry_run_without_memory_shows_nothing);
	suite_add_tcase(suite, tests);
	return suite;
}
