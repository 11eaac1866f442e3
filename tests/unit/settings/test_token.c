/*
 * test_token.c - the settings' requests about tokens: what the database is asked, and what is
 * answered.
 */
#include "key_row.h"
#include "settings/cgi_service.h"
#include "store/token.h"

enum { COLUMNS_MAX = 20 };

static void set_up(void)
{
	service_set_up();
	libpq_show_by(key_show_call);
}

/* A token with id 7 named "n", revoked by nobody. */
static const struct libpq_result *token_row(void)
{
	static struct libpq_value values[COLUMNS_MAX];
	static struct libpq_result result;

	ck_assert_uint_le(store_token_entity.count, COLUMNS_MAX);
	for (size_t i = 0; i < store_token_entity.count; i++) {
		const char *member = store_token_entity.columns[i].member;
		const char *value = NULL;
		if (strcmp(member, "id") == 0)
			value = "7";
		else if (strcmp(member, "name") == 0)
			value = "n";
		else if (strcmp(member, "scopes") == 0)
			value = "[\"read\",\"keys\"]";
		values[i] = (struct libpq_value){value, value == NULL ? 0 : (int)strlen(value)};
	}
	result = (struct libpq_result){.status = PGRES_TUPLES_OK,
				       .rows = 1,
				       .columns = (int)store_token_entity.count,
				       .values = values};
	return &result;
}

#define NEW "\"name\":\"n\",\"scopes\":[\"keys\"],\"expires_at\":\"2031-05-01T12:00:00Z\""

START_TEST(a_token_is_shown_with_a_command)
{
	const struct libpq_call script[] = {
		CSRF, LIBPQ_SEND(NULL), LIBPQ_ANSWER(token_row()), LIBPQ_FINISH, {0}};
	const char *response = post(script, "tokens", NULL, "{" NEW "}");

	check_says(response, "Status: 201 ");
	check_says(response, "\"scopes\":[\"read\",\"keys\"]");
	check_says(response, "\"token\":\"slt_");
	check_says(response, "\"curl\":\"curl -sS -H @- ");
	check_says(response, "Authorization: Bearer slt_");
}
END_TEST

START_TEST(a_token_is_revoked)
{
	const struct libpq_call script[] = {CSRF,
					    LIBPQ_SEND("settings_token_revoke|4|7"),
					    LIBPQ_ANSWER(token_row()),
					    LIBPQ_FINISH,
					    {0}};
	const char *response = post(script, "tokens/7/revoke?organization=4", NULL, "{}");

	check_says(response, "Status: 200 ");
	check_says(response, "\"id\":7");
}
END_TEST

/* One more is asked for than is answered. */
static const struct {
	const char *target, *sent, *says;
	int rows;
} lists[] = {
	{"tokens", "settings_tokens|null|null|51", "\"next\":null}", 1},
	{"tokens?limit=1&before=9&organization=4", "settings_tokens|4|9|2", "}],\"next\":7}", 2},
	{"tokens?limit=2", "settings_tokens|null|null|3", "{\"tokens\":[],\"next\":null}", 0},
};

START_TEST(tokens_are_listed_in_parts)
{
	static struct libpq_value values[2 * COLUMNS_MAX];
	struct libpq_result result = *token_row();

	for (int i = 0; i < 2 * result.columns; i++)
		values[i] = result.values[i % result.columns];
	result.values = values;
	result.rows = lists[_i].rows;
	const struct libpq_call script[] = {LIBPQ_CONNECT,
					    LIBPQ_SEND(lists[_i].sent),
					    LIBPQ_ANSWER(&result),
					    LIBPQ_FINISH,
					    {0}};

	check_says(get(script, lists[_i].target), lists[_i].says);
}
END_TEST

static const struct {
	const char *target, *body, *says;
} wrong[] = {
	{"tokens", "{}", "\"place\":\"scopes\""},
	{"tokens", "{\"name\":\"n\",\"scopes\":[\"read\"]}", "\"place\":\"expires_at\""},
	{"tokens", "{" NEW ",\"user\":\"u\"}", "\"place\":\"user\""},
	{"tokens", "{\"name\":\"n\",\"scopes\":7,\"expires_at\":\"2031-05-01T12:00:00Z\"}",
	 "is not an array of strings"},
	{"tokens", "{\"name\":\"n\",\"scopes\":[\"read\"],\"expires_at\":\"2031-05-01T12:00:00\"}",
	 "is not a valid timestamp with its zone"},
	{"tokens/x/revoke", "{}", "not a number"},
	{"tokens/7/revoke", "{\"id\":7}", "\"place\":\"id\""},
};

START_TEST(what_is_wrong_is_not_asked_for)
{
	const struct libpq_call script[] = {CSRF, LIBPQ_FINISH, {0}};

	check_says(post(script, wrong[_i].target, NULL, wrong[_i].body), wrong[_i].says);
}
END_TEST

static const struct {
	const char *target, *body, *sqlstate, *status, *says;
} refusals[] = {
	{"tokens", "{" NEW "}", "SL002", "Status: 403 ", "This requires the role editor"},
	{"tokens/7/revoke", "{}", "SL002", "Status: 403 ", "Editors revoke their own tokens"},
	{"tokens/7/revoke", "{}", "P0002", "Status: 404 ", "no token with this id"},
	{"tokens/7/revoke", "{}", "SL001", "Status: 403 ", "not_a_member"},
};

START_TEST(the_database_s_refusal_is_told_in_words)
{
	const struct libpq_result refused = LIBPQ_ERROR(refusals[_i].sqlstate, "a message");
	const struct libpq_call script[] = {
		CSRF, LIBPQ_SEND(NULL), LIBPQ_ANSWER(&refused), LIBPQ_FINISH, {0}};
	const char *response = post(script, refusals[_i].target, NULL, refusals[_i].body);

	check_says(response, refusals[_i].status);
	check_says(response, refusals[_i].says);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("token");
	TCase *tests = tcase_create("token");

	tcase_add_checked_fixture(tests, set_up, service_tear_down);
	tcase_add_test(tests, a_token_is_shown_with_a_command);
	tcase_add_test(tests, a_token_is_revoked);
	tcase_add_loop_test(tests, tokens_are_listed_in_parts, 0, LENGTH(lists));
	tcase_add_loop_test(tests, what_is_wrong_is_not_asked_for, 0, LENGTH(wrong));
	tcase_add_loop_test(tests, the_database_s_refusal_is_told_in_words, 0, LENGTH(refusals));
	suite_add_tcase(suite, tests);
	return suite;
}
