/*
 * check_main.h - what the unit tests share: the suite's runner and failing allocations.
 *
 * Each test program is one test_*.c that defines unit_suite(), check_main.c and the modules under
 * test, linked with --wrap=malloc, calloc, realloc and free. libcheck is linked statically, so its
 * own allocations pass here too: assert nothing between unit_fail_allocation(n) and
 * unit_fail_allocation(0), nor between two readings of unit_allocations(). unit_torture() does it
 * right.
 */
#ifndef CHECK_MAIN_H
#define CHECK_MAIN_H

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/slice.h"

/* ARRAY_LENGTH() as an int, for the loops of libcheck. */
#define LENGTH(array) ((int)ARRAY_LENGTH(array))

Suite *unit_suite(void);

/* Ends the program if a call of the test's own has failed. */
static inline void must(bool good)
{
	if (!good)
		abort();
}

static inline void check_says(const char *text, const char *what)
{
	ck_assert_msg(strstr(text, what) != NULL, "no \"%s\" in: %s", what, text);
}

/* The nth following allocation fails, once; 0 switches it off. */
void unit_fail_allocation(long nth);

/* How many allocations are live: made and not freed. */
long unit_allocations(void);

/*
 * Runs the operation with its 1st, 2nd, … allocation failing until none is left to fail. It must
 * return STATUS_NO_MEMORY each time one failed and STATUS_OK at last, and leave no allocation
 * behind. Returns how many failures it survived.
 */
long unit_torture(enum status (*operation)(void));

#endif
