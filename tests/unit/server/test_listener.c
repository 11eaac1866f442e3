/*
 * test_listener.c - the listening socket of a worker, and its pause when descriptors run out.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "captured_log.h"
#include "check_main.h"
#include "server/listener.h"

enum { NOW_MS = 1000000, PAUSE_MS = 50 /* as in server/listener.c */ };

static struct listener listener;
static struct fcgi *fcgi;
static struct sockaddr_un address;
static socklen_t address_bytes;

static void set_up(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	captured_log_start();
	address = (struct sockaddr_un){.sun_family = AF_UNIX};
	address_bytes = sizeof(address);
	must(bind(fd, (struct sockaddr *)&address, sizeof(sa_family_t)) == 0 &&
	     listen(fd, 4) == 0 &&
	     getsockname(fd, (struct sockaddr *)&address, &address_bytes) == 0);
	must(fcgi_open(&fcgi) == STATUS_OK && listener_open(&listener, fd) == STATUS_OK);
}

static void tear_down(void)
{
	fcgi_close(fcgi);
	(void)close(listener.fd);
	captured_log_stop();
}

/* A web server connects. */
static void come(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	must(connect(fd, (struct sockaddr *)&address, address_bytes) == 0);
}

/* What systemd does to a socket that it hands to another process. */
START_TEST(a_socket_that_became_blocking_is_not_waited_for)
{
	must(fcntl(listener.fd, F_SETFL, fcntl(listener.fd, F_GETFL) & ~O_NONBLOCK) == 0);
	ck_assert_int_eq(fcgi_accept(fcgi, listener.fd), STATUS_AGAIN);
	must(fcntl(listener.fd, F_SETFL, fcntl(listener.fd, F_GETFL) & ~O_NONBLOCK) == 0);
	ck_assert_int_eq(listener_accept(&listener, fcgi, NOW_MS), STATUS_AGAIN);
	ck_assert((fcntl(listener.fd, F_GETFL) & O_NONBLOCK) != 0);
}
END_TEST

/* How many descriptors this process may have from now on. */
static void limit_descriptors(rlim_t most)
{
	struct rlimit limit;

	must(getrlimit(RLIMIT_NOFILE, &limit) == 0);
	limit.rlim_cur = most;
	must(setrlimit(RLIMIT_NOFILE, &limit) == 0);
}

START_TEST(nobody_is_waited_for)
{
	ck_assert((fcntl(listener.fd, F_GETFL) & O_NONBLOCK) != 0);
	ck_assert_int_eq(listener_accept(&listener, fcgi, NOW_MS), STATUS_AGAIN);
	ck_assert_int_eq(listener_pause_ms(&listener, NOW_MS), 0);
	come();
	ck_assert_int_eq(listener_accept(&listener, fcgi, NOW_MS), STATUS_OK);
	ck_assert_int_ge(fcgi_fd(fcgi), 0);
	ck_assert_int_eq(listener_pause_ms(&listener, NOW_MS), 0);
	ck_assert_str_eq(captured_log(), "");
}
END_TEST

/* The connection stays in the queue, and is accepted when a descriptor is free again. */
START_TEST(without_descriptors_there_is_a_pause)
{
	come();
	limit_descriptors(3);
	ck_assert_int_eq(listener_accept(&listener, fcgi, NOW_MS), STATUS_BUSY);
	limit_descriptors(64);
	ck_assert_int_eq(captured_log_count(captured_log(), "event=\"could not accept\""), 1);
	ck_assert_int_eq(listener_pause_ms(&listener, NOW_MS), PAUSE_MS);
	ck_assert_int_eq(listener_pause_ms(&listener, NOW_MS + PAUSE_MS - 1), 1);
	ck_assert_int_eq(listener_pause_ms(&listener, NOW_MS + PAUSE_MS), 0);
	ck_assert_int_eq(listener_accept(&listener, fcgi, NOW_MS + PAUSE_MS), STATUS_OK);
}
END_TEST

START_TEST(what_is_no_descriptor_is_refused)
{
	struct listener none;

	ck_assert_int_eq(listener_open(&none, -1), STATUS_INTERNAL);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("listener");
	TCase *tcase = tcase_create("listener");

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, nobody_is_waited_for);
	tcase_add_test(tcase, a_socket_that_became_blocking_is_not_waited_for);
	tcase_add_test(tcase, without_descriptors_there_is_a_pause);
	tcase_add_test(tcase, what_is_no_descriptor_is_refused);
	suite_add_tcase(suite, tcase);
	return suite;
}
