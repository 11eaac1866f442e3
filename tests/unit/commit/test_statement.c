/*
 * test_statement.c - requests to parameters (commit/statement), and the database's answer to the
 * requests' statuses and results (commit/outcome, commit/bulk), over a libpq that plays scripts.
 */
#include <string.h>

#include "base/clock.h"
#include "captured_log.h"
#include "base/hex.h"
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
static bool with_addresses;

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
	with_addresses = false;
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
	ck_assert_int_eq(commit_statement_send(statement, db, &list, NULL, false, with_addresses),
			 STATUS_OK);
	enum status status = commit_outcome_await(db, &list, &refusals, soon());
	commit_statement_close(statement);
	pg_close(db);
	libpq_check_end();
	return status;
}

/* ---- the question ---- */

static const char *const refusal_labels[REQUESTS] = {OUTCOME_DEACTIVATED, OUTCOME_EXPIRED,
						     OUTCOME_SECRET_MISSING, OUTCOME_SECRET_WRONG};

/* Each request has the outcome of the sender with this number, from 0. */
static void check_outcomes(const int senders[REQUESTS])
{
	for (int i = 0; i < REQUESTS; i++)
		ck_assert_ptr_eq(requests[i].sender.first, requests[senders[i]].sender.first);
	for (int i = 0; i < REQUESTS; i++)
		ck_assert_str_eq(requests[i].sender.first->answer.refusal,
				 refusal_labels[requests[i].sender.first->sender.number - 1]);
}

#define REFUSED_SENDERS(count)                                                                     \
	DATABASE_ANSWER(.senders = (count),                                                        \
			.outcomes = {OUTCOME_DEACTIVATED, OUTCOME_EXPIRED, OUTCOME_SECRET_MISSING, \
				     OUTCOME_SECRET_WRONG})

/* A sender is a key with a secret at an endpoint: the same three are one. */
START_TEST(senders_are_told_apart)
{
	for (int i = 0; i < REQUESTS; i++)
		memset(requests[i].key_hash.bytes, 1, sizeof(requests[i].key_hash.bytes));
	requests[1].has_secret = true;
	requests[2].for_product_orgs = true;
	requests[3].has_secret = true;
	requests[3].secret_hash.bytes[0] = 1;
	ck_assert_int_eq(run_group(4, "a,a+secret,a+orgs,a+secret", REFUSED_SENDERS(4)), STATUS_OK);
	check_outcomes((const int[]){0, 1, 2, 3});
}
END_TEST

START_TEST(equal_senders_are_one)
{
	for (int i = 0; i < REQUESTS; i++) {
		memset(requests[i].key_hash.bytes, 1, sizeof(requests[i].key_hash.bytes));
		requests[i].has_secret = i % 2 == 1;
		requests[i].secret_hash.bytes[0] = (unsigned char)(i % 2 == 1 ? 7 : i);
	}
	ck_assert_int_eq(run_group(4, "a,a+secret", REFUSED_SENDERS(2)), STATUS_OK);
	check_outcomes((const int[]){0, 1, 0, 1});
}
END_TEST

/* Of one key, but for addresses that are sent along. */
START_TEST(addresses_tell_senders_apart_if_they_are_sent)
{
	for (int i = 0; i < REQUESTS; i++)
		memset(requests[i].key_hash.bytes, 1, sizeof(requests[i].key_hash.bytes));
	ck_assert(address_read(SLICE("192.0.2.1"), &requests[0].client));
	ck_assert(address_read(SLICE("2001:db8::1"), &requests[1].client));
	requests[2].client = requests[0].client;
	with_addresses = _i == 1;
	if (with_addresses) {
		ck_assert_int_eq(
			run_group(4, "a,a,a from 192.0.2.1,2001:db8::1,-", REFUSED_SENDERS(3)),
			STATUS_OK);
		check_outcomes((const int[]){0, 1, 0, 3});
	} else {
		ck_assert_int_eq(run_group(4, "a", REFUSED_SENDERS(1)), STATUS_OK);
		check_outcomes((const int[]){0, 0, 0, 0});
	}
}
END_TEST

START_TEST(a_group_that_needs_addresses)
{
	ck_assert_int_eq(run_group(2, "a,b", database_first_id(0)), STATUS_AGAIN);
	ck_assert_int_eq(requests[0].out.status, STATUS_COUNT);
}
END_TEST

/* Keys whose hashes begin alike are still different ones. */
START_TEST(senders_with_hashes_alike)
{
	requests[1].key_hash = requests[0].key_hash;
	requests[1].key_hash.bytes[31] ^= 1;
	ck_assert_int_eq(run_group(2, "a,a", REFUSED_SENDERS(2)), STATUS_OK);
	ck_assert_str_eq(requests[0].answer.refusal, OUTCOME_DEACTIVATED);
	ck_assert_str_eq(requests[1].answer.refusal, OUTCOME_EXPIRED);
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

/* Items and rejects name their sender; unstorable items go as rejects. */
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
	requests[3].key_hash = requests[0].key_hash;
	requests[3].item_count = 1;
	ck_assert_int_eq(run_group(4, "a,b,c signals 1,1,3,1 rejects 2,3,3 kind lines",
				   DATABASE_ANSWER(.senders = 3, .items = 4, .ids = {7, 8, 9, 10})),
			 STATUS_OK);
	ck_assert_int_eq(requests[0].out.status, STATUS_ACCEPTED);
	ck_assert_int_eq(requests[1].out.status, STATUS_INVALID_VALUE);
	ck_assert_int_eq(requests[2].out.status, STATUS_ACCEPTED);
	ck_assert_int_eq(results[0][0].id, 7);
	ck_assert_int_eq(results[0][1].id, 8);
	ck_assert_int_eq(results[2][0].id, 9);
	ck_assert_int_eq(results[3][0].id, 10);
}
END_TEST

/* Their results come behind those of all signals, and are never cold. */
START_TEST(product_orgs_beside_signals)
{
	static const struct product_org rows[2];

	for (int i = 0; i < 3; i += 2) {
		requests[i].for_product_orgs = true;
		requests[i].product_orgs = rows;
		requests[i].item_count = i == 0 ? 2 : 1;
	}
	requests[1].item_count = 2;
	requests[3].item_count = 1;
	ck_assert_int_eq(
		run_group(4, "a+orgs,b,c+orgs,d signals 2,2,4 orgs 1,1,3",
			  DATABASE_ANSWER(.senders = 4, .items = 6, .product_orgs = 3,
					  .ids = {1, 2, 3, 4, 5, 6},
					  .repeated = {false, false, true, true, false, true},
					  .cold = {true, true, false})),
		STATUS_OK);
	static const struct commit_result expected[REQUESTS][2] = {
		{{4, true, false}, {5, false, false}},
		{{1, false, true}, {2, false, true}},
		{{6, true, false}},
		{{3, true, false}},
	};
	for (int i = 0; i < REQUESTS; i++) {
		for (size_t k = 0; k < requests[i].item_count; k++) {
			ck_assert_int_eq(results[i][k].id, expected[i][k].id);
			ck_assert_int_eq(results[i][k].repeated, expected[i][k].repeated);
			ck_assert_int_eq(results[i][k].cold, expected[i][k].cold);
		}
	}
}
END_TEST

/* ---- the columns of items ---- */

enum { ITEM_COLUMNS_MAX = 21, US_2000 = 946684800 };

/* A column as text, numbers as digits, jsonb without its version, a uuid in hexadecimal digits; "-"
 * for null. */
static const char *shown(uint32_t type, struct slice value)
{
	static char text[64];

	if (value.p == NULL)
		return "-";
	if (type == PG_UUID) {
		ck_assert_uint_eq(value.n, PG_UUID_BYTES);
		hex_write(value.p, value.n, text);
		text[2 * value.n] = '\0';
		return text;
	}
	if (type == PG_JSONB)
		value = (struct slice){value.p + 1, value.n - 1};
	if (type != PG_TEXT && type != PG_BYTEA && type != PG_JSONB) {
		int64_t number = 0;
		for (size_t i = 0; i < value.n; i++)
			number = number << 8 | (unsigned char)value.p[i];
		value = slice_of_int(number, text);
	}
	memmove(text, value.p, value.n);
	text[value.n] = '\0';
	return text;
}

struct column {
	uint32_t type;
	const char *value;
};

/* The array that is given holds one record with these columns; the other is null. */
static void check_columns(int given, const struct column *expected, size_t count)
{
	pg_param params[COMMIT_STATEMENT_ITEM_ARRAYS];
	struct commit_statement *statement = NULL;

	requests[0].item_count = 1;
	ck_assert_int_eq(commit_statement_open(&statement), STATUS_OK);
	ck_assert_int_eq(commit_statement_items(statement, &requests[0], params), STATUS_OK);
	ck_assert_ptr_null(params[1 - given].p);
	ck_assert_int_eq(params[2].p != NULL, requests[0].envelope.p != NULL);
	struct pg_array_reader array = pg_array_open(params[given], PG_OTHER);
	ck_assert_uint_eq(array.left, 1);
	struct pg_array_reader record = pg_record_open(pg_array_next_bytes(&array), count);
	for (size_t i = 0; i < count; i++) {
		struct pg_array_reader type = {record.p, record.p + 4, 1, false};
		uint32_t oid =
			(uint32_t)(type.p[0] << 24 | type.p[1] << 16 | type.p[2] << 8 | type.p[3]);
		const char *value = shown(oid, pg_record_next(&record));
		ck_assert_msg(oid == expected[i].type && strcmp(value, expected[i].value) == 0,
			      "%zu: %u %s, not %u %s", i + 1, oid, value, expected[i].type,
			      expected[i].value);
	}
	ck_assert(!record.broken && record.p == record.end);
	commit_statement_close(statement);
}

#define CHECK_COLUMNS(given, ...)                                                                  \
	check_columns(given, (const struct column[]){__VA_ARGS__},                                 \
		      ARRAY_LENGTH(((const struct column[]){__VA_ARGS__})))

START_TEST(columns_of_a_signal)
{
	signals[0] = (struct signal){.source = SLICE("source"),
				     .event_type = SLICE("type"),
				     .event_name = SLICE("event"),
				     .email = SLICE("email"),
				     .user_id = SLICE("user"),
				     .anonymous_id = SLICE("visitor"),
				     .product_user_id = SLICE("product user"),
				     .crm_id = SLICE("crm"),
				     .marketing_automation_id = SLICE("lead"),
				     .phone = SLICE("phone"),
				     .product_org_id = SLICE("org"),
				     .message_id = SLICE("message"),
				     .warnings = SLICE("[]"),
				     .in_envelope = true,
				     .repeat_by_bytes = true,
				     .occurred_at_us = INT64_C(1000000) * US_2000 + 3,
				     .cold = true,
				     .payload = SLICE("{}"),
				     .payload_raw = SLICE("raw")};
	requests[0].envelope = SLICE("{}");
	requests[0].traceparent = SLICE("trace");
	CHECK_COLUMNS(0, {PG_INT4, "1"}, {PG_TEXT, "a"}, {PG_TEXT, "source"}, {PG_TEXT, "type"},
		      {PG_TEXT, "event"}, {PG_TEXT, "email"}, {PG_TEXT, "user"},
		      {PG_TEXT, "visitor"}, {PG_TEXT, "product user"}, {PG_TEXT, "crm"},
		      {PG_TEXT, "lead"}, {PG_TEXT, "phone"}, {PG_TEXT, "org"}, {PG_TEXT, "message"},
		      {PG_UUID, "ab530a13e4591498f4f4da30ebaf9b35"}, {PG_TIMESTAMPTZ, "3"},
		      {PG_TEXT, "{}"}, {PG_BYTEA, "raw"}, {PG_INT4, "1"}, {PG_JSONB, "[]"},
		      {PG_BOOL, "1"}, {PG_TEXT, "trace"});
}
END_TEST

START_TEST(columns_of_a_signal_with_nothing)
{
	signals[0].occurred_at_us = INT64_MIN;
	CHECK_COLUMNS(0, {PG_INT4, "1"}, {PG_TEXT, "a"}, {PG_TEXT, "generic"}, {PG_TEXT, "-"},
		      {PG_TEXT, "-"}, {PG_TEXT, "-"}, {PG_TEXT, "-"}, {PG_TEXT, "-"},
		      {PG_TEXT, "-"}, {PG_TEXT, "-"}, {PG_TEXT, "-"}, {PG_TEXT, "-"},
		      {PG_TEXT, "-"}, {PG_TEXT, "-"}, {PG_UUID, "-"}, {PG_TIMESTAMPTZ, "-"},
		      {PG_TEXT, "{}"}, {PG_BYTEA, "-"}, {PG_INT4, "-"}, {PG_JSONB, "-"},
		      {PG_BOOL, "-"}, {PG_TEXT, "-"});
}
END_TEST

START_TEST(columns_of_a_product_org)
{
	static const struct product_org row = {
		.product_org_id = {"org", 3},
		.message_id = {"message", 7},
		.repeat_by_bytes = true,
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
		.in_envelope = true,
	};

	requests[0].envelope = SLICE("{}");
	requests[0].traceparent = SLICE("trace");
	requests[0].product_orgs = &row;
	CHECK_COLUMNS(1, {PG_INT4, "1"}, {PG_TEXT, "a"}, {PG_TEXT, "org"}, {PG_TEXT, "name"},
		      {PG_TEXT, "plan"}, {PG_TEXT, "Plan"}, {PG_INT8, "11"}, {PG_INT8, "0"},
		      {PG_TEXT, "trial"}, {PG_TIMESTAMPTZ, "5"}, {PG_TEXT, "flags"},
		      {PG_TEXT, "custom"}, {PG_JSONB, "[]"}, {PG_TEXT, "message"},
		      {PG_UUID, "ab530a13e4591498f4f4da30ebaf9b35"}, {PG_TEXT, "{}"},
		      {PG_BYTEA, "raw"}, {PG_INT4, "1"}, {PG_TEXT, "trace"});
}
END_TEST

START_TEST(columns_of_a_product_org_with_nothing)
{
	static const struct product_org row = {.product_org_id = {"org", 3},
					       .user_count = {false, 5},
					       .last_active_at_us = INT64_MIN,
					       .payload = {"{}", 2}};

	requests[0].product_orgs = &row;
	CHECK_COLUMNS(1, {PG_INT4, "1"}, {PG_TEXT, "a"}, {PG_TEXT, "org"}, {PG_TEXT, "-"},
		      {PG_TEXT, "-"}, {PG_TEXT, "-"}, {PG_INT8, "-"}, {PG_INT8, "-"},
		      {PG_TEXT, "-"}, {PG_TIMESTAMPTZ, "-"}, {PG_TEXT, "-"}, {PG_TEXT, "-"},
		      {PG_JSONB, "-"}, {PG_TEXT, "-"}, {PG_UUID, "-"}, {PG_TEXT, "{}"},
		      {PG_BYTEA, "-"}, {PG_INT4, "-"}, {PG_TEXT, "-"});
}
END_TEST

/* By event type and event name, by its bytes, by its product org. */
START_TEST(fingerprints_of_each_kind)
{
	enum { BEFORE = 14 /* columns of either */ };
	static const struct product_org rows[] = {
		{.product_org_id = {"org", 3}, .message_id = {"message", 7}, .payload = {"{}", 2}},
	};
	static const struct {
		bool by_bytes;
		const struct product_org *row;
		const char *expected;
	} kinds[] = {
		{false, NULL, "ab530a13e4591498da4cdde395c7b79a"},
		{true, NULL, "ab530a13e459149833f33fc04b72deff"},
		{false, rows, "ab530a13e4591498f272702934e80d6e"},
	};
	pg_param params[COMMIT_STATEMENT_ITEM_ARRAYS];
	struct commit_statement *statement = NULL;

	signals[0].message_id = SLICE("message");
	signals[0].event_type = SLICE("type");
	signals[0].event_name = SLICE("event");
	ck_assert_int_eq(commit_statement_open(&statement), STATUS_OK);
	requests[0].item_count = 1;
	for (size_t i = 0; i < ARRAY_LENGTH(kinds); i++) {
		signals[0].repeat_by_bytes = kinds[i].by_bytes;
		requests[0].product_orgs = kinds[i].row;
		ck_assert_int_eq(commit_statement_items(statement, &requests[0], params),
				 STATUS_OK);
		int given = kinds[i].row == NULL ? 0 : 1;
		size_t columns = given == 0 ? 22 : 19;
		struct pg_array_reader array = pg_array_open(params[given], PG_OTHER);
		struct pg_array_reader record =
			pg_record_open(pg_array_next_bytes(&array), columns);
		for (size_t column = 0; column < BEFORE; column++)
			(void)pg_record_next(&record);
		ck_assert_str_eq(shown(PG_UUID, pg_record_next(&record)), kinds[i].expected);
	}
	commit_statement_close(statement);
}
END_TEST

/* Each request's envelope goes once, for those items that are stored with it. */
START_TEST(envelopes_of_a_group)
{
	signals[0].in_envelope = true;
	requests[0].envelope = SLICE("{\"a\":1}");
	requests[0].item_count = 2;
	requests[1].envelope = SLICE("{\"of\":\"nobody\"}");
	requests[2].item_count = 1;
	requests[3].envelope = SLICE("{\"d\":1}");
	requests[3].item_count = 1;
	ck_assert_int_eq(run_group(4,
				   "a,b,c,d signals 1,1,3,4 envelope {\"a\":1} envelope "
				   "{\"d\":1}",
				   REFUSED_SENDERS(4)),
			 STATUS_OK);
	ck_assert_uint_eq(requests[0].envelope_number, 1);
	ck_assert_uint_eq(requests[1].envelope_number, 0);
	ck_assert_uint_eq(requests[2].envelope_number, 0);
	ck_assert_uint_eq(requests[3].envelope_number, 2);
}
END_TEST

/* And for those rejects, also of items that turned out to be unstorable. */
START_TEST(envelopes_of_rejects)
{
	const struct commit_reject rejects[] = {
		{.kind = REJECT_KIND_ITEM},
		{.kind = REJECT_KIND_ITEM, .in_envelope = true},
	};

	signals[1].in_envelope = true;
	requests[0].envelope = SLICE("{\"a\":1}");
	requests[0].rejects = rejects;
	requests[0].reject_count = 2;
	requests[1].envelope = SLICE("{\"b\":1}");
	requests[1].item_count = 2;
	requests[1].queue.as_rejects = true;
	ck_assert_int_eq(run_group(2,
				   "a,b envelope {\"a\":1} envelope {\"b\":1} "
				   "rejects 1,1,2,2 in 1 in 2",
				   DATABASE_ANSWER(.senders = 2)),
			 STATUS_OK);
}
END_TEST

/* ---- the answer ---- */

static const struct {
	const char *outcome;
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
	{OUTCOME_WRONG_NETWORK, STATUS_WRONG_NETWORK, true},
	{OUTCOME_LIMIT_REACHED, STATUS_LIMIT_REACHED, true},
};

/* Refusals of known keys are counted. */
START_TEST(an_outcome_is_a_status)
{
	const char *outcome = outcomes[_i].outcome;

	ck_assert_int_eq(run_group(1, "a", DATABASE_ANSWER(.senders = 1, .outcomes = {outcome})),
			 STATUS_OK);
	ck_assert_int_eq(requests[0].out.status, outcomes[_i].status);
	ck_assert_uint_eq(refusals.count, outcomes[_i].counted);
	if (outcomes[_i].counted) {
		ck_assert_mem_eq(&refusals.items[0].key_hash, &requests[0].key_hash,
				 CREDENTIAL_HASH_BYTES);
		ck_assert_str_eq(refusals.items[0].outcome, outcome);
		ck_assert_int_eq(refusals.due_ms, 0);
	}
}
END_TEST

START_TEST(results_of_items)
{
	requests[0].item_count = 3;
	ck_assert_int_eq(run_group(1, "a signals 1,1,1",
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
					       .outcomes = {OUTCOME_LIMIT_REACHED},
					       .items = 2,
					       .ids = {7, _i == 1 ? 0 : 8},
					       .repeated = {true, _i != 1}};

	requests[0].item_count = 2;
	requests[0].rejects = &reject;
	requests[0].reject_count = _i == 2 ? 1 : 0;
	ck_assert_int_eq(run_group(1, _i == 2 ? "a signals 1,1 rejects 1" : "a signals 1,1",
				   database_answer(&answer)),
			 STATUS_OK);
	ck_assert_int_eq(requests[0].out.status, _i == 0 ? STATUS_ACCEPTED : STATUS_LIMIT_REACHED);
	ck_assert_uint_eq(refusals.count, _i == 0 ? 0 : 1);
}
END_TEST

START_TEST(a_lone_repeated_item_at_the_limit)
{
	requests[0].item_count = 1;
	ck_assert_int_eq(
		run_group(1, "a signals 1",
			  DATABASE_ANSWER(.senders = 1, .outcomes = {OUTCOME_LIMIT_REACHED},
					  .items = 1, .ids = {7}, .repeated = {true})),
		STATUS_OK);
	ck_assert_int_eq(requests[0].out.status, STATUS_ACCEPTED);
}
END_TEST

/* A request that needs no template, or another one, is of another sender. */
START_TEST(a_template)
{
	static const struct product_org row = {.payload = {"{}", 2}};

	for (int i = 0; i < 3; i++)
		requests[i].needs_template = true;
	requests[2].key_hash = requests[3].key_hash = requests[0].key_hash;
	requests[2].template_version = 5;
	requests[2].item_count = 1;
	requests[2].product_orgs = &row;
	ck_assert_int_eq(
		run_group(4, "a+template,b+template,a+template,a orgs 3",
			  DATABASE_ANSWER(.senders = 4,
					  .outcomes = {OUTCOME_OTHER_TEMPLATE, OUTCOME_UNKNOWN_KEY,
						       OUTCOME_OTHER_TEMPLATE},
					  .items = 1, .product_orgs = 1,
					  .templates = {"{\"product_org_id\":\"id\"}", "",
							"{\"product_org_id\":\"id\"}", ""})),
		STATUS_OK);
	for (int i = 0; i < 3; i += 2) {
		ck_assert_int_eq(requests[i].out.status, STATUS_ACCEPTED);
		ck_assert(slice_equal(requests[i].out.template,
				      SLICE("{\"product_org_id\":\"id\"}")));
		ck_assert_int_eq(requests[i].out.template_version, DATABASE_TEMPLATE_VERSION);
	}
	ck_assert_int_eq(requests[1].out.status, STATUS_UNAUTHENTICATED);
	ck_assert_ptr_null(requests[1].out.template.p);
	ck_assert_int_eq(requests[3].out.status, STATUS_ACCEPTED);
	ck_assert_ptr_null(requests[3].out.template.p);
	ck_assert_uint_eq(refusals.count, 0);
}
END_TEST

/* Its items were not stored, so it must not be taken for accepted. */
START_TEST(a_template_that_does_not_come)
{
	requests[0].needs_template = true;
	ck_assert_int_eq(run_group(1, "a+template", DATABASE_ANSWER(.senders = 1)), STATUS_OK);
	ck_assert_int_eq(requests[0].out.status, STATUS_INTERNAL);
}
END_TEST

static const struct database_answer wrong_answers[] = {
	{.senders = 0, .items = 1, .ids = {7}},
	{.senders = 2, .items = 1, .ids = {7}},
	{.senders = 1, .items = 2, .ids = {7, 8}},
	{.senders = 1}, /* accepted without an id */
	{.senders = 1, .items = 1, .ids = {0}},
	{.senders = 1, .items = 1, .ids = {7}, .outcomes = {"other"}},
	{.senders = 1, .items = 1, .ids = {7}, .wrong_type = 2},
	{.senders = 1, .items = 1, .ids = {7}, .wrong_type = 3},
	{.senders = 1, .items = 1, .ids = {7}, .templates = {"t"}, .wrong_type = 4},
	{.senders = 1, .items = 1, .ids = {7}, .templates = {"t", "t"}},
	{.senders = 1, .items = 1, .ids = {7}, .wrong_type = 6},
	{.senders = 1, .items = 1, .ids = {7}, .wrong_type = 7},
	{.senders = 1, .items = 1, .ids = {7}, .wrong_type = 8},
	{.senders = 1, .items = 1, .ids = {7}, .templates = {"t"}, .wrong_type = 5},
	{.senders = 1, .items = 1, .outcomes = {OUTCOME_OTHER_TEMPLATE}},
	{.senders = 1, .items = 1, .ids = {7}, .cut = 1},
	{.senders = 1, .items = 1, .ids = {7}, .fields = 7},
	{.senders = 1, .items = 1, .ids = {7}, .fields = 9},
};

START_TEST(an_answer_of_another_shape)
{
	requests[0].item_count = 1;
	ck_assert_int_eq(run_group(1, "a signals 1", database_answer(&wrong_answers[_i])),
			 STATUS_INTERNAL);
	/* The caller fails the requests; nobody was told that it was accepted. */
	ck_assert_uint_eq(refusals.count, 0);
}
END_TEST

/* ---- the end of a bulk import ---- */

static enum status finish_bulk(const struct libpq_result *answer, uint64_t *repeated)
{
	static const struct libpq_result set = {.status = PGRES_COMMAND_OK, .command = "SET"};
	const struct libpq_call script[] = {LIBPQ_CONNECT,
					    LIBPQ_SEND("SET LOCAL statement_timeout = 0()"),
					    LIBPQ_ANSWER(&set),
					    LIBPQ_SEND("SELECT sluice.bulk_finish()()"),
					    LIBPQ_ANSWER(answer),
					    LIBPQ_FINISH,
					    {0}};
	const struct pg_options options = {.application_name = "unit"};

	libpq_play(script);
	ck_assert_int_eq(pg_open(&db, &options), STATUS_OK);
	ck_assert_int_eq(pg_connect(db, soon()), STATUS_OK);
	enum status status = commit_bulk_finish(db, repeated, soon());
	pg_close(db);
	libpq_check_end();
	return status;
}

START_TEST(the_end_of_a_bulk_import)
{
	static const struct libpq_value three = {"3", 1};
	static const struct libpq_result answer = {
		.status = PGRES_TUPLES_OK, .rows = 1, .columns = 1, .values = &three};
	uint64_t repeated = 0;

	ck_assert_int_eq(finish_bulk(&answer, &repeated), STATUS_OK);
	ck_assert_uint_eq(repeated, 3);
}
END_TEST

START_TEST(the_end_of_a_bulk_import_fails)
{
	static const struct libpq_result conflict = LIBPQ_ERROR("40001", "conflict");
	uint64_t repeated = 7;

	ck_assert_int_eq(finish_bulk(&conflict, &repeated), STATUS_CONFLICT);
	ck_assert_uint_eq(repeated, 7);
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
	tcase_add_loop_test(questions, addresses_tell_senders_apart_if_they_are_sent, 0, 2);
	tcase_add_test(questions, a_group_that_needs_addresses);
	tcase_add_test(questions, senders_with_hashes_alike);
	tcase_add_test(questions, a_part_of_a_bulk_import);
	tcase_add_test(questions, unstorable_items_are_of_a_kind);
	tcase_add_test(questions, items_and_rejects_of_several_requests);
	tcase_add_test(questions, product_orgs_beside_signals);
	tcase_add_test(questions, columns_of_a_signal);
	tcase_add_test(questions, envelopes_of_a_group);
	tcase_add_test(questions, envelopes_of_rejects);
	tcase_add_test(questions, columns_of_a_signal_with_nothing);
	tcase_add_test(questions, columns_of_a_product_org);
	tcase_add_test(questions, columns_of_a_product_org_with_nothing);
	tcase_add_test(questions, fingerprints_of_each_kind);
	tcase_add_test(questions, encoding_without_memory);
	suite_add_tcase(suite, questions);
	tcase_add_checked_fixture(answers, set_up, tear_down);
	tcase_add_loop_test(answers, an_outcome_is_a_status, 0, LENGTH(outcomes));
	tcase_add_test(answers, results_of_items);
	tcase_add_loop_test(answers, repeated_items_at_the_limit, 0, 3);
	tcase_add_test(answers, a_lone_repeated_item_at_the_limit);
	tcase_add_test(answers, a_template);
	tcase_add_test(answers, a_template_that_does_not_come);
	tcase_add_loop_test(answers, an_answer_of_another_shape, 0, LENGTH(wrong_answers));
	tcase_add_test(answers, the_end_of_a_bulk_import);
	tcase_add_test(answers, the_end_of_a_bulk_import_fails);
	suite_add_tcase(suite, answers);
	return suite;
}
