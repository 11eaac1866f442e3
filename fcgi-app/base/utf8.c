/*
 * base/utf8.c - see base/utf8.h.
 */
#include "base/utf8.h"

size_t utf8_decode(struct slice text, uint32_t *point)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	const unsigned char *p = (const unsigned char *)text.p;
	size_t bytes = *p < 0x80 ? 1 : *p < 0xc0 ? 0 : *p < 0xe0 ? 2 : *p < 0xf0 ? 3 : 4;

	if (bytes == 0 || bytes > text.n || *p > 0xf4)
		return 0;
	*point = bytes == 1 ? *p : *p & (0x7fu >> bytes);
	for (size_t i = 1; i < bytes; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		*point = *point << 6 | (p[i] & 0x3f);
	}
	bool surrogate = *point >= 0xd800 && *point <= 0xdfff;
	return *point < least[bytes] || *point > 0x10ffff || surrogate ? 0 : bytes;
}

bool utf8_is_name(struct slice text, size_t max_chars)
{
	size_t chars = 0;

	while (text.n > 0) {
		uint32_t point;
		size_t bytes = utf8_decode(text, &point);
		if (bytes == 0 || point < 0x20 || (point >= 0x7f && point < 0xa0))
			return false;
		text = (struct slice){text.p + bytes, text.n - bytes};
		chars++;
	}
	return chars > 0 && chars <= max_chars;
}

void utf8_repair(struct buf *out, struct slice text)
{
	while (text.n > 0) {
		uint32_t point;
		size_t bytes = utf8_decode(text, &point);
		if (bytes == 0)
			buf_add_text(out, "\xef\xbf\xbd");
		else
			buf_add(out, text.p, bytes);
		size_t used = bytes == 0 ? 1 : bytes;
		text = (struct slice){text.p + used, text.n - used};
	}
}
