/*
 * test_snippet.c - snippets: what they are, for which keys, and that no value breaks out of them.
 * That they work is told by tests/e2e/test_snippets.py.
 */
#include <string.h>

#include "check_main.h"
#include "key/snippet.h"

#define SIGNALS SLICE("signal_staging")
#define ORGS	SLICE("product_orgs")

static struct snippet_key plain, with_secret, for_orgs;

static void setup(void)
{
	plain = (struct snippet_key){
		.base = SLICE("https://h"), .key = SLICE("sk_plain"), .endpoint_type = SIGNALS};
	with_secret = plain;
	with_secret.secret = SLICE("whs_s3cret");
	for_orgs = with_secret;
	for_orgs.endpoint_type = ORGS;
}

static void expect(struct buf *out, const char *want)
{
	buf_add_char(out, '\0');
	ck_assert_int_eq(out->status, STATUS_OK);
	ck_assert_str_eq(out->p, want);
	buf_reset(out, 0);
}

static void expect_part(const char *name, const struct snippet_key *key, const char *want)
{
	struct buf out = buf_make(10000);

	snippet_add(&out, snippet_named(slice_of(name)), key, "");
	buf_add_char(&out, '\0');
	ck_assert_int_eq(out.status, STATUS_OK);
	ck_assert_msg(strstr(out.p, want) != NULL, "%s lacks %s", out.p, want);
	buf_free(&out);
}

START_TEST(paths_are_those_of_the_endpoints)
{
	struct buf out = buf_make(1000);

	snippet_add_path(&out, &plain);
	expect(&out, "/api/signal-staging/webhook/sk_plain");
	snippet_add_path(&out, &for_orgs);
	expect(&out, "/api/product-orgs/webhook/sk_plain");
	buf_free(&out);
}
END_TEST

START_TEST(the_first_is_a_command_for_a_shell)
{
	struct buf out = buf_make(1000);

	plain.base = SLICE("https://h/a?b&c");
	snippet_add(&out, snippet_at(0), &plain, "");
	expect(&out, "curl -H 'Content-Type: application/json' \\\n"
		     "  -d '{\"email\":\"lead@example.com\",\"event\":\"test\"}' \\\n"
		     "  'https://h/a?b&c/api/signal-staging/webhook/sk_plain'");
	for_orgs.base = SLICE("https://h/it's");
	snippet_add(&out, snippet_at(0), &for_orgs, "\t");
	expect(&out, "curl -H 'Content-Type: application/json' \\\n"
		     "\t  -H 'X-Api-Secret: whs_s3cret' \\\n"
		     "\t  -d @payload.json \\\n"
		     "\t  'https://h/it'\\''s/api/product-orgs/webhook/sk_plain'");
	buf_free(&out);
}
END_TEST

START_TEST(each_has_a_name_of_its_own)
{
	size_t i = 0;

	for (const struct snippet *snippet; (snippet = snippet_at(i)) != NULL; i++) {
		ck_assert_ptr_eq(snippet_named(slice_of(snippet->name)), snippet);
		ck_assert_uint_gt(strlen(snippet->title), 0);
	}
	ck_assert_uint_eq(i, 10);
	ck_assert_ptr_null(snippet_named(SLICE("cobol")));
	ck_assert_ptr_null(snippet_named(SLICE_ABSENT));
}
END_TEST

/* What is between the quotes of each language, of a base that would end them. */
static const struct {
	const char *name, *want;
} escaped[] = {
	{"curl", "'https://h/'\\''\"\\</script>&\n/api/"},
	{"node", "'https://h/\\u0027\\u0022\\u005c\\u003c/script>&\\u000a/api/"},
	{"python", "'https://h/\\u0027\\u0022\\u005c\\u003c/script>&\\u000a/api/"},
	{"php", "'https://h/\\'\"\\\\</script>&\n/api/"},
	{"fetch", "'https://h/\\u0027\\u0022\\u005c\\u003c/script>&\\u000a/api/"},
	{"html", "\"https://h/&#39;&#34;\\&#60;/script&#62;&#38;\n/api/"},
	{"segment", "no code: https://h/\\u0027\\u0022\\u005c\\u003c/script>&\\u000a/api/"},
	{"rudderstack", "no code: https://h/\\u0027\\u0022\\u005c\\u003c/script>&\\u000a/api/"},
};

START_TEST(no_value_breaks_out)
{
	plain.base = SLICE("https://h/'\"\\</script>&\n");
	expect_part(escaped[_i].name, &plain, escaped[_i].want);
}
END_TEST

START_TEST(a_library_gets_host_and_path_apart)
{
	expect_part("segment", &plain, "host: 'https://h',\n");
	plain.base = SLICE("https://h/in");
	expect_part("segment", &plain,
		    "host: 'https://h',\n  path: '/in/api/signal-staging/webhook/sk_plain/batch'");
}
END_TEST

START_TEST(what_cannot_be_had_is_told)
{
	const struct snippet *fetch = snippet_named(SLICE("fetch"));

	ck_assert_ptr_null(snippet_obstacle(fetch, &plain));
	ck_assert_str_eq(snippet_obstacle(fetch, &with_secret),
			 "it cannot send the secret that the key needs");
	ck_assert_str_eq(snippet_obstacle(fetch, &for_orgs),
			 "it is for keys of the type signal_staging");
	ck_assert_ptr_null(snippet_obstacle(snippet_at(0), &for_orgs));
}
END_TEST

START_TEST(a_secret_is_in_all_that_can_be_had)
{
	const struct snippet_key *const keys[] = {&with_secret, &for_orgs};
	const struct snippet *snippet;

	for (size_t k = 0; k < ARRAY_LENGTH(keys); k++)
		for (size_t i = 0; (snippet = snippet_at(i)) != NULL; i++)
			if (snippet_obstacle(snippet, keys[k]) == NULL)
				expect_part(snippet->name, keys[k], "whs_s3cret");
}
END_TEST

static void expect_json(const struct snippet *only, const char *begins, size_t count)
{
	struct json_tree tree = {0};
	struct buf out = buf_make(100000);
	size_t names = 0;

	snippet_json(&tree, json_tree_array(&tree, NULL, NULL), only, &for_orgs);
	json_tree_write(&tree, &out);
	buf_add_char(&out, '\0');
	ck_assert_int_eq(out.status, STATUS_OK);
	ck_assert_int_eq(strncmp(out.p, begins, strlen(begins)), 0);
	for (const char *at = out.p; (at = strstr(at, "{\"name\":")) != NULL; at++)
		names++;
	ck_assert_uint_eq(names, count);
	buf_free(&out);
	json_tree_free(&tree);
}

START_TEST(as_json_those_that_fit)
{
	expect_json(NULL, "[{\"name\":\"curl\",\"title\":\"Terminal (curl)\",\"text\":\"curl -H",
		    5);
	expect_json(snippet_named(SLICE("php")), "[{\"name\":\"php\",", 1);
	expect_json(snippet_named(SLICE("html")), "[]", 0);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("snippet");
	TCase *tests = tcase_create("snippet");

	tcase_add_checked_fixture(tests, setup, NULL);
	tcase_add_test(tests, paths_are_those_of_the_endpoints);
	tcase_add_test(tests, the_first_is_a_command_for_a_shell);
	tcase_add_test(tests, each_has_a_name_of_its_own);
	tcase_add_loop_test(tests, no_value_breaks_out, 0, ARRAY_LENGTH(escaped));
	tcase_add_test(tests, a_library_gets_host_and_path_apart);
	tcase_add_test(tests, what_cannot_be_had_is_told);
	tcase_add_test(tests, a_secret_is_in_all_that_can_be_had);
	tcase_add_test(tests, as_json_those_that_fit);
	suite_add_tcase(suite, tests);
	return suite;
}
