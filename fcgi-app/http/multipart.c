/*
 * http/multipart.c - multipart/form-data (RFC 7578, RFC 2046 section 5.1). See http/form.h.
 */
#define _GNU_SOURCE /* memmem, which is POSIX only since 2024 */
#include "http/form_internal.h"

#include <string.h>

#include "http/header.h"
#include "http/media.h"

enum { NAME_BYTES = 1024 };

static struct slice behind(struct slice text, const char *p)
{
	return (struct slice){p, text.n - (size_t)(p - text.p)};
}

static struct slice before(struct slice text, const char *p)
{
	return (struct slice){text.p, (size_t)(p - text.p)};
}

static const char *find(struct slice text, struct slice part)
{
	return text.n == 0 ? NULL : memmem(text.p, text.n, part.p, part.n);
}

/* Takes a line without its end, CR LF or LF. False if there is none. */
static bool take_line(struct slice *text, struct slice *line)
{
	const char *end = text->n == 0 ? NULL : memchr(text->p, '\n', text->n);

	if (end == NULL)
		return false;
	*line = before(*text, end);
	*text = behind(*text, end + 1);
	if (line->n > 0 && line->p[line->n - 1] == '\r')
		line->n--;
	return true;
}

/* ---- a part ---- */

struct part {
	char *room; /* NAME_BYTES */
	struct slice name;
	bool has_file_name;
	bool is_file; /* the file name is not empty */
};

/* Content-Disposition: form-data; name="a"; filename="b" */
static bool read_disposition(struct slice text, struct part *part)
{
	char unused[NAME_BYTES] = "";

	(void)slice_take(&text, ';');
	while (text.n > 0) {
		struct slice value, name = slice_take(&text, '=');
		bool is_name = slice_equal_nocase(name, SLICE("name"));
		if (!http_header_take_value(&text, ';', is_name ? part->room : unused, NAME_BYTES,
					    &value))
			return false;
		if (is_name) {
			part->name = value;
		} else if (slice_equal_nocase(name, SLICE("filename")) ||
			   slice_equal_nocase(name, SLICE("filename*"))) {
			part->has_file_name = true;
			part->is_file |= value.n > 0;
		}
	}
	return true;
}

/* Reads the headers up to the empty line. False if that is missing, or no name is given. */
static bool read_headers(struct slice *text, struct part *part)
{
	struct slice line;

	while (take_line(text, &line)) {
		if (line.n == 0)
			return part->name.p != NULL;
		struct slice name = slice_take(&line, ':');
		if (slice_equal_nocase(name, SLICE("content-disposition")) &&
		    !read_disposition(line, part))
			return false;
	}
	return false;
}

static enum status refuse(const char **reason, const char *why)
{
	*reason = why;
	return STATUS_UNSUPPORTED_MEDIA_TYPE;
}

static enum status read_part(struct arena *arena, struct slice text, struct http_form *form,
			     const char **reason)
{
	struct part part = {.room = arena_alloc(arena, NAME_BYTES)};

	if (part.room == NULL)
		return STATUS_NO_MEMORY;
	if (!read_headers(&text, &part))
		return refuse(reason, "a part of the form has no name");
	/* Browsers send an empty part without a file name where no file was chosen. */
	if (part.is_file || (part.has_file_name && text.n > 0))
		return refuse(reason, "a part of the form is a file");
	return http_form_add(arena, form, (struct http_field){part.name, text}, reason);
}

/* ---- the parts ---- */

/* As the first line of the body shows it; absent if that is none. */
static struct slice own_boundary(struct slice body)
{
	struct slice line;

	if (!take_line(&body, &line) || line.n > HTTP_BOUNDARY_MAX + 2 ||
	    !slice_starts(line, SLICE("--")))
		return SLICE_ABSENT;
	line = slice_trim(line);
	return line.n == 2 ? SLICE_ABSENT : (struct slice){line.p + 2, line.n - 2};
}

/* The rest of the line behind a delimiter: blanks, or "--" behind the last part. */
static bool take_line_end(struct slice *text, bool *last)
{
	*last = slice_starts(*text, SLICE("--"));
	if (*last)
		return true;
	struct slice line;
	return take_line(text, &line) && slice_trim(line).n == 0;
}

/* A boundary in its body. */
struct delimiter {
	struct slice text; /* the line feed and what is behind it: a body may have LF alone */
	struct slice rest; /* of the body, behind the first one; absent if there is none */
	bool fits;	   /* that is at the end of a line */
};

/* STATUS_OK or STATUS_NO_MEMORY. */
static enum status find_delimiter(struct arena *arena, struct slice body, struct slice boundary,
				  struct delimiter *delimiter)
{
	struct slice text = slice_of(arena_format(arena, "\n--%.*s", (int)boundary.n, boundary.p));
	struct slice first = {text.p + 1, text.n - 1};
	bool last;

	*delimiter = (struct delimiter){.text = text};
	if (text.p == NULL)
		return STATUS_NO_MEMORY;
	/* It may begin the body, or stand behind a preamble. */
	const char *begin = slice_starts(body, first) ? body.p - 1 : find(body, text);
	if (begin == NULL)
		return STATUS_OK;
	delimiter->rest = behind(body, begin + text.n);
	struct slice rest = delimiter->rest;
	delimiter->fits = take_line_end(&rest, &last);
	return STATUS_OK;
}

static enum status read_parts(struct arena *arena, struct slice body, struct slice delimiter,
			      struct http_form *form, const char **reason)
{
	enum status status = STATUS_OK;
	bool last = false;

	while (status == STATUS_OK) {
		if (!take_line_end(&body, &last))
			return refuse(reason, "a boundary of the form is malformed");
		if (last)
			break;
		const char *end = find(body, delimiter);
		if (end == NULL)
			return refuse(reason, "the form does not end with its boundary");
		struct slice part = before(body, end);
		if (part.n > 0 && part.p[part.n - 1] == '\r')
			part.n--;
		body = behind(body, end + delimiter.n);
		status = read_part(arena, part, form, reason);
	}
	return status;
}

enum status http_multipart_read(struct arena *arena, struct slice body, struct slice boundary,
				struct http_form *form, const char **reason)
{
	struct slice own = own_boundary(body);
	struct delimiter delimiter = {0};
	enum status status = STATUS_OK;

	*form = (struct http_form){0};
	*reason = "";
	if (boundary.p == NULL && own.p == NULL)
		return refuse(reason, "the form has no boundary");
	if (boundary.p != NULL)
		status = find_delimiter(arena, body, boundary, &delimiter);
	if (status == STATUS_OK && own.p != NULL && !delimiter.fits)
		status = find_delimiter(arena, body, own, &delimiter);
	if (status != STATUS_OK)
		return status;
	if (delimiter.rest.p == NULL)
		return refuse(reason, "the form does not begin with its boundary");
	status = read_parts(arena, delimiter.rest, delimiter.text, form, reason);
	if (status == STATUS_OK && form->count == 0)
		return refuse(reason, "the form has no fields");
	return status;
}
