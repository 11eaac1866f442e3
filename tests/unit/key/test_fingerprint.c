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
	check_fingerprint(&made, "b94f523196aaacd8ed382325305bca7e");
	ck_assert_int_eq(fingerprint_of_event(SLICE("e-1"), SLICE_ABSENT, SLICE_ABSENT, &made),
			 STATUS_OK);
	check_fingerprint(&made, "b94f523196aaacd8400b514b793faa45");
	ck_assert_int_eq(fingerprint_of_event(SLICE("e-1"), SLICE(""), SLICE(""), &made),
			 STATUS_OK);
	check_fingerprint(&made, "b94f523196aaacd8400b514b793faa45");
	ck_assert_int_eq(fingerprint_of_product_org(SLICE("e-1"), SLICE("o"), &made), STATUS_OK);
	check_fingerprint(&made, "b94f523196aaacd800559a5cdcd15607");
	ck_assert_int_eq(fingerprint_of_bytes(SLICE("e-1"), SLICE("{\"a\":\0001}"), &made),
			 STATUS_OK);
	check_fingerprint(&made, "b94f523196aaacd89ddc593cc4712467");
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

Suite *unit_suite(void)
{
	Suite *suite = suite_create("fingerprint");
	TCase *all = tcase_create("all");

	tcase_add_test(all, each_kind);
	tcase_add_test(all, parts_are_kept_apart);
	suite_add_tcase(suite, all);
	return suite;
}
