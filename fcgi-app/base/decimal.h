/*
 * base/decimal.h - decimal numbers as their digits, never as floating-point numbers.
 */
#ifndef BASE_DECIMAL_H
#define BASE_DECIMAL_H

#include <stdint.h>

#include "base/slice.h"
#include "base/status.h"

enum { DECIMAL_DIGITS = 24 }; /* kept; more than 64 bits or a timestamp need */

/* 0.d1d2d3… times ten to the power of point. Zero has no digits. */
struct decimal {
	char digits[DECIMAL_DIGITS]; /* without leading and trailing zeros */
	int count;
	int64_t point;
	bool negative; /* has a minus, also before zero */
	bool cut;      /* more digits follow that are not all zero */
};

/* Reads a text of any length: [-]digits[.digits][e[+-]digits], leading zeros allowed. False for
 * anything else. */
bool decimal_read(struct slice text, struct decimal *decimal) MUST_CHECK;

/* The value of a whole number within 64 bits: 12, -12, 12.0, 1.2e1. False with *reason, a constant,
 * for any other. */
bool decimal_int(const struct decimal *decimal, int64_t *value, const char **reason) MUST_CHECK;

#endif
