/*
 * test_reject_kind.c - replaying all rejected payloads of a kind for the settings page: what the
 * database is asked, how far a request comes, and what it says of those that are still bad.
 */
#include "settings/reject_row.h"

#include "key_row.h"
#include "settings/cgi_service.h"

ONE_TEXT(good_bytes, "{}");
ONE_TEXT(bad_bytes, "{\"a\":}");
ONE_TEXT(stored_ids, "[5]");

static void set_up(void)
{
	service_set_up();
	libpq_show_by(key_show_call);
	config.single_body_bytes = config.batch_body_bytes = 1000;
}

#define KIND "{\"code\":\"not_an_object\",\"key_id\":7,\"until\":9}"
#define FIND(rows)                                                                                 \
	CSRF, LIBPQ_SEND("settings_rejected_kind|null|not_an_object|7|0|9|100"),                   \
		LIBPQ_ANSWER(reject_rows(rows, false))
#define FIND_ONE     FIND(1), LIBPQ_SEND("settings_key|null|7"), LIBPQ_ANSWER(key_row(true))
#define BYTES(bytes) LIBPQ_SEND("settings_rejected_bytes|null|9"), LIBPQ_ANSWER(&(bytes))

START_TEST(there_may_be_none)
{
	const struct libpq_call script[] = {FIND(0), LIBPQ_FINISH, {0}};

	check_says(post(script, "replay-rejects", NULL, KIND),
		   "{\"failed\":[],\"replayed\":0,\"next\":null}");
}
END_TEST

START_TEST(what_is_good_is_stored)
{
	const struct libpq_call script[] = {FIND_ONE,	      BYTES(good_bytes),
					    LIBPQ_SEND(NULL), LIBPQ_ANSWER(&stored_ids),
					    LIBPQ_FINISH,     {0}};

	check_says(post(script, "replay-rejects", NULL, KIND),
		   "{\"failed\":[],\"replayed\":1,\"next\":null}");
}
END_TEST

START_TEST(what_is_still_bad_is_named)
{
	const struct libpq_call script[] = {FIND_ONE, BYTES(bad_bytes), LIBPQ_FINISH, {0}};

	check_says(post(script, "replay-rejects", NULL, KIND),
		   "{\"failed\":[{\"id\":9,\"code\":\"malformed_json\",\"detail\":\"");
}
END_TEST

static const struct {
	const char *sqlstate, *says;
} refusals[] = {
	{"SL004", "{\"failed\":[],\"replayed\":0,\"next\":null}"}, /* by somebody else */
	{"SL006", "used up its signals of the month"},
	{"57014", "Status: 503 "},
};

START_TEST(the_database_may_refuse_one)
{
	const struct libpq_result refused = LIBPQ_ERROR(refusals[_i].sqlstate, "a message");
	const struct libpq_call script[] = {FIND_ONE,	      BYTES(good_bytes),
					    LIBPQ_SEND(NULL), LIBPQ_ANSWER(&refused),
					    LIBPQ_FINISH,     {0}};

	check_says(post(script, "replay-rejects", NULL, KIND), refusals[_i].says);
}
END_TEST

static const struct {
	const char *body, *says;
} wrong[] = {
	{"{\"key_id\":7,\"until\":9}", "\"place\":\"code\""},
	{"{\"code\":\"c\",\"until\":9}", "\"place\":\"key_id\""},
	{"{\"code\":\"c\",\"key_id\":7}", "\"place\":\"until\""},
	{"{\"code\":\"c\",\"key_id\":7,\"until\":9,\"after\":\"1\"}", "\"place\":\"after\""},
};

START_TEST(what_is_wrong_is_not_asked_for)
{
	const struct libpq_call script[] = {CSRF, LIBPQ_FINISH, {0}};

	check_says(post(script, "replay-rejects", NULL, wrong[_i].body), wrong[_i].says);
}
END_TEST

START_TEST(a_key_that_is_not_there)
{
	static const struct libpq_result none = LIBPQ_ERROR("P0002", "key 7 does not exist");
	const struct libpq_call script[] = {
		FIND(1), LIBPQ_SEND("settings_key|null|7"), LIBPQ_ANSWER(&none), LIBPQ_FINISH, {0}};

	check_says(post(script, "replay-rejects", NULL, KIND), "no key with this id");
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("reject_kind");
	TCase *tests = tcase_create("reject_kind");

	tcase_add_checked_fixture(tests, set_up, service_tear_down);
	tcase_add_test(tests, there_may_be_none);
	tcase_add_test(tests, what_is_good_is_stored);
	tcase_add_test(tests, what_is_still_bad_is_named);
	tcase_add_loop_test(tests, the_database_may_refuse_one, 0, LENGTH(refusals));
	tcase_add_loop_test(tests, what_is_wrong_is_not_asked_for, 0, LENGTH(wrong));
	tcase_add_test(tests, a_key_that_is_not_there);
	suite_add_tcase(suite, tests);
	return suite;
}
