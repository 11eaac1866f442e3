/*
 * http/header.c - see http/header.h.
 */
#include "http/header.h"

#include <string.h>

/* The text after "NAME=" if the variable has this name, else NULL. Nearly all differ in their first
 * bytes, so a call of strncmp() would cost more. */
static const char *value_of(const char *variable, const char *name)
{
	for (; *name != '\0'; name++, variable++) {
		if (*variable != *name)
			return NULL;
	}
	return *variable == '=' ? variable + 1 : NULL;
}

unsigned http_header(const struct http_request *request, const char *variable, struct slice *value)
{
	unsigned count = 0;

	*value = SLICE_ABSENT;
	for (char *const *v = request->variables; *v != NULL; v++) {
		const char *text = value_of(*v, variable);
		if (text != NULL && count++ == 0)
			*value = slice_trim(slice_of(text));
	}
	return count;
}

/* ---- lists ---- */

bool http_header_take_value(struct slice *text, char separator, char *out, size_t out_bytes,
			    struct slice *value)
{
	*value = (struct slice){out, 0};
	*text = slice_trim(*text);
	if (text->n == 0 || text->p[0] != '"') {
		*value = slice_take(text, separator);
		return true;
	}
	for (size_t i = 1; i < text->n; i++) {
		if (text->p[i] == '"') {
			struct slice rest = {text->p + i + 1, text->n - i - 1};
			(void)slice_take(&rest, separator);
			*text = rest;
			return true;
		}
		if (text->p[i] == '\\')
			i++;
		if (i == text->n)
			return false;
		if (value->n < out_bytes)
			out[value->n++] = text->p[i];
	}
	return false;
}
