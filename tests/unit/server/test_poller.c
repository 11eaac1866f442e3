/*
 * test_poller.c - which events the loop sees: connections while it wants them, those of a request
 * once, and those of the database's socket even if another one had its number.
 */
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "check_main.h"
#include "server/poller.h"

enum { AT_ONCE = 0, PATIENCE_MS = 10000 };

static struct poller *poller;
static int listening = -1;
static struct sockaddr_un address;
static socklen_t address_bytes;
static sigset_t none;

/* The kernel chooses a name that is no file. */
static void set_up(void)
{
	address = (struct sockaddr_un){.sun_family = AF_UNIX};
	address_bytes = sizeof(address);
	listening = socket(AF_UNIX, SOCK_STREAM, 0);
	must(listening >= 0 &&
	     bind(listening, (struct sockaddr *)&address, sizeof(sa_family_t)) == 0);
	must(listen(listening, 8) == 0 &&
	     getsockname(listening, (struct sockaddr *)&address, &address_bytes) == 0);
	must(poller_open(&poller, listening) == STATUS_OK);
	(void)sigemptyset(&none);
}

static void tear_down(void)
{
	poller_close(poller);
	(void)close(listening);
}

static void make_pair(int pair[2])
{
	must(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
}

static void drop_pair(const int pair[2])
{
	(void)close(pair[0]);
	(void)close(pair[1]);
}

static int call(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	must(fd >= 0 && connect(fd, (struct sockaddr *)&address, address_bytes) == 0);
	return fd;
}

START_TEST(connections_are_reported_while_they_are_wanted)
{
	int caller = call();

	poller_wait(poller, AT_ONCE, &none);
	ck_assert(!poller_accept_ready(poller));
	for (int times = 0; times < 2; times++) {
		ck_assert_int_eq(poller_set_listening(poller, true), STATUS_OK);
		ck_assert_int_eq(poller_set_listening(poller, true), STATUS_OK);
		poller_wait(poller, PATIENCE_MS, &none);
		ck_assert(poller_accept_ready(poller) && !poller_database_ready(poller));
		ck_assert_ptr_null(poller_next(poller));
		ck_assert_int_eq(poller_set_listening(poller, false), STATUS_OK);
		poller_wait(poller, AT_ONCE, &none);
		ck_assert(!poller_accept_ready(poller));
	}
	(void)close(caller);
}
END_TEST

START_TEST(a_request_is_reported_once)
{
	int pair[2], owner;

	make_pair(pair);
	ck_assert_int_eq(poller_arm(poller, pair[0], POLLIN, &owner), STATUS_OK);
	poller_wait(poller, AT_ONCE, &none);
	ck_assert_ptr_null(poller_next(poller));
	ck_assert_int_eq(write(pair[1], "x", 1), 1);
	poller_wait(poller, PATIENCE_MS, &none);
	ck_assert_ptr_eq(poller_next(poller), &owner);
	ck_assert_ptr_null(poller_next(poller));
	/* Unread input and a hang-up are not reported until it is armed again. */
	(void)close(pair[1]);
	poller_wait(poller, AT_ONCE, &none);
	ck_assert_ptr_null(poller_next(poller));
	ck_assert_int_eq(poller_arm(poller, pair[0], POLLOUT, &owner), STATUS_OK);
	poller_wait(poller, PATIENCE_MS, &none);
	ck_assert_ptr_eq(poller_next(poller), &owner);
	(void)close(pair[0]);
}
END_TEST

START_TEST(a_removed_request_is_not_reported_though_its_connection_is_open)
{
	int pair[2], owner;

	make_pair(pair);
	ck_assert_int_eq(poller_arm(poller, pair[0], POLLOUT, &owner), STATUS_OK);
	int copy = dup(pair[0]);
	ck_assert_int_ge(copy, 0);
	poller_remove(poller, pair[0]);
	drop_pair(pair);
	poller_wait(poller, AT_ONCE, &none);
	ck_assert_ptr_null(poller_next(poller));
	(void)close(copy);
}
END_TEST

START_TEST(the_database_may_be_another_socket)
{
	int first[2], second[2];

	make_pair(first);
	ck_assert_int_eq(poller_set_database(poller, first[0], POLLIN, false), STATUS_OK);
	poller_wait(poller, AT_ONCE, &none);
	ck_assert(!poller_database_ready(poller));
	ck_assert_int_eq(poller_set_database(poller, first[0], POLLIN | POLLOUT, false), STATUS_OK);
	poller_wait(poller, PATIENCE_MS, &none);
	ck_assert(poller_database_ready(poller) && !poller_accept_ready(poller));
	/* The next socket gets the same number. */
	make_pair(second);
	ck_assert_int_eq(dup2(second[0], first[0]), first[0]);
	poller_wait(poller, AT_ONCE, &none);
	ck_assert(!poller_database_ready(poller));
	ck_assert_int_eq(poller_set_database(poller, first[0], POLLIN | POLLOUT, true), STATUS_OK);
	poller_wait(poller, PATIENCE_MS, &none);
	ck_assert(poller_database_ready(poller));
	ck_assert_int_eq(poller_set_database(poller, -1, 0, true), STATUS_OK);
	drop_pair(first);
	drop_pair(second);
	poller_wait(poller, AT_ONCE, &none);
	ck_assert(!poller_database_ready(poller));
}
END_TEST

static enum status open_and_close(void)
{
	struct poller *other;
	enum status status = poller_open(&other, listening);

	poller_close(other);
	return status;
}

START_TEST(a_lack_of_memory_is_reported)
{
	ck_assert_int_gt(unit_torture(open_and_close), 0);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("poller");
	TCase *tcase = tcase_create("poller");

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, connections_are_reported_while_they_are_wanted);
	tcase_add_test(tcase, a_request_is_reported_once);
	tcase_add_test(tcase, a_removed_request_is_not_reported_though_its_connection_is_open);
	tcase_add_test(tcase, the_database_may_be_another_socket);
	tcase_add_test(tcase, a_lack_of_memory_is_reported);
	suite_add_tcase(suite, tcase);
	return suite;
}
