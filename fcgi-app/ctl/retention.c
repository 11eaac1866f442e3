/*
 * ctl/retention.c - sluicectl retention list, retention set. See ctl/ctl_internal.h.
 */
#include "store/retention.h"

#include "ctl/ctl_internal.h"

enum ctl_exit ctl_retention_list(struct ctl *ctl)
{
	struct store_selection selection;
	struct store_list retentions;
	enum ctl_exit usage = ctl_read_selection(ctl, &selection);

	if (usage != CTL_FINE)
		return usage;
	enum status status = store_retention_list(&ctl->store, &selection, &retentions);
	return status == STATUS_OK ? ctl_print_list(ctl, "tables", &retentions)
				   : ctl_fail_status(ctl, status);
}

enum ctl_exit ctl_retention_set(struct ctl *ctl)
{
	struct slice keep = ctl_value(ctl, CTL_KEEP), expired = ctl_value(ctl, CTL_EXPIRED);

	if (slice_equal(keep, SLICE("forever")))
		keep = SLICE_ABSENT;
	else if (!ctl_is_span(keep.p))
		return ctl_fail(CTL_USAGE, "write 90d, or forever", "\"%s\" is not a span of time",
				keep.p);
	enum status status =
		store_retention_set(&ctl->store, slice_of(ctl->argument), keep, expired);
	return status == STATUS_OK ? ctl_retention_list(ctl) : ctl_fail_status(ctl, status);
}
