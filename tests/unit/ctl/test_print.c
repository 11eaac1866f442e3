/*
 * test_print.c - lists and items of the tool, as tables and as JSON.
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

START_TEST(a_list_is_a_table_or_an_object)
{
	const struct store_list list = {&entity, things, 2};
	struct ctl text = ctl_with(NULL), json = ctl_with("");

	ck_assert_int_eq(ctl_print_list(&text, "things", &list), CTL_FINE);
	ck_assert_str_eq(appended(&text), "ID   NAME  HALF\n"
					  "1    a\\n   half\n"
					  "-20  -     -\n");
	ck_assert_int_eq(ctl_print_list(&json, "things", &list), CTL_FINE);
	ck_assert_str_eq(appended(&json),
			 "{\"things\":[{\"id\":1,\"name\":\"a\\n\",\"raw\":1.50,\"hidden\":false},"
			 "{\"id\":-20,\"name\":null,\"raw\":null,\"hidden\":true}]}\n");
	drop(&text);
	drop(&json);
}
END_TEST

START_TEST(an_empty_list_has_its_headings)
{
	const struct store_list list = {&entity, NULL, 0};
	struct ctl text = ctl_with(NULL), json = ctl_with("");

	ck_assert_int_eq(ctl_print_list(&text, "things", &list), CTL_FINE);
	ck_assert_str_eq(appended(&text), "ID  NAME  HALF\n");
	ck_assert_int_eq(ctl_print_list(&json, "things", &list), CTL_FINE);
	ck_assert_str_eq(appended(&json), "{\"things\":[]}\n");
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

	tcase_add_test(tests, a_list_is_a_table_or_an_object);
	tcase_add_test(tests, an_empty_list_has_its_headings);
	tcase_add_test(tests, an_item_is_its_properties_or_an_object);
	suite_add_tcase(suite, tests);
	return suite;
}
