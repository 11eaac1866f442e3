/*
 * test_entity.c - an entity's items as JSON and as cells.
 */
#include <string.h>

#include "check_main.h"
#include "store/entity.h"
#include "store/key.h"
#include "store/member.h"
#include "store/organization.h"
#include "store/rejected.h"
#include "store/usage.h"

/* The JSON of a list, terminated. */
static const char *json_of(const struct store_list *list, struct buf *out)
{
	struct json_tree tree = {0};

	store_list_json(list, &tree, json_tree_array(&tree, NULL, NULL));
	json_tree_write(&tree, out);
	json_tree_free(&tree);
	buf_add_char(out, '\0');
	ck_assert_int_eq(out->status, STATUS_OK);
	return out->p;
}

/* The cells of an item in a list, with commas; "-" for an absent one. */
static const char *cells_of(const struct store_entity *entity, const void *item,
			    struct arena *arena, struct buf *out)
{
	for (size_t i = 0; i < entity->count; i++) {
		struct slice cell = SLICE("not set");
		if (entity->columns[i].heading == NULL)
			continue;
		ck_assert_int_eq(store_item_cell(&entity->columns[i], item, arena, &cell),
				 STATUS_OK);
		buf_add_text(out, out->n == 0 ? "" : ",");
		buf_add_slice(out, cell.p == NULL ? SLICE("-") : cell);
	}
	buf_add_char(out, '\0');
	ck_assert_int_eq(out->status, STATUS_OK);
	return out->p;
}

START_TEST(a_list_is_an_array_of_objects)
{
	struct store_organization items[] = {
		{1, SLICE("a\"b"), 2, 0, SLICE("EUR"), SLICE("2026-01-01T00:00:00Z"), SLICE("x")},
		{INT64_MAX, SLICE(""), 0, 3, SLICE("USD"), {NULL, 0}, {NULL, 0}},
	};
	const struct store_list list = {&store_organization_entity, items, 2};
	struct buf out = buf_make(4096);

	ck_assert_str_eq(
		json_of(&list, &out),
		"[{\"id\":1,\"name\":\"a\\\"b\",\"members\":2,\"keys\":0,\"currency\":\"EUR\","
		"\"created_at\":\"2026-01-01T00:00:00Z\",\"created_by\":\"x\"},"
		"{\"id\":9223372036854775807,\"name\":\"\",\"members\":0,\"keys\":3,\"currency\":\"USD\","
		"\"created_at\":null,\"created_by\":null}]");
	buf_free(&out);
}
END_TEST

START_TEST(json_of_the_database_passes_through)
{
	struct store_rejected item = {
		.id = 7,
		.position = SLICE("12"),
		.replayed_ids = SLICE("[1, 2]"),
		.truncated = true,
		.envelope = SLICE("{\"n\": 1.0}"),
		.payload_bytes = {NULL, 0},
	};
	const struct store_list list = {&store_rejected_entity, &item, 1};
	struct buf out = buf_make(4096);
	const char *json = json_of(&list, &out);

	ck_assert_ptr_nonnull(strstr(json, "\"position\":12,"));
	ck_assert_ptr_nonnull(strstr(json, "\"replayed_ids\":[1, 2],"));
	ck_assert_ptr_nonnull(strstr(json, "\"truncated\":true,\"envelope\":{\"n\": 1.0},"));
	ck_assert_ptr_nonnull(strstr(json, "\"payload_bytes\":null,"));
	buf_free(&out);
}
END_TEST

START_TEST(a_key_has_all_its_members)
{
	static const char *const members[] = {"id",
					      "organization",
					      "name",
					      "display",
					      "endpoint_type",
					      "has_secret",
					      "status",
					      "expires_at",
					      "created_at",
					      "created_by",
					      "last_used_at",
					      "deactivated_at",
					      "deactivated_by",
					      "last_refused_at",
					      "last_refused_reason",
					      "payload_template",
					      "delivery_id_member",
					      "networks",
					      "successor_of",
					      "successor",
					      "secret_made_at",
					      "old_secret_until",
					      "secret_needed_from"};

	ck_assert_uint_eq(store_key_entity.count, (size_t)LENGTH(members));
	for (int i = 0; i < LENGTH(members); i++) {
		ck_assert_str_eq(store_key_entity.columns[i].member, members[i]);
		ck_assert_ptr_nonnull(store_key_entity.columns[i].sql);
	}
	ck_assert_int_eq(store_key_entity.columns[15].type, STORE_JSON);
}
END_TEST

static const struct {
	const char *json, *cell;
} networks[] = {
	{"[\"192.0.2.0/24\"]", "192.0.2.0/24"},
	{"[\"192.0.2.0/24\",\"::/0\"]", "192.0.2.0/24 +1"},
	{"[\"::/0\",\"192.0.2.1/32\",\"192.0.2.2/32\"]", "::/0 +2"},
};

START_TEST(networks_are_listed_by_their_first)
{
	struct arena arena = {0};
	struct slice cell;
	const struct store_key key = {.networks = slice_of(networks[_i].json)};
	const struct store_column *column = store_key_entity.columns;

	while (strcmp(column->member, "networks") != 0)
		column++;
	ck_assert_int_eq(store_item_cell(column, &key, &arena, &cell), STATUS_OK);
	ck_assert(slice_equal(cell, slice_of(networks[_i].cell)));
	arena_free(&arena);
}
END_TEST

static const struct {
	struct store_usage usage;
	const char *cells;
} usages[] = {
	{{SLICE("a"), SLICE("2026-01"), 5, 1, 0, false}, "a,2026-01,5,1,-,-,-"},
	{{SLICE("a"), SLICE("2026-01"), 5, 1, 0, true}, "a,2026-01,5,1,-,-,-"},
	{{SLICE("a"), SLICE("2026-01"), 999, 0, 1000, false}, "a,2026-01,999,0,1000,99 %,refused"},
	{{SLICE("a"), SLICE("2026-01"), 1000, 0, 1000, true},
	 "a,2026-01,1000,0,1000,100 %,accepted"},
	{{SLICE("a"), SLICE("2026-01"), 0, 0, INT64_MAX, true},
	 "a,2026-01,0,0,9223372036854775807,0 %,accepted"},
};

START_TEST(usage_is_shown_beside_its_limit)
{
	struct arena arena = {0};
	struct buf out = buf_make(4096);

	ck_assert_str_eq(cells_of(&store_usage_entity, &usages[_i].usage, &arena, &out),
			 usages[_i].cells);
	buf_free(&out);
	arena_free(&arena);
}
END_TEST

START_TEST(a_boolean_is_yes_or_no)
{
	struct arena arena = {0};
	struct buf out = buf_make(4096);
	const struct store_key key = {.id = -3, .has_secret = true, .status = SLICE("active")};

	ck_assert_str_eq(cells_of(&store_key_entity, &key, &arena, &out),
			 "-3,-,-,-,-,yes,active,-,-,-");
	buf_free(&out);
	arena_free(&arena);
}
END_TEST

static enum status show_usage(void)
{
	struct arena arena = {0};
	enum status status = STATUS_OK;

	for (size_t i = 0; i < store_usage_entity.count && status == STATUS_OK; i++) {
		struct slice cell;
		status = store_item_cell(&store_usage_entity.columns[i], &usages[2].usage, &arena,
					 &cell);
	}
	arena_free(&arena);
	return status;
}

START_TEST(cells_are_made_without_memory)
{
	ck_assert_int_ge(unit_torture(show_usage), 1);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("entity");
	TCase *tests = tcase_create("entity");

	tcase_add_test(tests, a_list_is_an_array_of_objects);
	tcase_add_test(tests, json_of_the_database_passes_through);
	tcase_add_test(tests, a_key_has_all_its_members);
	tcase_add_loop_test(tests, usage_is_shown_beside_its_limit, 0, LENGTH(usages));
	tcase_add_test(tests, a_boolean_is_yes_or_no);
	tcase_add_loop_test(tests, networks_are_listed_by_their_first, 0, LENGTH(networks));
	tcase_add_test(tests, cells_are_made_without_memory);
	suite_add_tcase(suite, tests);
	return suite;
}
