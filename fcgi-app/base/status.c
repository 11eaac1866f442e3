/*
 * base/status.c - the texts and numbers behind each status. See base/status.h.
 */
#include "base/status.h"

struct entry {
	int http;
	const char *code;
	const char *title;
	int retry_after_s;
	const char *detail;
};

static const struct entry entries[STATUS_COUNT] = {
#define STATUS_ENTRY(name, http, code, title, retry_after_s, detail)                               \
	[STATUS_##name] = {http, code, title, retry_after_s, detail},
	STATUS_LIST(STATUS_ENTRY)
#undef STATUS_ENTRY
};

int status_http(enum status status)
{
	return entries[status].http;
}

const char *status_code(enum status status)
{
	return entries[status].code;
}

const char *status_title(enum status status)
{
	return entries[status].title;
}

const char *status_detail(enum status status)
{
	return entries[status].detail;
}

int status_retry_after_s(enum status status)
{
	return entries[status].retry_after_s;
}

const char *status_phrase(int http)
{
	switch (http) {
	case 200:
		return "OK";
	case 201:
		return "Created";
	case 202:
		return "Accepted";
	case 400:
		return "Bad Request";
	case 401:
		return "Unauthorized";
	case 403:
		return "Forbidden";
	case 404:
		return "Not Found";
	case 405:
		return "Method Not Allowed";
	case 408:
		return "Request Timeout";
	case 413:
		return "Content Too Large";
	case 415:
		return "Unsupported Media Type";
	case 429:
		return "Too Many Requests";
	case 503:
		return "Service Unavailable";
	default:
		return "Unknown";
	}
}
