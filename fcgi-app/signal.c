/*
 * signal.c - one item's text to one row. See signal.h.
 *
 * On the request's way it comes after json_text, which passed the text, and before group, which
 * waits with the row for a commit. It does not know who sent the signal, and it stores nothing.
 */
#include "signal.h"

#include <string.h>

#include "instant.h"
#include "json.h"
#include "json_text.h"

enum {
	SOURCE_BYTES = 64,
	VALUE_BYTES = 1024, /* longer values stay in the payload alone */
	PLACE_COUNT = 4
};

/* The objects of a payload that are looked through for identity, in this order. */
struct places {
	const struct json_object *object[PLACE_COUNT]; /* NULL where there is none */
};

bool signal_source_is_valid(struct slice source)
{
	if (source.n == 0 || source.n > SOURCE_BYTES)
		return false;
	for (size_t i = 0; i < source.n; i++) {
		char c = source.p[i];
		bool letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
		if (!letter && !(c >= '0' && c <= '9') && c != '.' && c != '_' && c != '-')
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

/* ---- values ---- */

static struct slice usable(struct slice text)
{
	return text.n > 0 && text.n <= VALUE_BYTES ? text : (struct slice){0};
}

/* A string or a number as text; absent when there is nothing usable. */
static struct slice id_of(const struct json_object *value)
{
	struct slice text = json_scalar_text(value);
	bool is_string = json_string(value).p != NULL;

	if (!is_string && (slice_equal(text, SLICE("true")) || slice_equal(text, SLICE("false"))))
		return (struct slice){0};
	return usable(text);
}

/* The first usable id under one of the names, which end with NULL. */
static struct slice id_in(const struct json_object *object, const char *const *names)
{
	struct slice id = {0};

	for (; *names != NULL && id.p == NULL; names++)
		id = id_of(json_member(object, *names));
	return id;
}

static struct slice id_in_places(const struct places *places, const char *const *names)
{
	struct slice id = {0};

	for (int i = 0; i < PLACE_COUNT && id.p == NULL; i++)
		id = id_in(places->object[i], names);
	return id;
}

/* The text without blanks around it, when it has an @ with something on both sides. */
static struct slice email_of(const struct json_object *value)
{
	struct slice text = usable(slice_trim(json_string(value)));

	if (text.n < 3 || memchr(text.p + 1, '@', text.n - 2) == NULL)
		return (struct slice){0};
	return text;
}

static struct slice email_in_places(const struct places *places)
{
	struct slice email = {0};

	for (int i = 0; i < PLACE_COUNT && email.p == NULL; i++)
		email = email_of(json_member(places->object[i], "email"));
	return email;
}

/* ---- who sent it, and about whom ---- */

static bool has(const struct json_object *object, const char *name)
{
	return json_member(object, name) != NULL;
}

static bool is_segment(const struct json_object *root)
{
	static const char *const types[] = {"track", "page",   "identify",
					    "group", "screen", "alias"};
	struct slice type = json_string(json_member(root, "type"));
	bool known = false;

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]) && !known; i++)
		known = slice_equal(type, slice_of(types[i]));
	return known && (has(root, "messageId") || has(root, "anonymousId") ||
			 has(root, "userId") || has(json_member(root, "context"), "library"));
}

static struct slice source_detect(const struct json_object *root)
{
	if (has(root, "mktLeadId"))
		return SLICE("marketo");
	if (has(root, "portalId") || has(root, "hs_object_id"))
		return SLICE("hubspot");
	if (has(root, "sObject"))
		return SLICE("salesforce");
	if (is_segment(root))
		return SLICE("segment");
	return SLICE("generic");
}

static struct slice source_of(const struct json_object *root, struct slice given)
{
	struct slice own = usable(json_string(json_member(root, "source")));

	if (given.p != NULL)
		return given;
	return own.p != NULL ? own : source_detect(root);
}

/* Identity besides email and user id: of the product user, in a CRM or a marketing automation, a
 * phone, or a product org. */
static bool has_other_identity(const struct json_object *root, const struct places *places)
{
	static const char *const names[] = {"productUserId", "crmId",	       "hs_object_id",
					    "mktLeadId",     "mapId",	       "phone",
					    "groupId",	     "product_org_id", NULL};

	if (id_in_places(places, names).p != NULL ||
	    id_of(json_member(json_member(root, "context"), "groupId")).p != NULL)
		return true;
	for (int i = 0; i < PLACE_COUNT; i++) {
		const struct json_object *place = places->object[i];
		if (has(place, "portalId") && id_of(json_member(place, "objectId")).p != NULL)
			return true;
		if (has(place, "sObject") && id_of(json_member(place, "Id")).p != NULL)
			return true;
	}
	return false;
}

static int64_t occurred_at(const struct json_object *root)
{
	int64_t us;
	struct slice text = json_scalar_text(json_member(root, "timestamp"));

	return instant_read(text, &us) ? us : INT64_MIN;
}

/* ---- the row ---- */

static void find(const struct json_object *root, struct slice given_source, struct signal *out)
{
	static const char *const user_names[] = {"userId", "user_id", NULL};
	static const char *const anonymous_names[] = {"anonymousId", "anonymous_id", NULL};
	static const char *const message_names[] = {"messageId", "message_id", NULL};
	const struct places places = {{
		root,
		json_member(root, "traits"),
		json_member(root, "properties"),
		json_member(json_member(root, "context"), "traits"),
	}};

	out->source = source_of(root, given_source);
	out->event_type = usable(json_string(json_member(root, "type")));
	out->event_name = usable(json_string(json_member(root, "event")));
	out->email = email_in_places(&places);
	out->user_id = id_in_places(&places, user_names);
	out->anonymous_id = id_in(root, anonymous_names);
	out->message_id = id_in(root, message_names);
	out->occurred_at_us = occurred_at(root);
	out->cold = out->email.p == NULL && out->user_id.p == NULL &&
		    !has_other_identity(root, &places);
}

static void lower_case(char *text)
{
	for (; *text != '\0'; text++) {
		if (*text >= 'A' && *text <= 'Z')
			*text = (char)(*text + ('a' - 'A'));
	}
}

/* What was found lies in json-c's objects; this brings it over into the arena. */
static enum status keep(struct arena *arena, struct signal *out)
{
	struct slice *const texts[] = {&out->source,	&out->event_type, &out->event_name,
				       &out->email,	&out->user_id,	  &out->anonymous_id,
				       &out->message_id};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (texts[i]->p == NULL)
			continue;
		char *copy = arena_copy(arena, *texts[i]);
		if (copy == NULL)
			return STATUS_NO_MEMORY;
		if (texts[i] == &out->email)
			lower_case(copy);
		texts[i]->p = copy;
	}
	return STATUS_OK;
}

/* Where find() looks besides the root. */
static const char *const place_names[] = {"traits", "properties", "context", NULL};

enum status signal_read(struct arena *arena, struct slice text, bool needs_repair,
			struct slice given_source, struct signal *out)
{
	struct json_object *root = NULL;

	enum status status = STATUS_OK;

	*out = (struct signal){.payload = text};
	if (needs_repair) {
		out->payload_raw = text;
		status = json_text_repaired(arena, text, &out->payload);
	}
	if (status != STATUS_OK)
		return status;
	status = json_parse_places(out->payload, place_names, &root);
	if (status != STATUS_OK)
		goto out;
	find(root, given_source, out);
	status = keep(arena, out);
out:
	json_release(root);
	return status;
}
