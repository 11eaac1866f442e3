/*
 * test_members.c - the members of an object that was sent.
 */
#include <string.h>

#include "base/buf.h"
#include "check_main.h"
#include "json/members.h"

enum { NAME, AGE, ACTIVE, PAYLOAD, MEMBERS };

static const struct json_member wanted[MEMBERS] = {
	[NAME] = {.name = "name", .type = JSON_MEMBER_TEXT, .required = true},
	[AGE] = {.name = "age", .type = JSON_MEMBER_INT},
	[ACTIVE] = {.name = "is_active", .type = JSON_MEMBER_BOOL},
	[PAYLOAD] = {.name = "payload", .type = JSON_MEMBER_JSON},
};

static enum status read_members(struct arena *arena, const char *text, struct json_member *members,
				struct json_member_faults *faults)
{
	memcpy(members, wanted, sizeof(wanted));
	*faults = (struct json_member_faults){.count = 7};
	return json_members_read(arena, slice_of(text), members, MEMBERS, faults);
}

START_TEST(members_are_read)
{
	struct arena arena = {0};
	struct json_member members[MEMBERS];
	struct json_member_faults faults;

	ck_assert_int_eq(read_members(&arena,
				      " {\"payload\": [1.10, {}] ,\"\\u006eame\":\"a\\u0000\\n\","
				      "\"is_active\":true,\"age\":-9223372036854775808}\n",
				      members, &faults),
			 STATUS_OK);
	ck_assert_str_eq(members[NAME].text.p, "a\xef\xbf\xbd\n");
	ck_assert_uint_eq(members[NAME].text.n, 5);
	ck_assert(members[AGE].given);
	ck_assert(members[AGE].number == INT64_MIN);
	ck_assert(members[ACTIVE].given);
	ck_assert_int_eq(members[ACTIVE].number, 1);
	ck_assert_uint_eq(members[PAYLOAD].text.n, strlen("[1.10, {}]"));
	ck_assert_mem_eq(members[PAYLOAD].text.p, "[1.10, {}]", members[PAYLOAD].text.n);
	arena_free(&arena);
}
END_TEST

START_TEST(null_is_not_given_but_as_json)
{
	struct arena arena = {0};
	struct json_member members[MEMBERS];
	struct json_member_faults faults;

	ck_assert_int_eq(read_members(&arena,
				      "{\"name\":\"\",\"age\":null,\"is_active\":null,"
				      "\"payload\":null}",
				      members, &faults),
			 STATUS_OK);
	ck_assert(members[NAME].given);
	ck_assert_uint_eq(members[NAME].text.n, 0);
	ck_assert(!members[AGE].given);
	ck_assert(!members[ACTIVE].given);
	ck_assert(members[PAYLOAD].given);
	ck_assert(slice_equal(members[PAYLOAD].text, SLICE("null")));
	ck_assert_int_eq(read_members(&arena, "{\"name\":\"a\"}", members, &faults), STATUS_OK);
	ck_assert(!members[PAYLOAD].given);
	ck_assert_ptr_null(members[PAYLOAD].text.p);
	arena_free(&arena);
}
END_TEST

static const struct {
	const char *text;
	int64_t number; /* 0: none of 64 bits */
} numbers[] = {
	{"1", 1},
	{"-1", -1},
	{"9223372036854775807", INT64_MAX},
	{"9223372036854775808", 0},
	{"-9223372036854775808", INT64_MIN},
	{"-9223372036854775809", 0},
	{"18446744073709551617", 0},
	{"123456789012345678901234567890", 0},
	{"1.0", 0},
	{"1e2", 0},
	{"\"1\"", 0},
	{"true", 0},
	{"[1]", 0},
};

START_TEST(a_number_is_in_its_range)
{
	struct arena arena = {0};
	struct json_member member = {.name = "n", .type = JSON_MEMBER_INT};
	struct json_member_faults faults;
	char text[64] = "{\"n\":";

	memcpy(text + 5, numbers[_i].text, strlen(numbers[_i].text));
	text[5 + strlen(numbers[_i].text)] = '}';
	enum status status = json_members_read(&arena, slice_of(text), &member, 1, &faults);
	if (numbers[_i].number != 0) {
		ck_assert_int_eq(status, STATUS_OK);
		ck_assert(member.number == numbers[_i].number);
	} else {
		ck_assert_int_eq(status, STATUS_INVALID_VALUE);
		ck_assert_str_eq(faults.list[0].detail, "is not a whole number of 64 bits");
	}
	arena_free(&arena);
}
END_TEST

static const struct {
	const char *text, *name, *detail;
} wrong[] = {
	{"[]", "", "is not an object"},
	{"\"{}\"", "", "is not an object"},
	{"{}", "name", "is missing"},
	{"{\"name\":null}", "name", "is missing"},
	{"{\"name\":1}", "name", "is not a string"},
	{"{\"name\":\"a\",\"is_active\":1}", "is_active", "is not true or false"},
	{"{\"name\":\"a\",\"is_active\":\"true\"}", "is_active", "is not true or false"},
	{"{\"name\":\"a\",\"na\\u006de\":\"b\"}", "name", "is given twice"},
	{"{\"payload\":null,\"payload\":1}", "payload", "is given twice"},
	{"{\"names\":\"a\"}", "names", "is not known here"},
	{"{\"name\\u0000\":\"a\"}", "name\xef\xbf\xbd", "is not known here"},
	{"{\"\":\"a\"}", "", "is not known here"},
};

START_TEST(what_is_wrong_is_named)
{
	struct arena arena = {0};
	struct json_member members[MEMBERS];
	struct json_member_faults faults;

	ck_assert_int_eq(read_members(&arena, wrong[_i].text, members, &faults),
			 STATUS_INVALID_VALUE);
	ck_assert_uint_ge(faults.count, 1);
	ck_assert_str_eq(faults.list[0].name, wrong[_i].name);
	ck_assert_str_eq(faults.list[0].detail, wrong[_i].detail);
	arena_free(&arena);
}
END_TEST

START_TEST(all_that_is_wrong_is_named)
{
	struct arena arena = {0};
	struct json_member members[MEMBERS];
	struct json_member_faults faults;

	ck_assert_int_eq(read_members(&arena,
				      "{\"a\":1,\"age\":\"x\",\"age\":1,\"is_active\":0,"
				      "\"payload\":1}",
				      members, &faults),
			 STATUS_INVALID_VALUE);
	static const char *const names[] = {"a", "age", "age", "is_active", "name"};
	ck_assert_uint_eq(faults.count, LENGTH(names));
	for (size_t i = 0; i < LENGTH(names); i++)
		ck_assert_str_eq(faults.list[i].name, names[i]);
	ck_assert(slice_equal(members[PAYLOAD].text, SLICE("1")));
	arena_free(&arena);
}
END_TEST

START_TEST(faults_are_limited)
{
	struct arena arena = {0};
	struct json_member members[MEMBERS];
	struct json_member_faults faults;
	struct buf text = buf_make(1000);

	buf_add_text(&text, "{\"name\":\"a\"");
	for (size_t i = 0; i < JSON_MEMBER_FAULTS_MAX + 5; i++)
		buf_add_text(&text, ",\"a\":1");
	buf_add_char(&text, '}');
	buf_add_char(&text, '\0');
	ck_assert_int_eq(read_members(&arena, text.p, members, &faults), STATUS_INVALID_VALUE);
	ck_assert_uint_eq(faults.count, JSON_MEMBER_FAULTS_MAX);
	buf_free(&text);
	arena_free(&arena);
}
END_TEST

static enum status read_all(void)
{
	struct arena arena = {0};
	struct json_member members[MEMBERS];
	struct json_member_faults faults;
	enum status status =
		read_members(&arena, "{\"name\":\"a\\n\",\"payload\":{}}", members, &faults);

	arena_free(&arena);
	return status;
}

START_TEST(members_are_read_without_memory)
{
	ck_assert_int_ge(unit_torture(read_all), 1);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("members");
	TCase *tests = tcase_create("members");

	tcase_add_test(tests, members_are_read);
	tcase_add_test(tests, null_is_not_given_but_as_json);
	tcase_add_loop_test(tests, a_number_is_in_its_range, 0, LENGTH(numbers));
	tcase_add_loop_test(tests, what_is_wrong_is_named, 0, LENGTH(wrong));
	tcase_add_test(tests, all_that_is_wrong_is_named);
	tcase_add_test(tests, faults_are_limited);
	tcase_add_test(tests, members_are_read_without_memory);
	suite_add_tcase(suite, tests);
	return suite;
}
