/*
 * test_editor.c - bytes in the operator's editor: what it gets, what it leaves, and that no file
 * stays behind when it fails.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check_main.h"
#include "ctl/ctl_internal.h"

static char directory[] = "/tmp/sluice-editor-XXXXXX";
static struct ctl ctl;

static void set_up(void)
{
	must(mkdtemp(directory) != NULL);
	must(setenv("TMPDIR", directory, 1) == 0 && unsetenv("VISUAL") == 0);
}

static void tear_down(void)
{
	arena_free(&ctl.arena);
	ck_assert_int_eq(rmdir(directory), 0);
}

START_TEST(the_editor_gets_the_bytes)
{
	const char *path = NULL;
	struct slice text;

	must(setenv("EDITOR", "sed -i s/1/2/ --", 1) == 0);
	ck_assert_int_eq(ctl_edit(&ctl, SLICE("{\"a\":1}\n"), &path), CTL_FINE);
	ck_assert_int_eq(ctl_read_file(&ctl, "file", path, 100, &text), CTL_FINE);
	ck_assert(slice_equal(text, SLICE("{\"a\":2}\n")));
	ck_assert_int_eq(unlink(path), 0);
}
END_TEST

START_TEST(visual_comes_first)
{
	const char *path = NULL;

	must(setenv("EDITOR", "false", 1) == 0 && setenv("VISUAL", "true", 1) == 0);
	ck_assert_int_eq(ctl_edit(&ctl, SLICE(""), &path), CTL_FINE);
	ck_assert_int_eq(unlink(path), 0);
}
END_TEST

START_TEST(an_editor_that_fails_leaves_no_file)
{
	static const char *const editors[] = {"false", "/nowhere/editor"};
	const char *path = NULL;

	must(setenv("EDITOR", editors[_i], 1) == 0);
	ck_assert_int_eq(ctl_edit(&ctl, SLICE("{}"), &path), CTL_FAILED);
	ck_assert_int_ne(access(path, F_OK), 0);
}
END_TEST

START_TEST(no_room_for_a_file)
{
	const char *path = NULL;

	must(setenv("TMPDIR", "/nowhere", 1) == 0);
	ck_assert_int_eq(ctl_edit(&ctl, SLICE("{}"), &path), CTL_FAILED);
}
END_TEST

Suite *unit_suite(void)
{
	TCase *tcase = tcase_create("editor");
	Suite *suite = suite_create("editor");

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, the_editor_gets_the_bytes);
	tcase_add_test(tcase, visual_comes_first);
	tcase_add_loop_test(tcase, an_editor_that_fails_leaves_no_file, 0, 2);
	tcase_add_test(tcase, no_room_for_a_file);
	suite_add_tcase(suite, tcase);
	return suite;
}
