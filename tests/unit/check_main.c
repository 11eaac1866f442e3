/*
 * check_main.c - runs one program's suite, and counts and fails allocations. See check_main.h.
 */
#include <stdbool.h>
#include <stdlib.h>

#include "check_main.h"

#ifdef UNIT_COVERAGE
#include <gcov.h>
#endif

static long live;
static long countdown; /* allocations until one fails; 0: none will */

void *__real_malloc(size_t bytes);
void *__real_calloc(size_t count, size_t bytes_each);
void *__real_realloc(void *old, size_t bytes);
void __real_free(void *bytes);

void *__wrap_malloc(size_t bytes);
void *__wrap_calloc(size_t count, size_t bytes_each);
void *__wrap_realloc(void *old, size_t bytes);
void __wrap_free(void *bytes);
_Noreturn void __real__exit(int code);
_Noreturn void __wrap__exit(int code);

void unit_fail_allocation(long nth)
{
	countdown = nth;
}

long unit_allocations(void)
{
	return live;
}

static bool must_fail(void)
{
	return countdown > 0 && --countdown == 0;
}

static void *counted(void *bytes)
{
	if (bytes != NULL)
		live++;
	return bytes;
}

void *__wrap_malloc(size_t bytes)
{
	return must_fail() ? NULL : counted(__real_malloc(bytes));
}

void *__wrap_calloc(size_t count, size_t bytes_each)
{
	return must_fail() ? NULL : counted(__real_calloc(count, bytes_each));
}

void *__wrap_realloc(void *old, size_t bytes)
{
	if (must_fail())
		return NULL;
	void *moved = __real_realloc(old, bytes);
	return old == NULL ? counted(moved) : moved;
}

void __wrap_free(void *bytes)
{
	if (bytes != NULL)
		live--;
	__real_free(bytes);
}

long unit_torture(enum status (*operation)(void))
{
	for (long nth = 1;; nth++) {
		long before = unit_allocations();
		unit_fail_allocation(nth);
		enum status status = operation();
		bool failed = countdown == 0;
		unit_fail_allocation(0);
		long after = unit_allocations();
		ck_assert_msg(after == before, "%ld allocations left behind by failure %ld",
			      after - before, nth);
		enum status expected = failed ? STATUS_NO_MEMORY : STATUS_OK;
		ck_assert_msg(status == expected, "failure %ld: %s, not %s", nth,
			      status_name(status), status_name(expected));
		if (!failed)
			return nth - 1;
	}
}

/* What a forked child has run counts, too: only exit() writes gcov's counters by itself. */
_Noreturn void __wrap__exit(int code)
{
#ifdef UNIT_COVERAGE
	__gcov_dump();
#endif
	__real__exit(code);
}

int main(void)
{
	/* A backstop for a test that hangs, not a measure: the machine may be busy. */
	(void)setenv("CK_DEFAULT_TIMEOUT", "120", 0);
	SRunner *runner = srunner_create(unit_suite());

	srunner_run_all(runner, CK_NORMAL);
	int failures = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
