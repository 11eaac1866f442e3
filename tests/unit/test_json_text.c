/*
 * test_json_text.c - the strict pass over bytes: grammar, UTF-8, limits, repair, and the items of
 * bodies that come in pieces. Every piece is fed from memory of exactly its size, so that a
 * sanitizer sees each byte read beyond it.
 */
#include "json_text.h"

#include <stdlib.h>
#include <string.h>

#include "check_main.h"
#include "json.h"

#define T(literal) SLICE(literal)

static const struct json_limits usual = {
	.item_bytes = 4096,
	.items = 100,
	.depth = 64,
	.number_digits = 400,
	.number_exponent = 400,
};

static const size_t piece_sizes[] = {SIZE_MAX, 1, 2, 3, 7};

/* ---- what a reader said ---- */

enum { MOST_SEEN = 128 };

struct seen {
	enum status status;
	uint64_t offset;
	const char *reason;
	uint64_t items;
	bool single;
	struct json_item item[MOST_SEEN]; /* texts point into bytes, by their offset in it */
	struct buf bytes;
	struct buf beside;
};

static enum status record(void *context, const struct json_item *item)
{
	struct seen *seen = context;
	size_t at = seen->bytes.n;

	ck_assert_uint_eq(item->index, seen->items);
	ck_assert_uint_lt(seen->items, MOST_SEEN);
	buf_add_slice(&seen->bytes, item->text);
	seen->item[seen->items] = *item;
	seen->item[seen->items++].text.p = (const char *)0 + at;
	return STATUS_OK;
}

static struct slice seen_text(const struct seen *seen, uint64_t i)
{
	size_t at = (size_t)(seen->item[i].text.p - (const char *)0);

	return (struct slice){seen->bytes.p + at, seen->item[i].text.n};
}

static void seen_free(struct seen *seen)
{
	buf_free(&seen->bytes);
	buf_free(&seen->beside);
}

/* Feeds a piece from memory that ends where it ends. */
static enum status feed_exact(struct json_reader *reader, const char *bytes, size_t n)
{
	char *exact = malloc(n);

	ck_assert_ptr_nonnull(exact);
	memcpy(exact, bytes, n);
	enum status status = json_reader_feed(reader, exact, n);
	free(exact);
	return status;
}

static size_t random_below(uint64_t *state, size_t below)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return (size_t)((*state >> 11) % below);
}

/* Reads a body in pieces of one size, or of random sizes when there is a state. */
static void read_body(struct seen *seen, enum json_form form, const struct json_limits *limits,
		      struct slice body, size_t piece, uint64_t *random)
{
	static const char *const names[] = {"sentAt", "timestamp", "context"};
	struct json_reader *reader;

	*seen = (struct seen){.bytes = buf_make(SIZE_MAX / 2), .beside = buf_make(SIZE_MAX / 2)};
	ck_assert_int_eq(json_reader_open(&reader, form, limits, record, seen), STATUS_OK);
	for (size_t at = 0, n; at < body.n && seen->status == STATUS_OK; at += n) {
		size_t most = random == NULL ? piece : 1 + random_below(random, piece);
		n = body.n - at < most ? body.n - at : most;
		seen->status = feed_exact(reader, body.p + at, n);
	}
	if (seen->status == STATUS_OK)
		seen->status = json_reader_end(reader);
	else /* a failure stays */
		ck_assert_int_eq(json_reader_feed(reader, " ", 1), seen->status);
	json_reader_error(reader, &seen->offset, &seen->reason);
	ck_assert_uint_eq(json_reader_items(reader), seen->items);
	seen->single = json_reader_is_single(reader);
	for (int i = 0; i < LENGTH(names); i++) {
		buf_add_slice(&seen->beside, json_reader_beside(reader, names[i]));
		buf_add_char(&seen->beside, '|');
	}
	json_reader_close(reader);
}

/* ---- grammar: what is accepted ---- */

static const struct slice accepted[] = {
	/* white space around and between all tokens */
	T("{}"), T(" {}"), T("{} "), T("\t\n\r {\t\n\r }\t\n\r "), T("[]"), T("[ ]"),
	T(" [ 1 , 2 ] "), T("{ \"a\" : 1 , \"b\" : 2 }"), T("\n\n\n[\n\n]\n\n\n"),
	/* literals */
	T("true"), T("false"), T("null"), T("[true,false,null]"), T("{\"a\":null}"),
	/* objects */
	T("{\"a\":1}"), T("{\"\":0}"), T("{\"a\":{}}"), T("{\"a\":[]}"), T("{\"a\":1,\"a\":2}"),
	T("{\"a\":1,\"a\":1}"), T("{\"a\":{\"a\":{\"a\":{}}}}"), T("{\"a\":[{\"b\":[]},{}]}"),
	T("{\"\\u0061\":1}"), T("{\"\\\"\":1}"), T("{\"a b\":\"c d\"}"),
	T("{\"\\u0000\":1}"), T("{\"k\\u0000z\":{\"\\ud800\":1}}"),
	/* arrays */
	T("[1]"), T("[1,2]"), T("[[]]"), T("[[],[]]"), T("[[[[[[]]]]]]"), T("[{}]"), T("[\"\"]"),
	T("[null,1,\"1\",{}]"), T("[1,null,null,null,2]"), T("[{\"a\":1},{\"a\":2}]"),
	/* numbers: int, frac, exp and all their combinations */
	T("0"), T("-0"), T("1"), T("-1"), T("9"), T("10"), T("1234567890"), T("0.0"), T("0.1"),
	T("-0.1"), T("1.5"), T("10.00"), T("1.000000000000000000001"), T("0e0"), T("0E0"),
	T("1e1"), T("1E1"), T("1e+1"), T("1e-1"), T("1E+1"), T("1E-1"), T("0e+0"), T("0e-0"),
	T("1.5e10"), T("-1.5E-10"), T("123e45"), T("1e00"), T("1e007"), T("-0e-1"), T("-0.0e+0"),
	T("[0]"), T("[-0]"), T("[0,0]"), T("[1.5,-2e3]"), T("{\"a\":-0.5}"), T(" 0 "), T("0\n"),
	T("9223372036854775808"), T("-9223372036854775809"), T("18446744073709551616"),
	T("100000000000000000000"), T("123.456e78"), T("[1e400,1e-400]"),
	/* strings: unescaped, every escape, hexadecimal digits in both cases */
	T("\"\""), T("\"a\""), T("\" \""), T("\"/\""), T("\"'\""), T("\"\x7f\""), T("\"{}[],:\""),
	T("\"\\\"\""), T("\"\\\\\""), T("\"\\/\""), T("\"\\b\""), T("\"\\f\""), T("\"\\n\""),
	T("\"\\r\""), T("\"\\t\""), T("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\""), T("\"\\u0000\""),
	T("\"\\u0020\""), T("\"\\u002c\""), T("\"\\u00e9\""), T("\"\\uABCD\""), T("\"\\uabcd\""),
	T("\"\\uFfFf\""), T("\"\\uD83D\\uDE00\""), T("\"\\ud83d\\ude00\""), T("\"\\uD800\""),
	T("\"\\uDFFF\""), T("\"\\uD800\\uD800\""), T("\"\\uDC00\\uD800\""), T("\"\\uD800x\""),
	T("\"\\uD800\\n\""), T("\"\\\\u0000\""), T("\"\\\\\\u0000\""), T("\"a\\u0000b\""),
	T("\"seven--\""), T("\"eight---\""), T("\"nine-----\""), T("\"0123456789abcdef\\n\""),
	T("\"0123456\\n890123456\\t90\""),
	/* UTF-8: first and last of each length, the edges of the surrogates, non-characters */
	T("\"\xc2\x80\""), T("\"\xdf\xbf\""), T("\"\xe0\xa0\x80\""), T("\"\xe0\xbf\xbf\""),
	T("\"\xe1\x80\x80\""), T("\"\xec\xbf\xbf\""), T("\"\xed\x80\x80\""), T("\"\xed\x9f\xbf\""),
	T("\"\xee\x80\x80\""), T("\"\xef\xbf\xbf\""), T("\"\xef\xb7\x90\""), T("\"\xef\xbb\xbf\""),
	T("\"\xf0\x90\x80\x80\""), T("\"\xf0\xbf\xbf\xbf\""), T("\"\xf1\x80\x80\x80\""),
	T("\"\xf3\xbf\xbf\xbf\""), T("\"\xf4\x80\x80\x80\""), T("\"\xf4\x8f\xbf\xbf\""),
	T("\"\xe2\x82\xac\xc3\xa9z\xf0\x9f\x98\x80\""), T("{\"\xc3\xa9\":\"\xe2\x82\xac\"}"),
	T("\"1234567\xc3\xa9\""), T("\"\xe2\x80\xa8\xe2\x80\xa9\""),
};

static struct slice wrapped(struct buf *buf, const char *before, struct slice text,
			    const char *after)
{
	*buf = buf_make(SIZE_MAX / 2);
	buf_add_text(buf, before);
	buf_add_slice(buf, text);
	buf_add_text(buf, after);
	return buf_slice(buf);
}

static bool is_scalar(struct slice text)
{
	size_t i = 0;

	while (strchr(" \t\r\n", text.p[i]) != NULL)
		i++;
	return text.p[i] != '{' && text.p[i] != '[';
}

START_TEST(correct_texts_are_accepted)
{
	struct slice text = accepted[_i];
	struct json_object *value;
	struct seen seen;
	struct buf buf;
	uint64_t offset;
	const char *reason;

	enum status status = json_text_check(text, &usual, &offset, &reason, NULL);
	ck_assert_msg(status == STATUS_OK, "%s: %s at %d", text.p, reason, (int)offset);
	ck_assert_int_eq(json_parse(text, &value), STATUS_OK);
	json_release(value);
	for (int i = 0; i < LENGTH(piece_sizes); i++) {
		read_body(&seen, JSON_FORM_SINGLE, &usual, text, piece_sizes[i], NULL);
		ck_assert_int_eq(seen.status, is_scalar(text) ? STATUS_NOT_AN_OBJECT : STATUS_OK);
		seen_free(&seen);
		/* The same within an item. */
		read_body(&seen, JSON_FORM_BATCH, &usual, wrapped(&buf, "[{\"v\":", text, "}]"),
			  piece_sizes[i], NULL);
		ck_assert_int_eq(seen.status, STATUS_OK);
		ck_assert_uint_eq(seen.items, 1);
		ck_assert_int_eq(seen.item[0].status, STATUS_OK);
		ck_assert(slice_equal(seen_text(&seen, 0),
				      (struct slice){buf.p + 1, buf.n - 2}));
		seen_free(&seen);
		buf_free(&buf);
	}
}
END_TEST

/* ---- grammar: what is refused, where and why ---- */

#define CHARACTER "unexpected character"
#define COMMA	  "missing comma or bracket"
#define COLON	  "missing colon"
#define NUMBER	  "invalid number"
#define ESCAPE	  "invalid escape"
#define UTF8	  "invalid UTF-8"
#define CONTROL	  "control character in string"
#define BEHIND	  "text after the end"
#define END	  "unexpected end"
#define STRING	  "unfinished string"

static const struct refused {
	struct slice text;
	uint64_t offset;
	const char *reason;
} refused[] = {
	/* white space is these four bytes and nothing else */
	{T("\v{}"), 0, CHARACTER},
	{T("\f{}"), 0, CHARACTER},
	{T("{\f}"), 1, CHARACTER},
	{T("\xc2\xa0{}"), 0, CHARACTER},
	{T("\xef\xbb\xbe{}"), 0, CHARACTER},
	{T("[\xe2\x81\xa0]"), 1, CHARACTER},
	{T("\0{}"), 0, CHARACTER},
	{T("{}\0"), 2, BEHIND},
	{T("{\0}"), 1, CHARACTER},
	{T("[1\0]"), 2, COMMA},
	/* one value and no more */
	{T("{}{}"), 2, BEHIND},
	{T("{} x"), 3, BEHIND},
	{T("[]]"), 2, BEHIND},
	{T("{}}"), 2, BEHIND},
	{T("1 2"), 2, BEHIND},
	{T("\"a\"\"b\""), 3, BEHIND},
	{T("{}#"), 2, BEHIND},
	{T("{}//"), 2, BEHIND},
	{T("{}/**/"), 2, BEHIND},
	{T("/**/{}"), 0, CHARACTER},
	{T("[],"), 2, BEHIND},
	{T("true false"), 5, BEHIND},
	/* literals */
	{T("tru"), 3, END},
	{T("t"), 1, END},
	{T("nul"), 3, END},
	{T("fals"), 4, END},
	{T("truE"), 3, CHARACTER},
	{T("True"), 0, CHARACTER},
	{T("TRUE"), 0, CHARACTER},
	{T("nil"), 1, CHARACTER},
	{T("nulll"), 4, BEHIND},
	{T("truefalse"), 4, BEHIND},
	{T("[nul]"), 4, CHARACTER},
	{T("[truex]"), 5, COMMA},
	{T("undefined"), 0, CHARACTER},
	{T("NaN"), 0, CHARACTER},
	{T("[NaN]"), 1, CHARACTER},
	{T("nan"), 1, CHARACTER},
	{T("Infinity"), 0, CHARACTER},
	{T("inf"), 0, CHARACTER},
	{T("-Infinity"), 1, NUMBER},
	{T("-NaN"), 1, NUMBER},
	/* objects */
	{T("{"), 1, END},
	{T("}"), 0, CHARACTER},
	{T("{\"a\""), 4, END},
	{T("{\"a\":"), 5, END},
	{T("{\"a\":1"), 6, END},
	{T("{\"a\":1,"), 7, END},
	{T("{\"a\":1,}"), 7, CHARACTER},
	{T("{,}"), 1, CHARACTER},
	{T("{,\"a\":1}"), 1, CHARACTER},
	{T("{\"a\":1,,\"b\":2}"), 7, CHARACTER},
	{T("{\"a\" 1}"), 5, COLON},
	{T("{\"a\"}"), 4, COLON},
	{T("{\"a\",1}"), 4, COLON},
	{T("{\"a\"::1}"), 5, CHARACTER},
	{T("{\"a\":1 \"b\":2}"), 7, COMMA},
	{T("{\"a\":1:2}"), 6, COMMA},
	{T("{\"a\":}"), 5, CHARACTER},
	{T("{\"a\":1]"), 6, COMMA},
	{T("{]"), 1, CHARACTER},
	{T("{1:1}"), 1, CHARACTER},
	{T("{a:1}"), 1, CHARACTER},
	{T("{'a':1}"), 1, CHARACTER},
	{T("{\"a\":'b'}"), 5, CHARACTER},
	{T("{null:1}"), 1, CHARACTER},
	{T("{[]:1}"), 1, CHARACTER},
	{T("{\"a\":1}}"), 7, BEHIND},
	{T("{\"a\":{\"b\":1}"), 12, END},
	{T("{\"a\":b}"), 5, CHARACTER},
	{T("{\"a"), 3, STRING},
	{T("{\"a\\"), 4, STRING},
	/* arrays */
	{T("["), 1, END},
	{T("]"), 0, CHARACTER},
	{T("[1"), 2, END},
	{T("[1,"), 3, END},
	{T("[,"), 1, CHARACTER},
	{T("[,1]"), 1, CHARACTER},
	{T("[1,]"), 3, CHARACTER},
	{T("[1,,2]"), 3, CHARACTER},
	{T("[1 2]"), 3, COMMA},
	{T("[1}"), 2, COMMA},
	{T("[}"), 1, CHARACTER},
	{T("[1:2]"), 2, COMMA},
	{T("[\"a\":1]"), 4, COMMA},
	{T("[[]"), 3, END},
	{T("[[]}"), 3, COMMA},
	{T("[{]}"), 2, CHARACTER},
	{T("[{}}"), 3, COMMA},
	{T("[\"a\",\n4\n,1"), 10, END},
	{T("[a]"), 1, CHARACTER},
	{T("[*]"), 1, CHARACTER},
	{T("[1;2]"), 2, COMMA},
	{T(","), 0, CHARACTER},
	{T(":"), 0, CHARACTER},
	{T("<html>"), 0, CHARACTER},
	{T("a=1&b=2"), 0, CHARACTER},
	/* numbers */
	{T("-"), 1, END},
	{T("+1"), 0, CHARACTER},
	{T("--1"), 1, NUMBER},
	{T("- 1"), 1, NUMBER},
	{T("01"), 1, NUMBER},
	{T("-01"), 2, NUMBER},
	{T("00"), 1, NUMBER},
	{T("-00"), 2, NUMBER},
	{T("[012]"), 2, NUMBER},
	{T("1."), 2, END},
	{T("[1.]"), 3, NUMBER},
	{T("-1."), 3, END},
	{T("0.e1"), 2, NUMBER},
	{T(".5"), 0, CHARACTER},
	{T("-.5"), 1, NUMBER},
	{T("1.5.5"), 3, BEHIND},
	{T("1..5"), 2, NUMBER},
	{T("1e"), 2, END},
	{T("[1e]"), 3, NUMBER},
	{T("1e+"), 3, END},
	{T("[1e+]"), 4, NUMBER},
	{T("[1e-]"), 4, NUMBER},
	{T("1e1.5"), 3, BEHIND},
	{T("1e+-1"), 3, NUMBER},
	{T("1ee1"), 2, NUMBER},
	{T("1e1e1"), 3, BEHIND},
	{T("0x1"), 1, BEHIND},
	{T("[0x1]"), 2, COMMA},
	{T("[1_000]"), 2, COMMA},
	{T("[1a]"), 2, COMMA},
	{T("[1 000]"), 3, COMMA},
	{T("[\xef\xbc\x91]"), 1, CHARACTER},
	/* strings */
	{T("\""), 1, STRING},
	{T("\"a"), 2, STRING},
	{T("\"\\\""), 3, STRING},
	{T("\"\\"), 2, STRING},
	{T("\"\\u00"), 5, STRING},
	{T("\"\\ud800"), 7, STRING},
	{T("\"\\ud800\\"), 8, STRING},
	{T("\"\xe2\x82"), 3, STRING},
	{T("'a'"), 0, CHARACTER},
	{T("\"\n\""), 1, CONTROL},
	{T("\"\t\""), 1, CONTROL},
	{T("\"\r\""), 1, CONTROL},
	{T("\"a\0b\""), 2, CONTROL},
	{T("\"\x01\""), 1, CONTROL},
	{T("\"\x1f\""), 1, CONTROL},
	{T("\"1234567\x1f\""), 8, CONTROL},
	{T("\"12345678\x1f\""), 9, CONTROL},
	{T("{\"a\nb\":1}"), 3, CONTROL},
	{T("\"\\a\""), 2, ESCAPE},
	{T("\"\\v\""), 2, ESCAPE},
	{T("\"\\0\""), 2, ESCAPE},
	{T("\"\\x41\""), 2, ESCAPE},
	{T("\"\\'\""), 2, ESCAPE},
	{T("\"\\U0041\""), 2, ESCAPE},
	{T("\"\\ \""), 2, ESCAPE},
	{T("\"\\\n\""), 2, ESCAPE},
	{T("\"\\\xc3\xa9\""), 2, ESCAPE},
	{T("\"\\u\""), 3, ESCAPE},
	{T("\"\\u123\""), 6, ESCAPE},
	{T("\"\\u12g4\""), 5, ESCAPE},
	{T("\"\\u12G4\""), 5, ESCAPE},
	{T("\"\\u+123\""), 3, ESCAPE},
	{T("\"\\u 123\""), 3, ESCAPE},
	{T("\"\\u00\x10\x11\""), 5, ESCAPE},
	{T("\"\\ud800\\x\""), 8, ESCAPE},
	{T("\"\\ud800\\u12\""), 11, ESCAPE},
	{T("\"\\ud800\n\""), 7, CONTROL},
	/* UTF-8: lone and missing continuations, overlong forms, surrogates, too high, never used */
	{T("\"\x80\""), 1, UTF8},
	{T("\"\xbf\""), 1, UTF8},
	{T("\"\xc3\""), 2, UTF8},
	{T("\"\xc3\xc3\""), 2, UTF8},
	{T("\"\xe2\x82\""), 3, UTF8},
	{T("\"\xe2\x28\xa1\""), 2, UTF8},
	{T("\"\xe2\x82\x28\""), 3, UTF8},
	{T("\"\xf0\x9f\x98\""), 4, UTF8},
	{T("\"\xf0\x9f\x28\x80\""), 3, UTF8},
	{T("\"\xc3\xa9\xa9\""), 3, UTF8},
	{T("\"\xc0\x80\""), 1, UTF8},
	{T("\"\xc0\xaf\""), 1, UTF8},
	{T("\"\xc1\xbf\""), 1, UTF8},
	{T("\"\xe0\x80\xaf\""), 2, UTF8},
	{T("\"\xe0\x9f\xbf\""), 2, UTF8},
	{T("\"\xf0\x80\x80\xaf\""), 2, UTF8},
	{T("\"\xf0\x8f\xbf\xbf\""), 2, UTF8},
	{T("\"\xed\xa0\x80\""), 2, UTF8},
	{T("\"\xed\xbf\xbf\""), 2, UTF8},
	{T("\"\xf4\x90\x80\x80\""), 2, UTF8},
	{T("\"\xf5\x80\x80\x80\""), 1, UTF8},
	{T("\"\xf8\x88\x80\x80\x80\""), 1, UTF8},
	{T("\"\xfc\x84\x80\x80\x80\x80\""), 1, UTF8},
	{T("\"\xfe\""), 1, UTF8},
	{T("\"\xff\""), 1, UTF8},
	{T("\"caf\xe9\""), 5, UTF8},
	{T("{\"\xff\":1}"), 2, UTF8},
	{T("\"1234567\xff\""), 8, UTF8},
	{T("\"\xe9\x61\""), 2, UTF8},
	/* UTF-16 */
	{T("\xff\xfe{\0}\0"), 0, CHARACTER},
	{T("{\0}\0"), 1, CHARACTER},
	{T("\0{\0}"), 0, CHARACTER},
};

static void assert_refused(const struct refused *is, enum status status, uint64_t offset,
			   const char *reason)
{
	ck_assert_msg(status == STATUS_MALFORMED_JSON, "%s: %s", is->text.p, status_code(status));
	ck_assert_msg(offset == is->offset, "%s: %d", is->text.p, (int)offset);
	ck_assert_msg(strcmp(reason, is->reason) == 0, "%s: %s", is->text.p, reason);
}

START_TEST(incorrect_texts_are_refused)
{
	const struct refused *is = &refused[_i];
	char *exact = malloc(is->text.n);
	uint64_t offset;
	const char *reason;
	struct seen seen;

	ck_assert_ptr_nonnull(exact);
	memcpy(exact, is->text.p, is->text.n);
	enum status status = json_text_check((struct slice){exact, is->text.n}, &usual, &offset,
					     &reason, NULL);
	free(exact);
	assert_refused(is, status, offset, reason);
	for (int i = 0; i < LENGTH(piece_sizes); i++) {
		read_body(&seen, JSON_FORM_SINGLE, &usual, is->text, piece_sizes[i], NULL);
		assert_refused(is, seen.status, seen.offset, seen.reason);
		seen_free(&seen);
		read_body(&seen, JSON_FORM_BATCH, &usual, is->text, piece_sizes[i], NULL);
		assert_refused(is, seen.status, seen.offset, seen.reason);
		seen_free(&seen);
	}
}
END_TEST

/* A string may hold each byte from 0x20 on but the quote and the backslash, wherever it stands. */
START_TEST(every_byte_in_every_column_of_a_string)
{
	for (int column = 0; column < 20; column++) {
		for (int byte = 0; byte < 0x80; byte++) {
			char text[] = "\"xxxxxxxxxxxxxxxxxxxx\"";
			text[1 + column] = (char)byte;
			bool good = byte >= 0x20 && byte != '"' && byte != '\\';
			enum status status =
				json_text_check(slice_of("x"), &usual, NULL, NULL, NULL);
			ck_assert_int_eq(status, STATUS_MALFORMED_JSON);
			status = json_text_check((struct slice){text, sizeof(text) - 1}, &usual,
						 NULL, NULL, NULL);
			ck_assert_msg((status == STATUS_OK) == good, "%02x at %d", (unsigned)byte,
				      column);
		}
	}
}
END_TEST

static const struct slice empty_texts[] = {{NULL, 0}, T(""), T(" "), T("\r\n\t \n")};

START_TEST(empty_texts_are_empty)
{
	static const enum json_form forms[] = {JSON_FORM_SINGLE, JSON_FORM_BATCH, JSON_FORM_LINES};
	struct slice text = empty_texts[_i];
	uint64_t offset;
	const char *reason;
	struct seen seen;

	ck_assert_int_eq(json_text_check(text, &usual, &offset, &reason, NULL), STATUS_EMPTY_BODY);
	ck_assert_uint_eq(offset, text.n);
	for (int form = 0; form < LENGTH(forms); form++) {
		for (int i = 0; i < LENGTH(piece_sizes); i++) {
			read_body(&seen, forms[form], &usual, text, piece_sizes[i], NULL);
			ck_assert_int_eq(seen.status, STATUS_EMPTY_BODY);
			ck_assert_uint_eq(seen.offset, text.n);
			seen_free(&seen);
		}
	}
}
END_TEST

/* ---- limits ---- */

static void add_times(struct buf *buf, const char *text, size_t times)
{
	for (size_t i = 0; i < times; i++)
		buf_add_text(buf, text);
}

struct limit_case {
	size_t size;
	enum status status;
};

/* Checks a text, and reads it as the only member of an item, which makes the depth one more. */
static void assert_limit(struct slice text, enum status expected, enum status in_item,
			 uint64_t offset)
{
	struct buf buf;
	struct seen seen;
	uint64_t at;

	ck_assert_int_eq(json_text_check(text, &usual, &at, NULL, NULL), expected);
	if (expected != STATUS_OK)
		ck_assert_uint_eq(at, offset);
	wrapped(&buf, "[{},{\"v\":", text, "},{}]");
	for (int i = 0; i < LENGTH(piece_sizes); i++) {
		read_body(&seen, JSON_FORM_BATCH, &usual, buf_slice(&buf), piece_sizes[i], NULL);
		ck_assert_int_eq(seen.status, STATUS_OK);
		ck_assert_uint_eq(seen.items, 3);
		ck_assert_int_eq(seen.item[0].status, STATUS_OK);
		ck_assert_int_eq(seen.item[1].status, in_item);
		ck_assert_int_eq(seen.item[2].status, STATUS_OK);
		if (expected != STATUS_OK)
			ck_assert_uint_eq(seen.item[1].bad_offset, offset + 9);
		seen_free(&seen);
	}
	buf_free(&buf);
}

START_TEST(depth_is_limited)
{
	static const struct limit_case cases[] = {
		{62, STATUS_OK},
		{63, STATUS_OK},
		{64, STATUS_OK},
		{65, STATUS_NESTING_TOO_DEEP},
		{300, STATUS_NESTING_TOO_DEEP},
	};
	const struct limit_case *is = &cases[_i];
	static const char *const brackets[][2] = {{"[", "]"}, {"{\"a\":", "}"}};

	for (int kind = 0; kind < 2; kind++) {
		struct buf buf = buf_make(SIZE_MAX / 2);
		add_times(&buf, brackets[kind][0], is->size);
		add_times(&buf, kind == 0 ? "" : "0", 1);
		add_times(&buf, brackets[kind][1], is->size);
		enum status in_item = is->size < 64 ? STATUS_OK : STATUS_NESTING_TOO_DEEP;
		uint64_t offset = 64 * strlen(brackets[kind][0]);
		if (is->status == STATUS_OK || in_item == STATUS_OK)
			offset = 0;
		if (is->size == 64) /* only the item's own brace makes it too deep */
			in_item = STATUS_NESTING_TOO_DEEP;
		ck_assert_int_eq(json_text_check(buf_slice(&buf), &usual, NULL, NULL, NULL),
				 is->status);
		struct seen seen;
		struct buf item;
		wrapped(&item, "[{},{\"v\":", buf_slice(&buf), "},{}]");
		for (int i = 0; i < LENGTH(piece_sizes); i++) {
			read_body(&seen, JSON_FORM_BATCH, &usual, buf_slice(&item), piece_sizes[i],
				  NULL);
			ck_assert_int_eq(seen.status, STATUS_OK);
			ck_assert_uint_eq(seen.items, 3);
			ck_assert_int_eq(seen.item[1].status, in_item);
			ck_assert_int_eq(seen.item[2].status, STATUS_OK);
			seen_free(&seen);
		}
		(void)offset;
		buf_free(&item);
		buf_free(&buf);
	}
}
END_TEST
