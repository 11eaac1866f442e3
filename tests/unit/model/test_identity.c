/*
 * test_identity.c - which texts are ids, and which emails they hold.
 */
#include "check_main.h"
#include "model/identity.h"

enum { MOST = 40 };

static const struct {
	struct slice text;
	bool is_id;
} ids[] = {
	{{NULL, 0}, false},
	{SLICE(""), false},
	{SLICE(" "), false},
	{SLICE("\t\r\n"), false},
	{SLICE("\0"), false},
	{SLICE("\xc2\xa0"), false},
	{SLICE("\xe2\x80\x8b\xef\xbf\xbd"), false},
	{SLICE("0"), false},
	{SLICE(" 0 "), false},
	{SLICE("null"), false},
	{SLICE("\xc2\xa0null"), false},
	{SLICE("undefined"), false},
	{SLICE("undefined "), false},
	{SLICE("00000000-0000-0000-0000-000000000000"), false},
	{SLICE("00000000000000000000000000000000"), false},
	{SLICE(" 00000000-0000-0000-0000-000000000000"), false},
	{SLICE("1"), true},
	{SLICE("a"), true},
	{SLICE(" a "), true},
	{SLICE("00"), true},
	{SLICE("01"), true},
	{SLICE("0.0"), true},
	{SLICE("-"), true},
	{SLICE("nul"), true},
	{SLICE("nullify"), true},
	{SLICE("NULL"), true},
	{SLICE("n"), true},
	{SLICE("u"), true},
	{SLICE("user"), true},
	{SLICE("{\xc3\xa4}"), true},
	{SLICE("\xc3\xa4"), true},
	{SLICE("00000000-0000-0000-0000-000000000001"), true},
	{SLICE("0000000000000000000000000000000"), true},
	{SLICE("00000000000000000000000000000001"), true},
	{SLICE("000000000000000000000000000000000000"), true},
};

START_TEST(ids_name_somebody)
{
	ck_assert_msg(identity_is_id(ids[_i].text) == ids[_i].is_id, "%d: %s", _i, ids[_i].text.p);
}
END_TEST

START_TEST(numbers_name_somebody)
{
	static const char *const good[] = {"1", "-1", "0.1", "10", "1e0", "0.001e5", "9"};
	static const char *const none[] = {"", "0", "-0", "0.0", "0e5", "-0.00E+9", "000"};

	for (size_t i = 0; i < ARRAY_LENGTH(good); i++)
		ck_assert_msg(identity_is_number_id(slice_of(good[i])), "%s", good[i]);
	for (size_t i = 0; i < ARRAY_LENGTH(none); i++)
		ck_assert_msg(!identity_is_number_id(slice_of(none[i])), "%s", none[i]);
}
END_TEST

static const struct {
	const char *text, *email;
} emails[] = {
	/* addresses alone */
	{"a@b", "a@b"},
	{"a.b+c_d-e0@x-y.example", "a.b+c_d-e0@x-y.example"},
	{"A@B.CO", "a@b.co"},
	{"\xc3\x84@\xc3\x96.co", "\xc3\xa4@\xc3\xb6.co"},
	{"o'brien!#$%&*/=?^`{|}~@b.co", "o'brien!#$%&*/=?^`{|}~@b.co"},
	{"0123456789012345678901234567890123456@bc", "0123456789012345678901234567890123456@bc"},
	/* blanks around */
	{" a@b.co ", "a@b.co"},
	{"\xc2\xa0"
	 "a@b.co\xe2\x80\x8b\n",
	 "a@b.co"},
	/* mailto: */
	{"mailto:a@b.co", "a@b.co"},
	{"MAILTO: A@b.co", "a@b.co"},
	{"mailto:a@b.co?subject=x@y", "a@b.co"},
	{"<mailto:a@b.co>", "a@b.co"},
	/* names and brackets */
	{"<a@b.co>", "a@b.co"},
	{"< a@b.co >", "a@b.co"},
	{"Jane <a@b.co>", "a@b.co"},
	{"Jane Doe <A@B.co>", "a@b.co"},
	{"\"Doe, Jane\" <a@b.co>", "a@b.co"},
	{"\"Doe; \\\" Jane\" <a@b.co>", "a@b.co"},
	{"'a@b.co' <a@b.co>", "a@b.co"},
	{"Jane <work> <a@b.co>", "a@b.co"},
	{"Jane \"J, <a@b.co>", "a@b.co"},
	{"Jane <a@b.co", "a@b.co"},
	{"a@b.co (Jane Doe)", "a@b.co"},
	/* brackets that are empty or alone */
	{"a@b.co>", "a@b.co"},
	{"a@b.co > >", "a@b.co"},
	{"a@b.co> (Jane)", "a@b.co"},
	{"mailto:a@b.co>?subject=x", "a@b.co"},
	{"a@b.co <>", "a@b.co"},
	{"a@b.co < >", "a@b.co"},
	{"a@b.co <", "a@b.co"},
	{"Jane <a@b.co> <>", "a@b.co"},
	{"<>, c@d.co>", "c@d.co"},
	{"Jane <>", NULL},
	{">", NULL},
	{"a@>", NULL},
	/* several */
	{"a@b.co,c@d.co", "a@b.co"},
	{"a@b.co; c@d.co", "a@b.co"},
	{"none, c@d.co", "c@d.co"},
	{";, ,c@d.co", "c@d.co"},
	{"Jane <jane>, Joe <c@d.co>", "c@d.co"},
	{"mailto:x,mailto:c@d.co", "c@d.co"},
	/* none */
	{"", NULL},
	{" ", NULL},
	{"@", NULL},
	{"a@", NULL},
	{"@b", NULL},
	{"a@b@c", NULL},
	{"a b@c", NULL},
	{"a@b c", NULL},
	{"a\xc2\xa0"
	 "b@c",
	 NULL},
	{"mailto:", NULL},
	{"mailto:?x=a@b", NULL},
	{"<>", NULL},
	{"<a@b", "a@b"},
	{"a@b <none>", NULL},
	{"(a@b)", NULL},
	{"01234567890123456789012345678901234567@bc", NULL},
};

START_TEST(emails_are_found)
{
	struct arena arena = {0};
	struct slice want = slice_of(emails[_i].email), email;

	ck_assert_int_eq(identity_email(&arena, slice_of(emails[_i].text), MOST, &email),
			 STATUS_OK);
	ck_assert_msg((email.p == NULL) == (want.p == NULL) && slice_equal(email, want),
		      "\"%s\": %.*s", emails[_i].text, (int)email.n, email.p);
	arena_free(&arena);
}
END_TEST

static enum status find_email(void)
{
	struct arena arena = {0};
	struct slice email;
	enum status status = identity_email(&arena, SLICE("Jane <A@b.co>"), MOST, &email);

	arena_free(&arena);
	return status;
}

START_TEST(memory_may_be_short)
{
	ck_assert_int_ge(unit_torture(find_email), 1);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("identity");
	TCase *all = tcase_create("all");

	tcase_add_loop_test(all, ids_name_somebody, 0, LENGTH(ids));
	tcase_add_test(all, numbers_name_somebody);
	tcase_add_loop_test(all, emails_are_found, 0, LENGTH(emails));
	tcase_add_test(all, memory_may_be_short);
	suite_add_tcase(suite, all);
	return suite;
}
