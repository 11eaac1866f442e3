/*
 * test_slot.c - the event loop's slots: which one is next, what each waits for, and until when.
 */
#include <poll.h>
#include <stdint.h>

#include "check_main.h"
#include "server/slot.h"

enum { SLOTS = 3, NOW_US = 1000000, REQUEST_MS = 10000, LARGE_BYTES = 1000 };

static const struct config config = {.requests_in_flight = SLOTS,
				     .large_body_bytes = LARGE_BYTES,
				     .request_timeout_ms = REQUEST_MS};
static struct slot_pool pool;

static void set_up(void)
{
	ck_assert_int_eq(slot_pool_open(&pool, &config), STATUS_OK);
}

static void tear_down(void)
{
	slot_pool_close(&pool);
}

/* ---- the pool ---- */

START_TEST(every_slot_is_taken_once)
{
	for (size_t i = 0; i < SLOTS; i++) {
		ck_assert_uint_eq(pool.busy, i);
		struct slot *slot = slot_take(&pool, NOW_US);
		ck_assert_ptr_eq(slot, &pool.slots[i]);
		ck_assert_int_eq(slot->state, SLOT_READING_HEAD);
		ck_assert_int_eq(slot->accepted_us, NOW_US);
		ck_assert(slot->may_be_deferred);
	}
	ck_assert_uint_eq(pool.busy, SLOTS);
	ck_assert_ptr_null(pool.free);
}
END_TEST

/* Nor is one that could not be answered. */
START_TEST(no_slot_is_free_without_memory)
{
	bool is_free = true;

	for (int nth = 1; nth <= 3; nth++) {
		unit_fail_allocation(nth);
		is_free = slot_is_free(&pool);
		unit_fail_allocation(0);
		ck_assert(!is_free);
		slot_pool_close(&pool);
		set_up();
	}
	ck_assert(slot_is_free(&pool));
	for (size_t i = 0; i < SLOTS; i++)
		(void)slot_take(&pool, NOW_US);
	ck_assert(!slot_is_free(&pool));
}
END_TEST

/* Its memory is warm. */
START_TEST(the_last_one_released_is_taken_first)
{
	struct slot *slots[SLOTS];

	for (size_t i = 0; i < SLOTS; i++)
		slots[i] = slot_take(&pool, NOW_US);
	slot_release(&pool, slots[0]);
	slot_release(&pool, slots[2]);
	ck_assert_uint_eq(pool.busy, 1);
	ck_assert_int_eq(slots[0]->state, SLOT_FREE);
	ck_assert_ptr_eq(slot_take(&pool, NOW_US), slots[2]);
	ck_assert_ptr_eq(slot_take(&pool, NOW_US), slots[0]);
	ck_assert_ptr_null(pool.free);
}
END_TEST

/* A body may exceed large_body by what is read at once, and by no more. */
START_TEST(a_body_has_room_for_two_reads_more_than_is_large)
{
	struct slot *slot = slot_take(&pool, NOW_US);

	ck_assert_ptr_nonnull(buf_reserve(&slot->body, LARGE_BYTES + 2 * SLOT_READ_BYTES));
	ck_assert_ptr_null(buf_reserve(&slot->body, LARGE_BYTES + 2 * SLOT_READ_BYTES + 1));
	ck_assert_int_eq(slot->body.status, STATUS_TOO_LARGE);
	slot_release(&pool, slot);
	ck_assert_int_eq(slot->body.status, STATUS_OK);
}
END_TEST

static const struct {
	void (*end)(struct slot_pool *pool, struct slot *slot);
} ends[] = {{slot_release}, {slot_drop}};

/* What the slot has buffered no longer counts; a large buffer is given back. */
START_TEST(a_slot_gives_back_what_it_has_buffered)
{
	static const char bytes[LARGE_BYTES + SLOT_READ_BYTES];
	struct slot *one = slot_take(&pool, NOW_US), *other = slot_take(&pool, NOW_US);

	buf_add(&one->body, bytes, sizeof(bytes));
	buf_add(&other->body, bytes, 10);
	pool.buffered = one->body.n + other->body.n;
	ends[_i].end(&pool, one);
	ck_assert_uint_eq(pool.buffered, 10);
	ck_assert_uint_eq(one->body.n, 0);
	ck_assert_uint_eq(one->body.size, 0);
	ends[_i].end(&pool, other);
	ck_assert_uint_eq(pool.buffered, 0);
	ck_assert_uint_ge(other->body.size, 10);
	ck_assert_uint_eq(pool.busy, 0);
}
END_TEST

START_TEST(a_dropped_slot_forgets_its_request)
{
	struct slot *slot = slot_take(&pool, NOW_US);

	slot->request.is_answered = true;
	slot->request.status = STATUS_BUSY;
	slot_drop(&pool, slot);
	ck_assert(!slot->request.is_answered);
	ck_assert_int_eq(slot->request.status, STATUS_OK);
	ck_assert_ptr_eq(slot->request.config, &config);
	ck_assert_int_eq(fcgi_fd(slot->fcgi), -1);
}
END_TEST

/* ---- without memory ---- */

static enum status open_and_close(void)
{
	struct slot_pool other;
	enum status status = slot_pool_open(&other, &config);

	slot_pool_close(&other);
	return status;
}

/* The slots, and a connection for each. */
START_TEST(a_pool_without_memory_is_closed)
{
	ck_assert_int_eq(unit_torture(open_and_close), 1 + SLOTS);
}
END_TEST

/* ---- what a slot waits for ---- */

enum {
	ACCEPTED_MS = 2000,
	DRAINING_MS = 2100,
	DEADLINE_MS = 3000,
	SENDING_MS = 4000,
	WAITING_MS = DEADLINE_MS - SLOT_TURN_MS - 1
};

static const struct {
	enum slot_state state;
	short events;
	int64_t deadline_ms;
	bool is_known;
} waits[] = {
	{SLOT_FREE, 0, INT64_MAX},
	{SLOT_READING_HEAD, POLLIN, ACCEPTED_MS + FCGI_PARAMS_MS},
	{SLOT_READING_BODY, POLLIN, ACCEPTED_MS + SLOT_KNOCK_MS},
	{SLOT_READING_BODY, POLLIN, DEADLINE_MS, .is_known = true},
	{SLOT_COMMITTING, 0, INT64_MAX},
	{SLOT_AUTHENTICATING, 0, INT64_MAX},
	{SLOT_KNOCKING, 0, INT64_MAX},
	{SLOT_WAITING, 0, WAITING_MS + SLOT_TURN_MS},
	{SLOT_SCRAPING, 0, INT64_MAX},
	{SLOT_DRAINING, POLLIN, DRAINING_MS + SLOT_DRAIN_MS},
	{SLOT_SENDING, POLLOUT, SENDING_MS + REQUEST_MS},
};

START_TEST(a_slot_waits_for_its_peer_until_its_deadline)
{
	struct slot *slot = slot_take(&pool, ACCEPTED_MS * 1000 + 999);

	slot->state = waits[_i].state;
	slot->is_known = waits[_i].is_known;
	slot->request.deadline_ms = DEADLINE_MS;
	slot->draining_ms = DRAINING_MS;
	slot->sending_ms = SENDING_MS;
	slot->waiting_ms = WAITING_MS;
	ck_assert_int_eq(slot_events(slot), waits[_i].events);
	ck_assert_int_eq(slot_deadline_ms(slot), waits[_i].deadline_ms);
}
END_TEST

/* ---- which one gives way ---- */

START_TEST(the_oldest_of_an_unknown_sender_gives_way)
{
	struct slot *slots[SLOTS];

	ck_assert_ptr_null(slot_oldest_undecided(&pool, INT64_MAX, false));
	for (int i = 0; i < SLOTS; i++) {
		slots[i] = slot_take(&pool, NOW_US + 1000 * (i == 0 ? SLOTS : i));
		slots[i]->state = SLOT_READING_BODY;
	}
	ck_assert_ptr_eq(slot_oldest_undecided(&pool, INT64_MAX, false), slots[1]);
	slots[1]->is_known = true;
	ck_assert_ptr_eq(slot_oldest_undecided(&pool, INT64_MAX, false), slots[2]);
	slots[2]->state = SLOT_COMMITTING;
	slots[0]->state = SLOT_READING_HEAD;
	ck_assert_ptr_eq(slot_oldest_undecided(&pool, INT64_MAX, false), slots[0]);
	slots[0]->state = SLOT_SENDING;
	ck_assert_ptr_eq(slot_oldest_undecided(&pool, INT64_MAX, false), slots[1]);
	ck_assert_ptr_null(slot_oldest_undecided(&pool, slots[1]->accepted_us, false));
	/* One that is drained goes first, however young. */
	slots[0]->state = SLOT_DRAINING;
	ck_assert_ptr_eq(slot_oldest_undecided(&pool, 0, false), slots[0]);
	slots[0]->state = SLOT_SENDING;
	/* For bytes, one that has some. */
	ck_assert_ptr_null(slot_oldest_undecided(&pool, INT64_MAX, true));
	buf_add_text(&slots[1]->body, "{");
	pool.buffered = 1;
	ck_assert_ptr_eq(slot_oldest_undecided(&pool, INT64_MAX, true), slots[1]);
	slot_release(&pool, slots[1]);
	ck_assert_ptr_eq(slot_take(&pool, NOW_US), slots[1]);
	ck_assert(!slots[1]->is_known);
}
END_TEST

START_TEST(the_first_that_waits_for_a_child)
{
	struct slot *slots[SLOTS];

	for (int i = 0; i < SLOTS; i++) {
		slots[i] = slot_take(&pool, NOW_US);
		slots[i]->waiting_ms = i == 1 ? 1000 : 1000 + i;
	}
	ck_assert_ptr_null(slot_first_waiting(&pool));
	slots[0]->state = slots[2]->state = SLOT_WAITING;
	ck_assert_ptr_eq(slot_first_waiting(&pool), slots[0]);
	slots[0]->waiting_ms = 1003;
	ck_assert_ptr_eq(slot_first_waiting(&pool), slots[2]);
	slots[1]->state = SLOT_WAITING;
	ck_assert_ptr_eq(slot_first_waiting(&pool), slots[1]);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("slot");
	TCase *tcase = tcase_create("slot");

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, every_slot_is_taken_once);
	tcase_add_test(tcase, no_slot_is_free_without_memory);
	tcase_add_test(tcase, the_last_one_released_is_taken_first);
	tcase_add_test(tcase, a_body_has_room_for_two_reads_more_than_is_large);
	tcase_add_loop_test(tcase, a_slot_gives_back_what_it_has_buffered, 0, LENGTH(ends));
	tcase_add_test(tcase, a_dropped_slot_forgets_its_request);
	tcase_add_test(tcase, a_pool_without_memory_is_closed);
	tcase_add_test(tcase, the_oldest_of_an_unknown_sender_gives_way);
	tcase_add_test(tcase, the_first_that_waits_for_a_child);
	tcase_add_loop_test(tcase, a_slot_waits_for_its_peer_until_its_deadline, 0, LENGTH(waits));
	suite_add_tcase(suite, tcase);
	return suite;
}
