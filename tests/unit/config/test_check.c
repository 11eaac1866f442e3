/*
 * test_check.c - limits that contradict each other, and what a running program takes anew.
 */
#include "check_main.h"
#include "config/check.h"
#include "config/config.h"
#include "config/reload.h"

static struct arena arena;
static struct config config;
static struct buf out;

static void set_up(void)
{
	const char *message;

	(void)setenv("SLUICE_CONFIG", "/dev/null", 1);
	must(config_read(&arena, NULL, &config, NULL, &message) == STATUS_OK);
	out = buf_make(1 << 20);
}

static void tear_down(void)
{
	buf_free(&out);
	arena_free(&arena);
}

static const char *checked(void)
{
	config_check(&config, &out);
	buf_add_char(&out, '\0');
	return out.p;
}

START_TEST(the_defaults_agree)
{
	ck_assert_str_eq(checked(), "");
}
END_TEST

static const struct {
	size_t member;
	int64_t limit; /* that still agrees with the defaults */
	const char *says;
} limits[] = {
	{offsetof(struct config, connect_timeout_ms), 10000,
	 "connect_timeout (10001ms) exceeds request_timeout (10s): no request waits that long\n"},
	{offsetof(struct config, database_timeout_ms), 10000,
	 "database_timeout (10001ms) exceeds request_timeout (10s): no request waits that long\n"},
	{offsetof(struct config, request_timeout_ms), 300000,
	 "request_timeout (300001ms) exceeds bulk_timeout (5min): an import has less time than "
	 "one signal\n"},
	{offsetof(struct config, single_body_bytes), 8 << 20,
	 "single_body (8388609B) exceeds batch_body (8MiB): an array at any path is a batch\n"},
	{offsetof(struct config, item_bytes), 1 << 20,
	 "item_size (1048577B) exceeds single_body (1MiB): such an item cannot be sent by "
	 "itself\n"},
	{offsetof(struct config, group_requests), 512,
	 "group_requests (513) exceeds requests_in_flight (512): a worker never has so many\n"},
	{offsetof(struct config, large_body_bytes), 32 << 20,
	 "large_body (33554433B) exceeds buffered_bodies (32MiB): one body stops the worker from "
	 "accepting others\n"},
};

START_TEST(a_limit_beyond_another_is_told)
{
	int64_t *member = (int64_t *)(void *)((char *)&config + limits[_i].member);

	*member = limits[_i].limit;
	ck_assert_str_eq(checked(), "");
	buf_reset(&out, 0);
	++*member;
	ck_assert_str_eq(checked(), limits[_i].says);
}
END_TEST

START_TEST(several_are_told_each)
{
	config.database_timeout_ms = 3600000;
	config.request_timeout_ms = 100;
	config.bulk_timeout_ms = 50;
	const char *text = checked();
	check_says(text, "connect_timeout (2s) exceeds request_timeout (100ms)");
	check_says(text, "database_timeout (1h) exceeds request_timeout (100ms)");
	check_says(text, "request_timeout (100ms) exceeds bulk_timeout (50ms)");
}
END_TEST

START_TEST(proxies_that_anybody_can_be)
{
	static const char says[] =
		"trusted_proxies has a network of all addresses: every client may "
		"name another's as its own\n";

	ck_assert(network_list_read(SLICE("10.0.0.0/8, ::/1"), &config.trusted_proxies));
	ck_assert_str_eq(checked(), "");
	buf_reset(&out, 0);
	ck_assert(network_list_read(slice_of(_i == 0 ? "10.0.0.0/8, 0.0.0.0/0" : "::/0"),
				    &config.trusted_proxies));
	ck_assert_str_eq(checked(), says);
}
END_TEST

/* ---- reloading ---- */

START_TEST(what_can_change_is_taken)
{
	struct config fresh = config;
	struct buf kept = buf_make(1000);

	fresh.request_timeout_ms = 7;
	fresh.log_level = 3;
	fresh.log_client_address = true;
	ck_assert(network_list_read(SLICE("10.0.0.0/8"), &fresh.trusted_proxies));
	fresh.requests_in_flight = 7;
	fresh.large_body_bytes = 7;
	fresh.prepared_statements = false;
	ck_assert(!config_database_differs(&config, &fresh));
	fresh.database = "dbname=other";
	ck_assert(config_database_differs(&config, &fresh));
	config_reload(&config, &fresh, &out, &kept);
	ck_assert(
		slice_equal(buf_slice(&out),
			    SLICE("log_level log_client_address trusted_proxies request_timeout")));
	ck_assert(slice_equal(buf_slice(&kept),
			      SLICE("requests_in_flight large_body prepared_statements")));
	ck_assert_int_eq(config.request_timeout_ms, 7);
	ck_assert_int_eq(config.log_level, 3);
	ck_assert(config.log_client_address);
	ck_assert_uint_eq(config.trusted_proxies.count, 1);
	ck_assert_int_eq(config.requests_in_flight, 512);
	ck_assert(config.prepared_statements);
	ck_assert_str_eq(config.database, "dbname=sluice");
	buf_free(&kept);
}
END_TEST

START_TEST(the_same_text_elsewhere_is_no_change)
{
	struct config fresh = config;
	struct buf kept = buf_make(1000);
	char database[] = "dbname=sluice";

	fresh.database = database;
	config_reload(&config, &fresh, &out, &kept);
	ck_assert_uint_eq(out.n + kept.n, 0);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("config_check");
	TCase *tcase = tcase_create("config_check");

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, the_defaults_agree);
	tcase_add_loop_test(tcase, a_limit_beyond_another_is_told, 0, LENGTH(limits));
	tcase_add_test(tcase, several_are_told_each);
	tcase_add_loop_test(tcase, proxies_that_anybody_can_be, 0, 2);
	tcase_add_test(tcase, what_can_change_is_taken);
	tcase_add_test(tcase, the_same_text_elsewhere_is_no_change);
	suite_add_tcase(suite, tcase);
	return suite;
}
