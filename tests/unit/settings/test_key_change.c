/*
 * test_key_change.c - the settings' requests that change a key: what the database is asked, what is
 * answered, and that a retry makes the same key and secret again.
 */
#include <stdio.h>
#include <string.h>

#include "key_row.h"
#include "settings/cgi_service.h"

static void set_up(void)
{
	service_set_up();
	libpq_show_by(key_show_call);
}

#define RETRY "HTTP_IDEMPOTENCY_KEY=0123456789abcdef0123456789abcdef"

/* ---- what the database is asked ---- */

static const struct {
	const char *target, *body, *sent, *status;
	bool shows_secret;
} changes[] = {
	{"keys/7/edit?organization=4", "{\"name\":\"n\",\"expires_at\":null}",
	 "settings_key_edit|7|n|infinity|null|null|4", "Status: 200 ", false},
	{"keys/7/edit", "{\"payload_template\":{\"product_org_id\":\"a\"}}",
	 "settings_key_edit|7|null|null|{\"product_org_id\":\"a\"}|null|null", "Status: 200 ",
	 false},
	{"keys/7/edit", "{\"expires_at\":\"2031-05-01T14:00:00+02:00\"}",
	 "settings_key_edit|7|null|2031-05-01T12:00:00Z|null|null|null", "Status: 200 ", false},
	{"keys/7/edit", "{\"networks\":[\"\\u0031.0.0.0/8\",\"::/0\"]}",
	 "settings_key_edit|7|null|null|null|[\"1.0.0.0/8\",\"::/0\"]|null", "Status: 200 ", false},
	{"keys/7/edit", "{\"networks\":null}", "settings_key_edit|7|null|null|null|[]|null",
	 "Status: 200 ", false},
	{"keys/7/rotate", "{}", "settings_key_rotate|7|#64|#14|#64|86400s|null|null",
	 "Status: 201 ", true},
	{"keys/7/rotate", "{\"overlap_seconds\":0,\"expires_at\":\"2031-05-01\"}",
	 "settings_key_rotate|7|#64|#14|#64|0s|2031-05-01T00:00:00Z|null", "Status: 201 ", true},
	{"keys/7/secret", "{\"action\":\"enable\",\"overlap_seconds\":60}",
	 "settings_key_secret|7|enable|#64|60s|null", "Status: 200 ", true},
	{"keys/7/secret", "{\"action\":\"retire\"}",
	 "settings_key_secret|7|retire|null|86400s|null", "Status: 200 ", false},
};

START_TEST(a_change_is_asked_for)
{
	const struct libpq_call script[] = {
		CSRF, LIBPQ_SEND(changes[_i].sent), LIBPQ_ANSWER(key_row(true)), LIBPQ_FINISH, {0}};
	const char *response = post(script, changes[_i].target, NULL, changes[_i].body);

	check_says(response, changes[_i].status);
	check_says(response, "{\"id\":7,");
	ck_assert_int_eq(strstr(response, "\"secret\":\"whs_") != NULL, changes[_i].shows_secret);
}
END_TEST

START_TEST(a_successor_without_a_secret_shows_none)
{
	const struct libpq_call script[] = {
		CSRF, LIBPQ_SEND(NULL), LIBPQ_ANSWER(key_row(false)), LIBPQ_FINISH, {0}};
	const char *response = post(script, "keys/7/rotate", NULL, "{}");

	check_says(response, "\"secret\":null,");
	ck_assert_ptr_null(strstr(response, "whs_"));
}
END_TEST

/* ---- what is refused ---- */

static const struct {
	const char *target, *body, *says;
} wrong[] = {
	{"keys/x/edit", "{}", "The id in the path is not a number."},
	{"keys/7/edit", "{\"expires_at\":5}", "\"place\":\"expires_at\""},
	{"keys/7/edit", "{\"expires_at\":\"2031-05-01T12:00:00\"}", "with its zone"},
	{"keys/7/edit", "{\"expires_at\":\"2031-02-30\"}", "\"place\":\"expires_at\""},
	{"keys/7/edit", "{\"payload_template\":{}}",
	 "\"place\":\"payload_template.product_org_id\""},
	{"keys/7/edit", "{\"networks\":[]}", "is empty: null means everywhere"},
	{"keys/7/edit", "{\"networks\":\"::/0\"}", "is not an array of strings"},
	{"keys/7/edit", "{\"networks\":[1]}", "\"place\":\"networks\""},
	{"keys/7/rotate", "{\"overlap_seconds\":-1}", "\"place\":\"overlap_seconds\""},
	{"keys/7/rotate", "{\"overlap_seconds\":7776001}", "\"place\":\"overlap_seconds\""},
	{"keys/7/rotate", "{\"secret\":true}", "\"place\":\"secret\""},
	{"keys/7/secret", "{}", "\"place\":\"action\""},
	{"keys/x/secret", "{}", "The id in the path is not a number."},
};

START_TEST(a_wrong_change_is_not_asked_for)
{
	const struct libpq_call script[] = {CSRF, LIBPQ_FINISH, {0}};

	check_says(post(script, wrong[_i].target, NULL, wrong[_i].body), wrong[_i].says);
}
END_TEST

START_TEST(the_state_of_a_key_is_told_as_a_sentence)
{
	static const struct libpq_result refused = LIBPQ_ERROR("SL004", "key 7 is deactivated");
	const struct libpq_call script[] = {
		CSRF, LIBPQ_SEND(NULL), LIBPQ_ANSWER(&refused), LIBPQ_FINISH, {0}};
	const char *response = post(script, "keys/7/rotate", NULL, "{}");

	check_says(response, "Status: 409 Conflict\r\n");
	check_says(response, "\"detail\":\"Key 7 is deactivated.\"");
}
END_TEST

START_TEST(a_key_that_is_not_there_is_not_found)
{
	static const struct libpq_result none = LIBPQ_ERROR("P0002", "key 7 does not exist");
	const struct libpq_call script[] = {
		CSRF, LIBPQ_SEND(NULL), LIBPQ_ANSWER(&none), LIBPQ_FINISH, {0}};

	check_says(post(script, "keys/7/secret", NULL, "{\"action\":\"remove\"}"),
		   "Status: 404 Not Found\r\n");
}
END_TEST

/* ---- retries ---- */

static const struct {
	const char *target, *body, *says;
} retried[] = {
	{"keys", "{\"name\":\"n\",\"secret\":true}", "\"key\":\"sk_"},
	{"keys/7/rotate", "{}", "\"key\":\"sk_"},
	{"keys/7/secret", "{\"action\":\"rotate\"}", "\"secret\":\"whs_"},
};

/* From there on both answers are the same. */
static const char *made_by(const char *target, const char *header, const char *body,
			   const char *from)
{
	const struct libpq_call script[] = {
		CSRF, SEED, LIBPQ_SEND(NULL), LIBPQ_ANSWER(key_row(true)), LIBPQ_FINISH, {0}};
	const char *response = post(script, target, header, body);

	check_says(response, from);
	return strstr(response, from);
}

START_TEST(a_retry_makes_the_same_again)
{
	static char first[4096];
	const char *target = retried[_i].target, *body = retried[_i].body, *from = retried[_i].says;

	(void)snprintf(first, sizeof(first), "%s", made_by(target, RETRY, body, from));
	ck_assert_str_eq(made_by(target, RETRY, body, from), first);
	ck_assert_str_ne(made_by(target, RETRY "x", body, from), first);
}
END_TEST

static const char *const tokens[] = {
	"HTTP_IDEMPOTENCY_KEY=",
	"HTTP_IDEMPOTENCY_KEY=0123456789abcdef0123456789abcde",
	"HTTP_IDEMPOTENCY_KEY=0123456789abcdef 0123456789abcdef",
};

START_TEST(a_token_that_could_be_guessed_is_refused)
{
	const struct libpq_call script[] = {CSRF, LIBPQ_FINISH, {0}};

	check_says(post(script, "keys/7/rotate", tokens[_i], "{}"),
		   "\"place\":\"Idempotency-Key\"");
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("key_change");
	TCase *tests = tcase_create("key_change");

	tcase_add_checked_fixture(tests, set_up, service_tear_down);
	tcase_add_loop_test(tests, a_change_is_asked_for, 0, LENGTH(changes));
	tcase_add_test(tests, a_successor_without_a_secret_shows_none);
	tcase_add_loop_test(tests, a_wrong_change_is_not_asked_for, 0, LENGTH(wrong));
	tcase_add_test(tests, the_state_of_a_key_is_told_as_a_sentence);
	tcase_add_test(tests, a_key_that_is_not_there_is_not_found);
	tcase_add_loop_test(tests, a_retry_makes_the_same_again, 0, LENGTH(retried));
	tcase_add_loop_test(tests, a_token_that_could_be_guessed_is_refused, 0, LENGTH(tokens));
	suite_add_tcase(suite, tests);
	return suite;
}
