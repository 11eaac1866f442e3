/*
 * model/signal_members.c - from a payload's text to the values that are known by name. See
 * model/signal_internal.h.
 */
#include "model/signal_internal.h"

#include <string.h>

#include "json/text.h"

enum { NAME_BYTES = 17, NAMES_ALIKE = 9, ESCAPE_BYTES = 6 };

/* By length; each row ends with NULL. */
static const struct name {
	const char *text;
	enum signal_member member;
} names[NAME_BYTES + 1][NAMES_ALIKE + 1] = {
	[2] = {{"id", M_CE_ID}, {"Id", M_ID}},
	[4] = {{"type", M_TYPE}, {"user", M_USER}, {"data", M_DATA}, {"time", M_TIME}},
	[5] = {{"email", M_EMAIL},
	       {"event", M_EVENT},
	       {"phone", M_PHONE},
	       {"crmId", M_CRM_ID},
	       {"mapId", M_MAP_ID},
	       {"Email", M_EMAIL_CAPITAL},
	       {"Phone", M_PHONE_CAPITAL}},
	[6] = {{"userId", M_USER_ID},
	       {"traits", M_TRAITS},
	       {"source", M_SOURCE},
	       {"sentAt", M_SENT_AT}},
	[7] = {{"context", M_CONTEXT},
	       {"groupId", M_GROUP_ID},
	       {"library", M_LIBRARY},
	       {"user_id", M_USER_ID_SNAKE},
	       {"contact", M_CONTACT},
	       {"sObject", M_SOBJECT},
	       {"subject", M_CE_SUBJECT}},
	[8] = {{"portalId", M_PORTAL_ID},
	       {"objectId", M_OBJECT_ID},
	       {"$user_id", M_MIXPANEL_USER_ID}},
	[9] = {{"timestamp", M_TIMESTAMP},
	       {"messageId", M_MESSAGE_ID},
	       {"mktLeadId", M_MARKETO_ID},
	       {"device_id", M_DEVICE_ID},
	       {"insert_id", M_INSERT_ID},
	       {"eventName", M_EVENT_NAME_CAMEL},
	       {"eventType", M_EVENT_TYPE_CAMEL},
	       {"recipient", M_RECIPIENT},
	       {"Recipient", M_RECIPIENT_CAPITAL}},
	[10] = {{"properties", M_PROPERTIES},
		{"message_id", M_MESSAGE_ID_SNAKE},
		{"occurredAt", M_OCCURRED_AT},
		{"receivedAt", M_RECEIVED_AT},
		{"event_type", M_EVENT_TYPE},
		{"$device_id", M_MIXPANEL_DEVICE_ID},
		{"$insert_id", M_MIXPANEL_INSERT_ID},
		{"event_name", M_EVENT_NAME},
		{"RecordType", M_RECORD_TYPE}},
	[11] = {{"anonymousId", M_ANONYMOUS_ID},
		{"distinct_id", M_DISTINCT_ID},
		{"occurred_at", M_OCCURRED_AT_SNAKE},
		{"specversion", M_CE_SPECVERSION}},
	[12] = {{"anonymous_id", M_ANONYMOUS_ID_SNAKE}, {"hs_object_id", M_HUBSPOT_ID}},
	[13] = {{"productUserId", M_PRODUCT_USER_ID}, {"email_address", M_EMAIL_ADDRESS}},
	[14] = {{"product_org_id", M_PRODUCT_ORG_ID}},
	[16] = {{"subscriptionType", M_SUBSCRIPTION_TYPE}},
	[17] = {{"originalTimestamp", M_ORIGINAL_TIMESTAMP}},
};

struct slice signal_member_name(enum signal_member member)
{
	for (size_t n = 0; n <= NAME_BYTES; n++) {
		for (const struct name *name = names[n]; name->text != NULL; name++) {
			if (name->member == member)
				return (struct slice){name->text, n};
		}
	}
	return SLICE("");
}

/* The member with this name, which has escapes. */
static enum signal_member member_meant(struct slice quoted)
{
	for (size_t n = 0; n <= NAME_BYTES; n++) {
		for (const struct name *name = names[n]; name->text != NULL; name++) {
			if (json_text_is_name(quoted, (struct slice){name->text, n}))
				return name->member;
		}
	}
	return MEMBERS;
}

/* MEMBERS when the name is unknown. Names with escapes are rare. */
static inline enum signal_member member_named(struct slice quoted)
{
	const char *text = quoted.p + 1;
	size_t n = quoted.n - 2;

	if (n > (size_t)NAME_BYTES * ESCAPE_BYTES)
		return MEMBERS;
	if (n <= NAME_BYTES) {
		for (const struct name *name = names[n]; name->text != NULL; name++) {
			if (*name->text == *text && memcmp(name->text, text, n) == 0)
				return name->member;
		}
	}
	return memchr(text, '\\', n) == NULL ? MEMBERS : member_meant(quoted);
}

/* Which object a member is; OBJECTS when it is not to be read. */
static enum signal_object object_at(enum signal_object around, enum signal_member member)
{
	/* Of the payload's own members; ROOT stands for none. */
	static const enum signal_object inner[MEMBERS] = {
		[M_TRAITS] = TRAITS, [M_PROPERTIES] = PROPERTIES, [M_CONTEXT] = CONTEXT,
		[M_USER] = USER,     [M_CONTACT] = CONTACT,	  [M_DATA] = DATA,
	};

	if (member == M_TRAITS && around == CONTEXT)
		return CONTEXT_TRAITS;
	return around == ROOT && inner[member] != ROOT ? inner[member] : OBJECTS;
}

static void read_object(struct signal_payload *payload, enum signal_object object);

/* A later object of the same name replaces the whole of an earlier one. */
static void read_inner(struct signal_payload *payload, enum signal_object object,
		       enum signal_member member, uint64_t *around)
{
	payload->seen[object] = 0;
	if (object == CONTEXT)
		payload->seen[CONTEXT_TRAITS] = 0;
	*around &= ~SIGNAL_BIT(member);
	if (*payload->walk.value.p == '{' && json_walk_enter(&payload->walk)) {
		*around |= SIGNAL_BIT(member);
		read_object(payload, object);
	}
}

/* "contact[email]", as a form names what JSON nests: the member of an object that is read. Forms
 * escape nothing in it. */
static void read_bracketed(struct signal_payload *payload)
{
	struct json_walk *walk = &payload->walk;
	struct slice name = walk->name;

	if (name.p[name.n - 2] != ']' || memchr(name.p, '\\', name.n) != NULL)
		return;
	const char *bracket = memchr(name.p, '[', name.n);
	if (bracket == NULL)
		return;
	size_t n = (size_t)(bracket - name.p);
	/* Each as if its brackets were quotes. */
	enum signal_member outer = member_named((struct slice){name.p, n + 1});
	enum signal_member member = member_named((struct slice){bracket, name.n - n - 1});
	if (outer == MEMBERS || member == MEMBERS)
		return;
	enum signal_object object = object_at(ROOT, outer);
	if (object == OBJECTS || !json_walk_end(walk))
		return;
	payload->values[object][member] = walk->value;
	if (*walk->value.p == 'n')
		payload->seen[object] &= ~SIGNAL_BIT(member);
	else
		payload->seen[object] |= SIGNAL_BIT(member);
}

/* Reads the object that the walk has entered. */
static void read_object(struct signal_payload *payload, enum signal_object object)
{
	struct json_walk *walk = &payload->walk;
	struct slice *values = payload->values[object];
	uint64_t seen = 0;

	while (json_walk_begin(walk)) {
		enum signal_member member = member_named(walk->name);
		if (member == MEMBERS) {
			if (object == ROOT)
				read_bracketed(payload);
			continue;
		}
		enum signal_object inner = object_at(object, member);
		if (inner != OBJECTS) {
			read_inner(payload, inner, member, &seen);
		} else if (json_walk_end(walk)) {
			values[member] = walk->value;
			if (*walk->value.p == 'n')
				seen &= ~SIGNAL_BIT(member);
			else
				seen |= SIGNAL_BIT(member);
		}
	}
	payload->seen[object] = seen;
}

static enum status read_text(struct signal_payload *payload, struct slice text,
			     enum signal_object object)
{
	json_walk_open(&payload->walk, text);
	read_object(payload, object);
	enum status status = json_walk_finish(&payload->walk);
	json_walk_close(&payload->walk);
	return status;
}

enum status signal_read_members(struct signal_payload *payload, struct slice text)
{
	struct slice context = payload->given->envelope_context;

	memset(payload->seen, 0, sizeof(payload->seen));
	enum status status = read_text(payload, text, ROOT);
	if (status == STATUS_OK && context.p != NULL && *context.p == '{' &&
	    !signal_has(payload, ROOT, M_CONTEXT))
		status = read_text(payload, context, CONTEXT);
	payload->seen_in_places = 0;
	for (int place = ROOT; place < PLACES; place++)
		payload->seen_in_places |= payload->seen[place];
	return status;
}
