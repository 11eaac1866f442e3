/*
 * json/edit.c - see json/edit.h.
 */
#include "json/edit.h"

#include "json/text.h"
#include "json/walk.h"

static bool has_member(struct slice object, const char *name)
{
	struct json_walk walk;
	bool found = false;

	json_walk_open(&walk, object);
	while (!found && json_walk_next(&walk))
		found = json_text_is_name(walk.name, slice_of(name));
	json_walk_close(&walk);
	return found;
}

static void add_member(struct buf *out, struct slice member)
{
	buf_add_char(out, out->n == 0 ? '{' : ',');
	buf_add_slice(out, member);
}

static void add_defaults(struct buf *out, struct slice object, const struct json_edits *edits)
{
	for (size_t i = 0; i < edits->default_count; i++) {
		const struct json_default *given = &edits->defaults[i];
		if (given->value.p == NULL || has_member(object, given->name))
			continue;
		buf_add_char(out, out->n == 0 ? '{' : ',');
		buf_add_json(out, slice_of(given->name));
		buf_add_char(out, ':');
		buf_add_slice(out, given->value);
	}
}

static void add_members(struct buf *out, struct slice object)
{
	struct json_walk walk;

	json_walk_open(&walk, object);
	while (json_walk_next(&walk))
		add_member(out, walk.member);
	json_walk_close(&walk);
}

static bool needs_edit(const struct json_edits *edits)
{
	for (size_t i = 0; i < edits->default_count; i++) {
		if (edits->defaults[i].value.p != NULL)
			return true;
	}
	return false;
}

enum status json_edit(struct arena *arena, struct slice object, const struct json_edits *edits,
		      struct slice *out)
{
	struct buf text = buf_make(SIZE_MAX / 2);

	*out = object;
	if (!needs_edit(edits))
		return STATUS_OK;
	add_defaults(&text, object, edits);
	add_members(&text, object);
	buf_add_text(&text, text.n == 0 ? "{}" : "}");
	*out = arena_move(arena, &text);
	return out->p == NULL ? STATUS_NO_MEMORY : STATUS_OK;
}
