/*
 * base/unicode.c - see base/unicode.h. After the Unicode Character Database.
 */
#include "base/unicode.h"

#include "base/ascii.h"
#include "base/utf8.h"

bool unicode_is_blank(uint32_t point)
{
	static const struct {
		uint32_t first, last;
	} blanks[] = {
		{0x0000, 0x0020}, {0x007f, 0x00a0}, {0x00ad, 0x00ad}, {0x061c, 0x061c},
		{0x1680, 0x1680}, {0x180e, 0x180e}, {0x2000, 0x200f}, {0x2028, 0x202f},
		{0x205f, 0x206f}, {0x3000, 0x3000}, {0x3164, 0x3164}, {0xfeff, 0xfeff},
		{0xfff9, 0xfffd},
	};

	if (point > 0x20 && point < 0x7f)
		return false;
	for (size_t i = 0; i < ARRAY_LENGTH(blanks) && point >= blanks[i].first; i++) {
		if (point <= blanks[i].last)
			return true;
	}
	return false;
}

/* The character's width in bytes; a byte that is none counts as one and as no blank. */
static size_t decode(struct slice text, uint32_t *point)
{
	size_t n = utf8_decode(text, point);

	if (n > 0)
		return n;
	*point = '?';
	return 1;
}

size_t unicode_first_blank(struct slice text)
{
	size_t at = 0;

	while (at < text.n) {
		uint32_t point;
		size_t n = decode((struct slice){text.p + at, text.n - at}, &point);
		if (unicode_is_blank(point))
			break;
		at += n;
	}
	return at;
}

/* True for a character of ASCII that shows. */
static bool is_graphic(char c)
{
	return c > ' ' && c <= '~';
}

struct slice unicode_trim(struct slice text)
{
	size_t start = text.n, end = 0;

	if (text.n > 0 && is_graphic(text.p[0]) && is_graphic(text.p[text.n - 1]))
		return text;
	for (size_t at = 0; at < text.n;) {
		uint32_t point;
		size_t n = decode((struct slice){text.p + at, text.n - at}, &point);
		bool blank = unicode_is_blank(point);
		if (!blank && start == text.n)
			start = at;
		at += n;
		if (!blank)
			end = at;
	}
	if (end <= start)
		return (struct slice){text.p, 0};
	return (struct slice){text.p + start, end - start};
}

/* ---- lower case ---- */

/* Capital letters whose small ones are so far behind them; every character of the range, or every
 * second one, beginning with the first. */
static const struct capitals {
	uint32_t first, last;
	uint32_t step, distance;
} capitals[] = {
	{0x00c0, 0x00d6, 1, 32}, {0x00d8, 0x00de, 1, 32}, {0x0100, 0x012e, 2, 1},
	{0x0132, 0x0136, 2, 1},	 {0x0139, 0x0147, 2, 1},  {0x014a, 0x0176, 2, 1},
	{0x0179, 0x017d, 2, 1},	 {0x01cd, 0x01db, 2, 1},  {0x01de, 0x01ee, 2, 1},
	{0x01f8, 0x021e, 2, 1},	 {0x0222, 0x0232, 2, 1},  {0x0386, 0x0386, 1, 38},
	{0x0388, 0x038a, 1, 37}, {0x038c, 0x038c, 1, 64}, {0x038e, 0x038f, 1, 63},
	{0x0391, 0x03a1, 1, 32}, {0x03a3, 0x03ab, 1, 32}, {0x0400, 0x040f, 1, 80},
	{0x0410, 0x042f, 1, 32}, {0x0460, 0x0480, 2, 1},  {0x048a, 0x04be, 2, 1},
	{0x04c1, 0x04cd, 2, 1},	 {0x04d0, 0x052e, 2, 1},  {0x0531, 0x0556, 1, 48},
	{0x1e00, 0x1e94, 2, 1},	 {0x1ea0, 0x1efe, 2, 1},  {0xff21, 0xff3a, 1, 32},
};

uint32_t unicode_lower(uint32_t point)
{
	if (point < 0x80)
		return (unsigned char)ascii_lower((char)point);
	if (point == 0x0130)
		return 'i';
	if (point == 0x0178)
		return 0x00ff;
	if (point == 0x04c0)
		return 0x04cf;
	for (size_t i = 0; i < ARRAY_LENGTH(capitals); i++) {
		const struct capitals *range = &capitals[i];
		if (point >= range->first && point <= range->last)
			return point +
			       ((point - range->first) % range->step == 0 ? range->distance : 0);
	}
	return point;
}

/* Small letters have three bytes at most. */
static void add_point(struct buf *out, uint32_t point)
{
	const char bytes[] = {
		(char)(unsigned char)(point < 0x800 ? 0xc0 | point >> 6 : 0xe0 | point >> 12),
		(char)(unsigned char)(0x80 | (point >> 6 & 0x3f)),
		(char)(unsigned char)(0x80 | (point & 0x3f)),
	};

	if (point < 0x80) {
		buf_add_char(out, (char)point);
		return;
	}
	buf_add_char(out, bytes[0]);
	if (point >= 0x800)
		buf_add_char(out, bytes[1]);
	buf_add_char(out, bytes[2]);
}

void unicode_add_lower(struct buf *out, struct slice text)
{
	for (size_t at = 0; at < text.n;) {
		uint32_t point;
		struct slice rest = {text.p + at, text.n - at};
		size_t n = decode(rest, &point);
		uint32_t lower = unicode_lower(point);
		if (lower == point)
			buf_add(out, rest.p, n);
		else
			add_point(out, lower);
		at += n;
	}
}
