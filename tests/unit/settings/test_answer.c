/*
 * test_answer.c - responses of the settings service: documents, problems, and what a failed call of
 * the database becomes, over a libpq that plays scripts.
 */
#include <string.h>

#include "base/clock.h"
#include "captured_log.h"
#include "check_main.h"
#include "pg/scripted_libpq.h"
#include "settings/settings_internal.h"

static struct config config;
static struct settings settings;

static void set_up(void)
{
	static const char *const variables[] = {"REQUEST_METHOD=POST", "REQUEST_URI=/",
						"HTTP_X_REQUEST_ID=r1", NULL};
	const struct pg_options options = {.application_name = "unit"};

	captured_log_start();
	settings = (struct settings){.config = &config, .response = http_response_make()};
	settings.store.actor = SLICE("al\"ice");
	ck_assert_int_eq(http_request_read(&settings.http, (char *const *)(const void *)variables),
			 STATUS_OK);
	ck_assert_int_eq(pg_open(&settings.db, &options), STATUS_OK);
}

static void tear_down(void)
{
	http_response_free(&settings.response);
	arena_free(&settings.arena);
	pg_close(settings.db);
	captured_log_stop();
}

static const char *body(void)
{
	buf_add_char(&settings.response.body, '\0');
	ck_assert_int_eq(settings.response.body.status, STATUS_OK);
	return settings.response.body.p;
}

/* ---- documents ---- */

static const struct {
	enum status status;
	int http;
} successes[] = {{STATUS_OK, 200}, {STATUS_CREATED, 201}};

START_TEST(a_tree_is_a_document)
{
	struct json_tree tree = {0};

	json_tree_text(&tree, json_tree_object(&tree, NULL, NULL), "a", SLICE("\xc3\xa4\n"));
	ck_assert_int_eq(settings_answer(&settings, successes[_i].status, &tree),
			 successes[_i].status);
	ck_assert_int_eq(settings.status, successes[_i].status);
	ck_assert_int_eq(settings.response.status, successes[_i].http);
	ck_assert_str_eq(settings.response.content_type, "application/json");
	ck_assert_str_eq(body(), "{\"a\":\"\xc3\xa4\\n\"}\n");
}
END_TEST

/* Digit for digit. */
START_TEST(a_document_of_the_database_is_sent_as_it_is)
{
	ck_assert_int_eq(
		settings_answer_json(&settings, STATUS_OK, SLICE("{\"a\": 1.50, \"a\": 1e2}")),
		STATUS_OK);
	ck_assert_int_eq(settings.response.status, 200);
	ck_assert_str_eq(body(), "{\"a\": 1.50, \"a\": 1e2}\n");
}
END_TEST

static enum status answer_tree(void)
{
	struct json_tree tree = {0};

	settings.http.method = SLICE("GET");
	json_tree_text(&tree, json_tree_object(&tree, NULL, NULL), "a", SLICE("b"));
	settings.response = http_response_make();
	enum status status = settings_answer(&settings, STATUS_OK, &tree);
	if (status != settings.status)
		status = STATUS_INTERNAL;
	if (status != STATUS_OK && settings.response.status != 503)
		status = STATUS_INTERNAL;
	http_response_free(&settings.response);
	return status;
}

START_TEST(a_document_without_memory_is_a_problem)
{
	ck_assert_int_gt(unit_torture(answer_tree), 0);
}
END_TEST

static enum status answer_change(void)
{
	settings.response = http_response_make();
	enum status status = settings_answer_json(&settings, STATUS_OK, SLICE("{}"));
	http_response_free(&settings.response);
	return status == STATUS_OUTCOME_UNKNOWN ? STATUS_NO_MEMORY
	       : status == STATUS_NO_MEMORY	? STATUS_INTERNAL
						: status;
}

/* It was made, so nobody is told that nothing was changed. */
START_TEST(a_change_without_memory_for_its_document_may_have_been_made)
{
	ck_assert_int_gt(unit_torture(answer_change), 0);
}
END_TEST

/* ---- problems ---- */

START_TEST(a_problem_names_the_place)
{
	ck_assert_int_eq(settings_invalid(&settings, "payload_template.a\"b", SLICE("is wrong")),
			 STATUS_INVALID_REQUEST);
	ck_assert_int_eq(settings.status, STATUS_INVALID_REQUEST);
	ck_assert_int_eq(settings.response.status, 400);
	ck_assert_str_eq(settings.response.content_type, "application/problem+json");
	check_says(
		body(),
		"\"errors\":[{\"place\":\"payload_template.a\\\"b\",\"code\":\"invalid_value\",\"detail\":\"is wrong\"}]");
}
END_TEST

START_TEST(a_wrong_method_is_told_the_right_one)
{
	settings.match.allow = "GET, POST";
	ck_assert_int_eq(settings_problem(&settings, STATUS_METHOD_NOT_ALLOWED, NULL),
			 STATUS_METHOD_NOT_ALLOWED);
	ck_assert_str_eq(settings.response.allow, "GET, POST");
	check_says(body(), "\"code\":\"method_not_allowed\"");
}
END_TEST

/* ---- the database's failures ---- */

static const struct {
	enum status status, answered;
	const char *says;
} failures[] = {
	{STATUS_ROLE_TOO_LOW, STATUS_ROLE_TOO_LOW,
	 "\"detail\":\"This requires the role editor, admin or owner.\""},
	{STATUS_ORGANIZATION_MISSING, STATUS_ORGANIZATION_MISSING,
	 "\"code\":\"organization_missing\""},
	{STATUS_INVALID_VALUE, STATUS_INVALID_REQUEST, "\"code\":\"invalid_request\""},
	{STATUS_UNAVAILABLE, STATUS_UNAVAILABLE, "\"code\":\"database_unavailable\""},
	{STATUS_READ_ONLY, STATUS_READ_ONLY, "\"code\":\"database_read_only\""},
	{STATUS_OUTCOME_UNKNOWN, STATUS_OUTCOME_UNKNOWN, "\"code\":\"outcome_unknown\""},
	{STATUS_NO_MEMORY, STATUS_NO_MEMORY, "\"code\":\"out_of_memory\""},
	/* A handler did not expect it: our own trouble, never the user's. */
	{STATUS_NOT_FOUND, STATUS_INTERNAL, "\"code\":\"internal_error\""},
};

START_TEST(a_failure_of_the_database_is_a_problem)
{
	ck_assert_int_eq(settings_problem_store(&settings, failures[_i].status),
			 failures[_i].answered);
	ck_assert_int_eq(settings.status, failures[_i].answered);
	check_says(body(), failures[_i].says);
	ck_assert_ptr_null(strstr(settings.response.body.p, "\"errors\""));
}
END_TEST

/* What was asked has changed nothing, so it does not matter whether it was done. */
START_TEST(an_unknown_outcome_of_a_get_is_unavailable)
{
	settings.http.method = SLICE("GET");
	ck_assert_int_eq(settings_problem_store(&settings, STATUS_OUTCOME_UNKNOWN),
			 STATUS_UNAVAILABLE);
	check_says(body(), "\"code\":\"database_unavailable\"");
}
END_TEST

static const struct {
	struct slice organization;
	const char *says;
} memberships[] = {
	{{NULL, 0}, "\"detail\":\"\\\"al\\\"ice\\\" is not a member of any organization. Ask "},
	{{"7", 1}, "\"detail\":\"\\\"al\\\"ice\\\" is not a member of this organization. Ask "},
};

START_TEST(a_user_without_membership_is_told_how_to_get_one)
{
	settings.organization = memberships[_i].organization;
	ck_assert_int_eq(settings_problem_store(&settings, STATUS_NOT_A_MEMBER),
			 STATUS_NOT_A_MEMBER);
	ck_assert_int_eq(settings.response.status, 403);
	check_says(body(), memberships[_i].says);
	check_says(body(), "sluicectl member add --organization NAME --user USER --role viewer\"");
}
END_TEST

START_TEST(problems_of_several_places_are_told_together)
{
	(void)settings_invalid(&settings, "name", SLICE("is missing"));
	ck_assert_int_eq(settings_both(STATUS_OK, settings_invalid(&settings, "secret",
								   SLICE("is not true or false"))),
			 STATUS_INVALID_REQUEST);
	check_says(
		body(),
		"\"errors\":[{\"place\":\"name\",\"code\":\"invalid_value\",\"detail\":\"is missing\"},"
		"{\"place\":\"secret\",\"code\":\"invalid_value\",\"detail\":\"is not true or false\"}]");
}
END_TEST

START_TEST(problems_leave_nothing_behind)
{
	long before = unit_allocations();

	(void)settings_invalid(&settings, "name", SLICE("is missing"));
	(void)settings_problem_store(&settings, STATUS_NOT_A_MEMBER);
	http_response_free(&settings.response);
	json_tree_free(&settings.errors);
	long after = unit_allocations();
	ck_assert_int_eq(after, before);
}
END_TEST

/* Our functions name the parameter that they refuse; what PostgreSQL itself says is not shown. */
static const struct {
	const char *column, *says;
} refusals[] = {
	{"name",
	 "\"errors\":[{\"place\":\"name\",\"code\":\"invalid_value\",\"detail\":\"is too long\"}]"},
	{NULL, "\"detail\":\"A parameter or a member of the body has a value"},
};

START_TEST(a_refused_parameter_is_named)
{
	const struct libpq_result refused = {.status = PGRES_FATAL_ERROR,
					     .sqlstate = "22023",
					     .severity = "ERROR",
					     .message = "is too long",
					     .column = refusals[_i].column};
	const struct libpq_call script[] = {
		LIBPQ_CONNECT, LIBPQ_SEND(NULL), LIBPQ_ANSWER(&refused), LIBPQ_FINISH, {0}};
	static const struct pg_statement statement = {.name = "s", .sql = "SELECT 1"};
	int64_t soon = clock_now_ms() + 60000;

	libpq_play(script);
	ck_assert_int_eq(pg_connect(settings.db, soon), STATUS_OK);
	enum status status = pg_run(settings.db, &statement, NULL, NULL, soon);
	ck_assert_int_eq(status, STATUS_INVALID_VALUE);
	ck_assert_int_eq(settings_problem_store(&settings, status), STATUS_INVALID_REQUEST);
	check_says(body(), refusals[_i].says);
	if (refusals[_i].column == NULL)
		ck_assert_ptr_null(strstr(settings.response.body.p, "is too long"));
	pg_drop(settings.db);
	libpq_check_end();
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("answer");
	TCase *tcase = tcase_create("answer");

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_loop_test(tcase, a_tree_is_a_document, 0, LENGTH(successes));
	tcase_add_test(tcase, a_document_of_the_database_is_sent_as_it_is);
	tcase_add_test(tcase, a_document_without_memory_is_a_problem);
	tcase_add_test(tcase, a_change_without_memory_for_its_document_may_have_been_made);
	tcase_add_test(tcase, a_problem_names_the_place);
	tcase_add_test(tcase, a_wrong_method_is_told_the_right_one);
	tcase_add_loop_test(tcase, a_failure_of_the_database_is_a_problem, 0, LENGTH(failures));
	tcase_add_test(tcase, an_unknown_outcome_of_a_get_is_unavailable);
	tcase_add_loop_test(tcase, a_user_without_membership_is_told_how_to_get_one, 0,
			    LENGTH(memberships));
	tcase_add_test(tcase, problems_of_several_places_are_told_together);
	tcase_add_test(tcase, problems_leave_nothing_behind);
	tcase_add_loop_test(tcase, a_refused_parameter_is_named, 0, LENGTH(refusals));
	suite_add_tcase(suite, tcase);
	return suite;
}
