/*
 * model/signal_internal.h - the members of a payload that signals are read from: one walk over the
 * text notes where the values are that are known by name.
 *
 * Another member that a sender has: a line of enum signal_member and one of the names in
 * signal_members.c; what it means is decided in signal.c.
 */
#ifndef MODEL_SIGNAL_INTERNAL_H
#define MODEL_SIGNAL_INTERNAL_H

#include "json/walk.h"
#include "model/signal.h"

/* The objects of a payload that are read. */
enum signal_object {
	ROOT,
	TRAITS,
	PROPERTIES,
	CONTEXT_TRAITS,
	USER,
	CONTACT,
	DATA,
	PLACES, /* identity is looked for in those before, in this order */
	CONTEXT = PLACES,
	OBJECTS
};

/* The members known by name, in any object. */
enum signal_member {
	M_ANONYMOUS_ID,
	M_ANONYMOUS_ID_SNAKE,
	M_CE_ID,
	M_CE_SPECVERSION,
	M_CE_SUBJECT,
	M_CONTACT,
	M_CONTEXT,
	M_CRM_ID,
	M_DATA,
	M_DEVICE_ID,
	M_DISTINCT_ID,
	M_EMAIL,
	M_EMAIL_ADDRESS,
	M_EMAIL_CAPITAL,
	M_EVENT,
	M_EVENT_NAME,
	M_EVENT_NAME_CAMEL,
	M_EVENT_TYPE,
	M_EVENT_TYPE_CAMEL,
	M_GROUP_ID,
	M_HUBSPOT_ID,
	M_ID,
	M_INSERT_ID,
	M_LIBRARY,
	M_MAP_ID,
	M_MARKETO_ID,
	M_MESSAGE_ID,
	M_MESSAGE_ID_SNAKE,
	M_MIXPANEL_DEVICE_ID,
	M_MIXPANEL_INSERT_ID,
	M_MIXPANEL_USER_ID,
	M_OBJECT_ID,
	M_OCCURRED_AT,
	M_OCCURRED_AT_SNAKE,
	M_ORIGINAL_TIMESTAMP,
	M_PHONE,
	M_PHONE_CAPITAL,
	M_PORTAL_ID,
	M_PRODUCT_ORG_ID,
	M_PRODUCT_USER_ID,
	M_PROPERTIES,
	M_RECEIVED_AT,
	M_RECIPIENT,
	M_RECIPIENT_CAPITAL,
	M_RECORD_TYPE,
	M_SENT_AT,
	M_SOBJECT,
	M_SOURCE,
	M_SUBSCRIPTION_TYPE,
	M_TIME,
	M_TIMESTAMP,
	M_TRAITS,
	M_TYPE,
	M_USER,
	M_USER_ID,
	M_USER_ID_SNAKE,
	MEMBERS
};

#define SIGNAL_BIT(member) (UINT64_C(1) << (member))
_Static_assert((int)MEMBERS <= 64, "a set of members is 64 bits");

enum { SIGNAL_WARNINGS = 9 }; /* one for each member that tells a time */

/* A payload while it is read. */
struct signal_payload {
	struct arena *arena;
	enum status status;
	const struct signal_given *given;
	struct warning *warnings; /* NULL, or room for SIGNAL_WARNINGS */
	size_t warning_count;
	struct json_walk walk;
	uint64_t seen[OBJECTS]; /* which members are there and not null, one bit each */
	uint64_t seen_in_places;
	struct slice values[OBJECTS][MEMBERS]; /* as in the text, of members that were seen */
};

/* Reads the payload's text, then the envelope's context if the payload has none. The arena and
 * given are set. STATUS_OK, STATUS_NO_MEMORY or STATUS_MALFORMED_JSON. */
enum status signal_read_members(struct signal_payload *payload, struct slice text) MUST_CHECK;

/* The name of a member as payloads have it. */
struct slice signal_member_name(enum signal_member member);

static inline bool signal_has(const struct signal_payload *payload, enum signal_object object,
			      enum signal_member member)
{
	return (payload->seen[object] & SIGNAL_BIT(member)) != 0;
}

/* A member's value as in the text; absent when it is missing or null. */
static inline struct slice signal_value(const struct signal_payload *payload,
					enum signal_object object, enum signal_member member)
{
	return signal_has(payload, object, member) ? payload->values[object][member] : SLICE_ABSENT;
}

#endif
