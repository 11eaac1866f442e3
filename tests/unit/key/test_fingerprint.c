/*
 * test_fingerprint.c - what a delivery's repeats share, as 16 bytes: those that
 * sluice.fingerprint() makes (tests/sql/20_delivery_ids.sql has the same).
 */
#include "base/hex.h"
#include "check_main.h"
#include "key/fingerprint.h"

static void check_fingerprint(const struct fingerprint *fingerprint, const char *expected)
{
	char text[2 * FINGERPRINT_BYTES + 1] = "";

	hex_write(fingerprint->bytes, FINGERPRINT_BYTES, text);
	ck_assert_str_eq(text, expected);
}

/* Of Python's hashlib, as the header says. */
START_TEST(each_kind)
{
	struct fingerprint made;

	ck_assert_int_eq(fingerprint_of_event(SLICE("e-1"), SLICE("track"), SLICE("open"), &made),
			 STATUS_OK);
	check_fingerprint(&made, "b94f523196aaacd823a36cb289a0b728");
	ck_assert_int_eq(fingerprint_of_event(SLICE("e-1"), SLICE_ABSENT, SLICE_ABSENT, &made),
			 STATUS_OK);
	check_fingerprint(&made, "b94f523196aaacd85f7ea8c9eedf798c");
	ck_assert_int_eq(fingerprint_of_event(SLICE("e-1"), SLICE(""), SLICE(""), &made),
			 STATUS_OK);
	check_fingerprint(&made, "b94f523196aaacd85f7ea8c9eedf798c");
	ck_assert_int_eq(fingerprint_of_product_org(SLICE("e-1"), SLICE("o"), &made), STATUS_OK);
	check_fingerprint(&made, "b94f523196aaacd8e73db7e42aaf39a4");
	ck_assert_int_eq(fingerprint_of_bytes(SLICE("e-1"), SLICE("{\"a\":\0001}"), &made),
			 STATUS_OK);
	check_fingerprint(&made, "b94f523196aaacd8c369c04a3bd5122f");
}
END_TEST

/* Where one text ends and the next begins is not in doubt. */
START_TEST(parts_are_kept_apart)
{
	struct fingerprint one, other;

	ck_assert_int_eq(fingerprint_of_event(SLICE("id"), SLICE("a"), SLICE("bc"), &one),
			 STATUS_OK);
	ck_assert_int_eq(fingerprint_of_event(SLICE("id"), SLICE("ab"), SLICE("c"), &other),
			 STATUS_OK);
	ck_assert_mem_eq(one.bytes, other.bytes, FINGERPRINT_BYTES / 2);
	ck_assert_mem_ne(one.bytes, other.bytes, FINGERPRINT_BYTES);
	ck_assert_int_eq(fingerprint_of_event(SLICE("ida"), SLICE(""), SLICE("bc"), &other),
			 STATUS_OK);
	ck_assert_mem_ne(one.bytes, other.bytes, FINGERPRINT_BYTES / 2);
}
END_TEST

/* A content of up to 512 bytes, its kind included, is kept from item to item: here 505 of name. */
START_TEST(long_and_alternating_contents)
{
	static const struct {
		size_t n;
		const char *expected;
	} cases[] = {
		{504, "b94f523196aaacd83dd89ce269a585e2"},
		{505, "b94f523196aaacd87b8cd9d12c979dd6"},
		{506, "b94f523196aaacd836d83b123c44605c"},
		{507, "b94f523196aaacd8697061de0584d99f"},
		{600, "b94f523196aaacd84e378fb2cd2c9f8b"},
	};
	char name[600];
	struct fingerprint made;

	memset(name, 'n', sizeof(name));
	for (size_t turn = 0; turn < 2; turn++)
		for (size_t i = 0; i < ARRAY_LENGTH(cases); i++)
			for (size_t again = 0; again < 2; again++) {
				ck_assert_int_eq(fingerprint_of_event(
							 SLICE("e-1"), SLICE_ABSENT,
							 (struct slice){name, cases[i].n}, &made),
						 STATUS_OK);
				check_fingerprint(&made, cases[i].expected);
			}
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("fingerprint");
	TCase *all = tcase_create("all");

	tcase_add_test(all, each_kind);
	tcase_add_test(all, parts_are_kept_apart);
	tcase_add_test(all, long_and_alternating_contents);
	suite_add_tcase(suite, all);
	return suite;
}
