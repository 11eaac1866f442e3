/*
 * test_form.c - the fields of urlencoded and multipart forms.
 */
#include <stdio.h>

#include "check_main.h"
#include "http/form.h"

#define T(literal) SLICE(literal)

enum { MOST = 5 };

struct expected {
	struct slice body;
	const char *boundary; /* of a multipart form */
	const char *fields[2 * MOST + 1];
	const char *reason; /* NULL: it is read */
};

static const struct expected forms[] = {
	{T("a=b"), NULL, {"a", "b"}, NULL},
	{T("a=b&c=d"), NULL, {"a", "b", "c", "d"}, NULL},
	{T("a=b&a=c&a="), NULL, {"a", "b", "a", "c", "a", ""}, NULL},
	{T("a"), NULL, {"a", ""}, NULL},
	{T("=b"), NULL, {"", "b"}, NULL},
	{T("a==b=c"), NULL, {"a", "=b=c"}, NULL},
	{T("&&a=b&"), NULL, {"a", "b"}, NULL},
	{T("a+b=c+%2B"), NULL, {"a b", "c +"}, NULL},
	{T("%61%3D=%26%3d"), NULL, {"a=", "&="}, NULL},
	{T("a=%"), NULL, {"a", "%"}, NULL},
	{T("a=%4&b=%zz%4"), NULL, {"a", "%4", "b", "%zz%4"}, NULL},
	{T("%C3%A4=\xc3\xa4"), NULL, {"\xc3\xa4", "\xc3\xa4"}, NULL},
	{T("a=b\r\n"), NULL, {"a", "b\r\n"}, NULL},
	{T(""), NULL, {0}, "the form has no fields"},
	{T("&"), NULL, {0}, "the form has no fields"},
	{T("a=%E4"), NULL, {0}, "a field of the form is not UTF-8"},
	{T("%ff=a"), NULL, {0}, "a field of the form is not UTF-8"},
	{T("a=\xed\xa0\x80"), NULL, {0}, "a field of the form is not UTF-8"},
};

#define A "Content-Disposition: form-data; name=\"a\"\r\n"

static const struct expected multiparts[] = {
	{T("--x\r\n" A "\r\nb\r\n--x--\r\n"), "x", {"a", "b"}, NULL},
	{T("--x\r\n" A "\r\nb\r\n--x--"), "x", {"a", "b"}, NULL},
	{T("--x\r\n" A "\r\nb\r\n--x--"), NULL, {"a", "b"}, NULL},
	{T("--x\n" A "\nb\n--x--\n"), "x", {"a", "b"}, NULL},
	{T("--x \t\r\n" A "\r\n\r\nb\r\n\r\n--x\r\n" A "\r\n\r\n--x--"),
	 "x",
	 {"a", "\r\nb\r\n", "a", ""},
	 NULL},
	{T("preamble\r\n--x\r\n" A "\r\nb\r\n--x--\r\nepilogue"), "x", {"a", "b"}, NULL},
	{T("--x\r\ncontent-disposition:form-data;name=a\r\nContent-Type: text/plain; "
	   "charset=utf-8\r\n\r\n--y\r\n--x--"),
	 "x",
	 {"a", "--y"},
	 NULL},
	{T("--x\r\nContent-Disposition: form-data; name=\"a\\\"\xc3\xa4;\"\r\n\r\n\r\n--x--"),
	 "x",
	 {"a\"\xc3\xa4;", ""},
	 NULL},
	{T("--x\r\nContent-Disposition: form-data; name=\"\"\r\n\r\nb\r\n--x--"),
	 "x",
	 {"", "b"},
	 NULL},
	{T("--x--"), "x", {0}, "the form has no fields"},
	{T(""), "x", {0}, "the form does not begin with its boundary"},
	/* the bytes show another boundary than the label, or a longer one */
	{T("--y\r\n" A "\r\nb\r\n--y--"), "x", {"a", "b"}, NULL},
	{T("--xx\r\n" A "\r\nb\r\n--xx--"), "x", {"a", "b"}, NULL},
	{T("--y\r\n" A "\r\n\r\n--xy\r\n--y--"), "x", {"a", "\r\n--xy"}, NULL},
	{T("-y\r\n" A "\r\nb\r\n-y--"), "x", {0}, "the form does not begin with its boundary"},
	{T("--\r\n" A "\r\nb\r\n----"), "x", {0}, "the form does not begin with its boundary"},
	{T("--\r\n" A "\r\nb\r\n----"), NULL, {0}, "the form has no boundary"},
	{T("a=b"), NULL, {0}, "the form has no boundary"},
	{T("a=b\n"), NULL, {0}, "the form has no boundary"},
	{T("--x"), "x", {0}, "a boundary of the form is malformed"},
	{T("--xx\r\n" A "\r\nb\r\n--x--"), "x", {0}, "the form does not end with its boundary"},
	{T("--x\r\n" A "\r\nb\r\n--xx--"), "x", {0}, "a boundary of the form is malformed"},
	{T("--x\r\n" A "\r\nb\r\n"), "x", {0}, "the form does not end with its boundary"},
	{T("--x\r\n" A "\r\nb\r\n--x\r\n"), "x", {0}, "the form does not end with its boundary"},
	{T("--x\r\n" A "b\r\n--x--"), "x", {0}, "a part of the form has no name"},
	{T("--x\r\n\r\nb\r\n--x--"), "x", {0}, "a part of the form has no name"},
	{T("--x\r\nContent-Disposition: form-data; name=\"a\r\n\r\nb\r\n--x--"),
	 "x",
	 {0},
	 "a part of the form has no name"},
	{T("--x\r\n" A "\r\n\xff\r\n--x--"), "x", {0}, "a field of the form is not UTF-8"},
	{T("--x\r\nContent-Disposition: form-data; name=a; filename=\"b.txt\"\r\n\r\nb\r\n--x--"),
	 "x",
	 {0},
	 "a part of the form is a file"},
	{T("--x\r\nContent-Disposition: form-data; name=a; FileName*=UTF-8''b\r\n\r\nb\r\n--x--"),
	 "x",
	 {0},
	 "a part of the form is a file"},
	{T("--x\r\nContent-Disposition: form-data; name=a; filename=b\r\n\r\n\r\n--x--"),
	 "x",
	 {0},
	 "a part of the form is a file"},
	{T("--x\r\nContent-Disposition: form-data; name=a; filename=\"\"\r\n\r\nb\r\n--x--"),
	 "x",
	 {0},
	 "a part of the form is a file"},
	{T("--x\r\nContent-Disposition: form-data; name=a; filename=\"\"\r\n"
	   "Content-Type: application/octet-stream\r\n\r\n\r\n--x--"),
	 "x",
	 {"a", ""},
	 NULL},
};

static enum status read_form(struct arena *arena, const struct expected *is, bool multipart,
			     struct http_form *form, const char **reason)
{
	return multipart
		       ? http_multipart_read(arena, is->body, slice_of(is->boundary), form, reason)
		       : http_form_read(arena, is->body, form, reason);
}

static void check_form(const struct expected *is, bool multipart)
{
	struct arena arena = {0};
	struct http_form form;
	const char *reason;
	enum status status = read_form(&arena, is, multipart, &form, &reason);

	ck_assert_int_eq(status, is->reason == NULL ? STATUS_OK : STATUS_UNSUPPORTED_MEDIA_TYPE);
	ck_assert_str_eq(reason, is->reason == NULL ? "" : is->reason);
	for (size_t i = 0; status == STATUS_OK && i <= form.count; i++) {
		const char *name = is->fields[2 * i];
		ck_assert_int_eq(name == NULL, i == form.count);
		if (name == NULL)
			break;
		ck_assert(slice_equal(form.fields[i].name, slice_of(name)));
		ck_assert(slice_equal(form.fields[i].value, slice_of(is->fields[2 * i + 1])));
	}
	arena_free(&arena);
}

START_TEST(a_form_has_fields)
{
	check_form(&forms[_i], false);
}
END_TEST

START_TEST(a_multipart_form_has_fields)
{
	check_form(&multiparts[_i], true);
}
END_TEST

START_TEST(the_number_of_fields_is_limited)
{
	for (int count = HTTP_FORM_FIELDS_MAX; count <= HTTP_FORM_FIELDS_MAX + 1; count++) {
		struct buf body = buf_make(1 << 20);
		struct arena arena = {0};
		struct http_form form;
		const char *reason;
		for (int i = 0; i < count; i++)
			buf_add_format(&body, "a=%d&", i);
		enum status status = http_form_read(&arena, buf_slice(&body), &form, &reason);
		ck_assert_int_eq(status,
				 count == HTTP_FORM_FIELDS_MAX ? STATUS_OK : STATUS_TOO_MANY_ITEMS);
		ck_assert_uint_eq(form.count, HTTP_FORM_FIELDS_MAX);
		ck_assert(slice_equal(form.fields[HTTP_FORM_FIELDS_MAX - 1].value, T("4999")));
		arena_free(&arena);
		buf_free(&body);
	}
}
END_TEST

static bool tortured_multipart;

static enum status read_once(void)
{
	const struct expected *is = tortured_multipart ? &multiparts[0] : &forms[1];
	struct arena arena = {0};
	struct http_form form;
	const char *reason;
	enum status status = read_form(&arena, is, tortured_multipart, &form, &reason);

	arena_free(&arena);
	return status;
}

START_TEST(memory_runs_out)
{
	tortured_multipart = _i == 1;
	ck_assert_int_gt(unit_torture(read_once), 0);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("form");
	TCase *tests = tcase_create("form");

	tcase_add_loop_test(tests, a_form_has_fields, 0, LENGTH(forms));
	tcase_add_loop_test(tests, a_multipart_form_has_fields, 0, LENGTH(multiparts));
	tcase_add_test(tests, the_number_of_fields_is_limited);
	tcase_add_loop_test(tests, memory_runs_out, 0, 2);
	suite_add_tcase(suite, tests);
	return suite;
}
