/*
 * fuzz_form.c - the input as an urlencoded form, as a multipart form, and as the fields of both:
 * what was encoded comes back, and a form becomes JSON that says the same.
 */
#define _GNU_SOURCE /* memmem, which is POSIX only since 2024 */
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "fuzz.h"
#include "http/form.h"
#include "http/problem.h"
#include "intake/intake.h"
#include "oracle.h"

static const struct config config = {
	.single_body_bytes = 1 << 20,
	.batch_body_bytes = 8 << 20,
	.batch_items = 5000,
	.item_bytes = 512 << 10,
	.json_depth = 64,
	.json_number_digits = 400,
	.json_number_exponent = 400,
};

static void check_utf8(struct slice text)
{
	uint32_t point;

	while (text.n > 0) {
		size_t width = utf8_decode(text, &point);
		CHECK(width > 0);
		text = (struct slice){text.p + width, text.n - width};
	}
}

static void check_fields(enum status status, const struct http_form *form, const char *reason)
{
	CHECK(status == STATUS_OK || status == STATUS_UNSUPPORTED_MEDIA_TYPE ||
	      status == STATUS_TOO_MANY_ITEMS);
	CHECK((status == STATUS_OK) == (reason[0] == '\0'));
	CHECK(status != STATUS_OK || form->count > 0);
	for (size_t i = 0; status == STATUS_OK && i < form->count; i++) {
		check_utf8(form->fields[i].name);
		check_utf8(form->fields[i].value);
	}
}

static void check_same(const struct http_form *a, const struct http_form *b)
{
	CHECK(a->count == b->count);
	for (size_t i = 0; i < a->count; i++)
		CHECK(slice_equal(a->fields[i].name, b->fields[i].name) &&
		      slice_equal(a->fields[i].value, b->fields[i].value));
}

static void encode(struct buf *out, struct slice text)
{
	for (size_t i = 0; i < text.n; i++)
		buf_add_format(out, "%%%02x", (unsigned)(unsigned char)text.p[i]);
}

static void check_urlencoded(struct arena *arena, const struct http_form *form)
{
	struct buf body = buf_make(SIZE_MAX / 2);
	struct http_form again;
	const char *reason;

	for (size_t i = 0; i < form->count; i++) {
		buf_add_char(&body, '&');
		encode(&body, form->fields[i].name);
		buf_add_char(&body, '=');
		encode(&body, form->fields[i].value);
	}
	CHECK(http_form_read(arena, buf_slice(&body), &again, &reason) == STATUS_OK);
	check_same(form, &again);
	buf_free(&body);
}

/* A boundary that no value holds; names without what ends them. */
static void check_multipart(struct arena *arena, const struct http_form *form, bool lf)
{
	static const char boundary[] = "ThisIsNoValueOfTheForm";
	const char *end = lf ? "\n" : "\r\n";
	struct buf body = buf_make(SIZE_MAX / 2);
	struct http_form again;
	const char *reason;
	bool holds_boundary = false;

	for (size_t i = 0; i < form->count; i++) {
		struct slice name = form->fields[i].name, value = form->fields[i].value;
		holds_boundary |= value.n > 0 &&
				  memmem(value.p, value.n, boundary, sizeof(boundary) - 1) != NULL;
		buf_add_format(&body, "--%s%sContent-Disposition: form-data; name=\"", boundary,
			       end);
		for (size_t at = 0; at < name.n; at++) {
			char c = name.p[at];
			buf_add_text(&body, c == '"' || c == '\\' ? "\\" : "");
			buf_add_char(&body, c == '\r' || c == '\n' || c == '\0' ? ' ' : c);
		}
		buf_add_format(&body, "\"%s%s", end, end);
		buf_add_slice(&body, value);
		buf_add_text(&body, end);
	}
	buf_add_format(&body, "--%s--", boundary);
	if (form->count > 0 && !holds_boundary && memmem(body.p, body.n, "filename", 8) == NULL) {
		CHECK(http_multipart_read(arena, buf_slice(&body), SLICE(boundary), &again,
					  &reason) == STATUS_OK);
		CHECK(again.count == form->count);
		for (size_t i = 0; i < form->count; i++) {
			struct slice value = form->fields[i].value, is = again.fields[i].value;
			/* Before LF alone a CR is the end's. */
			if (lf && value.n > 0 && value.p[value.n - 1] == '\r')
				value.n--;
			CHECK(slice_equal(is, value));
		}
	}
	buf_free(&body);
}

/* The whole way: one signal, whose payload is JSON. */
static void check_intake(struct arena *arena, struct slice body)
{
	static char type[] = "CONTENT_TYPE=application/x-www-form-urlencoded";
	static char *variables[] = {type, NULL};
	struct http_request http;
	struct intake intake;

	CHECK(http_request_read(&http, variables) == STATUS_OK);
	intake_init(&intake, &config, arena, &http, INTAKE_SINGLE);
	intake.key = SLICE(FUZZ_KEY);
	CHECK(intake_head(&intake) == STATUS_OK);
	CHECK(intake_body(&intake, body, SIZE_MAX) == STATUS_OK);
	CHECK(intake.body_status == STATUS_OK || problem_of(intake.body_status)->http / 100 == 4);
	for (size_t i = 0; i < intake.commit.item_count; i++)
		CHECK(oracle_text(intake.signals[i].payload));
	intake_free(&intake);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct slice body = {(const char *)data, n};
	struct fuzz_random random = fuzz_random_of(body);
	struct arena arena = {0};
	struct http_form form;
	const char *reason;

	enum status status = http_multipart_read(&arena, body, SLICE_ABSENT, &form, &reason);
	check_fields(status, &form, reason);
	status = http_multipart_read(&arena, body, SLICE("x"), &form, &reason);
	check_fields(status, &form, reason);
	status = http_form_read(&arena, body, &form, &reason);
	check_fields(status, &form, reason);
	if (status == STATUS_OK) {
		check_urlencoded(&arena, &form);
		check_multipart(&arena, &form, fuzz_random_next(&random, 2) == 0);
	}
	check_intake(&arena, body);
	arena_free(&arena);
	return 0;
}
