/*
 * test_cross_out.c - the presented key in any spelling, whole, cut off, and in pieces.
 */
#include "check_main.h"
#include "key/cross_out.h"

#include "base/buf.h"

#define KEY	 "sk_0123456789ABCDEFGHIJKLMNOPQRSTUV1cwdir"
#define OUT	 "sk_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define REST	 "123456789ABCDEFGHIJKLMNOPQRSTUV1cwdir"
#define REST_OUT "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

static const struct {
	const char *text, *crossed_out;
} rows[] = {
	/* nothing to find */
	{"", NULL},
	{"{}", NULL},
	{"{\"a\":\"sk_\"}", NULL},
	{"sk_0123", NULL},
	{"sk_012", NULL},
	{"{\"a\":\"sk_0123456789ABCDEFGHIJKLMNOPQRSTUV1cwdis\"}", NULL},
	{"{\"a\":\"Sk_" REST "\"}", NULL},
	{"{\"a\":\"100%\",\"b\":\"\\u00e4\\u0073%73\\s\"}", NULL},
	/* as itself, anywhere */
	{KEY, OUT},
	{"{\"writeKey\":\"" KEY "\",\"a\":1}", "{\"writeKey\":\"" OUT "\",\"a\":1}"},
	{"{\"" KEY "\":[\"https://x.example/" KEY "/batch?a\"]}",
	 "{\"" OUT "\":[\"https://x.example/" OUT "/batch?a\"]}"},
	{KEY KEY, OUT OUT},
	{"sk_sk_" KEY ".", "sk_sk_" OUT "."},
	{"sk_0123" KEY, "sk_0123" OUT},
	{"\xff" KEY "\xff", "\xff" OUT "\xff"},
	/* escaped */
	{"\"\\u0073k_0" REST "\"", "\"\\u0073k_x" REST_OUT "\""},
	{"\"sk_\\u0030" REST "\"", "\"sk_\\u0078" REST_OUT "\""},
	{"\"\\u0073\\u006b\\u005f\\u0030" REST "\"",
	 "\"\\u0073\\u006b\\u005f\\u0078" REST_OUT "\""},
	{"\"\\u0073\\u006B\\u005F\\u0030" REST "\"",
	 "\"\\u0073\\u006B\\u005F\\u0078" REST_OUT "\""},
	{"\"\\\\u0073k_0" REST "\"", "\"\\\\u0073k_x" REST_OUT "\""},
	{"a=%73k_0" REST "&b", "a=%73k_x" REST_OUT "&b"},
	{"a=%73%6B%5f%30" REST "&b", "a=%73%6B%5f%78" REST_OUT "&b"},
	{"\"%73\\u006b_0" REST "\"", "\"%73\\u006b_x" REST_OUT "\""},
	{"\"\\u1073k_0" REST "\"", NULL},
	{"\"\\u00zzk_0" REST "\"", NULL},
	{"\"%zzk_0" REST "\"", NULL},
	/* cut off: up to what may be shown it stays */
	{"\"sk_01234", "\"sk_xxxxx"},
	{"\"sk_0123456", "\"sk_xxxxxxx"},
	{"\"sk_01234\"", NULL},
	{"\"sk_0\\u003123\\u0034", "\"sk_x\\u0078xx\\u0078"},
	{"\"sk_01234\\", "\"sk_xxxxx\\"},
	{"\"sk_01234\\u", "\"sk_xxxxx\\u"},
	{"\"sk_01234\\u00", "\"sk_xxxxx\\u00"},
	{"\"sk_01234\\u003", "\"sk_xxxxx\\u003"},
	{"\"sk_01234%", "\"sk_xxxxx%"},
	{"\"sk_01234%3", "\"sk_xxxxx%3"},
	{"\"sk_0123\\u00", NULL},
	{"\"sk_01234\\x", NULL},
};

/* Appends a text of ASCII in characters of so many bytes. */
static void add_wide(struct buf *out, const char *text, size_t width, bool big_endian)
{
	for (; *text != '\0'; text++) {
		for (size_t i = 0; i < width; i++)
			buf_add_char(out, i == (big_endian ? width - 1 : 0) ? *text : '\0');
	}
}

START_TEST(a_key_is_found_in_wide_characters)
{
	size_t width = _i < 2 ? 2 : 4;
	struct buf text = buf_make(SIZE_MAX / 2), expected = buf_make(SIZE_MAX / 2);

	add_wide(&text, "{\"a\":\"" KEY "\",\"b\":\"sk_01234", width, _i % 2 == 1);
	add_wide(&expected, "{\"a\":\"" OUT "\",\"b\":\"sk_xxxxx", width, _i % 2 == 1);
	ck_assert(cross_out_finds(buf_slice(&text), SLICE(KEY)));
	ck_assert(cross_out(text.p, text.n, SLICE(KEY)));
	ck_assert(slice_equal(buf_slice(&text), buf_slice(&expected)));
	buf_free(&text);
	buf_free(&expected);
}
END_TEST

START_TEST(a_key_is_found_in_any_spelling)
{
	struct slice text = slice_of(rows[_i].text);
	struct slice expected =
		rows[_i].crossed_out == NULL ? text : slice_of(rows[_i].crossed_out);
	bool there = rows[_i].crossed_out != NULL;
	char *room = malloc(text.n + 1);

	must(room != NULL);
	memcpy(room, rows[_i].text, text.n + 1);
	ck_assert_msg(cross_out_finds(text, SLICE(KEY)) == there, "%s", text.p);
	ck_assert(cross_out(room, text.n, SLICE(KEY)) == there);
	ck_assert_msg(slice_equal((struct slice){room, text.n}, expected), "%s", room);
	/* What is crossed out holds nothing to find, except a beginning that may be shown. */
	ck_assert(!cross_out_finds((struct slice){room, text.n}, SLICE(KEY)));
	free(room);
}
END_TEST

START_TEST(without_a_key_nothing_is_found)
{
	char text[] = KEY;

	ck_assert(!cross_out_finds(SLICE(KEY), SLICE_ABSENT));
	ck_assert(!cross_out(text, sizeof(text) - 1, SLICE_ABSENT));
	ck_assert_str_eq(text, KEY);
}
END_TEST

/* In pieces of any size, the whole is what it is in one; only its end may be the beginning of a key
 * that never comes. */
START_TEST(pieces_make_no_difference)
{
	struct slice text = slice_of(rows[_i].text);
	char whole[256], room[256 + CROSS_OUT_OPEN_MAX];

	memcpy(whole, text.p, text.n);
	bool there = cross_out(whole, text.n, SLICE(KEY));
	for (size_t size = 1; size <= text.n; size++) {
		struct buf out = buf_make(512);
		size_t held = 0;
		bool found = false;
		for (size_t at = 0, n; at < text.n; at += n) {
			n = text.n - at < size ? text.n - at : size;
			memcpy(room + held, text.p + at, n);
			size_t open = cross_out_piece(room, held + n, SLICE(KEY), &found);
			ck_assert_uint_le(open, CROSS_OUT_OPEN_MAX);
			ck_assert_uint_le(open, held + n);
			buf_add(&out, room, held + n - open);
			memmove(room, room + held + n - open, open);
			held = open;
		}
		found |= cross_out(room, held, SLICE(KEY));
		buf_add(&out, room, held);
		ck_assert(slice_equal(buf_slice(&out), (struct slice){whole, text.n}));
		ck_assert(found == there);
		buf_free(&out);
	}
}
END_TEST

START_TEST(what_looks_like_a_credential_is_suspected)
{
	static const struct {
		const char *text;
		bool suspected;
	} texts[] = {
		{"", false},
		{"task_0123", false},
		{KEY, true},
		{"a-" KEY, true},
		{KEY "x", true},
		{"sk_0123456789ABCDEFGHIJKLMNOPQRSTUV1cwdi", false},
		{"sk_" KEY, true},
		{"sk_-" KEY, true},
		{"whs_0123456789012345678901234567890123456789", true},
		{"whs_012345678901234567890123456789012345678", false},
		{"whs_", false},
	};

	for (int i = 0; i < LENGTH(texts); i++)
		ck_assert_msg(cross_out_suspects(slice_of(texts[i].text)) == texts[i].suspected,
			      "%s", texts[i].text);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("cross_out");
	TCase *tests = tcase_create("cross_out");

	tcase_add_loop_test(tests, a_key_is_found_in_any_spelling, 0, LENGTH(rows));
	tcase_add_loop_test(tests, a_key_is_found_in_wide_characters, 0, 4);
	tcase_add_test(tests, without_a_key_nothing_is_found);
	tcase_add_loop_test(tests, pieces_make_no_difference, 1, LENGTH(rows));
	tcase_add_test(tests, what_looks_like_a_credential_is_suspected);
	suite_add_tcase(suite, tests);
	return suite;
}
