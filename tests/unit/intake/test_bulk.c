/*
 * test_bulk.c - a bulk import: what is sent in which transaction, and how it ends, over a libpq
 * that plays scripts.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "captured_log.h"
#include "check_main.h"
#include "commit/scripted_database.h"
#include "intake/intake.h"

enum { ITEM_BYTES = 600, SINGLE_BYTES = 650, BODY_BYTES = 4 << 20, MANY = 2001 };

static struct config config;
static struct arena arena;
static struct http_request http;
static struct intake intake;
static struct pg_connection *db;
static char key[CREDENTIAL_KEY_CHARS + 1];
static bool rolled_back_by_dropping;

/* ---- a request with a body in pieces ---- */

static const char *const *pieces; /* ends with NULL */
static enum status end;		  /* how the body ends */
static int reads;

static enum status read_piece(void *context, char *room, size_t size, size_t *n)
{
	(void)context;
	reads++;
	if (*pieces == NULL)
		return end;
	*n = strlen(*pieces);
	ck_assert_uint_le(*n, size);
	memcpy(room, *pieces++, *n);
	return STATUS_OK;
}

static void set_up(void)
{
	captured_log_start();
	libpq_show_by(database_question);
	config = (struct config){.request_timeout_ms = 10000,
				 .bulk_timeout_ms = 300000,
				 .database_timeout_ms = 60000,
				 .single_body_bytes = SINGLE_BYTES,
				 .batch_body_bytes = BODY_BYTES,
				 .bulk_body_bytes = BODY_BYTES,
				 .bulk_items = 10000,
				 .item_bytes = ITEM_BYTES,
				 .json_depth = 4,
				 .json_number_digits = 8,
				 .json_number_exponent = 8};
	end = STATUS_END;
	ck_assert_int_eq(credential_make_key(NULL, key), STATUS_OK);
}

static void tear_down(void)
{
	intake_free(&intake);
	arena_free(&arena);
	captured_log_stop();
}

static char *variables[] = {(char[]){"HTTP_X_REQUEST_ID=id-1"},
			    (char[]){"CONTENT_TYPE=application/json"},
			    (char[]){"HTTP_PREFER=handling=lenient"}, NULL};

static void import(const struct libpq_call *script, const char *const *body)
{
	const struct pg_options options = {.application_name = "unit"};

	pieces = body;
	libpq_play(script);
	ck_assert_int_eq(http_request_read(&http, variables), STATUS_OK);
	intake_init(&intake, &config, &arena, &http, INTAKE_BULK);
	intake.key = slice_of(key);
	ck_assert_int_eq(intake_head(&intake), STATUS_OK);
	ck_assert_int_eq(pg_open(&db, &options), STATUS_OK);
	intake_bulk(&intake, db, read_piece, NULL, clock_now_ms() + 60000);
	rolled_back_by_dropping = pg_state(db) == PG_CLOSED;
	ck_assert(rolled_back_by_dropping || intake.commit.out.status == STATUS_ACCEPTED);
	pg_close(db);
	libpq_check_end();
}

static void check(enum status status, enum status body_status)
{
	ck_assert_msg(intake.commit.out.status == status, "%s, not %s",
		      status_name(intake.commit.out.status), status_name(status));
	ck_assert_msg(intake.body_status == body_status, "%s, not %s",
		      status_name(intake.body_status), status_name(body_status));
}

static void check_counts(uint64_t accepted, uint64_t duplicates, uint64_t rejected)
{
	ck_assert_uint_eq(intake.accepted, accepted);
	ck_assert_uint_eq(intake.duplicates, duplicates);
	ck_assert_uint_eq(intake.rejected, rejected);
}

/* ---- pieces of scripts ---- */

static const struct libpq_value number[] = {{"0", 1}, {"2", 1}};
static const struct libpq_result none_more = {
	.status = PGRES_TUPLES_OK, .rows = 1, .columns = 1, .values = &number[0]};
static const struct libpq_result two_more = {
	.status = PGRES_TUPLES_OK, .rows = 1, .columns = 1, .values = &number[1]};
static const struct libpq_result done = {.status = PGRES_COMMAND_OK, .command = "COMMIT"};
static const struct libpq_result invalid = LIBPQ_ERROR("22P02", "invalid input");
static const struct libpq_result full = LIBPQ_ERROR("53100", "disk full");

#define COMMAND(name) LIBPQ_SEND(name "()"), LIBPQ_ANSWER(&done)
/* Up to the answer. */
#define FINISH_BULK                                                                                \
	COMMAND("SET LOCAL statement_timeout = 0"), LIBPQ_SEND("SELECT sluice.bulk_finish()()")
#define KNOWN DATABASE_ANSWER(.senders = 1)
/* Until the sender is authenticated. */
#define BEGIN LIBPQ_CONNECT, COMMAND("BEGIN"), LIBPQ_SEND("key bulk"), LIBPQ_ANSWER(KNOWN)

#define ITEM	    "{\"userId\":\"u\"}"
#define ITEM_ID	    "{\"userId\":\"u\",\"messageId\":\"m\"}"
#define PIECES(...) ((const char *const[]){__VA_ARGS__, NULL})

START_TEST(an_import_is_one_transaction)
{
	const struct libpq_call script[] = {
		BEGIN,
		LIBPQ_SEND("key signals 1,1,1 bulk"),
		LIBPQ_ANSWER(DATABASE_ANSWER(.senders = 1, .items = 3, .ids = {7, 5, 6})),
		FINISH_BULK,
		LIBPQ_ANSWER(&none_more),
		COMMAND("COMMIT"),
		LIBPQ_FINISH,
		{0}};

	import(script, PIECES("[" ITEM "," ITEM, ",", ITEM "]"));
	check(STATUS_ACCEPTED, STATUS_OK);
	check_counts(3, 0, 0);
}
END_TEST

/* A repeat of this import's own, one within the import, and two that only its end finds. */
START_TEST(duplicates_of_an_import)
{
	const struct libpq_call script[] = {
		BEGIN,
		LIBPQ_SEND("key signals 1,1,1 bulk"),
		LIBPQ_ANSWER(DATABASE_ANSWER(.senders = 1, .items = 3, .ids = {7, 3, 8},
					     .repeated = {false, true, false})),
		FINISH_BULK,
		LIBPQ_ANSWER(&two_more),
		COMMAND("COMMIT"),
		LIBPQ_FINISH,
		{0}};

	import(script, PIECES("[" ITEM_ID "," ITEM_ID "," ITEM "]"));
	check(STATUS_ACCEPTED, STATUS_OK);
	check_counts(3, 3, 0);
}
END_TEST

/* The only item with an id is a repeat: those that are stored have none. */
START_TEST(stored_items_without_ids)
{
	const struct libpq_call script[] = {
		BEGIN,
		LIBPQ_SEND("key signals 1,1 bulk"),
		LIBPQ_ANSWER(DATABASE_ANSWER(.senders = 1, .items = 2, .ids = {3, 8},
					     .repeated = {true, false})),
		FINISH_BULK,
		LIBPQ_ANSWER(&none_more),
		COMMAND("COMMIT"),
		LIBPQ_FINISH,
		{0}};

	import(script, PIECES("[" ITEM_ID "," ITEM "]"));
	check_counts(2, 1, 0);
}
END_TEST

/* The first 2,000 are sent while the others are read. */
START_TEST(a_long_import_goes_in_chunks)
{
	const struct libpq_call script[] = {
		BEGIN,
		LIBPQ_SEND("key signals #2000 bulk"),
		LIBPQ_ANSWER(DATABASE_ANSWER(.senders = 1, .items = 2000, .first_id = 1000)),
		LIBPQ_SEND("key signals 1 bulk"),
		LIBPQ_ANSWER(DATABASE_ANSWER(.senders = 1, .items = 1, .first_id = 3000)),
		FINISH_BULK,
		LIBPQ_ANSWER(&none_more),
		COMMAND("COMMIT"),
		LIBPQ_FINISH,
		{0}};
	static const char *items[MANY + 1];

	for (int i = 0; i < MANY; i++)
		items[i] = i == 0 ? "[" ITEM : i == MANY - 1 ? "," ITEM "]" : "," ITEM;
	import(script, items);
	check(STATUS_ACCEPTED, STATUS_OK);
	check_counts(MANY, 0, 0);
	ck_assert_int_eq(reads, MANY + 1);
}
END_TEST

/* At a million bytes; then they are counted anew. */
START_TEST(a_large_import_goes_in_chunks)
{
	enum { BYTES = 590, COUNT = 3000, FIRST = (1 << 20) / BYTES + 1 };
	const struct libpq_call script[] = {
		BEGIN,
		LIBPQ_SEND("key signals #1778 bulk"),
		LIBPQ_ANSWER(DATABASE_ANSWER(.senders = 1, .items = FIRST, .first_id = 1000)),
		LIBPQ_SEND("key signals #1222 bulk"),
		LIBPQ_ANSWER(
			DATABASE_ANSWER(.senders = 1, .items = COUNT - FIRST, .first_id = 5000)),
		FINISH_BULK,
		LIBPQ_ANSWER(&none_more),
		COMMAND("COMMIT"),
		LIBPQ_FINISH,
		{0}};
	static char item[BYTES + 3];
	static const char *body[COUNT + 3];

	(void)snprintf(item, sizeof(item), ",{\"userId\":\"%0*d\"}", BYTES - 13, 7);
	for (int i = 2; i <= COUNT; i++)
		body[i] = item;
	body[0] = "[";
	body[1] = item + 1;
	body[COUNT + 1] = "]";
	import(script, body);
	check(STATUS_ACCEPTED, STATUS_OK);
	check_counts(COUNT, 0, 0);
}
END_TEST

START_TEST(bad_items_become_rejects)
{
	const struct libpq_call script[] = {
		BEGIN,
		LIBPQ_SEND("key signals 1 rejects 1,1 bulk"),
		LIBPQ_ANSWER(DATABASE_ANSWER(.senders = 1, .items = 1, .ids = {7})),
		FINISH_BULK,
		LIBPQ_ANSWER(&none_more),
		COMMAND("COMMIT"),
		LIBPQ_FINISH,
		{0}};

	import(script, PIECES("[1," ITEM ",2]"));
	check(STATUS_ACCEPTED, STATUS_OK);
	check_counts(1, 0, 2);
	ck_assert_uint_eq(intake.errors->index, 0);
	ck_assert_uint_eq(intake.errors->next->index, 2);
	ck_assert_ptr_null(intake.errors->next->next);
}
END_TEST

/* Good or bad: with what stood before the array. */
START_TEST(items_keep_the_envelope)
{
	const struct libpq_call script[] = {
		BEGIN,
		LIBPQ_SEND("key signals 1 envelope {\"a\":1} rejects 1,1 in 1 in 1 bulk"),
		LIBPQ_ANSWER(DATABASE_ANSWER(.senders = 1, .items = 1, .ids = {7})),
		FINISH_BULK,
		LIBPQ_ANSWER(&none_more),
		COMMAND("COMMIT"),
		LIBPQ_FINISH,
		{0}};

	import(script, PIECES("{\"a\":1,\"batch\":[1," ITEM ",2]}"));
	check(STATUS_ACCEPTED, STATUS_OK);
	check_counts(1, 0, 2);
}
END_TEST

/* Nothing but rejects is committed, too; a strict import is not. */
START_TEST(an_import_of_bad_items)
{
	const struct libpq_call lenient[] = {BEGIN,
					     LIBPQ_SEND("key rejects 1,1 bulk"),
					     LIBPQ_ANSWER(KNOWN),
					     COMMAND("COMMIT"),
					     LIBPQ_FINISH,
					     {0}};
	const struct libpq_call strict[] = {BEGIN, LIBPQ_FINISH, {0}};

	static char preference[] = "HTTP_PREFER=handling=strict";

	if (_i == 1)
		variables[2] = preference;
	import(_i == 1 ? strict : lenient, PIECES("[1,2]"));
	check(STATUS_ACCEPTED, STATUS_BATCH_REJECTED);
	check_counts(0, 0, 2);
}
END_TEST

/* However many there are. */
START_TEST(a_strict_import_sends_no_rejects)
{
	const struct libpq_call script[] = {BEGIN, LIBPQ_FINISH, {0}};
	static char preference[] = "HTTP_PREFER=handling=strict";
	static const char *items[MANY + 1];

	variables[2] = preference;
	for (int i = 0; i < MANY; i++)
		items[i] = i == 0 ? "[1" : i == MANY - 1 ? ",1]" : ",1";
	import(script, items);
	check(STATUS_ACCEPTED, STATUS_BATCH_REJECTED);
	check_counts(0, 0, MANY);
}
END_TEST

/* Its body is not even read. */
START_TEST(an_unknown_sender)
{
	const struct libpq_call script[] = {
		LIBPQ_CONNECT,
		COMMAND("BEGIN"),
		LIBPQ_SEND("key bulk"),
		LIBPQ_ANSWER(DATABASE_ANSWER(.senders = 1, .outcomes = {OUTCOME_UNKNOWN_KEY})),
		LIBPQ_FINISH,
		{0}};

	import(script, PIECES("[" ITEM "]"));
	check(STATUS_UNAUTHENTICATED, STATUS_OK);
	ck_assert_int_eq(reads, 0);
}
END_TEST

static const struct {
	const char *body[3];
	enum status end, status;
} unreadable[] = {
	{{"[" ITEM ",", "}"}, STATUS_END, STATUS_MALFORMED_JSON},
	{{"[" ITEM}, STATUS_END, STATUS_MALFORMED_JSON},
	{{"\"text\""}, STATUS_END, STATUS_NOT_A_BATCH},
};

/* Nothing of it is stored but its beginning, after the rollback and by itself. */
START_TEST(an_unreadable_body_is_kept)
{
	const struct libpq_call script[] = {BEGIN,
					    COMMAND("ROLLBACK"),
					    LIBPQ_SEND("key rejects 1 kind batch"),
					    LIBPQ_ANSWER(KNOWN),
					    LIBPQ_FINISH,
					    {0}};

	import(script, unreadable[_i].body);
	check(STATUS_ACCEPTED, unreadable[_i].status);
	ck_assert_uint_eq(intake.commit.reject_count, 1);
	ck_assert_int_eq(intake.commit.rejects[0].position, -1);
}
END_TEST

/* The form is told by the first line and what follows it, in however many pieces they come. */
static const struct {
	const char *body[4];
	const char *sent;
} lines[] = {
	{{"{\"user", "Id\":\"u\"}\n", "{\"userId\":\"u\"}"}, "key signals 1,1 bulk"},
	{{"\xef", "\xbb\xbf" ITEM "\n\n" ITEM "\n" ITEM}, "key signals 1,1,1 bulk"},
	{{"{\"batch\":", "[" ITEM "]}\n"}, "key signals 1 bulk"},
	{{"{\"batch\":\n[" ITEM, "]}"}, "key signals 1 bulk"},
};

START_TEST(lines_without_their_label)
{
	const struct libpq_call script[] = {BEGIN,
					    LIBPQ_SEND(lines[_i].sent),
					    LIBPQ_ANSWER(DATABASE_ANSWER(.senders = 1,
									 .items = _i == 0   ? 2
										  : _i == 1 ? 3
											    : 1,
									 .ids = {7, 8, 9})),
					    FINISH_BULK,
					    LIBPQ_ANSWER(&none_more),
					    COMMAND("COMMIT"),
					    LIBPQ_FINISH,
					    {0}};

	variables[1] = (char[]){"CONTENT_TYPE="};
	import(script, lines[_i].body);
	check(STATUS_ACCEPTED, STATUS_OK);
}
END_TEST

/* One object that no second line follows is no import; it is read and kept when it has ended. */
START_TEST(an_object_is_no_import)
{
	const struct libpq_call script[] = {BEGIN,
					    COMMAND("ROLLBACK"),
					    LIBPQ_SEND("key rejects 1 kind batch"),
					    LIBPQ_ANSWER(KNOWN),
					    LIBPQ_FINISH,
					    {0}};

	variables[1] = (char[]){"CONTENT_TYPE="};
	import(script, PIECES(ITEM, "\n"));
	check(STATUS_ACCEPTED, STATUS_NOT_A_BATCH);
	ck_assert(slice_equal(intake.commit.rejects[0].payload, SLICE(ITEM "\n")));
}
END_TEST

/* Of a coding that is not read, the bytes as they came, as many as a single request may have. */
START_TEST(a_coding_that_is_not_read)
{
	const struct libpq_call script[] = {BEGIN,
					    COMMAND("ROLLBACK"),
					    LIBPQ_SEND("key rejects 1 kind batch"),
					    LIBPQ_ANSWER(KNOWN),
					    LIBPQ_FINISH,
					    {0}};

	variables[1] = (char[]){"HTTP_CONTENT_ENCODING=br"};
	if (_i == 1)
		config.single_body_bytes = 4;
	import(script, PIECES("abc", "de", "f"));
	check(STATUS_ACCEPTED, STATUS_UNSUPPORTED_CODING);
	ck_assert(slice_equal(intake.commit.rejects[0].payload,
			      _i == 1 ? SLICE("abcd") : SLICE("abcdef")));
	ck_assert_int_eq(intake.commit.rejects[0].length, _i == 1 ? -1 : 6);
	ck_assert_int_eq(reads, _i == 1 ? 2 : 4);
}
END_TEST

/* The rest of a body that turned out to be unreadable is read as far as it is kept. */
START_TEST(an_unreadable_body_is_read_on)
{
	const struct libpq_call script[] = {BEGIN,
					    COMMAND("ROLLBACK"),
					    LIBPQ_SEND("key rejects 1 kind batch"),
					    LIBPQ_ANSWER(KNOWN),
					    LIBPQ_FINISH,
					    {0}};

	if (_i == 1)
		config.single_body_bytes = 6;
	import(script, PIECES("[}", "abc", "de", "f"));
	check(STATUS_ACCEPTED, STATUS_MALFORMED_JSON);
	ck_assert(slice_equal(intake.commit.rejects[0].payload,
			      _i == 1 ? SLICE("[}abcd") : SLICE("[}abcdef")));
	ck_assert_int_eq(intake.commit.rejects[0].length, _i == 1 ? -1 : 8);
	ck_assert_int_eq(reads, _i == 1 ? 3 : 5);
}
END_TEST

/* It is to be sent again as a whole. */
START_TEST(a_body_that_gives_way_is_not_kept)
{
	const struct libpq_call script[] = {BEGIN, LIBPQ_FINISH, {0}};

	end = STATUS_BUSY;
	import(script, PIECES("[" ITEM));
	check(STATUS_BUSY, STATUS_OK);
	ck_assert(rolled_back_by_dropping);
	ck_assert_uint_eq(intake.commit.reject_count, 0);
}
END_TEST

/* What did not arrive cannot be kept; dropping the connection rolls back. */
static const struct {
	enum status end;
} incomplete[] = {{STATUS_INCOMPLETE_BODY}, {STATUS_REQUEST_TIMEOUT}};

START_TEST(an_incomplete_body_is_not_kept)
{
	const struct libpq_call script[] = {BEGIN, LIBPQ_FINISH, {0}};

	end = incomplete[_i].end;
	import(script, PIECES("[" ITEM));
	check(STATUS_ACCEPTED, incomplete[_i].end);
	ck_assert(rolled_back_by_dropping);
	ck_assert_uint_eq(intake.commit.reject_count, 0);
}
END_TEST

/* What stood before the array is known while its items are stored; what follows it is not. */
START_TEST(an_envelope)
{
	const struct libpq_call script[] = {
		BEGIN,
		LIBPQ_SEND("key signals 1,1 envelope {\"context\":{}} bulk"),
		LIBPQ_ANSWER(DATABASE_ANSWER(.senders = 1, .items = 2, .ids = {7, 8})),
		FINISH_BULK,
		LIBPQ_ANSWER(&none_more),
		COMMAND("COMMIT"),
		LIBPQ_FINISH,
		{0}};

	import(script,
	       PIECES("{\"context\":{},\"batch\":[" ITEM "," ITEM "],\"sentAt\":\"2026-01-01\"}"));
	check(STATUS_ACCEPTED, STATUS_OK);
	ck_assert(!rolled_back_by_dropping);
}
END_TEST

START_TEST(a_body_that_is_too_large)
{
	const struct libpq_call script[] = {BEGIN,
					    COMMAND("ROLLBACK"),
					    LIBPQ_SEND("key rejects 1 kind batch"),
					    LIBPQ_ANSWER(KNOWN),
					    LIBPQ_FINISH,
					    {0}};

	config.bulk_body_bytes = sizeof("[" ITEM "," ITEM "]") - 2;
	import(script, PIECES("[" ITEM ",", ITEM "]"));
	check(STATUS_ACCEPTED, STATUS_TOO_LARGE);
	ck_assert(!rolled_back_by_dropping);
	ck_assert_int_eq(intake.commit.rejects[0].length, -1);
	ck_assert(slice_equal(intake.commit.rejects[0].payload, SLICE("[" ITEM ",")));
}
END_TEST

START_TEST(a_body_of_the_largest_size)
{
	const struct libpq_call script[] = {
		BEGIN,
		LIBPQ_SEND("key signals 1,1 bulk"),
		LIBPQ_ANSWER(DATABASE_ANSWER(.senders = 1, .items = 2, .ids = {7, 8})),
		FINISH_BULK,
		LIBPQ_ANSWER(&none_more),
		COMMAND("COMMIT"),
		LIBPQ_FINISH,
		{0}};

	config.bulk_body_bytes = sizeof("[" ITEM "," ITEM "]") - 1;
	import(script, PIECES("[" ITEM ",", ITEM "]"));
	check(STATUS_ACCEPTED, STATUS_OK);
	ck_assert(!rolled_back_by_dropping);
}
END_TEST

/* Which item it was is not known, so the body is kept as a whole. */
START_TEST(an_item_that_the_database_cannot_hold)
{
	const struct libpq_call script[] = {BEGIN,
					    LIBPQ_SEND("key signals 1 bulk"),
					    LIBPQ_ANSWER(&invalid),
					    COMMAND("ROLLBACK"),
					    LIBPQ_SEND("key rejects 1 kind batch"),
					    LIBPQ_ANSWER(KNOWN),
					    LIBPQ_FINISH,
					    {0}};

	import(script, PIECES("[" ITEM "]"));
	check(STATUS_ACCEPTED, STATUS_INVALID_VALUE);
	ck_assert(slice_equal(intake.commit.rejects[0].payload, SLICE("[" ITEM "]")));
	ck_assert_int_eq(intake.commit.rejects[0].length, (int64_t)sizeof("[" ITEM "]") - 1);
}
END_TEST

/* Of a longer body its beginning, whose full length is then not known. */
START_TEST(the_beginning_of_a_long_body)
{
	const struct libpq_call script[] = {BEGIN,
					    LIBPQ_SEND("key signals #50 bulk"),
					    LIBPQ_ANSWER(&invalid),
					    COMMAND("ROLLBACK"),
					    LIBPQ_SEND("key rejects 1 kind batch"),
					    LIBPQ_ANSWER(KNOWN),
					    LIBPQ_FINISH,
					    {0}};
	static const char *items[51];

	config.single_body_bytes = ITEM_BYTES;
	for (int i = 0; i < 50; i++)
		items[i] = i == 0 ? "[" ITEM : i == 49 ? "," ITEM "]" : "," ITEM;
	import(script, items);
	check(STATUS_ACCEPTED, STATUS_INVALID_VALUE);
	struct slice kept = intake.commit.rejects[0].payload;
	ck_assert_uint_eq(kept.n, ITEM_BYTES);
	ck_assert(slice_starts(kept, SLICE("[" ITEM "," ITEM)));
	ck_assert_int_eq(intake.commit.rejects[0].length, -1);
}
END_TEST

static const struct {
	struct libpq_call script[40];
	enum status status;
} failures[] = {
	{{LIBPQ_START,
	  {"PQconnectPoll", .returns = PGRES_POLLING_FAILED, .message = "refused"},
	  LIBPQ_FINISH},
	 STATUS_UNAVAILABLE},
	{{LIBPQ_CONNECT, LIBPQ_SEND("BEGIN()"), LIBPQ_ANSWER(&full), LIBPQ_FINISH},
	 STATUS_STORAGE_FULL},
	{{LIBPQ_CONNECT, COMMAND("BEGIN"), {"PQsendQueryParams"}, LIBPQ_FINISH},
	 STATUS_UNAVAILABLE},
	{{LIBPQ_CONNECT,
	  COMMAND("BEGIN"),
	  LIBPQ_SEND("key bulk"),
	  {"PQconsumeInput"},
	  LIBPQ_FINISH},
	 STATUS_OUTCOME_UNKNOWN},
};

START_TEST(a_failure_of_ours)
{
	import(failures[_i].script, PIECES("[" ITEM "]"));
	check(failures[_i].status, STATUS_OK);
	ck_assert_int_eq(reads, 0);
}
END_TEST

START_TEST(a_chunk_that_cannot_be_sent)
{
	const struct libpq_call script[] = {BEGIN, {"PQsendQueryParams"}, LIBPQ_FINISH, {0}};
	static const char *items[MANY + 1];

	for (int i = 0; i < MANY; i++)
		items[i] = i == 0 ? "[" ITEM : i == MANY - 1 ? "," ITEM "]" : "," ITEM;
	import(script, items);
	check(STATUS_UNAVAILABLE, STATUS_OK);
}
END_TEST

/* Whatever the body was: a chunk that failed before its end decides. */
START_TEST(a_failure_of_a_chunk)
{
	const struct libpq_call script[] = {BEGIN,
					    LIBPQ_SEND("key signals #2000 bulk"),
					    LIBPQ_ANSWER(&full),
					    LIBPQ_FINISH,
					    {0}};
	static const char *items[MANY + 1];

	for (int i = 0; i < MANY; i++)
		items[i] = i == 0 ? "[" ITEM : i == MANY - 1 ? "}" : "," ITEM;
	import(script, items);
	check(STATUS_STORAGE_FULL, STATUS_OK);
}
END_TEST

static const struct libpq_result rolled_back = {.status = PGRES_COMMAND_OK, .command = "ROLLBACK"};

START_TEST(a_failure_at_the_end)
{
	const struct libpq_call finish[] = {
		BEGIN,
		LIBPQ_SEND("key signals 1 bulk"),
		LIBPQ_ANSWER(DATABASE_ANSWER(.senders = 1, .items = 1, .ids = {7})),
		LIBPQ_SEND(NULL),
		LIBPQ_ANSWER(&full),
		LIBPQ_FINISH,
		{0}};
	const struct libpq_call commit[] = {
		BEGIN,
		LIBPQ_SEND("key signals 1 bulk"),
		LIBPQ_ANSWER(DATABASE_ANSWER(.senders = 1, .items = 1, .ids = {7})),
		FINISH_BULK,
		LIBPQ_ANSWER(&none_more),
		LIBPQ_SEND("COMMIT()"),
		LIBPQ_ANSWER(&rolled_back),
		LIBPQ_FINISH,
		{0}};

	import(_i == 0 ? finish : commit, PIECES("[" ITEM "]"));
	check(_i == 0 ? STATUS_STORAGE_FULL : STATUS_CONFLICT, STATUS_OK);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("bulk");
	TCase *tests = tcase_create("bulk");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, an_import_is_one_transaction);
	tcase_add_test(tests, duplicates_of_an_import);
	tcase_add_test(tests, stored_items_without_ids);
	tcase_add_test(tests, a_long_import_goes_in_chunks);
	tcase_add_test(tests, a_large_import_goes_in_chunks);
	tcase_add_test(tests, bad_items_become_rejects);
	tcase_add_test(tests, items_keep_the_envelope);
	tcase_add_loop_test(tests, an_import_of_bad_items, 0, 2);
	tcase_add_test(tests, a_strict_import_sends_no_rejects);
	tcase_add_test(tests, an_unknown_sender);
	tcase_add_loop_test(tests, an_unreadable_body_is_kept, 0, LENGTH(unreadable));
	tcase_add_loop_test(tests, lines_without_their_label, 0, LENGTH(lines));
	tcase_add_test(tests, an_object_is_no_import);
	tcase_add_loop_test(tests, a_coding_that_is_not_read, 0, 2);
	tcase_add_loop_test(tests, an_unreadable_body_is_read_on, 0, 2);
	tcase_add_test(tests, a_body_that_gives_way_is_not_kept);
	tcase_add_loop_test(tests, an_incomplete_body_is_not_kept, 0, LENGTH(incomplete));
	tcase_add_test(tests, an_envelope);
	tcase_add_test(tests, a_body_that_is_too_large);
	tcase_add_test(tests, a_body_of_the_largest_size);
	tcase_add_test(tests, an_item_that_the_database_cannot_hold);
	tcase_add_test(tests, the_beginning_of_a_long_body);
	tcase_add_loop_test(tests, a_failure_of_ours, 0, LENGTH(failures));
	tcase_add_test(tests, a_chunk_that_cannot_be_sent);
	tcase_add_test(tests, a_failure_of_a_chunk);
	tcase_add_loop_test(tests, a_failure_at_the_end, 0, 2);
	suite_add_tcase(suite, tests);
	return suite;
}
