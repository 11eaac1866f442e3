/*
 * test_media.c - media types.
 */
#include "http/media.h"
#include "http/request_of.h"

enum { JSON = HTTP_MEDIA_JSON, NDJSON = HTTP_MEDIA_NDJSON, NEITHER = -1 };

static const struct {
	const char *type;
	int media;
} media_types[] = {
	{NULL, JSON},
	{"", JSON},
	{"  ", JSON},
	{"; charset=utf-8", JSON},
	{"application/json", JSON},
	{"Application/JSON", JSON},
	{" application/json ", JSON},
	{"application/json;", JSON},
	{"application/json;;", JSON},
	{"application/json; charset=utf-8", JSON},
	{"application/json;charset=UTF-8", JSON},
	{"application/json ; charset = utf-8", JSON},
	{"application/json; Charset=\"UTF-8\"", JSON},
	{"application/json; charset=\"utf\\-8\"", JSON},
	{"application/json; charset=utf8", JSON},
	{"application/json; charset=US-ASCII", JSON},
	{"application/json; charset", JSON},
	{"application/json; odata=verbose", JSON},
	{"application/json; odata=verbose; charset=utf-8", JSON},
	{"application/json; a=\"b;charset=utf-16\"; charset=utf-8", JSON},
	{"application/json; a=\"b\\\";charset=utf-16\"", JSON},
	{"application/json; a=\"a value of more than sixteen bytes\"", JSON},
	{"application/json; xcharset=utf-16", JSON},
	{"application/cloudevents+json", JSON},
	{"application/vnd.api+json; charset=utf-8", JSON},
	{"APPLICATION/LD+JSON", JSON},
	{"application/x+json", JSON},
	{"text/plain", JSON},
	{"text/plain; charset=utf-8", JSON},
	{"application/x-www-form-urlencoded", JSON},
	{"application/x-www-form-urlencoded; charset=UTF-8", JSON},
	{"application/x-ndjson", NDJSON},
	{"application/ndjson", NDJSON},
	{"application/jsonl", NDJSON},
	{"Application/X-NDJSON; charset=utf-8", NDJSON},
	{"application/json; charset=utf-16", NEITHER},
	{"application/json; charset=utf-", NEITHER},
	{"application/json; charset=utf-88", NEITHER},
	{"application/json; charset=", NEITHER},
	{"application/json; charset=\"\"", NEITHER},
	{"application/json; charset=\"utf-8", NEITHER},
	{"application/json; charset=\"utf-8\\", NEITHER},
	{"application/json; charset=iso-8859-1", NEITHER},
	{"application/json; charset=\"utf-8 or something that is longer\"", NEITHER},
	{"application/json; charset=utf-8; charset=utf-16", NEITHER},
	{"application/json; a=b; charset=utf-16", NEITHER},
	{"application/json; a=\"b\"; charset=utf-16", NEITHER},
	{"application/x-ndjson; charset=latin1", NEITHER},
	{"application/json, application/json", NEITHER},
	{"application/+json", NEITHER},
	{"application/json+xml", NEITHER},
	{"application/jsonx", NEITHER},
	{"application/jso", NEITHER},
	{"application/x+jsonx", NEITHER},
	{"text/x+json", NEITHER},
	{"+json", NEITHER},
	{"json", NEITHER},
	{"application/", NEITHER},
	{"application", NEITHER},
	{"multipart/form-data; boundary=x", NEITHER},
	{"application/xml", NEITHER},
	{"text/xml; charset=utf-8", NEITHER},
	{"application/soap+xml", NEITHER},
	{"application/octet-stream", NEITHER},
	{"text/html", NEITHER},
	{"image/png", NEITHER},
};

START_TEST(media_types_are_told_apart)
{
	char variable[256];
	enum http_media media;

	(void)snprintf(variable, sizeof(variable), "CONTENT_TYPE=%s",
		       media_types[_i].type == NULL ? "" : media_types[_i].type);
	struct http_request request =
		request_of(media_types[_i].type == NULL ? NULL : variable, NULL, NULL);
	enum status status = http_media(&request, &media);
	ck_assert_int_eq(status, media_types[_i].media == NEITHER ? STATUS_UNSUPPORTED_MEDIA_TYPE
								  : STATUS_OK);
	if (status == STATUS_OK)
		ck_assert_int_eq((int)media, media_types[_i].media);
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
	tcase_add_test(tests, a_type_is_one_in_utf_8);
	suite_add_tcase(suite, tests);
	return suite;
}
