/*
 * test_terminal.c - text that is safe for a terminal, its colours and its width.
 */
#define _GNU_SOURCE /* posix_openpt */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "check_main.h"
#include "ctl/ctl_internal.h"

/* ---- text ---- */

static const struct {
	struct slice text;
	const char *escaped;
	size_t columns;
} texts[] = {
	{{"", 0}, "", 0},
	{{"a b", 3}, "a b", 3},
	{{"\xc3\xa4\xe2\x82\xac", 5}, "\xc3\xa4\xe2\x82\xac", 2},
	{{"\n\t\x1b\x7f", 4}, "\\n\\u0009\\u001b\\u007f", 20},
	{{"\xc2\x9b", 2}, "\\u009b", 6},
	{{"\xc2\xa0", 2}, "\xc2\xa0", 1},
	{{"a\xe2\x82\xac", 3}, "a\\xe2\\x82", 9}, /* cut */
	{{"a\xe2\x80\xae", 4}, "a\\u202e", 7},	  /* right-to-left override */
	{{"\xef\xbb\xbf", 3}, "\\ufeff", 6},
	{{"\xff\xe2\x82", 3}, "\\xff\\xe2\\x82", 12},
	{{"\xe6\x97\xa5\xe6\x9c\xac", 6},
	 "\xe6\x97\xa5\xe6\x9c\xac",
	 4},				    /* two characters, four columns */
	{{"e\xcc\x81", 3}, "e\xcc\x81", 1}, /* an accent of its own */
};

START_TEST(text_is_escaped)
{
	struct buf out = buf_make(4096);

	ck_assert_uint_eq(ctl_add_escaped(&out, texts[_i].text), texts[_i].columns);
	buf_add_char(&out, '\0');
	ck_assert_str_eq(out.p, texts[_i].escaped);
	buf_free(&out);
}
END_TEST

static const struct {
	struct slice text;
	size_t columns;
	const char *fitting;
	size_t used;
} cuts[] = {
	{SLICE("abc"), 3, "abc", 3},
	{SLICE("abc"), 2, "ab", 2},
	{SLICE("abc"), 0, "", 0},
	{SLICE("a\xe6\x97\xa5"), 2, "a", 1}, /* no half of a wide character */
	{SLICE("a\n"), 2, "a", 1},	     /* nor of an escape */
	{SLICE("e\xcc\x81x"), 1, "e\xcc\x81", 1},
};

START_TEST(what_fits_is_whole_characters)
{
	struct buf out = buf_make(4096);
	struct slice rest = cuts[_i].text;

	ck_assert_uint_eq(ctl_add_fitting(&out, &rest, cuts[_i].columns), cuts[_i].used);
	ck_assert_uint_eq(rest.n, cuts[_i].text.n - out.n);
	buf_add_char(&out, '\0');
	ck_assert_str_eq(out.p, cuts[_i].fitting);
	buf_free(&out);
}
END_TEST

/* ---- the terminal ---- */

static int open_terminal(unsigned short columns)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY);
	struct winsize size = {.ws_row = 24, .ws_col = columns};

	ck_assert_int_ge(master, 0);
	ck_assert_int_eq(grantpt(master), 0);
	ck_assert_int_eq(unlockpt(master), 0);
	int fd = open(ptsname(master), O_RDWR | O_NOCTTY);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(ioctl(fd, TIOCSWINSZ, &size), 0);
	return fd;
}

static void set(const char *name, const char *value)
{
	ck_assert_int_eq(value == NULL ? unsetenv(name) : setenv(name, value, 1), 0);
}

static const struct {
	const char *term, *no_color, *columns;
	bool colours;
	size_t width;
} terminals[] = {
	{"xterm", NULL, NULL, true, 97}, {"xterm", "", NULL, true, 97},
	{"xterm", "1", NULL, false, 97}, {"dumb", NULL, NULL, false, 97},
	{NULL, NULL, NULL, false, 97},	 {"xterm", NULL, "40", true, 40},
	{"xterm", NULL, "0", true, 97},	 {"xterm", NULL, "wide", true, 97},
};

START_TEST(a_terminal_has_its_width_and_colours)
{
	int fd = open_terminal(97);

	set("TERM", terminals[_i].term);
	set("NO_COLOR", terminals[_i].no_color);
	set("COLUMNS", terminals[_i].columns);
	const struct ctl_screen screen = ctl_screen_of(fd);
	ck_assert_int_eq(screen.colours, terminals[_i].colours);
	ck_assert_uint_eq(screen.columns, terminals[_i].width);
	(void)close(fd);
}
END_TEST

START_TEST(a_file_is_no_terminal)
{
	int fd = open("/dev/null", O_WRONLY);

	set("TERM", "xterm");
	set("COLUMNS", "40");
	const struct ctl_screen screen = ctl_screen_of(fd);
	ck_assert(!screen.colours);
	ck_assert_uint_eq(screen.columns, 0);
	(void)close(fd);
}
END_TEST

START_TEST(colours_are_where_they_are_wanted)
{
	const struct ctl_screen none = {0}, coloured = {.colours = true};
	struct buf out = buf_make(64);

	ctl_add_colour(&out, &none, CTL_RED);
	ck_assert_uint_eq(out.n, 0);
	ctl_add_colour(&out, &coloured, CTL_RED);
	ctl_add_colour(&out, &coloured, CTL_PLAIN);
	buf_add_char(&out, '\0');
	ck_assert_str_eq(out.p, "\033[31m\033[0m");
	buf_free(&out);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("terminal");
	TCase *tests = tcase_create("terminal");

	tcase_add_loop_test(tests, text_is_escaped, 0, LENGTH(texts));
	tcase_add_loop_test(tests, what_fits_is_whole_characters, 0, LENGTH(cuts));
	tcase_add_loop_test(tests, a_terminal_has_its_width_and_colours, 0, LENGTH(terminals));
	tcase_add_test(tests, a_file_is_no_terminal);
	tcase_add_test(tests, colours_are_where_they_are_wanted);
	suite_add_tcase(suite, tests);
	return suite;
}
