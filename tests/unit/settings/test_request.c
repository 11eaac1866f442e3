/*
 * test_request.c - bodies and parameters of the settings service: which are accepted, and how the
 * others are answered.
 */
#include <string.h>

#include "check_main.h"
#include "settings/settings_internal.h"

static struct config config = {.json_depth = 4,
			       .json_number_digits = 20,
			       .json_number_exponent = 20,
			       .item_bytes = 1000,
			       .batch_items = 10};
static struct settings settings;

static void begin(const char *uri, const char *body)
{
	static const char *variables[3] = {"REQUEST_METHOD=POST"};

	variables[1] = uri;
	settings = (struct settings){
		.config = &config, .response = http_response_make(), .body = buf_make(1 << 16)};
	buf_add_text(&settings.body, body);
	ck_assert_int_eq(http_request_read(&settings.http, (char *const *)(const void *)variables),
			 STATUS_OK);
}

static void tear_down(void)
{
	http_response_free(&settings.response);
	buf_free(&settings.body);
	arena_free(&settings.arena);
}

static bool response_says(const char *text)
{
	struct buf *body = &settings.response.body;

	buf_add_char(body, '\0');
	return strstr(body->p, text) != NULL;
}

#define ERROR(place, fault, detail)                                                                \
	"\"errors\":[{\"place\":\"" place "\",\"code\":\"" fault "\",\"detail\":\"" detail "\"}]"

/* ---- bodies ---- */

static const struct {
	const char *body;
	enum status status;
	const char *says;
} bodies[] = {
	{"{\"name\":\"a\",\"payload\":{}}", STATUS_OK, NULL},
	{" {} ", STATUS_OK, NULL},
	{"{\"payload\":[[[[[1]]]]]}", STATUS_OK, NULL},
	{"{\"payload\":[[[[[[1]]]]]]}", STATUS_NESTING_TOO_DEEP, " at byte offset 16"},
	{"", STATUS_EMPTY_BODY, "\"detail\":\"Send a JSON object.\""},
	{" \n", STATUS_EMPTY_BODY, "\"code\":\"empty_body\""},
	{"[]", STATUS_INVALID_REQUEST, "\"detail\":\"The body is not a JSON object.\""},
	{"null", STATUS_INVALID_REQUEST, "\"detail\":\"The body is not a JSON object.\""},
	{"{", STATUS_MALFORMED_JSON, " at byte offset 1"},
	{"{\"name\":\"a\"}}", STATUS_MALFORMED_JSON, " at byte offset 12"},
	{"{\"name\":1}", STATUS_INVALID_REQUEST, ERROR("name", "wrong_type", "is not a string")},
	{"{\"name\":\"a\",\"name\":\"b\"}", STATUS_INVALID_REQUEST,
	 ERROR("name", "repeated", "is given twice")},
	{"{\"nam\\u0065s\":1}", STATUS_INVALID_REQUEST,
	 ERROR("names", "unknown", "is not known here")},
	{"{\"\\\"\":1}", STATUS_INVALID_REQUEST, ERROR("\\\"", "unknown", "is not known here")},
};

static enum status read_members(void)
{
	struct json_member members[] = {{.name = "name", .type = JSON_MEMBER_TEXT},
					{.name = "payload", .type = JSON_MEMBER_JSON}};

	return settings_body(&settings, members, 2);
}

START_TEST(a_body_has_the_members_that_are_known)
{
	begin("REQUEST_URI=/", bodies[_i].body);
	ck_assert_int_eq(read_members(), bodies[_i].status);
	if (bodies[_i].says != NULL)
		ck_assert_msg(response_says(bodies[_i].says), "%s", settings.response.body.p);
	else
		ck_assert_uint_eq(settings.response.body.n, 0);
}
END_TEST

static const char *const empty[] = {"", " \r\n", "{}", " { } "};

START_TEST(a_route_without_members_accepts_an_empty_body)
{
	begin("REQUEST_URI=/", empty[_i]);
	ck_assert_int_eq(settings_body(&settings, NULL, 0), STATUS_OK);
}
END_TEST

START_TEST(a_route_without_members_refuses_members)
{
	begin("REQUEST_URI=/", "{\"id\":1}");
	ck_assert_int_eq(settings_body(&settings, NULL, 0), STATUS_INVALID_REQUEST);
	ck_assert(response_says(ERROR("id", "unknown", "is not known here")));
}
END_TEST

/* ---- problems ---- */

static const struct {
	enum status status;
	const char *says;
} problems[] = {
	{STATUS_TOO_LARGE, "\"detail\":\"Shorten the payload template, or the payload.\""},
	{STATUS_REQUEST_TIMEOUT, "\"detail\":\"Check the connection and try again.\""},
	{STATUS_OUTCOME_UNKNOWN, "Reload the page to see whether the change was made.\""},
	{STATUS_UNAVAILABLE, "\"detail\":\"Nothing was changed. Try again later.\""},
	{STATUS_NO_MEMORY, "\"detail\":\"Nothing was changed. Try again later.\""},
	{STATUS_MISCONFIGURED, "An operator of Sluice has to fix the service first.\""},
	{STATUS_CSRF_REFUSED, "\"detail\":\"Reload the page."},
};

START_TEST(problems_are_told_to_the_user_of_the_page)
{
	begin("REQUEST_URI=/", "");
	ck_assert_int_eq(settings_problem(&settings, problems[_i].status, NULL),
			 problems[_i].status);
	ck_assert_msg(response_says(problems[_i].says), "%s", settings.response.body.p);
}
END_TEST

START_TEST(an_exact_detail_goes_first)
{
	begin("REQUEST_URI=/", "");
	ck_assert_int_eq(settings_problem(&settings, STATUS_TOO_LARGE, "Shorter."),
			 STATUS_TOO_LARGE);
	ck_assert(response_says("\"detail\":\"Shorter.\""));
}
END_TEST

/* ---- parameters ---- */

static const struct {
	const char *uri;
	enum status status;
	int64_t number;
	const char *says;
} numbers[] = {
	{"REQUEST_URI=/", STATUS_OK, -1, NULL},
	{"REQUEST_URI=/?limit=1", STATUS_OK, 1, NULL},
	{"REQUEST_URI=/?limit=%310%30", STATUS_OK, 100, NULL},
	{"REQUEST_URI=/?limit=007", STATUS_OK, 7, NULL},
#define BAD(text)                                                                                  \
	{                                                                                          \
		"REQUEST_URI=/?limit=" text, STATUS_INVALID_REQUEST, -1,                           \
			ERROR("limit", "out_of_range", "is not a number in the allowed range")     \
	}
	BAD("0"),
	BAD("101"),
	BAD(""),
	BAD("-1"),
	BAD("+1"),
	BAD("1.0"),
	BAD("ten"),
	BAD("18446744073709551617"),
#undef BAD
#define BAD(text)                                                                                  \
	{                                                                                          \
		"REQUEST_URI=/?" text, STATUS_INVALID_REQUEST, -1,                                 \
			ERROR("limit", "repeated", "is not valid text, or is given twice")         \
	}
	BAD("limit=1&limit=1"),
	BAD("limit=%"),
	BAD("limit=%00"),
	BAD("limit=%ff"),
#undef BAD
};

START_TEST(a_number_is_digits_within_its_range)
{
	int64_t number = -1;

	begin(numbers[_i].uri, "");
	ck_assert_int_eq(settings_number(&settings, "limit", 1, 100, &number), numbers[_i].status);
	ck_assert_int_eq(number, numbers[_i].number);
	if (numbers[_i].says != NULL)
		ck_assert_msg(response_says(numbers[_i].says), "%s", settings.response.body.p);
}
END_TEST

static const struct {
	const char *id;
	enum status status;
	int64_t number;
} ids[] = {
	{"0", STATUS_OK, 0},
	{"12", STATUS_OK, 12},
	{"9223372036854775807", STATUS_OK, INT64_MAX},
	{"9223372036854775808", STATUS_NOT_FOUND, 0},
	{"-1", STATUS_NOT_FOUND, 0},
	{"1a", STATUS_NOT_FOUND, 0},
	{"sk_0", STATUS_NOT_FOUND, 0},
};

START_TEST(an_id_that_is_not_a_number_is_not_found)
{
	int64_t number = 0;

	begin("REQUEST_URI=/", "");
	settings.match.id = slice_of(ids[_i].id);
	ck_assert_int_eq(settings_id(&settings, &number), ids[_i].status);
	if (ids[_i].status == STATUS_OK)
		ck_assert_int_eq(number, ids[_i].number);
	else
		ck_assert(response_says("The id in the path is not a number."));
}
END_TEST

START_TEST(the_organization_is_passed_on_as_digits)
{
	begin("REQUEST_URI=/?organization=0042", "");
	ck_assert_int_eq(settings_read_organization(&settings), STATUS_OK);
	ck_assert(slice_equal(settings.organization, SLICE("42")));
	tear_down();
	begin("REQUEST_URI=/", "");
	ck_assert_int_eq(settings_read_organization(&settings), STATUS_OK);
	ck_assert(settings.organization.p == NULL);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("request");
	TCase *tcase = tcase_create("request");

	tcase_add_checked_fixture(tcase, NULL, tear_down);
	tcase_add_loop_test(tcase, a_body_has_the_members_that_are_known, 0, LENGTH(bodies));
	tcase_add_loop_test(tcase, a_route_without_members_accepts_an_empty_body, 0, LENGTH(empty));
	tcase_add_loop_test(tcase, problems_are_told_to_the_user_of_the_page, 0, LENGTH(problems));
	tcase_add_test(tcase, an_exact_detail_goes_first);
	tcase_add_test(tcase, a_route_without_members_refuses_members);
	tcase_add_loop_test(tcase, a_number_is_digits_within_its_range, 0, LENGTH(numbers));
	tcase_add_loop_test(tcase, an_id_that_is_not_a_number_is_not_found, 0, LENGTH(ids));
	tcase_add_test(tcase, the_organization_is_passed_on_as_digits);
	suite_add_tcase(suite, tcase);
	return suite;
}
