/*
 * test_export.c - filters of a search, and files of what it finds.
 */
#include <string.h>

#include "check_main.h"
#include "store/export.h"
#include "store/search.h"

static struct arena arena;
static struct buf out;

static void set_up(void)
{
	arena = (struct arena){0};
	out = buf_make(1 << 16);
}

static void tear_down(void)
{
	buf_free(&out);
	arena_free(&arena);
}

static const char *written(void)
{
	buf_add_char(&out, '\0');
	ck_assert_int_eq(out.status, STATUS_OK);
	return out.p;
}

/* ---- cells ---- */

static const struct {
	const char *text, *cell;
} cells[] = {
	{"", ""},
	{"plain", "plain"},
	{"Größe", "Größe"},
	{"a,b", "\"a,b\""},
	{"a\"b", "\"a\"\"b\""},
	{"a\nb", "\"a\nb\""},
	{"=1+1", "'=1+1"},
	{"+49", "'+49"},
	{"-1", "'-1"},
	{"@SUM(A1)", "'@SUM(A1)"},
	{"\tx", "'\tx"},
	{"\rx", "\"'\rx\""},
	{"\n=1", "\"'\n=1\""},
	{"\uff1d1", "'\uff1d1"},
	{"\uff0b1", "'\uff0b1"},
	{"\uff0d1", "'\uff0d1"},
	{"\uff20a", "'\uff20a"},
	{"\uff1c1", "\uff1c1"},
	{"\uff1d", "'\uff1d"},
	{"=\"a\"", "\"'=\"\"a\"\"\""},
	{"1=1", "1=1"},
};

START_TEST(a_cell_is_no_formula)
{
	store_export_cell(&out, slice_of(cells[_i].text));
	ck_assert_str_eq(written(), cells[_i].cell);
}
END_TEST

/* ---- files ---- */

#define FIRST                                                                                      \
	"{\"id\" : 7, \"received_at\" : \"2026-01-01T00:00:00Z\", \"email\" : \"a\\u0040b\", "     \
	"\"event_name\" : \"=x\", \"payload\" : {\"n\": 1.50, \"t\": \"a,b\"}}"
#define SECOND "{\"id\" : 6, \"email\" : null, \"payload\" : {}}"
#define ANSWER                                                                                     \
	"{\"signals\" : [" FIRST ", \n " SECOND                                                    \
	"], \"next\" : \"5-6\", \"searched_until\" : null, \"live\" : \"1-3:3:\"}"

START_TEST(csv_has_a_line_for_each_signal)
{
	size_t rows;

	store_export_head(&store_export_signals, STORE_CSV, &out);
	ck_assert_int_eq(store_export_rows(&store_export_signals, &arena, SLICE(ANSWER), STORE_CSV,
					   &out, &rows),
			 STATUS_OK);
	ck_assert_uint_eq(rows, 2);
	ck_assert_str_eq(
		written(),
		"id,received_at,occurred_at,source,event_type,event_name,email,user_id,"
		"anonymous_id,message_id,status,error,key_id,key_name,request_id,payload\r\n"
		"7,2026-01-01T00:00:00Z,,,,'=x,a@b,,,,,,,,,"
		"\"{\"\"n\"\": 1.50, \"\"t\"\": \"\"a,b\"\"}\"\r\n"
		"6,,,,,,,,,,,,,,,{}\r\n");
}
END_TEST

START_TEST(ndjson_has_signals_as_they_are)
{
	size_t rows;

	store_export_head(&store_export_signals, STORE_NDJSON, &out);
	ck_assert_int_eq(store_export_rows(&store_export_signals, &arena, SLICE(ANSWER),
					   STORE_NDJSON, &out, &rows),
			 STATUS_OK);
	ck_assert_uint_eq(rows, 2);
	ck_assert_str_eq(written(), FIRST "\n" SECOND "\n");
}
END_TEST

START_TEST(an_answer_may_be_empty)
{
	size_t rows;

	for (enum store_format format = STORE_NDJSON; format <= STORE_CSV; format++) {
		ck_assert_int_eq(store_export_rows(&store_export_signals, &arena,
						   SLICE("{\"signals\" : []}"), format, &out,
						   &rows),
				 STATUS_OK);
		ck_assert_uint_eq(rows, 0);
	}
	ck_assert_str_eq(written(), "");
}
END_TEST

static const struct {
	const struct store_export *what;
	const char *answer, *csv;
} lists[] = {
	{&store_export_product_orgs,
	 "{\"product_orgs\" : [{\"product_org_id\" : \"a,b\", \"mrr\" : 129900, "
	 "\"mrr_amount\" : \"1299.00\", \"currency\" : \"EUR\"}], \"next\" : null}",
	 "product_org_id,name,plan_id,plan_name,user_count,mrr,mrr_amount,currency,"
	 "trial_status,last_active_at,feature_flags,custom,received_at,id,key_id,"
	 "key_name\r\n"
	 "\"a,b\",,,,,129900,1299.00,EUR,,,,,,,,\r\n"},
	{&store_export_updates,
	 "{\"product_orgs\" : [{\"id\" : 7, \"status\" : \"pending\", \"payload\" : {\"a\": 1.50}}], "
	 "\"next\" : 7}",
	 "id,product_org_id,name,plan_id,plan_name,user_count,mrr,mrr_amount,currency,"
	 "trial_status,last_active_at,feature_flags,custom,warnings,received_at,status,error,"
	 "key_id,key_name,request_id,payload\r\n"
	 "7,,,,,,,,,,,,,,,pending,,,,,\"{\"\"a\"\": 1.50}\"\r\n"},
	{&store_export_rejects,
	 "{\"rejects\" : [{\"id\" : 9, \"truncated\" : true, \"preview\" : \"=1\\n\"}], \"next\" : null}",
	 "id,received_at,organization,key_id,key_name,source,kind,code,why,detail,position,bad_byte,"
	 "payload_bytes,request_id,state,replayed_at,replayed_by,discarded_at,discarded_by,"
	 "truncated,preview\r\n"
	 "9,,,,,,,,,,,,,,,,,,,true,\"'=1\n\"\r\n"},
};

START_TEST(each_list_has_columns_of_its_own)
{
	size_t rows;

	store_export_head(lists[_i].what, STORE_CSV, &out);
	ck_assert_int_eq(store_export_rows(lists[_i].what, &arena, slice_of(lists[_i].answer),
					   STORE_CSV, &out, &rows),
			 STATUS_OK);
	ck_assert_uint_eq(rows, 1);
	ck_assert_str_eq(written(), lists[_i].csv);
}
END_TEST

START_TEST(members_of_an_answer_are_texts)
{
	struct slice text;

	ck_assert_int_eq(store_answer_text(&arena, SLICE(ANSWER), "next", &text), STATUS_OK);
	ck_assert_str_eq(text.p, "5-6");
	ck_assert_int_eq(store_answer_text(&arena, SLICE(ANSWER), "searched_until", &text),
			 STATUS_OK);
	ck_assert_ptr_null(text.p);
}
END_TEST

static enum status write_files(void)
{
	size_t rows;

	set_up();
	enum status status = store_export_rows(&store_export_signals, &arena, SLICE(ANSWER),
					       STORE_CSV, &out, &rows);
	tear_down();
	return status;
}

START_TEST(files_are_written_without_memory)
{
	ck_assert_int_ge(unit_torture(write_files), 1);
}
END_TEST

/* ---- filters ---- */

START_TEST(a_filter_has_what_is_given)
{
	const struct slice values[STORE_SEARCH_MEMBERS] = {
		[STORE_SEARCH_EMAIL] = SLICE("a\"b"),
		[STORE_SEARCH_SOURCE] = SLICE(""),
		[STORE_SEARCH_FROM] = SLICE("2026-01-01T00:00:00Z"),
	};
	const struct slice none[STORE_SEARCH_MEMBERS] = {{NULL, 0}};
	struct slice json;

	ck_assert_int_eq(store_search_filter(&arena, values, &json), STATUS_OK);
	ck_assert_str_eq(json.p, "{\"email\":\"a\\\"b\",\"from\":\"2026-01-01T00:00:00Z\"}");
	ck_assert_int_eq(store_search_filter(&arena, none, &json), STATUS_OK);
	ck_assert_str_eq(json.p, "{}");
}
END_TEST

static enum status write_filter(void)
{
	const struct slice values[STORE_SEARCH_MEMBERS] = {[STORE_SEARCH_KEY] = SLICE("7")};
	struct slice json;

	set_up();
	enum status status = store_search_filter(&arena, values, &json);
	tear_down();
	return status;
}

START_TEST(a_filter_is_written_without_memory)
{
	ck_assert_int_ge(unit_torture(write_filter), 1);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("export");
	TCase *tests = tcase_create("export"), *torture = tcase_create("torture");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_loop_test(tests, a_cell_is_no_formula, 0, LENGTH(cells));
	tcase_add_test(tests, csv_has_a_line_for_each_signal);
	tcase_add_test(tests, ndjson_has_signals_as_they_are);
	tcase_add_test(tests, an_answer_may_be_empty);
	tcase_add_loop_test(tests, each_list_has_columns_of_its_own, 0, LENGTH(lists));
	tcase_add_test(tests, members_of_an_answer_are_texts);
	tcase_add_test(tests, a_filter_has_what_is_given);
	tcase_add_test(torture, files_are_written_without_memory);
	tcase_add_test(torture, a_filter_is_written_without_memory);
	suite_add_tcase(suite, tests);
	suite_add_tcase(suite, torture);
	return suite;
}
