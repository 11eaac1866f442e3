/*
 * test_intake_item.c - product-org updates of a body: when the template is wanted, which items
 * become rows, what is said of them and kept. Signals are in test_intake.c, values in
 * test_template.c.
 */
#define _GNU_SOURCE /* memmem */
#include <string.h>

#include "check_main.h"
#include "intake/intake.h"

static struct config config;
static struct arena arena;
static struct http_request http;
static struct intake intake;
static char key[CREDENTIAL_KEY_CHARS + 1];

#define TEMPLATE "{\"product_org_id\":\"id\",\"mrr\":\"mrr\",\"custom\":{\"c\":\"c\"}}"

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
	ck_assert_int_eq(credential_make_key(NULL, key), STATUS_OK);
}

static void read_body(const char *variable, const char *text)
{
	char *copy = arena_copy(&arena, slice_of(variable));
	char *vector[] = {copy, NULL};

	ck_assert_int_eq(http_request_read(&http, *variable == '\0' ? vector + 1 : vector),
			 STATUS_OK);
	intake_init(&intake, &config, &arena, &http, INTAKE_PRODUCT_ORGS);
	intake.key = slice_of(key);
	ck_assert_int_eq(intake_head(&intake), STATUS_OK);
	ck_assert_int_eq(intake_body(&intake, slice_of(text), SIZE_MAX), STATUS_OK);
}

static enum status map(void)
{
	struct template *template;
	struct template_fault fault;
	enum status status = template_compile(&arena, SLICE(TEMPLATE), &template, &fault);

	if (status == STATUS_OK)
		status = intake_map(&intake, template);
	return status;
}

static void drop(void)
{
	intake_free(&intake);
	arena_free(&arena);
}

#define STRICT "HTTP_PREFER=handling=strict"

/* Every item as a letter: + a row, ! a row with warnings, and what is bad: j by JSON, t by the
 * template. */
static const struct body {
	const char *variable, *text, *items;
	enum status status; /* of the body */
	const char *detail; /* its beginning */
	size_t rejects;
	bool wanted; /* the template */
} bodies[] = {
	{"", "{\"id\":1}", "+", STATUS_OK, NULL, 0, true},
	{"", "[{\"id\":1}]", "+", STATUS_OK, NULL, 0, true},
	{"", "{\"id\":1,\"mrr\":\"x\"}", "!", STATUS_OK, NULL, 0, true},
	{"", "[7,{\"id\":1},{},{\"id\":2,\"mrr\":{}},[]]", "j+t!j", STATUS_OK, NULL, 3, true},
	{"", "[{},7,{},{\"id\":\"\"},{\"id\":1}]", "tjtt+", STATUS_OK, NULL, 4, true},
	{"", "[{\"id\":1},{}]", "+t", STATUS_OK, NULL, 1, true},
	{"", " {}", "t", STATUS_MISSING_PRODUCT_ORG_ID,
	 "product_org_id is missing, in the item at byte offset 1", 1, true},
	{"", "[{},{}]", "tt", STATUS_BATCH_REJECTED,
	 "item index 0: product_org_id is missing, in the item at byte offset 1; 2 of 2 items are bad",
	 2, true},
	{"", "[7,{}]", "jt", STATUS_BATCH_REJECTED, "item index 0: ", 2, true},
	{"", "[{},7]", "tj", STATUS_BATCH_REJECTED, "item index 0: product_org_id", 2, true},
	{"", "[7]", "j", STATUS_BATCH_REJECTED, "item index 0: ", 1, false},
	{"", "7", "", STATUS_NOT_AN_OBJECT, "", 1, false},
	{"", "[]", "", STATUS_EMPTY_BATCH, NULL, 0, false},
	{"", "", "", STATUS_EMPTY_BODY, NULL, 0, false},
	{"", "[{\"id\":1},", "", STATUS_MALFORMED_JSON, "", 1, false},
	{STRICT, "[{\"id\":1},{\"id\":2}]", "++", STATUS_OK, NULL, 0, true},
	{STRICT, "[{\"id\":1},{}]", "+t", STATUS_BATCH_REJECTED,
	 "item index 1: product_org_id is missing, in the item at byte offset 10; 1 of 2 items are bad",
	 0, true},
	{STRICT, "[{\"id\":1},7,{}]", "+jt", STATUS_BATCH_REJECTED, "item index 1: ", 0, true},
	{"CONTENT_TYPE=application/x-ndjson", "{\"id\":1}\n7\n{}\n", "+jt", STATUS_OK, NULL, 2,
	 true},
};

static void check_items(const char *items)
{
	const struct intake_error *error = intake.errors;
	size_t good = 0;

	for (size_t i = 0; items[i] != '\0'; i++) {
		if (items[i] == '+' || items[i] == '!') {
			ck_assert_uint_eq(intake.items[good].index, i);
			ck_assert_int_eq(intake.product_orgs[good].warnings_text.p != NULL,
					 items[i] == '!');
			ck_assert_int_eq(intake.product_orgs[good].position,
					 intake.single ? -1 : (int64_t)i);
			good++;
			continue;
		}
		ck_assert_ptr_nonnull(error);
		ck_assert_uint_eq(error->index, i);
		ck_assert_int_eq(error->status == STATUS_MISSING_PRODUCT_ORG_ID, items[i] == 't');
		error = error->next;
	}
	ck_assert_ptr_null(error);
	ck_assert_uint_eq(intake.accepted, good);
	ck_assert_uint_eq(intake.item_count, good);
}

static void check_rows(const struct body *body)
{
	ck_assert_msg(intake_wants_template(&intake) == body->wanted, "%s", body->text);
	ck_assert_uint_eq(intake.commit.item_count, 0);
	if (body->wanted)
		ck_assert_int_eq(map(), STATUS_OK);
	ck_assert(!intake_wants_template(&intake));
	ck_assert_msg(intake.body_status == body->status, "%s: %s", body->text,
		      status_name(intake.body_status));
	if (body->detail != NULL)
		ck_assert_msg(strncmp(intake.detail, body->detail, strlen(body->detail)) == 0,
			      "%s: %s", body->text, intake.detail);
	if (body->status != STATUS_MALFORMED_JSON)
		check_items(body->items);
	ck_assert_uint_eq(intake.commit.reject_count, body->rejects);
	ck_assert_uint_eq(intake.commit.item_count,
			  body->status == STATUS_OK ? intake.item_count : 0);
	ck_assert(intake.commit.for_product_orgs && intake.commit.signals == NULL);
}

START_TEST(items_become_rows)
{
	const struct body *body = &bodies[_i];

	read_body(body->variable, body->text);
	check_rows(body);
	/* As for the key's next template. */
	intake_forget_body(&intake);
	ck_assert_int_eq(intake_body(&intake, slice_of(body->text), SIZE_MAX), STATUS_OK);
	check_rows(body);
	drop();
}
END_TEST

static const struct {
	const char *variable, *text, *ids[2];
} ids[] = {
	{"", "{\"id\":1}", {NULL}},
	{"", "{\"id\":1,\"messageId\":\"m\",\"message_id\":\"n\"}", {"m"}},
	{"", "{\"id\":1,\"messageId\":\"\",\"message_id\":12345678}", {"12345678"}},
	{"", "{\"id\":1,\"messageId\":true,\"message_id\":null}", {NULL}},
	{"", "{\"id\":1,\"message_id\":{},\"messageId\":[]}", {NULL}},
	{"", "{\"id\":1,\"messageId\":\"\\u0041\\n\"}", {"A\n"}},
	{"", "{\"id\":1,\"\\u006dessageId\":\"m\",\"a\":{\"messageId\":\"n\"}}", {"m"}},
	{"", "{\"id\":1,\"messageId\":\"m\",\"messageId\":\"n\"}", {"n"}},
	{"HTTP_IDEMPOTENCY_KEY=h", "{\"id\":1}", {"h"}},
	{"HTTP_WEBHOOK_ID=h", "{\"id\":1}", {"h"}},
	{"HTTP_WEBHOOK_ID=h\xc3\xa9", "{\"id\":1}", {NULL}},
	{"HTTP_SVIX_ID=00000000-0000-0000-0000-000000000000", "{\"id\":1}", {NULL}},
	{"HTTP_IDEMPOTENCY_KEY=h", "{\"id\":1,\"messageId\":\"m\"}", {"m"}},
	{"HTTP_IDEMPOTENCY_KEY=h", "[{\"id\":1},{\"id\":2,\"messageId\":\"m\"}]", {NULL, "m"}},
};

START_TEST(deliveries_have_ids)
{
	read_body(ids[_i].variable, ids[_i].text);
	ck_assert_int_eq(map(), STATUS_OK);
	for (size_t i = 0; i < intake.item_count; i++) {
		struct slice id = intake.product_orgs[i].message_id;
		ck_assert_msg(slice_equal(id, slice_of(ids[_i].ids[i])), "%s: \"%.*s\"",
			      ids[_i].text, (int)id.n, id.p);
		ck_assert_int_eq(id.p == NULL, ids[_i].ids[i] == NULL);
	}
	drop();
}
END_TEST

START_TEST(the_presented_key_stays_out)
{
	struct buf text = buf_make(4000);

	buf_add_text(&text, "[{\"id\":1,\"c\":2,\"writeKey\":\"");
	buf_add_text(&text, key);
	buf_add_text(&text, "\",\"token\":\"x\"},{\"api_key\":\"");
	buf_add_text(&text, key);
	buf_add_text(&text, "\"}]");
	buf_add_char(&text, '\0');
	read_body("", text.p);
	ck_assert_int_eq(map(), STATUS_OK);
	ck_assert(slice_starts(intake.product_orgs[0].payload,
			       SLICE("{\"id\":1,\"c\":2,\"writeKey\":\"sk_xxxxxxxxxxx")));
	ck_assert_ptr_null(memmem(intake.product_orgs[0].payload.p,
				  intake.product_orgs[0].payload.n, key, strlen(key)));
	ck_assert_uint_eq(intake.commit.reject_count, 1);
	ck_assert_ptr_null(memmem(intake.commit.rejects[0].payload.p,
				  intake.commit.rejects[0].payload.n, key, strlen(key)));
	buf_free(&text);
	drop();
}
END_TEST

START_TEST(committed_updates_are_answered)
{
	struct http_response response = http_response_make();
	bool one = _i == 0;

	read_body("", one ? "{\"id\":\"\\u00e4\",\"mrr\":1.5,\"c\":{}}"
			  : "[{},{\"id\":1},{\"id\":2,\"mrr\":\"x\"}]");
	ck_assert_int_eq(map(), STATUS_OK);
	intake.commit.out.status = STATUS_ACCEPTED;
	intake.commit.results[0].id = 17;
	intake.commit.results[intake.item_count - 1] = (struct commit_result){18, true, false};
	intake_settle(&intake);
	intake_answer(&intake, &response);
	buf_add_char(&response.body, '\0');
	ck_assert_str_eq(
		response.body.p,
		one ? "{\"id\":18,\"message\":\"Product org update received and queued for "
		      "processing\",\"product_org_id\":\"\xc3\xa4\",\"warnings\":[{\"field\":"
		      "\"mrr\","
		      "\"reason\":\"is not a whole number\"}],\"duplicate\":true}\n"
		    : "{\"message\":\"1 of 3 product org updates received and queued for "
		      "processing\",\"accepted\":1,\"duplicates\":1,\"rejected\":1,\"results\":["
		      "{\"index\":0,\"error\":{\"code\":\"missing_product_org_id\",\"detail\":"
		      "\"product_org_id is missing, in the item at byte offset 1\"}},"
		      "{\"index\":1,\"id\":17,\"product_org_id\":\"1\"},"
		      "{\"index\":2,\"id\":18,\"product_org_id\":\"2\",\"warnings\":[{\"field\":"
		      "\"mrr\","
		      "\"reason\":\"is not a whole number\"}],\"duplicate\":true}]}\n");
	http_response_free(&response);
	drop();
}
END_TEST

static struct buf torture_body;

static enum status read_and_map(void)
{
	intake_init(&intake, &config, &arena, &http, INTAKE_PRODUCT_ORGS);
	intake.key = slice_of(key);
	enum status status = intake_body(&intake, buf_slice(&torture_body), SIZE_MAX);
	if (status == STATUS_OK)
		status = map();
	drop();
	return status;
}

START_TEST(failing_allocations_are_told)
{
	http = (struct http_request){0};
	torture_body = buf_make(1 << 20);
	buf_add_text(&torture_body, "[{\"id\":\"\\u0000\",\"mrr\":\"x\",\"c\":[1]},7,{}]");
	ck_assert_int_ge(unit_torture(read_and_map), 5);
	buf_free(&torture_body);
}
END_TEST

/* So many that each array of them is an allocation of its own. */
START_TEST(failing_allocations_of_many_items_are_told)
{
	http = (struct http_request){0};
	config.batch_items = 3000;
	config.batch_body_bytes = 1 << 20;
	torture_body = buf_make(1 << 20);
	buf_add_text(&torture_body, "[{}");
	for (int i = 0; i < 2000; i++)
		buf_add_text(&torture_body, ",{\"id\":\"1\",\"mrr\":\"x\"}");
	buf_add_char(&torture_body, ']');
	ck_assert_int_ge(unit_torture(read_and_map), 5);
	buf_free(&torture_body);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("intake_item");
	TCase *tests = tcase_create("product orgs");

	tcase_add_checked_fixture(tests, set_up, NULL);
	tcase_add_loop_test(tests, items_become_rows, 0, LENGTH(bodies));
	tcase_add_loop_test(tests, deliveries_have_ids, 0, LENGTH(ids));
	tcase_add_test(tests, the_presented_key_stays_out);
	tcase_add_loop_test(tests, committed_updates_are_answered, 0, 2);
	tcase_add_test(tests, failing_allocations_are_told);
	tcase_add_test(tests, failing_allocations_of_many_items_are_told);
	suite_add_tcase(suite, tests);
	return suite;
}
