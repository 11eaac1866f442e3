/*
 * test_recover.c - a broken element of an array is one bad item; a broken structure has no items
 * that could be told apart.
 */
#include "json/read_body.h"

enum { MOST_ITEMS = 4 };

struct spared {
	struct slice body;
	struct {
		const char *text;
		uint64_t offset, bad_offset;
		const char *reason; /* NULL: a good item */
	} items[MOST_ITEMS];
};

#define CONTROL	  "control character in string"
#define CHARACTER "unexpected character"

static const struct spared spared[] = {
	/* tokens that other writers make */
	{T("[{\"v\":NaN}]"), {{"{\"v\":NaN}", 1, 6, CHARACTER}}},
	{T("[{},{\"v\":-Infinity},{}]"),
	 {{"{}", 1, 0, NULL}, {"{\"v\":-Infinity}", 4, 10, "invalid number"}, {"{}", 20, 0, NULL}}},
	{T("[{\"v\":undefined,\"a\":[1,{}]},{}]"),
	 {{"{\"v\":undefined,\"a\":[1,{}]}", 1, 6, CHARACTER}, {"{}", 28, 0, NULL}}},
	{T("[{\"v\":01},{\"v\":1.},{\"v\":True}]"),
	 {{"{\"v\":01}", 1, 7, "invalid number"},
	  {"{\"v\":1.}", 10, 17, "invalid number"},
	  {"{\"v\":True}", 19, 24, CHARACTER}}},
	{T("[{v:1},{'v':'x'},{\"v\":1,}]"),
	 {{"{v:1}", 1, 2, CHARACTER},
	  {"{'v':'x'}", 7, 8, CHARACTER},
	  {"{\"v\":1,}", 17, 24, CHARACTER}}},
	{T("[{\"v\" 1},{\"v\":1 \"w\":2}]"),
	 {{"{\"v\" 1}", 1, 6, "missing colon"},
	  {"{\"v\":1 \"w\":2}", 9, 16, "missing comma or bracket"}}},
	/* bare */
	{T("[NaN , {}]"), {{"NaN ", 1, 1, CHARACTER}, {"{}", 7, 0, NULL}}},
	{T("[{},nul]"), {{"{}", 1, 0, NULL}, {"nul", 4, 7, CHARACTER}}},
	{T("[-]"), {{"-", 1, 2, "invalid number"}}},
	/* within strings */
	{T("[{\"v\":\"a\nb\"},{}]"), {{"{\"v\":\"a\nb\"}", 1, 8, CONTROL}, {"{}", 13, 0, NULL}}},
	{T("[{\"v\":\"\n]},\"},{}]"), {{"{\"v\":\"\n]},\"}", 1, 7, CONTROL}, {"{}", 14, 0, NULL}}},
	{T("[{\"v\":\"\xe4\"},{}]"),
	 {{"{\"v\":\"\xe4\"}", 1, 7, "invalid UTF-8"}, {"{}", 11, 0, NULL}}},
	{T("[{\"v\":\"\xff,\"},{}]"),
	 {{"{\"v\":\"\xff,\"}", 1, 7, "invalid UTF-8"}, {"{}", 12, 0, NULL}}},
	{T("[{\"v\":\"\\x\\\"\"},{}]"),
	 {{"{\"v\":\"\\x\\\"\"}", 1, 8, "invalid escape"}, {"{}", 14, 0, NULL}}},
	{T("[{\"v\":\"\\u12\"},{}]"),
	 {{"{\"v\":\"\\u12\"}", 1, 11, "invalid escape"}, {"{}", 14, 0, NULL}}},
	{T("[{\"v\":\"\\ud800\\'\"},{}]"),
	 {{"{\"v\":\"\\ud800\\'\"}", 1, 14, "invalid escape"}, {"{}", 18, 0, NULL}}},
	{T("[{\"v\":\"\n\\\\\"},{}]"),
	 {{"{\"v\":\"\n\\\\\"}", 1, 7, CONTROL}, {"{}", 13, 0, NULL}}},
	{T("[\"\n\",{}]"), {{"\"\n\"", 1, 2, CONTROL}, {"{}", 5, 0, NULL}}},
	{T("[{\"\n\":1},{}]"), {{"{\"\n\":1}", 1, 3, CONTROL}, {"{}", 9, 0, NULL}}},
	/* one after the other, nested */
	{T("[NaN,NaN,{}]"),
	 {{"NaN", 1, 1, CHARACTER}, {"NaN", 5, 5, CHARACTER}, {"{}", 9, 0, NULL}}},
	{T("[[[NaN]],{}]"), {{"[[NaN]]", 1, 3, CHARACTER}, {"{}", 9, 0, NULL}}},
	{T("[{\"v\":[[\"a\n\"]]},{}]"),
	 {{"{\"v\":[[\"a\n\"]]}", 1, 10, CONTROL}, {"{}", 16, 0, NULL}}},
};

static void assert_items(const struct spared *is, const struct seen *seen)
{
	uint64_t count = 0;

	for (; count < MOST_ITEMS && is->items[count].text != NULL; count++) {
		const struct json_item *item = &seen->item[count];
		bool good = is->items[count].reason == NULL;
		ck_assert_uint_lt(count, seen->items);
		ck_assert(slice_equal(seen_text(seen, count), slice_of(is->items[count].text)));
		ck_assert_uint_eq(item->offset, is->items[count].offset);
		ck_assert_uint_eq(item->length, strlen(is->items[count].text));
		ck_assert_int_eq(item->status, good ? STATUS_OK : STATUS_MALFORMED_JSON);
		ck_assert_uint_eq(item->bad_offset, is->items[count].bad_offset);
		ck_assert_str_eq(item->reason, good ? "" : is->items[count].reason);
		ck_assert(!item->needs_repair);
	}
	ck_assert_uint_eq(seen->items, count);
	ck_assert_int_eq(seen->status, STATUS_OK);
	ck_assert_str_eq(seen->reason, "");
}

START_TEST(a_broken_element_is_one_bad_item)
{
	static const enum json_form forms[] = {JSON_FORM_SINGLE, JSON_FORM_BATCH, JSON_FORM_LINES};
	uint64_t random = 1;
	struct seen seen;

	for (int f = 0; f < LENGTH(forms); f++) {
		for (int i = 0; i < LENGTH(piece_sizes); i++) {
			read_body_with(&seen, forms[f], true, &usual, spared[_i].body,
				       piece_sizes[i], NULL);
			assert_items(&spared[_i], &seen);
			seen_free(&seen);
		}
		read_body_with(&seen, forms[f], true, &usual, spared[_i].body, 5, &random);
		assert_items(&spared[_i], &seen);
		seen_free(&seen);
	}
}
END_TEST

/* Unless it is asked for, the body is malformed at the same byte. */
START_TEST(without_recovery_the_body_is_malformed)
{
	int first = 0;
	struct seen seen;

	while (spared[_i].items[first].reason == NULL)
		first++;
	read_body(&seen, JSON_FORM_BATCH, &usual, spared[_i].body, SIZE_MAX, NULL);
	ck_assert_int_eq(seen.status, STATUS_MALFORMED_JSON);
	ck_assert_uint_eq(seen.offset, spared[_i].items[first].bad_offset);
	ck_assert_str_eq(seen.reason, spared[_i].items[first].reason);
	ck_assert_uint_eq(seen.items, (uint64_t)first);
	seen_free(&seen);
}
END_TEST

static const struct {
	struct slice body;
	uint64_t offset;
	const char *reason;
	uint64_t items; /* given before */
} broken[] = {
	{T("[{},,{}]"), 4, CHARACTER, 1},
	{T("[,{}]"), 1, CHARACTER, 0},
	{T("[{},]"), 4, CHARACTER, 1},
	{T("[{},}]"), 4, CHARACTER, 1},
	{T("[{} {}]"), 4, "missing comma or bracket", 1},
	{T("[{}x,{}]"), 3, "missing comma or bracket", 1},
	{T("[{\"v\":NaN}x,{}]"), 10, "missing comma or bracket", 1},
	{T("[{\"v\":[NaN},{}]"), 7, CHARACTER, 0},
	{T("[{\"v\":NaN]},{}]"), 6, CHARACTER, 0},
	{T("[{\"v\":NaN,{}]"), 6, CHARACTER, 0},
	{T("[NaN}"), 1, CHARACTER, 0},
	{T("[NaN"), 1, CHARACTER, 0},
	{T("[NaN,"), 5, "unexpected end", 1},
	{T("[{\"v\":\"x},{\"v\":\"y\"}]"), 12, "missing comma or bracket", 0},
	{T("[{\"v\":\"\n},{}]"), 7, CONTROL, 0},
	{T("[{\"v\":\"\n\\\"},{}]"), 7, CONTROL, 0},
	{T("[{\"v\":NaN}] x"), 12, "text after the end", 1},
	{T("[{}"), 3, "unexpected end", 1},
};

START_TEST(a_broken_structure_is_malformed)
{
	struct seen seen;

	for (int i = 0; i < LENGTH(piece_sizes); i++) {
		read_body_with(&seen, JSON_FORM_BATCH, true, &usual, broken[_i].body,
			       piece_sizes[i], NULL);
		ck_assert_int_eq(seen.status, STATUS_MALFORMED_JSON);
		ck_assert_uint_eq(seen.offset, broken[_i].offset);
		ck_assert_str_eq(seen.reason, broken[_i].reason);
		ck_assert_uint_eq(seen.items, broken[_i].items);
		seen_free(&seen);
	}
}
END_TEST

/* An object that is the body has no neighbours; neither has what stands beside an array. */
START_TEST(what_is_no_element_is_not_spared)
{
	struct seen seen;

	read_body_with(&seen, JSON_FORM_SINGLE, true, &usual, T("{\"v\":NaN}"), SIZE_MAX, NULL);
	ck_assert_int_eq(seen.status, STATUS_MALFORMED_JSON);
	ck_assert_uint_eq(seen.items, 0);
	seen_free(&seen);
	read_body_with(&seen, JSON_FORM_BATCH, true, &usual, T("{\"sentAt\":NaN,\"batch\":[{}]}"),
		       SIZE_MAX, NULL);
	ck_assert_int_eq(seen.status, STATUS_MALFORMED_JSON);
	ck_assert_uint_eq(seen.items, 0);
	seen_free(&seen);
	read_body_with(&seen, JSON_FORM_BATCH, true, &usual,
		       T("{\"batch\":[{\"v\":NaN},{}],\"sentAt\":1}"), SIZE_MAX, NULL);
	ck_assert_int_eq(seen.status, STATUS_OK);
	ck_assert_uint_eq(seen.items, 2);
	ck_assert_int_eq(seen.item[0].status, STATUS_MALFORMED_JSON);
	ck_assert_int_eq(seen.item[1].status, STATUS_OK);
	ck_assert(slice_equal(buf_slice(&seen.beside), T("1|||")));
	seen_free(&seen);
}
END_TEST

/* Of a broken item, too, no more is kept than of others. */
START_TEST(a_broken_item_is_kept_up_to_the_limit)
{
	struct json_limits limits = usual;
	struct buf body = buf_make(SIZE_MAX / 2);
	struct seen seen;

	limits.item_bytes = 8;
	buf_add_text(&body, "[{\"v\":NaN,\"w\":\"");
	add_times(&body, "x", 1000);
	buf_add_text(&body, "\"},{}]");
	for (int i = 0; i < LENGTH(piece_sizes); i++) {
		read_body_with(&seen, JSON_FORM_BATCH, true, &limits, buf_slice(&body),
			       piece_sizes[i], NULL);
		ck_assert_int_eq(seen.status, STATUS_OK);
		ck_assert_uint_eq(seen.items, 2);
		ck_assert_int_eq(seen.item[0].status, STATUS_MALFORMED_JSON);
		ck_assert_uint_eq(seen.item[0].length, body.n - 5);
		ck_assert(slice_equal(seen_text(&seen, 0), T("{\"v\":NaN")));
		seen_free(&seen);
	}
	buf_free(&body);
}
END_TEST

/* Brackets are followed beyond the levels that need no memory, and the limit of depth is not the
 * broken item's. */
START_TEST(a_broken_item_may_be_deep)
{
	struct buf body = buf_make(SIZE_MAX / 2);
	struct seen seen;

	buf_add_text(&body, "[NaN");
	add_times(&body, "[", 1000);
	add_times(&body, "]", 1000);
	buf_add_text(&body, ",{}]");
	read_body_with(&seen, JSON_FORM_BATCH, true, &usual, buf_slice(&body), SIZE_MAX, NULL);
	ck_assert_int_eq(seen.status, STATUS_OK);
	ck_assert_uint_eq(seen.items, 2);
	ck_assert_int_eq(seen.item[0].status, STATUS_MALFORMED_JSON);
	ck_assert_int_eq(seen.item[1].status, STATUS_OK);
	seen_free(&seen);
	buf_free(&body);
}
END_TEST

/* ---- an envelope that is nothing else ---- */

static const struct {
	struct slice body;
	enum status status;
	uint64_t items;
} envelopes[] = {
	{T("{\"batch\":[{}]}"), STATUS_OK, 1},
	{T("{\"sentAt\":1,\"events\":[{},{\"a\":[1]}],\"context\":{\"a\":[1]}}"), STATUS_OK, 2},
	{T("{\"s\\u0069gnals\":[{}]}"), STATUS_OK, 1},
	{T("{\"batch\":[{\"v\":NaN}]}"), STATUS_OK, 1},
	{T("{\"batch\":[{},NaN]}"), STATUS_OK, 2},
	{T("{\"batch\":[NaN,1]}"), STATUS_NOT_A_BATCH, 1},
	{T("{\"batch\":[]}"), STATUS_NOT_A_BATCH, 0},
	{T("{\"batch\":[{},1]}"), STATUS_NOT_A_BATCH, 1},
	{T("{\"batch\":[[]]}"), STATUS_NOT_A_BATCH, 0},
	{T("{\"batch\":{}}"), STATUS_NOT_A_BATCH, 0},
	{T("{\"other\":[{}]}"), STATUS_NOT_A_BATCH, 0},
	{T("{\"batch\":[{}],\"tags\":[]}"), STATUS_NOT_A_BATCH, 1},
	{T("{\"tags\":[],\"batch\":[{}]}"), STATUS_NOT_A_BATCH, 0},
	{T("{\"batch\":[{}],\"events\":[{}]}"), STATUS_NOT_A_BATCH, 1},
	{T("{}"), STATUS_NOT_A_BATCH, 0},
	{T("[{}]"), STATUS_NOT_A_BATCH, 0},
	{T("1"), STATUS_NOT_A_BATCH, 0},
	{T("{\"batch\":[{}"), STATUS_MALFORMED_JSON, 1},
};

START_TEST(an_envelope_has_one_array_of_objects)
{
	struct seen seen;

	for (int i = 0; i < LENGTH(piece_sizes); i++) {
		read_body_with(&seen, JSON_FORM_ENVELOPE, true, &usual, envelopes[_i].body,
			       piece_sizes[i], NULL);
		ck_assert_int_eq(seen.status, envelopes[_i].status);
		ck_assert_uint_eq(seen.items, envelopes[_i].items);
		ck_assert(!seen.single);
		seen_free(&seen);
	}
}
END_TEST

/* ---- memory ---- */

static struct buf deep;

static enum status take_any(void *context, const struct json_item *item)
{
	(void)context;
	(void)item;
	return STATUS_OK;
}

static enum status read_deep(void)
{
	struct json_reader *reader;
	enum status status = json_reader_open(&reader, JSON_FORM_BATCH, &usual, take_any, NULL);

	if (status == STATUS_OK) {
		json_reader_recover(reader);
		status = json_reader_feed(reader, deep.p, deep.n);
	}
	if (status == STATUS_OK)
		status = json_reader_end(reader);
	json_reader_close(reader);
	return status;
}

START_TEST(failing_allocations_are_told)
{
	deep = buf_make(SIZE_MAX / 2);
	buf_add_text(&deep, "[NaN");
	add_times(&deep, "[", 300);
	add_times(&deep, "]", 300);
	buf_add_text(&deep, "]");
	ck_assert_int_ge(unit_torture(read_deep), 2);
	buf_free(&deep);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("json_recover");
	TCase *tests = tcase_create("recover");

	tcase_add_loop_test(tests, a_broken_element_is_one_bad_item, 0, LENGTH(spared));
	tcase_add_loop_test(tests, without_recovery_the_body_is_malformed, 0, LENGTH(spared));
	tcase_add_loop_test(tests, a_broken_structure_is_malformed, 0, LENGTH(broken));
	tcase_add_test(tests, what_is_no_element_is_not_spared);
	tcase_add_test(tests, a_broken_item_is_kept_up_to_the_limit);
	tcase_add_test(tests, a_broken_item_may_be_deep);
	tcase_add_loop_test(tests, an_envelope_has_one_array_of_objects, 0, LENGTH(envelopes));
	tcase_add_test(tests, failing_allocations_are_told);
	suite_add_tcase(suite, tests);
	return suite;
}
