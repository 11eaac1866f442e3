/*
 * test_print.c - tables, JSON and escaped text of the tool.
 */
#include <string.h>

#include "check_main.h"
#include "ctl/ctl_internal.h"

static struct ctl ctl_with(const char *json)
{
	return (struct ctl){.out = buf_make(4096), .values[CTL_JSON] = json};
}

/* What the tool has appended, terminated. */
static const char *appended(struct ctl *ctl)
{
	buf_add_char(&ctl->out, '\0');
	ck_assert_int_eq(ctl->out.status, STATUS_OK);
	return ctl->out.p;
}

static void drop(struct ctl *ctl)
{
	buf_free(&ctl->out);
	arena_free(&ctl->arena);
}

/* ---- text for a terminal ---- */

static const struct {
	struct slice text;
	const char *escaped;
	size_t columns;
} texts[] = {
	{{"", 0}, "", 0},
	{{"a b", 3}, "a b", 3},
	{{"\xc3\xa4\xe2\x82\xac", 5}, "\xc3\xa4\xe2\x82\xac", 2},
	{{"\n\t\x1b\x7f", 4}, "\\n\\u0009\\u001b\\u007f", 20},
	{{"\xc2\x9b", 2}, "\\u009b", 6},
	{{"\xc2\xa0", 2}, "\xc2\xa0", 1},
	{{"a\xe2\x82\xac", 3}, "a\\xe2\\x82", 9}, /* cut */
	{{"a\xe2\x80\xae", 4}, "a\\u202e", 7},	  /* right-to-left override */
	{{"\xef\xbb\xbf", 3}, "\\ufeff", 6},
	{{"\xff\xe2\x82", 3}, "\\xff\\xe2\\x82", 12},
};

START_TEST(text_is_escaped)
{
	struct buf out = buf_make(4096);

	ck_assert_uint_eq(ctl_add_escaped(&out, texts[_i].text), texts[_i].columns);
	buf_add_char(&out, '\0');
	ck_assert_str_eq(out.p, texts[_i].escaped);
	buf_free(&out);
}
END_TEST

/* ---- tables ---- */

START_TEST(columns_are_aligned)
{
	static const char *const headings[] = {"A", "LONG", "C"};
	const struct slice cells[] = {SLICE("\xc3\xa4\xc3\xa4\xc3\xa4"),
				      SLICE("b"),
				      SLICE("c"),
				      {NULL, 0},
				      SLICE(""),
				      {NULL, 0},
				      SLICE("1"),
				      SLICE("longer"),
				      SLICE(" ")};
	struct buf out = buf_make(4096);

	ctl_add_table(&out, headings, 3, cells, 3);
	buf_add_char(&out, '\0');
	ck_assert_str_eq(out.p, "A    LONG    C\n"
				"\xc3\xa4\xc3\xa4\xc3\xa4  b       c\n"
				"-    -       -\n"
				"1    longer\n");
	buf_free(&out);
}
END_TEST

static enum status add_escaped_cells(void)
{
	static const char *const headings[] = {"A", "B"};
	const struct slice cells[] = {SLICE("\n\n"), SLICE("b")};
	struct buf out = buf_make(4096);

	ctl_add_table(&out, headings, 2, cells, 1);
	enum status status = out.status;
	buf_free(&out);
	return status;
}

/* The buffer alone does: a width that was measured without memory would be too small. */
START_TEST(widths_take_no_memory)
{
	ck_assert_int_eq(unit_torture(add_escaped_cells), 1);
}
END_TEST

/* ---- lists and items ---- */

struct thing {
	int64_t id;
	struct slice name, raw;
	bool hidden;
};

static enum status show_half(const void *item, struct arena *arena, struct slice *cell)
{
	const struct thing *thing = item;

	(void)arena;
	if (!thing->hidden)
		*cell = SLICE("half");
	return STATUS_OK;
}

static const struct store_column columns[] = {
	STORE_COLUMN(struct thing, id, .member = "id", .heading = "ID"),
	STORE_COLUMN(struct thing, name, .member = "name", .heading = "NAME"),
	STORE_JSON_COLUMN(struct thing, raw, .member = "raw"),
	STORE_COLUMN(struct thing, hidden, .member = "hidden"),
	{.heading = "HALF", .show = show_half},
};
static const struct store_entity entity = STORE_ENTITY(struct thing, columns);

static struct thing things[] = {
	{1, {"a\n", 2}, {"1.50", 4}, false},
	{-20, {NULL, 0}, {NULL, 0}, true},
};

START_TEST(a_list_is_a_table_or_an_array)
{
	const struct store_list list = {&entity, things, 2};
	struct ctl text = ctl_with(NULL), json = ctl_with("");

	ck_assert_int_eq(ctl_print_list(&text, &list), CTL_FINE);
	ck_assert_str_eq(appended(&text), "ID   NAME  HALF\n"
					  "1    a\\n   half\n"
					  "-20  -     -\n");
	ck_assert_int_eq(ctl_print_list(&json, &list), CTL_FINE);
	ck_assert_str_eq(appended(&json),
			 "[{\"id\":1,\"name\":\"a\\n\",\"raw\":1.50,\"hidden\":false},"
			 "{\"id\":-20,\"name\":null,\"raw\":null,\"hidden\":true}]\n");
	drop(&text);
	drop(&json);
}
END_TEST

START_TEST(an_empty_list_has_its_headings)
{
	const struct store_list list = {&entity, NULL, 0};
	struct ctl text = ctl_with(NULL), json = ctl_with("");

	ck_assert_int_eq(ctl_print_list(&text, &list), CTL_FINE);
	ck_assert_str_eq(appended(&text), "ID  NAME  HALF\n");
	ck_assert_int_eq(ctl_print_list(&json, &list), CTL_FINE);
	ck_assert_str_eq(appended(&json), "[]\n");
	drop(&text);
	drop(&json);
}
END_TEST

START_TEST(an_item_is_its_properties_or_an_object)
{
	struct ctl text = ctl_with(NULL), json = ctl_with("");

	ck_assert_int_eq(ctl_print_item(&text, &entity, &things[0]), CTL_FINE);
	ck_assert_str_eq(appended(&text), "PROPERTY  VALUE\n"
					  "id        1\n"
					  "name      a\\n\n"
					  "raw       1.50\n"
					  "hidden    no\n");
	ck_assert_int_eq(ctl_print_item(&json, &entity, &things[0]), CTL_FINE);
	ck_assert_str_eq(appended(&json),
			 "{\"id\":1,\"name\":\"a\\n\",\"raw\":1.50,\"hidden\":false}\n");
	drop(&text);
	drop(&json);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("print");
	TCase *tests = tcase_create("print");

	tcase_add_loop_test(tests, text_is_escaped, 0, LENGTH(texts));
	tcase_add_test(tests, columns_are_aligned);
	tcase_add_test(tests, widths_take_no_memory);
	tcase_add_test(tests, a_list_is_a_table_or_an_array);
	tcase_add_test(tests, an_empty_list_has_its_headings);
	tcase_add_test(tests, an_item_is_its_properties_or_an_object);
	suite_add_tcase(suite, tests);
	return suite;
}
