/*
 * fuzz_signal.c - an accepted item: what is read from it is text that PostgreSQL takes, and so is
 * the payload. What is found is what a second, plain reading of the payload finds at the same
 * places.
 */
#include <string.h>

#include "base/timestamp.h"
#include "fuzz.h"
#include "model/signal.h"
#include "oracle.h"

enum { VALUE_MOST = 1024, PLACES = 4 };

#define END_US (INT64_C(253402300800) * 1000000)

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
	struct oracle_members places[PLACES]; /* root, traits, properties, context.traits */
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

static struct payload payload_of(struct slice text)
{
	struct payload payload;
	struct oracle_members *places = payload.places;

	places[0] = members_of(text);
	places[1] = members_of(member_of(&places[0], "traits"));
	places[2] = members_of(member_of(&places[0], "properties"));
	payload.context = members_of(member_of(&places[0], "context"));
	places[3] = members_of(member_of(&payload.context, "traits"));
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

static void check_same(const struct buf *want, struct slice got)
{
	CHECK(is_usable(buf_slice(want)) ? slice_equal(buf_slice(want), got) : got.p == NULL);
}

static void check_string(struct slice value, struct slice got)
{
	struct buf want = text_of(is_string(value) ? value : SLICE_ABSENT);

	check_same(&want, got);
	buf_free(&want);
}

/* The first usable id under the names, which end with NULL, in the first so many places. */
static struct buf find_id(const struct payload *payload, int places, const char *const *names)
{
	struct buf id = buf_make(SIZE_MAX / 2);

	for (int i = 0; i < places; i++) {
		for (const char *const *name = names; *name != NULL; name++) {
			id = text_of(member_of(&payload->places[i], *name));
			if (is_usable(buf_slice(&id)))
				return id;
			buf_free(&id);
		}
	}
	return id;
}

static void check_id(const struct payload *payload, int places, const char *const *names,
		     struct slice got)
{
	struct buf want = find_id(payload, places, names);

	check_same(&want, got);
	buf_free(&want);
}

static bool has_id(const struct oracle_members *object, const char *name)
{
	struct buf id = text_of(member_of(object, name));
	bool usable = is_usable(buf_slice(&id));

	buf_free(&id);
	return usable;
}

static void check_email(const struct payload *payload, struct slice got)
{
	struct buf want = buf_make(SIZE_MAX / 2);
	struct slice email = SLICE_ABSENT;

	for (int i = 0; i < PLACES && email.p == NULL; i++) {
		struct slice value = member_of(&payload->places[i], "email");
		buf_free(&want);
		want = text_of(is_string(value) ? value : SLICE_ABSENT);
		struct slice text = slice_trim(buf_slice(&want));
		if (is_usable(text) && text.n > 2 && memchr(text.p + 1, '@', text.n - 2) != NULL)
			email = text;
	}
	/* Only letters of ASCII became small. */
	CHECK((got.p == NULL) == (email.p == NULL) && slice_equal_nocase(got, email));
	buf_free(&want);
}

static bool is_cold(const struct payload *payload, const struct signal *signal)
{
	static const char *const names[] = {"productUserId", "crmId",	       "hs_object_id",
					    "mktLeadId",     "mapId",	       "phone",
					    "groupId",	     "product_org_id", NULL};
	bool found = signal->email.p != NULL || signal->user_id.p != NULL ||
		     has_id(&payload->context, "groupId");

	for (int i = 0; i < PLACES; i++) {
		const struct oracle_members *place = &payload->places[i];
		for (const char *const *name = names; *name != NULL; name++)
			found |= has_id(place, *name);
		found |= member_of(place, "portalId").p != NULL && has_id(place, "objectId");
		found |= member_of(place, "sObject").p != NULL && has_id(place, "Id");
	}
	return !found;
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

static const char *detected(const struct payload *payload, struct slice type)
{
	const struct oracle_members *root = &payload->places[0];

	if (member_of(root, "mktLeadId").p != NULL)
		return "marketo";
	if (member_of(root, "portalId").p != NULL || member_of(root, "hs_object_id").p != NULL)
		return "hubspot";
	if (member_of(root, "sObject").p != NULL)
		return "salesforce";
	return is_segment(payload, type) ? "segment" : "generic";
}

static void check_found(const struct signal *signal, struct slice source)
{
	static const char *const users[] = {"userId", "user_id", NULL};
	static const char *const anonymous[] = {"anonymousId", "anonymous_id", NULL};
	static const char *const messages[] = {"messageId", "message_id", NULL};
	struct payload payload = payload_of(signal->payload);
	const struct oracle_members *root = &payload.places[0];
	struct buf timestamp = text_of(member_of(root, "timestamp"));
	struct slice own = member_of(root, "source");
	int64_t us;

	check_string(member_of(root, "type"), signal->event_type);
	check_string(member_of(root, "event"), signal->event_name);
	check_email(&payload, signal->email);
	check_id(&payload, PLACES, users, signal->user_id);
	check_id(&payload, 1, anonymous, signal->anonymous_id);
	check_id(&payload, 1, messages, signal->message_id);
	CHECK(signal->cold == is_cold(&payload, signal));
	if (source.p == NULL && is_string(own) && has_id(root, "source"))
		check_string(own, signal->source);
	else if (source.p == NULL)
		CHECK(slice_equal(signal->source,
				  slice_of(detected(&payload, signal->event_type))));
	bool when = timestamp_read(buf_slice(&timestamp), &us);
	CHECK(signal->occurred_at_us == (when ? us : INT64_MIN));
	buf_free(&timestamp);
	payload_free(&payload);
}

/* ---- once ---- */

static void check_signal(struct slice text, bool needs_repair, struct slice source)
{
	struct arena arena = {0};
	struct signal signal;

	CHECK(signal_read(&arena, text, needs_repair, source, &signal) == STATUS_OK);
	CHECK(signal.source.p != NULL && (source.p == NULL || slice_equal(signal.source, source)));
	const struct slice values[] = {signal.source,	 signal.event_type, signal.event_name,
				       signal.email,	 signal.user_id,    signal.anonymous_id,
				       signal.message_id};
	for (size_t i = 0; i < ARRAY_LENGTH(values); i++)
		check_value(values[i]);
	for (size_t i = 0; i < signal.email.n; i++)
		CHECK(signal.email.p[i] < 'A' || signal.email.p[i] > 'Z');
	CHECK(!signal.cold || (signal.email.p == NULL && signal.user_id.p == NULL));
	CHECK(signal.occurred_at_us == INT64_MIN ||
	      (signal.occurred_at_us >= 0 && signal.occurred_at_us < END_US));
	check_payload(text, needs_repair, &signal);
	check_found(&signal, source);
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
