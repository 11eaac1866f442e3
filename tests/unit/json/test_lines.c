/*
 * test_lines.c - NDJSON is told by its first line.
 */
#include "check_main.h"
#include "json/lines.h"

static const struct {
	const char *text;
	enum json_lines lines;
} rows[] = {
	{"", JSON_LINES_OPEN},
	{" \n", JSON_LINES_OPEN},
	{"\xef\xbb\xbf", JSON_LINES_OPEN},
	{"{", JSON_LINES_OPEN},
	{"{}", JSON_LINES_OPEN},
	{"{}\n", JSON_LINES_OPEN},
	{"{}\r\n\r\n ", JSON_LINES_OPEN},
	{"{}\n{", JSON_LINES_YES},
	{"{}\r\n\n {nonsense", JSON_LINES_YES},
	{"\xef\xbb\xbf\n {\"a\":[{}]} \t\n{", JSON_LINES_YES},
	{"{}\n[", JSON_LINES_NO},
	{"{}\n1", JSON_LINES_NO},
	{"{} {}\n{", JSON_LINES_NO},
	{"{}x\n{", JSON_LINES_NO},
	{"{\n", JSON_LINES_NO},
	{"{\"a\":\n{", JSON_LINES_NO},
	{"{\"a\":\"\n{", JSON_LINES_NO},
	{"{\"a\":NaN}\n{", JSON_LINES_NO},
	{"[\n", JSON_LINES_NO},
	{"[{}]\n{}", JSON_LINES_NO},
	{"1\n{}", JSON_LINES_NO},
	{"x", JSON_LINES_NO},
};

START_TEST(lines_are_told)
{
	ck_assert_msg(json_lines_begin(slice_of(rows[_i].text)) == rows[_i].lines, "%s",
		      rows[_i].text);
}
END_TEST

/* Once it is decided, what follows changes nothing. */
START_TEST(a_decision_stays)
{
	struct slice text = slice_of(rows[_i].text);
	enum json_lines decided = JSON_LINES_OPEN;

	for (size_t n = 0; n <= text.n; n++) {
		enum json_lines lines = json_lines_begin((struct slice){text.p, n});
		ck_assert(decided == JSON_LINES_OPEN || lines == decided);
		decided = lines;
	}
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("lines");
	TCase *tests = tcase_create("lines");

	tcase_add_loop_test(tests, lines_are_told, 0, LENGTH(rows));
	tcase_add_loop_test(tests, a_decision_stays, 0, LENGTH(rows));
	suite_add_tcase(suite, tests);
	return suite;
}
