/*
 * ctl/organization.c - sluicectl organization …, member …. See ctl/ctl.h.
 */
#include "ctl/ctl.h"

/* ---- organizations ---- */

enum ctl_exit ctl_organization_create(struct ctl *ctl)
{
	struct slice name = slice_of(ctl->argument);
	int64_t id = 0;
	enum status status = store_organization_create(&ctl->store, name, &id);

	if (status != STATUS_OK)
		return ctl_fail_status(ctl, status);
	if (ctl_has(ctl, CTL_JSON)) {
		buf_add_char(&ctl->out, '{');
		json_write_member_int(&ctl->out, "id", id);
		json_write_member(&ctl->out, "name", name);
		buf_add_text(&ctl->out, "}\n");
	} else {
		buf_add_text(&ctl->out, "created organization \"");
		ctl_add_escaped(&ctl->out, name);
		buf_add_text(&ctl->out, "\" with id ");
		buf_add_int(&ctl->out, id);
		buf_add_char(&ctl->out, '\n');
	}
	return CTL_FINE;
}

static void add_organization_json(struct buf *out, const struct store_organization *organization)
{
	json_write_comma(out);
	buf_add_char(out, '{');
	json_write_member_int(out, "id", organization->id);
	json_write_member(out, "name", organization->name);
	json_write_member_int(out, "members", organization->members);
	json_write_member_int(out, "keys", organization->keys);
	json_write_member(out, "created_at", organization->created_at);
	json_write_member(out, "created_by", organization->created_by);
	buf_add_char(out, '}');
}

static enum ctl_exit print_organizations(struct ctl *ctl, const struct store_organizations *list)
{
	static const char *const heads[] = {"ID", "NAME", "MEMBERS", "KEYS", "CREATED"};
	enum { COLUMNS = ARRAY_LENGTH(heads) };
	struct slice *cells = arena_array(&ctl->arena, list->count * COLUMNS, sizeof(*cells));

	if (cells == NULL && list->count > 0)
		return ctl_fail_status(ctl, STATUS_NO_MEMORY);
	for (size_t i = 0; i < list->count; i++) {
		struct slice *row = cells + i * COLUMNS;
		row[0] = arena_int(&ctl->arena, list->items[i].id);
		row[1] = list->items[i].name;
		row[2] = arena_int(&ctl->arena, list->items[i].members);
		row[3] = arena_int(&ctl->arena, list->items[i].keys);
		row[4] = list->items[i].created_at;
	}
	ctl_add_table(&ctl->out, heads, COLUMNS, cells, list->count);
	return CTL_FINE;
}

enum ctl_exit ctl_organization_list(struct ctl *ctl)
{
	struct store_organizations list;
	enum status status = store_organization_list(&ctl->store, &list);

	if (status != STATUS_OK)
		return ctl_fail_status(ctl, status);
	if (!ctl_has(ctl, CTL_JSON))
		return print_organizations(ctl, &list);
	buf_add_char(&ctl->out, '[');
	for (size_t i = 0; i < list.count; i++)
		add_organization_json(&ctl->out, &list.items[i]);
	buf_add_text(&ctl->out, "]\n");
	return CTL_FINE;
}

/* ---- members ---- */

/* What was done to a membership: {"organization":…,"user":…,"role":…}; role may be absent. */
static enum ctl_exit print_change(struct ctl *ctl, const char *what)
{
	struct buf *out = &ctl->out;

	if (ctl_has(ctl, CTL_JSON)) {
		buf_add_char(out, '{');
		json_write_member(out, "organization", ctl_value(ctl, CTL_ORGANIZATION));
		json_write_member(out, "user", ctl_value(ctl, CTL_USER));
		if (ctl_has(ctl, CTL_ROLE))
			json_write_member(out, "role", ctl_value(ctl, CTL_ROLE));
		buf_add_text(out, "}\n");
		return CTL_FINE;
	}
	buf_add_text(out, "user \"");
	ctl_add_escaped(out, ctl_value(ctl, CTL_USER));
	buf_add_format(out, "\" %s organization \"", what);
	ctl_add_escaped(out, ctl_value(ctl, CTL_ORGANIZATION));
	buf_add_char(out, '"');
	if (ctl_has(ctl, CTL_ROLE))
		buf_add_format(out, " as %s", ctl->values[CTL_ROLE]);
	buf_add_char(out, '\n');
	return CTL_FINE;
}

enum ctl_exit ctl_member_add(struct ctl *ctl)
{
	enum status status = store_member_add(&ctl->store, ctl_value(ctl, CTL_ORGANIZATION),
					      ctl_value(ctl, CTL_USER), ctl_value(ctl, CTL_ROLE));

	if (status != STATUS_OK)
		return ctl_fail_status(ctl, status);
	return print_change(ctl, "added to");
}

enum ctl_exit ctl_member_remove(struct ctl *ctl)
{
	enum status status = store_member_remove(&ctl->store, ctl_value(ctl, CTL_ORGANIZATION),
						 ctl_value(ctl, CTL_USER));

	if (status != STATUS_OK)
		return ctl_fail_status(ctl, status);
	return print_change(ctl, "removed from");
}

static void add_member_json(struct buf *out, const struct store_member *member)
{
	json_write_comma(out);
	buf_add_char(out, '{');
	json_write_member(out, "user", member->user);
	json_write_member(out, "role", member->role);
	json_write_member(out, "added_at", member->added_at);
	json_write_member(out, "added_by", member->added_by);
	buf_add_char(out, '}');
}

static enum ctl_exit print_members(struct ctl *ctl, const struct store_members *list)
{
	static const char *const heads[] = {"USER", "ROLE", "ADDED", "BY"};
	enum { COLUMNS = ARRAY_LENGTH(heads) };
	struct slice *cells = arena_array(&ctl->arena, list->count * COLUMNS, sizeof(*cells));

	if (cells == NULL && list->count > 0)
		return ctl_fail_status(ctl, STATUS_NO_MEMORY);
	for (size_t i = 0; i < list->count; i++) {
		struct slice *row = cells + i * COLUMNS;
		row[0] = list->items[i].user;
		row[1] = list->items[i].role;
		row[2] = list->items[i].added_at;
		row[3] = list->items[i].added_by;
	}
	ctl_add_table(&ctl->out, heads, COLUMNS, cells, list->count);
	return CTL_FINE;
}

enum ctl_exit ctl_member_list(struct ctl *ctl)
{
	struct store_members list;
	enum status status =
		store_member_list(&ctl->store, ctl_value(ctl, CTL_ORGANIZATION), &list);

	if (status != STATUS_OK)
		return ctl_fail_status(ctl, status);
	if (!ctl_has(ctl, CTL_JSON))
		return print_members(ctl, &list);
	buf_add_char(&ctl->out, '[');
	for (size_t i = 0; i < list.count; i++)
		add_member_json(&ctl->out, &list.items[i]);
	buf_add_text(&ctl->out, "]\n");
	return CTL_FINE;
}
