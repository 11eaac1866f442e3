/*
 * store/organization.h - organizations.
 */
#ifndef STORE_ORGANIZATION_H
#define STORE_ORGANIZATION_H

#include "store/entity.h"
#include "store/store.h"

struct store_organization {
	int64_t id;
	struct slice name;
	int64_t members;
	int64_t keys;	       /* that are not deactivated */
	struct slice currency; /* of its product orgs' money, a code of ISO 4217 */
	struct slice created_at, created_by;
};

extern const struct store_entity store_organization_entity;

/* Creates one; *id is new. STATUS_NOT_UNIQUE when the name is taken. */
enum status store_organization_create(const struct store *store, struct slice name,
				      int64_t *id) MUST_CHECK;

/* Gives one another name. STATUS_NOT_UNIQUE when that is taken. */
enum status store_organization_rename(const struct store *store, struct slice organization,
				      struct slice name, int64_t *id) MUST_CHECK;

/* Lists those that match, by name. */
enum status store_organization_list(const struct store *store,
				    const struct store_selection *selection,
				    struct store_list *organizations) MUST_CHECK;

/* The one with this id. */
enum status store_organization_show(const struct store *store, int64_t id,
				    struct store_organization *organization) MUST_CHECK;

/* Sets the currency, a code of ISO 4217. STATUS_INVALID_VALUE for another text. */
enum status store_organization_currency(const struct store *store, struct slice organization,
					struct slice currency, int64_t *id) MUST_CHECK;

/* Sets how many signals one may send in a month (digits; 0: any number) and whether more are
 * accepted ("on", "off"); what is absent stays as it is. */
enum status store_organization_limit(const struct store *store, struct slice organization,
				     struct slice signal_limit, struct slice overages) MUST_CHECK;

#endif
