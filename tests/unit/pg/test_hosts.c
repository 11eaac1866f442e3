/*
 * test_hosts.c - the addresses that a connection string stands for.
 */
#include <string.h>

#include "check_main.h"
#include "pg/hosts_internal.h"

static const struct {
	const char *names, *addresses, *ports;
	const char *hosts; /* name/address/port each, after a blank */
} lists[] = {
	{NULL, NULL, NULL, ""},
	{NULL, NULL, "5432", ""},
	{"/run", NULL, NULL, " /run||"},
	{"/a,/b", NULL, "5433", " /a||5433 /b||5433"},
	{"/a,@b,", NULL, "1,2,3", " /a||1 @b||2 ||3"},
	{"/a,/b", NULL, "1,", " /a||1 /b||"},
	{NULL, "10.0.0.1,10.0.0.2", "7", " |10.0.0.1|7 |10.0.0.2|7"},
	{"a,b", "10.0.0.1,::1", "7", " a|10.0.0.1|7 b|::1|7"},
	{"127.0.0.1,127.0.0.2", NULL, "7,8", " 127.0.0.1|127.0.0.1|7 127.0.0.2|127.0.0.2|8"},
	{"::1,0x7f.1", NULL, "7", " ::1|::1|7 0x7f.1|127.0.0.1|7"},
	/* Names are looked up elsewhere. */
	{"localhost,/b", NULL, "7", " localhost||7 /b||7"},
	{"/a,/b", NULL, "1,123456789", " /a||1"},
};

START_TEST(lists_are_taken_apart)
{
	struct pg_hosts hosts;
	char text[1024] = "";

	pg_hosts_read(&hosts, lists[_i].names, lists[_i].addresses, lists[_i].ports);
	for (size_t i = 0; i < hosts.count; i++) {
		const struct pg_host *host = &hosts.list[i];
		(void)snprintf(text + strlen(text), sizeof(text) - strlen(text), " %s|%s|%s",
			       host->name, host->address, host->port);
	}
	ck_assert_str_eq(text, lists[_i].hosts);
	ck_assert_uint_eq(hosts.at, 0);
}
END_TEST

START_TEST(there_are_not_too_many)
{
	struct pg_hosts hosts;
	char names[512] = "/a";

	for (size_t i = 0; i < PG_HOSTS_MAX; i++)
		(void)snprintf(names + strlen(names), sizeof(names) - strlen(names), ",/b");
	pg_hosts_read(&hosts, names, NULL, NULL);
	ck_assert_uint_eq(hosts.count, PG_HOSTS_MAX);
	memset(names, 'x', sizeof(names) - 1);
	names[sizeof(names) - 1] = '\0';
	pg_hosts_read(&hosts, names, NULL, NULL);
	ck_assert_uint_eq(hosts.count, 0);
}
END_TEST

START_TEST(each_is_tried_once)
{
	struct pg_hosts hosts;

	pg_hosts_read(&hosts, "/a,/b,/c", NULL, NULL);
	ck_assert(!pg_hosts_next(&hosts)); /* libpq does it */
	hosts.apart = true;
	hosts.at = 1;
	ck_assert(pg_hosts_next(&hosts));
	ck_assert_uint_eq(hosts.at, 2);
	ck_assert(pg_hosts_next(&hosts));
	ck_assert_uint_eq(hosts.at, 0);
	ck_assert(!pg_hosts_next(&hosts));
	ck_assert(!hosts.apart);
	ck_assert(!pg_hosts_next(&hosts));
}
END_TEST

START_TEST(names_are_neither_addresses_nor_directories)
{
	struct pg_hosts hosts;

	pg_hosts_read(&hosts, "/a,@b,,10.0.0.1,::1", NULL, NULL);
	ck_assert_uint_eq(hosts.count, 5);
	ck_assert(!pg_hosts_have_names(&hosts));
	pg_hosts_read(&hosts, "a,b", "10.0.0.1,10.0.0.2", NULL);
	ck_assert(!pg_hosts_have_names(&hosts));
	pg_hosts_read(&hosts, "a,b", "10.0.0.1,", NULL);
	ck_assert(pg_hosts_have_names(&hosts));
	ck_assert(pg_host_is_name(&hosts.list[1]));
}
END_TEST

/* The next connection begins with the host that the last one was at, whatever else has changed. */
START_TEST(the_place_is_kept_when_they_are_read_anew)
{
	struct pg_hosts hosts, others;

	pg_hosts_read(&hosts, "/a,/b", NULL, NULL);
	pg_hosts_read(&others, "/c,/b", NULL, NULL);
	pg_hosts_renew(&hosts, &others);
	ck_assert(!hosts.apart);
	hosts.apart = true;
	hosts.at = 1;
	hosts.tried = 2;
	pg_hosts_read(&others, "/c,/d,/b", NULL, NULL);
	pg_hosts_renew(&hosts, &others);
	ck_assert(hosts.apart);
	ck_assert_uint_eq(hosts.at, 2);
	ck_assert_uint_eq(hosts.tried, 1);
	pg_hosts_read(&others, "/e", NULL, NULL);
	pg_hosts_renew(&hosts, &others);
	ck_assert_uint_eq(hosts.at, 0);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("hosts");
	TCase *tests = tcase_create("hosts");

	tcase_add_loop_test(tests, lists_are_taken_apart, 0, LENGTH(lists));
	tcase_add_test(tests, there_are_not_too_many);
	tcase_add_test(tests, each_is_tried_once);
	tcase_add_test(tests, names_are_neither_addresses_nor_directories);
	tcase_add_test(tests, the_place_is_kept_when_they_are_read_anew);
	suite_add_tcase(suite, tests);
	return suite;
}
