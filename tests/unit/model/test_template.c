/*
 * test_template.c - payload templates: what is refused of them and where, and what each field makes
 * of each kind of value.
 */
#include <stdlib.h>
#include <string.h>

#include "check_main.h"
#include "json/text.h"
#include "model/template.h"

#define RECEIVED_US  (INT64_C(1790000000) * 1000000)
#define T(literal)   SLICE(literal)
#define MANY(string) string string string string string string string string
#define S256	     MANY(MANY("abcd"))
#define NO_ID	     "is blank, zero, a nil UUID, null or undefined, which is no id"
#define ID	     "\"product_org_id\":\"id\""

static const struct json_limits usual = {
	.item_bytes = 1 << 20,
	.items = 1,
	.depth = 64,
	.number_digits = 400,
	.number_exponent = 400,
};

/* Compiles from memory of exactly its size, which is gone afterwards. */
static enum status compile(struct arena *arena, struct slice text, struct template **compiled,
			   struct template_fault *fault)
{
	char *exact = malloc(text.n == 0 ? 1 : text.n);

	ck_assert_ptr_nonnull(exact);
	memcpy(exact, text.p, text.n);
	enum status status =
		template_compile(arena, (struct slice){exact, text.n}, compiled, fault);
	free(exact);
	return status;
}

static const struct template *good_template(struct arena *arena, struct slice text)
{
	struct template *compiled = NULL;
	struct template_fault fault;
	enum status status = compile(arena, text, &compiled, &fault);

	ck_assert_msg(status == STATUS_OK, "%.*s: %s: %s", (int)text.n, text.p, status_name(status),
		      fault.message.p);
	return compiled;
}

/* ---- what is refused ---- */

static const struct {
	struct slice text;
	uint64_t offset;
	const char *message; /* NULL: it is good */
} templates[] = {
	{T("{" ID "}"), 0, NULL},
	{T(" \n{\t" ID " }\r\n"), 0, NULL},
	{T("{" ID ",\"custom\":{}}"), 0, NULL},
	{T("{\"custom\":{\"a\":\"b\"}," ID "}"), 0, NULL},
	{T("{\"product_org_id\":\"a\",\"name\":\"a\",\"custom\":{\"c\":\"a\"}}"), 0, NULL},
	{T("{\"product_org_i\\u0064\":\"\\u0061\"}"), 0, NULL},
	{T("{\"product_org_id\":\"a\",\"custom\":{\"name\":\"b\",\"custom\":\"c\"}}"), 0, NULL},
	{T("{" ID ",\"custom\":{\"" S256 "\":\"a\"}}"), 0, NULL},
	{T("{\"product_org_id\":\"" S256 "\"}"), 0, NULL},
	{T("{" ID ",\"plan_id\":\"a\",\"plan_name\":\"a.0.b\",\"user_count\":\"c\",\"mrr\":\"d\","
	   "\"trial_status\":\"e\",\"last_active_at\":\"f\",\"feature_flags\":\"g\"}"),
	 0, NULL},
	/* no JSON object */
	{T(""), 0, "the template is not valid JSON: empty text"},
	{T("  "), 2, "the template is not valid JSON: empty text"},
	{T("{" ID), 22, "the template is not valid JSON: unexpected end"},
	{T("{" ID ",}"), 23, "the template is not valid JSON: unexpected character"},
	{T("{" ID "} x"), 24, "the template is not valid JSON: text after the end"},
	{T("{'product_org_id':'a'}"), 1, "the template is not valid JSON: unexpected character"},
	{T("{" ID ",\"name\":\"\xff\"}"), 31, "the template is not valid JSON: invalid UTF-8"},
	{T("["
	   "\"a\""
	   "]"),
	 0, "the template is not a JSON object"},
	{T(" null"), 1, "the template is not a JSON object"},
	{T("\"a\""), 0, "the template is not a JSON object"},
	/* fields */
	{T("{}"), 0, "the template must map product_org_id"},
	{T(" {\"name\":\"a\"}"), 1, "the template must map product_org_id"},
	{T("{\"custom\":{\"product_org_id\":\"a\"}}"), 0, "the template must map product_org_id"},
	{T("{" ID ",\"nme\":\"a\"}"), 23,
	 "unknown field \"nme\"; fields of your own belong under \"custom\""},
	{T("{" ID ",\"Name\":\"a\"}"), 23,
	 "unknown field \"Name\"; fields of your own belong under \"custom\""},
	{T("{" ID ",\"\":\"a\"}"), 23,
	 "unknown field \"\"; fields of your own belong under \"custom\""},
	{T("{" ID ",\"x" S256 "\":\"a\"}"), 23,
	 "unknown field; fields of your own belong under \"custom\""},
	{T("{" ID "," ID "}"), 23, "field \"product_org_id\" is given twice"},
	{T("{" ID ",\"mrr\":\"a\",\"\\u006drr\":\"a\"}"), 33, "field \"mrr\" is given twice"},
	{T("{" ID ",\"custom\":{},\"custom\":{}}"), 35, "\"custom\" is given twice"},
	{T("{" ID ",\"custom\":{\"a\":\"b\"},\"custom\":{\"c\":\"d\"}}"), 42,
	 "\"custom\" is given twice"},
	{T("{\"name\\u0000\":\"a\"," ID "}"), 1,
	 "a name or path holds \\u0000 or half of a surrogate pair, which cannot be stored"},
	/* types */
	{T("{\"product_org_id\":null}"), 18, "field \"product_org_id\": a path must be a string"},
	{T("{\"product_org_id\":7}"), 18, "field \"product_org_id\": a path must be a string"},
	{T("{" ID ",\"mrr\":[\"a\"]}"), 29, "field \"mrr\": a path must be a string"},
	{T("{" ID ",\"mrr\":{\"a\":\"b\"}}"), 29, "field \"mrr\": a path must be a string"},
	{T("{" ID ",\"custom\":\"a\"}"), 32, "\"custom\" must be an object of names and paths"},
	{T("{" ID ",\"custom\":null}"), 32, "\"custom\" must be an object of names and paths"},
	{T("{" ID ",\"custom\":[\"a\"]}"), 32, "\"custom\" must be an object of names and paths"},
	{T("{" ID ",\"custom\":{\"a\":{\"b\":\"c\"}}}"), 37,
	 "custom field \"a\": a path must be a string"},
	{T("{" ID ",\"custom\":{\"a\":true}}"), 37, "custom field \"a\": a path must be a string"},
	/* paths */
	{T("{\"product_org_id\":\"\"}"), 18, "field \"product_org_id\": the path is empty"},
	{T("{\"product_org_id\":\"a..b\"}"), 18,
	 "field \"product_org_id\": the path \"a..b\" has an empty step"},
	{T("{" ID ",\"mrr\":\"a.\"}"), 29, "field \"mrr\": the path \"a.\" has an empty step"},
	{T("{" ID ",\"mrr\":\"a\\\\\"}"), 29,
	 "field \"mrr\": the path \"a\\\" ends with a backslash"},
	{T("{" ID ",\"mrr\":\"a\\\\b\"}"), 29,
	 "field \"mrr\": the path \"a\\b\" has a backslash that is before neither a dot nor a "
	 "backslash"},
	{T("{" ID ",\"mrr\":\"x" S256 "\"}"), 29,
	 "field \"mrr\": the path is longer than 256 bytes"},
	{T("{" ID ",\"custom\":{\"a\":\"b\",\"c\":\".d\"}}"), 45,
	 "custom field \"c\": the path \".d\" has an empty step"},
	{T("{" ID ",\"mrr\":\"\\ud800\"}"), 29,
	 "a name or path holds \\u0000 or half of a surrogate pair, which cannot be stored"},
	/* custom names */
	{T("{" ID ",\"custom\":{\"\":\"a\"}}"), 33, "a custom field's name is empty"},
	{T("{" ID ",\"custom\":{\"x" S256 "\":\"a\"}}"), 33,
	 "a custom field's name is longer than 256 bytes"},
	{T("{" ID ",\"custom\":{\"a\":\"b\",\"a\":\"c\"}}"), 41,
	 "custom field \"a\" is given twice"},
	{T("{" ID ",\"custom\":{\"a\":\"b\",\"\\u0061\":\"b\"}}"), 41,
	 "custom field \"a\" is given twice"},
};

START_TEST(templates_are_checked)
{
	struct arena arena = {0};
	struct template *compiled;
	struct template_fault fault;
	enum status status = compile(&arena, templates[_i].text, &compiled, &fault);
	const char *want = templates[_i].message;

	if (want == NULL) {
		ck_assert_msg(status == STATUS_OK, "%s: %s", templates[_i].text.p, fault.message.p);
		ck_assert_ptr_nonnull(compiled);
	} else {
		ck_assert_int_eq(status, STATUS_INVALID_TEMPLATE);
		ck_assert_ptr_null(compiled);
		ck_assert_msg(strcmp(fault.message.p, want) == 0, "%s, not %s", fault.message.p,
			      want);
		ck_assert_uint_eq(fault.message.n, strlen(want));
		ck_assert_msg(fault.offset == templates[_i].offset, "%s: at %d", want,
			      (int)fault.offset);
	}
	arena_free(&arena);
}
END_TEST

/* A template with so many custom fields c0, c1, … of the paths a.0, a.1, … */
static struct buf with_customs(int count)
{
	struct buf text = buf_make(1 << 20);

	buf_add_text(&text, "{" ID ",\"custom\":{");
	for (int i = 0; i < count; i++)
		buf_add_format(&text, "%s\"c%d\":\"a.%d\"", i > 0 ? "," : "", i, i);
	buf_add_text(&text, "}}");
	return text;
}

START_TEST(custom_fields_are_counted)
{
	struct arena arena = {0};
	struct buf text = with_customs(TEMPLATE_CUSTOM_FIELDS + _i);
	struct template *compiled;
	struct template_fault fault;
	enum status status = compile(&arena, buf_slice(&text), &compiled, &fault);

	ck_assert_int_eq(status, _i <= 0 ? STATUS_OK : STATUS_INVALID_TEMPLATE);
	if (_i > 0) {
		ck_assert_str_eq(fault.message.p, "there are more than 100 custom fields");
		ck_assert_mem_eq(text.p + fault.offset, "\"c100\"", 6);
	}
	buf_free(&text);
	arena_free(&arena);
}
END_TEST

START_TEST(the_size_is_limited)
{
	struct arena arena = {0};
	struct buf text = buf_make(1 << 20);
	struct template *compiled;
	struct template_fault fault;

	buf_add_text(&text, "{" ID "}");
	while (text.n < (size_t)(TEMPLATE_BYTES + _i))
		buf_add_char(&text, ' ');
	enum status status = compile(&arena, buf_slice(&text), &compiled, &fault);
	ck_assert_int_eq(status, _i <= 0 ? STATUS_OK : STATUS_INVALID_TEMPLATE);
	if (_i > 0) {
		ck_assert_str_eq(fault.message.p, "the template is over 64 KiB");
		ck_assert_uint_eq(fault.offset, TEMPLATE_BYTES);
	}
	buf_free(&text);
	arena_free(&arena);
}
END_TEST

/* ---- applying ---- */

/* Reads a row as the intake does: checked first, then from memory of exactly its size. */
static enum status apply(const struct template *compiled, struct arena *arena, struct slice text,
			 struct product_org *row)
{
	bool needs_repair = false;
	enum status status = json_text_check(text, &usual, NULL, NULL, &needs_repair);

	ck_assert_msg(status == STATUS_OK, "%s: %s", text.p, status_name(status));
	char *copy = arena_alloc(arena, text.n);
	ck_assert_ptr_nonnull(copy);
	memcpy(copy, text.p, text.n);
	status = template_apply(compiled, arena, (struct slice){copy, text.n}, needs_repair,
				RECEIVED_US, row);
	ck_assert_int_eq(row->payload_raw.p != NULL, needs_repair);
	if (!needs_repair)
		ck_assert(row->payload.p == copy && row->payload.n == text.n);
	return status;
}

/* A payload with one value beside the id. */
static struct buf payload_of(struct slice value)
{
	struct buf text = buf_make(1 << 20);

	buf_add_text(&text, "{\"id\":\"o\",\"v\":");
	buf_add_slice(&text, value);
	buf_add_char(&text, '}');
	return text;
}

/* Applies a template of this field to such a payload; asserts that the reason, or none, is the
 * only warning. */
static struct product_org row_of(struct arena *arena, const char *field, struct slice value,
				 const char *reason)
{
	struct buf text = buf_make(1024), payload = payload_of(value);
	struct product_org row;

	buf_add_format(&text, "{" ID ",\"%s\":\"v\"}", field);
	enum status status =
		apply(good_template(arena, buf_slice(&text)), arena, buf_slice(&payload), &row);
	ck_assert_int_eq(status, STATUS_OK);
	ck_assert(slice_equal(row.product_org_id, T("o")));
	ck_assert_msg(row.warning_count == (reason == NULL ? 0 : 1), "%s: %s: %s", field, value.p,
		      row.warning_count == 0 ? "no warning" : row.warnings[0].reason);
	if (reason != NULL) {
		ck_assert(slice_equal(row.warnings[0].field, slice_of(field)));
		ck_assert_msg(strcmp(row.warnings[0].reason, reason) == 0, "%s: %s: %s", field,
			      value.p, row.warnings[0].reason);
	}
	buf_free(&text);
	buf_free(&payload);
	return row;
}

/* ---- ids of deliveries ---- */

static const struct {
	const char *payload;
	const char *id; /* NULL: none */
	bool by_bytes;	/* it is a message_id */
} deliveries[] = {
	{"{\"id\":\"o\"}", NULL},
	{"{\"id\":\"o\",\"messageId\":\"m\"}", "m"},
	{"{\"id\":\"o\",\"message_id\":\"n\"}", "n", true},
	{"{\"id\":\"o\",\"message_id\":\"n\",\"messageId\":\"m\"}", "m"},
	{"{\"id\":\"o\",\"messageId\":12.0}", "12.0"},
	{"{\"id\":\"o\",\"messageId\":true,\"message_id\":\"n\"}", "n", true},
	{"{\"id\":\"o\",\"messageId\":\"\",\"message_id\":\"n\"}", "n", true},
	{"{\"id\":\"o\",\"messageId\":null,\"message_id\":{}}", NULL},
};

START_TEST(the_delivery_has_an_id)
{
	struct arena arena = {0};
	struct product_org row;
	const struct template *compiled = good_template(&arena, T("{\"product_org_id\":\"id\"}"));

	ck_assert_int_eq(apply(compiled, &arena, slice_of(deliveries[_i].payload), &row),
			 STATUS_OK);
	ck_assert(slice_equal(row.message_id, slice_of(deliveries[_i].id)));
	ck_assert_int_eq(row.repeat_by_bytes, deliveries[_i].by_bytes);
	ck_assert_uint_eq(row.warning_count, 0);
	arena_free(&arena);
}
END_TEST

/* ---- warnings as JSON ---- */

static struct slice warnings_of(struct arena *arena, const char *payload)
{
	struct product_org row;
	struct slice text = T("?");
	const struct template *compiled =
		good_template(arena, T("{" ID ",\"mrr\":\"m\",\"custom\":{\"a\\\"b\":\"c\"},"
				       "\"user_count\":\"u\"}"));

	ck_assert_int_eq(apply(compiled, arena, slice_of(payload), &row), STATUS_OK);
	ck_assert_int_eq(warnings_json(arena, row.warnings, row.warning_count, &text), STATUS_OK);
	return text;
}

START_TEST(warnings_are_json)
{
	struct arena arena = {0};

	ck_assert_ptr_null(warnings_of(&arena, "{\"id\":\"o\"}").p);
	struct slice one = warnings_of(&arena, "{\"id\":\"o\",\"m\":[]}");
	ck_assert(slice_equal(one, T("[{\"field\":\"mrr\",\"reason\":"
				     "\"is not a whole number\"}]")));
	struct slice two = warnings_of(&arena, "{\"id\":\"o\",\"m\":[],\"u\":1.5}");
	ck_assert(slice_equal(two, T("[{\"field\":\"user_count\",\"reason\":"
				     "\"is not a whole number\"},{\"field\":\"mrr\",\"reason\":"
				     "\"is not a whole number\"}]")));
	arena_free(&arena);
}
END_TEST

/* ---- whose fault it is ---- */

static const struct {
	struct slice text;
	const char *field, *custom; /* NULL: absent */
} faults[] = {
	{T("7"), NULL, NULL},
	{T("{}"), "product_org_id", NULL},
	{T("{" ID ",\"mrr\":7}"), "mrr", NULL},
	{T("{" ID ",\"x\":\"y\"}"), "x", NULL},
	{T("{" ID ",\"custom\":7}"), "custom", NULL},
	{T("{" ID ",\"custom\":{\"a\":\"b\",\"c\":7}}"), "custom", "c"},
	{T("{" ID ",\"custom\":{\"a\":\"b\",\"c\":\"d\",\"a\":\"e\"}}"), "custom", "a"},
	{T("{\"custom\":{\"a\":\"b\"},\"mrr\":7}"), "mrr", NULL},
	{T("{\"custom\":{\"a\":\"b\"}}"), "product_org_id", NULL},
	{T("{\"custom\":{\"a\":\"b\"},\"\\ud800\":\"x\"}"), NULL, NULL},
	{T("{\"custom\":{\"a\":\"b\",\"\\ud800\":\"x\"}}"), "custom", NULL},
};

START_TEST(a_fault_names_its_field)
{
	struct arena arena = {0};
	struct template *compiled = NULL;
	struct template_fault fault;

	ck_assert_int_eq(template_compile(&arena, faults[_i].text, &compiled, &fault),
			 STATUS_INVALID_TEMPLATE);
	ck_assert_ptr_null(compiled);
	ck_assert(slice_equal(fault.field, slice_of(faults[_i].field)));
	ck_assert_int_eq(fault.field.p == NULL, faults[_i].field == NULL);
	ck_assert(slice_equal(fault.custom, slice_of(faults[_i].custom)));
	ck_assert_int_eq(fault.custom.p == NULL, faults[_i].custom == NULL);
	arena_free(&arena);
}
END_TEST

/* The second of two equal values has exactly the room that is left, or a byte less. */
START_TEST(custom_values_fill_the_payload)
{
	struct arena arena = {0};
	struct product_org row;
	const struct template *compiled = good_template(
		&arena, T("{\"product_org_id\":\"id\",\"custom\":{\"a\":\"id\",\"b\":\"id\"}}"));

	ck_assert_int_eq(apply(compiled, &arena, T("{\"id\":1234567}"), &row), STATUS_OK);
	ck_assert(slice_equal(row.custom, T("{\"a\":1234567,\"b\":1234567}")));
	ck_assert_int_eq(apply(compiled, &arena, T("{\"id\":12345678}"), &row), STATUS_OK);
	ck_assert(slice_equal(row.custom, T("{\"a\":12345678}")));
	arena_free(&arena);
}
END_TEST

/* ---- texts ---- */

#define K1    MANY(MANY("0123456789abcdef")) /* 1,024 bytes */
#define TYPE  "is neither a string nor a number, true or false"
#define LONG  "is longer than 1,024 bytes"
#define E128  MANY(MANY("\\u00e9\\u00e9"))
#define U128  MANY(MANY("\xc3\xa9\xc3\xa9"))
#define E512  E128 E128 E128 E128 /* 1,024 bytes of UTF-8 */
#define U512  U128 U128 U128 U128
#define DIGIT MANY(MANY("12345"))

static const struct {
	struct slice json;
	const char *text; /* NULL: null */
	const char *reason;
	bool names_nothing; /* a text, but no id */
} texts[] = {
	{T("\"a\""), "a", NULL},
	{T("\" a \""), " a ", NULL},
	{T("\"0012\""), "0012", NULL},
	{T("\"Gr\\u00fc\\u00dfe \\ud83d\\ude00 \\\"\\\\\\n\""),
	 "Gr\xc3\xbc\xc3\x9f"
	 "e \xf0\x9f\x98\x80 \"\\\n",
	 NULL},
	{T("\"null\""), "null", NULL, true},
	{T("\"\\u0000\""), "\xef\xbf\xbd", NULL, true},
	{T("\"\\ud800\""), "\xef\xbf\xbd", NULL, true},
	/* numbers and booleans as they were written */
	{T("0"), "0", NULL, true},
	{T("-0"), "-0", NULL, true},
	{T("12"), "12", NULL},
	{T("12.50"), "12.50", NULL},
	{T("1E+3"), "1E+3", NULL},
	{T("9007199254740993"), "9007199254740993", NULL},
	{T("-9223372036854775808"), "-9223372036854775808", NULL},
	{T("18446744073709551615"), "18446744073709551615", NULL},
	{T("123456789012345678901234567890"), "123456789012345678901234567890", NULL},
	{T("0.1000000000000000055511151231257827"), "0.1000000000000000055511151231257827", NULL},
	{T(DIGIT), DIGIT, NULL},
	{T("true"), "true", NULL},
	{T("false"), "false", NULL},
	/* null is missing */
	{T("null"), NULL, NULL},
	/* unusable */
	{T("\"\""), NULL, "is empty"},
	{T("{}"), NULL, TYPE},
	{T("[]"), NULL, TYPE},
	{T("[\"a\"]"), NULL, TYPE},
	{T("{\"a\":\"b\"}"), NULL, TYPE},
	/* their length */
	{T("\"" K1 "\""), K1, NULL},
	{T("\"" K1 "x\""), NULL, LONG},
	{T("\"" E512 "\""), U512, NULL},
	{T("\"" E512 "\\n\""), NULL, LONG},
	{T("\"" MANY(K1) "\""), NULL, LONG},
	{T("[\"" MANY(K1) "\"]"), NULL, TYPE},
};

static const struct {
	const char *name;
	size_t offset;
} text_fields[] = {
	{"name", offsetof(struct product_org, name)},
	{"plan_id", offsetof(struct product_org, plan_id)},
	{"plan_name", offsetof(struct product_org, plan_name)},
	{"trial_status", offsetof(struct product_org, trial_status)},
};

START_TEST(texts_are_taken)
{
	for (int i = 0; i < LENGTH(texts); i++) {
		struct arena arena = {0};
		struct product_org row =
			row_of(&arena, text_fields[_i].name, texts[i].json, texts[i].reason);
		struct slice want = slice_of(texts[i].text);
		const struct slice *got =
			(const void *)((const char *)&row + text_fields[_i].offset);
		ck_assert_msg((got->p == NULL) == (want.p == NULL) && slice_equal(*got, want),
			      "%s: %.*s", texts[i].json.p, (int)got->n, got->p);
		arena_free(&arena);
	}
}
END_TEST

/* JSON values that are texts, but name no product org. */
static const char *const no_ids[] = {"0",
				     "0.0",
				     "-0",
				     "\"0\"",
				     "\" \"",
				     "\"\\u00a0\"",
				     "\"\\u0000\\t\"",
				     "\"null\"",
				     "\" undefined\"",
				     "\"00000000-0000-0000-0000-000000000000\""};

START_TEST(what_names_nothing_is_no_id)
{
	struct arena arena = {0};
	struct buf payload = payload_of(slice_of(no_ids[_i]));
	struct product_org row;
	enum status status =
		apply(good_template(&arena, T("{\"product_org_id\":\"v\",\"name\":\"v\"}")), &arena,
		      buf_slice(&payload), &row);

	ck_assert_int_eq(status, STATUS_MISSING_PRODUCT_ORG_ID);
	ck_assert_ptr_null(row.product_org_id.p);
	ck_assert_ptr_null(row.name.p);
	ck_assert_uint_eq(row.warning_count, 1);
	ck_assert_str_eq(row.warnings[0].reason, NO_ID);
	buf_free(&payload);
	arena_free(&arena);
}
END_TEST

/* The id takes the same; but what is null elsewhere is no row. */
START_TEST(the_id_is_needed)
{
	for (int i = 0; i < LENGTH(texts); i++) {
		struct arena arena = {0};
		struct buf payload = payload_of(texts[i].json);
		struct product_org row;
		enum status status = apply(
			good_template(&arena, T("{\"product_org_id\":\"v\",\"name\":\"id\"}")),
			&arena, buf_slice(&payload), &row);
		if (texts[i].text != NULL && !texts[i].names_nothing) {
			ck_assert_int_eq(status, STATUS_OK);
			ck_assert(slice_equal(row.product_org_id, slice_of(texts[i].text)));
			ck_assert(slice_equal(row.name, T("o")));
			ck_assert_uint_eq(row.warning_count, 0);
		} else {
			const char *reason = texts[i].names_nothing ? NO_ID : texts[i].reason;
			ck_assert_int_eq(status, STATUS_MISSING_PRODUCT_ORG_ID);
			ck_assert_ptr_null(row.product_org_id.p);
			ck_assert_ptr_null(row.name.p);
			ck_assert_uint_eq(row.warning_count, 1);
			ck_assert(slice_equal(row.warnings[0].field, T("product_org_id")));
			ck_assert_str_eq(row.warnings[0].reason,
					 reason == NULL ? "is missing" : reason);
		}
		buf_free(&payload);
		arena_free(&arena);
	}
}
END_TEST

/* ---- whole numbers ---- */

#define FRACTION "is not a whole number"
#define BEYOND	 "is not a whole number within 64 bits"
#define NUMBER(json, value)                                                                        \
	{T(json), true, value, NULL},                                                              \
	{                                                                                          \
		T("\"" json "\""), true, value, NULL                                               \
	}
#define NO_NUMBER(json, reason)                                                                    \
	{T(json), false, 0, reason},                                                               \
	{                                                                                          \
		T("\"" json "\""), false, 0, reason                                                \
	}

static const struct {
	struct slice json;
	bool given;
	int64_t value;
	const char *reason;
} numbers[] = {
	/* as a number and as a string of one */
	NUMBER("0", 0),
	NUMBER("-0", 0),
	NUMBER("7", 7),
	NUMBER("-7", -7),
	NUMBER("12.0", 12),
	NUMBER("-12.00", -12),
	NUMBER("1e3", 1000),
	NUMBER("1.5E+1", 15),
	NUMBER("1500e-2", 15),
	NUMBER("0e400", 0),
	NUMBER("9007199254740993", INT64_C(9007199254740993)),
	NUMBER("9223372036854775806", INT64_MAX - 1),
	NUMBER("9223372036854775807", INT64_MAX),
	NUMBER("-9223372036854775807", -INT64_MAX),
	NUMBER("-9223372036854775808", INT64_MIN),
	NO_NUMBER("9223372036854775808", BEYOND),
	NO_NUMBER("-9223372036854775809", BEYOND),
	NO_NUMBER("18446744073709551616", BEYOND),
	NO_NUMBER("1e19", BEYOND),
	NO_NUMBER("1e400", BEYOND),
	NO_NUMBER(DIGIT, BEYOND),
	NO_NUMBER("12.5", FRACTION),
	NO_NUMBER("-0.5", FRACTION),
	NO_NUMBER("1e-1", FRACTION),
	NO_NUMBER("1e-400", FRACTION),
	NO_NUMBER("9007199254740993.5", FRACTION),
	/* strings only */
	{T("\" 12 \""), true, 12, NULL},
	{T("\"\\t12\\r\\n\""), true, 12, NULL},
	{T("\"007\""), true, 7, NULL},
	{T("\"\\u0031\\u0032\""), true, 12, NULL},
	{T("\"1e99999999999999999999\""), false, 0, BEYOND},
	{T("\"\""), false, 0, FRACTION},
	{T("\" \""), false, 0, FRACTION},
	{T("\"a\""), false, 0, FRACTION},
	{T("\"12a\""), false, 0, FRACTION},
	{T("\"1 2\""), false, 0, FRACTION},
	{T("\"+12\""), false, 0, FRACTION},
	{T("\"1,200\""), false, 0, FRACTION},
	{T("\"$12\""), false, 0, FRACTION},
	{T("\"0x10\""), false, 0, FRACTION},
	{T("\"NaN\""), false, 0, FRACTION},
	{T("\"12\\u0000\""), false, 0, FRACTION},
	{T("\"null\""), false, 0, FRACTION},
	/* the rest */
	{T("null"), false, 0, NULL},
	{T("true"), false, 0, FRACTION},
	{T("false"), false, 0, FRACTION},
	{T("[]"), false, 0, FRACTION},
	{T("[12]"), false, 0, FRACTION},
	{T("{\"amount\":12}"), false, 0, FRACTION},
};

START_TEST(whole_numbers_are_taken)
{
	static const char *const names[] = {"user_count", "mrr"};

	for (int i = 0; i < LENGTH(numbers); i++) {
		struct arena arena = {0};
		struct product_org row =
			row_of(&arena, names[_i], numbers[i].json, numbers[i].reason);
		struct product_org_number got = _i == 0 ? row.user_count : row.mrr;
		ck_assert_msg(got.given == numbers[i].given && got.value == numbers[i].value, "%s",
			      numbers[i].json.p);
		arena_free(&arena);
	}
}
END_TEST

/* ---- timestamps ---- */

#define WHEN	    "is not a valid timestamp: neither ISO 8601 nor RFC 2822 nor Unix time"
#define EARLY	    "lies before 1990"
#define AHEAD	    "lies more than a day ahead of receipt"
#define AT(seconds) (INT64_C(seconds) * 1000000)

static const struct {
	struct slice json;
	int64_t us;
	const char *reason;
} timestamps[] = {
	{T("\"2024-01-15T10:30:00Z\""), AT(1705314600), NULL},
	{T("\"2024-01-15T10:30:00\""), AT(1705314600), NULL},
	{T("\"2024-01-15 10:30\""), AT(1705314600), NULL},
	{T("\"2024-01-15T11:30:00+01:00\""), AT(1705314600), NULL},
	{T("\"2024-01-15T10:30:00.25Z\""), AT(1705314600) + 250000, NULL},
	{T("\"2024-01-15\""), AT(1705276800), NULL},
	{T("\" 2024-01-15\\n\""), AT(1705276800), NULL},
	{T("1705314600"), AT(1705314600), NULL},
	{T("\"1705314600\""), AT(1705314600), NULL},
	{T("1705314600.25"), AT(1705314600) + 250000, NULL},
	{T("1705314600000"), AT(1705314600), NULL},
	{T("\"1705314600250\""), AT(1705314600) + 250000, NULL},
	{T("1.7053146e9"), AT(1705314600), NULL},
	{T("1.7053146e12"), AT(1705314600), NULL},
	{T("\"20240115\""), AT(1705276800), NULL},
	{T("\"Mon, 15 Jan 2024 10:30:00 GMT\""), AT(1705314600), NULL},
	{T("1705314600000000"), AT(1705314600), NULL},
	{T("20240115"), INT64_MIN, EARLY},
	{T("0"), INT64_MIN, EARLY},
	{T("\"1989-12-31\""), INT64_MIN, EARLY},
	{T("\"1990-01-01\""), AT(631152000), NULL},
	{T("1790086400"), AT(1790086400), NULL},
	{T("1790086401"), INT64_MIN, AHEAD},
	{T("\"2099-01-01\""), INT64_MIN, AHEAD},
	{T("-1"), INT64_MIN, EARLY},
	{T("\"0001-01-01T00:00:00Z\""), INT64_MIN, EARLY},
	{T("1e400"), INT64_MIN, WHEN},
	{T("\"yesterday\""), INT64_MIN, WHEN},
	{T("\"2024-02-30\""), INT64_MIN, WHEN},
	{T("\"15.01.2024\""), INT64_MIN, WHEN},
	{T("\"\""), INT64_MIN, WHEN},
	{T("true"), INT64_MIN, WHEN},
	{T("[1705314600]"), INT64_MIN, WHEN},
	{T("{\"seconds\":1705314600}"), INT64_MIN, WHEN},
	{T("null"), INT64_MIN, NULL},
};

START_TEST(timestamps_are_taken)
{
	for (int i = 0; i < LENGTH(timestamps); i++) {
		struct arena arena = {0};
		struct product_org row =
			row_of(&arena, "last_active_at", timestamps[i].json, timestamps[i].reason);
		ck_assert_msg(row.last_active_at_us == timestamps[i].us, "%s",
			      timestamps[i].json.p);
		arena_free(&arena);
	}
}
END_TEST

/* ---- flags ---- */

static const struct {
	struct slice json;
	bool taken;
	const char *reason;
} flags[] = {
	{T("{}"), true, NULL},
	{T("{\"beta\":true, \"seats\" : 12345678901234567890.10}"), true, NULL},
	{T("{\"a\":1,\"a\":2,\"b\":[{\"c\":\"\\u00e9\"}]}"), true, NULL},
	{T("null"), false, NULL},
	{T("[]"), false, "is not an object"},
	{T("[\"beta\"]"), false, "is not an object"},
	{T("\"{}\""), false, "is not an object"},
	{T("\"beta\""), false, "is not an object"},
	{T("true"), false, "is not an object"},
	{T("1"), false, "is not an object"},
};

START_TEST(flags_are_taken)
{
	for (int i = 0; i < LENGTH(flags); i++) {
		struct arena arena = {0};
		struct product_org row =
			row_of(&arena, "feature_flags", flags[i].json, flags[i].reason);
		ck_assert_int_eq(row.feature_flags.p != NULL, flags[i].taken);
		if (flags[i].taken)
			ck_assert(slice_equal(row.feature_flags, flags[i].json));
		arena_free(&arena);
	}
}
END_TEST

/* ---- custom fields ---- */

static const struct {
	struct slice json;
	const char *custom;
} customs[] = {
	{T("{\"id\":1,\"a\":1.50,\"b\":{\"c\":[null]}}"), "{\"x \\\"1\\\"\":1.50,\"y\":[null]}"},
	{T("{\"id\":1,\"b\":{\"c\":12345678901234567890}}"), "{\"y\":12345678901234567890}"},
	{T("{\"id\":1,\"a\":\"\"}"), "{\"x \\\"1\\\"\":\"\"}"},
	{T("{\"id\":1,\"a\":false,\"b\":null}"), "{\"x \\\"1\\\"\":false}"},
	{T("{\"id\":1,\"a\":null,\"b\":{\"c\":null}}"), NULL},
	{T("{\"id\":1}"), NULL},
};

START_TEST(custom_values_are_kept_as_they_are)
{
	struct arena arena = {0};
	const struct template *compiled = good_template(
		&arena, T("{" ID ",\"custom\":{\"x \\\"1\\\"\":\"a\",\"y\":\"b.c\"}}"));
	struct product_org row;

	ck_assert_int_eq(apply(compiled, &arena, customs[_i].json, &row), STATUS_OK);
	ck_assert_msg(slice_equal(row.custom, slice_of(customs[_i].custom)), "%.*s",
		      (int)row.custom.n, row.custom.p);
	ck_assert_int_eq(row.custom.p != NULL, customs[_i].custom != NULL);
	ck_assert_uint_eq(row.warning_count, 0);
	arena_free(&arena);
}
END_TEST

/* The same large value a hundred times over would make a row a hundred times as large. */
START_TEST(custom_values_are_no_longer_than_the_payload)
{
	struct arena arena = {0};
	const struct template *compiled = good_template(
		&arena,
		T("{" ID ",\"custom\":{\"a\":\"v\",\"b\":\"v\",\"c\":\"w\",\"d\":\"v.0\"}}"));
	struct product_org row;

	ck_assert_int_eq(apply(compiled, &arena,
			       T("{\"id\":1,\"v\":[\"0123456789012345678901234\"],\"w\":1}"), &row),
			 STATUS_OK);
	ck_assert(slice_equal(row.custom, T("{\"a\":[\"0123456789012345678901234\"],\"c\":1}")));
	ck_assert_uint_eq(row.warning_count, 2);
	ck_assert(slice_equal(row.warnings[0].field, T("custom.b")));
	ck_assert(slice_equal(row.warnings[1].field, T("custom.d")));
	ck_assert_str_eq(row.warnings[0].reason, "makes the custom values longer than the payload");
	arena_free(&arena);
}
END_TEST

START_TEST(a_hundred_custom_values_are_found)
{
	struct arena arena = {0};
	struct buf text = with_customs(TEMPLATE_CUSTOM_FIELDS), payload = buf_make(1 << 20);
	struct buf want = buf_make(1 << 20);
	struct product_org row;

	buf_add_text(&payload, "{\"id\":1,\"a\":[");
	for (int i = 0; i < TEMPLATE_CUSTOM_FIELDS; i++) {
		buf_add_format(&payload, "%s%d", i > 0 ? "," : "", 7 * i);
		buf_add_format(&want, "%s\"c%d\":%d", i > 0 ? "," : "{", i, 7 * i);
	}
	buf_add_text(&payload, "]}");
	buf_add_char(&want, '}');
	ck_assert_int_eq(
		apply(good_template(&arena, buf_slice(&text)), &arena, buf_slice(&payload), &row),
		STATUS_OK);
	ck_assert(slice_equal(row.custom, buf_slice(&want)));
	ck_assert_uint_eq(row.warning_count, 0);
	buf_free(&text);
	buf_free(&payload);
	buf_free(&want);
	arena_free(&arena);
}
END_TEST

/* ---- rows ---- */

#define EVERYTHING                                                                                 \
	"{\"product_org_id\":\"groupId\",\"name\":\"traits.name\",\"plan_id\":\"traits.plan.id\"," \
	"\"plan_name\":\"traits.plan.name\",\"user_count\":\"traits.employees\","                  \
	"\"mrr\":\"traits.mrr\",\"trial_status\":\"traits.trial\","                                \
	"\"last_active_at\":\"timestamp\",\"feature_flags\":\"traits.flags\","                     \
	"\"custom\":{\"projects\":\"metrics.0.projects\"}}"

START_TEST(a_whole_row_is_made)
{
	struct arena arena = {0};
	struct product_org row;
	enum status status = apply(
		good_template(&arena, T(EVERYTHING)), &arena,
		T("{\"type\":\"group\",\"groupId\":\"g-1\",\"traits\":{\"name\":\"Example Ltd\","
		  "\"plan\":{\"id\":7,\"name\":\"Pro\"},\"employees\":\"120\",\"mrr\":129900,"
		  "\"trial\":false,\"flags\":{\"beta\":true}},\"timestamp\":"
		  "\"2024-01-15T10:30:00Z\",\"metrics\":[{\"projects\":3}]}"),
		&row);

	ck_assert_int_eq(status, STATUS_OK);
	ck_assert(slice_equal(row.product_org_id, T("g-1")));
	ck_assert(slice_equal(row.name, T("Example Ltd")));
	ck_assert(slice_equal(row.plan_id, T("7")));
	ck_assert(slice_equal(row.plan_name, T("Pro")));
	ck_assert(row.user_count.given && row.user_count.value == 120);
	ck_assert(row.mrr.given && row.mrr.value == 129900);
	ck_assert(slice_equal(row.trial_status, T("false")));
	ck_assert_int_eq(row.last_active_at_us, AT(1705314600));
	ck_assert(slice_equal(row.feature_flags, T("{\"beta\":true}")));
	ck_assert(slice_equal(row.custom, T("{\"projects\":3}")));
	ck_assert_uint_eq(row.warning_count, 0);
	arena_free(&arena);
}
END_TEST

/* Everything is of the wrong type: as many warnings as there are fields, in their order. */
START_TEST(every_field_can_warn)
{
	static const char *const names[] = {"name",	      "plan_id",      "plan_name",
					    "user_count",     "mrr",	      "trial_status",
					    "last_active_at", "feature_flags"};
	struct arena arena = {0};
	struct product_org row;
	enum status status = apply(
		good_template(&arena, T(EVERYTHING)), &arena,
		T("{\"groupId\":1,\"traits\":{\"name\":{},\"plan\":{\"id\":[],\"name\":\"\"},"
		  "\"employees\":1.5,\"mrr\":\"x\",\"trial\":{},\"flags\":[]},\"timestamp\":-1}"),
		&row);

	ck_assert_int_eq(status, STATUS_OK);
	ck_assert_uint_eq(row.warning_count, LENGTH(names));
	for (int i = 0; i < LENGTH(names); i++)
		ck_assert(slice_equal(row.warnings[i].field, slice_of(names[i])));
	ck_assert_ptr_null(row.name.p);
	ck_assert(!row.mrr.given && !row.user_count.given);
	arena_free(&arena);
}
END_TEST

START_TEST(a_repaired_payload_keeps_its_bytes)
{
	struct arena arena = {0};
	struct slice text = T("{\"id\":\"a\\u0000\",\"v\":{\"\\udc00\":1}}");
	struct product_org row;

	ck_assert_int_eq(
		apply(good_template(&arena, T("{" ID ",\"feature_flags\":\"v\",\"custom\":{\"u\":"
					      "\"v.\xef\xbf\xbd\"}}")),
		      &arena, text, &row),
		STATUS_OK);
	ck_assert(slice_equal(row.payload_raw, text));
	ck_assert(slice_equal(row.payload,
			      T("{\"id\":\"a\xef\xbf\xbd\",\"v\":{\"\xef\xbf\xbd\":1}}")));
	ck_assert(slice_equal(row.product_org_id, T("a\xef\xbf\xbd")));
	ck_assert(slice_equal(row.feature_flags, T("{\"\xef\xbf\xbd\":1}")));
	ck_assert(slice_equal(row.custom, T("{\"u\":1}")));
	arena_free(&arena);
}
END_TEST

START_TEST(what_is_not_json_is_refused)
{
	struct arena arena = {0};
	struct product_org row;
	const struct template *compiled = good_template(&arena, T("{" ID "}"));

	ck_assert_int_eq(template_apply(compiled, &arena, T("{\"id\":"), false, RECEIVED_US, &row),
			 STATUS_MALFORMED_JSON);
	arena_free(&arena);
}
END_TEST

/* ---- memory ---- */

static enum status compile_and_apply(struct slice text, struct slice payload)
{
	struct arena arena = {0}, other = {0};
	struct template *compiled;
	struct template_fault fault;
	struct product_org row;
	enum status status = template_compile(&arena, text, &compiled, &fault);

	if (status == STATUS_OK)
		status = template_apply(compiled, &other, payload, true, RECEIVED_US, &row);
	arena_free(&arena);
	arena_free(&other);
	return status;
}

/* More than one block of an arena holds, so that several allocations can fail. */
static enum status apply_large(void)
{
	return compile_and_apply(
		T("{\"product_org_id\":\"i\",\"name\":\"n\",\"plan_id\":\"o\",\"custom\":{\"" S256
		  "\":\"" S256 "\",\"x\":\"y\"}}"),
		T("{\"i\":1,\"n\":\"" MANY("\\n" MANY(K1)) "\",\"o\":\"" E512
							   "\",\"y\":[\"" MANY(MANY(K1)) "\"]}"));
}

/* The message's memory, too. */
static enum status refuse_template(void)
{
	enum status status =
		compile_and_apply(T("{\"product_org_id\":\"a\",\"x\\u0041\":\"b\"}"), T("{}"));

	return status == STATUS_INVALID_TEMPLATE ? STATUS_OK : status;
}

START_TEST(failing_allocations_are_told)
{
	ck_assert_int_ge(unit_torture(apply_large), 6);
	ck_assert_int_ge(unit_torture(refuse_template), 1);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("template");
	TCase *all = tcase_create("all");

	tcase_set_timeout(all, 60);
	tcase_add_loop_test(all, templates_are_checked, 0, LENGTH(templates));
	tcase_add_loop_test(all, custom_fields_are_counted, -1, 2);
	tcase_add_loop_test(all, the_size_is_limited, -1, 2);
	tcase_add_loop_test(all, the_delivery_has_an_id, 0, LENGTH(deliveries));
	tcase_add_test(all, warnings_are_json);
	tcase_add_loop_test(all, a_fault_names_its_field, 0, LENGTH(faults));
	tcase_add_test(all, custom_values_fill_the_payload);
	tcase_add_loop_test(all, texts_are_taken, 0, LENGTH(text_fields));
	tcase_add_loop_test(all, what_names_nothing_is_no_id, 0, LENGTH(no_ids));
	tcase_add_test(all, the_id_is_needed);
	tcase_add_loop_test(all, whole_numbers_are_taken, 0, 2);
	tcase_add_test(all, timestamps_are_taken);
	tcase_add_test(all, flags_are_taken);
	tcase_add_loop_test(all, custom_values_are_kept_as_they_are, 0, LENGTH(customs));
	tcase_add_test(all, custom_values_are_no_longer_than_the_payload);
	tcase_add_test(all, a_hundred_custom_values_are_found);
	tcase_add_test(all, a_whole_row_is_made);
	tcase_add_test(all, every_field_can_warn);
	tcase_add_test(all, a_repaired_payload_keeps_its_bytes);
	tcase_add_test(all, what_is_not_json_is_refused);
	tcase_add_test(all, failing_allocations_are_told);
	suite_add_tcase(suite, all);
	return suite;
}
