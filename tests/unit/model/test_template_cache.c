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

static enum status add(int number, const struct template **compiled)
{
	struct credential_hash hash = hash_of(number);
	char text[64];

	(void)snprintf(text, sizeof(text), "{\"product_org_id\":\"id%d\"}", number);
	return template_cache_add(cache, &hash, slice_of(text), compiled);
}

/* Whether the key's template is there, and is the key's. */
static bool has(int number)
{
	struct credential_hash hash = hash_of(number);
	struct arena arena = {0};
	struct product_org row;
	char text[64];
	const struct template *template = template_cache_find(cache, &hash);

	(void)snprintf(text, sizeof(text), "{\"id%d\":\"x\"}", number);
	bool its = template != NULL && template_apply(template, &arena, slice_of(text), false,
						      INT64_MAX, &row) == STATUS_OK;
	ck_assert(its || template == NULL);
	arena_free(&arena);
	return its;
}

START_TEST(what_was_added_is_found)
{
	const struct template *first, *again;

	ck_assert(!has(1));
	ck_assert_int_eq(add(1, &first), STATUS_OK);
	ck_assert(has(1) && !has(2));
	ck_assert_int_eq(add(1, &again), STATUS_OK);
	ck_assert_ptr_eq(first, again);
}
END_TEST

START_TEST(the_last_byte_of_a_key_matters)
{
	const struct template *compiled;
	struct credential_hash other = hash_of(1);

	ck_assert_int_eq(add(1, &compiled), STATUS_OK);
	other.bytes[sizeof(other.bytes) - 1] ^= 1;
	ck_assert_ptr_null(template_cache_find(cache, &other));
}
END_TEST

START_TEST(the_one_used_longest_ago_goes)
{
	const struct template *compiled;

	for (int i = 0; i < TEMPLATE_CACHE_KEYS; i++)
		ck_assert_int_eq(add(i, &compiled), STATUS_OK);
	ck_assert(has(0));
	ck_assert_int_eq(add(TEMPLATE_CACHE_KEYS, &compiled), STATUS_OK);
	ck_assert(has(0) && !has(1) && has(2) && has(TEMPLATE_CACHE_KEYS));
	for (int i = 1000; i < 1000 + TEMPLATE_CACHE_KEYS; i++)
		ck_assert_int_eq(add(i, &compiled), STATUS_OK);
	ck_assert(!has(0) && has(1000) && has(1000 + TEMPLATE_CACHE_KEYS - 1));
}
END_TEST

START_TEST(what_is_no_template_is_not_kept)
{
	static const char *const texts[] = {NULL, "", "7", "{}", "{\"product_org_id\":\"a..b\"}"};
	struct credential_hash hash = hash_of(7);
	const struct template *compiled;

	long before = unit_allocations();
	enum status status = template_cache_add(cache, &hash, slice_of(texts[_i]), &compiled);
	long after = unit_allocations();
	ck_assert_int_eq(status, STATUS_MISCONFIGURED);
	ck_assert_int_eq(after, before);
	ck_assert_ptr_null(compiled);
	ck_assert_ptr_null(template_cache_find(cache, &hash));
}
END_TEST

static enum status fill(void)
{
	const struct template *compiled;

	cache = template_cache_open();
	enum status status = cache == NULL ? STATUS_NO_MEMORY : STATUS_OK;
	for (int i = 0; i < 3 && status == STATUS_OK; i++)
		status = add(i, &compiled);
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
	tcase_add_test(all, the_last_byte_of_a_key_matters);
	tcase_add_test(all, the_one_used_longest_ago_goes);
	tcase_add_loop_test(all, what_is_no_template_is_not_kept, 0, 5);
	tcase_add_test(memory, failing_allocations_are_told);
	suite_add_tcase(suite, all);
	suite_add_tcase(suite, memory);
	return suite;
}
