/*
 * test_intake.c - webhook requests without a database: heads, bodies, limits and answers. What the
 * database would say is written into the member by the test.
 */
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "check_main.h"
#include "http/problem.h"
#include "intake/intake_internal.h"

enum {
	SINGLE_BYTES = 2000,
	BATCH_BYTES = 8000,
	BULK_BYTES = 20000,
	PLAIN_BYTES = 1000,
	ITEMS = 5,
	ITEM_BYTES = 600,
	BUF_BYTES = 1 << 20
};

static struct config config;
static struct arena arena;
static struct http_request http;
static struct intake intake;
static char key[CREDENTIAL_KEY_CHARS + 1];

static void set_up(void)
{
	config = (struct config){
		.request_timeout_ms = 10000,
		.bulk_timeout_ms = 300000,
		.single_body_bytes = SINGLE_BYTES,
		.batch_body_bytes = BATCH_BYTES,
		.bulk_body_bytes = BULK_BYTES,
		.batch_items = ITEMS,
		.bulk_items = 2 * ITEMS,
		.item_bytes = ITEM_BYTES,
		.json_depth = 4,
		.json_number_digits = 8,
		.json_number_exponent = 8,
	};
	ck_assert_int_eq(credential_make_key(NULL, key), STATUS_OK);
}

static void drop(void)
{
	intake_free(&intake);
	arena_free(&arena);
}

/* A request with these variables, separated by NUL bytes and ended by two. */
static void request(enum intake_kind kind, const char *variables)
{
	static char *vector[16];
	size_t count = 0;

	for (const char *v = variables; *v != '\0'; v += strlen(v) + 1) {
		ck_assert_uint_lt(count, 15);
		char *copy = arena_copy(&arena, slice_of(v));
		ck_assert_ptr_nonnull(copy);
		vector[count++] = copy;
	}
	vector[count] = NULL;
	ck_assert_int_eq(http_request_read(&http, vector), STATUS_OK);
	intake_init(&intake, &config, &arena, &http, kind);
	intake.key = slice_of(key);
}

/* ---- heads ---- */

#define SIXTY_FOUR "0123456789012345678901234567890123456789012345678901234567890123"

static const struct head {
	const char *name;
	enum intake_kind kind;
	const char *variables;
	const char *path_source;
	enum status status;
	const char *source; /* NULL: none was given */
} heads[] = {
	{"nothing at all", INTAKE_SINGLE, "", NULL, STATUS_OK, NULL},
	{"JSON", INTAKE_SINGLE, "CONTENT_TYPE=application/json; charset=utf-8\0", NULL, STATUS_OK,
	 NULL},
	{"a form", INTAKE_BATCH, "CONTENT_TYPE=application/x-www-form-urlencoded\0", NULL,
	 STATUS_OK, NULL},
	{"multipart", INTAKE_SINGLE, "CONTENT_TYPE=multipart/form-data; boundary=x\0", NULL,
	 STATUS_OK, NULL},
	{"XML", INTAKE_BULK, "CONTENT_TYPE=text/xml\0", NULL, STATUS_OK, NULL},
	{"gzip", INTAKE_SINGLE, "HTTP_CONTENT_ENCODING=gzip\0", NULL, STATUS_OK, NULL},
	{"brotli", INTAKE_SINGLE, "HTTP_CONTENT_ENCODING=br\0", NULL, STATUS_OK, NULL},
	/* The delivery's id: once, by either name. */
	{"an id", INTAKE_SINGLE, "HTTP_IDEMPOTENCY_KEY=a b\0", NULL, STATUS_OK, NULL},
	{"another id", INTAKE_SINGLE, "HTTP_WEBHOOK_ID=msg_1\0", NULL, STATUS_OK, NULL},
	{"an empty id", INTAKE_SINGLE, "HTTP_IDEMPOTENCY_KEY=\0", NULL, STATUS_OK, NULL},
	{"two ids", INTAKE_SINGLE, "HTTP_IDEMPOTENCY_KEY=a\0HTTP_IDEMPOTENCY_KEY=b\0", NULL,
	 STATUS_OK, NULL},
	{"an id that is not ASCII", INTAKE_SINGLE, "HTTP_WEBHOOK_ID=\xc3\xa9\0", NULL, STATUS_OK,
	 NULL},
	/* The secret: once, and no front end has joined two. */
	{"a secret", INTAKE_SINGLE, "HTTP_X_API_SECRET=whs_x\0", NULL, STATUS_OK, NULL},
	{"an empty secret", INTAKE_SINGLE, "HTTP_X_API_SECRET=\0", NULL, STATUS_OK, NULL},
	{"two secrets", INTAKE_SINGLE, "HTTP_X_API_SECRET=a\0HTTP_X_API_SECRET=b\0", NULL,
	 STATUS_REPEATED_HEADER, NULL},
	{"the same twice", INTAKE_SINGLE, "HTTP_X_API_SECRET=a\0HTTP_X_API_SECRET=a\0", NULL,
	 STATUS_REPEATED_HEADER, NULL},
	{"an empty one twice", INTAKE_SINGLE, "HTTP_X_API_SECRET=\0HTTP_X_API_SECRET=\0", NULL,
	 STATUS_REPEATED_HEADER, NULL},
	{"two joined", INTAKE_SINGLE, "HTTP_X_API_SECRET=a, b\0", NULL, STATUS_REPEATED_HEADER,
	 NULL},
	{"a comma", INTAKE_SINGLE, "HTTP_X_API_SECRET=,\0", NULL, STATUS_REPEATED_HEADER, NULL},
	/* The source: the path's, else the header's. */
	{"header", INTAKE_SINGLE, "HTTP_X_SOURCE=web\0", NULL, STATUS_OK, "web"},
	{"blanks", INTAKE_SINGLE, "HTTP_X_SOURCE=  web \0", NULL, STATUS_OK, "web"},
	{"empty", INTAKE_SINGLE, "HTTP_X_SOURCE=\0", NULL, STATUS_OK, NULL},
	{"path", INTAKE_SINGLE, "", "web", STATUS_OK, "web"},
	{"both", INTAKE_SINGLE, "HTTP_X_SOURCE=other\0", "web", STATUS_OK, "web"},
	{"twice", INTAKE_SINGLE, "HTTP_X_SOURCE=a\0HTTP_X_SOURCE=b\0", NULL, STATUS_REPEATED_HEADER,
	 NULL},
	{"twice beside the path", INTAKE_SINGLE, "HTTP_X_SOURCE=a\0HTTP_X_SOURCE=b\0", "web",
	 STATUS_REPEATED_HEADER, NULL},
	{"joined", INTAKE_SINGLE, "HTTP_X_SOURCE=a,b\0", NULL, STATUS_REPEATED_HEADER, NULL},
	{"a blank within", INTAKE_SINGLE, "HTTP_X_SOURCE=a b\0", NULL, STATUS_INVALID_SOURCE, NULL},
	{"a slash", INTAKE_SINGLE, "HTTP_X_SOURCE=a/b\0", NULL, STATUS_INVALID_SOURCE, NULL},
	{"UTF-8", INTAKE_SINGLE, "HTTP_X_SOURCE=\xc3\xa4\0", NULL, STATUS_INVALID_SOURCE, NULL},
	{"63", INTAKE_SINGLE, "", &SIXTY_FOUR[1], STATUS_OK, &SIXTY_FOUR[1]},
	{"64", INTAKE_SINGLE, "", SIXTY_FOUR, STATUS_OK, SIXTY_FOUR},
	{"65", INTAKE_SINGLE, "", "x" SIXTY_FOUR, STATUS_INVALID_SOURCE, NULL},
	{"a bad path", INTAKE_SINGLE, "HTTP_X_SOURCE=web\0", "a?b", STATUS_INVALID_SOURCE, NULL},
	/* What is announced. */
	{"single, max - 1", INTAKE_SINGLE, "CONTENT_LENGTH=7999\0", NULL, STATUS_OK, NULL},
	{"single, max", INTAKE_SINGLE, "CONTENT_LENGTH=8000\0", NULL, STATUS_OK, NULL},
	{"single, max + 1", INTAKE_SINGLE, "CONTENT_LENGTH=8001\0", NULL, STATUS_TOO_LARGE, NULL},
	{"batch, max", INTAKE_BATCH, "CONTENT_LENGTH=8000\0", NULL, STATUS_OK, NULL},
	{"batch, max + 1", INTAKE_BATCH, "CONTENT_LENGTH=8001\0", NULL, STATUS_TOO_LARGE, NULL},
	{"bulk, max", INTAKE_BULK, "CONTENT_LENGTH=20000\0", NULL, STATUS_OK, NULL},
	{"bulk, max + 1", INTAKE_BULK, "CONTENT_LENGTH=20001\0", NULL, STATUS_TOO_LARGE, NULL},
	{"the greatest", INTAKE_BULK, "CONTENT_LENGTH=9223372036854775807\0", NULL,
	 STATUS_TOO_LARGE, NULL},
	{"beyond numbers", INTAKE_SINGLE, "CONTENT_LENGTH=9223372036854775808\0", NULL, STATUS_OK,
	 NULL},
	{"no number", INTAKE_SINGLE, "CONTENT_LENGTH=-1\0", NULL, STATUS_OK, NULL},
	{"empty length", INTAKE_SINGLE, "CONTENT_LENGTH=\0", NULL, STATUS_OK, NULL},
};

START_TEST(heads_are_judged)
{
	const struct head *head = &heads[_i];

	request(head->kind, head->variables);
	intake.path_source = slice_of(head->path_source);
	enum status status = intake_head(&intake);
	ck_assert_msg(status == head->status, "%s: %s", head->name, status_name(status));
	if (status == STATUS_OK) {
		ck_assert_msg(slice_equal(intake.given_source, slice_of(head->source)), "%s",
			      head->name);
		ck_assert_int_eq(intake.given_source.p == NULL, head->source == NULL);
		ck_assert(slice_equal(intake.commit.request_id, slice_of(http.request_id)));
		ck_assert_uint_eq(intake.commit.request_id.n, 24);
		ck_assert_uint_eq(intake.commit.item_count, 0);
	}
	drop();
}
END_TEST

/* The hashes are those of the key and of the secret as sent, and nothing else. */
START_TEST(credentials_are_hashed)
{
	struct credential_hash hash;

	request(INTAKE_SINGLE, "HTTP_X_API_SECRET=whs_x\0");
	ck_assert_int_eq(intake_head(&intake), STATUS_OK);
	ck_assert_int_eq(credential_hash(slice_of(key), &hash), STATUS_OK);
	ck_assert_mem_eq(hash.bytes, intake.commit.key_hash.bytes, sizeof(hash.bytes));
	ck_assert(intake.commit.has_secret);
	ck_assert_int_eq(credential_hash(SLICE("whs_x"), &hash), STATUS_OK);
	ck_assert_mem_eq(hash.bytes, intake.commit.secret_hash.bytes, sizeof(hash.bytes));
	drop();
	request(INTAKE_SINGLE, _i == 0 ? "" : "HTTP_X_API_SECRET= \0");
	ck_assert_int_eq(intake_head(&intake), STATUS_OK);
	ck_assert(!intake.commit.has_secret);
	drop();
}
END_TEST

/* A key that cannot be one is refused before anything else is looked at. */
START_TEST(unsound_keys_are_refused_first)
{
	char bad[CREDENTIAL_KEY_CHARS + 1];

	memcpy(bad, key, sizeof(bad));
	bad[_i] = bad[_i] == 'x' ? 'y' : 'x';
	request(INTAKE_SINGLE, "CONTENT_TYPE=text/xml\0HTTP_X_API_SECRET=a\0HTTP_X_API_SECRET=b\0"
			       "CONTENT_LENGTH=99999999\0");
	intake.key = slice_of(bad);
	ck_assert_int_eq(intake_head(&intake), STATUS_UNAUTHENTICATED);
	ck_assert_ptr_null(intake.detail);
	drop();
}
END_TEST

START_TEST(keys_of_other_lengths_are_refused)
{
	char longer[CREDENTIAL_KEY_CHARS + 2] = "";

	memcpy(longer, key, CREDENTIAL_KEY_CHARS);
	longer[CREDENTIAL_KEY_CHARS] = '0';
	for (size_t n = 0; n <= CREDENTIAL_KEY_CHARS + 1; n++) {
		request(INTAKE_SINGLE, "");
		intake.key = (struct slice){longer, n};
		ck_assert_int_eq(intake_head(&intake),
				 n == CREDENTIAL_KEY_CHARS ? STATUS_OK : STATUS_UNAUTHENTICATED);
		drop();
	}
	request(INTAKE_SINGLE, "");
	intake.key = slice_of(NULL);
	ck_assert_int_eq(intake_head(&intake), STATUS_UNAUTHENTICATED);
	drop();
}
END_TEST

static const struct {
	const char *variable;
	bool strict;
} prefers[] = {
	{"", false},
	{"HTTP_PREFER=\0", false},
	{"HTTP_PREFER=handling=strict\0", true},
	{"HTTP_PREFER=Handling=Strict\0", true},
	{"HTTP_PREFER=  handling=strict  \0", true},
	{"HTTP_PREFER=respond-async, handling=strict\0", true},
	{"HTTP_PREFER=handling=strict, respond-async\0", true},
	{"HTTP_PREFER=handling=strict;x=1\0", true},
	{"HTTP_PREFER=wait=10,\thandling=strict\t;x\0", true},
	{"HTTP_PREFER=handling=lenient\0", false},
	{"HTTP_PREFER=handling=strictly\0", false},
	{"HTTP_PREFER=handling\0", false},
	{"HTTP_PREFER=strict\0", false},
	{"HTTP_PREFER=,,,\0", false},
	{"HTTP_PREFER=,,handling=strict,,\0", true},
	{"HTTP_PREFER=x;handling=strict\0", false},
};

START_TEST(strict_handling_is_asked_for)
{
	request(INTAKE_BATCH, prefers[_i].variable);
	ck_assert_int_eq(intake_head(&intake), STATUS_OK);
	ck_assert_msg(intake.strict == prefers[_i].strict, "%s", prefers[_i].variable);
	drop();
}
END_TEST

START_TEST(limits_are_those_of_the_kind)
{
	static const struct {
		enum intake_kind kind;
		size_t body;
		int64_t timeout_ms;
		uint64_t items;
	} kinds[] = {
		{INTAKE_SINGLE, BATCH_BYTES, 10000, ITEMS}, /* it may be an array */
		{INTAKE_BATCH, BATCH_BYTES, 10000, ITEMS},
		{INTAKE_BULK, BULK_BYTES, 300000, 2 * ITEMS},
	};

	request(kinds[_i].kind, "");
	ck_assert_uint_eq(intake_body_max(&intake), kinds[_i].body);
	ck_assert_int_eq(intake_timeout_ms(&intake), kinds[_i].timeout_ms);
	struct json_limits limits = intake_json_limits(intake.config, intake.kind);
	ck_assert_uint_eq(limits.items, kinds[_i].items);
	ck_assert_uint_eq(limits.item_bytes, ITEM_BYTES);
	ck_assert_uint_eq(limits.depth, 4);
	ck_assert_uint_eq(limits.number_digits, 8);
	ck_assert_uint_eq(limits.number_exponent, 8);
	drop();
}
END_TEST

/* A path for one takes an array too: the larger limit holds. */
START_TEST(a_limit_of_one_may_be_the_larger)
{
	config.single_body_bytes = BATCH_BYTES + 1;
	request(INTAKE_SINGLE, "");
	ck_assert_uint_eq(intake_body_max(&intake), BATCH_BYTES + 1);
	drop();
	request(INTAKE_BATCH, "");
	ck_assert_uint_eq(intake_body_max(&intake), BATCH_BYTES);
	drop();
}
END_TEST

START_TEST(forms_are_those_of_path_and_type)
{
	static const struct {
		enum intake_kind kind;
		const char *variables;
		enum json_form form;
	} forms[] = {
		{INTAKE_SINGLE, "", JSON_FORM_SINGLE},
		{INTAKE_BATCH, "", JSON_FORM_BATCH},
		{INTAKE_BULK, "", JSON_FORM_BATCH},
		{INTAKE_SINGLE, "CONTENT_TYPE=application/x-ndjson\0", JSON_FORM_LINES},
		{INTAKE_BATCH, "CONTENT_TYPE=application/jsonl\0", JSON_FORM_LINES},
		{INTAKE_BULK, "CONTENT_TYPE=application/x-ndjson\0", JSON_FORM_LINES},
	};

	for (int i = 0; i < LENGTH(forms); i++) {
		request(forms[i].kind, forms[i].variables);
		ck_assert_int_eq(intake_head(&intake), STATUS_OK);
		ck_assert_int_eq(intake_form(&intake), forms[i].form);
		drop();
	}
}
END_TEST

/* ---- bodies ---- */

static void read_body(enum intake_kind kind, const char *variables, struct slice body)
{
	request(kind, variables);
	ck_assert_int_eq(intake_head(&intake), STATUS_OK);
	ck_assert_int_eq(intake_body(&intake, body, BUF_BYTES), STATUS_OK);
}

#define NDJSON	  "CONTENT_TYPE=application/x-ndjson\0"
#define STRICT	  "HTTP_PREFER=handling=strict\0"
#define FORM	  "CONTENT_TYPE=application/x-www-form-urlencoded\0"
#define MULTIPART "CONTENT_TYPE=multipart/form-data; boundary=x\0"

static const struct body {
	const char *name;
	enum intake_kind kind;
	const char *variables;
	const char *text;
	enum status status;
	size_t accepted, rejected;
	bool single;
	const char *detail; /* of the problem, or NULL */
} bodies[] = {
	{"an object", INTAKE_SINGLE, "", "{}", STATUS_OK, 1, 0, true, NULL},
	{"white space around", INTAKE_SINGLE, "", " {\"a\":1}\r\n", STATUS_OK, 1, 0, true, NULL},
	{"a byte order mark", INTAKE_SINGLE, "", "\xef\xbb\xbf{}", STATUS_OK, 1, 0, true, NULL},
	{"an array", INTAKE_SINGLE, "", "[{}]", STATUS_OK, 1, 0, false, NULL},
	{"an array of two", INTAKE_SINGLE, "", "[{},{}]", STATUS_OK, 2, 0, false, NULL},
	{"an envelope at the path of one", INTAKE_SINGLE, "", "{\"batch\":[{},{}]}", STATUS_OK, 2,
	 0, false, NULL},
	{"an escaped envelope", INTAKE_SINGLE, "", "{\"s\\u0069gnals\":[{}],\"a\":1}", STATUS_OK, 1,
	 0, false, NULL},
	{"an envelope of scalars is a signal", INTAKE_SINGLE, "", "{\"events\":[1,2]}", STATUS_OK,
	 1, 0, true, NULL},
	{"an envelope with another array is a signal", INTAKE_SINGLE, "",
	 "{\"events\":[{}],\"tags\":[]}", STATUS_OK, 1, 0, true, NULL},
	{"an empty envelope is a signal", INTAKE_SINGLE, "", "{\"batch\":[]}", STATUS_OK, 1, 0,
	 true, NULL},
	{"an inner envelope is a signal", INTAKE_SINGLE, "", "{\"a\":{\"batch\":[{}]}}", STATUS_OK,
	 1, 0, true, NULL},
	{"an envelope with a bad item", INTAKE_SINGLE, "", "{\"batch\":[{},{\"a\":NaN}]}",
	 STATUS_OK, 1, 1, false, NULL},
	{"a broken envelope", INTAKE_SINGLE, "", "{\"batch\":[{},{\"a\":NaN]}",
	 STATUS_MALFORMED_JSON, 1, 0, false, "at byte offset 18"},
	{"an envelope of product orgs is one", INTAKE_PRODUCT_ORGS, "", "{\"batch\":[{},{}]}",
	 STATUS_OK, 1, 0, true, NULL},
	/* Lines without their label. */
	{"lines without a label", INTAKE_SINGLE, "", "{\"a\":1}\n{}\r\n", STATUS_OK, 2, 0, false,
	 NULL},
	{"lines as suffixed JSON", INTAKE_BATCH, "CONTENT_TYPE=application/x+json\0", "{}\n\n{}",
	 STATUS_OK, 2, 0, false, NULL},
	{"lines as a form", INTAKE_SINGLE, FORM, " {}\n{}", STATUS_OK, 2, 0, false, NULL},
	{"lines of which one is bad", INTAKE_SINGLE, "", "{}\n{\"a\":}\n{}", STATUS_OK, 2, 1, false,
	 NULL},
	{"one line without a label", INTAKE_SINGLE, "", "{}\n", STATUS_OK, 1, 0, true, NULL},
	{"lines within an object", INTAKE_SINGLE, "", "{\n\"a\":\n1}\n", STATUS_OK, 1, 0, true,
	 NULL},
	{"lines as JSON", INTAKE_SINGLE, "CONTENT_TYPE=application/json\0", "{}\n{}",
	 STATUS_MALFORMED_JSON, 1, 0, true, "text after the end at byte offset 3"},
	/* Labels that are wrong. */
	{"JSON as XML", INTAKE_SINGLE, "CONTENT_TYPE=text/xml\0", "{}", STATUS_OK, 1, 0, true,
	 NULL},
	{"JSON as bytes", INTAKE_BATCH, "CONTENT_TYPE=application/octet-stream\0", "[{}]",
	 STATUS_OK, 1, 0, false, NULL},
	{"JSON as a form", INTAKE_SINGLE, FORM, "{\"a\":1}", STATUS_OK, 1, 0, true, NULL},
	{"JSON as multipart", INTAKE_SINGLE, MULTIPART, "{\"a\":1}", STATUS_OK, 1, 0, true, NULL},
	{"broken JSON as a form", INTAKE_SINGLE, FORM, "{\"a\"=1&", STATUS_MALFORMED_JSON, 0, 0,
	 true, "at byte offset 4"},
	{"broken JSON as bytes", INTAKE_SINGLE, "CONTENT_TYPE=application/octet-stream\0", "[{}",
	 STATUS_MALFORMED_JSON, 1, 0, false, "at byte offset 3"},
	{"a number as text", INTAKE_SINGLE, "CONTENT_TYPE=text/plain\0", "1", STATUS_NOT_AN_OBJECT,
	 0, 0, false, "at byte offset 0"},
	{"a word as JSON", INTAKE_SINGLE, "CONTENT_TYPE=application/json\0", "word",
	 STATUS_MALFORMED_JSON, 0, 0, false, "at byte offset 0"},
	{"a word without a label", INTAKE_SINGLE, "", "word", STATUS_MALFORMED_JSON, 0, 0, false,
	 "at byte offset 0"},
	{"a word as text", INTAKE_SINGLE, "CONTENT_TYPE=text/plain\0", "word",
	 STATUS_UNSUPPORTED_MEDIA_TYPE, 0, 0, false, NULL},
	{"a picture", INTAKE_BATCH, "CONTENT_TYPE=image/png\0", "\x89PNG\r\n",
	 STATUS_UNSUPPORTED_MEDIA_TYPE, 0, 0, false, NULL},
	{"XML as JSON", INTAKE_SINGLE, "CONTENT_TYPE=application/json\0",
	 "\xef\xbb\xbf <?xml?><a/>", STATUS_UNSUPPORTED_MEDIA_TYPE, 0, 0, false, NULL},
	{"SOAP", INTAKE_SINGLE, "CONTENT_TYPE=text/xml\0", "<soap:Envelope/>",
	 STATUS_UNSUPPORTED_MEDIA_TYPE, 0, 0, false, NULL},
	{"XML as a form", INTAKE_SINGLE, FORM, "<!DOCTYPE a>", STATUS_UNSUPPORTED_MEDIA_TYPE, 0, 0,
	 false, NULL},
	{"a bracket as JSON", INTAKE_SINGLE, "CONTENT_TYPE=application/json\0", "<.>",
	 STATUS_MALFORMED_JSON, 0, 0, false, "at byte offset 0"},
	{"a coding that is not read", INTAKE_SINGLE, "HTTP_CONTENT_ENCODING=br\0", "{}",
	 STATUS_UNSUPPORTED_CODING, 0, 0, false, NULL},
	{"a charset as coding", INTAKE_SINGLE, "HTTP_CONTENT_ENCODING=UTF-8\0", "{}", STATUS_OK, 1,
	 0, true, NULL},
	{"plain as gzip", INTAKE_SINGLE, "HTTP_CONTENT_ENCODING=gzip\0", "{}", STATUS_OK, 1, 0,
	 true, NULL},
	{"plain as deflate", INTAKE_BATCH, "HTTP_CONTENT_ENCODING=deflate\0", "[{}]", STATUS_OK, 1,
	 0, false, NULL},
	/* Forms. */
	{"a form", INTAKE_SINGLE, FORM, "email=a%40b.co&x=1", STATUS_OK, 1, 0, true, NULL},
	{"a form at the path of batches", INTAKE_BATCH, FORM, "a=b", STATUS_NOT_A_BATCH, 0, 0,
	 false, "no array"},
	{"JSON in a form", INTAKE_SINGLE, FORM, "payload=%7B%22a%22:1%7D", STATUS_OK, 1, 0, true,
	 NULL},
	{"an array in a form", INTAKE_BATCH, FORM, "data=[{},{}]", STATUS_OK, 2, 0, false, NULL},
	{"events of Mandrill", INTAKE_SINGLE, FORM, "mandrill_events=%5B%7B%7D,%7B%7D%5D",
	 STATUS_OK, 2, 0, false, NULL},
	{"an envelope in a form", INTAKE_SINGLE, FORM, "json=%7b%22batch%22:[{},{}]%7d", STATUS_OK,
	 2, 0, false, NULL},
	{"a form without fields", INTAKE_SINGLE, FORM, "&&", STATUS_UNSUPPORTED_MEDIA_TYPE, 0, 0,
	 false, "the form has no fields"},
	{"a form that is not UTF-8", INTAKE_SINGLE, FORM, "a=%ff", STATUS_UNSUPPORTED_MEDIA_TYPE, 0,
	 0, false, "a field of the form is not UTF-8"},
	{"an empty form", INTAKE_SINGLE, FORM, "", STATUS_EMPTY_BODY, 0, 0, false, NULL},
	{"a multipart form", INTAKE_SINGLE, MULTIPART,
	 "--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nb\r\n--x--\r\n", STATUS_OK, 1, 0,
	 true, NULL},
	{"a file", INTAKE_SINGLE, MULTIPART,
	 "--x\r\nContent-Disposition: form-data; name=a; filename=b\r\n\r\n{}\r\n--x--\r\n",
	 STATUS_UNSUPPORTED_MEDIA_TYPE, 0, 0, false, "a part of the form is a file"},
	{"lines", INTAKE_SINGLE, NDJSON, "{}\n{}\n", STATUS_OK, 2, 0, false, NULL},
	{"one line", INTAKE_SINGLE, NDJSON, "{}", STATUS_OK, 1, 0, false, NULL},
	{"a batch", INTAKE_BATCH, "", "[{},{}]", STATUS_OK, 2, 0, false, NULL},
	{"an envelope", INTAKE_BATCH, "", "{\"signals\":[{},{}]}", STATUS_OK, 2, 0, false, NULL},
	{"lines of a batch", INTAKE_BATCH, NDJSON, "{}\r\n\n{}", STATUS_OK, 2, 0, false, NULL},
	{"an array under the wrong name", INTAKE_BATCH, NDJSON, "[{},\n{}]", STATUS_OK, 2, 0, false,
	 NULL},
	/* Nothing in it. */
	{"nothing", INTAKE_SINGLE, "", "", STATUS_EMPTY_BODY, 0, 0, false, NULL},
	{"white space", INTAKE_SINGLE, "", " \n", STATUS_EMPTY_BODY, 0, 0, false, NULL},
	{"no lines of one", INTAKE_SINGLE, NDJSON, "\n\n", STATUS_EMPTY_BODY, 0, 0, false, NULL},
	{"nothing in a batch", INTAKE_BATCH, "", " \n", STATUS_EMPTY_BODY, 0, 0, false,
	 "Send an array, NDJSON, or an object whose \"batch\", "},
	{"no lines", INTAKE_BATCH, NDJSON, "\n\n", STATUS_EMPTY_BODY, 0, 0, false,
	 "Send an array, NDJSON, or an object whose \"batch\", "},
	{"no items", INTAKE_SINGLE, "", "[]", STATUS_EMPTY_BATCH, 0, 0, false, NULL},
	{"no items in a batch", INTAKE_BATCH, "", "{\"batch\":[]}", STATUS_EMPTY_BATCH, 0, 0, false,
	 NULL},
	/* Not what is asked for. */
	{"a number", INTAKE_SINGLE, "", "1", STATUS_NOT_AN_OBJECT, 0, 0, false, "at byte offset 0"},
	{"an object as batch", INTAKE_BATCH, "", " {\"a\":1}", STATUS_NOT_A_BATCH, 0, 0, false,
	 "no array \"batch\", \"signals\" or \"events\" in the object at byte offset 1"},
	{"a number as batch", INTAKE_BATCH, "", " 1", STATUS_NOT_A_BATCH, 0, 0, false,
	 "neither an array nor an object at byte offset 1"},
	{"two batches", INTAKE_BATCH, "", "{\"batch\":[],\"events\":[]}", STATUS_NOT_A_BATCH, 0, 0,
	 false, "a second array of items at byte offset 21"},
	/* Broken: nothing of it is taken, not even what stood before. */
	{"broken", INTAKE_SINGLE, "", "{\"a\":}", STATUS_MALFORMED_JSON, 0, 0, true,
	 "at byte offset 5"},
	{"too short", INTAKE_SINGLE, "", "{\"a\":1", STATUS_MALFORMED_JSON, 0, 0, true,
	 "at byte offset 6"},
	{"two", INTAKE_SINGLE, "", "{} {}", STATUS_MALFORMED_JSON, 1, 0, true, "at byte offset 3"},
	{"broken behind", INTAKE_BATCH, "", "[{},{},}", STATUS_MALFORMED_JSON, 2, 0, false,
	 "at byte offset 7"},
	{"bad UTF-8", INTAKE_SINGLE, "", "{\"a\":\"\xff\"}", STATUS_MALFORMED_JSON, 0, 0, true,
	 "at byte offset 6"},
	/* One item, and it is bad: its own status. */
	{"too deep", INTAKE_SINGLE, "", "{\"a\":[[[[1]]]]}", STATUS_NESTING_TOO_DEEP, 0, 1, true,
	 "at byte offset 8"},
	{"deep enough", INTAKE_SINGLE, "", "{\"a\":[[[1]]]}", STATUS_OK, 1, 0, true, NULL},
	{"8 digits", INTAKE_SINGLE, "", "{\"a\":12345678}", STATUS_OK, 1, 0, true, NULL},
	{"9 digits", INTAKE_SINGLE, "", "{\"a\":123456789}", STATUS_NUMBER_TOO_LARGE, 0, 1, true,
	 "at byte offset 5"},
	{"exponent 8", INTAKE_SINGLE, "", "{\"a\":1e8}", STATUS_OK, 1, 0, true, NULL},
	{"exponent 9", INTAKE_SINGLE, "", "{\"a\":1e-9}", STATUS_NUMBER_TOO_LARGE, 0, 1, true,
	 "at byte offset 5"},
	/* Several: the good ones are taken, unless all are bad or strictness was asked for. */
	{"one bad of two", INTAKE_SINGLE, "", "[{},1]", STATUS_OK, 1, 1, false, NULL},
	{"one bad of two, first", INTAKE_BATCH, "", "[1,{}]", STATUS_OK, 1, 1, false, NULL},
	{"a bad line", INTAKE_BATCH, NDJSON, "{}\n{\"a\":}\n{}", STATUS_OK, 2, 1, false, NULL},
	{"a bad token", INTAKE_SINGLE, "", "[{},{\"a\":NaN},{}]", STATUS_OK, 2, 1, false, NULL},
	{"a bad token in an envelope", INTAKE_BATCH, "", "{\"batch\":[{},{\"a\":\"\n\"}]}",
	 STATUS_OK, 1, 1, false, NULL},
	{"bad tokens alone", INTAKE_SINGLE, "", "[NaN,{\"a\":01}]", STATUS_BATCH_REJECTED, 0, 2,
	 false, "item index 0: unexpected character at byte offset 1; 2 of 2 items are bad"},
	{"strict, a bad token", INTAKE_SINGLE, STRICT, "[{},{\"a\":NaN},{}]", STATUS_MALFORMED_JSON,
	 1, 0, false, "unexpected character at byte offset 9"},
	{"all bad", INTAKE_BATCH, "", "[1,\"x\",null]", STATUS_BATCH_REJECTED, 0, 3, false,
	 "item index 0: not an object at byte offset 1; 3 of 3 items are bad"},
	{"strict, one bad", INTAKE_BATCH, STRICT, "[{},{},[1]]", STATUS_BATCH_REJECTED, 2, 1, false,
	 "item index 2: not an object at byte offset 7; 1 of 3 items are bad"},
	{"strict, a bad line", INTAKE_BATCH, NDJSON STRICT, "{}\n{\"a\":}\n", STATUS_BATCH_REJECTED,
	 1, 1, false, "item index 1:"},
	{"strict, all good", INTAKE_BATCH, STRICT, "[{},{}]", STATUS_OK, 2, 0, false, NULL},
	{"strict, a single bad one", INTAKE_SINGLE, STRICT, "{\"a\":123456789}",
	 STATUS_NUMBER_TOO_LARGE, 0, 1, true, "at byte offset 5"},
	/* Items: max - 1, max, max + 1. */
	{"4 items", INTAKE_BATCH, "", "[{},{},{},{}]", STATUS_OK, 4, 0, false, NULL},
	{"5 items", INTAKE_BATCH, "", "[{},{},{},{},{}]", STATUS_OK, 5, 0, false, NULL},
	{"6 items", INTAKE_BATCH, "", "[{},{},{},{},{},{}]", STATUS_TOO_MANY_ITEMS, 5, 0, false,
	 "at byte offset 16"},
	{"6 bad items", INTAKE_SINGLE, "", "[1,1,1,1,1,1]", STATUS_TOO_MANY_ITEMS, 0, 5, false,
	 "at byte offset 11"},
	{"6 lines", INTAKE_BATCH, NDJSON, "{}\n{}\n{}\n{}\n{}\n{}\n", STATUS_TOO_MANY_ITEMS, 5, 0,
	 false, "at byte offset 15"},
};

START_TEST(bodies_are_read)
{
	const struct body *body = &bodies[_i];

	read_body(body->kind, body->variables, slice_of(body->text));
	ck_assert_msg(intake.body_status == body->status, "%s: %s", body->name,
		      status_name(intake.body_status));
	ck_assert_uint_eq(intake.accepted, body->accepted);
	ck_assert_uint_eq(intake.rejected, body->rejected);
	ck_assert_int_eq(intake.single, body->single);
	if (body->detail == NULL)
		ck_assert(body->status == STATUS_OK || intake.detail == NULL);
	else
		ck_assert_msg(intake.detail != NULL && strstr(intake.detail, body->detail) != NULL,
			      "%s: %s", body->name, intake.detail);
	/* The member always goes on, to be authenticated; with signals only if they are to be
	 * stored. */
	bool ready = body->status == STATUS_OK && body->kind != INTAKE_PRODUCT_ORGS;
	ck_assert_uint_eq(intake.commit.item_count, ready ? body->accepted : 0);
	drop();
}
END_TEST

/* {"a":"xxx"} of n bytes. */
static void add_item(struct buf *out, size_t n)
{
	buf_add_text(out, "{\"a\":\"");
	for (size_t i = 8; i < n; i++)
		buf_add_char(out, 'x');
	buf_add_text(out, "\"}");
}

static void add_blanks(struct buf *out, size_t until)
{
	while (out->n < until)
		buf_add_char(out, ' ');
}

/* ---- what becomes of the items ---- */

static void check_slice(struct slice slice, const char *expected)
{
	ck_assert_msg(slice_equal(slice, slice_of(expected)), "\"%.*s\", not \"%s\"", (int)slice.n,
		      slice.p, expected);
	ck_assert_int_eq(slice.p == NULL, expected == NULL);
}

START_TEST(items_become_signals_in_order)
{
	static const char text[] =
		"[{\"email\":\"A@x.example\"}, 7,\n{\"source\":\"crm\",\"z\":\"\\u0000\"},{}]";

	read_body(INTAKE_SINGLE, "", slice_of(text));
	ck_assert_uint_eq(intake.commit.item_count, 3);
	ck_assert_ptr_eq(intake.commit.signals, intake.signals);
	const struct signal *signals = intake.signals;
	check_slice(signals[0].payload, "{\"email\":\"A@x.example\"}");
	check_slice(signals[0].payload_raw, NULL);
	check_slice(signals[0].email, "a@x.example");
	check_slice(signals[0].source, "generic");
	ck_assert(!signals[0].cold);
	check_slice(signals[1].payload, "{\"source\":\"crm\",\"z\":\"\xef\xbf\xbd\"}");
	check_slice(signals[1].payload_raw, "{\"source\":\"crm\",\"z\":\"\\u0000\"}");
	check_slice(signals[1].source, "crm");
	ck_assert(signals[1].cold);
	check_slice(signals[2].payload, "{}");
	ck_assert_uint_eq(intake.items[0].index, 0);
	ck_assert_uint_eq(intake.items[1].index, 2);
	ck_assert_uint_eq(intake.items[2].index, 3);
	ck_assert_ptr_nonnull(intake.errors);
	ck_assert_uint_eq(intake.errors->index, 1);
	ck_assert_uint_eq(intake.errors->offset, 26);
	ck_assert_int_eq(intake.errors->status, STATUS_NOT_AN_OBJECT);
	ck_assert_ptr_null(intake.errors->next);
	drop();
}
END_TEST

START_TEST(a_given_source_comes_first)
{
	static const char text[] = "{\"source\":\"crm\"}";

	read_body(INTAKE_SINGLE, _i == 0 ? "HTTP_X_SOURCE=web\0" : "", slice_of(text));
	check_slice(intake.signals[0].source, _i == 0 ? "web" : "crm");
	drop();
}
END_TEST

/* What stands beside the items is kept beside their payloads, wherever it stands, and is the
 * default for their columns. */
START_TEST(envelopes_give_defaults)
{
	static const char *const texts[] = {
		"{\"timestamp\":\"2026-01-02T03:04:05Z\",\"context\":{\"ip\":\"::1\",\"traits\":{\"email\":\"E@b.co\"}},"
		"\"n\\u0061me\":[1, 2],"
		"\"batch\":[{\"a\":1},{\"timestamp\":\"2026-01-02\",\"context\":null},{}]}",
		"{\"events\":[{\"a\":1},{\"timestamp\":\"2026-01-02\",\"context\":null},{}],"
		"\"timestamp\":\"2026-01-02T03:04:05Z\",\"context\":{\"ip\":\"::1\",\"traits\":{\"email\":\"E@b.co\"}},"
		"\"n\\u0061me\":[1, 2]}",
	};

	read_body(INTAKE_BATCH, "", slice_of(texts[_i]));
	ck_assert_int_eq(intake.body_status, STATUS_OK);
	ck_assert_uint_eq(intake.commit.item_count, 3);
	check_slice(intake.commit.envelope,
		    "{\"timestamp\":\"2026-01-02T03:04:05Z\",\"context\":{\"ip\":\"::1\","
		    "\"traits\":{\"email\":\"E@b.co\"}},\"n\\u0061me\":[1, 2]}");
	check_slice(intake.signals[0].payload, "{\"a\":1}");
	check_slice(intake.signals[1].payload, "{\"timestamp\":\"2026-01-02\",\"context\":null}");
	check_slice(intake.signals[2].payload, "{}");
	ck_assert(intake.signals[0].occurred_at_us == INT64_C(1767323045000000));
	ck_assert(intake.signals[1].occurred_at_us == INT64_C(1767312000000000));
	ck_assert(intake.signals[2].occurred_at_us == INT64_C(1767323045000000));
	for (int i = 0; i < 3; i++) {
		ck_assert(intake.signals[i].in_envelope);
		check_slice(intake.signals[i].email, "e@b.co");
	}
	drop();
}
END_TEST

/* Without the presented key, and repaired as a payload is. */
START_TEST(envelopes_are_cleaned)
{
	struct buf text = buf_make(BUF_BYTES);

	buf_add_format(
		&text,
		"{\"writeKey\":\"%s\",\"batch\":[{}],\"a\":\"\\u0000\",\"writeKey\":\"other\"}",
		key);
	read_body(INTAKE_BATCH, "", buf_slice(&text));
	check_slice(intake.commit.envelope,
		    "{\"writeKey\":\"sk_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\","
		    "\"a\":\"\xef\xbf\xbd\",\"writeKey\":\"other\"}");
	drop();
	buf_free(&text);
	read_body(INTAKE_BATCH, "", SLICE("[{}]"));
	check_slice(intake.commit.envelope, NULL);
	drop();
}
END_TEST

/* A large envelope for many small items must not fill the database: the first items have it. */
START_TEST(envelopes_are_kept_up_to_the_bodys_limit)
{
	static const size_t sizes[] = {480, 490, 650, 2000 - 34};
	static const size_t kept[] = {4, 4, 3, 1};
	struct buf text = buf_make(BUF_BYTES);
	size_t count = 0;

	config.batch_body_bytes = SINGLE_BYTES;
	buf_add_text(&text, "{\"batch\":[{},{},{},{}],\"c\":");
	add_item(&text, sizes[_i]);
	buf_add_char(&text, '}');
	config.batch_body_bytes = (int64_t)(text.n < SINGLE_BYTES ? SINGLE_BYTES : text.n);
	read_body(INTAKE_BATCH, "", buf_slice(&text));
	ck_assert_int_eq(intake.body_status, STATUS_OK);
	ck_assert_uint_eq(intake.commit.item_count, 4);
	while (count < 4 && intake.signals[count].in_envelope)
		count++;
	ck_assert_uint_eq(count, kept[_i]);
	drop();
	buf_free(&text);
}
END_TEST

#define QUEUED "{\"originalTimestamp\":\"2026-01-02T03:05:04Z\"}"

/* Bad items, too, keep what stood beside them, of large envelopes the first ones. */
START_TEST(envelopes_of_bad_items)
{
	static const char *const texts[] = {"{\"sentAt\":1,\"batch\":[{},7,8]}",
					    "{\"batch\":[7,8],\"sentAt\":1}"};

	config.batch_body_bytes = SINGLE_BYTES;
	read_body(INTAKE_BATCH, "", slice_of(texts[_i]));
	ck_assert_int_eq(intake.body_status, _i == 0 ? STATUS_OK : STATUS_BATCH_REJECTED);
	check_slice(intake.commit.envelope, "{\"sentAt\":1}");
	ck_assert_uint_eq(intake.commit.reject_count, 2);
	ck_assert(intake.commit.rejects[0].in_envelope && intake.commit.rejects[1].in_envelope);
	intake.envelope_bytes_left = 0;
	ck_assert_int_eq(intake_keep(&intake, SLICE_ABSENT, true), STATUS_OK);
	ck_assert(intake.commit.rejects[0].in_envelope && !intake.commit.rejects[1].in_envelope);
	drop();
}
END_TEST

/* PostHog's name of it. */
START_TEST(sent_at_beside_the_array)
{
	static const char *const texts[] = {
		"{\"sent_at\":\"2026-01-02T03:05:05Z\",\"batch\":[" QUEUED "]}",
		"{\"sent_at\":7,\"batch\":[" QUEUED "],\"sentAt\":\"2026-01-02T03:05:05Z\"}",
		QUEUED,
		QUEUED,
	};
	static const char *const item_envelopes[] = {
		NULL, NULL, "{\"sent_at\": \"2026-01-02T03:05:05Z\"}",
		"{\"sentAt\": \"2026-01-02T03:05:05Z\", \"sent_at\": 7}"};

	request(INTAKE_SINGLE, "");
	intake.is_item = item_envelopes[_i] != NULL;
	intake.item_envelope = slice_of(item_envelopes[_i]);
	intake.given.received_us = INT64_C(1767409505000000);
	ck_assert_int_eq(intake_body(&intake, slice_of(texts[_i]), BUF_BYTES), STATUS_OK);
	ck_assert_int_eq(intake.body_status, STATUS_OK);
	ck_assert_int_eq(intake.signals[0].occurred_at_us, INT64_C(1767409504000000));
	drop();
}
END_TEST

/* A bad item that is repaired and read again has what stood beside it. */
START_TEST(an_item_is_read_with_its_envelope)
{
	static const char envelope[] =
		"{\"context\": {\"traits\": {\"email\": \"E@b.co\"}}, \"a\": {\"sentAt\": 7},"
		" \"sentAt\": \"2026-01-02T03:05:05Z\", \"timestamp\": \"2026-01-02T03:04:05Z\"}";
	static const struct {
		const char *text;
		int64_t occurred_at_us;
	} items[] = {
		{"{}", INT64_C(1767323045000000)},
		{QUEUED, INT64_C(1767409504000000)},
	};

	request(INTAKE_SINGLE, "");
	intake.is_item = true;
	intake.item_envelope = SLICE(envelope);
	intake.given.received_us = INT64_C(1767409505000000);
	ck_assert_int_eq(intake_body(&intake, slice_of(items[_i].text), BUF_BYTES), STATUS_OK);
	ck_assert_int_eq(intake.body_status, STATUS_OK);
	check_slice(intake.commit.envelope, envelope);
	ck_assert(intake.signals[0].in_envelope);
	check_slice(intake.signals[0].email, "e@b.co");
	ck_assert_int_eq(intake.signals[0].occurred_at_us, items[_i].occurred_at_us);
	drop();
}
END_TEST

/* A text in which # stands for the key; in the result, for the crossed out one. */
static struct buf with_key(const char *text, const char *its_key)
{
	struct buf out = buf_make(BUF_BYTES);

	for (; *text != '\0'; text++) {
		if (*text == '#')
			buf_add_text(&out, its_key);
		else
			buf_add_char(&out, *text);
	}
	return out;
}

static void cross_out_text(char *text)
{
	memset(text, 'x', CREDENTIAL_KEY_CHARS);
	memcpy(text, "sk_", 3);
	text[CREDENTIAL_KEY_CHARS] = '\0';
}

/* The presented key is not stored, wherever a payload or its envelope holds it. */
START_TEST(the_presented_key_is_crossed_out_of_payloads)
{
	static const char *const texts[][2] = {
		{"[{\"writeKey\":\"#\",\"a\":1}]", "{\"writeKey\":\"#\",\"a\":1}"},
		{"{\"context\":{\"page\":{\"url\":\"https://x.example/#?a\"}}}",
		 "{\"context\":{\"page\":{\"url\":\"https://x.example/#?a\"}}}"},
		{"{\"messageId\":\"#\",\"#\":[[\"x#\"]]}",
		 "{\"messageId\":\"#\",\"#\":[[\"x#\"]]}"},
	};
	struct buf text = with_key(texts[_i][0], key);
	char crossed_out[CREDENTIAL_KEY_CHARS + 1];

	cross_out_text(crossed_out);
	struct buf payload = with_key(texts[_i][1], crossed_out);
	read_body(INTAKE_SINGLE, "", buf_slice(&text));
	ck_assert_uint_eq(intake.commit.item_count, 1);
	ck_assert(slice_equal(intake.signals[0].payload, buf_slice(&payload)));
	if (_i == 2)
		ck_assert(slice_equal(intake.signals[0].message_id, slice_of(crossed_out)));
	ck_assert(intake.key_was_found);
	drop();
	buf_free(&payload);
	buf_free(&text);
}
END_TEST

/* In a form it may be escaped twice. */
START_TEST(the_presented_key_is_crossed_out_of_forms)
{
	struct buf text = buf_make(BUF_BYTES);

	buf_add_format(&text, "payload={\"a\":\"%%5Cu0073k_%s\"}", key + 3);
	read_body(INTAKE_SINGLE, FORM, buf_slice(&text));
	ck_assert_uint_eq(intake.commit.item_count, 1);
	ck_assert(slice_starts(intake.signals[0].payload, SLICE("{\"a\":\"\\u0073k_xxxxxxxxxx")));
	drop();
	buf_free(&text);
}
END_TEST

/* Fields of one name are an array, in the order of the body. */
START_TEST(forms_become_json)
{
	static const char *const forms[][2] = {
		{"a=1", "{\"a\":\"1\"}"},
		{"b=x+y&ab=2&a=3", "{\"a\":\"3\",\"ab\":\"2\",\"b\":\"x y\"}"},
		{"b=3&a=%22&b=1&b=&c=", "{\"a\":\"\\\"\",\"b\":[\"3\",\"1\",\"\"],\"c\":\"\"}"},
		{"=1", "{\"\":\"1\"}"},
		/* What was JSON before it became a form. */
		{"payload=%20{%22a%22:1}", " {\"a\":1}"},
		{"%7B%22a%22:1%7D", "{\"a\":1}"},
		{"payload=1", "{\"payload\":\"1\"}"},
		{"payload={", "{\"payload\":\"{\"}"},
		{"word", "{\"word\":\"\"}"},
		{"other={}", "{\"other\":\"{}\"}"},
		/* How Mandrill asks whether a URL is there. */
		{"mandrill_events=%5B%5D", "{\"mandrill_events\":\"[]\"}"},
		{"data=+[+]+", "{\"data\":\" [ ] \"}"},
		{"data={}&x=1", "{\"data\":\"{}\",\"x\":\"1\"}"},
	};

	read_body(INTAKE_SINGLE, FORM, slice_of(forms[_i][0]));
	ck_assert_int_eq(intake.body_status, STATUS_OK);
	check_slice(intake.plain, forms[_i][1]);
	ck_assert(intake.single);
	drop();
}
END_TEST

START_TEST(a_form_is_as_large_as_a_single_request)
{
	struct buf text = buf_make(BUF_BYTES);

	buf_add_text(&text, "data=[{}]");
	add_blanks(&text, SINGLE_BYTES);
	read_body(INTAKE_BATCH, FORM, buf_slice(&text));
	ck_assert_int_eq(intake.body_status, STATUS_OK);
	drop();
	buf_add_char(&text, ' ');
	read_body(INTAKE_BATCH, FORM, buf_slice(&text));
	ck_assert_int_eq(intake.body_status, STATUS_TOO_LARGE);
	drop();
	buf_free(&text);
}
END_TEST

/* CloudEvents whose attributes are headers; without a version they are another sender's. */
START_TEST(events_with_attributes_in_headers)
{
	static const struct {
		const char *variables, *type, *name, *time;
	} rows[] = {
		{"HTTP_CE_SPECVERSION=1.0\0HTTP_CE_TYPE=order.paid\0HTTP_CE_SUBJECT=o/1\0"
		 "HTTP_CE_TIME=2026-01-02T03:04:05Z\0",
		 "order.paid", "o/1", "2026-01-02T03:04:05Z"},
		{"HTTP_CE_SPECVERSION=1.0\0HTTP_CE_TYPE=a\0", "a", NULL, NULL},
		{"HTTP_CE_SPECVERSION=1.0\0HTTP_CE_TYPE=a\0HTTP_CE_TYPE=b\0HTTP_CE_SUBJECT=\xc3\xa9\0",
		 NULL, NULL, NULL},
		{"HTTP_CE_SPECVERSION=\0HTTP_CE_TYPE=a\0", NULL, NULL, NULL},
		{"HTTP_CE_TYPE=a\0HTTP_CE_TIME=2026-01-02T03:04:05Z\0", NULL, NULL, NULL},
	};

	request(INTAKE_SINGLE, rows[_i].variables);
	ck_assert_int_eq(intake_head(&intake), STATUS_OK);
	check_slice(intake.given.event_type, rows[_i].type);
	check_slice(intake.given.event_name, rows[_i].name);
	check_slice(intake.given.time, rows[_i].time);
	drop();
}
END_TEST

START_TEST(the_presented_key_is_crossed_out_of_headers)
{
	struct buf variables = buf_make(BUF_BYTES);
	char crossed_out[CREDENTIAL_KEY_CHARS + 1];

	buf_add_format(&variables,
		       "HTTP_X_SOURCE=%s%cHTTP_IDEMPOTENCY_KEY=a %s%cHTTP_CE_SPECVERSION=1.0%c"
		       "HTTP_CE_TYPE=%s%cHTTP_CE_SUBJECT=%s%c%c",
		       key, 0, key, 0, 0, key, 0, key, 0, 0);
	cross_out_text(crossed_out);
	request(INTAKE_SINGLE, variables.p);
	ck_assert_int_eq(intake_head(&intake), STATUS_OK);
	check_slice(intake.given_source, crossed_out);
	ck_assert_uint_eq(intake.given_id.n, CREDENTIAL_KEY_CHARS + 2);
	ck_assert(slice_starts(intake.given_id, SLICE("a sk_xxxxx")));
	check_slice(intake.given.event_type, crossed_out);
	check_slice(intake.given.event_name, crossed_out);
	drop();
	buf_free(&variables);
}
END_TEST

/* The last line's end is known only by the body's end; its text must live on all the same. */
START_TEST(the_last_line_stays_readable)
{
	static const char *const texts[] = {"{\"a\":1}\n{\"email\":\"b@x.example\"}",
					    "{\"a\":1}\n{\"email\":\"b@x.example\"}\n",
					    "{\"a\":1}\n{\"email\":\"b@x.example\"}\r\n\r\n"};

	read_body(INTAKE_BATCH, NDJSON, slice_of(texts[_i]));
	ck_assert_uint_eq(intake.commit.item_count, 2);
	check_slice(intake.signals[0].payload, "{\"a\":1}");
	check_slice(intake.signals[1].payload, "{\"email\":\"b@x.example\"}");
	check_slice(intake.signals[1].email, "b@x.example");
	drop();
}
END_TEST

/* The arrays grow; what was in them stays. */
START_TEST(many_items_keep_their_places)
{
	enum { MANY = 1000 };
	struct buf text = buf_make(BUF_BYTES);

	config.batch_items = MANY;
	config.batch_body_bytes = BUF_BYTES;
	buf_add_char(&text, '[');
	for (int i = 0; i < MANY; i++)
		buf_add_format(&text, "%s{\"userId\":%d}", i == 0 ? "" : ",", i + 1);
	buf_add_char(&text, ']');
	read_body(INTAKE_BATCH, "", buf_slice(&text));
	ck_assert_uint_eq(intake.commit.item_count, MANY);
	for (int i = 0; i < MANY; i++) {
		struct buf expected = buf_make(16);
		buf_add_format(&expected, "%d", i + 1);
		ck_assert(slice_equal(intake.signals[i].user_id, buf_slice(&expected)));
		ck_assert_uint_eq(intake.items[i].index, (uint64_t)i);
		intake.commit.results[i].id = i; /* there is room for each */
		buf_free(&expected);
	}
	drop();
	buf_free(&text);
}
END_TEST

/* ---- sizes ---- */

/* Single signals and batches have limits of their own, whichever path they came by. */
static const struct limited {
	enum intake_kind kind;
	const char *variables, *text;
	size_t most;
} limited[] = {
	{INTAKE_SINGLE, "", "{}", SINGLE_BYTES},
	{INTAKE_SINGLE, "", "\xef\xbb\xbf \t\r\n{}", SINGLE_BYTES},
	{INTAKE_SINGLE, "", "[{}]", BATCH_BYTES},
	{INTAKE_SINGLE, "", "\xef\xbb\xbf \t\r\n[{}]", BATCH_BYTES},
	{INTAKE_SINGLE, NDJSON, "{}\n", BATCH_BYTES},
	{INTAKE_SINGLE, "", "{\"batch\":[{}]}", BATCH_BYTES},
	{INTAKE_SINGLE, "", "{\"batch\":[]}", SINGLE_BYTES},
	{INTAKE_BATCH, "", "[{}]", BATCH_BYTES},
	{INTAKE_BATCH, "", "{\"batch\":[{}]}", BATCH_BYTES},
};

START_TEST(bodies_are_limited)
{
	const struct limited *is = &limited[_i];

	for (size_t n = is->most - 1; n <= is->most + 1; n++) {
		struct buf text = buf_make(BUF_BYTES);
		buf_add_text(&text, is->text);
		add_blanks(&text, n);
		read_body(is->kind, is->variables, buf_slice(&text));
		ck_assert_msg(intake.body_status == (n <= is->most ? STATUS_OK : STATUS_TOO_LARGE),
			      "%s: %s", is->text, status_name(intake.body_status));
		ck_assert_uint_eq(intake.commit.item_count, n <= is->most ? 1 : 0);
		drop();
		buf_free(&text);
	}
}
END_TEST

START_TEST(items_are_limited)
{
	for (size_t n = ITEM_BYTES - 1; n <= ITEM_BYTES + 1; n++) {
		bool fits = n <= ITEM_BYTES;
		struct buf text = buf_make(BUF_BYTES);
		if (_i == 1)
			buf_add_text(&text, "[{},");
		add_item(&text, n);
		if (_i == 1)
			buf_add_text(&text, "]");
		read_body(INTAKE_SINGLE, "", buf_slice(&text));
		if (_i == 0) {
			ck_assert_int_eq(intake.body_status,
					 fits ? STATUS_OK : STATUS_ITEM_TOO_LARGE);
		} else {
			ck_assert_int_eq(intake.body_status, STATUS_OK);
			ck_assert_uint_eq(intake.accepted, fits ? 2 : 1);
			ck_assert_int_eq(intake.errors == NULL, fits);
			ck_assert(fits || intake.errors->status == STATUS_ITEM_TOO_LARGE);
		}
		drop();
		buf_free(&text);
	}
}
END_TEST

/* ---- compressed ---- */

static struct buf compress_text(struct slice text)
{
	struct buf out = buf_make(BUF_BYTES);
	z_stream zlib = {0};
	unsigned char *input = malloc(text.n + 1);

	ck_assert_ptr_nonnull(input);
	if (text.n > 0)
		memcpy(input, text.p, text.n);
	ck_assert_int_eq(deflateInit2(&zlib, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, 0), Z_OK);
	zlib.next_in = input;
	zlib.avail_in = (uInt)text.n;
	zlib.avail_out = (uInt)deflateBound(&zlib, text.n);
	zlib.next_out = (unsigned char *)buf_reserve(&out, zlib.avail_out);
	ck_assert_ptr_nonnull(zlib.next_out);
	ck_assert_int_eq(deflate(&zlib, Z_FINISH), Z_STREAM_END);
	out.n = zlib.total_out;
	ck_assert_int_eq(deflateEnd(&zlib), Z_OK);
	free(input);
	return out;
}

#define GZIP "HTTP_CONTENT_ENCODING=gzip\0"

/* By header, or by its first bytes alone. */
START_TEST(gzip_is_read)
{
	static const char *const variables[] = {GZIP, "", "HTTP_CONTENT_ENCODING=x-gzip\0",
						"HTTP_CONTENT_ENCODING=identity\0"};
	struct buf body = compress_text(SLICE("[{\"email\":\"a@x.example\"},{}]"));

	read_body(INTAKE_SINGLE, variables[_i], buf_slice(&body));
	ck_assert_int_eq(intake.body_status, STATUS_OK);
	ck_assert_uint_eq(intake.commit.item_count, 2);
	/* The signals do not lie in the received bytes. */
	buf_free(&body);
	check_slice(intake.signals[0].payload, "{\"email\":\"a@x.example\"}");
	check_slice(intake.signals[0].email, "a@x.example");
	drop();
}
END_TEST

static const struct {
	const char *name;
	struct slice body;
	enum status status;
} codings[] = {
	{"plain", {"nothing", 7}, STATUS_MALFORMED_CODING},
	{"nothing", {"", 0}, STATUS_MALFORMED_CODING},
	{"the magic alone", {"\x1f\x8b", 2}, STATUS_MALFORMED_CODING},
	{"half of it", {"\x1f", 1}, STATUS_MALFORMED_CODING},
	{"nonsense", {"\x1f\x8b\x08\0\0\0\0\0\0\x03nonsense", 18}, STATUS_MALFORMED_CODING},
};

START_TEST(broken_gzip_is_told)
{
	read_body(INTAKE_SINGLE, GZIP, codings[_i].body);
	ck_assert_msg(intake.body_status == codings[_i].status, "%s: %s", codings[_i].name,
		      status_name(intake.body_status));
	ck_assert_uint_eq(intake.commit.item_count, 0);
	drop();
}
END_TEST

START_TEST(cut_gzip_is_told)
{
	struct buf body = compress_text(SLICE("[{\"a\":1},{\"a\":2}]"));

	for (size_t n = 2; n < body.n; n++) {
		read_body(INTAKE_SINGLE, _i == 0 ? GZIP : "", (struct slice){body.p, n});
		ck_assert_int_eq(intake.body_status, STATUS_MALFORMED_CODING);
		ck_assert_uint_eq(intake.commit.item_count, 0);
		drop();
	}
	buf_free(&body);
}
END_TEST

/*
 * plain_max is what the loop lets a body grow to: beyond it a child must take over, unless it is
 * beyond the request's limit as well, which nobody takes.
 */
START_TEST(decompressed_bodies_are_limited)
{
	static const size_t sizes[] = {PLAIN_BYTES - 1,	 PLAIN_BYTES,  PLAIN_BYTES + 1,
				       SINGLE_BYTES - 1, SINGLE_BYTES, SINGLE_BYTES + 1};

	for (int i = 0; i < LENGTH(sizes); i++) {
		struct buf text = buf_make(BUF_BYTES);
		buf_add_text(&text, "{}");
		add_blanks(&text, sizes[i]);
		struct buf body = compress_text(buf_slice(&text));
		/* In the loop. */
		request(INTAKE_SINGLE, "");
		ck_assert_int_eq(intake_head(&intake), STATUS_OK);
		enum status status = intake_body(&intake, buf_slice(&body), PLAIN_BYTES);
		ck_assert_int_eq(status, sizes[i] <= PLAIN_BYTES ? STATUS_OK : STATUS_LARGE);
		if (status == STATUS_LARGE) {
			ck_assert_uint_eq(intake.commit.item_count, 0);
			ck_assert_ptr_null(intake.decoded.p);
			/* In the child, with the same intake. */
			status = intake_body(&intake, buf_slice(&body), BUF_BYTES);
			ck_assert_int_eq(status, STATUS_OK);
		}
		ck_assert_int_eq(intake.body_status,
				 sizes[i] <= SINGLE_BYTES ? STATUS_OK : STATUS_TOO_LARGE);
		ck_assert_uint_eq(intake.commit.item_count, sizes[i] <= SINGLE_BYTES ? 1 : 0);
		drop();
		buf_free(&body);
		buf_free(&text);
	}
}
END_TEST

START_TEST(a_bomb_is_refused)
{
	struct buf text = buf_make(BUF_BYTES);

	add_blanks(&text, BUF_BYTES / 2);
	struct buf body = compress_text(buf_slice(&text));
	ck_assert_uint_le(body.n, SINGLE_BYTES);
	read_body(INTAKE_SINGLE, GZIP, buf_slice(&body));
	ck_assert_int_eq(intake.body_status, STATUS_TOO_LARGE);
	drop();
	buf_free(&body);
	buf_free(&text);
}
END_TEST

/* ---- what is kept of what is bad ---- */

static const struct kept {
	const char *name;
	enum intake_kind kind;
	const char *variables;
	const char *text;
	size_t count;
	/* of the last one */
	int64_t position;
	const char *kept_kind;
	enum status status;
	const char *detail;
	const char *payload; /* NULL: all of the body */
} kept[] = {
	{"a good one", INTAKE_SINGLE, "", "{}", 0, 0, NULL, STATUS_OK, NULL, NULL},
	{"good ones", INTAKE_BATCH, "", "[{},{}]", 0, 0, NULL, STATUS_OK, NULL, NULL},
	/* Items. */
	{"one of two", INTAKE_SINGLE, "", "[{}, 17 ]", 1, 1, "item", STATUS_NOT_AN_OBJECT,
	 "not an object at byte offset 5", "17"},
	{"two of three", INTAKE_BATCH, "", "{\"batch\":[1,{},[2]]}", 2, 2, "item",
	 STATUS_NOT_AN_OBJECT, "not an object at byte offset 15", "[2]"},
	{"a bad token", INTAKE_SINGLE, "", "[{},{\"a\":NaN},{}]", 1, 1, "item",
	 STATUS_MALFORMED_JSON, "unexpected character at byte offset 9", "{\"a\":NaN}"},
	{"a line", INTAKE_SINGLE, NDJSON, "{}\n{\"a\":}\n{}", 1, 1, "item", STATUS_MALFORMED_JSON,
	 "unexpected character at byte offset 8", "{\"a\":}"},
	{"the last line", INTAKE_BATCH, NDJSON, "{}\n{\"a\":", 1, 1, "item", STATUS_MALFORMED_JSON,
	 "unexpected end at byte offset 8", "{\"a\":"},
	{"all", INTAKE_BATCH, "", "[1,\"x\"]", 2, 1, "item", STATUS_NOT_AN_OBJECT,
	 "not an object at byte offset 3", "\"x\""},
	{"a single one", INTAKE_SINGLE, "", " {\"a\":1e99} ", 1, -1, "single",
	 STATUS_NUMBER_TOO_LARGE, "exponent too large at byte offset 6", "{\"a\":1e99}"},
	/* Bodies. */
	{"broken", INTAKE_SINGLE, "", "{\"a\":}", 1, -1, "single", STATUS_MALFORMED_JSON,
	 "unexpected character at byte offset 5", NULL},
	{"broken behind", INTAKE_BATCH, "", "[{},1,}", 1, -1, "batch", STATUS_MALFORMED_JSON,
	 "unexpected character at byte offset 6", NULL},
	{"no batch", INTAKE_BATCH, "", "{\"a\":1}", 1, -1, "batch", STATUS_NOT_A_BATCH,
	 "no array \"batch\", \"signals\" or \"events\" in the object at byte offset 0", NULL},
	{"a number", INTAKE_SINGLE, "", "1", 1, -1, "single", STATUS_NOT_AN_OBJECT,
	 "not an object at byte offset 0", NULL},
	{"too many", INTAKE_SINGLE, "", "[1,{},1,{},1,{}]", 1, -1, "single", STATUS_TOO_MANY_ITEMS,
	 "too many items at byte offset 13", NULL},
	{"too many lines", INTAKE_SINGLE, NDJSON, "1\n2\n3\n4\n5\n6", 1, -1, "lines",
	 STATUS_TOO_MANY_ITEMS, "too many items at byte offset 10", NULL},
	{"no gzip", INTAKE_BATCH, "HTTP_CONTENT_ENCODING=gzip\0", "nothing", 1, -1, "batch",
	 STATUS_MALFORMED_CODING, "The compressed bytes are damaged or end too early.", NULL},
	{"damaged gzip", INTAKE_BATCH, "", "\x1f\x8b\x08nonsense", 1, -1, "batch",
	 STATUS_MALFORMED_CODING, "The compressed bytes are damaged or end too early.", NULL},
	{"another coding", INTAKE_SINGLE, "HTTP_CONTENT_ENCODING=br\0", "\x0b\x01\x80", 1, -1,
	 "single", STATUS_UNSUPPORTED_CODING,
	 "Send the body uncompressed, or with gzip or deflate.", NULL},
	{"XML", INTAKE_SINGLE, "CONTENT_TYPE=text/xml\0", "<a/>", 1, -1, "single",
	 STATUS_UNSUPPORTED_MEDIA_TYPE, "Send JSON, NDJSON, or a form without files, in UTF-8.",
	 NULL},
	{"a file in a form", INTAKE_SINGLE, MULTIPART,
	 "--x\nContent-Disposition: form-data; name=a; filename=b\n\n{}\n--x--", 1, -1, "single",
	 STATUS_UNSUPPORTED_MEDIA_TYPE, "a part of the form is a file", NULL},
	{"a broken envelope", INTAKE_SINGLE, "", "{\"batch\":[{}", 1, -1, "single",
	 STATUS_MALFORMED_JSON, "unexpected end at byte offset 12", NULL},
	{"a bad token in an envelope", INTAKE_SINGLE, "", "{\"batch\":[{},NaN]}", 1, 1, "item",
	 STATUS_MALFORMED_JSON, "unexpected character at byte offset 13", "NaN"},
	{"a bad line without a label", INTAKE_SINGLE, "", "{}\n{\"a\":}", 1, 1, "item",
	 STATUS_MALFORMED_JSON, "unexpected character at byte offset 8", "{\"a\":}"},
	/* Nothing is lost. */
	{"nothing", INTAKE_SINGLE, "", "", 0, 0, NULL, STATUS_OK, NULL, NULL},
	{"blanks", INTAKE_BATCH, NDJSON, " \n", 0, 0, NULL, STATUS_OK, NULL, NULL},
	{"an empty batch", INTAKE_BATCH, "", "[]", 0, 0, NULL, STATUS_OK, NULL, NULL},
	{"no gzip at all", INTAKE_BATCH, "HTTP_CONTENT_ENCODING=gzip\0", "", 0, 0, NULL, STATUS_OK,
	 NULL, NULL},
	/* Strictness keeps nothing. */
	{"strict, one of two", INTAKE_BATCH, STRICT, "[{},1]", 0, 0, NULL, STATUS_OK, NULL, NULL},
	{"strict, all", INTAKE_BATCH, STRICT, "[1]", 0, 0, NULL, STATUS_OK, NULL, NULL},
	{"strict, single", INTAKE_SINGLE, STRICT, "{\"a\":1e99}", 0, 0, NULL, STATUS_OK, NULL,
	 NULL},
	{"strict, broken", INTAKE_BATCH, STRICT, "[", 0, 0, NULL, STATUS_OK, NULL, NULL},
};

/* In what is kept, where the detail says it is in the body; -1 if it does not say. */
static int64_t bad_byte_of(const struct kept *is)
{
	const char *place = strstr(is->detail, " at byte offset ");
	const char *start = is->payload == NULL ? is->text : strstr(is->text, is->payload);

	return place == NULL
		       ? -1
		       : strtoll(place + strlen(" at byte offset "), NULL, 10) - (start - is->text);
}

START_TEST(what_is_bad_is_kept)
{
	const struct kept *is = &kept[_i];
	const struct commit_request *commit = &intake.commit;

	read_body(is->kind, is->variables, slice_of(is->text));
	ck_assert_msg(commit->reject_count == is->count, "%s: %zu", is->name, commit->reject_count);
	ck_assert_int_eq(commit->reject_unstorable, !intake.strict);
	if (is->count > 0) {
		const struct commit_reject *last = &commit->rejects[is->count - 1];
		ck_assert_int_eq(last->position, is->position);
		ck_assert_str_eq(last->kind, is->kept_kind);
		ck_assert_int_eq(last->status, is->status);
		check_slice(last->detail, is->detail);
		check_slice(last->payload, is->payload == NULL ? is->text : is->payload);
		ck_assert_int_eq(last->length, (int64_t)last->payload.n);
		ck_assert_int_eq(last->bad_byte, bad_byte_of(is));
	}
	drop();
}
END_TEST

START_TEST(the_given_source_is_kept_too)
{
	static const char *const variables[] = {"HTTP_X_SOURCE=web\0", ""};

	read_body(INTAKE_SINGLE, variables[_i], SLICE("{"));
	check_slice(intake.commit.given_source, _i == 0 ? "web" : NULL);
	drop();
}
END_TEST

/* As many bytes as a single body may have, also of an item. */
START_TEST(what_is_kept_is_limited)
{
	size_t most = SINGLE_BYTES;

	for (size_t n = most - 1; n <= most + 1; n++) {
		struct buf text = buf_make(BUF_BYTES);
		size_t least = n < most ? n : most;
		if (_i == 1)
			buf_add_text(&text, "[{},");
		buf_add_char(&text, '[');
		add_blanks(&text, (_i == 1 ? 4 : 0) + n - 1);
		buf_add_text(&text, _i == 1 ? "]]" : "}");
		read_body(INTAKE_BATCH, "", buf_slice(&text));
		ck_assert_uint_eq(intake.commit.reject_count, 1);
		ck_assert_uint_eq(intake.commit.rejects->payload.n, least);
		ck_assert_int_eq(intake.commit.rejects->length, (int64_t)n);
		ck_assert_ptr_eq(intake.commit.rejects->payload.p, text.p + (_i == 1 ? 4 : 0));
		drop();
		buf_free(&text);
	}
}
END_TEST

/* Of a body over its limit the beginning is kept, as much as a single request may have. */
START_TEST(the_beginning_of_a_body_over_its_limit_is_kept)
{
	struct buf text = buf_make(BUF_BYTES);

	buf_add_text(&text, "[1,");
	add_blanks(&text, BATCH_BYTES + 1);
	struct buf body = _i == 0 ? text : compress_text(buf_slice(&text));
	read_body(INTAKE_SINGLE, _i == 0 ? "" : GZIP, buf_slice(&body));
	ck_assert_int_eq(intake.body_status, STATUS_TOO_LARGE);
	ck_assert_uint_eq(intake.commit.reject_count, 1);
	const struct commit_reject *reject = intake.commit.rejects;
	ck_assert(slice_equal(reject->payload, (struct slice){text.p, SINGLE_BYTES}));
	ck_assert_int_eq(reject->length, -1);
	ck_assert_int_eq(reject->status, STATUS_TOO_LARGE);
	/* The sender is told how much. */
	check_slice(reject->detail, intake.detail);
	ck_assert_str_eq(intake.detail, "Send it in several requests, or use the batch or bulk "
					"path. Its first 2000 bytes are kept.");
	drop();
	/* Within the limit of batches all has been read. */
	text.p[0] = '{';
	read_body(INTAKE_SINGLE, "", (struct slice){text.p, SINGLE_BYTES + 1});
	ck_assert_int_eq(intake.body_status, STATUS_TOO_LARGE);
	ck_assert_uint_eq(intake.commit.reject_count, 1);
	ck_assert_uint_eq(intake.commit.rejects->payload.n, SINGLE_BYTES);
	ck_assert_int_eq(intake.commit.rejects->length, SINGLE_BYTES + 1);
	drop();
	text.p[0] = '[';
	read_body(INTAKE_SINGLE, "", (struct slice){text.p, SINGLE_BYTES + 1});
	ck_assert_str_eq(intake.detail,
			 "unexpected end at byte offset 2001; its first 2000 bytes are kept");
	drop();
	if (_i == 1)
		buf_free(&body);
	buf_free(&text);
}
END_TEST

START_TEST(an_item_that_is_sent_again_is_no_batch)
{
	static const char *const texts[] = {"{\"batch\":[{}]}", "{}\n{}"};

	for (int item = 0; item < 2; item++) {
		request(INTAKE_SINGLE, "CONTENT_TYPE=\0");
		ck_assert_int_eq(intake_head(&intake), STATUS_OK);
		intake.is_item = item == 1;
		ck_assert_int_eq(intake_body(&intake, slice_of(texts[_i]), BUF_BYTES), STATUS_OK);
		ck_assert_int_eq(intake.single, item == 1);
		ck_assert_int_eq(intake.body_status,
				 item == 1 && _i == 1 ? STATUS_MALFORMED_JSON : STATUS_OK);
		drop();
	}
}
END_TEST

/* What the loop found and leaves to a child is kept once, by the child. */
START_TEST(a_body_that_is_read_twice_is_kept_once)
{
	struct buf text = buf_make(BUF_BYTES);

	buf_add_text(&text, "[1,{},[2]]");
	add_blanks(&text, PLAIN_BYTES + 1);
	struct buf body = compress_text(buf_slice(&text));
	request(INTAKE_SINGLE, "");
	ck_assert_int_eq(intake_head(&intake), STATUS_OK);
	ck_assert_int_eq(intake_body(&intake, buf_slice(&body), PLAIN_BYTES), STATUS_LARGE);
	ck_assert_uint_eq(intake.commit.reject_count, 0);
	ck_assert_int_eq(intake_body(&intake, buf_slice(&body), BUF_BYTES), STATUS_OK);
	ck_assert_uint_eq(intake.commit.reject_count, 2);
	check_slice(intake.commit.rejects[0].payload, "1");
	check_slice(intake.commit.rejects[1].payload, "[2]");
	drop();
	buf_free(&body);
	buf_free(&text);
}
END_TEST

START_TEST(the_presented_key_is_crossed_out)
{
	static const struct {
		const char *variables, *text, *payload;
	} rows[] = {
		{"", "[[\"#\",\"#\"],{}]", "[\"#\",\"#\"]"},
		{"", "[##]", "##"},
		{"", "[##", "[##"},
		{"", "#", "#"},
		{NDJSON, "{}\n{\"token\":\"#\",}\n", "{\"token\":\"#\",}"},
		{GZIP, "{\"writeKey\":\"#\"", "{\"writeKey\":\"#\""},
	};
	char crossed_out[CREDENTIAL_KEY_CHARS + 1];

	cross_out_text(crossed_out);
	struct buf text = with_key(rows[_i].text, key);
	struct buf payload = with_key(rows[_i].payload, crossed_out);
	bool compressed = strcmp(rows[_i].variables, GZIP) == 0;
	struct buf body = compressed ? compress_text(buf_slice(&text)) : text;
	read_body(INTAKE_SINGLE, rows[_i].variables, buf_slice(&body));
	ck_assert_uint_eq(intake.commit.reject_count, 1);
	ck_assert(slice_equal(intake.commit.rejects->payload, buf_slice(&payload)));
	/* The body itself is not written to. */
	if (!compressed)
		ck_assert_ptr_nonnull(strstr(arena_copy(&arena, buf_slice(&text)), key));
	drop();
	if (compressed)
		buf_free(&body);
	buf_free(&text);
	buf_free(&payload);
}
END_TEST

/* The body ends within the key: up to what may be shown it stays, from there on it goes. */
START_TEST(the_beginning_of_the_key_is_crossed_out)
{
	struct buf text = buf_make(BUF_BYTES);
	struct buf expected = buf_make(BUF_BYTES);

	buf_add_text(&text, "{\"writeKey\":\"");
	buf_add(&text, key, (size_t)_i);
	buf_add_slice(&expected, buf_slice(&text));
	for (int i = 3; _i > 7 && i < _i; i++)
		expected.p[expected.n - (size_t)_i + (size_t)i] = 'x';
	read_body(INTAKE_SINGLE, "", buf_slice(&text));
	ck_assert_uint_eq(intake.commit.reject_count, 1);
	ck_assert(slice_equal(intake.commit.rejects->payload, buf_slice(&expected)));
	drop();
	buf_free(&text);
	buf_free(&expected);
}
END_TEST

/* Compressed bytes with the key in them: what could be decompressed is kept instead. */
START_TEST(damaged_gzip_does_not_hide_the_key)
{
	static const char *const texts[] = {"{\"a\":\"nothing of that kind\"}",
					    "{\"writeKey\":\"#\",\"a\":\"and more of it\"}"};
	struct buf text = with_key(texts[_i], key);
	struct buf body = compress_text(buf_slice(&text));

	body.n -= 5;
	read_body(INTAKE_SINGLE, GZIP, buf_slice(&body));
	ck_assert_int_eq(intake.body_status, STATUS_MALFORMED_CODING);
	ck_assert_uint_eq(intake.commit.reject_count, 1);
	const struct commit_reject *reject = intake.commit.rejects;
	if (_i == 0) {
		ck_assert(slice_equal(reject->payload, buf_slice(&body)));
		ck_assert_int_eq(reject->length, (int64_t)body.n);
	} else {
		ck_assert(slice_starts(reject->payload, SLICE("{\"writeKey\":\"sk_xxxxxxxx")));
		ck_assert_int_eq(reject->length, -1);
	}
	drop();
	buf_free(&body);
	buf_free(&text);
}
END_TEST

/* ---- answers ---- */

/* The rows are committed, with ids from 100. */
static void commit(void)
{
	intake.commit.out.status = STATUS_ACCEPTED;
	for (size_t i = 0; i < intake.commit.item_count; i++)
		intake.commit.results[i] = (struct commit_result){.id = 100 + (int64_t)i,
								  .cold = intake.signals[i].cold};
}

static void check_answer(int status, const char *type, const char *expected)
{
	struct http_response response = http_response_make();

	intake_answer(&intake, &response);
	ck_assert_int_eq(response.status, status);
	ck_assert_str_eq(response.content_type, type);
	if (expected != NULL)
		ck_assert_msg(slice_equal(buf_slice(&response.body), slice_of(expected)),
			      "\"%.*s\"", (int)response.body.n, response.body.p);
	http_response_free(&response);
}

#define JSON	"application/json"
#define PROBLEM "application/problem+json"

static const struct {
	enum intake_kind kind;
	const char *variables;
	const char *text;
	const char *answer;
} answers[] = {
	{INTAKE_SINGLE, "", "{}",
	 "{\"id\":100,\"message\":\"Signal received and queued for processing\","
	 "\"source\":\"generic\",\"cold_storage\":true}\n"},
	{INTAKE_SINGLE, "HTTP_X_SOURCE=web\0", "{\"email\":\"a@x.example\"}",
	 "{\"id\":100,\"message\":\"Signal received and queued for processing\","
	 "\"source\":\"web\",\"cold_storage\":false}\n"},
	{INTAKE_SINGLE, "", "[{}]",
	 "{\"message\":\"1 of 1 signals received and queued for processing\",\"accepted\":1,"
	 "\"duplicates\":0,\"rejected\":0,\"results\":[{\"index\":0,\"id\":100,"
	 "\"source\":\"generic\",\"cold_storage\":true}]}\n"},
	{INTAKE_BATCH, "", "[7,{},{\"userId\":\"u\",\"source\":\"s\"},[],{}]",
	 "{\"message\":\"3 of 5 signals received and queued for processing\",\"accepted\":3,"
	 "\"duplicates\":0,\"rejected\":2,\"results\":["
	 "{\"index\":0,\"error\":{\"code\":\"not_an_object\",\"detail\":\"not an object at byte offset "
	 "1\"}},"
	 "{\"index\":1,\"id\":100,\"source\":\"generic\",\"cold_storage\":true},"
	 "{\"index\":2,\"id\":101,\"source\":\"s\",\"cold_storage\":false},"
	 "{\"index\":3,\"error\":{\"code\":\"not_an_object\",\"detail\":\"not an object at byte offset "
	 "34\"}},"
	 "{\"index\":4,\"id\":102,\"source\":\"generic\",\"cold_storage\":true}]}\n"},
	{INTAKE_BATCH, NDJSON, "{}\n7\n",
	 "{\"message\":\"1 of 2 signals received and queued for processing\",\"accepted\":1,"
	 "\"duplicates\":0,\"rejected\":1,\"results\":["
	 "{\"index\":0,\"id\":100,\"source\":\"generic\",\"cold_storage\":true},"
	 "{\"index\":1,\"error\":{\"code\":\"not_an_object\",\"detail\":\"not an object at byte offset "
	 "3\"}}]}\n"},
	/* As Amplitude's libraries send it; and what its members are beside no array, or in one. */
	{INTAKE_BATCH, "", "{\"api_key\":\"k\",\"events\":[{\"user_id\":\"u\"}],\"options\":{}}",
	 "{\"code\":202,\"message\":\"1 of 1 signals received and queued for processing\","
	 "\"accepted\":1,\"duplicates\":0,\"rejected\":0,\"results\":[{\"index\":0,\"id\":100,"
	 "\"source\":\"generic\",\"cold_storage\":false}]}\n"},
	{INTAKE_SINGLE, "", "{\"events\":[{\"user_id\":\"u\"}],\"api_key\":null}",
	 "{\"code\":202,\"message\":\"1 of 1 signals received and queued for processing\","
	 "\"accepted\":1,\"duplicates\":0,\"rejected\":0,\"results\":[{\"index\":0,\"id\":100,"
	 "\"source\":\"generic\",\"cold_storage\":false}]}\n"},
	{INTAKE_SINGLE, "", "{\"user_id\":\"u\",\"api_key\":\"k\"}",
	 "{\"id\":100,\"message\":\"Signal received and queued for processing\","
	 "\"source\":\"generic\",\"cold_storage\":false}\n"},
	{INTAKE_BATCH, "", "{\"events\":[{\"user_id\":\"u\",\"api_key\":\"k\"}]}",
	 "{\"message\":\"1 of 1 signals received and queued for processing\",\"accepted\":1,"
	 "\"duplicates\":0,\"rejected\":0,\"results\":[{\"index\":0,\"id\":100,"
	 "\"source\":\"generic\",\"cold_storage\":false}]}\n"},
	{INTAKE_BULK, "", "{\"api_key\":\"k\",\"events\":[{}]}",
	 "{\"code\":202,\"message\":\"1 of 1 signals received and queued for processing\","
	 "\"accepted\":1,\"duplicates\":0,\"rejected\":0,\"results\":[]}\n"},
	/* Only the bad ones are listed. */
	{INTAKE_BULK, "", "[{},7,{}]",
	 "{\"message\":\"2 of 3 signals received and queued for processing\",\"accepted\":2,"
	 "\"duplicates\":0,\"rejected\":1,\"results\":["
	 "{\"index\":1,\"error\":{\"code\":\"not_an_object\",\"detail\":\"not an object at byte offset "
	 "4\"}}]}\n"},
	{INTAKE_BULK, "", "[{},{}]",
	 "{\"message\":\"2 of 2 signals received and queued for processing\",\"accepted\":2,"
	 "\"duplicates\":0,\"rejected\":0,\"results\":[]}\n"},
};

START_TEST(committed_requests_are_answered)
{
	read_body(answers[_i].kind, answers[_i].variables, slice_of(answers[_i].text));
	ck_assert_int_eq(intake.body_status, STATUS_OK);
	commit();
	check_answer(202, JSON, answers[_i].answer);
	drop();
}
END_TEST

START_TEST(a_bulk_answer_lists_a_hundred_bad_items)
{
	struct http_response response = http_response_make();
	size_t listed = 0;

	request(INTAKE_BULK, "");
	ck_assert_int_eq(intake_head(&intake), STATUS_OK);
	for (int i = 0; i < _i; i++) {
		struct intake_error error = {.index = (uint64_t)i,
					     .status = STATUS_NOT_AN_OBJECT,
					     .reason = "not an object"};
		intake.rejected++;
		ck_assert_int_eq(intake_add_error(&intake, &error), STATUS_OK);
	}
	intake.accepted = 1;
	intake.commit.out.status = STATUS_ACCEPTED;
	intake_answer(&intake, &response);
	ck_assert_int_eq(response.status, 202);
	buf_add_char(&response.body, '\0');
	for (const char *p = response.body.p; (p = strstr(p, "\"index\":")) != NULL; p++)
		listed++;
	ck_assert_uint_eq(listed, (size_t)(_i < 100 ? _i : 100));
	http_response_free(&response);
	drop();
}
END_TEST

/* What the database or the body's state says, and who hears of it. */
static const struct {
	enum status commit, body;
	int http;
	enum status told;
} outcomes[] = {
	{STATUS_ACCEPTED, STATUS_MALFORMED_JSON, 400, STATUS_MALFORMED_JSON},
	{STATUS_ACCEPTED, STATUS_TOO_LARGE, 413, STATUS_TOO_LARGE},
	{STATUS_ACCEPTED, STATUS_EMPTY_BATCH, 400, STATUS_EMPTY_BATCH},
	{STATUS_UNAUTHENTICATED, STATUS_OK, 401, STATUS_UNAUTHENTICATED},
	{STATUS_UNAUTHENTICATED, STATUS_MALFORMED_JSON, 401, STATUS_UNAUTHENTICATED},
	{STATUS_UNAUTHENTICATED, STATUS_TOO_LARGE, 401, STATUS_UNAUTHENTICATED},
	{STATUS_WRONG_ENDPOINT, STATUS_MALFORMED_JSON, 403, STATUS_WRONG_ENDPOINT},
	{STATUS_WRONG_NETWORK, STATUS_MALFORMED_JSON, 403, STATUS_WRONG_NETWORK},
	{STATUS_UNAVAILABLE, STATUS_MALFORMED_JSON, 503, STATUS_UNAVAILABLE},
	{STATUS_OUTCOME_UNKNOWN, STATUS_OK, 503, STATUS_OUTCOME_UNKNOWN},
	{STATUS_READ_ONLY, STATUS_OK, 503, STATUS_READ_ONLY},
	{STATUS_INVALID_VALUE, STATUS_OK, 400, STATUS_INVALID_VALUE},
};

START_TEST(problems_are_told_to_whom_they_concern)
{
	struct http_response response = http_response_make();
	struct buf code = buf_make(100);

	read_body(INTAKE_SINGLE, "", SLICE("{}"));
	intake.commit.out.status = outcomes[_i].commit;
	intake.body_status = outcomes[_i].body;
	intake.detail = "where it is bad";
	intake_answer(&intake, &response);
	ck_assert_int_eq(response.status, outcomes[_i].http);
	ck_assert_str_eq(response.content_type, PROBLEM);
	ck_assert_int_eq(response.retry_after_s > 0, outcomes[_i].http == 503);
	buf_add_format(&code, "\"code\":\"%s\"", problem_of(outcomes[_i].told)->code);
	buf_add_char(&code, '\0');
	buf_add_char(&response.body, '\0');
	ck_assert_ptr_nonnull(strstr(response.body.p, code.p));
	ck_assert_ptr_nonnull(strstr(response.body.p, http.request_id));
	ck_assert_int_eq(strstr(response.body.p, "where it is bad") != NULL,
			 outcomes[_i].told == outcomes[_i].body);
	ck_assert_ptr_null(strstr(response.body.p, key));
	buf_free(&code);
	http_response_free(&response);
	drop();
}
END_TEST

/* As it is seen here, behind whatever proxies. */
START_TEST(a_sender_from_another_network_is_told_its_address)
{
	struct http_response response = http_response_make();

	read_body(INTAKE_SINGLE, "", SLICE("{}"));
	intake.commit.out.status = STATUS_WRONG_NETWORK;
	if (_i == 0)
		ck_assert(address_read(SLICE("2001:db8::1"), &intake.commit.client));
	intake_answer(&intake, &response);
	buf_add_char(&response.body, '\0');
	ck_assert_ptr_nonnull(strstr(
		response.body.p,
		_i == 0 ? "\"detail\":\"requests with this key are not accepted from 2001:db8::1\""
			: "\"detail\":\"requests with this key need the client's address, which is not "
			  "known here\""));
	http_response_free(&response);
	drop();
}
END_TEST

/* Not one byte tells why. */
START_TEST(the_unauthenticated_are_all_told_the_same)
{
	static const enum status states[] = {STATUS_OK, STATUS_MALFORMED_JSON, STATUS_EMPTY_BODY,
					     STATUS_TOO_MANY_ITEMS};
	struct http_response first = http_response_make();
	struct http_response response = http_response_make();

	read_body(INTAKE_SINGLE, "", SLICE("{}"));
	for (int i = 0; i < LENGTH(states); i++) {
		intake.commit.out.status = STATUS_UNAUTHENTICATED;
		intake.body_status = states[i];
		intake_answer(&intake, i == 0 ? &first : &response);
		if (i > 0)
			ck_assert(slice_equal(buf_slice(&first.body), buf_slice(&response.body)));
	}
	http_response_free(&first);
	http_response_free(&response);
	drop();
}
END_TEST

/* ---- allocation failures ---- */

static struct buf torture_body;
static const char *torture_variables;
static enum intake_kind torture_kind;
static size_t torture_rejects;

/* From body to answer, with nothing kept from one time to the next. */
static enum status operation(void)
{
	static char *none[] = {NULL};
	static char ndjson[] = "CONTENT_TYPE=application/x-ndjson";
	static char *lines[] = {ndjson, NULL};
	struct http_response response = http_response_make();
	struct arena own = {0};

	http.variables = *torture_variables == '\0' ? none : lines;
	intake_init(&intake, &config, &own, &http, torture_kind);
	intake.key = slice_of(key);
	enum status status = intake_head(&intake);
	if (status == STATUS_OK)
		status = intake_body(&intake, buf_slice(&torture_body), BUF_BYTES);
	/* A problem can do without its detail. */
	if (status == STATUS_OK && intake.body_status != STATUS_OK && intake.detail == NULL)
		status = STATUS_NO_MEMORY;
	if (status == STATUS_OK && torture_rejects != intake.commit.reject_count)
		status = STATUS_INTERNAL;
	if (status == STATUS_OK && intake.body_status == STATUS_OK) {
		commit();
		intake_answer(&intake, &response);
		status = response.status == 202 ? STATUS_OK : STATUS_NO_MEMORY;
	}
	http_response_free(&response);
	intake_free(&intake);
	arena_free(&own);
	return status;
}

START_TEST(a_lack_of_memory_is_told)
{
	static const struct {
		enum intake_kind kind;
		const char *variables;
		const char *text;
		bool compressed;
		size_t rejects;
	} rows[] = {
		{INTAKE_SINGLE, "", "{\"email\":\"a@x.example\"}", false, 0},
		{INTAKE_SINGLE, "", "{\"email\":\"a@x.example\"}", true, 0},
		{INTAKE_BATCH, "", "[{\"a\":\"\\u0000\"},7,{\"userId\":1},{}]", false, 1},
		{INTAKE_BATCH, "", "[{\"a\":\"\\u0000\"},7,{\"userId\":1},{}]", true, 1},
		{INTAKE_BATCH, NDJSON, "{}\n{\"a\":}\n{\"a\":1}", false, 1},
		{INTAKE_BATCH, "", "{\"context\":{\"a\":\"\\u0000\"},\"batch\":[{},{\"b\":1}]}",
		 false, 0},
		{INTAKE_BATCH, "", "[1,[\"#\"],\"#\"]", false, 3},
		{INTAKE_SINGLE, "", "{\"a\":\"#\",", false, 1},
		{INTAKE_SINGLE, "", "{\"a\":\"#\",", true, 1},
	};

	/* One request without a failure: what libraries keep from then on is no leak. */
	request(INTAKE_SINGLE, "");
	ck_assert_int_eq(intake_head(&intake), STATUS_OK);
	drop();
	torture_kind = rows[_i].kind;
	torture_variables = rows[_i].variables;
	torture_rejects = rows[_i].rejects;
	torture_body = with_key(rows[_i].text, key);
	if (rows[_i].compressed) {
		struct buf text = torture_body;
		torture_body = compress_text(buf_slice(&text));
		buf_free(&text);
	}
	ck_assert_int_eq(operation(), STATUS_OK);
	/* The arena's block and the reader at least. */
	ck_assert_int_ge(unit_torture(operation), 2);
	buf_free(&torture_body);
}
END_TEST

/* ---- the suite ---- */

static void add_heads(Suite *suite)
{
	TCase *tests = tcase_create("head");

	tcase_add_checked_fixture(tests, set_up, NULL);
	tcase_add_loop_test(tests, heads_are_judged, 0, LENGTH(heads));
	tcase_add_loop_test(tests, credentials_are_hashed, 0, 2);
	tcase_add_loop_test(tests, unsound_keys_are_refused_first, 0, CREDENTIAL_KEY_CHARS);
	tcase_add_test(tests, keys_of_other_lengths_are_refused);
	tcase_add_loop_test(tests, strict_handling_is_asked_for, 0, LENGTH(prefers));
	tcase_add_loop_test(tests, limits_are_those_of_the_kind, 0, 3);
	tcase_add_test(tests, a_limit_of_one_may_be_the_larger);
	tcase_add_test(tests, forms_are_those_of_path_and_type);
	suite_add_tcase(suite, tests);
}

static void add_bodies(Suite *suite)
{
	TCase *tests = tcase_create("body");

	tcase_add_checked_fixture(tests, set_up, NULL);
	tcase_add_loop_test(tests, bodies_are_read, 0, LENGTH(bodies));
	tcase_add_test(tests, items_become_signals_in_order);
	tcase_add_loop_test(tests, a_given_source_comes_first, 0, 2);
	tcase_add_loop_test(tests, envelopes_give_defaults, 0, 2);
	tcase_add_test(tests, envelopes_are_cleaned);
	tcase_add_loop_test(tests, envelopes_of_bad_items, 0, 2);
	tcase_add_loop_test(tests, an_item_is_read_with_its_envelope, 0, 2);
	tcase_add_loop_test(tests, sent_at_beside_the_array, 0, 4);
	tcase_add_loop_test(tests, envelopes_are_kept_up_to_the_bodys_limit, 0, 4);
	tcase_add_loop_test(tests, the_presented_key_is_crossed_out_of_payloads, 0, 3);
	tcase_add_test(tests, the_presented_key_is_crossed_out_of_forms);
	tcase_add_loop_test(tests, forms_become_json, 0, 11);
	tcase_add_test(tests, a_form_is_as_large_as_a_single_request);
	tcase_add_loop_test(tests, events_with_attributes_in_headers, 0, 5);
	tcase_add_test(tests, the_presented_key_is_crossed_out_of_headers);
	tcase_add_loop_test(tests, the_last_line_stays_readable, 0, 3);
	tcase_add_test(tests, many_items_keep_their_places);
	tcase_add_loop_test(tests, bodies_are_limited, 0, LENGTH(limited));
	tcase_add_loop_test(tests, items_are_limited, 0, 2);
	tcase_add_loop_test(tests, gzip_is_read, 0, 4);
	tcase_add_loop_test(tests, broken_gzip_is_told, 0, LENGTH(codings));
	tcase_add_loop_test(tests, cut_gzip_is_told, 0, 2);
	tcase_add_test(tests, decompressed_bodies_are_limited);
	tcase_add_test(tests, a_bomb_is_refused);
	suite_add_tcase(suite, tests);
}

static void add_rejects(Suite *suite)
{
	TCase *tests = tcase_create("rejects");

	tcase_add_checked_fixture(tests, set_up, NULL);
	tcase_add_loop_test(tests, what_is_bad_is_kept, 0, LENGTH(kept));
	tcase_add_loop_test(tests, the_given_source_is_kept_too, 0, 2);
	tcase_add_loop_test(tests, what_is_kept_is_limited, 0, 2);
	tcase_add_loop_test(tests, the_beginning_of_a_body_over_its_limit_is_kept, 0, 2);
	tcase_add_loop_test(tests, an_item_that_is_sent_again_is_no_batch, 0, 2);
	tcase_add_test(tests, a_body_that_is_read_twice_is_kept_once);
	tcase_add_loop_test(tests, the_presented_key_is_crossed_out, 0, 6);
	tcase_add_loop_test(tests, the_beginning_of_the_key_is_crossed_out, 0,
			    CREDENTIAL_KEY_CHARS + 1);
	tcase_add_loop_test(tests, damaged_gzip_does_not_hide_the_key, 0, 2);
	suite_add_tcase(suite, tests);
}

static void add_answers(Suite *suite)
{
	TCase *tests = tcase_create("answer");

	tcase_add_checked_fixture(tests, set_up, NULL);
	tcase_add_loop_test(tests, committed_requests_are_answered, 0, LENGTH(answers));
	tcase_add_loop_test(tests, a_bulk_answer_lists_a_hundred_bad_items, 99, 102);
	tcase_add_loop_test(tests, problems_are_told_to_whom_they_concern, 0, LENGTH(outcomes));
	tcase_add_loop_test(tests, a_sender_from_another_network_is_told_its_address, 0, 2);
	tcase_add_test(tests, the_unauthenticated_are_all_told_the_same);
	tcase_add_loop_test(tests, a_lack_of_memory_is_told, 0, 9);
	suite_add_tcase(suite, tests);
}

Suite *unit_suite(void)
{
	Suite *suite = suite_create("intake");

	add_heads(suite);
	add_bodies(suite);
	add_rejects(suite);
	add_answers(suite);
	return suite;
}
