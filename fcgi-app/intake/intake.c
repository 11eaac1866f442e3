/*
 * intake/intake.c - one webhook request from head and body to its items. See intake/intake.h.
 */
#include "intake/intake_internal.h"

#include <string.h>

#include "http/header.h"

void intake_init(struct intake *intake, const struct config *config, struct arena *arena,
		 const struct http_request *http, enum intake_kind kind)
{
	*intake = (struct intake){
		.config = config,
		.arena = arena,
		.http = http,
		.kind = kind,
		.commit = {.arena = arena, .for_product_orgs = kind == INTAKE_PRODUCT_ORGS},
	};
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

/* The delivery's id, for a payload without one. */
static enum status head_id(struct intake *intake)
{
	unsigned times = http_header(intake->http, "HTTP_IDEMPOTENCY_KEY", &intake->given_id);

	if (times == 0 || intake->given_id.n == 0)
		times = http_header(intake->http, "HTTP_WEBHOOK_ID", &intake->given_id);
	if (times > 1) {
		intake->detail = "Idempotency-Key or webhook-id was sent more than once";
		return STATUS_REPEATED_HEADER;
	}
	if (intake->given_id.n == 0) {
		intake->given_id = SLICE_ABSENT;
	} else if (!signal_id_is_valid(intake->given_id)) {
		intake->detail =
			"an Idempotency-Key or webhook-id is 1 to 1,024 visible ASCII characters";
		return STATUS_MALFORMED_REQUEST;
	}
	return intake_cross_out(intake, intake->arena, &intake->given_id, NULL);
}

/* Prefer: handling=strict, perhaps among other preferences (RFC 7240). */
static bool prefers_strict(const struct http_request *http)
{
	struct slice rest;

	(void)http_header(http, "HTTP_PREFER", &rest);
	while (rest.n > 0) {
		struct slice preference = http_header_take(&rest, ',');
		if (slice_equal_nocase(http_header_take(&preference, ';'),
				       SLICE("handling=strict")))
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
	if (status != STATUS_OK)
		return status;
	if (intake->http->content_length > (int64_t)intake_body_max(intake))
		return STATUS_TOO_LARGE;
	intake->media = http_media(intake->http);
	intake->coding = http_coding(intake->http);
	intake->strict = prefers_strict(intake->http);
	intake->commit.request_id = slice_of(intake->http->request_id);
	return STATUS_OK;
}

struct json_limits intake_json_limits(const struct config *config, enum intake_kind kind)
{
	return (struct json_limits){
		.item_bytes = (size_t)config->item_bytes,
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
