/*
 * http/form.c - urlencoded forms. See http/form.h.
 */
#include "http/form_internal.h"

#include <string.h>

#include "base/hex.h"
#include "base/utf8.h"

enum { FIELDS_FIRST = 16 };

static bool is_utf8(struct slice text)
{
	uint32_t point;

	while (text.n > 0) {
		size_t width = utf8_decode(text, &point);
		if (width == 0)
			return false;
		text = (struct slice){text.p + width, text.n - width};
	}
	return true;
}

/* Outgrown arrays stay in the arena. */
static enum status make_room(struct arena *arena, struct http_form *form)
{
	if (form->count < form->room)
		return STATUS_OK;
	size_t room = form->room == 0 ? FIELDS_FIRST : form->room * 4;
	struct http_field *fields = arena_array(arena, room, sizeof(*fields));
	if (fields == NULL)
		return STATUS_NO_MEMORY;
	if (form->count > 0)
		memcpy(fields, form->fields, form->count * sizeof(*fields));
	form->fields = fields;
	form->room = room;
	return STATUS_OK;
}

enum status http_form_add(struct arena *arena, struct http_form *form, struct http_field field,
			  const char **reason)
{
	*reason = "";
	if (!is_utf8(field.name) || !is_utf8(field.value)) {
		*reason = "a field of the form is not UTF-8";
		return STATUS_UNSUPPORTED_MEDIA_TYPE;
	}
	if (form->count == HTTP_FORM_FIELDS_MAX) {
		*reason = "the form has too many fields";
		return STATUS_TOO_MANY_ITEMS;
	}
	if (make_room(arena, form) != STATUS_OK)
		return STATUS_NO_MEMORY;
	form->fields[form->count++] = field;
	return STATUS_OK;
}

/* Writes what the text means behind *room, which moves. */
static struct slice decode(struct slice text, char **room)
{
	char *out = *room;

	for (size_t i = 0; i < text.n;) {
		int escaped = hex_escaped(text, i);
		*(*room)++ = escaped >= 0 ? (char)escaped : text.p[i] == '+' ? ' ' : text.p[i];
		i += escaped >= 0 ? 3 : 1;
	}
	return (struct slice){out, (size_t)(*room - out)};
}

/* Takes what stands before the separator, and the separator. */
static struct slice take(struct slice *text, char separator)
{
	const char *end = text->n == 0 ? NULL : memchr(text->p, separator, text->n);
	struct slice part = {text->p, end == NULL ? text->n : (size_t)(end - text->p)};
	size_t used = part.n + (end == NULL ? 0 : 1);

	*text = (struct slice){text->p + used, text->n - used};
	return part;
}

enum status http_form_read(struct arena *arena, struct slice body, struct http_form *form,
			   const char **reason)
{
	char *room = arena_alloc(arena, body.n + 1);
	enum status status = room == NULL ? STATUS_NO_MEMORY : STATUS_OK;

	*form = (struct http_form){0};
	*reason = "";
	while (body.n > 0 && status == STATUS_OK) {
		struct slice value = take(&body, '&');
		if (value.n == 0)
			continue;
		struct slice name = take(&value, '=');
		struct http_field field;
		field.name = decode(name, &room);
		field.value = decode(value, &room);
		status = http_form_add(arena, form, field, reason);
	}
	if (status == STATUS_OK && form->count == 0) {
		*reason = "the form has no fields";
		status = STATUS_UNSUPPORTED_MEDIA_TYPE;
	}
	return status;
}
