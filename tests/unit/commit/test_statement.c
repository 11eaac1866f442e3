/*
 * test_statement.c - requests to parameters (commit/statement), and the database's answer to the
 * requests' statuses and results (commit/outcome, commit/bulk), over a libpq that plays scripts.
 */
#include <string.h>

#include "base/clock.h"
#include "captured_log.h"
#include "check_main.h"
#include "commit/bulk.h"
#include "commit/outcome.h"
#include "commit/statement.h"
#include "pg/array.h"
#include "scripted_database.h"

enum { REQUESTS = 4, ITEMS = 4 };

static struct pg_connection *db;
static struct arena arena;
static struct commit_request requests[REQUESTS];
static struct commit_result results[REQUESTS][ITEMS];
static struct signal signals[ITEMS];
static struct refusal_tally refusals;

static int64_t soon(void)
{
	return clock_now_ms() + 60000;
}

/* Requests of different senders, without items. */
static void set_up(void)
{
	static const char *const ids[REQUESTS] = {"a", "b", "c", "d"};

	captured_log_start();
	libpq_show_by(database_question);
	refusals = REFUSAL_TALLY_EMPTY;
	for (int i = 0; i < ITEMS; i++)
		signals[i] = (struct signal){.source = SLICE("generic"), .payload = SLICE("{}")};
	for (int i = 0; i < REQUESTS; i++) {
		requests[i] = (struct commit_request){.request_id = slice_of(ids[i]),
						      .arena = &arena,
						      .signals = signals,
						      .results = results[i],
						      .out.status = STATUS_COUNT};
		memset(requests[i].key_hash.bytes, i + 1, sizeof(requests[i].key_hash.bytes));
		memset(results[i], 0xff, sizeof(results[i]));
	}
}

static void tear_down(void)
{
	arena_free(&arena);
	captured_log_stop();
}

/* Sends the first requests as a group and takes the answer. */
static enum status run_group(int count, const char *question, const struct libpq_result *answer)
{
	const struct libpq_call script[] = {
		LIBPQ_CONNECT, LIBPQ_SEND(question), LIBPQ_ANSWER(answer), LIBPQ_FINISH, {0}};
	const struct pg_options options = {.application_name = "unit"};
	struct commit_list list = COMMIT_LIST_EMPTY;
	struct commit_statement *statement = NULL;

	for (int i = 0; i < count; i++)
		commit_list_append(&list, &requests[i]);
	libpq_play(script);
	ck_assert_int_eq(pg_open(&db, &options), STATUS_OK);
	ck_assert_int_eq(commit_statement_open(&statement), STATUS_OK);
	ck_assert_int_eq(pg_connect(db, soon()), STATUS_OK);
	ck_assert_int_eq(commit_statement_send(statement, db, &list, NULL, false), STATUS_OK);
	enum status status = commit_outcome_await(db, &list, &refusals, soon());
	commit_statement_close(statement);
	pg_close(db);
	libpq_check_end();
	return status;
}

/* ---- the question ---- */

/* A sender is a key with a secret at an endpoint: the same three are one. */
START_TEST(senders_are_told_apart)
{
	for (int i = 0; i < REQUESTS; i++)
		memset(requests[i].key_hash.bytes, 1, sizeof(requests[i].key_hash.bytes));
	requests[1].has_secret = true;
	requests[2].for_product_orgs = true;
	requests[3].has_secret = true;
	requests[3].secret_hash.bytes[0] = 1;
	ck_assert_int_eq(run_group(4, "a,b,c,d orgs",
				   DATABASE_ANSWER(.senders = 4, .key_ids = {1, 2, 3, 4})),
			 STATUS_OK);
	for (int i = 0; i < REQUESTS; i++)
		ck_assert_int_eq(requests[i].out.key_id, i + 1);
}
END_TEST

START_TEST(equal_senders_are_one)
{
	for (int i = 0; i < REQUESTS; i++) {
		memset(requests[i].key_hash.bytes, 1, sizeof(requests[i].key_hash.bytes));
		requests[i].has_secret = i % 2 == 1;
		requests[i].secret_hash.bytes[0] = (unsigned char)(i % 2 == 1 ? 7 : i);
	}
	ck_assert_int_eq(run_group(4, "a,b,c,d", DATABASE_ANSWER(.senders = 2, .key_ids = {1, 2})),
			 STATUS_OK);
	for (int i = 0; i < REQUESTS; i++)
		ck_assert_int_eq(requests[i].out.key_id, i % 2 + 1);
}
END_TEST

/* Keys whose hashes begin alike are still different ones. */
START_TEST(senders_with_hashes_alike)
{
	requests[0].key_hash = requests[1].key_hash;
	requests[0].key_hash.bytes[31] ^= 1;
	ck_assert_int_eq(run_group(2, "a,b", DATABASE_ANSWER(.senders = 2, .key_ids = {1, 2})),
			 STATUS_OK);
	ck_assert_int_eq(requests[0].out.key_id, 1);
	ck_assert_int_eq(requests[1].out.key_id, 2);
}
END_TEST

START_TEST(a_part_of_a_bulk_import)
{
	requests[0].in_bulk = true;
	ck_assert_int_eq(run_group(1, "a bulk", DATABASE_ANSWER(.senders = 1)), STATUS_OK);
}
END_TEST

/* By its place: of a body with several items, or the body itself. */
START_TEST(unstorable_items_are_of_a_kind)
{
	signals[0].position = -1;
	signals[1].position = 0;
	signals[2].position = 1;
	requests[0].item_count = 3;
	requests[0].queue.as_rejects = true;
	ck_assert_int_eq(run_group(1, "a rejects 1,1,1 kind single", DATABASE_ANSWER(.senders = 1)),
			 STATUS_OK);
}
END_TEST

/* Items and rejects name their request; unstorable items go as rejects. */
START_TEST(items_and_rejects_of_several_requests)
{
	const struct commit_reject rejects[] = {{.kind = REJECT_KIND_ITEM},
						{.kind = REJECT_KIND_LINES}};

	requests[0].item_count = 2;
	requests[1].item_count = 1;
	requests[1].queue.as_rejects = true;
	requests[2].item_count = 1;
	requests[2].rejects = rejects;
	requests[2].reject_count = 2;
	ck_assert_int_eq(run_group(3, "a,b,c items 1,1,3 rejects 2,3,3 kind lines",
				   DATABASE_ANSWER(.senders = 3, .items = 3, .ids = {7, 8, 9})),
			 STATUS_OK);
	ck_assert_int_eq(requests[0].out.status, STATUS_ACCEPTED);
	ck_assert_int_eq(requests[1].out.status, STATUS_INVALID_VALUE);
	ck_assert_int_eq(requests[2].out.status, STATUS_ACCEPTED);
	ck_assert_int_eq(results[0][0].id, 7);
	ck_assert_int_eq(results[0][1].id, 8);
	ck_assert_int_eq(results[2][0].id, 9);
}
END_TEST

/* ---- the columns of items ---- */

/* An array of one element as text; "-" when the whole array is null, "null" for a null. */
static const char *shown(struct slice array)
{
	static char text[64];
	struct pg_array_reader reader = {0};
	uint32_t type = 0;

	if (array.p == NULL)
		return "-";
	for (int i = 8; i < 12; i++)
		type = type << 8 | (unsigned char)array.p[i];
	reader = pg_array_open(array, type);
	ck_assert_uint_eq(reader.left, 1);
	struct slice bytes = pg_array_next_bytes(&reader);
	ck_assert(!reader.broken);
	if (bytes.p == NULL)
		return "null";
	if (type != PG_TEXT && type != PG_BYTEA) {
		int64_t number = 0;
		for (size_t i = 0; i < bytes.n; i++)
			number = number << 8 | (unsigned char)bytes.p[i];
		bytes = slice_of_int(number, text);
	}
	memmove(text, bytes.p, bytes.n);
	text[bytes.n] = '\0';
	return text;
}

static void check_columns(const char *const expected[COMMIT_STATEMENT_ITEM_ARRAYS])
{
	pg_param params[COMMIT_STATEMENT_ITEM_ARRAYS];
	struct commit_statement *statement = NULL;

	requests[0].item_count = 1;
	ck_assert_int_eq(commit_statement_open(&statement), STATUS_OK);
	ck_assert_int_eq(commit_statement_items(statement, &requests[0], params), STATUS_OK);
	for (int i = 0; i < COMMIT_STATEMENT_ITEM_ARRAYS; i++)
		ck_assert_msg(strcmp(shown(params[i]), expected[i]) == 0, "%d: %s, not %s", i,
			      shown(params[i]), expected[i]);
	commit_statement_close(statement);
}

enum { US_2000 = 946684800 };

START_TEST(columns_of_a_signal)
{
	static const char *const expected[COMMIT_STATEMENT_ITEM_ARRAYS] = {
		"source", "type", "event", "email", "user", "visitor", "message", "3",
		"1",	  "{}",	  "raw",   "-",	    "-",    "-",       "-",	  "-",
		"-",	  "-",	  "-",	   "-",	    "-",    "-"};

	signals[0] = (struct signal){.source = SLICE("source"),
				     .event_type = SLICE("type"),
				     .event_name = SLICE("event"),
				     .email = SLICE("email"),
				     .user_id = SLICE("user"),
				     .anonymous_id = SLICE("visitor"),
				     .message_id = SLICE("message"),
				     .occurred_at_us = INT64_C(1000000) * US_2000 + 3,
				     .cold = true,
				     .payload = SLICE("{}"),
				     .payload_raw = SLICE("raw")};
	check_columns(expected);
}
END_TEST

/* What all items lack is sent as one null. */
START_TEST(columns_of_a_signal_with_nothing)
{
	static const char *const expected[COMMIT_STATEMENT_ITEM_ARRAYS] = {
		"generic", "-", "-", "-", "-", "-", "-", "-", "-", "{}", "-",
		"-",	   "-", "-", "-", "-", "-", "-", "-", "-", "-",	 "-"};

	signals[0].occurred_at_us = INT64_MIN;
	check_columns(expected);
}
END_TEST

START_TEST(columns_of_a_product_org)
{
	static const char *const expected[COMMIT_STATEMENT_ITEM_ARRAYS] = {
		"null", "-",	"-",	"-",	"-",  "-", "message", "-", "-",	    "{}",     "raw",
		"org",	"name", "plan", "Plan", "11", "0", "trial",   "5", "flags", "custom", "[]"};
	static const struct product_org row = {
		.product_org_id = {"org", 3},
		.message_id = {"message", 7},
		.name = {"name", 4},
		.plan_id = {"plan", 4},
		.plan_name = {"Plan", 4},
		.user_count = {true, 11},
		.mrr = {true, 0},
		.trial_status = {"trial", 5},
		.last_active_at_us = INT64_C(1000000) * US_2000 + 5,
		.feature_flags = {"flags", 5},
		.custom = {"custom", 6},
		.warnings_text = {"[]", 2},
		.payload = {"{}", 2},
		.payload_raw = {"raw", 3},
	};

	requests[0].signals = NULL;
	requests[0].product_orgs = &row;
	check_columns(expected);
}
END_TEST

START_TEST(columns_of_a_product_org_with_nothing)
{
	static const char *const expected[COMMIT_STATEMENT_ITEM_ARRAYS] = {
		"null", "-", "-", "-", "-", "-", "-", "-", "-", "{}", "-",
		"org",	"-", "-", "-", "-", "-", "-", "-", "-", "-",  "-"};
	static const struct product_org row = {.product_org_id = {"org", 3},
					       .user_count = {false, 5},
					       .last_active_at_us = INT64_MIN,
					       .payload = {"{}", 2}};

	requests[0].signals = NULL;
	requests[0].product_orgs = &row;
	check_columns(expected);
}
END_TEST

/* ---- the answer ---- */

static const struct {
	int outcome;
	enum status status;
	bool counted;
} outcomes[] = {
	{OUTCOME_ACCEPTED, STATUS_ACCEPTED, false},
	{OUTCOME_UNKNOWN_KEY, STATUS_UNAUTHENTICATED, false},
	{OUTCOME_DEACTIVATED, STATUS_UNAUTHENTICATED, true},
	{OUTCOME_EXPIRED, STATUS_UNAUTHENTICATED, true},
	{OUTCOME_SECRET_MISSING, STATUS_UNAUTHENTICATED, true},
	{OUTCOME_SECRET_WRONG, STATUS_UNAUTHENTICATED, true},
	{OUTCOME_WRONG_ENDPOINT, STATUS_WRONG_ENDPOINT, true},
	{OUTCOME_AT_LIMIT, STATUS_LIMIT_REACHED, true},
	{OUTCOME_BULK_COMMITS, STATUS_CONFLICT, false},
};

/* Refusals of known keys are counted. */
START_TEST(an_outcome_is_a_status)
{
	const int outcome = outcomes[_i].outcome;

	ck_assert_int_eq(
		run_group(1, "a",
			  DATABASE_ANSWER(.senders = 1, .outcomes = {outcome}, .key_ids = {42})),
		STATUS_OK);
	ck_assert_int_eq(requests[0].out.status, outcomes[_i].status);
	ck_assert_int_eq(requests[0].out.key_id, 42);
	ck_assert_uint_eq(refusals.count, outcomes[_i].counted);
	if (outcomes[_i].counted) {
		ck_assert_int_eq(refusals.items[0].key_id, 42);
		ck_assert_int_eq(refusals.items[0].outcome, outcome);
		ck_assert_int_eq(refusals.due_ms, 0);
	}
}
END_TEST

START_TEST(results_of_items)
{
	requests[0].item_count = 3;
	ck_assert_int_eq(run_group(1, "a items 1,1,1",
				   DATABASE_ANSWER(.senders = 1, .items = 3, .ids = {7, 8, 9},
						   .repeated = {false, true, false},
						   .cold = {false, false, true})),
			 STATUS_OK);
	ck_assert_int_eq(requests[0].out.status, STATUS_ACCEPTED);
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(results[0][i].id, 7 + i);
		ck_assert_int_eq(results[0][i].repeated, i == 1);
		ck_assert_int_eq(results[0][i].cold, i == 2);
	}
}
END_TEST

/* What was accepted before is answered as then, also at the limit; unless anything is new. */
START_TEST(repeated_items_at_the_limit)
{
	const struct commit_reject reject = {.kind = REJECT_KIND_ITEM};
	const struct database_answer answer = {.senders = 1,
					       .outcomes = {OUTCOME_AT_LIMIT},
					       .items = 2,
					       .ids = {7, _i == 1 ? 0 : 8},
					       .repeated = {true, _i != 1}};

	requests[0].item_count = 2;
	requests[0].rejects = &reject;
	requests[0].reject_count = _i == 2 ? 1 : 0;
	ck_assert_int_eq(run_group(1, _i == 2 ? "a items 1,1 rejects 1" : "a items 1,1",
				   database_answer(&answer)),
			 STATUS_OK);
	ck_assert_int_eq(requests[0].out.status, _i == 0 ? STATUS_ACCEPTED : STATUS_LIMIT_REACHED);
	ck_assert_uint_eq(refusals.count, _i == 0 ? 0 : 1);
}
END_TEST

START_TEST(a_lone_repeated_item_at_the_limit)
{
	requests[0].item_count = 1;
	ck_assert_int_eq(run_group(1, "a items 1",
				   DATABASE_ANSWER(.senders = 1, .outcomes = {OUTCOME_AT_LIMIT},
						   .items = 1, .ids = {7}, .repeated = {true})),
			 STATUS_OK);
	ck_assert_int_eq(requests[0].out.status, STATUS_ACCEPTED);
}
END_TEST

START_TEST(a_template)
{
	requests[0].wants_template = requests[1].wants_template = true;
	ck_assert_int_eq(
		run_group(2, "a,b",
			  DATABASE_ANSWER(.senders = 2,
					  .outcomes = {OUTCOME_AT_LIMIT, OUTCOME_UNKNOWN_KEY},
					  .templates = {"{\"product_org_id\":\"id\"}", ""})),
		STATUS_OK);
	/* At the limit, too: the items, yet to come, may all be repeated ones. */
	ck_assert_int_eq(requests[0].out.status, STATUS_ACCEPTED);
	ck_assert(slice_equal(requests[0].out.template, SLICE("{\"product_org_id\":\"id\"}")));
	ck_assert_int_eq(requests[1].out.status, STATUS_UNAUTHENTICATED);
	ck_assert_ptr_null(requests[1].out.template.p);
	ck_assert_uint_eq(refusals.count, 0);
}
END_TEST

static const struct database_answer wrong_answers[] = {
	{.senders = 0, .items = 1, .ids = {7}},
	{.senders = 2, .items = 1, .ids = {7}},
	{.senders = 1, .items = 2, .ids = {7, 8}},
	{.senders = 1}, /* accepted without an id */
	{.senders = 1, .items = 1, .ids = {0}},
	{.senders = 1, .items = 1, .ids = {7}, .outcomes = {9}},
	{.senders = 1, .items = 1, .ids = {7}, .outcomes = {-1}},
	{.senders = 1, .items = 1, .ids = {7}, .wrong_type = 1},
	{.senders = 1, .items = 1, .ids = {7}, .wrong_type = 2},
	{.senders = 1, .items = 1, .ids = {7}, .wrong_type = 3},
	{.senders = 1, .items = 1, .ids = {7}, .wrong_type = 4},
	{.senders = 1, .items = 1, .ids = {7}, .wrong_type = 5},
	{.senders = 1, .items = 1, .ids = {7}, .templates = {"t"}, .wrong_type = 6},
	{.senders = 1, .items = 1, .ids = {7}, .cut = 1},
	{.senders = 1, .items = 1, .ids = {7}, .fields = 5},
	{.senders = 1, .items = 1, .ids = {7}, .fields = 7},
};

START_TEST(an_answer_of_another_shape)
{
	requests[0].item_count = 1;
	ck_assert_int_eq(run_group(1, "a items 1", database_answer(&wrong_answers[_i])),
			 STATUS_INTERNAL);
	/* The caller fails the requests; nobody was told that it was accepted. */
	ck_assert_uint_eq(refusals.count, 0);
}
END_TEST

/* ---- the end of a bulk import ---- */

static enum status finish_bulk(const struct libpq_result *answer, struct commit_bulk *bulk,
			       const char *question)
{
	const struct libpq_call script[] = {
		LIBPQ_CONNECT, LIBPQ_SEND(question), LIBPQ_ANSWER(answer), LIBPQ_FINISH, {0}};
	const struct pg_options options = {.application_name = "unit"};

	libpq_play(script);
	requests[0].out.key_id = 42;
	ck_assert_int_eq(pg_open(&db, &options), STATUS_OK);
	ck_assert_int_eq(pg_connect(db, soon()), STATUS_OK);
	enum status status = commit_bulk_finish(db, &requests[0], bulk, soon());
	pg_close(db);
	libpq_check_end();
	return status;
}

#define FINISH                                                                                     \
	"SELECT sluice.bulk_finish($1::bigint, $2, $3::bigint, $4::bigint, $5::bigint, "           \
	"$6::bigint, $7::boolean)"

START_TEST(the_end_of_a_bulk_import)
{
	static const struct libpq_value three = {"3", 1};
	static const struct libpq_result answer = {
		.status = PGRES_TUPLES_OK, .rows = 1, .columns = 1, .values = &three};
	struct commit_bulk bulk = {.first_id = 5,
				   .last_id = 104,
				   .stored = 100,
				   .duplicates = 20,
				   .with_ids = _i == 1};

	ck_assert_int_eq(finish_bulk(&answer, &bulk,
				     _i == 1 ? FINISH "(42|a|5|104|100|20|true)"
					     : FINISH "(42|a|5|104|100|20|false)"),
			 STATUS_OK);
	ck_assert_uint_eq(bulk.stored, 97);
	ck_assert_uint_eq(bulk.duplicates, 23);
}
END_TEST

START_TEST(the_end_of_a_bulk_import_fails)
{
	static const struct libpq_result conflict = LIBPQ_ERROR("40001", "conflict");
	struct commit_bulk bulk = {.stored = 100};

	ck_assert_int_eq(finish_bulk(&conflict, &bulk, FINISH "(42|a|0|0|100|0|false)"),
			 STATUS_CONFLICT);
	ck_assert_uint_eq(bulk.stored, 100);
}
END_TEST

/* ---- memory ---- */

static enum status encode_items(void)
{
	pg_param params[COMMIT_STATEMENT_ITEM_ARRAYS];
	struct commit_statement *statement = NULL;
	enum status status = commit_statement_open(&statement);

	if (status == STATUS_OK)
		status = commit_statement_items(statement, &requests[0], params);
	commit_statement_close(statement);
	return status;
}

START_TEST(encoding_without_memory)
{
	requests[0].item_count = ITEMS;
	/* The statement, and each column that is sent. */
	ck_assert_int_ge(unit_torture(encode_items), COMMIT_STATEMENT_ITEM_ARRAYS);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("statement");
	TCase *questions = tcase_create("questions");
	TCase *answers = tcase_create("answers");

	tcase_add_checked_fixture(questions, set_up, tear_down);
	tcase_add_test(questions, senders_are_told_apart);
	tcase_add_test(questions, equal_senders_are_one);
	tcase_add_test(questions, senders_with_hashes_alike);
	tcase_add_test(questions, a_part_of_a_bulk_import);
	tcase_add_test(questions, unstorable_items_are_of_a_kind);
	tcase_add_test(questions, items_and_rejects_of_several_requests);
	tcase_add_test(questions, columns_of_a_signal);
	tcase_add_test(questions, columns_of_a_signal_with_nothing);
	tcase_add_test(questions, columns_of_a_product_org);
	tcase_add_test(questions, columns_of_a_product_org_with_nothing);
	tcase_add_test(questions, encoding_without_memory);
	suite_add_tcase(suite, questions);
	tcase_add_checked_fixture(answers, set_up, tear_down);
	tcase_add_loop_test(answers, an_outcome_is_a_status, 0, LENGTH(outcomes));
	tcase_add_test(answers, results_of_items);
	tcase_add_loop_test(answers, repeated_items_at_the_limit, 0, 3);
	tcase_add_test(answers, a_lone_repeated_item_at_the_limit);
	tcase_add_test(answers, a_template);
	tcase_add_loop_test(answers, an_answer_of_another_shape, 0, LENGTH(wrong_answers));
	tcase_add_loop_test(answers, the_end_of_a_bulk_import, 0, 2);
	tcase_add_test(answers, the_end_of_a_bulk_import_fails);
	suite_add_tcase(suite, answers);
	return suite;
}
