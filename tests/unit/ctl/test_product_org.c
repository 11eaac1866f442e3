/*
 * test_product_org.c - sluicectl product-org list, product-org show, product-org updates, over a
 * libpq that plays scripts.
 */
#include "scripted_tool.h"

#define STATE                                                                                      \
	"{\"product_org_id\" : \"a\\u001b\", \"name\" : \"Acme\", \"plan_name\" : null, "          \
	"\"user_count\" : 3, \"mrr\" : 129900, \"mrr_amount\" : \"1299.00\", \"currency\" : \"EUR\"}"
#define STATES                                                                                     \
	"SELECT sluice.product_org_states($1::text, $2::text, $3::integer, $4::text, $5::text, "   \
	"$6::text, $7::text)"
#define SHOW "SELECT sluice.product_org_show($1::text, $2::text, $3::bigint, $4::integer)"

static const struct libpq_value states =
	TOOL_VALUE("{\"product_orgs\" : [" STATE "], \"next\" : \"61\"}");
#define UPDATES                                                                                    \
	"SELECT sluice.product_orgs_latest($1::text, $2::jsonb, $3::bigint, $4::integer, "         \
	"$5::boolean)"

static const struct libpq_value found = TOOL_VALUE(
	"{\"product_orgs\" : [{\"id\" : 8, \"product_org_id\" : \"a\\u001b\", \"name\" : \"日本\", "
	"\"mrr_amount\" : \"1.00\", \"warnings\" : []}], \"next\" : 8, "
	"\"searched_until\" : \"2025-12-01T00:00:00Z\"}");
static const struct libpq_value shown =
	TOOL_VALUE("{\"product_org\" : " STATE ", \"updates\" : [{\"id\" : 7, \"mrr_amount\" : "
		   "\"12.00\", \"status\" : \"pending\"}], \"next\" : null}");
static const struct libpq_result list = TOOL_ONE(&states), one = TOOL_ONE(&shown);
static const struct libpq_result updates = TOOL_ONE(&found);

START_TEST(states_are_listed)
{
	static const struct libpq_call script[] = {
		TOOL_CONNECT,
		LIBPQ_SEND(STATES "(acme|60|20|null|x|pro|over)"),
		LIBPQ_ANSWER(&list),
		LIBPQ_FINISH,
		{0}};
	const struct tool_run *run =
		RUN_SCRIPTED(script, "product-org", "list", "--organization=acme", "--match=x",
			     "--plan=pro", "--trial-status=over", "--before=60");

	check_says(run->out, "a\\u001b      Acme  -     3      1299.00  EUR       -");
	ck_assert_str_eq(run->err, "there are more; go on with --before 61\n");
	ck_assert_int_eq(run->exit, CTL_FINE);
	libpq_check_end();
}
END_TEST

START_TEST(one_is_shown_with_its_updates)
{
	static const struct libpq_call script[] = {TOOL_CONNECT,
						   LIBPQ_SEND(SHOW "(acme|a|null|20)"),
						   LIBPQ_ANSWER(&one),
						   LIBPQ_FINISH,
						   {0}};
	const struct tool_run *run =
		RUN_SCRIPTED(script, "product-org", "show", "a", "--organization", "acme");

	ck_assert_str_eq(run->err, "");
	check_says(run->out, "PROPERTY        VALUE\nproduct_org_id  a\\u001b\n");
	check_says(run->out, "mrr_amount      1299.00\ncurrency        EUR\n");
	check_says(run->out, "\n\nID  RECEIVED  PLAN  USERS  MRR    TRIAL  STATUS   KEY  WARNINGS\n"
			     "7   -         -     -      12.00  -      pending  -    -\n");
	ck_assert_int_eq(run->exit, CTL_FINE);
	libpq_check_end();
}
END_TEST

START_TEST(json_is_as_the_database_wrote_it)
{
	static const struct libpq_call script[] = {
		TOOL_CONNECT, LIBPQ_SEND(NULL), LIBPQ_ANSWER(&list), LIBPQ_FINISH, {0}};
	const struct tool_run *run =
		RUN_SCRIPTED(script, "product-org", "list", "--organization", "acme", "--json");

	ck_assert_str_eq(run->out, "{\"product_orgs\" : [" STATE "], \"next\" : \"61\"}\n");
	ck_assert_str_eq(run->err, "");
	libpq_check_end();
}
END_TEST

START_TEST(updates_are_searched)
{
	static const struct libpq_call script[] = {
		TOOL_CONNECT,
		LIBPQ_SEND(UPDATES
			   "(acme|{\"identity\":\"a\",\"request_id\":\"r\",\"key\":\"7\","
			   "\"status\":\"pending\",\"product_org_id\":\"a\",\"plan\":\"pro\","
			   "\"trial_status\":\"over\"}|9|20|false)"),
		LIBPQ_ANSWER(&updates),
		LIBPQ_FINISH,
		{0}};
	const struct tool_run *run =
		RUN_SCRIPTED(script, "product-org", "updates", "a", "--organization=acme",
			     "--request-id=r", "--key=7", "--status=pending", "--product-org=a",
			     "--plan=pro", "--trial-status=over", "--before=9");

	ck_assert_str_eq(run->out,
			 "ID  RECEIVED  PRODUCT ORG  NAME  PLAN  USERS  MRR   STATUS  KEY  "
			 "WARNINGS\n"
			 "8   -         a\\u001b      日本  -     -      1.00  -       -    []\n");
	ck_assert_str_eq(run->err, "searched until 2025-12-01T00:00:00Z; go on with --before 8\n");
	ck_assert_int_eq(run->exit, CTL_FINE);
	libpq_check_end();
}
END_TEST

static const struct {
	const char *verb, *id;
} lists[] = {{"show", "a"}, {"updates", NULL}};

START_TEST(updates_go_on_before_an_id)
{
	static const struct libpq_call script[] = {TOOL_CONNECT, LIBPQ_FINISH, {0}};
	const struct tool_run *run =
		RUN_SCRIPTED(script, "product-org", lists[_i].verb, "--organization", "acme",
			     "--before", "61x", lists[_i].id);

	check_says(run->err, "--before must be an id, not \"61x\"");
	ck_assert_int_eq(run->exit, CTL_USAGE);
	libpq_check_end();
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("product_org");
	TCase *tests = tcase_create("product_org");

	tcase_add_test(tests, states_are_listed);
	tcase_add_test(tests, one_is_shown_with_its_updates);
	tcase_add_test(tests, json_is_as_the_database_wrote_it);
	tcase_add_test(tests, updates_are_searched);
	tcase_add_loop_test(tests, updates_go_on_before_an_id, 0, LENGTH(lists));
	suite_add_tcase(suite, tests);
	return suite;
}
