/*
 * test_replay.c - rejected payloads read once more: in the form in which they arrived, all or
 * nothing, and where they are still bad. How bodies are read is in test_intake.c.
 */
#include <string.h>

#include "check_main.h"
#include "intake/replay.h"

static struct config config;
static struct arena arena;
static struct intake intake;
static struct replay_fault fault;

static void set_up(void)
{
	config = (struct config){
		.request_timeout_ms = 10000,
		.single_body_bytes = 1000,
		.batch_body_bytes = 4000,
		.batch_items = 5,
		.item_bytes = 600,
		.json_depth = 4,
		.json_number_digits = 8,
		.json_number_exponent = 8,
	};
}

static void tear_down(void)
{
	arena_free(&arena);
}

static void read_again(const char *endpoint, const char *kind, const char *bytes)
{
	const struct store_rejected entry = {.id = 7,
					     .kind = slice_of(kind),
					     .source = SLICE("crm"),
					     .received_at = SLICE("2026-05-01T12:00:00Z")};
	const struct store_key key = {.endpoint_type = slice_of(endpoint),
				      .payload_template = SLICE("{\"product_org_id\":\"id\"}")};

	ck_assert_int_eq(
		replay_read(&intake, &config, &arena, &entry, &key, slice_of(bytes), &fault),
		STATUS_OK);
}

static const struct {
	const char *endpoint, *kind, *bytes;
	size_t items;
} good[] = {
	{"signal_staging", REJECT_KIND_SINGLE, "{\"a\":1}", 1},
	{"signal_staging", REJECT_KIND_SINGLE, "[{},{}]", 2},
	{"signal_staging", REJECT_KIND_ITEM, "{\"events\":[{}]}", 1},
	{"signal_staging", REJECT_KIND_BATCH, "{\"batch\":[{},{}]}", 2},
	{"signal_staging", REJECT_KIND_LINES, "{}\n{}\n", 2},
	{"product_orgs", REJECT_KIND_SINGLE, "{\"id\":\"o\"}", 1},
};

START_TEST(what_is_good_can_be_stored)
{
	read_again(good[_i].endpoint, good[_i].kind, good[_i].bytes);
	ck_assert_int_eq(fault.status, STATUS_OK);
	ck_assert_uint_eq(intake.commit.item_count, good[_i].items);
	ck_assert_uint_eq(intake.commit.reject_count, 0);
	ck_assert(slice_equal(intake.given_source, SLICE("crm")));
	intake_free(&intake);
}
END_TEST

static const struct {
	const char *endpoint, *kind, *bytes;
	enum status status;
	int64_t bad_byte;
} bad[] = {
	{"signal_staging", REJECT_KIND_SINGLE, "", STATUS_EMPTY_BODY, -1},
	{"signal_staging", REJECT_KIND_SINGLE, "{\"a\":}", STATUS_MALFORMED_JSON, 5},
	{"signal_staging", REJECT_KIND_SINGLE, "{\"a\xff\":1}", STATUS_MALFORMED_JSON, 3},
	{"signal_staging", REJECT_KIND_SINGLE, "7", STATUS_NOT_AN_OBJECT, 0},
	{"signal_staging", REJECT_KIND_SINGLE, "[{}, 7]", STATUS_BATCH_REJECTED, 5},
	{"signal_staging", REJECT_KIND_ITEM, "[{}]", STATUS_NOT_AN_OBJECT, -1},
	{"signal_staging", REJECT_KIND_BATCH, "{}", STATUS_NOT_A_BATCH, 0},
	{"signal_staging", REJECT_KIND_SINGLE, "{\"n\":123456789}", STATUS_NUMBER_TOO_LARGE, 5},
	{"product_orgs", REJECT_KIND_SINGLE, "{\"name\":\"o\"}", STATUS_MISSING_PRODUCT_ORG_ID, -1},
};

START_TEST(what_is_bad_is_said_with_its_place)
{
	read_again(bad[_i].endpoint, bad[_i].kind, bad[_i].bytes);
	ck_assert_int_eq(fault.status, bad[_i].status);
	ck_assert_int_eq(fault.bad_byte, bad[_i].bad_byte);
	ck_assert_int_gt((int)strlen(fault.detail), 0);
	intake_free(&intake);
}
END_TEST

START_TEST(a_part_is_not_what_was_sent)
{
	const struct store_rejected entry = {.id = 7, .kept_bytes = 1000};

	ck_assert_int_eq(replay_in_part(&arena, &entry, &fault), STATUS_OK);
	ck_assert_int_eq(fault.status, STATUS_TOO_LARGE);
	ck_assert_str_eq(fault.detail, "only the first 1000 bytes of rejected payload 7 are kept");
}
END_TEST

Suite *unit_suite(void)
{
	TCase *tcase = tcase_create("replay");
	Suite *suite = suite_create("replay");

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_loop_test(tcase, what_is_good_can_be_stored, 0, LENGTH(good));
	tcase_add_loop_test(tcase, what_is_bad_is_said_with_its_place, 0, LENGTH(bad));
	tcase_add_test(tcase, a_part_is_not_what_was_sent);
	suite_add_tcase(suite, tcase);
	return suite;
}
