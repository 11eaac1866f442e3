/*
 * ctl/organization.c - sluicectl organization …, member …. See ctl/ctl_internal.h.
 */
#include "ctl/ctl_internal.h"

#include "store/member.h"
#include "store/organization.h"

/* ---- organizations ---- */

/* done: "created" */
static enum ctl_exit print_organization(struct ctl *ctl, const char *done, int64_t id)
{
	struct store_organization organization = {0};
	enum status status = store_organization_show(&ctl->store, id, &organization);

	if (status != STATUS_OK)
		return ctl_fail_status(ctl, status);
	if (ctl_has(ctl, CTL_JSON))
		return ctl_print_item(ctl, &store_organization_entity, &organization);
	buf_add_format(&ctl->out, "%s organization \"", done);
	ctl_add_escaped(&ctl->out, organization.name);
	buf_add_text(&ctl->out, "\" with id ");
	buf_add_int(&ctl->out, organization.id);
	buf_add_char(&ctl->out, '\n');
	return CTL_FINE;
}

enum ctl_exit ctl_organization_create(struct ctl *ctl)
{
	int64_t id = 0;
	enum status status = store_organization_create(&ctl->store, slice_of(ctl->argument), &id);

	return status == STATUS_OK ? print_organization(ctl, "created", id)
				   : ctl_fail_status(ctl, status);
}

enum ctl_exit ctl_organization_rename(struct ctl *ctl)
{
	int64_t id = 0;
	enum status status = store_organization_rename(&ctl->store, slice_of(ctl->argument),
						       ctl_value(ctl, CTL_NAME), &id);

	return status == STATUS_OK ? print_organization(ctl, "renamed", id)
				   : ctl_fail_status(ctl, status);
}

enum ctl_exit ctl_organization_currency(struct ctl *ctl)
{
	struct store_organization organization = {0};
	int64_t id = 0;
	enum status status = store_organization_currency(&ctl->store, slice_of(ctl->argument),
							 ctl_value(ctl, CTL_CURRENCY), &id);

	if (status == STATUS_OK)
		status = store_organization_show(&ctl->store, id, &organization);
	if (status != STATUS_OK)
		return ctl_fail_status(ctl, status);
	if (ctl_has(ctl, CTL_JSON))
		return ctl_print_item(ctl, &store_organization_entity, &organization);
	buf_add_text(&ctl->out, "the money of organization \"");
	ctl_add_escaped(&ctl->out, organization.name);
	buf_add_format(&ctl->out, "\" is in %s\n", organization.currency.p);
	return CTL_FINE;
}

enum ctl_exit ctl_organization_list(struct ctl *ctl)
{
	struct store_selection selection;
	struct store_list organizations;
	enum ctl_exit usage = ctl_read_selection(ctl, &selection);

	if (usage != CTL_FINE)
		return usage;
	enum status status = store_organization_list(&ctl->store, &selection, &organizations);
	return status == STATUS_OK ? ctl_print_list(ctl, "organizations", &organizations)
				   : ctl_fail_status(ctl, status);
}

/* ---- members ---- */

/* As the settings service answers: the member, or who was removed. */
static enum ctl_exit print_change_json(struct ctl *ctl)
{
	struct json_tree tree = {0};
	struct store_member member = {0};

	if (ctl_has(ctl, CTL_ROLE)) {
		enum status status =
			store_member_show(&ctl->store, ctl_value(ctl, CTL_ORGANIZATION),
					  ctl_value(ctl, CTL_USER), &member);
		return status == STATUS_OK ? ctl_print_item(ctl, &store_member_entity, &member)
					   : ctl_fail_status(ctl, status);
	}
	struct json_object *root = json_tree_object(&tree, NULL, NULL);
	json_tree_text(&tree, root, "user", ctl_value(ctl, CTL_USER));
	json_tree_bool(&tree, root, "removed", true);
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
	struct store_selection selection;
	struct store_list members;
	enum ctl_exit usage = ctl_read_selection(ctl, &selection);

	if (usage != CTL_FINE)
		return usage;
	enum status status = store_member_list(&ctl->store, ctl_value(ctl, CTL_ORGANIZATION),
					       &selection, &members);
	return status == STATUS_OK ? ctl_print_list(ctl, "members", &members)
				   : ctl_fail_status(ctl, status);
}
