/*
 * http/form_internal.h - what both kinds of forms have in common.
 */
#ifndef HTTP_FORM_INTERNAL_H
#define HTTP_FORM_INTERNAL_H

#include "http/form.h"

/* Adds a field. STATUS_OK, STATUS_NO_MEMORY, STATUS_TOO_MANY_ITEMS, or
 * STATUS_UNSUPPORTED_MEDIA_TYPE for one that is not UTF-8. */
enum status http_form_add(struct arena *arena, struct http_form *form, struct http_field field,
			  const char **reason) MUST_CHECK;

#endif
