/*
 * model/signal.c - one item's text to one row. See model/signal.h.
 *
 * Walks through the text once, notes where the values are that it knows by name, and then decides
 * by them.
 */
#include "model/signal.h"

#include <string.h>

#include "base/ascii.h"
#include "base/timestamp.h"
#include "json/text.h"
#include "json/walk.h"

enum {
	SOURCE_BYTES = 64,
	VALUE_BYTES = 1024 /* longer values stay in the payload alone */
};

/* The objects of a payload that are read. */
enum object {
	ROOT,
	TRAITS,
	PROPERTIES,
	CONTEXT_TRAITS,
	PLACES, /* identity is looked for in those before, in this order */
	CONTEXT = PLACES,
	OBJECTS
};

/* The members known by name, in any object. */
enum member {
	M_ANONYMOUS_ID,
	M_ANONYMOUS_ID_SNAKE,
	M_CONTEXT,
	M_CRM_ID,
	M_EMAIL,
	M_EVENT,
	M_GROUP_ID,
	M_HUBSPOT_ID,
	M_ID,
	M_LIBRARY,
	M_MAP_ID,
	M_MARKETO_ID,
	M_MESSAGE_ID,
	M_MESSAGE_ID_SNAKE,
	M_OBJECT_ID,
	M_PHONE,
	M_PORTAL_ID,
	M_PRODUCT_ORG_ID,
	M_PRODUCT_USER_ID,
	M_PROPERTIES,
	M_SOBJECT,
	M_SOURCE,
	M_TIMESTAMP,
	M_TRAITS,
	M_TYPE,
	M_USER_ID,
	M_USER_ID_SNAKE,
	MEMBERS
};

/* A payload while it is read. */
struct payload {
	struct arena *arena;
	enum status status;
	struct json_walk walk;
	bool there[OBJECTS];
	struct slice values[OBJECTS][MEMBERS]; /* as in the text, of objects that are there;
						* absent for null, too */
};

bool signal_source_is_valid(struct slice source)
{
	if (source.n == 0 || source.n > SOURCE_BYTES)
		return false;
	for (size_t i = 0; i < source.n; i++) {
		char c = source.p[i];
		if (!ascii_is_alnum(c) && c != '.' && c != '_' && c != '-')
			return false;
	}
	return true;
}

bool signal_id_is_valid(struct slice id)
{
	for (size_t i = 0; i < id.n; i++) {
		if (id.p[i] < ' ' || id.p[i] > '~')
			return false;
	}
	return id.n > 0 && id.n <= VALUE_BYTES;
}

/* ---- from the text to the values ---- */

enum { NAME_BYTES = 14, NAMES_ALIKE = 5, ESCAPE_BYTES = 6 };

/* By length; each row ends with NULL. */
static const struct name {
	const char *text;
	enum member member;
} names[NAME_BYTES + 1][NAMES_ALIKE + 1] = {
	[2] = {{"Id", M_ID}},
	[4] = {{"type", M_TYPE}},
	[5] = {{"email", M_EMAIL},
	       {"event", M_EVENT},
	       {"phone", M_PHONE},
	       {"crmId", M_CRM_ID},
	       {"mapId", M_MAP_ID}},
	[6] = {{"userId", M_USER_ID}, {"traits", M_TRAITS}, {"source", M_SOURCE}},
	[7] = {{"context", M_CONTEXT},
	       {"groupId", M_GROUP_ID},
	       {"library", M_LIBRARY},
	       {"user_id", M_USER_ID_SNAKE},
	       {"sObject", M_SOBJECT}},
	[8] = {{"portalId", M_PORTAL_ID}, {"objectId", M_OBJECT_ID}},
	[9] = {{"timestamp", M_TIMESTAMP},
	       {"messageId", M_MESSAGE_ID},
	       {"mktLeadId", M_MARKETO_ID}},
	[10] = {{"properties", M_PROPERTIES}, {"message_id", M_MESSAGE_ID_SNAKE}},
	[11] = {{"anonymousId", M_ANONYMOUS_ID}},
	[12] = {{"anonymous_id", M_ANONYMOUS_ID_SNAKE}, {"hs_object_id", M_HUBSPOT_ID}},
	[13] = {{"productUserId", M_PRODUCT_USER_ID}},
	[14] = {{"product_org_id", M_PRODUCT_ORG_ID}},
};

/* The member with this name, which has escapes. */
static enum member member_meant(struct slice quoted)
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
static enum member member_named(struct slice quoted)
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
static enum object object_at(enum object around, enum member member)
{
	if (member == M_TRAITS && around == CONTEXT)
		return CONTEXT_TRAITS;
	if (around != ROOT)
		return OBJECTS;
	return member == M_TRAITS	? TRAITS
	       : member == M_PROPERTIES ? PROPERTIES
	       : member == M_CONTEXT	? CONTEXT
					: OBJECTS;
}

static void read_object(struct payload *payload, enum object object);

/* A later object of the same name replaces the whole of an earlier one. */
static void read_inner(struct payload *payload, enum object object)
{
	payload->there[object] = false;
	if (object == CONTEXT)
		payload->there[CONTEXT_TRAITS] = false;
	if (*payload->walk.value.p == '{' && json_walk_enter(&payload->walk))
		read_object(payload, object);
}

/* Reads the object that the walk has entered. */
static void read_object(struct payload *payload, enum object object)
{
	struct json_walk *walk = &payload->walk;
	struct slice *values = payload->values[object];

	payload->there[object] = true;
	memset(values, 0, sizeof(payload->values[object]));
	while (json_walk_begin(walk)) {
		enum member member = member_named(walk->name);
		enum object inner = object_at(object, member);
		if (inner != OBJECTS)
			read_inner(payload, inner);
		else if (member != MEMBERS && json_walk_end(walk))
			values[member] = *walk->value.p == 'n' ? SLICE_ABSENT : walk->value;
	}
}

static enum status read_payload(struct payload *payload, struct slice text)
{
	json_walk_open(&payload->walk, text);
	read_object(payload, ROOT);
	enum status status = json_walk_finish(&payload->walk);
	json_walk_close(&payload->walk);
	return status;
}

/* ---- values ---- */

/* A member's value as in the text; absent when it is missing or null. */
static struct slice value_at(const struct payload *payload, enum object object, enum member member)
{
	return payload->there[object] ? payload->values[object][member] : SLICE_ABSENT;
}

static bool has(const struct payload *payload, enum object object, enum member member)
{
	return value_at(payload, object, member).p != NULL;
}

/* A string or number as text; absent above so many bytes. */
static struct slice text_of(struct payload *payload, struct slice value, size_t most)
{
	struct slice text = SLICE_ABSENT;
	enum status status = json_text_scalar(payload->arena, value, most, &text);

	if (status != STATUS_OK)
		payload->status = status;
	return text;
}

static struct slice usable(struct slice text)
{
	return text.n > 0 && text.n <= VALUE_BYTES ? text : SLICE_ABSENT;
}

static bool is_string(struct slice value)
{
	return value.p != NULL && *value.p == '"';
}

static struct slice string_at(struct payload *payload, enum object object, enum member member)
{
	struct slice value = value_at(payload, object, member);

	return is_string(value) ? usable(text_of(payload, value, VALUE_BYTES)) : SLICE_ABSENT;
}

/* A string, or a number exactly as written. */
static struct slice id_at(struct payload *payload, enum object object, enum member member)
{
	struct slice value = value_at(payload, object, member);

	if (value.p == NULL || !(is_string(value) || json_text_is_number(value)))
		return SLICE_ABSENT;
	return usable(text_of(payload, value, VALUE_BYTES));
}

/* The first usable id of a list of members that ends with MEMBERS. */
static struct slice id_in(struct payload *payload, enum object object, const enum member *members)
{
	struct slice id = SLICE_ABSENT;

	for (; *members != MEMBERS && id.p == NULL; members++)
		id = id_at(payload, object, *members);
	return id;
}

static struct slice id_in_places(struct payload *payload, const enum member *members)
{
	struct slice id = SLICE_ABSENT;

	for (enum object place = ROOT; place < PLACES && id.p == NULL; place++)
		id = id_in(payload, place, members);
	return id;
}

/* Without blanks around it; it must have an @ with something on both sides. */
static struct slice email_at(struct payload *payload, enum object object)
{
	struct slice value = value_at(payload, object, M_EMAIL);

	if (!is_string(value))
		return SLICE_ABSENT;
	struct slice text = usable(slice_trim(text_of(payload, value, SIZE_MAX)));
	if (text.n < 3 || memchr(text.p + 1, '@', text.n - 2) == NULL)
		return SLICE_ABSENT;
	return text;
}

static struct slice email_in_places(struct payload *payload)
{
	struct slice email = SLICE_ABSENT;

	for (enum object place = ROOT; place < PLACES && email.p == NULL; place++)
		email = email_at(payload, place);
	return email;
}

/* ---- source and identity ---- */

static bool is_segment(struct payload *payload)
{
	static const char *const types[] = {"track", "page",   "identify",
					    "group", "screen", "alias"};
	struct slice type = string_at(payload, ROOT, M_TYPE);
	bool known = false;

	for (size_t i = 0; i < ARRAY_LENGTH(types) && !known; i++)
		known = slice_equal(type, slice_of(types[i]));
	return known && (has(payload, ROOT, M_MESSAGE_ID) || has(payload, ROOT, M_ANONYMOUS_ID) ||
			 has(payload, ROOT, M_USER_ID) || has(payload, CONTEXT, M_LIBRARY));
}

static struct slice source_detect(struct payload *payload)
{
	if (has(payload, ROOT, M_MARKETO_ID))
		return SLICE("marketo");
	if (has(payload, ROOT, M_PORTAL_ID) || has(payload, ROOT, M_HUBSPOT_ID))
		return SLICE("hubspot");
	if (has(payload, ROOT, M_SOBJECT))
		return SLICE("salesforce");
	if (is_segment(payload))
		return SLICE("segment");
	return SLICE("generic");
}

static struct slice source_of(struct payload *payload, struct slice given)
{
	if (given.p != NULL)
		return given;
	struct slice own = string_at(payload, ROOT, M_SOURCE);
	return own.p != NULL ? own : source_detect(payload);
}

/* Identity besides email and user id: product user, CRM, marketing automation, phone, product org.
 */
static bool has_other_identity(struct payload *payload)
{
	static const enum member ids[] = {M_PRODUCT_USER_ID, M_CRM_ID,	       M_HUBSPOT_ID,
					  M_MARKETO_ID,	     M_MAP_ID,	       M_PHONE,
					  M_GROUP_ID,	     M_PRODUCT_ORG_ID, MEMBERS};

	if (id_in_places(payload, ids).p != NULL || id_at(payload, CONTEXT, M_GROUP_ID).p != NULL)
		return true;
	for (enum object place = ROOT; place < PLACES; place++) {
		if (has(payload, place, M_PORTAL_ID) &&
		    id_at(payload, place, M_OBJECT_ID).p != NULL)
			return true;
		if (has(payload, place, M_SOBJECT) && id_at(payload, place, M_ID).p != NULL)
			return true;
	}
	return false;
}

static int64_t occurred_at(struct payload *payload)
{
	int64_t us;
	struct slice value = value_at(payload, ROOT, M_TIMESTAMP);

	return value.p != NULL && timestamp_read(text_of(payload, value, SIZE_MAX), &us)
		       ? us
		       : INT64_MIN;
}

/* ---- the row ---- */

/* Mail providers give all events of one mail the same message_id. */
static void find_message_id(struct payload *payload, struct signal *out)
{
	out->message_id = id_at(payload, ROOT, M_MESSAGE_ID);
	if (out->message_id.p != NULL)
		return;
	out->message_id = id_at(payload, ROOT, M_MESSAGE_ID_SNAKE);
	out->repeat_by_bytes = out->message_id.p != NULL;
}

static void find(struct payload *payload, struct slice given_source, struct signal *out)
{
	static const enum member user_ids[] = {M_USER_ID, M_USER_ID_SNAKE, MEMBERS};
	static const enum member anonymous_ids[] = {M_ANONYMOUS_ID, M_ANONYMOUS_ID_SNAKE, MEMBERS};

	out->source = source_of(payload, given_source);
	out->event_type = string_at(payload, ROOT, M_TYPE);
	out->event_name = string_at(payload, ROOT, M_EVENT);
	out->email = email_in_places(payload);
	out->user_id = id_in_places(payload, user_ids);
	out->anonymous_id = id_in(payload, ROOT, anonymous_ids);
	find_message_id(payload, out);
	out->occurred_at_us = occurred_at(payload);
	out->cold = out->email.p == NULL && out->user_id.p == NULL && !has_other_identity(payload);
}

/* In a copy, because the payload keeps its bytes. */
static enum status lower_case(struct arena *arena, struct slice *text)
{
	if (text->p == NULL)
		return STATUS_OK;
	char *copy = arena_copy(arena, *text);
	if (copy == NULL)
		return STATUS_NO_MEMORY;
	for (size_t i = 0; i < text->n; i++)
		copy[i] = ascii_lower(copy[i]);
	text->p = copy;
	return STATUS_OK;
}

enum status signal_read(struct arena *arena, struct slice text, bool needs_repair,
			struct slice given_source, struct signal *out)
{
	struct payload payload;
	enum status status = STATUS_OK;

	*out = (struct signal){.payload = text};
	if (needs_repair) {
		out->payload_raw = text;
		status = json_text_repaired(arena, text, &out->payload);
	}
	payload.arena = arena;
	payload.status = STATUS_OK;
	memset(payload.there, 0, sizeof(payload.there));
	if (status == STATUS_OK)
		status = read_payload(&payload, out->payload);
	if (status != STATUS_OK)
		return status;
	find(&payload, given_source, out);
	return payload.status == STATUS_OK ? lower_case(arena, &out->email) : payload.status;
}
