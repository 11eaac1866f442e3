/*
 * test_tree.c - documents that are built and written.
 */
#include <stdio.h>
#include <string.h>

#include "check_main.h"
#include "json/tree.h"

/* What a tree writes, terminated. */
static const char *written(struct json_tree *tree, struct buf *out)
{
	json_tree_write(tree, out);
	buf_add_char(out, '\0');
	ck_assert_int_eq(out->status, STATUS_OK);
	return out->p;
}

START_TEST(members_keep_their_order)
{
	struct json_tree tree = {0};
	struct buf out = buf_make(4096);
	struct json_object *root = json_tree_object(&tree, NULL, NULL);
	struct json_object *list;

	json_tree_int(&tree, root, "z", INT64_MIN);
	json_tree_int(&tree, root, "y", INT64_MAX);
	json_tree_bool(&tree, root, "x", true);
	json_tree_bool(&tree, root, "w", false);
	json_tree_text(&tree, root, "v", SLICE_ABSENT);
	json_tree_text(&tree, root, "u", SLICE(""));
	json_tree_json(&tree, root, "t", SLICE_ABSENT);
	list = json_tree_array(&tree, root, "s");
	json_tree_int(&tree, list, NULL, 0);
	json_tree_text(&tree, list, NULL, SLICE_ABSENT);
	(void)json_tree_object(&tree, list, NULL);
	(void)json_tree_array(&tree, root, "r");
	ck_assert_str_eq(
		written(&tree, &out),
		"{\"z\":-9223372036854775808,\"y\":9223372036854775807,\"x\":true,"
		"\"w\":false,\"v\":null,\"u\":\"\",\"t\":null,\"s\":[0,null,{}],\"r\":[]}");
	buf_free(&out);
	json_tree_free(&tree);
}
END_TEST

START_TEST(a_name_given_again_replaces_its_value)
{
	struct json_tree tree = {0};
	struct buf out = buf_make(4096);
	struct json_object *root = json_tree_object(&tree, NULL, NULL);

	json_tree_int(&tree, root, "a", 1);
	json_tree_int(&tree, root, "b", 2);
	json_tree_text(&tree, root, "a", SLICE("3"));
	ck_assert_str_eq(written(&tree, &out), "{\"a\":\"3\",\"b\":2}");
	buf_free(&out);
	json_tree_free(&tree);
}
END_TEST

/* ---- texts ---- */

static const struct {
	struct slice text;
	const char *json;
} texts[] = {
	{{"a/b", 3}, "[\"a/b\"]"},
	{{"\"\\", 2}, "[\"\\\"\\\\\"]"},
	{{"\b\f\n\r\t", 5}, "[\"\\b\\f\\n\\r\\t\"]"},
	{{"a\0b\x1f", 4}, "[\"a\\u0000b\\u001f\"]"},
	{{"\x7f", 1}, "[\"\x7f\"]"},
	{{"\xc3\xa4\xf0\x9f\x98\x80", 6}, "[\"\xc3\xa4\xf0\x9f\x98\x80\"]"},
	{{"<\xff\xe2\x82>", 5}, "[\"<\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd>\"]"},
	{{"\xed\xa0\x80", 3}, "[\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"]"},
};

START_TEST(a_text_is_escaped)
{
	struct json_tree tree = {0};
	struct buf out = buf_make(4096);

	json_tree_text(&tree, json_tree_array(&tree, NULL, NULL), NULL, texts[_i].text);
	ck_assert_str_eq(written(&tree, &out), texts[_i].json);
	buf_free(&out);
	json_tree_free(&tree);
}
END_TEST

/* Nothing but escapes: the longest that a text can become. */
START_TEST(a_long_text_is_whole)
{
	static char text[100000];
	struct json_tree tree = {0};
	struct buf out = buf_make(1 << 20);

	memset(text, 1, sizeof(text));
	json_tree_text(&tree, json_tree_array(&tree, NULL, NULL), NULL,
		       (struct slice){text, sizeof(text)});
	json_tree_write(&tree, &out);
	ck_assert_uint_eq(out.n, 6 * sizeof(text) + 4);
	ck_assert_mem_eq(out.p + out.n - 8, "\\u0001\"]", 8);
	buf_free(&out);
	json_tree_free(&tree);
}
END_TEST

/* ---- JSON that passes through ---- */

static const char *const passed[] = {
	"123456789012345678901234567890",
	"-0",
	"1.10",
	"1E400",
	"0.1e-7",
	"\"\\/\\u00e4\\u0000\"",
	"{\"b\" : 1, \"a\":\n2, \"a\": 3}",
	"[]",
	"null",
};

START_TEST(json_passes_through)
{
	struct json_tree tree = {0};
	struct buf out = buf_make(4096);
	char expected[256];
	struct json_object *root = json_tree_object(&tree, NULL, NULL);

	json_tree_json(&tree, root, "p", slice_of(passed[_i]));
	json_tree_int(&tree, root, "q", 1);
	(void)snprintf(expected, sizeof(expected), "{\"p\":%s,\"q\":1}", passed[_i]);
	ck_assert_str_eq(written(&tree, &out), expected);
	buf_free(&out);
	json_tree_free(&tree);
}
END_TEST

/* ---- writing ---- */

START_TEST(a_tree_is_appended)
{
	struct json_tree tree = {0};
	struct buf out = buf_make(4096);

	buf_add_text(&out, "a ");
	(void)json_tree_object(&tree, NULL, NULL);
	json_tree_write(&tree, &out);
	buf_add_char(&out, ' ');
	ck_assert_str_eq(written(&tree, &out), "a {} {}");
	buf_free(&out);
	json_tree_free(&tree);
}
END_TEST

START_TEST(a_full_buffer_says_so)
{
	struct json_tree tree = {0};
	struct buf out = buf_make(3);

	json_tree_int(&tree, json_tree_array(&tree, NULL, NULL), NULL, 10);
	json_tree_write(&tree, &out);
	ck_assert_int_ne(out.status, STATUS_OK);
	ck_assert_uint_eq(out.n, 0);
	buf_free(&out);
	json_tree_free(&tree);
}
END_TEST

static const char expected_document[] =
	"{\"id\":1,\"name\":\"0123456789012345678901234567890123456789\\n\xef\xbf\xbd\","
	"\"rows\":[{\"a\":true,\"b\":1.50,\"c\":null},{\"a\":true,\"b\":1.50,\"c\":null},"
	"{\"a\":true,\"b\":1.50,\"c\":null}],\"m0\":0,\"m1\":1,\"m2\":2,\"m3\":3,\"m4\":4,"
	"\"m5\":5,\"m6\":6,\"m7\":7,\"m8\":8,\"m9\":9,\"ma\":10,\"mb\":11,\"mc\":12,\"md\":13,"
	"\"me\":14,\"mf\":15}";

/* So many members that json-c has to enlarge its table. */
static enum status build(void)
{
	static const char *const names[] = {"m0", "m1", "m2", "m3", "m4", "m5", "m6", "m7",
					    "m8", "m9", "ma", "mb", "mc", "md", "me", "mf"};
	struct json_tree tree = {0};
	struct buf out = buf_make(4096);
	struct json_object *root = json_tree_object(&tree, NULL, NULL);

	json_tree_int(&tree, root, "id", 1);
	json_tree_text(&tree, root, "name",
		       SLICE("0123456789012345678901234567890123456789\n\xff"));
	struct json_object *rows = json_tree_array(&tree, root, "rows");
	for (int i = 0; i < 3; i++) {
		struct json_object *row = json_tree_object(&tree, rows, NULL);
		json_tree_bool(&tree, row, "a", true);
		json_tree_json(&tree, row, "b", SLICE("1.50"));
		json_tree_text(&tree, row, "c", SLICE_ABSENT);
	}
	for (int i = 0; i < LENGTH(names); i++)
		json_tree_int(&tree, root, names[i], i);
	json_tree_write(&tree, &out);
	enum status status = out.status;
	if (status == STATUS_OK && (out.n != sizeof(expected_document) - 1 ||
				    memcmp(out.p, expected_document, out.n) != 0))
		status = STATUS_INTERNAL;
	buf_free(&out);
	json_tree_free(&tree);
	return status;
}

START_TEST(a_document_is_whole_or_not_there)
{
	ck_assert_int_ge(unit_torture(build), 40);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("tree");
	TCase *tests = tcase_create("tree");

	tcase_add_test(tests, members_keep_their_order);
	tcase_add_test(tests, a_name_given_again_replaces_its_value);
	tcase_add_loop_test(tests, a_text_is_escaped, 0, LENGTH(texts));
	tcase_add_test(tests, a_long_text_is_whole);
	tcase_add_loop_test(tests, json_passes_through, 0, LENGTH(passed));
	tcase_add_test(tests, a_tree_is_appended);
	tcase_add_test(tests, a_full_buffer_says_so);
	tcase_add_test(tests, a_document_is_whole_or_not_there);
	suite_add_tcase(suite, tests);
	return suite;
}
