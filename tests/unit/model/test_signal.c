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

#define S	    INT64_C(1000000)	      /* microseconds */
#define RECEIVED_US (INT64_C(1790000000) * S) /* 2026-09-21T14:13:20Z */
#define DAY_S	    INT64_C(86400)

/* Reads a signal as the intake does: checked first, then from memory of exactly its size. The
 * caller frees the arena, in which everything lies. */
static struct signal read_given(struct arena *arena, struct slice text,
				const struct signal_given *given)
{
	struct signal signal;
	bool needs_repair;

	enum status status = json_text_check(text, &usual, NULL, NULL, &needs_repair);
	ck_assert_msg(status == STATUS_OK, "%s: %s", text.p, status_name(status));
	char *copy = arena_alloc(arena, text.n);
	ck_assert_ptr_nonnull(copy);
	memcpy(copy, text.p, text.n);
	struct slice exact = {copy, text.n};
	status = signal_read(arena, exact, needs_repair, given, &signal);
	ck_assert_msg(status == STATUS_OK, "%s: %s", text.p, status_name(status));
	ck_assert_int_eq(signal.payload_raw.p != NULL, needs_repair);
	if (!needs_repair)
		ck_assert(signal.payload.p == exact.p && signal.payload.n == exact.n);
	return signal;
}

static struct signal read_signal(struct arena *arena, struct slice text, struct slice source)
{
	const struct signal_given given = {.received_us = RECEIVED_US, .source = source};

	return read_given(arena, text, &given);
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
	{T("{\"source\":\"a b\",\"mktLeadId\":1}"), NULL, "marketo"},
	{T("{\"source\":\"a\\u0000\"}"), NULL, "generic"},
	{T("{\"source\":\"/sensors/7\"}"), NULL, "generic"},
	{T("{\"source\":\"" S64 "\"}"), NULL, S64},
	{T("{\"source\":\"" S64 "x\"}"), NULL, "generic"},
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
		{T("{\"user\":{\"email\":\"u@b\"}}"), "u@b"},
		{T("{\"contact\":{\"email\":\"o@b\"}}"), "o@b"},
		{T("{\"data\":{\"email\":\"d@b\"}}"), "d@b"},
		{T("{\"data\":{\"email\":\"d@b\"},\"contact\":{\"email\":\"o@b\"},"
		   "\"user\":{\"email\":\"u@b\"},\"context\":{\"traits\":{\"email\":\"c@b\"}}}"),
		 "c@b"},
		{T("{\"data\":{\"email\":\"d@b\"},\"contact\":{\"email\":\"o@b\"},"
		   "\"user\":{\"email\":\"u@b\"}}"),
		 "u@b"},
		{T("{\"data\":{\"email\":\"d@b\"},\"contact\":{\"email\":\"o@b\"}}"), "o@b"},
		{T("{\"data\":{\"user\":{\"email\":\"d@b\"}}}"), NULL},
		{T("{\"data\":[{\"email\":\"d@b\"}],\"user\":\"x\",\"contact\":7}"), NULL},
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
		{T("{\"email\":\"\\u00c4@B\"}"), "\xc3\xa4@b"},
		{T("{\"email\":\"\\u00a0A@B.co\\u200b\"}"), "a@b.co"},
		{T("{\"email\":\"Jane Doe <Jane@B.co>, other@b.co\"}"), "jane@b.co"},
		{T("{\"email\":\"A\\u0040B\"}"), "a@b"},
		{T("{\"email\":\"a b@c\"}"), NULL},
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
		{T("{\"email\":\"a@b@c\"}"), NULL},
		{T("{\"email\":\"@@@\"}"), NULL},
		{T("{\"email\":\"\"}"), NULL},
		{T("{\"email\":\"   \"}"), NULL},
		{T("{\"email\":7}"), NULL},
		{T("{\"email\":true}"), NULL},
		{T("{\"email\":[\"a@b\"]}"), NULL},
		/* names that senders have for it */
		{T("{\"Email\":\"A@b\"}"), "a@b"},
		{T("{\"email_address\":\"a@b\"}"), "a@b"},
		{T("{\"EMAIL\":\"a@b\"}"), NULL},
		{T("{\"Email\":\"1@b\",\"email\":\"2@b\",\"email_address\":\"3@b\"}"), "2@b"},
		{T("{\"email\":\"none\",\"Email\":\"1@b\"}"), "1@b"},
		{T("{\"Email\":\"1@b\",\"traits\":{\"email\":\"2@b\"}}"), "1@b"},
		{T("{\"data\":{\"email_address\":\"a@b\"}}"), "a@b"},
		{T("{\"x\":{\"Email\":\"a@b\"}}"), NULL},
		/* of a mail: the account's own, unless it is an event of the mail */
		{T("{\"recipient\":\"a@b\",\"sender\":\"c@d\"}"), NULL},
		{T("{\"recipient\":\"a@b\",\"event\":null}"), NULL},
		{T("{\"recipient\":\"a@b\",\"event\":\"opened\"}"), "a@b"},
		{T("{\"recipient\":\"a@b\",\"event\":\"opened\",\"email\":\"c@d\"}"), "c@d"},
		{T("{\"data\":{\"recipient\":\"a@b\"},\"event\":\"opened\"}"), NULL},
		{T("{\"Recipient\":\"a@b\",\"event\":\"opened\"}"), NULL},
		{T("{\"Recipient\":\"a@b\",\"RecordType\":\"Open\"}"), "a@b"},
		{T("{\"To\":\"a@b\",\"From\":\"c@d\",\"RecordType\":\"Open\"}"), NULL},
		/* as forms name what JSON nests */
		{T("{\"contact[email]\":\"a@b\"}"), "a@b"},
		{T("{\"data[email]\":\"a@b\",\"data[id]\":\"x\"}"), "a@b"},
		{T("{\"data[Email]\":\"a@b\"}"), "a@b"},
		{T("{\"data[email]\":null}"), NULL},
		{T("{\"data[email]\":\"a@b\",\"data[email]\":null}"), NULL},
		{T("{\"data[email]\":\"1@b\",\"data\":{\"email\":\"2@b\"}}"), "2@b"},
		{T("{\"data\":{\"email\":\"2@b\"},\"data[email]\":\"1@b\"}"), "1@b"},
		{T("{\"data\":{\"email\":\"2@b\"},\"data[email]\":null}"), NULL},
		{T("{\"data[email]\":\"1@b\",\"data\":7}"), NULL},
		{T("{\"\\u0064ata[email]\":\"a@b\",\"data[\\u0065mail]\":\"a@b\"}"), NULL},
		{T("{\"data[email]\":[\"a@b\"]}"), NULL},
		{T("{\"data[email]\":\"a@b\",\"email\":\"c@d\"}"), "c@d"},
		{T("{\"data[merges][email]\":\"a@b\"}"), NULL},
		{T("{\"data[email][]\":\"a@b\"}"), NULL},
		{T("{\"merges[email]\":\"a@b\"}"), NULL},
		{T("{\"email[data]\":\"a@b\"}"), NULL},
		{T("{\"data[data]\":\"a@b\",\"data[]\":\"a@b\",\"[email]\":\"a@b\"}"), NULL},
		{T("{\"data]\":\"a@b\",\"]\":\"a@b\",\"data[\":\"a@b\",\"\":\"a@b\"}"), NULL},
		{T("{\"data email]\":\"a@b\",\"]email[\":\"a@b\"}"), NULL},
		{T("{\"traits\":{\"data[email]\":\"a@b\"}}"), NULL},
		/* what PostgreSQL's text cannot hold does not get there */
		{T("{\"email\":\"a\\u0000@b\"}"), NULL},
		{T("{\"email\":\"a\\ud800@b\"}"), NULL},
		{T("{\"email\":\"a@b\\u0000\"}"), "a@b"},
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
		  {T("{\"userId\":0}"), NULL},
		  {T("{\"userId\":-0.0e5}"), NULL},
		  {T("{\"userId\":0.1}"), "0.1"},
		  {T("{\"userId\":\"0\",\"user_id\":\"2\"}"), "2"},
		  {T("{\"userId\":\"\\u00a0\",\"user_id\":\" null \",\"traits\":{\"userId\":\"t\"}}"),
		   "t"},
		  {T("{\"userId\":\"undefined\"}"), NULL},
		  {T("{\"userId\":\"00000000-0000-0000-0000-000000000000\"}"), NULL},
		  {T("{\"user\":{\"user_id\":\"u\"}}"), "u"},
		  {T("{\"user[user_id]\":7}"), "7"},
		  {T("{\"context[userId]\":\"u\"}"), NULL},
		  {T("{\"data\":{\"userId\":7}}"), "7"},
		  {T("{\"properties\":{\"$user_id\":\"m\"}}"), "m"},
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
		  {T("{\"userId\":\"\\u0000\"}"), NULL},
		  {T("{\"userId\":\"a\\u0000\"}"), "a\xef\xbf\xbd"},
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
		  {T("{\"anonymousId\":\" \\t\"}"), NULL},
		  {T("{\"anonymousId\":\"null\",\"anonymous_id\":\"a\"}"), "a"},
		  {T("{\"device_id\":\"d\"}"), NULL},
		  {T("{\"event_type\":\"e\",\"device_id\":\"d\"}"), "d"},
		  {T("{\"distinct_id\":\"p\"}"), "p"},
		  {T("{\"properties\":{\"distinct_id\":\"m\"}}"), "m"},
		  {T("{\"properties\":{\"distinct_id\":\"m\",\"$device_id\":\"d\"}}"), "d"},
		  {T("{\"anonymousId\":\"a\",\"distinct_id\":\"p\"}"), "a"},
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
		  {T("{\"messageId\":\" \"}"), NULL},
		  {T("{\"messageId\":\"\\u0000\\u00a0\"}"), NULL},
		  {T("{\"messageId\":0,\"message_id\":\"undefined\"}"), NULL},
		  {T("{\"messageId\":\"null\",\"message_id\":\"2\"}"), "2"},
		  {T("{\"messageId\":\"00000000000000000000000000000000\"}"), NULL},
		  {T("{\"id\":\"1\"}"), NULL},
		  {T("{\"specversion\":\"1.0\",\"id\":\"1\"}"), "1"},
		  {T("{\"specversion\":1,\"id\":\"1\"}"), NULL},
		  {T("{\"specversion\":\"1.0\",\"id\":\"1\",\"messageId\":\"m\"}"), "m"},
		  {T("{\"properties\":{\"$insert_id\":\"i\"}}"), "i"},
		  {T("{\"insert_id\":\"i\"}"), NULL},
		  {T("{\"event_type\":\"e\",\"insert_id\":\"i\"}"), "i"},
},
  types[] =
	  {
		  {T("{\"type\":\"track\"}"), "track"},
		  {T("{\"type\":\"\"}"), NULL},
		  {T("{\"type\":7}"), NULL},
		  {T("{\"type\":\"" K1 "\"}"), K1},
		  {T("{\"type\":\"" K1 "x\"}"), NULL},
		  {T("{\"event\":\"track\"}"), NULL},
		  {T("{\"event_type\":\"open\"}"), "open"},
		  {T("{\"subscriptionType\":\"contact.creation\"}"), "contact.creation"},
		  {T("{\"type\":\"t\",\"event_type\":\"e\",\"subscriptionType\":\"s\"}"), "t"},
		  {T("{\"event_type\":\"e\",\"subscriptionType\":\"s\"}"), "e"},
		  {T("{\"eventType\":\"FORM_RESPONSE\"}"), "FORM_RESPONSE"},
		  {T("{\"eventType\":\"c\",\"event_type\":\"e\"}"), "e"},
		  {T("{\"RecordType\":\"Bounce\",\"Type\":\"HardBounce\"}"), "Bounce"},
		  {T("{\"eventName\":\"n\",\"event_name\":\"n\"}"), NULL},
},
  events[] = {
	  {T("{\"event_type\":\"open\"}"), "open"},
	  {T("{\"subscriptionType\":\"contact.creation\"}"), "contact.creation"},
	  {T("{\"event\":\"n\",\"event_type\":\"e\"}"), "n"},
	  {T("{\"eventType\":\"e\"}"), "e"},
	  {T("{\"RecordType\":\"Open\"}"), "Open"},
	  {T("{\"eventName\":\"emailOpen\"}"), "emailOpen"},
	  {T("{\"event_name\":\"push\",\"event_type\":\"e\"}"), "push"},
	  {T("{\"event_name\":\"s\",\"eventName\":\"c\"}"), "c"},
	  {T("{\"event_name\":\"s\",\"event\":\"n\"}"), "n"},
	  {T("{\"event_name\":\"s\",\"event\":{\"id\":1}}"), "s"},
	  {T("{\"properties\":{\"event_name\":\"s\"}}"), NULL},
	  {T("{\"subject\":\"s\"}"), NULL},
	  {T("{\"specversion\":\"1.0\",\"type\":\"a.b\",\"subject\":\"s\"}"), "s"},
	  {T("{\"specversion\":\"1.0\",\"event\":\"n\",\"subject\":\"s\"}"), "n"},
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

#define SEP20		    (INT64_C(1789862400) * S) /* 2026-09-20 */
#define NOTIME		    "is not a valid timestamp: neither ISO 8601 nor RFC 2822 nor Unix time"
#define EARLY		    "lies before 1990"
#define AHEAD		    "lies more than a day ahead of receipt"
#define NONE		    INT64_MIN
#define WARN(field, reason) "[{\"field\":\"" field "\",\"reason\":\"" reason "\"}]"

static const struct time_case {
	struct slice json;
	int64_t us;
	const char *warnings;
} timestamps[] = {
	/* the forms; base/timestamp's test has all */
	{T("{\"timestamp\":\"2024-01-15T00:00:00.25Z\"}"), INT64_C(1705276800250000), NULL},
	{T("{\"timestamp\":\"2024-01-15T01:00:00+0100\"}"), INT64_C(1705276800000000), NULL},
	{T("{\"timestamp\":\"2024-01-15 00:00:00 UTC\"}"), INT64_C(1705276800000000), NULL},
	{T("{\"timestamp\":\"Mon, 15 Jan 2024 00:00:00 GMT\"}"), INT64_C(1705276800000000), NULL},
	{T("{\"timestamp\":\"\\u00a0 2024-01-15 \"}"), INT64_C(1705276800000000), NULL},
	{T("{\"timestamp\":\"20240115\"}"), INT64_C(1705276800000000), NULL},
	{T("{\"timestamp\":1705276800}"), INT64_C(1705276800000000), NULL},
	{T("{\"timestamp\":\"1705276800\"}"), INT64_C(1705276800000000), NULL},
	{T("{\"timestamp\":1705276800.5}"), INT64_C(1705276800500000), NULL},
	{T("{\"timestamp\":1.705276800123e12}"), INT64_C(1705276800123000), NULL},
	{T("{\"timestamp\":1705276800123456}"), INT64_C(1705276800123456), NULL},
	{T("{\"timestamp\":1705276800123456789}"), INT64_C(1705276800123456), NULL},
	/* what is missing, and what is there but cannot be used */
	{T("{}"), NONE, NULL},
	{T("{\"timestamp\":null}"), NONE, NULL},
	{T("{\"timestamp\":true}"), NONE, WARN("timestamp", NOTIME)},
	{T("{\"timestamp\":\"\"}"), NONE, WARN("timestamp", NOTIME)},
	{T("{\"timestamp\":\"soon\"}"), NONE, WARN("timestamp", NOTIME)},
	{T("{\"timestamp\":-5}"), NONE, WARN("timestamp", EARLY)},
	{T("{\"timestamp\":{\"at\":1}}"), NONE, WARN("timestamp", NOTIME)},
	{T("{\"timestamp\":1e400}"), NONE, WARN("timestamp", NOTIME)},
	{T("{\"timestamp\":0}"), NONE, WARN("timestamp", EARLY)},
	{T("{\"timestamp\":\"2026\"}"), NONE, WARN("timestamp", EARLY)},
	{T("{\"timestamp\":2026}"), NONE, WARN("timestamp", EARLY)},
	{T("{\"timestamp\":20260914}"), NONE, WARN("timestamp", EARLY)},
	{T("{\"timestamp\":\"1989-12-31T23:59:59.999999Z\"}"), NONE, WARN("timestamp", EARLY)},
	{T("{\"timestamp\":\"1990-01-01\"}"), INT64_C(631152000) * S, NULL},
	{T("{\"timestamp\":1790086400}"), RECEIVED_US + DAY_S *S, NULL},
	{T("{\"timestamp\":1790086400.000001}"), NONE, WARN("timestamp", AHEAD)},
	{T("{\"timestamp\":\"2099-01-01\"}"), NONE, WARN("timestamp", AHEAD)},
	/* the members, in their order */
	{T("{\"time\":1,\"occurred_at\":1,\"occurredAt\":1,\"originalTimestamp\":1,"
	   "\"timestamp\":\"2026-09-20\"}"),
	 SEP20, NULL},
	{T("{\"time\":1,\"occurred_at\":1,\"occurredAt\":1,\"originalTimestamp\":\"2026-09-20\"}"),
	 SEP20, NULL},
	{T("{\"time\":1,\"occurred_at\":1,\"occurredAt\":1789862400000}"), SEP20, NULL},
	{T("{\"time\":1,\"occurred_at\":\"2026-09-20\"}"), SEP20, NULL},
	{T("{\"time\":\"2026-09-20\"}"), SEP20, NULL},
	{T("{\"timestamp\":\"soon\",\"occurredAt\":\"2026-09-20\"}"), SEP20,
	 WARN("timestamp", NOTIME)},
	{T("{\"timestamp\":\"\",\"time\":0}"), NONE,
	 "[{\"field\":\"timestamp\",\"reason\":\"" NOTIME "\"},"
	 "{\"field\":\"time\",\"reason\":\"" EARLY "\"}]"},
	{T("{\"properties\":{\"timestamp\":1705276800,\"time\":1705276800}}"), NONE, NULL},
	{T("{\"properties\":{\"time\":1705276800,\"distinct_id\":\"d\"}}"),
	 INT64_C(1705276800000000), NULL},
	{T("{\"sentAt\":1705276800}"), NONE, NULL},
	/* received - (sentAt - original) */
	{T("{\"originalTimestamp\":\"2026-09-20\",\"sentAt\":\"2026-09-20T00:00:10Z\"}"),
	 RECEIVED_US - 10 * S, NULL},
	{T("{\"originalTimestamp\":\"2099-09-20\",\"sentAt\":\"2099-09-20T00:00:10Z\"}"),
	 RECEIVED_US - 10 * S, NULL},
	{T("{\"originalTimestamp\":1,\"sentAt\":11}"), RECEIVED_US - 10 * S, NULL},
	{T("{\"originalTimestamp\":\"2026-09-20\",\"sentAt\":\"2026-09-20T00:00:10Z\","
	   "\"receivedAt\":\"2026-09-20T00:01:00Z\"}"),
	 SEP20 + 50 * S, NULL},
	{T("{\"originalTimestamp\":\"2026-09-20\",\"sentAt\":\"2026-09-20T00:00:10Z\","
	   "\"receivedAt\":\"2099-09-20\"}"),
	 RECEIVED_US - 10 * S, NULL},
	{T("{\"originalTimestamp\":\"2026-09-20\",\"sentAt\":\"soon\"}"), SEP20,
	 WARN("sentAt", NOTIME)},
	{T("{\"originalTimestamp\":\"2026-09-20\",\"sentAt\":\"1970-01-01\"}"), SEP20, NULL},
	/* a timestamp by a clock that is off; by one that is not; one that was corrected; an
	 * archive's */
	{T("{\"timestamp\":1789999930,\"sentAt\":1789999941}"), INT64_C(1789999930) * S, NULL},
	{T("{\"timestamp\":1789999930,\"sentAt\":1789999940}"), RECEIVED_US - 10 * S, NULL},
	{T("{\"timestamp\":1790003590,\"sentAt\":1790003600}"), RECEIVED_US - 10 * S, NULL},
	{T("{\"timestamp\":1789996300,\"sentAt\":1789996400}"), RECEIVED_US - 100 * S, NULL},
	{T("{\"timestamp\":1789996300,\"sentAt\":1789996400,\"originalTimestamp\":1}"),
	 INT64_C(1789996300) * S, NULL},
	{T("{\"timestamp\":1789996300,\"sentAt\":1789996400,\"receivedAt\":1}"),
	 INT64_C(1789996300) * S, NULL},
	{T("{\"timestamp\":1700000000,\"sentAt\":1700000100}"), INT64_C(1700000000) * S, NULL},
	{T("{\"occurredAt\":1789996300,\"sentAt\":1789996400}"), INT64_C(1789996300) * S, NULL},
};

static void check_time(struct slice json, const struct signal_given *given, int64_t us,
		       const char *warnings)
{
	struct arena arena = {0};
	struct signal signal = read_given(&arena, json, given);

	ck_assert_msg(signal.occurred_at_us == us, "%s: %lld", json.p,
		      (long long)signal.occurred_at_us);
	assert_text(json.p, "warnings", signal.warnings, warnings);
	arena_free(&arena);
}

START_TEST(the_time_is_read)
{
	const struct signal_given given = {.received_us = RECEIVED_US};

	for (int i = 0; i < LENGTH(timestamps); i++)
		check_time(timestamps[i].json, &given, timestamps[i].us, timestamps[i].warnings);
}
END_TEST

/* As a batch gives it to its items. */
START_TEST(the_envelope_is_a_default)
{
	const struct signal_given given = {
		.received_us = RECEIVED_US,
		.envelope_timestamp = T("\"2026-09-20\""),
		.envelope_sent_at = T("1789996400"),
		.envelope_context = T("{\"groupId\":\"g\",\"traits\":{\"email\":\"E@b.co\"}}"),
	};
	const struct signal_given bad = {.received_us = RECEIVED_US,
					 .envelope_timestamp = T("\"soon\"")};
	const struct signal_given early = {.received_us = RECEIVED_US,
					   .envelope_timestamp = T("0")};
	const struct signal_given null = {.received_us = RECEIVED_US,
					  .envelope_timestamp = T("null"),
					  .envelope_sent_at = T("null"),
					  .envelope_context = T("null")};

	check_time(T("{}"), &given, SEP20, NULL);
	check_time(T("{\"time\":1789996300}"), &given, INT64_C(1789996300) * S, NULL);
	check_time(T("{\"timestamp\":1789996300}"), &given, RECEIVED_US - 100 * S, NULL);
	check_time(T("{\"originalTimestamp\":1789996300}"), &given, RECEIVED_US - 100 * S, NULL);
	/* The later of the two: an item that was queued has its sentAt of then. */
	check_time(T("{\"originalTimestamp\":1789996300,\"sentAt\":1789996310}"), &given,
		   RECEIVED_US - 100 * S, NULL);
	check_time(T("{\"originalTimestamp\":1789996300,\"sentAt\":1789996410}"), &given,
		   RECEIVED_US - 110 * S, NULL);
	check_time(T("{\"originalTimestamp\":1789996300,\"sentAt\":\"soon\"}"), &given,
		   RECEIVED_US - 100 * S, WARN("sentAt", NOTIME));
	check_time(T("{}"), &bad, NONE, WARN("envelope.timestamp", NOTIME));
	check_time(T("{}"), &early, NONE, WARN("envelope.timestamp", EARLY));
	check_time(T("{\"timestamp\":1789996300}"), &null, INT64_C(1789996300) * S, NULL);

	struct arena arena = {0};
	struct signal signal = read_given(&arena, T("{}"), &given);
	assert_text("", "email", signal.email, "e@b.co");
	assert_text("", "product org", signal.product_org_id, "g");
	signal = read_given(&arena, T("{\"context\":{}}"), &given);
	assert_text("", "email", signal.email, NULL);
	signal = read_given(&arena, T("{\"context\":7}"), &given);
	assert_text("", "email", signal.email, "e@b.co");
	signal = read_given(&arena, T("{}"), &null);
	assert_text("", "email", signal.email, NULL);
	arena_free(&arena);
}
END_TEST

/* As CloudEvents' headers give it to a body. */
START_TEST(headers_are_a_default)
{
	const struct signal_given given = {.received_us = RECEIVED_US,
					   .event_type = T("a.b"),
					   .event_name = T("s"),
					   .time = T("2026-09-20T00:00:00Z"),
					   .envelope_timestamp = T("1")};
	const struct signal_given bad = {.received_us = RECEIVED_US, .time = T("soon")};
	struct arena arena = {0};
	struct signal signal = read_given(&arena, T("{}"), &given);

	assert_text("", "type", signal.event_type, "a.b");
	assert_text("", "name", signal.event_name, "s");
	signal = read_given(&arena, T("{\"type\":\"t\",\"event\":\"e\"}"), &given);
	assert_text("", "type", signal.event_type, "t");
	assert_text("", "name", signal.event_name, "e");
	arena_free(&arena);
	check_time(T("{}"), &given, SEP20, NULL);
	check_time(T("{\"time\":1789996300}"), &given, INT64_C(1789996300) * S, NULL);
	check_time(T("{}"), &bad, NONE, WARN("ce-time", NOTIME));
}
END_TEST

/* ---- other identities ---- */

static const struct {
	const char *json;
	const char *product_user, *crm, *automation, *phone, *product_org;
} identities[] = {
	{"{\"productUserId\":\"p\"}", "p", NULL, NULL, NULL, NULL},
	{"{\"user\":{\"productUserId\":7}}", "7", NULL, NULL, NULL, NULL},
	{"{\"crmId\":\"c\",\"hs_object_id\":\"h\"}", NULL, "c", NULL, NULL, NULL},
	{"{\"hs_object_id\":5}", NULL, "5", NULL, NULL, NULL},
	{"{\"hs_object_id\":0,\"contact\":{\"crmId\":\"c\"}}", NULL, "c", NULL, NULL, NULL},
	{"{\"portalId\":1,\"objectId\":5}", NULL, "5", NULL, NULL, NULL},
	{"{\"objectId\":5,\"traits\":{\"portalId\":1}}", NULL, NULL, NULL, NULL, NULL},
	{"{\"sObject\":\"Lead\",\"Id\":\"00Q\"}", NULL, "00Q", NULL, NULL, NULL},
	{"{\"id\":\"00Q\",\"sObject\":\"Lead\"}", NULL, NULL, NULL, NULL, NULL},
	{"{\"mktLeadId\":7,\"mapId\":\"m\"}", NULL, NULL, "7", NULL, NULL},
	{"{\"mktLeadId\":0,\"mapId\":\"m\"}", NULL, NULL, "m", NULL, NULL},
	{"{\"phone\":\"+49 30 1\"}", NULL, NULL, NULL, "+49 30 1", NULL},
	{"{\"contact\":{\"phone\":493011}}", NULL, NULL, NULL, "493011", NULL},
	{"{\"Phone\":\"1\"}", NULL, NULL, NULL, "1", NULL},
	{"{\"contact[phone]\":\"1\",\"phone\":null}", NULL, NULL, NULL, "1", NULL},
	{"{\"groupId\":\"g\",\"product_org_id\":\"o\"}", NULL, NULL, NULL, NULL, "g"},
	{"{\"context\":{\"groupId\":\"c\"},\"product_org_id\":\"o\"}", NULL, NULL, NULL, NULL, "c"},
	{"{\"data\":{\"product_org_id\":\"o\"}}", NULL, NULL, NULL, NULL, "o"},
	{"{\"groupId\":\"null\",\"context\":{\"groupId\":\" \"},\"product_org_id\":\"o\"}", NULL,
	 NULL, NULL, NULL, "o"},
};

START_TEST(other_identities_are_found)
{
	for (int i = 0; i < LENGTH(identities); i++) {
		const char *json = identities[i].json;
		struct arena arena = {0};
		struct signal signal = read_signal(&arena, slice_of(json), ABSENT);
		assert_text(json, "product user", signal.product_user_id,
			    identities[i].product_user);
		assert_text(json, "CRM", signal.crm_id, identities[i].crm);
		assert_text(json, "automation", signal.marketing_automation_id,
			    identities[i].automation);
		assert_text(json, "phone", signal.phone, identities[i].phone);
		assert_text(json, "product org", signal.product_org_id, identities[i].product_org);
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
	T("{\"contact\":{\"phone\":\"1\"}}"),
	T("{\"data\":{\"crmId\":\"c\"}}"),
	T("{\"user\":{\"email\":\"a@b\"}}"),
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
	T("{\"user\":{\"id\":\"u\"}}"),
	T("{\"userId\":\"0\",\"phone\":\" \",\"crmId\":\"null\",\"groupId\":0}"),
	T("{\"distinct_id\":\"d\",\"properties\":{\"distinct_id\":\"d\"}}"),
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
	ck_assert_ptr_null(signal.email.p);
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
	const struct signal_given given = {.received_us = RECEIVED_US};

	ck_assert_int_eq(signal_read(&arena, T("{\"a\":"), false, &given, &signal),
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
	const struct signal_given given = {.received_us = RECEIVED_US};
	enum status status = signal_read(&arena, json, true, &given, &signal);

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
	tcase_add_test(all, the_time_is_read);
	tcase_add_test(all, the_envelope_is_a_default);
	tcase_add_test(all, headers_are_a_default);
	tcase_add_test(all, other_identities_are_found);
	tcase_add_test(all, signals_without_identity_are_cold);
	tcase_add_test(all, the_payload_is_repaired_and_kept);
	tcase_add_test(all, a_repeat_by_bytes);
	tcase_add_test(all, the_usual_signal_is_read);
	tcase_add_test(all, what_is_not_json_is_refused);
	tcase_add_test(all, failing_allocations_are_told);
	suite_add_tcase(suite, all);
	return suite;
}
