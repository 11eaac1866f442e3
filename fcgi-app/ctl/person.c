/*
 * ctl/person.c - sluicectl person show, person delete. See ctl/ctl_internal.h.
 */
#include "store/person.h"

#include <inttypes.h>

#include "ctl/ctl_internal.h"

enum ctl_exit ctl_person_show(struct ctl *ctl)
{
	struct store_selection selection;
	struct store_list signals;
	enum ctl_exit usage = ctl_read_selection(ctl, &selection);

	if (usage != CTL_FINE)
		return usage;
	enum status status = store_person_signals(&ctl->store, ctl_value(ctl, CTL_ORGANIZATION),
						  slice_of(ctl->argument), &selection, &signals);
	return status == STATUS_OK ? ctl_print_list(ctl, "signals", &signals)
				   : ctl_fail_status(ctl, status);
}

enum ctl_exit ctl_person_delete(struct ctl *ctl)
{
	int64_t count = 0;
	enum status status = store_person_delete(&ctl->store, ctl_value(ctl, CTL_ORGANIZATION),
						 slice_of(ctl->argument), &count);

	if (status != STATUS_OK)
		return ctl_fail_status(ctl, status);
	if (ctl_has(ctl, CTL_JSON)) {
		struct json_tree tree = {0};
		struct json_object *root = json_tree_object(&tree, NULL, NULL);
		json_tree_int(&tree, root, "signals", count);
		return ctl_add_tree(ctl, &tree);
	}
	buf_add_format(&ctl->out, "deleted %" PRId64 " signal%s\n", count, count == 1 ? "" : "s");
	return CTL_FINE;
}
