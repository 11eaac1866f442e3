/*
 * http/form.h - the fields of a form, urlencoded or multipart.
 */
#ifndef HTTP_FORM_H
#define HTTP_FORM_H

#include "base/arena.h"
#include "http/request.h"

/* Many more than any form has. */
enum { HTTP_FORM_FIELDS_MAX = 5000 };

struct http_field {
	struct slice name, value; /* decoded, UTF-8 */
};

/* In the order of the body, in an arena. */
struct http_form {
	struct http_field *fields;
	size_t count, room;
};

/*
 * Reads application/x-www-form-urlencoded as browsers write it: '+' is a blank, and a '%' that
 * begins no escape is itself. STATUS_OK, STATUS_NO_MEMORY, STATUS_TOO_MANY_ITEMS, or
 * STATUS_UNSUPPORTED_MEDIA_TYPE with *reason, a constant, for what is not UTF-8 or has no fields.
 */
enum status http_form_read(struct arena *arena, struct slice body, struct http_form *form,
			   const char **reason) MUST_CHECK;

/*
 * The same for multipart/form-data (RFC 7578), whose texts are parts of the body. Without a
 * boundary, or with one that the body does not have, the first line of the body tells it. Also
 * STATUS_UNSUPPORTED_MEDIA_TYPE: for a part that is a file (one with neither a name nor bytes was
 * not chosen, and is an empty text), and for a body that does not end with its boundary.
 */
enum status http_multipart_read(struct arena *arena, struct slice body, struct slice boundary,
				struct http_form *form, const char **reason) MUST_CHECK;

#endif
