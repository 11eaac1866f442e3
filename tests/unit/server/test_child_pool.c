/*
 * test_child_pool.c - whose child gives way to whose request. A child is written as its
 * organization's letter and its key's digit: "a1".
 */
#include <string.h>

#include "check_main.h"
#include "server/child_pool.h"

static struct child_pool pool;

static void set_up(void)
{
	pool = (struct child_pool){0};
}

static struct child_owner owner_of(const char *name)
{
	struct child_owner owner = {.organization_id = name[0]};

	memset(owner.key_hash.bytes, name[1], sizeof(owner.key_hash.bytes));
	owner.key_hash.bytes[0] = (unsigned char)name[0];
	return owner;
}

/* Their process ids are 1, 2, …, from the oldest on. */
static void fill(const char *children)
{
	for (pid_t pid = 1; *children != '\0'; children += 3, pid++) {
		struct child_owner owner = owner_of(children);
		child_pool_add(&pool, pid, &owner);
		if (children[2] == '\0')
			break;
	}
}

/* 0: none does. */
static pid_t gives_way_to(const char *name)
{
	struct child_owner owner = owner_of(name);
	const struct child *child = child_pool_give_way(&pool, &owner);

	ck_assert(child == NULL || child->gives_way);
	return child == NULL ? 0 : child->pid;
}

static const struct {
	const char *children, *newcomer;
	pid_t gives_way;
} cases[] =
	{
		{"a1 a1 a1 a1", "b1", 4}, /* the youngest, so that the first come to their end */
		{"a1 a1 a1 a1", "a2", 4},
		{"a1 a1 a1 a1", "a1", 0}, /* it has most itself */
		{"a1 a2 a3 a4", "b1", 4}, /* one organization, many keys */
		{"a1 a2 a3 a4", "a5", 0},
		{"a1 a2 a2 a3", "b1", 3}, /* of its keys the one that has most */
		{"a1 a1 b1 b1", "c1", 4},
		{"a1 a1 b1 b1", "b1", 0}, /* they have alike many */
		{"a1 a1 b1 b1", "b2", 4},
		{"a1 a1 a1 b1", "b1", 3},
		{"a1 a1 b1", "b1", 0}, /* one fewer: it would only change the places */
		{"a1 b1 c1 d1", "e1", 0},
		{"a1", "b1", 0},
		{"a1 a1", "b1", 2},
		{"", "a1", 0},
};

START_TEST(who_has_most_gives_way)
{
	fill(cases[_i].children);
	ck_assert_int_eq(gives_way_to(cases[_i].newcomer), cases[_i].gives_way);
}
END_TEST

/* What has been told to give way is no longer its owner's. */
START_TEST(one_after_the_other_gives_way)
{
	fill("a1 a1 a1 a1");
	ck_assert_int_eq(gives_way_to("b1"), 4);
	ck_assert_int_eq(gives_way_to("b1"), 3);
	ck_assert_int_eq(gives_way_to("c1"), 2);
	ck_assert_int_eq(gives_way_to("d1"), 0); /* the last one is not taken */
}
END_TEST

START_TEST(a_child_that_has_ended_counts_for_nobody)
{
	fill("a1 b1 a1 b2");
	child_pool_remove(&pool, 3);
	child_pool_remove(&pool, 9); /* it is not one of these */
	ck_assert_uint_eq(pool.count, 3);
	ck_assert_int_eq(pool.all[0].pid, 1);
	ck_assert_int_eq(pool.all[2].pid, 4);
	ck_assert_int_eq(gives_way_to("c1"), 4);
	child_pool_remove(&pool, 4);
	child_pool_remove(&pool, 1);
	child_pool_remove(&pool, 2);
	ck_assert_uint_eq(pool.count, 0);
}
END_TEST

START_TEST(there_is_room_for_all)
{
	struct child_owner owner = owner_of("a1");

	for (pid_t pid = 1; pid <= CHILD_POOL_MAX; pid++)
		child_pool_add(&pool, pid, &owner);
	ck_assert_int_eq(gives_way_to("b1"), CHILD_POOL_MAX);
	child_pool_remove(&pool, 1);
	ck_assert_uint_eq(pool.count, CHILD_POOL_MAX - 1);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("child_pool");
	TCase *tests = tcase_create("child_pool");

	tcase_add_checked_fixture(tests, set_up, NULL);
	tcase_add_loop_test(tests, who_has_most_gives_way, 0, LENGTH(cases));
	tcase_add_test(tests, one_after_the_other_gives_way);
	tcase_add_test(tests, a_child_that_has_ended_counts_for_nobody);
	tcase_add_test(tests, there_is_room_for_all);
	suite_add_tcase(suite, tests);
	return suite;
}
