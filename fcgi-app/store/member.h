/*
 * store/member.h - members of organizations.
 */
#ifndef STORE_MEMBER_H
#define STORE_MEMBER_H

#include "store/entity.h"
#include "store/store.h"

struct store_member {
	struct slice user, role, added_at, added_by;
};

/* Makes a user a member. STATUS_NOT_UNIQUE for a member, and for a second owner;
 * STATUS_NO_SUCH_ROW without the organization; STATUS_INVALID_VALUE for another role. */
enum status store_member_add(const struct store *store, struct slice organization,
			     struct slice user, struct slice role) MUST_CHECK;

/* Ends a membership. STATUS_NO_SUCH_ROW when there is none. */
enum status store_member_remove(const struct store *store, struct slice organization,
				struct slice user) MUST_CHECK;

/* Lists the members of one organization, its owner first. STATUS_NO_SUCH_ROW without it. */
enum status store_member_list(const struct store *store, struct slice organization,
			      struct store_list *members) MUST_CHECK;

#endif
