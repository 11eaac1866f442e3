/*
 * test_reject.c - the settings' requests about one rejected payload: what the database is asked,
 * and what is answered.
 */
#include "settings/reject_row.h"

#include "key_row.h"
#include "settings/cgi_service.h"

ONE_TEXT(good_bytes, "{\"a\":1}");
ONE_TEXT(bad_bytes, "{\"a\":}");
ONE_TEXT(stored_ids, "[5]");
static const struct libpq_value null_value = {NULL, 0};
static const struct libpq_result null_text = {
	.status = PGRES_TUPLES_OK, .rows = 1, .columns = 1, .values = &null_value};

static void set_up(void)
{
	service_set_up();
	libpq_show_by(key_show_call);
	config.single_body_bytes = config.batch_body_bytes = 1000;
}

#define LOAD(row, bytes)                                                                           \
	CSRF, LIBPQ_SEND("settings_rejected_show|null|9"), LIBPQ_ANSWER(row),                      \
		LIBPQ_SEND("settings_rejected_bytes|null|9"), LIBPQ_ANSWER(&(bytes)),              \
		LIBPQ_SEND("settings_key|null|7"), LIBPQ_ANSWER(key_row(true))

START_TEST(what_is_good_now)
{
	const struct libpq_call script[] = {LOAD(reject_rows(1, false), good_bytes),
					    LIBPQ_SEND("settings_rejected_try|null|9"),
					    LIBPQ_ANSWER(&null_text),
					    LIBPQ_FINISH,
					    {0}};

	check_says(post(script, "rejects/9/try", NULL, "{}"), "{\"good\":true,\"items\":1}");
}
END_TEST

START_TEST(what_is_good_may_be_over_the_limit)
{
	static const struct libpq_result used_up = LIBPQ_ERROR("SL006", "a message");
	const struct libpq_call script[] = {LOAD(reject_rows(1, false), good_bytes),
					    LIBPQ_SEND(NULL),
					    LIBPQ_ANSWER(&used_up),
					    LIBPQ_FINISH,
					    {0}};

	check_says(post(script, "rejects/9/try", NULL, "{}"),
		   "{\"good\":false,\"items\":0,\"error\":{\"code\":\"limit_reached\",");
}
END_TEST

START_TEST(a_trial_that_fails_is_a_problem)
{
	static const struct libpq_result gone = LIBPQ_ERROR("P0002", "a message");
	const struct libpq_call script[] = {LOAD(reject_rows(1, false), good_bytes),
					    LIBPQ_SEND(NULL),
					    LIBPQ_ANSWER(&gone),
					    LIBPQ_FINISH,
					    {0}};

	check_says(post(script, "rejects/9/try", NULL, "{}"), "Status: 404 ");
}
END_TEST

START_TEST(what_is_still_bad_has_its_place)
{
	const struct libpq_call script[] = {LOAD(reject_rows(1, false), good_bytes),
					    LIBPQ_SEND(NULL),
					    LIBPQ_ANSWER(&null_text),
					    LIBPQ_FINISH,
					    {0}};
	const char *response =
		post(script, "rejects/9/try", NULL, "{\"payload\":\"{\\\"a\\\":}\"}");

	check_says(response, "\"good\":false,\"items\":0,\"error\":{\"code\":\"malformed_json\"");
	check_says(response, "at byte offset 5\",\"place\":null}");
}
END_TEST

START_TEST(a_part_is_not_replayed)
{
	const struct libpq_call script[] = {
		LOAD(reject_rows(1, true), good_bytes), LIBPQ_FINISH, {0}};

	check_says(post(script, "rejects/9/replay", NULL, "{}"),
		   "only the first 1000 bytes of rejected payload 9 are kept");
}
END_TEST

START_TEST(what_is_still_bad_is_not_stored)
{
	const struct libpq_call script[] = {
		LOAD(reject_rows(1, false), bad_bytes), LIBPQ_FINISH, {0}};
	const char *response = post(script, "rejects/9/replay", NULL, "{}");

	check_says(response, "Status: 400 ");
	check_says(
		response,
		"\"place\":\"payload\",\"code\":\"invalid_value\",\"detail\":\"is still bad: The body is not valid JSON: ");
}
END_TEST

START_TEST(what_is_good_is_stored)
{
	const struct libpq_call script[] = {LOAD(reject_rows(1, false), bad_bytes),
					    LIBPQ_SEND(NULL),
					    LIBPQ_ANSWER(&stored_ids),
					    LIBPQ_FINISH,
					    {0}};

	check_says(post(script, "rejects/9/replay", NULL, "{\"payload\":\"{}\"}"),
		   "{\"id\":9,\"ids\":[5],\"edited\":true}");
}
END_TEST

START_TEST(a_payload_is_discarded)
{
	const struct libpq_call script[] = {CSRF,
					    LIBPQ_SEND("settings_rejected_discard|4|9"),
					    LIBPQ_ANSWER(&null_text),
					    LIBPQ_FINISH,
					    {0}};

	check_says(post(script, "rejects/9/discard?organization=4", NULL, "{}"), "{\"id\":9}");
}
END_TEST

static const struct {
	const char *target, *body, *says;
} wrong[] = {
	{"rejects/x/discard", "{}", "Status: 404 "},
	{"rejects/9/discard", "{\"again\":true}", "\"place\":\"again\""},
	{"rejects/9/try", "{\"payload\":1}", "\"place\":\"payload\""},
	{"rejects/9/try", "{\"again\":true}", "\"place\":\"again\""},
	{"rejects/9/replay", "{\"again\":1}", "\"place\":\"again\""},
};

START_TEST(what_is_wrong_is_not_asked_for)
{
	const struct libpq_call script[] = {CSRF, LIBPQ_FINISH, {0}};

	check_says(post(script, wrong[_i].target, NULL, wrong[_i].body), wrong[_i].says);
}
END_TEST

static const struct {
	const char *sqlstate, *status, *says;
} refusals[] = {
	{"P0002", "Status: 404 ", "no such rejected payload"},
	{"SL001", "Status: 403 ", "not_a_member"},
	{"SL002", "Status: 403 ", "This requires the role editor"},
	{"SL004", "Status: 409 ", "A message."},
	{"SL006", "Status: 429 ", "used up its signals of the month"},
};

START_TEST(the_database_s_refusal_is_told_in_words)
{
	const struct libpq_result refused = LIBPQ_ERROR(refusals[_i].sqlstate, "a message");
	const struct libpq_call script[] = {
		CSRF, LIBPQ_SEND(NULL), LIBPQ_ANSWER(&refused), LIBPQ_FINISH, {0}};
	const char *response = post(script, "rejects/9/discard", NULL, "{}");

	check_says(response, refusals[_i].status);
	check_says(response, refusals[_i].says);
}
END_TEST

START_TEST(a_key_that_is_gone)
{
	static const struct libpq_result none = LIBPQ_ERROR("P0002", "key 7 does not exist");
	const struct libpq_call script[] = {CSRF,
					    LIBPQ_SEND(NULL),
					    LIBPQ_ANSWER(reject_rows(1, false)),
					    LIBPQ_SEND(NULL),
					    LIBPQ_ANSWER(&good_bytes),
					    LIBPQ_SEND(NULL),
					    LIBPQ_ANSWER(&none),
					    LIBPQ_FINISH,
					    {0}};

	check_says(post(script, "rejects/9/replay", NULL, "{}"), "no longer exists");
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("reject");
	TCase *tests = tcase_create("reject");

	tcase_add_checked_fixture(tests, set_up, service_tear_down);
	tcase_add_test(tests, what_is_good_now);
	tcase_add_test(tests, what_is_good_may_be_over_the_limit);
	tcase_add_test(tests, a_trial_that_fails_is_a_problem);
	tcase_add_test(tests, what_is_still_bad_has_its_place);
	tcase_add_test(tests, a_part_is_not_replayed);
	tcase_add_test(tests, what_is_still_bad_is_not_stored);
	tcase_add_test(tests, what_is_good_is_stored);
	tcase_add_test(tests, a_payload_is_discarded);
	tcase_add_loop_test(tests, what_is_wrong_is_not_asked_for, 0, LENGTH(wrong));
	tcase_add_loop_test(tests, the_database_s_refusal_is_told_in_words, 0, LENGTH(refusals));
	tcase_add_test(tests, a_key_that_is_gone);
	suite_add_tcase(suite, tests);
	return suite;
}
