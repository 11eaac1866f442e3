/*
 * test_signal.c - from an item's text to its row: source, identity, timestamp, cold or not.
 */
#include <stdlib.h>
#include <string.h>

#include "check_main.h"
#include "json/text.h"
#include "model/signal.h"

#define T(literal)   SLICE(literal)
#define ABSENT	     ((struct slice){0})
#define MANY(string) string string string string string string string string

static const struct json_limits usual = {
	.item_bytes = 1 << 20,
	.items = 1,
	.depth = 64,
	.number_digits = 400,
	.number_exponent = 400,
};

/* Reads a signal as the intake does: checked first, then from memory of exactly its size. The
 * caller frees the arena, in which everything lies. */
static struct signal read_signal(struct arena *arena, struct slice text, struct slice source)
{
	struct signal signal;
	bool needs_repair;

	enum status status = json_text_check(text, &usual, NULL, NULL, &needs_repair);
	ck_assert_msg(status == STATUS_OK, "%s: %s", text.p, status_name(status));
	char *copy = arena_alloc(arena, text.n);
	ck_assert_ptr_nonnull(copy);
	memcpy(copy, text.p, text.n);
	struct slice exact = {copy, text.n};
	status = signal_read(arena, exact, needs_repair, source, &signal);
	ck_assert_msg(status == STATUS_OK, "%s: %s", text.p, status_name(status));
	ck_assert_int_eq(signal.payload_raw.p != NULL, needs_repair);
	if (!needs_repair)
		ck_assert(signal.payload.p == exact.p && signal.payload.n == exact.n);
	return signal;
}

static void assert_text(const char *json, const char *what, struct slice got, const char *want)
{
	struct slice wanted = slice_of(want);

	ck_assert_msg((got.p == NULL) == (want == NULL) && slice_equal(got, wanted),
		      "%s: %s is \"%.*s\", not \"%s\"", json, what, (int)got.n, got.p,
		      want == NULL ? "absent" : want);
}

/* ---- source ---- */

#define S64 MANY("aB3.-_xY")

static const struct {
	struct slice source;
	bool valid;
} source_names[] = {
	{T("a"), true},	    {T("website"), true}, {T("A.b_c-9"), true}, {T("."), true},
	{T(S64), true},	    {T(S64 "a"), false},  {T(""), false},	{T(" "), false},
	{T("a b"), false},  {T("a/b"), false},	  {T("a\0"), false},	{T("\xc3\xa9"), false},
	{T("a:b"), false},  {T("a@b"), false},	  {T("a`"), false},	{T("["), false},
	{T("{"), false},    {T("a,b"), false},	  {T("a\nb"), false},	{T("%41"), false},
	{{NULL, 0}, false},
};

START_TEST(source_names_are_checked)
{
	for (int i = 0; i < LENGTH(source_names); i++)
		ck_assert_msg(signal_source_is_valid(source_names[i].source) ==
				      source_names[i].valid,
			      "%s", source_names[i].source.p);
	for (int c = 0; c < 256; c++) {
		char one = (char)c;
		bool valid = c != 0 && strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
					      "0123456789._-",
					      c) != NULL;
		ck_assert_int_eq(signal_source_is_valid((struct slice){&one, 1}), valid);
	}
}
END_TEST

static const struct {
	struct slice json;
	const char *given;
	const char *source;
} sources[] = {
	/* what was given counts first, then the payload's own, then detection */
	{T("{}"), NULL, "generic"},
	{T("{}"), "website", "website"},
	{T("{\"source\":\"crm\"}"), NULL, "crm"},
	{T("{\"source\":\"crm\"}"), "website", "website"},
	{T("{\"source\":\"crm\",\"mktLeadId\":1}"), NULL, "crm"},
	{T("{\"mktLeadId\":1}"), "website", "website"},
	{T("{\"source\":\"\",\"mktLeadId\":1}"), NULL, "marketo"},
	{T("{\"source\":\"a b\",\"mktLeadId\":1}"), NULL, "a b"},
	{T("{\"source\":\"a\\u0000\"}"), NULL, "a\xef\xbf\xbd"},
	{T("{\"source\":\"" S64 "\"}"), NULL, S64},
	{T("{\"source\":\"" S64 "x\"}"), NULL, S64 "x"},
	{T("{\"source\":1}"), NULL, "generic"},
	{T("{\"source\":{\"a\":1}}"), NULL, "generic"},
	{T("{\"source\":null,\"portalId\":7}"), NULL, "hubspot"},
	{T("{\"traits\":{\"source\":\"crm\"}}"), NULL, "generic"},
	/* detection, in its order */
	{T("{\"mktLeadId\":12}"), NULL, "marketo"},
	{T("{\"mktLeadId\":null}"), NULL, "generic"},
	{T("{\"portalId\":12}"), NULL, "hubspot"},
	{T("{\"hs_object_id\":\"12\"}"), NULL, "hubspot"},
	{T("{\"properties\":{\"hs_object_id\":\"12\"}}"), NULL, "generic"},
	{T("{\"sObject\":{\"Id\":\"1\"}}"), NULL, "salesforce"},
	{T("{\"sobject\":{}}"), NULL, "generic"},
	{T("{\"sObject\":{},\"portalId\":1}"), NULL, "hubspot"},
	{T("{\"sObject\":{},\"portalId\":1,\"mktLeadId\":1}"), NULL, "marketo"},
	{T("{\"sObject\":{},\"type\":\"track\",\"userId\":\"u\"}"), NULL, "salesforce"},
	{T("{\"type\":\"track\",\"messageId\":\"m\"}"), NULL, "segment"},
	{T("{\"type\":\"page\",\"anonymousId\":\"a\"}"), NULL, "segment"},
	{T("{\"type\":\"identify\",\"userId\":\"u\"}"), NULL, "segment"},
	{T("{\"type\":\"group\",\"context\":{\"library\":{\"name\":\"x\"}}}"), NULL, "segment"},
	{T("{\"type\":\"screen\",\"messageId\":\"m\"}"), NULL, "segment"},
	{T("{\"type\":\"alias\",\"messageId\":\"m\"}"), NULL, "segment"},
	{T("{\"type\":\"track\"}"), NULL, "generic"},
	{T("{\"type\":\"track\",\"context\":{}}"), NULL, "generic"},
	{T("{\"type\":\"track\",\"context\":{\"library\":null}}"), NULL, "generic"},
	{T("{\"type\":\"track\",\"message_id\":\"m\"}"), NULL, "generic"},
	{T("{\"type\":\"Track\",\"messageId\":\"m\"}"), NULL, "generic"},
	{T("{\"type\":\"tracks\",\"messageId\":\"m\"}"), NULL, "generic"},
	{T("{\"type\":\"trac\",\"messageId\":\"m\"}"), NULL, "generic"},
	{T("{\"type\":1,\"messageId\":\"m\"}"), NULL, "generic"},
	{T("{\"messageId\":\"m\",\"userId\":\"u\"}"), NULL, "generic"},
};

START_TEST(the_source_is_found)
{
	for (int i = 0; i < LENGTH(sources); i++) {
		struct arena arena = {0};
		struct signal signal =
			read_signal(&arena, sources[i].json, slice_of(sources[i].given));
		assert_text(sources[i].json.p, "source", signal.source, sources[i].source);
		arena_free(&arena);
	}
}
END_TEST

/* ---- texts ---- */

#define K512  MANY(MANY("01234567"))
#define K1016 K512 MANY("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde")
#define K1    K512 K512 /* 1,024 bytes */

static const struct text_case {
	struct slice json;
	const char *text;
} emails[] =
	{
		/* the places, in their order */
		{T("{\"email\":\"a@b.c\"}"), "a@b.c"},
		{T("{\"traits\":{\"email\":\"t@b\"}}"), "t@b"},
		{T("{\"properties\":{\"email\":\"p@b\"}}"), "p@b"},
		{T("{\"context\":{\"traits\":{\"email\":\"c@b\"}}}"), "c@b"},
		{T("{\"context\":{\"email\":\"c@b\"}}"), NULL},
		{T("{\"user\":{\"email\":\"c@b\"}}"), NULL},
		{T("{\"email\":\"a@b\",\"traits\":{\"email\":\"t@b\"}}"), "a@b"},
		{T("{\"properties\":{\"email\":\"p@b\"},\"traits\":{\"email\":\"t@b\"}}"), "t@b"},
		{T("{\"context\":{\"traits\":{\"email\":\"c@b\"}},\"properties\":{\"email\":\"p@"
		   "b\"}}"),
		 "p@b"},
		{T("{\"email\":\"none\",\"traits\":{\"email\":\"t@b\"}}"), "t@b"},
		{T("{\"email\":null,\"traits\":[\"a@b\"],\"properties\":{\"email\":\"p@b\"}}"),
		 "p@b"},
		/* lower case, without blanks around */
		{T("{\"email\":\"Lead@Example.COM\"}"), "lead@example.com"},
		{T("{\"email\":\" \\t\\r\\n a@b \\n\"}"), "a@b"},
		{T("{\"email\":\"\\u00c4@B\"}"), "\xc3\x84@b"},
		{T("{\"email\":\"A\\u0040B\"}"), "a@b"},
		{T("{\"email\":\"a b@c\"}"), "a b@c"},
		/* an @ with something on both sides */
		{T("{\"email\":\"@\"}"), NULL},
		{T("{\"email\":\"a@\"}"), NULL},
		{T("{\"email\":\"@b\"}"), NULL},
		{T("{\"email\":\" a@ \"}"), NULL},
		{T("{\"email\":\" @b\"}"), NULL},
		{T("{\"email\":\"ab\"}"), NULL},
		{T("{\"email\":\"ab@\"}"), NULL},
		{T("{\"email\":\"" K1 "\"}"), NULL},
		{T("{\"email\":\" " K1016 "abcd@bcd \"}"), K1016 "abcd@bcd"},
		{T("{\"email\":\"" K1016 "abcd@bcde\"}"), NULL},
		{T("{\"email\":\"a@b@c\"}"), "a@b@c"},
		{T("{\"email\":\"@@@\"}"), "@@@"},
		{T("{\"email\":\"\"}"), NULL},
		{T("{\"email\":\"   \"}"), NULL},
		{T("{\"email\":7}"), NULL},
		{T("{\"email\":true}"), NULL},
		{T("{\"email\":[\"a@b\"]}"), NULL},
		{T("{\"Email\":\"a@b\"}"), NULL},
		/* what PostgreSQL's text cannot hold does not get there */
		{T("{\"email\":\"a\\u0000@b\"}"), "a\xef\xbf\xbd@b"},
		{T("{\"email\":\"a\\ud800@b\"}"), "a\xef\xbf\xbd@b"},
		{T("{\"email\\u0000x\":\"a@b\"}"), NULL},
},
  users[] =
	  {
		  {T("{\"userId\":\"u\"}"), "u"},
		  {T("{\"user_id\":\"u\"}"), "u"},
		  {T("{\"userId\":\"1\",\"user_id\":\"2\"}"), "1"},
		  {T("{\"userId\":\"\",\"user_id\":\"2\"}"), "2"},
		  {T("{\"user_id\":\"2\",\"traits\":{\"userId\":\"1\"}}"), "2"},
		  {T("{\"traits\":{\"userId\":\"t\"}}"), "t"},
		  {T("{\"properties\":{\"user_id\":\"p\"}}"), "p"},
		  {T("{\"context\":{\"traits\":{\"userId\":\"c\"}}}"), "c"},
		  {T("{\"context\":{\"userId\":\"c\"}}"), NULL},
		  {T("{\"userId\":12}"), "12"},
		  {T("{\"userId\":0}"), "0"},
		  {T("{\"userId\":-1}"), "-1"},
		  {T("{\"userId\":12.50}"), "12.50"},
		  {T("{\"userId\":9007199254740993}"), "9007199254740993"},
		  {T("{\"userId\":99999999999999999999}"), "99999999999999999999"},
		  {T("{\"userId\":-9223372036854775808}"), "-9223372036854775808"},
		  {T("{\"userId\":1E+2}"), "1E+2"},
		  {T("{\"userId\":\"99999999999999999999\"}"), "99999999999999999999"},
		  {T("{\"userId\":true}"), NULL},
		  {T("{\"userId\":false}"), NULL},
		  {T("{\"userId\":\"true\"}"), "true"},
		  {T("{\"userId\":null}"), NULL},
		  {T("{\"userId\":{}}"), NULL},
		  {T("{\"userId\":[1]}"), NULL},
		  {T("{\"userId\":\" U \"}"), " U "},
		  {T("{\"userid\":\"u\"}"), NULL},
		  {T("{\"userId\":\"\\u0000\"}"), "\xef\xbf\xbd"},
		  {T("{\"userId\":\"" K1 "\"}"), K1},
		  {T("{\"userId\":\"" K1 "x\"}"), NULL},
		  {T("{\"userId\":\"" K1 "x\",\"user_id\":\"2\"}"), "2"},
		  /* names and values however they are escaped */
		  {T("{\"\\u0075serId\":\"u\"}"), "u"},
		  {T("{\"\\u0075\\u0073\\u0065\\u0072\\u005F\\u0069\\u0064\":\"u\"}"), "u"},
		  {T("{\"\\u0074raits\":{\"user\\u005fid\":\"\\u0075\\n\"}}"), "u\n"},
		  {T("{\"user\\\\Id\":\"u\"}"), NULL},
		  {T("{\"userId\":\"\\\"\\\\\\/\\ud83d\\ude00\"}"), "\"\\/\xf0\x9f\x98\x80"},
		  /* of the same name the last one counts, as a whole */
		  {T("{\"userId\":\"1\",\"userId\":\"2\"}"), "2"},
		  {T("{\"userId\":\"1\",\"\\u0075serId\":\"2\"}"), "2"},
		  {T("{\"userId\":\"1\",\"userId\":null}"), NULL},
		  {T("{\"userId\":\"1\",\"userId\":{}}"), NULL},
		  {T("{\"traits\":{\"userId\":\"1\"},\"traits\":{\"userId\":\"2\"}}"), "2"},
		  {T("{\"traits\":{\"userId\":\"1\"},\"traits\":{\"user_id\":\"2\"}}"), "2"},
		  {T("{\"traits\":{\"userId\":\"1\"},\"traits\":{}}"), NULL},
		  {T("{\"traits\":{\"userId\":\"1\"},\"traits\":null}"), NULL},
		  {T("{\"traits\":{\"userId\":\"1\"},\"traits\":[{\"userId\":\"2\"}]}"), NULL},
		  {T("{\"context\":{\"traits\":{\"userId\":\"1\"}},\"context\":{}}"), NULL},
		  {T("{\"context\":{\"traits\":{\"userId\":\"1\"}},\"context\":7}"), NULL},
		  {T("{\"context\":{\"traits\":{\"userId\":\"1\"},\"traits\":\"2\"}}"), NULL},
		  /* only at the places */
		  {T("{\"x\":{\"traits\":{\"userId\":\"1\"}}}"), NULL},
		  {T("{\"traits\":{\"traits\":{\"userId\":\"1\"}}}"), NULL},
		  {T("{\"traits\":{\"properties\":{\"userId\":\"1\"}}}"), NULL},
		  {T("{\"context\":{\"properties\":{\"userId\":\"1\"}}}"), NULL},
		  {T("{\"context\":[{\"traits\":{\"userId\":\"1\"}}]}"), NULL},
		  {T("{\"traits\":[[{}],{\"a\":[]}],\"userId\":\"1\",\"x\":[{}]}"), "1"},
},
  anonymous[] =
	  {
		  {T("{\"anonymousId\":\"a\"}"), "a"},
		  {T("{\"anonymous_id\":7}"), "7"},
		  {T("{\"anonymousId\":\"1\",\"anonymous_id\":\"2\"}"), "1"},
		  {T("{\"anonymousId\":\"\"}"), NULL},
		  {T("{\"traits\":{\"anonymousId\":\"a\"}}"), NULL},
},
  messages[] =
	  {
		  {T("{\"messageId\":\"m\"}"), "m"},
		  {T("{\"message_id\":\"m\"}"), "m"},
		  {T("{\"messageId\":\"1\",\"message_id\":\"2\"}"), "1"},
		  {T("{\"messageId\":7}"), "7"},
		  {T("{\"messageId\":\"\",\"message_id\":\"2\"}"), "2"},
		  {T("{\"messageId\":\"" K1 "x\"}"), NULL},
		  {T("{\"properties\":{\"messageId\":\"m\"}}"), NULL},
},
  types[] =
	  {
		  {T("{\"type\":\"track\"}"), "track"},
		  {T("{\"type\":\"\"}"), NULL},
		  {T("{\"type\":7}"), NULL},
		  {T("{\"type\":\"" K1 "\"}"), K1},
		  {T("{\"type\":\"" K1 "x\"}"), NULL},
		  {T("{\"event\":\"track\"}"), NULL},
},
  events[] = {
	  {T("{\"event\":\"form_submission\"}"), "form_submission"},
	  {T("{\"event\":\"Stra\\u00dfe \\ud83d\\ude00\"}"), "Stra\xc3\x9f"
							     "e \xf0\x9f\x98\x80"},
	  {T("{\"event\":\"\"}"), NULL},
	  {T("{\"event\":{\"name\":\"x\"}}"), NULL},
	  {T("{\"type\":\"track\"}"), NULL},
	  {T("{\"event\":\"a\",\"event\":\"b\"}"), "b"},
};

enum text_of { EMAIL, USER_ID, ANONYMOUS_ID, MESSAGE_ID, EVENT_TYPE, EVENT_NAME };

static const struct {
	const char *name;
	enum text_of which;
	const struct text_case *cases;
	int count;
} text_tables[] = {
	{"email", EMAIL, emails, LENGTH(emails)},
	{"user id", USER_ID, users, LENGTH(users)},
	{"anonymous id", ANONYMOUS_ID, anonymous, LENGTH(anonymous)},
	{"message id", MESSAGE_ID, messages, LENGTH(messages)},
	{"event type", EVENT_TYPE, types, LENGTH(types)},
	{"event name", EVENT_NAME, events, LENGTH(events)},
};

START_TEST(texts_are_found)
{
	for (int i = 0; i < text_tables[_i].count; i++) {
		struct slice json = text_tables[_i].cases[i].json;
		struct arena arena = {0};
		struct signal signal = read_signal(&arena, json, ABSENT);
		const struct slice texts[] = {
			[EMAIL] = signal.email,
			[USER_ID] = signal.user_id,
			[ANONYMOUS_ID] = signal.anonymous_id,
			[MESSAGE_ID] = signal.message_id,
			[EVENT_TYPE] = signal.event_type,
			[EVENT_NAME] = signal.event_name,
		};
		assert_text(json.p, text_tables[_i].name, texts[text_tables[_i].which],
			    text_tables[_i].cases[i].text);
		arena_free(&arena);
	}
}
END_TEST

/* ---- when ---- */

static const struct {
	struct slice json;
	int64_t us;
} timestamps[] = {
	{T("{\"timestamp\":\"2024-01-15T00:00:00.25Z\"}"), INT64_C(1705276800250000)},
	{T("{\"timestamp\":\"2024-01-15T01:00:00+0100\"}"), INT64_C(1705276800000000)},
	{T("{\"timestamp\":\"2024-01-15\"}"), INT64_C(1705276800000000)},
	{T("{\"timestamp\":1705276800}"), INT64_C(1705276800000000)},
	{T("{\"timestamp\":1705276800123}"), INT64_C(1705276800123000)},
	{T("{\"timestamp\":1.705276800123e12}"), INT64_C(1705276800123000)},
	{T("{\"timestamp\":1705276800.5}"), INT64_C(1705276800500000)},
	{T("{\"timestamp\":\"1705276800\"}"), INT64_C(1705276800000000)},
	{T("{\"timestamp\":0}"), 0},
	{T("{}"), INT64_MIN},
	{T("{\"timestamp\":null}"), INT64_MIN},
	{T("{\"timestamp\":true}"), INT64_MIN},
	{T("{\"timestamp\":\"\"}"), INT64_MIN},
	{T("{\"timestamp\":\"soon\"}"), INT64_MIN},
	{T("{\"timestamp\":-5}"), INT64_MIN},
	{T("{\"timestamp\":99999999999999999999}"), INT64_MIN},
	{T("{\"timestamp\":1e400}"), INT64_MIN},
	{T("{\"timestamp\":{\"at\":1}}"), INT64_MIN},
	{T("{\"properties\":{\"timestamp\":1705276800}}"), INT64_MIN},
	{T("{\"sentAt\":1705276800}"), INT64_MIN},
};

START_TEST(the_timestamp_is_read)
{
	for (int i = 0; i < LENGTH(timestamps); i++) {
		struct arena arena = {0};
		struct signal signal = read_signal(&arena, timestamps[i].json, ABSENT);
		ck_assert_msg(signal.occurred_at_us == timestamps[i].us, "%s",
			      timestamps[i].json.p);
		arena_free(&arena);
	}
}
END_TEST

/* ---- cold or not ---- */

static const struct slice warm[] = {
	T("{\"email\":\"a@b\"}"),
	T("{\"context\":{\"traits\":{\"email\":\"a@b\"}}}"),
	T("{\"userId\":\"u\"}"),
	T("{\"properties\":{\"user_id\":7}}"),
	T("{\"productUserId\":\"p\"}"),
	T("{\"traits\":{\"productUserId\":\"p\"}}"),
	T("{\"crmId\":\"c\"}"),
	T("{\"properties\":{\"crmId\":5}}"),
	T("{\"hs_object_id\":5}"),
	T("{\"properties\":{\"hs_object_id\":\"5\"}}"),
	T("{\"portalId\":1,\"objectId\":5}"),
	T("{\"properties\":{\"portalId\":1,\"objectId\":5}}"),
	T("{\"sObject\":{},\"Id\":\"003\"}"),
	T("{\"traits\":{\"sObject\":\"Lead\",\"Id\":\"003\"}}"),
	T("{\"mktLeadId\":5}"),
	T("{\"mapId\":\"5\"}"),
	T("{\"context\":{\"traits\":{\"mapId\":\"5\"}}}"),
	T("{\"phone\":\"+49 30 1\"}"),
	T("{\"phone\":49301}"),
	T("{\"traits\":{\"phone\":\"1\"}}"),
	T("{\"groupId\":\"g\"}"),
	T("{\"context\":{\"groupId\":\"g\"}}"),
	T("{\"product_org_id\":\"o\"}"),
	T("{\"properties\":{\"product_org_id\":\"o\"}}"),
};

static const struct slice cold[] = {
	T("{}"),
	T("{\"anonymousId\":\"a\",\"messageId\":\"m\",\"type\":\"track\",\"event\":\"e\"}"),
	T("{\"email\":\"none\"}"),
	T("{\"email\":\"\",\"userId\":\"\",\"phone\":\"\",\"groupId\":\"\"}"),
	T("{\"userId\":null,\"phone\":null,\"crmId\":null}"),
	T("{\"userId\":false,\"phone\":true}"),
	T("{\"phone\":{},\"crmId\":[1]}"),
	T("{\"objectId\":5}"),
	T("{\"portalId\":1}"),
	T("{\"portalId\":1,\"properties\":{\"objectId\":5}}"),
	T("{\"portalId\":null,\"objectId\":5}"),
	T("{\"Id\":\"003\"}"),
	T("{\"sObject\":{\"Id\":\"003\"}}"),
	T("{\"sObject\":{},\"Id\":\"\"}"),
	T("{\"context\":{\"userId\":\"u\",\"phone\":\"1\",\"product_org_id\":\"o\"}}"),
	T("{\"context\":{\"groupId\":\"\"}}"),
	T("{\"user\":{\"email\":\"a@b\",\"userId\":\"u\"}}"),
	T("{\"phone\":\"" K1 "x\"}"),
	T("{\"userId\\u0000\":\"u\"}"),
};

START_TEST(signals_without_identity_are_cold)
{
	for (int i = 0; i < LENGTH(warm) + LENGTH(cold); i++) {
		bool is_cold = i >= LENGTH(warm);
		struct slice json = is_cold ? cold[i - LENGTH(warm)] : warm[i];
		struct arena arena = {0};
		struct signal signal = read_signal(&arena, json, ABSENT);
		ck_assert_msg(signal.cold == is_cold, "%s", json.p);
		arena_free(&arena);
	}
}
END_TEST

/* ---- the payload ---- */

START_TEST(the_payload_is_repaired_and_kept)
{
	struct arena arena = {0};
	struct slice json = T("{\"a\\u0000\":\"\\\\u0000\",\"email\":\"A\\udc00@\\u0000b\"}");
	struct signal signal = read_signal(&arena, json, ABSENT);

	ck_assert(slice_equal(signal.payload_raw, json));
	ck_assert(slice_equal(signal.payload, T("{\"a\xef\xbf\xbd\":\"\\\\u0000\","
						"\"email\":\"A\xef\xbf\xbd@\xef\xbf\xbd"
						"b\"}")));
	ck_assert(slice_equal(signal.email, T("a\xef\xbf\xbd@\xef\xbf\xbd"
					      "b")));
	arena_free(&arena);
}
END_TEST

/* The seed request of the documentation, member by member. */
/* A mail's events share its message_id. */
START_TEST(a_repeat_by_bytes)
{
	static const struct {
		struct slice json;
		bool by_bytes;
	} cases[] = {
		{T("{}"), false},
		{T("{\"messageId\":\"1\"}"), false},
		{T("{\"message_id\":\"2\"}"), true},
		{T("{\"message_id\":\"2\",\"messageId\":\"1\"}"), false},
		{T("{\"message_id\":2,\"messageId\":\"\"}"), true},
		{T("{\"message_id\":true}"), false},
	};

	for (int i = 0; i < LENGTH(cases); i++) {
		struct arena arena = {0};
		struct signal signal = read_signal(&arena, cases[i].json, ABSENT);
		ck_assert_msg(signal.repeat_by_bytes == cases[i].by_bytes, "%s", cases[i].json.p);
		arena_free(&arena);
	}
}
END_TEST

START_TEST(the_usual_signal_is_read)
{
	struct arena arena = {0};
	struct signal signal =
		read_signal(&arena,
			    T("{\"email\": \"lead@example.com\", \"event\": \"form_submission\", "
			      "\"properties\": {\"form_name\": \"Contact Form\", "
			      "\"page_url\": \"https://yoursite.com/contact\"}}"),
			    ABSENT);

	ck_assert(slice_equal(signal.source, T("generic")));
	ck_assert(slice_equal(signal.email, T("lead@example.com")));
	ck_assert(slice_equal(signal.event_name, T("form_submission")));
	ck_assert_ptr_null(signal.event_type.p);
	ck_assert_ptr_null(signal.user_id.p);
	ck_assert_ptr_null(signal.anonymous_id.p);
	ck_assert_ptr_null(signal.message_id.p);
	ck_assert_int_eq(signal.occurred_at_us, INT64_MIN);
	ck_assert(!signal.cold);
	arena_free(&arena);
}
END_TEST

START_TEST(what_is_not_json_is_refused)
{
	struct arena arena = {0};
	struct signal signal;

	ck_assert_int_eq(signal_read(&arena, T("{\"a\":"), false, ABSENT, &signal),
			 STATUS_MALFORMED_JSON);
	arena_free(&arena);
}
END_TEST

static const struct {
	struct slice id;
	bool valid;
} ids[] = {
	{T(""), false},	     {T("a"), true},	  {T(" a b~"), true},
	{T("a\x1f"), false}, {T("a\x7f"), false}, {T("\xc3\xa9"), false},
	{T("a\0b"), false},  {T(K1), true},	  {T(K1 "a"), false},
};

START_TEST(ids_of_headers_are_checked)
{
	ck_assert_int_eq(signal_id_is_valid(ids[_i].id), ids[_i].valid);
}
END_TEST

/* More texts than one block of the arena holds, each with an escape, so that several allocations
 * can fail. */
static enum status read_large(void)
{
	static const struct slice json =
		T("{\"email\":\"a@b\\/" K1016 "\",\"userId\":\"\\/" K1016
		  "\",\"anonymousId\":\"\\/" K1016 "\",\"messageId\":\"\\/" K1016
		  "\",\"type\":\"\\/" K1016 "\",\"event\":\"\\/" K1016
		  "\",\"a\":\"\\u0000" K1 K1 K1 K1 "\",\"source\":\"s\"}");
	struct arena arena = {0};
	struct signal signal;
	enum status status = signal_read(&arena, json, true, ABSENT, &signal);

	arena_free(&arena);
	return status;
}

START_TEST(failing_allocations_are_told)
{
	ck_assert_int_ge(unit_torture(read_large), 2);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("signal");
	TCase *all = tcase_create("all");

	tcase_set_timeout(all, 60);
	tcase_add_loop_test(all, ids_of_headers_are_checked, 0, LENGTH(ids));
	tcase_add_test(all, source_names_are_checked);
	tcase_add_test(all, the_source_is_found);
	tcase_add_loop_test(all, texts_are_found, 0, LENGTH(text_tables));
	tcase_add_test(all, the_timestamp_is_read);
	tcase_add_test(all, signals_without_identity_are_cold);
	tcase_add_test(all, the_payload_is_repaired_and_kept);
	tcase_add_test(all, a_repeat_by_bytes);
	tcase_add_test(all, the_usual_signal_is_read);
	tcase_add_test(all, what_is_not_json_is_refused);
	tcase_add_test(all, failing_allocations_are_told);
	suite_add_tcase(suite, all);
	return suite;
}
