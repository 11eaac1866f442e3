/*
 * test_ask.c - questions at a terminal.
 */
#include <fcntl.h>
#include <pty.h>
#include <string.h>
#include <unistd.h>

#include "check_main.h"
#include "ctl/ctl_internal.h"

static int person; /* reads and types at the terminal */

/* In a process of its own, as each test is. */
static void sit_down(void)
{
	int terminal;

	ck_assert_int_eq(openpty(&person, &terminal, NULL, NULL, NULL), 0);
	ck_assert(dup2(terminal, STDIN_FILENO) == STDIN_FILENO);
	ck_assert(dup2(terminal, STDOUT_FILENO) == STDOUT_FILENO);
}

/* What is typed is waiting when the question comes. */
static enum ctl_exit ask(struct ctl *ctl, const char *typed, const char **answer)
{
	ck_assert_int_eq(write(person, typed, strlen(typed)), (int)strlen(typed));
	return ctl_ask(ctl, "database", "sluice", answer);
}

static const struct {
	const char *typed, *answer;
} answers[] = {
	{"\n", "sluice"},
	{"other\n", "other"},
	{"two words\n", "two words"},
	{"ended\x04\x04", "ended"},
};

START_TEST(an_answer_is_read)
{
	struct ctl ctl = {.out = buf_make(4096)};
	const char *answer = NULL;

	sit_down();
	ck_assert(ctl_may_ask(&ctl));
	buf_add_text(&ctl.out, "before ");
	ck_assert_int_eq(ask(&ctl, answers[_i].typed, &answer), CTL_FINE);
	ck_assert_str_eq(answer, answers[_i].answer);
	ck_assert_uint_eq(ctl.out.n, 0);
	buf_free(&ctl.out);
	arena_free(&ctl.arena);
}
END_TEST

static const struct {
	const char *typed, *usual;
	bool agreed;
} consents[] = {
	{"yes\n", "no", true}, {"y\n", "no", true}, {"Y\n", "no", true},     {"\n", "no", false},
	{"n\n", "yes", false}, {"\n", "yes", true}, {"yess\n", "no", false}, {"no\n", "no", false},
};

START_TEST(only_yes_is_consent)
{
	struct ctl ctl = {.out = buf_make(4096)};
	const char *typed = consents[_i].typed;
	bool agreed = !consents[_i].agreed;

	sit_down();
	ck_assert_int_eq(write(person, typed, strlen(typed)), (int)strlen(typed));
	ck_assert_int_eq(ctl_agree(&ctl, "Do this", consents[_i].usual, &agreed), CTL_FINE);
	ck_assert(agreed == consents[_i].agreed);
	buf_free(&ctl.out);
	arena_free(&ctl.arena);
}
END_TEST

START_TEST(the_end_of_input_is_no_consent)
{
	struct ctl ctl = {.out = buf_make(4096)};
	bool agreed = true;

	sit_down();
	ck_assert_int_eq(write(person, "\x04", 1), 1);
	ck_assert_int_eq(ctl_agree(&ctl, "Do this", "yes", &agreed), CTL_USAGE);
	ck_assert(!agreed);
	buf_free(&ctl.out);
}
END_TEST

START_TEST(the_end_of_input_is_a_failure)
{
	struct ctl ctl = {.out = buf_make(4096)};
	const char *answer = NULL;

	sit_down();
	ck_assert_int_eq(ask(&ctl, "\x04", &answer), CTL_USAGE);
	ck_assert_ptr_null(answer);
	buf_free(&ctl.out);
}
END_TEST

START_TEST(nobody_is_asked_without_a_terminal)
{
	struct ctl ctl = {0}, json = {.values[CTL_JSON] = ""};

	sit_down();
	ck_assert(!ctl_may_ask(&json));
	int file = open("/dev/null", O_RDWR | O_CLOEXEC);
	ck_assert(dup2(file, STDOUT_FILENO) == STDOUT_FILENO);
	ck_assert(!ctl_may_ask(&ctl));
	ck_assert(dup2(file, STDIN_FILENO) == STDIN_FILENO);
	ck_assert(!ctl_may_ask(&ctl));
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("ask");
	TCase *tests = tcase_create("ask");

	tcase_add_loop_test(tests, an_answer_is_read, 0, LENGTH(answers));
	tcase_add_test(tests, the_end_of_input_is_a_failure);
	tcase_add_loop_test(tests, only_yes_is_consent, 0, LENGTH(consents));
	tcase_add_test(tests, the_end_of_input_is_no_consent);
	tcase_add_test(tests, nobody_is_asked_without_a_terminal);
	suite_add_tcase(suite, tests);
	return suite;
}
