/*
 * fuzz_signal.c - an accepted item: what is read from it is text that PostgreSQL takes, and so is
 * the payload. What is found is what a second, plain reading of the payload finds at the same
 * places.
 */
#define _GNU_SOURCE /* memmem */
#include <stdlib.h>
#include <string.h>

#include "base/timestamp.h"
#include "base/unicode.h"
#include "fuzz.h"
#include "model/identity.h"
#include "model/signal.h"
#include "oracle.h"

enum { VALUE_MOST = 1024, PLACES = 7, CLOCK_OFF_S = 60 };

#define SECOND_US   INT64_C(1000000)
#define DAY_US	    (86400 * SECOND_US)
#define RECEIVED_US (INT64_C(1790000000) * SECOND_US)
#define EARLIEST_US (INT64_C(631152000) * SECOND_US) /* 1990-01-01 */

/* Valid UTF-8 without byte 0: the oracle reads it as a string whose controls were escaped. */
static void check_value(struct slice text)
{
	struct buf quoted = buf_make(SIZE_MAX / 2), meant = buf_make(SIZE_MAX / 2);

	if (text.p == NULL)
		return;
	CHECK(text.n > 0 && text.n <= VALUE_MOST && memchr(text.p, '\0', text.n) == NULL);
	buf_add_json(&quoted, text);
	struct oracle oracle = oracle_of(buf_slice(&quoted));
	CHECK(oracle_string(&oracle, &meant));
	CHECK(slice_equal(buf_slice(&meant), text));
	buf_free(&quoted);
	buf_free(&meant);
}

static void check_payload(struct slice text, bool needs_repair, const struct signal *signal)
{
	bool still = true;

	CHECK(json_text_check(signal->payload, &fuzz_limits, NULL, NULL, &still) == STATUS_OK);
	CHECK(!still && signal->payload.n <= text.n);
	CHECK((signal->payload_raw.p != NULL) == needs_repair);
	CHECK(slice_equal(needs_repair ? signal->payload_raw : signal->payload, text));
}

/* ---- read a second time ---- */

/* The objects of a payload that are looked into; what is no object has no members. */
struct payload {
	struct oracle_members places[PLACES]; /* root, traits, properties, context.traits, user,
					       * contact, data */
	struct oracle_members context;
};

/* The value of a member; absent when it is null or not there. */
static struct slice member_of(const struct oracle_members *object, const char *name)
{
	const struct oracle_member *member = oracle_find(object, slice_of(name));

	return member == NULL || *member->value.p == 'n' ? SLICE_ABSENT : member->value;
}

static struct oracle_members members_of(struct slice value)
{
	struct oracle_members members = {0};

	if (value.p == NULL || *value.p != '{')
		return members;
	struct oracle oracle = oracle_of(value);
	CHECK(oracle_members(&oracle, &members));
	return members;
}

/* "place[name]" as the text has it, without an escape: what stands before the value. */
static bool is_bracketed(const struct oracle_member *member, const char *place)
{
	const struct buf *name = &member->name;
	size_t n = strlen(place);
	const char *end = member->value.p;

	if (name->n < n + 2 || memcmp(name->p, place, n) != 0 || name->p[n] != '[' ||
	    name->p[name->n - 1] != ']')
		return false;
	while (*--end != '"')
		;
	return end[-1 - (ptrdiff_t)name->n] == '"' && memcmp(end - name->n, name->p, name->n) == 0;
}

/* Adds the members that follow the object under names with brackets, which then count. */
static void add_bracketed(const struct oracle_members *root, const char *place,
			  struct oracle_members *members)
{
	const struct oracle_member *object = oracle_find(root, slice_of(place));
	size_t before = strlen(place) + 1;

	for (size_t i = 0; i < root->count; i++) {
		const struct oracle_member *one = &root->list[i];
		if ((object != NULL && one < object) || !is_bracketed(one, place))
			continue;
		members->list = realloc(members->list, (members->count + 1) * sizeof(*one));
		CHECK(members->list != NULL);
		struct oracle_member *added = &members->list[members->count++];
		*added = (struct oracle_member){buf_make(SIZE_MAX / 2), one->value};
		buf_add(&added->name, one->name.p + before, one->name.n - before - 1);
	}
}

static struct payload payload_of(struct slice text)
{
	static const char *const names[PLACES] = {NULL,	  "traits",  "properties", NULL,
						  "user", "contact", "data"};
	struct payload payload;
	struct oracle_members *places = payload.places;

	places[0] = members_of(text);
	for (int i = 1; i < PLACES; i++) {
		if (names[i] != NULL)
			places[i] = members_of(member_of(&places[0], names[i]));
	}
	payload.context = members_of(member_of(&places[0], "context"));
	places[3] = members_of(member_of(&payload.context, "traits"));
	for (int i = 1; i < PLACES; i++) {
		if (names[i] != NULL)
			add_bracketed(&places[0], names[i], &places[i]);
	}
	add_bracketed(&places[0], "context", &payload.context);
	return payload;
}

static void payload_free(struct payload *payload)
{
	for (int i = 0; i < PLACES; i++)
		oracle_members_free(&payload->places[i]);
	oracle_members_free(&payload->context);
}

static bool is_string(struct slice value)
{
	return value.p != NULL && *value.p == '"';
}

/* What a string means, a number as it stands; nothing for the rest. */
static struct buf text_of(struct slice value)
{
	struct buf text = buf_make(SIZE_MAX / 2);

	if (is_string(value)) {
		struct oracle oracle = oracle_of(value);
		CHECK(oracle_string(&oracle, &text));
	} else if (value.p != NULL && strchr("-0123456789", *value.p) != NULL) {
		buf_add_slice(&text, value);
	}
	return text;
}

static bool is_usable(struct slice text)
{
	return text.n > 0 && text.n <= VALUE_MOST;
}

/* A blank one, zero, nil, null or undefined names nobody: what is left of it without blanks. */
static bool names_somebody(struct slice value, struct slice text)
{
	static const char *const none[] = {"",
					   "0",
					   "null",
					   "undefined",
					   "00000000-0000-0000-0000-000000000000",
					   "00000000000000000000000000000000"};
	struct slice left = unicode_trim(text);

	if (!is_usable(text))
		return false;
	if (!is_string(value)) {
		size_t i = 0;
		while (i < text.n && strchr("-0.", text.p[i]) != NULL)
			i++;
		return i < text.n && strchr("123456789", text.p[i]) != NULL;
	}
	for (size_t i = 0; i < ARRAY_LENGTH(none); i++) {
		if (slice_equal(left, slice_of(none[i])))
			return false;
	}
	return true;
}

static void check_same(const struct buf *want, struct slice got)
{
	CHECK(is_usable(buf_slice(want)) ? slice_equal(buf_slice(want), got) : got.p == NULL);
}

/* The text of a member that is a usable string; nothing for the rest. */
static struct buf string_of(const struct oracle_members *object, const char *name)
{
	struct slice value = member_of(object, name);
	struct buf text = text_of(is_string(value) ? value : SLICE_ABSENT);

	if (!is_usable(buf_slice(&text)))
		buf_free(&text);
	return text;
}

/* The first usable string under the names, which end with NULL. */
static void check_string(const struct oracle_members *object, const char *const *names,
			 struct slice got)
{
	struct buf want = buf_make(SIZE_MAX / 2);

	for (; *names != NULL && want.n == 0; names++)
		want = string_of(object, *names);
	check_same(&want, got);
	buf_free(&want);
}

static struct buf id_of(const struct oracle_members *object, const char *name)
{
	struct slice value = member_of(object, name);
	struct buf text = text_of(value);

	if (value.p == NULL || !names_somebody(value, buf_slice(&text)))
		buf_free(&text);
	return text;
}

/* The first id under the names, in the first so many places; beside NULL or another member. */
static struct buf find_id(const struct payload *payload, int places, const char *const *names,
			  const char *beside)
{
	struct buf id = buf_make(SIZE_MAX / 2);

	for (int i = 0; i < places && id.n == 0; i++) {
		const struct oracle_members *place = &payload->places[i];
		if (beside != NULL && member_of(place, beside).p == NULL)
			continue;
		for (const char *const *name = names; *name != NULL && id.n == 0; name++)
			id = id_of(place, *name);
	}
	return id;
}

#define NAMES(...) ((const char *const[]){__VA_ARGS__, NULL})

static void check_id(const struct payload *payload, const char *const *names, struct slice got)
{
	struct buf want = find_id(payload, PLACES, names, NULL);

	check_same(&want, got);
	buf_free(&want);
}

static void check_crm_id(const struct payload *payload, struct slice got)
{
	struct buf want = find_id(payload, PLACES, NAMES("crmId", "hs_object_id"), NULL);

	if (want.n == 0)
		want = find_id(payload, PLACES, NAMES("objectId"), "portalId");
	if (want.n == 0)
		want = find_id(payload, PLACES, NAMES("Id"), "sObject");
	check_same(&want, got);
	buf_free(&want);
}

static void check_product_org_id(const struct payload *payload, struct slice got)
{
	struct buf want = find_id(payload, PLACES, NAMES("groupId"), NULL);

	if (want.n == 0)
		want = id_of(&payload->context, "groupId");
	if (want.n == 0)
		want = find_id(payload, PLACES, NAMES("product_org_id"), NULL);
	check_same(&want, got);
	buf_free(&want);
}

static void check_anonymous_id(const struct payload *payload, struct slice got)
{
	const struct oracle_members *root = &payload->places[0];
	struct buf want = find_id(payload, 1, NAMES("anonymousId", "anonymous_id"), NULL);

	if (want.n == 0 && member_of(root, "event_type").p != NULL)
		want = id_of(root, "device_id");
	if (want.n == 0)
		want = id_of(&payload->places[2], "$device_id");
	if (want.n == 0)
		want = id_of(&payload->places[2], "distinct_id");
	if (want.n == 0)
		want = id_of(root, "distinct_id");
	check_same(&want, got);
	buf_free(&want);
}

static void check_message_id(const struct payload *payload, const struct signal *signal)
{
	const struct oracle_members *root = &payload->places[0];
	struct buf want = id_of(root, "messageId");

	if (want.n == 0 && is_string(member_of(root, "specversion")))
		want = id_of(root, "id");
	if (want.n == 0)
		want = id_of(&payload->places[2], "$insert_id");
	if (want.n == 0 && member_of(root, "event_type").p != NULL)
		want = id_of(root, "insert_id");
	bool mail = want.n == 0;
	if (mail)
		want = id_of(root, "message_id");
	CHECK(signal->repeat_by_bytes == (mail && want.n > 0));
	check_same(&want, signal->message_id);
	buf_free(&want);
}

/* True for the first text with an email, which is a part of it: only its letters changed. */
static bool holds_email(struct slice value, struct slice got)
{
	struct arena arena = {0};
	struct buf text = buf_make(SIZE_MAX / 2), lower = buf_make(SIZE_MAX / 2);
	struct slice again;

	if (is_string(value))
		text = text_of(value);
	unicode_add_lower(&lower, buf_slice(&text));
	CHECK(identity_email(&arena, buf_slice(&text), VALUE_MOST, &again) == STATUS_OK);
	bool holds = again.p != NULL;
	CHECK(!holds || (memchr(again.p, '<', again.n) == NULL && again.p[again.n - 1] != '>'));
	CHECK(!holds ||
	      (slice_equal(again, got) && memmem(lower.p, lower.n, got.p, got.n) != NULL));
	buf_free(&text);
	buf_free(&lower);
	arena_free(&arena);
	return holds;
}

static void check_email(const struct payload *payload, struct slice got)
{
	const struct oracle_members *root = &payload->places[0];
	bool found = false;
	size_t ats = 0;

	for (size_t i = 0; i < got.n; i++)
		ats += got.p[i] == '@';
	CHECK(got.p == NULL || (ats == 1 && got.p[0] != '@' && got.p[got.n - 1] != '@' &&
				unicode_first_blank(got) == got.n));
	for (int i = 0; i < PLACES; i++) {
		for (const char *const *name = NAMES("email", "Email", "email_address");
		     *name != NULL && !found; name++)
			found = holds_email(member_of(&payload->places[i], *name), got);
	}
	bool postmark = member_of(root, "RecordType").p != NULL;
	if (!found && (postmark || member_of(root, "event").p != NULL))
		found = holds_email(member_of(root, postmark ? "Recipient" : "recipient"), got);
	CHECK(found == (got.p != NULL));
}

static bool is_segment(const struct payload *payload, struct slice type)
{
	static const char *const types[] = {"track",  "page",  "identify", "group",
					    "screen", "alias", NULL};
	static const char *const ids[] = {"messageId", "anonymousId", "userId", NULL};
	bool known = false, signs = member_of(&payload->context, "library").p != NULL;

	for (const char *const *name = types; *name != NULL; name++)
		known |= slice_equal(type, slice_of(*name));
	for (const char *const *name = ids; *name != NULL; name++)
		signs |= member_of(&payload->places[0], *name).p != NULL;
	return known && signs;
}

static const char *detected(const struct payload *payload)
{
	const struct oracle_members *root = &payload->places[0];
	struct buf type = string_of(root, "type");
	bool segment = is_segment(payload, buf_slice(&type));

	buf_free(&type);
	if (member_of(root, "mktLeadId").p != NULL)
		return "marketo";
	if (member_of(root, "portalId").p != NULL || member_of(root, "hs_object_id").p != NULL)
		return "hubspot";
	if (member_of(root, "sObject").p != NULL)
		return "salesforce";
	return segment ? "segment" : "generic";
}

static void check_source(const struct payload *payload, struct slice got)
{
	struct buf own = string_of(&payload->places[0], "source");

	if (own.n > 0 && signal_source_is_valid(buf_slice(&own)))
		CHECK(slice_equal(got, buf_slice(&own)));
	else
		CHECK(slice_equal(got, slice_of(detected(payload))));
	buf_free(&own);
}

/* ---- when ---- */

/* INT64_MIN for what is none. */
static int64_t time_of(struct slice value)
{
	struct buf text = text_of(value);
	int64_t us;
	bool good = is_string(value)
			    ? timestamp_read(unicode_trim(buf_slice(&text)), &us)
			    : value.p != NULL && text.n > 0 && timestamp_of_number(value, &us);

	buf_free(&text);
	return good ? us : INT64_MIN;
}

static bool is_near(int64_t us)
{
	return us >= EARLIEST_US && us <= RECEIVED_US + DAY_US;
}

static int64_t corrected(const struct oracle_members *root, const char *name, int64_t us)
{
	bool original = strcmp(name, "originalTimestamp") == 0;
	bool raw = strcmp(name, "timestamp") == 0 &&
		   member_of(root, "originalTimestamp").p == NULL &&
		   member_of(root, "receivedAt").p == NULL;
	int64_t sent_us = time_of(member_of(root, "sentAt"));
	int64_t received_us = time_of(member_of(root, "receivedAt"));

	if ((!original && !raw) || sent_us == INT64_MIN)
		return us;
	if (!is_near(received_us))
		received_us = RECEIVED_US;
	int64_t off_us = received_us > sent_us ? received_us - sent_us : sent_us - received_us;
	if (raw && (off_us < CLOCK_OFF_S * SECOND_US || off_us > DAY_US))
		return us;
	return received_us - (sent_us - us);
}

static int64_t occurred_at(const struct payload *payload)
{
	static const char *const names[] = {"timestamp", "originalTimestamp", "occurredAt",
					    "occurred_at", "time"};
	const struct oracle_members *root = &payload->places[0];

	for (size_t i = 0; i < ARRAY_LENGTH(names); i++) {
		int64_t us = time_of(member_of(root, names[i]));
		if (us == INT64_MIN)
			continue;
		int64_t better_us = corrected(root, names[i], us);
		if (is_near(better_us) || is_near(us))
			return is_near(better_us) ? better_us : us;
	}
	if (member_of(&payload->places[2], "distinct_id").p == NULL)
		return INT64_MIN;
	int64_t us = time_of(member_of(&payload->places[2], "time"));
	return is_near(us) ? us : INT64_MIN;
}

/* ---- once ---- */

static void check_found(const struct signal *signal, bool given)
{
	struct payload payload = payload_of(signal->payload);
	const struct oracle_members *root = &payload.places[0];
	bool cloud = is_string(member_of(root, "specversion"));

	check_string(root,
		     NAMES("type", "event_type", "eventType", "subscriptionType", "RecordType"),
		     signal->event_type);
	check_string(root,
		     NAMES("event", "eventName", "event_name", "event_type", "eventType",
			   "subscriptionType", "RecordType", cloud ? "subject" : NULL),
		     signal->event_name);
	check_email(&payload, signal->email);
	check_id(&payload, NAMES("userId", "user_id", "$user_id"), signal->user_id);
	check_id(&payload, NAMES("productUserId"), signal->product_user_id);
	check_id(&payload, NAMES("mktLeadId", "mapId"), signal->marketing_automation_id);
	check_id(&payload, NAMES("phone", "Phone"), signal->phone);
	check_crm_id(&payload, signal->crm_id);
	check_product_org_id(&payload, signal->product_org_id);
	check_anonymous_id(&payload, signal->anonymous_id);
	check_message_id(&payload, signal);
	if (!given)
		check_source(&payload, signal->source);
	CHECK(signal->occurred_at_us == occurred_at(&payload));
	payload_free(&payload);
}

static void check_warnings(const struct signal *signal)
{
	if (signal->warnings.p == NULL)
		return;
	CHECK(json_text_check(signal->warnings, &fuzz_limits, NULL, NULL, NULL) == STATUS_OK);
	CHECK(slice_starts(signal->warnings, SLICE("[{\"field\":\"")));
}

static void check_signal(struct slice text, bool needs_repair, struct slice source)
{
	const struct signal_given given = {.received_us = RECEIVED_US, .source = source};
	struct arena arena = {0};
	struct signal signal;

	CHECK(signal_read(&arena, text, needs_repair, &given, &signal) == STATUS_OK);
	CHECK(signal.source.p != NULL && (source.p == NULL || slice_equal(signal.source, source)));
	const struct slice values[] = {signal.source,	  signal.event_type,
				       signal.event_name, signal.anonymous_id,
				       signal.message_id, signal.email,
				       signal.user_id,	  signal.product_user_id,
				       signal.crm_id,	  signal.marketing_automation_id,
				       signal.phone,	  signal.product_org_id};
	enum { FIRST_IDENTITY = 5 };
	bool cold = true;
	for (size_t i = 0; i < ARRAY_LENGTH(values); i++) {
		check_value(values[i]);
		cold = cold && (i < FIRST_IDENTITY || values[i].p == NULL);
	}
	CHECK(signal.cold == cold);
	check_payload(text, needs_repair, &signal);
	check_warnings(&signal);
	check_found(&signal, source.p != NULL);
	arena_free(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct slice text = {(const char *)data, n};
	bool needs_repair;

	if (n == 0 || data[0] != '{' || data[n - 1] != '}' ||
	    json_text_check(text, &fuzz_limits, NULL, NULL, &needs_repair) != STATUS_OK)
		return 0;
	check_signal(text, needs_repair, SLICE_ABSENT);
	check_signal(text, needs_repair, SLICE("given"));
	return 0;
}
