/*
 * test_json_walk.c - from value to value of a text, past some and into others.
 */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "check_main.h"
#include "json/walk.h"

#define T(literal) SLICE(literal)

/* ---- past, to the end, and into ---- */

/* Tells of every value: passes over those named "past", enters containers that are named "in" or
 * are elements, reads the others. */
static void tell(struct json_walk *walk, struct buf *story)
{
	while (json_walk_begin(walk)) {
		const char *start = walk->value.p;
		ck_assert_uint_eq(walk->value.n, 0);
		buf_add_slice(story, walk->name);
		if (slice_equal(walk->name, T("\"past\""))) {
			buf_add_text(story, "~ ");
			continue;
		}
		bool into = walk->name.p == NULL || slice_equal(walk->name, T("\"in\""));
		if (into && json_walk_enter(walk)) {
			buf_add_char(story, '(');
			tell(walk, story);
			buf_add_char(story, ')');
			ck_assert(strchr("]}", start[json_walk_since(walk, start).n - 1]) != NULL);
			continue;
		}
		ck_assert(json_walk_end(walk));
		ck_assert_ptr_eq(walk->value.p, start);
		buf_add_char(story, '=');
		buf_add_slice(story, walk->value);
		buf_add_char(story, ' ');
	}
}

static const struct {
	struct slice text;
	const char *story;
} walks[] = {
	{T("{}"), ""},
	{T(" [ ] "), ""},
	{T("{\"a\":1}"), "\"a\"=1 "},
	{T("{\"a\":1,\"b\":-2.50}"), "\"a\"=1 \"b\"=-2.50 "},
	{T("\n{ \"a\" : \"x\\\"}\" , \"\" : [ 1 ] }\r\n"), "\"a\"=\"x\\\"}\" \"\"=[ 1 ] "},
	{T("{\"\\u0069n\":{\"a\":1}}"), "\"\\u0069n\"={\"a\":1} "},
	{T("{\"a\":null,\"a\":true}"), "\"a\"=null \"a\"=true "},
	/* arrays */
	{T("[1,\"a\",null]"), "=1 =\"a\" =null "},
	{T("[[],[[2],3]]"), "()((=2 )=3 )"},
	{T("[{\"a\":[1]},{}]"), "(\"a\"=[1] )()"},
	/* past */
	{T("{\"past\":1,\"a\":2}"), "\"past\"~ \"a\"=2 "},
	{T("{\"past\":{\"in\":[{}]},\"past\":[[]],\"past\":\"a\"}"),
	 "\"past\"~ \"past\"~ \"past\"~ "},
	/* into */
	{T("{\"in\":{}}"), "\"in\"()"},
	{T("{\"in\":{\"a\":1}}"), "\"in\"(\"a\"=1 )"},
	{T("{\"in\":{\"a\":{\"b\":1}},\"c\":2}"), "\"in\"(\"a\"={\"b\":1} )\"c\"=2 "},
	{T("{\"in\":{\"in\":{\"a\":[{\"in\":{}}]}},\"c\":{}}"),
	 "\"in\"(\"in\"(\"a\"=[{\"in\":{}}] ))\"c\"={} "},
	{T("{\"in\":{\"past\":{\"a\":1}},\"c\":2}"), "\"in\"(\"past\"~ )\"c\"=2 "},
	{T("{\"in\":1,\"in\":\"a\",\"in\":[2]}"), "\"in\"=1 \"in\"=\"a\" \"in\"(=2 )"},
	/* nothing to be in */
	{T("7"), ""},
	{T(" \"a\" "), ""},
	{T("null"), ""},
};

START_TEST(values_are_walked_through)
{
	struct slice text = walks[_i].text;
	struct buf story = buf_make(1024);
	struct json_walk walk;
	char *exact = malloc(text.n);

	ck_assert_ptr_nonnull(exact);
	memcpy(exact, text.p, text.n);
	json_walk_open(&walk, (struct slice){exact, text.n});
	tell(&walk, &story);
	ck_assert(!json_walk_begin(&walk));
	ck_assert_int_eq(json_walk_finish(&walk), STATUS_OK);
	json_walk_close(&walk);
	ck_assert_msg(slice_equal(buf_slice(&story), slice_of(walks[_i].story)), "%s: %.*s", text.p,
		      (int)story.n, story.p);
	buf_free(&story);
	free(exact);
}
END_TEST

START_TEST(members_are_told_whole)
{
	struct json_walk walk;

	json_walk_open(&walk, T("{ \"a\" : [1] ,\"b\":\"c\"}"));
	ck_assert(json_walk_next(&walk));
	ck_assert(slice_equal(walk.name, T("\"a\"")));
	ck_assert(slice_equal(walk.value, T("[1]")));
	ck_assert(slice_equal(walk.member, T("\"a\" : [1]")));
	ck_assert(json_walk_next(&walk));
	ck_assert(slice_equal(walk.name, T("\"b\"")));
	ck_assert(slice_equal(walk.value, T("\"c\"")));
	ck_assert(slice_equal(walk.member, T("\"b\":\"c\"")));
	ck_assert(!json_walk_next(&walk));
	ck_assert(!json_walk_next(&walk));
	json_walk_close(&walk);
	json_walk_open(&walk, T("[ {} , 1 ]"));
	ck_assert(json_walk_next(&walk));
	ck_assert_ptr_null(walk.name.p);
	ck_assert(slice_equal(walk.member, T("{}")));
	/* What is left is read, too. */
	ck_assert_int_eq(json_walk_finish(&walk), STATUS_OK);
	json_walk_close(&walk);
}
END_TEST

static const struct slice bad[] = {
	T("{"),	    T("{\"a\""),     T("{\"a\":"),	 T("{\"a\":1"),	   T("{\"a\":]}"),
	T("[1,"),   T("[}"),	     T("{\"in\":{"),	 T("{\"in\":{]}"), T("{\"past\":[}"),
	T("{\"a}"), T("{\"a\":1}x"), T("{\"past\":1x}"), T("x"),
};

START_TEST(what_is_not_json_is_told)
{
	struct json_walk walk;

	json_walk_open(&walk, bad[_i]);
	while (json_walk_begin(&walk)) {
		if (slice_equal(walk.name, T("\"in\"")))
			(void)json_walk_enter(&walk);
	}
	ck_assert_int_eq(json_walk_finish(&walk), STATUS_MALFORMED_JSON);
	json_walk_close(&walk);
}
END_TEST

/* ---- memory ---- */

/* Hundreds of levels, so that the scan needs memory of its own. */
static enum status walk_deep(void)
{
	static char text[1202];
	struct json_walk walk;

	memset(text, '[', sizeof(text) / 2);
	memset(text + sizeof(text) / 2, ']', sizeof(text) / 2);
	json_walk_open(&walk, (struct slice){text, sizeof(text)});
	while (json_walk_begin(&walk))
		(void)json_walk_enter(&walk);
	enum status status = json_walk_finish(&walk);
	json_walk_close(&walk);
	return status;
}

START_TEST(failing_allocations_are_told)
{
	ck_assert_int_ge(unit_torture(walk_deep), 2);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("json_walk");
	TCase *all = tcase_create("all");

	tcase_add_loop_test(all, values_are_walked_through, 0, LENGTH(walks));
	tcase_add_test(all, members_are_told_whole);
	tcase_add_loop_test(all, what_is_not_json_is_told, 0, LENGTH(bad));
	tcase_add_test(all, failing_allocations_are_told);
	suite_add_tcase(suite, all);
	return suite;
}
