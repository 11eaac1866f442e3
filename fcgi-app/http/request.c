/*
 * http/request.c - see http/request.h.
 */
#include "http/request.h"

#include <string.h>

#include "base/hex.h"
#include "http/header.h"
#include "key/random.h"

static int64_t read_length(struct slice text)
{
	int64_t length = 0;

	if (text.n == 0)
		return -1;
	for (size_t i = 0; i < text.n; i++) {
		int digit = text.p[i] - '0';
		if (digit < 0 || digit > 9 || length > (INT64_MAX - digit) / 10)
			return -1;
		length = length * 10 + digit;
	}
	return length;
}

static bool request_id_is_sane(struct slice id)
{
	if (id.n == 0 || id.n > HTTP_REQUEST_ID_CHARS)
		return false;
	for (size_t i = 0; i < id.n; i++) {
		char c = id.p[i];
		if ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'))
			continue;
		if (c == '\0' || strchr("._:=+/@-", c) == NULL)
			return false;
	}
	return true;
}

static enum status make_request_id(char *id)
{
	unsigned char bytes[RANDOM_UNIQUE_BYTES];
	enum status status = random_unique(bytes);

	id[0] = '\0';
	if (status != STATUS_OK)
		return status;
	hex_write(bytes, sizeof(bytes), id);
	id[2 * sizeof(bytes)] = '\0';
	return STATUS_OK;
}

enum status http_request_read(struct http_request *request, char *const *variables)
{
	struct slice text;

	*request = (struct http_request){.variables = variables, .content_length = -1};
	(void)http_header(request, "REQUEST_METHOD", &request->method);
	(void)http_header(request, "REQUEST_URI", &request->target);
	if (http_header(request, "CONTENT_LENGTH", &text) == 1)
		request->content_length = read_length(text);
	if (http_header(request, "HTTP_X_REQUEST_ID", &text) != 1 || !request_id_is_sane(text))
		return make_request_id(request->request_id);
	memcpy(request->request_id, text.p, text.n);
	return STATUS_OK;
}
