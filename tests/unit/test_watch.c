/*
 * test_watch.c - what the loop is told of: connections while they are wanted, requests once, and
 * the database's socket whichever has its number.
 */
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "check_main.h"
#include "watch.h"

enum { AT_ONCE = 0, PATIENCE_MS = 10000 };

static struct watch *watch;
static int listening = -1;
static struct sockaddr_un address;
static socklen_t address_bytes;
static sigset_t none;

static void must(bool good)
{
	if (!good)
		abort();
}

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
	must(watch_open(&watch, listening) == STATUS_OK);
	(void)sigemptyset(&none);
}

static void tear_down(void)
{
	watch_close(watch);
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

START_TEST(connections_come_while_they_are_wanted)
{
	int caller = call();

	watch_wait(watch, AT_ONCE, &none);
	ck_assert(!watch_connection_came(watch));
	for (int times = 0; times < 2; times++) {
		ck_assert_int_eq(watch_listening(watch, true), STATUS_OK);
		ck_assert_int_eq(watch_listening(watch, true), STATUS_OK);
		watch_wait(watch, PATIENCE_MS, &none);
		ck_assert(watch_connection_came(watch) && !watch_database_ready(watch));
		ck_assert_ptr_null(watch_next(watch));
		ck_assert_int_eq(watch_listening(watch, false), STATUS_OK);
		watch_wait(watch, AT_ONCE, &none);
		ck_assert(!watch_connection_came(watch));
	}
	(void)close(caller);
}
END_TEST

START_TEST(a_request_is_told_of_once)
{
	int pair[2], owner;

	make_pair(pair);
	ck_assert_int_eq(watch_request(watch, pair[0], POLLIN, &owner), STATUS_OK);
	watch_wait(watch, AT_ONCE, &none);
	ck_assert_ptr_null(watch_next(watch));
	ck_assert_int_eq(write(pair[1], "x", 1), 1);
	watch_wait(watch, PATIENCE_MS, &none);
	ck_assert_ptr_eq(watch_next(watch), &owner);
	ck_assert_ptr_null(watch_next(watch));
	/* What is left, and the peer's end, are no news until it is watched again. */
	(void)close(pair[1]);
	watch_wait(watch, AT_ONCE, &none);
	ck_assert_ptr_null(watch_next(watch));
	ck_assert_int_eq(watch_request(watch, pair[0], POLLOUT, &owner), STATUS_OK);
	watch_wait(watch, PATIENCE_MS, &none);
	ck_assert_ptr_eq(watch_next(watch), &owner);
	(void)close(pair[0]);
}
END_TEST

START_TEST(a_request_that_another_process_keeps_is_forgotten)
{
	int pair[2], owner;

	make_pair(pair);
	ck_assert_int_eq(watch_request(watch, pair[0], POLLOUT, &owner), STATUS_OK);
	int copy = dup(pair[0]);
	ck_assert_int_ge(copy, 0);
	watch_forget(watch, pair[0]);
	drop_pair(pair);
	watch_wait(watch, AT_ONCE, &none);
	ck_assert_ptr_null(watch_next(watch));
	(void)close(copy);
}
END_TEST

START_TEST(the_database_may_be_another_socket)
{
	int first[2], second[2];

	make_pair(first);
	ck_assert_int_eq(watch_database(watch, first[0], POLLIN, false), STATUS_OK);
	watch_wait(watch, AT_ONCE, &none);
	ck_assert(!watch_database_ready(watch));
	ck_assert_int_eq(watch_database(watch, first[0], POLLIN | POLLOUT, false), STATUS_OK);
	watch_wait(watch, PATIENCE_MS, &none);
	ck_assert(watch_database_ready(watch) && !watch_connection_came(watch));
	/* The next socket gets the same number. */
	make_pair(second);
	ck_assert_int_eq(dup2(second[0], first[0]), first[0]);
	watch_wait(watch, AT_ONCE, &none);
	ck_assert(!watch_database_ready(watch));
	ck_assert_int_eq(watch_database(watch, first[0], POLLIN | POLLOUT, true), STATUS_OK);
	watch_wait(watch, PATIENCE_MS, &none);
	ck_assert(watch_database_ready(watch));
	ck_assert_int_eq(watch_database(watch, -1, 0, true), STATUS_OK);
	drop_pair(first);
	drop_pair(second);
	watch_wait(watch, AT_ONCE, &none);
	ck_assert(!watch_database_ready(watch));
}
END_TEST

static enum status open_and_close(void)
{
	struct watch *other;
	enum status status = watch_open(&other, listening);

	watch_close(other);
	return status;
}

START_TEST(memory_may_be_short)
{
	ck_assert_int_gt(unit_torture(open_and_close), 0);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("watch");
	TCase *tcase = tcase_create("watch");

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, connections_come_while_they_are_wanted);
	tcase_add_test(tcase, a_request_is_told_of_once);
	tcase_add_test(tcase, a_request_that_another_process_keeps_is_forgotten);
	tcase_add_test(tcase, the_database_may_be_another_socket);
	tcase_add_test(tcase, memory_may_be_short);
	suite_add_tcase(suite, tcase);
	return suite;
}
