/*
 * base/hex.c - see base/hex.h.
 */
#include "base/hex.h"

void hex_write(const void *bytes, size_t n, char *digits)
{
	static const char hex[] = "0123456789abcdef";
	const unsigned char *p = bytes;

	for (size_t i = 0; i < n; i++) {
		digits[2 * i] = hex[p[i] >> 4];
		digits[2 * i + 1] = hex[p[i] & 15];
	}
}

static int value_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

int hex_escaped(struct slice text, size_t at)
{
	if (text.n - at < 3 || text.p[at] != '%')
		return -1;
	int high = value_of(text.p[at + 1]);
	int low = value_of(text.p[at + 2]);
	return high < 0 || low < 0 ? -1 : high * 16 + low;
}
