/*
 * json/write.c - see json/write.h.
 */
#include "json/write.h"

#include "base/utf8.h"

void json_write_comma(struct buf *out)
{
	char last = out->n == 0 ? '{' : out->p[out->n - 1];

	if (last != '{' && last != '[')
		buf_add_char(out, ',');
}

static void add_name(struct buf *out, const char *name)
{
	json_write_comma(out);
	buf_add_json(out, slice_of(name));
	buf_add_char(out, ':');
}

void json_write_member(struct buf *out, const char *name, struct slice text)
{
	struct buf repaired = buf_make(SIZE_MAX / 2);

	add_name(out, name);
	utf8_repair(&repaired, text);
	if (text.p == NULL)
		buf_add_text(out, "null");
	else
		buf_add_json(out, buf_slice(&repaired));
	if (repaired.status != STATUS_OK)
		out->status = repaired.status;
	buf_free(&repaired);
}

void json_write_member_int(struct buf *out, const char *name, int64_t value)
{
	add_name(out, name);
	buf_add_int(out, value);
}

void json_write_member_bool(struct buf *out, const char *name, bool value)
{
	add_name(out, name);
	buf_add_text(out, value ? "true" : "false");
}

void json_write_member_json(struct buf *out, const char *name, struct slice json)
{
	add_name(out, name);
	if (json.p == NULL)
		buf_add_text(out, "null");
	else
		buf_add_slice(out, json);
}
