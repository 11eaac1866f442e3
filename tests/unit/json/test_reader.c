/*
 * test_reader.c - the items of bodies that come in pieces: their limits, shapes and measures.
 */
#include "json/read_body.h"

/* ---- limits ---- */

static const struct limit_case sizes[] = {
	{4095, STATUS_OK},
	{4096, STATUS_OK},
	{4097, STATUS_ITEM_TOO_LARGE},
	{4098, STATUS_ITEM_TOO_LARGE},
	{100000, STATUS_ITEM_TOO_LARGE},
};

START_TEST(the_size_of_an_item_is_limited)
{
	struct buf buf = buf_make(SIZE_MAX / 2);

	buf_add_text(&buf, "{\"a\":\"");
	add_times(&buf, "x", sizes[_i].size - 8);
	buf_add_text(&buf, "\"}");
	ck_assert_uint_eq(buf.n, sizes[_i].size);
	assert_limit(&usual, buf_slice(&buf), sizes[_i].status, 4096);
	buf_free(&buf);
}
END_TEST

/* Of several limits the one that is passed first is told. */
static const struct {
	size_t item_bytes, kept_bytes; /* the limits */
	size_t size, kept;	       /* of the item */
} keeping[] = {
	{10, 20, 10, 10}, {10, 20, 11, 11}, {10, 20, 20, 20}, {10, 20, 21, 20},
	{10, 20, 99, 20}, {10, 0, 11, 10},  {10, 9, 11, 10},
};

START_TEST(so_much_of_a_bad_item_is_kept)
{
	struct json_limits limits = usual;
	struct buf buf = buf_make(SIZE_MAX / 2);

	limits.item_bytes = keeping[_i].item_bytes;
	limits.kept_bytes = keeping[_i].kept_bytes;
	buf_add_text(&buf, "[{\"a\":\"");
	add_times(&buf, "x", keeping[_i].size - 8);
	buf_add_text(&buf, "\"},{}]");
	for (size_t i = 0; i < LENGTH(piece_sizes); i++) {
		struct seen seen;
		read_body(&seen, JSON_FORM_BATCH, &limits, buf_slice(&buf), piece_sizes[i], NULL);
		ck_assert_uint_eq(seen.items, 2);
		ck_assert_int_eq(seen.item[0].status, keeping[_i].size > limits.item_bytes
							      ? STATUS_ITEM_TOO_LARGE
							      : STATUS_OK);
		ck_assert_uint_eq(seen.item[0].length, keeping[_i].size);
		ck_assert(slice_equal(seen_text(&seen, 0),
				      (struct slice){buf.p + 1, keeping[_i].kept}));
		seen_free(&seen);
	}
	buf_free(&buf);
}
END_TEST

START_TEST(the_first_limit_that_is_passed_counts)
{
	struct json_limits limits = usual;
	struct slice text = T("{\"a\":1e500,\"b\":[[[]]]}");

	limits.depth = 2;
	assert_limit(&limits, text, STATUS_NUMBER_TOO_LARGE, 5);
	limits.number_exponent = 500;
	assert_limit(&limits, text, STATUS_NESTING_TOO_DEEP, 16);
	limits.depth = 4;
	assert_limit(&limits, text, STATUS_OK, 0);
	limits.item_bytes = 21;
	assert_limit(&limits, text, STATUS_ITEM_TOO_LARGE, 21);
	limits.number_exponent = 400;
	struct seen seen;
	read_body(&seen, JSON_FORM_SINGLE, &limits, text, 1, NULL);
	ck_assert_int_eq(seen.item[0].status, STATUS_NUMBER_TOO_LARGE);
	seen_free(&seen);
	limits.item_bytes = 5;
	read_body(&seen, JSON_FORM_SINGLE, &limits, text, 1, NULL);
	ck_assert_int_eq(seen.item[0].status, STATUS_ITEM_TOO_LARGE);
	ck_assert_uint_eq(seen.item[0].bad_offset, 5);
	seen_free(&seen);
}
END_TEST

static const struct {
	uint64_t limit;
	enum status status;
	uint64_t items;
	uint64_t array_offset, lines_offset;
} counts[] = {
	{4, STATUS_OK, 3, 0, 0},
	{3, STATUS_OK, 3, 0, 0},
	{2, STATUS_TOO_MANY_ITEMS, 2, 6, 6},
	{0, STATUS_TOO_MANY_ITEMS, 0, 1, 0},
};

START_TEST(the_number_of_items_is_limited)
{
	struct json_limits limits = usual;
	struct seen seen;

	limits.items = counts[_i].limit;
	for (int i = 0; i < LENGTH(piece_sizes); i++) {
		read_body(&seen, JSON_FORM_SINGLE, &limits, T("[{},1,{}]"), piece_sizes[i], NULL);
		ck_assert_int_eq(seen.status, counts[_i].status);
		ck_assert_uint_eq(seen.items, counts[_i].items);
		ck_assert_uint_eq(seen.offset, counts[_i].array_offset);
		seen_free(&seen);
		read_body(&seen, JSON_FORM_LINES, &limits, T("{}\n}\n\n{}"), piece_sizes[i], NULL);
		ck_assert_int_eq(seen.status, counts[_i].status);
		ck_assert_uint_eq(seen.items, counts[_i].items);
		ck_assert_uint_eq(seen.offset, counts[_i].lines_offset);
		seen_free(&seen);
	}
}
END_TEST

static enum status pass_on_item(void *context, const struct json_item *item)
{
	(void)context;
	return item->status;
}

/* An array of objects with nothing in them, so many that the last one begins at the limit. */
START_TEST(a_body_of_nothing_but_containers_is_limited)
{
	enum { FREE = 100000, ITEMS = FREE + 2 };
	struct json_limits limits = usual;

	limits.items = UINT64_MAX;
	for (int width = 8; width >= 7; width--) {
		struct buf body = buf_make((size_t)9 * ITEMS * 8 + 2);
		struct json_reader *reader = NULL;
		uint64_t offset;
		const char *reason;
		buf_add_char(&body, '[');
		for (int i = 0; i < 9 * ITEMS; i++)
			buf_add_format(&body, "%s{}%*s", i == 0 ? "" : ",", width - 3, "");
		buf_add_char(&body, ']');
		ck_assert_int_eq(body.status, STATUS_OK);
		ck_assert_int_eq(
			json_reader_open(&reader, JSON_FORM_SINGLE, &limits, pass_on_item, NULL),
			STATUS_OK);
		enum status status = json_reader_feed(reader, body.p, body.n);
		json_reader_error(reader, &offset, &reason);
		if (width == 8) {
			ck_assert_int_eq(status, STATUS_OK);
		} else {
			ck_assert_int_eq(status, STATUS_TOO_MANY_ITEMS);
			ck_assert_str_eq(reason, "too many arrays and objects");
			/* containers before the item = 1 + n; n = (offset - 1) / 7 */
			ck_assert_uint_gt(1 + (offset - 1) / 7, FREE + offset / 8);
			ck_assert_uint_le((offset - 1) / 7, FREE + (offset - 7) / 8);
		}
		json_reader_close(reader);
		buf_free(&body);
	}
}
END_TEST

/* Many thousand levels make one bad item and take no more memory than their bits. */
START_TEST(what_is_far_too_deep_is_followed_to_its_end)
{
	struct buf buf = buf_make(SIZE_MAX / 2);
	struct seen seen;

	buf_add_text(&buf, "{\"batch\":[{},{\"a\":");
	add_times(&buf, "[{\"k\":", 90000);
	buf_add_text(&buf, "1");
	add_times(&buf, "}]", 90000);
	buf_add_text(&buf, "},{\"z\":1}]}");
	read_body(&seen, JSON_FORM_BATCH, &usual, buf_slice(&buf), 1000, NULL);
	ck_assert_int_eq(seen.status, STATUS_OK);
	ck_assert_uint_eq(seen.items, 3);
	ck_assert_int_eq(seen.item[1].status, STATUS_NESTING_TOO_DEEP);
	ck_assert_uint_eq(seen.item[1].text.n, usual.item_bytes);
	ck_assert(slice_equal(seen_text(&seen, 2), T("{\"z\":1}")));
	seen_free(&seen);
	/* The same with one bracket of the wrong kind at the very end of the nest. */
	buf.p[buf.n - 12] = '}';
	read_body(&seen, JSON_FORM_BATCH, &usual, buf_slice(&buf), 1000, NULL);
	ck_assert_int_eq(seen.status, STATUS_MALFORMED_JSON);
	ck_assert_uint_eq(seen.offset, buf.n - 12);
	seen_free(&seen);
	buf_free(&buf);
}
END_TEST

START_TEST(what_cannot_be_followed_is_refused)
{
	static char brackets[1 << 16];
	struct seen seen = {.bytes = buf_make(SIZE_MAX / 2)};
	struct json_reader *reader;
	enum status status = STATUS_OK;
	int pieces = 0;
	uint64_t offset;
	const char *reason;

	memset(brackets, '[', sizeof(brackets));
	ck_assert_int_eq(json_reader_open(&reader, JSON_FORM_BATCH, &usual, record, &seen),
			 STATUS_OK);
	for (; status == STATUS_OK && pieces < 1000; pieces++)
		status = json_reader_feed(reader, brackets, sizeof(brackets));
	ck_assert_int_eq(status, STATUS_NESTING_TOO_DEEP);
	ck_assert_int_eq(pieces, (1 << 23) / (1 << 16) + 1);
	json_reader_error(reader, &offset, &reason);
	ck_assert_uint_eq(offset, 1 << 23);
	ck_assert_str_eq(reason, "nested too deeply");
	json_reader_close(reader);
	seen_free(&seen);
}
END_TEST

/* ---- items and shapes ---- */

struct item_case {
	const char *text;
	uint64_t offset;
	enum status status;
	uint64_t bad_offset;
	const char *reason;
};

static const struct body_case {
	enum json_form form;
	struct slice body;
	enum status status;
	uint64_t offset; /* of a failure */
	bool single;
	const char *beside; /* sentAt|timestamp|context| */
	struct item_case items[6];
} bodies[] = {
	/* single: an object is one item, an array a batch */
	{JSON_FORM_SINGLE, T("{\"a\":1}"), STATUS_OK, 0, true, "|||", {{"{\"a\":1}", 0}}},
	{JSON_FORM_SINGLE, T(" \n {} \n "), STATUS_OK, 0, true, "|||", {{"{}", 3}}},
	{JSON_FORM_SINGLE,
	 T("{\"batch\":[{}]}"),
	 STATUS_OK,
	 0,
	 true,
	 "|||",
	 {{"{\"batch\":[{}]}", 0}}},
	{JSON_FORM_SINGLE,
	 T("[{\"a\":1} , {}]"),
	 STATUS_OK,
	 0,
	 false,
	 "|||",
	 {{"{\"a\":1}", 1}, {"{}", 11}}},
	{JSON_FORM_SINGLE, T("[]"), STATUS_OK, 0, false, "|||", {{0}}},
	{JSON_FORM_SINGLE, T(" 7"), STATUS_NOT_AN_OBJECT, 1, false, "|||", {{0}}},
	{JSON_FORM_SINGLE, T("\"x\" "), STATUS_NOT_AN_OBJECT, 0, false, "|||", {{0}}},
	{JSON_FORM_SINGLE, T("null"), STATUS_NOT_AN_OBJECT, 0, false, "|||", {{0}}},
	{JSON_FORM_SINGLE, T("{}{"), STATUS_MALFORMED_JSON, 2, true, "|||", {{"{}", 0}}},
	{JSON_FORM_SINGLE,
	 T("[{},[1,[2]],\"s\",12, null,true]"),
	 STATUS_OK,
	 0,
	 false,
	 "|||",
	 {{"{}", 1},
	  {"[1,[2]]", 4, STATUS_NOT_AN_OBJECT, 4, "not an object"},
	  {"\"s\"", 12, STATUS_NOT_AN_OBJECT, 12, "not an object"},
	  {"12", 16, STATUS_NOT_AN_OBJECT, 16, "not an object"},
	  {"null", 20, STATUS_NOT_AN_OBJECT, 20, "not an object"},
	  {"true", 25, STATUS_NOT_AN_OBJECT, 25, "not an object"}}},
	{JSON_FORM_SINGLE, T("[{},{]"), STATUS_MALFORMED_JSON, 5, false, "|||", {{"{}", 1}}},
	{JSON_FORM_SINGLE,
	 T("[{},{}"),
	 STATUS_MALFORMED_JSON,
	 6,
	 false,
	 "|||",
	 {{"{}", 1}, {"{}", 4}}},
	/* the byte order mark, whole and broken */
	{JSON_FORM_SINGLE, T("\xef\xbb\xbf{}"), STATUS_OK, 0, true, "|||", {{"{}", 3}}},
	{JSON_FORM_SINGLE, T("\xef\xbb\xbf {]"), STATUS_MALFORMED_JSON, 5, true, "|||", {{0}}},
	{JSON_FORM_SINGLE, T("\xef\xbb\xbf"), STATUS_EMPTY_BODY, 3, false, "|||", {{0}}},
	{JSON_FORM_SINGLE, T("\xef\xbb"), STATUS_MALFORMED_JSON, 0, false, "|||", {{0}}},
	{JSON_FORM_SINGLE, T("\xef"), STATUS_MALFORMED_JSON, 0, false, "|||", {{0}}},
	{JSON_FORM_SINGLE, T("\xef{}"), STATUS_MALFORMED_JSON, 0, false, "|||", {{0}}},
	{JSON_FORM_SINGLE,
	 T("\xef\xbb\xbf\xef\xbb\xbf{}"),
	 STATUS_MALFORMED_JSON,
	 3,
	 false,
	 "|||",
	 {{0}}},
	{JSON_FORM_SINGLE, T(" \xef\xbb\xbf{}"), STATUS_MALFORMED_JSON, 1, false, "|||", {{0}}},
	{JSON_FORM_LINES,
	 T("\xef\xbb\xbf{}\n{}"),
	 STATUS_OK,
	 0,
	 false,
	 "|||",
	 {{"{}", 3}, {"{}", 6}}},
	{JSON_FORM_LINES,
	 T("\xef\xbb{}\n{}"),
	 STATUS_OK,
	 0,
	 false,
	 "|||",
	 {{"\xef\xbb{}", 0, STATUS_MALFORMED_JSON, 0, "unexpected character"}, {"{}", 5}}},
	/* batches: arrays and envelopes */
	{JSON_FORM_BATCH, T("[{},{}]"), STATUS_OK, 0, false, "|||", {{"{}", 1}, {"{}", 4}}},
	{JSON_FORM_BATCH,
	 T("{\"batch\":[{\"a\":[1]},{}]}"),
	 STATUS_OK,
	 0,
	 false,
	 "|||",
	 {{"{\"a\":[1]}", 10}, {"{}", 20}}},
	{JSON_FORM_BATCH, T("{\"signals\":[{}]}"), STATUS_OK, 0, false, "|||", {{"{}", 12}}},
	{JSON_FORM_BATCH, T("{ \"events\" : [ {} ] }"), STATUS_OK, 0, false, "|||", {{"{}", 15}}},
	{JSON_FORM_BATCH, T("{\"batch\":[]}"), STATUS_OK, 0, false, "|||", {{0}}},
	{JSON_FORM_BATCH,
	 T("{\"batch\":[1,{\"batch\":[{}]}]}"),
	 STATUS_OK,
	 0,
	 false,
	 "|||",
	 {{"1", 10, STATUS_NOT_AN_OBJECT, 10, "not an object"}, {"{\"batch\":[{}]}", 12}}},
	{JSON_FORM_BATCH,
	 T("{\"writeKey\":\"k\",\"sentAt\": \"2024\" ,\"batch\":[{}],\"context\":{\"ip\":\"1\"},"
	   "\"timestamp\":12}"),
	 STATUS_OK,
	 0,
	 false,
	 "\"2024\"|12|{\"ip\":\"1\"}|",
	 {{"{}", 43}}},
	{JSON_FORM_BATCH,
	 T("{\"context\":[{\"batch\":[1]}],\"x\":[{}],\"events\":[{}]}"),
	 STATUS_OK,
	 0,
	 false,
	 "||[{\"batch\":[1]}]|",
	 {{"{}", 46}}},
	{JSON_FORM_BATCH,
	 T("{\"sentAt\":1,\"sentAt\":\"2\",\"batch\":[]}"),
	 STATUS_OK,
	 0,
	 false,
	 "\"2\"|||",
	 {{0}}},
	{JSON_FORM_BATCH,
	 T("{\"sentAt\":\"a\\u0000b\",\"batch\":[]}"),
	 STATUS_OK,
	 0,
	 false,
	 "\"a\xef\xbf\xbd"
	 "b\"|||",
	 {{0}}},
	{JSON_FORM_BATCH,
	 T("{\"sentAt\":1e401,\"batch\":[{\"a\":1}]}"),
	 STATUS_OK,
	 0,
	 false,
	 "|||",
	 {{"{\"a\":1}", 25}}},
	{JSON_FORM_BATCH,
	 T("{\"batch\":[{\"a\":1e401}],\"sentAt\":1}"),
	 STATUS_OK,
	 0,
	 false,
	 "1|||",
	 {{"{\"a\":1e401}", 10, STATUS_NUMBER_TOO_LARGE, 15, "exponent too large"}}},
	{JSON_FORM_BATCH,
	 T("{\"events\":5,\"batch\":[{}]}"),
	 STATUS_OK,
	 0,
	 false,
	 "|||",
	 {{"{}", 21}}},
	{JSON_FORM_BATCH,
	 T("{\"b\\u0061tch\":[{}],\"\\u0073ent\\u0041t\":1}"),
	 STATUS_OK,
	 0,
	 false,
	 "1|||",
	 {{"{}", 15}}},
	{JSON_FORM_BATCH,
	 T("{\"b\\u0061tch\":[{}],\"events\":[{}]}"),
	 STATUS_NOT_A_BATCH,
	 28,
	 false,
	 "|||",
	 {{"{}", 15}}},
	{JSON_FORM_BATCH,
	 T("{\"events\":[{}],\"batch\":[{}]}"),
	 STATUS_NOT_A_BATCH,
	 23,
	 false,
	 "|||",
	 {{"{}", 11}}},
	{JSON_FORM_BATCH,
	 T("{\"batch\":[],\"batch\":[{}]}"),
	 STATUS_NOT_A_BATCH,
	 20,
	 false,
	 "|||",
	 {{0}}},
	{JSON_FORM_BATCH, T("{}"), STATUS_NOT_A_BATCH, 0, false, "|||", {{0}}},
	{JSON_FORM_BATCH, T(" {\"batch\":{}}"), STATUS_NOT_A_BATCH, 1, false, "|||", {{0}}},
	{JSON_FORM_BATCH,
	 T("{\"Batch\":[{}],\"batch \":[{}],\"batc\":[]}"),
	 STATUS_NOT_A_BATCH,
	 0,
	 false,
	 "|||",
	 {{0}}},
	{JSON_FORM_BATCH,
	 T("{\"a\":{\"batch\":[{}]}}"),
	 STATUS_NOT_A_BATCH,
	 0,
	 false,
	 "|||",
	 {{0}}},
	{JSON_FORM_BATCH, T("\"batch\""), STATUS_NOT_A_BATCH, 0, false, "|||", {{0}}},
	{JSON_FORM_BATCH, T(" 12"), STATUS_NOT_A_BATCH, 1, false, "|||", {{0}}},
	{JSON_FORM_BATCH,
	 T("{\"batch\":[{}]"),
	 STATUS_MALFORMED_JSON,
	 13,
	 false,
	 "|||",
	 {{"{}", 10}}},
	{JSON_FORM_BATCH,
	 T("{\"batch\":[{}]}x"),
	 STATUS_MALFORMED_JSON,
	 14,
	 false,
	 "|||",
	 {{"{}", 10}}},
	{JSON_FORM_BATCH, T("{}\n{}"), STATUS_MALFORMED_JSON, 3, false, "|||", {{0}}},
	{JSON_FORM_BATCH, T("[{}]\n[{}]"), STATUS_MALFORMED_JSON, 5, false, "|||", {{"{}", 1}}},
	/* lines */
	{JSON_FORM_LINES,
	 T("{\"a\":1}\n{\"b\":2}\n"),
	 STATUS_OK,
	 0,
	 false,
	 "|||",
	 {{"{\"a\":1}", 0}, {"{\"b\":2}", 8}}},
	{JSON_FORM_LINES, T("{}\r\n{}"), STATUS_OK, 0, false, "|||", {{"{}", 0}, {"{}", 4}}},
	{JSON_FORM_LINES,
	 T("\n\n \t\r\n  {}  \r\n\n\r\n{}\n\n"),
	 STATUS_OK,
	 0,
	 false,
	 "|||",
	 {{"{}", 8}, {"{}", 17}}},
	{JSON_FORM_LINES,
	 T("{\"batch\":[{}]}\n"),
	 STATUS_OK,
	 0,
	 false,
	 "|||",
	 {{"{\"batch\":[{}]}", 0}}},
	{JSON_FORM_LINES,
	 T("{\"a\":}\n{}\n{\"a\"\n{}"),
	 STATUS_OK,
	 0,
	 false,
	 "|||",
	 {{"{\"a\":}", 0, STATUS_MALFORMED_JSON, 5, "unexpected character"},
	  {"{}", 7},
	  {"{\"a\"", 10, STATUS_MALFORMED_JSON, 14, "unexpected end"},
	  {"{}", 15}}},
	{JSON_FORM_LINES,
	 T("{} {}\n{}x\n{\"a\":\"\n\"}\nz"),
	 STATUS_OK,
	 0,
	 false,
	 "|||",
	 {{"{} {}", 0, STATUS_MALFORMED_JSON, 3, "text after the end"},
	  {"{}x", 6, STATUS_MALFORMED_JSON, 8, "text after the end"},
	  {"{\"a\":\"", 10, STATUS_MALFORMED_JSON, 16, "unfinished string"},
	  {"\"}", 17, STATUS_MALFORMED_JSON, 19, "unfinished string"},
	  {"z", 20, STATUS_MALFORMED_JSON, 20, "unexpected character"}}},
	{JSON_FORM_LINES,
	 T("1\n\"a\" \r\n-\n[]\nnull"),
	 STATUS_OK,
	 0,
	 false,
	 "|||",
	 {{"1", 0, STATUS_NOT_AN_OBJECT, 0, "not an object"},
	  {"\"a\"", 2, STATUS_NOT_AN_OBJECT, 2, "not an object"},
	  {"-", 8, STATUS_MALFORMED_JSON, 9, "unexpected end"},
	  {"[]", 10, STATUS_NOT_AN_OBJECT, 10, "not an object"},
	  {"null", 13, STATUS_NOT_AN_OBJECT, 13, "not an object"}}},
	{JSON_FORM_LINES,
	 T("{\"a\":1e401}\n{\"a\":\"\xff\"}\n{\"a\":1}"),
	 STATUS_OK,
	 0,
	 false,
	 "|||",
	 {{"{\"a\":1e401}", 0, STATUS_NUMBER_TOO_LARGE, 5, "exponent too large"},
	  {"{\"a\":\"\xff\"}", 12, STATUS_MALFORMED_JSON, 18, "invalid UTF-8"},
	  {"{\"a\":1}", 22}}},
	{JSON_FORM_LINES,
	 T("\"\xe2\n{\"a\":\"\xc3\xa9\"}\n\"\\ud800\n{\"b\":\"\\udc00\"}"),
	 STATUS_OK,
	 0,
	 false,
	 "|||",
	 {{"\"\xe2", 0, STATUS_MALFORMED_JSON, 2, "unfinished string"},
	  {"{\"a\":\"\xc3\xa9\"}", 3},
	  {"\"\\ud800", 14, STATUS_MALFORMED_JSON, 21, "unfinished string"},
	  {"{\"b\":\"\\udc00\"}", 22}}},
	{JSON_FORM_LINES,
	 T("{}\0\n{}"),
	 STATUS_OK,
	 0,
	 false,
	 "|||",
	 {{"{}", 0, STATUS_MALFORMED_JSON, 2, "text after the end"}, {"{}", 4}}},
	/* an array under the name of lines */
	{JSON_FORM_LINES, T("[{},\n{}]"), STATUS_OK, 0, false, "|||", {{"{}", 1}, {"{}", 5}}},
	{JSON_FORM_LINES, T("\n \r\n[{}]\n"), STATUS_OK, 0, false, "|||", {{"{}", 5}}},
	{JSON_FORM_LINES, T("\xef\xbb\xbf\n[{}]"), STATUS_OK, 0, false, "|||", {{"{}", 5}}},
	{JSON_FORM_LINES, T("[{}]\n{}"), STATUS_MALFORMED_JSON, 5, false, "|||", {{"{}", 1}}},
};

static void assert_items(const struct body_case *is, const struct seen *seen)
{
	uint64_t i = 0;

	for (; i < LENGTH(is->items) && is->items[i].text != NULL; i++) {
		const struct item_case *want = &is->items[i];
		const struct json_item *got = &seen->item[i];
		struct slice text = seen_text(seen, i);
		ck_assert_uint_lt(i, seen->items);
		ck_assert_uint_eq(got->offset, want->offset);
		ck_assert_int_eq(got->status, want->status);
		ck_assert_uint_eq(got->bad_offset, want->bad_offset);
		ck_assert_str_eq(got->reason, want->reason == NULL ? "" : want->reason);
		ck_assert_int_eq(memcmp(text.p, want->text, strlen(want->text)), 0);
		/* The text is what lies in the body at that place. */
		ck_assert(slice_equal(text, (struct slice){is->body.p + want->offset, text.n}));
		bool has_nul = memchr(text.p, 0, text.n) != NULL;
		ck_assert_uint_eq(text.n, strlen(want->text) + has_nul);
	}
	ck_assert_uint_eq(seen->items, i);
}

START_TEST(items_are_found)
{
	const struct body_case *is = &bodies[_i];
	struct seen seen;

	for (int i = 0; i < LENGTH(piece_sizes); i++) {
		read_body(&seen, is->form, &usual, is->body, piece_sizes[i], NULL);
		ck_assert_msg(seen.status == is->status, "%s: %s", is->body.p,
			      status_name(seen.status));
		ck_assert_msg(seen.offset == is->offset, "%s: %d", is->body.p, (int)seen.offset);
		ck_assert_int_eq(seen.single, is->single);
		if (is->status == STATUS_OK)
			ck_assert(slice_equal(buf_slice(&seen.beside), slice_of(is->beside)));
		assert_items(is, &seen);
		seen_free(&seen);
	}
}
END_TEST

static const struct {
	size_t size;
	bool kept;
} beside_sizes[] = {{65535, true}, {65536, true}, {65537, false}};

START_TEST(members_beside_the_array_are_kept_up_to_64_kib)
{
	struct buf buf = buf_make(SIZE_MAX / 2);
	struct seen seen;

	buf_add_text(&buf, "{\"context\":\"");
	add_times(&buf, "c", beside_sizes[_i].size - 2);
	buf_add_text(&buf, "\",\"batch\":[{}]}");
	for (int i = 0; i < LENGTH(piece_sizes); i++) {
		read_body(&seen, JSON_FORM_BATCH, &usual, buf_slice(&buf), piece_sizes[i], NULL);
		ck_assert_int_eq(seen.status, STATUS_OK);
		ck_assert_uint_eq(seen.items, 1);
		size_t kept = beside_sizes[_i].kept ? beside_sizes[_i].size : 0;
		ck_assert_uint_eq(seen.beside.n, 3 + kept);
		seen_free(&seen);
	}
	buf_free(&buf);
}
END_TEST

struct within {
	struct slice piece;
	size_t items;
};

static enum status expect_within(void *context, const struct json_item *item)
{
	struct within *within = context;
	const struct slice piece = within->piece;

	ck_assert(item->text.p >= piece.p && item->text.p + item->text.n <= piece.p + piece.n);
	within->items++;
	return STATUS_OK;
}

START_TEST(an_item_within_one_piece_is_not_copied)
{
	static const struct {
		enum json_form form;
		struct slice body;
	} cases[] = {
		{JSON_FORM_SINGLE, T("{\"a\":1}")},
		{JSON_FORM_BATCH, T("{\"batch\":[{\"a\":1},2,{}]}")},
		{JSON_FORM_LINES, T("{\"a\":1}\n{}\n}\n")},
	};

	for (int i = 0; i < LENGTH(cases); i++) {
		struct within within = {cases[i].body, 0};
		struct json_reader *reader;
		ck_assert_int_eq(
			json_reader_open(&reader, cases[i].form, &usual, expect_within, &within),
			STATUS_OK);
		ck_assert_int_eq(json_reader_feed(reader, within.piece.p, within.piece.n),
				 STATUS_OK);
		ck_assert_uint_gt(within.items, 0);
		ck_assert_int_eq(json_reader_end(reader), STATUS_OK);
		json_reader_close(reader);
	}
}
END_TEST

static enum status end_at_second(void *context, const struct json_item *item)
{
	size_t *items = context;

	++*items;
	return item->index == 1 ? STATUS_BUSY : STATUS_OK;
}

/* How long each item is in full, whether it is kept whole or not, and where the body ends. */
static const struct {
	enum json_form form;
	struct slice body;
	uint64_t lengths[3];
} lengths[] = {
	{JSON_FORM_SINGLE, T(" {\"a\":1} "), {7}},
	{JSON_FORM_BATCH, T("[ {} ,12 , [3,4]]"), {2, 2, 5}},
	{JSON_FORM_BATCH, T("[{\"a\":\"0123456789\"},\"0123456789\"]"), {18, 12}},
	{JSON_FORM_LINES, T("{\"a\":1} \r\n{\"a\":} \r\n7 \n"), {7, 8, 1}},
	{JSON_FORM_LINES, T("{}\n{\"a\":"), {2, 5}},
	{JSON_FORM_LINES, T("{}\n{\"a\":\"0123456789\"}"), {2, 18}},
	{JSON_FORM_LINES, T("{}\n\"0123456789"), {2, 11}},
	{JSON_FORM_LINES, T("{}\n12345678901"), {2, 11}},
};

START_TEST(items_are_measured)
{
	struct json_limits limits = usual;
	struct seen seen;

	limits.item_bytes = 8;
	for (int i = 0; i < LENGTH(piece_sizes); i++) {
		read_body(&seen, lengths[_i].form, &limits, lengths[_i].body, piece_sizes[i], NULL);
		ck_assert_int_eq(seen.status, STATUS_OK);
		for (uint64_t at = 0; at < seen.items; at++) {
			uint64_t length = lengths[_i].lengths[at];
			ck_assert_uint_eq(seen.item[at].length, length);
			ck_assert_uint_eq(seen.item[at].text.n, length < 8 ? length : 8);
		}
		ck_assert(seen.items == 3 || lengths[_i].lengths[seen.items] == 0);
		seen_free(&seen);
	}
}
END_TEST

START_TEST(the_sink_ends_the_reading)
{
	static const enum json_form forms[] = {JSON_FORM_BATCH, JSON_FORM_LINES};
	static const struct slice texts[] = {T("[{},{},{}]"), T("{}\n{}\n{}")};

	for (int i = 0; i < LENGTH(forms); i++) {
		struct json_reader *reader;
		uint64_t offset;
		const char *reason;
		size_t items = 0;
		ck_assert_int_eq(json_reader_open(&reader, forms[i], &usual, end_at_second, &items),
				 STATUS_OK);
		ck_assert_int_eq(json_reader_feed(reader, texts[i].p, texts[i].n), STATUS_BUSY);
		ck_assert_uint_eq(items, 2);
		json_reader_error(reader, &offset, &reason);
		ck_assert_uint_eq(offset, i == 0 ? 4 : 3);
		ck_assert_str_eq(reason, "ended by the caller");
		ck_assert_int_eq(json_reader_feed(reader, "\n", 1), STATUS_BUSY);
		ck_assert_int_eq(json_reader_end(reader), STATUS_BUSY);
		ck_assert_uint_eq(items, 2);
		json_reader_close(reader);
	}
	json_reader_close(NULL);
}
END_TEST

/* ---- whole and in pieces: the same ---- */

static void assert_same(const struct seen *a, const struct seen *b)
{
	ck_assert_int_eq(a->status, b->status);
	ck_assert_uint_eq(a->offset, b->offset);
	ck_assert_str_eq(a->reason, b->reason);
	ck_assert_uint_eq(a->items, b->items);
	ck_assert_int_eq(a->single, b->single);
	ck_assert(slice_equal(buf_slice(&a->bytes), buf_slice(&b->bytes)));
	ck_assert(slice_equal(buf_slice(&a->beside), buf_slice(&b->beside)));
	for (uint64_t i = 0; i < a->items; i++) {
		ck_assert_uint_eq(a->item[i].offset, b->item[i].offset);
		ck_assert_uint_eq(a->item[i].text.n, b->item[i].text.n);
		ck_assert_int_eq(a->item[i].status, b->item[i].status);
		ck_assert_uint_eq(a->item[i].bad_offset, b->item[i].bad_offset);
		ck_assert_str_eq(a->item[i].reason, b->item[i].reason);
		ck_assert_int_eq(a->item[i].needs_repair, b->item[i].needs_repair);
	}
}

static const struct slice seeds[] = {
	T("{\"email\": \"lead@example.com\", \"event\": \"form_submission\", \"properties\": "
	  "{\"form_name\": \"Contact Form\", \"page_url\": \"https://yoursite.com/contact\"}}"),
	T("[{\"a\":[1,-2.5e+10,true,false,null]},{\"\\u0061\":\"\\ud83d\\ude00\\u0000\"},7]"),
	T("{\"sentAt\":\"2024-01-15\",\"batch\":[{\"t\":\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"},{"
	  "},"
	  "{\"deep\":[[[[[]]]]]}],\"context\":{\"k\":\"\\udc00\"},\"timestamp\":1705314600.25}"),
	T("{\"a\":1}\r\n\n{\"b\":\"\\\\\"}\n{\"c\":1e401}\n {\"d\":[]} "
	  "\n\"x\"\n{\"e\":12345678901}"),
	T("\xef\xbb\xbf{\"signals\":[ {\"a\" : \"b\"} , {\"c\" : 0.5} ] }"),
};

static const char interesting[] = "{}[]:,\"\\0123456789.eE+-tfnul "
				  "\n\r\tdDcC8\x00\x1f\x7f\x80\xbf\xc2\xe2\xed\xef\xbb\xf0\xf4\xff";

/* Changes, inserts, removes or repeats a few bytes. */
static struct slice mutate(uint64_t *random, struct slice text, char *room, size_t size)
{
	memcpy(room, text.p, text.n);
	for (size_t i = random_below(random, 4); i > 0; i--) {
		size_t at = random_below(random, text.n);
		size_t kind = random_below(random, 4);
		if (kind == 0 && text.n > 1) {
			memmove(room + at, room + at + 1, --text.n - at);
		} else if (kind == 1 && text.n < size) {
			memmove(room + at + 1, room + at, text.n++ - at);
			room[at] = interesting[random_below(random, sizeof(interesting) - 1)];
		} else if (kind == 2 && text.n < size - 8 && at + 8 < text.n) {
			memmove(room + at + 8, room + at, text.n - at);
			text.n += 8;
		} else {
			room[at] = interesting[random_below(random, sizeof(interesting) - 1)];
		}
	}
	return (struct slice){room, text.n};
}

/* The reader agrees with the check, which passes whatever was repaired. */
static void assert_agrees(struct slice text, const struct seen *single)
{
	uint64_t offset;
	const char *reason;
	bool needs_repair, still = true;
	enum status status = json_text_check(text, &usual, &offset, &reason, &needs_repair);

	if (slice_starts(text, T("\xef\xbb\xbf")))
		return; /* the check knows no byte order mark */
	if (status == STATUS_MALFORMED_JSON || status == STATUS_EMPTY_BODY) {
		ck_assert_int_eq(single->status, status);
		ck_assert_uint_eq(single->offset, offset);
		ck_assert_str_eq(single->reason, reason);
		return;
	}
	ck_assert(single->status == STATUS_OK || single->status == STATUS_NOT_AN_OBJECT);
	struct buf repaired = buf_make(text.n);
	json_text_repair(text, &repaired);
	ck_assert_int_eq(slice_equal(buf_slice(&repaired), text), !needs_repair);
	ck_assert_int_eq(json_text_check(buf_slice(&repaired), &usual, NULL, NULL, &still), status);
	ck_assert(!still);
	buf_free(&repaired);
}

START_TEST(pieces_make_no_difference)
{
	static const enum json_form forms[] = {JSON_FORM_SINGLE, JSON_FORM_BATCH, JSON_FORM_LINES};
	uint64_t random = 0x9e3779b97f4a7c15u + (uint64_t)_i;
	struct json_limits limits = usual;
	char room[1024];
	struct seen whole, split;

	limits.depth = 5;
	limits.item_bytes = 100;
	for (int round = 0; round < 600; round++) {
		struct slice text = mutate(&random, seeds[_i], room, sizeof(room));
		for (int form = 0; form < LENGTH(forms); form++) {
			read_body(&whole, forms[form], &limits, text, SIZE_MAX, NULL);
			read_body(&split, forms[form], &limits, text, 1, NULL);
			assert_same(&whole, &split);
			seen_free(&split);
			read_body(&split, forms[form], &limits, text, 20, &random);
			assert_same(&whole, &split);
			if (forms[form] == JSON_FORM_SINGLE)
				assert_agrees(text, &whole);
			seen_free(&split);
			seen_free(&whole);
		}
	}
}
END_TEST

/* ---- memory ---- */

static enum status count_item(void *context, const struct json_item *item)
{
	(void)item;
	++*(int *)context;
	return STATUS_OK;
}

static enum status read_in_pieces(enum json_form form, struct slice body, int *items)
{
	struct json_reader *reader;
	enum status status = json_reader_open(&reader, form, &usual, count_item, items);

	if (status != STATUS_OK)
		return status;
	for (size_t i = 0; i < body.n && status == STATUS_OK; i += 100)
		status = json_reader_feed(reader, body.p + i, body.n - i < 100 ? body.n - i : 100);
	if (status == STATUS_OK)
		status = json_reader_end(reader);
	json_reader_close(reader);
	return status;
}

static enum status read_deep_envelope(void)
{
	static char body[4096];
	static const char head[] =
		"{\"sentAt\":\"2024\",\"context\":{\"a\":\"\\u0000\"},\"batch\":[";
	int items = 0;

	memset(body, ' ', sizeof(body));
	memcpy(body, head, sizeof(head) - 1);
	memset(body + 100, '[', 900);
	memset(body + 1000, ']', 900);
	memcpy(body + 4000, "]}", 2);
	enum status status =
		read_in_pieces(JSON_FORM_BATCH, (struct slice){body, sizeof(body)}, &items);
	return status == STATUS_OK && items != 1 ? STATUS_INTERNAL : status;
}

static enum status read_long_lines(void)
{
	static char body[4096];
	int items = 0;

	memset(body, '[', sizeof(body));
	memcpy(body, "{\"a\":", 5);
	body[2000] = '\n';
	enum status status =
		read_in_pieces(JSON_FORM_LINES, (struct slice){body, sizeof(body)}, &items);
	return status == STATUS_OK && items != 2 ? STATUS_INTERNAL : status;
}

START_TEST(failing_allocations_are_told)
{
	ck_assert_int_ge(unit_torture(read_deep_envelope), 6);
	ck_assert_int_ge(unit_torture(read_long_lines), 4);
}
END_TEST

/* ---- all that stands beside the array ---- */

static enum status no_item(void *context, const struct json_item *item)
{
	(void)context;
	(void)item;
	return STATUS_OK;
}

/* The envelope of a body that comes in pieces of so many bytes; absent after a failure, too. */
static struct slice envelope_of(struct arena *arena, const char *body, size_t piece)
{
	struct json_reader *reader = NULL;
	struct slice envelope = SLICE_ABSENT;
	size_t n = strlen(body);
	enum status status = json_reader_open(&reader, JSON_FORM_BATCH, &usual, no_item, NULL);

	for (size_t at = 0; at < n && status == STATUS_OK; at += piece)
		status = json_reader_feed(reader, body + at, n - at < piece ? n - at : piece);
	if (status == STATUS_OK)
		status = json_reader_end(reader);
	if (status == STATUS_OK)
		status = json_reader_envelope(reader, arena, &envelope);
	ck_assert_msg(status == STATUS_OK, "%s: %s", body, status_name(status));
	json_reader_close(reader);
	return envelope;
}

static const struct {
	const char *body, *envelope;
} enveloped[] = {
	{"[]", NULL},
	{"[{\"a\":1}]", NULL},
	{"{\"batch\":[{\"a\":1}]}", NULL},
	{"{\"a\":1,\"batch\":[{\"b\":2}]}", "{\"a\":1}"},
	{"{\"batch\":[{\"b\":2}],\"a\":1}", "{\"a\":1}"},
	{" { \"a\" : [ 1 , 2 ] , \"batch\" : [ ] , \"c\" : {\"d\":null} } ",
	 "{\"a\":[ 1 , 2 ],\"c\":{\"d\":null}}"},
	{"{\"a\":1,\"a\":2,\"batch\":[]}", "{\"a\":1,\"a\":2}"},
	{"{\"\\u0061\\u0000\":\"\\ud800\",\"batch\":[]}",
	 "{\"\\u0061\xef\xbf\xbd\":\"\xef\xbf\xbd\"}"},
	{"{\"events\":7,\"batch\":[]}", "{\"events\":7}"},
	{"{\"\":0,\"batch\":[]}", "{\"\":0}"},
	/* a number that is too large */
	{"{\"n\":1e99999,\"b\":2,\"batch\":[]}", "{\"b\":2}"},
};

START_TEST(members_beside_the_array_are_kept)
{
	struct slice want = slice_of(enveloped[_i].envelope);

	for (size_t piece = 1; piece < 100; piece++) {
		struct arena arena = {0};
		struct slice got = envelope_of(&arena, enveloped[_i].body, piece);
		ck_assert_msg((got.p == NULL) == (want.p == NULL) && slice_equal(got, want),
			      "%s: %.*s", enveloped[_i].body, (int)got.n, got.p);
		arena_free(&arena);
	}
}
END_TEST

/* What there is no room for is left out, the rest is not. */
START_TEST(a_large_envelope)
{
	enum { ROOM = 64 << 10 };
	struct buf body = buf_make(4 * ROOM);
	struct arena arena = {0};

	buf_add_text(&body, "{\"a\":1,\"");
	for (int i = 0; i < 1100; i++)
		buf_add_char(&body, 'k');
	buf_add_text(&body, "\":2,\"large\":\"");
	for (int i = 0; i < ROOM; i++)
		buf_add_char(&body, 'x');
	buf_add_text(&body, "\",\"half\":\"");
	for (int i = 0; i < ROOM / 2; i++)
		buf_add_char(&body, 'y');
	buf_add_text(&body, "\",\"other\":\"");
	for (int i = 0; i < ROOM / 2; i++)
		buf_add_char(&body, 'z');
	buf_add_text(&body, "\",\"batch\":[],\"b\":2}");
	buf_add_char(&body, '\0');
	struct slice got = envelope_of(&arena, body.p, 1000);
	ck_assert(slice_starts(got, SLICE("{\"a\":1,\"half\":\"yyyy")));
	ck_assert(got.n < ROOM && memcmp(got.p + got.n - 8, "y\",\"b\":2}" + 1, 8) == 0);
	arena_free(&arena);
	buf_free(&body);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("json_reader");
	TCase *tests = tcase_create("json_reader");

	tcase_set_timeout(tests, 60);
	tcase_add_loop_test(tests, the_size_of_an_item_is_limited, 0, LENGTH(sizes));
	tcase_add_loop_test(tests, so_much_of_a_bad_item_is_kept, 0, LENGTH(keeping));
	tcase_add_test(tests, the_first_limit_that_is_passed_counts);
	tcase_add_loop_test(tests, the_number_of_items_is_limited, 0, LENGTH(counts));
	tcase_add_test(tests, a_body_of_nothing_but_containers_is_limited);
	tcase_add_test(tests, what_is_far_too_deep_is_followed_to_its_end);
	tcase_add_test(tests, what_cannot_be_followed_is_refused);
	tcase_add_loop_test(tests, items_are_found, 0, LENGTH(bodies));
	tcase_add_loop_test(tests, members_beside_the_array_are_kept_up_to_64_kib, 0,
			    LENGTH(beside_sizes));
	tcase_add_loop_test(tests, items_are_measured, 0, LENGTH(lengths));
	tcase_add_test(tests, an_item_within_one_piece_is_not_copied);
	tcase_add_test(tests, the_sink_ends_the_reading);
	tcase_add_loop_test(tests, pieces_make_no_difference, 0, LENGTH(seeds));
	tcase_add_test(tests, failing_allocations_are_told);
	tcase_add_loop_test(tests, members_beside_the_array_are_kept, 0, LENGTH(enveloped));
	tcase_add_test(tests, a_large_envelope);
	suite_add_tcase(suite, tests);
	return suite;
}
