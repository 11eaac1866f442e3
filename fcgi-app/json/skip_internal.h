/*
 * json/skip_internal.h - skips the bytes that need no state: those of strings, eight at a time, and
 * white space.
 */
#ifndef JSON_SKIP_INTERNAL_H
#define JSON_SKIP_INTERNAL_H

#include <stdint.h>
#include <string.h>

/* The first byte that is not plain ASCII within a string, or end. */
static inline const unsigned char *skip_plain(const unsigned char *p, const unsigned char *end)
{
	const uint64_t ones = 0x0101010101010101;

	while (end - p >= 8) {
		uint64_t x;
		memcpy(&x, p, sizeof(x));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
		x = __builtin_bswap64(x);
#endif
		/* Sets the top bit of each byte that is below 0x20, a quote, a backslash or above
		 * 0x7f. A borrow can disturb only bytes above the first such one. */
		uint64_t found = ((x - 0x20 * ones) | ((x ^ ('"' * ones)) - ones) |
				  ((x ^ ('\\' * ones)) - ones) | x) &
				 (0x80 * ones);
		if (found != 0)
			return p + __builtin_ctzll(found) / 8;
		p += 8;
	}
	while (p < end && *p >= 0x20 && *p != '"' && *p != '\\' && *p < 0x80)
		p++;
	return p;
}

/* The first byte that is not white space, or end. */
static inline const unsigned char *skip_space(const unsigned char *p, const unsigned char *end)
{
	while (p < end && (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t'))
		p++;
	return p;
}

#endif
