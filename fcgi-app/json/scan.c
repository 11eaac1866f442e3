/*
 * json/scan.c - a push state machine of JSON's grammar. See json/scan.h.
 *
 * Each take_…() is called at p < end in a state of its own, uses as many bytes as it can, and
 * returns where it stopped. A state can be resumed in the next piece, so the same code reads tokens
 * that are cut in two and those that are whole. Plain bytes of strings, most of a body, go eight at
 * a time.
 */
#include "json/scan.h"

#include "base/ascii.h"
#include "json/scan_internal.h"
#include "json/skip_internal.h"

/* Exponents stop rising here, far above the limits. */
#define MOST_EXPONENT 100000000u

typedef const unsigned char *bytes_at;

/* ---- failures, limits ---- */

static uint64_t offset_of(const struct json_scan *scan, bytes_at p)
{
	return scan->offset + (uint64_t)(p - scan->piece);
}

static bytes_at fail(struct json_scan *scan, bytes_at p, enum status status, const char *reason)
{
	scan->bad_offset = offset_of(scan, p);
	scan->failed_in = scan->state;
	scan->state = JSON_SCAN_STOPPED;
	scan->event = JSON_SCAN_FAILED;
	scan->status = status;
	scan->reason = reason;
	return p;
}

static bytes_at malformed(struct json_scan *scan, bytes_at p, const char *reason)
{
	return fail(scan, p, STATUS_MALFORMED_JSON, reason);
}

static void pass_limit(struct json_scan *scan, enum status status, uint64_t offset,
		       const char *reason)
{
	if (scan->problem != STATUS_OK)
		return;
	scan->problem = status;
	scan->problem_offset = offset;
	scan->problem_reason = reason;
}

/* ---- containers ---- */

static bytes_at open_container(struct json_scan *scan, bytes_at p, bool object)
{
	if (scan->level == JSON_SCAN_MOST_LEVELS)
		return fail(scan, p, STATUS_NESTING_TOO_DEEP, "nested too deeply");
	if (scan->level == json_scan_stack_levels(scan) && !json_scan_stack_grow(scan))
		return fail(scan, p, STATUS_NO_MEMORY, "out of memory");
	json_scan_push(scan, object);
	if (scan->level - scan->base > scan->depth_limit)
		pass_limit(scan, STATUS_NESTING_TOO_DEEP, offset_of(scan, p), "nested too deeply");
	scan->state = object ? JSON_SCAN_AT_KEY_OR_END : JSON_SCAN_AT_VALUE_OR_END;
	return p + 1;
}

static void end_value(struct json_scan *scan)
{
	scan->state = scan->level == 0 ? JSON_SCAN_AFTER_ALL : JSON_SCAN_AFTER_VALUE;
	if (scan->level < scan->watched)
		scan->event = JSON_SCAN_VALUE_END;
}

static bytes_at close_container(struct json_scan *scan, bytes_at p)
{
	json_scan_pop(scan);
	end_value(scan);
	return p + 1;
}

/* ---- strings ---- */

static void end_string(struct json_scan *scan)
{
	if (!scan->in_key) {
		end_value(scan);
		return;
	}
	scan->state = JSON_SCAN_AT_COLON;
	if (scan->level < scan->watched)
		scan->event = JSON_SCAN_KEY_END;
}

static bytes_at take_string(struct json_scan *scan, bytes_at p, bytes_at end)
{
	p = skip_plain(p, end);
	if (p == end)
		return p;
	if (*p == '"') {
		end_string(scan);
		return p + 1;
	}
	if (*p == '\\') {
		scan->state = JSON_SCAN_IN_ESCAPE;
		return p + 1;
	}
	if (*p < 0x20)
		return malformed(scan, p, "control character in string");
	scan->state = JSON_SCAN_IN_UTF8;
	return p;
}

static bytes_at begin_string(struct json_scan *scan, bytes_at p, bytes_at end, bool key)
{
	scan->in_key = key;
	scan->state = JSON_SCAN_IN_STRING;
	return take_string(scan, p + 1, end);
}

/* Sets what must follow the first byte of a sequence (Unicode, table 3-7); false for a byte that
 * begins none. */
static bool utf8_begin(struct json_scan *scan, unsigned char c)
{
	if (c < 0xc2 || c > 0xf4)
		return false;
	scan->utf8_more = scan->utf8_left = c < 0xe0 ? 1 : c < 0xf0 ? 2 : 3;
	/* No overlong forms, no surrogates, nothing above U+10FFFF. */
	scan->utf8_low = c == 0xe0 ? 0xa0 : c == 0xf0 ? 0x90 : 0x80;
	scan->utf8_high = c == 0xed ? 0x9f : c == 0xf4 ? 0x8f : 0xbf;
	return true;
}

/* At the byte that does not go on with the sequence, whose first bytes may be in an earlier piece.
 */
static bytes_at break_utf8(struct json_scan *scan, bytes_at p)
{
	(void)malformed(scan, p, "invalid UTF-8");
	scan->bad_offset -= 1u + scan->utf8_more - scan->utf8_left;
	return p;
}

static bytes_at take_utf8(struct json_scan *scan, bytes_at p, bytes_at end)
{
	for (; p < end; p++) {
		if (scan->utf8_left > 0) {
			if (*p < scan->utf8_low || *p > scan->utf8_high)
				return break_utf8(scan, p);
			scan->utf8_left--;
			scan->utf8_low = 0x80;
			scan->utf8_high = 0xbf;
			continue;
		}
		if (*p < 0x80) {
			scan->state = JSON_SCAN_IN_STRING;
			return p;
		}
		if (!utf8_begin(scan, *p))
			return malformed(scan, p, "invalid UTF-8");
	}
	return p;
}

static bytes_at take_escape(struct json_scan *scan, bytes_at p)
{
	switch (*p) {
	case 'u':
		scan->state = JSON_SCAN_IN_HEX;
		scan->hex_left = 4;
		scan->unit = 0;
		scan->paired = false;
		return p + 1;
	case '"':
	case '\\':
	case '/':
	case 'b':
	case 'f':
	case 'n':
	case 'r':
	case 't':
		scan->state = JSON_SCAN_IN_STRING;
		return p + 1;
	default:
		return malformed(scan, p, "invalid escape");
	}
}

/* A code unit is complete: what may follow, and whether jsonb can hold it. */
static void end_unit(struct json_scan *scan)
{
	bool high = scan->unit >= 0xd800 && scan->unit <= 0xdbff;
	bool low = scan->unit >= 0xdc00 && scan->unit <= 0xdfff;

	scan->state = JSON_SCAN_IN_STRING;
	if (scan->paired != low || scan->unit == 0)
		scan->needs_repair = true;
	if (high)
		scan->state = JSON_SCAN_AFTER_HIGH;
}

static bytes_at take_hex(struct json_scan *scan, bytes_at p, bytes_at end)
{
	for (; p < end && scan->hex_left > 0; p++, scan->hex_left--) {
		unsigned char c = *p | 0x20;
		if (*p >= '0' && *p <= '9')
			scan->unit = scan->unit * 16 + *p - '0';
		else if (c >= 'a' && c <= 'f')
			scan->unit = scan->unit * 16 + c - 'a' + 10;
		else
			return malformed(scan, p, "invalid escape");
	}
	if (scan->hex_left == 0)
		end_unit(scan);
	return p;
}

static bytes_at take_after_high(struct json_scan *scan, bytes_at p)
{
	if (*p == '\\') {
		scan->state = JSON_SCAN_AFTER_HIGH_SLASH;
		return p + 1;
	}
	scan->needs_repair = true;
	scan->state = JSON_SCAN_IN_STRING;
	return p;
}

static bytes_at take_after_high_slash(struct json_scan *scan, bytes_at p)
{
	bool unit = *p == 'u';

	p = take_escape(scan, p);
	if (unit)
		scan->paired = true;
	else
		scan->needs_repair = true;
	return p;
}

/* ---- numbers ---- */

static void end_number(struct json_scan *scan)
{
	if (scan->digits > scan->digit_limit)
		pass_limit(scan, STATUS_NUMBER_TOO_LARGE, scan->number_start,
			   "number has too many digits");
	if (scan->exponent > scan->exponent_limit)
		pass_limit(scan, STATUS_NUMBER_TOO_LARGE, scan->number_start, "exponent too large");
	end_value(scan);
}

static bytes_at begin_number(struct json_scan *scan, bytes_at p)
{
	scan->number_start = offset_of(scan, p);
	scan->exponent = 0;
	scan->digits = *p == '-' ? 0 : 1;
	scan->state = *p == '-'	  ? JSON_SCAN_NUMBER_SIGN
		      : *p == '0' ? JSON_SCAN_NUMBER_ZERO
				  : JSON_SCAN_NUMBER_INTEGER;
	return p + 1;
}

static bytes_at take_digits(struct json_scan *scan, bytes_at p, bytes_at end)
{
	bytes_at start = p;

	while (p < end && ascii_is_digit(*p))
		p++;
	scan->digits += (uint64_t)(p - start);
	return p;
}

static bytes_at take_exponent(struct json_scan *scan, bytes_at p, bytes_at end)
{
	for (; p < end && ascii_is_digit(*p); p++) {
		if (scan->exponent < MOST_EXPONENT)
			scan->exponent = scan->exponent * 10 + *p - '0';
	}
	return p;
}

/* At a byte that is not a digit, where the number may end. */
static bytes_at number_rest(struct json_scan *scan, bytes_at p)
{
	if (*p == '.' && scan->state != JSON_SCAN_NUMBER_FRACTION) {
		scan->state = JSON_SCAN_NUMBER_POINT;
		return p + 1;
	}
	if (*p == 'e' || *p == 'E') {
		scan->state = JSON_SCAN_NUMBER_E;
		return p + 1;
	}
	end_number(scan);
	return p;
}

/* Where a number cannot end: takes a digit, after which it is in the given state. */
static bytes_at number_digit(struct json_scan *scan, bytes_at p, enum json_scan_state state)
{
	if (!ascii_is_digit(*p))
		return malformed(scan, p, "invalid number");
	scan->state = state;
	return p;
}

static bytes_at take_number(struct json_scan *scan, bytes_at p, bytes_at end)
{
	enum json_scan_state state = scan->state;

	if (state == JSON_SCAN_NUMBER_INTEGER || state == JSON_SCAN_NUMBER_FRACTION) {
		p = take_digits(scan, p, end);
		return p == end ? p : number_rest(scan, p);
	}
	if (state == JSON_SCAN_NUMBER_ZERO)
		return ascii_is_digit(*p) ? malformed(scan, p, "invalid number")
					  : number_rest(scan, p);
	if (state == JSON_SCAN_NUMBER_SIGN) {
		if (*p != '0')
			return number_digit(scan, p, JSON_SCAN_NUMBER_INTEGER);
		scan->digits = 1;
		scan->state = JSON_SCAN_NUMBER_ZERO;
		return p + 1;
	}
	if (state == JSON_SCAN_NUMBER_POINT)
		return number_digit(scan, p, JSON_SCAN_NUMBER_FRACTION);
	if (state == JSON_SCAN_NUMBER_E && (*p == '+' || *p == '-')) {
		scan->state = JSON_SCAN_NUMBER_E_SIGN;
		return p + 1;
	}
	if (state == JSON_SCAN_NUMBER_E || state == JSON_SCAN_NUMBER_E_SIGN)
		return number_digit(scan, p, JSON_SCAN_NUMBER_EXPONENT);
	p = take_exponent(scan, p, end);
	if (p < end)
		end_number(scan);
	return p;
}

/* ---- values and what is between them ---- */

static bytes_at take_literal(struct json_scan *scan, bytes_at p, bytes_at end)
{
	for (; p < end && *scan->literal != '\0'; p++, scan->literal++) {
		if (*p != (unsigned char)*scan->literal)
			return malformed(scan, p, "unexpected character");
	}
	if (*scan->literal == '\0')
		end_value(scan);
	return p;
}

static bytes_at begin_literal(struct json_scan *scan, bytes_at p, bytes_at end, const char *rest)
{
	scan->literal = rest;
	scan->state = JSON_SCAN_IN_LITERAL;
	return take_literal(scan, p + 1, end);
}

static bytes_at begin_value(struct json_scan *scan, bytes_at p, bytes_at end)
{
	switch (*p) {
	case '"':
		return begin_string(scan, p, end, false);
	case '{':
		return open_container(scan, p, true);
	case '[':
		return open_container(scan, p, false);
	case 't':
		return begin_literal(scan, p, end, "rue");
	case 'f':
		return begin_literal(scan, p, end, "alse");
	case 'n':
		return begin_literal(scan, p, end, "ull");
	default:
		if (*p == '-' || ascii_is_digit(*p))
			return begin_number(scan, p);
		return malformed(scan, p, "unexpected character");
	}
}

static bytes_at take_value(struct json_scan *scan, bytes_at p, bytes_at end)
{
	p = skip_space(p, end);
	if (p == end)
		return p;
	if (scan->state == JSON_SCAN_AT_VALUE_OR_END && *p == ']')
		return close_container(scan, p);
	if (scan->level >= scan->watched)
		return begin_value(scan, p, end);
	scan->state = JSON_SCAN_IN_VALUE;
	scan->event = JSON_SCAN_VALUE;
	return p;
}

static bytes_at take_key(struct json_scan *scan, bytes_at p, bytes_at end)
{
	p = skip_space(p, end);
	if (p == end)
		return p;
	if (scan->state == JSON_SCAN_AT_KEY_OR_END && *p == '}')
		return close_container(scan, p);
	if (*p != '"')
		return malformed(scan, p, "unexpected character");
	if (scan->level >= scan->watched)
		return begin_string(scan, p, end, true);
	scan->state = JSON_SCAN_IN_KEY;
	scan->event = JSON_SCAN_KEY;
	return p;
}

static bytes_at take_colon(struct json_scan *scan, bytes_at p, bytes_at end)
{
	p = skip_space(p, end);
	if (p == end)
		return p;
	if (*p != ':')
		return malformed(scan, p, "missing colon");
	scan->state = JSON_SCAN_AT_VALUE;
	return p + 1;
}

static bytes_at take_after_value(struct json_scan *scan, bytes_at p, bytes_at end)
{
	p = skip_space(p, end);
	if (p == end)
		return p;
	if (*p == ',') {
		scan->state = scan->in_object ? JSON_SCAN_AT_KEY : JSON_SCAN_AT_VALUE;
		return p + 1;
	}
	if (*p == (scan->in_object ? '}' : ']'))
		return close_container(scan, p);
	return malformed(scan, p, "missing comma or bracket");
}

static bytes_at take_after_all(struct json_scan *scan, bytes_at p, bytes_at end)
{
	p = skip_space(p, end);
	return p == end ? p : malformed(scan, p, "text after the end");
}

static bytes_at take(struct json_scan *scan, bytes_at p, bytes_at end)
{
	switch (scan->state) {
	case JSON_SCAN_AT_VALUE:
	case JSON_SCAN_AT_VALUE_OR_END:
		return take_value(scan, p, end);
	case JSON_SCAN_IN_VALUE:
		return begin_value(scan, p, end);
	case JSON_SCAN_AT_KEY:
	case JSON_SCAN_AT_KEY_OR_END:
		return take_key(scan, p, end);
	case JSON_SCAN_IN_KEY:
		return begin_string(scan, p, end, true);
	case JSON_SCAN_AT_COLON:
		return take_colon(scan, p, end);
	case JSON_SCAN_AFTER_VALUE:
		return take_after_value(scan, p, end);
	case JSON_SCAN_AFTER_ALL:
		return take_after_all(scan, p, end);
	case JSON_SCAN_IN_STRING:
		return take_string(scan, p, end);
	case JSON_SCAN_IN_UTF8:
		return take_utf8(scan, p, end);
	case JSON_SCAN_IN_ESCAPE:
		return take_escape(scan, p);
	case JSON_SCAN_IN_HEX:
		return take_hex(scan, p, end);
	case JSON_SCAN_AFTER_HIGH:
		return take_after_high(scan, p);
	case JSON_SCAN_AFTER_HIGH_SLASH:
		return take_after_high_slash(scan, p);
	case JSON_SCAN_IN_LITERAL:
		return take_literal(scan, p, end);
	case JSON_SCAN_NUMBER_SIGN:
	case JSON_SCAN_NUMBER_ZERO:
	case JSON_SCAN_NUMBER_INTEGER:
	case JSON_SCAN_NUMBER_POINT:
	case JSON_SCAN_NUMBER_FRACTION:
	case JSON_SCAN_NUMBER_E:
	case JSON_SCAN_NUMBER_E_SIGN:
	case JSON_SCAN_NUMBER_EXPONENT:
		return take_number(scan, p, end);
	case JSON_SCAN_STOPPED:
		break;
	}
	scan->event = JSON_SCAN_FAILED;
	return p;
}

/* ---- the interface ---- */

void json_scan_open(struct json_scan *scan, unsigned depth_limit, unsigned digit_limit,
		    unsigned exponent_limit)
{
	*scan = (struct json_scan){
		.depth_limit = depth_limit,
		.digit_limit = digit_limit,
		.exponent_limit = exponent_limit,
	};
	json_scan_restart(scan, 0);
}

void json_scan_restart(struct json_scan *scan, uint64_t offset)
{
	scan->offset = offset;
	scan->level = 0;
	scan->status = STATUS_OK;
	scan->reason = "";
	scan->state = JSON_SCAN_AT_VALUE;
	scan->utf8_left = 0;
	json_scan_item(scan);
}

void json_scan_item(struct json_scan *scan)
{
	scan->base = scan->level;
	scan->needs_repair = false;
	scan->problem = STATUS_OK;
}

enum json_scan_event json_scan_feed(struct json_scan *scan, const char *bytes, size_t n,
				    size_t *used)
{
	bytes_at p = (bytes_at)bytes;
	bytes_at end = p + n;

	scan->piece = p;
	scan->event = JSON_SCAN_MORE;
	while (p < end && scan->event == JSON_SCAN_MORE)
		p = take(scan, p, end);
	*used = (size_t)(p - scan->piece);
	scan->offset += *used;
	return scan->event;
}

static bool in_string(enum json_scan_state state)
{
	return state >= JSON_SCAN_IN_STRING && state <= JSON_SCAN_AFTER_HIGH_SLASH;
}

enum status json_scan_end(struct json_scan *scan)
{
	enum json_scan_state state = scan->state;

	if (state == JSON_SCAN_STOPPED)
		return scan->status;
	if (scan->level == 0 &&
	    (state == JSON_SCAN_NUMBER_ZERO || state == JSON_SCAN_NUMBER_INTEGER ||
	     state == JSON_SCAN_NUMBER_FRACTION || state == JSON_SCAN_NUMBER_EXPONENT))
		end_number(scan);
	if (scan->state == JSON_SCAN_AFTER_ALL)
		return STATUS_OK;
	if (scan->level == 0 && state == JSON_SCAN_AT_VALUE) {
		scan->reason = "empty text";
		scan->bad_offset = scan->offset;
		return scan->status = STATUS_EMPTY_BODY;
	}
	(void)malformed(scan, scan->piece,
			in_string(state) ? "unfinished string" : "unexpected end");
	return scan->status;
}

void json_scan_close(struct json_scan *scan)
{
	free(scan->heap);
	scan->heap = NULL;
}
