/*
 * test_seed.c - bytes that follow from a request: the same for a retry, others for anything else.
 */
#include <string.h>

#include "check_main.h"
#include "key/new_key.h"
#include "key/seed.h"

static const struct token_key service = {.bytes = {1, 2, 3}};
static const char *const request[SEED_PARTS] = {"token", "alice", "POST", "/keys", "{}"};

static struct seed seed_of(const struct token_key *key, const char *const texts[SEED_PARTS])
{
	struct slice parts[SEED_PARTS];
	struct seed seed;

	for (int i = 0; i < SEED_PARTS; i++)
		parts[i] = slice_of(texts[i]);
	ck_assert_int_eq(seed_make(&seed, key, parts), STATUS_OK);
	return seed;
}

START_TEST(a_retry_makes_the_same_key)
{
	struct seed first = seed_of(&service, request), second = seed_of(&service, request);
	struct new_key made, again;

	ck_assert_int_eq(new_key_make(&made, true, &first), STATUS_OK);
	ck_assert_int_eq(new_key_make(&again, true, &second), STATUS_OK);
	ck_assert(credential_key_is_sound(slice_of(made.key)));
	ck_assert_str_eq(made.key, again.key);
	ck_assert_str_eq(made.secret, again.secret);
	ck_assert_uint_eq(strlen(made.secret), CREDENTIAL_SECRET_CHARS);
	/* The seed has moved on. */
	ck_assert_int_eq(new_key_make(&again, true, &second), STATUS_OK);
	ck_assert_str_ne(made.key, again.key);
	ck_assert_str_ne(made.secret, again.secret);
}
END_TEST

START_TEST(a_secret_alone_is_the_same_again)
{
	struct seed first = seed_of(&service, request), second = seed_of(&service, request);
	struct new_key made, again;

	ck_assert_int_eq(new_key_make_secret(&made, &first), STATUS_OK);
	ck_assert_int_eq(new_key_make_secret(&again, &second), STATUS_OK);
	ck_assert_str_eq(made.secret, again.secret);
	ck_assert(made.has_secret && made.key[0] == '\0');
	ck_assert(credential_hash_is_same(&made.secret_hash, &again.secret_hash));
}
END_TEST

/* Each part counts, and where one ends. */
START_TEST(another_request_makes_another_key)
{
	static const struct token_key other_service = {.bytes = {1, 2, 4}};
	const char *other[SEED_PARTS];
	struct seed seed = seed_of(&service, request), changed = seed_of(&other_service, request);

	ck_assert_mem_ne(seed.bytes, changed.bytes, sizeof(seed.bytes));
	for (int i = 0; i < SEED_PARTS; i++) {
		memcpy(other, request, sizeof(other));
		other[i] = NULL;
		changed = seed_of(&service, other);
		ck_assert_mem_ne(seed.bytes, changed.bytes, sizeof(seed.bytes));
	}
	memcpy(other, request, sizeof(other));
	other[0] = "toke";
	other[1] = "nalice";
	changed = seed_of(&service, other);
	ck_assert_mem_ne(seed.bytes, changed.bytes, sizeof(seed.bytes));
}
END_TEST

START_TEST(a_seed_ends)
{
	struct seed seed = seed_of(&service, request);
	unsigned char bytes[CREDENTIAL_HASH_BYTES], before[CREDENTIAL_HASH_BYTES] = {0};

	for (int i = 0; i < UINT8_MAX; i++) {
		ck_assert_int_eq(seed_take(&seed, bytes, sizeof(bytes)), STATUS_OK);
		ck_assert_mem_ne(bytes, before, sizeof(bytes));
		memcpy(before, bytes, sizeof(bytes));
	}
	ck_assert_int_eq(seed_take(&seed, bytes, 1), STATUS_INTERNAL);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("seed");
	TCase *tests = tcase_create("seed");

	tcase_add_test(tests, a_retry_makes_the_same_key);
	tcase_add_test(tests, a_secret_alone_is_the_same_again);
	tcase_add_test(tests, another_request_makes_another_key);
	tcase_add_test(tests, a_seed_ends);
	suite_add_tcase(suite, tests);
	return suite;
}
