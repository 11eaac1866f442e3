/*
 * http/request.c - see http/request.h.
 */
#include "http/request.h"

#include <string.h>

#include "base/ascii.h"
#include "base/hex.h"
#include "http/header.h"
#include "key/cross_out.h"
#include "key/random.h"

static bool request_id_is_sane(struct slice id)
{
	if (id.n == 0 || id.n > HTTP_REQUEST_ID_CHARS)
		return false;
	for (size_t i = 0; i < id.n; i++) {
		char c = id.p[i];
		if (ascii_is_alnum(c))
			continue;
		if (c == '\0' || strchr("._:=+/@-", c) == NULL)
			return false;
	}
	return !cross_out_suspects(id); /* it is logged, by web servers too */
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

	*request = (struct http_request){.variables = variables};
	(void)http_header(request, "REQUEST_METHOD", &request->method);
	(void)http_header(request, "REQUEST_URI", &request->target);
	if (http_header(request, "CONTENT_LENGTH", &text) != 1 ||
	    !slice_to_int(text, &request->content_length))
		request->content_length = -1;
	if (http_header(request, "HTTP_X_REQUEST_ID", &text) != 1 || !request_id_is_sane(text))
		return make_request_id(request->request_id);
	memcpy(request->request_id, text.p, text.n);
	return STATUS_OK;
}
