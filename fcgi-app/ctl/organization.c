/*
 * ctl/organization.c - sluicectl organization …, member …. See ctl/ctl_internal.h.
 */
#include "ctl/ctl_internal.h"

#include "store/member.h"
#include "store/organization.h"

/* ---- organizations ---- */

/* done: "created" */
static enum ctl_exit print_organization(struct ctl *ctl, const char *done, struct slice name,
					int64_t id)
{
	if (ctl_has(ctl, CTL_JSON)) {
		struct json_tree tree = {0};
		struct json_object *root = json_tree_object(&tree, NULL, NULL);
		json_tree_int(&tree, root, "id", id);
		json_tree_text(&tree, root, "name", name);
		return ctl_add_tree(ctl, &tree);
	}
	buf_add_format(&ctl->out, "%s organization \"", done);
	ctl_add_escaped(&ctl->out, name);
	buf_add_text(&ctl->out, "\" with id ");
	buf_add_int(&ctl->out, id);
	buf_add_char(&ctl->out, '\n');
	return CTL_FINE;
}

enum ctl_exit ctl_organization_create(struct ctl *ctl)
{
	struct slice name = slice_of(ctl->argument);
	int64_t id = 0;
	enum status status = store_organization_create(&ctl->store, name, &id);

	return status == STATUS_OK ? print_organization(ctl, "created", name, id)
				   : ctl_fail_status(ctl, status);
}

enum ctl_exit ctl_organization_rename(struct ctl *ctl)
{
	struct slice name = ctl_value(ctl, CTL_NAME);
	int64_t id = 0;
	enum status status =
		store_organization_rename(&ctl->store, slice_of(ctl->argument), name, &id);

	return status == STATUS_OK ? print_organization(ctl, "renamed", name, id)
				   : ctl_fail_status(ctl, status);
}

enum ctl_exit ctl_organization_list(struct ctl *ctl)
{
	struct store_list organizations;
	enum status status = store_organization_list(&ctl->store, &organizations);

	return status == STATUS_OK ? ctl_print_list(ctl, &organizations)
				   : ctl_fail_status(ctl, status);
}

/* ---- members ---- */

static enum ctl_exit print_change_json(struct ctl *ctl)
{
	struct json_tree tree = {0};
	struct json_object *root = json_tree_object(&tree, NULL, NULL);

	json_tree_text(&tree, root, "organization", ctl_value(ctl, CTL_ORGANIZATION));
	json_tree_text(&tree, root, "user", ctl_value(ctl, CTL_USER));
	if (ctl_has(ctl, CTL_ROLE))
		json_tree_text(&tree, root, "role", ctl_value(ctl, CTL_ROLE));
	return ctl_add_tree(ctl, &tree);
}

/* Prints what was done to a membership; a removal has no role. */
static enum ctl_exit print_change(struct ctl *ctl, const char *what)
{
	struct buf *out = &ctl->out;

	if (ctl_has(ctl, CTL_JSON))
		return print_change_json(ctl);
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

	return status == STATUS_OK ? print_change(ctl, "added to") : ctl_fail_status(ctl, status);
}

enum ctl_exit ctl_member_role(struct ctl *ctl)
{
	enum status status = store_member_role(&ctl->store, ctl_value(ctl, CTL_ORGANIZATION),
					       ctl_value(ctl, CTL_USER), ctl_value(ctl, CTL_ROLE));

	return status == STATUS_OK ? print_change(ctl, "is a member of")
				   : ctl_fail_status(ctl, status);
}

enum ctl_exit ctl_member_remove(struct ctl *ctl)
{
	enum status status = store_member_remove(&ctl->store, ctl_value(ctl, CTL_ORGANIZATION),
						 ctl_value(ctl, CTL_USER));

	return status == STATUS_OK ? print_change(ctl, "removed from")
				   : ctl_fail_status(ctl, status);
}

enum ctl_exit ctl_member_list(struct ctl *ctl)
{
	struct store_list members;
	enum status status =
		store_member_list(&ctl->store, ctl_value(ctl, CTL_ORGANIZATION), &members);

	return status == STATUS_OK ? ctl_print_list(ctl, &members) : ctl_fail_status(ctl, status);
}
