/*
 * test_parked.c - kept connections: which are idle, which have been called, and which have been
 * idle for too long.
 */
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

#include "check_main.h"
#include "server/parked.h"

enum { ROOM = 3, NOW_MS = 1000, IDLE_MS = 200 };

static struct parked_pool pool;
static int pairs[ROOM][2]; /* the web server's end is the second */

static void set_up(void)
{
	must(parked_pool_open(&pool, ROOM) == STATUS_OK);
	for (int i = 0; i < ROOM; i++)
		must(socketpair(AF_UNIX, SOCK_STREAM, 0, pairs[i]) == 0);
}

static void tear_down(void)
{
	parked_pool_close(&pool);
	for (int i = 0; i < ROOM; i++)
		(void)close(pairs[i][1]);
}

static bool is_closed(int i)
{
	char byte;

	return recv(pairs[i][1], &byte, 1, MSG_DONTWAIT) == 0;
}

static void add_all(struct parked *kept[ROOM])
{
	for (int i = 0; i < ROOM; i++) {
		ck_assert(parked_has_room(&pool));
		kept[i] = parked_add(&pool, pairs[i][0], NOW_MS + i);
		ck_assert_ptr_eq(parked_of(&pool, kept[i]), kept[i]);
	}
	ck_assert(!parked_has_room(&pool));
	ck_assert_uint_eq(pool.count, ROOM);
}

/* Whichever is taken, the others keep their order. */
START_TEST(called_ones_wait_in_their_order)
{
	struct parked *kept[ROOM];

	add_all(kept);
	parked_call(&pool, kept[_i], 5);
	parked_call(&pool, kept[(_i + 1) % ROOM], 6);
	ck_assert_ptr_eq(pool.called.first, kept[_i]);
	ck_assert_int_eq(pool.called.first->called_us, 5);
	ck_assert_int_eq(parked_take(&pool, pool.called.first), pairs[_i][0]);
	ck_assert_ptr_eq(pool.called.first, kept[(_i + 1) % ROOM]);
	ck_assert_int_eq(parked_take(&pool, pool.called.first), pairs[(_i + 1) % ROOM][0]);
	ck_assert_ptr_null(pool.called.first);
	ck_assert_ptr_eq(pool.idle.first, kept[(_i + 2) % ROOM]);
	ck_assert_uint_eq(pool.count, 1);
	/* Their room is free again, and is not theirs any more. */
	struct parked *again = parked_add(&pool, pairs[_i][0], NOW_MS);
	ck_assert_int_eq(again->called_us, 0);
	ck_assert_ptr_eq(pool.idle.last, again);
	(void)close(pairs[(_i + 1) % ROOM][0]);
}
END_TEST

START_TEST(idle_ones_expire_in_their_order)
{
	struct parked *kept[ROOM];

	add_all(kept);
	ck_assert_int_eq(parked_due_ms(&pool, IDLE_MS), NOW_MS + IDLE_MS);
	ck_assert_ptr_null(parked_expired(&pool, IDLE_MS, NOW_MS + IDLE_MS - 1));
	for (int i = 0; i < ROOM; i++) {
		ck_assert_ptr_eq(parked_expired(&pool, IDLE_MS, NOW_MS + IDLE_MS + i), kept[i]);
		(void)close(parked_take(&pool, kept[i]));
		ck_assert(is_closed(i));
		ck_assert_ptr_null(parked_expired(&pool, IDLE_MS, NOW_MS + IDLE_MS + i));
	}
	ck_assert_int_eq(parked_due_ms(&pool, IDLE_MS), INT64_MAX);
	ck_assert_uint_eq(pool.count, 0);
}
END_TEST

/* A worker that was stopped meets requests on connections that seem idle. */
START_TEST(one_with_an_unseen_request_does_not_expire)
{
	struct parked *kept[ROOM];
	int64_t late_ms = NOW_MS + 10 * IDLE_MS;

	add_all(kept);
	must(write(pairs[0][1], "x", 1) == 1);
	must(write(pairs[1][1], "x", 1) == 1);
	ck_assert_ptr_eq(parked_expired(&pool, IDLE_MS, late_ms), kept[2]);
	(void)close(parked_take(&pool, kept[2]));
	ck_assert_ptr_null(parked_expired(&pool, IDLE_MS, late_ms));
	ck_assert_int_eq(parked_due_ms(&pool, IDLE_MS), late_ms + IDLE_MS);
	ck_assert_ptr_eq(pool.idle.first, kept[0]);
	ck_assert_ptr_eq(pool.idle.last, kept[1]);
}
END_TEST

/* Its sender waits for an answer. */
START_TEST(a_called_one_does_not_expire)
{
	struct parked *kept[ROOM];

	add_all(kept);
	parked_call(&pool, kept[0], 1);
	ck_assert_ptr_eq(parked_expired(&pool, IDLE_MS, NOW_MS + 10 * IDLE_MS), kept[1]);
}
END_TEST

START_TEST(closing_the_pool_closes_its_connections)
{
	struct parked *kept[ROOM];

	add_all(kept);
	parked_call(&pool, kept[1], 1);
	parked_pool_close(&pool);
	for (int i = 0; i < ROOM; i++)
		ck_assert(is_closed(i));
}
END_TEST

START_TEST(nothing_else_is_one)
{
	struct parked_pool empty;
	int other;

	ck_assert_ptr_null(parked_of(&pool, &other));
	ck_assert_ptr_null(parked_of(&pool, pool.all + ROOM));
	must(parked_pool_open(&empty, 0) == STATUS_OK);
	ck_assert(!parked_has_room(&empty));
	ck_assert_ptr_null(parked_of(&empty, &other));
	ck_assert_ptr_null(parked_expired(&empty, IDLE_MS, NOW_MS));
	parked_pool_close(&empty);
	for (int i = 0; i < ROOM; i++)
		(void)close(pairs[i][0]);
}
END_TEST

START_TEST(memory_may_be_short)
{
	struct parked_pool poor;

	unit_fail_allocation(1);
	enum status status = parked_pool_open(&poor, ROOM);
	unit_fail_allocation(0);
	ck_assert_int_eq(status, STATUS_NO_MEMORY);
	parked_pool_close(&poor);
	for (int i = 0; i < ROOM; i++)
		(void)close(pairs[i][0]);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("server/parked");
	TCase *tests = tcase_create("pool");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_loop_test(tests, called_ones_wait_in_their_order, 0, ROOM);
	tcase_add_test(tests, idle_ones_expire_in_their_order);
	tcase_add_test(tests, one_with_an_unseen_request_does_not_expire);
	tcase_add_test(tests, a_called_one_does_not_expire);
	tcase_add_test(tests, closing_the_pool_closes_its_connections);
	tcase_add_test(tests, nothing_else_is_one);
	tcase_add_test(tests, memory_may_be_short);
	suite_add_tcase(suite, tests);
	return suite;
}
