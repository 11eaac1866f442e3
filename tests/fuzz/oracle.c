/*
 * oracle.c - a second reading of JSON. See oracle.h.
 */
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "fuzz.h"
#include "oracle.h"

struct oracle oracle_of(struct slice text)
{
	const unsigned char *p = (const unsigned char *)text.p;

	return (struct oracle){p, p + text.n};
}

static void skip_space(struct oracle *o)
{
	while (o->p < o->end && (*o->p == ' ' || *o->p == '\t' || *o->p == '\n' || *o->p == '\r'))
		o->p++;
}

static bool next_is(struct oracle *o, char c)
{
	if (o->p == o->end || *o->p != (unsigned char)c)
		return false;
	o->p++;
	return true;
}

static bool word(struct oracle *o, const char *text)
{
	while (*text != '\0') {
		if (!next_is(o, *text++))
			return false;
	}
	return true;
}

static bool digits(struct oracle *o)
{
	const unsigned char *start = o->p;

	while (o->p < o->end && *o->p >= '0' && *o->p <= '9')
		o->p++;
	return o->p > start;
}

static bool number(struct oracle *o)
{
	(void)next_is(o, '-');
	if (!next_is(o, '0') && !digits(o))
		return false;
	if (next_is(o, '.') && !digits(o))
		return false;
	if (next_is(o, 'e') || next_is(o, 'E')) {
		if (!next_is(o, '-'))
			(void)next_is(o, '+');
		return digits(o);
	}
	return true;
}

/* ---- strings ---- */

static void put(struct buf *out, uint32_t c)
{
	if (out == NULL)
		return;
	if (c < 0x80) {
		buf_add_char(out, (char)c);
		return;
	}
	int more = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
	const uint32_t first[] = {0, 0xc0, 0xe0, 0xf0};
	buf_add_char(out, (char)(first[more] | c >> (6 * more)));
	while (more-- > 0)
		buf_add_char(out, (char)(0x80 | (c >> (6 * more) & 0x3f)));
}

static bool hex4(struct oracle *o, uint32_t *unit)
{
	static const char hex[] = "0123456789abcdef";

	*unit = 0;
	for (int i = 0; i < 4; i++, o->p++) {
		if (o->p == o->end || *o->p == '\0')
			return false;
		int c = *o->p >= 'A' && *o->p <= 'F' ? *o->p + 32 : *o->p;
		const char *at = strchr(hex, c);
		if (at == NULL)
			return false;
		*unit = *unit << 4 | (uint32_t)(at - hex);
	}
	return true;
}

/* Behind \u. */
static bool unicode(struct oracle *o, struct buf *out)
{
	uint32_t unit, low;

	if (!hex4(o, &unit))
		return false;
	if (unit >= 0xd800 && unit < 0xdc00) {
		struct oracle after = *o;
		if (word(&after, "\\u") && hex4(&after, &low) && low >= 0xdc00 && low < 0xe000) {
			*o = after;
			put(out, 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00));
			return true;
		}
	}
	put(out, unit == 0 || (unit >= 0xd800 && unit < 0xe000) ? 0xfffd : unit);
	return true;
}

static bool escape(struct oracle *o, struct buf *out)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";

	if (next_is(o, 'u'))
		return unicode(o, out);
	for (size_t i = 0; from[i] != '\0'; i++) {
		if (next_is(o, from[i])) {
			put(out, (unsigned char)to[i]);
			return true;
		}
	}
	return false;
}

static bool utf8(struct oracle *o, struct buf *out)
{
	const uint32_t least[] = {0, 0x80, 0x800, 0x10000};
	unsigned char first = *o->p++;
	int more = first < 0xc0 ? -1 : first < 0xe0 ? 1 : first < 0xf0 ? 2 : first < 0xf8 ? 3 : -1;

	if (more < 0)
		return false;
	uint32_t c = first & (0x3fu >> more);
	for (int i = 0; i < more; i++) {
		if (o->p == o->end || (*o->p & 0xc0) != 0x80)
			return false;
		c = c << 6 | (*o->p++ & 0x3fu);
	}
	put(out, c);
	return c >= least[more] && c <= 0x10ffff && (c < 0xd800 || c > 0xdfff);
}

bool oracle_string(struct oracle *o, struct buf *out)
{
	if (!next_is(o, '"'))
		return false;
	while (o->p < o->end) {
		if (next_is(o, '"'))
			return true;
		if (next_is(o, '\\')) {
			if (!escape(o, out))
				return false;
		} else if (*o->p >= 0x80) {
			if (!utf8(o, out))
				return false;
		} else if (*o->p < ' ') {
			return false;
		} else {
			put(out, *o->p++);
		}
	}
	return false;
}

/* ---- values ---- */

static bool array(struct oracle *o)
{
	skip_space(o);
	if (next_is(o, ']'))
		return true;
	do {
		if (!oracle_value(o))
			return false;
		skip_space(o);
	} while (next_is(o, ','));
	return next_is(o, ']');
}

/* One member; name may be NULL. */
static bool member(struct oracle *o, struct buf *name, struct slice *value)
{
	skip_space(o);
	if (!oracle_string(o, name))
		return false;
	skip_space(o);
	if (!next_is(o, ':'))
		return false;
	skip_space(o);
	const unsigned char *start = o->p;
	bool good = oracle_value(o);
	*value = (struct slice){(const char *)start, (size_t)(o->p - start)};
	return good;
}

static bool object(struct oracle *o)
{
	struct slice value;

	skip_space(o);
	if (next_is(o, '}'))
		return true;
	do {
		if (!member(o, NULL, &value))
			return false;
		skip_space(o);
	} while (next_is(o, ','));
	return next_is(o, '}');
}

bool oracle_value(struct oracle *o)
{
	skip_space(o);
	if (o->p == o->end)
		return false;
	switch (*o->p) {
	case '{':
		o->p++;
		return object(o);
	case '[':
		o->p++;
		return array(o);
	case '"':
		return oracle_string(o, NULL);
	case 't':
		return word(o, "true");
	case 'f':
		return word(o, "false");
	case 'n':
		return word(o, "null");
	default:
		return number(o);
	}
}

bool oracle_text(struct slice text)
{
	struct oracle o = oracle_of(text);

	if (!oracle_value(&o))
		return false;
	skip_space(&o);
	return o.p == o.end;
}

/* ---- members ---- */

bool oracle_members(struct oracle *o, struct oracle_members *members)
{
	*members = (struct oracle_members){0};
	skip_space(o);
	if (!next_is(o, '{'))
		return false;
	skip_space(o);
	if (next_is(o, '}'))
		return true;
	/* No object has more members than bytes. */
	members->list = calloc((size_t)(o->end - o->p) / 2 + 1, sizeof(*members->list));
	CHECK(members->list != NULL);
	do {
		struct oracle_member *next = &members->list[members->count++];
		next->name = buf_make(SIZE_MAX / 2);
		if (!member(o, &next->name, &next->value))
			return false;
		skip_space(o);
	} while (next_is(o, ','));
	return next_is(o, '}');
}

void oracle_members_free(struct oracle_members *members)
{
	for (size_t i = 0; i < members->count; i++)
		buf_free(&members->list[i].name);
	free(members->list);
}

const struct oracle_member *oracle_find(const struct oracle_members *members, struct slice name)
{
	for (size_t i = members->count; i-- > 0;) {
		if (slice_equal(buf_slice(&members->list[i].name), name))
			return &members->list[i];
	}
	return NULL;
}

/* ---- json-c ---- */

struct json_object *oracle_parse(struct slice text)
{
	CHECK(text.n < INT32_MAX);
	/* A level takes two brackets. */
	struct json_tokener *tokener = json_tokener_new_ex((int)text.n / 2 + 2);
	CHECK(tokener != NULL);
	struct json_object *value = json_tokener_parse_ex(tokener, text.p, (int)text.n);
	/* A number at the top level may go on until json-c is told that it does not. */
	if (json_tokener_get_error(tokener) == json_tokener_continue)
		value = json_tokener_parse_ex(tokener, "", 1);
	CHECK(json_tokener_get_error(tokener) == json_tokener_success);
	json_tokener_free(tokener);
	return value;
}

/* True for a text with a character beyond U+FFFF whose last sixteen bits look like half of a pair:
 * escaped, json-c reads it as U+FFFD. */
static bool is_misread(struct slice text)
{
	uint32_t point;

	for (size_t n = 0; text.n > 0; text = (struct slice){text.p + n, text.n - n}) {
		n = utf8_decode(text, &point);
		CHECK(n > 0);
		if (point > 0xffff && (point & 0xf800) == 0xd800)
			return true;
	}
	return false;
}

static bool same_members(const struct oracle_members *members, const struct json_object *value)
{
	bool same = true, misread = false;
	size_t distinct = 0;

	for (size_t i = 0; i < members->count && !misread; i++)
		misread = is_misread(buf_slice(&members->list[i].name));
	for (size_t i = 0; i < members->count && same && !misread; i++) {
		struct slice name = buf_slice(&members->list[i].name);
		struct json_object *found = NULL;
		if (oracle_find(members, name) != &members->list[i])
			continue; /* another of the same name follows */
		char *key = fuzz_copy(name);
		distinct++;
		same = json_object_object_get_ex(value, key, &found) &&
		       oracle_same(members->list[i].value, found);
		free(key);
	}
	return misread || (same && distinct == (size_t)json_object_object_length(value));
}

static bool same_object(struct slice text, const struct json_object *value)
{
	struct oracle o = oracle_of(text);
	struct oracle_members members;
	bool same = oracle_members(&o, &members) && json_object_is_type(value, json_type_object) &&
		    same_members(&members, value);

	oracle_members_free(&members);
	return same;
}

static bool same_array(struct slice text, const struct json_object *value)
{
	struct oracle o = oracle_of((struct slice){text.p + 1, text.n - 1});
	size_t count = 0;

	if (!json_object_is_type(value, json_type_array))
		return false;
	skip_space(&o);
	if (next_is(&o, ']'))
		return json_object_array_length(value) == 0;
	do {
		skip_space(&o);
		const unsigned char *start = o.p;
		if (!oracle_value(&o) || count >= json_object_array_length(value))
			return false;
		struct slice item = {(const char *)start, (size_t)(o.p - start)};
		if (!oracle_same(item, json_object_array_get_idx(value, count++)))
			return false;
		skip_space(&o);
	} while (next_is(&o, ','));
	return count == json_object_array_length(value);
}

/* json-c declares its readers without const. */
static struct slice text_of(const struct json_object *value)
{
	struct json_object *read = (struct json_object *)(uintptr_t)value;
	const char *text = json_object_get_string(read);

	if (!json_object_is_type(value, json_type_string))
		return slice_of(text);
	return (struct slice){text, (size_t)json_object_get_string_len(read)};
}

static bool same_string(struct slice text, const struct json_object *value)
{
	struct oracle o = oracle_of(text);
	struct buf meant = buf_make(SIZE_MAX / 2);
	bool same =
		oracle_string(&o, &meant) && json_object_is_type(value, json_type_string) &&
		(is_misread(buf_slice(&meant)) || slice_equal(buf_slice(&meant), text_of(value)));

	buf_free(&meant);
	return same;
}

/* json-c turns integers beyond 64 bits into the ends of their range. */
static bool is_saturated(const struct json_object *value)
{
	return json_object_get_int64(value) == INT64_MIN ||
	       json_object_get_uint64(value) == UINT64_MAX;
}

/* Exactly as written, where json-c is exact. */
static bool same_number(struct slice text, const struct json_object *value)
{
	if (json_object_is_type(value, json_type_double))
		return slice_equal(text_of(value), text);
	if (!json_object_is_type(value, json_type_int))
		return false;
	if (is_saturated(value))
		return text.n >= 19;
	return slice_equal(text_of(value), slice_equal(text, SLICE("-0")) ? SLICE("0") : text);
}

bool oracle_same(struct slice text, const struct json_object *value)
{
	CHECK(text.n > 0);
	switch (*text.p) {
	case '{':
		return same_object(text, value);
	case '[':
		return same_array(text, value);
	case '"':
		return same_string(text, value);
	case 't':
	case 'f':
		return json_object_is_type(value, json_type_boolean) &&
		       json_object_get_boolean(value) == (*text.p == 't');
	case 'n':
		return value == NULL;
	default:
		return same_number(text, value);
	}
}
