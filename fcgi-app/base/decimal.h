/*
 * base/decimal.h - a decimal number as its digits, never as a floating-point number.
 *
 * Pure. What a number has to be (whole, a timestamp) is the question of those who read it.
 */
#ifndef BASE_DECIMAL_H
#define BASE_DECIMAL_H

#include <stdint.h>

#include "base/slice.h"
#include "base/status.h"

enum { DECIMAL_DIGITS = 24 }; /* kept; more than 64 bits and the finest timestamp need */

/* 0.d1 d2 d3 … times ten to the power of point; zero has no digits. */
struct decimal {
	char digits[DECIMAL_DIGITS]; /* without zeros at the start and the end */
	int count;
	int64_t point;
	bool negative; /* it has a minus, even when it is zero */
	bool cut;      /* there are more digits, not all of them zero */
};

/* Reads the whole text: [-]digits[.digits][e[+-]digits], leading zeros allowed. False for anything
 * else. Takes a text of any length. */
bool decimal_read(struct slice text, struct decimal *decimal) MUST_CHECK;

/* A whole number within 64 bits: 12, -12, 12.0, 1.2e1. On failure *reason says what it is not. */
bool decimal_int(const struct decimal *decimal, int64_t *value, const char **reason) MUST_CHECK;

#endif
