/*
 * test_text.c - the strict check of a text (grammar, UTF-8, limits), also by the reader's eyes;
 * repair, and what values mean.
 */
#include "json/read_body.h"

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
	{T("\"\xc3\""), 1, UTF8},
	{T("\"\xc3\xc3\""), 1, UTF8},
	{T("\"\xe2\x82\""), 1, UTF8},
	{T("\"\xe2\x28\xa1\""), 1, UTF8},
	{T("\"\xe2\x82\x28\""), 1, UTF8},
	{T("\"\xf0\x9f\x98\""), 1, UTF8},
	{T("\"\xf0\x9f\x28\x80\""), 1, UTF8},
	{T("\"\xc3\xa9\xa9\""), 3, UTF8},
	{T("\"\xc0\x80\""), 1, UTF8},
	{T("\"\xc0\xaf\""), 1, UTF8},
	{T("\"\xc1\xbf\""), 1, UTF8},
	{T("\"\xe0\x80\xaf\""), 1, UTF8},
	{T("\"\xe0\x9f\xbf\""), 1, UTF8},
	{T("\"\xf0\x80\x80\xaf\""), 1, UTF8},
	{T("\"\xf0\x8f\xbf\xbf\""), 1, UTF8},
	{T("\"\xed\xa0\x80\""), 1, UTF8},
	{T("\"\xed\xbf\xbf\""), 1, UTF8},
	{T("\"\xf4\x90\x80\x80\""), 1, UTF8},
	{T("\"\xf5\x80\x80\x80\""), 1, UTF8},
	{T("\"\xf8\x88\x80\x80\x80\""), 1, UTF8},
	{T("\"\xfc\x84\x80\x80\x80\x80\""), 1, UTF8},
	{T("\"\xfe\""), 1, UTF8},
	{T("\"\xff\""), 1, UTF8},
	{T("\"caf\xe9\""), 4, UTF8},
	{T("{\"\xff\":1}"), 2, UTF8},
	{T("\"1234567\xff\""), 8, UTF8},
	{T("\"\xe9\x61\""), 1, UTF8},
	{T("\"\u00e4\u20ac\U0001f600\xf0\x9f\x98\""), 10, UTF8},
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

	/* The item's own brace is the first level; the 65th is at byte offset 5 + 63. */
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

Suite *unit_suite(void)
{
	Suite *suite = suite_create("json_text");
	TCase *tests = tcase_create("json_text");

	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, correct_texts_are_accepted);
	tcase_add_test(tests, incorrect_texts_are_refused);
	tcase_add_test(tests, every_byte_in_every_column_of_a_string);
	tcase_add_loop_test(tests, empty_texts_are_empty, 0, LENGTH(empty_texts));
	tcase_add_test(tests, what_jsonb_cannot_hold_is_replaced);
	tcase_add_loop_test(tests, strings_are_what_they_mean, 0, LENGTH(strings));
	tcase_add_loop_test(tests, scalars_are_texts, 0, LENGTH(scalars));
	tcase_add_loop_test(tests, names_are_known_however_they_are_escaped, 0, LENGTH(names));
	tcase_add_loop_test(tests, depth_is_limited, 0, LENGTH(depths));
	tcase_add_loop_test(tests, numbers_are_limited, 0, LENGTH(numbers));
	tcase_add_test(tests, a_number_at_the_end_of_the_text_is_limited);
	suite_add_tcase(suite, tests);
	return suite;
}
