/*
 * json.c - members and typed reads by json-c. See json.h; what is JSON was decided before, in
 * json_scan.c, so json-c's own leniency does not matter here.
 */
#include "json.h"

#include <json-c/json.h>

#include "json_scan.h"
#include "json_text.h"

enum {
	FIRST_DEPTH = 32, /* enough for nearly all; json-c allocates as much as it is told */
	MOST_DEPTH = 1 << 20,
	NO_LIMIT = 1 << 30 /* json_text has checked the limits */
};

/* json-c declares some readers without const; they change nothing that is visible here. */
static struct json_object *without_const(const struct json_object *value)
{
	return (struct json_object *)(uintptr_t)value;
}

static bool is_null(struct slice text)
{
	size_t i = 0;

	while (i < text.n && text.p[i] <= ' ')
		i++;
	return i < text.n && text.p[i] == 'n';
}

/* json-c reports success without a value for null, but also for want of memory. */
static enum status outcome(enum json_tokener_error error, const struct json_object *value,
			   struct slice text)
{
	if (error == json_tokener_error_depth)
		return STATUS_NESTING_TOO_DEEP;
	if (error != json_tokener_success)
		return STATUS_MALFORMED_JSON;
	return value != NULL || is_null(text) ? STATUS_OK : STATUS_NO_MEMORY;
}

static enum status parse(struct slice text, int depth, struct json_object **value)
{
	struct json_tokener *tokener = json_tokener_new_ex(depth);

	if (tokener == NULL)
		return STATUS_NO_MEMORY;
	*value = json_tokener_parse_ex(tokener, text.p, (int)text.n);
	/* A number at the top level may go on until json-c is told that it does not. */
	if (json_tokener_get_error(tokener) == json_tokener_continue)
		*value = json_tokener_parse_ex(tokener, "", 1);
	enum status status = outcome(json_tokener_get_error(tokener), *value, text);
	json_tokener_free(tokener);
	return status;
}

enum status json_parse(struct slice text, struct json_object **value)
{
	enum status status = STATUS_NESTING_TOO_DEEP;

	*value = NULL;
	if (text.n > INT32_MAX)
		return STATUS_MALFORMED_JSON;
	for (int depth = FIRST_DEPTH; status == STATUS_NESTING_TOO_DEEP && depth <= MOST_DEPTH;
	     depth *= 4)
		status = parse(text, depth, value);
	return status == STATUS_NESTING_TOO_DEEP ? STATUS_MALFORMED_JSON : status;
}

static bool is_one_of(struct slice name, const char *const *names)
{
	for (; *names != NULL; names++) {
		if (json_text_is_name(name, slice_of(*names)))
			return true;
	}
	return false;
}

/* Appends the text without what lies in other containers than those of these names; nothing when
 * the whole text would be appended. */
static void outline(struct slice text, const char *const *names, struct buf *out)
{
	struct json_scan scan;
	struct slice name = {NULL, 0};
	size_t at = 0, key = 0, copied = 0, used;
	bool left_out = false;

	json_scan_open(&scan, NO_LIMIT, NO_LIMIT, NO_LIMIT);
	scan.watched = 1;
	while (at < text.n) {
		enum json_scan_event event = json_scan_feed(&scan, text.p + at, text.n - at, &used);
		at += used;
		if (event == JSON_SCAN_KEY) {
			key = at;
		} else if (event == JSON_SCAN_KEY_END) {
			name = (struct slice){text.p + key, at - key};
		} else if (event == JSON_SCAN_VALUE_END) {
			if (left_out)
				copied = at;
			left_out = false;
			scan.watched = scan.level + 1;
		} else if (event == JSON_SCAN_VALUE) {
			bool is_object = text.p[at] == '{';
			if (is_object && (scan.level == 0 || is_one_of(name, names))) {
				scan.watched = scan.level + 2;
			} else if (is_object || text.p[at] == '[') {
				buf_add(out, text.p + copied, at - copied);
				buf_add_text(out, "[]");
				left_out = true;
			}
		} else {
			break;
		}
	}
	json_scan_close(&scan);
	if (out->n > 0 && !left_out)
		buf_add(out, text.p + copied, text.n - copied);
}

enum status json_parse_places(struct slice text, const char *const *names,
			      struct json_object **value)
{
	struct buf part = buf_make(text.n);

	*value = NULL;
	outline(text, names, &part);
	enum status status = part.status;
	if (status == STATUS_OK)
		status = json_parse(part.n > 0 ? buf_slice(&part) : text, value);
	buf_free(&part);
	return status;
}

void json_release(struct json_object *value)
{
	json_object_put(value);
}

struct json_object *json_member(const struct json_object *value, const char *name)
{
	struct json_object *member = NULL;

	if (json_is_object(value))
		(void)json_object_object_get_ex(value, name, &member);
	return member;
}

bool json_is_object(const struct json_object *value)
{
	return json_object_is_type(value, json_type_object) != 0;
}

struct slice json_string(const struct json_object *value)
{
	if (!json_object_is_type(value, json_type_string))
		return (struct slice){0};
	return (struct slice){json_object_get_string(without_const(value)),
			      (size_t)json_object_get_string_len(value)};
}

/* json-c turns integers beyond 64 bits into these two, so they too are taken for such. */
static bool is_saturated(const struct json_object *value)
{
	return json_object_get_int64(value) == INT64_MIN ||
	       json_object_get_uint64(value) == UINT64_MAX;
}

struct slice json_scalar_text(const struct json_object *value)
{
	switch (json_object_get_type(value)) {
	case json_type_string:
		return json_string(value);
	case json_type_int:
		if (is_saturated(value))
			break;
		return slice_of(json_object_get_string(without_const(value)));
	case json_type_boolean:
	case json_type_double: /* json-c has kept what was written */
		return slice_of(json_object_get_string(without_const(value)));
	case json_type_null:
	case json_type_object:
	case json_type_array:
		break;
	}
	return (struct slice){0};
}

bool json_int(const struct json_object *value, int64_t *out)
{
	if (!json_object_is_type(value, json_type_int) || is_saturated(value) ||
	    json_object_get_uint64(value) > INT64_MAX)
		return false;
	*out = json_object_get_int64(value);
	return true;
}
