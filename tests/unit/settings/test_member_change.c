/*
 * test_member_change.c - the settings' requests about members, the limit, and a key that is sought:
 * what the database is asked, and what is answered.
 */
#include "key_row.h"
#include "settings/cgi_service.h"

static const struct libpq_value document = {"{\"a\": 1}", 8};
static const struct libpq_result answer = {
	.status = PGRES_TUPLES_OK, .rows = 1, .columns = 1, .values = &document};

static void set_up(void)
{
	service_set_up();
	libpq_show_by(key_show_call);
}

/* ---- what the database is asked ---- */

static const struct {
	const char *target, *body, *sent;
} changes[] = {
	{"members?organization=4", "{\"user\":\"u\",\"role\":\"viewer\"}",
	 "settings_member_add|4|u|viewer"},
	{"members/role", "{\"user\":\"u\",\"role\":\"owner\"}",
	 "settings_member_role|null|u|owner"},
	{"members/remove", "{\"user\":\"u\"}", "settings_member_remove|null|u"},
	{"limit", "{\"signal_limit\":9223372036854775807,\"overages\":true}",
	 "settings_limit|null|9223372036854775807|true"},
	{"limit", "{\"signal_limit\":0}", "settings_limit|null|0|null"},
	{"limit", "{\"overages\":false}", "settings_limit|null|null|false"},
	{"limit", "{}", "settings_limit|null|null|null"},
	{"currency", "{\"currency\":\"eur\"}", "settings_currency|null|eur"},
};

START_TEST(a_change_is_asked_for)
{
	const struct libpq_call script[] = {
		CSRF, LIBPQ_SEND(changes[_i].sent), LIBPQ_ANSWER(&answer), LIBPQ_FINISH, {0}};
	const char *response = post(script, changes[_i].target, NULL, changes[_i].body);

	check_says(response, "Status: 200 ");
	check_says(response, "{\"a\": 1}");
}
END_TEST

#define HASH "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

START_TEST(a_key_is_sought_by_its_hash)
{
	const struct libpq_call script[] = {CSRF,
					    LIBPQ_SEND("settings_key_find|null|#64"),
					    LIBPQ_ANSWER(key_row(true)),
					    LIBPQ_FINISH,
					    {0}};

	check_says(post(script, "find-key", NULL, "{\"key_hash\":\"" HASH "\"}"),
		   "{\"key\":{\"id\":7,");
}
END_TEST

START_TEST(a_key_that_is_not_there_is_null)
{
	static const struct libpq_result none = LIBPQ_ERROR("P0002", "this key does not exist");
	const struct libpq_call script[] = {
		CSRF, LIBPQ_SEND(NULL), LIBPQ_ANSWER(&none), LIBPQ_FINISH, {0}};

	check_says(post(script, "find-key", NULL, "{\"key_hash\":\"" HASH "\"}"), "{\"key\":null}");
}
END_TEST

/* ---- what is refused ---- */

static const struct {
	const char *target, *body, *says;
} wrong[] = {
	{"members", "{\"role\":\"viewer\"}", "\"place\":\"user\""},
	{"members", "{\"user\":\"u\"}", "\"place\":\"role\""},
	{"members/remove", "{\"user\":\"u\",\"role\":\"viewer\"}", "\"place\":\"role\""},
	{"limit", "{\"signal_limit\":1.5}", "\"place\":\"signal_limit\""},
	{"limit", "{\"signal_limit\":9223372036854775808}", "\"place\":\"signal_limit\""},
	{"limit", "{\"overages\":1}", "\"place\":\"overages\""},
	{"find-key", "{}", "\"place\":\"key_hash\""},
	{"find-key", "{\"key_hash\":\"\"}", "is not a SHA-256"},
	{"find-key", "{\"key_hash\":\"" HASH "0\"}", "is not a SHA-256"},
	{"find-key", "{\"key_hash\":\"A" HASH "\"}", "is not a SHA-256"},
	{"find-key",
	 "{\"key_hash\":\"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdeG\"}",
	 "is not a SHA-256"},
};

START_TEST(what_is_wrong_is_not_asked_for)
{
	const struct libpq_call script[] = {CSRF, LIBPQ_FINISH, {0}};

	check_says(post(script, wrong[_i].target, NULL, wrong[_i].body), wrong[_i].says);
}
END_TEST

static const struct {
	const char *target, *sqlstate, *status, *says;
} refusals[] = {
	{"members/role", "SL002", "Status: 403 ", "The owner manages all members"},
	{"limit", "SL002", "Status: 403 ", "Only the owner may change the limit."},
	{"members/role", "P0002", "Status: 404 ", "no member with this name"},
	{"members", "23505", "Status: 409 ", "Change the role instead."},
	{"members/role", "SL004", "Status: 409 ", "A message."},
	{"members/role", "SL001", "Status: 403 ", "not_a_member"},
};

START_TEST(the_database_s_refusal_is_told_in_words)
{
	const struct libpq_result refused = LIBPQ_ERROR(refusals[_i].sqlstate, "a message");
	const struct libpq_call script[] = {
		CSRF, LIBPQ_SEND(NULL), LIBPQ_ANSWER(&refused), LIBPQ_FINISH, {0}};
	const char *body = strcmp(refusals[_i].target, "limit") == 0
				   ? "{}"
				   : "{\"user\":\"u\",\"role\":\"viewer\"}";
	const char *response = post(script, refusals[_i].target, NULL, body);

	check_says(response, refusals[_i].status);
	check_says(response, refusals[_i].says);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("member_change");
	TCase *tests = tcase_create("member_change");

	tcase_add_checked_fixture(tests, set_up, service_tear_down);
	tcase_add_loop_test(tests, a_change_is_asked_for, 0, LENGTH(changes));
	tcase_add_test(tests, a_key_is_sought_by_its_hash);
	tcase_add_test(tests, a_key_that_is_not_there_is_null);
	tcase_add_loop_test(tests, what_is_wrong_is_not_asked_for, 0, LENGTH(wrong));
	tcase_add_loop_test(tests, the_database_s_refusal_is_told_in_words, 0, LENGTH(refusals));
	suite_add_tcase(suite, tests);
	return suite;
}
