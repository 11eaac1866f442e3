/*
 * intake/intake.c - one webhook request from head and body to its items. See intake/intake.h.
 */
#include "intake/intake_internal.h"

#include <string.h>

#include "base/clock.h"
#include "http/header.h"
#include "model/identity.h"

void intake_init(struct intake *intake, const struct config *config, struct arena *arena,
		 const struct http_request *http, enum intake_kind kind)
{
	*intake = (struct intake){
		.config = config,
		.arena = arena,
		.http = http,
		.kind = kind,
		.commit = {.arena = arena, .for_product_orgs = kind == INTAKE_PRODUCT_ORGS},
		.given = {.received_us = clock_unix_us()},
		.bad_byte = -1,
	};
	intake->envelope_bytes_left = intake_body_max(intake);
}

void intake_free(struct intake *intake)
{
	buf_free(&intake->received);
	buf_free(&intake->decoded);
}

size_t intake_body_max(const struct intake *intake)
{
	const struct config *config = intake->config;
	int64_t most =
		intake->kind == INTAKE_BULK ? config->bulk_body_bytes : config->batch_body_bytes;

	if (intake_is_one_or_many(intake) && config->single_body_bytes > most)
		most = config->single_body_bytes;
	return (size_t)most;
}

int64_t intake_timeout_ms(const struct intake *intake)
{
	return intake->kind == INTAKE_BULK ? intake->config->bulk_timeout_ms
					   : intake->config->request_timeout_ms;
}

/* ---- head ---- */

/* A header that may be sent once. Web servers join repeated ones with a comma, which no value read
 * here may hold. */
static enum status header_once(const struct http_request *http, const char *variable,
			       struct slice *value)
{
	unsigned times = http_header(http, variable, value);

	if (times > 1 || (times == 1 && value->n > 0 && memchr(value->p, ',', value->n) != NULL))
		return STATUS_REPEATED_HEADER;
	if (value->n == 0)
		*value = SLICE_ABSENT;
	return STATUS_OK;
}

static enum status head_credentials(struct intake *intake)
{
	struct slice secret = SLICE_ABSENT;
	struct commit_request *commit = &intake->commit;

	if (!credential_key_is_sound(intake->key))
		return STATUS_UNAUTHENTICATED;
	if (header_once(intake->http, "HTTP_X_API_SECRET", &secret) != STATUS_OK) {
		intake->detail = "X-Api-Secret was sent more than once";
		return STATUS_REPEATED_HEADER;
	}
	commit->client = intake->http->client;
	commit->has_secret = secret.p != NULL;
	if (commit->has_secret && credential_hash(secret, &commit->secret_hash) != STATUS_OK)
		return STATUS_INTERNAL;
	return credential_hash(intake->key, &commit->key_hash);
}

static enum status head_source(struct intake *intake)
{
	struct slice header = SLICE_ABSENT;

	if (header_once(intake->http, "HTTP_X_SOURCE", &header) != STATUS_OK) {
		intake->detail = "X-Source was sent more than once";
		return STATUS_REPEATED_HEADER;
	}
	intake->given_source = intake->path_source.p != NULL ? intake->path_source : header;
	if (intake->given_source.p != NULL && !signal_source_is_valid(intake->given_source)) {
		intake->detail = "a source is 1 to 64 characters of A-Z a-z 0-9 . _ -";
		return STATUS_INVALID_SOURCE;
	}
	return intake_cross_out(intake, intake->arena, &intake->given_source, NULL);
}

/* The value of a header that is sent once and that a column can hold; else absent. */
static struct slice attribute(const struct http_request *http, const char *variable)
{
	struct slice value = SLICE_ABSENT;

	return http_header(http, variable, &value) == 1 && signal_id_is_valid(value) ? value
										     : SLICE_ABSENT;
}

/* The delivery's id, for a payload without one: of the first of these headers that names one. One
 * that names none, or is sent twice, is no reason to refuse the payload. */
static enum status head_id(struct intake *intake)
{
	static const char *const headers[] = {"HTTP_IDEMPOTENCY_KEY", "HTTP_WEBHOOK_ID",
					      "HTTP_SVIX_ID", "HTTP_CE_ID"};

	for (size_t i = 0; i < ARRAY_LENGTH(headers) && intake->given_id.p == NULL; i++) {
		struct slice id = attribute(intake->http, headers[i]);
		if (id.p != NULL && identity_is_id(id))
			intake->given_id = id;
	}
	return intake_cross_out(intake, intake->arena, &intake->given_id, NULL);
}

/* CloudEvents 1.0, HTTP binary mode. */
static enum status head_cloud_event(struct intake *intake)
{
	struct signal_given *given = &intake->given;

	if (attribute(intake->http, "HTTP_CE_SPECVERSION").p == NULL)
		return STATUS_OK;
	given->event_type = attribute(intake->http, "HTTP_CE_TYPE");
	given->event_name = attribute(intake->http, "HTTP_CE_SUBJECT");
	given->time = attribute(intake->http, "HTTP_CE_TIME");
	enum status status = intake_cross_out(intake, intake->arena, &given->event_type, NULL);
	return status == STATUS_OK
		       ? intake_cross_out(intake, intake->arena, &given->event_name, NULL)
		       : status;
}

/* Prefer: handling=strict, perhaps among other preferences (RFC 7240). */
static bool prefers_strict(const struct http_request *http)
{
	struct slice rest;

	(void)http_header(http, "HTTP_PREFER", &rest);
	while (rest.n > 0) {
		struct slice preference = slice_take(&rest, ',');
		if (slice_equal_nocase(slice_take(&preference, ';'), SLICE("handling=strict")))
			return true;
	}
	return false;
}

enum status intake_head(struct intake *intake)
{
	enum status status = head_credentials(intake);

	if (status == STATUS_OK)
		status = head_source(intake);
	if (status == STATUS_OK)
		status = head_id(intake);
	if (status == STATUS_OK)
		status = head_cloud_event(intake);
	if (status != STATUS_OK)
		return status;
	if (intake->http->content_length > (int64_t)intake_body_max(intake))
		return STATUS_TOO_LARGE;
	intake->media = http_media(intake->http);
	intake->coding = http_coding(intake->http);
	intake->strict = prefers_strict(intake->http);
	intake->commit.request_id = slice_of(intake->http->request_id);
	intake->commit.traceparent = intake->http->traceparent;
	return STATUS_OK;
}

struct json_limits intake_json_limits(const struct config *config, enum intake_kind kind)
{
	return (struct json_limits){
		.item_bytes = (size_t)config->item_bytes,
		.kept_bytes = (size_t)config->single_body_bytes,
		.items = (uint64_t)(kind == INTAKE_BULK ? config->bulk_items : config->batch_items),
		.depth = (unsigned)config->json_depth,
		.number_digits = (unsigned)config->json_number_digits,
		.number_exponent = (unsigned)config->json_number_exponent,
	};
}

void intake_settle(struct intake *intake)
{
	const struct commit_request *commit = &intake->commit;

	for (size_t i = 0; i < commit->item_count && commit->out.status == STATUS_ACCEPTED; i++)
		intake->duplicates += commit->results[i].repeated;
}
