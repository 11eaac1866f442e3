/*
 * test_lookup.c - names of hosts become addresses, or a cause; nobody waits for a silent resolver.
 */
#define _GNU_SOURCE /* pipe2 */
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "check_main.h"
#include "pg/lookup_internal.h"

enum { PATIENCE_MS = 30000 };

static struct pg_hosts hosts;
static struct pg_lookup lookup;
static char cause[PG_LOOKUP_CAUSE_BYTES];
static int silent[2];

static void set_up(void)
{
	lookup = (struct pg_lookup){.fd = -1};
	*cause = '\0';
}

static void tear_down(void)
{
	pg_lookup_drop(&lookup);
}

static void start(const char *names, const char *ports)
{
	pg_hosts_read(&hosts, names, NULL, ports);
	ck_assert(pg_hosts_have_names(&hosts));
	ck_assert_int_eq(pg_lookup_start(&lookup, &hosts), STATUS_OK);
}

static enum status await(void)
{
	enum status status = STATUS_AGAIN;

	while (status == STATUS_AGAIN) {
		struct pollfd fd = {.fd = lookup.fd, .events = POLLIN};
		ck_assert_int_eq(poll(&fd, 1, PATIENCE_MS), 1);
		status = pg_lookup_step(&lookup, &hosts, cause);
	}
	return status;
}

/* A lookup that has found this, and goes on. */
static void be_silent(const struct pg_lookup_found *found, size_t count)
{
	must(pipe2(silent, O_NONBLOCK) == 0);
	lookup.fd = silent[0];
	lookup.started_ms = clock_now_ms();
	must(write(silent[1], found, count * sizeof(*found)) == (ssize_t)(count * sizeof(*found)));
}

START_TEST(a_name_becomes_addresses)
{
	start("/run,localhost,192.0.2.1", "1,2,3");
	ck_assert_int_eq(await(), STATUS_OK);
	ck_assert_int_eq(lookup.fd, -1);
	ck_assert(hosts.looked_up);
	ck_assert_uint_ge(hosts.count, 3);
	ck_assert_str_eq(hosts.list[0].name, "/run");
	ck_assert_str_eq(hosts.list[1].name, "localhost");
	ck_assert_str_eq(hosts.list[1].port, "2");
	ck_assert(strcmp(hosts.list[1].address, "127.0.0.1") == 0 ||
		  strcmp(hosts.list[1].address, "::1") == 0);
	ck_assert_str_eq(hosts.list[hosts.count - 1].address, "192.0.2.1");
	ck_assert_str_eq(hosts.list[hosts.count - 1].port, "3");
}
END_TEST

/* No resolver is asked for this one. */
START_TEST(a_name_without_an_address_has_a_cause)
{
	start("no such name", "1");
	ck_assert_int_eq(await(), STATUS_UNAVAILABLE);
	ck_assert_ptr_nonnull(strstr(cause, "host \"no such name\": "));
	start("no such name,/run", "1");
	ck_assert_int_eq(await(), STATUS_OK);
	ck_assert_uint_eq(hosts.count, 1);
	ck_assert_str_eq(hosts.list[0].name, "/run");
}
END_TEST

static const struct pg_lookup_found found[] = {
	{.host = 1, .text = "192.0.2.7"}, {.host = 1, .text = "2001:db8::7"}, {.host = 77}};

/* What has come by the deadline is used; the order is that of the hosts. */
START_TEST(a_silent_name_does_not_hide_the_others)
{
	pg_hosts_read(&hosts, "silent,good,/run", NULL, "1,2,3");
	be_silent(found, LENGTH(found));
	ck_assert_int_eq(pg_lookup_step(&lookup, &hosts, cause), STATUS_AGAIN);
	ck_assert_int_eq(pg_lookup_hurry(&lookup, &hosts, cause), STATUS_OK);
	ck_assert_uint_eq(hosts.count, 3);
	ck_assert_str_eq(hosts.list[0].address, "192.0.2.7");
	ck_assert_str_eq(hosts.list[1].address, "2001:db8::7");
	ck_assert_str_eq(hosts.list[1].name, "good");
	ck_assert_str_eq(hosts.list[2].name, "/run");
	ck_assert_int_eq(lookup.fd, -1);
	(void)close(silent[1]);
}
END_TEST

/* An answer that comes after the deadline is there for the next attempt. */
START_TEST(a_slow_answer_is_not_lost)
{
	pg_hosts_read(&hosts, "slow", NULL, "1");
	be_silent(NULL, 0);
	ck_assert_int_eq(pg_lookup_hurry(&lookup, &hosts, cause), STATUS_DEADLINE);
	ck_assert_str_eq(cause, "host \"slow\": no answer");
	const struct pg_lookup_found late = {.host = 0, .text = "192.0.2.1"};
	must(write(silent[1], &late, sizeof(late)) == (ssize_t)sizeof(late));
	must(close(silent[1]) == 0);
	ck_assert_int_eq(pg_lookup_start(&lookup, &hosts), STATUS_OK);
	ck_assert_int_eq(lookup.fd, silent[0]);
	ck_assert_int_eq(await(), STATUS_OK);
	ck_assert_str_eq(hosts.list[0].address, "192.0.2.1");
}
END_TEST

/* It was forgotten while nobody connected: the next attempt asks again. */
START_TEST(an_old_answer_is_not_used)
{
	pg_hosts_read(&hosts, "localhost", NULL, "1");
	const struct pg_lookup_found old = {.host = 0, .text = "192.0.2.1"};
	be_silent(&old, 1);
	lookup.started_ms -= 60000;
	ck_assert_int_eq(pg_lookup_start(&lookup, &hosts), STATUS_OK);
	ck_assert_int_eq(await(), STATUS_OK);
	ck_assert_str_ne(hosts.list[0].address, "192.0.2.1");
	(void)close(silent[1]);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("lookup");
	TCase *tests = tcase_create("lookup");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, a_name_becomes_addresses);
	tcase_add_test(tests, a_name_without_an_address_has_a_cause);
	tcase_add_test(tests, a_silent_name_does_not_hide_the_others);
	tcase_add_test(tests, a_slow_answer_is_not_lost);
	tcase_add_test(tests, an_old_answer_is_not_used);
	suite_add_tcase(suite, tests);
	return suite;
}
