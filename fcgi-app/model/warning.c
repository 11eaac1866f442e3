/*
 * model/warning.c - see model/warning.h.
 */
#include "model/warning.h"

enum status warnings_json(struct arena *arena, const struct warning *warnings, size_t count,
			  struct slice *text)
{
	struct buf out = buf_make(SIZE_MAX / 2);

	*text = SLICE_ABSENT;
	if (count == 0)
		return STATUS_OK;
	for (size_t i = 0; i < count; i++) {
		buf_add_text(&out, i == 0 ? "[{\"field\":" : ",{\"field\":");
		buf_add_json(&out, warnings[i].field);
		buf_add_text(&out, ",\"reason\":");
		buf_add_json(&out, slice_of(warnings[i].reason));
		buf_add_char(&out, '}');
	}
	buf_add_char(&out, ']');
	*text = arena_move(arena, &out);
	return text->p == NULL ? STATUS_NO_MEMORY : STATUS_OK;
}
