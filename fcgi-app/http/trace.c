/*
 * http/trace.c - see http/trace.h.
 */
#include "http/trace.h"

#include <string.h>

#include "http/header.h"

struct slice http_trace_parent(const struct http_request *request)
{
	static const char form[] = "00-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx-xxxxxxxxxxxxxxxx-xx";
	struct slice text;

	if (http_header(request, "HTTP_TRACEPARENT", &text) != 1 || text.n != sizeof(form) - 1)
		return SLICE_ABSENT;
	for (size_t i = 0; i < text.n; i++) {
		bool good = form[i] == 'x' ? strchr("0123456789abcdef", text.p[i]) != NULL
					   : form[i] == text.p[i];
		if (!good)
			return SLICE_ABSENT;
	}
	return text;
}
