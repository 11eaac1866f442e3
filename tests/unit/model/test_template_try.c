/*
 * test_template_try.c - the dry run of a template: what is shown of each item, and of a payload
 * that cannot be read.
 */
#include <string.h>

#include "base/arena.h"
#include "check_main.h"
#include "json/reader.h"
#include "model/template_try.h"

static const struct json_limits limits = {
	.item_bytes = 10000, .items = 10, .depth = 8, .number_digits = 20, .number_exponent = 20};

static const char template_text[] =
	"{\"product_org_id\":\"id\",\"name\":\"name\",\"user_count\":\"users\",\"mrr\":\"mrr\","
	"\"last_active_at\":\"at\",\"feature_flags\":\"flags\",\"custom\":{\"x\":\"x\"}}";

enum { TRIALS = 4 };

static struct arena arena;
static const struct template *compiled;
static struct template_trial trials[TRIALS];
static size_t seen;
static enum status answer; /* of the sink */

static void set_up(void)
{
	struct template *made = NULL;
	struct template_fault fault;

	seen = 0;
	answer = STATUS_OK;
	ck_assert_int_eq(template_compile(&arena, slice_of(template_text), &made, &fault),
			 STATUS_OK);
	compiled = made;
}

static void tear_down(void)
{
	arena_free(&arena);
}

static enum status take(void *context, const struct template_trial *trial)
{
	ck_assert_ptr_eq(context, &arena);
	ck_assert_uint_lt(seen, TRIALS);
	trials[seen++] = *trial;
	return answer;
}

static enum status try_payload(const char *payload, size_t *items, uint64_t *offset,
			       const char **reason)
{
	return template_try(&arena, compiled, &limits, slice_of(payload), take, &arena, items,
			    offset, reason);
}

static void run(const char *payload, size_t count)
{
	size_t items = 99;
	uint64_t offset = 99;
	const char *reason = NULL;

	ck_assert_int_eq(try_payload(payload, &items, &offset, &reason), STATUS_OK);
	ck_assert_uint_eq(items, count);
	ck_assert_uint_eq(seen, count);
	ck_assert_uint_eq(offset, 0);
	ck_assert_str_eq(reason, "");
}

/* Cells as name=text, absent ones left out, JSON in angle brackets. */
static const char *shown(const struct template_trial *trial)
{
	static struct buf out;

	buf_reset(&out, 0);
	out.cap = 10000;
	for (int i = 0; i < TEMPLATE_CELLS; i++) {
		const struct template_cell *cell = &trial->cells[i];
		if (cell->text.p == NULL)
			continue;
		buf_add_text(&out, out.n == 0 ? "" : " ");
		buf_add_text(&out, cell->name);
		buf_add_text(&out, cell->is_json ? "=<" : "=");
		buf_add_slice(&out, cell->text);
		buf_add_text(&out, cell->is_json ? ">" : "");
	}
	buf_add_char(&out, '\0');
	return out.p;
}

START_TEST(a_row_is_shown_by_its_columns)
{
	run("{\"id\":\"o\",\"name\":\"N\",\"users\":12.0,\"mrr\":\"-5\",\"at\":1e9,"
	    "\"flags\":{ \"a b\" : [1,\n2] , \"q\\\" \":3},\"x\": true }",
	    1);
	ck_assert_uint_eq(trials[0].index, 0);
	ck_assert_int_eq(trials[0].status, STATUS_OK);
	ck_assert_uint_eq(trials[0].warning_count, 0);
	ck_assert_str_eq(shown(&trials[0]),
			 "product_org_id=o name=N user_count=<12> mrr=<-5> "
			 "last_active_at=2001-09-09T01:46:40Z "
			 "feature_flags=<{\"a b\":[1,2],\"q\\\" \":3}> custom=<{\"x\":true}>");
}
END_TEST

START_TEST(fields_without_a_value_are_absent)
{
	run("{\"id\":7}", 1);
	ck_assert_str_eq(shown(&trials[0]), "product_org_id=7");
}
END_TEST

START_TEST(warnings_are_shown)
{
	run("{\"id\":\"o\",\"users\":1.5}", 1);
	ck_assert_int_eq(trials[0].status, STATUS_OK);
	ck_assert_uint_eq(trials[0].warning_count, 1);
	ck_assert(slice_equal(trials[0].warnings[0].field, SLICE("user_count")));
	ck_assert_str_eq(trials[0].warnings[0].reason, "is not a whole number");
}
END_TEST

START_TEST(items_without_a_row_say_why)
{
	run("[{\"id\":\"a\"},{\"name\":\"b\"},7,{\"id\":[]}]", 4);
	ck_assert_int_eq(trials[0].status, STATUS_OK);
	for (size_t i = 0; i < 4; i++)
		ck_assert_uint_eq(trials[i].index, i);
	ck_assert_int_eq(trials[1].status, STATUS_MISSING_PRODUCT_ORG_ID);
	ck_assert(slice_equal(trials[1].detail, SLICE("product_org_id is missing")));
	ck_assert_int_eq(trials[2].status, STATUS_NOT_AN_OBJECT);
	ck_assert(slice_equal(trials[2].detail, SLICE("not an object at byte offset 25")));
	ck_assert_str_eq(shown(&trials[2]), "");
	ck_assert(slice_equal(
		trials[3].detail,
		SLICE("product_org_id is neither a string nor a number, true or false")));
}
END_TEST

START_TEST(no_items)
{
	run("[]", 0);
}
END_TEST

static const struct {
	const char *payload;
	enum status status;
	uint64_t offset;
	const char *reason;
} unreadable[] = {
	{"{\"id\":\"a\"", STATUS_MALFORMED_JSON, 9, "unexpected end"},
	{"", STATUS_EMPTY_BODY, 0, "empty text"},
	{"{} x", STATUS_MALFORMED_JSON, 3, "text after the end"},
};

START_TEST(a_payload_that_cannot_be_read)
{
	size_t items;
	uint64_t offset;
	const char *reason;

	ck_assert_int_eq(try_payload(unreadable[_i].payload, &items, &offset, &reason),
			 unreadable[_i].status);
	ck_assert_uint_eq(offset, unreadable[_i].offset);
	ck_assert_str_eq(reason, unreadable[_i].reason);
}
END_TEST

START_TEST(the_sink_ends_the_run)
{
	size_t items;
	uint64_t offset;
	const char *reason;

	answer = STATUS_END;
	ck_assert_int_eq(try_payload("[{\"id\":1},{\"id\":2}]", &items, &offset, &reason),
			 STATUS_END);
	ck_assert_uint_eq(seen, 1);
}
END_TEST

START_TEST(without_memory_for_a_reader)
{
	size_t items;
	uint64_t offset;
	const char *reason;

	unit_fail_allocation(1);
	enum status status = try_payload("{}", &items, &offset, &reason);
	unit_fail_allocation(0);
	ck_assert_int_eq(status, STATUS_NO_MEMORY);
	ck_assert_uint_eq(items, 0);
	ck_assert_str_eq(reason, "");
}
END_TEST

static const char cells_json[] =
	"{\"product_org_id\":\"o\",\"name\":null,\"plan_id\":null,\"plan_name\":null,"
	"\"user_count\":null,\"mrr\":5,\"trial_status\":null,\"last_active_at\":null,"
	"\"feature_flags\":null,\"custom\":null,"
	"\"warnings\":[{\"field\":\"user_count\",\"reason\":\"is not a whole number\"}]}";

START_TEST(cells_and_warnings_as_json)
{
	struct json_tree tree = {0};
	struct buf out = buf_make(10000);

	run("{\"id\":\"o\",\"users\":1.5,\"mrr\":5}", 1);
	struct json_object *object = json_tree_object(&tree, NULL, NULL);
	template_cells_json(trials[0].cells, &tree, object);
	template_warnings_json(&trials[0], &tree, object);
	json_tree_write(&tree, &out);
	buf_add_char(&out, '\0');
	ck_assert_str_eq(out.p, cells_json);
	buf_free(&out);
	json_tree_free(&tree);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("template_try");
	TCase *tests = tcase_create("template_try");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, a_row_is_shown_by_its_columns);
	tcase_add_test(tests, fields_without_a_value_are_absent);
	tcase_add_test(tests, warnings_are_shown);
	tcase_add_test(tests, items_without_a_row_say_why);
	tcase_add_test(tests, no_items);
	tcase_add_loop_test(tests, a_payload_that_cannot_be_read, 0, LENGTH(unreadable));
	tcase_add_test(tests, the_sink_ends_the_run);
	tcase_add_test(tests, without_memory_for_a_reader);
	tcase_add_test(tests, cells_and_warnings_as_json);
	suite_add_tcase(suite, tests);
	return suite;
}
