/*
 * settings/scope.c - which scope a token needs for which route: the one table of it. See
 * settings/settings_internal.h.
 *
 * A route that is not in the table is for people alone: a token cannot make itself a successor.
 */
#include "settings/settings_internal.h"

#define READ	     "read"
#define KEYS	     "keys"
#define REJECTS	     "rejects"
#define ORGANIZATION "organization"

const char *const settings_scopes[ROUTE_SETTING_COUNT] = {
	[ROUTE_ME] = "", /* any: it says whose token it is */
	[ROUTE_KEYS] = READ,
	[ROUTE_KEY_SHOW] = READ,
	[ROUTE_KEY_HISTORY] = READ,
	[ROUTE_KEY_FIND] = READ,
	[ROUTE_KEY_REFUSALS] = READ,
	[ROUTE_KEY_PAYLOAD] = READ,
	[ROUTE_TEMPLATE_TRY] = READ,
	[ROUTE_MEMBERS] = READ,
	[ROUTE_STATISTICS] = READ,
	[ROUTE_LATEST_SIGNALS] = READ,
	[ROUTE_LATEST_PRODUCT_ORGS] = READ,
	[ROUTE_PRODUCT_ORG_STATES] = READ,
	[ROUTE_REJECTS] = READ,
	[ROUTE_REJECT] = READ,
	[ROUTE_REJECT_TRY] = READ,
	[ROUTE_REJECT_KINDS] = READ,
	[ROUTE_KEY_VOLUMES] = READ,
	[ROUTE_USAGE] = READ,
	[ROUTE_AUDIT] = READ,
	[ROUTE_TOKENS] = READ,
	[ROUTE_KEY_CREATE] = KEYS,
	[ROUTE_KEY_EDIT] = KEYS,
	[ROUTE_KEY_ROTATE] = KEYS,
	[ROUTE_KEY_SECRET] = KEYS,
	[ROUTE_KEY_DEACTIVATE] = KEYS,
	[ROUTE_REJECT_REPLAY] = REJECTS,
	[ROUTE_REJECT_DISCARD] = REJECTS,
	[ROUTE_REJECTS_REPLAY] = REJECTS,
	[ROUTE_MEMBER_ADD] = ORGANIZATION,
	[ROUTE_MEMBER_ROLE] = ORGANIZATION,
	[ROUTE_MEMBER_REMOVE] = ORGANIZATION,
	[ROUTE_LIMIT] = ORGANIZATION,
	[ROUTE_CURRENCY] = ORGANIZATION,
};
