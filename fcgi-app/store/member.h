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

/* Gives a member another role; "owner": the owner until then becomes an admin. STATUS_NO_SUCH_ROW
 * without such a member, STATUS_WRONG_STATE for the owner, STATUS_INVALID_VALUE for another role.
 */
enum status store_member_role(const struct store *store, struct slice organization,
			      struct slice user, struct slice role) MUST_CHECK;

/* Ends a membership. STATUS_NO_SUCH_ROW when there is none, STATUS_WRONG_STATE for the owner. */
enum status store_member_remove(const struct store *store, struct slice organization,
				struct slice user) MUST_CHECK;

extern const struct store_entity store_member_entity;

/* Lists the members of one organization that match, in a role, its owner first.
 * STATUS_NO_SUCH_ROW without it. */
enum status store_member_list(const struct store *store, struct slice organization,
			      const struct store_selection *selection,
			      struct store_list *members) MUST_CHECK;

/* The member with this user name. */
enum status store_member_show(const struct store *store, struct slice organization,
			      struct slice user, struct store_member *member) MUST_CHECK;

/* ---- on behalf of a user, see store/settings.h: what is answered is a JSON object ---- */

/* selection: match, before (a "next") and limit. */
enum status store_settings_members(const struct store *store, struct slice organization,
				   const struct store_selection *selection,
				   struct slice *json) MUST_CHECK;

/* Adding what is there already, and removing what is not, changes nothing. Besides what the calls
 * above return: STATUS_ROLE_TOO_LOW for more than the user may give or take. */
enum status store_settings_member_add(const struct store *store, struct slice organization,
				      struct slice user, struct slice role,
				      struct slice *json) MUST_CHECK;
enum status store_settings_member_role(const struct store *store, struct slice organization,
				       struct slice user, struct slice role,
				       struct slice *json) MUST_CHECK;
enum status store_settings_member_remove(const struct store *store, struct slice organization,
					 struct slice user, struct slice *json) MUST_CHECK;

/* What is absent stays as it is: a number, "true" or "false". */
enum status store_settings_limit(const struct store *store, struct slice organization,
				 struct slice signal_limit, struct slice overages,
				 struct slice *json) MUST_CHECK;
enum status store_settings_currency(const struct store *store, struct slice organization,
				    struct slice currency, struct slice *json) MUST_CHECK;

#endif
