/*
 * store/retention.h - how long the tables keep what is in them. Beside store/store.h, whose rules
 * hold here; for the tool.
 */
#ifndef STORE_RETENTION_H
#define STORE_RETENTION_H

#include "store/entity.h"
#include "store/store.h"

enum status store_retention_list(const struct store *store, const struct store_selection *selection,
				 struct store_list *retentions) MUST_CHECK;

/* keep absent: for ever; expired, "drop" or "detach", absent: as it was. STATUS_NO_SUCH_ROW for a
 * table without a retention of its own. */
enum status store_retention_set(const struct store *store, struct slice table, struct slice keep,
				struct slice expired) MUST_CHECK;

#endif
