/*
 * test_json_edit.c - members left out of and added to an item's text.
 */
#include <string.h>

#include "check_main.h"
#include "json/edit.h"

#define KEY "sk_0123456789"

static const char *const names[] = {"writeKey", "api_key", NULL};

/* Edits with the key as secret, and these defaults (NULL: none). */
static enum status edit(struct arena *arena, const char *object, const char *context,
			const char *timestamp, struct slice *out)
{
	const struct json_default defaults[] = {{"context", slice_of(context)},
						{"timestamp", slice_of(timestamp)}};
	const struct json_edits edits = {names, SLICE(KEY), defaults, 2};

	return json_edit(arena, slice_of(object), &edits, out);
}

static const struct {
	const char *object, *context, *timestamp, *want;
} cases[] = {
	/* nothing to do: the text itself, white space and all */
	{"{}", NULL, NULL, NULL},
	{" { \"a\" : 1 } ", NULL, NULL, NULL},
	{"{\"writeKey\":\"another\"}", NULL, NULL, NULL},
	{"{\"writeKey\":1}", NULL, NULL, NULL},

	/* the key goes, wherever it stands, and nothing else */
	{"{\"writeKey\":\"" KEY "\"}", NULL, NULL, "{}"},
	{"{\"api_key\":\"" KEY "\",\"a\":1}", NULL, NULL, "{\"a\":1}"},
	{"{\"a\":1,\"writeKey\":\"" KEY "\"}", NULL, NULL, "{\"a\":1}"},
	{"{\"a\":1 , \"writeKey\" : \"" KEY "\" , \"b\" : [ 2 ]}", NULL, NULL,
	 "{\"a\":1,\"b\" : [ 2 ]}"},
	{"{\"writeKey\":\"" KEY "\",\"api_key\":\"" KEY "\"}", NULL, NULL, "{}"},
	{"{\"writeKey\":\"" KEY "\",\"writeKey\":\"" KEY "\",\"a\":1}", NULL, NULL, "{\"a\":1}"},
	{"{\"n\":1e400000000000,\"m\":123456789012345678901234567890,\"api_key\":\"" KEY "\"}",
	 NULL, NULL, "{\"n\":1e400000000000,\"m\":123456789012345678901234567890}"},

	/* also where it or its name is written with escapes */
	{"{\"api\\u005fkey\":\"" KEY "\",\"a\":1}", NULL, NULL, "{\"a\":1}"},
	{"{\"writeKey\":\"\\u0073k_01234567\\u00389\",\"a\":1}", NULL, NULL, "{\"a\":1}"},

	/* but not from other members, from longer values, or from inside */
	{"{\"key\":\"" KEY "\"}", NULL, NULL, "{\"key\":\"" KEY "\"}"},
	{"{\"writeKey\":\"" KEY "x\"}", NULL, NULL, "{\"writeKey\":\"" KEY "x\"}"},
	{"{\"writeKey\":\"x" KEY "\"}", NULL, NULL, "{\"writeKey\":\"x" KEY "\"}"},
	{"{\"writeKey\":[\"" KEY "\"]}", NULL, NULL, "{\"writeKey\":[\"" KEY "\"]}"},
	{"{\"a\":{\"writeKey\":\"" KEY "\"}}", NULL, NULL, "{\"a\":{\"writeKey\":\"" KEY "\"}}"},
	{"{\"a\":\"\\\"writeKey\\\":\\\"" KEY "\\\"\"}", NULL, NULL,
	 "{\"a\":\"\\\"writeKey\\\":\\\"" KEY "\\\"\"}"},

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
	{"{\"writeKey\":\"" KEY "\"}", "{}", NULL, "{\"context\":{}}"},
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
	enum status status = edit(&arena, "{\"a\":1,\"writeKey\":\"" KEY "\"}", "{}", NULL, &out);

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
