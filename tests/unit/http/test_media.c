/*
 * test_media.c - media types.
 */
#include "http/media.h"
#include "http/request_of.h"

static const struct {
	const char *type;
	enum http_media media;
} media_types[] = {
	{NULL, HTTP_MEDIA_NONE},
	{"", HTTP_MEDIA_NONE},
	{"  ", HTTP_MEDIA_NONE},
	{"; charset=utf-8", HTTP_MEDIA_NONE},
	{", application/json", HTTP_MEDIA_NONE},
	{"application/json", HTTP_MEDIA_JSON},
	{"Application/JSON", HTTP_MEDIA_JSON},
	{" application/json ", HTTP_MEDIA_JSON},
	{"application/json;;", HTTP_MEDIA_JSON},
	{"application/json ; charset = utf-8", HTTP_MEDIA_JSON},
	{"application/json; charset=ISO-8859-1", HTTP_MEDIA_JSON},
	{"application/json; charset=\"utf-8", HTTP_MEDIA_JSON},
	{"application/json; charset=", HTTP_MEDIA_JSON},
	{"application/json, application/json", HTTP_MEDIA_JSON},
	{"application/json, charset=utf-8", HTTP_MEDIA_JSON},
	{"application/json,text/plain; charset=utf-8", HTTP_MEDIA_JSON},
	{"text/json", HTTP_MEDIA_JSON},
	{"application/cloudevents+json", HTTP_MEDIA_SUFFIX},
	{"application/vnd.api+json; charset=utf-8", HTTP_MEDIA_SUFFIX},
	{"APPLICATION/LD+JSON", HTTP_MEDIA_SUFFIX},
	{"application/cloudevents-batch+json", HTTP_MEDIA_SUFFIX},
	{"text/x+json", HTTP_MEDIA_SUFFIX},
	{"application/x-ndjson", HTTP_MEDIA_NDJSON},
	{"application/ndjson", HTTP_MEDIA_NDJSON},
	{"application/jsonl", HTTP_MEDIA_NDJSON},
	{"application/x-jsonlines", HTTP_MEDIA_NDJSON},
	{"Application/X-NDJSON; charset=latin1", HTTP_MEDIA_NDJSON},
	{"application/x-www-form-urlencoded", HTTP_MEDIA_FORM},
	{"application/x-www-form-urlencoded; charset=UTF-8", HTTP_MEDIA_FORM},
	{"multipart/form-data; boundary=x", HTTP_MEDIA_MULTIPART},
	{"multipart/mixed; boundary=x", HTTP_MEDIA_OTHER},
	{"text/plain", HTTP_MEDIA_OTHER},
	{"application/octet-stream", HTTP_MEDIA_OTHER},
	{"application/json+xml", HTTP_MEDIA_OTHER},
	{"application/jsonx", HTTP_MEDIA_OTHER},
	{"application/jso", HTTP_MEDIA_OTHER},
	{"application/x+jsonx", HTTP_MEDIA_OTHER},
	{"+json", HTTP_MEDIA_OTHER},
	{"json", HTTP_MEDIA_OTHER},
	{"application", HTTP_MEDIA_OTHER},
	{"text/xml; charset=utf-8", HTTP_MEDIA_OTHER},
	{"application/soap+xml", HTTP_MEDIA_OTHER},
};

START_TEST(media_types_are_told_apart)
{
	char variable[256];

	(void)snprintf(variable, sizeof(variable), "CONTENT_TYPE=%s",
		       media_types[_i].type == NULL ? "" : media_types[_i].type);
	struct http_request request =
		request_of(media_types[_i].type == NULL ? NULL : variable, NULL, NULL);
	ck_assert_msg(http_media(&request) == media_types[_i].media, "%s", variable);
}
END_TEST

START_TEST(the_first_of_two_types_counts)
{
	struct http_request request =
		request_of("CONTENT_TYPE=text/json", "CONTENT_TYPE=application/x-ndjson", NULL);

	ck_assert_int_eq(http_media(&request), HTTP_MEDIA_JSON);
}
END_TEST

#define SEVENTY "0123456789012345678901234567890123456789012345678901234567890123456789"

START_TEST(a_boundary_is_found)
{
	static const struct {
		const char *variable, *boundary;
	} rows[] = {
		{NULL, NULL},
		{"CONTENT_TYPE=multipart/form-data", NULL},
		{"CONTENT_TYPE=multipart/form-data; boundary=", NULL},
		{"CONTENT_TYPE=multipart/form-data; boundary=\"\"", NULL},
		{"CONTENT_TYPE=multipart/form-data; boundary=\"x", NULL},
		{"CONTENT_TYPE=multipart/form-data; boundary=x", "x"},
		{"CONTENT_TYPE=multipart/form-data; charset=utf-8; Boundary=\"a \\\"b\"", "a \"b"},
		{"CONTENT_TYPE=multipart/form-data; a=\"boundary=y\"; boundary=x; b", "x"},
		{"CONTENT_TYPE=multipart/form-data; boundary=" SEVENTY, SEVENTY},
		{"CONTENT_TYPE=multipart/form-data; boundary=" SEVENTY "x", NULL},
	};
	char room[HTTP_BOUNDARY_MAX];

	for (int i = 0; i < LENGTH(rows); i++) {
		struct http_request request = request_of(rows[i].variable, NULL, NULL);
		struct slice boundary = http_boundary(&request, room);
		ck_assert_msg(slice_equal(boundary, slice_of(rows[i].boundary)), "row %d", i);
		ck_assert_int_eq(boundary.p == NULL, rows[i].boundary == NULL);
	}
}
END_TEST

START_TEST(a_type_is_one_in_utf_8)
{
	static const struct {
		const char *a, *b;
		bool is;
	} rows[] = {
		{"CONTENT_TYPE=application/json", NULL, true},
		{"CONTENT_TYPE=Application/JSON ; charset=utf-8", NULL, true},
		{"CONTENT_TYPE=application/json; charset; a=1; b", NULL, true},
		{"CONTENT_TYPE=application/json; b; charset=latin1", NULL, false},
		{"CONTENT_TYPE=application/json; charset=\"utf-8", NULL, false},
		{"CONTENT_TYPE=application/json; charset=latin1", NULL, false},
		{"CONTENT_TYPE=application/jsonp", NULL, false},
		{"CONTENT_TYPE=text/plain", NULL, false},
		{"CONTENT_TYPE=application/x-www-form-urlencoded", NULL, false},
		{"CONTENT_TYPE=application/json, text/plain", NULL, false},
		{"CONTENT_TYPE=", NULL, false},
		{NULL, NULL, false},
		{"CONTENT_TYPE=application/json", "CONTENT_TYPE=application/json", false},
	};

	for (int i = 0; i < LENGTH(rows); i++) {
		struct http_request request = request_of(rows[i].a, rows[i].b, NULL);
		ck_assert_msg(http_type_is(&request, "application/json") == rows[i].is, "row %d",
			      i);
	}
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("media");
	TCase *tests = tcase_create("media");

	tcase_add_loop_test(tests, media_types_are_told_apart, 0, LENGTH(media_types));
	tcase_add_test(tests, the_first_of_two_types_counts);
	tcase_add_test(tests, a_boundary_is_found);
	tcase_add_test(tests, a_type_is_one_in_utf_8);
	suite_add_tcase(suite, tests);
	return suite;
}
