/*
 * test_template_cache.c - templates are kept by key, no more than there is room for; the one used
 * longest ago goes first.
 */
#include <stdio.h>
#include <string.h>

#include "check_main.h"
#include "model/template_cache.h"

static struct template_cache *cache;

static void set_up(void)
{
	cache = template_cache_open();
	ck_assert_ptr_nonnull(cache);
}

static void tear_down(void)
{
	template_cache_close(cache);
}

static struct credential_hash hash_of(int number)
{
	struct credential_hash hash = {0};

	memcpy(hash.bytes, &number, sizeof(number));
	return hash;
}

/* Each key's template has its number as version. */
static enum status add(int number)
{
	struct credential_hash hash = hash_of(number);
	char text[64];

	(void)snprintf(text, sizeof(text), "{\"product_org_id\":\"id%d\"}", number);
	return template_cache_add(cache, &hash, number, slice_of(text));
}

static const struct template *find(const struct credential_hash *hash)
{
	int64_t version = -1;
	const struct template *template = template_cache_find(cache, hash, &version);

	ck_assert(template != NULL || version == 0);
	return template;
}

/* Whether the key's template is there, and is the key's. */
static bool has(int number)
{
	struct credential_hash hash = hash_of(number);
	struct arena arena = {0};
	struct product_org row;
	char text[64];
	int64_t version = -1;
	const struct template *template = template_cache_find(cache, &hash, &version);

	(void)snprintf(text, sizeof(text), "{\"id%d\":\"x\"}", number);
	bool its = template != NULL && template_apply(template, &arena, slice_of(text), false,
						      INT64_MAX, &row) == STATUS_OK;
	ck_assert(its ? version == number : template == NULL && version == 0);
	arena_free(&arena);
	return its;
}

START_TEST(what_was_added_is_found)
{
	struct credential_hash hash = hash_of(1);

	ck_assert(!has(1));
	ck_assert_int_eq(add(1), STATUS_OK);
	ck_assert(has(1) && !has(2));
	const struct template *first = find(&hash);
	ck_assert_int_eq(add(1), STATUS_OK);
	ck_assert_ptr_eq(find(&hash), first);
}
END_TEST

START_TEST(another_version_takes_the_place)
{
	struct credential_hash hash = hash_of(1);
	int64_t version;

	for (int i = 0; i < TEMPLATE_CACHE_KEYS; i++)
		ck_assert_int_eq(add(i), STATUS_OK);
	const struct template *before = find(&hash);
	ck_assert_int_eq(template_cache_add(cache, &hash, -7, SLICE("{\"product_org_id\":\"x\"}")),
			 STATUS_OK);
	const struct template *after = template_cache_find(cache, &hash, &version);
	ck_assert_int_eq(version, -7);
	ck_assert_ptr_nonnull(after);
	ck_assert_ptr_ne(after, before);
	ck_assert(has(0) && has(2) && has(TEMPLATE_CACHE_KEYS - 1));
}
END_TEST

/* What the database says is not read is not to be used in its place. */
START_TEST(a_bad_version_leaves_the_one_before)
{
	struct credential_hash hash = hash_of(1);

	ck_assert_int_eq(add(1), STATUS_OK);
	ck_assert_int_eq(template_cache_add(cache, &hash, 2, SLICE("{}")), STATUS_MISCONFIGURED);
	ck_assert(has(1));
}
END_TEST

START_TEST(the_last_byte_of_a_key_matters)
{
	struct credential_hash other = hash_of(1);

	ck_assert_int_eq(add(1), STATUS_OK);
	other.bytes[sizeof(other.bytes) - 1] ^= 1;
	ck_assert_ptr_null(find(&other));
}
END_TEST

START_TEST(the_one_used_longest_ago_goes)
{
	for (int i = 0; i < TEMPLATE_CACHE_KEYS; i++)
		ck_assert_int_eq(add(i), STATUS_OK);
	ck_assert(has(0));
	ck_assert_int_eq(add(TEMPLATE_CACHE_KEYS), STATUS_OK);
	ck_assert(has(0) && !has(1) && has(2) && has(TEMPLATE_CACHE_KEYS));
	for (int i = 1000; i < 1000 + TEMPLATE_CACHE_KEYS; i++)
		ck_assert_int_eq(add(i), STATUS_OK);
	ck_assert(!has(0) && has(1000) && has(1000 + TEMPLATE_CACHE_KEYS - 1));
}
END_TEST

START_TEST(what_is_no_template_is_not_kept)
{
	static const char *const texts[] = {NULL, "", "7", "{}", "{\"product_org_id\":\"a..b\"}"};
	struct credential_hash hash = hash_of(7);
	long before = unit_allocations();
	enum status status = template_cache_add(cache, &hash, 7, slice_of(texts[_i]));
	long after = unit_allocations();
	ck_assert_int_eq(status, STATUS_MISCONFIGURED);
	ck_assert_int_eq(after, before);
	ck_assert_ptr_null(find(&hash));
}
END_TEST

static enum status fill(void)
{
	cache = template_cache_open();
	enum status status = cache == NULL ? STATUS_NO_MEMORY : STATUS_OK;
	for (int i = 0; i < 3 && status == STATUS_OK; i++)
		status = add(i);
	template_cache_close(cache);
	return status;
}

START_TEST(failing_allocations_are_told)
{
	ck_assert_int_ge(unit_torture(fill), 4);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("template_cache");
	TCase *all = tcase_create("all");
	TCase *memory = tcase_create("memory");

	tcase_add_checked_fixture(all, set_up, tear_down);
	tcase_add_test(all, what_was_added_is_found);
	tcase_add_test(all, another_version_takes_the_place);
	tcase_add_test(all, a_bad_version_leaves_the_one_before);
	tcase_add_test(all, the_last_byte_of_a_key_matters);
	tcase_add_test(all, the_one_used_longest_ago_goes);
	tcase_add_loop_test(all, what_is_no_template_is_not_kept, 0, 5);
	tcase_add_test(memory, failing_allocations_are_told);
	suite_add_tcase(suite, all);
	suite_add_tcase(suite, memory);
	return suite;
}
