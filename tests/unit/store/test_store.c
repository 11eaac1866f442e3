/*
 * test_store.c - statements made from entities, and their rows, over a libpq that plays scripts.
 */
#include <string.h>

#include "base/clock.h"
#include "check_main.h"
#include "pg/scripted_libpq.h"
#include "store/member.h"
#include "store/organization.h"
#include "store/settings.h"

static const struct store_selection everything = {.limit = {NULL, 0}};
static struct arena arena;
static struct store store;

/* Plays a script that begins with LIBPQ_CONNECT. */
static void connect_by(const struct libpq_call *script)
{
	const struct pg_options options = {
		.conninfo = "", .application_name = "unit", .quiet = true};

	libpq_play(script);
	store = (struct store){
		.arena = &arena, .actor = SLICE("a"), .deadline_ms = clock_now_ms() + 60000};
	ck_assert_int_eq(pg_open(&store.db, &options), STATUS_OK);
	ck_assert_int_eq(pg_connect(store.db, store.deadline_ms), STATUS_OK);
}

static void close_and_check(void)
{
	pg_close(store.db);
	arena_free(&arena);
	libpq_check_end();
}

/* ---- rows ---- */

static const struct libpq_value organizations[] = {
	{"1", 1},   {"first", 5},
	{"2", 1},   {"30", 2},
	{"EUR", 3}, {"2026-01-01T00:00:00Z", 20},
	{"x", 1},   {"9223372036854775807", 19},
	{"", 0},    {"0", 1},
	{"0", 1},   {"USD", 3},
	{NULL, 0},  {NULL, 0},
};
static const struct libpq_result two_organizations = {
	.status = PGRES_TUPLES_OK, .rows = 2, .columns = 7, .values = organizations};

#define LIST_ORGANIZATIONS                                                                                                                                      \
	"SELECT id, name, members, keys, currency, to_json((created_at) AT TIME ZONE 'UTC') #>> '{}' || 'Z', created_by FROM sluice.organization_list() WHERE " \
	"($1::text IS NULL OR strpos(lower(name), lower($1::text)) > 0) LIMIT $2::bigint"

START_TEST(rows_become_items)
{
	static const struct libpq_call script[] = {LIBPQ_CONNECT,
						   LIBPQ_SEND(LIST_ORGANIZATIONS "(null|null)"),
						   LIBPQ_ANSWER(&two_organizations),
						   LIBPQ_FINISH,
						   {0}};
	struct store_list list;

	connect_by(script);
	ck_assert_int_eq(store_organization_list(&store, &everything, &list), STATUS_OK);
	ck_assert_uint_eq(list.count, 2);
	ck_assert_ptr_eq(list.entity, &store_organization_entity);
	const struct store_organization *items = list.items;
	ck_assert_int_eq(items[0].id, 1);
	ck_assert_str_eq(items[0].name.p, "first");
	ck_assert_int_eq(items[0].members, 2);
	ck_assert_int_eq(items[0].keys, 30);
	ck_assert_str_eq(items[0].created_at.p, "2026-01-01T00:00:00Z");
	ck_assert_str_eq(items[0].created_by.p, "x");
	ck_assert(items[1].id == INT64_MAX);
	ck_assert_str_eq(items[1].name.p, "");
	ck_assert_ptr_null(items[1].created_at.p);
	close_and_check();
}
END_TEST

static enum status list_organizations(void)
{
	static const struct libpq_call script[] = {
		LIBPQ_CONNECT, LIBPQ_SEND(NULL), LIBPQ_ANSWER(&two_organizations), {0}};
	const struct pg_options options = {
		.conninfo = "", .application_name = "unit", .quiet = true};
	struct store_list list;

	libpq_play(script);
	store = (struct store){.arena = &arena, .deadline_ms = clock_now_ms() + 60000};
	enum status status = pg_open(&store.db, &options);
	if (status == STATUS_OK)
		status = pg_connect(store.db, store.deadline_ms);
	if (status == STATUS_OK)
		status = store_organization_list(&store, &everything, &list);
	/* Wherever in the script that was. */
	if (store.db != NULL)
		pg_abandon(store.db);
	pg_close(store.db);
	libpq_forget();
	arena_free(&arena);
	return status;
}

START_TEST(rows_become_items_without_memory)
{
	ck_assert_int_ge(unit_torture(list_organizations), 2);
}
END_TEST

START_TEST(no_membership_is_not_a_member)
{
	static const struct libpq_result none = {.status = PGRES_TUPLES_OK, .columns = 4};
	static const struct libpq_call script[] = {
		LIBPQ_CONNECT,
		LIBPQ_SEND(
			"SELECT id, name, role, may_manage_keys FROM sluice.settings_me($1::text)(a)"),
		LIBPQ_ANSWER(&none),
		LIBPQ_FINISH,
		{0}};
	struct store_list list;

	connect_by(script);
	ck_assert_int_eq(store_settings_me(&store, &list), STATUS_NOT_A_MEMBER);
	ck_assert_uint_eq(list.count, 0);
	close_and_check();
}
END_TEST

/* ---- what a statement must return ---- */

START_TEST(another_shape_is_a_defect)
{
	static const struct libpq_result narrow = {
		.status = PGRES_TUPLES_OK, .rows = 1, .columns = 5, .values = organizations};
	static const struct libpq_result two_keys = {
		.status = PGRES_TUPLES_OK, .rows = 2, .columns = 16};
	static const struct libpq_call script[] = {LIBPQ_CONNECT,
						   LIBPQ_SEND(NULL),
						   LIBPQ_ANSWER(&narrow),
						   LIBPQ_SEND(NULL),
						   LIBPQ_ANSWER(&two_keys),
						   LIBPQ_FINISH,
						   {0}};
	struct store_list list;
	struct store_key key;

	connect_by(script);
	ck_assert_int_eq(store_organization_list(&store, &everything, &list), STATUS_INTERNAL);
	ck_assert_int_eq(store_key_show(&store, 7, &key), STATUS_INTERNAL);
	close_and_check();
}
END_TEST

/* ---- conflicts ---- */

static const struct libpq_result conflict = LIBPQ_ERROR("40001", "could not serialize access");
static const struct libpq_value empty = {"", 0};
static const struct libpq_result done = {
	.status = PGRES_TUPLES_OK, .rows = 1, .columns = 1, .values = &empty};

#define ADD    "SELECT sluice.member_add($1::text, $2::text, $3::text, $4::text)(a|o|u|viewer)"
#define REMOVE "SELECT sluice.member_remove($1::text, $2::text, $3::text)(a|o|u)"

START_TEST(a_conflict_is_tried_again)
{
	static const struct libpq_call script[] = {LIBPQ_CONNECT,
						   LIBPQ_SEND(ADD),
						   LIBPQ_ANSWER(&conflict),
						   LIBPQ_SEND(ADD),
						   LIBPQ_ANSWER(&conflict),
						   LIBPQ_SEND(ADD),
						   LIBPQ_ANSWER(&done),
						   LIBPQ_FINISH,
						   {0}};

	connect_by(script);
	ck_assert_int_eq(store_member_add(&store, SLICE("o"), SLICE("u"), SLICE("viewer")),
			 STATUS_OK);
	close_and_check();
}
END_TEST

START_TEST(a_conflict_is_tried_three_times)
{
	static const struct libpq_call script[] = {LIBPQ_CONNECT,
						   LIBPQ_SEND(REMOVE),
						   LIBPQ_ANSWER(&conflict),
						   LIBPQ_SEND(REMOVE),
						   LIBPQ_ANSWER(&conflict),
						   LIBPQ_SEND(REMOVE),
						   LIBPQ_ANSWER(&conflict),
						   LIBPQ_FINISH,
						   {0}};

	connect_by(script);
	ck_assert_int_eq(store_member_remove(&store, SLICE("o"), SLICE("u")), STATUS_CONFLICT);
	ck_assert_str_eq(pg_message(store.db), "could not serialize access");
	close_and_check();
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("store");
	TCase *tests = tcase_create("store");

	tcase_add_test(tests, rows_become_items);
	tcase_add_test(tests, rows_become_items_without_memory);
	tcase_add_test(tests, no_membership_is_not_a_member);
	tcase_add_test(tests, another_shape_is_a_defect);
	tcase_add_test(tests, a_conflict_is_tried_again);
	tcase_add_test(tests, a_conflict_is_tried_three_times);
	suite_add_tcase(suite, tests);
	return suite;
}
