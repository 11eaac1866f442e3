/*
 * test_conninfo.c - connection strings that libpq refuses, none of which is repeated, and password
 * files.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check_main.h"
#include "pg/conninfo.h"

static struct buf out;
static bool has_password;
static char path[] = "/tmp/sluice-pgpass-XXXXXX";

static void set_up(void)
{
	out = buf_make(1 << 16);
}

static void tear_down(void)
{
	buf_free(&out);
}

static const char *checked(const char *conninfo)
{
	buf_reset(&out, 0);
	pg_conninfo_check(conninfo, &out, &has_password);
	buf_add_char(&out, '\0');
	return out.p;
}

static const struct {
	const char *conninfo;
	bool has_password;
} good[] = {
	{"", false},
	{"dbname=sluice", false},
	{"host=/var/run/postgresql user=sluice_intake password=geheim", true},
	{"postgresql://u:geheim@h/x?sslmode=verify-full", true},
	{"postgresql://u@h/x", false},
	{"password=''", false},
};

START_TEST(a_good_string_has_no_fault)
{
	ck_assert_str_eq(checked(good[_i].conninfo), "");
	ck_assert_int_eq(has_password, good[_i].has_password);
}
END_TEST

#define REFUSED "libpq does not understand it: "

static const struct {
	const char *conninfo, *says;
} bad[] = {
	{"geheim", REFUSED "missing \"=\" after what is given in connection info string\n"},
	{"password=x geheim",
	 REFUSED "missing \"=\" after what is given in connection info string\n"},
	{"hots=geheim", REFUSED "invalid connection option what is given\n"},
	{"password='geheim", REFUSED "unterminated quoted string in connection info string\n"},
	{"postgresql://u:geheim@[::1/x", "what is given\n"},
	{"postgresql://u:geheim\"x@[::1/x", "what is given\n"},
	{"postgresql://u:geheim%zz@h/x", REFUSED "invalid percent-encoded token: what is given\n"},
};

START_TEST(a_bad_string_is_not_repeated)
{
	const char *text = checked(bad[_i].conninfo);

	check_says(text, bad[_i].says);
	ck_assert_ptr_null(strstr(text, "geheim"));
	ck_assert_int_eq(text[strlen(text) - 1], '\n');
	ck_assert(!has_password);
}
END_TEST

static const char *with_password_file(const char *which)
{
	static char conninfo[128];

	(void)snprintf(conninfo, sizeof(conninfo), "dbname=x passfile=%s", which);
	return checked(conninfo);
}

START_TEST(a_password_file_is_for_its_owner)
{
	int fd = mkstemp(path);

	must(fd >= 0 && fchmod(fd, 0600) == 0);
	ck_assert_str_eq(with_password_file(path), "");
	must(fchmod(fd, 0640) == 0);
	check_says(with_password_file(path),
		   "\" is open to others, so libpq ignores it: chmod 600\n");
	must(close(fd) == 0 && unlink(path) == 0);
	check_says(with_password_file(path), "\" cannot be read: No such file or directory\n");
	check_says(with_password_file("/dev/null"), "\"/dev/null\" is not a file\n");
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("conninfo");
	TCase *tcase = tcase_create("conninfo");

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_loop_test(tcase, a_good_string_has_no_fault, 0, LENGTH(good));
	tcase_add_loop_test(tcase, a_bad_string_is_not_repeated, 0, LENGTH(bad));
	tcase_add_test(tcase, a_password_file_is_for_its_owner);
	suite_add_tcase(suite, tcase);
	return suite;
}
