/*
 * store/usage.h - how many signals each organization has sent in a month.
 */
#ifndef STORE_USAGE_H
#define STORE_USAGE_H

#include "store/entity.h"
#include "store/store.h"

struct store_usage {
	struct slice organization;
	struct slice month;   /* YYYY-MM */
	int64_t signals;      /* stored in that month */
	int64_t duplicates;   /* not stored, because delivered before */
	int64_t signal_limit; /* 0: any number */
	bool overages;	      /* signals over the limit are accepted */
};

extern const struct store_entity store_usage_entity;

/* organization absent: all; month (its first day, an ISO 8601 date) absent: this one. */
enum status store_usage_list(const struct store *store, struct slice organization,
			     struct slice month, const struct store_selection *selection,
			     struct store_list *usages) MUST_CHECK;

#endif
