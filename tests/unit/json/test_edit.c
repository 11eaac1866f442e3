/*
 * test_edit.c - members added to an item's text.
 */
#include <string.h>

#include "check_main.h"
#include "json/edit.h"

/* Edits with these defaults (NULL: none). */
static enum status edit(struct arena *arena, const char *object, const char *context,
			const char *timestamp, struct slice *out)
{
	const struct json_default defaults[] = {{"context", slice_of(context)},
						{"timestamp", slice_of(timestamp)}};
	const struct json_edits edits = {defaults, 2};

	return json_edit(arena, slice_of(object), &edits, out);
}

static const struct {
	const char *object, *context, *timestamp, *want;
} cases[] = {
	/* nothing to do: the text itself, white space and all */
	{"{}", NULL, NULL, NULL},
	{" { \"a\" : 1 } ", NULL, NULL, NULL},

	/* defaults come where they lack, and only there */
	{"{}", "{\"ip\":\"::1\"}", NULL, "{\"context\":{\"ip\":\"::1\"}}"},
	{"{\"a\":1}", "{}", "\"2024-01-01\"",
	 "{\"context\":{},\"timestamp\":\"2024-01-01\",\"a\":1}"},
	{"{}", NULL, "1", "{\"timestamp\":1}"},
	{"{\"a\":1}", NULL, "1", "{\"timestamp\":1,\"a\":1}"},
	{"{\"timestamp\":2}", NULL, "1", "{\"timestamp\":2}"},
	{"{\"context\":null}", "{}", "1", "{\"timestamp\":1,\"context\":null}"},
	{"{\"context\":1,\"timestamp\":2}", "{}", "1", "{\"context\":1,\"timestamp\":2}"},
	{"{\"c\\u006fntext\":1}", "{}", NULL, "{\"c\\u006fntext\":1}"},
	{"{\"a\":{\"context\":1}}", "{}", NULL, "{\"context\":{},\"a\":{\"context\":1}}"},
};

START_TEST(texts_are_edited)
{
	struct arena arena = {0};
	struct slice out;
	const char *want = cases[_i].want != NULL ? cases[_i].want : cases[_i].object;

	ck_assert_int_eq(
		edit(&arena, cases[_i].object, cases[_i].context, cases[_i].timestamp, &out),
		STATUS_OK);
	ck_assert_msg(slice_equal(out, slice_of(want)), "%.*s, not %s", (int)out.n, out.p, want);
	if (cases[_i].want == NULL)
		ck_assert_ptr_eq(out.p, cases[_i].object);
	arena_free(&arena);
}
END_TEST

static enum status edit_once(void)
{
	struct arena arena = {0};
	struct slice out;
	enum status status = edit(&arena, "{\"a\":1}", "{}", NULL, &out);

	arena_free(&arena);
	return status;
}

START_TEST(memory_runs_out)
{
	ck_assert_int_gt(unit_torture(edit_once), 0);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("json_edit");
	TCase *tests = tcase_create("all");

	tcase_add_loop_test(tests, texts_are_edited, 0, LENGTH(cases));
	tcase_add_test(tests, memory_runs_out);
	suite_add_tcase(suite, tests);
	return suite;
}
