/*
 * test_request.c - lists of requests keep order, sums and the earliest deadline.
 */
#include "check_main.h"
#include "commit/request.h"

enum { MEMBERS = 64, SIGNALS = 4 };

static struct signal signals[SIGNALS];
static struct commit_reject rejects[SIGNALS];
static struct commit_request requests[MEMBERS];

/* Signal i has 10^i bytes of payload, and 5 raw ones where it was repaired. */
static void set_up(void)
{
	static const size_t sizes[SIGNALS] = {1, 10, 100, 1000};
	static const char text[1000] = "";

	for (int i = 0; i < SIGNALS; i++) {
		signals[i] = (struct signal){.payload = {text, sizes[i]}};
		if (i % 2 == 1)
			signals[i].payload_raw = (struct slice){text, 5};
		rejects[i] = (struct commit_reject){.payload = {text, 7}};
	}
	for (int i = 0; i < MEMBERS; i++)
		requests[i] = (struct commit_request){.deadline_ms = 1000};
}

static void check_empty(const struct commit_list *list)
{
	ck_assert_ptr_null(list->first);
	ck_assert_ptr_null(list->last);
	ck_assert_uint_eq(list->requests, 0);
	ck_assert_uint_eq(list->rows, 0);
	ck_assert_uint_eq(list->bytes, 0);
	ck_assert_uint_eq(list->rejects, 0);
	ck_assert(list->earliest_ms == INT64_MAX);
}

/* The sums must be those of the requests that are in the list. */
static void check_sums(const struct commit_list *list)
{
	const struct commit_request *last = NULL;
	size_t count = 0;
	size_t rows = 0;
	size_t rejected = 0;
	size_t bytes = 0;

	for (const struct commit_request *m = list->first; m != NULL; last = m, m = m->queue.next) {
		count++;
		rows += m->queue.as_rejects ? 0 : m->item_count;
		rejected += m->reject_count + (m->queue.as_rejects ? m->item_count : 0);
		bytes += commit_request_bytes(m);
		ck_assert(list->earliest_ms <= m->deadline_ms);
	}
	ck_assert_ptr_eq(list->last, last);
	ck_assert_uint_eq(list->requests, count);
	ck_assert_uint_eq(list->rows, rows);
	ck_assert_uint_eq(list->bytes, bytes);
	ck_assert_uint_eq(list->rejects, rejected);
}

START_TEST(bytes_are_those_of_all_payloads)
{
	static const size_t expected[SIGNALS + 1] = {0, 1, 16, 116, 1121};
	struct commit_request request = {.signals = signals, .item_count = (size_t)_i};

	ck_assert_uint_eq(commit_request_bytes(&request), expected[_i]);
}
END_TEST

START_TEST(bytes_are_those_of_product_orgs)
{
	static const struct product_org rows[] = {
		{.payload = {"", 100}, .custom = {"", 20}, .feature_flags = {"", 3}},
		{.payload = {"", 4000}, .payload_raw = {"", 50000}},
	};
	struct commit_request request = {.product_orgs = rows, .item_count = 2};

	ck_assert_uint_eq(commit_request_bytes(&request), 54123);
}
END_TEST

START_TEST(bytes_are_those_of_rejects_too)
{
	struct commit_request request = {.signals = signals,
					 .item_count = 2,
					 .rejects = rejects,
					 .reject_count = (size_t)_i};

	ck_assert_uint_eq(commit_request_bytes(&request), 16 + 7 * (size_t)_i);
}
END_TEST

/* Once, and only where there is something to keep and it is wanted. */
START_TEST(unstorable_items_become_rejects_once)
{
	struct commit_request request = {.signals = signals,
					 .item_count = (size_t)_i,
					 .rejects = rejects,
					 .reject_count = 3};

	ck_assert(!commit_request_reject_items(&request));
	request.reject_unstorable = true;
	ck_assert_uint_eq(commit_request_items(&request), (size_t)_i);
	ck_assert_uint_eq(commit_request_rejects(&request), 3);
	ck_assert_int_eq(commit_request_reject_items(&request), _i > 0);
	ck_assert_uint_eq(commit_request_items(&request), 0);
	ck_assert_uint_eq(commit_request_rejects(&request), 3 + (size_t)_i);
	ck_assert(!commit_request_reject_items(&request));
}
END_TEST

START_TEST(a_list_begins_empty)
{
	struct commit_list list = COMMIT_LIST_EMPTY;

	check_empty(&list);
}
END_TEST

START_TEST(members_leave_in_the_order_they_came)
{
	struct commit_list list = COMMIT_LIST_EMPTY;

	for (int i = 0; i < _i; i++) {
		requests[i].signals = signals;
		requests[i].item_count = (size_t)i % (SIGNALS + 1);
		requests[i].rejects = rejects;
		requests[i].reject_count = (size_t)i % 3;
		requests[i].queue.as_rejects = i % 4 == 1;
		/* Left over from another list: it must not tie the lists together. */
		requests[i].queue.next = &requests[0];
		commit_list_append(&list, &requests[i]);
		check_sums(&list);
	}
	for (int i = 0; i < _i; i++) {
		ck_assert_ptr_eq(commit_list_take(&list), &requests[i]);
		check_sums(&list);
	}
	check_empty(&list);
}
END_TEST

START_TEST(a_member_may_come_back)
{
	struct commit_list list = COMMIT_LIST_EMPTY;

	for (int i = 0; i < 3; i++)
		commit_list_append(&list, &requests[i]);
	for (int i = 0; i < 10; i++) {
		struct commit_request *first = commit_list_take(&list);
		ck_assert_ptr_eq(first, &requests[i % 3]);
		commit_list_append(&list, first);
		check_sums(&list);
		ck_assert_uint_eq(list.requests, 3);
	}
}
END_TEST

START_TEST(members_move_between_lists)
{
	struct commit_list from = COMMIT_LIST_EMPTY;
	struct commit_list to = COMMIT_LIST_EMPTY;

	for (int i = 0; i < 5; i++) {
		requests[i].signals = signals;
		requests[i].item_count = (size_t)i % (SIGNALS + 1);
		commit_list_append(&from, &requests[i]);
	}
	for (int i = 0; i < 5; i++) {
		commit_list_append(&to, commit_list_take(&from));
		check_sums(&from);
		check_sums(&to);
	}
	check_empty(&from);
	for (int i = 0; i < 5; i++)
		ck_assert_ptr_eq(commit_list_take(&to), &requests[i]);
}
END_TEST

static const struct {
	int64_t deadlines[4];
	int64_t earliest;
} deadlines[] = {
	{{1, 2, 3, 4}, 1},
	{{4, 3, 2, 1}, 1},
	{{3, 1, 4, 2}, 1},
	{{5, 5, 5, 5}, 5},
	{{0, INT64_MAX, 7, 7}, 0},
	{{-3, -4, 0, 1}, -4},
	{{INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX}, INT64_MAX},
	{{INT64_MAX, INT64_MIN, 0, 0}, INT64_MIN},
};

START_TEST(the_earliest_deadline_is_known)
{
	struct commit_list list = COMMIT_LIST_EMPTY;

	for (int i = 0; i < 4; i++) {
		requests[i].deadline_ms = deadlines[_i].deadlines[i];
		commit_list_append(&list, &requests[i]);
		check_sums(&list);
	}
	ck_assert(list.earliest_ms == deadlines[_i].earliest);
	/* It is a bound: it may stay when its request leaves, but not when all have left. */
	for (int i = 0; i < 4; i++) {
		(void)commit_list_take(&list);
		check_sums(&list);
	}
	check_empty(&list);
	requests[0].deadline_ms = 9;
	commit_list_append(&list, &requests[0]);
	ck_assert(list.earliest_ms == 9);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("commit_request");
	TCase *tests = tcase_create("commit_request");

	tcase_add_checked_fixture(tests, set_up, NULL);
	tcase_add_loop_test(tests, bytes_are_those_of_all_payloads, 0, SIGNALS + 1);
	tcase_add_test(tests, bytes_are_those_of_product_orgs);
	tcase_add_loop_test(tests, bytes_are_those_of_rejects_too, 0, SIGNALS + 1);
	tcase_add_loop_test(tests, unstorable_items_become_rejects_once, 0, SIGNALS + 1);
	tcase_add_test(tests, a_list_begins_empty);
	tcase_add_loop_test(tests, members_leave_in_the_order_they_came, 0, MEMBERS + 1);
	tcase_add_test(tests, a_member_may_come_back);
	tcase_add_test(tests, members_move_between_lists);
	tcase_add_loop_test(tests, the_earliest_deadline_is_known, 0, LENGTH(deadlines));
	suite_add_tcase(suite, tests);
	return suite;
}
