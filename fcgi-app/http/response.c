/*
 * http/response.c - see http/response.h.
 */
#include "http/response.h"

#include "base/log.h"
#include "http/problem.h"

struct http_response http_response_make(void)
{
	return (struct http_response){.status = 200, .body = buf_make(HTTP_RESPONSE_BYTES_MAX)};
}

void http_response_free(struct http_response *response)
{
	buf_free(&response->body);
}

static void add_member(struct buf *out, const char *name, const char *value)
{
	buf_add_text(out, ",\"");
	buf_add_text(out, name);
	buf_add_text(out, "\":");
	buf_add_json(out, slice_of(value));
}

void http_problem(struct http_response *response, const struct http_request *request,
		  enum status status, const char *detail)
{
	http_problem_with(response, request, status, detail, SLICE_ABSENT);
}

void http_problem_with(struct http_response *response, const struct http_request *request,
		       enum status status, const char *detail, struct slice errors)
{
	const struct problem *problem = problem_of(status);
	struct buf *body = &response->body;

	if (problem == problem_of(STATUS_INTERNAL) && status != STATUS_INTERNAL)
		log_event(LOG_LEVEL_ERROR, "internal status in an answer",
			  LOG_TEXT("request_id", request->request_id),
			  LOG_TEXT("code", status_name(status)));
	response->status = problem->http;
	response->content_type = "application/problem+json";
	response->retry_after_s = problem->retry_after_s;
	buf_reset(body, body->size);
	buf_add_text(body, "{\"type\":\"urn:sluice:problem:");
	buf_add_text(body, problem->code);
	buf_add_char(body, '"');
	add_member(body, "title", problem->title);
	buf_add_text(body, ",\"status\":");
	buf_add_int(body, response->status);
	add_member(body, "detail", detail == NULL ? problem->detail : detail);
	add_member(body, "code", problem->code);
	add_member(body, "request_id", request->request_id);
	if (errors.p != NULL) {
		buf_add_text(body, ",\"errors\":");
		buf_add_slice(body, errors);
	}
	buf_add_text(body, "}\n");
	/* Out of memory: no body is better than truncated JSON. */
	if (body->status != STATUS_OK) {
		buf_reset(body, body->size);
		response->content_type = NULL;
	}
}

static void add_line(struct buf *out, const char *name, const char *value)
{
	buf_add_text(out, name);
	buf_add_text(out, ": ");
	buf_add_text(out, value);
	buf_add_text(out, "\r\n");
}

void http_response_head(const struct http_response *response, const struct http_request *request,
			struct buf *out)
{
	buf_add_text(out, "Status: ");
	buf_add_int(out, response->status);
	buf_add_char(out, ' ');
	buf_add_text(out, problem_phrase(response->status));
	buf_add_text(out, "\r\n");
	if (response->content_type != NULL)
		add_line(out, "Content-Type", response->content_type);
	if (response->coding != NULL) {
		add_line(out, "Content-Encoding", response->coding);
		add_line(out, "Vary", "Accept-Encoding");
	}
	if (response->allow != NULL)
		add_line(out, "Allow", response->allow);
	if (response->authenticate != NULL)
		add_line(out, "WWW-Authenticate", response->authenticate);
	if (response->retry_after_s > 0) {
		buf_add_text(out, "Retry-After: ");
		buf_add_int(out, response->retry_after_s);
		buf_add_text(out, "\r\n");
	}
	add_line(out, "X-Request-Id", request->request_id);
	add_line(out, "Cache-Control", "no-store");
	if (response->headers != NULL)
		buf_add_text(out, response->headers);
	buf_add_text(out, "\r\n");
}
