/*
 * test_json_text.c - the strict pass over bytes: grammar, UTF-8, limits, repair, and the items of
 * bodies that come in pieces. Every piece is fed from memory of exactly its size, so that a
 * sanitizer sees each byte read beyond it.
 */
#include <stdlib.h>
#include <string.h>

#include "check_main.h"
#include "json/reader.h"

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
	struct json_item item[MOST_SEEN]; /* but for their texts, */
	size_t at[MOST_SEEN];		  /* which begin here */
	struct buf bytes;
	struct buf beside;
};

static enum status record(void *context, const struct json_item *item)
{
	struct seen *seen = context;

	ck_assert_uint_eq(item->index, seen->items);
	ck_assert_uint_lt(seen->items, MOST_SEEN);
	seen->at[seen->items] = seen->bytes.n;
	seen->item[seen->items++] = *item;
	buf_add_slice(&seen->bytes, item->text);
	return STATUS_OK;
}

static struct slice seen_text(const struct seen *seen, uint64_t i)
{
	return (struct slice){seen->bytes.p + seen->at[i], seen->item[i].text.n};
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

	if (exact == NULL) /* each assertion costs a system call, and this is the hot loop */
		ck_abort();
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
	T("{}"),
	T(" {}"),
	T("{} "),
	T("\t\n\r {\t\n\r }\t\n\r "),
	T("[]"),
	T("[ ]"),
	T(" [ 1 , 2 ] "),
	T("{ \"a\" : 1 , \"b\" : 2 }"),
	T("\n\n\n[\n\n]\n\n\n"),
	/* literals */
	T("true"),
	T("false"),
	T("null"),
	T("[true,false,null]"),
	T("{\"a\":null}"),
	/* objects */
	T("{\"a\":1}"),
	T("{\"\":0}"),
	T("{\"a\":{}}"),
	T("{\"a\":[]}"),
	T("{\"a\":1,\"a\":2}"),
	T("{\"a\":1,\"a\":1}"),
	T("{\"a\":{\"a\":{\"a\":{}}}}"),
	T("{\"a\":[{\"b\":[]},{}]}"),
	T("{\"\\u0061\":1}"),
	T("{\"\\\"\":1}"),
	T("{\"a b\":\"c d\"}"),
	T("{\"\\u0000\":1}"),
	T("{\"k\\u0000z\":{\"\\ud800\":1}}"),
	/* arrays */
	T("[1]"),
	T("[1,2]"),
	T("[[]]"),
	T("[[],[]]"),
	T("[[[[[[]]]]]]"),
	T("[{}]"),
	T("[\"\"]"),
	T("[null,1,\"1\",{}]"),
	T("[1,null,null,null,2]"),
	T("[{\"a\":1},{\"a\":2}]"),
	/* numbers: int, frac, exp and all their combinations */
	T("0"),
	T("-0"),
	T("1"),
	T("-1"),
	T("9"),
	T("10"),
	T("1234567890"),
	T("0.0"),
	T("0.1"),
	T("-0.1"),
	T("1.5"),
	T("10.00"),
	T("1.000000000000000000001"),
	T("0e0"),
	T("0E0"),
	T("1e1"),
	T("1E1"),
	T("1e+1"),
	T("1e-1"),
	T("1E+1"),
	T("1E-1"),
	T("0e+0"),
	T("0e-0"),
	T("1.5e10"),
	T("-1.5E-10"),
	T("123e45"),
	T("1e00"),
	T("1e007"),
	T("-0e-1"),
	T("-0.0e+0"),
	T("[0]"),
	T("[-0]"),
	T("[0,0]"),
	T("[1.5,-2e3]"),
	T("{\"a\":-0.5}"),
	T(" 0 "),
	T("0\n"),
	T("9223372036854775808"),
	T("-9223372036854775809"),
	T("18446744073709551616"),
	T("100000000000000000000"),
	T("123.456e78"),
	T("[1e400,1e-400]"),
	/* strings: unescaped, every escape, hexadecimal digits in both cases */
	T("\"\""),
	T("\"a\""),
	T("\" \""),
	T("\"/\""),
	T("\"'\""),
	T("\"\x7f\""),
	T("\"{}[],:\""),
	T("\"\\\"\""),
	T("\"\\\\\""),
	T("\"\\/\""),
	T("\"\\b\""),
	T("\"\\f\""),
	T("\"\\n\""),
	T("\"\\r\""),
	T("\"\\t\""),
	T("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\""),
	T("\"\\u0000\""),
	T("\"\\u0020\""),
	T("\"\\u002c\""),
	T("\"\\u00e9\""),
	T("\"\\uABCD\""),
	T("\"\\uabcd\""),
	T("\"\\uFfFf\""),
	T("\"\\uD83D\\uDE00\""),
	T("\"\\ud83d\\ude00\""),
	T("\"\\uD800\""),
	T("\"\\uDFFF\""),
	T("\"\\uD800\\uD800\""),
	T("\"\\uDC00\\uD800\""),
	T("\"\\uD800x\""),
	T("\"\\uD800\\n\""),
	T("\"\\\\u0000\""),
	T("\"\\\\\\u0000\""),
	T("\"a\\u0000b\""),
	T("\"seven--\""),
	T("\"eight---\""),
	T("\"nine-----\""),
	T("\"0123456789abcdef\\n\""),
	T("\"0123456\\n890123456\\t90\""),
	/* UTF-8: first and last of each length, the edges of the surrogates, non-characters */
	T("\"\xc2\x80\""),
	T("\"\xdf\xbf\""),
	T("\"\xe0\xa0\x80\""),
	T("\"\xe0\xbf\xbf\""),
	T("\"\xe1\x80\x80\""),
	T("\"\xec\xbf\xbf\""),
	T("\"\xed\x80\x80\""),
	T("\"\xed\x9f\xbf\""),
	T("\"\xee\x80\x80\""),
	T("\"\xef\xbf\xbf\""),
	T("\"\xef\xb7\x90\""),
	T("\"\xef\xbb\xbf\""),
	T("\"\xf0\x90\x80\x80\""),
	T("\"\xf0\xbf\xbf\xbf\""),
	T("\"\xf1\x80\x80\x80\""),
	T("\"\xf3\xbf\xbf\xbf\""),
	T("\"\xf4\x80\x80\x80\""),
	T("\"\xf4\x8f\xbf\xbf\""),
	T("\"\xe2\x82\xac\xc3\xa9z\xf0\x9f\x98\x80\""),
	T("{\"\xc3\xa9\":\"\xe2\x82\xac\"}"),
	T("\"1234567\xc3\xa9\""),
	T("\"\xe2\x80\xa8\xe2\x80\xa9\""),
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

static void assert_accepted(struct slice text)
{
	struct seen seen;
	struct buf buf;
	uint64_t offset;
	const char *reason;

	enum status status = json_text_check(text, &usual, &offset, &reason, NULL);
	ck_assert_msg(status == STATUS_OK, "%s: %s at %d", text.p, reason, (int)offset);
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
		ck_assert(slice_equal(seen_text(&seen, 0), (struct slice){buf.p + 1, buf.n - 2}));
		seen_free(&seen);
		buf_free(&buf);
	}
}

START_TEST(correct_texts_are_accepted)
{
	for (int i = 0; i < LENGTH(accepted); i++)
		assert_accepted(accepted[i]);
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
	/* UTF-8: lone and missing continuations, overlong forms, surrogates, too high, never used
	 */
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

static void assert_refusal(const struct refused *is, enum status status, uint64_t offset,
			   const char *reason)
{
	ck_assert_msg(status == STATUS_MALFORMED_JSON, "%s: %s", is->text.p, status_name(status));
	ck_assert_msg(offset == is->offset, "%s: %d", is->text.p, (int)offset);
	ck_assert_msg(strcmp(reason, is->reason) == 0, "%s: %s", is->text.p, reason);
}

static void assert_refused(const struct refused *is)
{
	char *exact = malloc(is->text.n);
	uint64_t offset;
	const char *reason;
	struct seen seen;

	ck_assert_ptr_nonnull(exact);
	memcpy(exact, is->text.p, is->text.n);
	enum status status =
		json_text_check((struct slice){exact, is->text.n}, &usual, &offset, &reason, NULL);
	free(exact);
	assert_refusal(is, status, offset, reason);
	for (int i = 0; i < LENGTH(piece_sizes); i++) {
		read_body(&seen, JSON_FORM_SINGLE, &usual, is->text, piece_sizes[i], NULL);
		assert_refusal(is, seen.status, seen.offset, seen.reason);
		seen_free(&seen);
		read_body(&seen, JSON_FORM_BATCH, &usual, is->text, piece_sizes[i], NULL);
		assert_refusal(is, seen.status, seen.offset, seen.reason);
		seen_free(&seen);
	}
}

START_TEST(incorrect_texts_are_refused)
{
	for (int i = 0; i < LENGTH(refused); i++)
		assert_refused(&refused[i]);
}
END_TEST

/* A string may hold each byte from 0x20 on but the quote and the backslash, wherever it stands. */
START_TEST(every_byte_in_every_column_of_a_string)
{
	for (int column = 0; column < 20; column++) {
		for (int byte = 1; byte < 0x80; byte++) {
			char text[] = "\"xxxxxxxxxxxxxxxxxxxx\"";
			text[1 + column] = (char)byte;
			bool good = byte >= 0x20 && byte != '"' && byte != '\\';
			enum status status =
				json_text_check(slice_of(text), &usual, NULL, NULL, NULL);
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

/* Checks a text and reads it as the second of three items. */
static void assert_limit(const struct json_limits *limits, struct slice text, enum status expected,
			 uint64_t offset)
{
	struct buf buf;
	struct seen seen;
	uint64_t at;

	if (expected != STATUS_ITEM_TOO_LARGE) {
		ck_assert_int_eq(json_text_check(text, limits, &at, NULL, NULL), expected);
		ck_assert_uint_eq(at, expected == STATUS_OK ? text.n : offset);
	}
	struct slice body = wrapped(&buf, "[{},", text, ",{}]");
	for (int i = 0; i < LENGTH(piece_sizes); i++) {
		read_body(&seen, JSON_FORM_BATCH, limits, body, piece_sizes[i], NULL);
		ck_assert_int_eq(seen.status, STATUS_OK);
		ck_assert_uint_eq(seen.items, 3);
		ck_assert_int_eq(seen.item[0].status, STATUS_OK);
		ck_assert_int_eq(seen.item[1].status, expected);
		ck_assert_int_eq(seen.item[2].status, STATUS_OK);
		ck_assert_uint_eq(seen.item[1].bad_offset, expected == STATUS_OK ? 0 : offset + 4);
		size_t kept = text.n < limits->item_bytes ? text.n : limits->item_bytes;
		ck_assert(slice_equal(seen_text(&seen, 1), (struct slice){text.p, kept}));
		seen_free(&seen);
	}
	buf_free(&buf);
}

struct limit_case {
	size_t size;
	enum status status;
};

static const struct limit_case depths[] = {
	{1, STATUS_OK},
	{63, STATUS_OK},
	{64, STATUS_OK},
	{65, STATUS_NESTING_TOO_DEEP},
	{66, STATUS_NESTING_TOO_DEEP},
	{256, STATUS_NESTING_TOO_DEEP},
	{257, STATUS_NESTING_TOO_DEEP},
	{1800, STATUS_NESTING_TOO_DEEP},
};

START_TEST(depth_is_limited)
{
	size_t depth = depths[_i].size;
	struct buf buf = buf_make(SIZE_MAX / 2);

	/* The item's own brace is the first level; the 65th is at byte 5 + 63. */
	buf_add_text(&buf, "{\"a\":");
	add_times(&buf, "[", depth - 1);
	buf_add_text(&buf, depth == 1 ? "0" : "");
	add_times(&buf, "]", depth - 1);
	buf_add_text(&buf, "}");
	assert_limit(&usual, buf_slice(&buf), depths[_i].status, 68);
	buf_reset(&buf, 0);
	add_times(&buf, "{\"a\":", depth);
	buf_add_text(&buf, "0");
	add_times(&buf, "}", depth);
	struct json_limits roomy = usual;
	roomy.item_bytes = 100000;
	assert_limit(&roomy, buf_slice(&buf), depths[_i].status, 5 * 64);
	buf_free(&buf);
}
END_TEST

/* before, a digit so often, after */
static const struct number_case {
	const char *before;
	size_t digits;
	const char *after;
	enum status status;
} numbers[] = {
	{"1", 398, "", STATUS_OK},
	{"1", 399, "", STATUS_OK},
	{"1", 400, "", STATUS_NUMBER_TOO_LARGE},
	{"-1", 399, "", STATUS_OK},
	{"-1", 400, "", STATUS_NUMBER_TOO_LARGE},
	{"1.", 399, "", STATUS_OK},
	{"1.", 400, "", STATUS_NUMBER_TOO_LARGE},
	{"0.", 399, "", STATUS_OK},
	{"0.", 400, "", STATUS_NUMBER_TOO_LARGE},
	{"-12.", 398, "e400", STATUS_OK},
	{"-12.", 399, "e400", STATUS_NUMBER_TOO_LARGE},
	{"1", 199, ".0", STATUS_OK},
	{"1", 3000, "", STATUS_NUMBER_TOO_LARGE},
	{"1e399", 0, "", STATUS_OK},
	{"1e400", 0, "", STATUS_OK},
	{"1e401", 0, "", STATUS_NUMBER_TOO_LARGE},
	{"1e-400", 0, "", STATUS_OK},
	{"1E-401", 0, "", STATUS_NUMBER_TOO_LARGE},
	{"1e+400", 0, "", STATUS_OK},
	{"1e+401", 0, "", STATUS_NUMBER_TOO_LARGE},
	{"1e000000000000000000000000400", 0, "", STATUS_OK},
	{"1e131071", 0, "", STATUS_NUMBER_TOO_LARGE},
	{"0e131071", 0, "", STATUS_NUMBER_TOO_LARGE},
	{"1e4294967296", 0, "", STATUS_NUMBER_TOO_LARGE},
	{"1e4294967697", 0, "", STATUS_NUMBER_TOO_LARGE},
	{"1e18446744073709551616", 0, "", STATUS_NUMBER_TOO_LARGE},
	{"1e", 3000, "", STATUS_NUMBER_TOO_LARGE},
	{"[1e400,1e401]", 0, "", STATUS_NUMBER_TOO_LARGE},
};

START_TEST(numbers_are_limited)
{
	const struct number_case *is = &numbers[_i];
	struct buf buf = buf_make(SIZE_MAX / 2);

	buf_add_text(&buf, "{\"n\":");
	buf_add_text(&buf, is->before);
	add_times(&buf, "7", is->digits);
	buf_add_text(&buf, is->after);
	buf_add_text(&buf, "}");
	assert_limit(&usual, buf_slice(&buf), is->status, is->before[0] == '[' ? 12 : 5);
	buf_free(&buf);
}
END_TEST

START_TEST(a_number_at_the_end_of_the_text_is_limited)
{
	uint64_t offset;
	const char *reason;

	ck_assert_int_eq(json_text_check(T(" 1e401"), &usual, &offset, &reason, NULL),
			 STATUS_NUMBER_TOO_LARGE);
	ck_assert_uint_eq(offset, 1);
	ck_assert_str_eq(reason, "exponent too large");
	ck_assert_int_eq(json_text_check(T("[1e401"), &usual, &offset, &reason, NULL),
			 STATUS_MALFORMED_JSON);
	ck_assert_uint_eq(offset, 6);
}
END_TEST

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

static enum status expect_within(void *context, const struct json_item *item)
{
	const struct slice *piece = context;

	ck_assert(item->text.p >= piece->p && item->text.p + item->text.n <= piece->p + piece->n);
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
		struct slice body = cases[i].body;
		struct json_reader *reader;
		ck_assert_int_eq(
			json_reader_open(&reader, cases[i].form, &usual, expect_within, &body),
			STATUS_OK);
		ck_assert_int_eq(json_reader_feed(reader, body.p, body.n), STATUS_OK);
		ck_assert_uint_gt(json_reader_items(reader), 0);
		ck_assert_int_eq(json_reader_end(reader), STATUS_OK);
		json_reader_close(reader);
	}
}
END_TEST

static enum status refuse_second(void *context, const struct json_item *item)
{
	(void)context;
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
		ck_assert_int_eq(json_reader_open(&reader, forms[i], &usual, refuse_second, NULL),
				 STATUS_OK);
		ck_assert_int_eq(json_reader_feed(reader, texts[i].p, texts[i].n), STATUS_BUSY);
		ck_assert_uint_eq(json_reader_items(reader), 2);
		json_reader_error(reader, &offset, &reason);
		ck_assert_uint_eq(offset, i == 0 ? 4 : 3);
		ck_assert_int_eq(json_reader_feed(reader, "\n", 1), STATUS_BUSY);
		ck_assert_int_eq(json_reader_end(reader), STATUS_BUSY);
		json_reader_close(reader);
	}
	json_reader_close(NULL);
}
END_TEST

/* ---- repair ---- */

#define FFFD "\xef\xbf\xbd"

static const struct {
	struct slice text;
	struct slice repaired; /* absent: needs none */
} repairs[] = {
	{T("{\"a\":\"\\u0000\"}"), T("{\"a\":\"" FFFD "\"}")},
	{T("{\"\\u0000\":1}"), T("{\"" FFFD "\":1}")},
	{T("\"a\\u0000\\u0000b\""), T("\"a" FFFD FFFD "b\"")},
	{T("\"\\\\u0000\""), {NULL, 0}},
	{T("\"\\\\\\u0000\""), T("\"\\\\" FFFD "\"")},
	{T("\"\\\\\\\\u0000\""), {NULL, 0}},
	{T("\"\\\"\\u0000\\\"\""), T("\"\\\"" FFFD "\\\"\"")},
	{T("\"\\u00000\""), T("\"" FFFD "0\"")},
	{T("\"\\u0001\\u0010\\u0100\\u1000\""), {NULL, 0}},
	{T("\"\\ud83d\\ude00\""), {NULL, 0}},
	{T("\"\\uD83D\\uDE00\\uD83D\\uDE00\""), {NULL, 0}},
	{T("\"\\ud800\""), T("\"" FFFD "\"")},
	{T("\"\\uDBFF\""), T("\"" FFFD "\"")},
	{T("\"\\udc00\""), T("\"" FFFD "\"")},
	{T("\"\\uDFFF\""), T("\"" FFFD "\"")},
	{T("\"\\ud7ff\\ue000\""), {NULL, 0}},
	{T("\"\\ud800\\ud800\""), T("\"" FFFD FFFD "\"")},
	{T("\"\\ud800\\ud800\\udc00\""), T("\"" FFFD "\\ud800\\udc00\"")},
	{T("\"\\ud800\\udc00\\udc00\""), T("\"\\ud800\\udc00" FFFD "\"")},
	{T("\"\\udc00\\ud800\""), T("\"" FFFD FFFD "\"")},
	{T("\"\\ud800x\\udc00\""), T("\"" FFFD "x" FFFD "\"")},
	{T("\"\\ud800\\n\\udc00\""), T("\"" FFFD "\\n" FFFD "\"")},
	{T("\"\\ud800\\\\udc00\""), T("\"" FFFD "\\\\udc00\"")},
	{T("\"\\ud800\\u0041\""), T("\"" FFFD "\\u0041\"")},
	{T("\"\\ud800\\u0000\""), T("\"" FFFD FFFD "\"")},
	{T("\"\\ud800\xc3\xa9\""), T("\"" FFFD "\xc3\xa9\"")},
	{T("[\"\\ud800\",\"\\udc00\"]"), T("[\"" FFFD "\",\"" FFFD "\"]")},
	{T("{\"\\ud800\":\"\\udc00\"}"), T("{\"" FFFD "\":\"" FFFD "\"}")},
	{T("\"plain \xc3\xa9 \\n \\u00e9\""), {NULL, 0}},
	{T("[]"), {NULL, 0}},
};

static void assert_repaired(struct slice text, struct slice repaired)
{
	bool expected = repaired.p != NULL;
	struct slice want = expected ? repaired : text;
	struct buf out = buf_make(text.n);
	struct buf wrap;
	struct seen seen;
	bool needs_repair = !expected;

	ck_assert_int_eq(json_text_check(text, &usual, NULL, NULL, &needs_repair), STATUS_OK);
	ck_assert_int_eq(needs_repair, expected);
	json_text_repair(text, &out);
	ck_assert_int_eq(out.status, STATUS_OK);
	ck_assert_msg(slice_equal(buf_slice(&out), want), "%.*s", (int)out.n, out.p);
	ck_assert_int_eq(json_text_check(want, &usual, NULL, NULL, &needs_repair), STATUS_OK);
	ck_assert(!needs_repair);
	/* Only the item that holds it needs repair. */
	wrapped(&wrap, "[{},{\"v\":", text, "},{}]");
	for (int i = 0; i < LENGTH(piece_sizes); i++) {
		read_body(&seen, JSON_FORM_BATCH, &usual, buf_slice(&wrap), piece_sizes[i], NULL);
		ck_assert_uint_eq(seen.items, 3);
		ck_assert(!seen.item[0].needs_repair);
		ck_assert_int_eq(seen.item[1].needs_repair, expected);
		ck_assert(!seen.item[2].needs_repair);
		seen_free(&seen);
	}
	buf_free(&wrap);
	buf_free(&out);
}

static const struct {
	struct slice value;
	bool is;
} names[] = {
	{T("\"api_key\""), true},
	{T("\"api\\u005fkey\""), true},
	{T("\"\\u0061\\u0070\\u0069\\u005F\\u006b\\u0065\\u0079\""), true},
	{T("\"api_ke\""), false},
	{T("\"api_keyy\""), false},
	{T("\"api_ke\\u0079\\u0000\""), false},
	{T("\"Api_key\""), false},
	{T("\"api\\u015fkey\""), false},
	{T("\"api\\\\u005fkey\""), false},
	{T("\"api\\/key\""), false},
	{T("\"\""), false},
	{T("5"), false},
	{T("[\"api_key\"]"), false},
};

START_TEST(names_are_known_however_they_are_escaped)
{
	ck_assert_int_eq(json_text_is_name(names[_i].value, SLICE("api_key")), names[_i].is);
}
END_TEST

static const struct {
	struct slice value;
	struct slice meant;
} strings[] = {
	{T("\"\""), T("")},
	{T("\"abc\""), T("abc")},
	{T("\"\xc3\xa9\""), T("\xc3\xa9")},
	{T("\"\\\"\""), T("\"")},
	{T("\"\\\\\""), T("\\")},
	{T("\"a\\/b\""), T("a/b")},
	{T("\"\\b\\f\\n\\r\\t\""), T("\b\f\n\r\t")},
	{T("\"\\u0041\\u005A\""), T("AZ")},
	{T("\"\\u007f\\u0080\""), T("\x7f\xc2\x80")},
	{T("\"\\u07ff\\u0800\""), T("\xdf\xbf\xe0\xa0\x80")},
	{T("\"\\uFFFF\""), T("\xef\xbf\xbf")},
	{T("\"\\ud800\\udc00\""), T("\xf0\x90\x80\x80")},
	{T("\"\\uDBFF\\uDFFF\""), T("\xf4\x8f\xbf\xbf")},
	{T("\"x\\ud83d\\ude00y\""), T("x\xf0\x9f\x98\x80y")},
	{T("\"\\u0000\""), T("\xef\xbf\xbd")},
	{T("\"a\\ud800\""), T("a\xef\xbf\xbd")},
	{T("\"\\ud800b\""), T("\xef\xbf\xbd"
			      "b")},
	{T("\"\\ud800\\ud800\\udc00\""), T("\xef\xbf\xbd\xf0\x90\x80\x80")},
	{T("\"\\udc00\\n\""), T("\xef\xbf\xbd\n")},
	{T("\"\\\\u0041\""), T("\\u0041")},
};

START_TEST(strings_are_what_they_mean)
{
	struct slice value = strings[_i].value, meant;
	struct arena arena = {0};

	ck_assert_int_eq(json_text_check(value, &usual, NULL, NULL, NULL), STATUS_OK);
	ck_assert_int_eq(json_text_string(&arena, value, &meant), STATUS_OK);
	ck_assert_msg(slice_equal(meant, strings[_i].meant), "%s", value.p);
	if (memchr(value.p, '\\', value.n) == NULL)
		ck_assert(meant.p == value.p + 1);
	arena_free(&arena);
}
END_TEST

#define NUL2 "\\u0000\\u0000"
#define NUL8 NUL2 NUL2 NUL2 NUL2

/* Of up to eight bytes. */
static const struct {
	struct slice value;
	struct slice text; /* absent where NULL */
} scalars[] = {
	{T("\"\""), T("")},
	{T("\"1234567\""), T("1234567")},
	{T("\"12345678\""), T("12345678")},
	{T("\"123456789\""), {NULL, 0}},
	{T("\"1234567\\n\""), T("1234567\n")},
	{T("\"\\u0041\\u0042\\u0043\\u0044\\u0045\\u0046\\u0047\\u0048\""), T("ABCDEFGH")},
	{T("\"\\u0041\\u0042\\u0043\\u0044\\u0045\\u0046\\u0047\\u0048i\""), {NULL, 0}},
	{T("\"" NUL2 "12\""), T("\xef\xbf\xbd\xef\xbf\xbd"
				"12")},
	{T("\"" NUL2 "123\""), {NULL, 0}},
	{T("\"" NUL8 NUL8 "\""), {NULL, 0}},
	/* numbers as they were written, however large */
	{T("0"), T("0")},
	{T("-0.0"), T("-0.0")},
	{T("1.50"), T("1.50")},
	{T("1E+5"), T("1E+5")},
	{T("1e400"), T("1e400")},
	{T("12345678"), T("12345678")},
	{T("-1234567"), T("-1234567")},
	{T("123456789"), {NULL, 0}},
	{T("true"), T("true")},
	{T("false"), T("false")},
	{T("null"), {NULL, 0}},
	{T("{}"), {NULL, 0}},
	{T("[1]"), {NULL, 0}},
};

START_TEST(scalars_are_texts)
{
	struct slice value = scalars[_i].value, want = scalars[_i].text, text;
	struct arena arena = {0};
	bool is_number = strchr("-0123456789", *value.p) != NULL;

	ck_assert_int_eq(json_text_check(value, &usual, NULL, NULL, NULL), STATUS_OK);
	ck_assert_int_eq(json_text_scalar(&arena, value, 8, &text), STATUS_OK);
	ck_assert_msg((text.p == NULL) == (want.p == NULL) && slice_equal(text, want), "%s: %.*s",
		      value.p, (int)text.n, text.p == NULL ? "" : text.p);
	ck_assert_int_eq(json_text_is_number(value), is_number);
	if (is_number || *value.p == '"') {
		ck_assert_int_eq(json_text_scalar(&arena, value, SIZE_MAX, &text), STATUS_OK);
		ck_assert_ptr_nonnull(text.p);
	}
	arena_free(&arena);
}
END_TEST

START_TEST(what_jsonb_cannot_hold_is_replaced)
{
	for (int i = 0; i < LENGTH(repairs); i++)
		assert_repaired(repairs[i].text, repairs[i].repaired);
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

Suite *unit_suite(void)
{
	Suite *suite = suite_create("json_text");
	TCase *grammar = tcase_create("grammar");
	TCase *limits = tcase_create("limits");
	TCase *items = tcase_create("items");

	tcase_set_timeout(grammar, 60);
	tcase_add_test(grammar, correct_texts_are_accepted);
	tcase_add_test(grammar, incorrect_texts_are_refused);
	tcase_add_test(grammar, every_byte_in_every_column_of_a_string);
	tcase_add_loop_test(grammar, empty_texts_are_empty, 0, LENGTH(empty_texts));
	tcase_add_test(grammar, what_jsonb_cannot_hold_is_replaced);
	tcase_add_loop_test(grammar, strings_are_what_they_mean, 0, LENGTH(strings));
	tcase_add_loop_test(grammar, scalars_are_texts, 0, LENGTH(scalars));
	tcase_add_loop_test(grammar, names_are_known_however_they_are_escaped, 0, LENGTH(names));
	suite_add_tcase(suite, grammar);

	tcase_set_timeout(limits, 60);
	tcase_add_loop_test(limits, depth_is_limited, 0, LENGTH(depths));
	tcase_add_loop_test(limits, numbers_are_limited, 0, LENGTH(numbers));
	tcase_add_test(limits, a_number_at_the_end_of_the_text_is_limited);
	tcase_add_loop_test(limits, the_size_of_an_item_is_limited, 0, LENGTH(sizes));
	tcase_add_test(limits, the_first_limit_that_is_passed_counts);
	tcase_add_loop_test(limits, the_number_of_items_is_limited, 0, LENGTH(counts));
	tcase_add_test(limits, a_body_of_nothing_but_containers_is_limited);
	tcase_add_test(limits, what_is_far_too_deep_is_followed_to_its_end);
	tcase_add_test(limits, what_cannot_be_followed_is_refused);
	suite_add_tcase(suite, limits);

	tcase_set_timeout(items, 60);
	tcase_add_loop_test(items, items_are_found, 0, LENGTH(bodies));
	tcase_add_loop_test(items, members_beside_the_array_are_kept_up_to_64_kib, 0,
			    LENGTH(beside_sizes));
	tcase_add_loop_test(items, items_are_measured, 0, LENGTH(lengths));
	tcase_add_test(items, an_item_within_one_piece_is_not_copied);
	tcase_add_test(items, the_sink_ends_the_reading);
	tcase_add_loop_test(items, pieces_make_no_difference, 0, LENGTH(seeds));
	tcase_add_test(items, failing_allocations_are_told);
	suite_add_tcase(suite, items);
	return suite;
}
