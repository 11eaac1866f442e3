/*
 * base/decimal.c - reading decimal numbers. See base/decimal.h.
 */
#include "base/decimal.h"

#include "base/ascii.h"

enum { INT_DIGITS = 19 }; /* of INT64_MAX; 19 nines fit uint64_t */

#define EXPONENT_MOST INT64_C(1000000000000)

static bool is_digit(struct slice text)
{
	return text.n > 0 && ascii_is_digit(*text.p);
}

static void step(struct slice *text)
{
	text->p++;
	text->n--;
}

static bool take(struct slice *text, char c)
{
	if (text->n == 0 || *text->p != c)
		return false;
	step(text);
	return true;
}

/* Takes one or more digits, before or after the point. */
static bool take_digits(struct slice *text, bool fraction, struct decimal *decimal)
{
	size_t before = text->n;

	for (; is_digit(*text); step(text)) {
		bool leading = decimal->count == 0 && *text->p == '0';
		if (!leading && decimal->count < DECIMAL_DIGITS)
			decimal->digits[decimal->count++] = *text->p;
		else if (*text->p != '0')
			decimal->cut = true;
		if (fraction)
			decimal->point -= leading;
		else
			decimal->point += !leading;
	}
	return text->n < before;
}

/* Stops rising at a bound that no text has the digits to bring back into range. */
static bool take_exponent(struct slice *text, int64_t *exponent)
{
	bool negative = take(text, '-');
	size_t before;

	if (!negative)
		(void)take(text, '+');
	before = text->n;
	*exponent = 0;
	for (; is_digit(*text); step(text)) {
		if (*exponent < EXPONENT_MOST)
			*exponent = *exponent * 10 + *text->p - '0';
	}
	if (negative)
		*exponent = -*exponent;
	return text->n < before;
}

bool decimal_read(struct slice text, struct decimal *decimal)
{
	int64_t exponent = 0;

	*decimal = (struct decimal){.negative = take(&text, '-')};
	if (!take_digits(&text, false, decimal))
		return false;
	if (take(&text, '.') && !take_digits(&text, true, decimal))
		return false;
	if ((take(&text, 'e') || take(&text, 'E')) && !take_exponent(&text, &exponent))
		return false;
	decimal->point += exponent;
	while (decimal->count > 0 && decimal->digits[decimal->count - 1] == '0')
		decimal->count--;
	return text.n == 0;
}

bool decimal_int(const struct decimal *decimal, int64_t *value, const char **reason)
{
	uint64_t most = (uint64_t)INT64_MAX + decimal->negative;
	uint64_t number = 0;

	*value = 0;
	if (decimal->count == 0)
		return true;
	*reason = "is not a whole number within 64 bits";
	if (decimal->point > INT_DIGITS)
		return false;
	*reason = "is not a whole number";
	if (decimal->cut || decimal->point < decimal->count)
		return false;
	for (int i = 0; i < decimal->point; i++)
		number = number * 10 +
			 (i < decimal->count ? (uint64_t)(decimal->digits[i] - '0') : 0);
	*reason = "is not a whole number within 64 bits";
	if (number > most)
		return false;
	*value = decimal->negative ? (int64_t)(0 - number) : (int64_t)number;
	return true;
}
