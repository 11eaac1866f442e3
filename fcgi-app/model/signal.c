/*
 * model/signal.c - one item's values to one row. See model/signal.h; signal_members.c finds them.
 */
#include "model/signal.h"

#include <string.h>

#include "base/ascii.h"
#include "base/unicode.h"
#include "json/text.h"
#include "model/event_time.h"
#include "model/identity.h"
#include "model/signal_internal.h"

enum {
	SOURCE_BYTES = 64,
	VALUE_BYTES = 1024,	/* longer values stay in the payload alone */
	CLOCK_OFF_US = 60000000 /* nearer clocks agree */
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

/* ---- values ---- */

/* A string or number as text; absent above so many bytes. */
static struct slice text_of(struct signal_payload *payload, struct slice value, size_t most)
{
	struct slice text = SLICE_ABSENT;
	enum status status = json_text_scalar(payload->arena, value, most, &text);

	if (status != STATUS_OK)
		payload->status = status;
	return text;
}

static bool is_string(struct slice value)
{
	return value.p != NULL && *value.p == '"';
}

static struct slice string_at(struct signal_payload *payload, enum signal_object object,
			      enum signal_member member)
{
	struct slice value = signal_value(payload, object, member);
	struct slice text = is_string(value) ? text_of(payload, value, VALUE_BYTES) : SLICE_ABSENT;

	return text.n == 0 ? SLICE_ABSENT : text;
}

/* A string, or a number exactly as written, that names somebody. */
static struct slice id_at(struct signal_payload *payload, enum signal_object object,
			  enum signal_member member)
{
	struct slice value = signal_value(payload, object, member);

	if (value.p == NULL)
		return SLICE_ABSENT;
	if (json_text_is_number(value))
		return value.n <= VALUE_BYTES && identity_is_number_id(value) ? value
									      : SLICE_ABSENT;
	if (*value.p != '"')
		return SLICE_ABSENT;
	struct slice text = text_of(payload, value, VALUE_BYTES);
	return text.p != NULL && identity_is_id(text) ? text : SLICE_ABSENT;
}

/* The first id of a list of members that ends with MEMBERS. */
static struct slice id_in(struct signal_payload *payload, enum signal_object object,
			  const enum signal_member *members)
{
	struct slice id = SLICE_ABSENT;

	for (; *members != MEMBERS && id.p == NULL; members++)
		id = id_at(payload, object, *members);
	return id;
}

static bool is_in_places(const struct signal_payload *payload, const enum signal_member *members)
{
	for (; *members != MEMBERS; members++) {
		if ((payload->seen_in_places & SIGNAL_BIT(*members)) != 0)
			return true;
	}
	return false;
}

/* The first in the order of the places, then of the members. */
static struct slice id_in_places(struct signal_payload *payload, const enum signal_member *members)
{
	struct slice id = SLICE_ABSENT;

	if (!is_in_places(payload, members))
		return id;
	for (int place = ROOT; place < PLACES && id.p == NULL; place++)
		id = id_in(payload, (enum signal_object)place, members);
	return id;
}

/* As id_in_places(), but an id only beside another member. */
static struct slice id_beside(struct signal_payload *payload, enum signal_member member,
			      enum signal_member beside)
{
	struct slice id = SLICE_ABSENT;

	if ((payload->seen_in_places & SIGNAL_BIT(beside)) == 0)
		return id;
	for (int place = ROOT; place < PLACES && id.p == NULL; place++) {
		if (signal_has(payload, (enum signal_object)place, beside))
			id = id_at(payload, (enum signal_object)place, member);
	}
	return id;
}

static void warn(struct signal_payload *payload, struct slice field, const char *reason)
{
	if (payload->warnings == NULL)
		payload->warnings =
			arena_array(payload->arena, SIGNAL_WARNINGS, sizeof(*payload->warnings));
	if (payload->warnings == NULL)
		payload->status = STATUS_NO_MEMORY;
	else if (payload->warning_count < SIGNAL_WARNINGS)
		payload->warnings[payload->warning_count++] = (struct warning){field, reason};
}

/* ---- source and kind ---- */

static bool is_segment(struct signal_payload *payload)
{
	static const char *const types[] = {"track", "page",   "identify",
					    "group", "screen", "alias"};
	struct slice type = string_at(payload, ROOT, M_TYPE);
	bool known = false;

	for (size_t i = 0; i < ARRAY_LENGTH(types) && !known; i++)
		known = slice_equal(type, slice_of(types[i]));
	return known &&
	       (signal_has(payload, ROOT, M_MESSAGE_ID) ||
		signal_has(payload, ROOT, M_ANONYMOUS_ID) || signal_has(payload, ROOT, M_USER_ID) ||
		signal_has(payload, CONTEXT, M_LIBRARY));
}

static struct slice source_detect(struct signal_payload *payload)
{
	if (signal_has(payload, ROOT, M_MARKETO_ID))
		return SLICE("marketo");
	if (signal_has(payload, ROOT, M_PORTAL_ID) || signal_has(payload, ROOT, M_HUBSPOT_ID))
		return SLICE("hubspot");
	if (signal_has(payload, ROOT, M_SOBJECT))
		return SLICE("salesforce");
	if (signal_has(payload, ROOT, M_TYPE) && is_segment(payload))
		return SLICE("segment");
	return SLICE("generic");
}

/* A text of another form, such as the URI that is the source of a CloudEvent, is no source. */
static struct slice source_of(struct signal_payload *payload)
{
	if (payload->given->source.p != NULL)
		return payload->given->source;
	struct slice own = string_at(payload, ROOT, M_SOURCE);
	return own.p != NULL && signal_source_is_valid(own) ? own : source_detect(payload);
}

static bool is_cloud_event(const struct signal_payload *payload)
{
	return is_string(signal_value(payload, ROOT, M_CE_SPECVERSION));
}

/* The first string of a list of members that ends with MEMBERS. */
static struct slice string_in(struct signal_payload *payload, const enum signal_member *members)
{
	struct slice text = SLICE_ABSENT;

	for (; *members != MEMBERS && text.p == NULL; members++) {
		if (signal_has(payload, ROOT, *members))
			text = string_at(payload, ROOT, *members);
	}
	return text;
}

/* Amplitude's and others', HubSpot's, and Postmark's, which is type and name. */
static struct slice kind_of(struct signal_payload *payload)
{
	static const enum signal_member kinds[] = {M_EVENT_TYPE, M_EVENT_TYPE_CAMEL,
						   M_SUBSCRIPTION_TYPE, M_RECORD_TYPE, MEMBERS};

	return string_in(payload, kinds);
}

static void find_event(struct signal_payload *payload, struct signal *out)
{
	static const enum signal_member names[] = {M_EVENT, M_EVENT_NAME_CAMEL, M_EVENT_NAME,
						   MEMBERS};

	out->event_type = string_at(payload, ROOT, M_TYPE);
	if (out->event_type.p == NULL)
		out->event_type = kind_of(payload);
	if (out->event_type.p == NULL)
		out->event_type = payload->given->event_type;
	out->event_name = string_in(payload, names);
	if (out->event_name.p == NULL)
		out->event_name = kind_of(payload);
	if (out->event_name.p == NULL && is_cloud_event(payload))
		out->event_name = string_at(payload, ROOT, M_CE_SUBJECT);
	if (out->event_name.p == NULL)
		out->event_name = payload->given->event_name;
}

/* ---- identity ---- */

static struct slice email_at(struct signal_payload *payload, enum signal_object object,
			     enum signal_member member)
{
	struct slice value = signal_value(payload, object, member);
	struct slice email = SLICE_ABSENT;

	if (!is_string(value))
		return email;
	enum status status = identity_email(payload->arena, text_of(payload, value, SIZE_MAX),
					    VALUE_BYTES, &email);
	if (status != STATUS_OK)
		payload->status = status;
	return email;
}

static struct slice email_in_places(struct signal_payload *payload)
{
	static const enum signal_member emails[] = {M_EMAIL, M_EMAIL_CAPITAL, M_EMAIL_ADDRESS,
						    MEMBERS};
	struct slice email = SLICE_ABSENT;

	if (!is_in_places(payload, emails))
		return email;
	for (int place = ROOT; place < PLACES && email.p == NULL; place++) {
		for (const enum signal_member *m = emails; *m != MEMBERS && email.p == NULL; m++) {
			if (signal_has(payload, (enum signal_object)place, *m))
				email = email_at(payload, (enum signal_object)place, *m);
		}
	}
	return email;
}

/* Of a mail's event the recipient is the person. Of a mail that was received, which has no event,
 * it is the account. */
static struct slice recipient(struct signal_payload *payload)
{
	if (signal_has(payload, ROOT, M_RECORD_TYPE))
		return email_at(payload, ROOT, M_RECIPIENT_CAPITAL);
	return signal_has(payload, ROOT, M_EVENT) ? email_at(payload, ROOT, M_RECIPIENT)
						  : SLICE_ABSENT;
}

/* The first one that is there. */
static struct slice either(struct slice one, struct slice other)
{
	return one.p != NULL ? one : other;
}

static struct slice crm_id(struct signal_payload *payload)
{
	static const enum signal_member ids[] = {M_CRM_ID, M_HUBSPOT_ID, MEMBERS};
	struct slice id = id_in_places(payload, ids);

	if (id.p == NULL)
		id = id_beside(payload, M_OBJECT_ID, M_PORTAL_ID);
	return either(id, id_beside(payload, M_ID, M_SOBJECT));
}

static struct slice product_org_id(struct signal_payload *payload)
{
	static const enum signal_member groups[] = {M_GROUP_ID, MEMBERS};
	static const enum signal_member ids[] = {M_PRODUCT_ORG_ID, MEMBERS};
	struct slice id = id_in_places(payload, groups);

	if (id.p == NULL)
		id = id_at(payload, CONTEXT, M_GROUP_ID);
	return either(id, id_in_places(payload, ids));
}

/* Amplitude's device; elsewhere a "device_id" may be a machine. "distinct_id" is Mixpanel's and
 * PostHog's, of users and visitors alike. */
static struct slice anonymous_id(struct signal_payload *payload)
{
	static const enum signal_member ids[] = {M_ANONYMOUS_ID, M_ANONYMOUS_ID_SNAKE, MEMBERS};
	static const enum signal_member others[] = {M_MIXPANEL_DEVICE_ID, M_DISTINCT_ID, MEMBERS};
	struct slice id = id_in(payload, ROOT, ids);

	if (id.p == NULL && signal_has(payload, ROOT, M_EVENT_TYPE))
		id = id_at(payload, ROOT, M_DEVICE_ID);
	if (id.p == NULL)
		id = id_in(payload, PROPERTIES, others);
	return either(id, id_at(payload, ROOT, M_DISTINCT_ID));
}

static void find_identity(struct signal_payload *payload, struct signal *out)
{
	static const enum signal_member users[] = {M_USER_ID, M_USER_ID_SNAKE, M_MIXPANEL_USER_ID,
						   MEMBERS};
	static const enum signal_member product_users[] = {M_PRODUCT_USER_ID, MEMBERS};
	static const enum signal_member leads[] = {M_MARKETO_ID, M_MAP_ID, MEMBERS};
	static const enum signal_member phones[] = {M_PHONE, M_PHONE_CAPITAL, MEMBERS};

	out->email = email_in_places(payload);
	if (out->email.p == NULL)
		out->email = recipient(payload);
	out->user_id = id_in_places(payload, users);
	out->product_user_id = id_in_places(payload, product_users);
	out->crm_id = crm_id(payload);
	out->marketing_automation_id = id_in_places(payload, leads);
	out->phone = id_in_places(payload, phones);
	out->product_org_id = product_org_id(payload);
	out->anonymous_id = anonymous_id(payload);
	out->cold = out->email.p == NULL && out->user_id.p == NULL &&
		    out->product_user_id.p == NULL && out->crm_id.p == NULL &&
		    out->marketing_automation_id.p == NULL && out->phone.p == NULL &&
		    out->product_org_id.p == NULL;
}

/* ---- when ---- */

/* A value's time; INT64_MIN, with the reason, for what is none. */
static int64_t time_of(struct signal_payload *payload, struct slice value, const char **reason)
{
	int64_t us = INT64_MIN;
	enum status status = event_time_read(payload->arena, value, &us, reason);

	if (status != STATUS_OK)
		payload->status = status;
	return *reason == NULL ? us : INT64_MIN;
}

/* Of a member of the payload, with a warning for what is none. */
static int64_t member_time(struct signal_payload *payload, enum signal_object object,
			   enum signal_member member)
{
	const char *reason = NULL;
	int64_t us = time_of(payload, payload->values[object][member], &reason);

	if (reason != NULL)
		warn(payload, signal_member_name(member), reason);
	return us;
}

/* Of a member beside a batch's array. */
static int64_t envelope_time(struct signal_payload *payload, struct slice value, struct slice field)
{
	const char *reason = NULL;
	int64_t us = INT64_MIN;

	if (value.p == NULL || *value.p == 'n')
		return us;
	us = time_of(payload, value, &reason);
	if (reason != NULL)
		warn(payload, field, reason);
	return us;
}

/* When the sender sent it last, by its own clock; INT64_MIN when it does not say. What was queued,
 * as RudderStack's libraries do, has a sentAt of then, and the envelope one of now. */
static int64_t sent_at(struct signal_payload *payload)
{
	int64_t beside_us =
		envelope_time(payload, payload->given->envelope_sent_at, SLICE("envelope.sentAt"));
	int64_t us = INT64_MIN;

	if (signal_has(payload, ROOT, M_SENT_AT))
		us = member_time(payload, ROOT, M_SENT_AT);
	return us > beside_us ? us : beside_us;
}

/* When it was first received, which for what a service passes on is not now. */
static int64_t received_at(struct signal_payload *payload)
{
	int64_t ours = payload->given->received_us;
	int64_t us = INT64_MIN;

	if (signal_has(payload, ROOT, M_RECEIVED_AT))
		us = member_time(payload, ROOT, M_RECEIVED_AT);
	return us == INT64_MIN || event_time_fault(us, ours) != NULL ? ours : us;
}

/*
 * A time of the sender's clock by ours: received - (sentAt - original). "originalTimestamp" is one.
 * So is a "timestamp" that has not been corrected yet, as libraries send it: by a clock that is
 * more than the way off, and less than an archive's sentAt, which would move what it holds.
 */
static int64_t corrected(struct signal_payload *payload, enum signal_member member, int64_t us)
{
	bool original = member == M_ORIGINAL_TIMESTAMP;
	bool raw = member == M_TIMESTAMP && !signal_has(payload, ROOT, M_ORIGINAL_TIMESTAMP) &&
		   !signal_has(payload, ROOT, M_RECEIVED_AT);

	if (!original && !raw)
		return us;
	int64_t sent_us = sent_at(payload);
	if (sent_us == INT64_MIN)
		return us;
	int64_t behind_us = received_at(payload) - sent_us;
	int64_t off_us = behind_us < 0 ? -behind_us : behind_us;
	if (raw && (off_us < CLOCK_OFF_US || off_us > EVENT_TIME_DAY_US))
		return us;
	return us + behind_us;
}

/* The usable time of a member that is there; INT64_MIN when it is none. */
static int64_t time_at(struct signal_payload *payload, enum signal_object object,
		       enum signal_member member)
{
	int64_t received_us = payload->given->received_us;
	int64_t us = member_time(payload, object, member);

	if (us == INT64_MIN)
		return us;
	int64_t by_our_clock = object == ROOT ? corrected(payload, member, us) : us;
	if (event_time_fault(by_our_clock, received_us) == NULL)
		return by_our_clock;
	const char *reason = event_time_fault(us, received_us);
	if (reason == NULL)
		return us;
	warn(payload, signal_member_name(member), reason);
	return INT64_MIN;
}

/* Of a CloudEvent in headers, or beside a batch's array. */
static int64_t given_time(struct signal_payload *payload)
{
	const struct signal_given *given = payload->given;
	struct slice field = SLICE("ce-time");
	const char *reason = NULL;
	int64_t us = INT64_MIN;

	if (given->time.p != NULL) {
		reason = event_time_of_text(given->time, &us);
	} else {
		field = SLICE("envelope.timestamp");
		us = envelope_time(payload, given->envelope_timestamp, field);
		if (us == INT64_MIN)
			return us;
	}
	if (reason == NULL)
		reason = event_time_fault(us, given->received_us);
	if (reason == NULL)
		return us;
	warn(payload, field, reason);
	return INT64_MIN;
}

static int64_t occurred_at(struct signal_payload *payload)
{
	static const enum signal_member members[] = {M_TIMESTAMP, M_ORIGINAL_TIMESTAMP,
						     M_OCCURRED_AT, M_OCCURRED_AT_SNAKE, M_TIME};
	int64_t us = INT64_MIN;

	for (size_t i = 0; i < ARRAY_LENGTH(members) && us == INT64_MIN; i++) {
		if (signal_has(payload, ROOT, members[i]))
			us = time_at(payload, ROOT, members[i]);
	}
	/* Mixpanel's; elsewhere a property may be any time. */
	if (us == INT64_MIN && signal_has(payload, PROPERTIES, M_DISTINCT_ID) &&
	    signal_has(payload, PROPERTIES, M_TIME))
		us = time_at(payload, PROPERTIES, M_TIME);
	return us == INT64_MIN ? given_time(payload) : us;
}

/* ---- the row ---- */

static void find_message_id(struct signal_payload *payload, struct signal *out)
{
	out->message_id = id_at(payload, ROOT, M_MESSAGE_ID);
	if (out->message_id.p == NULL && is_cloud_event(payload))
		out->message_id = id_at(payload, ROOT, M_CE_ID);
	if (out->message_id.p == NULL)
		out->message_id = id_at(payload, PROPERTIES, M_MIXPANEL_INSERT_ID);
	if (out->message_id.p == NULL && signal_has(payload, ROOT, M_EVENT_TYPE))
		out->message_id = id_at(payload, ROOT, M_INSERT_ID);
	if (out->message_id.p != NULL)
		return;
	/* Mail providers give all events of one mail the same. */
	out->message_id = id_at(payload, ROOT, M_MESSAGE_ID_SNAKE);
	out->repeat_by_bytes = out->message_id.p != NULL;
}

static enum status find(struct signal_payload *payload, struct signal *out)
{
	out->source = source_of(payload);
	find_event(payload, out);
	find_identity(payload, out);
	find_message_id(payload, out);
	out->occurred_at_us = occurred_at(payload);
	if (payload->status != STATUS_OK)
		return payload->status;
	return warnings_json(payload->arena, payload->warnings, payload->warning_count,
			     &out->warnings);
}

enum status signal_read(struct arena *arena, struct slice text, bool needs_repair,
			const struct signal_given *given, struct signal *out)
{
	struct signal_payload payload;
	enum status status = STATUS_OK;

	*out = (struct signal){.payload = text};
	if (needs_repair) {
		out->payload_raw = text;
		status = json_text_repaired(arena, text, &out->payload);
	}
	payload.arena = arena;
	payload.status = STATUS_OK;
	payload.given = given;
	payload.warnings = NULL;
	payload.warning_count = 0;
	if (status == STATUS_OK)
		status = signal_read_members(&payload, out->payload);
	return status == STATUS_OK ? find(&payload, out) : status;
}
