/*
 * intake/form.c - a form to the JSON text that it stands for. See intake/intake_internal.h.
 */
#include "intake/intake_internal.h"

#include <stdlib.h>
#include <string.h>

#include "http/form.h"
#include "json/text.h"

/* ---- a form that is JSON ---- */

static bool is_empty_array(struct slice trimmed)
{
	size_t n = trimmed.n;

	return n > 1 && trimmed.p[0] == '[' && trimmed.p[n - 1] == ']' &&
	       slice_trim((struct slice){trimmed.p + 1, n - 2}).n == 0;
}

/* An object or array; its limits are the reader's to judge. Of an empty array, with which Mandrill
 * asks whether a URL is there, nothing would be left. */
static bool is_json(const struct intake *intake, struct slice text)
{
	struct json_limits limits = intake_json_limits(intake->config, intake->kind);
	struct slice trimmed = slice_trim(text);

	if (trimmed.n == 0 || (*trimmed.p != '{' && *trimmed.p != '[') || is_empty_array(trimmed))
		return false;
	enum status status = json_text_check(text, &limits, NULL, NULL, NULL);
	return status != STATUS_MALFORMED_JSON && status != STATUS_NO_MEMORY;
}

/* The value of a single field with one of these names; or, where a JSON text was sent as if it were
 * a form, its only name. Absent: the form is itself what was sent. */
static struct slice unwrap(const struct intake *intake, const struct http_form *form)
{
	static const char *const names[] = {"payload", "json", "data", "body", "mandrill_events"};
	const struct http_field *field = &form->fields[0];

	if (form->count != 1)
		return SLICE_ABSENT;
	if (field->value.n == 0)
		return is_json(intake, field->name) ? field->name : SLICE_ABSENT;
	for (size_t i = 0; i < ARRAY_LENGTH(names); i++) {
		if (slice_equal(field->name, slice_of(names[i])) && is_json(intake, field->value))
			return field->value;
	}
	return SLICE_ABSENT;
}

/* ---- a form as an object ---- */

struct placed_field {
	struct http_field field;
	size_t place; /* in the body */
};

/* Fields of one name stand together, in the order of the body. */
static int compare(const void *a, const void *b)
{
	const struct placed_field *x = a, *y = b;
	struct slice p = x->field.name, q = y->field.name;
	size_t n = p.n < q.n ? p.n : q.n;
	int order = n == 0 ? 0 : memcmp(p.p, q.p, n);

	if (order == 0 && p.n != q.n)
		order = p.n < q.n ? -1 : 1;
	return order != 0 ? order : (x->place > y->place) - (x->place < y->place);
}

static void add_member(struct buf *out, const struct placed_field *fields, size_t count)
{
	buf_add_json(out, fields[0].field.name);
	buf_add_char(out, ':');
	if (count > 1)
		buf_add_char(out, '[');
	for (size_t i = 0; i < count; i++) {
		if (i > 0)
			buf_add_char(out, ',');
		buf_add_json(out, fields[i].field.value);
	}
	if (count > 1)
		buf_add_char(out, ']');
}

static enum status as_object(struct arena *arena, const struct http_form *form, struct slice *text)
{
	struct buf out = buf_make(SIZE_MAX / 2);
	struct placed_field *fields = arena_array(arena, form->count, sizeof(*fields));

	if (fields == NULL)
		return STATUS_NO_MEMORY;
	for (size_t i = 0; i < form->count; i++)
		fields[i] = (struct placed_field){form->fields[i], i};
	qsort(fields, form->count, sizeof(*fields), compare);
	for (size_t i = 0, n; i < form->count; i += n) {
		for (n = 1; i + n < form->count &&
			    slice_equal(fields[i].field.name, fields[i + n].field.name);
		     n++)
			;
		buf_add_char(&out, i == 0 ? '{' : ',');
		add_member(&out, fields + i, n);
	}
	buf_add_char(&out, '}');
	*text = arena_move(arena, &out);
	return text->p == NULL ? STATUS_NO_MEMORY : STATUS_OK;
}

enum status intake_read_form(struct intake *intake, struct slice body, struct slice *text,
			     const char **reason)
{
	char room[HTTP_BOUNDARY_MAX];
	struct http_form form;
	enum status status =
		intake->media == HTTP_MEDIA_FORM
			? http_form_read(intake->arena, body, &form, reason)
			: http_multipart_read(intake->arena, body,
					      http_boundary(intake->http, room), &form, reason);

	if (status != STATUS_OK)
		return status;
	*text = unwrap(intake, &form);
	return text->p != NULL ? STATUS_OK : as_object(intake->arena, &form, text);
}
