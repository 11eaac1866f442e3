/*
 * test_notify.c - what a service manager is told, received on a real datagram socket. Each test has
 * a process of its own.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "check_main.h"
#include "server/notify.h"

enum { STATE_BYTES = 64, START_MS = 1000 };

static int manager;
static char folder[] = "/tmp/sluice-notify-XXXXXX";
static struct sockaddr_un address = {.sun_family = AF_UNIX};

static void set_up(void)
{
	must(mkdtemp(folder) != NULL);
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s/notify", folder);
	manager = socket(AF_UNIX, SOCK_DGRAM, 0);
	must(manager >= 0);
	must(bind(manager, (const struct sockaddr *)&address, sizeof(address)) == 0);
	must(setenv("NOTIFY_SOCKET", address.sun_path, 1) == 0);
	must(unsetenv("WATCHDOG_USEC") == 0 && unsetenv("WATCHDOG_PID") == 0);
}

static void tear_down(void)
{
	(void)close(manager);
	(void)unlink(address.sun_path);
	(void)rmdir(folder);
}

/* The next datagram; "" if none has come. */
static const char *received(void)
{
	static char state[STATE_BYTES];
	ssize_t n = recv(manager, state, sizeof(state) - 1, MSG_DONTWAIT);

	state[n < 0 ? 0 : n] = '\0';
	return state;
}

START_TEST(a_state_arrives)
{
	struct notify notify;

	notify_open(&notify, START_MS);
	notify_send(&notify, "READY=1");
	ck_assert_str_eq(received(), "READY=1");
	ck_assert_int_eq(notify_alive(&notify, START_MS), INT64_MAX);
	ck_assert_str_eq(received(), "");
}
END_TEST

START_TEST(a_reload_begins_with_its_time)
{
	struct notify notify;

	notify_open(&notify, START_MS);
	notify_reloading(&notify, INT64_C(12345678901234));
	ck_assert_str_eq(received(), "RELOADING=1\nMONOTONIC_USEC=12345678901234");
}
END_TEST

START_TEST(life_is_told_twice_in_the_time_of_the_watchdog)
{
	char own[16];
	struct notify notify;

	(void)snprintf(own, sizeof(own), "%d", (int)getpid());
	must(setenv("WATCHDOG_PID", own, 1) == 0 && setenv("WATCHDOG_USEC", "3000000", 1) == 0);
	notify_open(&notify, START_MS);
	ck_assert_int_eq(notify_alive(&notify, START_MS), START_MS + 1500);
	ck_assert_str_eq(received(), "WATCHDOG=1");
	ck_assert_int_eq(notify_alive(&notify, START_MS + 1499), START_MS + 1500);
	ck_assert_str_eq(received(), "");
	ck_assert_int_eq(notify_alive(&notify, START_MS + 1500), START_MS + 3000);
	ck_assert_str_eq(received(), "WATCHDOG=1");
}
END_TEST

START_TEST(the_watchdog_of_another_process_is_not_ours)
{
	struct notify notify;

	must(setenv("WATCHDOG_PID", "1", 1) == 0 && setenv("WATCHDOG_USEC", "3000000", 1) == 0);
	notify_open(&notify, START_MS);
	ck_assert_int_eq(notify_alive(&notify, START_MS), INT64_MAX);
	ck_assert_str_eq(received(), "");
}
END_TEST

START_TEST(a_manager_that_does_not_read_holds_up_nothing)
{
	struct notify notify;
	int told = 0;

	notify_open(&notify, START_MS);
	for (int i = 0; i < 10000; i++)
		notify_send(&notify, "READY=1");
	while (*received() != '\0')
		told++;
	ck_assert_int_gt(told, 0);
	ck_assert_int_lt(told, 10000);
}
END_TEST

START_TEST(a_name_in_the_abstract_namespace_is_found)
{
	struct sockaddr_un abstract = {.sun_family = AF_UNIX};
	struct notify notify;
	char name[32];
	int n = snprintf(name, sizeof(name), "@sluice-notify-%d", (int)getpid());
	int other = socket(AF_UNIX, SOCK_DGRAM, 0);

	memcpy(abstract.sun_path + 1, name + 1, (size_t)n - 1);
	must(other >= 0 && bind(other, (const struct sockaddr *)&abstract,
				(socklen_t)(sizeof(abstract.sun_family) + (size_t)n)) == 0);
	must(setenv("NOTIFY_SOCKET", name, 1) == 0);
	notify_open(&notify, START_MS);
	notify_send(&notify, "STOPPING=1");
	ck_assert_int_eq(recv(other, name, sizeof(name), MSG_DONTWAIT), 10);
	(void)close(other);
}
END_TEST

static const char *const no_sockets[] = {"",
					 "/",
					 "@",
					 "relative",
					 "/nowhere/notify",
					 "/12345678901234567890123456789012345678901234567890"
					 "12345678901234567890123456789012345678901234567890"
					 "12345678901234567890"};

START_TEST(a_socket_that_is_not_there_is_told_nothing)
{
	struct notify notify;

	must(setenv("NOTIFY_SOCKET", no_sockets[_i], 1) == 0);
	must(setenv("WATCHDOG_USEC", "3000000", 1) == 0);
	notify_open(&notify, START_MS);
	notify_send(&notify, "READY=1");
	ck_assert_int_eq(notify.fd, -1);
	ck_assert_int_eq(notify_alive(&notify, START_MS), INT64_MAX);
}
END_TEST

START_TEST(without_a_manager_nothing_is_told)
{
	struct notify notify;

	must(unsetenv("NOTIFY_SOCKET") == 0);
	notify_open(&notify, START_MS);
	notify_send(&notify, "READY=1");
	ck_assert_int_eq(notify.fd, -1);
	ck_assert_str_eq(received(), "");
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("notify");
	TCase *tcase = tcase_create("notify");

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, a_state_arrives);
	tcase_add_test(tcase, a_reload_begins_with_its_time);
	tcase_add_test(tcase, life_is_told_twice_in_the_time_of_the_watchdog);
	tcase_add_test(tcase, the_watchdog_of_another_process_is_not_ours);
	tcase_add_test(tcase, a_manager_that_does_not_read_holds_up_nothing);
	tcase_add_test(tcase, a_name_in_the_abstract_namespace_is_found);
	tcase_add_loop_test(tcase, a_socket_that_is_not_there_is_told_nothing, 0,
			    LENGTH(no_sockets));
	tcase_add_test(tcase, without_a_manager_nothing_is_told);
	suite_add_tcase(suite, tcase);
	return suite;
}
