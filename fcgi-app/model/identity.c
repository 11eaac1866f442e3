/*
 * model/identity.c - see model/identity.h.
 */
#define _GNU_SOURCE /* memrchr */
#include "model/identity.h"

#include <string.h>

#include "base/ascii.h"
#include "base/unicode.h"

/* ---- ids ---- */

/* Zeros alone, of the length of a UUID, with or without its dashes. */
static bool is_nil_uuid(struct slice text)
{
	enum { DASHED = 36, PLAIN = 32 };

	if (text.n != DASHED && text.n != PLAIN)
		return false;
	for (size_t i = 0; i < text.n; i++) {
		bool dash = text.n == DASHED && (i == 8 || i == 13 || i == 18 || i == 23);
		if (text.p[i] != (dash ? '-' : '0'))
			return false;
	}
	return true;
}

bool identity_is_id(struct slice text)
{
	/* What begins and ends with these is not blank, and few ids are as short as "0" or begin as
	 * the words do. */
	if (text.n > 0 && text.p[0] > '0' && text.p[0] <= 'z' && text.p[0] != 'n' &&
	    text.p[0] != 'u')
		return true;
	text = unicode_trim(text);
	return text.n > 0 && !slice_equal(text, SLICE("0")) && !slice_equal(text, SLICE("null")) &&
	       !slice_equal(text, SLICE("undefined")) && !is_nil_uuid(text);
}

bool identity_is_number_id(struct slice number)
{
	for (size_t i = 0; i < number.n && (number.p[i] | 0x20) != 'e'; i++) {
		if (number.p[i] >= '1' && number.p[i] <= '9')
			return true;
	}
	return false;
}

/* ---- emails ---- */

/* True, with the @, for an address of plain characters, as nearly all are: no capital letters, none
 * of those that make it more than an address. */
static bool is_plain(struct slice text)
{
	size_t ats = 0;

	for (size_t i = 0; i < text.n; i++) {
		unsigned char c = (unsigned char)text.p[i];
		if (c == '@')
			ats++;
		else if (!(c >= 'a' && c <= 'z') && !ascii_is_digit(c) && c != '.' && c != '-' &&
			 c != '+' && c != '_')
			return false;
	}
	return ats == 1 && text.p[0] != '@' && text.p[text.n - 1] != '@';
}

/* Takes the text up to a comma or semicolon that is neither quoted nor within brackets. */
static struct slice take_mailbox(struct slice *rest)
{
	bool quoted = false, bracketed = false;
	size_t i = 0;

	for (; i < rest->n; i++) {
		char c = rest->p[i];
		if (quoted && c == '\\' && i + 1 < rest->n)
			i++;
		else if (c == '"')
			quoted = !quoted;
		else if (!quoted && (c == '<' || c == '>'))
			bracketed = c == '<';
		else if (!quoted && !bracketed && (c == ',' || c == ';'))
			break;
	}
	struct slice mailbox = {rest->p, i};
	size_t used = i < rest->n ? i + 1 : i;
	*rest = (struct slice){rest->p + used, rest->n - used};
	return mailbox;
}

/* What is between the brackets of "name <address>"; the last ones, as a name may have some. Where
 * they are empty, what is before them. */
static struct slice without_name(struct slice mailbox)
{
	const char *open;

	while ((open = mailbox.n == 0 ? NULL : memrchr(mailbox.p, '<', mailbox.n)) != NULL) {
		size_t left = (size_t)(mailbox.p + mailbox.n - open) - 1;
		const char *close = left == 0 ? NULL : memchr(open + 1, '>', left);
		struct slice inside = {open + 1, close == NULL ? left : (size_t)(close - open) - 1};
		if (unicode_trim(inside).n > 0)
			return inside;
		mailbox.n = (size_t)(open - mailbox.p);
	}
	return mailbox;
}

/* Without closing brackets that nothing has opened. */
static struct slice without_bracket(struct slice address)
{
	while (address.n > 0 && address.p[address.n - 1] == '>')
		address = unicode_trim((struct slice){address.p, address.n - 1});
	return address;
}

/* Without a comment, "address (name)". */
static struct slice without_comment(struct slice mailbox)
{
	const char *open = mailbox.n == 0 ? NULL : memchr(mailbox.p, '(', mailbox.n);

	if (open == NULL || mailbox.p[mailbox.n - 1] != ')')
		return mailbox;
	return unicode_trim((struct slice){mailbox.p, (size_t)(open - mailbox.p)});
}

static struct slice without_scheme(struct slice address)
{
	static const char scheme[] = "mailto:";
	size_t n = sizeof(scheme) - 1;

	if (address.n < n || !slice_equal_nocase((struct slice){address.p, n}, SLICE(scheme)))
		return address;
	address = (struct slice){address.p + n, address.n - n};
	const char *query = address.n == 0 ? NULL : memchr(address.p, '?', address.n);
	if (query != NULL)
		address.n = (size_t)(query - address.p);
	return unicode_trim(address);
}

static struct slice address_of(struct slice mailbox)
{
	struct slice trimmed = unicode_trim(mailbox);

	return without_bracket(
		without_scheme(without_comment(unicode_trim(without_name(trimmed)))));
}

static bool is_address(struct slice text)
{
	if (text.n < 3)
		return false;
	const char *at = memchr(text.p, '@', text.n);
	if (at == NULL || at == text.p || at == text.p + text.n - 1)
		return false;
	size_t left = (size_t)(text.p + text.n - at) - 1;
	return memchr(at + 1, '@', left) == NULL && unicode_first_blank(text) == text.n;
}

static enum status lower(struct arena *arena, struct slice text, struct slice *email)
{
	struct buf out = buf_make(SIZE_MAX / 2);

	unicode_add_lower(&out, text);
	*email = arena_move(arena, &out);
	return email->p == NULL ? STATUS_NO_MEMORY : STATUS_OK;
}

enum status identity_email(struct arena *arena, struct slice text, size_t most, struct slice *email)
{
	*email = SLICE_ABSENT;
	if (text.n > 2 && text.n <= most && is_plain(text)) {
		*email = text;
		return STATUS_OK;
	}
	while (text.n > 0) {
		struct slice address = address_of(take_mailbox(&text));
		if (address.n <= most && is_address(address))
			return lower(arena, address, email);
	}
	return STATUS_OK;
}
